"""Names that go, kept for one minor version: see docs/versioning.md."""

from __future__ import annotations

import warnings


def warn_cash_required() -> None:
    """Warns the reader of a `cash_required`, two calls up, as the report's own does."""
    warnings.warn(
        "cash_required is deprecated and version 0.2 removes it: cash_balance_required is the cash that must stand in "
        "the account, equity_required what must be brought",
        DeprecationWarning,
        stacklevel=3,
    )
