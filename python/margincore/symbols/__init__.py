"""Symbols as brokers, exchanges, vendors and venues spell them: read, printed in another spelling, made contracts."""

from margincore.symbols.reading import dialects, parse, spell
from margincore.symbols.symbol import Symbol

__all__ = ["Symbol", "dialects", "parse", "spell"]
