"""The C floor: hand-written C++ kernels that show what the machine can do, compiled and loaded.

The sources are found by ``MARGINCORE_FLOOR`` (default ``../shared/floor`` beside the project) and compiled with g++.
Their loads want arrays at a cache line, and whole vectors: row counts that are multiples of 8.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-fno-math-errno", "-fopenmp", "-fPIC", "-shared")


@functools.cache
def library(name: str) -> ctypes.CDLL:
    """The kernels of ``c/NAME.cpp``.

    Raises ``FileNotFoundError`` where the sources or the compiler are not there, ``OSError`` where it fails.
    """
    source = Path(os.environ.get("MARGINCORE_FLOOR", Path(__file__).parents[2] / "shared" / "floor")) / "c"
    if not source.is_dir():
        raise FileNotFoundError(f"no {source.name} folder under MARGINCORE_FLOOR")
    compiler = shutil.which("g++")
    if compiler is None:
        raise FileNotFoundError("g++ is not installed")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{name}.so"
        try:
            subprocess.run([compiler, *FLAGS, str(source / f"{name}.cpp"), "-o", str(made)], check=True)
        except subprocess.CalledProcessError as error:
            raise OSError(f"g++ does not compile {name}.cpp: {error}") from error
        return ctypes.CDLL(str(made))


def aligned(values: Floats) -> Floats:
    """A flat copy at a cache line."""
    memory = np.empty(values.size * 8 + 64, np.uint8)
    at = -memory.ctypes.data % 64
    copy = memory[at : at + values.size * 8].view(np.float64)
    copy[:] = values.reshape(-1)
    return copy


def pointer(values: NDArray[Any]) -> ctypes.c_void_p:
    """Where an array begins; the caller keeps the array."""
    return ctypes.c_void_p(values.ctypes.data)


def call(function: Any, n: int, inputs: list[Any], *last: Any) -> Callable[[], object]:
    """A ready call of ``function(n, inputs..., last...)``; copies of the inputs stay alive with it."""
    kept = [aligned(np.asarray(a, np.float64)) for a in inputs]
    arguments = [ctypes.c_size_t(n), *map(pointer, kept), *last]
    return lambda kept=kept: function(*arguments)  # type: ignore[misc]
