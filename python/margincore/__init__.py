"""Derivatives margin under the rulebooks that matter, fast, with every number explained.

    market  = mc.Market("2026-11-20T16:00:00-05:00", spot={"SPX": 4500.0}, ...)
    account = mc.Account([mc.Position(contract, -1), ...], cash={"USD": 50_000})
    report  = mc.margin(account, market, mc.methods.Tims())
"""

from margincore import methods
from margincore._core import (
    Account,
    Accounts,
    CalculationError,
    Contract,
    Contracts,
    InvalidInput,
    Line,
    MarginBatch,
    MarginError,
    MarginReport,
    Market,
    Methodology,
    MissingData,
    NotApplicable,
    ParseError,
    Position,
    Prepared,
    Requirement,
    Unsupported,
    __version__,
)
from margincore.engine import Engine, margin
from margincore.portfolio import Etf, Future, Index, Option, Perpetual, Spot, Stock

__all__ = [
    "Account",
    "Accounts",
    "CalculationError",
    "Contract",
    "Contracts",
    "Engine",
    "Etf",
    "Future",
    "Index",
    "InvalidInput",
    "Line",
    "MarginBatch",
    "MarginError",
    "MarginReport",
    "Market",
    "Methodology",
    "MissingData",
    "NotApplicable",
    "Option",
    "ParseError",
    "Perpetual",
    "Position",
    "Prepared",
    "Requirement",
    "Spot",
    "Stock",
    "Unsupported",
    "__version__",
    "margin",
    "methods",
]
