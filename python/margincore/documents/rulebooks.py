"""Rulebooks from their parts of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from margincore._core import InvalidInput, Methodology, MissingData
from margincore.documents.checks import items, mapping, only, place, required
from margincore.methods import named, named_document

__all__ = ["methodology_from_document", "rulebooks_from_document", "with_securities"]

_ASK_FOR_SECURITIES = ("house", "reg-t", "tims")
"""The rulebooks that take a table of securities."""


def methodology_from_document(document: Mapping[str, Any], where: str = "methodology") -> Methodology:
    """A rulebook from ``{"name": ..., ...parameters}``; the name as :func:`margincore.methods.named` takes it.

    >>> methodology_from_document({"name": "tims", "grid": "even"}).name
    'OCC TIMS'
    >>> methodology_from_document({"name": "deribit@2026-05-06"}).parameters["name"]
    'deribit-pm-2026'
    """
    parameters = dict(document)
    name = parameters.pop("name", None)
    if not isinstance(name, str):
        raise MissingData(f"{where}: name is missing: which rulebook?", code="not_stated", where=where)
    with place(where):
        return named(name, **parameters)


def rulebooks_from_document(document: Mapping[str, Any]) -> list[Methodology]:
    """The rulebooks of a document: its one, or those it compares."""
    if ("methodology" in document) == ("methodologies" in document):
        raise MissingData(
            "document: give methodology (one rulebook) or methodologies (several, to compare)", code="not_stated"
        )
    securities = document.get("securities")
    if "methodology" in document:
        stated = with_securities(mapping(document["methodology"], "methodology"), securities)
        return [methodology_from_document(stated)]
    several = items(document["methodologies"], "methodologies")
    if not several:
        raise InvalidInput("methodologies: an empty list: name at least one rulebook", code="not_stated")
    return [
        methodology_from_document(with_securities(mapping(m, f"methodologies[{i}]"), securities), f"methodologies[{i}]")
        for i, m in enumerate(several)
    ]


def with_securities(methodology: Mapping[str, Any], securities: Any) -> Mapping[str, Any]:
    """A rulebook's document with the securities of the whole one, where it is a rulebook that asks what symbols are."""
    if securities is None:
        return methodology
    only(mapping(securities, "securities"), "securities", {"rows", "shipped"})
    items(required(securities, "securities", "rows"), "securities.rows")
    name = methodology.get("name")
    if not isinstance(name, str) or named_document(name)["name"] not in _ASK_FOR_SECURITIES:
        return methodology
    if name.startswith("house") and isinstance(methodology.get("base"), Mapping):
        methodology = {**methodology, "base": with_securities(methodology["base"], securities)}
    if "securities" in methodology:
        raise InvalidInput("securities: given for the document and for its rulebook: give them once", code="not_stated")
    return {**methodology, "securities": securities}
