"""The files of ``margincore statement``: its terms, and what one day's statement hands to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from margincore._core import InvalidInput
from margincore.documents import statement_from_document
from margincore.importers.documents import read_json

__all__ = ["written"]


def written(
    document: Mapping[str, Any], terms: Path | None, carried: Path | None, carry: Path | None, as_json: bool
) -> str:
    """The statement of a document as its page, or as JSON; what it carries is written to `carry`."""
    given = {} if terms is None else read_json(terms)
    if carried is not None:
        if "carried" in given:
            raise InvalidInput(
                f"{terms}: carried is given twice: leave --carried out", where="carried", code="duplicate"
            )
        given["carried"] = read_json(carried)
    page = statement_from_document(document, given)
    if carry is not None:
        carry.write_text(json.dumps(page.carry().to_dict(), indent=2) + "\n", encoding="utf-8")
    return json.dumps(page.to_dict(), indent=2, allow_nan=False, ensure_ascii=False) if as_json else str(page)
