"""Crypto venues beside their rulebooks: instrument names, chains, request and reply shapes, orders, liquidation."""

from margincore.crypto.liquidation import (
    Health,
    LiquidationPlan,
    borrowable,
    health,
    liquidation_price,
    liquidation_prices,
    partial_liquidation,
)
from margincore.crypto.names import Instrument, contract, instrument_name, parse
from margincore.crypto.orders import OpenOrder, OpenSizes, WorstOrders, margin_with_orders, open_sizes
from margincore.crypto.shapes import deribit_positions, deribit_result, okx_positions, okx_result, record_case
from margincore.importers.deribit import Chain, deribit_chain, model_marks

__all__ = [
    "Chain",
    "Health",
    "Instrument",
    "LiquidationPlan",
    "OpenOrder",
    "OpenSizes",
    "WorstOrders",
    "borrowable",
    "contract",
    "deribit_chain",
    "deribit_positions",
    "deribit_result",
    "health",
    "instrument_name",
    "liquidation_price",
    "liquidation_prices",
    "margin_with_orders",
    "model_marks",
    "okx_positions",
    "okx_result",
    "open_sizes",
    "parse",
    "partial_liquidation",
    "record_case",
]
