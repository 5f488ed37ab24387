"""The files of ``margincore statement``: its terms, and what one day's statement hands to the next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from margincore._core import InvalidInput, MarginError
from margincore.analysis.statements import Carried
from margincore.cli.loading import read_kind
from margincore.documents import statement_from_document

__all__ = ["written"]


@contextmanager
def _file(path: Path) -> Iterator[None]:
    """Refusals with the file in front."""
    try:
        yield
    except MarginError as error:
        error.named(str(path))
        raise


def _source(error: MarginError, given: Mapping[str, Any], terms: Path | None, carried: Path | None) -> Path | None:
    """The file of the term that an error is about; `None` where it is about the account, market or rulebook."""
    place = re.match(r"terms(?:[:.] ?(\w+))?", error.where or "")
    if place is None:
        return None
    term = place[1]
    if term == "carried" and carried is not None:
        return carried
    return terms if term is None or term in given else None


def written(
    document: Mapping[str, Any], terms: Path | None, carried: Path | None, carry: Path | None, as_json: bool
) -> str:
    """The statement of a document as its page, or as JSON; what it carries is written to `carry`."""
    given = {} if terms is None else read_kind(terms, "an object of terms")
    if carried is not None:
        if "carried" in given:
            raise InvalidInput(
                f"{terms}: carried is given twice: leave --carried out", where="carried", code="duplicate"
            )
        given["carried"] = read_kind(carried, "what --carry wrote", "carried")
        with _file(carried):
            Carried.from_dict(given["carried"])
    try:
        page = statement_from_document(document, given)
    except MarginError as error:
        if (file := _source(error, given, terms, carried)) is not None:
            error.named(str(file))
        raise
    if carry is not None:
        carry.write_text(json.dumps(page.carry().to_dict(), indent=2) + "\n", encoding="utf-8")
    return json.dumps(page.to_dict(), indent=2, allow_nan=False, ensure_ascii=False) if as_json else str(page)
