"""``pytest benches``: the benchmarks of the table under pytest-benchmark, a test per candidate, a group per benchmark.

Results are checked equal before anything is timed: candidates that differ from ours fail, those that are not installed
are skipped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benches.__main__ import declared, engine, modules
from benches.measure import OURS, Case, Median, Unavailable, clock, on_the_clock

BENCHES = {bench.name: bench for module in modules([]) for bench in declared(module)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "candidate" in metafunc.fixturenames:
        pairs = [(name, candidate) for name, bench in BENCHES.items() for candidate in (OURS, *bench.peers)]
        metafunc.parametrize(("bench", "candidate"), pairs)


@pytest.fixture(scope="module")
def opened() -> Iterator[Callable[[str], Case]]:
    """Opens a benchmark when the first of its candidates asks, and closes it when another's does.

    It is called by the test, which fails where results differ; a parametrised fixture would fail in its set-up.
    """
    current: dict[str, Case] = {}
    with contextlib.ExitStack() as stack:

        def open_(name: str) -> Case:
            if name not in current:
                current.clear()
                stack.close()
                current[name] = stack.enter_context(BENCHES[name].opened())
            return current[name]

        yield open_


@pytest.fixture(scope="session")
def build() -> dict[str, str]:
    """What is timed; a debug build is not."""
    return dict(zip(("simd", "build"), engine(), strict=True))


def test_names_are_unique() -> None:
    names = [bench.name for module in modules([]) for bench in declared(module)]
    assert sorted(names) == sorted(BENCHES)


@pytest.mark.benchmark(timer=clock)
def test_speed(
    bench: str,
    candidate: str,
    opened: Callable[[str], Case],
    build: dict[str, str],
    benchmark: BenchmarkFixture,
) -> None:
    try:
        case = opened(bench)
    except Unavailable as reason:
        pytest.skip(f"{candidate}: {reason}")
    if (absent := case.absent.get(candidate)) is not None:
        if isinstance(absent, AssertionError):
            raise absent
        pytest.skip(f"{candidate}: {absent}")
    call = case.calls[candidate]
    items = case.sizes.get(candidate, case.n) * (call.inputs if isinstance(call, Median) else 1)
    benchmark.group, benchmark.name = bench, candidate
    benchmark.extra_info.update(items=items, threads=case.threads, **build)
    if case.title:
        benchmark.extra_info["title"] = case.title
    benchmark(on_the_clock(call))
    if benchmark.stats is not None:  # None where --benchmark-disable has made the call once
        benchmark.extra_info["ns_per_item"] = benchmark.stats.stats.median * 1e9 / items
