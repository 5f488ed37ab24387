"""Every worked case within its own tolerance."""

from __future__ import annotations

import pytest

from .cases import CannotRun, Case, Tally, known_differences

KNOWN = known_differences()


def test_case(case: Case, tallies: dict[str, Tally]) -> None:
    tally = tallies.setdefault(case.family, Tally())
    if case.not_covered:
        remark = f"not covered yet: {case.not_covered}"
        if remark not in tally.remarks:
            tally.remarks.append(remark)
        pytest.skip(remark)
    tally.entries += 1
    if case.run is None or case.entry is None:
        tally.failed += 1
        pytest.fail(case.broken, pytrace=False)
    if not case.entry.is_oracle:
        tally.not_oracle += 1
        tally.remarks.append(f"{case.id}: no oracle ({case.entry.why_not or 'no reason given'}); {_attempt(case)}")
        pytest.skip("reported, not counted: the case is no oracle")
    try:
        checks = case.run()
        assert checks, f"{case.id}: the adapter checked nothing"
    except Exception:
        if case.id in KNOWN:
            _known(case, tally)
        tally.failed += 1
        raise
    wrong = [str(check) for check in checks if not check.passed]
    if wrong and case.id in KNOWN:
        _known(case, tally)
    if wrong:
        tally.failed += 1
        pytest.fail("\n".join([case.id, *wrong]), pytrace=False)
    if case.id in KNOWN:
        tally.failed += 1
        pytest.fail(f"{case.id} passes: remove it from known_differences.toml", pytrace=False)
    tally.passed += 1
    tally.largest_error = max([tally.largest_error, *(check.relative_error for check in checks)])


def _known(case: Case, tally: Tally) -> None:
    tally.known += 1
    tally.remarks.append(f"{case.id}: known to differ: {KNOWN[case.id]}")
    pytest.skip(f"known to differ: {KNOWN[case.id]}")


def _attempt(case: Case) -> str:
    """What a case that is no oracle gives, for the report only."""
    assert case.run is not None
    try:
        checks = case.run()
        wrong = [str(check) for check in checks if not check.passed]
        return "; ".join([f"{len(checks) - len(wrong)} of {len(checks)} numbers met", *wrong])
    except CannotRun as reason:
        return f"not run: {reason}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
