"""``margincore watch --account``, ``explain``, ``rulebooks -v`` and the exit codes, as a shell sees them."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import margincore as mc

pytest.importorskip("typer")
pytest.importorskip("rich")

STOCK = {"kind": "stock", "underlying": "XYZ", "currency": "USD"}


def market(spot: float, valuation: str = "2026-11-20T16:00:00-05:00") -> dict[str, Any]:
    return {"valuation": valuation, "spot": {"XYZ": spot}}


def account(quantity: int, cash: float) -> dict[str, Any]:
    return {"positions": [{"contract": STOCK, "quantity": quantity}], "cash": {"USD": cash}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rich.json").write_text(json.dumps(account(100, 50_000.0)))
    (tmp_path / "poor.json").write_text(json.dumps(account(1000, -43_000.0)))
    (tmp_path / "market.json").write_text(json.dumps(market(50.0)))
    return tmp_path


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "70", "NO_COLOR": "1", **more}
    return subprocess.run(
        [sys.executable, "-m", "margincore", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


WATCH = ("watch", "--method", "tims", "--market", "market.json", "--once")


def test_codes_say_what_was_seen(folder: Path) -> None:
    fine = run(folder, *WATCH, "--account", "rich.json")
    assert fine.returncode == 0
    assert "ok" in fine.stdout
    assert "rich" in fine.stdout
    both = run(folder, *WATCH, "--account", "rich.json", "--account", "poor.json")
    assert both.returncode == 3
    assert "poor: liquidation: equity 7,000.00, initial 7,500.00" in both.stdout
    assert run(folder, *WATCH, "--account", "rich.json", "--limit", "749.99").returncode == 3
    assert run(folder, *WATCH, "--account", "rich.json", "--limit", "750").returncode == 0
    assert run(folder, *WATCH, "--account", "rich.json", "--utilisation", "0.01").returncode == 3
    stale = run(folder, *WATCH, "--account", "poor.json", "--max-age", "60")
    assert stale.returncode == 4
    assert "STALE" in stale.stdout
    (folder / "market.json").write_text(json.dumps(market(50.0, dt.datetime.now(dt.UTC).isoformat())))
    assert run(folder, *WATCH, "--account", "rich.json", "--max-age", "60").returncode == 0


def test_json_has_the_engines_numbers(folder: Path) -> None:
    seen = json.loads(run(folder, *WATCH, "--account", "rich.json", "--account", "poor.json", "--json").stdout)
    rows = {row["account"]: row for row in seen["accounts"]}
    stock = mc.Stock("XYZ", currency="USD")
    for name, quantity in (("rich", 100), ("poor", 1000)):
        report = mc.margin([mc.Position(stock, quantity)], mc.Market(**market(50.0)), mc.methods.Tims())
        assert rows[name]["initial"] == report.initial
    assert rows["rich"]["equity"] == 55_000.0
    assert rows["poor"]["level"] == "liquidation"
    assert seen["rulebook"] == "OCC TIMS"
    assert not seen["stale"]
    assert len(seen["breaches"]) == 1


def test_seventy_columns_suffice(folder: Path) -> None:
    (folder / "an-account-of-a-very-long-name-indeed.json").write_text(json.dumps(account(-123_456, 1e9)))
    shown = run(folder, *WATCH, "--account", "an-account-of-a-very-long-name-indeed.json", "--account", "rich.json")
    table = [
        line for line in shown.stdout.splitlines() if not line.startswith("an-account-of-a-very-long-name-indeed:")
    ]
    assert max(map(len, table)) <= 70
    assert "\x1b" not in shown.stdout
    for arguments in (["rulebooks", "-v"], ["explain", "rich.json", "--method", "tims", "--market", "market.json"]):
        assert max(len(line) for line in run(folder, *arguments).stdout.splitlines()) <= 70


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("watch",), "give --account, or a recording"),
        ((*WATCH, "--account", "rich.json", "--account", "./rich.json"), "'rich' as well"),
        (("watch", "--account", "rich.json", "--method", "tims", "--once"), "a market is needed"),
        (("watch", "--account", "rich.json", "--market", "market.json", "--once"), "which rulebook?"),
        ((*WATCH, "--account", "absent.json"), "absent.json"),
        (("watch", "recording.csv", "--method", "tims"), "leave --method out"),
        ((*WATCH, "--account", "rich.json", "--journal", "j"), "leave --journal out"),
        ((*WATCH, "--account", "rich.json", "--utilisation", "inf"), "--utilisation is inf"),
        (("watch", "--account", "rich.json", "--method", "tims@x", "--market", "market.json", "--once"), "tims@x"),
    ],
)
def test_refused(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    done = run(folder, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "hint:" in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
def test_files_that_change_are_read_again_and_half_a_file_changes_nothing(folder: Path) -> None:
    arguments = [argument for argument in WATCH if argument != "--once"]
    shown = folder / "shown.txt"
    with shown.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "margincore", *arguments, "--account", "poor.json", "--pause", "0.05"],
            cwd=folder, env={**os.environ, "COLUMNS": "100"}, stdout=out, stderr=out,
        )  # fmt: skip

    def wait(words: str) -> None:
        end = time.monotonic() + 30.0
        while words not in (seen := shown.read_text(errors="replace")):
            assert time.monotonic() < end, (words, seen[-2000:])
            assert process.poll() is None, (words, seen[-2000:])
            time.sleep(0.05)

    try:
        wait("LIQUIDATE")
        (folder / "market.json").write_text(json.dumps(market(60.0))[:20])
        wait("not read again: market.json")
        (folder / "market.json").write_text(json.dumps(market(60.0)))
        wait("17,000")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0  # of the last look, in which nothing is called
    finally:
        process.kill()
        process.wait(20)


def test_explain_tells_the_number_and_what_changed_it(folder: Path) -> None:
    told = run(folder, "explain", "poor.json", "--method", "tims", "--market", "market.json").stdout
    for words in ("initial 7,500.00", "1. Lines", "2. What each position makes of it", "+1,000", "-15 %", "digest:"):
        assert words in told
    (folder / "earlier.json").write_text(json.dumps(market(40.0)))
    change = run(
        folder, "explain", "poor.json", "--method", "tims", "--market", "market.json",
        "--before", "rich.json", "--before-market", "earlier.json", "--json",
    )  # fmt: skip
    parts = json.loads(change.stdout)
    assert (parts["before"], parts["positions"], parts["market"], parts["after"]) == (600.0, 5400.0, 1500.0, 7500.0)
    assert "XYZ              -7,500.00" in told
    (folder / "two.json").write_text(
        json.dumps({"account": account(1, 0.0), "methodologies": [{"name": "tims"}, {"name": "reg-t"}]})
    )
    two = run(folder, "explain", "two.json", "--market", "market.json")
    assert two.returncode == 2
    assert "one rulebook at a time" in two.stderr


def test_positions_gains_in_the_worst_scenario_add_up(folder: Path) -> None:
    sample = Path(mc.__file__).parent / "cli" / "samples" / "iron_condor.json"
    document = json.loads(sample.read_text(encoding="utf-8"))
    del document["methodologies"]
    (folder / "condor.json").write_text(json.dumps(document))
    told = json.loads(run(folder, "explain", "condor.json", "--method", "tims", "--json").stdout)
    [worst] = told["worst_scenarios"]
    assert worst["scenario"] == "+6 %"
    assert worst["profit"] == -told["report"]["requirement"]["initial"]
    assert len(worst["positions"]) == 4
    assert sum(worst["positions"].values()) == pytest.approx(worst["profit"])


def test_standard_input_where_a_file_is_taken(folder: Path) -> None:
    def piped(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "margincore", *arguments],
            cwd=folder, input=(folder / name).read_text(), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    wanted = run(folder, "margin", "poor.json", "--method", "tims", "--market", "market.json", "--json").stdout
    assert json.loads(wanted)["requirement"]["initial"] == 7500.0
    for name, arguments in {
        "poor.json": ("margin", "-", "--method", "tims", "--market", "market.json", "--json"),
        "market.json": ("margin", "poor.json", "--method", "tims", "--market", "-", "--json"),
    }.items():
        assert piped(name, *arguments).stdout == wanted
    seen = piped("poor.json", "watch", "--account", "-", "--method", "tims", "--market", "market.json", "--once")
    assert seen.returncode == 3
    assert "standard input: liquidation" in seen.stdout
    again = piped("poor.json", "watch", "--account", "-", "--method", "tims", "--market", "market.json")
    assert again.returncode == 2
    assert "cannot be read again" in again.stderr
    twice = piped("poor.json", "margin", "-", "--method", "tims", "--market", "-")
    assert twice.returncode == 2
    assert "read already" in twice.stderr
    (folder / "half.json").write_text('{"positions": [')
    half = piped("half.json", "margin", "-", "--method", "tims", "--market", "market.json")
    assert half.returncode == 2
    assert "error: standard input:1" in half.stderr


def test_margin_has_a_limit_and_an_age(folder: Path) -> None:
    arguments = ("margin", "poor.json", "--method", "tims", "--method", "reg-t", "--market", "market.json")
    above = run(folder, *arguments, "--limit", "7500")
    assert above.returncode == 3
    assert "limit: Reg T: 25,000.00 is above 7,500.00" in above.stderr
    assert "OCC TIMS" not in above.stderr
    assert run(folder, *arguments, "--limit", "25000").returncode == 0
    assert run(folder, *arguments, "--max-age", "1").returncode == 4
    for option in ("--limit", "--max-age"):
        unlimited = run(folder, *arguments, option, "nan")
        assert unlimited.returncode == 2
        assert unlimited.stdout == ""
    (folder / "market.json").write_text(json.dumps(market(50.0, "2999-11-20T16:00:00-05:00")))
    later = run(folder, *arguments, "--max-age", "60")
    assert later.returncode == 2
    assert "after this machine's clock" in later.stderr


def test_rulebooks_say_their_sets_and_complete(folder: Path) -> None:
    sets = json.loads(run(folder, "rulebooks", "--json").stdout)
    assert sets["tims"][0]["name"] == "occ-cpm"
    assert "deribit" in sets
    told = run(folder, "rulebooks", "-v").stdout
    assert "deribit-pm-2024: from 2024-06-17, one of deribit-pm by date" in told
    assert "verified: " in told
    from margincore.cli.rulebooks import complete

    assert complete("der") == ["deribit", "derive"]
    assert "deribit@standard" in complete("deribit@s")
    assert complete("nobody@") == []
    asked = {"COMP_WORDS": "margincore margin x --method reg-t@i", "COMP_CWORD": "4"}
    completed = run(folder, _MARGINCORE_COMPLETE="complete_bash", **asked)
    assert "reg-t@ibkr" in completed.stdout.split()


def test_version_and_a_missing_extra(folder: Path) -> None:
    assert run(folder, "--version").stdout.strip() == mc.__version__
    for package, extra in (("typer", "cli"), ("rich", "cli")):
        code = (
            f"import sys; sys.modules[{package!r}] = None; sys.argv[1:] = ['rulebooks']\n"
            "from margincore.cli import main; main()"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert f"pip install 'margincore[{extra}]'" in done.stderr
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "sys.argv[1:] = ['report', 'rich.json', '--method', 'tims', '--market', 'market.json', '-o', 'r.html']\n"
        "from margincore.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "margincore[report]" in done.stderr
    assert not (folder / "r.html").exists()


def test_a_page_is_written(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run(folder, "report", "poor.json", "--method", "tims", "--market", "market.json", "-o", "r.html")
    assert done.returncode == 0, done.stderr
    assert "7,500.00" in (folder / "r.html").read_text(encoding="utf-8")
