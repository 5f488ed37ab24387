"""The command line: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import margincore as mc

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner, Result

from helpers import DATA
from margincore.cli.commands import app

ACCOUNT = "symbol,quantity,vol\nSPX261218C04700000,-1,0.133\nSPY,100,\n"
MARKET: dict[str, Any] = {
    "valuation": "2026-11-20T16:00:00-05:00", "spot": {"SPX": 4500.0, "SPY": 450.0}, "rate": {"USD": 0.05},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an account and a market, which commands run in."""
    (tmp_path / "account.csv").write_text(ACCOUNT)
    (tmp_path / "market.json").write_text(json.dumps(MARKET))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(result: Result) -> str:
    """The one line of an error; a hint follows it, and nothing is on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    error, hint, *rest = result.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    assert not rest
    return error


def test_demo_prints_what_its_number_rests_on() -> None:
    result = run("demo")
    assert result.exit_code == 0
    for word in ("4,457.90", "6,150.25", "+6 %", "0.193", "2026-11-18", "occ-cpm"):
        assert word in result.stdout
    report = json.loads(run("demo", "--json").stdout)
    required = [outcome["equity_required"] for outcome in report["outcomes"]]
    assert required == pytest.approx([8307.65, 4457.9], rel=1e-5)


def test_warnings_are_part_of_the_result_and_not_of_standard_error(folder: Path) -> None:
    (folder / "market.json").write_text(json.dumps(MARKET | {"rate": {"USD": 1.5}}))
    command = ("margin", "account.csv", "--method", "tims", "--market", "market.json")
    result = run(*command)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "warning: rate of 'USD' is 1.5, which is 150" in " ".join(result.stdout.split())
    [warning] = json.loads(run(*command, "--json").stdout)["warnings"]
    assert (warning["code"], warning["value"]) == ("unusual_rate", 1.5)


def test_an_account_and_a_market_are_the_document_they_stand_for(folder: Path) -> None:
    result = run("margin", "account.csv", "--method", "tims", "--market", "market.json", "--json")
    assert result.exit_code == 0, result.output
    document = {
        "account": {
            "positions": [
                {"symbol": "SPX   261218C04700000", "quantity": -1},
                {"contract": {"kind": "etf", "underlying": "SPY", "currency": "USD"}, "quantity": 100},
            ]
        },
        "market": {**MARKET, "vol": {"SPX261218C04700000": 0.133}},
        "methodology": {"name": "tims"},
    }
    assert json.loads(result.stdout)["requirement"] == mc.evaluate(document)["requirement"]
    (folder / "document.json").write_text(json.dumps(document))
    assert run("margin", "document.json", "--json").stdout == result.stdout
    (folder / "part.json").write_text(json.dumps(document["account"]))
    market = {**MARKET, "vol": {".SPX261218C4700": 0.133}}
    (folder / "market.json").write_text(json.dumps(market))
    assert run("margin", "part.json", "--method", "tims", "--market", "market.json", "--json").stdout == result.stdout
    assert mc.evaluate({**document, "market": market})["requirement"] == mc.evaluate(document)["requirement"]
    listed = run("margin", "part.json", "--method", "tims", "--market", "market.json").stdout
    assert "vol: SPX261218C04700000 0.133" in listed


def test_several_methods_are_compared(folder: Path) -> None:
    (folder / "wide.json").write_text('{"default_range": {"down": -0.3, "up": 0.3}}')
    result = run("margin", "account.csv", "--method", "tims", "--method", "tims", "--market", "market.json")
    assert result.exit_code == 0, result.output
    assert "side by side" in result.stdout
    parameters = ["--market", "market.json", "--parameters", "wide.json"]
    assert "changed" in run("margin", "account.csv", "--method", "tims", *parameters).stdout
    assert "one rulebook" in refused(run("margin", "account.csv", "--method", "tims", "--method", "tims", *parameters))


def test_no_saving_is_shown_of_cash_that_is_owed(folder: Path) -> None:
    """Shares are paid in full: half of them may be owed under Reg T, and a percentage of a debt says nothing."""
    (folder / "account.csv").write_text("symbol,quantity\nXYZ,1000\n")
    (folder / "market.json").write_text(json.dumps({**MARKET, "spot": {"XYZ": 50.0}}))
    account = ["account.csv", "--market", "market.json", "--equity", "XYZ", "--method", "reg-t", "--method", "tims"]
    result = run("margin", *account)
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "OCC TIMS: no saving on the cash balance after settlement: the baseline's -25,000.00 is not above" in words
    assert "+70.0 %" in words
    assert words.count(" %") - words.count("-15 %") == 1
    assert "equity required 7,500.00: what liquidating equity must reach, the statement says what is missing" in words
    assert "to bring" not in words


def test_equities_are_declared_on_the_command_line(folder: Path) -> None:
    (folder / "account.csv").write_text("symbol,quantity,vol\nIBM261218P00090000,-2,0.3\n")
    (folder / "market.json").write_text(json.dumps({**MARKET, "spot": {"IBM": 100.0}}))
    arguments = ["margin", "account.csv", "--method", "tims", "--market", "market.json"]
    assert "account.csv:2: root 'IBM'" in refused(run(*arguments))
    assert run(*arguments, "--equity", "IBM").exit_code == 0
    assert "overlap" in refused(run(*arguments, "--equity", "SPY"))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nowhere.csv", "--method", "tims"], "nowhere.csv"),
        (["account.csv", "--market", "market.json"], "--method"),
        (["account.csv", "--method", "astrology", "--market", "market.json"], "astrology"),
        (["account.csv", "--method", "tims"], "--market"),
        (["account.csv", "--method", "tims", "--market", "nowhere.json"], "nowhere.json"),
        (["account.csv", "--method", "tims", "--market", "account.csv"], "account.csv:1"),
        (["account.csv", "--method", "tims", "--market", "novol.json"], "novol"),
        (["market.json", "--method", "tims"], "this is a market"),
        (["account.csv", "--method", "tims", "--market", "naive.json"], "zone"),
        (["account.csv", "--method", "tims", "--market", "nan.json"], "NaN"),
        (["account.csv", "--method", "tims", "--market", "other.json"], "0.2"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(folder: Path, arguments: list[str], word: str) -> None:
    (folder / "novol.json").write_text('{"valuation": "2026-11-20T16:00:00-05:00", "novol": 1}')
    (folder / "naive.json").write_text(json.dumps({**MARKET, "valuation": "2026-11-20T16:00:00"}))
    (folder / "nan.json").write_text(json.dumps({**MARKET, "spot": {"SPX": float("nan")}}))
    (folder / "other.json").write_text(json.dumps({**MARKET, "vol": {"SPX261218C04700000": 0.2}}))
    assert word in refused(run("margin", *arguments))


@pytest.mark.parametrize(
    ("part", "value", "word"),
    [
        ("rate", 0.05, 'market: rate: a number or curve by currency is needed, {"USD": 0.05}'),
        ("valuation", 5, "market: valuation 5"),
        ("dividends", 5, "market: dividends"),
        ("vol", 5, "vol: an object is needed"),
    ],
)
def test_a_market_of_wrong_parts_is_refused(folder: Path, part: str, value: Any, word: str) -> None:
    (folder / "market.json").write_text(json.dumps({**MARKET, part: value}))
    error = refused(run("margin", "account.csv", "--method", "tims", "--market", "market.json"))
    assert word in error


def test_an_account_without_rows_is_refused(folder: Path) -> None:
    (folder / "account.csv").write_text("symbol,quantity\n")
    assert "no row" in refused(run("margin", "account.csv", "--method", "tims", "--market", "market.json"))


def test_a_plain_number_may_lack_its_zero(folder: Path) -> None:
    arguments = ["margin", "account.csv", "--method", "tims", "--market", "market.json", "--json"]
    numbers = []
    for vol in ("0.2", ".2"):
        (folder / "account.csv").write_text(f"symbol,quantity,vol\nSPX261218C04700000,-1,{vol}\n")
        numbers.append(run(*arguments).stdout)
    assert numbers[0] == numbers[1] != ""


def test_watch_names_its_columns_and_refuses_other_files(folder: Path) -> None:
    described = " ".join(run("watch", "--help").stdout.split())
    for column in ("date", "instrument_name", "expiry_date", "strike", "type", "delta", "mark_iv"):
        assert column in described
    assert "absent.csv" in refused(run("watch", "absent.csv"))
    result = run("watch", "account.csv")
    assert "account.csv:1: no column 'date'" in refused(result)
    assert "'margincore watch --help'" in result.stderr


def test_hints_name_the_command(folder: Path) -> None:
    for command in (["span", "a.spn", "b.csv"], ["span-info", "a.spn"], ["margin", "absent.csv"]):
        assert f"'margincore {command[0]} --help'" in run(*command).stderr


@pytest.mark.parametrize("shown", ["", "1"])
def test_a_defect_is_one_line_unless_its_traceback_is_wanted(shown: str) -> None:
    broken = (
        "import sys, margincore.cli.commands as c; c.listed = lambda *_: 1 / 0; sys.argv[1:] = ['rulebooks'];"
        "from margincore.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "MARGINCORE_TRACEBACK": shown},
    )  # fmt: skip
    assert result.stdout == ""
    assert "ZeroDivisionError: division by zero" in result.stderr
    if shown:
        assert "Traceback" in result.stderr
    else:
        assert result.returncode == 70
        assert len(result.stderr.splitlines()) == 2
        assert "MARGINCORE_TRACEBACK=1" in result.stderr


def test_rulebooks_and_version() -> None:
    assert "tims" in run("rulebooks").stdout.split()
    assert run("version").stdout.strip() == mc.__version__


def test_usage_errors_exit_with_two() -> None:
    for arguments in (["margin"], ["margins"], ["margin", "account.csv", "--methode", "tims"]):
        assert run(*arguments).exit_code == 2


def test_without_the_extra_the_command_says_what_to_install() -> None:
    blocked = "import sys; sys.modules['typer'] = None; from margincore.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stdout) == (2, "")
    assert "margincore[cli]" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_installed_command_runs(folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "margincore.cli", "margin", "account.csv", "--method", "tims"],
        capture_output=True, text=True, check=False, timeout=60, cwd=folder,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 2


def test_a_quotes_file_is_a_market(folder: Path) -> None:
    quotes = DATA / "cboe_made_up.csv"
    (folder / "account.csv").write_text("symbol,quantity\nSPXW230915C04500000,-1\n")
    arguments = ["margin", "account.csv", "--method", "tims", "--market", str(quotes)]
    assert "--rate" in refused(run(*arguments))
    result = run(*arguments, "--rate", "0.053")
    assert result.exit_code == 0, result.output
    assert "quotes left out" in result.stderr
    assert "+6 %" in result.stdout


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv.gz", gzip.compress(b"symbol,quantity\n" + b"\n" * 5_000_000, mtime=0), "times its size"),
        ("a.csv.gz", gzip.compress(ACCOUNT.encode(), mtime=0)[:-4], "cannot be read"),
        ("a.csv", b"symbol,quantity\nS\xffY,1\n", "is not UTF-8"),
        ("a.csv", b"symbol,quantity\n" + b"S," * 100_000, "characters"),
        ("a.json", b'{"account":' * 100_000, "nested too deep"),
        ("a.json", b'{"account": {"positions": []}, "account": 1}', "given twice"),
        ("a.json", b'{"account": {"positions": [], "cash": {"\\ud800": 1e400}}}', "out of range"),
        ("a.json", b'{"account": {"positions": [], "cash": {"\\ud800": 1}}}', "surrogate"),
        ("a.json", ("\ufeff" + '{"account": []}').encode("utf-16"), "is not UTF-8"),
    ],
)
def test_a_hostile_file_is_one_line_and_a_hint(folder: Path, name: str, content: bytes, words: str) -> None:
    (folder / name).write_bytes(content)
    result = run("margin", name, "--method", "tims")
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 2


def test_a_file_that_cannot_be_written_is_named(folder: Path) -> None:
    (folder / "r.csv").write_text("date,instrument_name,expiry_date,strike,type,delta,mark_iv\n" + "".join(
        f"2026-01-23,BTC-{day}JAN26-{k}-{right[0].upper()},2026-01-{day},{k},{right},0.5,40\n"
        for day in (29, 30) for k in (80000, 90000, 100000) for right in ("call", "put")
    ))  # fmt: skip
    result = run("watch", "r.csv", "--journal", "nowhere/j")
    assert result.exit_code == 2, result.output
    assert "nowhere/j: No such file or directory" in result.stderr


def test_parts_of_shares_are_margined_by_the_lot_they_imply_or_that_is_said(tmp_path: Path) -> None:
    account, market = tmp_path / "a.csv", tmp_path / "m.json"
    account.write_text("symbol,quantity,kind,price\nAMD,336.446,stock,117.86\n")
    market.write_text('{"valuation": "2023-06-07T16:00:00-04:00", "spot": {"AMD": 117.86}}')
    options = ("--method", "reg-t", "--market", str(market), "--json")
    assert "lot" in refused(run("margin", str(account), *options, "--lot", "0.01"))
    for lot in ((), ("--lot", "0.001")):
        found = json.loads(run("margin", str(account), *options, *lot).stdout)
        assert found["requirement"]["initial"] == pytest.approx(0.5 * 336.446 * 117.86)
    document = tmp_path / "a.json"
    document.write_text('{"positions": []}')
    assert "--lot is of a CSV account" in refused(run("margin", str(document), *options, "--lot", "0.001"))
