"""What a page is made of: one account under rulebooks, everything worked out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from margincore._core import Account, Contract, MarginError, MarginReport, Market, Methodology, Prepared
from margincore._markup import Markup
from margincore.analysis import given
from margincore.analysis.attribution import Attribution, attribute
from margincore.analysis.compare import Comparison, Outcome
from margincore.analysis.statements import Statement, statement
from margincore.analysis.worth import Worth
from margincore.engine import table_of
from margincore.reports.page import absent


@dataclass(frozen=True)
class Book:
    """An account under rulebooks; what a part cannot be worked out of is the error that says why."""

    account: Account
    market: Market | None
    methodologies: Sequence[Methodology]
    comparison: Comparison
    contracts: Sequence[Contract]
    resolution: tuple[int, int]
    focus: int | None
    given_statement: Statement | Mapping[str, Any] | None = None
    _prepared: dict[int, Prepared] = field(default_factory=dict)
    _missing: dict[str, list[str]] = field(default_factory=dict)

    def without(self, what: str, why: MarginError | str) -> Markup:
        """Says that something is not on the page, and why; kept for :attr:`missing`."""
        self._missing.setdefault(str(why), []).append(what)
        return absent(f"Without {what}: {why}")

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not on the page for want of something that can be given, each reason once."""
        return tuple(f"{', '.join(what)}: {why}" for why, what in self._missing.items())

    @property
    def reports(self) -> tuple[tuple[int, Outcome, MarginReport], ...]:
        """The rulebooks that give a number, with their places."""
        return tuple((i, o, o.report) for i, o in enumerate(self.comparison.outcomes) if o.report is not None)

    def prepared(self, place: int) -> Prepared:
        """A rulebook prepared for what the account holds."""
        if place not in self._prepared:
            table = table_of(self.account, self.contracts)
            self._prepared[place] = self.methodologies[place].prepare(table, self.market)
        return self._prepared[place]

    @property
    def chosen(self) -> Outcome | None:
        """The rulebook whose requirement is taken apart: the one named, or the first that gives a number."""
        return None if self.focus is None else self.comparison.outcomes[self.focus]

    @cached_property
    def worth(self) -> Worth | MarginError:
        """Values of the positions in moved markets."""
        if self.market is None:
            return MarginError("no market is given: the rulebooks carry an exchange's own arrays; give one to move")
        try:
            return Worth(self.account, self.market, self.contracts)
        except MarginError as error:
            return error

    @cached_property
    def statement(self) -> Statement | MarginError | None:
        """The account's page under the chosen rulebook; `None` where nothing is said of its money."""
        if isinstance(self.given_statement, Statement):
            return self.given_statement
        if self.focus is None:
            return None
        if self.given_statement is None and not (self.account.cash or self.account.collateral):
            return None
        terms: dict[str, Any] = {"contracts": self.contracts, **(self.given_statement or {})}
        try:
            return statement(self.account, self.market, self.methodologies[self.focus], **terms)
        except MarginError as error:
            if self.given_statement is not None:
                raise
            return error

    @cached_property
    def attributions(self) -> tuple[Attribution | MarginError, ...]:
        """What each position makes of the chosen requirement, of every kind that there is a way to."""
        found: list[Attribution | MarginError] = []
        if self.focus is not None:
            for kind in ("incremental", "euler"):
                try:
                    found.append(attribute(self.prepared(self.focus), self.account, kind))
                except MarginError as error:
                    found.append(error)
        return tuple(found)


def focus_of(comparison: Comparison, focus: str | None) -> int | None:
    """The place of the rulebook to take apart; refuses a name that gives no number."""
    labels = [o.label for o in comparison.outcomes]
    if focus is None:
        return next((i for i, o in enumerate(comparison.outcomes) if o.report is not None), None)
    place = labels.index(given.name("focus", focus, labels))
    if comparison.outcomes[place].report is None:
        why = comparison.outcomes[place].reason
        given.refuse("focus", focus, f"a rulebook with a number is needed ({why})", "not_covered")
    return place
