"""The engine's classes. Prices and amounts are floats in the stated currency; gains are positive."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

__version__: str

class MarginError(Exception):
    """Anything margincore refuses to answer."""

class InvalidInput(MarginError):
    """A value no rulebook could accept: NaN, a negative strike, a duplicate id, a naive timestamp."""

class ParseError(MarginError):
    """A file or document that breaks its format; the message has file and line or byte offset."""

class MissingData(MarginError):
    """Something the calculation needs was not given; the message names the contracts."""

class Unsupported(MarginError):
    """A rule that exists but is not implemented."""

class NotApplicable(MarginError):
    """A rulebook was handed something it does not cover; the message names it."""

class CalculationError(MarginError):
    """The calculation could not be completed."""

@final
class Contract:
    """One contract's terms, checked. Immutable and hashable; equal terms are equal contracts."""

    def __new__(cls, **terms: Any) -> Self: ...
    @classmethod
    def from_dict(cls, terms: dict[str, Any]) -> Contract: ...
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def underlying(self) -> str: ...
    @property
    def right(self) -> str | None: ...
    @property
    def strike(self) -> float | None: ...
    @property
    def expiry(self) -> str | None: ...
    @property
    def expires(self) -> str | None:
        """The instant of expiry in UTC, such as ``"2026-12-18T14:30:00Z"``."""

    @property
    def exercise(self) -> str | None: ...
    @property
    def multiplier(self) -> float: ...
    @property
    def currency(self) -> str: ...
    @property
    def lot(self) -> float: ...
    @property
    def venue(self) -> str | None: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...

@final
class Contracts:
    """A table of contracts with unique ids. Accounts and prepared rulebooks refer to its rows."""

    def __new__(cls, contracts: Iterable[Contract]) -> Self: ...
    @classmethod
    def from_columns(cls, **columns: Any) -> Contracts: ...
    def index(self, contract: Contract | str) -> int: ...
    @property
    def ids(self) -> list[str]: ...
    @property
    def digest(self) -> str: ...
    def __len__(self, /) -> int: ...
    def __getitem__(self, row: int, /) -> Contract: ...
    def __iter__(self, /) -> Iterator[Contract]: ...
    def __contains__(self, contract: Contract | str, /) -> bool: ...

@final
class Market:
    """One snapshot of a market, its valuation time inside. Immutable.

    `spot`, `dividend_yield` and `borrow` are by symbol; `price` and `vol` by contract id, or arrays beside
    `contracts`; `rate` is continuously compounded by currency, flat or by date; a symbol with neither `dividends`
    nor a `dividend_yield` pays none.
    """

    def __new__(
        cls,
        valuation: str | dt.datetime,
        *,
        contracts: Contracts | Iterable[Contract] | None = None,
        price: Mapping[str, float] | NDArray[np.float64] | None = None,
        vol: Mapping[str, float] | NDArray[np.float64] | None = None,
        forward: Mapping[tuple[str, Any], float] | Sequence[Mapping[str, Any]] | None = None,
        dividends: Mapping[str, Sequence[Any]] | None = None,
        rate: Mapping[Any, Any] | None = None,
        **parts: Any,
    ) -> Self: ...
    @property
    def valuation(self) -> str: ...
    @property
    def spot(self) -> dict[str, float]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]: ...

@final
class Position:
    """A holding: a contract and a signed quantity in contracts, or long and short apart."""

    def __new__(
        cls,
        contract: Contract,
        quantity: float | None = None,
        *,
        long: float | None = None,
        short: float | None = None,
    ) -> Self: ...
    @property
    def contract(self) -> Contract: ...
    @property
    def quantity(self) -> float: ...
    @property
    def long(self) -> float: ...
    @property
    def short(self) -> float: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]: ...

@final
class Account:
    """Positions and the money beside them. Net per contract unless `gross`."""

    def __new__(
        cls,
        positions: Iterable[Position],
        *,
        cash: Mapping[str, float] | None = None,
        collateral: Mapping[str, float] | None = None,
        kind: str | None = None,
        gross: bool = False,
    ) -> Self: ...
    @property
    def positions(self) -> list[Position]: ...
    @property
    def cash(self) -> dict[str, float]: ...
    @property
    def collateral(self) -> dict[str, float]: ...
    @property
    def kind(self) -> str | None: ...
    @property
    def gross(self) -> bool: ...
    def __len__(self, /) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]: ...

@final
class Accounts:
    """Many accounts over one table of contracts, as columns: a million rows are not a million objects.

    `from_columns` takes one entry per position, in any order: the account's number from 0, the contract's row in the
    table and signed whole lots, as arrays of any integer type or lists. `count` says how many accounts there are where
    the last have no positions; without it a number more than a million above the rows is refused. `greatest` adds up a
    scenario table of one's own: for `values` of shape ``(len(contracts), 16)``, the greatest of each account's sums of
    lots times values, and the first column that has it. Where values are losses, that is the worst; an account without
    positions sums to 0 in column 0.

    >>> import margincore as mc, numpy as np
    >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
    >>> accounts = mc.Accounts.from_columns(table, account=np.array([0, 0, 1]), contract=np.array([0, 1, 1]),
    ...                                     quantity=[10, -5, 2])
    >>> losses = np.zeros((2, 16))
    >>> losses[:, 3], losses[:, 7] = [1.0, -2.0], [0.5, 4.0]
    >>> [column.tolist() for column in accounts.greatest(losses)]
    [[20.0, 8.0], [3, 7]]
    """

    @classmethod
    def from_columns(
        cls,
        contracts: Contracts,
        *,
        account: NDArray[np.integer[Any]] | Sequence[int],
        contract: NDArray[np.integer[Any]] | Sequence[int],
        quantity: NDArray[np.integer[Any]] | Sequence[int],
        count: int | None = None,
        kind: str | None = None,
    ) -> Accounts: ...
    def greatest(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]: ...
    def __len__(self, /) -> int: ...

@disjoint_base
class Methodology:
    """One rulebook as frozen, versioned data."""

    def __new__(
        cls,
        name: str,
        parameters: Mapping[str, Any],
        tables: Mapping[str, NDArray[np.float64]] | None = None,
        parts: Sequence[tuple[Callable[[Contract], bool], Methodology]] | None = None,
        file: SpanFile | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> dict[str, str]: ...
    def prepare(
        self, contracts: Contracts | Iterable[Contract], market: Market | None = None, *, threads: int = 1
    ) -> Prepared: ...

@final
class Prepared:
    """A rulebook compiled for one table of contracts and one market. Immutable; shared freely between threads."""

    @property
    def contracts(self) -> Contracts: ...
    @property
    def currency(self) -> str: ...
    def margin(self, account: Account | Iterable[Position], *, standalone: bool = False) -> MarginReport: ...
    def margin_many(
        self, accounts: Accounts | Iterable[Account | Iterable[Position]], *, threads: int = 1
    ) -> MarginBatch: ...
    @property
    def market(self) -> Market | None: ...
    @property
    def methodology(self) -> Methodology: ...
    @property
    def repriced(self) -> tuple[int, int]: ...
    def open(
        self, account: Account | Iterable[Position], *, haircuts: Mapping[str, float] | None = None
    ) -> LiveAccount:
        """Open an account for checks and what-ifs.

        `haircuts` are the fractions taken off collateral, by asset (0.1 counts 90 %). Raises :class:`MissingData`
        for a contract that is not in the prepared table.

        >>> import margincore as mc
        >>> stock = mc.Stock("XYZ", currency="USD")
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
        >>> live = mc.Engine(mc.methods.Tims()).prepare([stock], market).open([mc.Position(stock, 100)])
        >>> live.margin.initial
        750.0
        """

    def update(
        self,
        *,
        threads: int = 1,
        valuation: str | dt.datetime | None = None,
        spot: Mapping[str, float] | None = None,
        price: Mapping[str, float] | None = None,
        vol: Mapping[str, float] | None = None,
        rate: Mapping[Any, Any] | None = None,
        dividend_yield: Mapping[str, float] | None = None,
        forward: Mapping[tuple[str, Any], float] | Sequence[Mapping[str, Any]] | None = None,
        fx: Mapping[str, float] | None = None,
    ) -> Prepared:
        """The same rulebook after a change of the market: a new object; this one stays as it is.

        Only rows whose inputs changed are priced again (`repriced` counts them); the result equals a preparation
        from the whole new market to the last bit. Raises :class:`NotApplicable` where there is no market.

        >>> import margincore as mc
        >>> table = [mc.Stock(symbol, currency="USD") for symbol in ("A", "B", "C")]
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0, "B": 20.0, "C": 30.0})
        >>> prepared = mc.Engine(mc.methods.Tims()).prepare(table, market)
        >>> prepared.update(spot={"B": 21.0}).repriced
        (1, 3)
        """

    def with_market(self, market: Market, *, threads: int = 1) -> Prepared:
        """As :meth:`update`, from a whole market: rows whose inputs are equal are not priced again."""

@final
class Requirement:
    """The numbers of a requirement, in the report's currency."""

    @property
    def initial(self) -> float: ...
    @property
    def maintenance(self) -> float: ...

@final
class Line:
    """One term of a requirement; credits are negative. Amounts are in `currency`, `fx` converts to the report's."""

    @property
    def scope(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def initial(self) -> float: ...
    @property
    def maintenance(self) -> float: ...
    @property
    def currency(self) -> str: ...
    @property
    def fx(self) -> float: ...
    @property
    def scenario(self) -> str | None: ...

@final
class UnderlyingGreeks:
    """Sensitivities of an account to one underlying, in `currency`, positive for what the account gains.

    `delta` is in units of the underlying; `gamma` is delta per 1.00 of its price; `vega` money per 1.00 of volatility
    (divide by 100 for a vol point); `theta` money per year of time passing (divide by 365 for a day); `rho` money per
    1.00 of the interest rate. Options have the greeks of the model, volatility and carry the rulebook prices them
    with (American options of SPAN-like margin: those of the exact American price); stocks, futures and coins move one
    for one, coin-settled contracts valued in dollars. An option on a future or forward feels a rate in its discount
    only, and none where the venue values it without one. Options the rulebook does not price, because it has an
    exchange's own values for them, are not in the sums but named in `excluded`. A rulebook that prices no options
    (Reg T, a SPAN file, a venue's standard margin on marks) gives none.

    >>> import margincore as mc
    >>> call = mc.Option("XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
    ...                  currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, vol={call.id: 0.3}, rate={"USD": 0.05})
    >>> book = [mc.Position(mc.Stock("XYZ", currency="USD"), 100), mc.Position(call, -1)]
    >>> [greeks] = mc.margin(book, market, mc.methods.Tims()).greeks
    >>> greeks.underlying, round(greeks.delta, 1), round(greeks.vega / 100, 2), round(greeks.theta / 365, 2)
    ('XYZ', 46.5, -5.5, 3.29)
    """

    @property
    def underlying(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def delta(self) -> float: ...
    @property
    def gamma(self) -> float: ...
    @property
    def vega(self) -> float: ...
    @property
    def theta(self) -> float: ...
    @property
    def rho(self) -> float: ...
    @property
    def excluded(self) -> list[str]: ...

@final
class MarginReport:
    """A requirement with everything that explains it; the lines add up to the total, always."""

    @property
    def requirement(self) -> Requirement: ...
    @property
    def equity_required(self) -> float: ...
    @property
    def cash_required(self) -> float: ...
    @property
    def net_option_value(self) -> float: ...
    @property
    def worst_scenario(self) -> str | None: ...
    @property
    def worst_scenario_index(self) -> int | None: ...
    @property
    def methodology(self) -> str: ...
    @property
    def parameters(self) -> dict[str, str]: ...
    @property
    def valuation(self) -> str | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def lines(self) -> list[Line]: ...
    @property
    def totals(self) -> list[Line]: ...
    @property
    def details(self) -> dict[str, Any]: ...
    @property
    def greeks(self) -> list[UnderlyingGreeks]: ...
    @property
    def standalone_sum(self) -> float | None: ...
    @property
    def offset_benefit(self) -> float | None: ...
    def by_scope(self) -> dict[str, Requirement]: ...
    def by_component(self) -> dict[str, Requirement]: ...
    def adds_up(self) -> bool: ...
    def to_dict(self) -> dict[str, Any]: ...
    def _repr_html_(self) -> str: ...

@final
class MarginBatch:
    """Requirements of many accounts as NumPy columns; `worst_scenario` is -1 where there is none."""

    @property
    def initial(self) -> NDArray[np.float64]: ...
    @property
    def maintenance(self) -> NDArray[np.float64]: ...
    @property
    def net_option_value(self) -> NDArray[np.float64]: ...
    @property
    def worst_scenario(self) -> NDArray[np.int32]: ...
    def __len__(self, /) -> int: ...

@final
class OsiSymbol:
    """An option symbol in any common spelling; `str()` gives the canonical 21 characters."""

    def __new__(cls, text: str) -> Self: ...
    @property
    def root(self) -> str: ...
    @property
    def expiry(self) -> str: ...
    @property
    def right(self) -> str: ...
    @property
    def strike(self) -> float: ...
    @property
    def compact(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...

@final
class Products:
    """The dated product table that gives option symbols their terms. Immutable; extending gives a new table."""

    def __new__(cls) -> Self: ...
    def with_equities(self, roots: Sequence[str]) -> Products: ...
    def extended(self, rows: Sequence[Mapping[str, Any]]) -> Products: ...
    def contract(self, symbol: str) -> Contract: ...
    def rows(self) -> list[dict[str, Any]]: ...
    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Products: ...

@final
class SpanFile:
    """A parsed SPAN parameter file: what it holds, its contracts and arrays. Immutable.

    A list of paths is several clearing organisations as one set, with the spreads between them. Raises
    :class:`ParseError` with file, line or byte offset, and field; :class:`InvalidInput` where it cannot be read.

    >>> from margincore._core import SpanFile
    >>> array = "".join(f"<a>{a}</a>" for a in (0, 0, -3, -3, 3, 3, -6, -6, 6, 6, -9, -9, 9, 9, -9, 9))
    >>> future = f"<fut><pe>202506</pe><p>10.5</p><ra><r>1</r>{array}<d>1</d></ra></fut>"
    >>> family = f"<futPf><pfCode>F</pfCode><cvf>1</cvf>{future}</futPf>"
    >>> commodity = "<ccDef><cc>F</cc><currency>USD</currency></ccDef>"
    >>> text = f"<clearingOrg><ec>X</ec>{family}{commodity}</clearingOrg>"
    >>> text = f"<spanFile><pointInTime><date>20250601</date>{text}</pointInTime></spanFile>"
    >>> file = SpanFile.parse(text.encode(), "x.spn")
    >>> file.ids(), float(file.arrays()[0, 10]), file.composite_deltas().tolist()
    ([':F:FUT:202506'], -9.0, [1.0])
    """

    def __new__(cls, path: str | PathLike[str] | Sequence[str | PathLike[str]]) -> Self: ...
    @staticmethod
    def parse(data: bytes, name: str) -> SpanFile: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def cache(self) -> bytes: ...
    @property
    def info(self) -> dict[str, Any]: ...
    @property
    def summary(self) -> dict[str, Any]: ...
    def commodity(self, code: str) -> dict[str, Any] | None: ...
    @property
    def commodities(self) -> list[str]: ...
    def ids(self) -> list[str]: ...
    def contracts(self) -> Contracts: ...
    def arrays(self) -> NDArray[np.float64]: ...
    def composite_deltas(self) -> NDArray[np.float64]: ...
    def regenerate(
        self, variant: str
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...
    def __len__(self, /) -> int: ...

def span_risk_array(request: Mapping[str, Any]) -> dict[str, Any]: ...
def span_settlement_price(digits: str, locator: int, alignment: str) -> float: ...
def build_info() -> dict[str, str]: ...
def read_parameters(name: str, files: Mapping[str, str | PathLike[str]]) -> dict[str, Any]: ...
def rulebooks() -> list[str]: ...
def common_length(columns: tuple[Any, ...]) -> int | None: ...
def european_prices(columns: Sequence[Any], out: NDArray[np.float64]) -> None: ...
def european_grid(
    columns: Sequence[Any],
    price_moves: NDArray[np.float64],
    vol_moves: NDArray[np.float64],
    roll: float,
    out: NDArray[np.float64],
) -> None: ...
def european_greeks(columns: Sequence[Any], out: NDArray[np.float64]) -> None: ...
def european_implied(columns: Sequence[Any], out: NDArray[np.float64], status: NDArray[np.uint8]) -> None: ...
def implied_statuses() -> list[str]: ...
def american_grid(
    columns: Sequence[NDArray[np.float64]],
    right: NDArray[np.int8],
    price_moves: tuple[NDArray[np.float64], bool],
    vol_moves: tuple[NDArray[np.float64], bool],
    roll: float,
    scenarios: int,
    accuracy: str,
    shared_boundaries: bool,
) -> NDArray[np.float64]:
    """Prices by rows and scenarios; the moves are (values, whether they are a table by rows)."""

def american_greeks(
    columns: Sequence[NDArray[np.float64]], right: NDArray[np.int8], accuracy: str
) -> list[NDArray[np.float64]]:
    """Price, delta, gamma, vega, theta, rho, vanna, volga."""

def american_implied(
    columns: Sequence[NDArray[np.float64]], right: NDArray[np.int8], accuracy: str
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Vols and status numbers; the vol column holds the prices."""

def tree_grid(
    columns: Sequence[NDArray[np.float64]],
    right: NDArray[np.int8],
    price_moves: list[float],
    dividends: list[tuple[float, float]],
    american: bool,
    scheme: str,
    steps: int,
    treatment: str,
) -> NDArray[np.float64]:
    """Tree prices by rows and moves."""

def tree_implied(
    columns: Sequence[NDArray[np.float64]],
    right: NDArray[np.int8],
    dividends: list[tuple[float, float]],
    american: bool,
    scheme: str,
    steps: int,
    treatment: str,
) -> NDArray[np.float64]:
    """Vols at which the tree returns the prices, which are in the vol column."""

def quadratic_prices(columns: Sequence[NDArray[np.float64]], right: NDArray[np.int8]) -> NDArray[np.float64]:
    """Barone-Adesi and Whaley; the dividend yield column holds the cost of carry."""

# ---- live accounts

_Trade = tuple[Contract, float] | tuple[Contract, float, float] | tuple[Contract, float, float, float]

@final
class Order:
    """An order: whole contracts at a limit price in the contract's quote; `fees` for the whole order, in its currency.

    Numbers are judged by :meth:`LiveAccount.check`, so that a bad one is a refusal and not an exception. `effect` is
    needed where the account keeps long and short apart. The price counts as the fill price. Under rulebooks without a
    closed form for open orders every way they may fill is margined, up to 4,096 ways; an `all_or_none` order has two.

    >>> import margincore as mc
    >>> mc.Order("a1", mc.Stock("XYZ", currency="USD"), "buy", 100, 50.0)
    Order("a1", "XYZ", "buy", 100, 50)
    """

    def __new__(
        cls,
        id: str,
        contract: Contract,
        side: Literal["buy", "sell"],
        quantity: float,
        price: float,
        *,
        fees: float = 0.0,
        effect: Literal["open", "close"] | None = None,
        all_or_none: bool = False,
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def contract(self) -> Contract: ...
    @property
    def side(self) -> Literal["buy", "sell"]: ...
    @property
    def quantity(self) -> float: ...
    @property
    def price(self) -> float: ...
    @property
    def fees(self) -> float: ...
    @property
    def effect(self) -> Literal["open", "close"] | None: ...
    @property
    def all_or_none(self) -> bool: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]: ...

@final
class Limit:
    """What a check is held against, in the report's currency, on the basis `equity_required`.

    At least one of `max_requirement` and `min_excess` (equity less requirement) is needed. Optional filters before
    them: `max_age` (seconds between the market and `now`), `price_collar` (fraction of the mark), `max_quantity`
    (lots), `max_notional` (price times quantity), `throttle` ``(messages, seconds)``. `complete_only` leaves an order's
    partial fills unjudged (see :meth:`LiveAccount.check`). Raises :class:`InvalidInput`.

    >>> import margincore as mc
    >>> mc.Limit(max_requirement=10_000.0, min_excess=0.0).max_requirement
    10000.0
    """

    def __new__(
        cls,
        max_requirement: float | None = None,
        min_excess: float | None = None,
        *,
        max_age: float | None = None,
        price_collar: float | None = None,
        max_quantity: int | None = None,
        max_notional: float | None = None,
        throttle: tuple[int, float] | None = None,
        complete_only: bool = False,
    ) -> Self: ...
    @property
    def max_requirement(self) -> float | None: ...
    @property
    def min_excess(self) -> float | None: ...
    @property
    def max_age(self) -> float | None: ...
    @property
    def price_collar(self) -> float | None: ...
    @property
    def max_quantity(self) -> int | None: ...
    @property
    def max_notional(self) -> float | None: ...
    @property
    def throttle(self) -> tuple[int, float] | None: ...
    @property
    def complete_only(self) -> bool: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Decision:
    """The answer to a check. Anything that could not be established is a refusal; `reason` is a fixed code.

    Codes, in the order of the checks: ``killed``, ``invalid_order``, ``invalid_limit``, ``duplicate_order``,
    ``no_time``, ``stale_market``, ``unknown_contract``, ``throttled``, ``max_quantity``, ``max_notional``,
    ``price_collar``, ``open_orders`` (the worst fills cannot be established), ``missing_data``, ``engine``,
    ``max_requirement``, ``min_excess``; ``accepted`` otherwise. True in a condition where accepted.
    """

    @property
    def accepted(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def before(self) -> Requirement:
        """Fresh margin of the positions, without open orders."""

    @property
    def after(self) -> Requirement:
        """Fresh margin with this order filled, without other open orders."""

    @property
    def worst(self) -> float:
        """The requirement that limits are held against, open orders in their worst case.

        With this order filled completely, or with a part of it filled that needs more than that and more than none.
        """

    @property
    def excess_before(self) -> float | None: ...
    @property
    def excess_after(self) -> float | None:
        """Equity less requirement in the worst case of it; `None` where equity is not known."""

    @property
    def headroom(self) -> float:
        """How far the tightest limit is away; negative where it is broken."""

    @property
    def coverage(self) -> Literal["none", "exact", "bound", "every_fill"]:
        """How the worst case of open orders was established."""

    @property
    def market_age(self) -> float | None: ...
    @property
    def epoch(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    def digest(self) -> str:
        """SHA-256 of order, limit, table, numbers and reason, in hexadecimal."""

    def __bool__(self, /) -> bool: ...

@final
class WhatIf:
    """Requirements before and after trades, and the difference."""

    @property
    def before(self) -> Requirement: ...
    @property
    def after(self) -> Requirement: ...
    @property
    def change(self) -> Requirement: ...

@final
class LiveAccount:
    """An open account: margin between trades, and the check before an order. Safe to share between threads.

    Trades are ``(contract, quantity)``, with a price and fees behind it where cash is to follow. `what_if`, `check` and
    `apply` give the bits of a fresh margin. Equity is cash, collateral after haircuts, option value, and stock, ETF and
    spot holdings at their mark; futures and perpetuals settle to their mark when traded and at every `rebase`.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> live = prepared.open(mc.Account([], cash={"USD": 1_000.0}))
    >>> live.what_if([(stock, 100)]).change.initial
    750.0
    >>> limit = mc.Limit(min_excess=0.0)
    >>> live.check(mc.Order("1", stock, "buy", 100, 50.0), limit).accepted
    True
    >>> live.check(mc.Order("2", stock, "buy", 100, 53.0), limit).reason      # paid too much: 300 gone at once
    'min_excess'
    >>> live.max_quantity(stock, "buy", limit)
    133.0
    """

    @property
    def margin(self) -> Requirement:
        """The requirement of the positions now; open orders are not in it."""

    @property
    def worst(self) -> float:
        """The initial requirement with open orders in their worst case."""

    @property
    def equity(self) -> float: ...
    @property
    def excess(self) -> float: ...
    @property
    def cash(self) -> dict[str, float]: ...
    @property
    def positions(self) -> list[Position]: ...
    @property
    def gross(self) -> bool:
        """Whether long and short are kept apart."""

    @property
    def open_orders(self) -> dict[str, float]:
        """What may still be filled, by order id: signed, in contracts."""

    @property
    def orders(self) -> list[dict[str, Any]]:
        """Every order ever reserved with its fills, as plain data, quantities in lots: for :meth:`restore_orders`."""

    def order(self, order_id: str) -> dict[str, Any] | None:
        """One of :attr:`orders`; `None` where it was never reserved."""

    def restore_orders(self, orders: Sequence[Mapping[str, Any]]) -> None:
        """Take over the orders of a closed account with these positions, so that repeated messages are recognised.

        All of them, or none: raises :class:`InvalidInput` where one is known already or its fills do not add up.
        """

    @property
    def epoch(self) -> int:
        """How many markets the account has been moved to."""

    @property
    def killed(self) -> bool: ...
    def report(self) -> MarginReport: ...
    def what_if(self, trades: Iterable[_Trade], *, effect: Literal["open", "close"] | None = None) -> WhatIf:
        """Requirements before and after trades; nothing changes."""

    def index(self, contract: Contract) -> int:
        """The row of a contract, for :meth:`margin_after`."""

    def margin_after(self, index: int, lots: int, /) -> float:
        """The initial requirement after one more trade of signed lots: the fast path.

        From kept sums where the rulebook has them, then within :meth:`band_after` of a fresh margin; else a fresh one.
        """

    def band_after(self, index: int, lots: int, /) -> float:
        """How far :meth:`margin_after` can lie from a fresh margin: 2 (n + 2) 2^-53 sum |q a|."""

    def check(
        self, order: Order, limit: Limit, now: float | str | dt.datetime | None = None, *, reserve: bool = False
    ) -> Decision:
        """Whether an order may be sent, with open orders in their worst case. Fails closed; never raises for bad data.

        Limits are held against the complete fill, and against every partial fill that needs more than no fill at all
        does, so that an order which mends a broken limit passes. Where the requirement is convex in the lots no
        partial fill can be the worst. Elsewhere (SPAN, Reg T, TIMS class groups that share a portfolio group, combined
        rulebooks, quantiles, some venues' charges) each is margined, up to 65,536 ways for the order and open orders
        together; more are refused unless the limit is `complete_only`.

        `now` is seconds since 1970, an instant or an aware datetime. With `reserve`, an accepted order counts as open
        at once.
        """

    def apply(self, trades: Iterable[_Trade], *, effect: Literal["open", "close"] | None = None) -> Requirement:
        """Book trades: all of them, or none where one is refused."""

    def deposit(self, currency: str, amount: float) -> None: ...
    def rebase(self, prepared: Prepared) -> None:
        """Move to another preparation of the same table or of one that appends to it. On an error nothing changes."""

    def reserve(self, order: Order) -> bool:
        """Count an order's worst case from now on. False where it is known already."""

    def fill(self, order_id: str, execution_id: str, quantity: float, price: float, *, fees: float = 0.0) -> bool:
        """Book an execution of a reserved order. False where it is known already."""

    def cancel(self, order_id: str) -> bool:
        """Whether anything was left to cancel."""

    def replace(self, order_id: str, order: Order) -> bool:
        """Cancel one order and reserve another in its place. False where it is known already."""

    def kill(self) -> None:
        """Refuse every order until :meth:`revive`."""

    def revive(self) -> None: ...
    def max_quantity(
        self,
        contract: Contract,
        side: Literal["buy", "sell"],
        limit: Limit,
        *,
        price: float | None = None,
        fees_per_contract: float = 0.0,
        most: float | None = None,
    ) -> float | None:
        """The largest quantity such that every fill from nothing to all of it passes; `None` where nothing does.

        An order of it passes :meth:`check`. `price` is the mark where left out; `most` ends the search (100,000 lots by
        default).
        """

    def max_quantity_complete(
        self,
        contract: Contract,
        side: Literal["buy", "sell"],
        limit: Limit,
        *,
        price: float | None = None,
        fees_per_contract: float = 0.0,
        most: float | None = None,
    ) -> float | None:
        """The largest quantity whose complete fill passes, whatever smaller fills do (`complete_only` of a limit)."""

    def rank(self, index: NDArray[np.uint32], lots: NDArray[np.int64], *, threads: int = 1) -> NDArray[np.float64]:
        """The requirement after each candidate trade alone; columns of contract rows and signed lots."""

    def hedges(
        self, limit: Limit | None = None, *, count: int = 10, most: float = 100.0
    ) -> list[tuple[Contract, float, float, float]]:
        """The best single trade per contract and side: (contract, quantity, requirement after, change).

        Largest reduction first; with a limit, trades after which its `max_requirement` holds come before the others.
        """

def hvar_rolling(
    parameters: Mapping[str, Any],
    tables: Mapping[str, NDArray[np.float64]],
    exposures: Mapping[str, float],
    *,
    first: str | int | None = None,
    last: str | int | None = None,
    threads: int = 1,
) -> dict[str, Any]:
    """Margins as of every date of a history, as `{"steps", "dates", "margin", "components", "realised"}`."""

def hvar_measure(
    losses: NDArray[np.float64], measure: str, confidence_ppm: int, age_decay: float | None = None
) -> float:
    """One measure of losses in scenario order."""
