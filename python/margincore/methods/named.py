"""Rulebooks in the one word that documents and the command line write them in: ``name[@date or @preset]``.

================================= =========================================================================
``tims``, ``reg-t``               a rulebook, with its usual parameters
``deribit``, ``okx``, ``derive``  a venue: its portfolio margin, as it was in force at the valuation
``deribit@2026-05-06``            as it was in force on a date
``deribit@2024``, ``reg-t@ibkr``  a parameter set: what its name has beside that of the rulebook or venue
``occ-rbh-market-maker``          a parameter set by its whole name, which says the rulebook as well
================================= =========================================================================

The names come from the shipped parameter sets (:func:`presets`); nothing here lists them again.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from margincore import _core
from margincore.methods.base import Rulebook, rulebooks

__all__ = ["named", "named_document", "names", "presets"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_VENUES = "crypto"
"""The rulebook whose parameter sets are venues', each named after its venue."""


def presets(name: str) -> list[dict[str, Any]]:
    """The shipped parameter sets of a rulebook (``"tims"``) or venue (``"deribit"``), the usual one first.

    Each has ``name``, ``version``, ``effective`` (the day it took effect), ``source``, ``family`` (sets of one follow
    one another by date; ``None`` without) and ``grades``, how well each part is known. Raises
    :class:`margincore.InvalidInput` for a name that is neither.

    >>> [row["name"] for row in presets("tims")]
    ['occ-cpm', 'occ-rbh-market-maker', 'occ-rbh-broker-dealer', 'occ-files']
    >>> presets("okx")[0]["family"], presets("okx")[0]["effective"]
    ('okx-pm', '2025-01-15')
    """
    if name in rulebooks():
        return _core.presets(name)
    found = [row for row in _core.presets(_VENUES) if _venue(row) == name]
    if not found:
        _unknown(name)
    return found


def names() -> list[str]:
    """Every rulebook and venue by name.

    >>> [name for name in names() if name in ("tims", "deribit", "aevo")]
    ['aevo', 'deribit', 'tims']
    """
    return sorted({*rulebooks(), *(_venue(row) for row in _core.presets(_VENUES))} - {_VENUES})


def named(text: str, /, **parameters: Any) -> Rulebook:
    """The rulebook of a word such as ``"deribit@2026-05-06"``, with any parameter changed.

    Raises :class:`margincore.InvalidInput` for a word that stands for nothing, naming the nearest, or for several sets,
    naming all, and what the rulebook itself raises (a house needs a ``base``).

    >>> named("reg-t").name, named("deribit@2026-05-06").parameters["name"]
    ('Reg T', 'deribit-pm-2026')
    >>> named("reg-t@ibkr").parameters["name"], named("deribit@standard").parameters["name"]
    ('reg-t-ibkr', 'deribit-standard')
    >>> named("deribt")
    Traceback (most recent call last):
        ...
    margincore.InvalidInput: unknown rulebook 'deribt': did you mean 'deribit'? ...
    """
    document = named_document(text)
    for key in ("preset", "on"):
        if key in parameters and key in document and "@" in text:
            raise _core.InvalidInput(
                f"{key}: {text!r} says it as well: give it once", code="contradiction", where=key, value=parameters[key]
            )
    return Rulebook(document.pop("name"), {**document, **parameters})


def named_document(text: str) -> dict[str, Any]:
    """The document that such a word stands for, ``{"name": ..., ...parameters}``.

    >>> named_document("deribit"), named_document("tims@market-maker")
    ({'name': 'crypto', 'preset': 'deribit-pm', 'on': 'valuation'}, {'name': 'tims', 'preset': 'occ-rbh-market-maker'})
    """
    if not isinstance(text, str):
        raise _core.InvalidInput(
            f"a rulebook's name is needed, not {type(text).__name__}", code="wrong_type", where="name"
        )
    name, at, which = text.partition("@")
    if at and not which:
        raise _core.InvalidInput(
            f"{text!r}: a date or a parameter set belongs after the @: {_some(presets(name))}", code="not_stated"
        )
    if name in rulebooks():
        return {"name": name, **(_chosen(text, presets(name), which) if at else {})}
    for rulebook in rulebooks():
        for row in _core.presets(rulebook):
            if row["name"] == name:
                if at:
                    raise _core.InvalidInput(
                        f"{text!r}: {name!r} is one parameter set already: leave @{which} out", code="contradiction"
                    )
                return {"name": rulebook, "preset": name}
    return {"name": _VENUES, **_of_venue(text, presets(name), which)}


def _of_venue(text: str, rows: list[dict[str, Any]], which: str) -> dict[str, Any]:
    family = rows[0]["family"]
    if family is not None and (not which or _DATE.fullmatch(which)):
        return {"preset": family, "on": _day(text, which).isoformat() if which else "valuation"}
    return _chosen(text, rows, which) if which else {"preset": rows[0]["name"]}


def _chosen(text: str, rows: list[dict[str, Any]], which: str) -> dict[str, Any]:
    """The set of a date, which is the usual one where that was in force, or the one that a word is enough to tell."""
    if _DATE.fullmatch(which):
        day = _day(text, which)
        usual = rows[0] if rows else None
        if usual is None or dt.date.fromisoformat(usual["effective"]) > day:
            since = f": the usual set is of {usual['effective']}" if usual else ""
            raise _core.InvalidInput(
                f"{text!r}: no parameter set of it was in force on {day}{since}; there are {_some(rows)}",
                code="unknown_name",
                value=which,
            )
        return {"preset": usual["name"]}
    name = text.partition("@")[0]
    for fits in (
        lambda known: known in (which, f"{name}-{which}"),
        lambda known: known.endswith(f"-{which}"),
        lambda known: known.startswith((which, f"{name}-{which}")),
    ):
        found = [row["name"] for row in rows if fits(row["name"])]
        if len(found) == 1:
            return {"preset": found[0]}
        if found:
            raise _core.InvalidInput(
                f"{text!r}: {which!r} is not enough to tell {', '.join(found)}", code="not_stated", value=which
            )
    hint = _core.did_you_mean(which, [row["name"] for row in rows])
    raise _core.InvalidInput(
        f"{text!r}: no parameter set {which!r}: there are {_some(rows)}{hint}", code="unknown_name", value=which
    )


def _day(text: str, which: str) -> dt.date:
    try:
        return dt.date.fromisoformat(which)
    except ValueError:
        raise _core.InvalidInput(f"{text!r}: {which} is no day", code="bad_time", value=which) from None


def _venue(row: dict[str, Any]) -> str:
    return str(row["name"]).partition("-")[0]


def _some(rows: list[dict[str, Any]]) -> str:
    return ", ".join(row["name"] for row in rows) or "none"


def _unknown(name: str) -> None:
    known = names()
    every = [*known, *(row["name"] for rulebook in rulebooks() for row in _core.presets(rulebook))]
    hint = _core.did_you_mean(name, every).lstrip("; ")
    hint = f"{hint} " if hint else ""
    raise _core.InvalidInput(
        f"unknown rulebook {name!r}: {hint}there are {', '.join(known)}, each with @ and a date or a parameter set "
        "(margincore rulebooks -v lists them)",
        code="unknown_name",
        where="name",
        value=name,
    )
