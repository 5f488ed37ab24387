"""What vol a strike has once the forward has moved: three rules, and the vols of a table's options by one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from margincore._core import Contract, InvalidInput, MissingData
from margincore.pricing.smiles._slices import Floats, Slice, positive, strikes_of

__all__ = ["Rule", "contract_vols", "moved_vol"]

Rule = Literal["strike", "moneyness", "delta"]
"""What keeps its vol: a strike, a ratio of strike to forward, or a delta."""


def moved_vol(
    slice: Slice, strike: ArrayLike, *, forward: float, rule: Rule = "strike", years: float | None = None
) -> Any:
    """The vols at strikes after the forward has moved to `forward`, annual fractions, in the shape of the strikes.

    ``"strike"``: every strike keeps its vol. ``"moneyness"``: every ratio of strike to forward does, so that the smile
    moves along. ``"delta"``: every delta N(d1) does. With the years of the slice that is the rule of moneyness, because
    a delta is a function of moneyness and vol; with fewer `years` left, the smile narrows as the deviation does.
    `years` are those left after the move, where they differ; the other rules do not read more of them than the vols of
    the slice, which are kept.

    >>> from margincore.pricing import smiles
    >>> slice = smiles.Svi(0.01, 0.05, -0.5, 0.0, 0.1, years=0.5, forward=100.0)
    >>> [float(moved_vol(slice, 90.0, forward=90.0, rule=rule).round(4)) for rule in ("strike", "moneyness", "delta")]
    [0.1995, 0.1732, 0.1732]
    >>> float(moved_vol(slice, 90.0, forward=100.0, rule="delta", years=0.125).round(4))
    0.2301
    """
    positive("forward", forward)
    left = slice.years if years is None else positive("years", years)
    strikes = strikes_of(strike)
    if rule == "strike":
        return slice.vol(strikes)
    if rule == "moneyness":
        return slice.vol(strikes * (slice.forward / forward))
    if rule != "delta":
        raise InvalidInput(
            f"rule {rule!r}: expected 'strike', 'moneyness' or 'delta'", code="unknown_name", where="rule", value=rule
        )
    if left == slice.years:
        return slice.vol(strikes * (slice.forward / forward))
    return _at_delta(slice, np.log(strikes / forward), left)


def _at_delta(slice: Slice, k: Floats, years: float) -> Floats:
    """Vols at moneyness `k` with `years` left: those of the slice's own point of the same d1."""

    def d1(at: Floats, vol: Floats, t: float) -> Floats:
        deviation = vol * np.sqrt(t)
        return np.asarray(0.5 * deviation - at / deviation)

    def vol_at(place: Floats) -> Floats:
        return np.sqrt(np.asarray(slice.total_variance(place)) / slice.years)

    # The place on the slice is between the money and a few times k: where its d1 is the new one's by bisection.
    scale = np.sqrt(slice.years / years)
    low, high = np.minimum(k, 0.0) * 8.0 * max(scale, 1.0) - 2.0, np.maximum(k, 0.0) * 8.0 * max(scale, 1.0) + 2.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        vol = vol_at(middle)
        # d1 falls as the place moves right; where it is still above the new one, the place is further right.
        right = d1(middle, vol, slice.years) > d1(k, vol, years)
        low, high = np.where(right, middle, low), np.where(right, high, middle)
    return vol_at(0.5 * (low + high))


def contract_vols(
    contracts: Iterable[Contract],
    slices: Mapping[tuple[str, str], Slice],
    factors: Mapping[str, float] | None = None,
    *,
    rule: Rule = "strike",
) -> dict[str, float]:
    """The vols of options by id, as :class:`margincore.Market` and its `update` take them.

    `slices` are by underlying and expiry, ``("SPX", "2026-12-18")``; `factors` are by underlying what spots and
    forwards are multiplied by (0.9 is 10 % down; 1 where none is given). Options on an underlying without a slice, and
    what is no option, are left out; an expiry that is missing of an underlying with slices is
    :class:`~margincore.MissingData`.

    >>> import margincore as mc
    >>> option = mc.Option("XYZ", "put", 95.0, expiry="2026-12-18", exercise="american", multiplier=100, currency="USD",
    ...                    settles="pm")
    >>> slice = mc.pricing.smiles.Svi(0.01, 0.05, -0.5, 0.0, 0.1, years=0.5, forward=100.0)
    >>> vols = contract_vols([option], {("XYZ", "2026-12-18"): slice}, {"XYZ": 0.95}, rule="moneyness")
    >>> {name: round(vol, 4) for name, vol in vols.items()} == {option.id: 0.1732}
    True
    """
    moves = dict(factors or {})
    known = {symbol for symbol, _ in slices}
    strangers = sorted(moves.keys() - known)
    if strangers:
        raise InvalidInput(
            f"factors: {strangers[0]!r} has no slice", code="unknown_name", where="factors", value=strangers[0]
        )
    by_slice: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for contract in contracts:
        if contract.kind != "option" or contract.underlying not in known:
            continue
        key = (contract.underlying, str(contract.expiry))
        if key not in slices:
            raise MissingData(
                f"no slice of {key[0]} for its expiry {key[1]}, which {contract.id} has",
                code="missing_vol",
                where=contract.id,
            )
        by_slice.setdefault(key, []).append((contract.id, float(contract.strike or 0.0)))
    found: dict[str, float] = {}
    for key, options in by_slice.items():
        slice = slices[key]
        forward = slice.forward * positive(f"factors: {key[0]}", moves.get(key[0], 1.0))
        vols = moved_vol(slice, np.array([strike for _, strike in options]), forward=forward, rule=rule)
        found.update(zip((name for name, _ in options), vols.tolist(), strict=True))
    return found
