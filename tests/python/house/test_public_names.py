"""One map of the package: every feature is an attribute of it, and the heavy ones wait until they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import margincore as mc


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_every_name_of_the_map_is_there_and_is_listed() -> None:
    assert set(mc.__all__) <= set(dir(mc))
    assert [name for name in mc.__all__ if not hasattr(mc, name)] == []
    for room in (mc.analysis, mc.crypto, mc.importers, mc.monitoring, mc.reference):
        assert [name for name in room.__all__ if not hasattr(room, name)] == []


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("plot", "margincore.analysis.plot"),
        ("questions", "margincore.analysis.questions"),
        ("attribution", "margincore.analysis.attribution"),
        ("backtest", "margincore.analysis.backtest"),
        ("intraday", "margincore.analysis.intraday"),
        ("quotes", "margincore.pricing.quotes"),
        ("crypto", "margincore.crypto"),
        ("importers", "margincore.importers"),
        ("monitoring", "margincore.monitoring"),
        ("reference", "margincore.reference"),
    ],
)
def test_a_feature_is_loaded_on_first_use(name: str, module: str) -> None:
    code = f"import sys, margincore as mc; print({module!r} in sys.modules, mc.{name}.__name__)"
    assert fresh(code) == f"False {module}"


def test_no_feature_loads_what_an_extra_brings() -> None:
    code = (
        "import sys, margincore as mc; [getattr(mc, name) for name in mc.__all__];"
        "print([m for m in ('matplotlib', 'pyarrow', 'rich', 'typer') if m in sys.modules])"
    )
    assert fresh(code) == "[]"


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'margincore' has no attribute 'quote'"):
        mc.quote  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'margincore\.analysis' has no attribute 'plots'"):
        mc.analysis.plots  # noqa: B018
