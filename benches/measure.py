"""How everything here is measured, and the shape of one line of the result.

A module ``benches/bench_NAME.py`` declares its benchmarks in ``BENCHES``. Each has a name, a generator that makes the
inputs, sees to it that ours and the peers agree on them (:func:`check_equal`) and yields a :class:`Case`, and the names
of the peers, so that they are known before any input is made::

    from benches.measure import OURS, REFERENCE, Bench, Case, check_equal

    def one_account():
        calls = {OURS: lambda: prepared.margin(account), REFERENCE: lambda: tims.margin(...)}
        check_equal(...)
        yield Case(calls)

    BENCHES = (Bench("tims.margin 100 positions", one_account, REFERENCE),)

Two front ends run them: ``python -m benches``, whose repeats of all candidates are interleaved (:func:`rows`), and
``pytest benches``, a test of pytest-benchmark per candidate (``benches/test_speed.py``).

A goal goes with the peer it is stated against (``Case(..., goals={"NumPy": Goal(17)})``) and the table says whether it
is met.

Repeats are interleaved, so that a slow moment of a shared machine hits every candidate alike; the median of
the repeats is kept and every number is nanoseconds **per item** (``n`` items per call). Ratios are peer over
ours: above 1, ours is the faster one.
"""

from __future__ import annotations

import contextlib
import json
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

OURS = "ours"
REFERENCE = "margincore.reference"
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Goal:
    """What a row is to reach: a least ``ratio`` of the peer's time to ours, or at most so many ``ns`` per item.

    A goal to take at most 1.35 times a peer's time is a ratio of 1 / 1.35.

    >>> str(Goal(17)), str(Goal(1 / 1.35)), str(Goal(ns=45))
    ('≥ 17', '≥ 0.741 (1.35 × its time)', '≤ 45 ns')
    """

    ratio: float | None = None
    ns: float | None = None

    def __str__(self) -> str:
        if self.ns is not None:
            return f"≤ {readable(self.ns)}"
        assert self.ratio is not None
        return f"≥ {self.ratio:.3g}" + (f" ({1 / self.ratio:.3g} × its time)" if self.ratio < 1 else "")

    def met(self, row: Row) -> bool | None:
        """Whether the row reaches it; None where the row has no time."""
        if self.ns is not None:
            return None if row.ours_ns is None else row.ours_ns <= self.ns
        assert self.ratio is not None
        return None if row.ratio is None else row.ratio >= self.ratio


Goals = Mapping[str, Goal]
"""Goals by peer; the one under ``"ours"`` is in nanoseconds and stands in a row without a peer."""


class Unavailable(Exception):
    """What a benchmark or a peer needs is not here: a file, a second core."""


@dataclass
class Case:
    """A benchmark whose inputs are made: one call per candidate, all on the same inputs, of ``n`` items each.

    ``sizes`` has the items of candidates whose call handles others than ``n``, and ``absent`` why peers are not among
    the calls. The table calls it ``title`` where that says what the name cannot, such as what was found in a file, and
    times it with ``options`` (of :func:`interleaved`).
    """

    calls: dict[str, Callable[[], object]]
    n: int = 1
    threads: int = 1
    goals: Goals = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    absent: dict[str, Exception] = field(default_factory=dict)
    title: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @contextlib.contextmanager
    def optional(self, *peers: str) -> Iterator[None]:
        """Where peers are made and checked: what is not installed or computes something else is absent."""
        try:
            yield
        except (ImportError, OSError, Unavailable, AssertionError) as error:
            for peer in peers:
                self.calls.pop(peer, None)
                self.absent[peer] = error


class Bench:
    """A benchmark as it is declared: nothing is made before it is opened."""

    def __init__(self, name: str, make: Callable[[], Iterator[Case]], *peers: str) -> None:
        self.name, self.make, self.peers = name, make, peers

    @contextlib.contextmanager
    def opened(self) -> Iterator[Case]:
        """The case, while files and processes it needs are there.

        Raises ``Unavailable`` where something is missing that is no peer, ``AssertionError`` where results differ.
        """
        with contextlib.contextmanager(self.make)() as case:
            if (found := {*case.calls, *case.absent}) != (declared := {OURS, *self.peers}):
                raise ValueError(f"{self.name}: declared {sorted(declared)}, but the case has {sorted(found)}")
            yield case


@dataclass(frozen=True)
class Row:
    """One comparison: ours against one peer. A peer that could not be run has a reason and no time."""

    bench: str
    ours_ns: float | None
    peer: str | None
    peer_ns: float | None
    n: int
    threads: int = 1
    reason: str | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """Peer time over ours: 3.0 reads "three times as fast as this peer"."""
        if self.ours_ns is None or self.peer_ns is None:
            return None
        return self.peer_ns / self.ours_ns

    def to_json(self, simd: str, build: str) -> str:
        """One JSON object on one line, with the keys tools read; a missing peer has nulls and its reason."""
        line: dict[str, Any] = {
            "bench": self.bench,
            "ours_ns": self.ours_ns,
            "peer": self.peer,
            "peer_ns": self.peer_ns,
            "ratio": self.ratio,
            "n": self.n,
            "threads": self.threads,
            "simd": simd,
            "build": build,
        }
        if self.reason is not None:
            line["missing"] = self.reason
        if self.goal is not None:
            line |= {"goal": str(self.goal), "met": self.goal.met(self)}
        return json.dumps(line)


@dataclass(frozen=True)
class Timing:
    """What one candidate took, in nanoseconds per item."""

    median_ns: float
    best_ns: float
    repeats: int


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    *,
    n: int = 1,
    sizes: Mapping[str, int] = NOTHING,
    repeats: int = 15,
    batch_seconds: float = 0.01,
    slowest_seconds: float = 20.0,
) -> dict[str, Timing]:
    """Times every call in turn, round after round, and returns medians per item.

    ``n`` is the number of items one call handles, but for those that ``sizes`` names. Each call is repeated inside
    one timing until it lasts ``batch_seconds``; a call that would take longer than ``slowest_seconds`` over all rounds
    gets fewer rounds, never fewer than three (one where a single call lasts longer than that).
    """
    if n < 1:
        raise ValueError(f"interleaved: n is {n}: at least one item per call")
    loops: dict[str, int] = {}
    rounds: dict[str, int] = {}
    for name, call in calls.items():
        call()  # warm up: caches, lazy imports, page faults
        once = _seconds(call, 1)
        loops[name] = max(1, math.ceil(batch_seconds / max(once, 1e-9)))
        expected = once * loops[name]
        affordable = int(slowest_seconds / max(expected, 1e-9))
        rounds[name] = max(1 if expected > slowest_seconds else 3, min(repeats, affordable))
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(max(rounds.values(), default=0)):
        for name, call in calls.items():
            if turn < rounds[name]:
                samples[name].append(_seconds(call, loops[name]) / loops[name])
    items = {name: sizes.get(name, n) for name in calls}
    return {
        name: Timing(statistics.median(times) * 1e9 / items[name], min(times) * 1e9 / items[name], len(times))
        for name, times in samples.items()
    }


def compare(
    bench: str,
    calls: Mapping[str, Callable[[], object]],
    *,
    n: int = 1,
    threads: int = 1,
    goals: Goals = NOTHING,
    **options: Any,
) -> Iterator[Row]:
    """Times ``calls`` together, one of them named ``"ours"``, and yields one row per peer (or one alone)."""
    if OURS not in calls:
        raise ValueError(f"{bench}: one of the calls has to be named {OURS!r}; got {', '.join(calls)}")
    timings = interleaved(calls, n=n, **options)
    ours = timings.pop(OURS).median_ns
    if not timings or OURS in goals:
        yield Row(bench, ours, None, None, n, threads, goal=goals.get(OURS))
    for peer, timing in timings.items():
        yield Row(bench, ours, peer, timing.median_ns, n, threads, goal=goals.get(peer))


def rows(bench: Bench) -> Iterator[Row]:
    """The lines of the table for one benchmark: what is not here first, then the times."""
    with contextlib.ExitStack() as stack:
        try:
            case = stack.enter_context(bench.opened())
        except Unavailable as error:
            yield from (missing(bench.name, peer, str(error)) for peer in bench.peers or ("itself",))
            return
        title, shared = case.title or bench.name, {"n": case.n, "threads": case.threads, "goals": case.goals}
        yield from (missing(title, peer, str(error), **shared) for peer, error in case.absent.items())
        yield from compare(title, case.calls, **shared, sizes=case.sizes, **case.options)


def missing(bench: str, peer: str, reason: str, *, n: int = 1, threads: int = 1, goals: Goals = NOTHING) -> Row:
    """A peer that could not be run here, with the reason: it is named in the table, never left out."""
    return Row(bench, None, peer, None, n, threads, reason, goals.get(peer))


def check_equal(bench: str, ours: Iterable[float], peer: Iterable[float], *, rel: float, abs_: float = 0.0) -> None:
    """Refuses to time two candidates that do not compute the same thing.

    Raises ``AssertionError`` naming the first item that differs by more than ``rel`` (relative) and ``abs_``.
    """
    a, b = [float(x) for x in ours], [float(x) for x in peer]
    if len(a) != len(b):
        raise AssertionError(f"{bench}: {len(a)} results of ours against {len(b)} of the peer")
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if not abs(x - y) <= max(abs_, rel * max(abs(x), abs(y))):
            raise AssertionError(f"{bench}: item {i}: ours {x!r}, peer {y!r}: not the same calculation")


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| bench | n | threads | ours | peer | peer's | peer / ours | goal | met |",
        "|---|---:|---:|---:|---|---:|---:|---|---|",
    ]
    for row in rows:
        goal = "" if row.goal is None else str(row.goal)
        verdict = "" if row.goal is None else {True: "yes", False: "**no**", None: "not measured"}[row.goal.met(row)]
        if row.reason is not None:
            lines.append(f"| {row.bench} | | | | {row.peer} | missing: {row.reason} | | {goal} | {verdict} |")
            continue
        ratio = "" if row.ratio is None else f"{row.ratio:,.3g}"
        peer_time = "" if row.peer_ns is None else readable(row.peer_ns)
        ours = "" if row.ours_ns is None else readable(row.ours_ns)
        cells = (row.bench, f"{row.n:,}", row.threads, ours, row.peer or "", peer_time, ratio, goal, verdict)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def readable(ns: float) -> str:
    """Nanoseconds with three digits and a fitting unit.

    >>> readable(12.34), readable(56_700.0), readable(3.2e9)
    ('12.3 ns', '56.7 µs', '3.2 s')
    """
    for limit, unit in ((1e3, "ns"), (1e6, "µs"), (1e9, "ms")):
        if ns < limit:
            return f"{ns / (limit / 1e3):.3g} {unit}"
    return f"{ns / 1e9:.3g} s"


class Repeated:
    """A call made `times` times: a peer that takes one scenario after the other."""

    def __init__(self, call: Callable[[], object], times: int) -> None:
        self._call, self._times = call, times

    def seconds(self, loops: int) -> float:
        return _seconds(self._call, loops * self._times)

    def __call__(self) -> None:
        self.seconds(1)


class Median:
    """Calls made in turn, of which the median is the time: different `inputs`, some of which take far longer."""

    def __init__(self, calls: Iterable[Callable[[], object]]) -> None:
        self._calls = list(calls)
        self.inputs = len(self._calls)

    def seconds(self, loops: int) -> float:
        return statistics.median(_seconds(call, loops) for call in self._calls)

    def __call__(self) -> None:
        self.seconds(1)


_left_out = 0.0


def clock() -> float:
    """Seconds that a stopwatch around :func:`on_the_clock` calls sees."""
    return time.perf_counter() - _left_out


def on_the_clock(call: Callable[[], object]) -> Callable[[], object]:
    """The call as the clock is to see it: one that times itself takes as long as it says.

    But for a :class:`Median`, whose calls all count: who runs it for a while would else run it far longer.
    """
    timed = getattr(call, "seconds", None)
    if timed is None or isinstance(call, Median):
        return call

    def run() -> None:
        global _left_out
        start = time.perf_counter()
        own = timed(1)
        _left_out += time.perf_counter() - start - own

    return run


def _seconds(call: Callable[[], object], loops: int) -> float:
    # A candidate in another process times itself.
    if timed := getattr(call, "seconds", None):
        return float(timed(loops))
    start = time.perf_counter()
    for _ in range(loops):
        call()
    return time.perf_counter() - start
