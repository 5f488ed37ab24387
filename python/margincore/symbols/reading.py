"""One door for every grammar: read what a text says, and refuse what it may say twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import re
from collections.abc import Iterable
from dataclasses import replace

from margincore import _core
from margincore._core import InvalidInput, MarginError
from margincore.calendars import day_of
from margincore.symbols import bloomberg, eurex, futures, india, us, venues
from margincore.symbols.forms import Form
from margincore.symbols.parts import bad
from margincore.symbols.symbol import Symbol

__all__ = ["dialects", "forms_of", "parse"]

_FORMS: tuple[Form, ...] = (
    *us.FORMS, *futures.FORMS, *eurex.FORMS, *india.FORMS, *bloomberg.FORMS, *venues.FORMS,
)  # fmt: skip
_BROKERS = {form.dialect for form in (*us.FORMS, *india.FORMS)} - {"ticker"}
"""Dialects of brokers and of those who supply them: what they call a stock by is its ticker."""
_LONGEST = 80


def dialects() -> dict[str, tuple[str, ...]]:
    """The names of the dialects, each with an example of every form it has.

    >>> dialects()["kite"]
    ('NIFTY26DEC26000PE', 'NIFTY26D0826000PE', 'NIFTY26DECFUT', 'USDINR26D04FUT', 'NSE:RELIANCE')
    """
    found: dict[str, tuple[str, ...]] = {}
    for form in _FORMS:
        found[form.dialect] = (*found.get(form.dialect, ()), form.example)
    return found


def parse(text: str, *, dialect: str | None = None, on: dt.date | str | None = None) -> Symbol:
    """What a symbol says, in the spelling of `dialect` or in any.

    A broker's dialect has tickers too. `on` is the date it is held on: a year of one digit is the nearest whose month
    is not over then, and of two readings that differ in their dates alone one that had expired by then is dropped.

    Raises :class:`margincore.InvalidInput` for a text that no grammar reads, with the nearest one and what differs, and
    for one that can be read in two ways (``code="not_stated"``), with both; :class:`margincore.MissingData` for an
    option whose strike has a unit that no source here states.

    >>> parse("AAPL 12/18/2026 290.00 C")
    Symbol(option AAPL 2026-12-18 call 290, schwab)
    >>> parse("ESZ6", on="2026-11-27")
    Symbol(future ES 2026-12, globex)
    >>> parse("RELIANCE").kind                      # an equity that ends in CE
    'stock'
    >>> parse("BTC-25DEC26-100000-C")
    Traceback (most recent call last):
        ...
    margincore.InvalidInput: symbol 'BTC-25DEC26-100000-C' may say: option BTC 2026-12-25 call 100000 at deribit settled
    in BTC (deribit); option BTC 2026-12-25 call 100000 at bybit settled in USDC (bybit): say dialect=
    """
    if not isinstance(text, str):
        message = f"a symbol is text, not {type(text).__name__}"
        raise InvalidInput(message, where="symbol", value=text, code="wrong_type")
    day = None if on is None else day_of(on, "on")
    try:
        return _read(text, forms_of(dialect), day)
    except MarginError as error:
        if not str(error).startswith("symbol "):
            error.named(f"symbol {text!r}")
        error.value = text
        raise


def forms_of(dialect: str | None) -> list[Form]:
    """The forms of a dialect, or all of them; :class:`margincore.InvalidInput` for an unknown name."""
    if dialect is None:
        return list(_FORMS)
    found = [form for form in _FORMS if form.dialect == dialect]
    if not found:
        known = list(dialects())
        hint = _core.did_you_mean(str(dialect), known)
        raise InvalidInput(
            f"unknown dialect {dialect!r}: use one of {', '.join(known)}{hint}",
            where="dialect",
            value=dialect,
            code="unknown_name",
        )
    return [*found, us.ticker(dialect)] if dialect in _BROKERS else found


def _read(text: str, forms: list[Form], on: dt.date | None) -> Symbol:
    readings: dict[Symbol, Symbol] = {}
    refusals: list[tuple[Form, MarginError]] = []
    for form in forms if len(text) <= _LONGEST else ():
        match = form.pattern.fullmatch(text)
        if match is None:
            continue
        try:
            symbol = form.read(match, on)
        except MarginError as error:
            refusals.append((form, error))
        else:
            readings.setdefault(replace(symbol, dialect=""), symbol)
    found = list(readings.values())
    # An open position has not expired. Readings with other strikes stay: a wrong `on` would pick a wrong number.
    if on is not None and len({replace(s, dialect="", expiry=s.expiry and on) for s in found}) == 1:
        found = [symbol for symbol in found if symbol.expiry is None or symbol.expiry >= on] or found
    if len(found) > 1:
        raise InvalidInput(
            f"symbol {text!r} may say: {'; '.join(f'{s.said()} ({s.dialect})' for s in found)}: say dialect=",
            where="dialect",
            code="not_stated",
        )
    open_questions = [error for _, error in refusals if error.code in ("not_stated", "missing_product")]
    if open_questions:
        raise open_questions[0]
    if found:
        return found[0]
    raise _unread(text, forms, refusals)


def _unread(text: str, forms: Iterable[Form], refusals: list[tuple[Form, MarginError]]) -> MarginError:
    """The refusal of a text that nothing reads: the nearest grammar, and what differs."""
    strange = next((c for c in text if not (c.isascii() and c.isprintable())), None)
    if strange is not None:
        place = text.index(strange) + 1
        return bad(f"the character U+{ord(strange):04X} at position {place} belongs in no symbol", text)
    if not text.strip():
        return bad("it is empty", text)
    if len(text) > _LONGEST:
        return bad(f"it has {len(text)} characters, more than any symbol", text)
    if text != text.upper() and _read_quietly(text.upper(), forms):
        return bad(f"it is in lower case: did you mean {text.upper()!r}?", text)
    if refusals:
        form, error = max(refusals, key=lambda pair: _likeness(text, pair[0]))
        return bad(f"nearest to {form.dialect} (as {form.example!r}), but {_reason(error, text)}", text)
    form = max(forms, key=lambda each: _likeness(text, each))
    nearest = f"the nearest is {form.dialect}, as {form.example!r}{_difference(text, form)}"
    return bad(f"no grammar reads it; {nearest}", text)


def _read_quietly(text: str, forms: Iterable[Form]) -> bool:
    matches = ((form, form.pattern.fullmatch(text)) for form in forms)
    for form, match in matches:
        if match is not None:
            with contextlib.suppress(MarginError):
                form.read(match, None)
                return True
    return False


def _reason(error: MarginError, text: str) -> str:
    return str(error).removeprefix(f'option symbol "{text}": ')


def _shape(text: str) -> str:
    return re.sub(r"\d", "9", re.sub(r"[A-Z]", "A", re.sub(r"[a-z]", "a", text)))


def _likeness(text: str, form: Form) -> float:
    """How much a text looks like a form's example; one has digits where the other has."""
    apart = any(c.isdigit() for c in text) != any(c.isdigit() for c in form.example)
    return -0.5 * apart + _matched(text, form).ratio()


def _matched(text: str, form: Form) -> difflib.SequenceMatcher[str]:
    return difflib.SequenceMatcher(None, _shape(text), _shape(form.example), autojunk=False)


def _difference(text: str, form: Form) -> str:
    """The first place where a text has another shape than a form's example."""
    for kind, a, b, c, d in _matched(text, form).get_opcodes():
        if kind != "equal":
            there, here = text[a:b], form.example[c:d]
            if there and here:
                return f": {there!r} stands where something like {here!r} belongs"
            return f": {there!r} is too much" if there else f": something like {here!r} is missing"
    return ""
