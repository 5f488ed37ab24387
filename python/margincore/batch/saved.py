"""Plans in files: a line with the version, a line with the SHA-256 of the rest, and a pickle that can hold little.

A pickle may call whatever it names. Here it may name :func:`margincore._core.revive`, which makes objects of this
package of plain values, and the three functions that make NumPy's arrays and numbers of bytes. Anything else is refused
before it is called.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

from margincore._core import ParseError, Unsupported, check_version
from margincore.batch.atomic import written

__all__ = ["read", "write"]

VERSION = 1
_MAGIC = b"margincore plan "
_NUMPY = ("numpy._core.multiarray", "numpy.core.multiarray", "numpy._core.numeric", "numpy.core.numeric")
_ALLOWED = {
    ("margincore._core", "revive"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((module, name) for module in _NUMPY for name in ("_reconstruct", "scalar", "_frombuffer")),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise _Foreign(f"{module}.{name}")
        return super().find_class(module, name)


class _Foreign(Exception):
    """What a pickle names that may not be in a file."""


def write(path: str | os.PathLike[str], plan: object) -> None:
    """Write a plan, whole or not at all. Raises :class:`Unsupported` for what could not be read again."""
    body = pickle.dumps(plan, protocol=5)
    try:
        _Unpickler(io.BytesIO(body)).load()
    except _Foreign as error:
        raise Unsupported(
            f"plan: {error} is no part of this package, and only those can be in a file: send the plan to processes "
            "that can import it, or make it there",
            where="plan",
        ) from None
    with written(Path(path)) as file:
        file.write(_MAGIC + b"%d\n%s\n" % (VERSION, hashlib.sha256(body).hexdigest().encode()))
        file.write(body)


def read(path: str | os.PathLike[str]) -> object:
    """What is in a file that :func:`write` wrote. Raises :class:`ParseError` for any other."""
    data = Path(path).read_bytes()
    head, _, rest = data.partition(b"\n")
    stated = head[len(_MAGIC) :]
    if not head.startswith(_MAGIC) or not stated.isdigit() or len(stated) > 9:
        raise ParseError(f"{path}: this is no file of a plan: Plan.save writes them", where=str(path))
    digest, _, body = rest.partition(b"\n")
    if int(stated) == VERSION and digest != hashlib.sha256(body).hexdigest().encode():
        raise ParseError(
            f"{path}: {len(data)} bytes that are not those that were written: it ends too early or is damaged",
            code="damaged",
            where=str(path),
        )
    try:
        check_version("plan", int(stated), VERSION, VERSION)
        return _Unpickler(io.BytesIO(body)).load()
    except _Foreign as error:
        raise ParseError(f"{path}: it names {error}, which is no part of a plan", where=str(path)) from None
    except ParseError as error:
        error.named(str(path))
        raise
    except Exception as error:  # whatever bytes that are no pickle lead to
        raise ParseError(f"{path}: damaged: {error}", code="damaged", where=str(path)) from None
