"""The pure-Python TIMS against published OCC values and the rulebook's own arithmetic."""

from __future__ import annotations

import pytest

from margincore.reference.tims import (
    Contract,
    Overlay,
    Parameters,
    Position,
    StressPoint,
    Underlying,
    margin,
    points,
)

# Cboe, "Margin Requirement Examples for Sample Options-based Positions" (close of 23 February 2007): the
# portfolio margin column holds OCC's TIMS values. The rates and the index yield are fitted, one per
# product.
IBM = {"IBM": Underlying(97.73, rate=0.0525)}
SPX = {"SPX": Underlying(1451.19, rate=0.055, dividend_yield=0.0225)}
SPX_RANGE = Parameters(ranges={"SPX": (-0.08, 0.06)})
PUBLISHED_TO = 0.003


def ibm_option(right: int, strike: float, price: float) -> Contract:
    return Contract(
        "IBM",
        "option",
        price=price,
        multiplier=100.0,
        right=right,
        strike=strike,
        years=56 / 365,
        exercise="american",
    )


def spx_option(right: int, strike: float, price: float) -> Contract:
    return Contract("SPX", "option", price=price, multiplier=100.0, right=right, strike=strike, years=57 / 365)


IBM_STOCK = Contract("IBM", "stock", price=97.73)
SPY = Contract("SPX", "stock", price=145.30)
SHORT_CALL = Position(spx_option(+1, 1460.0, 21.66), short=100)


@pytest.mark.parametrize(
    ("positions", "published"),
    [
        pytest.param([Position(ibm_option(+1, 100.0, 1.68), short=100)], 115_429, id="short call"),
        pytest.param(
            [Position(IBM_STOCK, long=10_000), Position(ibm_option(+1, 100.0, 1.68), short=100)],
            129_804,
            id="covered call",
        ),
        pytest.param(
            [
                Position(ibm_option(-1, 95.0, 1.02), long=100),
                Position(ibm_option(+1, 105.0, 0.40), short=100),
            ],
            91_118,
            id="risk reversal",
        ),
        pytest.param(
            [
                Position(ibm_option(-1, 100.0, 3.18), long=100),
                Position(ibm_option(+1, 100.0, 1.68), long=100),
            ],
            7_500,
            id="long straddle: 200 times 37.50",
        ),
    ],
)
def test_published_equity_values(positions: list[Position], published: float) -> None:
    assert margin(positions, IBM).requirement == pytest.approx(published, rel=PUBLISHED_TO)


@pytest.mark.parametrize(
    ("positions", "published"),
    [
        pytest.param([SHORT_CALL], 654_514, id="short call"),
        pytest.param([Position(SPY, long=100_000), SHORT_CALL], 948_342, id="call covered by the fund"),
    ],
)
def test_published_index_values(positions: list[Position], published: float) -> None:
    assert margin(positions, SPX, SPX_RANGE).requirement == pytest.approx(published, rel=PUBLISHED_TO)


def test_the_published_straddle_rejects_a_vol_shock() -> None:
    straddle = [
        Position(ibm_option(-1, 100.0, 3.18), long=100),
        Position(ibm_option(+1, 100.0, 1.68), long=100),
    ]
    house = Overlay("vega", points=(StressPoint(0.0, -0.20, relative=True),))
    result = margin(straddle, IBM, overlays=[house])
    assert result.requirement == pytest.approx(7_500.0)
    assert result.house["vega"] > 0.0
    assert result.total == result.requirement + result.house["vega"]


def option(right: int, strike: float, vol: float = 0.3, years: float = 5 / 365, **more: object) -> Contract:
    return Contract(
        "XYZ",
        "option",
        multiplier=100.0,
        right=right,
        strike=strike,
        years=years,
        vol=vol,
        **more,  # type: ignore[arg-type]
    )


XYZ = {"XYZ": Underlying(100.0, rate=0.05)}


def test_minimum_is_a_floor_and_is_capped_at_the_value_of_long_options() -> None:
    assert margin([Position(option(-1, 50.0), short=10)], XYZ).requirement == pytest.approx(375.0, abs=1e-9)
    worthless = Position(option(-1, 60.0, price=0.02), long=10)
    assert margin([worthless], XYZ).requirement == pytest.approx(20.0, abs=1e-9)
    future = Contract("XYZ", "future", price=100.0, multiplier=50.0)
    zero_range = Parameters(default_range=(0.0, 0.0))
    assert margin([Position(future, long=2)], XYZ, zero_range).requirement == 37.5


def test_two_names_never_offset_and_a_shared_group_offsets_in_part() -> None:
    a, b = Contract("A", "stock"), Contract("B", "stock")
    market = {"A": Underlying(200.0), "B": Underlying(400.0)}
    book = [Position(a, long=100), Position(b, short=100)]
    assert margin(book, market).requirement == pytest.approx(9_000.0)
    shared = Parameters(product_group={"A": "P", "B": "P"}, product_offsets={"P": 0.9})
    # Up: B loses 6,000, A gains 3,000 of which 90 % count.
    assert margin(book, market, shared).requirement == pytest.approx(6_000.0 - 2_700.0)
    linked = Parameters(portfolio_group={"A": "F", "B": "F"}, portfolio_offsets={"F": 0.75})
    assert margin(book, market, linked).requirement == pytest.approx(6_000.0 - 2_250.0)


def test_the_level_of_the_minimum_matters_only_where_groups_are_brought_together() -> None:
    groups = {
        "product_group": {"A": "P", "B": "P"},
        "product_offsets": {"P": 1.0},
        "default_range": (0.0, 0.0),
    }
    market = {"A": Underlying(100.0), "B": Underlying(100.0)}
    a = Position(Contract("A", "future", multiplier=100.0), long=1)
    b = Position(Contract("B", "stock"), long=1)
    for level in ("class_group", "product_group", "portfolio_group"):
        parameters = Parameters(minimum_level=level, **groups)  # type: ignore[arg-type]
        assert margin([a, b], market, parameters).requirement == 37.5


def test_points_pair_by_ordinal_across_ranges() -> None:
    parameters = Parameters(
        ranges={"SPX": (-0.08, 0.06), "RUT": (-0.10, 0.10)},
        product_group={"SPX": "P", "RUT": "P"},
        product_offsets={"P": 1.0},
    )
    market = {"SPX": Underlying(100.0), "RUT": Underlying(100.0)}
    book = [Position(Contract("SPX", "stock"), long=100), Position(Contract("RUT", "stock"), short=80)]
    pnl = margin(book, market, parameters).product_groups["P"].pnl
    assert pnl[0] == pytest.approx(-800.0 + 800.0)
    assert pnl[9] == pytest.approx(600.0 - 800.0)


def test_leveraged_and_inverse_funds_scale_the_range() -> None:
    market = {"UP": Underlying(100.0, factor=3.0), "DOWN": Underlying(100.0, factor=-1.0)}
    parameters = Parameters(default_range=(-0.08, 0.06))
    up = margin([Position(Contract("UP", "stock"), long=100)], market, parameters)
    assert (up.requirement, up.class_groups["UP"].worst) == (pytest.approx(2_400.0), 0)
    down = margin([Position(Contract("DOWN", "stock"), long=100)], market, parameters)
    assert (down.requirement, down.class_groups["DOWN"].worst) == (pytest.approx(600.0), 9)


def test_ten_values_replace_the_model() -> None:
    values = tuple(float(v) for v in (-500, -400, -300, -200, -100, 90, 180, 270, 360, 450))
    series = Contract("XYZ", "option", price=5.0, multiplier=100.0, ten_values=values)
    result = margin([Position(series, long=2)], {})
    assert result.class_groups["XYZ"].pnl == tuple(2 * v for v in values)
    assert result.requirement == 1000.0
    assert result.class_groups["XYZ"].binding == "scan"


def test_sticky_moneyness_moves_along_the_curve() -> None:
    legs = [Position(option(-1, 90.0, 0.25, 0.25), short=1), Position(option(-1, 80.0, 0.35, 0.25), long=1)]
    strike = margin(legs, XYZ)
    moneyness = margin(legs, XYZ, Parameters(vol_rule="sticky_moneyness"))
    assert moneyness.requirement != strike.requirement
    flat = [Position(option(-1, 90.0, 0.25, 0.25), short=1), Position(option(-1, 80.0, 0.25, 0.25), long=1)]
    sticky = margin(flat, XYZ, Parameters(vol_rule="sticky_moneyness")).requirement
    assert sticky == pytest.approx(margin(flat, XYZ).requirement)


def test_options_on_futures_and_cash_dividends() -> None:
    on_future = Contract(
        "XYZ", "option", multiplier=50.0, right=1, strike=100.0, years=0.25, vol=0.2, future_price=101.0
    )
    call = Contract("XYZ", "option", multiplier=50.0, right=1, strike=100.0, years=0.25, vol=0.2)
    rate = {"XYZ": Underlying(101.0, rate=0.04, dividend_yield=0.04)}
    assert margin([Position(on_future, short=1)], rate).requirement == pytest.approx(
        margin([Position(call, short=1)], rate).requirement
    )
    paying = {"XYZ": Underlying(101.0, rate=0.04, dividends=((0.1, 2.0), (0.5, 9.0)))}
    put = Contract("XYZ", "option", multiplier=50.0, right=-1, strike=100.0, years=0.25, vol=0.2)
    richer = margin([Position(put, short=1)], paying).class_groups["XYZ"].pnl
    assert richer != margin([Position(put, short=1)], rate).class_groups["XYZ"].pnl


def test_house_ranges_and_floors_stand_beside_the_requirement() -> None:
    book = [Position(Contract("XYZ", "stock"), long=100)]
    wide = Overlay("wide", range=(-0.05, 0.05), ranges={"XYZ": (-0.30, 0.25)})
    narrow = Overlay("narrow", range=(-0.05, 0.05))
    result = margin(book, XYZ, overlays=[narrow, wide])
    assert result.requirement == pytest.approx(1_500.0)
    assert result.house == {"narrow": 0.0, "wide": pytest.approx(1_500.0)}
    floor = margin(
        [Position(option(-1, 50.0), short=10)], XYZ, overlays=[Overlay("floor", floor_per_short_option=50.0)]
    )
    assert (floor.requirement, floor.house["floor"]) == (pytest.approx(375.0), pytest.approx(125.0))


def test_what_cannot_be_priced_is_an_error() -> None:
    with pytest.raises(ValueError, match="neither a vol nor a price"):
        margin([Position(Contract("XYZ", "option", right=1, strike=100.0, years=0.1), long=1)], XYZ)
    with pytest.raises(ValueError, match="no volatility"):
        margin([Position(option(+1, 100.0, vol=None, price=200.0), long=1)], XYZ)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        margin([Position(Contract("NONE", "stock"), long=1)], XYZ)


def test_nothing_held_needs_nothing() -> None:
    assert margin([], {}).requirement == 0.0
    assert margin([Position(IBM_STOCK)], IBM).class_groups == {}


def test_points_never_contain_zero() -> None:
    assert 0.0 not in points(-0.15, 0.15) + points(-0.08, 0.06, "even")
