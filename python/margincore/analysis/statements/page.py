"""Lines as a page: text of 80 columns, a table for notebooks, rows for a frame."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from margincore._cards import sections
from margincore._core import amount_text

__all__ = ["html", "rows", "text"]

WIDTH = 80
_ITEM, _AMOUNT = 40, 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line: an item with an amount in a unit, a note, or both. Units of money are currencies."""

    section: str
    item: str
    amount: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        """The amount as text: thousands apart."""
        if self.amount is None:
            return ""
        if self.unit == "shares":
            return f"{self.amount:,.10g}"
        return amount_text(self.amount)


def rows(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Plain rows, the same keys in each."""
    return [{"section": x.section, "item": x.item, "amount": x.amount, "unit": x.unit, "note": x.note} for x in lines]


def text(title: str, lines: Iterable[Line]) -> str:
    """A page of 80 columns; long items and notes go on under themselves."""
    out = textwrap.wrap(title, WIDTH)
    for section, group in groupby(lines, key=lambda line: line.section):
        out += ["", f"-- {section} ".ljust(WIDTH, "-")]
        for line in group:
            out += _line(line)
    return "\n".join(row.rstrip() for row in out)


def _line(line: Line) -> list[str]:
    if line.amount is None:
        said = f"{line.item}: {line.note}" if line.note else line.item
        return textwrap.wrap(said, WIDTH, initial_indent="  ", subsequent_indent="    ")
    *above, last = textwrap.wrap(line.item, _ITEM) or [""]
    numbers = f"{line.shown:>{_AMOUNT}} {line.unit}"
    first = f"  {last:<{_ITEM}}{numbers}"
    room = WIDTH - len(first) - 2
    out = [f"  {part}" for part in above]
    if line.note and len(line.note) <= room:
        return [*out, f"{first}  {line.note}"]
    under = textwrap.wrap(line.note, WIDTH, initial_indent="      ", subsequent_indent="      ")
    return [*out, first, *under]


def html(title: str, lines: Iterable[Line]) -> str:
    """A card with a heading per section."""
    return sections(title, [(x.section, (x.item, x.shown, x.unit, x.note)) for x in lines], numbers=(1,))
