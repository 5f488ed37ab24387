"""Rulebooks in one word: every shipped name is taken, and what stands for nothing or for several is refused."""

from __future__ import annotations

import pytest

import margincore as mc
from margincore.methods import named, named_document, names, presets


def test_every_parameter_set_is_reached_by_its_name_and_by_what_it_has_beside_its_rulebooks() -> None:
    count = 0
    for name in names():
        for row in presets(name):
            whole = named_document(row["name"]) if row["name"] not in names() else {"preset": row["name"]}
            assert whole["preset"] == row["name"]
            short = row["name"].removeprefix(f"{name}-")
            assert named_document(f"{name}@{short}")["preset"] == row["name"]
            assert row["source"]
            assert row["version"]
            assert len(row["effective"]) == 10
            count += 1
    assert count > 40


def test_a_name_alone_is_the_usual_set() -> None:
    assert named("tims").parameters["name"] == "occ-cpm" == presets("tims")[0]["name"]
    assert named("reg-t").parameters["name"] == "reg-t" == presets("reg-t")[0]["name"]
    assert named("deribit").to_dict() == mc.methods.Deribit().to_dict()
    assert named("okx").to_dict() == mc.methods.Okx().to_dict()
    assert named("derive").to_dict() == mc.methods.Derive().to_dict()
    assert named("tims", grid="even").to_dict() == {"name": "tims", "grid": "even"}


@pytest.mark.parametrize(
    ("word", "preset"),
    [
        ("deribit@2025-06-30", "deribit-pm-2024"),
        ("deribit@2026-06-30", "deribit-pm-2026"),
        ("okx@2024-06-30", "okx-pm-2024"),
        ("paradex@2026-05-01", "paradex-pm-earlier"),
        ("deribit@standard", "deribit-standard"),
        ("deribit@old-c", "deribit-pm-old-c"),
        ("reg-t@ibkr", "reg-t-ibkr"),
        ("reg-t@2026-05-01", "reg-t"),
        ("derive@2026-05-01", "derive-pmrm2"),
        ("occ-rbh-market-maker", "occ-rbh-market-maker"),
    ],
)
def test_dates_and_sets(word: str, preset: str) -> None:
    assert named(word).parameters["name"] == preset
    assert mc.documents.methodology_from_document({"name": word}).parameters["name"] == preset


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("tim", "did you mean 'tims'"),
        ("deribit@", "belongs after the @"),
        ("deribit@2026-13-01", "is no day"),
        ("deribit@pm", "is not enough to tell deribit-pm-2024, deribit-pm-2026"),
        ("deribit@2030s", "no parameter set '2030s': there are deribit-pm-2024"),
        ("tims@1999-01-01", "the usual set is of 2007-04-02"),
        ("derive@2020-01-01", "the usual set is of 2026-03-01"),
        ("span@2020-01-01", "no parameter set"),
        ("occ-cpm@2026-01-01", "one parameter set already"),
        ("@2026-01-01", "unknown rulebook ''"),
        ("", "unknown rulebook ''"),
    ],
)
def test_refused(word: str, says: str) -> None:
    with pytest.raises(mc.InvalidInput, match=says):
        named_document(word)


def test_what_a_word_says_is_not_said_again() -> None:
    with pytest.raises(mc.InvalidInput, match="preset: 'reg-t@ibkr' says it as well"):
        named("reg-t@ibkr", preset="reg-t")
    with pytest.raises(mc.InvalidInput, match="on: 'deribit@2026-05-06' says it as well"):
        mc.documents.methodology_from_document({"name": "deribit@2026-05-06", "on": "2024-01-01"})
    assert named("deribit", on="2025-01-01").parameters["name"] == "deribit-pm-2024"
    with pytest.raises(mc.InvalidInput, match="not list"):
        named_document([])  # type: ignore[arg-type]
    with pytest.raises(mc.InvalidInput, match="unknown rulebook 'xyz'"):
        presets("xyz")
