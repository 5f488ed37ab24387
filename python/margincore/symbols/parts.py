"""The parts that grammars share: months, dates, years, strikes, rights, each read strictly and printed again."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TypeVar

from margincore._core import InvalidInput
from margincore.symbols.symbol import Right

__all__ = [
    "CODES", "MONTHS", "WEEKLY", "bad", "date_of", "decimal_text", "month_code", "month_name", "needed", "right_of",
    "strike_of", "year_of",
]  # fmt: skip

_T = TypeVar("_T")

CODES = "FGHJKMNQUVXZ"
"""January to December, as all futures exchanges write them."""
WEEKLY = "123456789OND"
"""January to December in India's weekly symbols: by their digit, then by their first letter."""
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def bad(message: str, value: object = None, code: str = "bad_text") -> InvalidInput:
    """A refusal; whoever reads the symbol puts its text before it."""
    return InvalidInput(message, value=value, code=code)


def needed(value: _T | None, what: str) -> _T:
    """A part of a symbol that a form has to print."""
    if value is None:
        raise bad(f"this form says the {what}, which is not stated", code="not_stated")
    return value


def month_code(letter: str) -> int:
    """The month of a code, from 1.

    >>> month_code("Z")
    12
    """
    at = CODES.find(letter)
    if at < 0:
        raise bad(f"month code {letter!r} is none of {CODES}", letter)
    return at + 1


def month_name(name: str) -> int:
    """The month of a name of three letters, in any case, from 1.

    >>> month_name("Dec")
    12
    """
    if name.upper() not in MONTHS:
        raise bad(f"{name!r} is none of {' '.join(MONTHS)}", name)
    return MONTHS.index(name.upper()) + 1


def year_of(digits: str, month: int, on: dt.date | None) -> int:
    """A year of four digits, two (2000 to 2099) or one, which takes the nearest year whose month is not over on `on`.

    >>> year_of("6", 12, dt.date(2026, 11, 27)), year_of("6", 10, dt.date(2026, 11, 27)), year_of("26", 10, None)
    (2026, 2036, 2026)
    """
    if len(digits) == 4:
        return int(digits)
    if len(digits) == 2:
        return 2000 + int(digits)
    if on is None:
        raise bad(
            f"the year digit {digits!r} may be 201{digits}, 202{digits} or 203{digits}: say on=, a date, for the "
            "nearest contract month that is not over then",
            digits,
            "not_stated",
        )
    year = on.year + (int(digits) - on.year) % 10
    return year + 10 if (year, month) < (on.year, on.month) else year


def date_of(year: int, month: int, day: int, text: str) -> dt.date:
    """A date, or a refusal with the text it was written as."""
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise bad(f"{text!r} is not a date", text, "bad_time") from None


def strike_of(text: str, *, places: int = 12) -> float:
    """A strike as a plain decimal number; thousands may be parted by commas.

    >>> strike_of("1,290.50")
    1290.5
    """
    number = text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text, re.ASCII) else text
    if not re.fullmatch(rf"(0|[1-9]\d{{0,11}})(\.\d{{1,{places}}})?", number, re.ASCII):
        raise bad(f"strike {text!r} is not a plain decimal number", text)
    if float(number) == 0.0:
        raise bad("the strike is zero", text, "out_of_range")
    return float(number)


def right_of(word: str) -> Right:
    """A right from its letter or word: C and P, CE and PE, CALL and PUT.

    >>> right_of("CE"), right_of("P")
    ('call', 'put')
    """
    call, put = {1: ("C", "P"), 2: ("CE", "PE")}.get(len(word), ("CALL", "PUT"))
    if word not in (call, put):
        raise bad(f"{word!r} stands where {call} or {put} belongs", word)
    return "call" if word == call else "put"


def decimal_text(value: float | None, places: int | None = None) -> str:
    """The shortest decimal text of a strike, or with so many places; never with an exponent.

    >>> decimal_text(290.0), decimal_text(290.5, 2), decimal_text(0.0625)
    ('290', '290.50', '0.0625')
    """
    number = Decimal(repr(float(needed(value, "strike"))))
    if places is not None and number == round(number, places):
        return f"{number:.{places}f}"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
