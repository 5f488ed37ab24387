"""Sixteen scenarios: SPAN's scenario list on relative moves, with an absolute or a relative vol range."""

from __future__ import annotations

from margincore.reference.crypto.scenario import Leg, Scenario, VolLaw, scan


def scenarios(price_range: float, cover: float = 0.35) -> list[Scenario]:
    """Seven price points with vol up and down, and two extreme moves of twice the range at a cover fraction."""
    thirds = (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0)
    grid = [Scenario(price_range * k, side) for k in thirds for side in (1, -1)]
    return [*grid, Scenario(2.0 * price_range, 0, cover), Scenario(-2.0 * price_range, 0, cover)]


def scan_risk(legs: list[Leg], price_range: float, vol_range: float, relative: bool) -> float:
    """The largest loss over the sixteen scenarios, not less than zero."""
    law = VolLaw(vol_range, vol_range, relative=relative)
    return max(-min(scan(legs, scenarios(price_range), law)), 0.0)
