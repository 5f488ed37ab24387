"""What a property hands out cannot be written to: a write would change a copy, and say nothing."""

from __future__ import annotations

import ast
import copy
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import margincore as mc
from margincore.read_only import ReadOnlyDict, ReadOnlyList

PACKAGE = Path(mc.__file__).parent
VALUATION = "2026-11-20T16:00:00-05:00"
STOCK = mc.Stock("XYZ", currency="USD", aliases={"vendor": "XYZ US"})
PUT = mc.Option("XYZ", "put", 50, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100,
                currency="USD")  # fmt: skip
MARKET = mc.Market(VALUATION, spot={"XYZ": 50.0}, rate={"USD": 0.04}, vol={PUT.id: 0.3}, price={PUT.id: 2.0})
ACCOUNT = mc.Account([mc.Position(STOCK, 100), mc.Position(PUT, -1)], cash={"USD": 1e5})


def instances() -> Iterator[object]:
    """One of every public class that has properties and that a few lines can make."""
    rulebook = mc.methods.Tims()
    prepared = mc.Engine(rulebook).prepare([STOCK, PUT], MARKET)
    report = prepared.margin(ACCOUNT)
    live = prepared.open(mc.Account(ACCOUNT.positions, cash=ACCOUNT.cash))
    order, limit = mc.Order("a", STOCK, "buy", 100, 50.0), mc.Limit(min_excess=0.0)
    decision = live.check(order, limit, reserve=True)
    live.reserve(mc.Order("b", STOCK, "sell", 1, 50.0))
    yield from (STOCK, prepared.contracts, MARKET, ACCOUNT.positions[0], ACCOUNT, rulebook, prepared, report)
    yield from (report.requirement, report.lines[0], report.greeks[0], live, order, limit, decision)
    yield from (live.what_if([(STOCK, 1)]), prepared.margin_many([ACCOUNT]), mc.OsiSymbol("SPXW261218C04700000"))
    yield mc.compare(ACCOUNT, MARKET, [rulebook])
    yield mc.margin_path(ACCOUNT, [(STOCK, 1)], MARKET, rulebook)
    yield mc.questions.rolled(prepared, ACCOUNT)
    yield mc.monitoring.Monitor(prepared, {"one": ACCOUNT})


def properties(item: object) -> Iterator[tuple[str, Any]]:
    for name in dir(type(item)):
        member = getattr(type(item), name, None)
        if not name.startswith("_") and not callable(member):
            yield f"{type(item).__name__}.{name}", getattr(item, name)


def inside(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for part in value.values():
            yield from inside(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from inside(part)


def test_no_property_hands_out_what_can_be_written_to() -> None:
    seen = dict(pair for item in instances() for pair in properties(item))
    assert {"Market.spot", "Account.positions", "MarginReport.details", "LiveAccount.orders"} < set(seen)
    assert {name for name, value in seen.items() for part in inside(value) if type(part) in (list, dict)} == set()


def _declared(path: Path) -> Iterator[tuple[str, str]]:
    """Public properties of the public classes of a file, with what they say they are."""
    for owner in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(owner, ast.ClassDef) or owner.name.startswith("_"):
            continue
        for member in owner.body:
            if not isinstance(member, ast.FunctionDef) or member.name.startswith("_") or member.returns is None:
                continue
            if any(isinstance(d, ast.Name) and d.id == "property" for d in member.decorator_list):
                yield f"{path.stem}.{owner.name}.{member.name}", ast.unparse(member.returns)


def test_no_property_of_any_class_says_that_it_is_a_list_or_dictionary() -> None:
    """Those that no instance above has are found here: the engine's stub and every class of the package."""
    files = [PACKAGE / "_core.pyi", *(p for p in PACKAGE.rglob("*.py") if "reference" not in p.parts)]
    declared = [pair for path in files for pair in _declared(path)]
    assert len(declared) > 100
    assert [pair for pair in declared if pair[1].startswith(("list", "dict", "List", "Dict"))] == []


WRITES = [
    lambda d: d.__setitem__("a", 1), lambda d: d.__delitem__("a"), lambda d: d.clear(), lambda d: d.pop("a"),
    lambda d: d.popitem(), lambda d: d.setdefault("b", 1), lambda d: d.update(b=1), lambda d: d.__ior__({"b": 1}),
]  # fmt: skip
LIST_WRITES = [
    lambda d: d.__setitem__(0, 1), lambda d: d.__delitem__(0), lambda d: d.append(1), lambda d: d.clear(),
    lambda d: d.extend([1]), lambda d: d.insert(0, 1), lambda d: d.pop(), lambda d: d.remove(1), lambda d: d.reverse(),
    lambda d: d.sort(), lambda d: d.__iadd__([1]), lambda d: d.__imul__(2),
]  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
def test_a_dictionary_refuses_every_write(write: Any) -> None:
    held = ReadOnlyDict({"a": 1})
    with pytest.raises(TypeError, match=r"read-only.*dict\(\.\.\.\)"):
        write(held)
    assert held == {"a": 1}


@pytest.mark.parametrize("write", LIST_WRITES)
def test_a_list_refuses_every_write(write: Any) -> None:
    held = ReadOnlyList([1])
    with pytest.raises(TypeError, match=r"read-only.*list\(\.\.\.\)"):
        write(held)
    assert held == [1]


def test_nothing_that_changes_a_dictionary_or_list_is_forgotten() -> None:
    """Whatever Python adds to them that is not on the list of questions is a write, until somebody has looked."""
    asks = {"copy", "fromkeys", "get", "items", "keys", "values", "count", "index"}
    for kind, base in ((ReadOnlyDict, dict), (ReadOnlyList, list)):
        free = {name for name in vars(base) if not name.startswith("_")} - asks
        assert {name for name in free if getattr(kind, name) is getattr(base, name)} == set()


def test_they_go_wherever_a_dictionary_goes() -> None:
    spot = MARKET.spot
    assert spot == {"XYZ": 50.0}
    assert json.loads(json.dumps(spot)) == spot
    assert dict(**spot) == spot
    assert {**spot, "A": 1.0} == {**spot} | {"A": 1.0}
    changed = dict(spot)
    changed["XYZ"] = 51.0
    assert MARKET.spot["XYZ"] == 50.0
    assert mc.Market(VALUATION, spot=spot).spot == spot
    details = mc.margin(ACCOUNT, MARKET, mc.methods.Tims()).details
    for other in (pickle.loads(pickle.dumps(details)), copy.copy(details), copy.deepcopy(details)):
        assert other == details
        assert type(other) is ReadOnlyDict
    assert json.loads(json.dumps(details)) == details


def test_an_account_and_a_market_say_that_a_write_is_lost() -> None:
    with pytest.raises(TypeError, match="read-only"):
        MARKET.spot["XYZ"] = 1.0  # type: ignore[index]
    with pytest.raises(AttributeError, match="append"):
        ACCOUNT.positions.append(ACCOUNT.positions[0])  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="read-only"):
        ACCOUNT.cash.update(USD=2.0)  # type: ignore[attr-defined]
