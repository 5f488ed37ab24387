"""Profit and loss over prices: now, at the nearest expiry, and the points of each rulebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from margincore._core import (
    Account,
    Contract,
    MarginError,
    MarginReport,
    Market,
    Methodology,
    MissingData,
    NotApplicable,
    Position,
    amount_text,
)
from margincore.analysis.compare import Outcome, compare, verdict
from margincore.analysis.plot.axes import amounts, axes, faint, legend, listed, moves, quoted, short
from margincore.analysis.profiles import TOGETHER, Profile, moving, profile_of, reach, underlying_of
from margincore.analysis.scenarios import Scenarios, scenarios
from margincore.analysis.worth import Worth
from margincore.engine import beside, holder, margin
from margincore.portfolio import Etf, Future, Stock

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_payoff", "payoff", "points_of"]


_FAR = 0.6
"""Moves of a rulebook that a picture still widens for."""


def payoff(
    account: Account | Iterable[Position],
    market: Market,
    methodologies: Sequence[Methodology] = (),
    *,
    symbol: str | None = None,
    width: float | None = None,
    currency: str | None = None,
    labels: Sequence[str] | None = None,
    contracts: Iterable[Contract] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draws what an account gains and loses over prices: now and at the nearest expiry, with break-evens.

    - `symbol`: the underlying that moves while others stay, or ``"*"`` for all by the same fraction; left out it is the
      only one, or all.
    - `width`: how far either way, a fraction of today's price; by strikes and volatilities where it is left out.
    - `currency`: the one to draw in: that of the quotes where left out, dollars for contracts settled in a coin; the
      coin draws what is paid.

    Rulebooks whose scenarios move the price alone (TIMS, crypto venues) get these on the curve and a ring around the
    worst; any other appears as the loss that its equity requirement covers, where one picture shows the whole account.
    One that does not cover the account is named in the legend. Values are theoretical, each option at its own
    volatility; cash and collateral are left out. Later expiries are repriced at the nearest. Raises
    :class:`MissingData` for what is not quoted, and what the rulebooks raise.

    >>> import margincore as mc
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> axes = mc.plot.payoff([mc.Position(stock, 100)], market, [mc.methods.Tims()])        # doctest: +SKIP
    """
    account, market = holder(account), moving(market)
    more = beside(contracts)
    worth = Worth(account, market, more)
    name = underlying_of(worth, symbol)
    outcomes: Sequence[Outcome] = ()
    if methodologies:
        outcomes = compare(account, market, methodologies, labels=labels, contracts=more).outcomes
    ax = axes(ax)
    draw_payoff(ax, worth, name, outcomes, methodologies, market, width=width, currency=currency)
    ax.set_title(f"{market.valuation}: volatilities unchanged")
    return ax


def draw_payoff(
    ax: Axes,
    worth: Worth,
    symbol: str,
    outcomes: Sequence[Outcome],
    methodologies: Sequence[Methodology],
    market: Market,
    *,
    width: float | None = None,
    currency: str | None = None,
) -> list[Profile]:
    """As :func:`payoff`, of what is at hand; gives the curves that it drew, now first."""
    root = None if symbol == TOGETHER else symbol
    unit = worth.currency(root) if currency is None else currency
    shown = [
        None if root is None or o.report is None else points_of(o.report, worth, root, market, m)
        for o, m in zip(outcomes, methodologies, strict=True)
    ]
    span = reach(worth, symbol, width)
    if width is None:
        # As far as rulebooks move the price alone, but not to the ends of the world that some add.
        plain = [m for own in shown if own is not None for m, p in zip(own.moves or (), own.plain, strict=True) if p]
        near = [1.0 + move for move in plain if abs(move) <= _FAR]
        span = min([span[0], *(f - 0.02 for f in near)]), max([span[1], *(f + 0.02 for f in near)])
    drawn = [profile_of(worth, symbol, currency=unit, span=span)]
    if worth.nearest(root) is not None:
        drawn.append(profile_of(worth, symbol, at="expiry", currency=unit, span=span))
    level = 1.0 if root is None else worth.levels[root].price

    def across(prices: Any) -> Any:
        return prices - 1.0 if root is None else prices

    ax.axhline(0.0, color=faint(), linewidth=0.8, zorder=0)
    ax.axvline(across(level), color=faint(), linewidth=0.8, zorder=0)
    for number, own in enumerate(drawn):
        words = f"at expiry, {own.at[:10]}" if number else "now"
        style: dict[str, Any] = {"linestyle": (0, (5, 2)), "linewidth": 1.3} if number else {"linewidth": 1.8}
        ax.plot(across(own.prices), own.profits, color=f"C{number}", label=words + _break_evens(own, root), **style)
        if own.break_evens:
            zeros = np.zeros(len(own.break_evens))
            ax.plot(across(np.array(own.break_evens)), zeros, "|", color=f"C{number}", markersize=9)
    ax.set_xlim(across(drawn[0].prices[0]), across(drawn[0].prices[-1]))
    whole = symbol == TOGETHER or len(worth.levels) == 1
    for number, (outcome, points) in enumerate(zip(outcomes, shown, strict=True), start=2):
        if outcome.report is None:
            ax.plot([], [], " ", label=f"{short(outcome.label)}: {verdict(outcome)}")
            continue
        report = outcome.report
        text = f"{short(outcome.label)}: equity required {amount_text(report.equity_required)} {report.currency}"
        if points is not None:
            words = text if whole else f"{short(outcome.label)}: scenarios of {short(points.scope)}"
            _draw_points(ax, worth, points, level, unit, symbol, f"C{number}", words)
        elif whole:
            _draw_requirement(ax, worth, report, drawn[0], unit, symbol, f"C{number}", text)
    ax.set_xlabel(
        "all prices together" if root is None else f"{short(worth.levels[symbol].name)} ({quoted(level)} today)"
    )
    ax.set_ylabel(f"profit and loss, {unit}")
    moves(ax.xaxis) if root is None else amounts(ax.xaxis)
    amounts(ax.yaxis)
    ax.locator_params(axis="x", nbins=6)
    legend(ax)
    return drawn


def _break_evens(own: Profile, root: str | None) -> str:
    if not own.break_evens:
        return ""
    said = [quoted(price) if root is not None else f"{100.0 * (price - 1.0):+.2f} %" for price in own.break_evens]
    few = said if len(said) <= 4 else [*said[:4], "..."]
    return f"; break-even {listed(few)}"


def _draw_points(
    ax: Axes, worth: Worth, points: Scenarios, level: float, unit: str, symbol: str, color: str, text: str
) -> None:
    """A rulebook's points where they move the price alone, and a ring around the worst of all."""
    low, high = (edge / level for edge in ax.get_xlim())
    kept = [i for i, move in enumerate(points.moves or ()) if low <= 1.0 + move <= high]
    factors = np.array([1.0 + (points.moves or ())[i] for i in kept])
    try:
        rate = worth.rate(points.currency, unit, {symbol: factors})
    except MissingData:
        ax.plot([], [], " ", label=f"{text} (not drawn: no rate in {unit})")
        return
    profits = np.array([points.profits[i] for i in kept]) * rate
    plain = np.array([points.plain[i] for i in kept], dtype=bool)
    prices = level * factors
    ax.plot(prices[plain], profits[plain], "o", color=color, markersize=4, label=text)
    if not plain.all():
        ax.plot(prices[~plain], profits[~plain], "o", color=color, markersize=2.2, alpha=0.55)
    if points.worst in kept:
        worst = kept.index(points.worst)
        ax.plot(prices[worst], profits[worst], "o", color=color, markersize=11, fillstyle="none")


def _draw_requirement(
    ax: Axes, worth: Worth, report: MarginReport, own: Profile, unit: str, symbol: str, color: str, text: str
) -> None:
    factors = own.prices / own.level
    moving = worth.levels if symbol == TOGETHER else [symbol]
    try:
        rate = worth.rate(report.currency, unit, dict.fromkeys(moving, factors))
    except MissingData:
        ax.plot([], [], " ", label=f"{text} (not drawn: no rate in {unit})")
        return
    across = factors - 1.0 if symbol == TOGETHER else own.prices
    ax.plot(across, np.full(len(factors), -report.equity_required) * rate, "-.", color=color, linewidth=1.1, label=text)


def points_of(
    report: MarginReport, worth: Worth, symbol: str, market: Market, methodology: Methodology
) -> Scenarios | None:
    """The scenarios of a report that move one underlying's price, with their moves; `None` where it has none."""
    for own in scenarios(report):
        if own.moves is not None and own.scope.split()[-1].partition("/")[0] == symbol:
            return own
    return _points_of_unit(report, worth, symbol, market, methodology)


def _points_of_unit(
    report: MarginReport, worth: Worth, symbol: str, market: Market, methodology: Methodology
) -> Scenarios | None:
    """Points without moves of their own (TIMS): at each, what one unit of the underlying gains over its price."""
    scopes = {own.scope: own for own in scenarios(report) if own.moves is None and all(own.plain or (False,))}
    if not scopes or symbol not in market.spot:
        return None

    def unit_of(name: str) -> Scenarios | None:
        for unit, quoted_at in _units(name, worth, report.currency, market):
            try:
                found = scenarios(margin([Position(unit, 1)], quoted_at, methodology))
            except MarginError:  # the rulebook knows the symbol as something else
                continue
            return found[0] if len(found) == 1 and found[0].scope in scopes else None
        return None

    own = unit_of(symbol)
    if own is None:
        return None
    others = [name for name in worth.levels if name != symbol]
    if any((other := unit_of(name)) is not None and other.scope == own.scope for name in others):
        return None  # points that are several underlyings' are no picture of one
    found = scopes[own.scope]
    price = market.spot[symbol]
    return Scenarios(
        found.scope,
        found.currency,
        found.labels,
        found.profits,
        tuple(profit / price for profit in own.profits),
        found.plain,
    )


def _units(symbol: str, worth: Worth, currency: str, market: Market) -> Iterator[tuple[Contract, Market]]:
    """What moves one for one with a symbol: a share, or a future for what nobody can hold, with a market for it."""
    name = f"one unit of {symbol}"
    parts = worth.parts
    for unit in (Stock(symbol, currency=currency, id=name), Etf(symbol, currency=currency, id=name)):
        yield unit, market
    on = (worth.nearest(symbol) or worth.now + dt.timedelta(days=30)).date()
    future = Future(symbol, expiry=on, settles="pm", multiplier=1.0, currency=currency, id=name)
    price = {**parts.get("price", {}), name: parts["spot"][symbol]}
    yield future, Market(**{**parts, "price": price})


def plot(
    account: Account | Iterable[Position],
    market: Market,
    methodologies: Sequence[Methodology],
    *,
    width: float | None = None,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draws :func:`payoff` of an account under rulebooks, at a glance.

    >>> import margincore as mc
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> axes = mc.plot.plot([mc.Position(stock, 100)], market, [mc.methods.RegT()])           # doctest: +SKIP
    """
    if not methodologies:
        raise NotApplicable("plot: name at least one rulebook; mc.plot.payoff draws without", code="not_stated")
    return payoff(account, market, methodologies, width=width, labels=labels, ax=ax)
