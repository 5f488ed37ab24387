"""Symbols."""

from margincore.symbols.contracts import contract
from margincore.symbols.reading import dialects, parse
from margincore.symbols.spelling import spell
from margincore.symbols.symbol import Symbol

__all__ = ["Symbol", "contract", "dialects", "parse", "spell"]
