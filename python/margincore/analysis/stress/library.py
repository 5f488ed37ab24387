"""Named stresses that come with the package, and one's own from a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from margincore._core import ParseError
from margincore.analysis import given
from margincore.analysis.stress.moves import Stress

__all__ = ["library", "load"]


@cache
def _shipped() -> tuple[Stress, ...]:
    text = files("margincore.analysis.stress").joinpath("library.json").read_text(encoding="utf-8")
    return tuple(Stress.from_dict(one) for one in json.loads(text))


def library() -> dict[str, Stress]:
    """The stresses that come with the package, by name: days of the past under their date, and hypothetical ones.

    Each states its `source`. A day of the past moves the class ``us_equity``, the underlyings ``CL`` and ``BTC``, or
    exchange rates, and nothing that its source is not about: give your underlyings their class where you apply it.

    >>> import margincore as mc
    >>> day = mc.stress.library()["2020-03-16"]
    >>> day.move("SPX", "us_equity").words(), day.source[:44]
    ({'price': -0.1198, 'vol': 0.4299}, 'S&P 500, close to close, 2711.02 to 2386.13 ')
    """
    return {one.name: one for one in _shipped()}


def load(source: str | PathLike[str] | Iterable[Any]) -> dict[str, Stress]:
    """Stresses by name from a JSON file (a list of what :meth:`Stress.to_dict` writes), or from such a list.

    Raises :class:`ParseError` for a file that is no JSON, :class:`InvalidInput` for a stress that is none, by its place
    in the list, and for a name that stands twice.

    >>> import margincore as mc
    >>> list(mc.stress.load([{"name": "down", "all": -0.1}, {"name": "up", "all": 0.1}]))
    ['down', 'up']
    """
    documents: Any = source
    if isinstance(source, str | PathLike):
        try:
            documents = json.loads(Path(source).read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError) as error:
            raise ParseError(f"{source}: not a list of stresses in JSON: {error}", where=str(source)) from None
    found: dict[str, Stress] = {}
    for i, document in enumerate(given.rows("stresses", documents)):
        try:
            one = document if isinstance(document, Stress) else Stress.from_dict(document)
        except Exception as error:
            if hasattr(error, "named"):
                error.named(f"stresses[{i}]")
            raise
        if one.name in found:
            given.refuse(f"stresses[{i}]", one.name, "each name stands once", "duplicate")
        found[one.name] = one
    return found
