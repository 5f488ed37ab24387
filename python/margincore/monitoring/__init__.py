"""Accounts watched over a stream of events, and the journal that survives a crash."""

from margincore.monitoring.events import (
    Alert,
    CancelEvent,
    CashEvent,
    Event,
    FillEvent,
    Level,
    MarketEvent,
    OrderEvent,
    Status,
)
from margincore.monitoring.intraday import Closed, CloseEvent, CorrectionEvent, IntradayMonitor
from margincore.monitoring.journal import Journal
from margincore.monitoring.monitor import Monitor

__all__ = [
    "Alert",
    "CancelEvent",
    "CashEvent",
    "CloseEvent",
    "Closed",
    "CorrectionEvent",
    "Event",
    "FillEvent",
    "IntradayMonitor",
    "Journal",
    "Level",
    "MarketEvent",
    "Monitor",
    "OrderEvent",
    "Status",
]
