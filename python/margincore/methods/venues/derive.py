"""Derive: its managers, and the parameters of their contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from margincore.methods.venues.base import Crypto, built, given

__all__ = ["Derive"]


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
        return built(
            cls,
            {"preset": f"derive-{manager}", **given(feeds=None if feeds is None else dict(feeds)), **changes},
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
