"""A driver of Ray to be killed: ``python -m engines.ray_job ADDRESS FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import ray

from engines import book, kills
from engines.pages import Page

if __name__ == "__main__":
    address, folder = sys.argv[1], Path(sys.argv[2])
    page = Page("ray")
    page["mc"] = kills.with_batch(part=kills.slow_part)
    ray.init(address=address, log_to_driver=False)
    page["parts"](book.names(folder / "in"), str(folder / "out"), book.plan())
