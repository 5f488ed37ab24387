"""Every format of position files that is known, and which one a header is of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from margincore._core import InvalidInput, ParseError, did_you_mean
from margincore.importers.brokers import clearing, ibkr, india, us, venues
from margincore.importers.brokers.own import ACCOUNT
from margincore.importers.brokers.table import Format

TABLES: tuple[Format, ...] = (
    ACCOUNT, ibkr.FLEX, us.SCHWAB, us.FIDELITY, us.TASTYTRADE, us.ETRADE, clearing.CME_CORE, clearing.EUREX,
    clearing.EUREX_SHORT, clearing.STRATA, clearing.CUMULUS9, clearing.OCC,
)  # fmt: skip
"""Formats whose rows are those of a table. An activity statement of Interactive Brokers has tables as sections."""

DOCUMENTS: tuple[Format, ...] = (
    venues.DERIBIT, venues.OKX, venues.BYBIT, india.KITE, india.OPENALGO, india.UPSTOX, india.DHAN, us.TASTYTRADE_API,
    clearing.CUMULUS9,
)  # fmt: skip
"""Formats whose rows are objects of a JSON document."""

FORMATS: dict[str, Format] = {form.name: form for form in (*TABLES, ibkr.ACTIVITY, *DOCUMENTS)}


def named(name: str) -> Format:
    """A format by its name."""
    if name not in FORMATS:
        raise InvalidInput(
            f"format {name!r} is not one of {', '.join(FORMATS)}{did_you_mean(name, list(FORMATS))}",
            where="format",
            value=name,
            code="unknown_name",
        )
    return FORMATS[name]


def matching(header: Sequence[object], among: Iterable[Format]) -> Format | None:
    """The format whose columns a header has; of several, the one that rests on most of them."""
    found = sorted((form for form in among if not form.lacks(header)), key=lambda form: -form.weight)
    if len(found) > 1 and found[0].weight == found[1].weight:
        names = ", ".join(form.name for form in found if form.weight == found[0].weight)
        raise InvalidInput(f"the columns are of several formats: state format=, one of {names}", code="not_stated")
    return found[0] if found else None


def unknown(name: str, headers: Iterable[Sequence[object]], among: Sequence[Format]) -> ParseError:
    """The refusal of a file that is of no format, with what the nearest two lack."""

    def distance(form: Format, header: Sequence[object]) -> tuple[float, int]:
        return (len(form.lacks(header)) / (form.weight + 1), -form.weight)

    rows = list(headers)
    if not rows:
        return ParseError(f"{name}: no row that names columns: the file is empty", code="bad_format")
    ranked = sorted((min((distance(form, row), at) for at, row in enumerate(rows)), i) for i, form in enumerate(among))
    near = []
    for (_, at), i in ranked[:2]:
        form = among[i]
        near.append(f"{form.name} ({form.title}) lacks {', '.join(form.lacks(rows[at])[:6])}")
    return ParseError(
        f"{name}: no known format has these columns; the nearest: {'; '.join(near)}. Name the columns with "
        "map={'symbol': 'Ticker', 'quantity': 'Qty'} (--map symbol=Ticker,quantity=Qty)",
        code="bad_format",
    )
