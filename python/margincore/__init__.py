"""Derivatives margin under the rulebooks that matter, fast, with every number explained.

market  = mc.Market("2026-11-20T16:00:00-05:00", spot={"SPX": 4500.0}, ...)
account = mc.Account([mc.Position(contract, -1), ...], cash={"USD": 50_000})
report  = mc.margin(account, market, mc.methods.Tims())
"""

from margincore import methods, pricing
from margincore._core import (
    Account,
    Accounts,
    CalculationError,
    Contract,
    Contracts,
    Decision,
    InvalidInput,
    Limit,
    Line,
    LiveAccount,
    MarginBatch,
    MarginError,
    MarginReport,
    Market,
    Methodology,
    MissingData,
    NotApplicable,
    Order,
    OsiSymbol,
    ParseError,
    Position,
    Prepared,
    Products,
    Requirement,
    UnderlyingGreeks,
    Unsupported,
    WhatIf,
    __version__,
    build_info,
)
from margincore.analysis import backtest
from margincore.analysis.compare import Comparison, compare
from margincore.analysis.cross import CrossMargin, cross_margin
from margincore.documents import evaluate
from margincore.engine import Engine, margin
from margincore.analysis.path import MarginPath, margin_path
from margincore.portfolio import Etf, Future, Index, Option, Perpetual, Spot, Stock
from margincore.analysis.qualify import Qualification, qualify

__all__ = [
    "Account",
    "Accounts",
    "CalculationError",
    "Comparison",
    "Contract",
    "Contracts",
    "CrossMargin",
    "Decision",
    "Engine",
    "Etf",
    "Future",
    "Index",
    "InvalidInput",
    "Limit",
    "Line",
    "LiveAccount",
    "MarginBatch",
    "MarginError",
    "MarginPath",
    "MarginReport",
    "Market",
    "Methodology",
    "MissingData",
    "NotApplicable",
    "Option",
    "Order",
    "OsiSymbol",
    "ParseError",
    "Perpetual",
    "Position",
    "Prepared",
    "Products",
    "Qualification",
    "Requirement",
    "Spot",
    "Stock",
    "UnderlyingGreeks",
    "Unsupported",
    "WhatIf",
    "__version__",
    "backtest",
    "build_info",
    "compare",
    "cross_margin",
    "evaluate",
    "margin",
    "margin_path",
    "methods",
    "pricing",
    "qualify",
]
