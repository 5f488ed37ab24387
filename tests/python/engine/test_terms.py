"""The terms of a contract stand in one list: documents, columns, getters and the stub follow it."""

from __future__ import annotations

import ast
from importlib.resources import files

import numpy as np
import pytest

import margincore as mc
from margincore.documents import schema

FULL = {
    "id": "X",
    "kind": "option",
    "underlying": "A",
    "right": "put",
    "strike": 90.0,
    "expiry": "2026-12-18",
    "settles": "pm",
    "exchange": "us",
    "exercise": "american",
    "multiplier": 100.0,
    "multiplier_unit": "coin",
    "strike_multiplier": 50.0,
    "premium_multiplier": 25.0,
    "settlement": "inverse",
    "premium": "futures_style",
    "currency": "USD",
    "lot": 0.5,
    "deliverable": {"shares": {"A": 150.0, "B": 12.5}, "cash": 10.25},
    "listed": False,
    "venue": "XNAS",
    "aliases": {"osi": "A  261218P00090000"},
}


def test_every_term_has_a_getter_and_comes_by_document_and_by_columns() -> None:
    contract = mc.Contract.from_dict(FULL)
    assert tuple(FULL) == mc.Contract.TERMS
    assert tuple(schema()["$defs"]["contract"]["properties"]) == mc.Contract.TERMS
    assert contract.to_dict() == FULL
    assert {name: getattr(contract, name) for name in mc.Contract.TERMS} == FULL
    assert mc.Contracts.from_columns(**FULL)[0] == contract
    rows = {name: value if name == "aliases" else [value] for name, value in FULL.items()}
    rows["aliases"] = {vendor: np.array([alias]) for vendor, alias in FULL["aliases"].items()}  # type: ignore[attr-defined]
    assert mc.Contracts.from_columns(**rows)[0] == contract


def test_what_is_left_out_reads_as_none_or_its_default() -> None:
    stock = mc.Stock("A", currency="USD")
    absent = {name for name in mc.Contract.TERMS if getattr(stock, name) is None}
    assert absent == {
        "right", "strike", "expiry", "settles", "exchange", "exercise", "multiplier_unit",
        "strike_multiplier", "premium_multiplier", "deliverable", "venue",
    }  # fmt: skip
    assert (stock.settlement, stock.premium, stock.listed, stock.aliases) == ("linear", "upfront", True, {})


def test_contracts_over_the_counter_come_by_columns() -> None:
    table = mc.Contracts.from_columns(
        kind="stock",
        underlying=["A", "B", "C"],
        currency="USD",
        listed=np.array([True, False, True]),
        aliases={"ric": ["A.N", "", "C.N"], "figi": "BBG"},
    )
    assert [c.listed for c in table] == [True, False, True]
    assert [c.aliases for c in table] == [{"figi": "BBG", "ric": "A.N"}, {"figi": "BBG"}, {"figi": "BBG", "ric": "C.N"}]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"lot": True}, "column 'lot': True stands where a number or text is needed"),
        ({"lot": np.array([True])}, "unknown true-or-false column 'lot': known are listed"),
        ({"listed": 1.0}, "unknown number column 'listed'"),
        ({"venue": {"a": "b"}}, "unknown named column 'venue': known are aliases"),
        (
            {"aliases": {"ric": ["a", "b"]}, "underlying": ["A", "B", "C"]},
            "'aliases.ric' has 2 rows where others have 3",
        ),
    ],
)
def test_columns_of_another_form_are_refused(columns: dict[str, object], words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=words):
        mc.Contracts.from_columns(**{"kind": "stock", "underlying": "A", "currency": "USD", **columns})


def test_the_stub_has_a_property_for_every_term() -> None:
    tree = ast.parse(files("margincore").joinpath("_core.pyi").read_text(encoding="utf-8"))
    stub = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Contract")
    assert set(mc.Contract.TERMS) <= {n.name for n in stub.body if isinstance(n, ast.FunctionDef)}


def test_details_of_a_report_may_be_true_or_false() -> None:
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 100.0})
    document = mc.margin([mc.Position(mc.Stock("A", currency="USD"), 1)], market, mc.methods.Tims()).to_dict()
    document["details"]["scanning"] = True
    assert mc.MarginReport.from_dict(document).details["scanning"] is True
    document["requirement"]["initial"] = True
    with pytest.raises(mc.InvalidInput, match=r"requirement\.initial: True stands where a number is needed"):
        mc.MarginReport.from_dict(document)
