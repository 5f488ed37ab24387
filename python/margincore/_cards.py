"""Cards: what results show of themselves in a notebook, all in one style, light and dark by the notebook's own colours.

The engine's classes (:class:`margincore.MarginReport`, :class:`margincore.Account`, :class:`margincore.MarginBatch`)
call the functions of their names here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from margincore import _core
from margincore._markup import Child, Markup, tag

__all__ = ["account", "batch", "card", "report"]

_STYLE = Markup(
    ".mc-card{overflow-x:auto;font-variant-numeric:tabular-nums}"
    ".mc-card table{border-collapse:collapse;margin:.3em 0}"
    ".mc-card caption{text-align:left;font-weight:600;padding:.2em .5em}"
    ".mc-card th,.mc-card td{text-align:left;padding:.18em .6em;border-bottom:1px solid rgba(128,128,128,.35)}"
    ".mc-card .n{text-align:right;white-space:nowrap}"
    ".mc-card .total td{font-weight:600;border-top:2px solid rgba(128,128,128,.6)}"
    ".mc-card p{margin:.2em .5em;opacity:.85}"
)
MOST_ROWS = 60
"""Rows that a card shows of a long result; it says how many there are."""


def card(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numbers: Iterable[int] = (),
    totals: Iterable[Sequence[Child]] = (),
    notes: Iterable[str] = (),
) -> str:
    """A table with a title, columns of `numbers` to the right, `totals` below, notes under it; everything escaped."""
    right = frozenset(numbers)

    def cells(row: Sequence[Child]) -> Markup:
        return Markup("".join(tag("td", c, class_="n" if i in right else None) for i, c in enumerate(row)))

    body = list(rows)
    kept = body if len(body) <= MOST_ROWS else [*body[: MOST_ROWS // 2], *body[-MOST_ROWS // 2 :]]
    said = list(notes)
    if len(kept) < len(body):
        said.insert(0, f"{len(body):,} rows, the first and the last {MOST_ROWS // 2} of them shown")
    heads = [tag("th", c, scope="col", class_="n" if i in right else None) for i, c in enumerate(columns)]
    table = tag(
        "table",
        tag("caption", title),
        tag("thead", tag("tr", heads)),
        tag("tbody", [tag("tr", cells(row)) for row in kept], [tag("tr", cells(r), class_="total") for r in totals]),
    )
    return tag("div", tag("style", _STYLE), table, [tag("p", note) for note in said], class_="mc-card")


def sections(title: str, rows: Iterable[tuple[str, Sequence[str]]], numbers: Iterable[int] = ()) -> str:
    """A table of rows under headings: ``(heading, cells)``, those of one heading together."""
    right = frozenset(numbers)
    body = []
    for heading, group in groupby(rows, key=lambda row: row[0]):
        listed = [cells for _, cells in group]
        body.append(tag("tr", tag("th", heading, scope="rowgroup", colspan=len(listed[0]))))
        for own in listed:
            body.append(tag("tr", [tag("td", c, class_="n" if i in right else None) for i, c in enumerate(own)]))
    table = tag("table", tag("caption", title), tag("tbody", body))
    return tag("div", tag("style", _STYLE), table, class_="mc-card")


def report(own: _core.MarginReport) -> str:
    """The card of a report: its lines, the two bases, its warnings."""
    text, unit = _core.amount_text, own.currency
    rows = [
        (x.scope, x.component, text(x.initial), text(x.maintenance), x.currency, x.scenario or "") for x in own.lines
    ]
    totals = [
        ("total", "", text(own.initial), text(own.maintenance), unit, own.worst_scenario or ""),
        ("equity required", "", text(own.equity_required), "", unit, ""),
        ("cash balance after settlement", "", text(own.cash_balance_required), "", unit, ""),
    ]
    named = own.parameters
    columns = ("scope", "component", "initial", "maintenance", "currency", "scenario")
    notes = [f"warning: {warning['message']}" for warning in own.warnings]
    title = f"{own.methodology}, {named['name']} {named['version']}"
    return card(title, columns, rows, numbers=(2, 3), totals=totals, notes=notes)


def account(own: _core.Account) -> str:
    """The card of an account: positions, then cash and collateral."""
    rows = []
    for p in own.positions:
        held = f"{p.quantity:+,.10g}" if not own.gross else f"{p.long:,.10g} long, {p.short:,.10g} short"
        rows.append((p.contract.id, p.contract.kind, p.contract.underlying, held, p.contract.currency))
    rows += [(f"cash {name}", "", "", _core.amount_text(amount), name) for name, amount in own.cash.items()]
    rows += [(f"collateral {name}", "", "", f"{amount:,.10g}", name) for name, amount in own.collateral.items()]
    kind = f", {own.kind}" if own.kind else ""
    gross = ", long and short apart" if own.gross else ""
    title = f"Account of {len(own.positions):,} positions{kind}{gross}"
    return card(title, ("contract", "kind", "underlying", "quantity", "currency"), rows, numbers=(3,))


def batch(own: _core.MarginBatch) -> str:
    """The card of a batch: the requirements of its accounts, of a long one the first and the last."""
    size, half = len(own), MOST_ROWS // 2
    kept = [*range(size)] if size <= MOST_ROWS else [*range(half), *range(size - half, size)]
    columns = [column[kept].tolist() for column in (own.initial, own.maintenance, own.net_option_value)]
    rows = [(f"{i:,}", *map(_core.amount_text, amounts)) for i, *amounts in zip(kept, *columns, strict=True)]
    names = ("account", "initial", "maintenance", "net option value")
    notes = [f"{size:,} accounts, the first and the last {half} of them shown"] if len(kept) < size else []
    return card(f"MarginBatch of {size:,} accounts", names, rows, numbers=(0, 1, 2, 3), notes=notes)
