"""What is to be margined and how, as something that can be sent to another process or written to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from margincore._core import (
    Contract,
    Contracts,
    InvalidInput,
    MarginReader,
    Market,
    Methodology,
    ParseError,
    Prepared,
    __version__,
    did_you_mean,
)
from margincore._pickles import reduced
from margincore.batch import saved
from margincore.batch.digests import digest
from margincore.batch.once import once
from margincore.engine import rulebook, snapshot, thread_count
from margincore.read_only import ReadOnlyDict

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Plan"]

_NAMES = ("account", "contract", "quantity", "lots", "long", "short", "kind_column", "kind")
_WORDS = {"order": ("grouped", "ascending", "any"), "errors": ("column", "raise")}


class Plan:
    """A rulebook, a table of contracts and a market, with the options of :meth:`margincore.Prepared.margin_arrow`.

    `methodology`, `contracts` and `market` are as :meth:`margincore.Engine.prepare` takes them. `account`, `contract`,
    `quantity`, `lots`, `long`, `short`, `cash`, `collateral` and `kind_column` are the names of columns, `kind`,
    `gross`, `ignore`, `order` and `errors` what :meth:`~margincore.Prepared.margin_arrow` says of them; but an account
    that is refused is a row that says why, unless ``errors="raise"``. `threads` margin, to the same bits.

    Immutable. A pickle of it holds what it was made of, contracts as columns: a few megabytes for 20,000 options, in a
    fraction of a second. It is prepared where it is used, at the first use and once in a process (:attr:`prepared`);
    the last four rulebooks of a process stay prepared. A pickle whose contents are not those of its :attr:`digest`
    under the build that reads it raises :class:`margincore.ParseError`.

    Raises :class:`margincore.InvalidInput` for arguments of another kind, and for a rulebook that cannot be sent: the
    claims of a :class:`margincore.methods.Combined` have to be functions at the top of a module.

    >>> import margincore as mc, pickle
    >>> table = mc.Contracts([mc.Stock("A", currency="USD")])
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
    >>> plan = Plan(mc.methods.Tims(), table, market, account="holder")
    >>> plan
    Plan(OCC TIMS, 1 contracts, 2026-11-20T16:00:00-05:00, account='holder')
    >>> pickle.loads(pickle.dumps(plan)).digest == plan.digest
    True
    >>> plan.prepared is pickle.loads(pickle.dumps(plan)).prepared
    True
    """

    __slots__ = ("_contracts", "_digest", "_made_of", "_market", "_methodology", "_options", "_prepared", "_threads")
    _pickle_version: ClassVar[int] = 1
    _prepared: Prepared | None

    def __init__(
        self,
        methodology: Methodology,
        contracts: Contracts | Iterable[Contract],
        market: Market | None = None,
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
        errors: Literal["column", "raise"] = "column",
        threads: int = 1,
    ) -> None:
        given: dict[str, Any] = {
            "account": account,
            "contract": contract,
            "quantity": quantity,
            "lots": lots,
            "long": long,
            "short": short,
            "kind_column": kind_column,
            "kind": kind,
            "cash": cash,
            "collateral": collateral,
            "gross": gross,
            "ignore": ignore,
            "order": order,
            "errors": errors,
        }
        self._methodology = rulebook(methodology)
        self._contracts = contracts if isinstance(contracts, Contracts) else Contracts(contracts)
        self._market = snapshot(market)
        self._options = _checked(given)
        self._threads = thread_count(threads)
        self._made_of = digest("prepared 1", __version__, self._methodology, self._contracts, self._market)
        self._digest = digest("plan 1", self._made_of, self._options)
        self._prepared = None

    @property
    def methodology(self) -> Methodology:
        """The rulebook."""
        return self._methodology

    @property
    def contracts(self) -> Contracts:
        """The table of contracts that positions may be in."""
        return self._contracts

    @property
    def market(self) -> Market | None:
        """The market; `None` where the rulebook carries its own arrays."""
        return self._market

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of :meth:`margincore.Prepared.margin_arrow` that were given or have a default; read-only."""
        return ReadOnlyDict(self._options)

    @property
    def threads(self) -> int:
        """How many threads margin."""
        return self._threads

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the result, in hexadecimal: build, rulebook, contracts, market and options.

        Two plans of one digest give the same bytes for the same positions. The number of threads is not part of it.
        Nothing is prepared for it.
        """
        return self._digest

    @property
    def prepared(self) -> Prepared:
        """The rulebook, compiled: once in this process for all plans of one rulebook, table and market.

        Safe to ask for from any thread, and in the child of a fork. Raises as :meth:`margincore.Engine.prepare`.
        """
        if self._prepared is None:
            self._prepared = once(self._made_of, self._prepare)
        return self._prepared

    def _prepare(self) -> Prepared:
        return self._methodology.prepare(self._contracts, self._market, threads=self._threads)

    def margins(self, source: Any, *, ignore: Sequence[str] | None = None) -> MarginReader:
        """The requirements of a stream of positions: :meth:`margincore.Prepared.margin_arrow` with the plan's options.

        `ignore` stands in place of the plan's own, for a source that has fewer columns. The schema's metadata has the
        plan's digest as ``margincore.plan`` beside those of what was prepared.
        """
        options = dict(self._options) if ignore is None else {**self._options, "ignore": list(ignore)}
        metadata = {"margincore.plan": self._digest}
        return self.prepared.margin_arrow(source, **options, metadata=metadata, threads=self._threads)

    def columns(self, option: str) -> list[str]:
        """The columns that an option may mean in a source: its own, or the usual ones where it is left out.

        >>> import margincore as mc
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
        >>> plan = Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market, account="holder")
        >>> plan.columns("account"), plan.columns("contract"), plan.columns("ignore")
        (['holder'], ['contract_id', 'contract'], [])
        """
        given = self._options.get(option)
        if given is None:
            return [f"{option}_id", option] if option in ("account", "contract") else []
        return [given] if isinstance(given, str) else list(given)

    def replace(self, **options: Any) -> Plan:
        """The same plan with other options, by the names of its arguments.

        >>> import margincore as mc
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
        >>> Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market).replace(order="any").options["order"]
        'any'
        """
        parts = {"methodology": self._methodology, "contracts": self._contracts, "market": self._market}
        return Plan(**{**parts, **self._options, "threads": self._threads, **options})

    def schema(self, account: pa.DataType | None = None) -> pa.Schema:
        """The columns of the result for accounts of an Arrow type, text where none is given. Nothing is prepared.

        The column of accounts is called as the plan says, or ``account_id`` where it says nothing.

        >>> import margincore as mc, pyarrow as pa
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
        >>> plan = Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market, errors="raise")
        >>> plan.schema(pa.int64()).remove_metadata()
        account_id: int64 not null
        initial: double not null
        maintenance: double not null
        net_option_value: double not null
        pairing_gap: double
        worst_scenario: int32
        scenario: string
        currency: string not null
        """
        import pyarrow as pa

        types = {"double": pa.float64(), "int": pa.int32(), "string": pa.string()}
        fields = [pa.field(name, types[kind], nullable) for name, kind, nullable in self._result()]
        labels = pa.field(self._account(), pa.string() if account is None else account, nullable=False)
        return pa.schema([labels, *fields], metadata={"margincore.plan": self._digest})

    def ddl(self, account: str = "string") -> str:
        """The columns of the result in Spark's words, for accounts of one of Spark's types. Nothing is prepared.

        >>> import margincore as mc
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
        >>> plan = Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market, errors="raise")
        >>> plan.ddl("bigint")
        '`account_id` bigint, initial double, maintenance double, ..., currency string'
        """
        name = self._account().replace("`", "``")
        return ", ".join([f"`{name}` {account}", *(f"{column} {kind}" for column, kind, _ in self._result())])

    def _account(self) -> str:
        return self.columns("account")[0]

    def _result(self) -> list[tuple[str, str, bool]]:
        """Name, type and whether it may be null of the columns after the account, as `margin_arrow` makes them."""
        apart = self._options["errors"] == "column"
        columns = [(name, "double", apart) for name in ("initial", "maintenance", "net_option_value")]
        columns += [("pairing_gap", "double", True), ("worst_scenario", "int", True)]
        columns += [("scenario", "string", True), ("currency", "string", False)]
        return columns + [(name, "string", True) for name in ("error_kind", "error_code", "error") if apart]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, whole or not at all; :meth:`load` reads it.

        What is in the file is what the plan was made of, not its compiled table: it is prepared where it is loaded.
        Raises :class:`margincore.Unsupported` for a rulebook with functions of the caller's own in it (a
        :class:`margincore.methods.Combined`), which no file holds, and :class:`OSError` where the system refuses.
        """
        saved.write(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Plan:
        """A plan from a file that :meth:`save` wrote.

        Nothing but this package's own classes and arrays of numbers can be in it: a file made to run code is refused.
        Raises :class:`margincore.ParseError` for a file that is damaged, of another version or under another build,
        :class:`OSError` for one that cannot be read.

        >>> import margincore as mc, pathlib, tempfile
        >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
        >>> plan = Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market)
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tonight.mcplan"
        >>> plan.save(path)
        >>> Plan.load(path).digest == plan.digest
        True
        """
        plan = saved.read(path)
        if not isinstance(plan, cls):
            raise ParseError(f"{path}: a plan is needed, not {type(plan).__name__}", where=str(path))
        return plan

    def __repr__(self) -> str:
        defaults = {"gross": False, "order": "grouped", "errors": "column"}
        other = [f"{k}={v!r}" for k, v in self._options.items() if defaults.get(k) != v]
        when = "no market" if self._market is None else self._market.valuation
        return f"Plan({', '.join([self._methodology.name, f'{len(self._contracts)} contracts', when, *other])})"

    def __reduce__(self) -> tuple[Any, ...]:
        parts = {"methodology": self._methodology, "contracts": self._contracts, "market": self._market}
        rest = {"options": dict(self._options), "threads": self._threads, "digest": self._digest}
        return reduced(self, {**parts, **rest})

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        parts = dict(state)
        written, options = parts.pop("digest"), parts.pop("options")
        plan = cls(**parts, **options)
        if plan.digest != written:
            raise ParseError(
                f"plan: its digest is {plan.digest[:12]}, and {str(written)[:12]} was written: another build, or other "
                "contents: make the plan anew with this one",
                code="other_version",
                where="plan",
            )
        return plan


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options that were given, each of its kind; copies of what could be changed."""
    options = {name: value for name, value in given.items() if value is not None}
    for name in _NAMES:
        if not isinstance(options.get(name, ""), str):
            raise _wrong(name, options[name], "text is")
    for name in ("cash", "collateral"):
        if name in options:
            columns = options[name]
            texts = isinstance(columns, Mapping) and all(isinstance(t, str) for pair in columns.items() for t in pair)
            if not texts:
                raise _wrong(name, columns, 'columns by currency or asset, {"USD": "usd"}, are')
            options[name] = {str(key): str(column) for key, column in columns.items()}
    if "ignore" in options:
        ignored = options["ignore"]
        if isinstance(ignored, str) or not isinstance(ignored, Iterable):
            raise _wrong("ignore", ignored, "a list of columns is")
        options["ignore"] = ignored = list(ignored)
        if not all(isinstance(column, str) for column in ignored):
            raise _wrong("ignore", ignored, "a list of columns is")
    if not isinstance(options["gross"], bool):
        raise _wrong("gross", options["gross"], "true or false is")
    for name, words in _WORDS.items():
        if options[name] not in words:
            hint = did_you_mean(str(options[name]), list(words))
            raise InvalidInput(
                f"plan: {name} is {options[name]!r}: {' or '.join(words)} is needed{hint}",
                code="unknown_name",
                where=f"plan: {name}",
                value=options[name],
            )
    return options


def _wrong(name: str, value: object, needed: str) -> InvalidInput:
    where = f"plan: {name}"
    return InvalidInput(f"{where} is {value!r}: {needed} needed", code="wrong_type", where=where, value=value)
