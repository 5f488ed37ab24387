"""Rulebooks: each is frozen, versioned data that prepares into an engine."""

from margincore.methods.base import Rulebook, rulebooks
from margincore.methods.combined import Combined
from margincore.methods.house import House
from margincore.methods.hvar import HistoricalVar
from margincore.methods.named import named, named_document, names, presets
from margincore.methods.reg_t import RegT
from margincore.methods.span import Span, SpanLike
from margincore.methods.tims import Tims
from margincore.methods.venues import (
    Aevo,
    BitCom,
    Bybit,
    Crypto,
    Dederi,
    Deribit,
    Derive,
    Okx,
    Paradex,
    Span16,
)

__all__ = [
    "Aevo",
    "BitCom",
    "Bybit",
    "Combined",
    "Crypto",
    "Dederi",
    "Deribit",
    "Derive",
    "HistoricalVar",
    "House",
    "Okx",
    "Paradex",
    "RegT",
    "Rulebook",
    "Span",
    "Span16",
    "SpanLike",
    "Tims",
    "named",
    "named_document",
    "names",
    "presets",
    "rulebooks",
]
