"""Files that users have: read to the last row, or refused with file and line."""

from __future__ import annotations

import gzip
import math
import os
import random
from pathlib import Path

import pytest

import margincore as mc
from conformance.cases import data_folder
from helpers import DATA
from margincore.importers import chain, read_account, read_cboe_quotes, read_recording
from margincore.importers.documents import read_json

GOOD = """symbol,quantity,kind,price,vol
SPXW261218C04700000,-2,,31.50,0.14
SPY,300,,,
IBM,100,stock,97.73,
USD,1250.50,cash,,
"""
CBOE = DATA / "cboe_made_up.csv"


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


def test_parts_of_shares_are_read_where_their_lot_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "symbol,quantity,kind\nAMD,336.446,stock\nSPXW261218C04700000,-2,\n")
    stock, option = read_account(path, lot=0.001).account.positions
    assert (stock.quantity, stock.contract.lot, option.quantity) == (336.446, 0.001, -2.0)
    with pytest.raises(mc.InvalidInput, match=r":2: quantity '336.446' of 'AMD' .* lot=0.001 .* --lot 0.001") as caught:
        read_account(path)
    assert (caught.value.code, caught.value.value) == ("not_whole", "336.446")
    with pytest.raises(mc.InvalidInput, match=r"not a whole number of lots of 0\.01"):
        read_account(path, lot=0.01)
    with pytest.raises(mc.InvalidInput, match="lot"):
        read_account(path, lot=0.0)
    half = write(tmp_path, "symbol,quantity\nSPXW261218C04700000,-2.5\n", "half.csv")
    with pytest.raises(mc.InvalidInput, match="not a whole number"):
        read_account(half, lot=0.5)


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
        ("at 4:31 PM", "at 16:31 PM", 3),
        ("at 4:31 PM", "at 0:31 PM", 3),
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


def made_up_chain(tmp_path: Path) -> Path:
    """One expiry whose quotes follow put-call parity around a forward of 4,520, and a few that cannot be used."""
    head = CBOE.read_text().splitlines()[:4]
    discount, forward = math.exp(-0.05 * 36 / 365), 4520.0
    for strike in (4300, 4400, 4500, 4600, 4700):
        time_value = 60.0 - abs(strike - forward) / 10
        call = time_value + discount * max(forward - strike, 0.0)
        put = time_value + discount * max(strike - forward, 0.0)
        sides = [
            f"SPX231020{right}{strike * 1000:08},0,0,{price - 0.5:.9f},{price + 0.5:.9f},0,0,0,0,0"
            for right, price in (("C", call), ("P", put))
        ]
        head.append(f"Fri Oct 20 2023,{sides[0]},{strike}.00,{sides[1]}")
    head.append("Fri Oct 20 2023,SPX231020C04800000,0,0,0,0,0,0,0,0,0,4800.00,SPX231020P04800000,0,0,100,101,0,0,0,0,0")
    head.append("Thu Sep 14 2023,SPXW230914C04500000,0,0,5,6,0,0,0,0,0,4500.00,SPXW230914P04500000,0,0,1,2,0,0,0,0,0")
    return write(tmp_path, "\n".join(head) + "\n", "quotes.csv")


def test_a_chain_has_its_forward_from_parity_and_one_vol_per_strike(tmp_path: Path) -> None:
    found = chain(read_cboe_quotes(made_up_chain(tmp_path)), rate=0.05)
    assert list(found.forwards) == ["2023-10-20 SPX"]
    assert found.forwards["2023-10-20 SPX"] == pytest.approx(4520.0, abs=1e-6)
    assert len(found.contracts) == 10
    assert found.reasons() == {
        "no ask": 1,
        "no time value: only the option in the money is quoted, below its intrinsic value": 1,
        "expired before the quotes were taken": 2,
    }
    assert [d.line for d in found.dropped] == sorted(d.line for d in found.dropped)
    prepared = mc.Engine(mc.methods.Tims()).prepare(found.contracts, found.market)
    # A call less a put of one strike is a forward: its loss at -8 % is the discounted move of the forward.
    call, put = (c for c in found.contracts if c.strike == 4500.0)
    report = prepared.margin([mc.Position(call, 1), mc.Position(put, -1)])
    assert report.requirement.initial == pytest.approx(0.08 * 4520.0 * math.exp(-0.05 * 36 / 365) * 100, rel=1e-9)


def test_a_rate_without_a_discount_is_refused(tmp_path: Path) -> None:
    for rate in (1e9, -1e9, 1e300):
        with pytest.raises(mc.InvalidInput, match="no discount"):
            chain(read_cboe_quotes(made_up_chain(tmp_path)), rate=rate)


def test_a_recording_is_in_utc(tmp_path: Path) -> None:
    head = "date,instrument_name,expiry_date,strike,type,delta,mark_iv\n"
    row = "{},BTC-30JAN26-90000-C,2026-01-30,90000,call,0.5,40\n"
    path = tmp_path / "r.csv"
    for one, other in (("2026-01-23T06:00:00+05:00", "2026-01-23T01:00:00"), ("2026-01-23", "20260123T00")):
        read = []
        for text in (one, other):
            path.write_text(head + row.format(text))
            read.append(read_recording(path))
        assert read[0] == read[1]
        path.write_text(head + row.format(one) + row.format(other))
        assert len(read_recording(path)) == 1, "two spellings of one moment are one"
    path.write_text(head + row.format("0001-01-01T00:00:00+05:00"))
    with pytest.raises(mc.InvalidInput, match=r"r\.csv:2: date"):
        read_recording(path)


def test_a_chain_needs_european_options_of_known_roots(tmp_path: Path) -> None:
    path = made_up_chain(tmp_path)
    with pytest.raises(mc.InvalidInput, match="rate is nan"):
        chain(read_cboe_quotes(path), rate=math.nan)
    path.write_text(path.read_text().replace("SPX231020", "SPY231020"))
    with pytest.raises(mc.Unsupported, match="American"):
        chain(read_cboe_quotes(path), rate=0.05)
    path.write_text(path.read_text().replace("SPY231020", "ZZZ231020"))
    with pytest.raises(mc.MissingData, match="ZZZ"):
        chain(read_cboe_quotes(path), rate=0.05)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("cboe_spx_20230914", 19_920),
        ("cboe_xsp_20230914", 10_882),
        ("cboe_spx_20220205", 20_514),
        ("cboe_ndx_20220205", 18_386),
    ],
)
def test_a_real_chain_is_prepared_and_a_book_on_it_margined(name: str, rows: int) -> None:
    path = data_folder() / "chains" / f"{name}.csv.gz"
    if not path.is_file():
        pytest.skip(f"no real chains at {path.parent}: set MARGINCORE_DATA to their folder")
    found = chain(read_cboe_quotes(path), rate=0.05 if "2023" in name else 0.002)
    assert len(found.contracts) + len(found.dropped) == rows, "every quote is used or listed"
    assert len(found.contracts) > 0.9 * rows
    prepared = mc.Engine(mc.methods.Tims()).prepare(found.contracts, found.market)
    chance = random.Random(1)
    rows_held = chance.sample(range(len(found.contracts)), 80)
    report = prepared.margin([mc.Position(found.contracts[i], chance.choice((-5, -1, 2, 7))) for i in rows_held])
    assert report.adds_up()
    assert report.requirement.initial > 0.0
