"""The page: numbers are the engine's, nothing comes from outside, text stays text, what is missing is named."""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_books import BOOKS, coin, condor, covered_call, futures, several, stocks

import margincore as mc
from helpers import SMALL_SPN
from margincore import _core
from margincore._core import amount_text

VOID = {"meta", "br", "col"}
SECTIONS = [
    "requirement", "positions", "equity", "profit", "heatmaps", "scenarios", "lines", "attribution", "assumptions",
    "parameters",
]  # fmt: skip


class Page(HTMLParser):
    """A page taken apart: text by section, rows of tables, attributes; unbalanced tags fail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.section = ""
        self.text: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.section = dict(attrs)["id"] or ""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text[self.section] = self.text.get(self.section, "") + data
        if self.open and self.open[-1] in ("td", "th") and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def row(self, *start: str) -> list[str]:
        """The first row that starts with these cells."""
        return next(row for row in self.rows if row[: len(start)] == list(start))


@cache
def made(name: str) -> tuple[mc.Report, Page, Any]:
    account, market, rulebooks = BOOKS[name]()
    report = mc.report(account, market, rulebooks, title=f"A page of {name}", resolution=(5, 3))
    return report, Page(report.html), mc.compare(account, market, rulebooks)


@pytest.mark.parametrize("name", BOOKS)
def test_every_requirement_on_the_page_is_the_engines(name: str) -> None:
    _, page, comparison = made(name)
    for outcome in comparison.outcomes:
        if outcome.report is None:
            assert page.row(outcome.label)[1] in ("not applicable", "no number")
            assert f"{outcome.label}: {outcome.reason}" in page.text["requirement"]
            continue
        report = outcome.report
        row = page.row(outcome.label, amount_text(report.equity_required))
        assert row[3] in (amount_text(report.cash_balance_required), "–")
        assert row[5] == amount_text(report.maintenance)
        assert row[6] == report.currency
        for line in report.lines:
            scope = [line.component, line.scope, amount_text(line.initial), amount_text(line.maintenance)]
            assert page.row(*scope)[4] == line.currency
        totals = [row for row in page.rows if row[:2] == ["total", ""] and len(row) == 6]
        assert [
            "total",
            "",
            amount_text(report.initial),
            amount_text(report.maintenance),
            report.currency,
            "",
        ] in totals
        assert report.parameters["digest"] in page.text["parameters"]


@pytest.mark.parametrize("name", BOOKS)
def test_the_page_needs_nothing_from_outside(name: str) -> None:
    report, page, _ = made(name)
    assert "://" not in report.html
    assert "@import" not in report.html
    assert "url(#" in report.html
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "form"}
    linked = [value for _, attrs in page.tags for key, value in attrs.items() if key in ("href", "src")]
    assert linked
    assert all(value and value.startswith("#") for value in linked)
    assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on")]
    assert len(report.html) < 700_000


@pytest.mark.parametrize("name", BOOKS)
def test_the_page_can_be_read_aloud(name: str) -> None:
    """Figures have titles and descriptions, header cells a scope, scrolling tables a name; names are unique."""
    _, page, _ = made(name)
    names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(names) == len(set(names))
    figures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(figures) >= 5
    for attrs in figures:
        assert attrs["role"] == "img"
        assert all(one in names for one in (attrs["aria-labelledby"] or "").split())
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")
    assert all(attrs.get("aria-label") for tag, attrs in page.tags if attrs.get("role") == "region")
    assert [attrs["id"] for tag, attrs in page.tags if tag == "section"] == SECTIONS


@pytest.mark.parametrize("name", BOOKS)
def test_colours_are_the_pages(name: str) -> None:
    """No colour of a figure is fixed: stand-ins are all replaced, and every property has a value, light and dark."""
    report, _, _ = made(name)
    style, body = report.html.split("</style>", 1)
    assert not re.findall(r"(?:fill|stroke): ?#", body)
    assert "#fe" not in body
    used = set(re.findall(r"var\(--(\w+)\)", body))
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for part in (light, dark.split("* { box-sizing")[0], style.split("@media print")[1]):
        assert used <= set(re.findall(r"--(\w+):", part))


def test_text_stays_text() -> None:
    stock = mc.Stock("XYZ", currency="USD", id='<img src=x onerror="alert(1)">')
    account = mc.Account([mc.Position(stock, 100)], kind=None, cash={"USD": 1.0})
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    hostile = "</title><script>alert('$x$')</script>_$"
    made = mc.report(account, market, [mc.methods.Tims()], title=hostile, labels=[f"_{hostile}"])
    page = Page(made.html)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "img" not in {tag for tag, _ in page.tags}
    assert hostile in page.text[""]
    assert stock.id in page.text["positions"]
    assert page.row(f"_{hostile}")[1] == "750.00"
    assert "<script" not in made._repr_html_()
    assert made._repr_html_().startswith("<iframe")


def test_positions_have_the_engines_values_and_sensitivities() -> None:
    account, market, rulebooks = condor()
    page = made("condor")[1]
    prepared = mc.Engine(rulebooks[1]).prepare([p.contract for p in account.positions], market)
    for position in account.positions:
        alone = prepared.margin([position])
        [greeks] = alone.greeks
        row = page.row(position.contract.id)
        assert row[1] == f"{position.quantity:+g}"
        assert row[3] == amount_text(prepared.open([position]).equity)
        said = [float(cell.replace(",", "")) for cell in row[4:]]
        exact = [greeks.delta, greeks.gamma, greeks.vega / 100, greeks.theta / 365, greeks.rho / 100]
        assert said == pytest.approx(exact, rel=1e-5)
    statement = mc.statement(account, market, rulebooks[0])
    assert page.row("liquidating equity")[1] == amount_text(statement.equity.total if statement.equity else None)


def test_positions_make_what_the_engine_attributes() -> None:
    account, market, rulebooks = several()
    page = made("several")[1]
    prepared = mc.Engine(rulebooks[0]).prepare([p.contract for p in account.positions], market)
    own = mc.attribution.attribute(prepared, account)
    for part in own.contributions:
        assert amount_text(part.amount) in next(r for r in page.rows if r[0] == part.contract.id and len(r) == 4)[2:]
    assert amount_text(own.residual) in page.row("residual")


def test_what_is_not_there_is_named() -> None:
    text = made("stocks")[1].text
    assert "neither cash nor collateral" in text["equity"]
    assert "no option is held" in text["heatmaps"]
    assert "not applicable" in made("coin")[1].text["requirement"]
    assert "Deribit standard margin has no scenarios" in made("coin")[1].text["scenarios"]


def test_a_rulebook_with_an_exchanges_arrays_needs_no_market() -> None:
    file = _core.SpanFile.parse(SMALL_SPN, "x.spn")
    contracts = file.contracts()
    account = mc.Account([mc.Position(contracts[0], 2), mc.Position(contracts[1], -1)])
    page = Page(mc.report(account, None, mc.methods.Span(file)).html)
    assert "no market is given" in page.text["profit"]
    assert "no market is given" in page.text["heatmaps"]
    report = mc.margin(account, None, mc.methods.Span(file))
    assert page.row("SPAN")[1] == amount_text(report.equity_required)
    assert "price +1, vol +1 ranges" in page.text["scenarios"]


def test_coins_are_drawn_in_coin_and_in_dollars() -> None:
    text = made("coin")[1].text["profit"]
    assert "BTC: profit and loss, USD" in text
    assert "BTC: profit and loss, BTC" in text
    assert "All prices together" in made("several")[1].text["profit"]


def test_a_page_of_no_positions_and_one_of_no_number() -> None:
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    empty = Page(mc.report(mc.Account([], cash={"USD": 5.0}), market, [mc.methods.Tims()]).html)
    assert "holds no positions" in empty.text["profit"]
    assert empty.row("OCC TIMS")[1] == "0.00"
    account, coins, _ = coin()
    none = Page(mc.report(account, coins, [mc.methods.Tims()]).html)
    assert "No rulebook gives a number" in none.text["lines"]
    assert "total" not in [row[0] for row in none.rows if row]


def test_a_book_in_two_currencies_is_drawn_in_the_reports() -> None:
    perpetual = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    held = [mc.Position(mc.Stock("AAA", currency="USD"), 10), mc.Position(perpetual, 1)]
    terms: dict[str, Any] = {"spot": {"AAA": 50.0, "BTC": 9e4}, "price": {perpetual.id: 9e4}}
    both = mc.methods.Combined(
        [(lambda c: c.underlying == "AAA", mc.methods.Tims()), (lambda c: c.underlying == "BTC", mc.methods.Deribit())]
    )
    valuation = "2026-11-20T16:00:00-05:00"
    page = Page(mc.report(held, mc.Market(valuation, **terms, fx={"USDC/USD": 0.5}), both, resolution=(3, 3)).html)
    assert "All prices together: profit and loss, USD" in page.text["profit"]
    # 15 % of 50 times 10, and of 90,000 at half a dollar.
    assert "from -6,825.00 to 6,825.00 USD" in page.text["profit"]


def test_arguments_are_refused_by_name() -> None:
    account, market, rulebooks = covered_call()
    for arguments, what in (
        ({"resolution": (10, 5)}, "resolution"),
        ({"resolution": 9}, "resolution"),
        ({"focus": "Tims"}, "focus"),
        ({"title": 3}, "title"),
        ({"title": "half a \ud800"}, r"title is .*without the character U\+D800"),
        ({"title": "a\0b"}, r"title is .*without the character U\+0000"),
        ({"labels": ["a", "b\x1b[31m"]}, r"labels\[1\] is .*without the character U\+001B"),
        ({"labels": ["a", "a"]}, r"labels\[1\] is 'a': a label that no other rulebook has"),
        ({"statement": 3}, "statement"),
        ({"labels": ["one"]}, "labels"),
    ):
        with pytest.raises(mc.InvalidInput, match=what):
            mc.report(account, market, rulebooks, **arguments)
    title = "é – 報告 🙂"
    assert title in Page(mc.report(account, market, rulebooks, title=title, resolution=(3, 3)).html).text[""]
    account, market, rulebooks = futures()
    with pytest.raises(mc.InvalidInput, match="focus"):
        mc.report(account, market, rulebooks, focus="Reg T")
    with pytest.raises(mc.InvalidInput, match="order is account, market"):
        mc.report(account, rulebooks, market)


def test_focus_and_statement_choose_what_is_taken_apart() -> None:
    account, market, rulebooks = covered_call()
    page = Page(mc.report(account, market, rulebooks, focus="OCC TIMS", resolution=(5, 3)).html)
    assert "OCC TIMS: what each position makes" in page.text["attribution"]
    given = mc.statement(account, market, rulebooks[0], house_minimum=12_345.0)
    for statement in (given, {"house_minimum": 12_345.0}):
        page = Page(mc.report(account, market, rulebooks, statement=statement, resolution=(5, 3)).html)
        assert page.row("minimum equity")[1] == "12,345.00"


def test_the_same_arguments_make_the_same_page(tmp_path: Path) -> None:
    import matplotlib as mpl

    account, market, rulebooks = stocks()
    first = mc.report(account, market, rulebooks, path=tmp_path / "a.html")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "text.color": "red", "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        second = mc.report(account, market, rulebooks)
        assert dict(mpl.rcParams) == before
    assert first.html == second.html == (tmp_path / "a.html").read_text(encoding="utf-8")
    assert repr(first).startswith("Report('Margin report, 2026")


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    account, market, rulebooks = stocks()
    with pytest.raises(mc.Unsupported, match=r'pip install "margincore\[report\]"'):
        mc.report(account, market, rulebooks)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_and_lines_stand_out_from_the_paper() -> None:
    """WCAG 2.1: 4.5 to 1 for text, 3 to 1 for lines of a figure; light, dark and in print."""
    style = made("stocks")[0].html.split("</style>")[0]
    light, rest = style.split("@media (prefers-color-scheme: dark)")
    for part in (light, rest.split("* { box-sizing")[0], rest.split("@media print")[1]):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", part))
        for name, colour in colours.items():
            least = (
                4.5 if name in ("ink", "soft", "accent", "bad", "good") else 3.0 if re.fullmatch(r"s\d", name) else 0
            )
            for paper in ("paper", "panel"):
                pair = sorted((_luminance(colour), _luminance(colours[paper])))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= least, (name, paper)


def test_the_report_saves_utf_8(tmp_path: Path) -> None:
    report = made("stocks")[0]
    report.save(str(tmp_path / "b.html"))
    assert (tmp_path / "b.html").read_text(encoding="utf-8") == report.html
