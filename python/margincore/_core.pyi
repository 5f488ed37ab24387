"""The engine's classes. Prices and amounts are floats in the stated currency; gains are positive."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from margincore.errors import CalculationError as CalculationError
from margincore.errors import InvalidInput as InvalidInput
from margincore.errors import MarginError as MarginError
from margincore.errors import MissingData as MissingData
from margincore.errors import NotApplicable as NotApplicable
from margincore.errors import ParseError as ParseError
from margincore.errors import Unsupported as Unsupported

__version__: str
__document_version__: int

def did_you_mean(name: str, known: Sequence[str], /) -> str:
    """A hint to put behind a refusal of a name: ``; did you mean 'SPX'?``, or nothing where no known name is near."""

def error_codes() -> dict[str, str]:
    """Every code that an error may have, with its meaning, a new dictionary.

    >>> import margincore as mc
    >>> mc.error_codes()["out_of_range"]
    'A number outside its bounds.'
    """

@final
class Contract:
    """One contract's terms, checked. Immutable and hashable; equal terms are equal contracts.

    Takes the terms by name, `None` for those left out; :func:`margincore.Option` and its siblings name them,
    `TERMS` lists them. Raises :class:`InvalidInput` for terms that are missing, unknown or do not fit the kind.
    """

    TERMS: ClassVar[tuple[str, ...]]

    def __new__(cls, **terms: Any) -> Self: ...
    @classmethod
    def from_dict(cls, terms: dict[str, Any]) -> Contract:
        """The contract of a document, as :meth:`to_dict` gives it. Raises :class:`InvalidInput`."""

    @property
    def id(self) -> str:
        """The name it is known by, unique in its table; derived from the other terms where none was given."""

    @property
    def kind(self) -> str:
        """``spot``, ``stock``, ``etf``, ``index``, ``future``, ``perpetual`` or ``option``."""

    @property
    def underlying(self) -> str:
        """The symbol it is on; for an option on another contract, that contract's id."""

    @property
    def right(self) -> str | None:
        """``call`` or ``put``; `None` for what is not an option."""

    @property
    def strike(self) -> float | None:
        """The strike price; `None` for what is not an option."""

    @property
    def expiry(self) -> str | None:
        """The expiry as it was written, a date or an instant; `None` for what does not expire."""

    @property
    def expires(self) -> str | None:
        """The instant of expiry in UTC, such as ``"2026-12-18T14:30:00Z"``; `None` for what does not expire."""

    def days_from(self, valuation: str | dt.datetime) -> int | None:
        """Whole calendar days from the date of `valuation` to the date of expiry, both in the zone of the expiry.

        Negative once the date has passed; `None` for what does not expire. `valuation` is an instant with its zone as
        text, or an aware datetime. Raises :class:`InvalidInput` for one without a zone.
        """

    @property
    def settles(self) -> str | None:
        """``am`` or ``pm``: when it settles on its expiry date; `None` where it was not given."""

    @property
    def exchange(self) -> str | None:
        """The exchange whose zone and settlement times a date of expiry has, where one was given."""

    @property
    def exercise(self) -> str | None:
        """``european`` or ``american``; `None` for what is not an option."""

    @property
    def multiplier(self) -> float:
        """Units of the underlying (or of its `multiplier_unit`) per contract; 1 where none was given."""

    @property
    def multiplier_unit(self) -> str | None:
        """What the multiplier counts, ``coin`` or a currency; `None` where it counts the underlying's own units."""

    @property
    def strike_multiplier(self) -> float | None:
        """What an option's strike is multiplied by: the multiplier, where no other was given; `None` without a
        strike.
        """

    @property
    def premium_multiplier(self) -> float | None:
        """What an option's price is multiplied by: the multiplier, where no other was given; `None` without a
        strike.
        """

    @property
    def settlement(self) -> str:
        """``linear`` or ``inverse``: paid in the quote currency, or in the coin at the inverse of its price."""

    @property
    def premium(self) -> str:
        """``upfront`` or ``futures_style``: an option's premium paid when it is bought, or settled like a future."""

    @property
    def currency(self) -> str:
        """The currency profit, loss and premium are paid in."""

    @property
    def lot(self) -> float:
        """The smallest tradable quantity, in contracts: quantities are whole numbers of lots."""

    @property
    def deliverable(self) -> str | dict[str, Any] | None:
        """What exercise delivers, where it was given.

        ``cash``, ``shares`` (of the underlying, as many as the multiplier says), or a new dictionary of what one
        contract delivers, ``{"shares": {symbol: number}, "cash": amount}``, cash in its currency.
        """

    @property
    def adjusted(self) -> bool:
        """Whether it is an adjusted option.

        One that delivers something else than `multiplier` units of its underlying, or whose strike or premium has a
        multiplier of its own. Reg T and TIMS have rules for them; other rulebooks raise :class:`NotApplicable`.
        """

    @property
    def listed(self) -> bool:
        """Whether it is listed on an exchange; false for what trades over the counter."""

    @property
    def venue(self) -> str | None:
        """The venue it trades on, where one was given."""

    @property
    def aliases(self) -> Mapping[str, str]:
        """Its names at other vendors, by vendor; read-only."""

    def to_dict(self) -> dict[str, Any]:
        """The terms as a document of plain values, without those left out."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...

@final
class Contracts:
    """A table of contracts with unique ids. Accounts and prepared rulebooks refer to its rows.

    Raises :class:`InvalidInput` for an id that comes twice.
    """

    def __new__(cls, contracts: Iterable[Contract]) -> Self: ...
    @classmethod
    def from_columns(cls, **columns: Any) -> Contracts:
        """A table from columns by the names of a contract's terms.

        Arrays or lists with one entry per row, or one value for all rows. Text may be NumPy text, numbers NumPy
        numbers, dates ``datetime64``; ``""`` means left out. `listed` is true or false, `aliases` a column of text by
        vendor, `deliverable` text or dictionaries. A pair of codes and texts, ``(array([0, 1, 0]), ["A", "B"])``, is a
        column of text too. Raises :class:`InvalidInput` for columns that are none, that differ
        in length or make no contract. (An array of NumPy text cannot hold a NUL at the end of a name: NumPy takes it
        away when the array is made.)
        """

    @classmethod
    def from_arrow(cls, source: Any) -> Contracts:
        """A table from anything with an Arrow stream, whose columns are named like a contract's terms.

        Text may be plain, views or dictionary-coded; an expiry also a date, or a timestamp without a zone that is a
        midnight; aliases are columns ``aliases.VENDOR``. Null text is left out, as is a null strike where there is no
        option; a null multiplier of strike or premium is the row's multiplier. The index that pandas adds is passed
        over. Raises :class:`InvalidInput` or :class:`MissingData`, naming column and row.

        >>> import margincore as mc, pyarrow as pa
        >>> rows = pa.table({"kind": ["etf", "stock"], "underlying": ["SPY", "A"], "currency": ["USD", "USD"]})
        >>> mc.Contracts.from_arrow(rows).ids
        ('SPY', 'A')
        >>> pa.table(mc.Contracts.from_arrow(rows)).select(["kind", "id"]).to_pylist()
        [{'kind': 'etf', 'id': 'SPY'}, {'kind': 'stock', 'id': 'A'}]
        """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as an Arrow stream, a column per term that any row states."""

    def index(self, contract: Contract | str) -> int:
        """The row of a contract or id, from 0.

        Raises :class:`MissingData` where it is not in the table, :class:`InvalidInput` where its terms are others.
        """

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in the order of the rows."""

    @property
    def digest(self) -> str:
        """SHA-256 of every row's terms in order, in hexadecimal: tables with one digest are the same table."""

    def __len__(self, /) -> int: ...
    def __getitem__(self, row: int, /) -> Contract: ...
    def __iter__(self, /) -> Iterator[Contract]: ...
    def __contains__(self, contract: Contract | str, /) -> bool: ...

@final
class Market:
    """One snapshot of a market, its valuation time inside. Immutable.

    Rates, yields and vols are annual fractions (0.05 is 5 %), rates and yields continuously compounded. Every part may
    be left out but the first. Raises :class:`InvalidInput` for anything that is not finite or not a quote, and for an
    unknown name, with the nearest known one.

    - `valuation`: an instant with its zone as text, or an aware datetime.
    - `contracts`: the table whose rows arrays of `price` and `vol` follow; needed beside arrays only. Mappings
      beside it name its contracts only.
    - `spot`: by symbol, in the currency the symbol is quoted in.
    - `forward`: by ``(underlying, expiry)``, as `spot`; the expiry written as the contracts write theirs.
    - `dividends`: ``(ex-date, amount per unit)`` by symbol, in the currency of its `spot`.
    - `dividend_yield`: by symbol; with neither this nor `dividends` a symbol pays none.
    - `rate`: zero rates by currency, flat, ``{currency: {date: rate}}`` or ``{(currency, date): rate}``: linear
      between the dates, flat outside them.
    - `borrow`: by symbol; kept with the snapshot, no rulebook reads it.
    - `price`: marks in the contract's quote, by contract or its id, or in the order of `contracts` as an array, list,
      tuple or Series of numbers. Only futures (and indices) are quoted below zero.
    - `vol`: implied vols, amounts where a rulebook prices by Bachelier's formula; as `price`.
    - `fx`: units of the second currency for one of the first, ``{"EURUSD": 1.08}`` or ``{"BTC/USD": 70000.0}``.
    - `marks`: ``"keep"`` where option prices may be of another time than what they are written on, as
      :meth:`Prepared.update` leaves them: the bounds that spots give are not held against them, and reports warn.
    """

    def __new__(
        cls,
        valuation: str | dt.datetime,
        *,
        contracts: Contracts | Iterable[Contract] | None = None,
        spot: Mapping[str, float] | None = None,
        forward: Mapping[tuple[str, Any], float] | Sequence[Mapping[str, Any]] | None = None,
        dividends: Mapping[str, Sequence[Any]] | None = None,
        dividend_yield: Mapping[str, float] | None = None,
        rate: Mapping[Any, Any] | None = None,
        borrow: Mapping[str, float] | None = None,
        price: Mapping[str, float] | Mapping[Contract, float] | ArrayLike | None = None,
        vol: Mapping[str, float] | Mapping[Contract, float] | ArrayLike | None = None,
        fx: Mapping[str, float] | None = None,
        marks: Literal["refuse", "keep"] | None = None,
    ) -> Self: ...
    @property
    def valuation(self) -> str:
        """The instant of the snapshot with its zone, as it was given."""

    @property
    def spot(self) -> Mapping[str, float]:
        """Spot prices by symbol; read-only."""

    @property
    def contracts(self) -> Contracts | None:
        """The table whose rows arrays of prices or vols follow; `None` where there are no arrays."""

    @property
    def digest(self) -> str:
        """SHA-256 of the market as it was given, in hexadecimal: equal where valuation and every quote are."""

    def to_dict(self) -> dict[str, Any]:
        """The snapshot as a document of plain values; array columns are not part of it."""

@final
class Position:
    """A holding: a contract and a signed quantity in contracts, or long and short apart.

    Positive is long; of a spot a quantity is in units. Raises :class:`InvalidInput` for what is not a whole
    number of lots.
    """

    def __new__(
        cls,
        contract: Contract,
        quantity: float | None = None,
        *,
        long: float | None = None,
        short: float | None = None,
    ) -> Self: ...
    @property
    def contract(self) -> Contract:
        """The contract held."""

    @property
    def quantity(self) -> float:
        """Long less short, in contracts."""

    @property
    def long(self) -> float:
        """The long side, in contracts; never negative."""

    @property
    def short(self) -> float:
        """The short side, in contracts; never negative."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Account:
    """Positions and the money beside them. Net per contract unless `gross`.

    `cash` are amounts by currency, each in its own, `collateral` units by asset; `kind` is the rulebook's own word
    for the account. The long and short sides of a gross account do not net: an omnibus account, say. SPAN and VaR
    margin them as two portfolios; rulebooks without a rule for them raise :class:`NotApplicable`. Raises
    :class:`InvalidInput` for an amount that is not finite.
    """

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
    def positions(self) -> tuple[Position, ...]:
        """The positions, in the order given."""

    @property
    def cash(self) -> Mapping[str, float]:
        """Cash balances by currency, each in its own, read-only; negative is a debit."""

    @property
    def collateral(self) -> Mapping[str, float]:
        """Amounts of assets posted, by asset, in units of the asset, read-only; the rulebook says what they cover."""

    @property
    def kind(self) -> str | None:
        """The rulebook's own word for the account, such as ``margin``, ``cash``, ``hedger`` or ``member``."""

    @property
    def gross(self) -> bool:
        """Whether long and short are kept apart."""

    def _repr_html_(self) -> str:
        """The account as a card, for notebooks."""

    def __len__(self, /) -> int: ...

@final
class Accounts:
    """Many accounts over one table of contracts, as columns: a million rows are not a million objects.

    `from_columns` takes one entry per position, in any order: the account's number from 0, the contract's row in
    the table and signed whole lots, as arrays of any integer type or lists. `count` says how many accounts there
    are where the last have no positions; without it a number more than a million above the rows is refused.
    `from_arrow` takes a table whose accounts have names. `greatest` adds up a scenario table of one's own: for
    `values` of shape ``(len(contracts), 16)``, the greatest of each account's sums of lots times values, and the
    first column that has it. Where values are losses, that is the worst; an account without positions sums to 0 in
    column 0.

    >>> import margincore as mc, numpy as np
    >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
    >>> accounts = mc.Accounts.from_columns(table, account=np.array([0, 0, 1]), contract=np.array([0, 1, 1]),
    ...                                     lots=[10, -5, 2])
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
        quantity: NDArray[Any] | Sequence[float] | None = None,
        lots: NDArray[np.integer[Any]] | Sequence[int] | None = None,
        long: NDArray[np.integer[Any]] | Sequence[int] | None = None,
        short: NDArray[np.integer[Any]] | Sequence[int] | None = None,
        gross: bool = False,
        count: int | None = None,
        kind: str | Sequence[str | None] | None = None,
        cash: Mapping[str, ArrayLike] | None = None,
        collateral: Mapping[str, ArrayLike] | None = None,
        labels: Sequence[str] | Sequence[int] | None = None,
    ) -> Accounts:
        """Accounts from one entry per position, in any order.

        `account` numbers accounts from 0, `contract` are rows of the table. How much: `quantity`, signed, in contracts;
        or `lots`, signed and whole; or `long` and `short`, whole lots of both sides, which net unless `gross`. All are
        columns of one length. `count` is the number of accounts where the last ones hold nothing. `cash` (by currency)
        and `collateral` (units by asset) are columns with an entry per account, NaN where there is none; `kind` holds
        for all, or is one per account; `labels` are names, one per account. Raises :class:`InvalidInput` for columns
        that differ in length or leave the table, and a quantity that is no whole number of lots.
        """

    @classmethod
    def from_arrow(
        cls,
        contracts: Contracts,
        source: Any,
        *,
        account: str | None = None,
        contract: str | None = None,
        quantity: str | None = None,
        lots: str | None = None,
        long: str | None = None,
        short: str | None = None,
        cash: Mapping[str, str] | None = None,
        collateral: Mapping[str, str] | None = None,
        kind_column: str | None = None,
        kind: str | None = None,
        gross: bool = False,
        ignore: Sequence[str] | None = None,
        count: int | None = None,
    ) -> Accounts:
        """Accounts from a table with a row per position, by anything with an Arrow stream; rows in any order.

        Columns are those of :meth:`Prepared.margin_arrow`. The accounts come in ascending order of what they are
        called, `labels`; with `count` they are numbers from 0, as in :meth:`from_columns`. Raises :class:`MissingData`
        for a contract that is not in the table, :class:`InvalidInput` for a column that is not known, a fraction, a
        null, and a name with blanks around it or characters that nobody sees: with the account and the row.

        >>> import margincore as mc, pyarrow as pa
        >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
        >>> rows = pa.table({"account": ["y", "x", "y"], "contract": ["A", "A", "B"], "quantity": [100, -20, 5]})
        >>> mc.Accounts.from_arrow(table, rows).labels
        ('x', 'y')
        """

    @property
    def contracts(self) -> Contracts:
        """The table whose rows the accounts hold."""

    @property
    def labels(self) -> tuple[str, ...] | tuple[int, ...] | None:
        """What the accounts are called, in their order; `None` where they are numbers from 0."""

    def apply(
        self,
        account: NDArray[np.integer[Any]] | Sequence[int],
        contract: NDArray[np.integer[Any]] | Sequence[int],
        lots: NDArray[np.integer[Any]] | Sequence[int],
    ) -> Accounts:
        """These accounts after fills: new accounts, the old ones stay as they are.

        One entry a fill, in any order: the account's number from 0, the contract's row in the table and signed whole
        lots, as arrays of any integer type or lists, three columns of one length. Fills of one contract in one account
        add up; a position that comes to zero goes. It costs a copy of the columns, 12 bytes a position, and the fills'
        own sort. Raises :class:`InvalidInput` for an account or a contract row that is not there and for more than 2^53
        lots.

        >>> import margincore as mc
        >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
        >>> accounts = mc.Accounts.from_columns(table, account=[0, 0, 1], contract=[0, 1, 1], lots=[10, -5, 2])
        >>> accounts.apply(account=[1, 0, 1], contract=[0, 1, 0], lots=[3, 5, 4])
        Accounts(2 accounts, 3 positions)
        """

    def positions(self) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int64]]:
        """What the accounts hold, as new columns: ``start``, ``contract`` and ``lots``.

        The positions of account ``i`` are the entries from ``start[i]`` up to ``start[i + 1]``: rows of the table,
        ascending, and signed whole lots. Raises :class:`InvalidInput` for gross accounts, which have two sides.
        """

    def greatest(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """The greatest of each account's sums of lots times `values`, and the first column that has it.

        `values` has shape ``(len(contracts), 16)``; both results are new arrays with one entry per account. Raises
        :class:`InvalidInput` for another shape or a value that is not finite.
        """

    def __len__(self, /) -> int: ...

@disjoint_base
class Methodology:
    """One rulebook as frozen, versioned data.

    Built by its registered name, its parameters as a document and numeric tables beside it; or from `parts`,
    several rulebooks over one account as ``[(claims, methodology), ...]``; `file` is a parsed SPAN file, for
    SPAN over it, and `base` the rulebook that a house's rules are over. Raises :class:`InvalidInput` for a name or
    parameter it does not know.
    """

    def __new__(
        cls,
        name: str,
        parameters: Mapping[str, Any],
        tables: Mapping[str, NDArray[np.float64]] | None = None,
        parts: Sequence[tuple[Callable[[Contract], bool], Methodology]] | None = None,
        file: SpanFile | None = None,
        base: Methodology | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str:
        """The rulebook's own name, such as ``OCC TIMS``."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Which parameters these are, by name, version, effective date, source and digest; read-only.

        The digest is the SHA-256 of the parameters, in hexadecimal. Where the valuation chooses among dated parameters
        these are all of them, and a report has those it used.
        """

    def prepare(
        self, contracts: Contracts | Iterable[Contract], market: Market | None = None, *, threads: int = 1
    ) -> Prepared:
        """Reprice what the rulebook needs and compile it for a table of contracts.

        `market` may be left out where the rulebook carries the exchange's own arrays. The same bits for any number of
        `threads`. Raises :class:`MissingData` naming what is not quoted, :class:`NotApplicable` naming what is not
        covered, :class:`CalculationError` where a price is no number.
        """

@final
class Prepared:
    """A rulebook compiled for one table of contracts and one market. Immutable; shared freely between threads.

    A pickle of it is what it was prepared from, and is prepared again where it is read; what comes out under another
    build is refused by its digest.
    """

    @property
    def contracts(self) -> Contracts:
        """The table it was compiled for: rows elsewhere are rows of this table."""

    @property
    def currency(self) -> str:
        """The currency of its reports: requirements and limits are in it."""

    def margin(self, account: Account | Iterable[Position], *, standalone: bool = False) -> MarginReport:
        """The margin of one account, explained.

        With `standalone`, every position is also margined alone (`standalone_sum` and `offset_benefit` of the
        report). Raises :class:`MissingData` for a contract that is not in the table, :class:`NotApplicable` for an
        account that the rulebook has no rule for.
        """

    def margin_many(
        self, accounts: Accounts | Iterable[Account | Iterable[Position]], *, threads: int = 1
    ) -> MarginBatch:
        """The requirements of many accounts, as columns in the order of the accounts.

        The same bits for any number of `threads`. Raises :class:`InvalidInput` for columns over another table,
        :class:`MissingData` for a contract that is not in the table, :class:`NotApplicable` for an account that the
        rulebook has no rule for.
        """

    def margin_arrow(
        self,
        source: Any,
        *,
        account: str | None = None,
        contract: str | None = None,
        quantity: str | None = None,
        lots: str | None = None,
        long: str | None = None,
        short: str | None = None,
        cash: Mapping[str, str] | None = None,
        collateral: Mapping[str, str] | None = None,
        kind_column: str | None = None,
        kind: str | None = None,
        gross: bool = False,
        ignore: Sequence[str] | None = None,
        order: Literal["grouped", "ascending", "any"] = "grouped",
        errors: Literal["raise", "column"] = "raise",
        metadata: Mapping[str, str] | None = None,
        threads: int = 1,
    ) -> MarginReader:
        """The requirements of a stream of positions, a record batch at a time: whole accounts, wherever batches end.

        `source` is anything with an Arrow stream (a table or reader of pyarrow, a frame of polars, a relation of
        DuckDB) or an iterator of record batches, a row per position. Columns, by the names they have, or by the usual
        ones where they are left out: `account` (``account`` or ``account_id``; text or whole numbers, which come back
        as they are), `contract` (``contract`` or ``contract_id``; ids, plain or dictionary-coded, or rows of the
        table), and how much: `quantity` in contracts, signed, or `lots`, or `long` and `short`. Of the account, the
        same on each of its rows or null: `cash` (columns by currency), `collateral` (columns by asset), `kind_column`.
        A row with neither contract nor quantity says something of its account only. Any other column is refused, unless
        `ignore` names it.

        `order` says how rows come: ``"grouped"``, those of an account together (16 bytes an account are kept, so that
        one that returns is refused); ``"ascending"``, sorted by account as well (nothing is kept); ``"any"``: all rows
        are kept, and the accounts come out ascending. With ``errors="column"`` an account that is refused has null
        numbers and says why in ``error_kind``, ``error_code`` and ``error``; with ``"raise"`` the first ends the
        stream, by its name. `kind` is that of accounts that say none; `gross` keeps long and short apart. `metadata` is
        added to the result's schema, which names build, rulebook, parameters, contracts and market by digest, as
        ``margincore.*``.

        Columns of the result: the account, ``initial``, ``maintenance`` and ``net_option_value`` in ``currency``,
        ``pairing_gap`` (how far a pairing may be from the cheapest, null where a rulebook pairs nothing),
        ``worst_scenario`` (null where no one is the worst) and its label ``scenario``. The same bits however rows are
        cut into batches, and for any number of `threads`.

        Raises :class:`MissingData` and :class:`InvalidInput` for columns that are missing, unknown or of another type;
        reading raises what accounts are refused for, and :class:`InvalidInput` for an account that returns.

        >>> import margincore as mc, pyarrow as pa
        >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0, "B": 20.0})
        >>> prepared = mc.Engine(mc.methods.Tims()).prepare(table, market)
        >>> held = pa.table({"account_id": [7, 7, 9], "contract_id": ["A", "B", "B"], "quantity": [100, -50, 10]})
        >>> prepared.margin_arrow(held).read_all().select(["account_id", "initial"]).to_pylist()
        [{'account_id': 7, 'initial': 300.0}, {'account_id': 9, 'initial': 30.0}]
        """

    def profit_tables(self) -> list[dict[str, Any]]:
        """What a lot of each contract gains in each of the rulebook's scenarios, set by set, as it was compiled.

        A list of dictionaries of new arrays: ``"scope"``, ``"currency"``, ``"labels"`` (scenarios), ``"contracts"``
        (rows of the prepared table) and ``"profit"`` (per lot, contracts by scenarios, a loss negative). ``mc.profits``
        makes vectors of accounts and positions of it. Raises :class:`NotApplicable` for a rulebook without scenarios,
        :class:`Unsupported` for one whose scenarios are not of single contracts.
        """

    @property
    def market(self) -> Market | None:
        """The market it was prepared for; `None` where there was none."""

    @property
    def methodology(self) -> Methodology:
        """The rulebook it was compiled from."""

    @property
    def digest(self) -> str:
        """SHA-256 of what its numbers are made of, in hexadecimal: build, rulebook, contracts and market. Those of one
        digest give the same numbers.
        """

    @staticmethod
    def from_recipe(
        methodology: Methodology, contracts: Contracts | Iterable[Contract], market: Market | None, digest: str
    ) -> Prepared:
        """Prepares what a pickle holds, and checks that it is of the same `digest`.

        Raises :class:`ParseError` where this build would give other numbers, and as :meth:`Methodology.prepare`.
        """

    @property
    def repriced(self) -> tuple[int, int]:
        """Rows priced to make this, and rows in all, as ``(priced, all)``."""

    def open(
        self, account: Account | Iterable[Position], *, haircuts: Mapping[str, float] | None = None
    ) -> LiveAccount:
        """Open an account for checks and what-ifs.

        `haircuts` are the fractions taken off collateral, by asset (0.1 counts 90 %). Raises :class:`MissingData`
        for a contract that is not in the prepared table, :class:`NotApplicable` for an account that the rulebook has
        no rule for.

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
        valuation: str | dt.datetime | None = None,
        spot: Mapping[str, float] | None = None,
        forward: Mapping[tuple[str, Any], float] | Sequence[Mapping[str, Any]] | None = None,
        price: Mapping[str, float] | Mapping[Contract, float] | None = None,
        vol: Mapping[str, float] | Mapping[Contract, float] | None = None,
        rate: Mapping[Any, Any] | None = None,
        dividend_yield: Mapping[str, float] | None = None,
        fx: Mapping[str, float] | None = None,
        marks: Literal["refuse", "keep"] | None = None,
        threads: int = 1,
    ) -> Prepared:
        """The same rulebook after a change of the market: a new object; this one stays as it is.

        Only rows whose inputs changed are priced again (`repriced` counts them); the result equals a preparation
        from the whole new market to the last bit, for any number of `threads`. What is left out stays as it was; the
        parts have the units of :class:`Market`:

        - `valuation`: the new instant, with its zone.
        - `spot`, `dividend_yield`: by symbol.
        - `forward`: by ``(underlying, expiry)``.
        - `price`, `vol`: marks in the contract's quote and implied vols, by contract id.
        - `rate`: whole curves, by currency.
        - `fx`: units of the second currency for one of the first.
        - `marks`: ``"refuse"`` (where left out) or ``"keep"``, see below.

        A spot or forward does not move alone where contracts on it are quoted: old prices would value holdings at a
        market that is gone. New prices (and forwards) come in the same update, :class:`MissingData` names the first
        that is missing; ``marks="keep"`` keeps the old ones. Options quoted by vol only keep their vol. A new price
        moves nothing else: the quotes of options on a future stay where the future ticks.

        Raises :class:`NotApplicable` where there is no market, :class:`InvalidInput` for what :class:`Market` refuses
        and for an unknown name, with the nearest known one.

        >>> import margincore as mc
        >>> table = [mc.Stock(symbol, currency="USD") for symbol in ("A", "B", "C")]
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0, "B": 20.0, "C": 30.0})
        >>> prepared = mc.Engine(mc.methods.Tims()).prepare(table, market)
        >>> prepared.update(spot={"B": 21.0}).repriced
        (1, 3)
        >>> quoted = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0}, price={table[0].id: 10.01})
        >>> prepared = mc.Engine(mc.methods.Tims()).prepare(table[:1], quoted)
        >>> prepared.update(spot={"A": 11.0})
        Traceback (most recent call last):
            ...
        margincore.MissingData: update: the quoted price of '...' is not that of the moved market: ...
        >>> prepared.update(spot={"A": 11.0}, price={table[0].id: 11.02}).repriced
        (1, 1)
        """

    def with_market(
        self, market: Market, *, marks: Literal["refuse", "keep"] | None = None, threads: int = 1
    ) -> Prepared:
        """As :meth:`update`, from a whole market: rows whose inputs are equal are not priced again.

        With ``marks="keep"`` its option prices may be of another time than its spots: they are not held against the
        bounds that the spots give. Raises as :meth:`Methodology.prepare`.
        """

def amount_text(amount: float | None, /) -> str:
    """An amount as text: two decimals or more, as many as six significant digits need, at most eight: coins show.

    `None` is ``not known``.
    """

def worst_text(scenario: str | None, of_lines: Iterable[str | None]) -> str:
    """A worst scenario in words: its label, or that every line has its own; empty without scenarios."""

@final
class Requirement:
    """The numbers of a requirement, in the report's currency.

    What the liquidating equity (cash, option value and collateral) must reach.
    """

    @property
    def initial(self) -> float:
        """The initial requirement, in the report's currency."""

    @property
    def maintenance(self) -> float:
        """The maintenance requirement, in the report's currency."""

    def to_dict(self) -> dict[str, Any]:
        """The two numbers as a document of plain values, by the names of its properties."""

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> Requirement:
        """What :meth:`to_dict` wrote, to the last bit; pickling uses it.

        Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Line:
    """One term of a requirement; credits are negative. Amounts are in `currency`, `fx` converts to the report's."""

    @property
    def scope(self) -> str:
        """Whom the term is about: a class group, a commodity, a currency."""

    @property
    def component(self) -> str:
        """The rulebook's own name for the term."""

    @property
    def initial(self) -> float:
        """Its part of the initial requirement, in `currency`; negative for a credit."""

    @property
    def maintenance(self) -> float:
        """Its part of the maintenance requirement, in `currency`; negative for a credit."""

    @property
    def currency(self) -> str:
        """The currency of its amounts."""

    @property
    def fx(self) -> float:
        """Units of the report's currency for one of `currency`."""

    @property
    def scenario(self) -> str | None:
        """The label of the scenario the term comes from, where it comes from one."""

    def to_dict(self) -> dict[str, Any]:
        """The term as a document of plain values, by the names of its properties."""

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> Line:
        """What :meth:`to_dict` wrote, to the last bit; pickling uses it.

        Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class UnderlyingGreeks:
    """Sensitivities of an account to one underlying, in `currency`, positive for what the account gains.

    `delta` is in units of the underlying; `gamma` is delta per 1.00 of its price; `vega` money per 1.00 of volatility
    (divide by 100 for a vol point); `theta` money per year of time passing (divide by 365 for a day); `rho` money per
    1.00 of the interest rate. Options have the greeks of the model, volatility and carry the rulebook prices them
    with (SPAN-like margin by a tree or approximation: those of the exact American price); stocks, futures and
    coins move one for one, coin-settled contracts valued in dollars. An option on a future or forward feels a
    rate in its discount only, and none where the venue values it without one. Options the rulebook does not
    price, because it has an exchange's own values for them, are not in the sums but named in
    `excluded`. A rulebook that prices no options
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
    def underlying(self) -> str:
        """The symbol of the underlying."""

    @property
    def currency(self) -> str:
        """The currency of the underlying's price, which the money amounts are in."""

    @property
    def delta(self) -> float:
        """Units of the underlying held in effect, positive for long."""

    @property
    def gamma(self) -> float:
        """Change of `delta` per 1.00 of the underlying's price."""

    @property
    def vega(self) -> float:
        """Money per 1.00 of volatility; divide by 100 for a vol point."""

    @property
    def theta(self) -> float:
        """Money per year of time passing, the market unchanged; divide by 365 for a day."""

    @property
    def rho(self) -> float:
        """Money per 1.00 of the interest rate, the dividend yield unchanged."""

    @property
    def excluded(self) -> tuple[str, ...]:
        """Ids of options held that the rulebook does not price: they are not in the sums."""

    def to_dict(self) -> dict[str, Any]:
        """The sensitivities as a document of plain values, by the names of its properties."""

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> UnderlyingGreeks:
        """What :meth:`to_dict` wrote, to the last bit; pickling uses it.

        Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class MarginReport:
    """A requirement with everything that explains it; the lines add up to the total, always."""

    @property
    def requirement(self) -> Requirement:
        """The requirement: initial and maintenance, in `currency`."""

    @property
    def initial(self) -> float:
        """The initial requirement, in `currency`: that of `requirement`."""

    @property
    def maintenance(self) -> float:
        """The maintenance requirement, in `currency`: that of `requirement`."""

    @property
    def equity_required(self) -> float:
        """What the liquidating equity must reach, in `currency`: the initial requirement.

        Liquidating equity is cash, option value and collateral. Also what these trades need brought: premium paid
        leaves the cash and comes back as option value, premium received the other way round. A minimum equity of the
        account is not in it.
        """

    @property
    def cash_balance_required(self) -> float | None:
        """The cash that must stand in the account once its trades have settled, in `currency`.

        Not what must be brought. `equity_required` less the value of all positions that are paid in full (options,
        stock, spot; long positive, short negative) and less collateral after haircuts; negative where these are worth
        more than is required. `None` where a position has no mark or no exchange rate, and with collateral of unknown
        haircut: :meth:`LiveAccount.report` knows the haircuts of :meth:`Prepared.open`.

        >>> import margincore as mc
        >>> stock = mc.Stock("XYZ", currency="USD")
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
        >>> report = mc.margin([mc.Position(stock, 100)], market, mc.methods.RegT(classes={"XYZ": "equity"}))
        >>> report.equity_required, report.cash_balance_required         # half is lent
        (2500.0, -2500.0)
        """

    @property
    def cash_required(self) -> float:
        """Deprecated, version 0.2 removes it: `equity_required` less `net_option_value`, in `currency`.

        What must be brought is `equity_required`, what must stand in the account is `cash_balance_required`.
        """

    @property
    def net_option_value(self) -> float:
        """Liquidating value of the premium-style options held, in `currency`; positive for an asset."""

    @property
    def worst_scenario(self) -> str | None:
        """The worst scenario's label where the whole account has one, else `None`; lines name their own."""

    @property
    def worst_scenario_index(self) -> int | None:
        """The worst scenario's number from 0 in the rulebook's own list; `None` where it has none."""

    @property
    def methodology(self) -> str:
        """The rulebook's own name, such as ``OCC TIMS``."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Which parameters made the numbers: name, version, effective date, source and digest; read-only.

        ``superseded_by`` is the newer preset of the same rulebook that was in force at the valuation, with its date in
        brackets, where the parameters stated are older; else empty.
        """

    @property
    def valuation(self) -> str | None:
        """The instant of the market; `None` where the rulebook needed none."""

    @property
    def currency(self) -> str:
        """The currency of the requirement."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """The terms of the requirement in the rulebook's order, each in its own currency; credits are negative."""

    @property
    def totals(self) -> tuple[Line, ...]:
        """One line per currency; converted and added in this order they are the requirement."""

    @property
    def details(self) -> Mapping[str, Any]:
        """The rulebook's intermediate results as plain values, under its own names; read-only."""

    @property
    def greeks(self) -> tuple[UnderlyingGreeks, ...]:
        """Sensitivities by underlying, where the rulebook prices options; empty otherwise."""

    @property
    def warnings(self) -> tuple[Mapping[str, Any], ...]:
        """What is suspicious in the input and cannot be refused: data, not printed; the numbers stand.

        Mappings with ``code``, ``where`` (as errors name it), ``value``, ``message`` and ``source``, read-only. Codes:
        ``superseded_preset``, ``not_yet_in_force`` (parameters of a date after the valuation), ``unusual_rate``,
        ``unusual_yield``, ``unusual_vol`` (beyond 25 %, 25 %, 1 % to 300 % a year: percentages as a rule),
        ``kept_marks`` (older than what they are written on), ``mark_below_bound`` and ``mark_above_bound`` (of options,
        by more than 1 % of the underlying and 0.05). Of what the account holds
        alone. Documents have the key where there are any.

        >>> import margincore as mc
        >>> put = mc.Option("XYZ", "put", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
        ...                 currency="USD")
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, vol={put.id: 3.5}, rate={"USD": 0.05})
        >>> report = mc.margin([mc.Position(put, -1)], market, mc.methods.Tims())
        >>> [(w["code"], w["where"], w["value"]) for w in report.warnings]
        [('unusual_vol', "vol of 'XYZ 2026-12-18 50 put'", 3.5)]
        """

    @property
    def standalone_sum(self) -> float | None:
        """The initial requirements of every position margined alone, added up, in `currency`.

        `None` unless `standalone=True` asked for it.
        """

    @property
    def offset_benefit(self) -> float | None:
        """`standalone_sum` less the initial requirement: what netting and offsets save. `None` without the former."""

    def by_scope(self) -> dict[str, Requirement]:
        """Requirements by scope, in the report's currency, in the order scopes first appear."""

    def by_component(self) -> dict[str, Requirement]:
        """Requirements by component, in the report's currency, in the order components first appear."""

    def adds_up(self) -> bool:
        """Whether the lines, summed per currency in order and converted, give the requirement to the last bit."""

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> MarginReport:
        """The report that :meth:`to_dict` wrote, to the last bit; pickling uses it.

        Raises :class:`InvalidInput` where a part is missing or the lines do not add up to the requirement,
        :class:`ParseError` for another version of documents; without one it is the present.
        """

    def to_dict(self) -> dict[str, Any]:
        """The report as a document of plain values, with the version of documents; :meth:`from_dict` takes it."""

    def _repr_html_(self) -> str:
        """The report as a card, for notebooks."""

@final
class MarginReader:
    """Requirements of a stream of positions, a record batch at a time: what :meth:`Prepared.margin_arrow` gives.

    Read it once: as an iterator of pyarrow record batches, whole by `read_all`, or by whatever takes an Arrow
    stream (``polars.DataFrame(reader)``, ``duckdb``, ``pyarrow.RecordBatchReader.from_stream(reader)``). As many
    rows are in memory as the source gives at a time. Iterating raises this package's own errors; through a stream
    of Arrow's, its reader raises its own with the same words.
    """

    @property
    def schema(self) -> Any:
        """The columns of the result with their types, as a pyarrow schema; its metadata say what made the numbers.

        Raises :class:`MissingData` where the source is an iterator without a batch.
        """

    def read_all(self) -> Any:
        """All requirements as a pyarrow table."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream of requirements for another reader, which reads it in place of this one."""

@final
class MarginBatch:
    """Requirements of many accounts as NumPy columns, one entry per account, in the prepared rulebook's currency.

    `worst_scenario` is -1 where no one scenario is the worst.
    """

    @staticmethod
    def from_columns(
        initial: Sequence[float] | NDArray[np.float64],
        maintenance: Sequence[float] | NDArray[np.float64],
        net_option_value: Sequence[float] | NDArray[np.float64],
        worst_scenario: Sequence[int] | NDArray[np.int32],
        pairing_gap: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> MarginBatch:
        """The batch of its columns, in the units of its properties; pickling uses it.

        Without `pairing_gap` nothing is paired. Raises :class:`InvalidInput` where their lengths differ.
        """

    @property
    def initial(self) -> NDArray[np.float64]:
        """Initial requirements, one per account; a new array."""

    @property
    def maintenance(self) -> NDArray[np.float64]:
        """Maintenance requirements, one per account; a new array."""

    @property
    def net_option_value(self) -> NDArray[np.float64]:
        """Liquidating values of the premium-style options held, positive for an asset; a new array."""

    @property
    def worst_scenario(self) -> NDArray[np.int32]:
        """Numbers of the worst scenarios from 0, -1 where no one scenario is the worst; a new array."""

    @property
    def pairing_gap(self) -> NDArray[np.float64]:
        """By how much at most a cheaper pairing could lower either requirement; a new array.

        0 where the minimum is proven, or the pairing is one that does not look for it; NaN where the rulebook pairs
        nothing. Larger only where Reg T's search met its ``node_limit``.
        """

    def _repr_html_(self) -> str:
        """The batch as a card, for notebooks: its first and last accounts."""

    def __len__(self, /) -> int: ...

@final
class OsiSymbol:
    """An option symbol in any common spelling; `str()` gives the canonical 21 characters.

    ``OsiSymbol("AAPL 240119C00150000")``; raises :class:`InvalidInput` for what is not a symbol.
    """

    def __new__(cls, text: str) -> Self: ...
    @property
    def root(self) -> str:
        """The root, such as ``SPXW``."""

    @property
    def expiry(self) -> str:
        """The expiry date, as ``yyyy-mm-dd``."""

    @property
    def right(self) -> str:
        """``call`` or ``put``."""

    @property
    def strike(self) -> float:
        """The strike, in units of price."""

    @property
    def compact(self) -> str:
        """The spelling without blanks."""

    def spelled(self, spelling: str) -> str:
        """The symbol as a vendor or broker writes it; every spelling is read again.

        ``osi``, ``compact``, ``spaced``, ``massive``, ``plain``, ``tastytrade``, ``fidelity``, ``thinkorswim``,
        ``schwab`` or ``ibkr``. Raises :class:`InvalidInput` for another word.

        >>> import margincore as mc
        >>> mc.OsiSymbol("AAPL_121826C290.5").spelled("schwab")
        'AAPL 12/18/2026 290.50 C'
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...

@final
class Products:
    """The dated product table that gives option symbols their terms. Immutable; extending gives a new table."""

    def __new__(cls) -> Self: ...
    def with_equities(self, roots: Sequence[str]) -> Products:
        """This table and standard equity options (American, 100 shares, PM, in dollars) on the named stocks.

        Raises :class:`InvalidInput` for what is not a root and for a root that has terms in the table.
        """

    def extended(self, rows: Sequence[Mapping[str, Any]]) -> Products:
        """This table and more rows, as documents in the shape of :meth:`rows`. Raises :class:`InvalidInput`.

        The row of an adjusted root says what a contract delivers, and what multiplies strike and premium where that is
        not the multiplier: ``strike_multiplier``, ``premium_multiplier``.

        >>> import margincore as mc
        >>> [row] = mc.Products.from_rows([]).with_equities(["AAPL"]).rows()
        >>> row |= {"root": "AAPL1", "deliverable": {"shares": {"AAPL": 28}, "cash": 10.0}}
        >>> mc.Products().extended([row]).contract("AAPL1 261218C00100000").deliverable
        {'shares': {'AAPL': 28.0}, 'cash': 10.0}
        """

    def contract(self, symbol: str) -> Contract:
        """The contract of an option symbol in any spelling; its id is the spelling without blanks.

        Raises :class:`MissingData` for a root that is in no row, :class:`InvalidInput` for what is not a symbol.
        """

    def rows(self) -> list[dict[str, Any]]:
        """Every row as a document; a new list."""

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Products:
        """A table of these rows alone. Raises :class:`InvalidInput`."""

@final
class Securities:
    """The dated table of what securities are: what a symbol tracks, its leverage, its class, whether it may be
    portfolio margined. Immutable; extending gives a new table.

    ``Securities()`` is the shipped table. A row is ``{"symbol", "kind", "tracks", "leverage", "class", "class_group",
    "divisor", "portfolio_margin", "from", "to", "source", "grade"}``:

    - ``kind``: ``"stock"``, ``"adr"``, ``"etf"``, ``"etn"`` (a note), ``"index"`` or ``"future"`` (a future's symbol).
    - ``tracks``: the index or security it follows; of a reduced-value index the full-value one, with the ``divisor``.
    - ``leverage``: the multiple of that, negative for an inverse fund. Funds and notes state it.
    - ``class``: ``"equity"``, ``"narrow"``, ``"broad"``, ``"commodity"``, ``"currency"``, ``"rate"``,
      ``"volatility"``.
    - ``class_group``: the TIMS class group, where it is not what is tracked, or the symbol.
    - ``portfolio_margin``: ``False`` for what may not be portfolio margined, such as notes since 16 August 2019.
    - ``from``, ``to``: first and last date, ``yyyy-mm-dd``; left out: open. The valuation date picks the row.
    - ``source``: the text the row comes from, with its date; ``grade``: how far it can be trusted.

    >>> import margincore as mc
    >>> mc.Securities().get("TZA")["leverage"], mc.Securities().get("TZA")["tracks"]
    (-3.0, 'RUT')
    >>> table = mc.Securities().extended([{"symbol": "MYFUND", "kind": "etf", "tracks": "SPX", "leverage": 2.0,
    ...                                    "class": "broad", "source": "its prospectus of 2026-05-01"}])
    >>> fund, market = mc.Etf("MYFUND", currency="USD"), mc.Market("2026-11-20T16:00:00-05:00", spot={"MYFUND": 50.0})
    >>> mc.margin([mc.Position(fund, 100)], market, mc.methods.Tims(securities=table)).requirement.initial
    800.0
    """

    def __new__(cls) -> Self: ...
    @staticmethod
    def shipped() -> Securities:
        """The shipped table."""

    def extended(self, rows: Sequence[Mapping[str, Any]]) -> Securities:
        """This table and more rows. Raises :class:`InvalidInput` where a date of a symbol has a row already, and
        :class:`MissingData` for a fund without a leverage.
        """

    def replaced(self, rows: Sequence[Mapping[str, Any]]) -> Securities:
        """This table with these rows in place of all that it has of their symbols. Raises as :meth:`extended`."""

    def get(self, symbol: str, on: str | dt.date | None = None) -> dict[str, Any] | None:
        """The row of a symbol on a date (``yyyy-mm-dd``), a new dictionary; `None` where no row names the symbol.

        Without a date, the row of a symbol that has but one. Raises :class:`MissingData` for a date that no row of the
        symbol covers, and where rows need one; :class:`InvalidInput` for what is not a date.
        """

    def kind(self, symbol: str) -> str | None:
        """The kind of a symbol, whatever the date, as rows write it; `None` where no row names it. Symbols of futures
        are left out: stocks may have the same ones.
        """

    def rows(self) -> list[dict[str, Any]]:
        """Every row as a document; a new list."""

    @property
    def digest(self) -> str:
        """SHA-256 of the rows, in hexadecimal. The digest of a report's parameters covers it."""

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Securities:
        """A table of these rows alone. Raises as :meth:`extended`."""

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
    def parse(data: bytes, name: str) -> SpanFile:
        """A file from its bytes; `name` stands for the file's name in messages. Raises :class:`ParseError`."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def cache(self) -> bytes:
        """The parsed file as bytes that load in milliseconds; :meth:`parse` takes them."""

    @property
    def info(self) -> Mapping[str, Any]:
        """The file's own head; read-only.

        File, format, digest (SHA-256), organisation, created, business date, settlement and run.
        """

    @property
    def summary(self) -> Mapping[str, Any]:
        """Counts, and everything met in the file that is not read; read-only."""

    def commodity(self, code: str) -> dict[str, Any] | None:
        """One commodity's tiers, spreads and rates as the file has them; `None` where it has no such code."""

    @property
    def commodities(self) -> tuple[str, ...]:
        """The codes of the combined commodities, in the file's order."""

    def ids(self) -> list[str]:
        """Contract ids, in the order of the arrays' rows."""

    def contracts(self) -> Contracts:
        """All contracts of the file, in the order of the arrays' rows.

        Raises :class:`InvalidInput` for terms that make no contract.
        """

    def arrays(self) -> NDArray[np.float64]:
        """Losses of one long contract as printed, shape ``(contracts, scan points)``; NaN where the file has none.

        A new array.
        """

    def composite_deltas(self) -> NDArray[np.float64]:
        """The composite delta of each contract as printed, in the order of the arrays' rows; a new array."""

    def regenerate(
        self, variant: str
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Arrays and deltas of futures and options made again from the file's own parameters.

        Gives four new arrays: row numbers, arrays ``(rows, scan points)`` of losses of one long contract, deltas, and
        the value of each underlying. Raises :class:`InvalidInput` for an unknown variant.
        """

    def __len__(self, /) -> int: ...

def span_risk_array(request: Mapping[str, Any]) -> dict[str, Any]:
    """A risk array from ``{"inputs": {...}, "extreme": [multiplier, cover]}``.

    Gives ``{"array", "composite_delta", "delta"}``; the array holds losses of one long contract. Raises
    :class:`InvalidInput` for a request of another form.
    """

def span_settlement_price(digits: str, locator: int, alignment: str) -> float:
    """A settlement price of the expanded format: digits, decimal locator, alignment code.

    Raises :class:`ParseError` for digits that are none, :class:`Unsupported` for a code that is not documented.
    """

def build_info() -> dict[str, str]:
    """Version, build profile (``release`` or ``debug``) and the instruction set in use.

    Raises as every calculation does: :class:`InvalidInput` for a misspelt ``MARGINCORE_SIMD``,
    :class:`CalculationError` where another library has changed the processor's floating-point state.
    """

def read_parameters(name: str, files: Mapping[str, str | PathLike[str]]) -> dict[str, Any]:
    """Parameters read from the files an exchange publishes, as a document: ``read_parameters("tims", {...})``.

    `files` are paths by what they hold. Raises :class:`InvalidInput` for a rulebook that reads none and a file that
    is not named, :class:`ParseError` or :class:`InvalidInput` for one that cannot be read, with file and line.
    """

def revive(name: str, version: int, state: dict[str, Any], cls: type[Any] | None = None, /) -> Any:
    """The object of a pickle: `name` is its class's public name, `version` that of its form, `state` what it holds.

    Every pickle of the package is a call of it; `cls` is somebody else's class that derives from the named one. Raises
    :class:`ParseError` for a name or version this build does not know and a state that makes no such object.
    """

def check_version(what: str, version: object, oldest: int, newest: int) -> None:
    """Refuses `what`, which was written as `version`, where a build reads `oldest` to `newest` only.

    Raises :class:`ParseError` with the versions and what to do, also for a version that is no whole number.
    """

def presets(name: str) -> list[dict[str, Any]]:
    """The shipped parameter sets of a registered rulebook: ``name``, ``version``, ``effective`` (the day they took
    effect), ``source``, ``family`` (sets of one follow one another by date; ``None`` without) and ``grades`` (how well
    each part is known, by part). None for a name that is no rulebook's.
    """

def rulebooks() -> list[str]:
    """The names of the registered rulebooks; a new list."""

def common_length(columns: tuple[Any, ...]) -> int | None:
    """The length of columns that are as the engine takes them; `None` where they are not.

    Floats and float64 vectors, int8 for the right, the vectors of one length, one at least.
    """

def european_prices(columns: Sequence[Any], out: NDArray[np.float64], price: str = "spot") -> None:
    """Prices into `out`, one per row, in the currency of the spot.

    `columns` are spot, strike, years, rate, dividend yield, vol (annual fractions) and right (+1 a call, -1 a put): a
    number or a vector as long as `out` each; `price` says what stands for the spot, ``spot``, ``forward`` or
    ``shifted``, in refusals. Raises :class:`InvalidInput` for a column of another type or length, a row
    that is no option and an `out` that overlaps a column, :class:`CalculationError` for a price that is no number.
    """

def intraday_day(
    markets: Sequence[Prepared],
    account: Account | Iterable[Position],
    transactions: Sequence[tuple[Iterable[Any], Mapping[str, float], int, bool, int | None]],
    *,
    haircuts: Mapping[str, float] | None = None,
    separated: bool = True,
) -> tuple[list[tuple[int, float, float, float, float, bool]], tuple[float, float], tuple[float, float], float | None]:
    """A day of transactions against equity less maintenance requirement; ``margincore.intraday.day`` is its face.

    A transaction is its trades, its cash by currency, the market its levels are taken at, whether it counts where it
    lowers the level, and its place: those of one place, and all that have none, are put in the order that gives the
    lowest level right after one that lowers it. Gives the steps in order (number of the transaction; equity and
    maintenance before; both after; whether it counts and lowered the level), equity and maintenance at the open and at
    the close, and a level that no order falls below where not every order was looked at. Amounts are in the report's
    currency. Raises :class:`InvalidInput` for what is out of range, with `separated` :class:`NotApplicable` where
    FINRA 4210(d)(2) does not apply, and what the rulebook raises.
    """

def intraday_many(
    markets: Sequence[Prepared],
    accounts: Accounts,
    cash: NDArray[np.float64],
    whole: tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint32]],
    money: tuple[NDArray[np.float64], NDArray[np.float64]],
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Days of many accounts' fills as columns; ``margincore.intraday.many`` is its face, with shapes and units.

    `whole` are account, contract row, signed lots and market of each fill (no markets: the first), `money` price and
    fees. Gives the lowest level, the equity then, the fill's row and the closing level, one entry per account. Raises
    as :func:`intraday_day`.
    """

def european_grid(
    columns: Sequence[Any],
    price_moves: NDArray[np.float64],
    vol_moves: NDArray[np.float64],
    roll: float,
    out: NDArray[np.float64],
    price: str = "spot",
) -> None:
    """Prices into `out`, rows by scenarios. Raises as :func:`european_prices`, whose `columns` it takes.

    `price_moves` are fractions of spot, `vol_moves` are added to vol: one list for all rows, or a table of the shape of
    `out`, each; `roll` is the years that pass.
    """

def european_greeks(columns: Sequence[Any], out: NDArray[np.float64], price: str = "spot") -> None:
    """Price, delta, gamma, vega, theta, rho, vanna and volga into the rows of `out`, of shape ``(8, rows)``.

    Delta is per unit of spot, gamma per its square; vega and vanna per 1.00 of vol, volga per its square, theta per
    year of time passing, rho per 1.00 of the rate. Raises as :func:`european_prices`, whose `columns` it takes.
    """

def european_implied(
    columns: Sequence[Any], out: NDArray[np.float64], status: NDArray[np.uint8], price: str = "spot"
) -> None:
    """Implied vols (annual fractions) into `out`, statuses as numbers into `status`; one of each per row.

    The sixth of the columns holds the prices. Raises as :func:`european_prices`; a row without a vol has a status.
    """

def normal_prices(columns: Sequence[Any], out: NDArray[np.float64]) -> None:
    """Prices of the normal model into `out`, one per row, in the currency of the forward.

    `columns` are forward, strike (of any sign), years, rate (an annual fraction), a number that is not read, vol (price
    units per square root of a year) and right. Raises as :func:`european_prices`.
    """

def normal_grid(
    columns: Sequence[Any],
    price_moves: NDArray[np.float64],
    vol_moves: NDArray[np.float64],
    roll: float,
    out: NDArray[np.float64],
    amounts: bool,
) -> None:
    """Prices of the normal model into `out`, rows by scenarios. Moves as those of :func:`european_grid`, but the price
    moves are added to the forward with `amounts`, and are fractions of it without. Raises as :func:`normal_prices`.
    """

def normal_greeks(columns: Sequence[Any], out: NDArray[np.float64]) -> None:
    """Price, delta, gamma, vega, theta, rho, vanna and volga of the normal model into the rows of `out`, of shape
    ``(8, rows)``: per unit of the forward and of the normal vol, the forward held. Raises as :func:`normal_prices`.
    """

def normal_implied(columns: Sequence[Any], out: NDArray[np.float64], status: NDArray[np.uint8]) -> None:
    """Implied normal vols (price units per square root of a year) into `out`, statuses as numbers into `status`.

    The sixth of the columns holds the prices. Raises as :func:`normal_prices`; a row without a vol has a status.
    """

def implied_statuses() -> list[str]:
    """What each status number of :func:`european_implied` means, in order; a new list."""

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
    """Prices by rows and scenarios, flat, a new array; the moves are (values, whether they are a table by rows).

    Columns and moves as those of :func:`european_grid`, all vectors, the right apart. Raises :class:`InvalidInput` for
    another length or an unknown `accuracy`, :class:`CalculationError` for a price that is no number.
    """

def american_greeks(
    columns: Sequence[NDArray[np.float64]], right: NDArray[np.int8], accuracy: str
) -> list[NDArray[np.float64]]:
    """Price, delta, gamma, vega, theta, rho, vanna, volga: eight new arrays, in the units of :func:`european_greeks`.

    Raises as :func:`american_grid`.
    """

def american_boundary(
    columns: Sequence[NDArray[np.float64]], right: NDArray[np.int8], accuracy: str
) -> NDArray[np.float64]:
    """The spot at which each option should be exercised now, a new array: 0 and infinity where it never is.

    The spot column is not read. Raises as :func:`american_grid`, and :class:`Unsupported` where there is no
    single boundary.
    """

def american_implied(
    columns: Sequence[NDArray[np.float64]], right: NDArray[np.int8], accuracy: str
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Vols, and status numbers as :func:`implied_statuses` lists them; the vol column holds the prices.

    Two new arrays. Raises as :func:`american_grid`.
    """

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
    """Tree prices by rows and moves, flat, a new array; `price_moves` are fractions shared by all rows.

    `dividends` are (years from now, cash per unit). Raises as :func:`american_grid`, and :class:`InvalidInput` for an
    unknown `scheme` or `treatment`.
    """

def tree_greeks(
    columns: Sequence[NDArray[np.float64]],
    right: NDArray[np.int8],
    dividends: list[tuple[float, float]],
    scheme: str,
    steps: int,
    treatment: str,
) -> list[NDArray[np.float64]]:
    """Price and seven sensitivities of American options with cash dividends, by the scheme that prices.

    Eight new arrays, as those of :func:`american_greeks`. Raises as :func:`tree_grid`, and :class:`Unsupported` for a
    row without time or vol.
    """

def escrowed(
    spot: NDArray[np.float64],
    years: NDArray[np.float64],
    carry: NDArray[np.float64],
    dividends: list[tuple[float, float]],
    roll: float,
) -> list[NDArray[np.float64]]:
    """What diffuses of each spot, the value of dividends to come, and its fall per 1.00 of the rate.

    Three new arrays, `roll` years from now; the dividends are those then still to come before expiry, given as (years
    from now, cash per unit). Raises :class:`InvalidInput` for columns that differ in length, cash below zero and
    dividends worth the whole spot.
    """

def tree_implied(
    columns: Sequence[NDArray[np.float64]],
    right: NDArray[np.int8],
    dividends: list[tuple[float, float]],
    american: bool,
    scheme: str,
    steps: int,
    treatment: str,
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Vols at which the tree returns the prices, which are in the vol column, and status numbers as
    :func:`implied_statuses` lists them.

    Two new arrays. Raises as :func:`tree_grid`.
    """

def quadratic_prices(columns: Sequence[NDArray[np.float64]], right: NDArray[np.int8]) -> NDArray[np.float64]:
    """Prices by Barone-Adesi and Whaley (1987), a new array; the dividend yield column holds the cost of carry.

    Raises as :func:`american_grid`.
    """

# ---- live accounts

_Trade = tuple[Contract, float] | tuple[Contract, float, float] | tuple[Contract, float, float, float]

def read_trades(trades: Iterable[_Trade], /) -> list[_Trade]:
    """The trades of any iterable as they were given, each a tuple that every call which takes trades accepts.

    See :data:`margincore.Trade`. Raises :class:`InvalidInput` with the number of the trade, from 0.
    """

def read_time(value: str | dt.date | np.datetime64, /) -> str:
    """The text of a date or instant, as every argument that takes one reads it.

    Text as it stands; a date, a datetime or NumPy's ``datetime64`` in ISO 8601. Raises :class:`InvalidInput` for
    anything else. Whether the text is a date, and has a zone where it needs one, is judged where it is used.

    >>> import datetime as dt, numpy as np
    >>> from margincore._core import read_time
    >>> read_time(dt.date(2026, 12, 18)), read_time(np.datetime64("2026-12-18"))
    ('2026-12-18', '2026-12-18')
    """

@final
class Order:
    """An order: whole contracts at a limit price in the contract's quote; `fees` for the whole order, in its currency.

    Numbers are judged by :meth:`LiveAccount.check`, so that a bad one is a refusal and not an exception. `effect` is
    needed where the account keeps long and short apart. The price counts as the fill price. Under rulebooks without a
    closed form for open orders every way they may fill is margined, up to 4,096 ways; an `all_or_none` order has two.
    Raises :class:`InvalidInput` for a `side` or `effect` that is not a word of theirs.

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
    def id(self) -> str:
        """The caller's id of the order, unique in the account."""

    @property
    def contract(self) -> Contract:
        """The contract to trade."""

    @property
    def side(self) -> Literal["buy", "sell"]:
        """``buy`` or ``sell``."""

    @property
    def quantity(self) -> float:
        """How much, in contracts, without a sign."""

    @property
    def price(self) -> float:
        """The limit price, in the contract's quote."""

    @property
    def fees(self) -> float:
        """Fees of the whole order, in the contract's currency; negative for a rebate."""

    @property
    def effect(self) -> Literal["open", "close"] | None:
        """``open`` or ``close``, needed where the account keeps long and short apart; `None` otherwise."""

    @property
    def all_or_none(self) -> bool:
        """Whether it fills completely or not at all: its partial fills are not judged."""

@final
class Limit:
    """What a check is held against, in the report's currency, on the basis `equity_required`.

    At least one of `max_requirement`, `min_excess` (equity less requirement) and `block_intraday_deficit` is needed:
    the last refuses what would create or increase an intraday margin deficit of a Reg T margin account (FINRA
    4210(d)(2)): a fill after which equity less maintenance requirement is negative and lower than before. Optional
    filters before them: `max_age` (seconds between the market and `now`), `price_collar` (fraction of the mark),
    `max_quantity` (contracts), `max_notional` (price times quantity), `throttle` ``(messages, seconds)``.
    `complete_only` leaves an order's partial fills unjudged (see :meth:`LiveAccount.check`). Raises
    :class:`InvalidInput`.

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
        max_quantity: float | None = None,
        max_notional: float | None = None,
        throttle: tuple[int, float] | None = None,
        complete_only: bool = False,
        block_intraday_deficit: bool = False,
    ) -> Self: ...
    @property
    def max_requirement(self) -> float | None:
        """The requirement may not be larger; in the report's currency."""

    @property
    def min_excess(self) -> float | None:
        """Equity less requirement may not be smaller; in the report's currency."""

    @property
    def max_age(self) -> float | None:
        """Seconds the market may be away from `now`."""

    @property
    def price_collar(self) -> float | None:
        """The largest distance of a price from the mark, as a fraction of the mark."""

    @property
    def max_quantity(self) -> float | None:
        """The most contracts in one order."""

    @property
    def max_notional(self) -> float | None:
        """The largest price times quantity of one order, in the report's currency."""

    @property
    def throttle(self) -> tuple[int, float] | None:
        """At most so many messages in so many seconds, as ``(messages, seconds)``."""

    @property
    def complete_only(self) -> bool:
        """Whether the complete fill of an order alone is judged, not its partial fills."""

    @property
    def block_intraday_deficit(self) -> bool:
        """Whether no fill may create or increase an intraday margin deficit."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Decision:
    """The answer to a check. Anything that could not be established is a refusal; `reason` is a fixed code.

    Codes, in the order of the checks: ``killed``, ``invalid_order``, ``invalid_limit``, ``duplicate_order``,
    ``no_time``, ``stale_market``, ``unknown_contract``, ``throttled``, ``max_quantity``, ``max_notional``,
    ``price_collar``, ``open_orders`` (the worst fills cannot be established), ``missing_data``, ``engine``,
    ``max_requirement``, ``min_excess``, ``intraday_deficit``; ``accepted`` otherwise. True in a condition where
    accepted. Amounts are in the report's currency.
    """

    @property
    def accepted(self) -> bool:
        """Whether the order may be sent."""

    @property
    def reason(self) -> str:
        """The code of the first check that failed, or ``accepted``."""

    @property
    def message(self) -> str:
        """What refused the order, with the numbers that decided; empty where it is accepted.

        As ``"max_requirement: 12,345.00 is above the limit of 10,000.00"``; where two amounts print alike, every digit.
        """

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
    def excess_before(self) -> float | None:
        """Equity less requirement now, in the report's currency; `None` where equity is not known."""

    @property
    def excess_after(self) -> float | None:
        """Equity less requirement in the worst case of it; `None` where equity is not known."""

    @property
    def headroom(self) -> float:
        """How far the tightest limit of requirement and excess is away, in the report's currency.

        Negative where it is broken.
        """

    @property
    def coverage(self) -> Literal["none", "exact", "bound", "every_fill"]:
        """How the worst case of open orders was established.

        ``none`` (there were none), ``exact`` or ``bound`` (a closed form, reached or not exceeded), ``every_fill``.
        """

    @property
    def market_age(self) -> float | None:
        """Seconds from the market to `now`, the argument of the check; `None` where either is not known."""

    @property
    def epoch(self) -> int:
        """How many markets the account had been moved to."""

    @property
    def sequence(self) -> int:
        """The number of this check in the account, from 1."""

    def digest(self) -> str:
        """SHA-256 of order, limit, table, numbers and reason, in hexadecimal."""

    def to_dict(self) -> dict[str, Any]:
        """The decision as a document of plain values, by the names of its properties, with its digest.

        With the version of documents.
        """

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> Decision:
        """What :meth:`to_dict` wrote, to the last bit, with the digest it had; pickling uses it.

        Raises :class:`InvalidInput` where a part is missing, unknown or of another kind, :class:`ParseError` for
        another version of documents; without one it is the present.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __bool__(self, /) -> bool: ...

@final
class WhatIf:
    """Requirements before and after trades, and the difference, in the report's currency."""

    @property
    def before(self) -> Requirement:
        """The requirement of the positions as they are."""

    @property
    def after(self) -> Requirement:
        """The requirement with the trades done."""

    @property
    def change(self) -> Requirement:
        """After less before; negative where the trades lower it."""

    def to_dict(self) -> dict[str, Any]:
        """The three requirements as a document of plain values, by the names of its properties.

        With the version of documents.
        """

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> WhatIf:
        """What :meth:`to_dict` wrote, to the last bit; pickling uses it.

        Raises :class:`InvalidInput` where a part is missing, unknown or of another kind, :class:`ParseError` for
        another version of documents; without one it is the present.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class LiveAccount:
    """An open account: margin between trades, and the check before an order. Safe to share between threads.

    Trades are :data:`margincore.Trade`: ``(contract, quantity)``, signed, in contracts, with a price and fees behind it
    where cash is to follow. `what_if`, `check` and
    `apply` give the bits of a fresh margin. Equity is cash, collateral after haircuts, option value, and stock, ETF and
    spot holdings at their mark; futures and perpetuals settle to their mark when traded and at every `rebase`.

    A call that takes longer than about a millisecond gives the interpreter back, works on a copy of the account, and is
    ended by Ctrl-C with nothing half done. In a process that was forked while another thread worked on the account
    every call raises :class:`CalculationError`: open it again.

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
    def contended(self) -> int:
        """How many calls found the account in another thread's hands, and waited."""

    @property
    def worst(self) -> float:
        """The initial requirement with open orders in their worst case, in the report's currency.

        Raises :class:`Unsupported` where open orders may fill in too many ways.
        """

    @property
    def equity(self) -> float:
        """Cash, collateral after haircuts, option value and holdings paid in full, in the report's currency.

        Raises :class:`MissingData` where an exchange rate or a mark is missing.
        """

    @property
    def excess(self) -> float:
        """Equity less the initial requirement, in the report's currency; negative for a deficit. Raises as `equity`."""

    @property
    def cash(self) -> Mapping[str, float]:
        """Cash balances by currency as they are now, each in its own; read-only."""

    @property
    def positions(self) -> tuple[Position, ...]:
        """The positions now, long and short apart where the account keeps them so."""

    @property
    def gross(self) -> bool:
        """Whether long and short are kept apart."""

    @property
    def open_orders(self) -> Mapping[str, float]:
        """What may still be filled now, by order id: signed, in contracts; read-only."""

    @property
    def orders(self) -> tuple[Mapping[str, Any], ...]:
        """Every order ever reserved with its fills, as plain data, in whole lots: for :meth:`restore_orders`."""

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
    def killed(self) -> bool:
        """Whether every order is refused, by :meth:`kill` or because the engine failed."""

    def report(self) -> MarginReport:
        """The margin of the positions now, explained; open orders are not in it."""

    def what_if(self, trades: Iterable[_Trade], *, effect: Literal["open", "close"] | None = None) -> WhatIf:
        """Requirements before and after trades; nothing changes.

        `effect` is needed where the account keeps long and short apart. Raises :class:`InvalidInput` for what is not a
        whole number of lots, :class:`MissingData` for an unknown contract.
        """

    def index(self, contract: Contract) -> int:
        """The row of a contract, for :meth:`margin_after`.

        Raises :class:`MissingData` where it is not in the table.
        """

    def margin_after(self, index: int, lots: int, /) -> float:
        """The initial requirement after one more trade of signed lots: the fast path. In the report's currency.

        From kept sums where the rulebook has them, then within :meth:`band_after` of a fresh margin; else a fresh one.
        Raises :class:`InvalidInput` for a row the table has not.
        """

    def band_after(self, index: int, lots: int, /) -> float:
        """How far :meth:`margin_after` can lie from a fresh margin: 2 (n + 2) 2^-53 sum |q a|; 0 where it is one.

        In the report's currency. Raises as :meth:`margin_after`.
        """

    def check(
        self, order: Order, limit: Limit, now: float | str | dt.datetime | None = None, *, reserve: bool = False
    ) -> Decision:
        """Whether an order may be sent, with open orders in their worst case. Fails closed; never raises for bad data.

        Limits are held against the complete fill, and against every partial fill that needs more than no fill at all
        does, so that an order which mends a broken limit passes. Where the requirement is convex in the lots no
        partial fill can be the worst. Elsewhere (SPAN, Reg T, TIMS class groups that share a portfolio group, combined
        rulebooks, quantiles, some venues' charges) each is margined, up to 65,536 ways for the order and open orders
        together; more are refused unless the limit is `complete_only`. Of a stock order under Reg T those suffice that
        leave whole covers of options, or a share more or less.

        `now` is seconds since 1970, an instant or an aware datetime. With `reserve`, an accepted order counts as open
        at once.
        """

    def apply(self, trades: Iterable[_Trade], *, effect: Literal["open", "close"] | None = None) -> Requirement:
        """Book trades: all of them, or none where one is refused. Gives the requirement after.

        Cash follows the trades that state a price. `effect` is needed where the account keeps long and short apart.
        Raises :class:`InvalidInput` for what is not a whole number of lots, :class:`MissingData` for an unknown
        contract.
        """

    def deposit(self, currency: str, amount: float) -> None:
        """Add to a cash balance, in its currency: a deposit, interest, or negative a withdrawal.

        Raises :class:`InvalidInput` for an amount that is not finite.
        """

    def rebase(self, prepared: Prepared) -> None:
        """Move to another preparation of the same table or of one that appends to it. On an error nothing changes.

        What settles in money is settled from the old marks to the new, into cash. Raises :class:`InvalidInput` for
        another table.
        """

    def reserve(self, order: Order) -> bool:
        """Count an order's worst case from now on. False where it is known already.

        Raises :class:`InvalidInput` where its id is known with other terms.
        """

    def fill(self, order_id: str, execution_id: str, quantity: float, price: float, *, fees: float = 0.0) -> bool:
        """Book an execution of a reserved order. False where it is known already.

        `quantity` is in contracts without a sign, `price` in the contract's quote, `fees` in its currency, negative for
        a rebate. Raises :class:`MissingData` for an order never reserved, :class:`InvalidInput` for more than is open.
        """

    def cancel(self, order_id: str) -> bool:
        """Whether anything was left to cancel. Raises :class:`MissingData` for an order never reserved."""

    def replace(self, order_id: str, order: Order) -> bool:
        """Cancel one order and reserve another in its place, or do neither. False where it is known already.

        Raises :class:`MissingData` for an order never reserved, :class:`InvalidInput` where both have one id.
        """

    def kill(self) -> None:
        """Refuse every order until :meth:`revive`."""

    def revive(self) -> None:
        """Accept orders again after :meth:`kill`."""

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

        An order of it passes :meth:`check`. In contracts; `price` is the mark where left out, `fees_per_contract` in
        the contract's currency; `most` ends the search (100,000 lots by default). Raises :class:`MissingData` for an
        unknown contract and for a mark that is missing, :class:`InvalidInput` for a number that is none.
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
        """The largest quantity whose complete fill passes, whatever smaller fills do (`complete_only` of a limit).

        Arguments, unit and errors as those of :meth:`max_quantity`.
        """

    def rank(self, index: NDArray[np.uint32], lots: NDArray[np.int64], *, threads: int = 1) -> NDArray[np.float64]:
        """The requirement after each candidate trade alone, in the report's currency; a new array.

        `index` are contract rows, `lots` signed lots, of one length. The same bits for any number of `threads`. Raises
        :class:`InvalidInput` for columns that differ in length or leave the table.
        """

    def hedges(
        self, limit: Limit | None = None, *, count: int = 10, most: float = 100.0
    ) -> list[tuple[Contract, float, float, float]]:
        """The best single trade per contract and side: (contract, quantity, requirement after, change).

        The first `count`, of at most `most` lots each; quantities are signed, in contracts, requirements in the
        report's currency. Largest reduction first; with a limit, trades after which its `max_requirement` holds come
        before the others. Raises :class:`InvalidInput` for a `most` below 1 or above 100,000.
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
    """Margins as of every date of a history, a new dictionary of arrays and dates.

    ``"steps"``, ``"dates"``, ``"margin"``, ``"components"`` (risks by name), ``"realised"`` (the loss over the holding
    period that begins at each date) and ``"worst"`` (the largest over its first days or all); losses are positive.
    `exposures` by factor: money held of it under relative and log returns, units under absolute ones, positive is long.
    `first` and `last` are dates or rows. Raises :class:`InvalidInput` for parameters it does not know or a row outside
    the history, :class:`MissingData` for a date that is not in it, :class:`Unsupported` for rules of whole accounts.
    """

def hvar_measure(
    losses: NDArray[np.float64], measure: str, confidence_ppm: int, age_decay: float | None = None
) -> float:
    """One measure of losses in scenario order, oldest first; a loss is positive.

    `confidence_ppm` is the confidence in millionths (990,000 is 99 %), `age_decay` how weights fall with age, for the
    weighted measures (Boudoukh, Richardson and Whitelaw 1998). Raises :class:`InvalidInput` for an unknown `measure`,
    no losses, or one that is not finite.
    """
