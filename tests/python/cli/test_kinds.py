"""An answer given as a question is refused, and told what it is; names after options are looked at before files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import margincore as mc

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner, Result

from margincore.cli.commands import app

ACCOUNT = {
    "positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"}, "quantity": 1000}],
    "cash": {"USD": -43_000},
}
MARKET = {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"XYZ": 50.0}}
TIMS = ("account.json", "--market", "market.json", "--method", "tims")
ANSWERS: dict[str, tuple[tuple[str, ...], str]] = {
    "report": (("margin", *TIMS, "--json"), "a report"),
    "comparison": (("margin", *TIMS, "--method", "reg-t", "--json"), "a comparison"),
    "demo": (("demo", "--json"), "a comparison"),
    "explanation": (("explain", *TIMS, "--json"), "an explained requirement"),
    "change": (("explain", *TIMS, "--before-market", "market.json", "--json"), "an explained change"),
    "statement": (("statement", *TIMS, "--json"), "a statement"),
    "look": (("watch", "--account", *TIMS, "--once", "--json"), "a look at accounts"),
    "rulebooks": (("rulebooks", "--json"), "the list of rulebooks"),
    "array": (("risk-array", "--underlying", "100", "--price-scan", "10"), "a risk array"),
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    return result.stderr.splitlines()[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "account.json").write_text(json.dumps(ACCOUNT))
    (tmp_path / "market.json").write_text(json.dumps(MARKET))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_no_account_no_market_and_no_parameters(folder: Path, name: str) -> None:
    command, words = ANSWERS[name]
    answer = run(*command)
    assert answer.exit_code in (0, 3), answer.output
    (folder / "answer.json").write_text(answer.stdout)
    this = f"error: answer.json: this is {words}"
    for given, needed in (
        (("margin", "answer.json", "--market", "market.json", "--method", "tims"), "an account is needed"),
        (("statement", "answer.json", "--market", "market.json", "--method", "tims"), "an account is needed"),
        (("margin", "account.json", "--market", "answer.json", "--method", "tims"), "a market is needed"),
        (("margin", *TIMS, "--parameters", "answer.json"), "an object of parameters is needed"),
        (("statement", *TIMS, "--terms", "answer.json"), "an object of terms is needed"),
        (("statement", *TIMS, "--carried", "answer.json"), "what --carry wrote is needed"),
        (("batch-plan", "plan", "--document", "answer.json", "--method", "tims"), "without an account is needed"),
    ):
        said = refused(*given)
        assert said.startswith(this)
        assert needed in said


def test_what_a_statement_carries_is_read_only_as_that(folder: Path) -> None:
    assert run("statement", *TIMS, "--carry", "carried.json").exit_code == 0
    assert "carries to the next day" in refused("margin", "carried.json", "--market", "market.json", "--method", "tims")
    assert "this is an account" in refused("margin", "account.json", "--market", "account.json", "--method", "tims")
    assert "this is a market" in refused("margin", "market.json", "--market", "market.json", "--method", "tims")
    (folder / "market.json").write_text(json.dumps({**MARKET, "valuation": "2026-11-23T16:00:00-05:00"}))
    assert run("statement", *TIMS, "--carried", "carried.json").exit_code == 0


def test_a_report_is_no_part_of_a_document() -> None:
    document = {"account": ACCOUNT, "market": MARKET, "methodology": {"name": "tims"}}
    report = mc.evaluate(document)
    for key in ("account", "market"):
        with pytest.raises(mc.InvalidInput, match=f"{key}: this is a report") as caught:
            mc.evaluate({**document, key: report})
        assert (caught.value.code, caught.value.value) == ("wrong_type", "report")
    with pytest.raises(mc.InvalidInput, match="document: this is a report"):
        mc.evaluate(report)


@pytest.mark.parametrize(
    "arguments",
    [
        ("margin", "absent.csv", "--method", "tmis"),
        ("margin", "absent.csv", "--method", "tims", "--method", "tmis"),
        ("explain", "absent.csv", "--method", "tmis"),
        ("report", "absent.csv", "-o", "r.html", "--method", "tmis"),
        ("statement", "absent.csv", "--method", "tmis"),
        ("watch", "--account", "absent.csv", "--method", "tmis"),
        ("batch-plan", "plan", "--document", "absent.json", "--method", "tmis"),
    ],
)
def test_a_rulebook_that_is_none_is_told_before_a_file_is_read(folder: Path, arguments: tuple[str, ...]) -> None:
    assert refused(*arguments).startswith("error: --method: unknown rulebook 'tmis': did you mean 'tims'?")


def test_a_parameter_set_that_is_none_is_told_before_a_file_is_read(folder: Path) -> None:
    assert "error: --method: 'tims@zz'" in refused("margin", "absent.csv", "--method", "tims@zz")


@pytest.mark.parametrize(
    ("arguments", "option", "known"),
    [
        (("span", "absent.spn", "absent.csv", "--account", "hedge"), "--account", "hedger"),
        (("span", "absent.spn", "absent.csv", "--anov", "pool"), "--anov", "pooled"),
        (("batch", "--plan", "absent", "--in", "absent", "--out", "o", "--errors", "col"), "--errors", "column"),
        (("batch-plan", "p", "--document", "absent.json", "--order", "group"), "--order", "grouped"),
        (("risk-array", "--underlying", "1", "--price-scan", "1", "--model", "Black"), "--model", "BS"),
        (("margin", "absent.csv", "--method", "tims", "--format", "schwap"), "format", "schwab"),
        (("margin", "absent.csv", "--method", "tims", "--terms", "X:multiplie=5"), "--terms", "multiplier"),
        (("margin", "absent.csv", "--method", "tims", "--map", "symbl=Sym"), "map", "symbol"),
    ],
)
def test_a_word_of_a_fixed_set_is_looked_at_before_files(
    folder: Path, arguments: tuple[str, ...], option: str, known: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert option in result.stderr
    assert known in result.stderr
    assert "No such file" not in result.stderr
