"""``margincore rulebooks``: what can be named after ``--method``."""

from __future__ import annotations

import json
from typing import Any

from margincore.cli.console import wrapped
from margincore.methods import names, presets

__all__ = ["complete", "listed"]


def listed(verbose: bool, as_json: bool) -> str:
    """The names, one a line; or with their parameter sets, dates, sources and grades."""
    if as_json:
        return json.dumps({name: presets(name) for name in names()}, indent=2, ensure_ascii=False)
    if not verbose:
        return "\n".join(names())
    lines = ["name[@date or @parameter set], the usual set first", ""]
    for name in names():
        lines.append(name)
        for row in presets(name):
            lines += _described(row)
        lines.append("")
    return "\n".join(lines).rstrip()


def _described(row: dict[str, Any]) -> list[str]:
    version = "" if row["version"] == row["effective"] else f", version {row['version']}"
    history = f", one of {row['family']} by date" if row["family"] else ""
    lines = [f"  {row['name']}: from {row['effective']}{version}{history}"]
    by_grade: dict[str, list[str]] = {}
    for part, grade in row["grades"].items():
        by_grade.setdefault(grade, []).append(part.replace("_", " "))
    paragraphs = [row["source"], *(f"{grade}: {', '.join(parts)}" for grade, parts in sorted(by_grade.items()))]
    for paragraph in paragraphs:
        lines += wrapped(paragraph, " " * 6, first=" " * 6)
    return lines


def complete(incomplete: str) -> list[str]:
    """What a word after ``--method`` may go on to, for a shell."""
    name, at, which = incomplete.partition("@")
    if not at:
        return [known for known in names() if known.startswith(name)]
    if name not in names():
        return []
    ends = [row["name"].removeprefix(f"{name}-") for row in presets(name)]
    return [f"{name}@{end}" for end in ends if end.startswith(which)]
