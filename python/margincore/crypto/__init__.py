"""Crypto venues beside their rulebooks: instrument names, request and reply shapes, orders, liquidation."""

from typing import TYPE_CHECKING

from margincore._lazy import on_first_use
from margincore.crypto.liquidation import (
    Health,
    LiquidationPlan,
    borrowable,
    first_breach,
    first_breaches,
    health,
    partial_liquidation,
)
from margincore.crypto.names import Instrument, contract, instrument_name, parse
from margincore.crypto.orders import OpenOrder, OpenSizes, WorstOrders, margin_with_orders, open_sizes
from margincore.crypto.shapes import deribit_positions, deribit_result, okx_positions, okx_result, record_case

if TYPE_CHECKING:
    from margincore.crypto import table

__all__ = [
    "Health",
    "Instrument",
    "LiquidationPlan",
    "OpenOrder",
    "OpenSizes",
    "WorstOrders",
    "borrowable",
    "contract",
    "deribit_positions",
    "deribit_result",
    "first_breach",
    "first_breaches",
    "health",
    "instrument_name",
    "margin_with_orders",
    "okx_positions",
    "okx_result",
    "open_sizes",
    "parse",
    "partial_liquidation",
    "record_case",
    "table",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, {"table": f"{__name__}.table"})
