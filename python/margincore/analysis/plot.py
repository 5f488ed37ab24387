"""Pictures: of a comparison (profit and loss over prices, each rulebook's points and worst), and of an expiry.

Needs the extra ``report`` (matplotlib).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from margincore._core import (
    Account,
    InvalidInput,
    MarginReport,
    Market,
    Methodology,
    MissingData,
    NotApplicable,
    Position,
)
from margincore.analysis.compare import Comparison, compare
from margincore.analysis.events import ExpiryScan
from margincore.engine import holder, margin
from margincore.methods import Tims
from margincore.portfolio import Future

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot", "plot_expiry"]

_WIDTHS = (1.0, 0.9, 0.75, 0.55, 0.3)
"""Parts of the plotted range that the curve is computed over, ten points each."""


def plot(
    account: Account | Iterable[Position],
    market: Market,
    methodologies: Sequence[Methodology],
    *,
    width: float = 0.12,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draws today's profit and loss of an account on one underlying over prices within `width` (a fraction) of spot.

    Rulebooks with price points (TIMS) get their points on the curve and a ring around the worst; a rulebook without
    appears as the loss its equity requirement would cover. Profit and loss is dollars from the theoretical value,
    volatilities unchanged, as TIMS reprices. Raises :class:`InvalidInput` for an account on several underlyings,
    :class:`MissingData` where that one has no spot price, and what the rulebooks raise; a rulebook that does not cover
    the account is named in the legend.

    >>> import margincore as mc
    >>> from margincore.analysis.plot import plot
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> axes = plot([mc.Position(stock, 100)], market, [mc.methods.RegT(), mc.methods.Tims()])  # doctest: +SKIP
    """
    import matplotlib.pyplot as plt

    account = holder(account)
    underlyings = sorted({p.contract.underlying for p in account.positions})
    if len(underlyings) != 1:
        raise InvalidInput(
            f"plot: an account on one underlying is needed, not on {', '.join(underlyings) or 'none'}",
            code="contradiction",
        )
    symbol = underlyings[0]
    if symbol not in market.spot:
        raise MissingData(f"plot: no spot price for '{symbol}'", code="missing_spot")
    spot = market.spot[symbol]
    if ax is None:
        _, ax = plt.subplots(figsize=(9.0, 5.0), layout="constrained")
    prices, profits = _curve(account, market, symbol, width)
    ax.axhline(0.0, color="0.8", linewidth=0.8)
    ax.axvline(spot, color="0.8", linewidth=0.8)
    ax.plot([spot * (1.0 + m) for m in prices], profits, color="black", linewidth=1.2, label="profit and loss now")
    comparison: Comparison = compare(account, market, methodologies, labels=labels)
    for number, (outcome, methodology) in enumerate(zip(comparison.outcomes, methodologies, strict=True)):
        color = f"C{number}"
        report = outcome.report
        if report is None:
            ax.plot([], [], " ", label=f"{outcome.label}: {(outcome.reason or '').partition(':')[0]}")
            continue
        text = f"{outcome.label}: equity required {report.equity_required:,.0f}"
        points = _points(report)
        if points is None:
            ax.axhline(-report.equity_required, color=color, linestyle="--", linewidth=1.0, label=text)
            continue
        at = [spot * (1.0 + move) for move in _moves(symbol, market, methodology)]
        ax.plot(at, points, "o", color=color, markersize=4, label=text)
        worst = min(range(len(points)), key=points.__getitem__)
        ax.plot(at[worst], points[worst], "o", color=color, markersize=12, fillstyle="none")
        ax.annotate(f"{points[worst]:,.0f}", (at[worst], points[worst]), xytext=(12, -12), textcoords="offset points")
    ax.set_xlabel(f"{symbol} (spot {spot:,.2f})")
    ax.set_ylabel("profit and loss, USD")
    ax.set_title(f"{market.valuation}: volatilities and time unchanged")
    ax.legend(loc="best", fontsize="small", frameon=False)
    return ax


def plot_expiry(scan: ExpiryScan, *, ax: Axes | None = None) -> Axes:
    """Draws what :func:`margincore.events.expiry_scan` found: requirement and equity against the settlement price.

    Strikes are dotted lines, prices that lead to a call are shaded, and a diamond stands where shorts are assigned
    alone at their strike (filled where that is a call).

    >>> import margincore as mc
    >>> from margincore.analysis.plot import plot_expiry
    >>> scan = mc.events.expiry_scan(account, market, mc.methods.RegT(), "2026-12-18")          # doctest: +SKIP
    >>> axes = plot_expiry(scan)                                                              # doctest: +SKIP
    """
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(9.0, 5.0), layout="constrained")
    rule = scan.by_the_rule
    prices = [p.price for p in rule]
    for number, (low, high) in enumerate(scan.calls):
        ax.axvspan(low, high, color="C3", alpha=0.12, linewidth=0.0, label=None if number else "call")
    for number, strike in enumerate(scan.strikes):
        ax.axvline(strike, color="0.6", linestyle=":", linewidth=1.0, label=None if number else "strikes")
    ax.axvline(scan.spot, color="0.8", linewidth=0.8, label=f"now, {scan.spot:,.2f}")
    ax.plot(prices, [p.maintenance for p in rule], color="C0", linewidth=1.4, label="maintenance requirement")
    ax.plot(prices, [p.equity for p in rule], color="black", linewidth=1.2, label="equity")
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
    ax.set_xlabel(f"{scan.symbol} at the expiry of {scan.on}")
    ax.set_ylabel(f"the morning after, {scan.currency}")
    ax.set_title(f"{scan.symbol}: after the expiry of {scan.on}")
    # Below: between the strikes there is no room that is free of lines.
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, fontsize="small", frameon=False)
    return ax


def _group(report: MarginReport) -> dict[str, Any] | None:
    groups = report.details.get("class_groups")
    if not groups:
        return None
    (group,) = groups.values()
    found: dict[str, Any] = group
    return found


def _points(report: MarginReport) -> list[float] | None:
    group = _group(report)
    return None if group is None else [float(profit) for profit in group["profit"]]


def _moves(symbol: str, market: Market, methodology: Methodology) -> list[float]:
    """The moves behind a rulebook's points: what a future on one unit of the underlying gains at them, over its price.

    A future, since nobody can hold an index, and a fund is no stock.
    """
    unit = Future(
        symbol, expiry=f"{int(market.valuation[:4]) + 1}-12-31T00:00:00Z", multiplier=1, currency="USD", id="one unit"
    )
    now = Market(market.valuation, spot={symbol: market.spot[symbol]}, price={unit.id: market.spot[symbol]})
    points = _points(margin([Position(unit, 1)], now, methodology))
    if points is None:
        raise NotApplicable(f"plot: {methodology.name} has no price points")
    return [profit / market.spot[symbol] for profit in points]


def _curve(account: Account, market: Market, symbol: str, width: float) -> tuple[list[float], list[float]]:
    """Moves and profits on a fine grid: TIMS with ranges of our own, which is how it would reprice them."""
    found = {0.0: 0.0}
    for part in _WIDTHS:
        reach = {"down": -width * part, "up": width * part}
        tims = Tims(products={symbol: {"class_group": symbol}}, class_groups={symbol: {"range": reach}})
        points = _points(margin(account, market, tims)) or []
        found.update(zip(_moves(symbol, market, tims), points, strict=True))
    moves = sorted(found)
    return moves, [found[move] for move in moves]
