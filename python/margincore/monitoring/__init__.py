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
from margincore.monitoring.journal import Journal
from margincore.monitoring.monitor import Monitor

__all__ = [
    "Alert",
    "CancelEvent",
    "CashEvent",
    "Event",
    "FillEvent",
    "Journal",
    "Level",
    "MarketEvent",
    "Monitor",
    "OrderEvent",
    "Status",
]
