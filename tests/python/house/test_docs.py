"""Every public class, member and function of the engine explains itself to `help()`, and the stub says the same."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

import margincore as mc
from margincore import _core

# Items that speak of names which are another's, and whose.
OF_OTHERS = {
    "Contracts.from_columns": ("Contract",),
    "Limit": ("LiveAccount.check", "MarginReport"),
    "Limit.max_age": ("LiveAccount.check",),
    "Decision.market_age": ("LiveAccount.check",),
    "LiveAccount.check": ("Limit",),
    "LiveAccount.hedges": ("Limit",),
    "LiveAccount.max_quantity_complete": ("Limit",),
    "Prepared.margin": ("MarginReport",),
}


def documented() -> Iterator[tuple[str, object]]:
    """Public names of the engine and what they stand for; a class with the members it defines itself."""
    for name, item in vars(_core).items():
        if name.startswith("_"):
            continue
        yield name, item
        if inspect.isclass(item) and not issubclass(item, Exception):  # those are of `margincore.errors`
            for member, value in vars(item).items():
                if not (member.startswith("__") and member.endswith("__")):
                    # A static method's own docstring is that of `staticmethod`.
                    yield f"{name}.{member}", value.__func__ if isinstance(value, staticmethod) else value


ITEMS = dict(documented())


def written() -> dict[str, str | None]:
    """The stub's texts by name, of classes, functions and members."""
    tree = ast.parse(files("margincore").joinpath("_core.pyi").read_text(encoding="utf-8"))
    texts = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            texts[node.name] = ast.get_docstring(node)
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not re.fullmatch("__.*__", member.name):
                    texts[f"{node.name}.{member.name}"] = ast.get_docstring(member)
    return texts


def words(text: str | None) -> str:
    """A text without its breaks and indents."""
    return " ".join((text or "").split())


def parameters(item: Any) -> set[str]:
    """The names of what a function or class takes."""
    try:
        return set(inspect.signature(item).parameters)
    except (TypeError, ValueError):  # a property, or a class that only the engine makes
        return set()


def names_of(name: str) -> set[str]:
    """What a text on an item may name: what it takes, what its class takes, and the members of that."""
    owner = name.partition(".")[0]
    members = {other.partition(".")[2] for other in ITEMS if other.startswith(f"{owner}.")}
    named = members | parameters(ITEMS[name]) | parameters(ITEMS[owner])
    if name == owner:  # the text on a class speaks of what its methods take, where nothing else makes one
        named |= {p for member in members for p in parameters(ITEMS[f"{owner}.{member}"])}
    return named


def test_every_public_name_has_a_docstring() -> None:
    assert {"Market", "Market.spot", "Requirement.initial", "SpanFile.parse", "rulebooks"} < set(ITEMS)
    assert [name for name, item in ITEMS.items() if not words(item.__doc__)] == []


def test_the_stub_says_what_help_says() -> None:
    stub = written()
    # A tuple cannot have a text of its own: the class has it.
    errors = {name for name, item in ITEMS.items() if inspect.isclass(item) and issubclass(item, Exception)}
    assert set(stub) == set(ITEMS) - errors - {"Contract.TERMS"}
    assert [name for name, text in stub.items() if words(text) != words(ITEMS[name].__doc__)] == []


def test_help_shows_the_examples() -> None:
    update = ITEMS["Prepared.update"].__doc__ or ""
    assert '\n>>> prepared.update(spot={"B": 21.0}).repriced\n(1, 3)\n' in update
    assert "\nTraceback (most recent call last):\n    ...\n" in update


def test_a_text_names_only_what_its_item_takes_or_has() -> None:
    """A word in single backquotes is an argument or a member; literals have two, references a role before them."""
    wrong = []
    for name, item in ITEMS.items():
        if name == "Contract.TERMS":
            continue
        known = names_of(name) | {"None"} | {n for other in OF_OTHERS.get(name, ()) for n in names_of(other)}
        text = (item.__doc__ or "").partition(">>>")[0]
        wrong += [(name, word) for word in re.findall(r"(?<![`:])`(\w+)`(?!`)", text) if word not in known]
    assert wrong == []


def test_a_text_refers_only_to_what_there_is() -> None:
    wrong = []
    for name, item in ITEMS.items():
        owner = name.partition(".")[0]
        for role, target in re.findall(r":(\w+):`([^`]+)`", item.__doc__ or ""):
            if target.startswith("margincore."):
                there = hasattr(mc, target.removeprefix("margincore."))
            else:
                there = target in ITEMS or (role in ("meth", "attr") and f"{owner}.{target}" in ITEMS)
            wrong += [] if there and role in ("class", "data", "func", "meth", "attr") else [(name, role, target)]
    assert wrong == []


@pytest.mark.parametrize("item", [mc.Market, mc.Prepared.update, mc.Account, mc.Limit, mc.Order, mc.Position])
def test_a_signature_names_every_argument(item: Any) -> None:
    kinds = {p.kind for p in inspect.signature(item).parameters.values()}
    assert not kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
