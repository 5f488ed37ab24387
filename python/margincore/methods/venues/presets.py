"""Venues that are a preset and nothing else: Bit.com, Aevo and Dederi; and a yardstick that is no venue."""

from __future__ import annotations

from typing import Any, Literal, Self

from margincore.methods.venues.base import Crypto, SpotTreatment, built, given

__all__ = ["Aevo", "BitCom", "Dederi", "Span16"]


class BitCom(Crypto):
    """Bit.com regular mode: standard margin of options, verified on the venue's own example."""

    __slots__ = ()

    def __new__(cls, **changes: Any) -> Self:
        return built(cls, {"preset": "bitcom-standard", **changes})


class Aevo(Crypto):
    """Aevo standard margin of options, as published."""

    __slots__ = ()

    def __new__(cls, **changes: Any) -> Self:
        return built(cls, {"preset": "aevo-standard", **changes})


class Dederi(Crypto):
    """Dederi: Deribit's older portfolio margin on linear contracts."""

    __slots__ = ()

    def __new__(cls, **changes: Any) -> Self:
        return built(cls, {"preset": "dederi-pm", **changes})


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
        return built(cls, {"preset": f"span16-{ranges}", **given(spot=spot), **changes})
