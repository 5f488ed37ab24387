"""Runs each engine's tests in its own environment, and compares their manifests: ``python -m tests.engines.run``.

`make engines` makes the environments, ``.venv-ENGINE`` beside ``.venv``. One that is not there (no network, no Java) is
named at the end; where ``CI`` is set or ``MARGINCORE_ENGINES`` is ``required``, as `.ci/run` sets it, it is a failure.
Needs nothing but Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def absent(engine: str) -> str | None:
    """Why an engine cannot be run; `None` where it can."""
    if not (ROOT / f".venv-{engine}" / "installed").exists():
        return f"tests/engines/requirements/{engine}.txt could not be installed"
    if engine == "spark" and shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "there is no Java"
    return None


def tested(engine: str, manifest: Path) -> bool:
    """Whether an engine's tests pass. They leave the manifest of their files of accounts."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tests"),  # workers of an engine import what tests ship to them
        "PYTHONSAFEPATH": "1",
        "MARGINCORE_ENGINES_MANIFEST": str(manifest),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    python = ROOT / f".venv-{engine}" / "bin" / "python"
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", "--durations=3", f"tests/engines/test_{engine}.py"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main(engines: list[str]) -> int:
    """Says of each engine how it went; 1 where a test failed, manifests differ, or CI lacks an engine."""
    lines, wrong, manifests = [], False, {}
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            if reason := absent(engine):
                lines.append(f"{engine:8} ABSENT: {reason}")
                wrong |= bool(os.environ.get("CI")) or os.environ.get("MARGINCORE_ENGINES") == "required"
                continue
            start, manifest = time.monotonic(), Path(folder, engine)
            passed = tested(engine, manifest)
            lines.append(f"{engine:8} {'passed' if passed else 'FAILED'} in {time.monotonic() - start:.0f} s")
            wrong |= not passed
            if passed:
                manifests[engine] = manifest.read_bytes()
    print("\n".join(lines))
    if len(set(manifests.values())) > 1:
        print(f"manifests differ between {', '.join(manifests)}")
        wrong = True
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
