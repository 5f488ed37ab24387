"""Writes docs/parameters.md from the JSON Schema of the rulebooks and the shipped presets: `make parameters`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/parameters.md"
SCHEMA = ROOT / "python/margincore/schema/rulebooks.json"
PRESETS = {
    "house": "rust/engine/presets/house.json",
    "hvar": "rust/rulebooks/hvar/presets/hvar.json",
    "reg-t": "rust/rulebooks/reg_t/presets/reg_t.json",
    "span-like": "rust/rulebooks/span/presets/span_like.json",
    "tims": "rust/rulebooks/tims/presets/tims.json",
}
"""The lists whose first preset is the one taken where none is named; a venue's presets are tables of their own."""
HEAD = """# Parameters

What every rulebook's parameters are, written by `make parameters` from the types that read them and from the shipped
presets (`rust/margincore/src/schema.rs`, `tools/parameters.py`); the same is in the JSON Schema,
`margincore.documents.schema()`. A document or a rulebook's class changes any of them over a preset: an object is merged
key by key, anything else replaces.
"""


def parts(schema: dict[str, Any], defs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and those it stands for: what it refers to, its choices."""
    yield schema
    if "$ref" in schema:
        yield from parts(defs[schema["$ref"].removeprefix("#/$defs/")], defs)
    for choice in schema.get("anyOf", []):
        yield from parts(choice, defs)


def kind(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    """The type of a value in a word or few; of an object that has a table, a link to it."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        target = defs[name]
        if "properties" in target and target.get("type") == "object":
            return f"[{name.removesuffix('.changes')}](#{anchor(name)})"
        return kind(target, defs) if name != "methodology" else "a rulebook"
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"] if word is not None)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            found = [kind(choice, defs) for choice in schema[key]]
            return " or ".join(dict.fromkeys(word for word in found if word != "null"))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "prefixItems" in schema:
        return "(" + ", ".join(kind(item, defs) for item in schema["prefixItems"]) + ")"
    types = schema.get("type", "any")
    word = types if isinstance(types, str) else next(t for t in types if t != "null")
    if word == "array":
        return f"list of {kind(schema.get('items', {}), defs)}"
    if word == "object":
        inner = schema.get("additionalProperties")
        if isinstance(inner, dict):
            return f"by name: {kind(inner, defs)}"
        return " or ".join(f"`{key}`: {kind(value, defs)}" for key, value in schema.get("properties", {}).items())
    return {"boolean": "true or false", "string": "text", "integer": "whole number"}.get(word, word)


def unit(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    """Unit and bounds of a number, or of the numbers in a list or by name."""
    for part in parts(schema, defs):
        for inner in (part, part.get("items"), part.get("additionalProperties")):
            if isinstance(inner, dict) and "x-unit" in inner:
                bounds = [
                    f"{sign} {inner[key]:g}"
                    for key, sign in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"),
                                      ("exclusiveMaximum", "below"))
                    if key in inner
                ]  # fmt: skip
                return f"{inner['x-unit']}{', ' if bounds else ''}{' '.join(bounds)}"
    return ""


def shown(value: Any) -> str:
    """A default in a cell: short ones as they are, of long ones how much there is."""
    text = json.dumps(value)
    if len(text) <= 40:
        return f"`{text}`"
    if isinstance(value, str):
        return "a text"
    return f"{len(value)} {'entries' if isinstance(value, dict) else 'items'}"


def anchor(name: str) -> str:
    return name.removesuffix(".changes").lower().replace(".", "")


def described(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    text = next((part["description"] for part in parts(schema, defs) if "description" in part), "")
    return str(text).replace("|", "\\|")


def rows(name: str, defs: dict[str, Any], presets: list[dict[str, Any]]) -> Iterator[str]:
    yield "| name | type | unit and bounds | default | meaning |"
    yield "|---|---|---|---|---|"
    for key, schema in defs[name]["properties"].items():
        values = {p["name"]: p[key] for p in presets if key in p} if key not in ("name", "preset") else {}
        first = next(iter(values.values()), schema.get("default"))
        told = shown(first) if values or schema.get("default") is not None else ""
        others = [f"{preset}: {shown(value)}" for preset, value in values.items() if value != first]
        default = "; ".join([told, *others])
        cells = (f"`{key}`", kind(schema, defs), unit(schema, defs), default, described(schema, defs))
        if key == "preset":
            cells = (cells[0], "name of a set", *cells[2:])
        yield f"| {' | '.join(cells)} |"


def written() -> str:
    """The page."""
    defs: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    rulebooks = [branch["$ref"].removeprefix("#/$defs/") for branch in defs["methodology"]["oneOf"]]
    text = [HEAD]
    for rulebook in [*rulebooks, "securities"]:
        listed = json.loads((ROOT / PRESETS[rulebook]).read_text(encoding="utf-8")) if rulebook in PRESETS else []
        text += [f"## {rulebook}", "", defs[rulebook].get("description", ""), "", *rows(rulebook, defs, listed), ""]
        done = set()
        for name in sorted(defs):
            inner = defs[name]
            if not name.startswith(f"{rulebook}.") or inner.get("type") != "object" or "properties" not in inner:
                continue
            title = name.removesuffix(".changes")
            if title not in done:
                done.add(title)
                text += [f"### {title}", "", described(inner, defs), "", *rows(name, defs, []), ""]
    return "\n".join(text).replace("\n\n\n", "\n\n")


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
