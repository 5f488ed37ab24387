"""What every named rulebook shares: it is built from a document, and pickles as one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from margincore import _core
from margincore._pickles import reduced

__all__ = ["Rulebook", "refuse_not_finite", "rulebooks", "stated"]

Tables = Mapping[str, NDArray[np.float64]]


class Rulebook(_core.Methodology):
    """A registered rulebook: its name, a document of parameters, and numeric tables beside it.

    >>> from margincore.methods import Rulebook
    >>> Rulebook("tims", {"preset": "occ-cpm"}).name
    'OCC TIMS'
    """

    __slots__ = ("_document",)
    _pickle_version: ClassVar[int] = 1
    _document: tuple[str, dict[str, Any], dict[str, NDArray[np.float64]]]

    def __new__(cls, name: str, parameters: Mapping[str, Any], tables: Tables | None = None) -> Self:
        refuse_not_finite(name, parameters)
        self = super().__new__(cls, name, dict(parameters), dict(tables or {}))
        self._document = (name, dict(parameters), dict(tables or {}))
        return self

    def to_dict(self) -> dict[str, Any]:
        """What it was built from, ``{"name": ..., ...parameters}`` as documents have it; a new dictionary.

        Tables of numbers and a parsed file are not part of it.
        """
        return {"name": self._document[0], **self._document[1]}

    def __reduce__(self) -> tuple[Any, ...]:
        name, parameters, tables = self._document
        return reduced(self, {"name": name, "parameters": parameters, "tables": tables})

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        # A rulebook's own constructor takes other arguments; what it made of them is the document.
        return Rulebook.__new__(cls, **state)


def refuse_not_finite(place: str, value: object) -> None:
    """Refuses NaN and infinities: a document has none, and would hold nothing in their place."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_not_finite(f"{place}: {key}", inner)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            refuse_not_finite(f"{place}[{i}]", inner)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _core.InvalidInput(
            f"{place} is {value}: a finite number is needed", code="not_finite", where=place, value=value
        )


def stated(securities: _core.Securities | None) -> dict[str, Any] | None:
    """A table of securities as the part of a rulebook's parameters that holds it; none where it is the shipped one."""
    if securities is None:
        return None
    if not isinstance(securities, _core.Securities):
        kind = type(securities).__name__
        raise _core.InvalidInput(
            f"securities: a Securities table is needed, Securities().extended(rows), not {kind}", code="wrong_type"
        )
    shipped = _core.Securities.shipped().digest
    return None if securities.digest == shipped else {"shipped": False, "rows": securities.rows()}


def rulebooks() -> list[str]:
    """The names of the rulebooks in this build.

    >>> "tims" in rulebooks()
    True
    """
    return _core.rulebooks()
