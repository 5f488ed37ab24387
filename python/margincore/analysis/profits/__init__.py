"""Vectors out: what accounts and positions gain in every scenario of a prepared rulebook, as NumPy and Arrow.

- :func:`of`: accounts under a prepared rulebook, a :class:`Profits` for each scope;
- :func:`components`: VaR or expected shortfall of such vectors, with each position's part.
"""

from margincore.analysis.profits.components import Components, components, scenario_weights
from margincore.analysis.profits.vectors import Profits, of

__all__ = ["Components", "Profits", "components", "of", "scenario_weights"]
