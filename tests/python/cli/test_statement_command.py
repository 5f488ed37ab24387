"""``margincore statement``: a page, its document, and what one day hands to the next as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import margincore as mc

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner, Result

from margincore.cli.commands import app

ACCOUNT = "symbol,quantity,kind\nABC,100,stock\nUSD,-5000,cash\n"
MARKET = {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"ABC": 50.0}}
STOCK = {"kind": "stock", "underlying": "ABC", "currency": "USD"}
BOUGHT = {"contract": STOCK, "quantity": 100, "price": 50.0}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an account, a market and terms, which commands run in."""
    (tmp_path / "account.csv").write_text(ACCOUNT)
    (tmp_path / "market.json").write_text(json.dumps(MARKET))
    (tmp_path / "terms.json").write_text(json.dumps({"transactions": [BOUGHT], "interest_rate": {"USD": 0.08}}))
    (tmp_path / "old.json").write_text(json.dumps({"version": 1, "date": "2026-11-19", "sma": 0.0, "calls": []}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["statement", "account.csv", "--method", "reg-t", "--market", "market.json", *arguments]
    )


def test_the_page_and_its_document(folder: Path) -> None:
    result = run("--terms", "terms.json", "--carried", "old.json", "--carry", "new.json")
    assert result.exit_code == 0, result.output
    for word in ("initial call", "2,500.00", "by 2026-11-25", "maintenance call", "interest", "SMA at the close"):
        assert word in result.stdout
    carried = mc.statements.Carried.from_dict(json.loads((folder / "new.json").read_text()))
    assert [(c.kind, c.left) for c in carried.calls] == [("reg_t_initial", 2_500.0), ("maintenance", 1_250.0)]
    page = run("--terms", "terms.json", "--carried", "old.json", "--json")
    assert str(mc.Statement.from_dict(json.loads(page.stdout))) == result.stdout.rstrip("\n")


def test_the_next_day_takes_what_was_carried(folder: Path) -> None:
    run("--terms", "terms.json", "--carried", "old.json", "--carry", "new.json")
    (folder / "market.json").write_text(json.dumps({**MARKET, "valuation": "2026-11-23T16:00:00-05:00"}))
    (folder / "account.csv").write_text(ACCOUNT.replace("-5000", "-2500"))
    (folder / "terms.json").write_text(json.dumps({"transactions": [{"kind": "deposit", "amount": 2500}]}))
    result = run("--terms", "terms.json", "--carried", "new.json", "--json")
    page = mc.Statement.from_dict(json.loads(result.stdout))
    assert page.calls == ()
    assert page.sma == 0.0


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"nonsense": 1}, "terms: unknown key 'nonsense'"),
        ({"transactions": {}}, "transactions: a list is needed"),
        ({"transactions": [{"contract": STOCK, "quantity": 1}]}, "price is missing"),
        ({"transactions": [{"kind": "gift", "amount": 1.0}]}, "money: kind is 'gift'"),
        ({"carried": {"date": "2026-11-20", "sma": 0.0}}, "carried is of 2026-11-20"),
        ({"carried": {"date": "2026-11-19", "sma": -1.0}}, "carried: sma is -1.0: a number from 0"),
        ({"holidays": "2026-12-25"}, "holidays is '2026-12-25': a list is needed"),
        ({"settled": 5}, "terms"),
    ],
)
def test_bad_terms_are_one_line(folder: Path, terms: object, said: str) -> None:
    (folder / "terms.json").write_text(json.dumps(terms))
    result = run("--terms", "terms.json")
    assert result.exit_code == 2
    assert result.stdout == ""
    error, hint = result.stderr.splitlines()
    assert said in error
    assert hint.startswith("hint: ")


def test_several_rulebooks_have_no_statement(folder: Path) -> None:
    document = {
        "account": {"positions": [{"contract": STOCK, "quantity": 1}]},
        "market": MARKET,
        "methodologies": [{"name": "reg-t"}, {"name": "tims"}],
    }
    with pytest.raises(mc.InvalidInput, match="one methodology"):
        mc.documents.statement_from_document(document)


def test_an_error_in_what_was_carried_names_its_file(folder: Path) -> None:
    for document in ({"date": "2026-11-19", "sma": -1.0}, {"date": "2026-11-20", "sma": 0.0}):
        (folder / "yesterday.json").write_text(json.dumps(document))
        result = run("--carried", "yesterday.json")
        assert result.exit_code == 2
        assert result.stderr.startswith("error: yesterday.json: ")
