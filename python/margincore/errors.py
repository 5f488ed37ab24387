"""What margincore raises. Every refusal says what, where and what to do, for people and for programs.

>>> import margincore as mc
>>> try:
...     mc.Market("2026-11-20T16:00:00-05:00", rate={"USD": 5.0})
... except mc.InvalidInput as error:
...     error.code, error.where, error.value
('out_of_range', 'market: rate of USD', 5.0)

Argument lists are Python's own business: a missing or unexpected argument is a :class:`TypeError`.
"""

import re
from typing import Any

#: How the binding's library names the argument that an error is about: in a note, which few people read.
_ARGUMENT = re.compile(r"while processing '(\w+)'")


class MarginError(Exception):
    """Anything margincore refuses to answer.

    `str()` is the message. `code` says why, for programs: messages may be reworded, the codes of
    :func:`margincore.error_codes` keep their meaning. `where` is the argument, contract, or file and line that is
    meant, the outermost first; `value` what was refused. Both are `None` where there is no one place or value.
    ``refusals`` are the refused rows of a file, one by one, where one error stands for them
    (``margincore.importers.Refusal``); ``mend`` is the option of the command line that would mend it, if one would.
    """

    code: str
    where: str | None
    value: object
    refusals: tuple[Any, ...] = ()
    mend: str = ""

    #: The code where none is given, by class.
    _code = "margin_error"

    def __init__(
        self, message: str, *, code: str | None = None, where: str | None = None, value: object = None
    ) -> None:
        super().__init__(message)
        self.code = code or self._code
        self.where = where
        self.value = value

    def add_note(self, note: str, /) -> None:
        """Add a note; one that names an argument is put before the message and `where`."""
        named = _ARGUMENT.fullmatch(note)
        if named is None:
            super().add_note(note)
            return
        self.named(named[1])

    def named(self, place: str, /) -> None:
        """Put a place before the message and before `where`."""
        self.args = (f"{place}: {self}",)
        self.where = place if self.where is None else f"{place}: {self.where}"


class InvalidInput(MarginError, ValueError):
    """A value no rulebook could accept: NaN, a negative strike, a duplicate id, a naive timestamp."""

    _code = "invalid_input"


class ParseError(MarginError, ValueError):
    """A file or document that breaks its format; the message has file and line or byte offset."""

    _code = "bad_format"


class MissingData(MarginError):
    """Something the calculation needs was not given; the message names the contracts."""

    _code = "missing_data"


class Unsupported(MarginError):
    """A rule that exists but is not implemented; the message names it."""

    _code = "unsupported"


class NotApplicable(MarginError):
    """A rulebook was handed something it does not cover; the message names it."""

    _code = "not_covered"


class CalculationError(MarginError):
    """The calculation could not be completed; the message says where."""

    _code = "not_completed"


# Known by the package's own name, as users import them.
for _class in (MarginError, InvalidInput, ParseError, MissingData, Unsupported, NotApplicable, CalculationError):
    _class.__module__ = "margincore"
