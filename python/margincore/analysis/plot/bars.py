"""Bars: what an account loses in each scenario, what each position makes of a requirement, rulebooks side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from margincore._core import InvalidInput, MarginReport, NotApplicable
from margincore.analysis import given
from margincore.analysis.attribution import Attribution, residual_shown
from margincore.analysis.compare import BASES, Comparison, stated
from margincore.analysis.plot.axes import amounts, axes, faint, plain, short
from margincore.analysis.scenarios import Scenarios
from margincore.analysis.scenarios import scenarios as scenarios_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["attribution", "comparison", "draw_scenarios", "height", "scenarios"]

MOST_BARS = 36
"""Scenarios of a picture; of more than these the worst are drawn."""


def height(bars: int) -> float:
    """Inches that so many bars need, with their axis."""
    return 0.9 + 0.2 * min(bars, MOST_BARS + 3)


def scenarios(report: MarginReport, *, scope: str | None = None, ax: Axes | None = None) -> Axes:
    """Draws what the account gains and loses in each scenario of a report, as the rulebook ran them; the worst dark.

    `scope` chooses among several sets (class groups, units, commodities); the first with the largest loss where it is
    left out. Raises :class:`NotApplicable` for a rulebook without scenarios.

    >>> import margincore as mc
    >>> axes = mc.plot.scenarios(report)                                                     # doctest: +SKIP
    """
    found = scenarios_of(report)
    if not found:
        raise NotApplicable(f"{report.methodology} has no scenarios to draw", code="not_covered")
    if scope is not None:
        found = tuple(own for own in found if own.scope == given.name("scope", scope, [s.scope for s in found]))
    own = min(found, key=lambda each: each.profits[each.worst])
    ax = axes(ax, (7.0, height(len(own.profits))))
    draw_scenarios(ax, own)
    ax.set_title(plain(f"{report.methodology}: {own.scope}"))
    return ax


def draw_scenarios(ax: Axes, own: Scenarios) -> None:
    """Draws one set of scenarios; of more than fit, the worst."""
    kept = list(range(len(own.profits)))
    if len(kept) > MOST_BARS:
        kept = sorted(sorted(kept, key=own.profits.__getitem__)[:MOST_BARS])
    rows = [(own.labels[i], own.profits[i], "C3" if i == own.worst else "C0") for i in kept]
    _bars(ax, rows)
    partly = "" if own.complete else ", the worst ones"
    if len(kept) < len(own.profits):
        partly = f", the {len(kept)} worst of {len(own.profits)}"
    ax.set_xlabel(f"profit and loss, {own.currency}{partly}")


def _bars(ax: Axes, rows: Sequence[tuple[str, float, Any]]) -> None:
    places = range(len(rows))
    ax.barh(places, [value for _, value, _ in rows], color=[color for _, _, color in rows], height=0.72)
    ax.set_yticks(places, [short(label) for label, _, _ in rows], fontsize="small")
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.axvline(0.0, color=faint(), linewidth=0.8)
    amounts(ax.xaxis)
    ax.locator_params(axis="x", nbins=4)


def attribution(own: Attribution, *, currency: str = "", ax: Axes | None = None) -> Axes:
    """Draws what each position makes of a requirement, its residual and the total; of many positions the largest.

    >>> import margincore as mc
    >>> axes = mc.plot.attribution(mc.attribution.attribute(prepared, account))              # doctest: +SKIP
    """
    parts = own.contributions
    if len(parts) > MOST_BARS:
        largest = sorted(range(len(parts)), key=lambda i: -abs(parts[i].amount))[:MOST_BARS]
        parts = tuple(parts[i] for i in sorted(largest))
    rows: list[tuple[str, float, Any]] = [(f"{c.long - c.short:+,.10g} {c.contract.id}", c.amount, "C0") for c in parts]
    rest = math.fsum(c.amount for c in own.contributions) - math.fsum(c.amount for c in parts)
    if len(parts) < len(own.contributions):
        rows.append((f"{len(own.contributions) - len(parts):,} others together", rest, "C4"))
    rows += [("residual", residual_shown(own), "C1"), ("total", own.total, "C2")]
    ax = axes(ax, (7.0, height(len(rows))))
    _bars(ax, rows)
    ax.set_xlabel(f"{own.kind} part" + (f", {currency}" if currency else ""))
    return ax


def comparison(
    own: Comparison,
    *,
    basis: Literal["equity_required", "cash_balance_required"] = "equity_required",
    ax: Axes | None = None,
) -> Axes:
    """Draws a comparison on one basis: a bar for each rulebook, words for one that gives no number.

    Raises :class:`InvalidInput` where reports are in several currencies: bars of dollars and coins have no common axis.

    >>> import margincore as mc
    >>> axes = mc.plot.comparison(mc.compare(account, market, rulebooks))                    # doctest: +SKIP
    """
    given.name("basis", basis, BASES)
    currencies = sorted({o.report.currency for o in own.outcomes if o.report is not None})
    if len(currencies) > 1:
        raise InvalidInput(
            f"comparison: reports are in {', '.join(currencies)}: their bars have no common axis", code="contradiction"
        )
    amounts_of = [getattr(outcome, basis) for outcome in own.outcomes]
    ax = axes(ax, (7.0, height(len(amounts_of))))
    _bars(ax, [(o.label, amount or 0.0, "C0") for o, amount in zip(own.outcomes, amounts_of, strict=True)])
    for place, (outcome, amount) in enumerate(zip(own.outcomes, amounts_of, strict=True)):
        words, away = stated(outcome, basis), max(amount or 0.0, 0.0)
        ax.annotate(words, (away, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize="small")
    ax.margins(x=0.24)
    ax.set_xlabel(BASES[basis] + (f", {currencies[0]}" if currencies else ""))
    return ax
