"""Tails of losses: value at risk and expected shortfall of samples, with and without weights, and of fitted tails.

A loss is positive. A confidence is written as in :mod:`margincore.methods.hvar`: ``"0.975"``, a short float or a
:class:`decimal.Decimal`.

- :func:`measure`: losses, the name of a measure, a confidence: one number;
- :func:`weighted`: quantiles and shortfall under weights, by named conventions;
- :func:`normal`, :func:`student_t`, :func:`cornish_fisher`: distributions of stated moments;
- :func:`pareto`: peaks over a threshold, fitted.
"""

from margincore.analysis.tails.cornish import cornish_fisher, cornish_fisher_domain
from margincore.analysis.tails.distributions import normal, student_t
from margincore.analysis.tails.measures import measure
from margincore.analysis.tails.pareto import ParetoTail, pareto
from margincore.analysis.tails.tail import Tail
from margincore.analysis.tails.weighted import weighted

__all__ = [
    "ParetoTail",
    "Tail",
    "cornish_fisher",
    "cornish_fisher_domain",
    "measure",
    "normal",
    "pareto",
    "student_t",
    "weighted",
]
