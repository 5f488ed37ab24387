"""A processor that would round otherwise, or a misspelt instruction set, is refused at every door."""

from __future__ import annotations

import ctypes
import itertools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import margincore as mc
from helpers import SMALL_SPN
from margincore._core import SpanFile

STOCK = mc.Stock("XYZ", currency="USD")
TERMS = {"expiry": "2026-12-18", "settles": "pm", "multiplier": 100, "currency": "USD"}
EUROPEAN = mc.Option("XYZ", "call", 50, exercise="european", **TERMS)  # type: ignore[arg-type]
AMERICAN = mc.Option("XYZ", "put", 50, exercise="american", **TERMS)  # type: ignore[arg-type]
MARKET = mc.Market(
    "2026-11-20T21:00:00Z",
    spot={"XYZ": 50.0},
    rate={"USD": 0.05},
    dividend_yield={"XYZ": 0.0},
    vol={EUROPEAN.id: 0.2, AMERICAN.id: 0.2},
)
CONTRACTS = [STOCK, EUROPEAN, AMERICAN]
ACCOUNT = mc.Account([mc.Position(EUROPEAN, -1), mc.Position(AMERICAN, 2)], cash={"USD": 1e5})


def doors() -> dict[str, Callable[[], object]]:
    """Whatever answers with a number that it calculates."""
    engine = mc.Engine(mc.methods.Tims())
    prepared = engine.prepare(CONTRACTS, MARKET)
    moved = prepared.update(spot={"XYZ": 51.0})
    rows = np.array([0], np.uint32)
    accounts = mc.Accounts.from_columns(prepared.contracts, account=rows, contract=rows, lots=np.array([-1]))
    live = prepared.open(ACCOUNT)
    limit = mc.Limit(max_requirement=1e9)
    live.reserve(mc.Order("a", EUROPEAN, "buy", 1000, 1.0))
    fills = itertools.count()
    document = {
        "account": {
            "positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"}, "quantity": 1}]
        },
        "market": {"valuation": "2026-11-20T21:00:00Z", "spot": {"XYZ": 50.0}},
        "methodology": {"name": "tims"},
    }
    option = (50.0, 50.0, 0.1, 0.05, 0.0, 0.2, "call")
    grid = (*option, np.array([0.1]), np.array([0.0]))
    return {
        "build_info": mc.build_info,
        "price": lambda: mc.pricing.price(*option),
        "price, American": lambda: mc.pricing.price(*option, exercise="american"),
        "price_grid": lambda: mc.pricing.price_grid(*grid),
        "greeks": lambda: mc.pricing.greeks(*option),
        "greeks, American": lambda: mc.pricing.greeks(*option, exercise="american"),
        "implied_vol": lambda: mc.pricing.implied_vol(1.4, 50.0, 50.0, 0.1, 0.05, 0.0, "call"),
        "prepare": lambda: engine.prepare(CONTRACTS, MARKET),
        "update": lambda: prepared.update(spot={"XYZ": 51.0}),
        "with_market": lambda: prepared.with_market(MARKET),
        "margin": lambda: prepared.margin(ACCOUNT),
        "margin_many of columns": lambda: prepared.margin_many(accounts),
        "margin_many of a list": lambda: prepared.margin_many([ACCOUNT]),
        "mc.margin": lambda: mc.margin(ACCOUNT, MARKET, mc.methods.Tims()),
        "compare": lambda: mc.compare(ACCOUNT, MARKET, [mc.methods.Tims()], strict=True),
        "evaluate": lambda: mc.evaluate(document),
        "open": lambda: prepared.open(ACCOUNT),
        "SPAN file": lambda: SpanFile.parse(SMALL_SPN, "small.spn"),
        "live.equity": lambda: live.equity,
        "live.excess": lambda: live.excess,
        "live.worst": lambda: live.worst,
        "live.report": live.report,
        "live.margin_after": lambda: live.margin_after(1, 2),
        "live.band_after": lambda: live.band_after(1, 2),
        "live.what_if": lambda: live.what_if([(EUROPEAN, 1)]),
        "live.apply": lambda: live.apply([(EUROPEAN, 1)]),
        "live.deposit": lambda: live.deposit("USD", 1.0),
        "live.fill": lambda: live.fill("a", f"f{next(fills)}", 1, 1.0),
        "live.rebase": lambda: live.rebase(moved),
        "live.max_quantity": lambda: live.max_quantity(EUROPEAN, "buy", limit, price=1.0),
        "live.rank": lambda: live.rank(rows, np.array([1])),
        "live.hedges": lambda: live.hedges(limit),
        "live.check": lambda: refused(live.check(mc.Order("b", EUROPEAN, "buy", 1, 1.0), limit)),
    }


def refused(decision: mc.Decision) -> mc.Decision:
    """A check does not raise: it refuses, and says why."""
    if decision.reason == "engine":
        raise mc.CalculationError(decision.message)
    return decision


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], None]:
    """Sets bits of this thread's control register; 0 sets none."""
    compiler = shutil.which("cc")
    if compiler is None or platform.machine() != "x86_64":
        pytest.skip("needs a C compiler and an x86-64 processor")
    folder: Path = tmp_path_factory.mktemp("processor")
    source = folder / "state.c"
    source.write_text("#include <xmmintrin.h>\nvoid set(unsigned bits) { _mm_setcsr(0x1F80 | bits); }\n")
    library = folder / "state.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return ctypes.CDLL(str(library)).set  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("state", "bits"),
    {"flush to zero": 0x8000, "denormals are zero": 0x0040, "upwards": 0x4000, "downwards": 0x2000}.items(),
)
def test_another_processor_state_is_refused_at_every_door(
    processor: Callable[[int], None], state: str, bits: int
) -> None:
    for door, ask in doors().items():
        ask()
        processor(bits)
        try:
            with pytest.raises(mc.CalculationError, match="floating-point control register"):
                print(f"{state}: {door} answered", ask())
        finally:
            processor(0)


def test_a_misspelt_instruction_set_is_an_error() -> None:
    program = (
        "import margincore as mc\n"
        "for ask in (mc.build_info, lambda: mc.pricing.price(50.0, 50.0, 0.1, 0.05, 0.0, 0.2, 'call'),\n"
        "            lambda: mc.margin([], mc.Market('2026-11-20T21:00:00Z'), mc.methods.Tims())):\n"
        "    try:\n"
        "        print('answered', ask())\n"
        "    except mc.InvalidInput as error:\n"
        "        print(error)\n"
    )
    asked = {**os.environ, "MARGINCORE_SIMD": "avx51"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=asked, check=True)
    lines = done.stdout.strip().splitlines()
    assert lines == ['MARGINCORE_SIMD="avx51": expected avx512, avx2 or baseline, or leave it unset'] * 3
