"""The digest of a rulebook as its pickle holds it: not of the pickle's bytes, which differ between equal objects."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from margincore._core import Contract, Contracts, InvalidInput, Market, Methodology, SpanFile

__all__ = ["digest"]

Feed = Callable[[bytes], None]


def digest(*values: object) -> str:
    """SHA-256 of plain values and rulebooks, in hexadecimal: of types and contents, in the order they are given.

    Raises :class:`margincore.InvalidInput` for what has no contents to name, such as a function without a place.

    >>> digest("a", 1) == digest("a", 1), digest("a", 1) == digest("a", 1.0)
    (True, False)
    """
    hash = hashlib.sha256()
    _feed(hash.update, list(values))
    return hash.hexdigest()


def _feed(feed: Feed, value: object) -> None:
    match value:
        case None | bool() | int():
            _text(feed, "plain", repr(value))
        case float():
            feed(b"f" + struct.pack("<d", value))
        case str():
            _text(feed, "text", value)
        case bytes():
            feed(f"bytes {len(value)} ".encode())
            feed(value)
        case dict():  # in their order: nobody says that a rulebook's parameters have none
            feed(f"dict {len(value)} ".encode())
            for key, item in value.items():
                _feed(feed, key)
                _feed(feed, item)
        case list() | tuple():
            feed(f"list {len(value)} ".encode())
            for item in value:
                _feed(feed, item)
        case np.ndarray() if value.dtype.kind in "biufUSMm":
            _text(feed, "array", f"{value.dtype.str} {value.shape}")
            feed(np.ascontiguousarray(value).tobytes())
        case Contracts() | Market():
            _text(feed, "digest", value.digest)
        case SpanFile():
            _text(feed, "file", value.info["digest"])
        case Methodology() | Contract():
            _feed(feed, list(_reduced(value)))
        case type():
            _text(feed, "class", f"{value.__module__}.{value.__qualname__}")
        case _:
            _function(feed, value)


def _reduced(value: Methodology | Contract) -> tuple[Any, ...]:
    """The name, version and state that a pickle of it holds."""
    try:
        reduced: Any = value.__reduce__()
    except TypeError:
        raise InvalidInput(
            "methodology: a bare Methodology cannot be sent to another process: name it, mc.methods.Tims() or "
            "mc.methods.Rulebook(name, parameters)",
            code="wrong_type",
            where="methodology",
        ) from None
    held: tuple[Any, ...] = reduced[1]
    return held


def _text(feed: Feed, kind: str, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    feed(f"{kind} {len(data)} ".encode())
    feed(data)


def _function(feed: Feed, value: Any) -> None:
    """A function by the place it is imported from, as it pickles: what it does is the caller's promise."""
    name = getattr(value, "__qualname__", None)
    module = getattr(value, "__module__", None)
    if not callable(value) or not isinstance(name, str) or not isinstance(module, str) or "<" in name:
        what = f"the function {name}" if callable(value) and name else f"a value of the type {type(value).__name__}"
        raise InvalidInput(
            f"methodology: {what} cannot be sent to another process: claims of a Combined are functions at the top of "
            "a module",
            code="wrong_type",
            where="methodology",
        )
    _text(feed, "function", f"{module}.{name}")
