"""Request and reply shapes that users of Deribit and OKX know."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

from margincore import _core
from margincore.crypto.names import contract
from margincore.methods.venues.base import venue_reply
from margincore.numerals import number

__all__ = ["deribit_positions", "deribit_result", "okx_positions", "okx_result", "record_case"]


def deribit_positions(
    positions: Mapping[str, float] | Iterable[Mapping[str, Any]], *, lot: float = 1e-8
) -> list[_core.Position]:
    """Positions of Deribit's ``{instrument: size}``, as a ``simulated_positions`` request has them, or of the rows of
    ``private/get_positions``: ``[{"instrument_name", "size", "direction", ...}]``.

    Sizes are dollars for inverse futures and perpetuals, coins otherwise. They are signed; a positive size whose
    `direction` is ``"sell"`` is short. Rows of size 0, which are closed positions, are left out. Raises
    :class:`margincore.ParseError` for a name, :class:`margincore.InvalidInput` for a size that is no number or
    contradicts its direction, :class:`margincore.MissingData` for a row without a name or size.

    >>> [str(p.contract.id) for p in deribit_positions({"BTC-PERPETUAL": 1000, "BTC-27DEC30-70000-C": -0.5})]
    ['BTC-PERPETUAL', 'BTC-27DEC30-70000-C']
    """
    if isinstance(positions, Mapping):
        sizes = [(name, _amount(size, f"size of {name!r}")) for name, size in positions.items()]
    else:
        sizes = [_signed(row, where) for where, row in _rows(positions)]
        sizes = [(name, size) for name, size in sizes if size]
    return [_core.Position(contract("deribit", name, lot=lot), size) for name, size in sizes]


def _signed(row: Mapping[str, Any], where: str) -> tuple[str, float]:
    """Name and signed size of one of Deribit's rows."""
    name, direction = str(_needed(row, "instrument_name", where)), row.get("direction")
    size = _amount(_needed(row, "size", where), f"{where}: size of {name!r}")
    if direction not in (None, "buy", "sell", "zero"):
        raise _core.InvalidInput(
            f"{where}: direction of {name!r} is {direction!r}: it is buy, sell or zero", code="out_of_range"
        )
    if (direction == "buy" and size < 0.0) or (direction == "zero" and size):
        raise _core.InvalidInput(
            f"{where}: size of {name!r} is {size} and its direction {direction!r}", code="out_of_range"
        )
    return name, -abs(size) if direction == "sell" else size


def _rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A venue's rows with their places."""
    if isinstance(rows, str | Mapping) or not isinstance(rows, Iterable):
        raise _core.InvalidInput(f"positions: a list of rows is needed, not {type(rows).__name__}", code="wrong_type")
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise _core.InvalidInput(
                f"positions[{i}]: an object is needed, not {type(row).__name__}", code="wrong_type"
            )
        yield f"positions[{i}]", row


def _needed(row: Mapping[str, Any], key: str, where: str) -> Any:
    if row.get(key) is None:
        raise _core.MissingData(f"{where}: {key} is missing", code="not_stated", where=where)
    return row[key]


def _amount(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise _core.InvalidInput(f"{what} is {value!r}: a finite number is needed", code="not_finite")
    try:
        amount = float(value)
    except (OverflowError, ValueError):  # a whole number of 400 digits, a NaN that signals
        raise _core.InvalidInput(f"{what} is out of range: a finite number is needed", code="not_finite") from None
    if not math.isfinite(amount):
        raise _core.InvalidInput(f"{what} is {value!r}: a finite number is needed", code="not_finite")
    return amount


def okx_positions(rows: Iterable[Mapping[str, Any]], contract_values: Mapping[str, float]) -> list[_core.Position]:
    """Positions of OKX's ``simPos``: ``[{"instId", "pos", ...}]``, quantities in contracts.

    `contract_values` holds each instrument's ctVal (times ctMult) from the venue's product list: coins for linear
    instruments and options, dollars for inverse futures. A missing one, or a row without ``instId`` or ``pos``, raises
    :class:`margincore.MissingData`; a ``pos`` that is no number, nor one as text, :class:`margincore.InvalidInput`.

    >>> okx_positions([{"instId": "BTC-USDT-SWAP", "pos": "-10"}], {"BTC-USDT-SWAP": 0.01})[0].contract.multiplier
    0.01
    """
    positions = []
    for where, row in _rows(rows):
        name, size = str(_needed(row, "instId", where)), _needed(row, "pos", where)
        if name not in contract_values:
            raise _core.MissingData(
                f"no contract value of {name!r}: OKX states it as ctVal in its product list", code="not_stated"
            )
        value = _amount(contract_values[name], f"contract value of {name!r}")
        what = f"{where}: pos of {name!r}"
        quantity = number(size, what) if isinstance(size, str) else _amount(size, what)
        positions.append(_core.Position(contract("okx", name, multiplier=value), quantity))
    return positions


def deribit_result(report: _core.MarginReport, *, equity: float | None = None) -> dict[str, dict[str, float]]:
    """Deribit's field names by currency: initial_margin, maintenance_margin, and the sums of the risk matrix.

    With `equity` (in the report's currency, one settlement currency) available_funds is added.
    """
    out: dict[str, dict[str, float]] = {}
    units: Mapping[str, Any] = report.details["units"]
    for name, unit in units.items():
        own = {key: value for key, value in unit.items() if isinstance(value, float)}
        if equity is not None and len(units) == 1:
            own["equity"] = equity
            own["available_funds"] = equity - unit["initial_margin"]
        out[name] = own
    return out


def okx_result(
    report: _core.MarginReport, *, equity: float | None = None, liquidation_fee: float = 0.001
) -> dict[str, Any]:
    """OKX's position-builder shape: totalImr, totalMmr, derivMmr, borrowMmr and riskUnitData.

    With `equity` in dollars, ``eq`` and ``marginRatio`` are added: equity over maintenance margin and the fee of
    repaying what is borrowed, (liability + its maintenance margin) times `liquidation_fee`. The formula and the fee of
    0.1 % reproduce the venue's own example to its last digits; derivatives add no fee in it.
    """
    units: Mapping[str, Any] = report.details["units"]
    borrowed = [line for line in report.lines if line.scope == "account"]
    borrow_mmr = sum((line.maintenance * line.fx for line in borrowed), 0.0)
    total_mmr = report.requirement.maintenance
    result: dict[str, Any] = {
        "totalImr": report.requirement.initial,
        "totalMmr": total_mmr,
        "derivMmr": total_mmr - borrow_mmr,
        "borrowMmr": borrow_mmr,
        "borrowImr": sum((line.initial * line.fx for line in borrowed), 0.0),
        "riskUnitData": [
            {"riskUnit": name, **{key: value for key, value in unit.items() if isinstance(value, float)}}
            for name, unit in units.items()
        ],
    }
    if equity is not None:
        fee = (report.details.get("borrowed", 0.0) + borrow_mmr) * liquidation_fee
        result |= {"eq": equity, "marginRatio": equity / (total_mmr + fee) if total_mmr + fee > 0.0 else None}
    return result


def record_case(
    reply: Mapping[str, Any] | str,
    *,
    id: str,
    positions: Mapping[str, float],
    params: Mapping[str, Any],
    index: float,
    marks: Mapping[str, float],
    vols: Mapping[str, float] | None = None,
    forwards: Mapping[str, float] | None = None,
    taken: str,
    source: str,
) -> dict[str, Any]:
    """A worked case from a user's own reply of Deribit's ``simulate_portfolio`` (or ``pme/simulate``), as a document.

    `reply` is the venue's JSON or its ``result``; `positions` and the market are what it was asked with; `taken` is
    the instant with its zone. Every number of the reply is kept as expected, nothing is computed.

    >>> case = record_case({"result": {"initial_margin": 0.1}}, id="own_1", positions={"BTC-PERPETUAL": 100.0},
    ...     params={}, index=80000.0, marks={"BTC-PERPETUAL": 80010.0}, taken="2026-11-20T16:00:00Z", source="own")
    >>> case["expected"]["initial_margin"]
    0.1
    """
    document = venue_reply(reply, "reply")
    result = document.get("result", document)
    currencies: Sequence[str] = sorted({contract("deribit", name).currency for name in positions})
    if len(currencies) != 1:
        raise _core.InvalidInput(f"a case holds one settlement currency, not {', '.join(currencies)}")
    return {
        "id": id,
        "venue": "deribit",
        "model": "portfolio margin",
        "kind": "reply of the venue's simulator",
        "source": {"note": source, "taken": taken},
        "market": {"index": index, "mark": dict(marks), "vol": dict(vols or {}), "forward": dict(forwards or {})},
        "positions": [{"instrument": name, "size": size} for name, size in positions.items()],
        "params": dict(params),
        "expected": {"unit": currencies[0], **result},
        "is_oracle": True,
        "tolerance": {"relative": 1e-8, "absolute": 1e-9},
    }
