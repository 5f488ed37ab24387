"""Chains of Deribit's options from files of our own making: the spot price, and what is refused with its line."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

import margincore as mc
from margincore.importers import deribit_chain

HEADER = "snapshot,ccy,instrument,forward,index,mark_iv_pct,mark_price_coin"
ROWS = [
    "2026-01-23,BTC,BTC-30JAN26-90000-C,90100,90000,40,0.02",
    "2026-01-23,BTC,BTC-30JAN26-90000-P,90100,90000,,1.9e-02",
    "2026-01-23,ETH,ETH-30JAN26-3000-P,3010,3000,60,0.03",
]
ASKED: dict[str, Any] = {"currency": "BTC", "valuation": "2026-01-23T01:00:00Z"}


def chain(path: Path, *rows: str, header: str = HEADER, **asked: Any) -> Any:
    path.write_text("\n".join([header, *rows]) + "\n")
    return deribit_chain(path, **{**ASKED, **asked})


def test_a_chain_is_read(tmp_path: Path) -> None:
    read = chain(tmp_path / "c.csv", *ROWS)
    assert read.market.spot == {"BTC": 90000.0}
    assert read.quotes == {"BTC-30JAN26-90000-C": 0.02, "BTC-30JAN26-90000-P": 0.019}
    assert read.market.to_dict()["vol"] == {"BTC-30JAN26-90000-C": 0.4}


@pytest.mark.parametrize("order", [1, -1])
def test_an_index_that_differs_by_row_is_no_spot_price(tmp_path: Path, order: int) -> None:
    rows = [ROWS[0], ROWS[1].replace(",90000,", ",90050,")][::order]
    with pytest.raises(mc.InvalidInput, match=r"c\.csv:3: index 900[05]0\.0 differs from 900[05]0\.0 on line 2"):
        chain(tmp_path / "c.csv", *rows)
    assert chain(tmp_path / "c.csv", *rows, spot=90001.0).market.spot == {"BTC": 90001.0}


def test_without_an_index_the_spot_price_is_stated(tmp_path: Path) -> None:
    empty = ROWS[0].replace(",90000,", ",,")
    with pytest.raises(mc.MissingData, match=r"c\.csv:2: index is empty.*spot="):
        chain(tmp_path / "c.csv", empty)
    header, row = HEADER.replace("index,", ""), ROWS[0].replace(",90000,", ",")
    assert chain(tmp_path / "c.csv", row, header=header, spot=90001.0).market.spot == {"BTC": 90001.0}
    with pytest.raises(mc.InvalidInput, match="spot is -1"):
        chain(tmp_path / "c.csv", empty, spot=-1.0)


@pytest.mark.parametrize(
    ("rows", "header", "error", "words"),
    [
        ([ROWS[0]], HEADER.replace("ccy", "coin"), mc.ParseError, "c.csv:1: no column 'ccy'"),
        ([ROWS[0].rsplit(",", 1)[0]], HEADER, mc.ParseError, "c.csv:2: 6 cells"),
        ([ROWS[0].replace("90100", "nan")], HEADER, mc.InvalidInput, "c.csv:2: forward 'nan'"),
        ([ROWS[0].replace("90100", "0")], HEADER, mc.InvalidInput, "c.csv:2: forward is 0.0"),
        ([ROWS[0].replace("30JAN26", "030JAN26")], HEADER, mc.ParseError, "c.csv:2: deribit instrument"),
        ([f"{ROWS[0]},90200"], f"{HEADER},forward", mc.ParseError, "c.csv:1: a column is named twice: forward"),
        ([ROWS[0].replace("-C", "-X")], HEADER, mc.ParseError, "c.csv:2: "),
        ([ROWS[0].replace("-90000-C", "")], HEADER, mc.InvalidInput, "c.csv:2: 'BTC-30JAN26' is no option"),
        ([ROWS[2]], HEADER, mc.MissingData, "no row of BTC"),
        ([ROWS[0], ROWS[1].replace("01-23", "01-24")], HEADER, mc.InvalidInput, "c.csv:3: rows of 2026-01-23 and"),
    ],
)
def test_rows_that_are_none_are_refused_with_their_line(
    tmp_path: Path, rows: list[str], header: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        chain(tmp_path / "c.csv", *rows, header=header)
    assert words in str(caught.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    packed = gzip.compress("\n".join([HEADER, *ROWS]).encode())
    (tmp_path / "cut.csv.gz").write_bytes(packed[:-12])
    (tmp_path / "plain.csv.gz").write_text(HEADER)
    (tmp_path / "binary.csv").write_bytes(b"\x89PNG\xff\x00")
    for name in ("cut.csv.gz", "plain.csv.gz", "binary.csv", "absent.csv"):
        with pytest.raises(mc.ParseError, match=name):
            deribit_chain(tmp_path / name, **ASKED)
