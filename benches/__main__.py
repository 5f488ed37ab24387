"""``python -m benches``: every benchmark with its goals, as a Markdown table or as JSON lines; then the errors."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import platform
import sys
from pathlib import Path

import benches
from benches import accuracy
from benches.measure import Bench, Row, markdown, rows

ACCURACY = "accuracy"


def engine() -> tuple[str, str]:
    """SIMD level and build of the installed engine; refuses a debug build, whose times mean nothing."""
    try:
        import margincore
    except ImportError as error:
        raise SystemExit(f"margincore is not installed here ({error}): build the optimised wheel first") from error
    info = margincore.build_info()
    if info["profile"] != "release":
        raise SystemExit(
            f"the installed engine is a {info['profile']} build: times would mean nothing.\n"
            "hint: maturin develop --release"
        )
    return info["simd"], f"{info['version']}-{info['profile']}"


def modules(only: list[str]) -> list[str]:
    """The names of the benchmark modules, all of them or those asked for."""
    names = sorted(m.name for m in pkgutil.iter_modules(benches.__path__) if m.name.startswith("bench_"))
    if not only:
        return names
    wanted = [name if name.startswith("bench_") else f"bench_{name}" for name in only if name != ACCURACY]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise SystemExit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names)}")
    return wanted


def declared(name: str) -> tuple[Bench, ...]:
    """The benchmarks of one module."""
    found: tuple[Bench, ...] = importlib.import_module(f"benches.{name}").BENCHES
    return found


def machine() -> str:
    """The processor the times were taken on, where the system says."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    for line in text.splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main() -> None:
    """Runs the benchmarks named on the command line, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("bench", nargs="*", help="modules to run, such as tims, or accuracy (default: all)")
    parser.add_argument("--json", metavar="FILE", help="also write one JSON object per line to FILE")
    arguments = parser.parse_args()
    simd, build = engine()
    found: list[Row] = []
    for name in modules(arguments.bench):
        print(name, file=sys.stderr)
        for row in (row for bench in declared(name) for row in rows(bench)):
            print(f"  {row.bench}: {row.peer or 'no peer'}", file=sys.stderr)
            found.append(row)
    print(f"margincore {build}, {simd}, Python {platform.python_version()}, {machine()}\n")
    if found:
        print(f"{markdown(found)}\n")
    if not arguments.bench or ACCURACY in arguments.bench:
        print(ACCURACY, file=sys.stderr)
        print(accuracy.markdown(accuracy.figures()))
    if arguments.json:
        Path(arguments.json).write_text("".join(row.to_json(simd, build) + "\n" for row in found), encoding="utf-8")


if __name__ == "__main__":
    main()
