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
    finally:
        process.send_signal(signal.SIGINT)
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
    two = run(folder, "explain", "poor.json", "--method", "tims", "--method", "reg-t", "--market", "market.json")
    assert two.returncode in (0, 2)


def test_margin_has_a_limit_and_an_age(folder: Path) -> None:
    arguments = ("margin", "poor.json", "--method", "tims", "--method", "reg-t", "--market", "market.json")
    above = run(folder, *arguments, "--limit", "7500")
    assert above.returncode == 3
    assert "limit: Reg T: 25,000.00 is above 7,500.00" in above.stderr
    assert "OCC TIMS" not in above.stderr
    assert run(folder, *arguments, "--limit", "25000").returncode == 0
    assert run(folder, *arguments, "--max-age", "1").returncode == 4


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
