"""JSON files read strictly: no duplicate keys, no NaN or infinities, no numbers that overflow, no half characters."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from margincore._core import InvalidInput, MarginError, ParseError
from margincore.importers.text import read_text

_LONGEST_NUMBER = 40
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape of half a surrogate pair; two of them may make a character."""


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The JSON object in a file, plain or ``.gz``.

    Raises :class:`margincore.ParseError` with file and line for text that is not JSON or not an object, and
    :class:`margincore.InvalidInput` for keys given twice, numbers that are none, and text that no file can hold.
    """
    path = Path(path)
    text = read_text(path)
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_number,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        raise ParseError(f"{path}:{error.lineno}: column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ParseError(f"{path}: nested too deep") from None
    except MarginError as error:
        raise type(error)(f"{path}: {error}") from None
    if not isinstance(document, dict):
        raise ParseError(f"{path}:1: a JSON object is needed, not {type(document).__name__}")
    if _HALF.search(text):
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InvalidInput(f"{path}: half of a surrogate pair stands in a text: it is no character") from None
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput(f"the key {key!r} is given twice in one object")
        found[key] = value
    return found


def _constant(name: str) -> Any:
    raise InvalidInput(f"{name} is not a number")


def _number(text: str) -> float:
    value = float(text)
    if len(text) > _LONGEST_NUMBER or not math.isfinite(value):
        raise InvalidInput(f"the number {text[:_LONGEST_NUMBER]} is out of range")
    return value


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise InvalidInput(f"the number {text[:_LONGEST_NUMBER]}... is out of range")
    return int(text)
