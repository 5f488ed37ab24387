"""Rulebooks: each is frozen, versioned data that prepares into an engine."""

from margincore.methods.base import Rulebook, rulebooks
from margincore.methods.combined import Combined
from margincore.methods.reg_t import RegT
from margincore.methods.span import Span, SpanLike
from margincore.methods.tims import Tims

__all__ = ["Combined", "RegT", "Rulebook", "Span", "SpanLike", "Tims", "rulebooks"]
