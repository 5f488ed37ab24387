"""Numbers as files and venues write them, read strictly: one plain form each, and nothing guessed."""

from __future__ import annotations

import re

from margincore._core import InvalidInput

__all__ = ["amount", "decimal", "number", "point_of", "whole"]

_DECIMAL = re.compile(r"-?([0-9]{1,15}(\.[0-9]{1,12})?|\.[0-9]{1,12})", re.ASCII)
_SCIENTIFIC = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)


def decimal(text: str, what: str) -> float:
    """A plain decimal number such as ``-12.50``: no exponent, no thousands separator, no words.

    >>> decimal("12.50", "price")
    12.5
    >>> decimal(".2", "vol")
    0.2
    >>> decimal("1,250.00", "price")
    Traceback (most recent call last):
    margincore.InvalidInput: price '1,250.00' is not a plain decimal number such as 12.50
    """
    if not _DECIMAL.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a plain decimal number such as 12.50")
    return float(text)


def number(text: str, what: str) -> float:
    """A decimal number that may be printed with an exponent, as programs write small ones.

    >>> number("3.555e-05", "mark price")
    3.555e-05
    """
    if not _SCIENTIFIC.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a number such as 12.50 or 1e-05", code="not_finite")
    return float(text)


def whole(text: str, what: str) -> int:
    """A whole number such as ``-5``.

    >>> whole("-5", "quantity")
    -5
    """
    if not _WHOLE.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a whole number such as -5", code="not_whole")
    return int(text)


_DASHES = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    }
)
_GROUPS = {
    point: re.compile(
        rf"(?:(?P<whole>[0-9]{{1,15}}|[0-9]{{1,3}}(?:[{other}' ][0-9]{{2,3}})*[{other}' ][0-9]{{3}})"
        rf"(?:\{point}(?P<part>[0-9]{{0,12}}))?|\{point}(?P<only>[0-9]{{1,12}}))",
        re.ASCII,
    )
    for point, other in ((".", ","), (",", "."))
}
_SIGNED = re.compile(
    r"(?P<open>\()?(?P<sign>[+-]?)(?P<symbol>[$€£¥₹]?) ?(?P<after>[+-]?)(?P<body>[^()]*?)(?P<end>-?)(?P<close>\))?"
)


def amount(text: str, what: str, point: str = ".") -> float:
    """An amount as brokers print it: ``$1,234.00``, ``(123)``, ``-$610``, ``+3.30``, ``1.234,50``, ``123-``.

    `point` is the decimal point; thousands may be grouped by the other mark, a blank or an apostrophe.

    >>> amount("($1,234.50)", "value"), amount("1.234,50", "value", ","), amount("+$0.99", "price")
    (-1234.5, 1234.5, 0.99)
    >>> amount("1,23", "value")
    Traceback (most recent call last):
    margincore.InvalidInput: value '1,23' is not an amount such as 1,234.50
    """
    plain = text.translate(_DASHES).strip()
    found = _SIGNED.fullmatch(plain)
    body = None if found is None else _GROUPS[point].fullmatch(found["body"])
    if found is None or body is None or bool(found["open"]) != bool(found["close"]):
        if _SCIENTIFIC.fullmatch(plain) and point == ".":
            return float(plain)
        example = "1,234.50" if point == "." else "1.234,50"
        raise InvalidInput(f"{what} {text!r} is not an amount such as {example}", where=what, value=text)
    signs = sum(bool(sign) for sign in (found["sign"], found["after"], found["end"], found["open"]))
    if signs > 1:
        raise InvalidInput(f"{what} {text!r} has more than one sign", where=what, value=text)
    whole_part = re.sub(r"[^0-9]", "", body["whole"] or "0")
    value = float(f"{whole_part}.{body['part'] or body['only'] or '0'}")
    return -value if "-" in (found["sign"], found["after"], found["end"]) or found["open"] else value


def point_of(text: str) -> str | None:
    """The decimal point that a printed amount shows, `None` where it shows none or could have either.

    >>> point_of("1,234.00"), point_of("290,5"), point_of("1,234"), point_of("0,123")
    ('.', ',', None, ',')
    """
    marks = [mark for mark in text if mark in ".,"]
    if not marks:
        return None
    last, other = marks[-1], "," if marks[-1] == "." else "."
    if len(set(marks)) == 2:
        return last
    if len(marks) > 1:
        return other  # a decimal point comes once
    before, after = re.sub(r"[^0-9.,]", "", text).split(last)
    return None if len(after) == 3 and 1 <= len(before) <= 3 and before != "0" else last
