"""Where a file or document takes an option symbol, any spelling does; what can be read in two ways is refused there."""

from __future__ import annotations

from pathlib import Path

import pytest

import margincore as mc
from margincore.documents import account_from_document, quotes_by_id
from margincore.importers import read_account

TABLE = mc.Products().with_equities(["AAPL"])
SPELLED = [
    "AAPL Dec 18 '26 $290 Call", "AAPL Dec 18 '26 290 Call", "AAPL DEC 18 2026 $290 CALL",
    "AAPL 12/18/2026 Call $290.00", "AAPL--261218C00290000", "AAPL 261218C290", "AAPL 12/18/26 290 C",
    "AAPL US 12/18/26 C290 Equity", "AAPL 12/18/2026 290.00 C", ".AAPL261218C290", "AAPL  261218C00290000",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELLED)
def test_accounts_and_documents_take_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "account.csv"
    path.write_text(f'symbol,quantity,price\n"{text}",-2,3.05\n', encoding="utf-8")
    read = read_account(path, products=TABLE)
    assert [str(p.contract.id) for p in read.account.positions] == ["AAPL261218C00290000"]
    assert read.price == {"AAPL261218C00290000": 3.05}
    document = account_from_document({"positions": [{"symbol": text, "quantity": -2}]}, TABLE)
    assert document.positions == read.account.positions
    assert quotes_by_id({text: 0.2}, TABLE, "vol") == {"AAPL261218C00290000": 0.2}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("AAPL 12/11/26 290 C", "2026-11-12 call 290 .day_first.: say dialect="),
        ("AAPL261218C290000", "did you mean '00290000' or '290'"),
        ("AAPL 18/12/2026 290 C", "did you mean '12/18/2026'"),
        ("AAPL Dec 32 '26 $290 Call", "option symbol"),
        ("BTC-PERPETUAL", "option symbol"),
    ],
)
def test_what_is_no_option_symbol_or_two_is_refused(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "account.csv"
    path.write_text(f'symbol,quantity,kind\n"{text}",-2,option\n', encoding="utf-8")
    with pytest.raises(mc.InvalidInput, match=word) as caught:
        read_account(path, products=TABLE)
    assert str(caught.value).startswith(f"{path}:2: ")
    with pytest.raises(mc.InvalidInput, match=word):
        account_from_document({"positions": [{"symbol": text, "quantity": -2}]}, TABLE)
    assert quotes_by_id({text: 0.2}, TABLE, "vol") == {text: 0.2}  # an id, or for the market to refuse
