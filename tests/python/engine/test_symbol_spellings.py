"""Option symbols as vendors and brokers write them, at the doors that take them."""

from __future__ import annotations

from pathlib import Path

import pytest

import margincore as mc
from margincore.importers import read_account

TABLE = mc.Products().with_equities(["AAPL"])
SPELLED = {
    "osi": "AAPL  261218C00290500",
    "compact": "AAPL261218C00290500",
    "spaced": "AAPL 261218C00290500",
    "massive": "O:AAPL261218C00290500",
    "plain": "AAPL261218C290.5",
    "tastytrade": ".AAPL261218C290.5",
    "fidelity": " -AAPL261218C290.5",
    "thinkorswim": "AAPL_121826C290.5",
    "schwab": "AAPL 12/18/2026 290.50 C",
    "ibkr": "AAPL 18DEC26 290.5 C",
}


@pytest.mark.parametrize(("name", "text"), SPELLED.items())
def test_every_spelling_is_printed_and_read(name: str, text: str) -> None:
    symbol = mc.OsiSymbol(SPELLED["osi"])
    assert symbol.spelled(name) == text
    assert mc.OsiSymbol(text) == symbol
    assert TABLE.contract(text).id == symbol.compact
    put = mc.OsiSymbol("AAPL1 270115P00000005")
    assert mc.OsiSymbol(put.spelled(name)) == put


def test_the_docstring_lists_every_spelling() -> None:
    assert all(f"``{name}``" in (mc.OsiSymbol.spelled.__doc__ or "") for name in SPELLED)
    with pytest.raises(mc.InvalidInput, match=rf"use one of {', '.join(SPELLED)}; did you mean 'schwab'") as caught:
        mc.OsiSymbol(SPELLED["osi"]).spelled("schwap")
    assert (caught.value.code, caught.value.value) == ("unknown_name", "schwap")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AAPL261218C290000", "did you mean '00290000' or '290'"),
        ("AAPL261218C0290000", "has 7 digits"),
        ("AAPL_261218C290", "did you mean '121826'"),
        ("AAPL121826C290", "did you mean '261218'"),
        ("AAPL 18/12/2026 290 C", "did you mean '12/18/2026'"),
        ("aapl261218C290", "'a' at position 1 is lower case"),
        ("AAPL 18dec26 290 C", "'d' at position 8 is lower case"),
        ("AAPL 18DEC26 290 X", "'X' stands where C or P belongs"),
    ],
)
def test_what_fits_another_spelling_only_is_refused_with_it(text: str, words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=words) as caught:
        TABLE.contract(text)
    assert text in str(caught.value)


def test_account_files_hold_any_of_them(tmp_path: Path) -> None:
    file = tmp_path / "account.csv"
    for text in SPELLED.values():
        file.write_text(f"symbol,quantity\n{text},-2\n")
        (position,) = read_account(file, equities=["AAPL"]).account.positions
        assert (position.contract.id, position.quantity) == (SPELLED["compact"], -2.0)
