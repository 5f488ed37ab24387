"""Deribit: portfolio and standard margin, and its own parameters as it states them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal, Self

from margincore import _core
from margincore.methods.venues.base import (
    Crypto,
    SpotTreatment,
    built,
    chosen,
    dated,
    given,
    undated,
    venue_reply,
    with_charges,
)

__all__ = ["Deribit"]

_VINTAGES = {name: f"deribit-pm-{name}" for name in ("2024", "2026", "old-a", "old-b", "old-c", "old-d")}


class Deribit(Crypto):
    """Deribit: portfolio margin (2024 and 2026 parameters, four older vintages) or standard margin.

    `model` is ``"portfolio"`` or ``"standard"``, which has one set of parameters. Those of portfolio margin are the
    ones in force at the valuation, unless `vintage` (``"2024"``, ``"2026"``, or ``"old-a"`` to ``"old-d"``) or `on`,
    a date, states others; reports say under ``parameters["superseded_by"]`` which newer ones were in force. Each
    settlement currency stands alone (S:PM). How cross portfolio margin (X:PM) adds currency pairs up is not
    published: ``"cross"`` raises :class:`Unsupported`. Option cells use published parameters; no engine output with
    options was available to verify them. The rules are those of BTC and ETH: another underlying raises
    :class:`MissingData` until `rules` state it. `rules` changes parameters by underlying and settlement (``"BTC"``,
    ``"BTC/USDC"``, ``"*"``); `initial_only` adds amounts to initial margin, by name, such as ``mmp_margin`` or
    ``open_orders_margin``. Vintage A charges opposite vegas of several expiries by a formula that is not published:
    state it as ``charges.stated.opposite_vega``.

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=10, multiplier_unit="USD", settlement="inverse", currency="BTC")
    >>> market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 80000.0}, price={perp.id: 80000.0})
    >>> report = mc.margin([mc.Position(perp, 800)], market, mc.methods.Deribit())     # 8,000 dollars: 0.1 coin
    >>> [round(x, 9) for x in (report.details["units"]["BTC"]["worst_case"], report.requirement.initial)]
    [0.01627907, 0.01677907]
    >>> report.parameters["name"]
    'deribit-pm-2026'
    >>> earlier = mc.margin([mc.Position(perp, 800)], market, mc.methods.Deribit(vintage="2024"))
    >>> earlier.parameters["name"], earlier.parameters["superseded_by"]
    ('deribit-pm-2024', 'deribit-pm-2026 (2026-02-15)')
    >>> mc.methods.Deribit(on="2025-06-30").parameters["name"], mc.methods.Deribit(on="2026-06-30").parameters["name"]
    ('deribit-pm-2024', 'deribit-pm-2026')
    """

    __slots__ = ()

    def __new__(
        cls,
        model: Literal["portfolio", "standard", "cross"] = "portfolio",
        *,
        vintage: Literal["2024", "2026", "old-a", "old-b", "old-c", "old-d"] | None = None,
        on: dt.date | str | None = None,
        spot: SpotTreatment | None = None,
        rules: Mapping[str, Any] | None = None,
        initial_only: Mapping[str, float] | None = None,
        **changes: Any,
    ) -> Self:
        if model == "cross":
            raise _core.Unsupported(
                "Deribit's cross portfolio margin: how it adds currency pairs up is not published; margin each "
                'settlement currency with Deribit("portfolio"): its sum counts no offsets between pairs'
            )
        if chosen("model", model, {"portfolio": "portfolio", "standard": "standard"}) == "standard":
            preset = undated("deribit-standard", model, vintage, on)
        else:
            preset = dated("deribit-pm", vintage, on, _VINTAGES)
        changes = {**given(spot=spot, rules=rules), **changes}
        return built(cls, {**preset, **with_charges(changes, "initial_only", initial_only)})

    @classmethod
    def from_params(cls, params: Mapping[str, Any] | str, *, currency: str = "btc", **changes: Any) -> Self:
        """Deribit's own parameters, as ``public/pme/get_params`` or a simulate reply states them.

        `params` is the reply, its ``result`` or the parameters themselves (a mapping or JSON text). They may be one
        flat table, a table per currency, or the reply's ``model_params`` with its groups ``currency_pair``,
        ``currency`` and ``general``. `currency` picks the settlement currency's entry, and the rules are set for that
        underlying. Keys that are not margin parameters are refused with :class:`InvalidInput`, text that is not JSON
        with :class:`ParseError`.

        >>> import margincore as mc
        >>> rules = mc.methods.Deribit.from_params({"price_range": 0.15, "mm_factor": 0.75}, currency="btc")
        >>> rules.parameters["name"]
        'deribit-pm (changed)'
        >>> groups = {"currency_pair": {"btc_usd": {"price_range": 0.15}}, "currency": {"btc": {"pnl_offset": 0.5}},
        ...     "general": {"mm_factor": 0.75}}
        >>> mc.methods.Deribit.from_params({"result": {"model_params": groups}}, currency="btc").parameters["name"]
        'deribit-pm (changed)'
        """
        document = venue_reply(params, "params")
        name = currency.lower()
        for key in ("result", "model_params", "params", name):
            if isinstance(document.get(key), Mapping):
                document = document[key]
        if isinstance(document.get("currency_pair"), Mapping):
            groups = (document["currency_pair"].get(f"{name}_usd"), document.get("currency", {}).get(name))
            document = {k: v for group in (*groups, document.get("general")) for k, v in (group or {}).items()}
        return cls(rules={currency.upper(): _deribit_rules(document, name)}, **changes)


_IGNORED = frozenset({
    "buckets_count", "vol_scenarios", "vol_scenarios_count", "equity_side_impact", "correlation_set",
    "correlation_haircut", "haircut", "timestamp", "currency", "currency_pair", "settlement_currency",
})  # fmt: skip


def _deribit_rules(params: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Deribit's names onto the engine's: one underlying's rules."""

    def pick(name: str) -> Any:
        value = params.get(name)
        return value.get(currency) if isinstance(value, Mapping) else value

    known = {
        "price_range", "volatility_range_up", "volatility_range_down", "short_term_vega_power",
        "long_term_vega_power", "min_volatility_for_shock_up", "extended_table_factor", "extended_dampener_usd",
        "extended_dampener", "min_annualised_move", "annualised_move_risk", "m_inc", "max_delta_shock",
        "delta_total_liq_shock_threshold", "mm_factor", "pnl_offset", "max_offsetable_pnl",
    }  # fmt: skip
    unknown = sorted(set(params) - known - _IGNORED)
    if unknown:
        raise _core.InvalidInput(
            f"not parameters of Deribit's portfolio margin: {', '.join(unknown)}", code="unknown_name"
        )
    if params.get("correlation_set") is True:
        raise _core.Unsupported("correlation_set: Deribit does not publish how correlated currencies are added up")
    dampener = pick("extended_dampener_usd")
    scenarios = {
        "grid": given(range=pick("price_range")),
        "extended": given(
            range=pick("price_range"),
            factor=pick("extended_table_factor"),
            dampener=pick("extended_dampener") if dampener is None else dampener,
        ),
    }
    vol = given(
        up=pick("volatility_range_up"),
        down=pick("volatility_range_down"),
        power_short=pick("short_term_vega_power"),
        power_long=pick("long_term_vega_power"),
        min_up=pick("min_volatility_for_shock_up"),
    )
    charges = {
        "roll": given(min=pick("min_annualised_move"), annualised=pick("annualised_move_risk")),
        "delta_shock": given(
            threshold=pick("delta_total_liq_shock_threshold"), slope=pick("m_inc"), max=pick("max_delta_shock")
        ),
    }
    return {
        "scenarios": scenarios,
        "vol": vol,
        "charges": charges,
        **given(mm_factor=pick("mm_factor"), gain_share=pick("pnl_offset"), gain_cap=pick("max_offsetable_pnl")),
    }
