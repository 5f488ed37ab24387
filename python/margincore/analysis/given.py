"""Readers of arguments, one per kind of value: each gives the value in its plain type or refuses it by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, isfinite
from numbers import Real
from typing import Any, NoReturn
from unicodedata import category

from margincore._core import InvalidInput, did_you_mean

__all__ = ["amounts", "flag", "name", "number", "numbers", "refuse", "rows", "text"]


def refuse(what: str, value: object, needed: str, code: str) -> NoReturn:
    """The refusal of a value, with what is needed instead."""
    raise InvalidInput(f"{what} is {value!r}: {needed}", where=what, value=value, code=code)


def number(
    what: str, value: object, least: float | None = None, most: float | None = None, above: float | None = None
) -> float:
    """A finite number, from `least` to `most` and more than `above`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        refuse(what, value, "a number is needed", "wrong_type")
    try:
        found = float(value)
    except OverflowError:
        found = inf
    if not isfinite(found):
        refuse(what, found, "a finite number is needed", "not_finite")
    if least is not None and found < least:
        refuse(what, found, f"a number from {least:g} is needed", "out_of_range")
    if above is not None and found <= above:
        refuse(what, found, f"a number above {above:g} is needed", "out_of_range")
    if most is not None and found > most:
        refuse(what, found, f"a number up to {most:g} is needed", "out_of_range")
    return found


def flag(what: str, value: object) -> bool:
    """True or False, and no number for them."""
    if not isinstance(value, bool):
        refuse(what, value, "True or False is needed", "wrong_type")
    return value


def name(what: str, value: object, known: Iterable[str]) -> str:
    """One of the names known."""
    names = list(known)
    if not isinstance(value, str):
        refuse(what, value, f"one of {', '.join(names)} is needed", "wrong_type")
    if value not in names:
        refuse(what, value, f"one of {', '.join(names)} is needed{did_you_mean(value, names)}", "unknown_name")
    return value


def text(what: str, value: object) -> str:
    """Text of whole characters that show: no half of a surrogate pair, no control character."""
    if not isinstance(value, str):
        refuse(what, value, "a text is needed", "wrong_type")
    strange = next((c for c in value if category(c) in ("Cc", "Cs")), None)
    if strange is not None:
        refuse(what, value, f"a text without the character U+{ord(strange):04X} is needed", "bad_text")
    return value


def rows(what: str, value: object) -> list[Any]:
    """The items of a list or another iterable; text and mappings are none."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        refuse(what, value, "a list is needed", "wrong_type")
    return list(value)


def numbers(what: str, value: object) -> dict[str, float]:
    """Numbers by name."""
    if not isinstance(value, Mapping):
        refuse(what, value, "a mapping of numbers by name is needed", "wrong_type")
    for key in value:
        if not isinstance(key, str):
            refuse(what, key, "each name is text", "wrong_type")
    return {key: number(f"{what}[{key!r}]", item) for key, item in value.items()}


def amounts(
    what: str, value: object, known: Iterable[str], least: float | None = None, most: float | None = None
) -> dict[str, float]:
    """Numbers by name, each name one of those known."""
    if not isinstance(value, Mapping):
        refuse(what, value, "a mapping by name is needed", "wrong_type")
    names = list(known)
    return {name(what, key, names): number(f"{what}[{key!r}]", item, least, most) for key, item in value.items()}
