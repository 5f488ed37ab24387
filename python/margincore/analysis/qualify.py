"""Which margin regimes an account may use: minimum equity, approval, products; the rule's values and the house's.

The values are data (`qualification.json`), each with how far it can be trusted: ``verified`` (rule text seen),
``published`` (stated by a source), ``inferred`` (from memory of the rule), ``broker practice``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from margincore._core import InvalidInput, MissingData, Securities
from margincore._pickles import Record

__all__ = ["Qualification", "Reason", "least_equity", "qualify", "regimes"]

Monitoring = Literal["real_time", "other", "prime_brokerage"]


@dataclass(frozen=True)
class Reason(Record):
    """One condition: whether it is met, in words, with its grade and source."""

    met: bool
    text: str
    grade: str
    source: str


@dataclass(frozen=True)
class Qualification(Record):
    """Whether an account may use a regime, with every condition that was looked at."""

    regime: str
    name: str
    reasons: tuple[Reason, ...]

    @property
    def eligible(self) -> bool:
        """Whether every condition is met."""
        return all(reason.met for reason in self.reasons)

    def __str__(self) -> str:
        head = f"{self.name}: {'eligible' if self.eligible else 'not eligible'}"
        return "\n".join([head, *(f"  {'+' if r.met else '-'} {r.text} [{r.grade}; {r.source}]" for r in self.reasons)])


def _data() -> dict[str, Any]:
    text = files("margincore.analysis").joinpath("qualification.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def regimes() -> list[str]:
    """The regimes that :func:`qualify` knows.

    >>> from margincore.analysis.qualify import regimes
    >>> "portfolio_margin" in regimes()
    True
    """
    return list(_data()["regimes"])


def least_equity(regime: str, *, monitoring: Monitoring | None = None, unlisted: bool = False) -> Mapping[str, Any]:
    """The minimum equity of a regime: its amount in dollars, with grade and source.

    `unlisted` for an account with over-the-counter derivatives. Raises :class:`MissingData` where `monitoring` decides
    and is not given, and where no amount is published.

    >>> least_equity("portfolio_margin", monitoring="real_time")["amount"]
    100000
    """
    rules: list[Mapping[str, Any]] = _known(_data()["regimes"], regime, "regime")["minimum_equity"]
    if unlisted and any("product" in rule for rule in rules):
        return max((rule for rule in rules if "product" in rule), key=lambda rule: rule["amount"])
    rules = [rule for rule in rules if "product" not in rule]
    stated = sorted({rule["monitoring"] for rule in rules if "monitoring" in rule})
    if stated and monitoring is None:
        raise MissingData(f"monitoring decides the minimum equity of {regime}: one of {', '.join(stated)}")
    if stated and monitoring not in stated:
        raise InvalidInput(
            f"unknown monitoring {monitoring!r}: use one of {', '.join(stated)}",
            where="monitoring",
            code="unknown_name",
        )
    rules = [rule for rule in rules if rule.get("monitoring") in (None, monitoring)]
    if not rules:
        raise MissingData(f"no minimum equity of {regime} is published: give the venue's own")
    return max(rules, key=lambda rule: rule["amount"])


def qualify(
    regime: str,
    *,
    equity: float | None = None,
    products: Iterable[str] | None = None,
    approval: Literal["none", "covered", "spreads", "uncovered"] | None = None,
    monitoring: Monitoring | None = None,
    broker: str | None = None,
    existing: bool = False,
    overlay: Mapping[str, Any] | None = None,
    securities: Securities | None = None,
    on: str | None = None,
) -> Qualification:
    """Whether an account may use a regime, and why.

    `equity` is dollars of account equity; `products` what it trades (``stock``, ``etf``, ``etn`` or ``note``,
    ``listed_option``, ``unlisted_derivative``, ``security_future``, ``index_future``, ``future``, ``crypto``), or
    symbols that `securities` knows (default: the shipped table) on the date `on` (``yyyy-mm-dd``; needed where a
    symbol's facts changed); `approval` its option level; `monitoring` how the member watches it. `broker` applies a
    known house's minimums, `overlay` one of your own: ``{"open": dollars, "keep": dollars, "grade": ...}``; `existing`
    asks for the amount to keep rather than to open.

    Raises :class:`MissingData` where a condition depends on something not said or on a value nobody published,
    :class:`InvalidInput` for unknown words and symbols.

    >>> import margincore as mc
    >>> answer = mc.qualify("portfolio_margin", equity=120_000, products=["stock", "listed_option"],
    ...                     approval="uncovered", monitoring="real_time", broker="schwab")
    >>> answer.eligible
    False
    >>> [reason.text for reason in answer.reasons if not reason.met]
    ['equity 120,000 against 125,000 to open at schwab']
    >>> notes = mc.qualify("portfolio_margin", equity=200_000, products=["SPY", "VXX"], approval="uncovered",
    ...                    monitoring="real_time")
    >>> [reason.text for reason in notes.reasons if not reason.met]
    ['does not cover VXX: exchange-traded notes, since 16 August 2019 (FINRA Regulatory Notice 19-21)']
    """
    data = _data()
    terms = _known(data["regimes"], regime, "regime")
    if products is None:
        raise MissingData(
            f"qualify: products: say what the account trades, of {', '.join(data['products'])}", code="not_stated"
        )
    named = {product: _product(data, product, securities or Securities(), on) for product in products}
    traded = list(named.values())
    reasons = [_covers(data, terms, named)]
    rules = [rule for rule in terms["minimum_equity"] if rule.get("product") in (None, *traded)]
    if overlay is None and broker is not None:
        overlay = _known(data["brokers"], broker, "broker").get(regime)
        if overlay is None:
            raise MissingData(f"qualify: no minimum of {broker} for {regime} is known: give it as overlay")
    if not rules and overlay is None:
        raise MissingData(f"qualify: no minimum equity for {regime} is published: give the venue's as overlay")
    if equity is None:
        raise MissingData("qualify: equity: the account's equity in dollars is needed")
    if not math.isfinite(equity):
        raise InvalidInput(f"qualify: equity is {equity}", code="out_of_range")
    if any("monitoring" in rule for rule in rules):
        stated = {rule["monitoring"] for rule in rules if "monitoring" in rule}
        if monitoring is None:
            raise MissingData(f"qualify: monitoring decides the minimum equity: one of {', '.join(sorted(stated))}")
        if monitoring not in stated:
            raise InvalidInput(
                f"qualify: unknown monitoring '{monitoring}': use one of {', '.join(sorted(stated))}",
                code="unknown_name",
            )
        rules = [rule for rule in rules if rule.get("monitoring") in (None, monitoring)]
    for rule in rules:
        text = f"equity {equity:,.0f} against {rule['amount']:,.0f}"
        reasons.append(Reason(equity >= rule["amount"], text, rule["grade"], rule["source"]))
    if overlay is not None:
        when = "keep" if existing else "open"
        least = overlay.get(when)
        if least is None:
            raise MissingData(f"qualify: overlay: no amount to {when} the account")
        house = broker or "the house"
        text = f"equity {equity:,.0f} against {least:,.0f} to {when} at {house}"
        reasons.append(Reason(equity >= least, text, overlay.get("grade", "house rule"), house))
    least_level = terms["approval"]["least"]
    if least_level != "none":
        levels: list[str] = data["approvals"]
        if approval is None:
            raise MissingData(f"qualify: approval: the account's option level is needed, one of {', '.join(levels)}")
        if approval not in levels:
            raise InvalidInput(
                f"qualify: unknown approval '{approval}': use one of {', '.join(levels)}", code="unknown_name"
            )
        text = f"approved for {approval} against {least_level}"
        met = levels.index(approval) >= levels.index(least_level)
        reasons.append(Reason(met, text, terms["approval"]["grade"], terms["approval"]["source"]))
    return Qualification(regime, terms["name"], tuple(reasons))


def _known(table: Mapping[str, Any], key: str, what: str) -> Any:
    if key not in table:
        raise InvalidInput(f"qualify: unknown {what} '{key}': use one of {', '.join(table)}", code="unknown_name")
    return table[key]


def _product(data: Mapping[str, Any], name: str, securities: Securities, on: str | None) -> str:
    """The product that a word or a symbol stands for; what may not be portfolio margined counts as a note."""
    if name in data["products"]:
        return name
    row = securities.get(name, on)
    if row is None:
        known = ", ".join(data["products"])
        raise InvalidInput(
            f"qualify: '{name}' is no symbol of the table of securities, and none of {known}", code="bad_text"
        )
    if row["kind"] == "index":
        raise InvalidInput(f"qualify: '{name}' is an index, which nobody trades: say listed_option or index_future")
    if not row["portfolio_margin"]:
        return "etn"
    return {"etf": "etf", "etn": "etn"}.get(row["kind"], "stock")


def _covers(data: Mapping[str, Any], terms: Mapping[str, Any], named: Mapping[str, str]) -> Reason:
    outside = []
    for name, product in named.items():
        if product not in terms["products"]:
            why = terms.get("excluded", {}).get(product, data["products"][product])
            outside.append(why if name == product else f"{name}: {why}")
    text = f"does not cover {', '.join(outside)}" if outside else "covers what the account trades"
    return Reason(not outside, text, "published", "the regime's eligible products")
