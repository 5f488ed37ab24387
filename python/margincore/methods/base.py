"""What every named rulebook shares: it is built from a document, and pickles as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from margincore import _core

__all__ = ["Rulebook", "rulebooks", "stated"]

Tables = Mapping[str, NDArray[np.float64]]


class Rulebook(_core.Methodology):
    """A registered rulebook: its name, a document of parameters, and numeric tables beside it.

    >>> from margincore.methods import Rulebook
    >>> Rulebook("tims", {"preset": "occ-cpm"}).name
    'OCC TIMS'
    """

    __slots__ = ("_document",)
    _document: tuple[str, dict[str, Any], dict[str, NDArray[np.float64]]]

    def __new__(cls, name: str, parameters: Mapping[str, Any], tables: Tables | None = None) -> Self:
        self = super().__new__(cls, name, dict(parameters), dict(tables or {}))
        self._document = (name, dict(parameters), dict(tables or {}))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), *self._document)


def stated(securities: _core.Securities | None) -> dict[str, Any] | None:
    """A table of securities as the part of a rulebook's parameters that holds it; none where it is the shipped one."""
    if securities is None:
        return None
    if not isinstance(securities, _core.Securities):
        kind = type(securities).__name__
        raise _core.InvalidInput(f"securities: a Securities table is needed, Securities().extended(rows), not {kind}")
    shipped = _core.Securities.shipped().digest
    return None if securities.digest == shipped else {"shipped": False, "rows": securities.rows()}


def _restore(cls: type[Rulebook], name: str, parameters: dict[str, Any], tables: Tables) -> Rulebook:
    return Rulebook.__new__(cls, name, parameters, tables)


def rulebooks() -> list[str]:
    """The names of the rulebooks in this build.

    >>> "tims" in rulebooks()
    True
    """
    return _core.rulebooks()
