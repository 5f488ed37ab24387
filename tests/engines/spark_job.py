"""A driver of Spark to be killed: ``python -m engines.spark_job parts|stream FOLDER``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from engines import book, kills
from engines.pages import Page


def session(cores: int) -> SparkSession:
    """Spark on this machine; a task that fails is tried four times."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",  # starts in half the time
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "500",
    }
    os.environ["PYSPARK_PYTHON"] = sys.executable  # or its workers are whatever python3 is
    builder = SparkSession.builder.master(f"local[{cores},4]").appName("margincore")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


if __name__ == "__main__":
    what, folder = sys.argv[1], Path(sys.argv[2])
    page = Page("spark")
    spark = session(1)
    if what == "parts":
        page["mc"] = kills.with_batch(part=kills.slow_part)
        page["parts"](spark, sorted(map(str, (folder / "in").iterdir())), str(folder / "out"), book.plan())
    else:
        folders = (str(folder / name) for name in ("in", "out", "checkpoint"))
        page["stream"](spark, *folders, book.plan()).awaitTermination()
