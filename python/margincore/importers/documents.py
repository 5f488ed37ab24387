"""JSON files, read as strictly as every JSON text from outside (:mod:`margincore.json_objects`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from margincore.importers.text import read_text
from margincore.json_objects import json_object


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The JSON object in a file, plain or ``.gz``.

    Raises :class:`margincore.ParseError` with file and line for text that is not JSON or not an object, and
    :class:`margincore.InvalidInput` for keys given twice, numbers that are none, and text that no file can hold.
    """
    return json_object(read_text(Path(path)), str(path))
