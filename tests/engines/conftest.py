"""What one process makes of the same files: every engine's parts and manifest are held against it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from engines import book

collect_ignore_glob = ["*_job.py"]  # programs that import an engine


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``in``, files of whole accounts, and ``out``, their parts and manifest by one process."""
    import margincore as mc

    folder = tmp_path_factory.mktemp("plain")
    plan = book.plan()
    (folder / "out").mkdir()
    for path in book.files(folder / "in"):
        mc.batch.part(str(path), str(folder / "out"), plan)
    mc.batch.manifest(str(folder / "out"))
    if keep := os.environ.get("MARGINCORE_ENGINES_MANIFEST"):  # `engines.run` compares those of all environments
        shutil.copy(folder / "out" / "manifest.json", keep)
    return folder
