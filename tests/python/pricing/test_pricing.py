"""margincore.pricing and margincore.pricing.quotes through their public names."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import pricing, quotes
from margincore.reference.pricing import black_scholes

PRINT_DIGEST = """
import hashlib, numpy as np
from margincore import pricing
random = np.random.default_rng(3)
n = 777
columns = (random.uniform(50, 150, n), random.uniform(20, 300, n), random.uniform(0, 3, n),
           random.uniform(-0.02, 0.1, n), random.uniform(0, 0.05, n), random.uniform(0, 1.5, n))
right = np.where(random.random(n) < 0.5, 1, -1).astype(np.int8)
moves = random.uniform(-0.5, 0.5, (n, 19))
prices = pricing.price(*columns, right)
vol, _ = pricing.implied_vol(prices, *columns[:5], right, on_error="nan", return_status=True)
arrays = [prices, vol, *pricing.greeks(*columns, right),
          pricing.price_grid(*columns, right, moves[0], moves[1], 0.1),
          pricing.price_grid(*columns, right, moves, 0.2 * moves),
          pricing.price(*columns, right, exercise="american"),
          pricing.price_grid(*columns, right, moves[0], 0.2 * moves[1], exercise="american", share_boundaries=True),
          *pricing.greeks(*(c[:40] for c in columns), right[:40], exercise="american"),
          pricing.implied_vol(1.02 * prices[:40] + 0.1, *(c[:40] for c in columns[:5]), right[:40],
                              exercise="american", on_error="nan"),
          pricing.exercise_boundary(columns[1], years=columns[2], rate=columns[3].clip(0), dividend_yield=columns[4],
                                    vol=columns[5] + 0.01, right=right)]
from margincore.pricing import bachelier, black76, shifted_lognormal
for model, more, scale in ((black76, {}, 1), (bachelier, {}, 100), (shifted_lognormal, {"shift": 20.0}, 1)):
    at = {"years": columns[2], "rate": columns[3], "right": right, **more}
    own = model.price(columns[0], columns[1], vol=scale * columns[5], **at)
    arrays += [own, *model.greeks(columns[0], columns[1], vol=scale * columns[5], **at),
               model.price_grid(columns[0], columns[1], vol=scale * columns[5], **at, price_moves=moves[0],
                                vol_moves=0.2 * scale * moves[1], roll=0.1),
               model.implied_vol(1.01 * own, columns[0], columns[1], **at, on_error="nan")]
print(hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest())
"""


def options(n: int = 500, seed: int = 1) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    right = np.where(random.random(n) < 0.5, 1, -1).astype(np.int8)
    return (
        random.uniform(50, 150, n),
        random.uniform(20, 300, n),
        np.exp(random.uniform(np.log(1e-4), np.log(5.0), n)),
        random.uniform(-0.02, 0.1, n),
        random.uniform(0, 0.05, n),
        random.uniform(0.03, 1.5, n),
        right,
    )


def test_every_instruction_set_gives_the_same_bits() -> None:
    digests = set()
    for level in ("baseline", "avx2", "avx512"):
        environment = {**os.environ, "MARGINCORE_SIMD": level}
        digests.add(subprocess.check_output([sys.executable, "-c", PRINT_DIGEST], env=environment, text=True))
    assert len(digests) == 1


def test_a_misspelt_instruction_set_is_an_error() -> None:
    environment = {**os.environ, "MARGINCORE_SIMD": "sse9"}
    command = [sys.executable, "-c", PRINT_DIGEST]
    run = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    assert run.returncode != 0
    assert "expected avx512, avx2 or baseline" in run.stderr


def test_prices_are_the_textbook_s() -> None:
    columns = options()
    ours = pricing.price(*columns)
    theirs = [black_scholes(*map(float, row[:6]), int(row[6])) for row in zip(*columns, strict=True)]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_the_grid_is_the_price_of_moved_inputs() -> None:
    spot, strike, years, rate, dividend_yield, vol, right = options()
    price_moves, vol_moves = np.array([-0.3, 0.0, 0.0, 0.2]), np.array([0.1, 0.0, -5.0, 0.05])
    grid = pricing.price_grid(*options(), price_moves, vol_moves, 1 / 365)
    assert grid.shape == (500, 4)
    later = np.maximum(years - 1 / 365, 0.0)
    for j, (dp, dv) in enumerate(zip(price_moves, vol_moves, strict=True)):
        moved = pricing.price(spot * (1 + dp), strike, later, rate, dividend_yield, np.maximum(vol + dv, 0.0), right)
        np.testing.assert_allclose(grid[:, j], moved, rtol=0, atol=1e-12)
    table = np.broadcast_to(price_moves, (500, 4))
    per_row = pricing.price_grid(*options(), table, np.tile(vol_moves, (500, 1)), 1 / 365)
    assert per_row.tobytes() == grid.tobytes()


def test_inputs_broadcast_and_strides_do_not_matter() -> None:
    columns = options()
    plain = pricing.price(*columns)
    strided = [np.repeat(c, 3)[::3] for c in columns]
    backwards = [c[::-1].copy()[::-1] for c in columns]
    assert pricing.price(*strided).tobytes() == plain.tobytes()
    assert pricing.price(*backwards).tobytes() == plain.tobytes()
    table = pricing.price(100.0, [[90.0], [110.0]], 0.5, 0.0, 0.0, 0.2, ["call", "put", "C"])
    assert table.shape == (2, 3)
    assert table[0, 0] == table[0, 2] == pricing.price(100.0, 90.0, 0.5, 0.0, 0.0, 0.2, 1)
    assert pricing.price(100, 90, 1, 0, 0, 0.2, 1) == pricing.price(100.0, 90.0, 1.0, 0.0, 0.0, 0.2, "call")
    assert pricing.price(*(c[:0] for c in columns)).shape == (0,)


def test_long_columns_release_the_lock_and_change_nothing() -> None:
    columns = [np.tile(c, 60) for c in options()]
    moves = np.linspace(-0.2, 0.2, 16)
    grid = pricing.price_grid(*columns, moves)
    assert grid.tobytes() == np.tile(pricing.price_grid(*options(), moves), (60, 1)).tobytes()


def test_out_is_written_and_returned() -> None:
    columns = options()
    out = np.full(500, np.nan)
    assert pricing.price(*columns, out=out) is out
    assert out.tobytes() == pricing.price(*columns).tobytes()
    for wrong in (np.empty(499), np.empty(500, np.float32), np.empty(1000)[::2]):
        with pytest.raises(mc.InvalidInput, match="out"):
            pricing.price(*columns, out=wrong)
    with pytest.raises(mc.InvalidInput, match="out shares memory with spot"):
        pricing.price(*columns, out=columns[0])
    frozen = np.empty(500)
    frozen.flags.writeable = False
    with pytest.raises(mc.InvalidInput, match="out cannot be written"):
        pricing.price(*columns, out=frozen)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (0, np.nan, "row 300: spot is NaN"),
        (0, 0.0, "row 300: spot is 0"),
        (1, -5.0, "row 300: strike is -5"),
        (2, -0.1, "row 300: years is -0.1"),
        (3, np.inf, "row 300: rate is inf"),
        (4, np.nan, "row 300: dividend_yield is NaN"),
        (5, -0.2, "row 300: vol is -0.2"),
        (6, 0, "right"),
    ],
)
def test_bad_rows_are_named(column: int, value: float, message: str) -> None:
    columns = [c.copy() for c in options()]
    columns[column][300] = value
    with pytest.raises(mc.InvalidInput, match=message):
        pricing.price(*columns)
    with pytest.raises(mc.InvalidInput, match=message):
        pricing.price_grid(*columns, [0.0, 0.1])
    with pytest.raises(mc.InvalidInput, match=message):
        pricing.greeks(*columns)


def test_bad_arguments_are_refused() -> None:
    good = (100.0, 100.0, 1.0, 0.0, 0.0, 0.2)
    for right in ("buy", 2, 0.5, None):
        with pytest.raises(mc.InvalidInput, match="right"):
            pricing.price(*good, right)
    with pytest.raises(mc.InvalidInput, match="exercise"):
        pricing.price(*good, 1, exercise="bermudan")  # type: ignore[arg-type]
    with pytest.raises(mc.InvalidInput, match="only American"):
        pricing.price(*good, 1, steps=5)
    with pytest.raises(mc.InvalidInput, match="do not broadcast"):
        pricing.price([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 0.0, 0.0, 0.2, 1)
    with pytest.raises(mc.InvalidInput, match="price_moves, row 0, scenario 1"):
        pricing.price_grid(*good, 1, [0.0, -1.5])
    with pytest.raises(mc.InvalidInput, match="scenarios"):
        pricing.price_grid(*good, 1, [0.0, 0.1], [0.0, 0.1, 0.2])


def test_implied_vol_returns_what_was_priced() -> None:
    spot, strike, years, rate, dividend_yield, vol, _ = options()
    forward = spot * np.exp((rate - dividend_yield) * years)
    right = np.where(forward < strike, 1, -1).astype(np.int8)
    prices = pricing.price(spot, strike, years, rate, dividend_yield, vol, right)
    known = (prices > 1e-9 * spot) & (prices < 0.5 * np.minimum(spot, strike))
    assert known.sum() > 200
    back, status = pricing.implied_vol(
        prices, spot, strike, years, rate, dividend_yield, right, on_error="nan", return_status=True
    )
    np.testing.assert_allclose(back[known], vol[known], rtol=1e-11)
    assert not status[known].any()


def test_prices_without_a_vol_are_named() -> None:
    prices = [10.0, 200.0, 12.0, np.nan]
    with pytest.raises(mc.CalculationError, match=r"3 of 4 prices have no vol: row 0, price 10\.0: price at or below"):
        pricing.implied_vol(prices, 100.0, 90.0, 0.5, 0.02, 0.0, "call")
    vol, status = pricing.implied_vol(prices, 100.0, 90.0, 0.5, 0.02, 0.0, "call", on_error="nan", return_status=True)
    assert status.tolist() == [1, 2, 0, 3]
    assert np.isnan(vol).tolist() == [True, True, False, True]


def chain() -> tuple[Any, ...]:
    strikes = np.tile(np.arange(80.0, 121.0, 5.0), 4)
    years = np.repeat([0.1, 0.6], 18)
    right = np.tile(np.repeat([1, -1], 9), 2).astype(np.int8)
    vol = 0.2 + 0.001 * (100.0 - strikes)
    mid = pricing.price(100.0, strikes, years, 0.04, 0.015, vol, right)
    return strikes, years, right, mid, vol


def test_quotes_give_forward_discount_and_vols() -> None:
    strikes, years, right, mid, vol = chain()
    found = quotes.imply(100.0, strikes, years, right, 0.99 * mid, 1.01 * mid)
    assert [t.years for t in found.terms] == [0.1, 0.6]
    for term in found.terms:
        assert term.forward == pytest.approx(100.0 * np.exp(0.025 * term.years), rel=1e-9)
        assert term.discount == pytest.approx(np.exp(-0.04 * term.years), rel=1e-9)
    np.testing.assert_allclose(found.vol, vol, rtol=1e-6)
    again = pricing.price(100.0, strikes, years, found.rate, found.dividend_yield, found.vol, right)
    np.testing.assert_allclose(again, found.mid, rtol=0, atol=1e-13)


def test_quotes_left_out_say_why_and_borrow_only_when_asked() -> None:
    strikes, years, right, mid, _ = chain()
    bid, ask = 0.99 * mid, 1.01 * mid
    bid[0] = ask[0] = 15.0  # an 80 call below its intrinsic value
    bid[1], ask[2], ask[3] = 50.0, np.nan, 0.0
    bid[3] = 0.0
    found = quotes.imply(100.0, strikes, years, right, bid, ask, rate=0.04)
    assert found.reason[0].startswith("price at or below the intrinsic")
    assert found.reason[1].startswith("crossed")
    assert found.reason[2] == "bid or ask is no price"
    assert found.reason[3] == "no ask"
    assert found.report()["kept"] == 32
    opposite = quotes.imply(100.0, strikes, years, right, bid, ask, rate=0.04, no_vol="opposite")
    assert opposite.borrowed.tolist() == [True] + [False] * 35
    assert opposite.vol[0] == opposite.vol[9]
    nearest = quotes.imply(100.0, strikes, years, right, bid, ask, rate=0.04, no_vol="nearest")
    assert nearest.vol[0] == nearest.vol[4]


def test_a_vol_that_no_market_takes_is_left_out_of_a_chain() -> None:
    from margincore.pricing import quotes

    strikes, right = np.array([99.0, 99.0, 100.0, 100.0]), np.array([1, -1, 1, -1], np.int8)
    mid = np.array([12.0, 11.0, 11.5, 11.5])  # a tenth of the spot, five minutes before the end
    years = 300 / (365 * 86_400)
    found = quotes.imply(100.0, strikes, np.full(4, years), right, mid, mid)
    assert set(found.reason) == {"vol above 1,000 %: no market takes it"}
    assert np.isnan(found.vol).all()
    vols = pricing.implied_vol(mid[:1], 100.0, 99.0, years, 0.0, 0.0, 1)
    assert vols[0] > quotes._MOST_VOL
    with pytest.raises(mc.InvalidInput, match="between 0 and 10"):
        pricing.price(100.0, 99.0, years, 0.0, 0.0, vols, 1)
    assert pricing.price(100.0, 99.0, years, 0.0, 0.0, quotes._MOST_VOL, 1) > 0.0


def test_real_chains_invert_and_return_their_mids() -> None:
    """Every row has a vol or a reason, and the vols give the mids back."""
    bench = pytest.importorskip("benches.bench_quotes")
    found = list(bench.chains())
    if not found:
        pytest.skip(f"no real chains at {bench.folder()}: set MARGINCORE_DATA")
    for chain in found:
        if chain.american:
            continue  # the American chains take a minute; the bench prints them
        implied = chain.imply()
        assert np.all(implied.kept == (implied.reason == ""))
        assert implied.kept.mean() > 0.9, chain.name
        assert chain.reprice(implied).max() < 1e-14, chain.name


def test_escrowed_dividends_come_off_the_spot_of_a_european_option() -> None:
    cash = [(0.1, 1.5), (0.4, 2.0), (0.7, 9.0)]
    columns = {"strike": [95.0, 105.0], "years": 0.5, "rate": 0.04, "dividend_yield": 0.01, "vol": 0.25}
    # Discounted at 4 % less the yield of 1 %: the forward is that of carrying the share.
    left = 100.0 - 1.5 * np.exp(-0.003) - 2.0 * np.exp(-0.012)
    put = pricing.price(100.0, **columns, right=-1, dividends=cash)
    forward = 100.0 * np.exp(0.015) - 1.5 * np.exp(0.012) - 2.0 * np.exp(0.003)
    both = pricing.price(100.0, **columns, right=1, dividends=cash)
    np.testing.assert_array_equal(both, pricing.price(left, **columns, right=1))
    np.testing.assert_allclose(both - put, np.exp(-0.02) * (forward - np.array([95.0, 105.0])), rtol=1e-12)
    tree = pricing.price(100.0, **columns, right=1, exercise="american", dividends=cash, steps=900)
    assert np.all(tree >= both - 1e-3)
    greeks = pricing.greeks(100.0, **columns, right=1, dividends=cash)
    h = 1e-4

    def at(spot: float = 100.0, later: float = 0.0, **changed: float) -> Any:
        moved = {**columns, **changed, "years": 0.5 - later}
        return pricing.price(spot, **moved, right=1, dividends=[(when - later, paid) for when, paid in cash])

    np.testing.assert_allclose(greeks.delta, (at(100.0 + h) - at(100.0 - h)) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(greeks.rho, (at(rate=0.04 + h) - at(rate=0.04 - h)) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(greeks.theta, (at(later=h) - at(later=-h)) / (2 * h), rtol=1e-5)
    grid = pricing.price_grid(100.0, **columns, right=1, price_moves=[-0.1, 0.2], dividends=cash)
    np.testing.assert_allclose(grid, np.stack([at(90.0), at(120.0)], axis=1), rtol=1e-12)
    vol = pricing.implied_vol(both, 100.0, columns["strike"], 0.5, 0.04, 0.01, 1, dividends=cash)
    np.testing.assert_allclose(vol, 0.25, rtol=1e-12)
    with pytest.raises(mc.Unsupported, match="spot-drop"):
        pricing.price(100.0, **columns, right=1, dividends=cash, treatment="spot_drop")
    with pytest.raises(mc.InvalidInput, match="nothing is left"):
        pricing.price(3.0, **columns, right=1, dividends=cash)
    with pytest.raises(mc.InvalidInput, match="steps"):
        pricing.price(100.0, **columns, right=1, steps=10)


def test_an_expiry_without_pairs_has_no_forward() -> None:
    found = quotes.imply(100.0, [90.0, 110.0], [0.5, 0.5], [1, -1], [12.0, 12.0], [13.0, 13.0])
    assert found.report()["kept"] == 0
    assert set(found.reason) == {"no forward: no strike with call and put quoted"}
