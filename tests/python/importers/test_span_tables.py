"""CSV files beside a SPAN file: read to the last row, or refused with file and line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import margincore as mc
from margincore.importers.span import exposure_table, lot_sizes, read_positions
from margincore.methods.span import nse_exposure

ELM = "Symbol,Instrument Type,Normal ELM%,Total applicable ELM%\n"
FUTURE = mc.Future("X", expiry="2026-12-18T16:00:00Z", multiplier=1, currency="USD", id="E:X:FUT:202612")


def positions(path: Path) -> list[mc.Position]:
    return read_positions(path, {FUTURE.id: FUTURE})


def test_exposure_percentages_are_the_table_of_nse_exposure(tmp_path: Path) -> None:
    path = tmp_path / "ael.csv"
    path.write_text(f"{ELM}ABC,OTH,3.5,5.25\n\nABC, OTM ,3.5,7\nXYZ,OTH,3.5,.5\n")
    table = exposure_table(path)
    assert table == {"ABC": {"other": 0.0525, "far_out": 0.07}, "XYZ": {"other": 0.005, "far_out": None}}
    assert nse_exposure(table)["table"] == table
    with pytest.raises(mc.InvalidInput, match=r"read it first, margincore\.importers\.span\.exposure_table"):
        nse_exposure(path)  # type: ignore[arg-type]


def test_positions_by_terms_and_by_id_plain_or_packed(tmp_path: Path) -> None:
    rows = "exchange,product,period,quantity,symbol\nE,X,202612,2,\n,,,-1,E:X:FUT:202612\n"
    (tmp_path / "p.csv").write_text(rows)
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(rows.encode()))
    for name in ("p.csv", "p.csv.gz"):
        assert [p.quantity for p in positions(tmp_path / name)] == [2.0, -1.0]


@pytest.mark.parametrize(
    ("read", "content", "kind", "why"),
    [
        (lot_sizes, "symbol,lots\nX,1\n", mc.ParseError, "f.csv:1: no column 'lot'"),
        (lot_sizes, "symbol,lot\nX\n", mc.ParseError, "f.csv:2: 1 cells"),
        (lot_sizes, "symbol,lot\nX,many\n", mc.InvalidInput, "f.csv:2: lot 'many'"),
        (lot_sizes, "symbol,lot\nX,1\n\nX,2\n", mc.ParseError, "f.csv:4: a new symbol"),
        (lot_sizes, "symbol,lot\nX,0\n", mc.ParseError, "f.csv:2: a new symbol and a positive lot"),
        (exposure_table, f"{ELM}ABC,OTX,1,5\n", mc.ParseError, "f.csv:2: Instrument Type 'OTX'"),
        (exposure_table, f"{ELM}ABC,OTH,1,500\n", mc.InvalidInput, "f.csv:2: Total applicable ELM% is 500.0"),
        (exposure_table, f"{ELM}ABC,OTH,1,\n", mc.InvalidInput, "f.csv:2: Total applicable ELM% ''"),
        (positions, "symbol,quantity,symbol\nX,1,X\n", mc.ParseError, "f.csv:1: a column is named twice"),
        (positions, "symbol,quantity\n\nE:X:FUT:202612,1_0\n", mc.InvalidInput, "f.csv:3: quantity '1_0'"),
        (positions, "symbol,quantity\nE:X:FUT:202609,1\n", mc.ParseError, "f.csv:2: the file has no contract"),
        (positions, "symbol,quantity\n", mc.MissingData, "f.csv: no row"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(
    tmp_path: Path, read: Callable[[Path], Any], content: str, kind: type[mc.MarginError], why: str
) -> None:
    path = tmp_path / "f.csv"
    path.write_text(content)
    with pytest.raises(kind) as caught:
        read(path)
    assert type(caught.value) is kind
    assert f"{tmp_path}/{why}" in str(caught.value)
