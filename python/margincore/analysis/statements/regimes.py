"""Whose rules a statement follows: a rulebook's own, or those that the caller names where they fit."""

from __future__ import annotations

from typing import Literal, NoReturn

from margincore._core import Account, InvalidInput, Methodology
from margincore.methods.house import described

__all__ = ["Regime", "fits", "regime_of"]

Regime = Literal["reg_t", "cash", "portfolio_margin", "futures"]
"""Whose rules of calls, buying power and minimum equity a statement follows."""

_REGIMES = {"reg-t": "reg_t", "span": "futures", "span-like": "futures"}
_PORTFOLIO_MARGIN = ("occ-cpm", "occ-files")


def fits(regime: str, own: str | None, methodology: Methodology, account: Account) -> None:
    """Refuses a regime that is not the one of the rulebook, or not of the account's kind."""
    if account.kind in ("cash", "margin") and (regime == "cash") != (account.kind == "cash"):
        other = "margin" if account.kind == "cash" else "cash"
        _contradicts(regime, f"the account's kind is {account.kind!r}", f"Account(kind={other!r})")
    document = described(methodology)
    if document is None or regime == own:
        return
    name = document["name"]
    if name == "reg-t" and regime in ("cash", "reg_t"):
        kind = "cash" if regime == "cash" else "margin"
        because = f"the rulebook margins {'a cash' if own == 'cash' else 'a margin'} account"
        _contradicts(regime, because, f"Account(kind={kind!r}) or RegT(account_kind={kind!r})")
    if own is not None or (name == "tims" and regime != "portfolio_margin"):
        _contradicts(regime, f"the rulebook is {name}", "a rulebook of that regime")


def _contradicts(regime: str, because: str, remedy: str) -> NoReturn:
    raise InvalidInput(
        f"regime is {regime!r} and {because}: give {remedy}, or leave regime out",
        where="regime",
        value=regime,
        code="contradiction",
    )


def regime_of(methodology: Methodology, account: Account) -> str | None:
    """The regime of a rulebook and the kind of the account; `None` where no rule on calls is known."""
    document = described(methodology)
    if document is None:
        return None
    if document["name"] == "tims":
        return "portfolio_margin" if document.get("preset", "occ-cpm") in _PORTFOLIO_MARGIN else None
    regime = _REGIMES.get(document["name"])
    kind = account.kind or document.get("account_kind")
    return "cash" if regime == "reg_t" and kind == "cash" else regime
