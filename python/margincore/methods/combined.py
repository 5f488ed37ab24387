"""Several rulebooks over one account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

from margincore import _core
from margincore._pickles import reduced

__all__ = ["Combined"]

Claims = Callable[[_core.Contract], bool]


class Combined(_core.Methodology):
    """Splits an account by contract among rulebooks and adds their requirements.

    Each part is a predicate on the contract and a methodology; scopes of its lines carry the methodology's name.
    A contract no part claims raises :class:`NotApplicable`; one that two claim raises :class:`InvalidInput`.

    >>> import margincore as mc
    >>> halves = mc.methods.Combined([
    ...     (lambda c: c.underlying == "A", mc.methods.Tims()),
    ...     (lambda c: c.underlying == "B", mc.methods.Tims()),
    ... ])
    >>> a, b = mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 200.0, "B": 400.0})
    >>> mc.margin([mc.Position(a, 100), mc.Position(b, -100)], market, halves).requirement.initial
    9000.0
    """

    __slots__ = ("_parts",)
    _pickle_version: ClassVar[int] = 1
    _parts: tuple[tuple[Claims, _core.Methodology], ...]

    def __new__(cls, parts: Sequence[tuple[Claims, _core.Methodology]]) -> Self:
        self = super().__new__(cls, "combined", {}, None, list(parts))
        self._parts = tuple(parts)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self, {"parts": self._parts})

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        return Combined.__new__(cls, **state)
