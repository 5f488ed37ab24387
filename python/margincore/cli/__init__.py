"""The command line: ``margincore demo`` and ``margincore margin ACCOUNT --method tims``.

It reads files, calls :func:`margincore.evaluate` and prints. Needs the extra ``cli``. Exit codes: 0 fine, 2
bad input, 70 a defect of margincore; an error is one line and a hint on standard error. With ``MARGINCORE_TRACEBACK``
in the environment a defect shows its traceback.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

DEFECT = 70
"""EX_SOFTWARE of BSD's sysexits.h."""


def main() -> None:
    """Entry point of the ``margincore`` command."""
    try:
        from margincore.cli.commands import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("typer", "rich"):
            raise
        print(
            f"error: the command line needs the package '{error.name}', which is not installed",
            file=sys.stderr,
        )
        print("hint: install margincore with its extra: pip install 'margincore[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    try:
        app()
    except Exception as error:
        if os.environ.get("MARGINCORE_TRACEBACK"):
            raise
        message = " ".join(str(error).split())
        print(f"error: a defect of margincore: {type(error).__name__}: {message}", file=sys.stderr)
        print("hint: please report it, with what MARGINCORE_TRACEBACK=1 in the environment prints", file=sys.stderr)
        raise SystemExit(DEFECT) from None
