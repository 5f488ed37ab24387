"""Parameters by date: those in force at the valuation where none are stated, and stated ones say what replaced them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

import margincore as mc

RULEBOOKS = Path(__file__).parents[3] / "rust" / "rulebooks"
FACES: dict[str, Callable[..., mc.Methodology]] = {
    "deribit-pm": mc.methods.Deribit,
    "okx-pm": mc.methods.Okx,
    "paradex-pm": mc.methods.Paradex,
}
"""The Python face of each family."""
VINTAGES = {
    "deribit-pm-2024": partial(mc.methods.Deribit, vintage="2024"),
    "deribit-pm-2026": partial(mc.methods.Deribit, vintage="2026"),
    "okx-pm-2024": partial(mc.methods.Okx, "2024"),
    "okx-pm-2025": partial(mc.methods.Okx, "2025"),
    "paradex-pm-earlier": partial(mc.methods.Paradex, vintage="2026-01"),
    "paradex-pm": partial(mc.methods.Paradex, vintage="2026-08"),
}
PERP = mc.Perpetual("BTC", multiplier=10, multiplier_unit="USD", settlement="inverse", currency="BTC")
BOOK = [mc.Position(PERP, 100)]
DAY = dt.timedelta(days=1)


def presets() -> list[dict[str, Any]]:
    """Every shipped preset of every rulebook."""
    found: list[dict[str, Any]] = []
    for path in sorted(RULEBOOKS.glob("*/presets/*.json")):
        read = json.loads(path.read_text())
        found += read if isinstance(read, list) else [read]
    return found


PRESETS = presets()
DATED = sorted(
    ((p["family"], dt.date.fromisoformat(p["effective"]), p["name"]) for p in PRESETS if "family" in p),
)
FAMILIES = {family: [(day, name) for _, day, name in rows] for family, rows in groupby(DATED, key=lambda row: row[0])}
STEPS = [
    (family, day, name, earlier)
    for family, rows in FAMILIES.items()
    for (day, name), earlier in zip(rows, [None, *(name for _, name in rows)], strict=False)
]


def market(day: dt.date) -> mc.Market:
    return mc.Market(f"{day}T12:00:00Z", spot={"BTC": 80_000.0}, price={PERP.id: 80_000.0}, fx={"USDT/USD": 1.0})


def used(rules: mc.Methodology, day: dt.date) -> dict[str, str]:
    return dict(mc.margin(BOOK, market(day), rules).parameters)


def test_every_preset_with_an_older_sibling_is_in_a_family() -> None:
    assert set(FAMILIES) == set(FACES)
    assert {name for _, _, name in DATED} == set(VINTAGES)
    names = {p["name"] for p in PRESETS if "name" in p}
    by_stem: dict[str, set[str]] = {}
    for preset in PRESETS:
        if "name" in preset:
            stem = re.sub(r"-(\d{4}(-\d\d)*|earlier|older?(-\w+)?)$", "", preset["name"])
            by_stem.setdefault(stem, set()).add(preset["name"])
    of = {p["name"]: p.get("family", p.get("succeeded_by")) for p in PRESETS if "name" in p}
    for stem, siblings in by_stem.items():
        if len(siblings) > 1:
            assert {of[name] for name in siblings} == {stem}, f"{stem}: presets of several dates share a family"
    assert all(len({day for day, _ in rows}) == len(rows) > 1 for rows in FAMILIES.values())
    assert len(names) > 30


@pytest.mark.parametrize(("family", "day", "name", "earlier"), STEPS)
def test_the_valuation_chooses_the_parameters(family: str, day: dt.date, name: str, earlier: str | None) -> None:
    for rules in (FACES[family](), mc.methods.Crypto(family, on="valuation")):
        assert used(rules, day) == used(VINTAGES[name](), day)
        assert used(rules, day)["name"] == name
        if earlier is None:
            with pytest.raises(mc.MissingData, match=f"on {day - DAY}: the first parameters known are of {day}"):
                used(rules, day - DAY)
        else:
            assert used(rules, day - DAY) == used(VINTAGES[earlier](), day - DAY)


@pytest.mark.parametrize(("family", "day", "name", "earlier"), STEPS)
def test_what_is_stated_stays_and_says_what_replaced_it(
    family: str, day: dt.date, name: str, earlier: str | None
) -> None:
    newest_day, newest = FAMILIES[family][-1]
    by_preset = (mc.methods.Crypto(name), mc.methods.Crypto(family, on=str(day)))
    for stated in (VINTAGES[name](), FACES[family](on=day), *by_preset):
        assert stated.parameters["superseded_by"] == ""
        assert used(stated, day) == {**stated.parameters}
        assert used(stated, day - DAY)["superseded_by"] == ""
        late = used(stated, newest_day)
        assert late == {**stated.parameters, "superseded_by": "" if name == newest else f"{newest} ({newest_day})"}
    if earlier is not None:
        assert used(VINTAGES[earlier](), day)["superseded_by"] == f"{name} ({day})"
        assert used(VINTAGES[earlier](), day - DAY)["superseded_by"] == ""


@pytest.mark.parametrize("preset", [p for p in PRESETS if "succeeded_by" in p], ids=lambda p: p["name"])
def test_older_presets_are_replaced_by_their_family(preset: dict[str, Any]) -> None:
    rules = {"*": {"charges": {"stated": {"opposite_vega": 0.0}}}} if preset["name"].endswith("-a") else {}
    stated = mc.methods.Crypto(preset["name"], rules=rules)
    for day, name in FAMILIES[preset["succeeded_by"]]:
        assert used(stated, day)["superseded_by"] == f"{name} ({day})"
    assert used(stated, FAMILIES[preset["succeeded_by"]][0][0] - DAY)["superseded_by"] == ""


def test_a_market_that_moves_over_the_date_takes_the_new_parameters() -> None:
    (_, before), (day, after) = FAMILIES["deribit-pm"]
    prepared = mc.methods.Deribit().prepare([PERP], market(day - DAY))
    assert prepared.margin(BOOK).parameters["name"] == before
    moved = prepared.update(valuation=f"{day}T00:00:00Z")
    assert moved.margin(BOOK).parameters == mc.methods.Deribit(vintage="2026").parameters
    assert moved.margin(BOOK).parameters["name"] == after
    assert prepared.margin(BOOK).parameters["name"] == before


def test_changes_stand_on_the_parameters_of_the_valuation() -> None:
    rules = mc.methods.Deribit(rules={"*": {"mm_factor": 0.5}})
    assert rules.parameters["name"] == "deribit-pm (changed)"
    for day, name in FAMILIES["deribit-pm"]:
        stated = mc.methods.Crypto(name, rules={"*": {"mm_factor": 0.5}})
        assert used(rules, day) == used(stated, day)
        assert used(rules, day)["name"] == f"{name} (changed)"
    assert rules.parameters["digest"] != mc.methods.Deribit().parameters["digest"]
    with pytest.raises(mc.InvalidInput, match="no_such_rule"):
        mc.methods.Deribit(rules={"BTC": {"no_such_rule": 1.0}})


def test_a_family_alone_and_no_preset_are_those_of_the_valuation() -> None:
    day, name = FAMILIES["deribit-pm"][-1]
    assert used(mc.methods.Crypto("deribit-pm"), day)["name"] == name
    assert used(mc.methods.Rulebook("crypto", {}), day)["name"] == name
    assert used(mc.methods.Crypto("paradex-pm"), FAMILIES["paradex-pm"][0][0])["name"] == "paradex-pm"  # a preset too


def test_without_a_market_nothing_chooses() -> None:
    with pytest.raises(mc.MissingData, match=r"Deribit.*: a market is needed"):
        mc.methods.Deribit().prepare([PERP])


def test_combined_rulebooks_say_what_their_parts_used() -> None:
    day, name = FAMILIES["deribit-pm"][-1]
    fx = {"USD/BTC": 1 / 80_000}
    quoted = mc.Market(f"{day}T12:00:00Z", spot={"BTC": 80_000.0}, price={PERP.id: 80_000.0}, fx=fx)

    def both(of_perpetuals: mc.Methodology) -> dict[str, str]:
        parts = [(lambda c: c.kind == "perpetual", of_perpetuals), (lambda c: c.kind == "stock", mc.methods.RegT())]
        return dict(mc.margin(BOOK, quoted, mc.methods.Combined(parts)).parameters)

    assert both(mc.methods.Deribit())["name"] == f"{name} + reg-t"
    assert both(mc.methods.Deribit(vintage="2024"))["superseded_by"] == f"{name} ({day})"


def test_comparisons_print_the_parameters_used() -> None:
    day, name = FAMILIES["deribit-pm"][-1]
    rules = [mc.methods.Deribit(), mc.methods.Deribit(vintage="2024")]
    found = mc.compare(BOOK, market(day), rules, labels=["now", "then"])
    assert found.assumptions["parameters"] == {"now": f"{name} {day}", "then": "deribit-pm-2024 2024-06-17"}
    assert found.assumptions["superseded"] == {"then": f"{name} ({day})"}


@pytest.mark.parametrize(
    "twice",
    [
        lambda: mc.methods.Deribit(vintage="2024", on="2026-03-01"),
        lambda: mc.methods.Okx("2024", on="2026-03-01"),
        lambda: mc.methods.Okx("standard", on="2026-03-01"),
        lambda: mc.methods.Paradex(vintage="2026-01", on="2026-03-01"),
    ],
)
def test_vintage_and_date_are_not_both_stated(twice: Callable[[], object]) -> None:
    with pytest.raises(mc.InvalidInput, match="leave one out") as caught:
        twice()
    assert caught.value.code == "contradiction"
