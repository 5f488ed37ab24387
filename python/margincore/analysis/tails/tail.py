"""What every tail answers: value at risk and expected shortfall at a confidence."""

from __future__ import annotations

from dataclasses import dataclass

from margincore._pickles import Record
from margincore.methods.hvar import Confidence, ppm

__all__ = ["Confidence", "Tail", "level"]


@dataclass(frozen=True, slots=True)
class Tail(Record):
    """Value at risk and expected shortfall, both as losses: positive where money is lost, in the unit of the losses.

    `es` is ``None`` where the distribution has no mean beyond its `var`: the tail is too heavy.
    """

    var: float
    es: float | None


def level(confidence: Confidence) -> float:
    """A confidence as a number, of whole parts per million."""
    return ppm(confidence) / 1_000_000.0
