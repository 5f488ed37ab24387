"""From option quotes to a market: forwards by put-call parity, discounts, implied volatilities, and what was left out.

Columns in, columns out: one row per quoted option of one underlying. Prices per unit of underlying, `years` to expiry,
rates and yields continuously compounded annual fractions, vols annual fractions. Parity (Stoll 1969):
call - put = discount * (forward - strike) for European exercise. For American exercise it only bounds the forward, and
the forward found has the bias of the difference in early-exercise premiums at the strikes nearest the money.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore import pricing
from margincore._core import InvalidInput
from margincore._pickles import Record

__all__ = ["ExpiryTerms", "ImpliedQuotes", "imply"]

Floats = NDArray[np.float64]
NoVol = Literal["drop", "opposite", "nearest"]

PAIRS = 25
"""Call-put pairs nearest the money that a forward is taken from."""


NO_FORWARD = 6
REASONS = (
    "",
    "expired",
    "bid or ask is no price",
    "no ask",
    "crossed: the bid is above the ask",
    "no bid",
    "no forward: no strike with call and put quoted",
    *pricing.STATUSES[1:],
    "vol above 1,000 %: no market takes it",
)
"""Why a row is left out, in the order in which the rules apply."""


#: The largest vol that pricing and markets take: a quote of an option with hours left may imply more.
_MOST_VOL = 10.0


@dataclass(frozen=True)
class ExpiryTerms(Record):
    """What put-call parity says of one expiry.

    `pairs` quotes of both rights were used; `spread` is the median distance of their forwards from `forward`.
    """

    years: float
    forward: float
    discount: float
    pairs: int
    spread: float


@dataclass(frozen=True)
class ImpliedQuotes(Record):
    """Quotes with their vols. Arrays have a row per quote given; `vol` is NaN where a row was left out.

    `rate` and `dividend_yield` are the carry that `terms` imply for the row's expiry, so that
    :func:`margincore.pricing.price` at `vol` returns `mid`. `reason` is empty for rows that stay; `borrowed` marks vols
    that are another quote's (policies ``"opposite"`` and ``"nearest"``), which do not return the row's mid.
    """

    terms: tuple[ExpiryTerms, ...]
    mid: Floats
    vol: Floats
    rate: Floats
    dividend_yield: Floats
    borrowed: NDArray[np.bool_]
    reason: NDArray[np.str_]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Rows with a vol."""
        return np.isfinite(self.vol)

    def report(self) -> dict[str, int]:
        """How many rows stay, how many of them with a borrowed vol, and how many were left out, by reason."""
        reasons, counts = np.unique(self.reason[~self.kept], return_counts=True)
        stay = {"kept": int(self.kept.sum()), "of these, vol borrowed": int(self.borrowed.sum())}
        return stay | {str(r): int(c) for r, c in zip(reasons, counts, strict=True)}


def _parity(
    strike: Floats, difference: Floats, weight: Floats, spot: float, years: float, rate: float | None
) -> ExpiryTerms:
    """Forward and discount from call minus put at some strikes."""
    near = np.argsort(np.abs(strike - spot), kind="stable")
    discount = 1.0 if rate is None else float(np.exp(-rate * years))
    if rate is None and len(strike) >= 4:
        # Call - put is linear in the strike with slope -discount; all strikes count, wide quotes for less.
        centre = np.average(strike, weights=weight)
        lever = weight * (strike - centre)
        slope = -float(lever @ difference / (lever @ (strike - centre)))
        # A slope that no rate between -3 % and 12 % explains says that quotes are stale, not what money costs.
        if np.exp(-0.12 * years) <= slope <= np.exp(0.03 * years):
            discount = slope
    at = near[:PAIRS]
    forwards = strike[at] + difference[at] / discount
    order = np.argsort(forwards, kind="stable")
    mass = np.cumsum(weight[at][order])
    forward = float(forwards[order][np.searchsorted(mass, 0.5 * mass[-1])])
    return ExpiryTerms(years, forward, discount, len(at), float(np.median(np.abs(forwards - forward))))


def imply(
    spot: float,
    strike: ArrayLike,
    years: ArrayLike,
    right: ArrayLike,
    bid: ArrayLike,
    ask: ArrayLike,
    *,
    rate: float | None = None,
    exercise: pricing.Exercise = "european",
    need_bid: bool = False,
    no_vol: NoVol = "drop",
) -> ImpliedQuotes:
    """Forwards, discounts and vols from quotes of one underlying; rows with the same `years` are one expiry.

    The price of a row is its mid. `rate`, where given, fixes the discounts; else they come from parity too. A row
    without a usable quote or vol is left out and says why. ``no_vol="opposite"`` gives a quote without a vol that of
    the other right at its strike, ``"nearest"`` that of the nearest strike of its expiry and right; both are marked as
    borrowed. Raises :class:`~margincore.InvalidInput` for columns that differ in length and values no quote has.

    >>> from margincore.pricing import price
    >>> strikes, rights = [90.0, 100.0, 110.0] * 2, [1, 1, 1, -1, -1, -1]
    >>> mids = price(99.0, strikes, 0.5, 0.03, 0.01, 0.2, rights)
    >>> chain = imply(99.0, strikes, [0.5] * 6, rights, mids - 0.05, mids + 0.05, rate=0.03)
    >>> round(chain.terms[0].forward, 4), chain.vol.round(6).tolist()
    (99.995, [0.2, 0.2, 0.2, 0.2, 0.2, 0.2])
    >>> chain.report()
    {'kept': 6, 'of these, vol borrowed': 0}
    """
    if no_vol not in ("drop", "opposite", "nearest"):
        raise InvalidInput(f"no_vol {no_vol!r}: expected 'drop', 'opposite' or 'nearest'")
    if exercise == "american" and rate is None:
        raise InvalidInput("rate: American quotes do not give discounts by parity; name a rate")
    if not (np.isfinite(spot) and spot > 0.0):
        raise InvalidInput(f"spot is {spot}; it must be a positive finite number", code="not_finite")
    columns: list[Floats] = [np.asarray(c, np.float64) for c in (strike, years, bid, ask)]
    sign = np.asarray(right, np.int8)
    if sign.ndim != 1 or any(c.shape != sign.shape for c in columns):
        raise InvalidInput(
            f"columns differ in length: {[c.shape for c in columns]} and {sign.shape}", code="contradiction"
        )
    strikes, times, bids, asks = columns
    bad = ~(np.isfinite(strikes) & (strikes > 0.0) & np.isfinite(times) & (np.abs(sign) == 1))
    if bad.any():
        raise InvalidInput(f"row {int(np.argmax(bad))}: strike, years or right is not one")

    mid = 0.5 * (bids + asks)
    # Numbers of REASONS; the first rule that applies gives the reason.
    why = np.zeros(len(mid), np.uint8)
    for number, rule in enumerate(
        (
            times <= 0.0,
            ~(np.isfinite(bids) & np.isfinite(asks)) | (bids < 0.0),
            asks <= 0.0,
            bids > asks,
            need_bid & (bids == 0.0),
        ),
        start=1,
    ):
        why[rule & (why == 0)] = number

    row_rate, row_yield = np.zeros(len(mid)), np.zeros(len(mid))
    terms: list[ExpiryTerms] = []
    usable = why == 0
    for t in np.unique(times[usable]):
        rows = np.flatnonzero(usable & (times == t))
        width, has_bid = (asks - bids)[rows], bids[rows] > 0.0
        found = _expiry(strikes[rows], sign[rows], mid[rows], width, has_bid, spot, float(t), rate)
        if found is None:
            why[rows] = NO_FORWARD
            continue
        terms.append(found)
        row_rate[rows] = -np.log(found.discount) / t
        row_yield[rows] = row_rate[rows] - np.log(found.forward / spot) / t

    vol = np.full(len(mid), np.nan)
    rows = np.flatnonzero(why == 0)
    if len(rows):
        at = (np.full(len(rows), float(spot)), strikes[rows], times[rows], row_rate[rows], row_yield[rows])
        vol[rows], status = pricing.implied_vol(
            mid[rows], *at, sign[rows], exercise, on_error="nan", return_status=True
        )
        why[rows] = np.where(status > 0, NO_FORWARD + status, 0)
        beyond = vol > _MOST_VOL
        why[beyond], vol[beyond] = len(REASONS) - 1, np.nan
    borrowed = np.zeros(len(mid), np.bool_)
    if no_vol != "drop":
        borrowed = _borrow(strikes, times, sign, vol, usable & np.isnan(vol), no_vol)
        why[borrowed] = 0
    return ImpliedQuotes(tuple(terms), mid, vol, row_rate, row_yield, borrowed, np.array(REASONS)[why])


def _expiry(
    strike: Floats,
    sign: NDArray[np.int8],
    mid: Floats,
    width: Floats,
    has_bid: NDArray[np.bool_],
    spot: float,
    years: float,
    rate: float | None,
) -> ExpiryTerms | None:
    """Pairs the rights of one expiry and applies parity; None where no strike has both."""
    call, put = np.flatnonzero((sign > 0) & has_bid), np.flatnonzero((sign < 0) & has_bid)
    shared, of_call, of_put = np.intersect1d(strike[call], strike[put], return_indices=True)
    if len(shared) == 0:
        return None
    call, put = call[of_call], put[of_put]
    difference = mid[call] - mid[put]
    # A quote says the mid to about its width; the floor keeps one locked quote from deciding alone.
    weight = 1.0 / (width[call] + width[put] + 1e-3 * spot)
    found = _parity(shared, difference, weight, spot, years, rate)
    return found if found.forward > 0.0 else None


def _borrow(
    strike: Floats, years: Floats, sign: NDArray[np.int8], vol: Floats, wanting: NDArray[np.bool_], policy: NoVol
) -> NDArray[np.bool_]:
    """Fills `vol` of wanting rows from other quotes of their expiry; which rows were filled."""
    known = np.isfinite(vol)
    filled = np.zeros(len(vol), np.bool_)
    for row in np.flatnonzero(wanting):
        side = sign if policy == "nearest" else -sign
        donors = np.flatnonzero(known & (years == years[row]) & (sign == side[row]))
        if len(donors) == 0:
            continue
        best = donors[np.argmin(np.abs(strike[donors] - strike[row]))]
        if policy == "nearest" or strike[best] == strike[row]:
            vol[row] = vol[best]
            filled[row] = True
    return filled
