"""Real Deribit chains, where the data folder is at hand: they reprice to the exchange's marks."""

from __future__ import annotations

from typing import Any

import pytest

import margincore as mc
from conformance.cases import data_folder
from margincore import importers

FILE = data_folder() / "crypto" / "deribit_normalized.csv.gz"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"{FILE.name} is not here")

BTC: dict[str, Any] = {"snapshot": "2025-12-05", "valuation": "2025-12-05T01:09:53Z", "spot": 92529.81}
"""The file's index column holds each expiry's forward at that time: the spot price is its source's own."""


def test_the_btc_file_has_no_spot_price() -> None:
    with pytest.raises(mc.InvalidInput, match=r"gz:\d+: index 92538\.1\d* differs from 92529\.8\d* on line 2"):
        importers.deribit_chain(FILE, currency="BTC", snapshot=BTC["snapshot"], valuation=BTC["valuation"])


def test_the_btc_chain_reprices_to_the_exchange_s_marks() -> None:
    chain = importers.deribit_chain(FILE, currency="BTC", **BTC)
    marks = importers.model_marks(chain)
    errors = [abs(marks[name] - quote) for name, quote in chain.quotes.items()]
    assert len(errors) == 676
    assert max(errors) <= 2e-5
    assert max(abs(x) for x in chain.parity_errors().values()) <= 2e-5


def test_the_eth_chain_keeps_parity() -> None:
    chain = importers.deribit_chain(FILE, currency="ETH", snapshot="2024-01-08", valuation="2024-01-08T11:19:41Z")
    assert len(chain.quotes) == 684
    assert max(abs(x) for x in chain.parity_errors().values()) <= 1e-4


def test_a_portfolio_of_the_chain_is_margined() -> None:
    chain = importers.deribit_chain(FILE, currency="BTC", **BTC)
    prepared = mc.methods.Deribit().prepare(chain.contracts, chain.market)
    account = [mc.Position(c, (-1) ** i * 0.1) for i, c in enumerate(chain.contracts)]
    report = prepared.margin(account)
    assert report.currency == "BTC"
    assert report.adds_up()
    assert report.requirement.initial > report.requirement.maintenance > 0.0
