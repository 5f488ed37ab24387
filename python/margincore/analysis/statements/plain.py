"""The parts of a statement as plain data and back: a dictionary of their fields, dates as ISO texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import NoneType, UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from margincore._core import Contract, InvalidInput, MarginReport, MissingData
from margincore._pickles import Record


@dataclass(frozen=True, slots=True)
class Part(Record):
    """What every part of a statement has: :meth:`to_dict` and :meth:`from_dict`."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, in their order; dates as ISO texts."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` wrote. Raises :class:`margincore.InvalidInput` for an unknown key or a wrong type.

        :class:`margincore.MissingData` where a key is missing that has no default.
        """
        what = cls.__name__
        if not isinstance(document, Mapping):
            raise InvalidInput(
                f"{what}: an object is needed, not {type(document).__name__}", where=what, code="wrong_type"
            )
        types = _types(cls)
        unknown = sorted(set(document) - set(types))
        if unknown:
            raise InvalidInput(
                f"{what}: unknown key {unknown[0]!r}: known are {', '.join(types)}", where=what, code="unknown_name"
            )
        for field in fields(cls):
            if field.name not in document and field.default is MISSING and field.default_factory is MISSING:
                raise MissingData(f"{what}: {field.name} is missing", where=what)
        return cls(**{key: _read(types[key], value, f"{what}.{key}") for key, value in document.items()})


def _types(cls: type[Part]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Part | MarginReport | Contract):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _read(kind: Any, value: Any, where: str) -> Any:
    """A value of a type from its plain form."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in get_args(kind):
            return None
        kinds = [k for k in get_args(kind) if k is not NoneType]
        return _read(kinds[0], value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise InvalidInput(f"{where}: a list is needed, not {type(value).__name__}", where=where, code="wrong_type")
        return tuple(_read(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise InvalidInput(
                f"{where}: an object is needed, not {type(value).__name__}", where=where, code="wrong_type"
            )
        return {key: _read(get_args(kind)[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind in (MarginReport, Contract) or issubclass(kind, Part):
        return value if isinstance(value, kind) else kind.from_dict(value)
    if kind is dt.date:
        return _date(value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise InvalidInput(f"{where}: {value!r} is no {kind.__name__}", where=where, value=value, code="wrong_type")
    return value


def _date(value: Any, where: str) -> dt.date:
    try:
        return value if type(value) is dt.date else dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"{where}: {value!r} is no date such as '2026-11-20'", where=where, value=value, code="bad_time"
        ) from None
