"""The pictures of the documentation site: `python tools/pictures.py`, which `make docs` calls.

A page that shows a picture has the code that draws it. This runs the pages, as the tests do, and keeps what they saved.
"""

from __future__ import annotations

import doctest
import os
import shutil
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def draw(page: Path, folder: Path) -> int:
    """Runs a page in a folder of its own and keeps its pictures in `folder`; how many of its examples failed."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        try:
            failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=FLAGS, encoding="utf-8")
        finally:
            os.chdir(here)
        for picture in Path(work).glob("*.svg"):
            shutil.copy(picture, folder)
    return failed


def main() -> int:
    os.environ["MPLBACKEND"] = "svg"
    folder = DOCS / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pages = sorted(page for page in DOCS.rglob("*.md") if ".savefig(" in page.read_text(encoding="utf-8"))
    return 1 if sum(draw(page, folder) for page in pages) else 0


if __name__ == "__main__":
    sys.exit(main())
