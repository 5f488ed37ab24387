"""Volatilities that rulebooks are fed with: a fitted GARCH for filtered historical simulation, published sigma rules.

- :func:`fit_garch`: a GARCH(1,1) by the library ``arch`` (extra ``garch``); its ``filter()`` goes to a component of
  :class:`margincore.methods.HistoricalVar`, :func:`filtered` makes a history of many factors;
- :func:`sigma_range`: price scan ranges of Indian clearing corporations, by dated rules.
"""

from margincore.analysis.volatility.fitted import FittedGarch, filtered, fit_garch
from margincore.analysis.volatility.india import SIGMA_RANGES, SigmaRange, sigma_range

__all__ = ["SIGMA_RANGES", "FittedGarch", "SigmaRange", "filtered", "fit_garch", "sigma_range"]
