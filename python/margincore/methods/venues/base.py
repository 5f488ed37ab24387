"""Crypto venues: portfolio and standard margin from one scenario engine, venues as presets.

Every class is a preset with named changes; :class:`Crypto` takes any preset and any document. What a venue prints
under its own names is in ``report.details["units"]``, and how sure each component is in ``report.details["grades"]``:
``verified`` against published numbers, ``published`` text or parameters, ``inferred`` by us, ``unverified``.

Requirements are on the basis of liquidating equity, like every report's. Spot treatment is a parameter: ``in_matrix``
(a position like any other), ``in_use`` (as much of it as hedges the delta of everything else, OKX's hedge mode;
inferred), ``upside_offset`` (its gain covers losses of upward scenarios; our construction, no venue's) or
``collateral_only`` (not in the scan).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, TypeVar

from margincore import _core
from margincore.methods.base import Rulebook

__all__ = ["Aevo", "BitCom", "Bybit", "Crypto", "Dederi", "Deribit", "Derive", "Okx", "Paradex", "Span16"]

_R = TypeVar("_R", bound=Rulebook)
SpotTreatment = Literal["in_matrix", "in_use", "upside_offset", "collateral_only"]


def _given(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in changes.items() if value is not None}


def _chosen(what: str, value: str, known: Mapping[str, str]) -> str:
    """The entry of a named choice; anything else is an error that says what there is."""
    if value not in known:
        raise _core.InvalidInput(f"{what} {value!r}: use one of {', '.join(known)}")
    return known[value]


def venue_reply(reply: Mapping[str, Any] | str, what: str) -> dict[str, Any]:
    """A venue's JSON object, as text or read already."""
    try:
        document = json.loads(reply) if isinstance(reply, str) else reply
    except json.JSONDecodeError as error:
        raise _core.ParseError(f"{what}:{error.lineno}: column {error.colno}: {error.msg}") from None
    if not isinstance(document, Mapping):
        raise _core.InvalidInput(f"{what}: a JSON object is needed, not {type(document).__name__}")
    return dict(document)


def _dated(family: str, vintage: str, on: dt.date | str | None, known: Sequence[str]) -> dict[str, Any]:
    """A preset by vintage, or the one of its family in force on a date."""
    if on is None:
        return {"preset": _chosen("vintage", vintage, {name: f"{family}-{name}" for name in known})}
    if not isinstance(on, str | dt.date):
        raise _core.InvalidInput(f"on is {on!r}: a date is needed, 2026-11-20")
    return {"preset": family, "on": on if isinstance(on, str) else on.isoformat()}


def _with_charges(changes: dict[str, Any], name: str, amounts: Mapping[str, float] | None) -> dict[str, Any]:
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
        raise _core.InvalidInput(f"{what} is {value}: a finite number is needed")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _check_numbers(f"{what}.{key}" if what else str(key), inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for i, inner in enumerate(value):
            _check_numbers(f"{what}[{i}]", inner)


def _built(cls: type[_R], document: dict[str, Any]) -> _R:
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
        return _built(cls, {"preset": preset, **changes})


class Deribit(Crypto):
    """Deribit: portfolio margin (2024 and 2026 parameters, four older vintages) or standard margin.

    `model` is ``"portfolio"`` or ``"standard"``; `vintage` is ``"2024"``, ``"2026"``, or ``"old-a"`` to ``"old-d"``;
    `on` takes the parameters in force on a date instead. Each settlement currency stands alone (S:PM). How cross
    portfolio margin (X:PM) adds currency pairs up is not published: ``"cross"`` raises :class:`Unsupported`.
    Option cells use published parameters; no engine output with options was available to verify them. The rules are
    those of BTC and ETH: another underlying raises :class:`MissingData` until `rules` state it. `rules` changes
    parameters by underlying and settlement (``"BTC"``, ``"BTC/USDC"``, ``"*"``); `initial_only` adds amounts to
    initial margin, by name, such as ``mmp_margin`` or ``open_orders_margin``. Vintage A charges opposite vegas of
    several expiries by a formula that is not published: state it as ``charges.stated.opposite_vega``.

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=10, multiplier_unit="USD", settlement="inverse", currency="BTC")
    >>> market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 80000.0}, price={perp.id: 80000.0})
    >>> report = mc.margin([mc.Position(perp, 800)], market, mc.methods.Deribit())     # 8,000 dollars: 0.1 coin
    >>> [round(x, 9) for x in (report.details["units"]["BTC"]["worst_case"], report.requirement.initial)]
    [0.019047619, 0.020047619]
    >>> mc.methods.Deribit(on="2025-06-30").parameters["name"], mc.methods.Deribit(on="2026-06-30").parameters["name"]
    ('deribit-pm-2024', 'deribit-pm-2026')
    """

    __slots__ = ()

    def __new__(
        cls,
        model: Literal["portfolio", "standard", "cross"] = "portfolio",
        *,
        vintage: Literal["2024", "2026", "old-a", "old-b", "old-c", "old-d"] = "2024",
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
        if _chosen("model", model, {"portfolio": "portfolio", "standard": "standard"}) == "standard":
            preset: dict[str, Any] = {"preset": "deribit-standard"}
        else:
            preset = _dated("deribit-pm", vintage, on, ("2024", "2026", "old-a", "old-b", "old-c", "old-d"))
        changes = {**_given(spot=spot, rules=rules), **changes}
        return _built(cls, {**preset, **_with_charges(changes, "initial_only", initial_only)})

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
        'deribit-pm-2024 (changed)'
        >>> groups = {"currency_pair": {"btc_usd": {"price_range": 0.15}}, "currency": {"btc": {"pnl_offset": 0.5}},
        ...     "general": {"mm_factor": 0.75}}
        >>> mc.methods.Deribit.from_params({"result": {"model_params": groups}}, currency="btc").parameters["name"]
        'deribit-pm-2024 (changed)'
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


_DERIBIT_IGNORED = frozenset({
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
    unknown = sorted(set(params) - known - _DERIBIT_IGNORED)
    if unknown:
        raise _core.InvalidInput(f"not parameters of Deribit's portfolio margin: {', '.join(unknown)}")
    if params.get("correlation_set") is True:
        raise _core.Unsupported("correlation_set: Deribit does not publish how correlated currencies are added up")
    dampener = pick("extended_dampener_usd")
    scenarios = {
        "grid": _given(range=pick("price_range")),
        "extended": _given(
            range=pick("price_range"),
            factor=pick("extended_table_factor"),
            dampener=pick("extended_dampener") if dampener is None else dampener,
        ),
    }
    vol = _given(
        up=pick("volatility_range_up"),
        down=pick("volatility_range_down"),
        power_short=pick("short_term_vega_power"),
        power_long=pick("long_term_vega_power"),
        min_up=pick("min_volatility_for_shock_up"),
    )
    charges = {
        "roll": _given(min=pick("min_annualised_move"), annualised=pick("annualised_move_risk")),
        "delta_shock": _given(
            threshold=pick("delta_total_liq_shock_threshold"), slope=pick("m_inc"), max=pick("max_delta_shock")
        ),
    }
    return {
        "scenarios": scenarios,
        "vol": vol,
        "charges": charges,
        **_given(mm_factor=pick("mm_factor"), gain_share=pick("pnl_offset"), gain_cap=pick("max_offsetable_pnl")),
    }


class Okx(Crypto):
    """OKX: portfolio margin (``"2025"``, ``"2024"``) or the first tier of standard option margin (``"standard"``).

    A risk unit is one underlying whatever it settles in, in dollars; the market needs ``fx`` for USDT and USDC. Of spot
    only what hedges the unit's delta is in the scan (``spot_in_use`` in the details); `spot` changes that.
    MR3, MR5 and MR7 of options are not published in a readable form: with options or dated futures :class:`Unsupported`
    is raised until `stated` gives ``mr3``, ``mr5`` and ``mr7_options`` in dollars (0 is an answer). Borrowed money
    (negative cash) pays MR8. MR7's multipliers are those published before 2025 (the later ones are not readable); they
    are ``charges.perpetual_slippage.tiers`` of the rules. `on` takes the parameters in force on a date.

    >>> import margincore as mc
    >>> swap = mc.Perpetual("LTC", multiplier=1, currency="USDT")
    >>> market = mc.Market("2025-01-15T10:26:41Z", spot={"LTC": 102.0}, price={swap.id: 102.0}, fx={"USDT/USD": 1.0})
    >>> report = mc.margin([mc.Position(swap, 10)], market, mc.methods.Okx())
    >>> [round(report.details["units"]["LTC"][key], 4) for key in ("mr1", "mr4", "mr6", "mmr", "imr")]
    [183.6, 8.16, 183.6, 191.76, 249.288]
    """

    __slots__ = ()

    def __new__(
        cls,
        vintage: Literal["2025", "2024", "standard"] = "2025",
        *,
        on: dt.date | str | None = None,
        spot: SpotTreatment | None = None,
        stated: Mapping[str, float] | None = None,
        mr9_hedged: float | None = None,
        mr9_tiers: Sequence[tuple[float, float, float]] | None = None,
        **changes: Any,
    ) -> Self:
        preset: dict[str, Any] = {"preset": "okx-standard"}
        if vintage != "standard":
            preset = _dated("okx-pm", vintage, on, ("2025", "2024"))
        charges = dict(stated or {})
        if mr9_hedged is not None:
            charges["mr9"] = cls.mr9(mr9_hedged, mr9_tiers or ())
        changes = _with_charges({**_given(spot=spot), **changes}, "stated", charges)
        return _built(cls, {**preset, **changes})

    @staticmethod
    def mr9(hedged: float, tiers: Sequence[tuple[float, float, float]]) -> float:
        """Stable-coin risk: marginal tiers (from, to, rate) over the dollars hedged between two quote currencies.

        >>> Okx.mr9(1e7, [(0.0, 1e6, 0.0075), (1e6, 5e6, 0.0175), (5e6, 1e7, 0.025)])
        202500.0
        """
        return sum(rate * max(0.0, min(hedged, high) - low) for low, high, rate in tiers)

    @staticmethod
    def hedged_pairs(usdt: float, usdc: float, usd: float) -> dict[str, float]:
        """The dollars hedged between two quote currencies, from each one's cash delta: what :meth:`mr9` is asked for.

        They are matched in the venue's order: USDT-USD, USDT-USDC, USDC-USD.

        >>> Okx.hedged_pairs(10.0, -4.0, -3.0)
        {'USDT-USD': 3.0, 'USDT-USDC': 4.0, 'USDC-USD': 0.0}
        """
        left = {"USDT": usdt, "USDC": usdc, "USD": usd}
        pairs = {}
        for one, two in (("USDT", "USD"), ("USDT", "USDC"), ("USDC", "USD")):
            matched = min(abs(left[one]), abs(left[two])) if left[one] * left[two] < 0.0 else 0.0
            for name in (one, two):
                left[name] -= math.copysign(matched, left[name])
            pairs[f"{one}-{two}"] = matched
        return pairs


class Bybit(Crypto):
    """Bybit unified account, portfolio margin: 11 prices times 3 vols per base coin, plus contingencies.

    The grid shipped is BTC's; other coins' grids differ and are stated in `rules` (an empty entry takes BTC's).

    Vol shocks are inferred from the venue's own example. The futures-delta, option and vega contingencies are not
    published in a readable form: with options or dated futures they raise :class:`Unsupported` until `stated` gives
    ``option_contingency``, ``option_vega`` and ``future_delta`` in the settlement currency (0 is an answer).
    """

    __slots__ = ()

    def __new__(
        cls, *, spot: SpotTreatment | None = None, stated: Mapping[str, float] | None = None, **changes: Any
    ) -> Self:
        changes = _with_charges({**_given(spot=spot), **changes}, "stated", stated)
        return _built(cls, {"preset": "bybit-pm", **changes})


class Paradex(Crypto):
    """Paradex: ``"portfolio"`` margin (the scan against a minimum on delta) or ``"cross"`` margin per position.

    `provisions` are amounts added to both margins: funding for eight hours, fees. `on` takes the parameters of
    portfolio margin in force on a date.
    """

    __slots__ = ()

    def __new__(
        cls,
        model: Literal["portfolio", "cross"] = "portfolio",
        *,
        on: dt.date | str | None = None,
        spot: SpotTreatment | None = None,
        provisions: Mapping[str, float] | None = None,
        **changes: Any,
    ) -> Self:
        preset = {"preset": _chosen("model", model, {"portfolio": "paradex-pm", "cross": "paradex-cross"})}
        if on is not None and model == "portfolio":
            preset = _dated("paradex-pm", "", on, ())
        changes = _with_charges({**_given(spot=spot), **changes}, "provisions", provisions)
        return _built(cls, {**preset, **changes})


class Derive(Crypto):
    """Derive (Lyra v2): ``"pmrm2"``, ``"pmrm2-sol"``, ``"pmrm2-hype"``, ``"pmrm1"`` or the standard manager ``"srm"``.

    The managers' own margins are net (mark value less requirement, cash included; positive is healthy) and stand in
    ``report.details``; the requirement is what liquidating equity must reach. Oracle readings are `feeds`:
    ``{"stable": price, "underlyings": {symbol: {"spot_confidence", "perp_confidence"}}, "expiries": [{"underlying",
    "expiry", "rate", "forward_confidence", "rate_confidence", "vol_confidence", "svi": {"a", "b", "rho", "m", "sigma",
    "forward", "years"}, "settlement_average"}], "collateral": {asset: {"confidence", "risk_cancelling", "im_haircut",
    "mm_haircut"}}}``. Collateral amounts are the account's, their prices the market's spot.
    """

    __slots__ = ()

    def __new__(cls, manager: str = "pmrm2", *, feeds: Mapping[str, Any] | None = None, **changes: Any) -> Self:
        return _built(
            cls,
            {"preset": f"derive-{manager}", **_given(feeds=None if feeds is None else dict(feeds)), **changes},
        )

    @classmethod
    def from_params(cls, params: Mapping[str, Any], *, feeds: Mapping[str, Any] | None = None, **changes: Any) -> Self:
        """PMRM_2 from the contracts' own parameter groups: scenarios, skew, vol, margin, basis, other."""
        skew, vol, margin = params["skew"], params["vol"], params["margin"]
        basis, other = params["basis"], params["other"]
        operations = {"Up": "up", "Down": "down", "None": "same", "LINEAR": "skew_linear", "ABS": "skew_absolute"}
        rules = {
            "scenarios": {"points": [[move - 1.0, operations[op], weight] for move, op, weight in params["scenarios"]]},
            "vol": {
                "up": vol["VOLRANGEUP"],
                "down": vol["VOLRANGEDOWN"],
                "power_short": vol["SHORTTERMPOWER"],
                "power_long": vol["LONGTERMPOWER"],
                "floor_days": vol["DTE_FLOOR"],
                "min_up": vol["MIN_VOL_EVAL_SHOCKED"],
                "skew": {
                    "linear_cap": skew["LINEAR_SCALE_CAP"],
                    "linear_slope": skew["LINEAR_CBASE"],
                    "absolute_cap": skew["ABS_SCALE_CAP"],
                    "absolute_slope": skew["ABS_CBASE"],
                    "min_kstar": skew["MIN_K_STAR"],
                    "width": skew["MIN_WIDTH_SCALE"],
                    "vol_static": skew["VOL_PARAM_STATIC"],
                    "vol_scale": skew["VOL_PARAM_SCALE"],
                },
            },
        }
        pmrm = {
            "discount": {
                "long_base": margin["BASE_STATIC_DISCOUNT"],
                "long_rate_multiple": margin["LONG_RATE_MULTSCALE"],
                "long_rate_add": margin["LONG_RATE_ADDSCALE"],
                "short_base": margin["BASE_STATIC_DISCOUNT_NEG"],
                "short_rate_multiple": margin["SHORT_RATE_MULTSCALE"],
                "short_rate_add": margin["SHORT_RATE_ADDSCALE"],
            },
            "basis": {
                "up": basis["SCENARIO_SPOT_UP"] - 1.0,
                "down": basis["SCENARIO_SPOT_DOWN"] - 1.0,
                "add": basis["BASIS_CONT_ADD_FACTOR"],
                "multiple": basis["BASIS_CONT_MULT_FACTOR"],
            },
            "contingency": {
                "perp_mm": other["MM_PERP_PERCENT"],
                "perp_im": other["IM_PERP_PERCENT"],
                "option_mm": other["MM_OPTION_PERCENT"],
                "option_im": other["IM_OPTION_PERCENT"],
            },
            "peg": {"threshold": other["PEG_LOSS_THRESHOLD"], "factor": other["PEG_LOSS_FACTOR"]},
            "confidence": {"threshold": other["CONF_THRESHOLD"], "factor": other["CONF_MARGIN"]},
            "im_factor": margin["IM_LOSS_FACTOR"],
            "mm_factor": margin["MM_LOSS_FACTOR"],
        }
        return cls("pmrm2", feeds=feeds, rules={"*": rules}, pmrm=pmrm, underlyings=[], **changes)


class BitCom(Crypto):
    """Bit.com regular mode: standard margin of options, verified on the venue's own example."""

    __slots__ = ()

    def __new__(cls, **changes: Any) -> Self:
        return _built(cls, {"preset": "bitcom-standard", **changes})


class Aevo(Crypto):
    """Aevo standard margin of options, as published."""

    __slots__ = ()

    def __new__(cls, **changes: Any) -> Self:
        return _built(cls, {"preset": "aevo-standard", **changes})


class Dederi(Crypto):
    """Dederi: Deribit's older portfolio margin on linear contracts."""

    __slots__ = ()

    def __new__(cls, **changes: Any) -> Self:
        return _built(cls, {"preset": "dederi-pm", **changes})


class Span16(Crypto):
    """CME's sixteen scenarios on relative ranges: a yardstick, no venue's rulebook.

    `ranges` is ``"12pct-10pt"`` (12 % price, 10 vol points) or ``"30pct-35pct"`` (30 % price, 35 % of the vol).
    """

    __slots__ = ()

    def __new__(
        cls,
        ranges: Literal["12pct-10pt", "30pct-35pct"] = "12pct-10pt",
        *,
        spot: SpotTreatment | None = None,
        **changes: Any,
    ) -> Self:
        return _built(cls, {"preset": f"span16-{ranges}", **_given(spot=spot), **changes})
