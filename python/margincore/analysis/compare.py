"""The same account under several rulebooks, on one basis at a time.

Two bases, never mixed. `equity_required` is what the account's liquidating equity (cash, positions at their marks,
collateral) must reach; `cash_balance_required` is the cash that must stand in the account once its trades have settled.
Savings compare initial requirements on one basis, in one currency, and may be negative; none is stated against or of an
amount that is below zero, where a percentage says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from margincore._cards import card
from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    MarginReport,
    Market,
    Methodology,
    MissingData,
    NotApplicable,
    Position,
    Unsupported,
    __document_version__,
    amount_text,
    worst_text,
)
from margincore._deprecation import warn_cash_required
from margincore._pickles import Record
from margincore.analysis import given
from margincore.engine import beside, holder, margin, rulebook, snapshot

__all__ = ["BASES", "Comparison", "Outcome", "compare", "no_percentage", "percent_text", "stated", "verdict"]

BASES = {"equity_required": "equity required", "cash_balance_required": "cash balance after settlement"}
"""The two bases of a requirement in words."""


@dataclass(frozen=True)
class Outcome(Record):
    """One rulebook's answer: its report, or why there is no number.

    `not_applicable` says why the rulebook does not cover the account, `no_number` what else it needs: data the market
    does not have, or a rule that is not there.
    """

    label: str
    report: MarginReport | None
    not_applicable: str | None
    no_number: str | None = None

    @property
    def reason(self) -> str | None:
        """Why there is no number, in words; `None` where there is one."""
        return None if self.report is not None else f"{verdict(self)}: {self.not_applicable or self.no_number}"

    @property
    def equity_required(self) -> float | None:
        """Initial requirement: what liquidating equity must reach. A statement says what of it is missing.

        `None` where the rulebook gives no number.
        """
        return None if self.report is None else self.report.equity_required

    @property
    def initial(self) -> float | None:
        """The initial requirement; `None` where the rulebook gives no number."""
        return None if self.report is None else self.report.initial

    @property
    def maintenance(self) -> float | None:
        """The maintenance requirement; `None` where the rulebook gives no number."""
        return None if self.report is None else self.report.maintenance

    @property
    def cash_balance_required(self) -> float | None:
        """The cash that must stand in the account once the trades have settled; not what must be brought.

        `None` where the rulebook gives no number, or where the report says `None`.
        """
        return None if self.report is None else self.report.cash_balance_required

    @property
    def cash_required(self) -> float | None:
        """Deprecated, version 0.2 removes it: `equity_required` less the report's `net_option_value`."""
        warn_cash_required()
        return self._less_options

    @property
    def _less_options(self) -> float | None:
        return None if self.report is None else self.report.equity_required - self.report.net_option_value


@dataclass(frozen=True)
class Comparison(Record):
    """Rulebooks side by side; the first one that gives a number is what savings are measured against."""

    outcomes: tuple[Outcome, ...]
    assumptions: dict[str, Any]

    @property
    def baseline(self) -> Outcome | None:
        """The first rulebook that gives a number."""
        return next((o for o in self.outcomes if o.report is not None), None)

    def saving(self, outcome: Outcome, basis: str = "equity_required") -> float | None:
        """The fraction of the baseline's initial requirement that `outcome` saves, within one basis.

        `basis` is ``"equity_required"`` or ``"cash_balance_required"`` (``"cash_required"`` is deprecated). Negative
        where it costs more; `None` for the baseline itself, for a rulebook without a number on this basis or with one
        in another currency, and where the baseline is not positive or the other is negative.
        """
        pair = self._pair(outcome, basis)
        return None if pair is None or no_percentage(*pair) is not None else 1.0 - pair[1] / pair[0]

    def _pair(self, outcome: Outcome, basis: str) -> tuple[float, float] | None:
        """The baseline's amount and that of `outcome`, where they are of one basis and currency."""
        if basis not in ("equity_required", "cash_balance_required", "cash_required"):
            raise ValueError(f"basis is {basis!r}: equity_required or cash_balance_required")
        if basis == "cash_required":
            warn_cash_required()
            basis = "_less_options"
        base = self.baseline
        if base is None or base is outcome or base.report is None or outcome.report is None:
            return None
        if base.report.currency != outcome.report.currency:
            return None
        own, theirs = getattr(base, basis), getattr(outcome, basis)
        return None if own is None or theirs is None else (own, theirs)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the numbers do not show: why a rulebook gives none, and why a saving is not stated."""
        found = [f"{o.label}: {o.reason}" for o in self.outcomes if o.report is None]
        for o in self.outcomes:
            for basis, words in BASES.items():
                pair = self._pair(o, basis)
                why = None if pair is None else no_percentage(*pair)
                if why is not None:
                    found.append(f"{o.label}: no saving on the {words}: {why}")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data, with the version of documents."""
        return {
            "version": __document_version__,
            "outcomes": [
                {
                    "label": o.label,
                    "equity_required": o.equity_required,
                    "cash_balance_required": o.cash_balance_required,
                    "cash_required": o._less_options,  # a deprecated key, as long as the property
                    "saving_on_equity": self.saving(o, "equity_required"),
                    "saving_on_cash": self.saving(o, "cash_balance_required"),
                    "report": None if o.report is None else o.report.to_dict(),
                    "not_applicable": o.not_applicable,
                    "no_number": o.no_number,
                }
                for o in self.outcomes
            ],
            "assumptions": self.assumptions,
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Header and one row per rulebook, as text."""
        header = (
            "rulebook", BASES["equity_required"], "saving", BASES["cash_balance_required"], "saving", "maintenance",
            "currency", "worst scenario",
        )  # fmt: skip
        rows: list[tuple[str, ...]] = [header]
        for o in self.outcomes:
            if o.report is None:
                rows.append((o.label, verdict(o), "", "", "", "", "", o.not_applicable or o.no_number or ""))
                continue
            rows.append(
                (
                    o.label,
                    amount_text(o.report.equity_required),
                    percent_text(self.saving(o, "equity_required")),
                    amount_text(o.report.cash_balance_required),
                    percent_text(self.saving(o, "cash_balance_required")),
                    amount_text(o.report.maintenance),
                    o.report.currency,
                    worst_text(o.report.worst_scenario, (line.scenario for line in o.report.lines)),
                )
            )
        return rows

    def _table(self) -> list[tuple[str, ...]]:
        """As :meth:`rows`, without the reasons: they are too long for a column, and stand below."""
        head, *body = self.rows()
        body = [row if o.report else (*row[:-1], "") for row, o in zip(body, self.outcomes, strict=True)]
        return [head, *body]

    def _below(self) -> list[str]:
        return [*self.notes, *(f"{key}: {_plain(value)}" for key, value in self.assumptions.items())]

    def __str__(self) -> str:
        rows = self._table()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
        lines = []
        for row in rows:
            amounts = (c.rjust(w) for c, w in zip(row[1:-1], widths[1:], strict=True))
            cells = [row[0].ljust(widths[0]), *amounts, row[-1]]
            lines.append("  ".join(cells).rstrip())
        lines.insert(1, "-" * max(len(line) for line in lines))
        return "\n".join([*lines, *self._below()])

    def _repr_html_(self) -> str:
        head, *body = self._table()
        return card("Comparison, each basis by itself", head, body, numbers=range(1, 6), notes=self._below())


def compare(
    account: Account | Iterable[Position],
    market: Market | None,
    methodologies: Sequence[Methodology],
    *,
    labels: Sequence[str] | None = None,
    contracts: Iterable[Contract] = (),
    strict: bool = False,
) -> Comparison:
    """Margin one account under several rulebooks.

    A rulebook that does not cover every position gives no number: its outcome says which positions are uncovered. So
    does one that lacks data or a rule (:class:`MissingData`, :class:`Unsupported`), unless `strict` raises them. Other
    errors are raised. `labels` name the rulebooks, each once; left out they are the rulebooks' own names, with those of
    their parameters or a number where names are the same. The result prints the assumptions that make the numbers: the
    valuation, every volatility and price given, and each rulebook's parameter set.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> comparison = mc.compare([mc.Position(stock, 100)], market,
    ...                         [mc.methods.Tims(default_range={"down": -0.3, "up": 0.3}), mc.methods.Tims()])
    >>> comparison.saving(comparison.outcomes[1])
    0.5
    """
    account, market = holder(account), snapshot(market)
    if not isinstance(methodologies, Sequence) or isinstance(methodologies, str):
        raise InvalidInput("methodologies: a list of rulebooks is needed, [mc.methods.RegT(), mc.methods.Tims()]")
    if not methodologies:
        raise InvalidInput("methodologies: an empty list: name at least one rulebook", code="not_stated")
    methodologies = [rulebook(methodology) for methodology in methodologies]
    contracts, strict = beside(contracts), given.flag("strict", strict)
    names = _labels(methodologies) if labels is None else _named(labels)
    if len(names) != len(methodologies):
        raise InvalidInput(f"{len(names)} labels for {len(methodologies)} rulebooks")
    outcomes = []
    for name, methodology in zip(names, methodologies, strict=True):
        try:
            outcomes.append(Outcome(name, margin(account, market, methodology, contracts=contracts), None))
        except NotApplicable as error:
            outcomes.append(Outcome(name, None, str(error)))
        except (MissingData, Unsupported) as error:
            if strict:
                raise
            outcomes.append(Outcome(name, None, None, str(error)))
    used = [(o.report or m).parameters for m, o in zip(methodologies, outcomes, strict=True)]
    return Comparison(tuple(outcomes), _assumptions(account, market, used, names))


def _named(labels: Sequence[str]) -> list[str]:
    names = [given.text(f"labels[{i}]", name) for i, name in enumerate(given.rows("labels", labels))]
    for i, name in enumerate(names):
        if name in names[:i]:
            given.refuse(f"labels[{i}]", name, "a label that no other rulebook has is needed", "duplicate")
    return names


def _labels(methodologies: Sequence[Methodology]) -> list[str]:
    names = [m.name for m in methodologies]
    longer = [
        f"{name} ({m.parameters['name']})" if names.count(name) > 1 else name
        for name, m in zip(names, methodologies, strict=True)
    ]
    return [f"{n} #{longer[:i].count(n) + 1}" if longer.count(n) > 1 else n for i, n in enumerate(longer)]


def _assumptions(
    account: Account, market: Market | None, used: Sequence[Mapping[str, str]], names: Sequence[str]
) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if market is not None:
        snapshot = market.to_dict()
        held = {p.contract.id for p in account.positions}
        said["valuation"] = snapshot["valuation"]
        said["spot"] = snapshot.get("spot", {})
        for key in ("dividend_yield", "rate"):
            if snapshot.get(key):
                said[key] = snapshot[key]
        for key in ("vol", "price"):
            quoted = {id_: value for id_, value in snapshot.get(key, {}).items() if id_ in held}
            if quoted:
                said[key] = quoted
    said["parameters"] = {name: f"{p['name']} {p['version']}" for name, p in zip(names, used, strict=True)}
    if superseded := {n: p["superseded_by"] for n, p in zip(names, used, strict=True) if p["superseded_by"]}:
        said["superseded"] = superseded
    return said


def verdict(outcome: Outcome) -> str:
    """In two words why a rulebook gives no number."""
    return "no number" if outcome.not_applicable is None else "not applicable"


def stated(outcome: Outcome, basis: str) -> str:
    """A requirement on one basis as text, or in two words why there is none."""
    amount: float | None = getattr(outcome, basis)
    if amount is not None:
        return amount_text(amount)
    return verdict(outcome) if outcome.report is None else "not stated"


def no_percentage(base: float, required: float) -> str | None:
    """Why no saving of `required` against `base` is stated in percent; `None` where one is."""
    if base <= 0.0:
        return f"the baseline's {amount_text(base)} is not above zero"
    return f"{amount_text(required)} is below zero" if required < 0.0 else None


def percent_text(fraction: float | None) -> str:
    """A fraction as a signed percentage; nothing for none."""
    return "" if fraction is None else f"{100 * fraction:+.1f} %"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)
