"""Often-quoted crypto examples under rules-based and portfolio margin, every treatment of spot side by side.

Linear dollar contracts, forward = spot, no rate, one volatility: every assumption is printed. Savings are stated within
one basis only; rows where portfolio margin asks for more than the rules stay in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from margincore import _core
from margincore._core import amount_text
from margincore._deprecation import warn_cash_required
from margincore._pickles import Record
from margincore.analysis.compare import compare
from margincore.methods import Deribit, Derive, Okx, Paradex, Span16
from margincore.methods.venues.base import SpotTreatment
from margincore.portfolio import Future, Option, Spot

__all__ = ["Book", "Row", "books", "markdown", "rows"]

VALUATION = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PRICES = {"BTC": 70_000.0, "ETH": 3_500.0}


@dataclass(frozen=True)
class Book(Record):
    """An example: its legs as (kind, symbol, strike, days, quantity) and the vol it is shown at."""

    name: str
    legs: tuple[tuple[str, str, float, int, float], ...]
    vol: float


@dataclass(frozen=True)
class Row(Record):
    """One example under one rulebook. All in dollars; `scan` only where the rulebook scans."""

    book: str
    rulebook: str
    spot: str
    scan: float | None
    equity_required: float
    net_option_value: float
    cash_balance_required: float | None = None

    @property
    def cash_required(self) -> float:
        """Deprecated, version 0.2 removes it: `equity_required` less `net_option_value`, a venue's own figure."""
        warn_cash_required()
        return self.equity_required - self.net_option_value


def books() -> tuple[Book, ...]:
    """The examples, in the order of the table.

    >>> len(books())
    12
    """
    call, put, spot, future = "call", "put", "spot", "future"
    condor = ((call, 72_000, -1), (call, 73_000, 1), (put, 68_000, -1), (put, 67_000, 1))

    def legs(days: int, *given: tuple[str, float, float]) -> tuple[tuple[str, str, float, int, float], ...]:
        return tuple((kind, "BTC", float(strike), days, float(q)) for kind, strike, q in given)

    straddle = legs(30, (call, 70_000, -1), (put, 70_000, -1))
    return (
        Book("put spread 70/69k, 30 d", legs(30, (put, 70_000, -1), (put, 69_000, 1)), 0.55),
        Book("iron condor 72/73, 68/67k, 7 d", legs(7, *condor), 0.55),
        Book("iron condor 72/73, 68/67k, 30 d", legs(30, *condor), 0.55),
        Book(
            "calendar, short 30 d 70k call, long 60 d",
            (*legs(30, (call, 70_000, -1)), *legs(60, (call, 70_000, 1))),
            0.55,
        ),
        Book("short 70k straddle, 30 d", straddle, 0.60),
        Book("short straddle, delta hedged with futures", (*straddle, *legs(30, (future, 0, 0.0685))), 0.60),
        Book("short straddle, one long future", (*straddle, *legs(30, (future, 0, 1))), 0.60),
        Book("short straddle, delta hedged with spot", (*straddle, (spot, "BTC", 0.0, 0, 0.0685)), 0.60),
        Book("short straddle, one spot", (*straddle, (spot, "BTC", 0.0, 0, 1.0)), 0.60),
        Book(
            "covered call, 1 BTC, short 75k call, 30 d",
            (("spot", "BTC", 0.0, 0, 1.0), *legs(30, (call, 75_000, -1))),
            0.55,
        ),
        Book("long 70k call, short future, 30 d", legs(30, (call, 70_000, 1), (future, 0, -1)), 0.55),
        Book(
            "BTC and ETH, eight legs",
            (
                (spot, "BTC", 0.0, 0, 1.0),
                (call, "BTC", 75_000.0, 30, -1.0),
                (spot, "ETH", 0.0, 0, 1.0),
                (put, "ETH", 3_000.0, 60, 2.0),
                (call, "ETH", 3_800.0, 30, -1.0),
                (call, "ETH", 3_900.0, 30, 1.0),
                (put, "ETH", 3_200.0, 30, -1.0),
                (put, "ETH", 3_100.0, 30, 1.0),
            ),
            0.55,
        ),
    )


def _expiry(days: int) -> str:
    return (VALUATION + dt.timedelta(days=days)).isoformat()


def account_and_market(book: Book) -> tuple[list[_core.Position], _core.Market]:
    """The book's positions, and the market its assumptions make.

    >>> len(account_and_market(books()[0])[0])
    2
    """
    positions, vol, price = [], {}, {}
    forward = {}
    for kind, symbol, strike, days, quantity in book.legs:
        if kind == "spot":
            contract = Spot(symbol, currency="USD", lot=1e-8)
        elif kind == "future":
            contract = Future(symbol, expiry=_expiry(days), multiplier=1, currency="USD", lot=0.0001)
            price[contract.id] = PRICES[symbol]
        else:
            contract = Option(
                symbol,
                "call" if kind == "call" else "put",
                strike,
                expiry=_expiry(days),
                exercise="european",
                multiplier=1,
                currency="USD",
            )
            vol[contract.id] = book.vol
            forward[symbol, _expiry(days)] = PRICES[symbol]
        positions.append(_core.Position(contract, quantity))
    return positions, _core.Market(VALUATION, spot=PRICES, vol=vol, price=price, forward=forward)


def rows(examples: Iterable[Book] | None = None) -> Iterator[Row]:
    """Every example under every rulebook; spot treatments only where the example holds spot.

    Two rulebooks know no scenarios: Deribit's standard margin, where nothing offsets, and Derive's, which knows the
    width of a spread (and no dated futures). OKX's unpublished MR3, MR5 and MR7 of options are stated as zero: its row
    is a lower bound.

    >>> found = {row.rulebook: row for row in rows(books()[:1])}
    >>> round(found["Derive standard"].cash_balance_required), round(found["Deribit portfolio 2024"].equity_required)
    (1000, 441)
    """
    for book in books() if examples is None else examples:
        positions, market = account_and_market(book)
        treatments: tuple[SpotTreatment, ...] = ("in_matrix", "upside_offset", "collateral_only")
        spots = treatments if any(leg[0] == "spot" for leg in book.legs) else treatments[:1]
        unpublished = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
        rulebooks: list[tuple[str, str, _core.Methodology]] = [
            ("Deribit standard", "", Deribit("standard")),
            ("Derive standard", "", Derive("srm")),
        ]
        for spot in spots:
            rulebooks += [
                ("Deribit portfolio 2024", spot, Deribit(vintage="2024", spot=spot)),
                ("Deribit portfolio 2026", spot, Deribit(vintage="2026", spot=spot)),
                ("Paradex portfolio", spot, Paradex(spot=spot)),
                ("OKX portfolio, MR3/MR5/MR7 of options taken as 0", spot, Okx(spot=spot, stated=unpublished)),
                ("SPAN-like 12 %, 10 points", spot, Span16(spot=spot)),
                ("SPAN-like 30 %, 35 %", spot, Span16("30pct-35pct", spot=spot)),
            ]
        labels = [f"{name} {used}" for name, used, _ in rulebooks]
        found = compare(positions, market, [m for _, _, m in rulebooks], labels=labels, strict=True)
        for (name, treatment, _), outcome in zip(rulebooks, found.outcomes, strict=True):
            report = outcome.report
            if report is None:
                continue
            units = report.details["units"].values()
            keys = ("worst_case", "scan_risk", "mr1_mr6")
            scans = [unit[key] for unit in units for key in keys if key in unit]
            scan = sum(scans) if scans else None
            yield Row(
                book.name,
                name,
                treatment if len(spots) > 1 else "",
                scan,
                report.equity_required,
                report.net_option_value,
                report.cash_balance_required,
            )


def markdown() -> str:
    """The table in Markdown with its assumptions; savings are within one basis, negative where the rules cost less."""
    lines = [
        "| example | rulebook | spot | scan | equity required | cash balance after settlement | "
        "saving against nothing offset | saving against widths |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    rules: dict[tuple[str, str], float] = {}
    for row in rows():
        if row.scan is None:
            rules[row.book, row.rulebook] = row.equity_required
        savings = []
        for name in ("Deribit standard", "Derive standard"):
            need = rules.get((row.book, name), 0.0)
            savings.append("" if row.scan is None or need <= 0.0 else f"{1.0 - row.equity_required / need:+.0%}")
        scan = "" if row.scan is None else f"{row.scan:,.0f}"
        balance = amount_text(row.cash_balance_required)
        lines.append(
            f"| {row.book} | {row.rulebook} | {row.spot} | {scan} | {row.equity_required:,.0f} "
            f"| {balance} | {savings[0]} | {savings[1]} |"
        )
    vols = ", ".join(f"{book.name}: {book.vol:.0%}" for book in books())
    lines += ["", f"BTC 70,000, ETH 3,500; linear dollar contracts, forward = spot, no rate. Vols: {vols}."]
    lines.append(
        "Savings are on the basis of liquidating equity, against Deribit's standard margin (nothing offsets) and "
        "against Derive's (the worst payoff of an expiry)."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
