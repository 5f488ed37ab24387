"""Derivatives margin under the rulebooks that matter, fast, with every number explained.

market  = mc.Market("2026-11-20T16:00:00-05:00", spot={"SPX": 4500.0}, ...)
account = mc.Account([mc.Position(contract, -1), ...], cash={"USD": 50_000})
report  = mc.margin(account, market, mc.methods.Tims())
"""

from typing import TYPE_CHECKING

from margincore import documents, errors, methods, pricing
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
    Securities,
    UnderlyingGreeks,
    Unsupported,
    WhatIf,
    __version__,
    build_info,
    error_codes,
)
from margincore._lazy import on_first_use
from margincore.analysis.compare import Comparison, compare
from margincore.analysis.cross import CrossMargin, cross_margin
from margincore.analysis.path import MarginPath, margin_path
from margincore.analysis.qualify import Qualification, qualify
from margincore.analysis.statements import Statement, statement
from margincore.documents import evaluate
from margincore.engine import Engine, margin
from margincore.portfolio import Etf, Future, Index, Option, Perpetual, Spot, Stock, Trade
from margincore.reports import Report, report

if TYPE_CHECKING:
    from margincore import analysis, batch, calendars, crypto, importers, monitoring, reference, symbols
    from margincore.analysis import (
        attribution,
        backtest,
        events,
        frames,
        intraday,
        plot,
        profits,
        questions,
        statements,
        stress,
        tails,
        volatility,
    )
    from margincore.importers import read_positions
    from margincore.pricing import quotes

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
    "Report",
    "Requirement",
    "Securities",
    "Spot",
    "Statement",
    "Stock",
    "Trade",
    "UnderlyingGreeks",
    "Unsupported",
    "WhatIf",
    "__version__",
    "analysis",
    "attribution",
    "backtest",
    "batch",
    "build_info",
    "calendars",
    "compare",
    "cross_margin",
    "crypto",
    "documents",
    "error_codes",
    "errors",
    "evaluate",
    "events",
    "frames",
    "importers",
    "intraday",
    "margin",
    "margin_path",
    "methods",
    "monitoring",
    "plot",
    "pricing",
    "profits",
    "qualify",
    "questions",
    "quotes",
    "read_positions",
    "reference",
    "report",
    "statement",
    "statements",
    "stress",
    "symbols",
    "tails",
    "volatility",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(
        __name__,
        {
            "analysis": "margincore.analysis",
            "attribution": "margincore.analysis.attribution",
            "backtest": "margincore.analysis.backtest",
            "batch": "margincore.batch",
            "calendars": "margincore.calendars",
            "crypto": "margincore.crypto",
            "events": "margincore.analysis.events",
            "frames": "margincore.analysis.frames",
            "importers": "margincore.importers",
            "intraday": "margincore.analysis.intraday",
            "monitoring": "margincore.monitoring",
            "plot": "margincore.analysis.plot",
            "profits": "margincore.analysis.profits",
            "questions": "margincore.analysis.questions",
            "quotes": "margincore.pricing.quotes",
            "read_positions": "margincore.importers:read_positions",
            "reference": "margincore.reference",
            "statements": "margincore.analysis.statements",
            "stress": "margincore.analysis.stress",
            "symbols": "margincore.symbols",
            "tails": "margincore.analysis.tails",
            "volatility": "margincore.analysis.volatility",
        },
    )


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
