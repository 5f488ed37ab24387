"""Paradex: portfolio margin, and cross margin per position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal, Self

from margincore.methods.venues.base import Crypto, SpotTreatment, built, chosen, dated, given, undated, with_charges

__all__ = ["Paradex"]

_VINTAGES = {"2026-08": "paradex-pm", "2026-01": "paradex-pm-earlier"}


class Paradex(Crypto):
    """Paradex: ``"portfolio"`` margin (the scan against a minimum on delta) or ``"cross"`` margin per position.

    `provisions` are amounts added to both margins: funding for eight hours, fees. The parameters of portfolio margin
    are those in force at the valuation, unless `vintage` (``"2026-08"`` or ``"2026-01"``) or `on`, a date, states
    others; ``"cross"`` has one set of parameters and takes neither.
    """

    __slots__ = ()

    def __new__(
        cls,
        model: Literal["portfolio", "cross"] = "portfolio",
        *,
        vintage: Literal["2026-08", "2026-01"] | None = None,
        on: dt.date | str | None = None,
        spot: SpotTreatment | None = None,
        provisions: Mapping[str, float] | None = None,
        **changes: Any,
    ) -> Self:
        if chosen("model", model, {"portfolio": "portfolio", "cross": "cross"}) == "cross":
            preset = undated("paradex-cross", model, vintage, on)
        else:
            preset = dated("paradex-pm", vintage, on, _VINTAGES)
        changes = with_charges({**given(spot=spot), **changes}, "provisions", provisions)
        return built(cls, {**preset, **changes})
