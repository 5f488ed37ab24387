"""What the benchmarks' table says of goals, how both front ends run a case, and that every call works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

measure = pytest.importorskip("benches.measure", reason="the benchmarks are not part of the wheel")
Goal, Row = measure.Goal, measure.Row


@pytest.mark.parametrize(
    ("row", "goal", "met"),
    [
        (Row("b", 2.0, "peer", 34.0, 1), Goal(17), True),
        (Row("b", 2.0, "peer", 33.9, 1), Goal(17), False),
        (Row("b", 1.34, "floor", 1.0, 1), Goal(1 / 1.35), True),
        (Row("b", 1.36, "floor", 1.0, 1), Goal(1 / 1.35), False),
        (Row("b", 45.0, None, None, 1), Goal(ns=45), True),
        (Row("b", 45.1, None, None, 1), Goal(ns=45), False),
        (measure.missing("b", "peer", "not installed"), Goal(17), None),
    ],
)
def test_a_goal_is_met_or_not_or_not_measured(row: measure.Row, goal: measure.Goal, met: bool | None) -> None:
    assert goal.met(row) is met


def test_the_table_gives_each_goal_a_verdict() -> None:
    goals = {"fast": Goal(3), "slow": Goal(3), "absent": Goal(2), measure.OURS: Goal(ns=1)}
    rows = [
        Row("b", 1.0, "fast", 2.0, 1, goal=goals["fast"]),
        Row("b", 1.0, "slow", 4.0, 1, goal=goals["slow"]),
        Row("b", 1.0, "other", 4.0, 1),
        measure.missing("b", "absent", "not installed", goals=goals),
    ]
    verdicts = [line.split("|")[-2].strip() for line in measure.markdown(rows).splitlines()[2:]]
    assert verdicts == ["**no**", "yes", "", "not measured"]
    lines = [json.loads(row.to_json("avx2", "test")) for row in rows]
    assert [line.get("met") for line in lines] == [False, True, None, None]


def test_a_goal_of_ours_alone_has_a_row_of_its_own() -> None:
    goals = {measure.OURS: Goal(ns=1e9), "peer": Goal(0.001)}
    calls = {measure.OURS: lambda: None, "peer": lambda: None}
    rows = list(measure.compare("b", calls, goals=goals, repeats=3, batch_seconds=1e-5))
    assert [(row.peer, row.goal, row.goal.met(row)) for row in rows] == [
        (None, goals[measure.OURS], True),
        ("peer", goals["peer"], True),
    ]


def test_items_are_those_of_the_candidate() -> None:
    class Timed:
        """A call that says what it takes."""

        def __init__(self, seconds: float) -> None:
            self._seconds = seconds

        def seconds(self, loops: int) -> float:
            return self._seconds * loops

        def __call__(self) -> None: ...

    calls = {measure.OURS: Timed(8.0), "peer": Timed(6.0)}
    (row,) = measure.compare("b", calls, n=4, sizes={"peer": 2})
    assert (row.ours_ns, row.peer_ns) == (2e9, 3e9)
    start = measure.clock()
    measure.on_the_clock(calls["peer"])()
    assert measure.clock() - start == pytest.approx(6.0, abs=0.1)


def bench(absent: Exception | None = None, *, stop: Exception | None = None) -> measure.Bench:
    def make() -> Iterator[measure.Case]:
        if stop is not None:
            raise stop
        case = measure.Case({measure.OURS: lambda: None}, options={"repeats": 1, "batch_seconds": 1e-5})
        with case.optional("peer"):
            if absent is not None:
                raise absent
            case.calls["peer"] = lambda: None
        yield case

    return measure.Bench("b", make, "peer")


@pytest.mark.parametrize("reason", [ImportError("x"), OSError("x"), AssertionError("x"), measure.Unavailable("x")])
def test_a_peer_that_is_not_there_or_differs_is_named(reason: Exception) -> None:
    named, ours = measure.rows(bench(reason))
    assert (named.peer, named.reason, ours.peer) == ("peer", "x", None)
    assert ours.ours_ns is not None


def test_a_benchmark_that_lacks_its_data_names_its_peers_and_one_that_is_wrong_stops() -> None:
    assert [(row.peer, row.reason) for row in measure.rows(bench(stop=measure.Unavailable("no file")))] == [
        ("peer", "no file")
    ]
    with pytest.raises(AssertionError, match="differs"):
        list(measure.rows(bench(stop=AssertionError("differs"))))


def test_a_case_has_the_candidates_it_was_declared_with() -> None:
    with pytest.raises(ValueError, match="declared"), measure.Bench("b", bench().make, "other").opened():
        pass


@pytest.mark.parametrize(
    ("reason", "raised"),
    [(ImportError("not there"), pytest.skip.Exception), (AssertionError("differs"), AssertionError)],
)
def test_under_pytest_benchmark_a_peer_is_skipped_by_name_or_fails(
    reason: Exception, raised: type[BaseException]
) -> None:
    speed = pytest.importorskip("benches.test_speed")
    with bench(reason).opened() as case, pytest.raises(raised) as caught:
        speed.test_speed("b", "peer", lambda _: case, {}, None)
    assert str(caught.value) == (f"peer: {reason}" if isinstance(reason, ImportError) else str(reason))


def test_every_call_under_pytest_benchmark_runs_once(tmp_path: Path) -> None:
    """Ours, the references and the peers beside us, results checked equal; not what takes longest to make."""
    pytest.importorskip("pytest_benchmark")
    root = Path(measure.__file__).parents[1]
    options = ["--benchmark-disable", "-k", "not universe and not books", "-p", "no:cacheprovider"]
    # Data and peers that a machine happens to have would make it a long test.
    elsewhere = {"MARGINCORE_FLOOR": str(tmp_path), "MARGINCORE_DATA": str(tmp_path), "MARGINCORE_PEER_PYTHON": ""}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "benches", *options],
        cwd=root, env={**os.environ, **elsewhere}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
