"""An account on one page: what it is worth, what is left, what is called and by when, what may still be done.

* :func:`statement` - the one call, also ``mc.statement``; :class:`Statement` what it gives;
* :class:`Carried` - what one day's statement hands to the next;
* :class:`Money` - what comes and goes in a day beside trades;
* :func:`entries`, :func:`close` - the special memorandum account of Reg T by itself;
* :func:`open_trade_equity`, :func:`pretrade_cost` - figures of futures accounts.
"""

from margincore.analysis.statements.build import statement
from margincore.analysis.statements.calls import RULES, Call, Carried, Rule, payment_date, settlement_days
from margincore.analysis.statements.cash import Cash, Interest
from margincore.analysis.statements.cures import Cure
from margincore.analysis.statements.futures import FuturesAccount, open_trade_equity, pretrade_cost
from margincore.analysis.statements.groups import STRESS, Group, PortfolioMargin, Stress
from margincore.analysis.statements.minimum import MinimumEquity
from margincore.analysis.statements.money import Balance, Collateral, Equity, Holding
from margincore.analysis.statements.power import BuyingPower, Rates
from margincore.analysis.statements.regimes import Regime
from margincore.analysis.statements.restrictions import OPENED_WITH, Restriction
from margincore.analysis.statements.sma import Close, Entry, Money, Transaction, close, entries
from margincore.analysis.statements.whole import Absent, Statement

__all__ = [
    "OPENED_WITH",
    "RULES",
    "STRESS",
    "Absent",
    "Balance",
    "BuyingPower",
    "Call",
    "Carried",
    "Cash",
    "Close",
    "Collateral",
    "Cure",
    "Entry",
    "Equity",
    "FuturesAccount",
    "Group",
    "Holding",
    "Interest",
    "MinimumEquity",
    "Money",
    "PortfolioMargin",
    "Rates",
    "Regime",
    "Restriction",
    "Rule",
    "Statement",
    "Stress",
    "Transaction",
    "close",
    "entries",
    "open_trade_equity",
    "payment_date",
    "pretrade_cost",
    "settlement_days",
    "statement",
]
