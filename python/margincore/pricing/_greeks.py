"""What the pricing models' greeks come in."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from margincore._pickles import reduced
from margincore.pricing._columns import Floats


class Greeks(NamedTuple):
    """Prices and sensitivities, per unit of underlying, each an array of the inputs' shape.

    `delta` per unit of spot, `gamma` per its square; `vega` per 1.00 of vol (divide by 100 for a vol point), `vanna` =
    d delta / d vol, `volga` = d vega / d vol; `theta` per year of time passing, negative for most long options (divide
    by 365 for a day); `rho` per 1.00 of rate with the yield unchanged. Of options on a forward (:mod:`.black76`,
    :mod:`.bachelier`, :mod:`.shifted_lognormal`) all are with the forward held: `delta` and `gamma` are per unit of the
    forward, and `rho` is what discounting does.
    """

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats
    vanna: Floats
    volga: Floats

    _pickle_version = 1  # type: ignore[misc]  # no field: it has no annotation

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self, self._asdict())

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        return cls(**state)
