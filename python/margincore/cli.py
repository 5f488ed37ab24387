"""The command line: ``margincore demo`` and ``margincore margin ACCOUNT --method tims``.

It reads files, calls :func:`margincore.evaluate` and prints. Needs the extra ``cli``. Exit codes: 0 fine, 2
bad input; an error is one line and a hint on standard error.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Entry point of the ``margincore`` command."""
    try:
        from margincore.commands import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("typer", "rich"):
            raise
        print(
            f"error: the command line needs the package '{error.name}', which is not installed",
            file=sys.stderr,
        )
        print("hint: install margincore with its extra: pip install 'margincore[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    app()


if __name__ == "__main__":
    main()
