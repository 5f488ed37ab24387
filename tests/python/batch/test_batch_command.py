"""``margincore batch-plan`` and ``margincore batch``: from documents and folders to parts and a manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import margincore as mc

pytest.importorskip("pyarrow")
pytest.importorskip("typer")
pytest.importorskip("rich")

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner, Result

from batch.books import TABLE, contents, plan, write
from margincore.cli.commands import app

MARKET = {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"A": 100.0, "B": 20.0, "C": 30.0}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with positions, and a plan for them."""
    write(tmp_path / "in")
    plan().save(tmp_path / "a.mcplan")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def batch(*arguments: str) -> Result:
    return invoke("batch", "--plan", "a.mcplan", "--in", "in", "--out", "out", *arguments)


def margins(out: Path) -> dict[str, Any]:
    table = pa.concat_tables([pq.read_table(path) for path in sorted(out.glob("*.parquet"))])
    if pa.types.is_dictionary(table.schema.field("account_id").type):
        table = table.set_column(0, "account_id", table["account_id"].cast(pa.string()))
    table = table.sort_by("account_id")
    return table.select(["account_id", "initial", "maintenance"]).to_pydict()


def test_a_folder_becomes_parts_and_a_manifest(folder: Path) -> None:
    done = batch()
    assert done.exit_code == 0, done.stderr
    positions = sum(pq.read_metadata(path).num_rows for path in (folder / "in").iterdir())
    assert done.stdout == (
        f"120 accounts of {positions} positions in 4 parts, 4 of them new; 0 accounts were refused: out/manifest.json\n"
    )
    assert done.stderr == ""  # no progress where nobody looks
    before = contents(folder / "out")
    again = batch()
    assert again.exit_code == 2
    assert "--resume goes on with them" in again.stderr
    assert "4 parts, 0 of them new" in batch("--resume", "--threads", "2").stdout
    assert contents(folder / "out") == before
    (folder / "out" / ".book-0.parquet.0123456789abcdef.tmp").write_bytes(b"half")
    (folder / "out" / "book-1.parquet").unlink()
    assert "4 parts, 1 of them new" in batch("--resume").stdout
    assert contents(folder / "out") == before
    plan(spot=101.0).save(folder / "a.mcplan")
    assert "4 parts, 4 of them new" in batch("--resume").stdout
    assert contents(folder / "out") != before


@pytest.mark.parametrize("kind", ["text", "numbers", "codes"])
def test_rows_in_any_order_are_made_whole_first(folder: Path, kind: str) -> None:
    batch()
    want = margins(folder / "out")
    table = pa.concat_tables([pq.read_table(path) for path in sorted((folder / "in").iterdir())])
    table = table.take(pa.array(np.random.default_rng(3).permutation(table.num_rows)))
    if kind == "numbers":
        numbers = pa.array([int(text[1:]) for text in table["account_id"].to_pylist()])
        table = table.set_column(0, "account_id", numbers)
        want["account_id"] = [int(text[1:]) for text in want["account_id"]]
    elif kind == "codes":
        table = table.set_column(0, "account_id", table["account_id"].dictionary_encode())
    for path in (folder / "in").iterdir():
        path.unlink()
    for i in range(3):
        pq.write_table(table.slice(i * 99, 99 if i < 2 else None), folder / "in" / f"{i}.parquet", row_group_size=31)
    arguments = ("--in", "in", "--out", "whole", "--cluster-by", "account_id", "--buckets", "5")
    refused = invoke("batch", "--plan", "a.mcplan", "--in", "in", "--out", "other")
    assert refused.exit_code == 2
    assert "returns" in refused.stderr
    done = invoke("batch", "--plan", "a.mcplan", *arguments)
    assert done.exit_code == 0, done.stderr
    assert margins(folder / "whole") == want
    first = contents(folder / "whole")
    places = {path: path.stat().st_ino for path in (folder / "whole" / "buckets").iterdir()}
    assert "0 of them new" in invoke("batch", "--plan", "a.mcplan", *arguments, "--resume").stdout
    plan(spot=101.0).save(folder / "b.mcplan")
    assert "5 of them new" in invoke("batch", "--plan", "b.mcplan", *arguments, "--resume").stdout
    # Written once: another market deals no rows again, other rows do.
    assert {path: path.stat().st_ino for path in (folder / "whole" / "buckets").iterdir()} == places
    pq.write_table(table.slice(200), folder / "in" / "2.parquet")
    assert invoke("batch", "--plan", "a.mcplan", *arguments, "--resume").exit_code == 0
    pq.write_table(table.slice(198), folder / "in" / "2.parquet", row_group_size=31)
    assert invoke("batch", "--plan", "a.mcplan", *arguments, "--resume").exit_code == 0
    assert contents(folder / "whole") == first


def test_refused_accounts_are_a_code_or_the_end(folder: Path) -> None:
    table = pa.table({"account_id": ["x", "y"], "contract_id": ["A", "TYPO"], "quantity": [1, 2]})
    pq.write_table(table, folder / "in" / "book-9.parquet")
    done = batch()
    assert done.exit_code == 3
    assert "1 accounts were refused" in done.stdout
    ended = batch("--resume", "--errors", "raise")
    assert ended.exit_code == 2
    assert "in/book-9.parquet: " in ended.stderr
    assert "account 'y'" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--in", "empty"), "no file of positions"),
        (("--in", "."), "no file whose name ends in"),
        (("--in", "nowhere"), "nowhere"),
        (("--plan", "in/book-0.parquet"), "no file of a plan"),
        (("--threads", "0"), "--threads is 0"),
        (("--cluster-by", "holder"), "no column 'holder'"),
        (("--cluster-by", "account_id", "--buckets", "0"), "from 1 to 512"),
        (("--out", "no/where"), "no/where"),
    ],
)
def test_what_is_refused(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    (folder / "empty").mkdir()
    done = batch(*arguments)
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert done.stderr.startswith("error: ")
    assert not list(folder.rglob("*.tmp"))
    assert not list((folder / "out").rglob("*.parquet"))


def test_a_word_that_is_no_choice_is_refused_with_the_choices(folder: Path) -> None:
    done = batch("--errors", "no")
    assert done.exit_code == 2
    assert all(word in done.stderr for word in ("'no' is not one of", "'raise'", "'column'"))
    assert not list((folder / "out").rglob("*.parquet"))


def test_parts_of_files_that_are_gone_are_named(folder: Path) -> None:
    batch()
    (folder / "in" / "book-3.parquet").unlink()
    done = batch("--resume")
    assert done.exit_code == 2
    assert "book-3.parquet is of no file of positions of this run" in done.stderr


def test_a_plan_from_a_document_is_the_plan_from_python(folder: Path) -> None:
    document = {"contracts": [c.to_dict() for c in TABLE], "market": MARKET, "methodology": {"name": "tims"}}
    (folder / "d.json").write_text(json.dumps(document))
    done = invoke("batch-plan", "b.mcplan", "--document", "d.json", "--cash", "USD=usd", "--ignore", "note")
    assert done.exit_code == 0, done.output
    made = mc.batch.Plan.load(folder / "b.mcplan")
    assert made.contracts.digest == TABLE.digest
    assert made.prepared.digest == plan().prepared.digest
    assert dict(made.options) == {"cash": {"USD": "usd"}, "ignore": ["note"]} | dict(plan().options)
    assert made.digest in done.stdout


def test_a_plan_from_a_table_a_market_and_a_name(folder: Path) -> None:
    pq.write_table(pa.table(TABLE), folder / "contracts.parquet")
    (folder / "m.json").write_text(json.dumps(MARKET))
    done = invoke(
        "batch-plan", "b.mcplan", "--contracts", "contracts.parquet", "--market", "m.json", "--method", "tims"
    )
    assert done.exit_code == 0, done.output
    assert mc.batch.Plan.load(folder / "b.mcplan").prepared.digest == plan().prepared.digest


@pytest.mark.parametrize(
    ("document", "arguments", "words"),
    [
        ({}, (), "which rulebook? give --method"),
        ({}, ("--method", "tims", "--cash", "USD"), "--cash USD: NAME=COLUMN is needed"),
        ({"account": {"positions": []}}, ("--method", "tims"), "a document without an account is needed"),
        ({"contracts": [{"kind": "stock"}]}, ("--method", "tims"), "contracts[0]"),
        ({"contracts": [TABLE[0].to_dict()] * 2}, ("--method", "tims"), "contracts"),
        ({"contracts": [TABLE[0].to_dict()]}, ("--method", "tims", "--contracts", "c.parquet"), "give them once"),
        ({"contracts": [TABLE[0].to_dict()]}, ("--method", "tims"), "market"),
        ({"market": MARKET}, ("--method", "tims", "--contracts", "in/book-0.parquet"), "in/book-0.parquet"),
    ],
)
def test_plans_that_are_refused(folder: Path, document: dict[str, Any], arguments: tuple[str, ...], words: str) -> None:
    pq.write_table(pa.table(TABLE), folder / "c.parquet")
    (folder / "d.json").write_text(json.dumps(document))
    done = invoke("batch-plan", "b.mcplan", "--document", "d.json", *arguments)
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert not (folder / "b.mcplan").exists()
