"""Models of options on a forward: Black (1976), Bachelier and shifted lognormal, against known values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import margincore as mc
from margincore.pricing import bachelier, black76, shifted_lognormal

MODELS: dict[str, Any] = {"black76": black76, "bachelier": bachelier, "shifted_lognormal": shifted_lognormal}

# Forward, strike, years, normal vol, right and undiscounted price: mpmath, 50 digits; 0 to 36 deviations out.
NORMAL = [
    (1.368, 1.368, 0.504, 0.629, -1, 0.17814596067065222),
    (-20.412, -20.411999999999903, 8.14, 0.0341, 1, 0.03881294950557748),
    (22.789, 22.7889999908934, 9.66, 0.0293, -1, 0.03633006667890847),
    (-73.893, -73.89289696434598, 0.234, 0.213, 1, 0.041053781504317634),
    (27.215, 27.214032831507957, 0.00972, 0.0981, -1, 0.003394135950857384),
    (18.524, 19.408152927948553, 0.236, 2.6, 1, 0.18046745621509408),
    (-6.111, -11.189280959143556, 12.7, 0.95, -1, 0.09921875515878815),
    (-60.575, -59.300135395424284, 0.185, 0.988, 1, 0.00016239833742998165),
    (-76.814, -77.82198995530709, 0.0223, 1.35, -1, 1.0777762315024799e-08),
    (-47.728, -37.64523149130161, 0.00898, 13.3, 1, 9.515943509947883e-17),
    (35.89, 35.79672844209728, 0.00609, 0.0996, -1, 1.1352082221619564e-36),
    (15.4, 16.019591021884597, 0.0106, 0.354, 1, 8.74300909214187e-68),
    (21.787, 18.654658380699832, 6.48, 0.0535, -1, 1.3748597376485618e-119),
    (-32.541, -32.49167967007409, 0.0166, 0.0132, 1, 1.924729022656374e-189),
    (43.953, 0.7893935213935137, 6.74, 0.489, -1, 4.151995081612666e-255),
    (-33.527, -33.17336355074738, 0.00346, 0.167, 1, 1.1395482053865933e-287),
]

# QuantLib 1.44: blackFormula with displacement, bachelierBlackFormula.
QUANTLIB = [
    (black76, {}, 100.0, 90.0, 0.5, 0.2, 1, 1.0, 11.7725),
    (black76, {}, 20.0, 20.0, 1 / 3, 0.25, -1, np.exp(-0.03), 1.1166414565589438),
    (bachelier, {}, -3.0, 5.0, 0.25, 16.0, 1, 0.99, 0.6598585270544759),
    (bachelier, {}, 100.0, 110.0, 1.0, 20.0, -1, 1.0, 13.95593114802612),
    (shifted_lognormal, {"shift": 0.03}, -0.002, 0.001, 2.0, 0.25, 1, 1.0, 0.002807733465307473),
]


def book(name: str, n: int = 300, seed: int = 4) -> tuple[Any, Any, dict[str, Any]]:
    """Forwards, strikes and the rest by name, of the sizes that suit a model."""
    random = np.random.default_rng(seed)
    right = np.where(random.random(n) < 0.5, 1, -1).astype(np.int8)
    more: dict[str, Any] = {
        "years": random.uniform(0.01, 4.0, n),
        "rate": random.uniform(-0.02, 0.1, n),
        "right": right,
    }
    if name == "black76":
        return random.uniform(50, 150, n), random.uniform(30, 200, n), {**more, "vol": random.uniform(0.05, 1.0, n)}
    if name == "bachelier":
        return random.normal(0, 30, n), random.normal(0, 30, n), {**more, "vol": random.uniform(2.0, 40.0, n)}
    shifted = {**more, "vol": random.uniform(0.05, 0.6, n), "shift": 0.04}
    return random.uniform(-0.02, 0.05, n), random.uniform(-0.02, 0.06, n), shifted


def test_bachelier_prices_and_inverts_fifty_digits_far_into_the_wings() -> None:
    forward, strike, years, vol, right, price = (np.array(c) for c in zip(*NORMAL, strict=True))
    at = {"years": years, "right": right.astype(np.int8), "rate": 0.0}
    np.testing.assert_allclose(bachelier.price(forward, strike, vol=vol, **at), price, rtol=3e-13)
    found, status = bachelier.implied_vol(price, forward, strike, **at, return_status=True)
    assert not status.any()
    np.testing.assert_allclose(found, vol, rtol=2e-15)


@pytest.mark.parametrize(("model", "more", "forward", "strike", "years", "vol", "right", "discount", "price"), QUANTLIB)
def test_prices_are_quantlib_s(
    model: Any,
    more: dict[str, Any],
    forward: float,
    strike: float,
    years: float,
    vol: float,
    right: int,
    discount: float,
    price: float,
) -> None:
    rate = -np.log(discount) / years
    ours = model.price(forward, strike, years=years, vol=vol, right=right, rate=rate, **more)
    assert float(ours) == pytest.approx(price, rel=3e-5 if price == 11.7725 else 1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_greeks_are_differences_of_prices(name: str) -> None:
    model = MODELS[name]
    forward, strike, more = book(name)
    greeks = model.greeks(forward, strike, **more)
    assert greeks.price.tobytes() == model.price(forward, strike, **more).tobytes()
    scale = np.std(forward)
    h, dv = 1e-4 * scale, 1e-4 * more["vol"]

    def moved(by: float = 0.0, **changed: Any) -> Any:
        return model.price(forward + by, strike, **{**more, **changed})

    def slope(what: str, step: Any) -> Any:
        return (moved(**{what: more[what] + step}) - moved(**{what: more[what] - step})) / (2 * step)

    close = {"rtol": 2e-5, "atol": 1e-6}
    np.testing.assert_allclose(greeks.delta, (moved(h) - moved(-h)) / (2 * h), **close)
    bend = (moved(h * 10) - 2 * moved() + moved(-h * 10)) / (100 * h * h)
    np.testing.assert_allclose(greeks.gamma * scale, bend * scale, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(greeks.vega, slope("vol", dv), rtol=2e-5, atol=1e-7 * scale)
    np.testing.assert_allclose(greeks.rho, slope("rate", 1e-5), rtol=2e-5, atol=1e-7 * scale)
    np.testing.assert_allclose(greeks.theta, -slope("years", 1e-6), rtol=1e-4, atol=1e-6 * scale)
    up, down = (model.greeks(forward, strike, **{**more, "vol": more["vol"] + s * dv}) for s in (1, -1))
    np.testing.assert_allclose(greeks.vanna, (up.delta - down.delta) / (2 * dv), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(greeks.volga, (up.vega - down.vega) / (2 * dv), rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("moves_in", ["fraction", "price"])
@pytest.mark.parametrize("name", MODELS)
def test_the_grid_is_the_price_of_moved_inputs(name: str, moves_in: str) -> None:
    model = MODELS[name]
    forward, strike, more = book(name)
    forward = np.abs(forward) + 0.001 if moves_in == "fraction" else forward
    fractions, vol_moves = np.array([-0.3, 0.0, 0.25, -0.1]), np.array([0.1, 0.0, -9.0, 0.02]) * np.mean(more["vol"])
    moves = fractions if moves_in == "fraction" else fractions * 0.02
    grid = model.price_grid(
        forward, strike, **more, price_moves=moves, vol_moves=vol_moves, roll=0.05, moves_in=moves_in
    )
    later = np.maximum(more["years"] - 0.05, 0.0)
    for j, (move, dv) in enumerate(zip(moves, vol_moves, strict=True)):
        to = forward * (1 + move) if moves_in == "fraction" else forward + move
        wanted = model.price(to, strike, **{**more, "years": later, "vol": np.maximum(more["vol"] + dv, 0.0)})
        np.testing.assert_allclose(grid[:, j], wanted, rtol=1e-11, atol=1e-13 * np.abs(forward).max())
    table = np.tile(moves, (len(forward), 1))
    per_row = model.price_grid(
        forward,
        strike,
        **more,
        price_moves=table,
        vol_moves=np.tile(vol_moves, (len(forward), 1)),
        roll=0.05,
        moves_in=moves_in,
    )
    np.testing.assert_allclose(per_row, grid, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", MODELS)
def test_rows_do_not_depend_on_their_order_or_company(name: str) -> None:
    model = MODELS[name]
    forward, strike, more = book(name, 301)
    order = np.random.default_rng(1).permutation(301)
    mixed = {k: v[order] if isinstance(v, np.ndarray) else v for k, v in more.items()}
    assert (
        model.price(forward, strike, **more)[order].tobytes()
        == model.price(forward[order], strike[order], **mixed).tobytes()
    )
    ours, theirs = model.greeks(forward, strike, **more), model.greeks(forward[order], strike[order], **mixed)
    assert np.array(ours)[:, order].tobytes() == np.array(theirs).tobytes()
    vols = {k: v for k, v in more.items() if k != "vol"}
    mixed.pop("vol")
    prices = model.price(forward, strike, **more) * 1.01
    keep = {"on_error": "nan", "return_status": True}
    vol, status = model.implied_vol(prices, forward, strike, **vols, **keep)
    other, again = model.implied_vol(prices[order], forward[order], strike[order], **mixed, **keep)
    assert vol[order].tobytes() == other.tobytes()
    assert status[order].tolist() == again.tolist()
    one = {k: v[7] if isinstance(v, np.ndarray) else v for k, v in more.items()}
    assert model.price(forward[7], strike[7], **one) == model.price(forward, strike, **more)[7]


@pytest.mark.parametrize("name", MODELS)
def test_implied_vols_give_their_prices_back(name: str) -> None:
    model = MODELS[name]
    forward, strike, more = book(name)
    more["right"] = np.where(forward < strike, 1, -1).astype(np.int8)
    price = model.price(forward, strike, **more)
    known = price > 1e-9 * np.abs(forward).max()
    assert known.sum() > 200
    vols = {k: v for k, v in more.items() if k != "vol"}
    found, status = model.implied_vol(price, forward, strike, **vols, on_error="nan", return_status=True)
    np.testing.assert_allclose(found[known], more["vol"][known], rtol=1e-11)
    assert not status[known].any()


def test_futures_style_options_are_not_discounted() -> None:
    at = {"years": 2.0, "vol": 0.3, "right": "call"}
    assert black76.price(80.0, 85.0, **at, futures_style=True) == black76.price(80.0, 85.0, **at, rate=0.0)
    later = black76.greeks(80.0, 85.0, **at, futures_style=True)
    paid = black76.greeks(80.0, 85.0, **at, rate=0.05)
    np.testing.assert_allclose(paid.delta, np.exp(-0.1) * later.delta, rtol=1e-14)  # forward delta, discounted
    assert later.rho == -2.0 * later.price
    with pytest.raises(mc.InvalidInput, match="rate is not stated") as stated:
        black76.price(80.0, 85.0, **at)
    assert stated.value.code == "not_stated"
    with pytest.raises(mc.InvalidInput, match="is not discounted"):
        bachelier.price(80.0, 85.0, **at, rate=0.05, futures_style=True)


def test_parity_holds() -> None:
    for name, model in MODELS.items():
        forward, strike, more = book(name)
        call, put = (model.price(forward, strike, **{**more, "right": right}) for right in (1, -1))
        wanted = np.exp(-more["rate"] * more["years"]) * (forward - strike)
        np.testing.assert_allclose(call - put, wanted, rtol=0, atol=1e-14 * (np.abs(forward) + np.abs(strike)).max())


def test_prices_at_the_limits_are_the_intrinsic_value() -> None:
    for model, more in ((black76, {}), (bachelier, {}), (shifted_lognormal, {"shift": 1.0})):
        for years, vol in ((0.0, 0.2), (1.0, 0.0)):
            got = model.price(10.0, [8.0, 10.0, 12.0], years=years, vol=vol, rate=0.0, right="call", **more)
            np.testing.assert_allclose(got, [2.0, 0.0, 0.0], rtol=0, atol=1e-14)
            delta = model.greeks(10.0, [8.0, 10.0, 12.0], years=years, vol=vol, rate=0.0, right="call", **more).delta
            np.testing.assert_allclose(delta, [1.0, 0.5, 0.0], rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("forward", np.nan, "row 200: forward"),
        ("strike", np.inf, "row 200: strike"),
        ("years", -0.1, "row 200: years is -0.1"),
        ("rate", 6.0, r"row 200: rate is 6; an annual fraction between -5 and 5"),
        ("vol", -0.2, "row 200: vol is -0.2"),
        ("right", 0, "right"),
    ],
)
def test_bad_rows_are_named(name: str, where: str, value: float, message: str) -> None:
    model = MODELS[name]
    forward, strike, more = book(name)
    columns = {"forward": forward.copy(), "strike": strike.copy(), **more}
    columns[where] = columns[where].copy()
    columns[where][200] = value
    forward, strike = columns.pop("forward"), columns.pop("strike")
    for call in (model.price, model.greeks):
        with pytest.raises(mc.InvalidInput, match=message):
            call(forward, strike, **columns)
    with pytest.raises(mc.InvalidInput, match=message):
        model.price_grid(forward, strike, **columns, price_moves=[0.0, 0.001], moves_in="price")


def test_lognormal_vols_that_look_like_percentages_are_refused_and_normal_ones_are_not() -> None:
    at = {"years": 1.0, "rate": 0.0, "right": "call"}
    for model, more in ((black76, {}), (shifted_lognormal, {"shift": 1.0})):
        with pytest.raises(mc.InvalidInput, match=r"between 0 and 10 is needed \(0.18 is 18 %\)"):
            model.price(100.0, 100.0, vol=20.0, **at, **more)
    assert bachelier.price(100.0, 100.0, vol=20.0, **at) > 7.9


def test_refusals_call_things_by_their_names() -> None:
    at = {"years": 1.0, "rate": 0.0, "right": "call", "vol": 0.2}
    with pytest.raises(mc.InvalidInput, match="row 1: forward is -1"):
        black76.price([1.0, -1.0], 1.0, **at)
    with pytest.raises(mc.InvalidInput, match=r"row 0: forward plus shift is -0\.01"):
        shifted_lognormal.price(-0.04, 0.01, shift=0.03, **at)
    with pytest.raises(mc.InvalidInput, match="row 0: strike plus shift is 0"):
        shifted_lognormal.price(0.04, -0.03, shift=0.03, **at)
    forward = np.full(4, 100.0)
    with pytest.raises(mc.InvalidInput, match="out shares memory with forward"):
        black76.price(forward, 100.0, **at, out=forward)
    with pytest.raises(mc.InvalidInput, match="do not broadcast: forward"):
        black76.price([1.0, 2.0], [1.0, 2.0, 3.0], **at)
    with pytest.raises(mc.InvalidInput, match="give amounts and moves_in='price'"):
        bachelier.price_grid(-3.0, 5.0, **at, price_moves=[0.1])
    with pytest.raises(mc.InvalidInput, match="moves_in 'points'"):
        bachelier.price_grid(3.0, 5.0, **at, price_moves=[0.1], moves_in="points")  # type: ignore[arg-type]
    with pytest.raises(
        mc.InvalidInput, match=r"price_moves, row 0, scenario 1: -11.0 is more than there is to lose, 10.0"
    ):
        black76.price_grid(10.0, 5.0, **at, price_moves=[0.1, -11.0], moves_in="price")
    with pytest.raises(TypeError):
        black76.price(100.0, 100.0, 1.0)  # type: ignore[misc]
    with pytest.raises(mc.InvalidInput, match="on_error"):
        bachelier.implied_vol(1.0, 1.0, 1.0, years=1.0, rate=0.0, right=1, on_error="skip")  # type: ignore[arg-type]


def test_prices_without_a_vol_have_a_status() -> None:
    keep = {"on_error": "nan", "return_status": True}
    at = {"years": 1.0, "rate": 0.0, "right": "call"}
    _, status = black76.implied_vol([10.0, 100.0, 12.0, np.nan], 100.0, 90.0, **at, **keep)
    assert status.tolist() == [1, 2, 0, 3]
    vol, status = bachelier.implied_vol([10.0, 1e9, 12.0, np.nan, 1e-300], [100.0] * 4 + [80.0], 90.0, **at, **keep)
    assert status.tolist() == [1, 0, 0, 3, 1]
    assert np.isnan(vol).tolist() == [True, False, False, True, True]
    _, status = shifted_lognormal.implied_vol([0.1, 0.1], [0.0, -0.05], 0.01, shift=0.03, **at, **keep)
    assert status.tolist() == [2, 3]
    with pytest.raises(mc.CalculationError, match=r"1 of 1 prices have no vol: row 0, price 5\.0"):
        bachelier.implied_vol([5.0], 100.0, 90.0, **at)


@pytest.mark.parametrize("name", MODELS)
def test_series_come_back_with_their_index(name: str) -> None:
    model = MODELS[name]
    forward, strike, more = book(name, 3)
    frame = pd.DataFrame({"forward": forward, "strike": strike}, index=["a", "b", "c"])
    words = pd.Series(["call", "put", "call"], index=frame.index, dtype="category")
    plain = {**more, "right": ["call", "put", "call"]}
    prices = model.price(frame["forward"], frame["strike"], **{**more, "right": words})
    pd.testing.assert_series_equal(
        prices, pd.Series(model.price(forward, strike, **plain), index=frame.index, name="price")
    )
    greeks = model.greeks(frame["forward"], strike, **plain)
    assert greeks.delta["b"] == model.greeks(forward, strike, **plain).delta[1]
    vols = {k: v for k, v in plain.items() if k != "vol"}
    vol = model.implied_vol(prices * 1.05 + 1e-5, frame["forward"], strike, **vols, on_error="nan")
    assert list(vol.index) == ["a", "b", "c"]
    for absent in (pd.NA, None):
        column = pd.Series([forward[0], absent, forward[2]], index=frame.index, dtype=object)
        with pytest.raises(mc.InvalidInput, match="forward: row 1 is None: a number is needed"):
            model.price(column, strike, **plain)
        with pytest.raises(mc.InvalidInput, match="right: row 1 is"):
            model.price(forward, strike, **{**more, "right": pd.Series(["call", absent, "put"], dtype=object)})
