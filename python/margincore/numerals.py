"""Numbers as files and venues write them, read strictly: one plain form each, and nothing guessed."""

from __future__ import annotations

import re

from margincore._core import InvalidInput

__all__ = ["decimal", "number", "whole"]

_DECIMAL = re.compile(r"-?([0-9]{1,15}(\.[0-9]{1,12})?|\.[0-9]{1,12})", re.ASCII)
_SCIENTIFIC = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)


def decimal(text: str, what: str) -> float:
    """A plain decimal number such as ``-12.50``: no exponent, no thousands separator, no words.

    >>> decimal("12.50", "price")
    12.5
    >>> decimal(".2", "vol")
    0.2
    >>> decimal("1,250.00", "price")
    Traceback (most recent call last):
    margincore.InvalidInput: price '1,250.00' is not a plain decimal number such as 12.50
    """
    if not _DECIMAL.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a plain decimal number such as 12.50")
    return float(text)


def number(text: str, what: str) -> float:
    """A decimal number that may be printed with an exponent, as programs write small ones.

    >>> number("3.555e-05", "mark price")
    3.555e-05
    """
    if not _SCIENTIFIC.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a number such as 12.50 or 1e-05", code="not_finite")
    return float(text)


def whole(text: str, what: str) -> int:
    """A whole number such as ``-5``.

    >>> whole("-5", "quantity")
    -5
    """
    if not _WHOLE.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a whole number such as -5", code="not_whole")
    return int(text)
