"""Who may import whom in the package: the contracts of pyproject.toml hold, and a breach of each is found."""

from __future__ import annotations

import ast
import graphlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import margincore as mc

PACKAGE = Path(mc.__file__).parent
CONTRACTS = Path(__file__).resolve().parents[3] / "pyproject.toml"
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """The linter's verdict on the package in a folder."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo", str(CONTRACTS)],
        capture_output=True, text=True, check=False, timeout=120, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("margincore", cache_dir=None)


def test_the_contracts_hold() -> None:
    verdict = lint(PACKAGE.parent)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert "3 kept, 0 broken" in verdict.stdout


@pytest.mark.parametrize(
    ("file", "planted", "broken"),
    [
        ("monitoring/events.py", "from margincore.monitoring.monitor import Monitor", {"no circle"}),
        ("methods/base.py", "from margincore.methods.tims import Tims", {"no circle"}),
        ("methods/span.py", "from margincore.importers.span import lot_sizes", {"layers", "no circle"}),
        ("engine.py", "from margincore.portfolio import Stock", {"layers"}),
        ("reference/tims.py", "from margincore.pricing import price", {"layers", "reference"}),
    ],
)
@pytest.mark.parametrize("lazily", [False, True])
def test_a_planted_import_breaks_them(tmp_path: Path, file: str, planted: str, broken: set[str], lazily: bool) -> None:
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "margincore", ignore=ignored)
    path = tmp_path / "margincore" / file
    planted = f"\n\ndef planted():\n    {planted}\n" if lazily else f"\n\n{planted}\n"
    path.write_text(path.read_text(encoding="utf-8") + planted, encoding="utf-8")
    verdict = lint(tmp_path)
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert {name for name in ("layers", "no circle", "reference") if f"{name} BROKEN" in verdict.stdout} == broken


def test_no_file_imports_in_a_circle(graph: grimp.ImportGraph) -> None:
    """Packages' own files too, which are no siblings of what is in them; the root is looked at below."""
    modules = graph.modules - {"margincore"}
    graphlib.TopologicalSorter({m: graph.find_modules_directly_imported_by(m) & modules for m in modules}).prepare()


def test_nothing_imports_the_package_itself_but_for_its_engine(graph: grimp.ImportGraph) -> None:
    """Whatever the package has as an attribute could come in that way, from above."""
    for module in graph.find_modules_that_directly_import("margincore"):
        for found in graph.get_import_details(importer=module, imported="margincore"):
            assert found["line_contents"] == "from margincore import _core", found


def test_the_reference_engines_take_two_errors_from_the_engine_and_nothing_else() -> None:
    taken = set()
    for path in (PACKAGE / "reference").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [n.name for n in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [f"{node.module}.{n.name}" for n in node.names]
            taken |= {m for m in modules if m.startswith("margincore") and not m.startswith("margincore.reference")}
    assert taken == {"margincore._core.ParseError", "margincore._core.Unsupported"}
