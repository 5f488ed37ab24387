"""The statement: every part that can be said of an account, and by name what cannot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margincore._core import InvalidInput, MarginReport, MissingData, __document_version__, check_version
from margincore.analysis.statements import lines, page
from margincore.analysis.statements.calls import Call, Carried
from margincore.analysis.statements.cash import Cash, Interest
from margincore.analysis.statements.cures import Cure
from margincore.analysis.statements.futures import FuturesAccount
from margincore.analysis.statements.groups import PortfolioMargin
from margincore.analysis.statements.minimum import MinimumEquity
from margincore.analysis.statements.money import Equity, Holding
from margincore.analysis.statements.plain import Part
from margincore.analysis.statements.power import BuyingPower
from margincore.analysis.statements.restrictions import Restriction
from margincore.analysis.statements.sma import Close

__all__ = ["REDUCING_ONLY", "Absent", "Statement"]

REDUCING_ONLY = "reducing orders only"
"""What a portfolio margin account below its minimum equity may do."""


@dataclass(frozen=True, slots=True)
class Absent(Part):
    """Something the statement does not say: what, and what to give or where to look."""

    what: str
    because: str


@dataclass(frozen=True, slots=True)
class Statement(Part):
    """One account on one page. Amounts are in `currency`, the report's, unless a part says otherwise.

    - `regime`: ``"reg_t"``, ``"cash"``, ``"portfolio_margin"``, ``"futures"``, or `None` where none is known.
    - `date`, `valuation`: the day of its dates, and the instant of the market.
    - `initial`, `maintenance`: the requirements, on liquidating equity. `report` explains the rulebook's.
    - `cash_balance_required`: the cash that must stand in the account once its trades have settled.
    - `equity`: what the account is worth; with the rest of what is `None` it is in `absent`, by name.
    - `minimum`: the least equity, a line of its own and in no requirement.
    - `buying_power`: by class. `close`: SMA and its entries. `calls`: all that are to be met.
    - `cures`: what would meet each call. `cash`, `interest`: cash that may go, and what a debit costs.
    - `portfolio`, `futures`: what such accounts have beside.
    - `restrictions`: what the account may not do now. `positions`: what is held, and what each is worth.
    - Warnings of the input are those of `report`.
    """

    date: dt.date | None
    valuation: str | None
    regime: str | None
    currency: str
    initial: float
    maintenance: float
    cash_balance_required: float | None
    equity: Equity | None
    minimum: MinimumEquity | None
    buying_power: tuple[BuyingPower, ...]
    close: Close | None
    calls: tuple[Call, ...]
    cures: tuple[Cure, ...]
    cash: Cash
    interest: tuple[Interest, ...]
    portfolio: PortfolioMargin | None
    futures: FuturesAccount | None
    restrictions: tuple[Restriction, ...]
    absent: tuple[Absent, ...]
    report: MarginReport
    positions: tuple[Holding, ...] = ()

    @property
    def equity_required(self) -> float:
        """What liquidating equity must reach: the initial requirement. `initial_excess` says what is missing."""
        return self.initial

    @property
    def to_bring(self) -> float | None:
        """What a new account brings for these trades: the requirement or the minimum equity, whichever is more.

        `None` where the minimum is not known.
        """
        return None if self.minimum is None else max(self.initial, self.minimum.required)

    @property
    def initial_excess(self) -> float | None:
        """Equity less the initial requirement, negative for a deficit: it limits new positions."""
        return None if self.equity is None else self.equity.total - self.initial

    @property
    def maintenance_excess(self) -> float | None:
        """Equity less the maintenance requirement, negative for a deficit: that is a call."""
        return None if self.equity is None else self.equity.total - self.maintenance

    @property
    def sma(self) -> float | None:
        """The special memorandum account at the close; `None` where it is not known."""
        return None if self.close is None else self.close.sma

    @property
    def reducing_only(self) -> bool:
        """Whether only orders that reduce positions are allowed: a portfolio margin account below its minimum."""
        return any(restriction.what == REDUCING_ONLY for restriction in self.restrictions)

    def carry(self) -> Carried:
        """What the next day's statement takes: SMA and open calls.

        Raises :class:`margincore.MissingData` where the day is not known, or the SMA of an account that has one.
        """
        if self.date is None:
            raise MissingData("carry: the day is not known: give date", where="date", code="not_stated")
        if self.regime == "reg_t" and self.close is None:
            because = next(a.because for a in self.absent if a.what == "SMA")
            raise MissingData(f"carry: SMA is not known: {because}", where="carried", code="not_stated")
        return Carried(self.date, self.sma, tuple(c for c in self.calls if c.left > 0.0 and not c.waived))

    def to_dict(self) -> dict[str, Any]:
        """The statement as plain data, with the version of documents first; :meth:`from_dict` takes it."""
        return {"version": __document_version__, **Part.to_dict(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Statement:
        """The statement that :meth:`to_dict` wrote. Raises :class:`margincore.ParseError` for another version."""
        document = dict(document)
        check_version("statement", document.pop("version", __document_version__), 1, __document_version__)
        read = super(Statement, cls).from_dict(document)
        named = {absent.what for absent in read.absent}
        for field, what in (("date", "dates"), ("equity", "equity"), ("minimum", "minimum equity")):
            if getattr(read, field) is None and what not in named:
                raise InvalidInput(
                    f"Statement: {field} is None and absent does not name {what!r}: give what to_dict wrote",
                    where=f"Statement.{field}",
                    code="contradiction",
                )
        return read

    def _lines(self) -> list[page.Line]:
        """The statement line by line, in the order of its page."""
        unit = self.currency
        section = "requirement"
        out = [
            page.Line(section, "initial (equity required)", self.initial, unit),
            page.Line(section, "maintenance", self.maintenance, unit),
        ]
        if self.cash_balance_required is not None:
            out.append(page.Line(section, "cash balance required", self.cash_balance_required, unit))
        if self.minimum is not None and self.minimum.required > 0.0:
            met = {None: "", True: "; met", False: "; not met"}[self.minimum.met]
            note = f"{self.minimum.because}; {self.minimum.source} [{self.minimum.grade}]{met}"
            out.append(page.Line(section, "minimum equity", self.minimum.required, unit, note))
        if self.equity is not None:
            out.extend(lines.equity_lines(self.equity))
        for name, excess in (("initial", self.initial_excess), ("maintenance", self.maintenance_excess)):
            if excess is not None:
                out.append(page.Line("excess (deficit)", name, excess, unit))
        for power in self.buying_power:
            rates = f"{100 * power.initial_rate:.6g} % / {100 * power.maintenance_rate:.6g} %"
            out.append(page.Line("buying power (initial / maintenance rate)", power.of, power.amount, unit, rates))
        if self.close is not None:
            out.extend(lines.sma_lines(self.close, unit))
        if self.regime is not None and self.equity is not None:
            out.extend(lines.call_lines(self.calls, self.date))
        out.extend(lines.cure_lines(self.cures, unit))
        out.extend(lines.cash_lines(self.cash, self.interest, unit))
        if self.futures is not None:
            out.extend(lines.futures_lines(self.futures, unit))
        if self.portfolio is not None:
            out.extend(lines.portfolio_lines(self.portfolio, unit))
        out.extend(page.Line("restrictions", r.what, note=r.because) for r in self.restrictions)
        out.extend(lines.warning_lines(self.report))
        out.extend(page.Line("not said, and what to give", a.what, note=a.because) for a in self.absent)
        return out

    @property
    def title(self) -> str:
        """One line over the page: rulebook, parameters, instant."""
        parameters = self.report.parameters
        of = f"{self.report.methodology}, {parameters['name']} {parameters['version']}"
        return f"Statement of {self.valuation or self.date or 'an unknown day'}: {of}, {self.currency}"

    def rows(self) -> list[dict[str, Any]]:
        """Every line as ``{section, item, amount, unit, note}``: a frame takes them as they are.

        :func:`margincore.analysis.frames.of` gives the parts as tables of their own.
        """
        return page.rows(self._lines())

    def __repr__(self) -> str:
        worth = "unknown" if self.equity is None else f"{self.equity.total:,.2f}"
        numbers = f"equity {worth}, initial {self.initial:,.2f}, maintenance {self.maintenance:,.2f} {self.currency}"
        return f"Statement({self.report.methodology}: {numbers}, {len(self.calls)} calls)"

    def __str__(self) -> str:
        return page.text(self.title, self._lines())

    def _repr_html_(self) -> str:
        return page.html(self.title, self._lines())
