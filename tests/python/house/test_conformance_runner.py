"""The conformance runner judges honestly: what is unknown, malformed, ignored or wrongly excused fails."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from conformance import test_cases
from conformance.cases import (
    CannotRun,
    Case,
    Check,
    Entry,
    MalformedCase,
    Tally,
    collect,
    entries,
    known_differences,
    only,
    read,
    required,
    table,
)

Failed = pytest.fail.Exception
Skipped = pytest.skip.Exception


def case(checks: list[Check] | Exception, *, oracle: bool = True, name: str = "a") -> Case:
    def run() -> list[Check]:
        if isinstance(checks, Exception):
            raise checks
        return checks

    return Case("family", name, run=run, entry=Entry(name, {}, oracle))


def judge(what: Case) -> tuple[str, Tally]:
    tallies: dict[str, Tally] = {}
    try:
        test_cases.test_case(what, tallies)
    except Skipped:
        return "skipped", tallies["family"]
    except (Failed, AssertionError, ValueError, CannotRun):
        return "failed", tallies["family"]
    return "passed", tallies["family"]


GOOD, BAD = Check("x", 100.0, 100.2, rel=0.003), Check("x", 100.0, 101.0, rel=0.003)


def test_a_check_is_within_the_larger_tolerance() -> None:
    assert GOOD.passed
    assert not BAD.passed
    assert Check("x", 0.0, 0.004, rel=0.5, abs_=0.005).passed
    assert not Check("x", 1.0, math.nan, rel=10.0).passed
    assert not Check("x", 1.0, math.inf, rel=10.0).passed


def test_outcomes_are_counted_apart() -> None:
    assert judge(case([GOOD]))[0] == "passed"
    assert judge(case([GOOD, BAD]))[0] == "failed"
    assert judge(case([]))[0] == "failed"
    assert judge(case(ValueError("engine")))[0] == "failed"
    assert judge(case(CannotRun("no inputs")))[0] == "failed", "an oracle has to run"
    outcome, tally = judge(case([BAD], oracle=False))
    assert (outcome, tally.passed, tally.failed, tally.not_oracle) == ("skipped", 0, 0, 1)
    assert "got 101.0" in tally.remarks[0]
    assert "not run: no inputs" in judge(case(CannotRun("no inputs"), oracle=False))[1].remarks[0]


def test_an_excused_entry_that_passes_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_cases, "KNOWN", {"a": "the source rounds"})
    outcome, tally = judge(case([BAD]))
    assert (outcome, tally.known, tally.failed) == ("skipped", 1, 0)
    outcome, tally = judge(case([GOOD]))
    assert (outcome, tally.known, tally.failed) == ("failed", 0, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.json", b""),
        ("truncated.json", b'{"id": "x"'),
        ("latin.json", b'{"id": "\xe9"}'),
        ("number.json", b"3"),
        ("none.json", b"[]"),
        ("nameless.json", b'{"is_oracle": true}'),
        ("undecided.json", b'{"id": "x"}'),
        ("word.json", b'{"id": "x", "is_oracle": "yes"}'),
        ("cut.json.gz", gzip.compress(b'{"id": "x", "is_oracle": true}', mtime=0)[:-9]),
        ("plain.json.gz", b'{"id": "x", "is_oracle": true}'),
    ],
)
def test_a_malformed_file_is_a_failing_test(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MalformedCase, match=name):
        entries(path, read(path))


def test_an_unknown_family_is_a_failing_test(tmp_path: Path) -> None:
    (tmp_path / "astrology").mkdir()
    (tmp_path / "astrology" / "a.json").write_text(json.dumps({"id": "a", "is_oracle": True}))
    (tmp_path / "tides").mkdir()
    found = list(collect(tmp_path))
    assert [("unknown family" in c.broken, "without a case" in c.broken) for c in found] == [
        (True, False),
        (False, True),
    ]
    assert judge(Case("family", "a", broken="broken"))[0] == "failed"


def test_a_list_gives_an_entry_each(tmp_path: Path) -> None:
    path = tmp_path / "many.json.gz"
    path.write_bytes(gzip.compress(json.dumps([{"id": f"c{i}", "is_oracle": i > 0} for i in range(3)]).encode()))
    assert [(e.id, e.is_oracle) for e in entries(path, read(path))] == [
        ("c0", False),
        ("c1", True),
        ("c2", True),
    ]


@pytest.mark.parametrize("value", [None, "1", True, [1]])
def test_required_values_have_their_type(value: Any) -> None:
    with pytest.raises(MalformedCase):
        required({"x": value}, "x", (int, float), "case")
    with pytest.raises(MalformedCase):
        required({}, "x", int, "case")
    assert required({"x": 1}, "x", (int, float), "case") == 1


def test_inputs_that_would_be_ignored_are_refused() -> None:
    only({"a": 1}, ["a", "b"], "case")
    with pytest.raises(MalformedCase, match="surprise"):
        only({"a": 1, "surprise": 2}, ["a", "b"], "case")


def test_the_list_of_known_differences_is_well_formed() -> None:
    assert all(reason for reason in known_differences().values())


def test_the_table_names_every_family() -> None:
    lines = table(
        {
            "tims": Tally(entries=3, passed=2, not_oracle=1, largest_error=1.5e-3),
            "var": Tally(remarks=["why"]),
        }
    )
    assert lines[1].split() == ["tims", "2", "2", "0", "0", "1", "0.0015"]
    assert "not covered yet" in lines[2]
