"""The Python of a page of docs, so that a test runs what a reader copies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Page(dict[str, Any]):
    """The names that a page's ```python blocks define, block after block, with where each came from in tracebacks.

    The functions of a page pickle by value: workers of an engine need not import it.
    """

    def __init__(self, name: str, **given: Any) -> None:
        super().__init__(given, __name__=f"docs_{name}")
        text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
        assert blocks, f"docs/{name}.md shows no Python"
        for block in blocks:
            lines = text.count("\n", 0, block.start(1))
            exec(compile("\n" * lines + block[1], str(DOCS / f"{name}.md"), "exec"), self)
