"""What every venue shares: a preset by name, named changes of it, and the replies venues give."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, TypeVar

from margincore import _core
from margincore.json_objects import json_object
from margincore.methods.base import Rulebook

__all__ = ["Crypto", "SpotTreatment", "built", "chosen", "dated", "given", "undated", "venue_reply", "with_charges"]

_R = TypeVar("_R", bound=Rulebook)
SpotTreatment = Literal["in_matrix", "in_use", "upside_offset", "collateral_only"]


def given(**changes: Any) -> dict[str, Any]:
    """The changes that were stated."""
    return {key: value for key, value in changes.items() if value is not None}


def chosen(what: str, value: str, known: Mapping[str, str]) -> str:
    """The entry of a named choice; anything else is an error that says what there is."""
    if value not in known:
        hint = _core.did_you_mean(str(value), list(known))
        message = f"{what} {value!r}: use one of {', '.join(known)}{hint}"
        raise _core.InvalidInput(message, code="unknown_name", where=what, value=value)
    return known[value]


def venue_reply(reply: Mapping[str, Any] | str, what: str) -> dict[str, Any]:
    """A venue's JSON object, as text or read already."""
    if isinstance(reply, str):
        return json_object(reply, what)
    if not isinstance(reply, Mapping):
        raise _core.InvalidInput(f"{what}: a JSON object is needed, not {type(reply).__name__}", code="wrong_type")
    return dict(reply)


def dated(family: str, vintage: str | None, on: dt.date | str | None, known: Mapping[str, str]) -> dict[str, Any]:
    """A preset by vintage, the one of its family in force on a date, or without either the one of each valuation."""
    if vintage is not None:
        preset = chosen("vintage", vintage, known)
        if on is not None:
            message = f"vintage {vintage!r} and on {on!r}: both choose the parameters: leave one out"
            raise _core.InvalidInput(message, code="contradiction", where="on", value=on)
        return {"preset": preset}
    if on is None:
        return {"preset": family, "on": "valuation"}
    try:
        return {"preset": family, "on": _core.read_time(on)}
    except _core.InvalidInput as error:
        error.named("on")
        raise


def undated(preset: str, model: str, vintage: str | None, on: dt.date | str | None) -> dict[str, Any]:
    """The one preset of a model that has no parameters by date; a choice among them is refused by name."""
    for name, value in (("vintage", vintage), ("on", on)):
        if value is not None:
            message = (
                f"{name} is {value!r}: model {model!r} has one set of parameters and none by date: leave {name} out"
            )
            raise _core.InvalidInput(message, code="contradiction", where=name, value=value)
    return {"preset": preset}


def with_charges(changes: dict[str, Any], name: str, amounts: Mapping[str, float] | None) -> dict[str, Any]:
    """The changes with amounts added to a table of charges of every underlying; rules given beside them stay."""
    if not amounts:
        return changes
    rules = {key: dict(value) for key, value in changes.get("rules", {}).items()}
    star = rules.setdefault("*", {})
    star["charges"] = {**star.get("charges", {}), name: {**star.get("charges", {}).get(name, {}), **amounts}}
    return {**changes, "rules": rules}


def _check_numbers(what: str, value: Any) -> None:
    """Refuses what is no number: a missing value may mean something else, such as no cap."""
    if isinstance(value, float) and not math.isfinite(value):
        raise _core.InvalidInput(f"{what} is {value}: a finite number is needed", code="not_finite")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _check_numbers(f"{what}.{key}" if what else str(key), inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for i, inner in enumerate(value):
            _check_numbers(f"{what}[{i}]", inner)


def built(cls: type[_R], document: dict[str, Any]) -> _R:
    """A rulebook of a class from its document, once every number in it is one."""
    _check_numbers("", document)
    return Rulebook.__new__(cls, "crypto", document)


class Crypto(Rulebook):
    """Any crypto preset by name, with any parameter changed: mappings merge key by key, anything else replaces.

    Raises :class:`InvalidInput` for unknown presets, keys or values out of range.

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=1, multiplier_unit="coin", currency="USDT", lot=0.001)
    >>> market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 90000.0}, price={perp.id: 90000.0})
    >>> rules = mc.methods.Crypto("paradex-cross")
    >>> mc.margin([mc.Position(perp, 3)], market, rules).requirement.initial
    5400.0
    """

    __slots__ = ()

    def __new__(cls, preset: str, **changes: Any) -> Self:
        return built(cls, {"preset": preset, **changes})
