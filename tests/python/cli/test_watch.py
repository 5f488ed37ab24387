"""The replay of a recording, on one of our own making."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from pathlib import Path

import pytest

import margincore as mc

pytest.importorskip("rich")
pytest.importorskip("typer")

from rich.console import Console
from typer.testing import CliRunner

from margincore.cli.commands import app
from margincore.cli.watch import LABEL, watch
from margincore.importers import read_recording

HEADER = "date,instrument_name,expiry_date,strike,type,delta,mark_iv\n"
YEAR = 365 * 86_400


def recording(path: Path, forwards: list[float]) -> Path:
    cdf = statistics.NormalDist().cdf
    start = dt.datetime(2026, 1, 23, 1)
    lines = [HEADER]
    for hour, forward in enumerate(forwards):
        moment = start + dt.timedelta(hours=hour)
        for expiry in (dt.datetime(2026, 1, 30), dt.datetime(2026, 2, 13)):
            years = (expiry.replace(hour=8) - moment).total_seconds() / YEAR
            for strike in range(70_000, 112_000, 2_000):
                total = 0.4 * math.sqrt(years)
                delta = cdf(math.log(forward / strike) / total + total / 2)
                for right, own in (("call", delta), ("put", delta - 1)):
                    name = f"BTC-{expiry:%d%b%y}-{strike}-{right[0].upper()}".upper()
                    lines.append(f"{moment.isoformat()},{name},{expiry.date()},{strike},{right},{own:.8f},40.0\n")
    path.write_text("".join(lines))
    return path


def test_forwards_are_recovered_from_deltas(tmp_path: Path) -> None:
    snapshots = read_recording(recording(tmp_path / "r.csv", [90_000.0, 88_000.0]))
    assert [s.time.hour for s in snapshots] == [1, 2]
    for snapshot, forward in zip(snapshots, (90_000.0, 88_000.0), strict=True):
        assert all(f == pytest.approx(forward, rel=1e-6) for f in snapshot.forward.values())


def test_a_fall_raises_alerts_and_the_label_is_shown(tmp_path: Path) -> None:
    path = recording(tmp_path / "r.csv", [90_000.0, 88_000.0, 84_000.0, 80_000.0, 90_000.0])
    console = Console(width=140, record=True, force_terminal=False)
    alerts = watch(path, pause=0.0, console=console, journal=tmp_path / "journal")
    levels = [(a.number, a.status.level) for a in alerts if a.status.account == "short strangle"]
    assert levels[0][1] != "ok"
    assert levels[-1] == (5, "ok")
    text = console.export_text()
    assert LABEL in " ".join(text.split())
    # Everything is in the journal already: the replay has nothing left to do.
    assert watch(path, pause=0.0, console=Console(quiet=True), journal=tmp_path / "journal") == []


def test_a_journal_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    path = recording(tmp_path / "r.csv", [90_000.0, 88_000.0])
    journal = tmp_path / "nowhere" / "journal"
    result = CliRunner().invoke(app, ["watch", str(path), "--pause", "0", "--journal", str(journal)])
    assert (result.exit_code, result.stderr.splitlines()[0]) == (2, f"error: {journal}: No such file or directory")


ROW = "2026-01-23T01:00:00,BTC-30JAN26-90000-C,2026-01-30,90000,call,0.5,40\n"


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (HEADER + ROW.replace("0.5", "NaN?"), mc.InvalidInput, "r.csv:2: delta 'NaN?'"),
        (HEADER + ROW.replace("2026-01-30", "30JAN26"), mc.InvalidInput, "r.csv:2: expiry_date '30JAN26'"),
        (HEADER + ROW.replace("BTC-30JAN26-90000-C", "BTC"), mc.ParseError, "'BTC'"),
        (HEADER + ROW.replace(",call", ""), mc.ParseError, "r.csv:2: 6 cells"),
        (HEADER.replace("date,ins", "day,ins", 1) + ROW, mc.ParseError, "r.csv:1: no column 'date'"),
        (HEADER, mc.MissingData, "no row"),
        ("", mc.ParseError, "r.csv:1: no column 'date'"),
    ],
)
def test_a_broken_recording_is_refused_with_its_line(
    tmp_path: Path, text: str, error: type[Exception], words: str
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(error) as caught:
        watch(path, pause=0.0, console=Console(quiet=True))
    assert words in str(caught.value)


def test_a_recording_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mc.ParseError, match=r"absent\.csv"):
        read_recording(tmp_path / "absent.csv")
