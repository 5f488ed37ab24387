"""What a type checker tells a user: mistakes that run until a market opens are found before."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """\
import margincore as mc

call = mc.Option("SPX", "call", 4700, expiry="2026-12-18", settles="am", exercise="european", multiplier=100,
                 currency="USD")
market = mc.Market("2026-11-20T16:00:00-05:00", spot={"SPX": 4500.0}, rate={"USD": 0.05}, vol={call.id: 0.13})
account = mc.Account([mc.Position(call, -1)], cash={"USD": 50_000.0})
report = mc.margin(account, market, mc.methods.Tims())
amount: float = report.initial
prepared = mc.Engine(mc.methods.Tims()).prepare([call], market)
live = prepared.open(account)
limit = mc.Limit(max_requirement=50_000.0)
decision = live.check(mc.Order("1", call, "buy", 5, 12.0), limit)
change: float = live.what_if([(call, 5)]).change.initial
"""

#: A line that a user may well write, each with one mistake.
MISTAKES = [
    'mc.Position("SPX261218C04700000", -1)',
    'mc.Option("A", "cal", 47, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD")',
    'mc.Market("2026-11-20T16:00:00-05:00", spots={"SPX": 4500.0})',
    'mc.Order("1", call, "by", 5, 12.0)',
    "mc.margin(market, account, mc.methods.Tims())",
    "report.intial",
    "live.check(limit, mc.Order('1', call, 'buy', 5, 12.0))",
    "mc.Limit(max_requirment=1.0)",
    "prepared.update(spott={'SPX': 4600.0})",
    "live.what_if([('SPX', 5)])",
    "mc.methods.RegT(account_kind=1)",
]


def program() -> tuple[str, set[int]]:
    """The good program with every mistake behind it, and the lines they stand on."""
    first = GOOD.count("\n") + 1
    return GOOD + "\n".join(MISTAKES) + "\n", set(range(first, first + len(MISTAKES)))


def test_mypy_finds_every_planted_mistake_and_nothing_else(tmp_path: Path) -> None:
    source, wrong = program()
    path = tmp_path / "user.py"
    path.write_text(source)
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    found = {int(line.split(":")[1]) for line in run.stdout.splitlines() if ": error:" in line}
    assert found == wrong, run.stdout + run.stderr


@pytest.mark.skipif(importlib.util.find_spec("basedpyright") is None, reason="basedpyright is not installed")
def test_basedpyright_finds_every_planted_mistake_and_nothing_else(tmp_path: Path) -> None:
    source, wrong = program()
    path = tmp_path / "user.py"
    path.write_text(source)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable),
            *("--outputjson", "--level", "error", str(path)),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    report = json.loads(run.stdout)
    found = {
        entry["range"]["start"]["line"] + 1 for entry in report["generalDiagnostics"] if entry["severity"] == "error"
    }
    assert found == wrong, run.stdout
