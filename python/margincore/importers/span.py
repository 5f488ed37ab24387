"""CSV files beside a SPAN file: positions, lot sizes, and NSE's daily exposure percentages."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from margincore._core import Contract, InvalidInput, MarginError, MissingData, ParseError, Position
from margincore.importers.text import at_line, records
from margincore.methods.span import contract_id
from margincore.numerals import decimal, whole

__all__ = ["exposure_table", "lot_sizes", "positions_in", "read_positions"]

COLUMNS = ("exchange", "product", "kind", "period", "right", "strike", "quantity", "symbol")

_StrPath = str | os.PathLike[str]


def read_positions(path: _StrPath, contracts: Mapping[str, Contract]) -> list[Position]:
    """Positions from a CSV: exchange, product, kind, period, right, strike, quantity; or symbol, quantity.

    A symbol is a contract's id; `contracts` has those of the file by id. Raises :class:`margincore.ParseError` or
    :class:`margincore.InvalidInput` with file and line, for an unknown contract too, and
    :class:`margincore.MissingData` where there is no row.
    """
    file = Path(path)
    positions = []
    for line, row in records(file, ("quantity",), known=COLUMNS):
        try:
            name = row.get("symbol") or _id(row)
            if name not in contracts:
                near = difflib.get_close_matches(name, contracts, 3)
                like = f": it has {', '.join(near)}" if near else ""
                raise ParseError(f"the file has no contract {name}{like}")
            positions.append(Position(contracts[name], whole(row["quantity"], "quantity")))
        except MarginError as error:
            raise at_line(file, line, error) from None
    if not positions:
        raise MissingData(
            f"{file}: no row after the column names: an account holds something", code="missing_parameter"
        )
    return positions


def _id(row: Mapping[str, str]) -> str:
    """The id of a contract that is given by its terms."""
    if not row.get("product"):
        raise ParseError(f"neither a symbol nor a product: the columns are {', '.join(COLUMNS)}")
    return contract_id(
        row["product"],
        row.get("period", ""),
        kind=row.get("kind") or None,
        right=row.get("right") or None,
        strike=row.get("strike") or None,
        exchange=row.get("exchange", ""),
    )


_CODE = re.compile(r"([A-Z0-9]+?)([FGHJKMNQUVXZ])(\d{2})(?: [CP][\d.]+)?", re.ASCII)
_LETTERS = "FGHJKMNQUVXZ"


def positions_in(positions: Iterable[Position], contracts: Mapping[str, Contract]) -> list[Position]:
    """Positions as :func:`margincore.importers.read_positions` has them, in the contracts of a SPAN file.

    A contract is found by its product, month or day, right and strike; `contracts` has those of the file by id. A
    quantity is converted where the file's contract is of another size, as at NSE, whose files count units. Raises
    :class:`margincore.MissingData` for all that are not in the file, with the nearest ids, and
    :class:`margincore.InvalidInput` for what is no whole number of the file's contracts.

    >>> import margincore as mc
    >>> bought = mc.Position(mc.symbols.contract("ESZ26"), 2)
    >>> there = mc.Future("ES", expiry="2026-12-18T14:30:00Z", multiplier=50, currency="USD", id="CME:ES:FUT:202612")
    >>> positions_in([bought], {there.id: there})
    [Position("CME:ES:FUT:202612", 2)]
    """
    by_terms: dict[tuple[str, ...], list[str]] = {}
    for id_ in contracts:
        _, product, kind, period, *option = (*id_.split(":"), "", "", "")
        key = (product, "FUT" if kind == "FUT" else "O" if kind.startswith("OO") else kind, *option[:2])
        for when in {period, period[:6]} if period.endswith("00") else {period}:
            by_terms.setdefault((*key, when), []).append(id_)
    found: list[Position] = []
    missing: list[str] = []
    for position in positions:
        contract = position.contract
        keys = _keys(contract)
        ids = list(dict.fromkeys(id_ for key in keys for id_ in by_terms.get(key, ())))
        if len(ids) != 1:
            wanted = ":".join(part for part in keys[0] if part)
            near = ids or difflib.get_close_matches(wanted, contracts, 2, 0.4)
            missing.append(f"{contract.id} ({'one of' if ids else 'nearest:'} {', '.join(near) or 'none'})")
            continue
        there = contracts[ids[0]]
        scale = contract.multiplier / there.multiplier
        sides = [side * scale for side in (position.long, position.short)]
        if any(abs(side - round(side)) > 1e-9 for side in sides):
            raise InvalidInput(
                f"{contract.id}: {position.quantity:g} contracts of {contract.multiplier:g} are no whole number of "
                f"{there.id}, whose size is {there.multiplier:g}",
                code="not_whole",
            )
        long, short = (float(round(side)) for side in sides)
        found.append(Position(there, long=long, short=short) if long and short else Position(there, long - short))
    if missing:
        raise MissingData(f"the SPAN file has not: {'; '.join(missing)}", code="missing_contract")
    return found


def _keys(contract: Contract) -> list[tuple[str, ...]]:
    """What a SPAN file's id may say of a contract: product, kind, right, strike, and its month or its day."""
    day = (contract.expiry or "")[:10].replace("-", "")
    code = _CODE.fullmatch(contract.id)
    products, periods = [contract.underlying], [day]
    if code is not None:
        products.insert(0, code[1])
        periods.insert(0, f"20{code[3]}{_LETTERS.index(code[2]) + 1:02}")
    if contract.kind == "option":
        strike = f"{contract.strike:.15g}"
        rest: tuple[str, ...] = ("O", "C" if contract.right == "call" else "P", strike)
    else:
        rest = ("FUT" if contract.kind == "future" else "PHY", "", "")
    return [(product, *rest, period) for product in products for period in periods]


def lot_sizes(path: _StrPath) -> dict[str, float]:
    """Lot sizes by product from a CSV with columns `symbol` and `lot`, for the option `lot_sizes` of
    :class:`margincore.methods.Span`.

    Exchanges revise them: the table is yours to keep current. Raises :class:`margincore.ParseError` or
    :class:`margincore.InvalidInput` with file and line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "lots.csv").write_text("symbol,lot\\nNIFTY,65\\nBANKNIFTY,35\\n")
    ...     lot_sizes(Path(folder, "lots.csv"))
    {'NIFTY': 65.0, 'BANKNIFTY': 35.0}
    """
    file = Path(path)
    sizes: dict[str, float] = {}
    for line, row in records(file, ("symbol", "lot")):
        try:
            lot = decimal(row["lot"], "lot")
        except MarginError as error:
            raise at_line(file, line, error) from None
        if lot <= 0.0 or not row["symbol"] or row["symbol"] in sizes:
            raise ParseError(f"{file}:{line}: a new symbol and a positive lot are needed")
        sizes[row["symbol"]] = lot
    return sizes


def exposure_table(path: _StrPath) -> dict[str, dict[str, float | None]]:
    """Exposure rates by symbol from NSE's daily CSV of percentages, for :func:`margincore.methods.span.nse_exposure`.

    The columns are Symbol, Instrument Type (OTH or OTM) and Total applicable ELM%; others are left alone. Raises
    :class:`margincore.ParseError` or :class:`margincore.InvalidInput` with file and line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "ael.csv")
    ...     _ = path.write_text("Symbol,Instrument Type,Total applicable ELM%\\nABC,OTH,5.25\\nABC,OTM,7\\n")
    ...     exposure_table(path)
    {'ABC': {'other': 0.0525, 'far_out': 0.07}}
    """
    file = Path(path)
    rates: dict[str, dict[str, float | None]] = {}
    for line, row in records(file, ("Symbol", "Instrument Type", "Total applicable ELM%")):
        kind = {"OTH": "other", "OTM": "far_out"}.get(row["Instrument Type"])
        if kind is None:
            raise ParseError(f"{file}:{line}: Instrument Type {row['Instrument Type']!r} is not OTH or OTM")
        try:
            percent = decimal(row["Total applicable ELM%"], "Total applicable ELM%")
            if not 0.0 <= percent <= 100.0:
                raise InvalidInput(f"Total applicable ELM% is {percent}: a percentage is needed", code="out_of_range")
        except MarginError as error:
            raise at_line(file, line, error) from None
        rates.setdefault(row["Symbol"], {"other": percent / 100.0, "far_out": None})[kind] = percent / 100.0
    return rates
