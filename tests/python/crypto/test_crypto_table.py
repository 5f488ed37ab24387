"""The table of often-quoted examples against the numbers that were published of them."""

from __future__ import annotations

import dataclasses
import itertools
import statistics

import pytest

from margincore.crypto import table


class Table:
    """The table's rows by book, rulebook and treatment of spot, at any vol."""

    def __init__(self, vol: float | None = None) -> None:
        books = [b if vol is None else dataclasses.replace(b, vol=vol) for b in table.books()]
        self.rows = {(row.book, row.rulebook, row.spot): row for row in table.rows(books)}
        self.names = [b.name for b in books]

    def __call__(self, book: str, rulebook: str = "Deribit portfolio 2024", spot: str = "") -> table.Row:
        (name,) = [name for name in self.names if name.startswith(book)]
        return self.rows[name, rulebook, spot]


def printed(value: float | None, digits: float) -> None:
    """A published number to its printed digits."""
    assert value == pytest.approx(digits, abs=0.51)


def venue(row: table.Row) -> float:
    """The figure on a venue's own page: no option value counts as equity there."""
    return row.equity_required - row.net_option_value


def test_the_published_spreads() -> None:
    """Put spread and condors at vols of 55 to 65 %: scan, requirement, width, and the saving by basis."""
    low, high = Table(0.55), Table(0.65)
    spread = "put spread"
    printed(low(spread).scan, 416)
    printed(high(spread).scan, 375)
    printed(low(spread).equity_required, 441)
    printed(high(spread).equity_required, 397)
    # Width, and width less the credit.
    printed(venue(low(spread, "Derive standard")), 1000)
    printed(low(spread, "Derive standard").equity_required, 487)
    printed(high(spread, "Derive standard").equity_required, 478)
    own, rules = low(spread), low(spread, "Derive standard")
    savings = (
        1.0 - own.equity_required / venue(rules),  # mixed: the advertised one
        1.0 - own.equity_required / rules.equity_required,
        1.0 - venue(own) / venue(rules),
    )
    assert [round(100 * saving) for saving in savings] == [56, 9, 5]
    # Deribit's standard margin knows no spreads.
    low_rules, high_rules = low(spread, "Deribit standard"), high(spread, "Deribit standard")
    assert 14_850 < venue(low_rules) < venue(high_rules) < 15_750
    for days, ends in ((7, (359, 302)), (30, (102, 75))):
        name = f"iron condor 72/73, 68/67k, {days} d"
        printed(low(name).scan, ends[0])
        printed(high(name).scan, ends[1])


def test_the_published_rows() -> None:
    row = Table()
    calendar = row("calendar")
    printed(calendar.scan, 1157)
    printed(calendar.equity_required, 2001)
    printed(calendar.net_option_value, 1816)
    # A hedge that pays no roll charge gives the quoted 7,685 and 17,757; a future of the same expiry nets its roll.
    hedged = row("short straddle, delta hedged with spot", spot="in_matrix")
    assert hedged.equity_required == pytest.approx(7685, abs=2)
    assert row("short straddle, one spot", spot="in_matrix").equity_required == pytest.approx(17757, abs=1)
    assert row("short straddle, delta hedged with futures").equity_required == pytest.approx(7638, abs=1)
    standard = row("short straddle, delta hedged with futures", "Deribit standard")
    assert venue(standard) == pytest.approx(30691, abs=2)
    assert round(100 * (1.0 - hedged.equity_required / venue(standard))) == 75
    assert round(100 * (1.0 - venue(hedged) / venue(standard))) == 44
    # Spot inside the matrix: portfolio margin asks for more than the rules.
    covered, rules = row("covered call", spot="in_matrix"), row("covered call", "Deribit standard")
    printed(covered.equity_required, 10201)
    printed(venue(rules), 9484)
    # The quoted 4,325 charges the roll of the call alone; with a future of its expiry the two roll deltas net.
    bought, ruled = row("long 70k call"), row("long 70k call", "Deribit standard")
    assert bought.equity_required == pytest.approx(4281, abs=1)
    printed(venue(ruled), 1403.5)
    printed(ruled.equity_required, 1403.5 + 4399)
    book = {spot: row("BTC and ETH", spot=spot) for spot in ("in_matrix", "upside_offset", "collateral_only")}
    expected = {"in_matrix": (10270, 10540), "upside_offset": (2211, 2482), "collateral_only": (8581, 8851)}
    for spot, (scan, need) in expected.items():
        printed(book[spot].scan, scan)
        printed(book[spot].equity_required, need)
    printed(venue(row("BTC and ETH", "Deribit standard")), 10387)


def test_a_hedged_straddle_saves_at_most_76_percent() -> None:
    """Short 70k straddles hedged to no delta, 7 to 60 days, vols of 40 to 80 %, on the advertised mixed basis."""
    best = 0.0
    for days, vol in itertools.product((7, 15, 30, 45, 60), (0.4, 0.5, 0.6, 0.7, 0.8)):
        d1 = 0.5 * vol * (days / 365.0) ** 0.5
        hedge = round(2.0 * statistics.NormalDist().cdf(d1) - 1.0, 4)
        legs = [("call", "BTC", 7e4, days, -1.0), ("put", "BTC", 7e4, days, -1.0), ("spot", "BTC", 0.0, 0, hedge)]
        found = {(row.rulebook, row.spot): row for row in table.rows([table.Book("hedged", tuple(legs), vol)])}
        own = found["Deribit portfolio 2024", "in_matrix"].equity_required
        best = max(best, 1.0 - own / venue(found["Deribit standard", ""]))
    assert round(100 * best) == 76
