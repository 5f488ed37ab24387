"""Stresses: named moves of the past and made-up ones, applied over any rulebook that reads a market.

- :func:`library`, :func:`load`: stresses that come with the package, and one's own from a file;
- :class:`Stress`, :class:`Move`: a stress by levels: all, by class, by underlying; rates and exchange rates;
- :func:`run`: an account under stresses, revalued and margined again; :func:`market`: the market after one.
"""

from margincore.analysis.stress.library import library, load
from margincore.analysis.stress.moves import Move, Stress
from margincore.analysis.stress.running import Stressed, market, run

__all__ = ["Move", "Stress", "Stressed", "library", "load", "market", "run"]
