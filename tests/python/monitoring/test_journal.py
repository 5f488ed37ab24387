"""The journal under faults: what was acknowledged is there, in its order, and what is not there is told."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faults import DEATHS, FAULTS, Disk, Fault

import margincore as mc
from margincore.monitoring import Journal

GOLDEN = (
    b'3fccc7dce9f7b0c85d95fd70dbc476324231e09730723d5b2e6e2c9ca9185ddd {"n":1}\n'
    b'2427c0deb9706511acfc15b0643926b4a9dbc9448af356c273b78dd653352881 {"text":"Z\\u00fcrich \\ud83c\\udfe6\\n",'
    b'"x":[0.1,-2e-300,null,true]}\n'
    b"f5de1c8994e427c4de712a026c50723a250bbcfc712a82709ee0e96106163c79 {}\n"
)
"""A journal of the first version."""

RECORDS: list[dict[str, Any]] = [{"n": 1}, {"text": "Zürich 🏦\n", "x": [0.1, -2e-300, None, True]}, {}]


def read(path: Path) -> list[dict[str, Any]]:
    with Journal(path, sync=False) as journal:
        return list(journal.records)


def put(path: Path, content: bytes) -> None:
    """A new file: writing over the old one would wait for the disk."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def numbers(count: int) -> list[dict[str, Any]]:
    return [{"n": n} for n in range(1, count + 1)]


def day(path: Path, tell: Callable[[int], object] = lambda _: None, made: list[Journal] | None = None) -> None:
    """Six records, the journal opened twice; `tell` hears of each that was acknowledged."""
    for first in (1, 4):
        with Journal(path) as journal:
            if made is not None:
                made.append(journal)
            for n in range(first, first + 3):
                tell(journal.append({"n": n}))


OPENING = ["open", "seek", "write", "truncate", "fsync", "open", "fsync directory"]
CALLS = [*OPENING, *["write", "fsync"] * 3] * 2
"""What a day asks of the system."""


# ---- the format


def test_a_journal_of_the_first_version_opens_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(GOLDEN)
    with Journal(path, at_least=3) as journal:
        assert list(journal.records) == RECORDS
        assert (journal.count, journal.length, journal.removed) == (3, len(GOLDEN), 0)
        assert journal.append({"n": 4}) == 4
    assert path.read_bytes().startswith(GOLDEN)
    assert read(path) == [*RECORDS, {"n": 4}]


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        for record in RECORDS:
            journal.append(record)
    assert "Zürich 🏦" in (tmp_path / "j").read_text(encoding="utf-8")
    assert read(tmp_path / "j") == RECORDS


def test_a_journal_cut_at_any_byte_opens_with_a_prefix_and_tells(tmp_path: Path) -> None:
    ends = [0, *itertools.accumulate(len(line) for line in GOLDEN.splitlines(keepends=True))]
    path = tmp_path / "j"
    for cut in range(len(GOLDEN) + 1):
        # Without its newline only, a record is whole.
        count = sum(end <= cut + 1 for end in ends[1:])
        put(path, GOLDEN[:cut])
        with pytest.raises(mc.ParseError, match=rf"j: {count} records, and at least {count + 1} are asked for"):
            Journal(path, sync=False, at_least=count + 1)
        assert path.read_bytes() == GOLDEN[:cut]
        with Journal(path, sync=False, at_least=count) as journal:
            assert list(journal.records) == RECORDS[:count]
            assert (journal.count, journal.length) == (count, ends[count])
            assert journal.removed == max(0, cut - ends[count])
            assert path.read_bytes() == GOLDEN[: ends[count]]
            for record in RECORDS[count:]:
                journal.append(record)
        assert read(path) == RECORDS


def test_any_byte_changed_is_refused_or_told(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for at, bit in itertools.product(range(len(GOLDEN)), range(8)):
        damaged = bytearray(GOLDEN)
        damaged[at] ^= 1 << bit
        put(path, damaged)
        if at < len(GOLDEN) - 1:
            with pytest.raises(mc.ParseError, match="j: byte "):
                Journal(path, sync=False)
            continue
        # Without the last newline, the last record is taken for one cut short.
        with Journal(path, sync=False) as journal:
            assert list(journal.records) == RECORDS[:2]
            assert (journal.count, journal.removed) == (2, len(GOLDEN.splitlines()[2]) + 1)


def test_records_cut_off_while_the_journal_is_open_are_missed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(GOLDEN)
    with Journal(path) as journal:
        path.write_bytes(GOLDEN[:73])
        with pytest.raises(mc.ParseError, match="1 of 3 records are left"):
            list(journal.records)


# ---- what is refused, with nothing written


def loop() -> dict[str, Any]:
    record: dict[str, Any] = {}
    record["own"] = [record]
    return record


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"a": {"b": [1.0, float("nan")]}}, "a.b.1 is nan, not a finite number"),
        ({"a": -float("inf")}, "a is -inf, not a finite number"),
        ({"a": "x\ud800"}, r"a is 'x\\ud800', not Unicode text"),
        ({"a": {"\udfff": 1}}, r"a key of a is '\\udfff', not Unicode text"),
        ({"a": {1, 2}}, "a is of the type set, which JSON does not have"),
        ({b"a": 1}, "a key of the record is of the type bytes"),
        ({(1, 2): 1}, "a tuple as a key"),
        (loop(), "holds itself"),
        ({"a": 10**5000}, "a whole number too long"),
    ],
)
def test_what_is_not_json_is_named_and_changes_nothing(tmp_path: Path, record: dict[str, Any], words: str) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.append({"n": 1})
        with pytest.raises(mc.InvalidInput, match=rf"j: .*{words}"):
            journal.append(record)
        assert (tmp_path / "j").stat().st_size == journal.length
        assert journal.append({"n": 2}) == 2
    assert read(tmp_path / "j") == numbers(2)


def test_a_second_writer_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    with Journal(tmp_path / "j"), pytest.raises(mc.InvalidInput, match="j: the journal has another writer"):
        Journal(tmp_path / "j")
    Journal(tmp_path / "j").close()


def test_a_closed_journal_takes_no_record_and_can_be_read(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.append({"n": 1})
    with pytest.raises(mc.CalculationError, match="j: the journal is closed: open it again"):
        journal.append({"n": 2})
    assert list(journal.records) == numbers(1)


def test_what_is_no_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        Journal(tmp_path)
    assert caught.value.filename == str(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Journal(tmp_path / "nowhere" / "j")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is permitted to this user")
def test_a_file_that_may_not_be_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "j").touch(0o400)
    with pytest.raises(PermissionError, match="j'"):
        Journal(tmp_path / "j")


# ---- faults in every call


def test_the_name_of_the_file_is_on_disk_before_any_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    day(tmp_path / "j")
    assert disk.calls == CALLS
    disk.calls.clear()
    with Journal(tmp_path / "quick", sync=False) as journal:
        journal.append({})
    assert disk.calls == ["open", "seek", "write", "truncate", "write"]


@pytest.mark.parametrize("kind", FAULTS)
def test_after_a_fault_in_any_call_no_record_is_taken_and_none_is_lost(tmp_path: Path, kind: str) -> None:
    fault, error = FAULTS[kind]
    for at, name in enumerate(CALLS):
        path = tmp_path / f"{at}"
        acknowledged: list[int] = []
        made: list[Journal] = []
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, at, fault)
            with pytest.raises(error) as caught:
                day(path, acknowledged.append, made)
        if isinstance(caught.value, OSError) and name != "open":
            assert caught.value.filename == str(path)
        appending = at % (len(CALLS) // 2) >= len(OPENING)
        count = len(acknowledged)
        assert acknowledged == list(range(1, count + 1))
        for journal in made[-1:]:
            how = "failed at an earlier record" if appending else "is closed"
            with pytest.raises(mc.CalculationError, match=f"{at}: the journal {how}: open it again") as refused:
                journal.append({"n": count + 1})
            assert refused.value.__cause__ is (caught.value if appending else None)
            assert journal.count == count
            assert list(journal.records) == numbers(count)
            journal.close()
        with Journal(path, at_least=count) as journal:
            found = list(journal.records)
            assert found in (numbers(count), numbers(count + appending))
            assert journal.append({"n": len(found) + 1}) == len(found) + 1
        assert read(path) == numbers(len(found) + 1)


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit on the size of a file here")
def test_a_limit_on_the_size_of_a_file_is_a_failure(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.append({"n": 1})
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (journal.length + 30, hard))
            with pytest.raises(OSError, match=r"30 of 73 bytes written: .*j'"):
                journal.append({"n": 2})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with pytest.raises(mc.CalculationError, match="open it again"):
            journal.append({"n": 3})
    with Journal(path) as journal:
        assert (journal.count, journal.removed) == (1, 30)
        journal.append({"n": 2})
    assert read(path) == numbers(2)


def test_a_reader_sees_only_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "j"
    seen: list[list[dict[str, Any]]] = []

    def watch(name: str, do: Callable[..., Any], *args: Any) -> Any:
        # Half of the line, then all of it, neither acknowledged.
        half = len(args[0]) // 2
        written = do(args[0][:half])
        seen.append(list(journal.records))
        written += do(args[0][half:])
        seen.append(list(journal.records))
        return written

    with pytest.MonkeyPatch.context() as patch:
        Disk(patch, len(OPENING) + 4, watch)
        with Journal(path) as journal:
            begun = []
            for n in range(1, 5):
                begun.append(iter(journal.records))
                next(begun[-1], None)
                journal.append({"n": n})
            assert seen == [numbers(2)] * 2
            assert [len(list(rest)) for rest in begun] == [0, 0, 1, 2]
            assert list(journal.records) == numbers(4)


def test_a_reader_in_another_thread_sees_only_whole_records(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", sync=False) as journal:
        writer = threading.Thread(target=lambda: [journal.append({"n": n}) for n in range(1, 501)])
        writer.start()
        while writer.is_alive():
            before = journal.count
            found = list(journal.records)
            assert found == numbers(len(found))
            assert before <= len(found) <= journal.count
        writer.join()
        assert list(journal.records) == numbers(500)


# ---- deaths


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("death", DEATHS)
def test_killed_at_any_call_what_was_acknowledged_is_there(tmp_path: Path, death: Fault) -> None:
    for at in range(len(CALLS)):
        path = tmp_path / f"{at}"
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with pytest.MonkeyPatch.context() as patch:
                    Disk(patch, at, death)
                    day(path, lambda n, pipe=theirs: os.write(pipe, bytes([n])))  # type: ignore[misc]
            finally:
                os._exit(1)
        os.close(theirs)
        with open(ours, "rb") as pipe:
            acknowledged = list(pipe.read())
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        count = len(acknowledged)
        assert acknowledged == list(range(1, count + 1))
        with Journal(path, at_least=count) as journal:
            found = list(journal.records)
            assert found in (numbers(count), numbers(count + 1))
            journal.append({"n": len(found) + 1})
        assert read(path) == numbers(len(found) + 1)


class Crash(BaseException):
    """The power is gone."""


class Platter(Disk):
    """A disk with a cache: only what a sync that succeeded has written is sure to outlive a loss of power.

    Of what was written since, any beginning may. What a failed sync was about to write is lost, though it can still be
    read until then: the system counts it as written.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path, rng: random.Random) -> None:
        super().__init__(monkeypatch)
        self.path, self.rng = path, rng
        self.stable, self.named = bytearray(), False
        self.pending: list[tuple[int, bytes | None]] = []  # without bytes: cut there
        self.position, self.faults = 0, True
        self.lost = 0

    def call(self, name: str, do: Callable[..., Any], *args: Any) -> Any:
        if not self.faults:
            return do(*args)
        if self.rng.random() < 0.04:
            raise Crash
        if name.startswith("fsync") and self.rng.random() < 0.2:
            self.lost += sum(len(data or b"") for _, data in self.pending)
            self.pending.clear()
            raise OSError(5, "injected")
        if name == "write" and self.rng.random() < 0.1:
            args = (args[0][: self.rng.randrange(len(args[0]) + 1)],)
        answer = do(*args)
        match name:
            case "seek":
                self.position = answer
            case "write":
                self.pending.append((self.position, args[0]))
                self.position += len(args[0])
            case "truncate":
                self.pending.append((answer, None))
            case "fsync":
                self.stable = self.after(self.pending)
                self.pending.clear()
            case "fsync directory":
                self.named = True
        if self.rng.random() < 0.04:
            raise Crash
        return answer

    def after(self, operations: list[tuple[int, bytes | None]]) -> bytearray:
        content = bytearray(self.stable)
        for at, data in operations:
            end = at if data is None else at + len(data)
            content.extend(bytes(max(0, end - len(content))))
            if data is None:
                del content[at:]
            else:
                content[at:end] = data
        return content

    def states(self) -> Iterator[bytes]:
        """Everything the file may be after a loss of power now."""
        for whole in range(len(self.pending) + 1):
            yield bytes(self.after(self.pending[:whole]))
            for at, data in self.pending[whole : whole + 1]:
                for cut in range(1, len(data or b"")):
                    yield bytes(self.after([*self.pending[:whole], (at, (data or b"")[:cut])]))

    def crash(self) -> None:
        """One of them; the cache is gone."""
        content = self.rng.choice(sorted(set(self.states())))
        put(self.path, content)
        if not self.named and self.rng.random() < 0.5:
            self.path.unlink()
        self.pending.clear()
        self.stable = bytearray(content)


def check_every_state(disk: Platter, known: int) -> None:
    """Whatever is left of the unsynced writes, what was acknowledged is there and the file opens."""
    assert disk.named or known == 0
    disk.faults = False
    left = disk.path.with_name("left")
    for content in set(disk.states()):
        put(left, content)
        assert read(left) in (numbers(known), numbers(known + 1))
    disk.faults = True


def test_whatever_a_loss_of_power_leaves_holds_what_was_acknowledged(tmp_path: Path) -> None:
    lost = crashes = failures = records = 0
    for seed in range(25):
        path = tmp_path / f"{seed}" / "j"
        path.parent.mkdir()
        known = 0  # acknowledged, or told when the journal was opened
        with pytest.MonkeyPatch.context() as patch:
            disk = Platter(patch, path, random.Random(seed))
            for _ in range(12):
                try:
                    with Journal(path, at_least=known) as journal:
                        assert list(journal.records) in (numbers(known), numbers(known + 1))
                        known = journal.count
                        for _ in range(4):
                            known = journal.append({"n": known + 1})
                            records += 1
                except OSError:
                    failures += 1
                    check_every_state(disk, known)
                except Crash:
                    crashes += 1
                    check_every_state(disk, known)
                    disk.crash()
            lost += disk.lost
    # Every kind of fault has come, many times.
    assert min(lost, crashes, failures, records) > 50, (lost, crashes, failures, records)


# ---- faults of the system's own making

CHILD = """
import sys
from margincore import CalculationError
from margincore.monitoring import Journal
try:
    with Journal(sys.argv[1]) as journal:
        for n in range(1, 5):
            try:
                journal.append({"n": n})
                print(n, flush=True)
            except OSError as error:
                print(error.strerror, error.filename == sys.argv[1], flush=True)
            except CalculationError as error:
                print("refused", type(error.__cause__).__name__, flush=True)
except OSError as error:
    print(error.strerror, error.filename == sys.argv[1], flush=True)
"""


def traced(path: Path, inject: str) -> list[str]:
    """What the child says while the calls on its journal, or its directory, fail."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    if subprocess.run([strace, "-f", "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")
    path.touch()
    only = ["-P", str(path), "-P", str(path.parent)]
    command = [strace, "-f", "-o", os.devnull, *only, "-e", f"trace={inject.split(':')[0]}", "-e", f"inject={inject}"]
    answer = subprocess.run(
        [*command, sys.executable, "-c", CHILD, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout.splitlines()


@pytest.mark.parametrize(
    ("inject", "acknowledged", "error"),
    [
        ("fsync:error=EIO:when=1", None, "Input/output error True"),  # the file, when it is opened
        ("fsync:error=EIO:when=2", None, "Input/output error True"),  # its directory
        ("fsync:error=EIO:when=3", 0, "Input/output error True"),
        ("fsync:error=EIO:when=5", 2, "Input/output error True"),
        ("write:error=ENOSPC:when=2", 0, "No space left on device True"),
        ("write:error=ENOSPC:when=4", 2, "No space left on device True"),
        ("write:retval=30:when=4", 2, "30 of 73 bytes written True"),
    ],
)
def test_a_call_that_the_system_fails(tmp_path: Path, inject: str, acknowledged: int | None, error: str) -> None:
    path = tmp_path / "j"
    said = traced(path, inject)
    if acknowledged is None:
        assert said == [error]
    else:
        told = [str(n) for n in range(1, acknowledged + 1)]
        assert said == [*told, error, *["refused OSError"] * (3 - acknowledged)]
    count = acknowledged or 0
    assert read(path) in (numbers(count), numbers(count + inject.startswith("fsync")))
