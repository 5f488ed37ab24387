"""The picture of a comparison, whatever the account is on."""

from __future__ import annotations

import pytest

import margincore as mc

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.mark.parametrize(
    ("symbol", "first"),
    [("SPX", 0.92), ("SPY", 0.92), ("TNA", 0.7), ("IBM", 0.85)],
    ids=("index", "fund", "3x", "stock"),
)
def test_points_lie_where_the_rulebook_moves_the_price(symbol: str, first: float) -> None:
    option = mc.Option(symbol, "put", 95, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100,
                       currency="USD")  # fmt: skip
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={symbol: 100.0}, rate={"USD": 0.04}, vol={option.id: 0.3},
                       price={option.id: 2.0})  # fmt: skip
    tims = mc.methods.Tims()
    report = mc.margin([mc.Position(option, -1)], market, tims)
    axes = mc.plot.plot([mc.Position(option, -1)], market, [mc.methods.RegT(), tims])
    [points] = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata()) == 10]
    [group] = report.details["class_groups"].values()
    assert points.get_xdata()[0] == pytest.approx(100.0 * first)
    assert list(points.get_ydata()) == [pytest.approx(profit) for profit in group["profit"]]
    matplotlib.pyplot.close(axes.figure)
