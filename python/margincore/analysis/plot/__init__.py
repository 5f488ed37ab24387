"""Pictures: profit and loss, heat maps, scenarios, attributions, comparisons, expiries.

Needs the extra ``report`` (matplotlib). Each function draws on axes, those given as `ax` or new ones, and gives them;
colours, fonts and sizes are those of the matplotlib style in use. :func:`margincore.report` puts them on one page.

* :func:`payoff` - profit and loss over prices, now and at the nearest expiry, with each rulebook's points;
* :func:`heatmap` - profit, or a requirement margined again, over price and volatility or price and time;
* :func:`requirement` - what rulebooks ask over prices, margined again at each;
* :func:`scenarios` - profit and loss by scenario; :func:`attribution` - what each position makes;
* :func:`comparison` - rulebooks side by side; :func:`plot` - the first of these, of an account under rulebooks;
* :func:`plot_expiry` - requirement and equity after an expiry, over settlement prices.
"""

from margincore.analysis.plot.bars import attribution, comparison, scenarios
from margincore.analysis.plot.expiry import plot_expiry
from margincore.analysis.plot.payoffs import payoff, plot
from margincore.analysis.plot.surfaces import heatmap, requirement

__all__ = ["attribution", "comparison", "heatmap", "payoff", "plot", "plot_expiry", "requirement", "scenarios"]
