"""One map of the package: every feature is an attribute of it, and the heavy ones wait until they are asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

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
    for room in (mc.analysis, mc.batch, mc.crypto, mc.importers, mc.monitoring, mc.reference):
        assert [name for name in room.__all__ if not hasattr(room, name)] == []


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("plot", "margincore.analysis.plot"),
        ("questions", "margincore.analysis.questions"),
        ("attribution", "margincore.analysis.attribution"),
        ("backtest", "margincore.analysis.backtest"),
        ("events", "margincore.analysis.events"),
        ("intraday", "margincore.analysis.intraday"),
        ("quotes", "margincore.pricing.quotes"),
        ("batch", "margincore.batch"),
        ("crypto", "margincore.crypto"),
        ("importers", "margincore.importers"),
        ("monitoring", "margincore.monitoring"),
        ("reference", "margincore.reference"),
    ],
)
def test_a_feature_is_loaded_on_first_use(name: str, module: str) -> None:
    code = f"import sys, margincore as mc; print({module!r} in sys.modules, mc.{name}.__name__)"
    assert fresh(code) == f"False {module}"


MAP = Path(__file__).parents[3] / "docs" / "reference" / "index.md"


def test_the_map_has_every_public_name_and_no_other() -> None:
    names = [line.partition("|")[2].partition("|")[0] for line in MAP.read_text(encoding="utf-8").splitlines()]
    mapped = [name for cell in names for name in re.findall(r"`mc\.(\w+)`", cell)]
    assert sorted(mapped) == sorted(mc.__all__)


def test_the_names_that_are_a_contract_are_there() -> None:
    """What conformance, benchmarks and documents outside this package call."""
    names = [
        "Market", "Account", "Position", "Option", "Engine", "margin", "compare", "evaluate", "Order", "Limit",
        "Accounts", "Contracts", "reference", "plot", "methods.Tims", "methods.RegT", "methods.Span",
        "methods.Combined", "pricing.price", "pricing.price_grid", "pricing.greeks", "pricing.implied_vol",
        "Prepared.margin", "Prepared.margin_many", "Prepared.open", "Prepared.update", "LiveAccount.what_if",
        "LiveAccount.check", "LiveAccount.apply", "LiveAccount.rebase", "LiveAccount.margin_after",
        "LiveAccount.max_quantity",
    ]  # fmt: skip
    for name in names:
        item: object = mc
        for part in name.split("."):
            item = getattr(item, part)


def test_the_package_loads_without_what_it_may_not_need() -> None:
    loaded = fresh("import sys, margincore; print(sorted(m for m in sys.modules if '.' not in m))")
    assert "'numpy'" in loaded
    heavy = ("pandas", "polars", "pyarrow", "matplotlib", "scipy", "rich", "typer", "IPython", "asyncio", "sqlite3")
    assert [name for name in heavy if f"'{name}'" in loaded] == []


def test_one_name_is_the_liquidation_price() -> None:
    """What looks along a path of shocks is called by another word."""
    rooms = (mc, mc.analysis, mc.crypto, mc.questions, mc.monitoring, mc.pricing)
    assert [room.__name__ for room in rooms if hasattr(room, "liquidation_price")] == ["margincore.analysis.questions"]
    assert mc.crypto.first_breach.__module__ == "margincore.crypto.liquidation"


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
