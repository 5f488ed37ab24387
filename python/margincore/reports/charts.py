"""Sections of figures: profit and loss, heat maps, scenarios, attribution, rulebooks side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from margincore._core import MarginError
from margincore._markup import Child, Markup, joined, tag
from margincore.analysis import plot
from margincore.analysis.attribution import Attribution, residual_shown
from margincore.analysis.compare import BASES, stated
from margincore.analysis.plot.axes import listed, quoted
from margincore.analysis.plot.bars import draw_scenarios, height
from margincore.analysis.plot.payoffs import draw_payoff
from margincore.analysis.plot.surfaces import draw_requirements, draw_surface
from margincore.analysis.profiles import TOGETHER, Profile
from margincore.analysis.scenarios import scenarios
from margincore.analysis.surfaces import Surface, profit_surface, requirement_curve, requirement_surface
from margincore.analysis.worth import Worth
from margincore.reports.book import Book
from margincore.reports.page import absent, amount, figure, figures, table
from margincore.reports.svg import bands, drawn

__all__ = ["attribution", "comparison", "heatmaps", "payoffs", "scenario_bars"]

MOST_PANELS = 12
"""Underlyings that get a picture of their own; of more, those with the most positions."""


def comparison(book: Book) -> Markup:
    """Bars of the requirement, a figure for each basis."""
    found: list[Markup] = []
    currencies = sorted({report.currency for _, _, report in book.reports})
    if len(currencies) > 1:
        return absent(f"No bars: the reports are in {', '.join(currencies)}, which have no common axis.")
    if not book.reports:
        return Markup()
    outcomes = book.comparison.outcomes
    for basis, words in BASES.items():
        said = "; ".join(f"{outcome.label} {stated(outcome, basis)}" for outcome in outcomes)
        name = f"bars-{basis[:4]}"
        svg = drawn(name, f"Initial requirement by rulebook: {said}.", _basis(book, basis), height(len(outcomes)))
        found.append(figure(name, words.capitalize(), svg))
    return figures(found)


def _basis(book: Book, basis: Any) -> Callable[[Any], Any]:
    return lambda ax: plot.comparison(book.comparison, basis=basis, ax=ax)


# ---- profit and loss


def _symbols(worth: Worth) -> list[str]:
    """Underlyings to draw, those with the most positions first, and all together where there are several."""
    count = {root: sum(1 for own in worth.roots.values() if own == root) for root in worth.levels}
    roots = sorted(count, key=lambda root: -count[root])
    return [*roots, TOGETHER] if len(roots) > 1 else roots


def payoffs(book: Book) -> Markup:
    """Profit and loss over prices, for each underlying and for all together, in dollars and in coin."""
    worth = book.worth
    if isinstance(worth, MarginError):
        return book.without("profit and loss", worth)
    if not worth.levels or book.market is None:
        return absent("No profit and loss: the account holds no positions.")
    drawn_ones: list[Markup] = []
    notes: list[Markup] = []
    curves: list[tuple[str, Profile]] = []
    symbols = _symbols(worth)
    alone = [s for s in symbols if s != TOGETHER]
    shown = [s for s in symbols if s == TOGETHER or s in alone[:MOST_PANELS]]
    if len(alone) > MOST_PANELS:
        notes.append(absent(f"Not drawn one by one: {', '.join(alone[MOST_PANELS:])}; all together they are."))
    for symbol in shown:
        for unit in _units(book, worth, symbol):
            name = "All prices together" if symbol == TOGETHER else symbol
            try:
                curves += [(name, own) for own in _payoff(book, worth, symbol, unit, drawn_ones)]
            except MarginError as error:
                what = f"profit and loss of {name}" + (f" in {unit}" if unit else "")
                notes.append(book.without(what, error))
    note = (
        "Profit and loss of the positions against today's theoretical value, each option at its own volatility; cash "
        "and collateral are not in it. Prices of other underlyings stay, unless all move together. At expiry: the "
        "nearest one, later expiries repriced there. Dots are a rulebook's own scenarios, small ones move volatility "
        "as well, the ring is around the worst."
    )
    return joined([tag("p", note, class_="note"), figures(drawn_ones), notes, _break_evens(curves)])


def _units(book: Book, worth: Worth, symbol: str) -> list[str | None]:
    """The currencies to draw in: that of the quotes, and the coin where every position settles in it.

    Where quotes are in several it is the requirement's; without one, `None`: what is drawn then says that.
    """
    unit = worth.quote_of(worth.levels if symbol == TOGETHER else [symbol])
    if unit is None:
        return [book.reports[0][2].currency if book.reports else None]
    held = [c for name, c in worth.held.items() if worth.roots[name] == symbol]
    in_coin = bool(held) and all(c.settlement == "inverse" and c.currency == symbol for c in held)
    return [unit, symbol] if in_coin else [unit]


def _payoff(book: Book, worth: Worth, symbol: str, unit: str | None, out: list[Markup]) -> list[Profile]:
    made: list[Profile] = []

    def draw(ax: Any) -> None:
        market: Any = book.market
        found = draw_payoff(ax, worth, symbol, book.comparison.outcomes, book.methodologies, market, currency=unit)
        made.extend(found)

    title = f"{'All prices together' if symbol == TOGETHER else symbol}: profit and loss, {unit}"
    name = f"pay-{len(out)}"
    rows = 3 + len(book.comparison.outcomes)
    svg = drawn(name, "Profit and loss over prices, now and at the nearest expiry.", draw, 2.6 + 0.17 * rows)
    out.append(figure(name, title, svg, f"In the range drawn: {'; '.join(_extremes(own) for own in made)}."))
    return made


def _extremes(own: Profile) -> str:
    low, high = float(own.profits.min()), float(own.profits.max())
    return f"on {own.at[:10]} from {amount(low)} to {amount(high)} {own.currency}"


def _break_evens(curves: list[tuple[str, Profile]]) -> Markup:
    rows: list[list[Child]] = []
    for name, own in curves:
        said = [
            quoted(price) if own.symbol != TOGETHER else f"{100.0 * (price - 1.0):+.2f} %" for price in own.break_evens
        ]
        level = "" if own.symbol == TOGETHER else quoted(own.level)
        rows.append([name, own.at, level, own.currency, listed(said) or "none in the range drawn"])
    columns = ("underlying", "instant", "today's price", "currency", "break-even")
    return table("Break-even prices", columns, rows, numbers=(2,), wide=(4,)) if rows else Markup()


# ---- heat maps


def heatmaps(book: Book) -> Markup:
    """Profit, and the chosen requirement margined again, over price and volatility and over price and time."""
    worth = book.worth
    if isinstance(worth, MarginError):
        return book.without("heat maps", worth)
    if not worth.levels:
        return absent("No heat maps: the account holds no positions.")
    symbol = _symbols(worth)[-1]
    unit = _units(book, worth, symbol)[0]
    curves: list[Markup] = []
    found: list[Markup] = []
    notes: list[Markup] = []
    _requirement_curves(book, worth, symbol, curves, notes)
    if not any(c.kind == "option" for c in worth.held.values()):
        notes.append(absent("No heat maps over volatility and time: no option is held, and neither moves the profit."))
    else:
        _surfaces(book, worth, symbol, unit, found, notes)
    note = (
        "Over moves of the price; the cross is today's market. Volatilities change by a fraction of each, time runs to "
        "the nearest expiry. The "
        "requirement is margined again at every place, as the rulebook would, with options at their own volatility."
    )
    return joined([tag("p", note, class_="note"), figures(curves), figures(found), notes])


def _requirement_curves(book: Book, worth: Worth, symbol: str, found: list[Markup], notes: list[Markup]) -> None:
    """A figure for each currency: what every rulebook asks over prices."""
    by_currency: dict[str, list[Surface | str]] = {}
    for place, outcome, report in book.reports:
        try:
            own = requirement_curve(book.prepared(place), book.account, worth, symbol, label=outcome.label)
        except MarginError as error:
            notes.append(book.without(f"requirement of {outcome.label} over price", error))
            continue
        by_currency.setdefault(report.currency, []).append(own)
        notes += [book.without(f"requirement of {outcome.label} at some prices", why) for why in own.refused]
    for currency, curves in by_currency.items():
        title = f"Initial requirement over price, {currency}"
        names = ", ".join(own.rulebook for own in curves if isinstance(own, Surface))
        name, draw = f"over-{len(found)}", _drawn_requirements(curves, worth)
        svg = drawn(name, f"{title}: {names}.", draw, 2.6 + 0.17 * len(curves))
        found.append(figure(name, title, svg))


def _drawn_requirements(curves: list[Surface | str], worth: Worth) -> Callable[[Any], Any]:
    return lambda ax: draw_requirements(ax, curves, worth)


def _surfaces(
    book: Book, worth: Worth, symbol: str, unit: str | None, found: list[Markup], notes: list[Markup]
) -> None:
    """Profit and the chosen requirement, over volatility and over time."""
    for against, words in (("vol", "volatility"), ("time", "time")):
        if against == "time" and worth.nearest() is None:
            notes.append(absent("Over time: no option that is held expires."))
            continue
        makers: list[tuple[str, Callable[[], Surface]]] = [
            ("profit and loss", _profits(book, worth, symbol, against, unit)),
        ]
        if book.chosen is not None:
            makers.append((f"initial requirement of {book.chosen.label}", _requirements(book, worth, symbol, against)))
        for of, make in makers:
            what = f"{of} over price and {words}"
            try:
                surface = make()
            except MarginError as error:
                notes.append(book.without(what, error))
                continue
            found.append(_heatmap(f"{what[0].upper()}{what[1:]}", surface, worth, f"heat-{len(found)}"))
            notes += [book.without(f"{what}, at some places", why) for why in surface.refused]


def _profits(book: Book, worth: Worth, symbol: str, against: Any, unit: str | None) -> Callable[[], Surface]:
    return lambda: profit_surface(worth, symbol, against=against, resolution=book.resolution, currency=unit)


def _requirements(book: Book, worth: Worth, symbol: str, against: Any) -> Callable[[], Surface]:
    place = book.focus or 0
    label = None if book.chosen is None else book.chosen.label
    return lambda: requirement_surface(
        book.prepared(place), book.account, worth, symbol, against=against, resolution=book.resolution, label=label
    )


def _heatmap(title: str, surface: Surface, worth: Worth, name: str) -> Markup:
    profit = surface.of == "profit"
    low, high = float(np.nanmin(surface.values)), float(np.nanmax(surface.values))
    today = surface.values[surface.today]
    said = f"from {amount(low)} to {amount(high)} {surface.currency}"
    if not profit:
        said += f"; today {amount(float(today))}" if np.isfinite(today) else "; no number today"
    svg = drawn(name, f"{title}: {said}.", lambda ax: draw_surface(ax, surface, worth, bands(profit)), 3.3)
    return figure(name, f"{title}, {surface.currency}", svg, f"{said[0].upper()}{said[1:]}.")


# ---- scenarios and positions


def scenario_bars(book: Book) -> Markup:
    """What the account gains and loses in the scenarios of each rulebook."""
    found: list[Markup] = []
    notes: list[Markup] = []
    for place, outcome, report in book.reports:
        sets = scenarios(report)
        if not sets:
            notes.append(absent(f"{outcome.label}: {report.methodology} has no scenarios."))
        ranked = sorted(sets, key=lambda own: own.profits[own.worst])
        if len(ranked) > MOST_PANELS:
            left = ", ".join(own.scope for own in ranked[MOST_PANELS:])
            notes.append(absent(f"{outcome.label}: not drawn, their worst losses are smaller: {left}."))
        for k, own in enumerate(ranked[:MOST_PANELS]):
            title = f"{outcome.label}: {own.scope}"
            worst = f"Worst: {own.labels[own.worst]}, {amount(own.profits[own.worst])} {own.currency}."
            name, tall = f"scen-{place}-{k}", height(len(own.profits))
            svg = drawn(name, f"Profit and loss by scenario. {worst}", _scenarios(own), tall)
            found.append(figure(name, title, svg, worst))
    if not book.reports:
        notes.append(absent("No rulebook gives a number."))
    return joined([figures(found) if found else Markup(), notes])


def _scenarios(own: Any) -> Callable[[Any], Any]:
    return lambda ax: draw_scenarios(ax, own)


_KINDS = {
    "incremental": (
        "Incremental: the requirement less what it would be without the position; the residual is what positions "
        "save one another, or cost."
    ),
    "euler": (
        "Euler: the slope of the requirement along the position, of which it is the sum; of a scan alone the "
        "position's loss in the worst scenario."
    ),
}


def attribution(book: Book) -> Markup:
    """What each position makes of the chosen requirement."""
    if book.chosen is None or book.focus is None:
        return absent("No rulebook gives a number.")
    if not book.account.positions:
        return absent("The account holds no positions.")
    unit = book.prepared(book.focus).currency
    kept = [own for own in book.attributions if isinstance(own, Attribution)]
    notes = [absent(str(own)) for own in book.attributions if isinstance(own, MarginError)]
    if not kept:
        return joined(notes)
    rows: list[list[Child]] = [
        [c.contract.id, f"{c.long - c.short:+,.10g}", *(amount(own.contributions[i].amount) for own in kept)]
        for i, c in enumerate(kept[0].contributions)
    ]
    rows.append(["residual", "", *(amount(residual_shown(own)) for own in kept)])
    total: list[Child] = ["total", "", *(amount(own.total) for own in kept)]
    columns = ("position", "quantity", *(f"{own.kind}, {unit}" for own in kept))
    said = table(
        f"{book.chosen.label}: what each position makes of the initial requirement",
        columns, rows, numbers=range(1, 2 + len(kept)), totals=[total],
    )  # fmt: skip
    note = " ".join(_KINDS[own.kind] for own in kept)
    own = kept[-1]
    title = f"{book.chosen.label}: {own.kind} part of each position"
    svg = drawn(
        "parts", "A bar for each position, the residual and the total; the table has the numbers.",
        lambda ax: plot.attribution(own, currency=unit, ax=ax), height(len(own.contributions) + 2),
    )  # fmt: skip
    return joined([said, tag("p", note, class_="note"), figures([figure("parts", title, svg)]), notes])
