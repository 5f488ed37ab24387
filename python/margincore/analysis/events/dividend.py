"""The account after a stock has gone ex a cash dividend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from margincore._core import Contract, InvalidInput, Market, Methodology, MissingData
from margincore.analysis.events.account import Changes, Holder, Start
from margincore.analysis.events.what_if import Consequence, consequence_of, positive
from margincore.analysis.mover import Mover

__all__ = ["ex_dividend"]


def ex_dividend(
    account: Holder,
    market: Market,
    methodology: Methodology,
    symbol: str,
    amount: float,
    *,
    price_falls: bool = True,
    contracts: Iterable[Contract] = (),
    haircuts: Mapping[str, float] | None = None,
) -> Consequence:
    """The account after a stock goes ex a cash dividend of `amount` per share: received for long, owed for short.

    Strikes stay as they are. The price falls by the dividend (unless `price_falls` is false), forwards and futures do
    not move, and options keep their vol and are repriced. A market with dated dividends of the symbol loses the next
    one. `contracts` and `haircuts` as those of :func:`exercise`. Raises :class:`InvalidInput` for an amount that is not
    positive or takes the whole price, :class:`MissingData` for a symbol without a spot price.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> short = mc.Account([mc.Position(stock, -100)], cash={"USD": 8_000.0})
    >>> done = mc.events.ex_dividend(short, market, mc.methods.RegT(classes={"XYZ": "equity"}), "XYZ", 0.75)
    >>> done.cash, done.equity_before, done.equity
    ({'USD': -75.0}, 3000.0, 3000.0)
    """
    if not isinstance(symbol, str):
        raise InvalidInput(
            f"ex_dividend: symbol: text is needed, not {type(symbol).__name__}", code="wrong_type", where="symbol"
        )
    start = Start(account, market, methodology, contracts, haircuts)
    spot = start.parts.get("spot", {}).get(symbol)
    if spot is None:
        raise MissingData(f"ex_dividend: no spot price for '{symbol}'", code="missing_spot", where=symbol)
    if not 0.0 < positive(amount, "amount") < spot:
        raise InvalidInput(
            f"ex_dividend: {amount} a share of '{symbol}' at {spot}", where="amount", value=amount, code="out_of_range"
        )
    changes = Changes()
    for contract, quantity in start.held.values():
        if contract.kind in ("stock", "etf") and contract.underlying == symbol:
            changes.money(contract.currency, quantity * amount)
    said = [f"'{symbol}' falls by the dividend" if price_falls else f"the price of '{symbol}' stays"]
    parts = dict(start.parts)
    today = start.valuation.date()
    coming = sorted(
        (d for d in parts.get("dividends", {}).get(symbol, ()) if dt.date.fromisoformat(d["date"]) > today),
        key=lambda d: str(d["date"]),
    )
    if coming:
        rest = [d for d in parts["dividends"][symbol] if d is not coming[0]]
        parts["dividends"] = {**parts["dividends"], symbol: rest}
        said.append(f"the dividend of {coming[0]['date']} is the one that is paid")
    if price_falls:
        quoted = {
            c.id: spot - amount
            for c, _ in start.held.values()
            if c.underlying == symbol and c.kind in ("stock", "etf") and c.id in parts.get("price", {})
        }
        mover = Mover(methodology.prepare(start.table, market))
        changed = mover.market({}, spots={symbol: spot - amount}, prices=quoted, base=parts)
        said += mover.assumptions
    else:
        changed = Market(**parts)
    return consequence_of(start, f"{symbol} ex-dividend {amount:g}", changes, changed, tuple(said))
