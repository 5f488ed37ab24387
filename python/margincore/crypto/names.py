"""Instrument names of Deribit, OKX, Binance, Bybit and Derive: parsed, printed, and turned into contracts.

| venue | option | dated future | perpetual |
|---|---|---|---|
| deribit | ``BTC-27DEC24-70000-C``, ``XRP_USDC-28JUN24-0d5-C`` | ``BTC-27DEC24`` | ``BTC-PERPETUAL`` |
| okx | ``BTC-USD-241227-70000-C`` | ``BTC-USD-241227``, ``BTC-USDT-241227`` | ``BTC-USDT-SWAP`` |
| binance | ``BTC-241227-70000-C`` | ``BTCUSDT_250926``, ``BTCUSD_250926`` | ``BTCUSDT``, ``BTCUSD_PERP`` |
| bybit | ``BTC-27DEC24-70000-C[-USDT]`` | ``BTC-27DEC24``, ``BTCUSDT-27DEC24`` | ``BTCUSDT``, ``BTCPERP``, ``BTCUSD`` |
| derive | ``BTC-20241227-70000-C`` | | ``BTC-PERP`` |

Only the venue's own spelling is read: what :func:`instrument_name` prints for what a name says is that name again, so
that one contract has one id. A year of four digits is Derive's; at OKX and Binance ``BTC-USD-20241227`` is refused.

All these contracts settle at 08:00 UTC. A name says nothing about its contract's size: pass it where the venue's
product list has another one than the default given by :func:`contract`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from margincore import _core
from margincore._pickles import Record

__all__ = ["Instrument", "Venue", "contract", "instrument_name", "parse"]

Venue = Literal["deribit", "okx", "binance", "bybit", "derive"]

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_VENUES = get_args(Venue)
_SYMBOL = re.compile(r"[A-Z0-9]+", re.ASCII)
_LARGEST_STRIKE = 1e15
"""Beyond it a number has no digits left to print a strike exactly."""
_SETTLEMENT_HOUR = dt.time(8, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Instrument(Record):
    """What a name says. `settle` is the settlement currency, `inverse` whether it is the coin itself."""

    venue: Venue
    underlying: str
    settle: str
    kind: Literal["option", "future", "perpetual"]
    expiry: dt.datetime | None = None
    strike: float | None = None
    right: Literal["call", "put"] | None = None

    @property
    def inverse(self) -> bool:
        """Whether profit and loss is paid in the coin."""
        return self.settle == self.underlying


def _number(text: str, point: str = ".") -> float:
    return float(text.replace(point, "."))


def _text(value: float, point: str = ".") -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".").replace(".", point)


def _day_month_year(text: str) -> dt.datetime:
    match = re.fullmatch(r"(\d{1,2})([A-Z]{3})(\d{2})", text)
    if match is None or match[2] not in _MONTHS:
        raise _core.ParseError(f"{text!r} is not a date like 27DEC24")
    return _instant(2000 + int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]), text)


def _year_month_day(text: str, years: Literal[2, 4] = 2) -> dt.datetime:
    """A date whose year has two digits, or four."""
    if not re.fullmatch(rf"\d{{{years + 4}}}", text):
        raise _core.ParseError(f"{text!r} is not a date like {'241227' if years == 2 else '20241227'}")
    year, rest = int(text[:years]), text[years:]
    return _instant(year if years == 4 else 2000 + year, int(rest[:2]), int(rest[2:]), text)


def _instant(year: int, month: int, day: int, text: str) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date(year, month, day), _SETTLEMENT_HOUR)
    except ValueError as error:
        raise _core.ParseError(f"{text!r}: {error}") from None


def _right(text: str) -> Literal["call", "put"]:
    if text == "C":
        return "call"
    if text == "P":
        return "put"
    raise _core.ParseError(f"{text!r} is neither C nor P")


def parse(venue: Venue, name: str) -> Instrument:
    """What an instrument's name says. Raises :class:`margincore.ParseError` for a name of another form.

    A name that the venue itself would spell in another way is of another form: a day ``03``, a strike ``70000.0``, a
    year of four digits at OKX.

    >>> parse("deribit", "BTC-3JAN25-70000-C").expiry.isoformat()
    '2025-01-03T08:00:00+00:00'
    >>> parse("okx", "BTC-USDT-SWAP").settle
    'USDT'
    >>> parse("deribit", "BTC-03JAN25-70000-C")
    Traceback (most recent call last):
    margincore.ParseError: deribit instrument 'BTC-03JAN25-70000-C': the venue spells it 'BTC-3JAN25-70000-C'
    """
    if not isinstance(name, str):
        raise _core.InvalidInput(f"the name of an instrument is text, not {type(name).__name__}", code="wrong_type")
    found = _read(venue, name)
    printed = _PRINTERS[venue](found)
    if printed != name:
        raise _core.ParseError(f"{venue} instrument {name!r}: the venue spells it {printed!r}")
    return found


def _unknown_venue(venue: str) -> _core.InvalidInput:
    hint = _core.did_you_mean(str(venue), list(_VENUES))
    message = f"unknown venue {venue!r}: use one of {', '.join(_VENUES)}{hint}"
    return _core.InvalidInput(message, code="unknown_name", where="venue", value=venue)


def _read(venue: Venue, name: str) -> Instrument:
    """What a name says, in any spelling that can be understood."""
    if venue not in _VENUES:
        raise _unknown_venue(venue)
    try:
        found = _PARSERS[venue](name)
    except _core.ParseError as error:
        error.named(f"{venue} instrument {name!r}")
        raise
    except ValueError:
        found = None
    if found is None or not (_SYMBOL.fullmatch(found.underlying) and _SYMBOL.fullmatch(found.settle)):
        raise _core.ParseError(f"{name!r} is not the name of an instrument at {venue}")
    if found.strike is not None and not 0.0 < found.strike < _LARGEST_STRIKE:
        raise _core.ParseError(f"{venue} instrument {name!r}: strike {found.strike} is out of range")
    return found


def instrument_name(instrument: Instrument) -> str:
    """The venue's name of an instrument; the inverse of :func:`parse`.

    Raises :class:`margincore.InvalidInput` for an instrument that no name of the venue says, such as one that expires
    at another hour.

    >>> instrument_name(parse("bybit", "BTC-27DEC24-70000-C-USDT"))
    'BTC-27DEC24-70000-C-USDT'
    """
    if instrument.venue not in _VENUES:
        raise _unknown_venue(instrument.venue)
    if (instrument.kind == "perpetual") != (instrument.expiry is None):
        raise _core.InvalidInput(f"a {instrument.kind} {'has no' if instrument.expiry else 'needs an'} expiry")
    try:
        name = _PRINTERS[instrument.venue](instrument)
        said = _read(instrument.venue, name)
    except (_core.ParseError, AttributeError, TypeError, ValueError) as error:
        raise _core.InvalidInput(f"no instrument of {instrument.venue}: {error}") from None
    if said != instrument:
        raise _core.InvalidInput(f"no name at {instrument.venue} says all of this: {name!r} says {said}")
    return name


def _deribit(name: str) -> Instrument | None:
    pair, *rest = name.split("-")
    underlying, _, quote = pair.partition("_")
    settle = quote or underlying
    if rest == ["PERPETUAL"]:
        return Instrument("deribit", underlying, settle, "perpetual")
    if len(rest) == 1:
        return Instrument("deribit", underlying, settle, "future", _day_month_year(rest[0]))
    if len(rest) == 3:
        strike = _number(rest[1], "d")
        return Instrument("deribit", underlying, settle, "option", _day_month_year(rest[0]), strike, _right(rest[2]))
    return None


def _dmy(moment: dt.datetime | None, pad: bool = False) -> str:
    assert moment is not None
    return f"{moment.day:{'02d' if pad else 'd'}}{_MONTHS[moment.month - 1]}{moment:%y}"


def _ymd(moment: dt.datetime | None, form: str = "%y%m%d") -> str:
    assert moment is not None
    return moment.strftime(form)


def _letter(instrument: Instrument) -> str:
    return "C" if instrument.right == "call" else "P"


def _print_deribit(i: Instrument) -> str:
    pair = i.underlying if i.inverse else f"{i.underlying}_{i.settle}"
    if i.kind == "perpetual":
        return f"{pair}-PERPETUAL"
    if i.kind == "future":
        return f"{pair}-{_dmy(i.expiry)}"
    return f"{pair}-{_dmy(i.expiry)}-{_text(i.strike or 0.0, 'd')}-{_letter(i)}"


def _okx(name: str) -> Instrument | None:
    parts = name.split("-")
    if len(parts) < 3:
        return None
    underlying, quote, *rest = parts
    if quote not in ("USD", "USDT", "USDC"):
        return None
    settle = underlying if quote == "USD" else quote
    if rest == ["SWAP"]:
        return Instrument("okx", underlying, settle, "perpetual")
    if len(rest) == 1:
        return Instrument("okx", underlying, settle, "future", _year_month_day(rest[0]))
    if len(rest) == 3:
        return Instrument(
            "okx", underlying, settle, "option", _year_month_day(rest[0]), _number(rest[1]), _right(rest[2])
        )
    return None


def _print_okx(i: Instrument) -> str:
    pair = f"{i.underlying}-{'USD' if i.inverse else i.settle}"
    if i.kind == "perpetual":
        return f"{pair}-SWAP"
    if i.kind == "future":
        return f"{pair}-{_ymd(i.expiry)}"
    return f"{pair}-{_ymd(i.expiry)}-{_text(i.strike or 0.0)}-{_letter(i)}"


def _binance(name: str) -> Instrument | None:
    if "-" in name:
        parts = name.split("-")
        if len(parts) != 4:
            return None
        underlying, date, strike, right = parts
        return Instrument(
            "binance", underlying, "USDT", "option", _year_month_day(date), _number(strike), _right(right)
        )
    match = re.fullmatch(r"([A-Z0-9]+?)(USDT|USDC|USD)(?:_(\d{6}|PERP))?", name)
    if match is None:
        return None
    underlying, quote, tail = match[1], match[2], match[3]
    settle = underlying if quote == "USD" else quote
    if (quote == "USD" and tail is None) or (quote != "USD" and tail == "PERP"):
        return None
    if tail is None or tail == "PERP":
        return Instrument("binance", underlying, settle, "perpetual")
    return Instrument("binance", underlying, settle, "future", _year_month_day(tail))


def _print_binance(i: Instrument) -> str:
    if i.kind == "option":
        return f"{i.underlying}-{_ymd(i.expiry)}-{_text(i.strike or 0.0)}-{_letter(i)}"
    pair = f"{i.underlying}{'USD' if i.inverse else i.settle}"
    if i.kind == "future":
        return f"{pair}_{_ymd(i.expiry)}"
    return f"{pair}_PERP" if i.inverse else pair


def _bybit(name: str) -> Instrument | None:
    parts = name.split("-")
    if len(parts) == 1:
        if name.endswith("PERP"):
            return Instrument("bybit", name.removesuffix("PERP"), "USDC", "perpetual")
        match = re.fullmatch(r"([A-Z0-9]+?)(USDT|USD)", name)
        if match is None:
            return None
        return Instrument("bybit", match[1], "USDT" if match[2] == "USDT" else match[1], "perpetual")
    if len(parts) == 2:
        pair = parts[0]
        settle = "USDT" if pair.endswith("USDT") else "USDC"
        return Instrument("bybit", pair.removesuffix("USDT"), settle, "future", _day_month_year(parts[1]))
    if len(parts) not in (4, 5) or (len(parts) == 5 and parts[4] != "USDT"):
        return None
    underlying, date, strike, right = parts[:4]
    settle = "USDT" if len(parts) == 5 else "USDC"
    return Instrument("bybit", underlying, settle, "option", _day_month_year(date), _number(strike), _right(right))


def _print_bybit(i: Instrument) -> str:
    if i.kind == "option":
        tail = "-USDT" if i.settle == "USDT" else ""
        return f"{i.underlying}-{_dmy(i.expiry)}-{_text(i.strike or 0.0)}-{_letter(i)}{tail}"
    if i.kind == "future":
        return f"{i.underlying}{'USDT' if i.settle == 'USDT' else ''}-{_dmy(i.expiry, pad=True)}"
    return f"{i.underlying}{'USD' if i.inverse else {'USDC': 'PERP'}.get(i.settle, i.settle)}"


def _derive(name: str) -> Instrument | None:
    parts = name.split("-")
    if len(parts) == 2 and parts[1] == "PERP":
        return Instrument("derive", parts[0], "USDC", "perpetual")
    if len(parts) != 4:
        return None
    underlying, date, strike, right = parts
    return Instrument(
        "derive", underlying, "USDC", "option", _year_month_day(date, 4), _number(strike, "_"), _right(right)
    )


def _print_derive(i: Instrument) -> str:
    if i.kind == "perpetual":
        return f"{i.underlying}-PERP"
    return f"{i.underlying}-{_ymd(i.expiry, '%Y%m%d')}-{_text(i.strike or 0.0, '_')}-{_letter(i)}"


_PARSERS = {"deribit": _deribit, "okx": _okx, "binance": _binance, "bybit": _bybit, "derive": _derive}
_PRINTERS = {
    "deribit": _print_deribit,
    "okx": _print_okx,
    "binance": _print_binance,
    "bybit": _print_bybit,
    "derive": _print_derive,
}

_INVERSE_FACE = {("deribit", "BTC"): 10.0, ("okx", "BTC"): 100.0, ("binance", "BTC"): 100.0, ("bybit", "BTC"): 1.0}
_INVERSE_FACE_OTHER = {"deribit": 1.0, "okx": 10.0, "binance": 10.0, "bybit": 1.0}


def contract(
    venue: Venue, name: str, *, multiplier: float | None = None, multiplier_unit: str | None = None, lot: float = 1e-8
) -> _core.Contract:
    """The contract a venue's name stands for, with the name as its id.

    `multiplier` is the size of one unit of the venue's quantity. The default is what the venue's quantities count:
    one coin for linear contracts and options; one dollar of face (`multiplier_unit` ``"USD"``) for inverse futures
    and perpetuals of Deribit and Bybit, and their contract of 100 dollars (BTC) or 10 dollars at OKX and Binance.
    OKX counts contracts of linear and option instruments too: give their `multiplier` from its product list (ctVal).

    >>> contract("deribit", "BTC-27DEC30-70000-C").currency
    'BTC'
    """
    parsed = parse(venue, name)
    terms: dict[str, Any] = {"kind": parsed.kind, "underlying": parsed.underlying, "currency": parsed.settle}
    if parsed.inverse:
        terms["settlement"] = "inverse"
    if parsed.inverse and parsed.kind != "option":
        unit = "USD"
        size = 1.0
        if venue in ("okx", "binance"):
            size = _INVERSE_FACE.get((venue, parsed.underlying), _INVERSE_FACE_OTHER[venue])
    else:
        unit, size = "coin", 1.0
    if parsed.expiry is not None:
        terms["expiry"] = parsed.expiry.isoformat().replace("+00:00", "Z")
    if parsed.kind == "option":
        terms |= {"right": parsed.right, "strike": parsed.strike, "exercise": "european"}
    return _core.Contract(
        id=name,
        venue=venue,
        multiplier=size if multiplier is None else multiplier,
        multiplier_unit=unit if multiplier_unit is None else multiplier_unit,
        lot=lot,
        **terms,
    )
