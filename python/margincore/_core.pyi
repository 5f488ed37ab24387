"""The engine's classes. Prices and amounts are floats in the stated currency; gains are positive."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Self, final

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
        equity: float | None = None,
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
    def equity(self) -> float | None: ...
    @property
    def gross(self) -> bool: ...
    def __len__(self, /) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]: ...

@final
class Accounts:
    """Many accounts over one table of contracts, as columns: a million rows are not a million objects."""

    @classmethod
    def from_columns(
        cls,
        contracts: Contracts,
        *,
        account: NDArray[np.uint32],
        contract: NDArray[np.uint32],
        quantity: NDArray[np.int64],
        count: int | None = None,
        kind: str | None = None,
    ) -> Accounts: ...
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

def build_info() -> dict[str, str]: ...
def read_parameters(name: str, files: Mapping[str, str | PathLike[str]]) -> dict[str, Any]: ...
def rulebooks() -> list[str]: ...

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
