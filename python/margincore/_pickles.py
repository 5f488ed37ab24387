"""Pickles of the package's own classes: the same shape as the engine's, with a version.

A pickle is a call of :func:`margincore._core.revive` with a public name, a version and a state. The name is the place
where users find the class, so that a module may move; somebody else's subclass comes along as the class itself.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Self

from margincore import _core

__all__ = ["Record", "public_name", "reduced"]


@cache
def public_name(cls: type) -> str | None:
    """Where users find a class, below ``margincore``: ``methods.Tims``; `None` for a class from elsewhere.

    >>> import margincore as mc
    >>> public_name(mc.methods.Tims), public_name(mc.Comparison), public_name(dict)
    ('methods.Tims', 'Comparison', None)
    """
    place = cls.__module__.split(".")
    if place[0] == "margincore":
        for depth in range(1, len(place) + 1):
            if getattr(sys.modules[".".join(place[:depth])], cls.__name__, None) is cls:
                return ".".join([*place[1:depth], cls.__name__])
    return None


def reduced(value: Any, state: dict[str, Any]) -> tuple[Any, ...]:
    """What `__reduce__` gives: `state` is what the class's `_revived` makes the value of again."""
    cls = type(value)
    own = next(base for base in cls.__mro__ if public_name(base) is not None)
    known = (public_name(own), cls._pickle_version, state)
    return _core.revive, known if own is cls else (*known, cls)


@dataclass(frozen=True, slots=True)
class Record:
    """What frozen dataclasses of the package share: their pickle has a version and their fields by name.

    A field that is added with a default leaves the version as it is; any other change of the fields is a new version,
    and `_revived` then reads the old one too.
    """

    _pickle_version: ClassVar[int] = 1

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        return cls(**state)
