"""How often and how far losses exceed margins, of one account and of many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis.backtest.columns import pair

__all__ = ["AccountCoverage", "Coverage", "account_coverage", "coverage"]


@dataclass(frozen=True)
class Coverage(Record):
    """Margins against losses. A shortfall is loss less margin where there is a breach; ``None`` without breaches.
    Loss to margin is ``None`` too where a breached margin is not positive: the ratio says nothing then.
    """

    observations: int
    breaches: int
    coverage: float
    average_shortfall: float | None
    max_shortfall: float | None
    average_loss_to_margin: float | None
    max_loss_to_margin: float | None


def coverage(margins: ArrayLike, losses: ArrayLike) -> Coverage:
    """How often and how far losses exceed margins.

    >>> coverage([1.0, 1.0, 2.0, 2.0], [0.5, 1.5, 1.0, 2.5])
    Coverage(observations=4, breaches=2, coverage=0.5, average_shortfall=0.5, max_shortfall=0.5,
             average_loss_to_margin=1.375, max_loss_to_margin=1.5)
    """
    m, x = pair(margins, losses)
    hit = x > m
    count = int(hit.sum())
    short = x[hit] - m[hit]
    some = count > 0
    ratio = x[hit] / m[hit] if some and (m[hit] > 0.0).all() else None
    return Coverage(
        m.size, count, 1.0 - count / m.size,
        float(short.mean()) if some else None, float(short.max()) if some else None,
        None if ratio is None else float(ratio.mean()), None if ratio is None else float(ratio.max()),
    )  # fmt: skip


@dataclass(frozen=True)
class AccountCoverage(Record):
    """Coverage over accounts, as clearing houses disclose it (ISO 20022 auth.066: NbOfObsrvtns, NbOfXcptns, Cvrg,
    LrgstXcptn, AvrgXcptn). `largest_account` is where the largest shortfall was; ``None`` without one.
    """

    observations: int
    exceptions: int
    coverage: float
    largest_exception: float | None
    largest_account: str | None
    average_exception: float | None


def account_coverage(accounts: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> AccountCoverage:
    """Margins and losses of several accounts, by account: one exception for each date and account.

    >>> account_coverage({"A": ([1.0, 1.0], [0.5, 1.5]), "B": ([2.0, 2.0], [1.0, 4.0])})
    AccountCoverage(observations=4, exceptions=2, coverage=0.5, largest_exception=2.0, largest_account='B',
                    average_exception=1.25)
    """
    if not accounts:
        raise InvalidInput("account_coverage: no accounts")
    observed, short = 0, []
    for name, (margins, losses) in accounts.items():
        m, x = pair(margins, losses)
        observed += m.size
        short += [(float(gap), name) for gap in (x - m)[x > m]]
    largest, account = max(short, key=lambda row: row[0], default=(None, None))
    average = math.fsum(gap for gap, _ in short) / len(short) if short else None
    return AccountCoverage(observed, len(short), 1.0 - len(short) / observed, largest, account, average)
