"""Bybit: portfolio margin of the unified account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from margincore.methods.venues.base import Crypto, SpotTreatment, built, given, with_charges

__all__ = ["Bybit"]


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
        changes = with_charges({**given(spot=spot), **changes}, "stated", stated)
        return built(cls, {"preset": "bybit-pm", **changes})
