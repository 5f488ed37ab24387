"""The schema of rulebooks: presets fit it, it refuses what the reader refuses, and the reader what is out of bounds."""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import margincore as mc
from margincore.documents import methodology_from_document, schema

ROOT = Path(__file__).resolve().parents[3]
LISTS = {
    "crypto": ["crypto/presets/crypto_deribit", "crypto/presets/crypto_derive", "crypto/presets/crypto_venues"],
    "hvar": ["hvar/presets/hvar"], "reg-t": ["reg_t/presets/reg_t"], "span-like": ["span/presets/span_like"],
    "tims": ["tims/presets/tims"],
}  # fmt: skip
HISTORY = {"columns": ["X"], "kind": "levels", "values": [[100.0 + i % 7] for i in range(3000)]}
WHOLE = schema()
FITS = jsonschema.Draft202012Validator({"$defs": WHOLE["$defs"], "$ref": "#/$defs/methodology"})
META = ("family", "succeeded_by", "extends", "version", "effective", "source")


def documents() -> Iterator[dict[str, Any]]:
    for rulebook, lists in LISTS.items():
        for path in lists:
            for preset in json.loads((ROOT / f"rust/rulebooks/{path}.json").read_text(encoding="utf-8")):
                own = {key: value for key, value in preset.items() if key not in ("name", *META)}
                if rulebook == "hvar":
                    own["components"] = own["components"] or [
                        {"name": "VaR", "measure": "order_floor", "confidence_ppm": 990_000, "days": 1}
                    ]
                    read = {part.get("history", "history") for part in own["components"]}
                    own["histories"] = dict.fromkeys(sorted(read), HISTORY)
                yield {"name": rulebook, "preset": preset["name"], **own}
    rate = {"maintenance": 0.4, "initial": 0.5, "per_share": 5.0}
    yield {
        "name": "house", "base": {"name": "tims"}, "title": "Own", "date": "2026-11-20", "source": "a letter",
        "percentages": [{"name": "low", "priced_below": 5.0, "long": rate, "short": rate}],
        "contracts": [{"name": "each", "short": 50.0}],
        "concentration": [{"name": "large", "share_of": "gross", "long": [{"from": 0.3, "maintenance": 0.5}]}],
    }  # fmt: skip


DOCUMENTS = list(documents())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every object and leaf of a document stands."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places(child, (*path, key))


def changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    inner: Any = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return made


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def refusal(document: dict[str, Any]) -> mc.MarginError | None:
    try:
        methodology_from_document(document)
    except mc.MarginError as error:
        return error
    return None


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(WHOLE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.get("preset", d["name"]))
def test_presets_are_taken_by_both(document: dict[str, Any]) -> None:
    assert refusal(document) is None
    assert [error.message for error in FITS.iter_errors(document)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.get("preset", d["name"]))
def test_what_the_reader_refuses_the_schema_refuses(document: dict[str, Any]) -> None:
    """An unknown key in every object, and a wrong type at every leaf: refused by the reader, then by the schema too."""
    tried = 0
    seen = set()
    for path in places(document):
        kind = tuple(key if isinstance(key, str) else 0 for key in path)
        if kind in seen or path in [("name",), ("preset",)]:
            continue
        seen.add(kind)
        value = at(document, path)
        if isinstance(value, dict):
            mutants = [changed(document, (*path, "no_such_key"), [{}])]
        else:
            mutants = [changed(document, path, wrong) for wrong in ({"no": 1}, not isinstance(value, bool) or 5)]
        for mutant in mutants:
            error = refusal(mutant)
            if error is not None and error.code in ("wrong_type", "unknown_name", "wrong_shape"):
                tried += 1
                assert not FITS.is_valid(mutant), (path, error)
    assert tried > 2


def bounded(node: Any, value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Numbers of a document that the schema has bounds for."""
    if "$ref" in node:
        node = WHOLE["$defs"][node["$ref"].removeprefix("#/$defs/")]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if node.keys() & {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
            yield path, node
    elif isinstance(value, dict):
        for key, inner in value.items():
            below = node.get("properties", {}).get(key, node.get("additionalProperties"))
            for choice in [below, *(below or {}).get("anyOf", [])] if isinstance(below, dict) else []:
                yield from bounded(choice, inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value[:1]):
            yield from bounded(node.get("items", {}), inner, (*path, i))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.get("preset", d["name"]))
def test_bounds_are_the_readers(document: dict[str, Any]) -> None:
    """A number that the schema finds out of bounds is refused by the reader: it is never the stricter of the two."""
    wider = []
    for path, node in bounded(WHOLE["$defs"][document["name"]], document):
        for key, step in (("minimum", -1e-3), ("maximum", 1e-3), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0)):
            if key in node and refusal(changed(document, path, node[key] + step)) is None:
                wider.append((path, key, node[key]))
    assert wider == []


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("tims", True), ("reg-t@ibkr", True), ("deribit", True), ("deribit@2026-05-06", True), ("span-like", True),
        ("occ-rbh-market-maker", True), ("tims@", False), ("timz", False), ("tims@a b", False),
    ],
)  # fmt: skip
def test_names(name: str, fits: bool) -> None:
    assert FITS.is_valid({"name": name}) is fits


def test_every_number_has_a_unit() -> None:
    def numbers(node: Any, path: str) -> Iterator[str]:
        if isinstance(node, dict):
            if node.get("type") == "number" and "x-unit" not in node:
                yield path
            for key, inner in node.items():
                yield from numbers(inner, f"{path}/{key}")
        elif isinstance(node, list):
            for inner in node:
                yield from numbers(inner, path)

    own = [name for name in WHOLE["$defs"] if name.split(".")[0] in mc.methods.rulebooks()]
    assert [place for name in own for place in numbers(WHOLE["$defs"][name], name)] == []


def page() -> Any:
    """The tool that writes the page of parameters."""
    spec = importlib.util.spec_from_file_location("parameters", ROOT / "tools/parameters.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_every_parameter_says_what_it_is() -> None:
    """A name, a unit and a default do not; the text is the doc comment of the Rust field, or of its type."""
    tool, defs = page(), WHOLE["$defs"]
    named = [name for name, inner in defs.items() if name.split(".")[0] in (*mc.methods.rulebooks(), "securities")]
    parameters = [(name, key, inner) for name in named for key, inner in defs[name].get("properties", {}).items()]
    assert len(parameters) > 500
    assert [(name, key) for name, key, inner in parameters if not tool.described(inner, defs)] == []


def test_the_page_is_what_the_schema_says() -> None:
    tool = page()
    assert (ROOT / "docs/parameters.md").read_text(encoding="utf-8") == tool.written(), "make parameters"
