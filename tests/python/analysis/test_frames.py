"""Results as tables: the numbers of the results, in frames that pandas, polars and pyarrow make of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import frames, intraday
from margincore.monitoring import Closed

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

STOCK = mc.Stock("XYZ", currency="USD")
CALL = mc.Option(
    "XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD"
)
MARKET = mc.Market(
    "2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, price={CALL.id: 2.0}, vol={CALL.id: 0.3}, rate={"USD": 0.04}
)
REG_T = mc.methods.RegT(classes={"XYZ": "equity"})


def account(cash: float = -2_000.0) -> mc.Account:
    return mc.Account([mc.Position(STOCK, 100), mc.Position(CALL, -1)], cash={"USD": cash})


def results() -> dict[str, Any]:
    """One of each kind that has tables."""
    tims = mc.Engine(mc.methods.Tims()).prepare([STOCK, CALL], MARKET)
    opening = mc.Engine(REG_T).prepare([STOCK, CALL], MARKET)
    fill = intraday.Fill(STOCK, 200, 50.0, time="2026-11-20T17:00:00-05:00")
    accounts = mc.Accounts.from_columns(opening.contracts, account=[0], contract=[0], lots=[100])
    deficits = intraday.Deficits(practice=True)
    deficits.record("2026-11-20", level=0.0, deficit=2_500.0)
    return {
        "report": tims.margin(account()),
        "batch": tims.margin_many([account(), [mc.Position(STOCK, 7)]]),
        "statement": mc.statement(account(-4_900.0), MARKET, REG_T),
        "portfolio": mc.statement(account(), MARKET, mc.methods.Tims(), regime="portfolio_margin"),
        "comparison": mc.compare(account(), MARKET, [REG_T, mc.methods.Tims(), mc.methods.Deribit()]),
        "path": mc.margin_path(account(), [(STOCK, 100)], MARKET, REG_T),
        "attribution": mc.attribution.attribute(tims, account()),
        "answers": mc.questions.moved(tims, account(), [-0.1, 0.1]),
        "scan": mc.events.expiry_scan(account(), MARKET, REG_T, "2026-12-18"),
        "event": mc.events.assignment(account(), MARKET, REG_T, CALL, 1),
        "day": intraday.day(opening, account(), [fill]),
        "days": intraday.many(opening, accounts, cash=[100.0], account=[0], contract=[0], lots=[100], price=[50.0]),
        "standing": deficits.standing("2026-11-20"),
        "closed": [Closed("a", "2026-11-20", 5.0, True), Closed("b", "2026-11-20", 7.0, False, 9.0)],
    }


RESULTS = results()


@pytest.mark.parametrize("name", RESULTS)
def test_pandas_and_arrow_take_every_table_as_it_is(name: str) -> None:
    tables = frames.of(RESULTS[name])
    assert tables
    for table, columns in tables.items():
        lengths = {len(column) for column in columns.values()}
        assert len(lengths) == 1, (table, columns)
        frame = pd.DataFrame(columns)
        assert list(frame.columns) == list(columns)
        assert len(frame) == lengths.pop()
        assert pa.table(columns).num_rows == len(frame)
        for column, values in columns.items():
            if isinstance(values, np.ndarray) and values.dtype == np.float64:
                assert frame[column].to_numpy().tobytes() == values.tobytes()


@pytest.mark.parametrize("name", RESULTS)
def test_polars_takes_every_table_as_it_is(name: str) -> None:
    pl = pytest.importorskip("polars")
    for columns in frames.of(RESULTS[name]).values():
        frame = pl.DataFrame(columns, strict=False)
        assert frame.columns == list(columns)


def test_the_numbers_are_those_of_the_results() -> None:
    report, tables = RESULTS["report"], frames.of(RESULTS["report"])
    lines = pd.DataFrame(tables["lines"])
    assert (lines.initial * lines.fx).sum() == pytest.approx(report.initial)
    assert tables["greeks"]["delta"].tolist() == [g.delta for g in report.greeks]
    page = RESULTS["statement"]
    tables = frames.of(page)
    assert tables["statement"]["maintenance_excess"].tolist() == [page.maintenance_excess]
    assert tables["calls"]["left"].tolist() == [call.left for call in page.calls]
    assert tables["calls"]["due_on"].tolist() == [call.due_on for call in page.calls]
    assert tables["calls"]["rule_name"] == ["maintenance call"]
    assert tables["positions"]["contract"] == [STOCK.id, CALL.id]
    assert tables["positions"]["value"].tolist() == [5_000.0, -200.0]
    assert sum(tables["positions"]["value"]) + -4_900.0 == page.equity.total
    assert [row["item"] for row in page.rows()] == tables["page"]["item"]
    portfolio = frames.of(RESULTS["portfolio"])
    groups, points = pd.DataFrame(portfolio["groups"]), pd.DataFrame(portfolio["points"])
    worst = points[points.level == "class group"].groupby("name").profit.min()
    own = groups[groups.level == "class group"].set_index("name")
    assert (-worst).clip(lower=0.0).tolist() == own.largest_loss.tolist()
    scan = RESULTS["scan"]
    assert frames.of(scan)["points"]["call"].tolist() == [p.call for p in scan.points]
    day = RESULTS["day"]
    assert frames.of(day)["steps"]["after_margin"].tolist() == [step.after.margin for step in day.steps]
    outcomes = frames.of(RESULTS["comparison"])["outcomes"]
    assert np.isnan(outcomes["maintenance"]).tolist() == [False, False, True]
    assert outcomes["reason"][2].startswith("not applicable")


def test_many_accounts_stand_under_one_another() -> None:
    pages = {"a": mc.statement(account(), MARKET, REG_T), "b": mc.statement(account(-4_900.0), MARKET, REG_T)}
    tables = frames.of(pages)
    assert tables["calls"]["account"] == ["b"]
    assert tables["positions"]["account"] == ["a", "a", "b", "b"]
    alone = [frames.of(page)["statement"] for page in pages.values()]
    for column, values in tables["statement"].items():
        if column != "account":
            assert list(map(str, values)) == [str(one[column][0]) for one in alone]
    # A part that only one of them has, and a desk on which nobody has a call.
    assert frames.of({"a": pages["a"]})["calls"]["left"].dtype == np.float64
    assert pd.concat(pd.DataFrame(frames.of({n: p})["calls"]) for n, p in pages.items()).left.dtype == np.float64


def test_dates_flags_and_what_is_absent_have_their_types() -> None:
    rows = frames.of(RESULTS["standing"])["rows"]
    assert rows["on"].tolist() == [dt.date(2026, 11, 20)]
    assert np.isnat(rows["satisfied_on"]).all()
    assert rows["outstanding"].dtype == np.bool_
    assert frames.of(RESULTS["closed"])["rows"]["previous"].tolist()[1] == 9.0
    assert frames.of([]) == {"rows": {}}


@pytest.mark.parametrize(
    "bad", [5, "x", None, object(), [5], [RESULTS["closed"][0], RESULTS["standing"][0]],
            {"a": RESULTS["report"], "b": RESULTS["statement"]}, {"a": 5}]
)  # fmt: skip
def test_anything_else_is_refused_by_name(bad: object) -> None:
    with pytest.raises(mc.InvalidInput, match="frames: ") as refused:
        frames.of(bad)
    assert (refused.value.code, refused.value.where) == ("wrong_type", "frames")
