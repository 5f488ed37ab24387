"""Every command of docs/cli.md prints what stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
FENCE = re.compile(r"^```(\w+)(?: title=\"([\w.]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sessions(text: str) -> list[list[tuple[str, str]]]:
    """Commands and what each prints, a list for every block."""
    blocks = [body for kind, _, body in FENCE.findall(text) if kind == "console"]
    return [
        [(command, printed) for command, printed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE)]
        for body in blocks
    ]


def run(commands: list[str], folder: Path) -> list[str]:
    """What each command prints, both streams, in one shell."""
    mark = "<<<end of a command>>>"
    script = "\n".join(
        [
            f'margincore() {{ "{sys.executable}" -m margincore "$@"; }}',
            *(f'{command}\ncode=$?; echo "{mark}"; (exit $code)' for command in commands),
        ]
    )
    environment = {**os.environ, "COLUMNS": "70", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.stdout.split(f"{mark}\n")[:-1]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_the_page_says_what_commands_print(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for _, name, body in FENCE.findall(text):
        if name:
            (tmp_path / name).write_text(body, encoding="utf-8")
    found = sessions(text)
    assert sum(map(len, found)) > 10
    for session in found:
        printed = run([command for command, _ in session], tmp_path)
        assert len(printed) == len(session)
        for (command, wanted), got in zip(session, printed, strict=True):
            assert [line.rstrip() for line in got.splitlines()] == [line.rstrip() for line in wanted.splitlines()], (
                command
            )
