"""Names in a market or among cash that nothing refers to, and that are near to one that is used and not given.

What a market says of other symbols is no mistake: a small book is margined on a large file. A dividend yield of
``SPYY`` where ``SPY`` is held and has none is one, and no rulebook can tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from margincore._core import Contract, MarginError
from margincore.documents import read_document

__all__ = ["misspelt"]

_BY_SYMBOL = ("spot", "dividends", "dividend_yield", "borrow")
_NEAR = 0.8
"""difflib's ratio: a letter too many or too few in three is near, another letter in three is not (SPX, SPY)."""


def misspelt(document: Mapping[str, Any]) -> list[str]:
    """What is suspicious of a document's names, in words; nothing of a document that is refused.

    >>> misspelt({
    ...     "account": {"positions": [{"contract": {"kind": "etf", "underlying": "SPY", "currency": "USD"},
    ...                                "quantity": 100}], "cash": {"UDS": 5000}},
    ...     "market": {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"SPY": 450.0, "IBM": 230.0},
    ...                "dividend_yield": {"SPYY": 0.013}},
    ...     "methodology": {"name": "tims"}})
    ["market: dividend_yield of 'SPYY': nothing refers to it; did you mean 'SPY'?", "cash of 'UDS': nothing refers to
    it; did you mean 'USD'?"]
    """
    try:
        read = read_document(document)
    except MarginError:
        return []
    contracts = [*(position.contract for position in read.account.positions), *read.contracts]
    currencies = {contract.currency for contract in contracts}
    market = document.get("market") or {}
    used = {part: {contract.underlying for contract in contracts} for part in _BY_SYMBOL}
    used |= {"rate": currencies, "price": _undated(contracts)}
    found = [
        f"market: {part} of {_said(pair)}"
        for part, names in used.items()
        for pair in _pairs(market.get(part) or {}, names)
    ]
    return found + [f"cash of {_said(pair)}" for pair in _pairs(read.account.cash, currencies)]


def _undated(contracts: Collection[Contract]) -> set[str]:
    """Ids that are symbols: those of one chain are all near to one another."""
    return {contract.id for contract in contracts if contract.expiry is None}


def _pairs(given: Mapping[str, Any], used: Collection[str]) -> Iterator[tuple[str, str]]:
    """Names given that are not used, each with the one that is used, not given, and near."""
    lacking = sorted({*used} - given.keys())
    for name in sorted(given.keys() - {*used}):
        turned = [other for other in lacking if sorted(other) == sorted(name)]  # two letters the wrong way round
        for other in turned or get_close_matches(name, lacking, n=1, cutoff=_NEAR):
            yield name, other


def _said(pair: tuple[str, str]) -> str:
    return f"'{pair[0]}': nothing refers to it; did you mean '{pair[1]}'?"
