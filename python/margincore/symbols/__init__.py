"""Symbols as brokers, exchanges, vendors and venues spell them: read, printed in another spelling, made contracts.

:func:`parse` reads a text in any dialect and refuses what two of them read differently, :func:`spell` prints it in
another, :func:`contract` gives it its terms; :func:`dialects` lists the dialects with an example of every form:

| dialect | options | futures, perpetuals | options on futures | stocks, indices |
|---|---|---|---|---|
| ``osi`` | ``AAPL  261218C00290000`` | | | |
| ``compact`` | ``AAPL261218C00290000`` | | | |
| ``spaced`` | ``AAPL 261218C00290000`` | | | |
| ``massive`` | ``O:AAPL261218C00290000`` | | | |
| ``plain`` | ``AAPL261218C290`` | | | |
| ``tastytrade`` | ``.AAPL261218C290``, OSI | ``/ESZ6`` | ``./ESZ6 E3BZ6 261215C4500`` | |
| ``dxfeed`` | ``.AAPL261218C290`` | ``/ESZ26:XCME`` | ``./ESZ26C4500:XCME`` | |
| ``fidelity`` | `` -AAPL261218C290`` | | | |
| ``fidelity_text`` | ``AAPL DEC 18 2026 $290 CALL`` | | | |
| ``thinkorswim`` | ``AAPL_121826C290``, ``.AAPL261218C290`` | ``/ESZ26`` | | |
| ``schwab`` | ``AAPL 12/18/2026 290.00 C``, OSI | | | |
| ``ibkr`` | ``AAPL 18DEC26 290 C``, OSI | ``ESZ6``, ``ES 18DEC26`` | ``ESZ6 C4500`` | |
| ``ibkr_eurex`` | ``P BMW  20261218 72 M`` | ``FGBL DEC 26`` | | |
| ``tws`` | ``AAPL Dec 18 '26 290 Call`` | | | |
| ``etrade`` | ``AAPL Dec 18 '26 $290 Call`` | | | |
| ``etrade_key`` | ``AAPL--261218C00290000`` | | | |
| ``tradestation`` | ``AAPL 261218C290`` | | | |
| ``robinhood`` | ``AAPL 12/18/2026 Call $290.00`` | | | |
| ``month_first`` | ``AAPL 12/18/26 290 C`` | | | |
| ``day_first`` | ``AAPL 18/12/26 290 C`` | | | |
| ``globex`` | | ``ESZ6`` | ``ESZ6 C4500`` | |
| ``globex_long`` | | ``ESZ26`` | ``EW3Z26 P4450`` | |
| ``clearing`` | | ``ES 202612`` | ``ES 202612 P 6400`` | |
| ``tradingview`` | | ``ESZ2026`` | | |
| ``eurex`` | ``ODAX DEC26 23000 P`` | ``FDAX DEC26`` | | |
| ``eurex_t7`` | ``ODAX SI 20261218 CS EU P 23000.00 0`` | ``FDAX SI 20261218 CS`` | | |
| ``kite`` | ``NIFTY26DEC26000PE``, ``NIFTY26D0826000PE`` | ``NIFTY26DECFUT``, ``USDINR26D04FUT`` | | ``NSE:RELIANCE`` |
| ``openalgo`` | ``NIFTY28MAR2420800CE`` | ``BANKNIFTY24APR24FUT`` | | |
| ``shoonya`` | ``NIFTY30JUN26C23700`` | ``NIFTY30JUN26F`` | | |
| ``dhan`` | ``NIFTY-Dec2026-26000-PE`` | ``NIFTY-Dec2026-FUT`` | | |
| ``upstox`` | ``NIFTY 26000 PE 29 DEC 26`` | ``NIFTY FUT 29 DEC 26`` | | |
| ``bloomberg`` | ``SPX US 12/18/26 C4700 Index`` | ``ESZ6 Index`` | ``ESZ6C 4500 Index`` | ``AAPL US Equity`` |
| | | | | ``SPX Index`` |
| ``ticker`` | | | | ``AAPL`` |
| ``deribit`` | ``BTC-25DEC26-100000-C`` | ``BTC-25DEC26``, ``BTC-PERPETUAL`` | | |
| ``okx`` | ``BTC-USD-261225-100000-C`` | ``BTC-USDT-261225``, ``BTC-USDT-SWAP`` | | |
| ``binance`` | ``BTC-261225-100000-C`` | ``BTCUSDT_261225``, ``BTCUSD_PERP`` | | |
| ``bybit`` | ``BTC-25DEC26-100000-C-USDT`` | ``BTCUSDT-25DEC26``, ``BTCPERP`` | | |
| ``derive`` | ``BTC-20261225-100000-C`` | ``BTC-PERP`` | | |

What nothing in a text decides is refused with the candidates: a year of one digit without a date (``ESZ6``), the day
and the month of ``12/11/26``, an option that Deribit and Bybit spell alike, ``NIFTY28MAR2420800CE``, which is a day of
2024 at OpenAlgo and a month of 2028 at Kite.

Sources: OSI, OCC Options Symbology Initiative (2010) and :meth:`margincore.OsiSymbol.spelled`; tastytrade,
https://developer.tastytrade.com/docs/concepts/instruments-and-symbology/; dxFeed, https://bookmap.com/symbol-table/;
TD Ameritrade (``thinkorswim``), the option symbols of beancount; TradeStation,
https://help.tradestation.com/09_01/tradestationhelp/symbology/stock_option_symbology.htm; IBKR's local symbols, the
contract samples of its TWS API (``P BMW  20221216 72 M``, ``FGBL MAR 23``); E*TRADE, Robinhood and the words of
Fidelity and TWS, public readers of their exports; Globex, CME Group's Client Systems Wiki (tag 55) and
nautilus_trader's ``cme_globex_option_symbol``; Eurex, circular 029/22 on the notation of contracts; Kite,
https://kite.trade/forum/discussion/7104/ and TrueData on weekly symbols (1 to 9, O, N, D); OpenAlgo,
https://docs.openalgo.in/symbol-format.md; Dhan's and Upstox's instrument lists; Shoonya's ``tsym``; Bloomberg, CME
Group's guides to its codes (https://www.cmegroup.com/education/brochures-and-handbooks/) and OpenFIGI's market sectors;
crypto venues, :mod:`margincore.crypto.names`. What standard contracts are is in ``futures.json``, each
row with its source.
"""

from margincore.symbols.contracts import contract
from margincore.symbols.reading import dialects, parse
from margincore.symbols.spelling import spell
from margincore.symbols.symbol import Symbol

__all__ = ["Symbol", "contract", "dialects", "parse", "spell"]
