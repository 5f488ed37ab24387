"""Fills added to accounts in columns: the accounts that all positions together make, to the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import margincore as mc

NAMES = [f"S{i:02d}" for i in range(40)]
TABLE = mc.Contracts([mc.Stock(name, currency="USD") for name in NAMES])
MARKET = mc.Market("2026-11-20T21:00:00Z", spot={name: 10.0 + i for i, name in enumerate(NAMES)})
PREPARED = mc.Engine(mc.methods.Tims()).prepare(TABLE, MARKET)
MOST = 1 << 53


def columns(chance: np.random.Generator, rows: int, accounts: int) -> dict[str, Any]:
    return {
        "account": chance.integers(0, accounts, rows),
        "contract": chance.integers(0, len(TABLE), rows),
        "lots": chance.integers(-3, 4, rows),
    }


def bits(accounts: mc.Accounts) -> tuple[str, bytes, bytes]:
    batch = PREPARED.margin_many(accounts)
    return repr(accounts), batch.initial.tobytes(), batch.worst_scenario.tobytes()


@pytest.mark.parametrize("seed", range(60))
def test_fills_make_the_accounts_that_all_rows_together_make(seed: int) -> None:
    """Few lots of few contracts: positions are made, grown, turned and closed; some accounts hold nothing."""
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 30))
    held = columns(chance, int(chance.integers(0, 300)), count)
    accounts = mc.Accounts.from_columns(TABLE, **held, count=count)
    before = bits(accounts)
    for _ in range(4):
        fills = columns(chance, int(chance.integers(0, 120)), count)
        held = {name: np.concatenate([held[name], fills[name]]) for name in held}
        untouched, after = bits(accounts), accounts.apply(**fills)
        assert bits(accounts) == untouched
        assert bits(after) == bits(mc.Accounts.from_columns(TABLE, **held, count=count))
        accounts = after
    # The opposite of everything that was added brings the first accounts back, and of everything, none.
    rows = len(held["lots"])
    nothing = accounts.apply(held["account"], held["contract"], -held["lots"])
    assert repr(nothing) == f"Accounts({count} accounts, 0 positions)"
    assert rows == 0 or before[0].startswith("Accounts(")


def test_lists_and_any_integers_are_taken() -> None:
    accounts = mc.Accounts.from_columns(TABLE, account=[0], contract=[3], lots=[5])
    small = accounts.apply(np.array([0], np.uint8), [3], np.array([-2], np.int16))
    assert bits(small) == bits(mc.Accounts.from_columns(TABLE, account=[0], contract=[3], lots=[3]))


@pytest.mark.parametrize(
    ("fills", "code", "text"),
    [
        (([2], [0], [1]), "out_of_range", "row 0: account 2 of 2"),
        (([0, 1], [0, 40], [1, 1]), "out_of_range", "row 1: contract row 40 of a table of 40"),
        (([0], [0], [MOST + 1]), "too_large", "row 0"),
        (([1], [5], [1]), "too_large", "account 1: more than 2^53 lots of contract row 5"),
        (([0, 1], [0], [1]), "wrong_shape", "different lengths"),
        (([0], [0], [0.5]), None, "whole numbers"),
        (([-1], [0], [1]), None, "does not fit uint32"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    fills: tuple[list[int], list[int], list[int]], code: str | None, text: str
) -> None:
    accounts = mc.Accounts.from_columns(TABLE, account=[0, 1], contract=[1, 5], lots=[7, MOST])
    before = repr(accounts)
    with pytest.raises(mc.InvalidInput, match=text.replace("^", r"\^")) as refused:
        accounts.apply(*fills)
    assert code is None or refused.value.code == code
    assert repr(accounts) == before


def test_a_sum_within_the_bounds_is_taken_whatever_its_parts() -> None:
    accounts = mc.Accounts.from_columns(TABLE, account=[0], contract=[5], lots=[MOST])
    after = accounts.apply([0, 0, 0], [5, 5, 5], [MOST, 1 - MOST, -MOST])
    assert repr(after) == "Accounts(1 accounts, 1 positions)"
    assert PREPARED.margin_many(after).initial[0] > 0.0
