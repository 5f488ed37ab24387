"""OKX: portfolio margin, and the first tier of standard option margin."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from margincore.methods.venues.base import Crypto, SpotTreatment, built, dated, given, with_charges

__all__ = ["Okx"]

_VINTAGES = {"2025": "okx-pm-2025", "2024": "okx-pm-2024", "standard": "okx-standard"}


class Okx(Crypto):
    """OKX: portfolio margin (``"2025"``, ``"2024"``) or the first tier of standard option margin (``"standard"``).

    A risk unit is one underlying whatever it settles in, in dollars; the market needs ``fx`` for USDT and USDC. Of spot
    only what hedges the unit's delta is in the scan (``spot_in_use`` in the details); `spot` changes that.
    MR3, MR5 and MR7 of options are not published in a readable form: with options or dated futures :class:`Unsupported`
    is raised until `stated` gives ``mr3``, ``mr5`` and ``mr7_options`` in dollars (0 is an answer). Borrowed money
    (negative cash) pays MR8. MR7's multipliers are those published before 2025 (the later ones are not readable); they
    are ``charges.perpetual_slippage.tiers`` of the rules. Without `vintage` the parameters of portfolio margin are
    those in force at the valuation, or on the date `on`.

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
        vintage: Literal["2025", "2024", "standard"] | None = None,
        *,
        on: dt.date | str | None = None,
        spot: SpotTreatment | None = None,
        stated: Mapping[str, float] | None = None,
        mr9_hedged: float | None = None,
        mr9_tiers: Sequence[tuple[float, float, float]] | None = None,
        **changes: Any,
    ) -> Self:
        preset = dated("okx-pm", vintage, on, _VINTAGES)
        charges = dict(stated or {})
        if mr9_hedged is not None:
            charges["mr9"] = cls.mr9(mr9_hedged, mr9_tiers or ())
        changes = with_charges({**given(spot=spot), **changes}, "stated", charges)
        return built(cls, {**preset, **changes})

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
