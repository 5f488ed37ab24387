"""``margincore span``, ``span-info`` and ``risk-array``: what they print and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner, Result

from helpers import SMALL_SPN
from margincore.cli.commands import app

BOOK = "exchange,product,period,quantity\nE,F,202506,2\nE,F,202509,-1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "small.spn").write_bytes(SMALL_SPN)
    (tmp_path / "book.csv").write_text(BOOK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def test_a_margin_as_a_table_and_as_json(folder: Path) -> None:
    table = run("span", "small.spn", "book.csv")
    assert table.exit_code == 0, table.output
    # 2 x 10 - 9, one calendar spread at 4.
    for word in ("E 20250601", "scan", "11.00", "intra_commodity", "4.00", "requirement 15.00 USD"):
        assert word in table.stdout
    document = json.loads(run("span", "small.spn", "book.csv", "--json").stdout)
    assert document["requirement"]["initial"] == 15.0
    assert document["details"]["commodities"]["F"]["nReq"]["ia"] == 4.0


def test_symbols_lots_and_account_kinds(folder: Path) -> None:
    (folder / "ids.csv").write_text("symbol,quantity\nE:F:FUT:202506,2\n")
    (folder / "lots.csv").write_text("symbol,lot\nF,25\n")
    in_lots = run("span", "small.spn", "ids.csv", "--lots", "lots.csv", "--account", "hedger")
    assert "requirement 500.00 USD" in in_lots.stdout


@pytest.mark.parametrize(
    ("book", "why"),
    [
        ("symbol,quantity\nE:F:FUT:202512,1\n", "no contract E:F:FUT:202512: it has E:F:FUT:2025"),
        ("symbol,quantity\nE:F:FUT:202506,1.5\n", "bad.csv:2: quantity '1.5' is not a whole number"),
        ("symbol,quantity\nE:F:FUT:202506,1,2\n", "bad.csv:2: 3 cells in a row of 2 columns"),
        ("symbol,count\nE:F:FUT:202506,1\n", "bad.csv:1: unknown column 'count': the columns are"),
        ("period,quantity\n202506,1\n", "bad.csv:2: neither a symbol nor a product"),
        ("product,period,right,quantity\nF,202506,X,1\n", "bad.csv:2: :F:OOP:202506: right 'X' is not C or P"),
        ("", "bad.csv:1: no column 'quantity': the file is empty"),
        ("symbol,quantity\n", "no row"),
    ],
)
def test_positions_that_cannot_be_margined_are_refused_with_their_line(folder: Path, book: str, why: str) -> None:
    (folder / "bad.csv").write_text(book)
    assert why in refused("span", "small.spn", "bad.csv")


def test_files_that_cannot_be_read_are_refused(folder: Path) -> None:
    (folder / "cut.spn").write_bytes(SMALL_SPN[:700])
    (folder / "empty.spn").write_bytes(b"")
    assert "cut.spn: byte" in refused("span", "cut.spn", "book.csv")
    assert "the file is empty" in refused("span-info", "empty.spn")
    assert "absent.spn" in refused("span-info", "absent.spn")
    assert "absent.csv: cannot be read: No such file" in refused("span", "small.spn", "absent.csv")
    (folder / "latin.csv").write_bytes(b"symbol,quantity\n\xfc,1\n")
    assert "latin.csv:2: byte 16 is not UTF-8" in refused("span", "small.spn", "latin.csv")
    assert "hedger" in refused("span", "small.spn", "book.csv", "--account", "trader")
    assert "pooled" in refused("span", "small.spn", "book.csv", "--anov", "most")


def test_what_a_file_holds_and_its_cache(folder: Path) -> None:
    listed = run("span-info", "small.spn", "--contracts", "--save-cache", "small.cache")
    assert listed.exit_code == 0, listed.output
    assert "organisation: E" in listed.stdout
    assert "E:F:FUT:202509" in listed.stdout
    again = json.loads(run("span-info", "small.cache", "--json").stdout)
    assert again["summary"]["contracts"] == 2


def test_risk_arrays(folder: Path) -> None:
    future = json.loads(run("risk-array", "--underlying", "100", "--price-scan", "30").stdout)
    assert future["array"][10:12] == [-30.0, -30.0]
    shared = ("--underlying", "100", "--price-scan", "30")
    option = run("risk-array", *shared, "--model", "M", "--right", "call", "--strike", "100", "--days", "30",
                 "--vol", "0.3", "--vol-scan", "0.2")  # fmt: skip
    made = json.loads(option.stdout)
    assert len(made["array"]) == 16
    assert 0.5 < made["delta"] < 0.6
    for bad, why in (
        (("--model", "M", "--right", "both"), "--right"),
        (("--model", "M", "--right", "call"), "strike 0"),
        (("--model", "QQ", "--right", "call", "--strike", "1"), "QQ"),
        (("--price-scan", "nan"), "price_scan is nan"),
        (("--price-scan", "-10"), "price_scan is -10"),
        (("--right", "call", "--strike", "100"), "right and strike belong to an option"),
        (("--strike", "100"), "right and strike belong to an option"),
        (("--vol", "0.3"), "name its --model"),
    ):
        assert why in refused("risk-array", *shared, *bad)
