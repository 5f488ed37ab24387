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


def aligned(values: NDArray[Any]) -> Floats:
    """A flat copy in double precision at a cache line."""
    memory = np.empty(values.size * 8 + 64, np.uint8)
    at = -memory.ctypes.data % 64
    copy = memory[at : at + values.size * 8].view(np.float64)
    copy[:] = values.reshape(-1)
    return copy


def call(function: Any, *arguments: Any) -> Callable[[], object]:
    """A ready call; arrays go as pointers to their data and stay alive with it."""

    def passed(argument: Any) -> Any:
        return ctypes.c_void_p(argument.ctypes.data) if isinstance(argument, np.ndarray) else argument

    ready = [passed(argument) for argument in arguments]
    return lambda kept=arguments: function(*ready)  # type: ignore[misc]
