"""The parts of a statement as lines of its page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from margincore._core import MarginReport
from margincore.analysis.statements.calls import RULES, Call
from margincore.analysis.statements.cash import Cash, Interest
from margincore.analysis.statements.cures import Cure
from margincore.analysis.statements.futures import FuturesAccount
from margincore.analysis.statements.groups import PortfolioMargin
from margincore.analysis.statements.money import Equity
from margincore.analysis.statements.page import Line
from margincore.analysis.statements.sma import Close

__all__ = [
    "call_lines",
    "cash_lines",
    "cure_lines",
    "equity_lines",
    "futures_lines",
    "portfolio_lines",
    "sma_lines",
    "warning_lines",
]


def equity_lines(equity: Equity) -> Iterator[Line]:
    """Equity by its parts, by currency where there is another than the report's, and what is posted."""
    section = "equity"
    for name, amount in equity.parts.items():
        if amount:
            yield Line(section, name, amount, equity.currency)
    for balance in equity.balances:
        if balance.currency != equity.currency:
            yield Line(section, f"of it in {balance.currency}", balance.total, balance.currency, f"at {balance.fx:g}")
    for posted in equity.collateral:
        note = f"{posted.amount:,g} {posted.asset} less {100 * posted.haircut:g} %"
        yield Line(section, f"collateral {posted.asset}", posted.value, equity.currency, note)
    yield Line(section, "liquidating equity", equity.total, equity.currency)


def sma_lines(close: Close, currency: str) -> Iterator[Line]:
    """SMA from the opening to the close."""
    section = "special memorandum account"
    yield Line(section, "opening", close.opening, currency)
    for entry in close.entries:
        yield Line(section, entry.what, entry.amount, currency)
    yield Line(section, "Reg T excess at the close", close.excess, currency)
    yield Line(section, "SMA at the close", close.sma, currency)


def call_lines(calls: tuple[Call, ...], date: dt.date | None) -> Iterator[Line]:
    """Each call, by when, and whose rule that is."""
    section = "calls"
    if not calls:
        yield Line(section, "none")
    for call in calls:
        by = f"by {call.due_on}" if call.due_on else ""
        if call.waived:
            by = "waived"
        elif date is not None and call.overdue(date):
            by = f"overdue since {call.due_on}"
        of = f"{call.amount:,.2f} called on {call.made_on}" if call.left != call.amount else ""
        rule = call.rule
        note = "; ".join(part for part in (by, of, rule.text, f"{rule.source} [{rule.grade}]") if part)
        yield Line(section, rule.name, call.left, call.currency, note)


def cure_lines(cures: tuple[Cure, ...], currency: str) -> Iterator[Line]:
    """What would meet each call."""
    for cure in cures:
        section = f"to meet the {RULES[cure.kind].name}, one of these"
        if cure.action == "deposit":
            yield Line(section, "deposit", cure.amount, currency)
            continue
        note = f"for {cure.amount:,.2f} {currency}, call / {100 * (cure.rate or 0.0):g} %"
        if cure.left:
            note += f"; {cure.left:,.2f} would be left"
        elif not cure.exact:
            note += "; an approximation, enough when margined again"
        yield Line(section, f"sell {cure.contract}", cure.quantity, "shares", note)


def cash_lines(cash: Cash, interest: tuple[Interest, ...], currency: str) -> Iterator[Line]:
    """What has settled, what may go, what a debit costs."""
    section = "cash"
    for name, balances in (("settled", cash.settled), ("unsettled", cash.unsettled)):
        for unit, amount in (balances or {}).items():
            yield Line(section, name, amount, unit)
    if cash.withdrawable is not None:
        yield Line(section, "may be withdrawn", cash.withdrawable, currency, f"limit: {cash.limit}")
    for row in interest:
        note = f"a day on {row.debit:,.2f} at {100 * row.rate:g} % / {row.days_in_year}"
        yield Line(section, "interest", row.per_day, row.currency, note)


def portfolio_lines(portfolio: PortfolioMargin, currency: str) -> Iterator[Line]:
    """Groups with their points, stress, leverage."""
    indent = {"portfolio group": "", "product group": "  ", "class group": "    "}
    for group in portfolio.groups:
        section = "groups (requirement; profit at each point, largest loss, minimum, offset)"
        points = ", ".join(f"{p} {v:,.0f}" for p, v in zip(group.points, group.profit, strict=True))
        worst = f"worst {group.worst}" if group.worst else "no loss"
        note = f"{points}; {worst} {group.largest_loss:,.2f}, minimum {group.minimum:,.2f}, offset {group.offset:g}"
        yield Line(section, f"{indent[group.level]}{group.level} {group.name}", group.requirement, currency, note)
    for row in portfolio.stress:
        note = f"equity {row.equity:,.2f}, requirement {row.requirement:,.2f}, excess {row.excess:,.2f}"
        yield Line("stress: change of equity", f"{100 * row.move:+g} %", row.change, currency, note)
    if portfolio.gross is not None:
        yield Line("leverage", "positions at marks, long and short", portfolio.gross, currency)
    if portfolio.leverage is not None:
        yield Line("leverage", "of equity", portfolio.leverage, "times")


def futures_lines(futures: FuturesAccount, currency: str) -> Iterator[Line]:
    """Both comparisons, each whole."""
    section = "futures: option value inside, or outside, never mixed"
    yield Line(section, "inside: risk (maintenance)", futures.risk, currency)
    yield Line(section, "inside: customers' initial", futures.initial, currency)
    yield Line(section, "inside: cash, open trade equity, options", futures.equity, currency)
    yield Line(section, "outside: risk less option value", futures.risk_less_option_value, currency)
    yield Line(section, "outside: cash and open trade equity", futures.cash_and_open_trade_equity, currency)
    if futures.pretrade is not None:
        yield Line(section, "counted against pre-trade credit", futures.pretrade, currency)


def warning_lines(report: MarginReport) -> Iterator[Line]:
    """What is suspicious in the input."""
    for warning in report.warnings:
        yield Line("warnings: the numbers stand", warning["where"], note=f"{warning['message']} [{warning['source']}]")
