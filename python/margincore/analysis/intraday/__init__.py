"""Intraday margin of FINRA 4210(d)(2): the level around every transaction, the day's deficit, and what becomes of it.

* :func:`day` - one margin account's day, explained transaction by transaction;
* :func:`many` - many accounts' fills as columns;
* :class:`Deficits` - deficits over the days after: what satisfies them, how they age, when they freeze an account;
* :func:`excess` - a portfolio margin account's day, which has no deficit of this rule;
* :class:`Choices` - what the rule leaves to the member, with its defaults.
"""

from margincore.analysis.intraday.day import Day, Excess, Level, Step, day, excess
from margincore.analysis.intraday.deficits import Deficit, Deficits, Practice, SatisfiedBy, Standing
from margincore.analysis.intraday.many import Days, many
from margincore.analysis.intraday.rule import EFFECTIVE, PHASE_IN_ENDS, RULE, SOURCE, Choices
from margincore.analysis.intraday.transactions import (
    Cash,
    Charge,
    Exercise,
    Expiry,
    Fill,
    Package,
    Securities,
    Transaction,
)

__all__ = [
    "EFFECTIVE",
    "PHASE_IN_ENDS",
    "RULE",
    "SOURCE",
    "Cash",
    "Charge",
    "Choices",
    "Day",
    "Days",
    "Deficit",
    "Deficits",
    "Excess",
    "Exercise",
    "Expiry",
    "Fill",
    "Level",
    "Package",
    "Practice",
    "SatisfiedBy",
    "Securities",
    "Standing",
    "Step",
    "Transaction",
    "day",
    "excess",
    "many",
]
