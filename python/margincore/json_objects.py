"""JSON objects from outside, read strictly: no duplicate keys, no numbers that are none, no half characters."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from margincore._core import InvalidInput, MarginError, ParseError

__all__ = ["json_object", "json_value"]

_LONGEST_NUMBER = 40
_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""Half of a surrogate pair, or its escape; two escapes may make a character."""


def json_object(text: str, where: str) -> dict[str, Any]:
    """The JSON object that a text is; `where` stands in front of what is refused.

    Raises :class:`margincore.ParseError` with the line for text that is not JSON or not an object, and
    :class:`margincore.InvalidInput` for keys given twice, numbers that are none, and text that no file can hold.

    >>> json_object('{"a": 1}', "reply")
    {'a': 1}
    >>> json_object('{"a": 1, "a": 2}', "reply")
    Traceback (most recent call last):
    margincore.InvalidInput: reply: the key 'a' is given twice in one object
    """
    document = json_value(text, where)
    if not isinstance(document, dict):
        raise ParseError(f"{where}:1: a JSON object is needed, not {type(document).__name__}")
    return document


def json_value(text: str, where: str) -> Any:
    """The JSON value that a text is, an object or a list; refuses as :func:`json_object`.

    >>> json_value('[{"a": 1}]', "reply")
    [{'a': 1}]
    """
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_number,
            parse_int=_whole,
        )
        if _HALF.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ParseError(f"{where}:{error.lineno}: column {error.colno}: {error.msg}") from None
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{where}: half of a surrogate pair stands in a text: it is no character", code="bad_text"
        ) from None
    except RecursionError:
        raise ParseError(f"{where}: nested too deep", code="too_large") from None
    except MarginError as error:
        error.named(where)
        raise
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput(f"the key {key!r} is given twice in one object", code="duplicate")
        found[key] = value
    return found


def _constant(name: str) -> Any:
    raise InvalidInput(f"{name} is not a number", code="not_finite")


def _number(text: str) -> float:
    value = float(text)
    if len(text) > _LONGEST_NUMBER or not math.isfinite(value):
        raise InvalidInput(f"the number {text[:_LONGEST_NUMBER]} is out of range", code="out_of_range")
    return value


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise InvalidInput(f"the number {text[:_LONGEST_NUMBER]}... is out of range", code="out_of_range")
    return int(text)
