"""Instrument names: what is read prints as the same name, and everything else is refused."""

from __future__ import annotations

import datetime as dt
import random
import string
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore import crypto

VENUES: tuple[Any, ...] = ("deribit", "okx", "binance", "bybit", "derive")
SAMPLES = [
    ("deribit", "BTC-3JAN25-70000-C"), ("deribit", "XRP_USDC-28JUN24-0d5-C"), ("deribit", "BTC-PERPETUAL"),
    ("okx", "BTC-USD-241227-70000-C"), ("okx", "BTC-USDT-241227"), ("okx", "BTC-USDT-SWAP"),
    ("binance", "DOGE-241227-0.25-P"), ("binance", "BTCUSDT_250926"), ("binance", "BTCUSD_PERP"),
    ("bybit", "BTC-3JAN25-70000-C-USDT"), ("bybit", "BTCUSDT-03JAN25"), ("bybit", "BTCPERP"),
    ("derive", "XRP-20241227-0_55-P"), ("derive", "ETH-PERP"),
]  # fmt: skip


def kept(venue: Any, name: str) -> bool:
    """Whether a name is read; then it is the id of its contract, and what its instrument is called."""
    try:
        found = crypto.parse(venue, name)
        made = crypto.contract(venue, name)
    except mc.MarginError:
        return False
    assert crypto.instrument_name(found) == name == made.id
    assert (made.kind, made.underlying, made.currency) == (found.kind, found.underlying, found.settle)
    assert (made.strike, made.right) == (found.strike, found.right)
    if found.expiry is not None:
        assert made.expiry == found.expiry.isoformat().replace("+00:00", "Z")
    return True


dates = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
coins = st.text("ABCXYZ019", min_size=1, max_size=8)
strikes = st.one_of(
    st.integers(1, 10**7).map(str), st.integers(1, 10**9).map(lambda n: f"{n / 10**4:.4f}".rstrip("0").rstrip("."))
)


@given(st.sampled_from(VENUES), coins, dates, strikes, st.sampled_from("CP"), st.integers(0, 5))
@settings(max_examples=400, deadline=None)
def test_every_shape_of_a_venue_goes_there_and_back(
    venue: str, coin: str, day: dt.date, strike: str, right: str, shape: int
) -> None:
    dmy, ymd = f"{day.day}{day:%b%y}".upper(), f"{day:%y%m%d}"
    point = {"deribit": "d", "derive": "_"}.get(venue, ".")
    strike = strike.replace(".", point)
    shapes = {
        "deribit": [f"{coin}-PERPETUAL", f"{coin}_USDC-PERPETUAL", f"{coin}-{dmy}", f"{coin}-{dmy}-{strike}-{right}"],
        "okx": [f"{coin}-USD-SWAP", f"{coin}-USDC-SWAP", f"{coin}-USDT-{ymd}", f"{coin}-USD-{ymd}-{strike}-{right}"],
        "binance": [f"{coin}USDT", f"{coin}USD_PERP", f"{coin}USDC_{ymd}", f"{coin}-{ymd}-{strike}-{right}"],
        "bybit": [f"{coin}USDT", f"{coin}USD", f"{coin}PERP", f"{coin}-{dmy:0>7}", f"{coin}USDT-{dmy:0>7}",
                  f"{coin}-{dmy}-{strike}-{right}"],
        "derive": [f"{coin}-PERP", f"{coin}-{day:%Y%m%d}-{strike}-{right}"],
    }[venue]  # fmt: skip
    name = shapes[shape % len(shapes)]
    assert kept(venue, name), name
    if right == "C" and name.count("-") >= 3:
        found = crypto.parse(venue, name)  # type: ignore[arg-type]
        assert found.expiry is not None
        assert (found.expiry.date(), found.strike) == (day, float(strike.replace(point, ".")))


@pytest.mark.parametrize(
    ("venue", "name"),
    [
        # A year of four digits is Derive's, and Derive's alone.
        ("okx", "BTC-USD-20261127-90000-C"), ("okx", "BTC-USD-20261127"), ("okx", "BTC-USDT-20261127"),
        ("binance", "BTC-20261127-90000-C"), ("binance", "BTCUSDT_20261127"), ("derive", "BTC-261127-90000-C"),
        ("derive", "BTC-02611127-90000-C"), ("okx", "BTC-USD-2611270-90000-C"), ("okx", "BTC-USD-26117-90000-C"),
        # Days and numbers that the venue spells in another way.
        ("deribit", "BTC-03JAN25-70000-C"), ("bybit", "BTC-3JAN25"), ("bybit", "BTC-03JAN25-70000-C"),
        ("okx", "BTC-USD-241227-70000.0-C"), ("okx", "BTC-USD-241227-070000-C"), ("okx", "BTC-USD-241227-7e4-C"),
        ("okx", "BTC-USD-241227-70_000-C"), ("okx", "BTC-USD-241227-+7-C"), ("okx", "BTC-USD-241227-7.-C"),
        ("okx", "BTC-USD-241227-0-C"), ("okx", "BTC-USD-241227-nan-C"), ("okx", "BTC-USD-241227-1e400-C"),
        ("okx", "BTC-USD-241227-" + "9" * 400 + "-C"), ("okx", "BTC-USD-241227-0.00000000001-C"),
        ("deribit", "BTC-27DEC24-1.5-C"), ("derive", "BTC-20241227-1.5-C"), ("okx", "BTC-USD-٢٤١٢٢٧-7-C"),
        ("binance", "BTCUSDT_٢٥٠٩٢٦"), ("deribit", "BTC-27DEC24-７-C"), ("binance", "BTCUSDT_000000"),
        # Symbols that are none.
        ("okx", "-USD-SWAP"), ("okx", "btc-USD-SWAP"), ("bybit", "PERP"), ("bybit", "-03JAN25"), ("derive", "-PERP"),
        ("binance", "-241227-7-C"), ("deribit", "BTC_-PERPETUAL"), ("deribit", "BTC_usdc-PERPETUAL"),
        ("deribit", "BTC_BTC-PERPETUAL"), ("binance", "USDTUSDT_PERP"), ("okx", "B TC-USD-SWAP"),
        # What nobody sees.
        *[(venue, change) for venue, name in SAMPLES for c in "\0 \u00a0\u200b\u202e\ufeff\ud800\n"
          for change in (name + c, c + name, name[:2] + c + name[2:])],
    ],
)  # fmt: skip
def test_another_spelling_is_refused(venue: Any, name: str) -> None:
    assert not kept(venue, name)
    with pytest.raises(mc.ParseError):
        crypto.parse(venue, name)


def test_mutated_names_are_kept_or_refused() -> None:
    draw = random.Random("names")
    letters = string.ascii_uppercase + string.digits + "-_.d\0 é"
    read = 0
    start = time.perf_counter()
    for _ in range(6000):
        venue, name = draw.choice(SAMPLES)
        for _ in range(draw.choice((1, 1, 2, 4))):
            at, new = draw.randrange(len(name) + 1), draw.choice((*letters, "", "-20261127", "99999999", "USDT"))
            name = name[:at] + new + name[at + draw.randrange(2) :]
        read += kept(draw.choice((venue, draw.choice(VENUES))), name)
    assert 300 < read < 5000
    assert time.perf_counter() - start < 20.0


def test_what_is_no_name_or_venue_is_refused() -> None:
    for venue, name in (("okex", "BTC-USDT-SWAP"), ([], "x"), (None, "x"), ("okx", None), ("okx", b"x"), ("okx", 5)):
        with pytest.raises(mc.InvalidInput):
            crypto.parse(venue, name)  # type: ignore[arg-type]


def test_an_instrument_that_no_name_says_is_refused() -> None:
    expiry = dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC)
    good: dict[str, Any] = {"venue": "okx", "underlying": "BTC", "settle": "BTC", "kind": "option", "expiry": expiry,
                            "strike": 90000.0, "right": "call"}  # fmt: skip
    assert crypto.instrument_name(crypto.Instrument(**good)) == "BTC-USD-261127-90000-C"
    for change in (
        {"venue": "okex"}, {"underlying": "btc"}, {"underlying": "BTC\0"}, {"underlying": ""}, {"settle": "EUR"},
        {"kind": "future"}, {"kind": "spot"}, {"expiry": None}, {"expiry": expiry.replace(hour=9)},
        {"expiry": expiry.replace(tzinfo=None)}, {"expiry": expiry.replace(year=2126)}, {"expiry": "2026-11-27"},
        {"strike": None}, {"strike": 0.0}, {"strike": -1.0}, {"strike": float("nan")}, {"strike": float("inf")},
        {"strike": 1e300}, {"strike": 1e-12}, {"strike": "90000"}, {"right": None}, {"right": "C"}, {"venue": "derive"},
        {"venue": "binance"}, {"kind": "perpetual"}, {"venue": []},
    ):  # fmt: skip
        with pytest.raises(mc.InvalidInput):
            crypto.instrument_name(crypto.Instrument(**{**good, **change}))


def test_sizes_out_of_range_are_refused() -> None:
    for size in (10**400, -(10**5000), float("nan"), float("inf"), True, None, "five", [], 1j):
        with pytest.raises(mc.MarginError):
            crypto.deribit_positions({"BTC-PERPETUAL": size})  # type: ignore[dict-item]
        with pytest.raises(mc.MarginError):
            crypto.okx_positions([{"instId": "BTC-USDT-SWAP", "pos": size}], {"BTC-USDT-SWAP": 0.01})
