"""What an expiry does to a requirement and to equity, over settlement prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from margincore.analysis.events import ExpiryScan
from margincore.analysis.plot.axes import amounts, axes, faint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_expiry"]


def plot_expiry(scan: ExpiryScan, *, ax: Axes | None = None) -> Axes:
    """Draws what :func:`margincore.events.expiry_scan` found: requirement and equity against the settlement price.

    Strikes are dotted lines, prices that lead to a call are shaded, and a diamond stands where shorts are assigned
    alone at their strike (filled where that is a call).

    >>> import margincore as mc
    >>> scan = mc.events.expiry_scan(account, market, mc.methods.RegT(), "2026-12-18")          # doctest: +SKIP
    >>> axes = mc.plot.plot_expiry(scan)                                                          # doctest: +SKIP
    """
    ax = axes(ax, (9.0, 5.0))
    rule = scan.by_the_rule
    prices = [p.price for p in rule]
    for number, (low, high) in enumerate(scan.calls):
        ax.axvspan(low, high, color="C3", alpha=0.12, linewidth=0.0, label=None if number else "call")
    for number, strike in enumerate(scan.strikes):
        ax.axvline(strike, color=faint(), linestyle=":", linewidth=1.0, label=None if number else "strikes")
    ax.axvline(scan.spot, color=faint(), linewidth=0.8, label=f"now, {scan.spot:,.2f}")
    ax.plot(prices, [p.maintenance for p in rule], color="C0", linewidth=1.4, label="maintenance requirement")
    ax.plot(prices, [p.equity for p in rule], color="C1", linewidth=1.2, label="equity")
    for is_call in (True, False):
        own = [p for p in scan.pinned if (p.call > 0.0) == is_call]
        label = "shorts assigned alone at their strike" + (": a call" if is_call else "")
        if own:
            ax.plot(
                [p.price for p in own],
                [p.maintenance for p in own],
                "D",
                color="C3" if is_call else "C0",
                fillstyle="full" if is_call else "none",
                label=label,
            )
    ax.set_xlim(prices[0], prices[-1])
    ax.set_ylim(bottom=min(0.0, *(p.equity for p in rule)))
    amounts(ax.xaxis)
    amounts(ax.yaxis)
    ax.set_xlabel(f"{scan.symbol} at the expiry of {scan.on}")
    ax.set_ylabel(f"the morning after, {scan.currency}")
    ax.set_title(f"{scan.symbol}: after the expiry of {scan.on}")
    # Below: between the strikes there is no room that is free of lines.
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, fontsize="small", frameon=False)
    return ax
