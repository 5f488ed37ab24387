"""What an object is by its keys: an answer of margincore is none of the things that it was asked with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from margincore._core import InvalidInput
from margincore.methods import names

__all__ = ["kind_of", "only_of"]

_KINDS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("report", "a report, what 'margincore margin --json' prints", frozenset({"methodology", "requirement", "lines"})),
    ("comparison", "a comparison, what 'margincore margin --json' prints of several rulebooks",
     frozenset({"outcomes", "assumptions"})),
    ("explanation", "an explained requirement, what 'margincore explain --json' prints",
     frozenset({"report", "contributions"})),
    ("change", "an explained change, what 'margincore explain --before --json' prints",
     frozenset({"before", "after", "residual"})),
    ("statement", "a statement, what 'margincore statement --json' prints",
     frozenset({"regime", "buying_power", "report"})),
    ("carried", "what a statement carries to the next day, written by 'margincore statement --carry'",
     frozenset({"date", "sma", "calls"})),
    ("look", "a look at accounts, what 'margincore watch --json' prints",
     frozenset({"rulebook", "breaches", "accounts"})),
    ("span file", "what is in a SPAN file, printed by 'margincore span-info --json'", frozenset({"info", "summary"})),
    ("risk array", "a risk array, what 'margincore risk-array' prints", frozenset({"array", "composite_delta"})),
    ("manifest", "the manifest of a batch", frozenset({"plan", "parts", "accounts"})),
    ("document", "a document: account, market and rulebook in one", frozenset({"account"})),
    ("account", "an account", frozenset({"positions"})),
    ("market", "a market", frozenset({"valuation"})),
)  # fmt: skip
"""Kinds, in words, and the keys that tell them; the first whose keys are all there."""


def kind_of(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """The kind of an object, in one word and in words; ``None`` where its keys tell none.

    >>> kind_of({"valuation": "2026-11-20T16:00:00-05:00", "spot": {}})
    ('market', 'a market')
    """
    if document and {*document} <= {*names()}:
        return "rulebooks", "the list of rulebooks, what 'margincore rulebooks --json' prints"
    return next(((kind, words) for kind, words, keys in _KINDS if keys <= document.keys()), None)


def only_of(document: Mapping[str, Any], where: str, needed: str, kinds: Collection[str] = ()) -> None:
    """Refuses an object whose keys tell a kind that is none of `kinds`: what it is, and what is `needed`.

    >>> only_of({"version": 1, "outcomes": [], "assumptions": {}}, "market", "a market", ("market",))
    Traceback (most recent call last):
    margincore.InvalidInput: market: this is a comparison, what 'margincore margin --json' prints of several rulebooks:
    a market is needed here
    """
    found = kind_of(document)
    if found is not None and found[0] not in kinds:
        raise InvalidInput(
            f"{where}: this is {found[1]}: {needed} is needed here", code="wrong_type", where=where, value=found[0]
        )
