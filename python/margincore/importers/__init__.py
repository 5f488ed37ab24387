"""Files that users already have, read strictly: nothing is guessed, and every refusal names file and line.

* :func:`read_account` - positions from a CSV with option symbols and quantities;
* :func:`read_cboe_quotes` - a Cboe delayed-quotes CSV as option quotes, with the rows left out and why;
* :func:`chain` - such quotes of European options as contracts and a market;
* :mod:`margincore.importers.arrow` - contracts and accounts from Arrow tables, batches as one (extra ``arrow``).
"""

from margincore.importers.account import AccountFile, read_account
from margincore.importers.cboe import CboeQuotes, DroppedQuote, OptionQuote, read_cboe_quotes
from margincore.importers.parity import Chain, chain

__all__ = [
    "AccountFile",
    "CboeQuotes",
    "Chain",
    "DroppedQuote",
    "OptionQuote",
    "chain",
    "read_account",
    "read_cboe_quotes",
]
