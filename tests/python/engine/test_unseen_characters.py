"""Names are kept or refused, through every door: none is changed without a word."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

import margincore as mc

UNSEEN = ["SPY\0\0", "S\0PY", "\0SPY", " SPY", "SPY ", "\u00a0SPY", "SPY\t", "S\u200bPY", "SPY\u202e", "\ufeffSPY",
          "S\u00adPY", "SPY\u3164", "SPY\uffa0", "S\u2066PY", "\ud800"]  # fmt: skip


def table(**columns: Any) -> mc.Contracts:
    return mc.Contracts.from_columns(**{"kind": "etf", "underlying": ["SPY", "QQQ"], "currency": "USD", **columns})


@pytest.mark.parametrize("name", UNSEEN)
def test_a_name_with_what_nobody_sees_is_refused_at_every_door(name: str) -> None:
    terms = {"kind": "etf", "underlying": "SPY", "currency": "USD"}
    for make in (
        lambda: mc.Etf(name, currency="USD"),
        lambda: mc.Etf("SPY", currency=name),
        lambda: mc.Etf("SPY", currency="USD", id=name),
        lambda: mc.Contract(**terms, venue=name),
        lambda: mc.Contract(**terms, deliverable=name),
        lambda: mc.Contract(**terms, multiplier_unit=name),
        lambda: mc.Contract(**terms, aliases={"osi": name}),
        lambda: mc.Contract(**terms, aliases={name: "SPY"}),
        lambda: table(underlying=name),
        lambda: table(underlying=["QQQ", name]),
        lambda: table(underlying=("QQQ", name)),
        lambda: table(underlying=np.array(["QQQ", name], dtype=object)),
        lambda: table(aliases={"osi": ["", name]}),
        lambda: table(aliases={"osi": name}),
        lambda: mc.Account([], cash={name: 1.0}),
        lambda: mc.Account([], collateral={name: 1.0}),
        lambda: mc.Market("2026-11-18T16:00:00-05:00", spot={name: 1.0}),
        lambda: mc.documents.account_from_document({"positions": [], "cash": {name: 1.0}}),
        lambda: mc.documents.account_from_document(
            {"positions": [{"contract": {**terms, "underlying": name}, "quantity": 1}]}
        ),
    ):
        with pytest.raises(mc.InvalidInput):
            make()
    if not name.endswith("\0"):  # an array of NumPy text has lost it when it is made
        for array in (np.array(["QQQ", name]), np.array([b"QQQ", name.encode("utf-8", "surrogatepass")])):
            with pytest.raises(mc.InvalidInput):
                table(underlying=array)


def test_every_form_of_text_gives_the_same_table() -> None:
    plain = table()
    names = ["SPY", "QQQ"]
    for column in (np.array(names), np.array(names, dtype=object), np.array([b"SPY", b"QQQ"]), tuple(names),
                   [b"SPY", b"QQQ"], np.array(names)[::1], np.array(names, dtype="U40")):  # fmt: skip
        assert table(underlying=column).digest == plain.digest
    assert table(underlying=np.array(["Ä", "Ö".encode()], dtype=object)).ids == ("Ä", "Ö")
    many = [f"N{i % 1000}" for i in range(1000)]
    assert table(underlying=many).ids == table(underlying=np.array(many)).ids == tuple(many)


def test_dates_come_in_every_form() -> None:
    day = dt.date(2026, 12, 18)
    made = [
        mc.Contracts.from_columns(
            kind="future", underlying=["A"], currency="USD", multiplier=1.0, settles="pm", expiry=e
        )
        for e in ([day], np.array([day], "M8[D]"), np.array([day], dtype=object), ["2026-12-18"], "2026-12-18")
    ]
    assert {one.digest for one in made} == {made[0].digest}


@pytest.mark.parametrize(
    "columns",
    [
        {"underlying": ["SPY", None]}, {"underlying": ["SPY", 1]}, {"underlying": ["SPY", 1.5]}, {"underlying": 5},
        {"underlying": np.array(["SPY", None], dtype=object)}, {"underlying": [["SPY"], ["QQQ"]]},
        {"underlying": [["SPY"], ["QQQ", "X"]]}, {"underlying": {"SPY"}}, {"underlying": b"SPY"},
        {"underlying": np.array([b"S\xffY", b"QQQ"])}, {"underlying": [b"S\xffY"]}, {"underlying": object()},
        {"underlying": [object()]}, {"multiplier": [10**400, 1]}, {"multiplier": 10**400}, {"multiplier": [1j, 1j]},
        {"multiplier": np.ones((2, 2))}, {"multiplier": ["1", "2"]}, {"aliases": {"osi": [None, "x"]}},
        {"aliases": {"osi": 5}}, {"aliases": {"osi": {}}},
    ],
)  # fmt: skip
def test_columns_of_another_kind_are_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(mc.MarginError):
        table(**columns)


def test_documents_without_end_are_refused() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = {"a": [deep]}
    circle: list[Any] = []
    circle.append(circle)
    good: dict[str, Any] = {"account": {"positions": []}, "methodology": {"name": "tims"}}
    spot = {"valuation": "2026-11-20T16:00:00-05:00", "spot": {}}
    for value in (deep, circle, 10**5000, "\ud800", {"\ud800": 1}, {1: 2}):
        for document in (
            {**good, "account": {"positions": [{"contract": value, "quantity": 1}]}},
            {**good, "account": {"positions": [{"symbol": value, "quantity": 1}]}},
            {**good, "account": {"positions": [], "cash": value}},
            {**good, "market": {**spot, "spot": value}},
            {**good, "market": {**spot, "vol": value}},
            {**good, "market": {**spot, "valuation": value}},
            {**good, "methodology": {"name": "tims", "grid": value}},
            {**good, "products": {"rows": [value]}},
            {**good, "contracts": [value]},
        ):
            with pytest.raises(mc.MarginError):
                mc.evaluate(document)
