"""Files that users have: read to the last row, or refused with file and line."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

import margincore as mc
from margincore.importers import read_account, read_cboe_quotes
from margincore.importers.documents import market_document, read_json

GOOD = """symbol,quantity,kind,price,vol
SPXW261218C04700000,-2,,31.50,0.14
SPY,300,,,
IBM,100,stock,97.73,
USD,1250.50,cash,,
"""
CBOE = Path(__file__).parent / "data" / "cboe_made_up.csv"


def write(folder: Path, content: str | bytes, name: str = "account.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_an_account_is_read_whole(tmp_path: Path) -> None:
    for content in (
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
    ):
        found = read_account(write(tmp_path, content))
        held = {p.contract.id: p.quantity for p in found.account.positions}
        assert held == {"SPXW261218C04700000": -2, "SPY": 300, "IBM": 100}
        assert [p.contract.kind for p in found.account.positions] == ["option", "etf", "stock"]
        assert found.account.cash == {"USD": 1250.5}
        assert (found.price, found.vol) == ({"SPXW261218C04700000": 31.5, "IBM": 97.73}, {"SPXW261218C04700000": 0.14})
    assert read_account(write(tmp_path, gzip.compress(GOOD.encode()), "a.csv.gz")).account.cash == {"USD": 1250.5}


def test_every_spelling_of_a_symbol_is_the_same_contract(tmp_path: Path) -> None:
    rows = [
        "SPX   261218C04700000",
        "SPX261218C04700000",
        "SPX 261218C04700000",
        "O:SPX261218C04700000",
        ".SPX261218C4700",
    ]
    found = read_account(write(tmp_path, "symbol,quantity\n" + "".join(f"{row},1\n" for row in rows)))
    assert {p.contract.id for p in found.account.positions} == {"SPX261218C04700000"}


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        ("", 1, "empty"),
        ("\n\n", 1, "empty"),
        ("s", 1, "unknown column 's'"),
        ("symbol\nSPY\n", 1, "no column 'quantity'"),
        ("Symbol,quantity\n", 1, "unknown column 'Symbol'"),
        ("symbol,quantity,quantity\n", 1, "twice"),
        ("symbol,quantity,colour\n", 1, "colour"),
        ("symbol,quantity\nSPY\n", 2, "1 cells in a row of 2"),
        ("symbol,quantity\nSPY,1\nSPY,1,1\n", 3, "3 cells"),
        ("symbol,quantity\nSPY,1,000\n", 2, "3 cells"),
        ('symbol,quantity\nSPY,"1,000"\n', 2, "not a whole number"),
        ("symbol,quantity\nSPY,1.5\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY,\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY,NaN\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY,+5\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY,1e3\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY,１２\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY,0x10\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY," + "9" * 400 + "\n", 2, "not a whole number"),
        ("symbol,quantity\nSPY,--1\n", 2, "not a whole number"),
        ("symbol,quantity\nIBM,100\n", 2, "kind"),
        ("symbol,quantity\nSPX,1\n", 2, "index"),
        ("symbol,quantity\n,1\n", 2, "empty"),
        ("symbol,quantity,kind\nIBM,100,share\n", 2, "share"),
        ("symbol,quantity,kind\nibm,100,stock\n", 2, "lower case"),
        ("symbol,quantity,kind\nI\u00a0BM,100,stock\n", 2, "U+00A0"),
        ("symbol,quantity\nIBM261218C00100000,1\n", 2, "no product table"),
        ("symbol,quantity\nSPX261218C0470000,1\n", 2, "digits"),
        ("symbol,quantity\nSPY,1\nSPX261318C04700000,1\n", 3, "not a date"),
        ("symbol,quantity,kind\nusd,5,cash\n", 2, "currency"),
        ("symbol,quantity,kind\nUSD,five,cash\n", 2, "amount of cash"),
        ("symbol,quantity,kind,price\nUSD,5,cash,1\n", 2, "neither"),
        ("symbol,quantity,price\nSPY,1,450\nSPY,1,451\n", 3, "earlier row"),
        ("symbol,quantity,price\nSPY,1,inf\n", 2, "price 'inf'"),
        ("symbol,quantity,price\nSPY,1,1.7976931348623157E308\n", 2, "plain decimal"),
        ('symbol,quantity\n"SPY,1\n', 2, ""),
        ("symbol,quantity\nSPY\0,1\n", 2, "NUL"),
        ("symbol;quantity\nSPY;1\n", 1, "unknown column"),
    ],
)
def test_a_wrong_account_file_names_the_line(tmp_path: Path, content: str, line: int, word: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(mc.MarginError) as caught:
        read_account(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: "), message
    assert word in message


@pytest.mark.parametrize(
    "content",
    [GOOD.encode("utf-16"), GOOD.replace("IBM", "Société").encode("latin-1"), b"\x00", b"\xff\xfe", os.urandom(4096)],
)
def test_what_is_not_utf8_text_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(mc.MarginError):
        read_account(write(tmp_path, content))


def test_a_file_cut_off_is_an_error_or_a_shorter_account(tmp_path: Path) -> None:
    """A CSV carries no trailer; what is cut mid-row is refused unless what is left is itself a row."""
    whole = [str(p) for p in read_account(write(tmp_path, GOOD)).account.positions]
    packed = gzip.compress(GOOD.encode())
    for at in range(len(GOOD)):
        try:
            rows = [str(p) for p in read_account(write(tmp_path, GOOD[:at])).account.positions]
        except mc.MarginError:
            continue
        assert len(rows) <= len(whole)
    for at in range(len(packed)):
        with pytest.raises(mc.MarginError):
            read_account(write(tmp_path, packed[:at], "a.csv.gz"))


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(mc.ParseError, match="cannot be read"):
            read_account(path)


def test_cboe_quotes_are_read_with_the_reason_for_every_row_left_out() -> None:
    found = read_cboe_quotes(CBOE)
    assert (found.underlying, found.spot) == ("Made Up 500 Index", 4505.5)
    assert found.valuation.isoformat() == "2023-09-14T16:31:00-04:00"
    assert [q.symbol.compact for q in found.quotes] == [
        "SPXW230915C04500000",
        "SPXW230915P04500000",
        "SPX231020C04500000",
    ]
    assert found.quotes[0].mid == 13.5
    assert found.reasons() == {"no ask": 1, "expired before the quotes were taken": 2}
    assert {d.line for d in found.dropped} == {6, 7}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Last: 4505.5", "Last: NaN", 2),
        ("Last: 4505.5", "Last: 0", 2),
        ("Last: 4505.5", "Last: 4,505.5", 2),
        ("EDT", "CET", 3),
        ("September 14", "September 31", 3),
        ("Date: ", "", 3),
        ("Open Interest\n", "Interest\n", 4),
        ("4500.00,SPXW230915P", "4600.00,SPXW230915P", 5),
        ("C04500000,14", "C04500000,fourteen", 5),
        ("Fri Sep 15", "Thu Sep 14", 5),
        ("13,14", "13", 5),
        ("SPX231020C04500000", "SPXW230915C04500000", 7),
    ],
)
def test_a_wrong_quotes_file_names_the_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    text = CBOE.read_text()
    assert old in text
    path = write(tmp_path, text.replace(old, new), "quotes.csv")
    with pytest.raises(mc.MarginError, match=rf"quotes\.csv:{line}: "):
        read_cboe_quotes(path)


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "3", "{", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}',
        '{"a": ' + "9" * 400 + "}",
        '{"a": 0x10}', "{'a': 1}", '{"a": 1,}', "[" * 100_000, '{"a": 1} {"b": 2}',
        '\ufeff{"a": "\ud800"', '{"a": 1}\0',
    ],
)  # fmt: skip
def test_json_that_is_not_quite_json_is_refused(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, content.encode("utf-8", "surrogatepass"), "document.json")
    with pytest.raises(mc.MarginError, match=r"document\.json"):
        read_json(path)


def test_a_market_may_be_keyed_by_any_spelling(tmp_path: Path) -> None:
    path = write(tmp_path, '{"vol": {"SPX   261218C04700000": 0.2, "my own id": 0.3}}', "market.json")
    assert market_document(path, mc.Products())["vol"] == {"SPX261218C04700000": 0.2, "my own id": 0.3}
    twice = write(tmp_path, '{"vol": {"SPX   261218C04700000": 0.2, ".SPX261218C4700": 0.3}}', "market.json")
    with pytest.raises(mc.InvalidInput, match="two spellings"):
        market_document(twice, mc.Products())
