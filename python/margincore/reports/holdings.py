"""Sections about what is held and owed: positions, equity, requirements, lines, parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from margincore._core import (
    Account,
    MarginError,
    MarginReport,
    Position,
    UnderlyingGreeks,
    __version__,
    amount_text,
    build_info,
    worst_text,
)
from margincore._markup import Child, Markup, joined, tag
from margincore.analysis.compare import Outcome, percent_text, verdict
from margincore.analysis.mover import snapshot_of
from margincore.analysis.repricing import price_of
from margincore.analysis.statements.page import Line
from margincore.analysis.worth import Worth
from margincore.reports.book import Book
from margincore.reports.page import absent, amount, facts, grouped, number, table

__all__ = ["assumptions", "equity", "head", "lines", "parameters", "positions", "requirements"]


def head(book: Book) -> Markup:
    """What the page is of, and the numbers that people look for first."""
    account, market = book.account, book.market
    roots = sorted({p.contract.underlying for p in account.positions})
    held = f"{len(account.positions):,} positions" + (f" on {', '.join(roots)}" if roots else "")
    more = [account.kind] if account.kind else []
    more += ["long and short apart"] if account.gross else []
    pairs: list[tuple[str, Child]] = [("account", ", ".join([held, *more]))]
    for name, amounts in (("cash", account.cash), ("collateral", account.collateral)):
        if amounts:
            pairs.append((name, ", ".join(f"{amount_text(a)} {c}" for c, a in amounts.items())))
    pairs.append(("valuation", "no market given" if market is None else market.valuation))
    build = build_info()
    pairs.append(("build", f"margincore {__version__}, {build['profile']}, {build['simd']}"))
    if market is not None:
        pairs.append(("digest of the market", market.digest))
    if book.focus is not None:
        pairs.append(("digest of the contracts", book.prepared(book.focus).contracts.digest))
    tiles = []
    for outcome in book.comparison.outcomes:
        if outcome.report is None:
            words, note = verdict(outcome), ""
        else:
            words = f"{amount_text(outcome.report.equity_required)} {outcome.report.currency}"
            note = "equity required (initial)"
        tiles.append(tag("div", tag("span", outcome.label, class_="soft"), tag("b", words), note, class_="tile"))
    without = [absent(f"Not on this page: {words}") for words in book.missing]
    return joined([facts(pairs), tag("div", tiles, class_="tiles"), without])


# ---- positions


def _alone(
    book: Book, place: int, position: Position, notes: list[Markup]
) -> tuple[float | None, tuple[UnderlyingGreeks, ...]]:
    """What one position is worth in the report's currency, and its sensitivities; why there is none goes to `notes`."""
    account = Account([position], kind=book.account.kind, gross=book.account.gross)
    prepared = book.prepared(place)
    greeks: tuple[UnderlyingGreeks, ...] = ()
    try:
        greeks = prepared.margin(account).greeks
    except MarginError as error:  # a rulebook may not take a position apart from the others
        notes.append(book.without(f"sensitivities of {position.contract.id} alone", error))
    try:
        return prepared.open(account).equity, greeks
    except MarginError as error:
        notes.append(book.without(f"value of {position.contract.id}", error))
        return None, greeks


def _marks(book: Book, notes: list[Markup]) -> dict[str, str]:
    """The quote of each contract as text; the model's where only a volatility is given."""
    parts: dict[str, Any] = {}
    if book.market is not None:
        try:
            parts = snapshot_of(book.market)
        except MarginError as error:
            notes.append(book.without("marks", error))
    worth = book.worth
    said = {}
    for p in book.account.positions:
        contract = p.contract
        quoted = parts.get("price", {}).get(contract.id) if contract.kind == "option" else price_of(parts, contract)
        if quoted is not None:
            said[contract.id] = number(quoted)
        elif contract.kind == "option" and isinstance(worth, Worth):
            said[contract.id] = f"{number(worth.mark(contract.id))} (model)"
        else:
            said[contract.id] = "–"
    return said


def positions(book: Book) -> Markup:
    """Every position with its mark, value and sensitivities, then the sensitivities of the account."""
    if not book.account.positions:
        return absent("The account holds no positions.")
    priced = next((i for i, _, report in book.reports if report.greeks), None)
    valued = book.focus if priced is None else priced
    notes: list[Markup] = []
    marks = _marks(book, notes)
    unit = "" if valued is None else book.prepared(valued).currency
    rows: list[list[Child]] = []
    for p in book.account.positions:
        held = f"{p.long:,.10g} / {p.short:,.10g}" if book.account.gross else f"{p.quantity:+,.10g}"
        value, greeks = (None, ()) if valued is None else _alone(book, valued, p, notes)
        one = greeks[0] if len(greeks) == 1 and not greeks[0].excluded else None
        shown = "settles to its mark" if p.contract.kind in ("future", "perpetual") else amount(value)
        rows.append([p.contract.id, held, marks[p.contract.id], shown, *_greeks(one if priced is not None else None)])
    columns = ("contract", "long / short" if book.account.gross else "quantity", "mark", f"value, {unit}".rstrip(", "))
    body: list[Child] = [
        table("What is held", (*columns, *_GREEKS), rows, numbers=range(1, 9)),
    ]
    if priced is None:
        body.append(absent("No sensitivities: no rulebook on this page prices options."))
    else:
        outcome = book.comparison.outcomes[priced]
        greeks = () if outcome.report is None else outcome.report.greeks
        sums: list[list[Child]] = [[g.underlying, g.currency, *_greeks(g)] for g in greeks]
        body.append(
            table("Sensitivities by underlying", ("underlying", "currency", *_GREEKS), sums, numbers=range(2, 7))
        )
        note = (
            f"Values and sensitivities as {outcome.label} prices: delta in units of the underlying, gamma its change "
            "for 1.00 of the price, vega for a point of volatility, theta for a day, rho for a point of the rate."
        )
        body.append(tag("p", note, class_="note"))
        if excluded := [name for g in greeks for name in g.excluded]:
            why = f"{outcome.label} has an exchange's own values for them and does not price them"
            body.append(book.without(f"sensitivities, also in the sums, of {', '.join(excluded)}", why))
    return joined([*body, notes])


_GREEKS = ("delta", "gamma", "vega", "theta", "rho")


def _greeks(own: UnderlyingGreeks | None) -> list[Child]:
    if own is None:
        return ["–"] * len(_GREEKS)
    each = (own.delta, own.gamma, own.vega / 100.0, own.theta / 365.0, own.rho / 100.0)
    return [number(value) for value in each]


# ---- money


def equity(book: Book) -> Markup:
    """The account's statement under the chosen rulebook, line by line."""
    found = book.statement
    if found is None:
        if book.focus is None:
            return absent("No rulebook gives a number.")
        why = "the account gives neither cash nor collateral: give its cash, 0 where it has none"
        return book.without("equity and excess", why)
    if isinstance(found, MarginError):
        return book.without("statement", found)
    left_out = ("warnings", "groups")
    rows: list[tuple[str, list[Child]]] = [
        (row["section"], [row["item"].strip(), Line(**row).shown, row["unit"], row["note"]])
        for row in found.rows()
        if not row["section"].startswith(left_out)
    ]
    return grouped(found.title, ("item", "amount", "unit", "note"), rows)


# ---- requirements


def _rows(book: Book) -> Iterator[list[Child]]:
    compared = book.comparison
    for outcome in compared.outcomes:
        report = outcome.report
        if report is None:
            yield [outcome.label, verdict(outcome), *[""] * 6]
            continue
        worst = worst_text(report.worst_scenario, (line.scenario for line in report.lines))
        yield [
            outcome.label,
            amount(report.equity_required),
            percent_text(compared.saving(outcome, "equity_required")),
            amount(report.cash_balance_required),
            percent_text(compared.saving(outcome, "cash_balance_required")),
            amount(report.maintenance),
            report.currency,
            worst,
        ]


def requirements(book: Book) -> Markup:
    """Rulebooks side by side on the two bases, and by name those that do not cover the account."""
    note = (
        "Equity required is what the account's liquidating equity (cash, positions at their marks, collateral) must "
        "reach, and no deposit where that is there already: see Equity and excess. The cash balance is what must stand "
        "in the account once the trades have settled. The two are never compared with each other; savings are of "
        "initial requirements, within one basis, against the first rulebook with a number, and none is stated of or "
        "against an amount below zero."
    )
    body: list[Child] = [
        table(
            "Initial requirement on each of two bases, and maintenance",
            book.comparison.rows()[0],
            _rows(book),
            numbers=range(1, 6),
            wide=(7,),
        ),
        tag("p", note, class_="note"),
    ]
    return joined([*body, (absent(words) for words in book.comparison.notes)])


def lines(book: Book) -> Markup:
    """The terms of each requirement, which add up to it."""
    if not book.reports:
        return absent("No rulebook gives a number.")
    return joined(_lines(outcome, report) for _, outcome, report in book.reports)


def _lines(outcome: Outcome, report: MarginReport) -> Markup:
    rows: list[list[Child]] = [
        [x.component, x.scope, amount(x.initial), amount(x.maintenance), x.currency, x.scenario or ""]
        for x in report.lines
    ]
    several = {x.currency for x in report.lines} != {report.currency}
    of_currency: list[list[Child]] = [
        [
            f"in {x.currency}",
            f"at {number(x.fx)} {report.currency}",
            amount(x.initial),
            amount(x.maintenance),
            x.currency,
            "",
        ]
        for x in (report.totals if several else ())
    ]
    total: list[Child] = ["total", "", amount(report.initial), amount(report.maintenance), report.currency, ""]
    columns = ("component", "scope", "initial", "maintenance", "currency", "scenario")
    totals = [*of_currency, total]
    return table(f"{outcome.label}: lines", columns, rows, numbers=(2, 3), wide=(5,), totals=totals)


# ---- small print


def assumptions(book: Book) -> Markup:
    """What the numbers stand on, then what looks wrong in the input."""
    pairs: list[tuple[str, Child]] = [
        (key.replace("_", " "), _assumption(value)) for key, value in book.comparison.assumptions.items()
    ]
    warned = [
        tag("p", f"{outcome.label}: {warning['message']}", class_="warning")
        for _, outcome, report in book.reports
        for warning in report.warnings
    ]
    nothing = tag("p", "No warnings.", class_="note")
    return joined([facts(pairs), tag("h3", "Warnings"), warned or nothing])


def _assumption(value: Any) -> str:
    """An assumption in words, numbers with eight significant digits."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_assumption(item)}" for key, item in value.items())
    return f"{value:,.8g}" if isinstance(value, float) else str(value)


def parameters(book: Book) -> Markup:
    """Each rulebook's parameters, by name, version, date, source and digest."""
    rows: list[list[Child]] = []
    for outcome, methodology in zip(book.comparison.outcomes, book.methodologies, strict=True):
        own = (outcome.report or methodology).parameters
        named = f"{own['name']} {own['version']}" + (
            f", superseded by {own['superseded_by']}" if own.get("superseded_by") else ""
        )
        rows.append([outcome.label, methodology.name, named, own.get("effective", ""), own["source"], own["digest"]])
    columns = ("label", "rulebook", "parameters", "effective", "source", "digest (SHA-256)")
    return table("Parameter sets in use", columns, rows, wide=(2, 4), code=(5,))
