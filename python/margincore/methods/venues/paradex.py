"""Paradex: portfolio margin, and cross margin per position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal, Self

from margincore.methods.venues.base import Crypto, SpotTreatment, built, chosen, dated, given, with_charges

__all__ = ["Paradex"]


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
        preset = {"preset": chosen("model", model, {"portfolio": "paradex-pm", "cross": "paradex-cross"})}
        if on is not None and model == "portfolio":
            preset = dated("paradex-pm", "", on, ())
        changes = with_charges({**given(spot=spot), **changes}, "provisions", provisions)
        return built(cls, {**preset, **changes})
