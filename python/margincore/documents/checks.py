"""Reading a document's parts: each as what it has to be, and refused with its place in front."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from margincore._core import InvalidInput, MarginError, MissingData, did_you_mean

__all__ = ["items", "mapping", "missing", "only", "place", "printable", "required"]


@contextmanager
def printable() -> Iterator[None]:
    """Refuses documents that are nested too deep, or have a number that cannot even be printed (of 5,000 digits)."""
    try:
        yield
    except MarginError:
        raise
    except RecursionError:
        raise InvalidInput("document: nested too deep", code="too_large") from None
    except ValueError as error:
        raise InvalidInput(f"document: {error}") from None


@contextmanager
def place(where: str) -> Iterator[None]:
    """Refusals with their place in the document in front; values of a wrong type or size are refused as well."""
    try:
        yield
    except MarginError as error:
        if not str(error).startswith(where):
            error.named(where)
        raise
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{where}: {error}", code="wrong_type") from None
    except OverflowError:
        raise InvalidInput(f"{where}: a number is out of range", code="out_of_range") from None


def only(document: Mapping[str, Any], where: str, known: set[str]) -> None:
    """Refuses a key that is none of those known."""
    for key in document:
        if key not in known:
            hint = did_you_mean(str(key), sorted(known))
            raise InvalidInput(
                f"{where}: unknown key {key!r}: known are {', '.join(sorted(known))}{hint}",
                code="unknown_name",
                where=where,
                value=key,
            )


def required(document: Mapping[str, Any], where: str, key: str) -> Any:
    """A value that has to be there."""
    return document[key] if key in document else missing(where, key)


def missing(where: str, key: str) -> Any:
    """The refusal of what is not there."""
    raise MissingData(f"{where}: {key} is missing", code="not_stated", where=where)


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{where}: an object is needed, not {type(value).__name__}", code="wrong_type")
    return value


def items(value: Any, where: str) -> list[Any]:
    """The items of a list."""
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{where}: a list is needed, not {type(value).__name__}", code="wrong_type")
    return list(value)
