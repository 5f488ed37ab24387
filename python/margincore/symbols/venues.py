"""Crypto venues' instrument names, as :mod:`margincore.crypto.names` reads and prints them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal

from margincore._core import ParseError
from margincore.crypto import names
from margincore.symbols.forms import Form
from margincore.symbols.parts import bad, needed
from margincore.symbols.symbol import Symbol

__all__ = ["FORMS"]

_Listed = Literal["option", "future", "perpetual"]

_EXAMPLES: dict[names.Venue, dict[_Listed, str]] = {
    "deribit": {"option": "BTC-25DEC26-100000-C", "future": "BTC-25DEC26", "perpetual": "BTC-PERPETUAL"},
    "okx": {"option": "BTC-USD-261225-100000-C", "future": "BTC-USDT-261225", "perpetual": "BTC-USDT-SWAP"},
    "binance": {"option": "BTC-261225-100000-C", "future": "BTCUSDT_261225", "perpetual": "BTCUSD_PERP"},
    "bybit": {"option": "BTC-25DEC26-100000-C-USDT", "future": "BTCUSDT-25DEC26", "perpetual": "BTCPERP"},
    "derive": {"option": "BTC-20261225-100000-C", "perpetual": "BTC-PERP"},
}
_HOUR = dt.time(8, tzinfo=dt.UTC)
"""All of them settle at 08:00 UTC; a symbol says the day."""


_LOOKS: dict[_Listed, str] = {
    "option": r"[A-Z0-9_]+(?:-USD[TC]?)?-(?:\d{1,2}[A-Z]{3}\d{2}|\d{6}|\d{8})-[\d.d_]+-[A-Z](?:-USDT)?",
    "future": r"[A-Z0-9]+(?:[_-][A-Z0-9]+)?[-_](?:\d{1,2}[A-Z]{3}\d{2}|\d{6})",
    "perpetual": r"[A-Z0-9]+(?:[_-][A-Z0-9]+)?[_-](?:PERPETUAL|SWAP|PERP)|[A-Z0-9]+(?:USDT|USDC|USD|PERP)",
}
"""What such names look like at any venue; the venue's own reader decides."""


def _form(venue: names.Venue, kind: _Listed, example: str) -> Form:
    def read(match: re.Match[str], _: dt.date | None) -> Symbol:
        try:
            said = names.parse(venue, match[0])
        except ParseError as error:
            raise bad(str(error), match[0]) from None
        if venue == "deribit" and said.inverse and said.underlying.endswith(("USDT", "USDC")):
            raise bad(f"{match[0]!r}: Deribit parts the coin and its currency with '_'", match[0])
        if said.kind != kind:
            raise bad(f"{match[0]!r} is a {said.kind}, no {kind}", match[0])
        return Symbol(
            said.kind, said.underlying, venue, None if said.expiry is None else said.expiry.date(), right=said.right,
            strike=said.strike, exchange=venue, settle=said.settle,
        )  # fmt: skip

    def write(s: Symbol) -> str:
        moment = None if s.expiry is None else dt.datetime.combine(s.expiry, _HOUR)
        settle = needed(s.settle, "settlement currency")
        return names.instrument_name(names.Instrument(venue, s.root, settle, kind, moment, s.strike, s.right))

    return Form(venue, kind, example, re.compile(_LOOKS[kind], re.ASCII), read, write)


FORMS = tuple(_form(venue, kind, text) for venue, texts in _EXAMPLES.items() for kind, text in texts.items())
