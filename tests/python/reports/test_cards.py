"""Cards of notebooks: one style for all, everything escaped, totals the engine's."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from report_books import condor

import margincore as mc
from margincore._core import amount_text
from margincore._markup import joined, tag

HOSTILE = "<script>alert('x')</script>&\"'"


class Card(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        if tag in ("td", "th", "caption", "p"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.cells[-1] += data


def results() -> dict[str, Any]:
    stock = mc.Stock("XYZ", currency="USD", id=HOSTILE)
    account = mc.Account([mc.Position(stock, 100)], cash={"USD": 5.0}, collateral={"BTC": 0.5})
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    rulebook = mc.methods.Tims()
    prepared = mc.Engine(rulebook).prepare([stock], market)
    plain = mc.Account(account.positions, cash=account.cash)
    return {
        "Account": account,
        "MarginReport": prepared.margin(plain),
        "Comparison": mc.compare(plain, market, [rulebook, mc.methods.Deribit()], labels=[HOSTILE, "b"]),
        "Statement": mc.statement(plain, market, rulebook),
        "Attribution": mc.attribution.attribute(prepared, plain),
        "MarginBatch": prepared.margin_many([plain] * 3),
    }


@pytest.mark.parametrize("name", results())
def test_a_card_is_one_table_in_the_one_style(name: str) -> None:
    html = results()[name]._repr_html_()
    assert html.startswith('<div class="mc-card"><style>.mc-card{')
    assert html.count("<table>") == 1
    card = Card(html)
    assert card.tags <= {"div", "style", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    if name in ("Account", "Comparison", "Attribution"):
        assert any(HOSTILE in cell for cell in card.cells)


def test_totals_of_cards_are_the_engines() -> None:
    account, market, rulebooks = condor()
    report = mc.margin(account, market, rulebooks[1])
    cells = Card(report._repr_html_()).cells
    at = cells.index("total")
    assert cells[at + 2 : at + 4] == [amount_text(report.initial), amount_text(report.maintenance)]
    assert cells[cells.index("cash balance after settlement") + 2] == amount_text(report.cash_balance_required)
    comparison = mc.compare(account, market, rulebooks)
    cells = Card(comparison._repr_html_()).cells
    assert cells[cells.index("OCC TIMS") + 1] == amount_text(report.equity_required)
    assert f"Deribit portfolio margin: {comparison.outcomes[2].reason}" in cells


def test_a_long_batch_shows_its_ends() -> None:
    ones = np.arange(1_000_000, dtype=np.float64)
    batch = mc.MarginBatch.from_columns(ones, ones, ones, [0] * len(ones))
    cells = Card(batch._repr_html_()).cells
    assert cells[0] == "MarginBatch of 1,000,000 accounts"
    assert len(cells) < 300
    assert {"0", "29", "999,970", "999,999"} <= set(cells)
    assert "30" not in cells
    assert cells[-1] == "1,000,000 accounts, the first and the last 30 of them shown"


def test_accounts_that_keep_sides_apart_show_both() -> None:
    stock = mc.Stock("XYZ", currency="USD")
    account = mc.Account([mc.Position(stock, long=5, short=3)], gross=True, kind="omnibus")
    cells = Card(account._repr_html_()).cells
    assert "5 long, 3 short" in cells
    assert cells[0] == "Account of 1 positions, omnibus, long and short apart"


def test_markup_escapes_what_is_no_markup() -> None:
    assert tag("p", "<b>", tag("b", "&"), [["a"], None]) == "<p>&lt;b&gt;<b>&amp;</b>a</p>"
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert joined(["<", tag("i", ">")]) == "&lt;<i>&gt;</i>"
    assert tag("p", title='"<', hidden=None) == '<p title="&quot;&lt;"></p>'
