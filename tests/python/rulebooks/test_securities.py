"""One table of securities under every rulebook: funds, leveraged and inverse ones, notes, and what nobody knows."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore.reference import reg_t, securities

DATE = "2026-11-20"
VALUATION = f"{DATE}T16:00:00-05:00"
ROWS = mc.Securities().rows()
TODAY = [row for row in ROWS if (row["from"] or "") <= DATE <= (row["to"] or "9999") and row["kind"] in ("etf", "etn")]
NOTES = [row["symbol"] for row in TODAY if row["kind"] == "etn"]
FUNDS = [row for row in TODAY if row["kind"] == "etf"]
MARGINED = [row for row in FUNDS if securities.tims_range(row) is not None]


def fund(symbol: str) -> mc.Contract:
    return mc.Etf(symbol, currency="USD")


def margin(rulebook: mc.Methodology, *legs: tuple[mc.Contract, int], **quotes: Any) -> float:
    spot = {c.underlying: 100.0 for c, _ in legs}
    market = mc.Market(VALUATION, spot=spot, **quotes)
    return mc.margin([mc.Position(c, n) for c, n in legs], market, rulebook).requirement.initial


def option(symbol: str, right: str = "call", strike: float = 100.0, **terms: Any) -> mc.Contract:
    terms = {"exercise": "american", "settles": "pm", "multiplier": 100, "currency": "USD", **terms}
    return mc.Option(symbol, right, strike, expiry="2027-01-15", **terms)


def test_every_row_has_a_source_and_rows_of_a_symbol_never_overlap() -> None:
    assert all(row["source"].strip() and row["grade"].strip() for row in ROWS)
    by_symbol: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for row in ROWS:
        by_symbol.setdefault((row["symbol"], row["kind"] == "future"), []).append(row)
    for rows in by_symbol.values():
        for a, b in itertools.combinations(rows, 2):
            first, second = sorted((a, b), key=lambda r: r["from"] or "")
            assert (first["to"] or "9999") < (second["from"] or "")


def test_what_is_tracked_together_is_of_one_class() -> None:
    classes: dict[str, set[Any]] = {}
    for row in ROWS:
        classes.setdefault(securities.tims_terms(row)[0], set()).add(row["class"])
    assert {group: found for group, found in classes.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("symbol", "part"),
    [("SPXL", 0.24), ("SPXS", 0.18), ("TNA", 0.30), ("TZA", 0.30), ("QLD", 0.20), ("QID", 0.20), ("SOXL", 0.45),
     ("TSLL", 0.30), ("NVDL", 0.30), ("UPRO", 0.24), ("IVV", 0.08), ("VOO", 0.08), ("MVV", 0.20), ("SH", 0.06)],
)  # fmt: skip
def test_tims_scales_the_range_of_what_is_tracked(symbol: str, part: float) -> None:
    assert margin(mc.methods.Tims(), (fund(symbol), 100)) == pytest.approx(10_000 * part)


@settings(max_examples=60)
@given(st.sampled_from(MARGINED), st.sampled_from([1, -1]))
def test_a_fund_alone_loses_its_leverage_times_the_move(row: dict[str, Any], side: int) -> None:
    part = securities.tims_loss(row, long=side > 0)
    assert margin(mc.methods.Tims(), (fund(row["symbol"]), 100 * side)) == pytest.approx(10_000 * part)


@settings(max_examples=60)
@given(st.sampled_from(TODAY), st.sampled_from([1, -1]))
def test_reg_t_takes_the_size_of_the_leverage(row: dict[str, Any], side: int) -> None:
    rulebook = mc.methods.RegT(initial_at_least_maintenance=False)
    market = mc.Market(VALUATION, spot={row["symbol"]: 100.0})
    report = mc.margin([mc.Position(fund(row["symbol"]), 100 * side)], market, rulebook)
    stock = reg_t.Stock(100.0 * side, 100.0, leverage=securities.reg_t_size(row))
    assert report.requirement.maintenance == pytest.approx(reg_t.equity_required((stock,), maintenance=True))


def test_funds_on_one_index_net_in_full_by_their_factor() -> None:
    tims = mc.methods.Tims()
    for legs in (
        [("IVV", 100), ("SPY", -100)],
        [("UPRO", 100), ("SPY", -300)],
        [("SPXS", 100), ("SSO", 150)],
        [("TNA", 200), ("IWM", -600)],
        [("SQQQ", 100), ("QQQM", 300)],
        [("NVDL", 100), ("NVD", 100)],
    ):
        assert margin(tims, *((fund(s), n) for s, n in legs)) == pytest.approx(0.0, abs=1e-9), legs
    assert margin(tims, (fund("TSLL"), 100), (mc.Stock("TSLA", currency="USD"), -200)) == pytest.approx(0.0, abs=1e-9)


def test_a_saving_is_measured_on_the_same_leverage() -> None:
    market = mc.Market(VALUATION, spot={"TNA": 50.0})
    found = mc.compare([mc.Position(fund("TNA"), 100)], market, [mc.methods.RegT(), mc.methods.Tims()])
    reg_t_part, tims_part = (o.equity_required for o in found.outcomes)
    assert (reg_t_part, tims_part) == (pytest.approx(5000 * 0.75), pytest.approx(5000 * 0.30))
    assert found.saving(found.outcomes[1]) == pytest.approx(0.6)


def test_the_valuation_date_picks_the_leverage() -> None:
    for date, part in (("2011-11-30", 0.50), ("2020-03-31", 0.75), ("2020-04-01", 0.50)):
        market = mc.Market(f"{date}T12:00:00-05:00", spot={"NUGT": 100.0})
        report = mc.margin([mc.Position(fund("NUGT"), 100)], market, mc.methods.RegT())
        assert report.requirement.maintenance == pytest.approx(10_000 * part)
    early = mc.Market("2025-10-30T12:00:00-05:00", spot={"SPYM": 1.0})
    with pytest.raises(mc.MissingData, match=r"SPYM.*from 2025-10-31"):
        mc.margin([mc.Position(fund("SPYM"), 1)], early, mc.methods.Tims())


@pytest.mark.parametrize("symbol", NOTES)
def test_a_note_is_refused_under_tims_in_every_spelling(symbol: str) -> None:
    for contract in (fund(symbol), mc.Stock(symbol, currency="USD"), option(symbol), option(symbol, "put")):
        with pytest.raises(mc.NotApplicable, match=r"16 August 2019 \(FINRA Regulatory Notice 19-21"):
            margin(mc.methods.Tims(), (contract, 1), vol={contract.id: 0.8}, rate={"USD": 0.04})


def test_notes_under_tims_by_the_users_word() -> None:
    vxx, call, put = fund("VXX"), option("VXX", strike=100.0), option("VXX", "put", 100.0)
    full = mc.methods.Tims(ineligible="full")
    assert margin(full, (vxx, 100)) == margin(full, (vxx, -100)) == pytest.approx(10_000.0)
    assert margin(full, (vxx, 100), (fund("VXZ"), -100)) == pytest.approx(20_000.0)  # each alone
    quotes = {"price": {call.id: 12.0, put.id: 12.0}, "rate": {"USD": 0.04}}
    assert margin(full, (call, 1), **quotes) == pytest.approx(1200.0)  # its price
    assert margin(full, (put, -1), **quotes) == pytest.approx(10_000.0 - 1200.0, rel=0.03)
    together = margin(full, (vxx, 100), (call, -1), **quotes)
    assert together == pytest.approx(margin(full, (vxx, 100)) + margin(full, (call, -1), **quotes))
    with pytest.raises(mc.Unsupported, match="Combined"):
        margin(mc.methods.Tims(ineligible="strategy"), (vxx, 100))
    parts = mc.methods.Combined([
        (lambda c: c.underlying == "VXX", mc.methods.RegT()), (lambda c: c.underlying != "VXX", mc.methods.Tims()),
    ])  # fmt: skip
    assert margin(parts, (vxx, 100), (fund("SPY"), 100)) == pytest.approx(5000.0 + 800.0)
    eligible = mc.methods.Tims(products={"BULZ": {"eligible": True}})
    assert margin(eligible, (fund("BULZ"), 100)) == pytest.approx(4500.0)


def test_an_unknown_fund_is_missing_and_an_unknown_stock_is_not() -> None:
    for rulebook in (mc.methods.RegT(), mc.methods.Tims()):
        with pytest.raises(mc.MissingData, match="does not know the funds NOSUCH: leverage and what it tracks"):
            margin(rulebook, (fund("NOSUCH"), 100), (fund("SPY"), 1))
    parts = mc.methods.Combined([(lambda c: True, mc.methods.Tims())])
    with pytest.raises(mc.MissingData, match="NOSUCH"):
        margin(parts, (fund("NOSUCH"), 100))
    assert margin(mc.methods.Tims(), (mc.Stock("NOSUCH", currency="USD"), 100)) == pytest.approx(1500.0)
    assert margin(mc.methods.RegT(), (mc.Stock("NOSUCH", currency="USD"), 100)) == pytest.approx(5000.0)


def test_an_unknown_fund_is_stated_once_for_all_rulebooks() -> None:
    row = {"symbol": "NOSUCH", "kind": "etf", "tracks": "NDX", "leverage": -2.0, "class": "broad", "source": "a text"}
    table = mc.Securities().extended([row])
    assert margin(mc.methods.Tims(securities=table), (fund("NOSUCH"), 100)) == pytest.approx(2000.0)
    assert margin(mc.methods.Tims(securities=table), (fund("NOSUCH"), 100), (fund("QQQ"), 200)) == pytest.approx(0.0)
    report = mc.methods.RegT(securities=table)
    assert margin(report, (fund("NOSUCH"), 100)) == pytest.approx(5000.0)
    contract = {"kind": "etf", "underlying": "NOSUCH", "currency": "USD"}
    document: dict[str, Any] = {
        "account": {"positions": [{"contract": contract, "quantity": 100}]},
        "market": {"valuation": VALUATION, "spot": {"NOSUCH": 100.0}},
        "securities": {"rows": [row]},
        "methodologies": [{"name": "reg-t"}, {"name": "tims"}],
    }
    found = mc.evaluate(document)
    kept = [o["report"]["requirement"]["maintenance"] for o in found["outcomes"]]
    assert kept == [pytest.approx(5000), pytest.approx(2000)]
    alone = {**document, "securities": {"rows": [{**row, "symbol": "OTHER"}], "shipped": False}}
    with pytest.raises(mc.MissingData, match="NOSUCH"):
        mc.evaluate(alone)
    # What was said by parameters before is still said by them.
    assert margin(mc.methods.Tims(products={"NOSUCH": {"factor": 3.0}}), (fund("NOSUCH"), 100)) == pytest.approx(4500.0)
    stated = mc.methods.RegT(underlyings={"NOSUCH": {"leverage": 2.0}})
    assert margin(stated, (fund("NOSUCH"), 100)) == pytest.approx(5000.0)


def test_a_known_fund_held_as_a_stock_is_a_conflict() -> None:
    for rulebook in (mc.methods.RegT(), mc.methods.Tims()):
        for symbol in ("TNA", "SPY"):
            with pytest.raises(mc.InvalidInput, match=f"'{symbol}' is held as stock, and .* as a fund"):
                margin(rulebook, (mc.Stock(symbol, currency="USD"), 100))
        with pytest.raises(mc.InvalidInput, match="index, which nobody can hold"):
            margin(rulebook, (mc.Stock("SPX", currency="USD"), 1))
    both = [mc.Stock("XYZ", currency="USD", id="a"), mc.Etf("XYZ", currency="USD", id="b")]
    with pytest.raises(mc.InvalidInput, match="as a stock and as a fund"):
        margin(mc.methods.Tims(), *((c, 1) for c in both))
    # The symbol of a future is no ticker.
    assert margin(mc.methods.Tims(), (mc.Stock("ES", currency="USD"), 100)) == pytest.approx(1500.0)


@pytest.mark.parametrize("symbol", ["UVXY", "VIXY", "TLT", "TMF", "YCL", "AGG"])
def test_volatility_and_rates_need_a_range(symbol: str) -> None:
    with pytest.raises(mc.MissingData, match="no public text gives the range of class group"):
        margin(mc.methods.Tims(), (fund(symbol), 100))


def test_a_leveraged_bond_fund_takes_its_range_from_its_bond_fund() -> None:
    tims = mc.methods.Tims(class_groups={"TLT": {"range": {"down": -0.05, "up": 0.05}}})
    assert margin(tims, (fund("TMF"), 100)) == pytest.approx(1500.0)
    assert margin(tims, (fund("TMF"), 100), (fund("TLT"), -300)) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("symbol", "covers"), [("SPY", True), ("VOO", True), ("SSO", False), ("UPRO", False), ("SH", False)]
)
def test_only_a_fund_that_follows_the_index_once_covers_its_options(symbol: str, covers: bool) -> None:
    call = option("SPX", strike=5000.0, exercise="european")
    market = mc.Market(VALUATION, spot={"SPX": 5000.0, symbol: 500.0}, price={call.id: 100.0})
    report = mc.margin([mc.Position(fund(symbol), 1000), mc.Position(call, -1)], market, mc.methods.RegT())
    strategies = [part["strategy"] for part in report.details["initial"]["pairing"]]
    assert ("uncovered call" not in strategies) == covers, strategies


def test_options_on_a_leveraged_fund_scale_with_it() -> None:
    call = option("TNA")
    market = mc.Market(VALUATION, spot={"TNA": 100.0}, price={call.id: 5.0})
    report = mc.margin([mc.Position(call, -1)], market, mc.methods.RegT())
    assert report.details["maintenance"] == pytest.approx(500 + 3 * 0.15 * 10_000)


def test_the_table_is_immutable_pickles_and_stands_in_the_digest() -> None:
    table = mc.Securities.shipped()
    more = table.extended([{"symbol": "NEW", "kind": "etf", "leverage": 1.0, "class": "narrow", "source": "a text"}])
    assert [table.kind(s) for s in ("UVXY", "VXX", "NDX", "ES", "NEW")] == ["etf", "etn", "index", None, None]
    new = more.get("NEW")
    assert table.get("NEW") is None
    assert new is not None
    assert new["leverage"] == 1.0
    assert pickle.loads(pickle.dumps(more)).digest == more.digest != table.digest
    assert mc.Securities.from_rows(table.rows()).digest == table.digest
    digest = lambda **kw: [m(**kw).parameters["digest"] for m in (mc.methods.Tims, mc.methods.RegT)]  # noqa: E731
    assert digest() == digest(securities=table)
    assert all(a != b for a, b in zip(digest(), digest(securities=more), strict=True))
    rulebook = mc.methods.Tims(securities=more)
    assert pickle.loads(pickle.dumps(rulebook)).parameters == rulebook.parameters
    assert rulebook.parameters["name"].endswith("(changed)")
    for bad, word in (
        ([{"symbol": "TNA", "kind": "etf", "tracks": "RUT", "leverage": 3.0, "source": "s"}], "overlap"),
        ([{"symbol": "NEW", "kind": "fund", "leverage": 1.0, "source": "s"}], "fund"),
        ([{"symbol": "NEW", "kind": "etf", "leverage": True, "source": "s"}], "number"),
        ([{"symbol": "NEW", "kind": "etf", "source": "s"}], "leverage is missing"),
    ):
        with pytest.raises(mc.MarginError, match=word):
            table.extended(bad)
    with pytest.raises(mc.InvalidInput, match="Securities table is needed"):
        mc.methods.Tims(securities=ROWS)


def test_qualification_reads_the_table() -> None:
    ask = {"equity": 200_000.0, "approval": "uncovered", "monitoring": "real_time"}
    for products in (["etn"], ["note"], ["stock", "BULZ"], ["VXX"]):
        answer = mc.qualify("portfolio_margin", products=products, **ask)
        assert not answer.eligible
        assert "Notice 19-21" in answer.reasons[0].text
        assert mc.qualify("reg_t", products=products, **ask).eligible
    assert mc.qualify("portfolio_margin", products=["stock", "etf", "SPY", "TNA"], **ask).eligible
    with pytest.raises(mc.InvalidInput, match="no symbol of the table"):
        mc.qualify("portfolio_margin", products=["NOSUCH"], **ask)
    with pytest.raises(mc.MissingData, match="depends on the date"):
        mc.qualify("portfolio_margin", products=["UVXY"], **ask)
    assert mc.qualify("portfolio_margin", products=["UVXY"], on=DATE, **ask).eligible


def test_an_account_file_need_not_say_what_the_table_knows(tmp_path: Any) -> None:
    path = tmp_path / "account.csv"
    path.write_text("symbol,quantity\nTNA,100\nVXX,5\n")
    held = mc.importers.account.read_account(path).account.positions
    assert [p.contract.kind for p in held] == ["etf", "etf"]
    path.write_text("symbol,quantity\nNDX,100\n")
    with pytest.raises(mc.InvalidInput, match="index"):
        mc.importers.account.read_account(path)
