"""Questions about margin: comparison, attribution, paths, cross-margining, qualification, backtests, pictures.

* :func:`compare` - one account under several rulebooks, on one basis at a time;
* :func:`cross_margin` - the same positions in separate accounts and in one;
* :func:`margin_path` - what legging into a position costs on the way;
* :func:`qualify` - which margin regimes an account may use, and why;
* :func:`statement` - an account on one page: what is left, what is called, what may still be done;
* :mod:`~margincore.analysis.statements` - its parts, the special memorandum account, what is carried from day to day;
* :mod:`~margincore.analysis.questions` - margin tomorrow, after a move, along a path; the price that liquidates;
* :mod:`~margincore.analysis.events` - exercise, assignment, expiry, dividends: the account after, before it happens;
* :mod:`~margincore.analysis.profits` - scenario profits of accounts and positions as arrays, and parts of a VaR;
* :mod:`~margincore.analysis.attribution` - which position makes how much, and what made a requirement change;
* :mod:`~margincore.analysis.backtest` - whether margins covered the losses that followed;
* :mod:`~margincore.analysis.tails` - value at risk and expected shortfall of samples and of fitted tails;
* :mod:`~margincore.analysis.stress` - named moves of the past, and one's own, over any rulebook;
* :mod:`~margincore.analysis.volatility` - a fitted GARCH (extra ``garch``), published sigma rules;
* :mod:`~margincore.analysis.intraday` - the intraday margin deficit of a day (FINRA 4210(d)(2));
* :mod:`~margincore.analysis.frames` - any of these results as tables of columns;
* :mod:`~margincore.analysis.plot` - pictures, one by one (extra ``report``).
"""

from typing import TYPE_CHECKING

from margincore._lazy import on_first_use
from margincore.analysis import statements
from margincore.analysis.compare import Comparison, Outcome, compare
from margincore.analysis.cross import CrossMargin, cross_margin
from margincore.analysis.path import MarginPath, Step, margin_path
from margincore.analysis.qualify import Qualification, Reason, qualify, regimes
from margincore.analysis.statements import Statement, statement

if TYPE_CHECKING:
    from margincore.analysis import (
        attribution,
        backtest,
        events,
        frames,
        intraday,
        plot,
        profits,
        questions,
        stress,
        tails,
        volatility,
    )

__all__ = [
    "Comparison",
    "CrossMargin",
    "MarginPath",
    "Outcome",
    "Qualification",
    "Reason",
    "Statement",
    "Step",
    "attribution",
    "backtest",
    "compare",
    "cross_margin",
    "events",
    "frames",
    "intraday",
    "margin_path",
    "plot",
    "profits",
    "qualify",
    "questions",
    "regimes",
    "statement",
    "statements",
    "stress",
    "tails",
    "volatility",
]

if not TYPE_CHECKING:
    _MODULES = (
        "attribution",
        "backtest",
        "events",
        "frames",
        "intraday",
        "plot",
        "profits",
        "questions",
        "stress",
        "tails",
        "volatility",
    )
    __getattr__ = on_first_use(__name__, {name: f"{__name__}.{name}" for name in _MODULES})
