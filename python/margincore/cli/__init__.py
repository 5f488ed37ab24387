"""The command line: ``margincore demo`` and ``margincore margin ACCOUNT --method tims``.

It reads files, calls :func:`margincore.evaluate` and prints. Needs the extra ``cli``. Exit codes: 0 fine, 2
bad input, 3 a limit is breached, 4 a market is older than it may be, 70 a defect of margincore; an error is one line
and a hint on standard error. With ``MARGINCORE_TRACEBACK`` in the environment a defect shows its traceback.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

__all__ = ["main"]

DEFECT = 70
"""EX_SOFTWARE of BSD's sysexits.h."""


_EXTRAS = {"typer": "cli", "rich": "cli", "matplotlib": "report", "pyarrow": "arrow"}
"""Which extra of margincore has a package."""


def main() -> None:
    """Entry point of the ``margincore`` command."""
    try:
        from margincore.cli.commands import app

        app(prog_name="margincore")
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EXTRAS:
            _defect(error)
        print(f"error: this command needs the package '{package}', which is not installed", file=sys.stderr)
        print(f"hint: pip install 'margincore[{_EXTRAS[package]}]'", file=sys.stderr)
        raise SystemExit(2) from None
    except Exception as error:
        _defect(error)


def _defect(error: Exception) -> NoReturn:
    if os.environ.get("MARGINCORE_TRACEBACK"):
        raise error
    message = " ".join(str(error).split())
    print(f"error: a defect of margincore: {type(error).__name__}: {message}", file=sys.stderr)
    print("hint: please report it, with what MARGINCORE_TRACEBACK=1 in the environment prints", file=sys.stderr)
    raise SystemExit(DEFECT) from None
