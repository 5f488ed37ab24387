"""One page of an account: what is held, what every rulebook asks, and pictures of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from margincore._core import Account, Contract, Market, Methodology, Position, Unsupported
from margincore._markup import joined
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.compare import compare
from margincore.analysis.statements import Statement
from margincore.analysis.surfaces import resolution_of
from margincore.engine import beside, holder, snapshot

__all__ = ["Report", "report"]


@dataclass(frozen=True, slots=True)
class Report(Record):
    """A page: `html` is the whole of it, one file that needs nothing else; in a notebook it shows itself.

    `missing`: what is not on it for want of a quote, a rate, cash or a rule, each with its reason, as the page says.
    """

    title: str
    html: str
    missing: tuple[str, ...] = ()

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the page to a file, in UTF-8."""
        Path(path).write_text(self.html, encoding="utf-8")

    def __repr__(self) -> str:
        return f"Report({self.title!r}: {len(self.html):,} characters)"

    def _repr_html_(self) -> str:
        style = "width:100%;height:80vh;border:1px solid rgba(128,128,128,.4)"
        return f'<iframe title="{escape(self.title)}" style="{style}" srcdoc="{escape(self.html)}"></iframe>'


def report(
    account: Account | Iterable[Position],
    market: Market | None,
    rulebooks: Methodology | Sequence[Methodology],
    *,
    path: str | PathLike[str] | None = None,
    title: str | None = None,
    labels: Sequence[str] | None = None,
    statement: Statement | Mapping[str, Any] | None = None,
    resolution: Sequence[int] = (21, 11),
    focus: str | None = None,
    contracts: Iterable[Contract] = (),
) -> Report:
    """One self-contained HTML page of an account under rulebooks, written to `path` where one is given.

    Positions with values and sensitivities, the statement, the requirement by rulebook on the two bases, its lines and
    scenarios, profit and loss now and at the nearest expiry with break-evens, the requirement over prices and heat maps
    of it and of profit, margined again at each place, what each position makes of it, assumptions, warnings, parameters
    with digests. The page has no script and loads nothing; it follows the reader's light or dark colours, a telephone's
    width and paper. The same arguments give the same page. What cannot be drawn or computed is named with its reason,
    on the page and in `missing`.

    - `rulebooks`: one or several; one that does not cover the account is named, without a number.
    - `labels`: their names on the page. `title`: that of the page.
    - `statement`: one that was made, or the arguments of :func:`margincore.statement` by name for the one to make; left
      out it is made where the account has cash or collateral.
    - `focus`: the label of the rulebook whose statement, heat maps and attribution are shown, the first with a number
      where it is left out.
    - `resolution`: columns and rows of the heat maps, odd; each place is margined once.
    - `contracts`: what options are written on and the account does not hold.

    Needs the extra ``report`` (matplotlib). Raises as :func:`margincore.compare` does, :class:`InvalidInput` for
    arguments of another kind, :class:`Unsupported` without matplotlib.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> page = mc.report([mc.Position(stock, 100)], market, [mc.methods.Tims(), mc.methods.RegT()], title="One stock")
    >>> page.html.count("<svg"), "http" in page.html, page.html.count("750.00") > 1
    (6, False, True)
    """
    from margincore.reports import charts, holdings
    from margincore.reports.book import Book, focus_of
    from margincore.reports.page import page

    held, quoted, more = holder(account), snapshot(market), beside(contracts)
    listed = [rulebooks] if isinstance(rulebooks, Methodology) else rulebooks
    if title is not None:
        given.text("title", title)
    if statement is not None and not isinstance(statement, Statement | Mapping):
        given.refuse("statement", statement, "a Statement or its arguments by name are needed", "wrong_type")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise Unsupported('report: its pictures need matplotlib: pip install "margincore[report]"') from None
    size = resolution_of(resolution)
    compared = compare(held, quoted, listed, labels=labels, contracts=more)
    book = Book(held, quoted, list(listed), compared, more, size, focus_of(compared, focus), statement)
    name = title if title is not None else f"Margin report, {quoted.valuation if quoted else 'no market'}"
    sections = [
        ("requirement", "Requirement by rulebook", joined([holdings.requirements(book), charts.comparison(book)])),
        ("positions", "Positions", holdings.positions(book)),
        ("equity", "Equity and excess", holdings.equity(book)),
        ("profit", "Profit and loss", charts.payoffs(book)),
        ("heatmaps", "Requirement and profit in moved markets", charts.heatmaps(book)),
        ("scenarios", "Scenarios", charts.scenario_bars(book)),
        ("lines", "Lines", holdings.lines(book)),
        ("attribution", "Attribution by position", charts.attribution(book)),
        ("assumptions", "Assumptions and warnings", holdings.assumptions(book)),
        ("parameters", "Parameters", holdings.parameters(book)),
    ]
    foot = "Made by margincore; the same account, market and rulebooks make the same page."
    refused = [f"{o.label}: {o.reason}" for o in compared.outcomes if o.report is None]
    made = Report(name, page(name, holdings.head(book), sections, foot), (*refused, *book.missing))
    if path is not None:
        made.save(path)
    return made
