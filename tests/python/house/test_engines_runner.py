"""An engine that is not there is named, and is a failure in CI; the docs' recipes are Python that pages run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

run = pytest.importorskip("engines.run", reason="the tests are not part of the wheel")


@pytest.mark.parametrize(("variables", "code"), [({}, 0), ({"CI": "true"}, 1), ({"MARGINCORE_ENGINES": "required"}, 1)])
def test_an_absent_engine_is_named(
    variables: dict[str, str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(run, "ROOT", tmp_path)
    for name in ("CI", "MARGINCORE_ENGINES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run.main(["frames", "spark"]) == code
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in said] == [["frames", "ABSENT:"], ["spark", "ABSENT:"]]


def test_manifests_that_differ_are_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = iter([b"one", b"one", b"one", b"two"])

    def tested(engine: str, manifest: Path) -> bool:
        return bool(manifest.write_bytes(next(texts)))

    monkeypatch.setattr(run, "absent", lambda engine: None)
    monkeypatch.setattr(run, "tested", tested)
    assert run.main(["ray", "spark"]) == 0
    assert run.main(["ray", "spark"]) == 1


def test_every_recipe_of_a_page_is_run_by_a_test() -> None:
    folder = run.ROOT / "tests" / "engines"
    for page, tests in {"spark": ("spark", "sail"), "ray": ("ray",)}.items():
        text = (run.ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        code = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
        recipes = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
        used = "".join((folder / f"test_{test}.py").read_text(encoding="utf-8") for test in tests)
        assert [name for name in recipes if f'"{name}"' not in used] == []
