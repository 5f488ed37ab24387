"""Request and reply shapes that users of Deribit and OKX know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from margincore import _core
from margincore.crypto.names import contract

__all__ = ["deribit_positions", "deribit_result", "okx_positions", "okx_result", "record_case"]


def deribit_positions(positions: Mapping[str, float], *, lot: float = 1e-8) -> list[_core.Position]:
    """Positions of Deribit's ``{instrument: size}``: dollars for inverse futures and perpetuals, coins otherwise.

    The names may also be those of a ``simulated_positions`` request. Raises :class:`margincore.ParseError` for a name.

    >>> [str(p.contract.id) for p in deribit_positions({"BTC-PERPETUAL": 1000, "BTC-27DEC30-70000-C": -0.5})]
    ['BTC-PERPETUAL', 'BTC-27DEC30-70000-C']
    """
    for name, size in positions.items():
        if isinstance(size, bool):
            raise _core.InvalidInput(f"size of {name!r} is {size}: a number is needed")
    return [_core.Position(contract("deribit", name, lot=lot), size) for name, size in positions.items()]


def okx_positions(rows: Iterable[Mapping[str, Any]], contract_values: Mapping[str, float]) -> list[_core.Position]:
    """Positions of OKX's ``simPos``: ``[{"instId", "pos", ...}]``, quantities in contracts.

    `contract_values` holds each instrument's ctVal (times ctMult) from the venue's product list: coins for linear
    instruments and options, dollars for inverse futures. A missing one raises :class:`margincore.MissingData`.

    >>> okx_positions([{"instId": "BTC-USDT-SWAP", "pos": "-10"}], {"BTC-USDT-SWAP": 0.01})[0].contract.multiplier
    0.01
    """
    positions = []
    for row in rows:
        if isinstance(row["pos"], bool):
            raise _core.InvalidInput(f"position in {row['instId']!r}: pos is {row['pos']}, a number is needed")
        name = str(row["instId"])
        if name not in contract_values:
            raise _core.MissingData(f"no contract value of {name!r}: OKX states it as ctVal in its product list")
        made = contract("okx", name, multiplier=contract_values[name])
        positions.append(_core.Position(made, float(row["pos"])))
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
    document = json.loads(reply) if isinstance(reply, str) else reply
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
