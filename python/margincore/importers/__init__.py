"""Files that users already have, read strictly: nothing is guessed, and every refusal names file and line.

* :func:`read_positions` - positions, cash and quotes from a broker's, clearing house's or venue's file as it is, with
  :func:`read_positions_by_account`, :func:`position_formats`, :func:`read_quotes` and :func:`quotes_template`;
* :func:`read_account` - positions from a CSV with option symbols and quantities;
* :func:`read_cboe_quotes` - a Cboe delayed-quotes CSV as option quotes, with the rows left out and why;
* :func:`chain` - such quotes of European options as contracts and a market;
* :func:`deribit_chain` - a recorded chain of Deribit's options as contracts and a market;
* :func:`read_recording` - snapshots of Deribit's options, for a replay;
* :mod:`margincore.importers.span` - what stands beside a SPAN file: positions, lot sizes, exposure rates;
* :func:`read_json` - a JSON document, with duplicate keys and numbers that are none refused;
* :mod:`margincore.importers.arrow` - contracts and accounts from Arrow tables, batches as one (extra ``arrow``).
"""

from margincore.importers import arrow, span
from margincore.importers.account import AccountFile, read_account
from margincore.importers.brokers import (
    PositionsFile,
    Quotes,
    Refusal,
    position_formats,
    quotes_template,
    read_positions,
    read_positions_by_account,
    read_quotes,
)
from margincore.importers.cboe import CboeQuotes, DroppedQuote, OptionQuote, read_cboe_quotes
from margincore.importers.deribit import DeribitChain, deribit_chain, model_marks
from margincore.importers.documents import read_json
from margincore.importers.parity import Chain, chain
from margincore.importers.recording import Snapshot, read_recording

__all__ = [
    "AccountFile",
    "CboeQuotes",
    "Chain",
    "DeribitChain",
    "DroppedQuote",
    "OptionQuote",
    "PositionsFile",
    "Quotes",
    "Refusal",
    "Snapshot",
    "arrow",
    "chain",
    "deribit_chain",
    "model_marks",
    "position_formats",
    "quotes_template",
    "read_account",
    "read_cboe_quotes",
    "read_json",
    "read_positions",
    "read_positions_by_account",
    "read_quotes",
    "read_recording",
    "span",
]
