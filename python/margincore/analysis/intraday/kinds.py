"""Readers of what only a day's transactions and deficits are made of: whole numbers, texts, and values of a class."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from margincore.analysis import given

__all__ = ["instance", "text", "whole"]


def whole(what: str, value: object, least: int, most: int | None = None) -> int:
    """A whole number, from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        given.refuse(what, value, "a whole number is needed", "wrong_type")
    return int(given.number(what, int(value), least, most))


def text(what: str, value: object) -> str:
    """A text."""
    return str(instance(what, value, str, "a text"))


def instance(what: str, value: object, kind: Any, needed: str) -> Any:
    """A value of a class, or of one of a union; `needed` names it in words."""
    if not isinstance(value, kind):
        given.refuse(what, value, f"{needed} is needed", "wrong_type")
    return value
