"""What the benchmarks' table says of goals."""

from __future__ import annotations

import json

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
