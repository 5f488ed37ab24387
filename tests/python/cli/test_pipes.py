"""Output in a pipe: no line is wrapped or cut to a width that nobody has; ``COLUMNS`` is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

NAME = "an account whose name is longer than the columns that anybody would give to a name"
COMMON = ("--market", "market.json", "--method", "tims")
COMMANDS = {
    "margin": ("margin", f"{NAME}.json", *COMMON, "--method", "reg-t"),
    "explain": ("explain", f"{NAME}.json", *COMMON),
    "watch": ("watch", "--account", f"{NAME}.json", *COMMON, "--once"),
    "rulebooks": ("rulebooks", "-v"),
}
WORDS = {
    "margin": "equity required 7,500.00: what liquidating equity must reach, the statement says what is missing",
    "explain": "source: Ranges of customer portfolio margin: SEC Release 34-46576, OCC 'Risk Based Haircuts' page, "
    "FINRA Rule 4210(g). Group offsets are not part of this preset: load them from OCC's files.",
    "watch": f"{NAME}: liquidation: equity 7,000.00, initial 7,500.00",
    "rulebooks": "Broker practice on top of reg-t: 20 % for SPY options, in-the-money amounts added to the requirement",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipes")
    stock = {"kind": "stock", "underlying": "A_SYMBOL_THAT_IS_LONG_ENOUGH_TO_FILL_A_LINE", "currency": "USD"}
    account = {"positions": [{"contract": stock, "quantity": 1000}], "cash": {"USD": -43_000}}
    market = {"valuation": "2026-11-20T16:00:00-05:00", "spot": {stock["underlying"]: 50.0}}
    (folder / f"{NAME}.json").write_text(json.dumps(account))
    (folder / "market.json").write_text(json.dumps(market))
    return folder


def printed(folder: Path, name: str, **environment: str) -> list[str]:
    """The lines of a command whose output is a pipe."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR", "NO_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "margincore", *COMMANDS[name]],
        cwd=folder, env={**inherited, **environment}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pipe_wraps_and_cuts_nothing(folder: Path, name: str) -> None:
    lines = printed(folder, name)
    assert any(WORDS[name] in line for line in lines)
    assert "…" not in "".join(lines)
    # Neither a terminal's name, nor one that is too small to be any, makes a pipe one.
    assert printed(folder, name, TERM="dumb", COLUMNS="0") == lines


def test_a_pipe_with_colours_has_no_width_either(folder: Path) -> None:
    lines = printed(folder, "margin", FORCE_COLOR="1", TERM="dumb")
    assert any(WORDS["margin"] in line for line in lines)


def test_a_table_stays_whole_below_its_title(folder: Path) -> None:
    lines = printed(folder, "margin")
    title = "OCC TIMS: occ-cpm 2026.1, effective 2007-04-02, USD"
    assert lines[0] == title
    assert len({len(line) for line in lines[1:7]}) == 1


def test_columns_are_respected(folder: Path) -> None:
    assert max(map(len, printed(folder, "margin", COLUMNS="60"))) <= 60


def test_columns_cut_a_name_and_no_amount(folder: Path) -> None:
    text = "\n".join(printed(folder, "watch", COLUMNS="75"))
    table = text.splitlines()[:3]
    assert max(map(len, table)) <= 75
    assert "7,500" in table[2]
    assert "…" in table[2]
