"""Finding, reading and judging worked cases."""

from __future__ import annotations

import gzip
import importlib
import json
import math
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]

NOT_COVERED: Mapping[str, str] = {}
"""Families whose rulebook the package does not have, with the reason. An adapter takes precedence."""


class MalformedCase(Exception):
    """A case file that does not have the shape its family needs. Always a failure."""


class CannotRun(Exception):
    """The case lacks inputs that a calculation needs; only a case that is no oracle may say so."""


@dataclass(frozen=True)
class Check:
    """One number of a case. The tolerance is the larger of ``rel`` times the expected and ``abs_``."""

    name: str
    expected: float
    actual: float
    rel: float = 0.0
    abs_: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the actual number lies within the case's tolerance."""
        return self.error <= max(self.abs_, self.rel * abs(self.expected))

    @property
    def error(self) -> float:
        """The absolute difference; infinite where a number is missing."""
        difference = abs(self.actual - self.expected)
        return difference if math.isfinite(difference) else math.inf

    @property
    def relative_error(self) -> float:
        """The difference over the expected number; 0 for a number met that its allowance does not tell from zero."""
        if abs(self.expected) <= self.abs_ and self.passed:
            return 0.0
        return self.error / abs(self.expected) if self.expected else self.error

    def __str__(self) -> str:
        return (
            f"{self.name}: expected {self.expected!r}, got {self.actual!r} "
            f"(off by {self.relative_error:.3g} of it; allowed {self.rel:g} of it, or {self.abs_:g})"
        )


@dataclass(frozen=True)
class Entry:
    """One test: a case, or one entry of a case that holds many; ``document`` is what the adapter runs."""

    id: str
    document: Any
    is_oracle: bool = True
    why_not: str = ""
    context: Any = None


class Adapter(Protocol):
    """What ``adapters/FAMILY.py`` provides."""

    def collect(self, path: Path, document: Any) -> list[Entry]:
        """The entries of one file; raises :class:`MalformedCase`."""

    def run(self, entry: Entry) -> list[Check]:
        """Every number of the entry that the engine can be asked for; at least one."""


@dataclass
class Tally:
    """Counts of one family for the table at the end."""

    entries: int = 0
    passed: int = 0
    failed: int = 0
    known: int = 0
    not_oracle: int = 0
    largest_error: float = 0.0
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """One pytest test: an entry with its adapter, or a reason why there is nothing to run."""

    family: str
    id: str
    run: Callable[[], list[Check]] | None = None
    entry: Entry | None = None
    broken: str = ""
    not_covered: str = ""


def cases_folder() -> Path:
    """Where the cases are: ``MARGINCORE_CASES``, or ``../shared/cases`` from the project's root."""
    return Path(os.environ.get("MARGINCORE_CASES") or PROJECT.parent / "shared" / "cases")


def data_folder() -> Path:
    """Where the data files are: ``MARGINCORE_DATA``, or ``../shared/data`` from the project's root."""
    return Path(os.environ.get("MARGINCORE_DATA") or PROJECT.parent / "shared" / "data")


def known_differences() -> dict[str, str]:
    """Ids of entries that are known to differ, with the reason."""
    document = tomllib.loads((HERE / "known_differences.toml").read_text(encoding="utf-8"))
    differences = {}
    for entry in document.pop("difference", []):
        if set(entry) != {"id", "reason"} or not entry["reason"].strip():
            raise ValueError(f"known_differences.toml: an entry has an id and a reason, not {entry}")
        differences[entry["id"]] = entry["reason"]
    if document:
        raise ValueError(f"known_differences.toml: unknown keys {sorted(document)}")
    return differences


def adapter_of(family: str) -> Adapter | None:
    """The adapter of a family, or nothing where there is no such module."""
    if not (HERE / "adapters" / f"{family}.py").is_file():
        return None
    module: Any = importlib.import_module(f"{__package__}.adapters.{family}")
    return module  # type: ignore[no-any-return]


def read(path: Path) -> Any:
    """The document of a case file, plain or gzip."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, EOFError, ValueError) as error:
        raise MalformedCase(f"{path.name}: {error}") from error


def entries(path: Path, document: Any) -> list[Entry]:
    """The usual shape: a case, or a list of cases, each with ``id`` and ``is_oracle``."""
    rows = document if isinstance(document, list) else [document]
    if not rows:
        raise MalformedCase(f"{path.name}: no case in it")
    return [entry_of(path, row) for row in rows]


def entry_of(path: Path, row: Any, name: str | None = None, context: Any = None) -> Entry:
    """One entry from an object with ``id`` (or the given name) and ``is_oracle`` (or the context's)."""
    if not isinstance(row, dict):
        raise MalformedCase(f"{path.name}: a case is an object, not {type(row).__name__}")
    name = name if name is not None else row.get("id")
    oracle = row.get("is_oracle", (context or {}).get("is_oracle") if isinstance(context, dict) else None)
    if not isinstance(name, str) or not name:
        raise MalformedCase(f"{path.name}: a case without id")
    if not isinstance(oracle, bool):
        raise MalformedCase(f"{path.name}: {name}: is_oracle is {oracle!r}, not true or false")
    return Entry(name, row, oracle, str(row.get("is_oracle_reason", "")), context)


def required(mapping: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """The value of a key a family cannot do without; a wrong or missing one makes the case malformed."""
    if not isinstance(mapping, dict) or key not in mapping:
        raise MalformedCase(f"{where}: '{key}' is missing")
    value = mapping[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise MalformedCase(f"{where}: '{key}' is {value!r}")
    return value


def only(mapping: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuses keys the adapter does not translate: an input that is ignored would make a pass meaningless."""
    unknown = sorted(set(mapping) - set(known))
    if unknown:
        raise MalformedCase(f"{where}: the adapter does not know {', '.join(unknown)}")


def collect(folder: Path) -> Iterator[Case]:
    """Every case under a folder of families, in name order."""
    families = sorted(path for path in folder.iterdir() if path.is_dir())
    if not families:
        yield Case("(none)", f"{folder.name}-is-empty", broken="no family of cases in this folder")
    for family in families:
        files = sorted(path for path in family.iterdir() if path.name.endswith((".json", ".json.gz")))
        if not files:
            yield Case(family.name, f"{family.name}-is-empty", broken="a family without a case file")
        yield from _collect_family(family.name, files)


def _collect_family(family: str, files: list[Path]) -> Iterator[Case]:
    try:
        adapter = adapter_of(family)
    except Exception as error:  # an adapter that does not even import is a failing test, not a crash of the others
        yield Case(family, f"{family}-adapter", broken=f"the adapter does not load: {error!r}")
        return
    for path in files:
        name = path.name.removesuffix(".gz").removesuffix(".json")
        if adapter is None:
            if family in NOT_COVERED:
                yield Case(family, name, not_covered=NOT_COVERED[family])
            else:
                yield Case(family, name, broken=f"unknown family '{family}': it has no adapter")
            continue
        try:
            found = adapter.collect(path, read(path))
            if not found:
                raise MalformedCase(f"{path.name}: no entry in it")
        except Exception as error:
            yield Case(family, name, broken=f"{type(error).__name__}: {error}")
            continue
        for entry in found:
            yield Case(family, entry.id, run=_runner(adapter, entry), entry=entry)


def _runner(adapter: Adapter, entry: Entry) -> Callable[[], list[Check]]:
    return lambda: adapter.run(entry)


def table(tallies: Mapping[str, Tally]) -> list[str]:
    """The table at the end of a run, as lines."""
    head = ("family", "cases", "passed", "failed", "known to differ", "no oracle", "largest relative error")
    rows = [head]
    for family, tally in sorted(tallies.items()):
        if tally.remarks and not tally.entries:
            rows.append((family, "not covered yet", "", "", "", "", ""))
            continue
        error = f"{tally.largest_error:.2g}" if tally.passed else ""
        counted = tally.entries - tally.not_oracle
        rows.append(
            (
                family,
                str(counted),
                str(tally.passed),
                str(tally.failed),
                str(tally.known),
                str(tally.not_oracle),
                error,
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for family, tally in sorted(tallies.items()):
        lines += [f"{family}: {remark}" for remark in tally.remarks]
    return lines
