"""What was written stays readable, and what another version wrote is refused by its number: never half read."""

from __future__ import annotations

import copy
import hashlib
import importlib
import inspect
import json
import math
import multiprocessing
import pickle
import pkgutil
import re
import zlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import margincore as mc
from golden.files import ACCOUNTS, CALENDAR, DOCUMENTS, FOLDER, FOLLOWED, RECORDS, document, files, followed, prepared
from golden.samples import EVALUATED, SPN, plain, samples
from margincore import _core
from margincore._pickles import public_name
from margincore.analysis import statements
from margincore.importers import read_recording
from margincore.monitoring import IntradayMonitor, Journal, Monitor, intraday, journal, monitor

SAMPLES = samples()
PLACES = {place for place, _ in files()}
UPGRADE = r"written as version {}; this build reads versions? 1( to \d)?: upgrade margincore"
NO_VERSIONS = ["1", True, 1.5, None, -1, [1]]
NOT_PICKLED = {
    "LiveAccount", "MarginReader", "Methodology", "analysis.attribution.Margined", "analysis.intraday.Deficit",
    "analysis.intraday.Deficits", "analysis.intraday.schedule.Plan", "batch.Mapper", "batch.tables.Source",
    "monitoring.IntradayMonitor", "monitoring.Journal", "monitoring.Monitor", "pricing.smiles.Slice",
}  # fmt: skip
"""What is open or compiled; it is made again of what it was made of."""
OF_A_BUILD = {"Prepared", "batch.Plan"}
"""What another build makes with other numbers: its pickle has the build's digest, and no golden file would stay."""


def golden(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern))


def without_version(place: str) -> str:
    return re.sub(r"\.\d+(?=\.\w+$)", "", place)


def public_classes() -> set[str]:
    """The public name of every class that a module of the package lists, or the engine has; errors are Python's own."""
    found: set[type] = {c for c in vars(_core).values() if inspect.isclass(c)}
    for module in pkgutil.walk_packages(mc.__path__, "margincore."):
        # What is read-only is pickled as the plain dictionaries and lists it equals.
        unlisted = ("margincore.reference", "margincore.cli", "margincore.read_only", "margincore._")
        if not module.name.startswith(unlisted):
            room = importlib.import_module(module.name)
            found |= {c for name in getattr(room, "__all__", ()) if inspect.isclass(c := getattr(room, name))}
    names = {public_name(c) or "" for c in found if not issubclass(c, Exception)}
    return {name.removeprefix("_core.") for name in names}


# ---- what there has to be


def test_every_public_class_that_pickles_has_a_sample() -> None:
    assert {"Contract", "SpanFile", "methods.Tims", "monitoring.Alert"} < public_classes()
    assert public_classes() - NOT_PICKLED - OF_A_BUILD == set(SAMPLES)


def test_what_is_open_or_compiled_is_not_pickled() -> None:
    compiled = prepared()
    plain_methodology = _core.Methodology("tims", {})
    for value in (compiled.open(ACCOUNTS["a"]), compiled.margin_arrow(iter(())), plain_methodology):
        assert type(value).__name__ in NOT_PICKLED
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(value)


def test_every_version_that_is_written_has_its_file_and_no_file_is_another_s() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in golden("*/*")}
    assert PLACES - there == set(), "python -m tests.golden write adds what is missing"
    assert {without_version(place) for place in there} == {without_version(place) for place in PLACES}


def test_golden_files_are_small_and_name_no_machine() -> None:
    for path in golden("*/*"):
        content = path.read_bytes()
        assert len(content) < 4_096, path
        assert not any(word in content for word in (b"/home/", b"/tmp/", b"/root/", b"/Users/", b":\\")), path


# ---- pickles


@pytest.mark.parametrize("path", golden("pickles/*"), ids=lambda path: path.stem)
def test_a_golden_pickle_is_what_it_was(path: Path) -> None:
    name, _, version = path.stem.rpartition(".")
    again = pickle.loads(path.read_bytes())
    assert plain(again) == plain(SAMPLES[name])
    assert version.isdigit()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_pickle_is_one_call_with_name_and_version(name: str) -> None:
    value = SAMPLES[name]
    revive, (named, version, state) = value.__reduce__()
    assert (revive, named) == (_core.revive, name)
    assert version >= 1
    assert type(state) is dict
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert plain(pickle.loads(pickle.dumps(value, protocol))) == plain(value)
    assert plain(copy.copy(value)) == plain(copy.deepcopy(value)) == plain(value)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_pickle_of_another_version_or_state_is_refused_by_name(name: str) -> None:
    _, (_, version, state) = SAMPLES[name].__reduce__()
    with pytest.raises(mc.ParseError, match=f"pickle of {name}: {UPGRADE.format(version + 1)}"):
        _core.revive(name, version + 1, state)
    with pytest.raises(mc.ParseError, match=f"pickle of {name}: written as version 0; .* it is damaged"):
        _core.revive(name, 0, state)
    for bad in NO_VERSIONS:
        with pytest.raises(mc.ParseError, match=f"pickle of {name}: version .*: a whole number from 1 is needed"):
            _core.revive(name, bad, state)  # type: ignore[arg-type]
    for damaged in ({**state, "nonsense": 1}, None, [], {1: 2}):
        with pytest.raises(mc.MarginError):
            _core.revive(name, version, damaged)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Nothing", "methods.No", "nowhere.Tims", "evaluate", "LiveAccount", "documents", "."])
def test_a_pickle_of_a_class_that_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(mc.ParseError, match=f"pickle of {name}: this build has no such class"):
        _core.revive(name, 1, {})


class Own(mc.methods.Tims):
    """Somebody else's rulebook."""

    __slots__ = ()


class OwnEvent(mc.monitoring.CashEvent):
    """Somebody else's event."""

    __slots__ = ()


def test_somebody_else_s_subclass_comes_back_as_itself() -> None:
    for value in (Own(), OwnEvent(1, "a", "USD", 2.0)):
        again = pickle.loads(pickle.dumps(value))
        assert type(again) is type(value)
        assert plain(again) == plain(value)
    with pytest.raises(mc.ParseError, match=f"pickle of methods.Tims: {UPGRADE.format(2)}"):
        _core.revive("methods.Tims", 2, {}, Own)


def test_a_rulebook_that_was_pickled_is_whole() -> None:
    """Also one of no file: it can be pickled again and asked for its file."""
    span = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(SAMPLES["methods.Span"]))))
    with pytest.raises(mc.InvalidInput, match="it has no file"):
        mc.methods.Span.file(span)


def test_every_pickle_travels_to_a_process_that_starts_afresh() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there_and_back = pool.apply(copy.copy, (SAMPLES,))
    assert plain(there_and_back) == plain(SAMPLES)


# ---- documents

READERS = {
    "report": mc.MarginReport.from_dict,
    "decision": mc.Decision.from_dict,
    "what-if": mc.WhatIf.from_dict,
    "statement": mc.Statement.from_dict,
    "carried": statements.Carried.from_dict,
}


@pytest.mark.parametrize("path", golden("documents/*"), ids=lambda path: path.stem)
def test_a_golden_document_is_what_it_was(path: Path) -> None:
    name, _, version = path.stem.rpartition(".")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["version"] == int(version)
    if name in READERS:
        assert READERS[name](found).to_dict() == document(name)
    elif name == "evaluated":
        jsonschema.validate(found, mc.documents.schema())
        assert mc.evaluate(found)["requirement"]["initial"] == 750.0
    else:  # a comparison is not read back
        assert found == document(name)


def test_documents_say_their_version_first_and_one_without_is_the_present() -> None:
    for name in DOCUMENTS:
        assert next(iter(document(name).items())) == ("version", 1)
    for name, read in READERS.items():
        bare = {key: value for key, value in document(name).items() if key != "version"}
        assert plain(read(bare)) == plain(read(document(name)))
    bare = {key: value for key, value in EVALUATED.items() if key != "version"}
    assert mc.evaluate(bare) == mc.evaluate(EVALUATED)
    several = {**bare, "methodologies": [bare.pop("methodology")]}
    del several["methodology"]
    assert (mc.evaluate(EVALUATED)["version"], mc.evaluate(several)["version"]) == (1, 1)


@pytest.mark.parametrize("name", ["document", *READERS])
def test_a_document_of_another_version_is_refused(name: str) -> None:
    read, found = (mc.evaluate, EVALUATED) if name == "document" else (READERS[name], document(name))
    # What else another version has in it is not looked at.
    with pytest.raises(mc.ParseError, match=f"{name}: {UPGRADE.format(2)}"):
        read({**found, "version": 2, "from_the_future": 1})
    for bad in NO_VERSIONS:
        with pytest.raises(mc.ParseError, match=f"{name}: version .*: a whole number from 1 is needed"):
            read({**found, "version": bad})


# ---- journals


@pytest.mark.parametrize("path", golden("journals/journal.*"), ids=lambda path: path.stem)
def test_a_golden_journal_is_what_it_was_cut_anywhere(path: Path, tmp_path: Path) -> None:
    content, own = path.read_bytes(), tmp_path / "j"
    for cut in range(len(content) + 1):
        own.unlink(missing_ok=True)
        own.write_bytes(content[:cut])
        with Journal(own, sync=False) as opened:
            found = list(opened.records)
            assert found == RECORDS[: len(found)]
            assert opened.removed == max(0, cut - opened.length)
    assert found == RECORDS


def other_version(version: int) -> bytes:
    digest = hashlib.sha256(f"margincore journal {version}".encode()).hexdigest()
    body = b'{"n":1}'
    return hashlib.sha256(digest.encode() + body).hexdigest().encode() + b" " + body + b"\n"


def test_a_journal_of_another_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for version in (journal.VERSION + 1, 99):
        path.write_bytes(other_version(version))
        with pytest.raises(mc.ParseError, match=f"j: {UPGRADE.format(version)}"):
            Journal(path)
        assert path.read_bytes() == other_version(version)
    path.write_bytes(other_version(100))
    with pytest.raises(mc.ParseError, match="j: byte 0: the record does not follow"):
        Journal(path)


def watched(path: Path, name: str, rules: mc.Prepared, begin: dict[str, Any]) -> Path:
    """The golden records of a monitor, begun with the present digests: those of presets and terms may change."""
    with Journal(FOLDER / f"journals/{name}.journal", sync=False) as old:
        records = list(old.records)
    present = {"contracts": rules.contracts.digest, "parameters": rules.methodology.parameters["digest"]}
    records[0]["begin"] |= present | begin
    with Journal(path, sync=False) as new:
        for record in records:
            new.append(record)
    return path


def monitored(path: Path, **begin: Any) -> Monitor:
    own = watched(path, f"monitor.{monitor.VERSION}", prepared(), begin)
    return Monitor(prepared(), ACCOUNTS, journal=own, sync=False, at_least=5)


def followed_from(path: Path, **begin: Any) -> IntradayMonitor:
    own = watched(path, f"intraday.{intraday.VERSION}", followed(), begin)
    return IntradayMonitor(followed(), FOLLOWED, calendar=CALENDAR, journal=own, sync=False, at_least=5)


def test_a_monitor_goes_on_from_a_golden_journal(tmp_path: Path) -> None:
    again = monitored(tmp_path / "j")
    status = again.status("a")
    assert (again.number, status.equity, status.level) == (5, 120 * 48.0 - 4_900.5 + 250.0, "ok")
    assert [alert.status.level for alert in again.alerts()] == ["liquidation", "ok"]
    again.close()


def test_an_intraday_monitor_goes_on_from_a_golden_journal(tmp_path: Path) -> None:
    again = followed_from(tmp_path / "j")
    [standing] = again.deficits("a")
    assert (again.number, standing.amount, standing.remaining) == (5, 1_250.0, 1_000.0)
    again.close()


@pytest.mark.parametrize(
    ("opened", "what"), [(monitored, "a monitor"), (followed_from, "an intraday monitor")], ids=["monitor", "intraday"]
)
def test_records_of_another_version_are_refused(tmp_path: Path, opened: Any, what: str) -> None:
    with pytest.raises(mc.ParseError, match=f"j: records of {what}: {UPGRADE.format(2)}"):
        opened(tmp_path / "j", version=2)
    with pytest.raises(mc.ParseError, match=f"k: records of {what}: version '1': a whole number"):
        opened(tmp_path / "k", version="1")


# ---- caches and recordings


def with_version(cache: bytes, version: int) -> bytes:
    body = cache[:8] + version.to_bytes(4, "little") + cache[12:-4]
    return body + zlib.crc32(body).to_bytes(4, "little")


@pytest.mark.parametrize("path", golden("caches/*"), ids=lambda path: path.stem)
def test_a_golden_cache_is_what_it_was_or_is_refused_by_its_version(path: Path) -> None:
    content = path.read_bytes()
    found, parsed = _core.SpanFile.parse(content, "c"), _core.SpanFile.parse(SPN, "x.spn")
    assert (found.info, found.summary, found.ids()) == (parsed.info, parsed.summary, parsed.ids())
    assert (found.arrays() == parsed.arrays()).all()
    assert found.commodity("F") == parsed.commodity("F")
    assert with_version(content, 1) == content
    with pytest.raises(mc.ParseError, match=f"c: cache of a SPAN file: {UPGRADE.format(2)}"):
        _core.SpanFile.parse(with_version(content, 2), "c")
    with pytest.raises(mc.ParseError, match=r"c: .*: written as version 0; .* it is damaged"):
        _core.SpanFile.parse(with_version(content, 0), "c")
    # A version that the sum at the end does not know of is damage.
    with pytest.raises(mc.ParseError, match=r"c: not a usable cache \(its checksum differs"):
        _core.SpanFile.parse(content[:8] + b"\x02" + content[9:], "c")
    for cut in range(9, len(content)):
        with pytest.raises(mc.ParseError, match="c: not a usable cache"):
            _core.SpanFile.parse(content[:cut], "c")


def test_a_golden_recording_is_what_it_was() -> None:
    [snapshot] = read_recording(FOLDER / "recordings/recording.csv")
    assert snapshot.vol == {"BTC-22JAN27-90000-C": 0.5, "BTC-22JAN27-90000-P": 0.51}
    # A delta of one half says that the forward is the strike less half the variance, in logarithms.
    assert snapshot.spot == pytest.approx(90_000.0 * math.exp(-0.125), rel=1e-12)


def test_the_table_of_formats_names_every_kind_of_file() -> None:
    text = (FOLDER.parents[2] / "docs/versioning.md").read_text(encoding="utf-8")
    folders = {place.split("/")[0] for place in PLACES}
    assert folders == set(re.findall(r"`tests/data/golden/(\w+)`", text))
