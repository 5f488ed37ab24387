"""One test per case, and the table at the end."""

from __future__ import annotations

import pytest

from .cases import Case, Tally, cases_folder, collect, table

TALLIES = pytest.StashKey[dict[str, Tally]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLIES] = {}


@pytest.fixture
def tallies(request: pytest.FixtureRequest) -> dict[str, Tally]:
    """The counts of this run, by family."""
    return request.config.stash[TALLIES]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    folder = cases_folder()
    if not folder.is_dir():
        skip = pytest.mark.skip(reason=f"no worked cases at {folder}: set MARGINCORE_CASES to their folder")
        metafunc.parametrize("case", [pytest.param(None, id="no-cases", marks=skip)])
        return
    found: list[Case] = list(collect(folder))
    metafunc.parametrize("case", [pytest.param(case, id=f"{case.family}/{case.id}") for case in found])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tallies = config.stash.get(TALLIES, {})
    if tallies:
        terminalreporter.section("conformance")
        for line in table(tallies):
            terminalreporter.write_line(line)
