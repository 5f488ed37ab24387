"""Reg T: strategy-based margin with the cheapest pairing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from margincore._core import Securities
from margincore.methods.base import Rulebook, stated

__all__ = ["RegT"]


class RegT(Rulebook):
    """Strategy-based margin: Regulation T (12 CFR 220), FINRA 4210(f)(2), Cboe 10.3, with the cheapest pairing.

    Every recognised strategy has a formula: uncovered options, two-sided shorts, universal spreads of any number of
    legs, long boxes of European cash-settled options, covered, protected and converted stock, funds covering options
    on the index they track. Which positions are counted together is found exactly, for the initial and for the
    maintenance requirement apart, over options and stock together.

    An adjusted option counts by what it delivers: the value of all its shares at their prices and its cash, in the
    place of a hundred times the price. It is covered by all those shares, and paired only with options that deliver
    the same for the same multiplier of the strike.

    `report.requirement` is liquidating equity (dollars; cash + stock + option value). `report.details` has the
    manual's numbers in dollars: `long_cost` (long options less loan value), `short_requirement` (marks of the shorts
    included), `proceeds` (premium of the shorts), `gross` (all of the requirement before proceeds), `net_deposit`
    (`gross - proceeds`), `maintenance` (on short options and stock, the value of long options left out). The same for
    both dates under `initial` and `held`, with the named `pairing`, its `proven_bound` and `gap` (zero when the
    minimum is proven), and `greedy_equity_required`.

    - `account_kind`: ``"margin"`` (default) or ``"cash"``, where the account itself does not say.
    - `pairing`: ``"optimal"`` (default), ``"two_leg"`` (pairs only) or ``"greedy"`` (what a matcher that never looks
      back takes), to reconcile with a broker; ``"one_spread"`` margins the options of an underlying as the one
      universal spread they were entered as, and raises :class:`NotApplicable` where they are none.
    - `securities`: the table that says what symbols are, :class:`margincore.Securities` (default: the shipped one). A
      fund that it does not know is :class:`MissingData`: its leverage decides its margin.
    - `classes`: the classes of underlyings, ``{"IBM": "equity"}``, by the names in the preset (equity, etf, broad_etf,
      broad_index, narrow_index, ...), in place of what the table says. Held stock is `stock_class` unless named;
      anything else unknown is :class:`MissingData`, or `default_class` where given.
    - `underlyings`: the same with terms: ``{"class", "leverage", "of", "divisor", "tracks"}``, each in place of the
      table's.
    - `percentages`: classes of your own, ``{"base", "minimum", "otc_base", "otc_minimum", "cash_settled",
      "non_margin", "grade"}``, fractions.
    - `numbers`: the other numbers of the rulebook, by name.
    - `expiry_order`: "expires on or before" by ``"date"`` (default, the rule's word) or ``"instant"``.
    - `initial_at_least_maintenance`: FINRA 4210(b), on by default.
    - `node_limit`: nodes of the search per component of the book (20,000; fewer where nodes are large, so that one
      account takes seconds at most). A search that stops there answers with the best pairing found, never worse than
      ``"greedy"``, and with its bound: ``details["initial"]["gap"]``, and ``pairing_gap`` of a :class:`MarginBatch`.
    - `preset`: ``"reg-t"``, or ``"reg-t-ibkr"`` for that broker's house rules.

    Raises :class:`NotApplicable` naming what strategy-based margin does not cover, :class:`MissingData` naming
    options without a mark, :class:`InvalidInput` for unknown keys or values out of range.

    >>> import margincore as mc
    >>> def leg(right, strike):
    ...     return mc.Option("SPX", right, strike, expiry="2026-12-18", settles="am", exercise="european",
    ...                      multiplier=100, currency="USD")
    >>> condor = {leg("put", 4200): (1, 10.0), leg("put", 4300): (-1, 20.0),
    ...           leg("call", 4700): (-1, 25.0), leg("call", 4800): (1, 8.0)}
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"SPX": 4500.0},
    ...                    price={c.id: mark for c, (_, mark) in condor.items()})
    >>> report = mc.margin([mc.Position(c, n) for c, (n, _) in condor.items()], market, mc.methods.RegT())
    >>> report.details["maintenance"], report.details["net_deposit"]     # one side, not two
    (10000.0, 7300.0)
    >>> report.details["initial"]["pairing"][0]["strategy"]
    'iron condor'
    """

    __slots__ = ()

    def __new__(
        cls,
        preset: str = "reg-t",
        *,
        securities: Securities | None = None,
        account_kind: Literal["margin", "cash"] | None = None,
        pairing: Literal["optimal", "two_leg", "greedy", "one_spread"] | None = None,
        classes: Mapping[str, str] | None = None,
        underlyings: Mapping[str, Mapping[str, Any]] | None = None,
        percentages: Mapping[str, Mapping[str, Any]] | None = None,
        numbers: Mapping[str, Any] | None = None,
        stock_class: str | None = None,
        default_class: str | None = None,
        expiry_order: Literal["date", "instant"] | None = None,
        initial_at_least_maintenance: bool | None = None,
        node_limit: int | None = None,
        currency: str | None = None,
    ) -> Self:
        known = {symbol: {"class": name} for symbol, name in (classes or {}).items()}
        for symbol, terms in (underlyings or {}).items():
            known[symbol] = {**known.get(symbol, {}), **terms}
        changes = {
            "securities": stated(securities),
            "account_kind": account_kind,
            "pairing": pairing,
            "underlyings": known or None,
            "classes": percentages,
            "numbers": numbers,
            "stock_class": stock_class,
            "default_class": default_class,
            "expiry_order": expiry_order,
            "initial_at_least_maintenance": initial_at_least_maintenance,
            "node_limit": node_limit,
            "currency": currency,
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return super().__new__(cls, "reg-t", {"preset": preset, **given})
