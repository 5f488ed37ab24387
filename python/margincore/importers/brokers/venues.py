"""Positions of crypto venues, as their own replies have them.

- Deribit ``private/get_positions`` (https://docs.deribit.com/#private-get_positions): ``size`` counts dollars of
  inverse
  futures and perpetuals, coins of options and linear contracts; ``mark_price`` is in the contract's quote, coins for
  inverse options; ``index_price`` is the spot.
- OKX ``GET /api/v5/account/positions`` (https://www.okx.com/docs-v5/): ``pos`` counts contracts, signed for ``posSide``
  net, positive on both sides otherwise. A contract's size is ``ctVal`` times ``ctMult`` of the product list: known here
  for inverse futures and swaps, to be stated for others.
- Bybit v5 ``GET /v5/position/list`` (https://bybit-exchange.github.io/docs/v5/position): ``size`` is positive, ``side``
  Buy or Sell; dollars of inverse contracts, coins otherwise.

A size of 0 is a closed position and holds nothing.
"""

from __future__ import annotations

from margincore._core import InvalidInput, Unsupported
from margincore.crypto.names import Venue, contract
from margincore.importers.brokers.table import Format, Row
from margincore.importers.brokers.terms import Held, Item, Passed, Terms, mended, sides


def _held(row: Row, venue: Venue, terms: Terms, long: float, short: float) -> Item:
    name = row.needed("symbol")
    if not long and not short:
        return Passed("closed positions of size 0")
    multiplier = None
    made = contract(venue, name)
    for key in (f"{'-'.join(name.split('-')[:2])} {made.kind}", name):  # "BTC-USD option", then the contract itself
        if key in terms.stated:
            terms.used.add(key)
            multiplier = terms.stated[key].get("multiplier", multiplier)
    if multiplier is not None:
        made = contract(venue, name, multiplier=multiplier)
    if venue == "okx" and multiplier is None and (made.kind == "option" or made.settlement != "inverse"):
        raise mended(
            f"{name}: OKX counts contracts whose size its name does not say: state ctVal times ctMult of its product "
            f"list, terms={{{name!r}: {{'multiplier': ...}}}}",
            f"--terms {name}:multiplier=...",
            "not_stated",
            name,
        )
    index = row.price("index")
    spot = None if index is None else (made.underlying, index)
    return Held(made, long, short, row.price("mark"), spot=spot)


def _deribit(row: Row, terms: Terms) -> Item:
    direction, size = row.text("side").casefold(), row.count()
    if direction not in ("", "buy", "sell", "zero"):
        raise InvalidInput(f"direction {direction!r} is not buy, sell or zero", where="direction", code="unknown_name")
    if (direction == "buy" and size < 0.0) or (direction == "zero" and size):
        raise InvalidInput(f"size {size:g} of direction {direction!r}", where="size", code="contradiction")
    size = -abs(size) if direction == "sell" else size
    return _held(row, "deribit", terms, max(size, 0.0), max(-size, 0.0))


DERIBIT = Format(
    "deribit",
    "Deribit positions (JSON)",
    "https://docs.deribit.com/#private-get_positions",
    needed=("symbol", "quantity"),
    columns={
        "symbol": ("instrument_name",), "quantity": ("size",), "side": ("direction",), "mark": ("mark_price",),
        "index": ("index_price",), "kind": ("kind",),
    },
    read=_deribit, list_of=("result", "result.data", "positions"),
    units="dollars of inverse futures and perpetuals, coins otherwise",
)  # fmt: skip


def _okx(row: Row, terms: Terms) -> Item:
    if row.text("kind").upper() in ("MARGIN", "SPOT"):
        raise Unsupported(f"{row.text('symbol')!r} is of type {row.text('kind')}: derivatives are read")
    pos, side = row.count(), row.text("side").casefold()
    if side in ("", "net"):
        return _held(row, "okx", terms, max(pos, 0.0), max(-pos, 0.0))
    if side not in ("long", "short") or pos < 0.0:
        raise InvalidInput(f"pos {pos:g} of posSide {side!r}", where="posSide", code="contradiction")
    return _held(row, "okx", terms, pos if side == "long" else 0.0, pos if side == "short" else 0.0)


OKX = Format(
    "okx",
    "OKX positions (JSON)",
    "https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-positions",
    needed=("symbol", "quantity"),
    columns={
        "symbol": ("instId",), "quantity": ("pos",), "side": ("posSide",), "mark": ("markPx",), "index": ("idxPx",),
        "kind": ("instType",),
    },
    read=_okx, list_of=("data", "simPos"), units="contracts of ctVal times ctMult",
)  # fmt: skip


def _bybit(row: Row, terms: Terms) -> Item:
    size = row.count()
    if not size or row.text("side") in ("", "None"):
        return Passed("closed positions of size 0")
    long, short = sides(row, size)
    return _held(row, "bybit", terms, long, short)


BYBIT = Format(
    "bybit",
    "Bybit positions (JSON)",
    "https://bybit-exchange.github.io/docs/v5/position",
    needed=("symbol", "quantity", "side", "average"),
    columns={
        "symbol": ("symbol",), "quantity": ("size",), "side": ("side",), "mark": ("markPrice",),
        "average": ("avgPrice", "positionIdx", "positionValue"),
    },
    read=_bybit, list_of=("result.list", "list"), units="dollars of inverse contracts, coins otherwise",
)  # fmt: skip
