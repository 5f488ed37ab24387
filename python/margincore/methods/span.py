"""SPAN: exchange files in, PC-SPAN's arithmetic, every component explained."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from margincore import _core
from margincore._pickles import reduced
from margincore.methods.base import Rulebook

__all__ = ["Span", "SpanLike", "contract_id", "kite", "nse_exposure", "risk_array", "settlement_price"]

_StrPath = str | os.PathLike[str]
_Source = _StrPath | Sequence[_StrPath] | _core.SpanFile


def contract_id(
    product: str,
    period: str,
    *,
    kind: str | None = None,
    right: str | None = None,
    strike: float | str | None = None,
    exchange: str = "",
) -> str:
    """The id that a SPAN file's contracts have: ``EXCHANGE:PRODUCT:KIND:PERIOD`` and, for options, ``:C|P:STRIKE``.

    `kind` is PHY, FUT, CMB, OOF, OOP or OOC; left out, it is OOP for options and FUT otherwise.

    >>> contract_id("AKBNKE", "201606S0", right="C", strike="7.50", exchange="BIST")
    'BIST:AKBNKE:OOP:201606S0:C:7.5'
    """
    head = f"{exchange}:{product}:{kind or ('OOP' if right else 'FUT')}:{period}"
    if right is None:
        return head
    letter = {"c": "C", "call": "C", "p": "P", "put": "P"}.get(right.lower())
    if letter is None:
        raise _core.InvalidInput(f"{head}: right {right!r} is not C or P")
    if strike is None:
        raise _core.InvalidInput(f"{head}: an option has a strike")
    try:
        number = float(strike)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _core.InvalidInput(f"{head}: strike {strike!r} is not a number", code="not_finite")
    text = str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return f"{head}:{letter}:{text}"


class Span(Rulebook):
    """SPAN with an exchange's parameter file, or with parameters given as a document.

    `source` is a `.spn` or `.pa2` file, plain, gzipped or zipped, or a saved cache; a list of paths is several clearing
    organisations with the spreads between them; a file that :meth:`file` has parsed is not parsed again. Parameters
    written out are :meth:`from_document`. `exposure` adds a margin beside SPAN (see :func:`nse_exposure`). `digest` is
    the file's, as an earlier report printed it: a file that has changed, or an expanded file that was cut between two
    records, is then :class:`InvalidInput`. Raises :class:`ParseError` with file, byte or line, and field.

    Requirements are on the basis `equity_required`: PC-SPAN's total is ``report.equity_required -
    report.net_option_value``. Losses in arrays are positive.
    An account's `kind` chooses its level: member, hedger or speculator.

    Rules that no public text settles are options:

    - `delta_rounding`: ``"none"`` (default), ``"half_even"`` or ``"half_down"``: the net delta that divides price risk.
    - `whole_spreads`: only whole spreads form (default: fractions).
    - `anov`: how much option value counts: as the ``"file"`` says (default), ``"capped"`` at each commodity's
      requirement, or ``"pooled"``.
    - `delivery_counts_inter`: deltas used by inter-commodity spreads count as used for delivery (default: no).
    - `delivery_months_in_inter`: months in delivery take part in inter-commodity spreads (default: yes).
    - `per_month`: charge method P, ``"refuse"`` (default) or ``"additive"``.
    - `account_kind`: the level of an account without a kind (default ``"speculator"``).
    - `level`: ``{"initial": factor, "maintenance": factor}`` instead of the file's.
    - `base_currency`: the report's currency (default: the first commodity's).
    - `lot_sizes`: ``{product: the file's contracts in one lot}``. Positions are then in lots, and a product without a
      lot size is :class:`MissingData`. NSE's file counts single shares; see
      :func:`margincore.importers.span.lot_sizes`.

    A gross account's long and short side are margined as two portfolios that do not net, and added; spreads declared
    between them (matched positions) are not an input. Spread types that no public text explains (`rpLeg`, `volRate`,
    nested `dSpread`) raise :class:`Unsupported` when such a spread forms; so does holding a commodity with
    `concAdjRate`, `basisRates`, `liqRate`, `vmRate`, `cdsRate` or a processing method other than NORMAL.

    >>> up, down = [-30.0, -30.0], [30.0, 30.0]
    >>> array = [0, 0, -10, -10, 10, 10, -20, -20, 20, 20, *up, *down, -29.7, 29.7]
    >>> span = Span.from_document({
    ...     "extreme": [3.0, 0.33],
    ...     "contracts": [{"product": "X", "kind": "FUT", "period": "202612", "commodity": "X", "array": array}],
    ...     "commodities": [{"code": "X", "currency": "USD"}],
    ... })
    >>> import margincore as mc
    >>> future = mc.Future("X", expiry="2026-12-18T16:00:00Z", multiplier=1, currency="USD",
    ...                    id=contract_id("X", "202612"))
    >>> mc.margin([mc.Position(future, -2)], None, span).requirement.initial
    60.0
    """

    __slots__ = ("_file",)
    _file: _core.SpanFile | None

    def __new__(
        cls, source: _Source, *, exposure: Mapping[str, Any] | None = None, digest: str | None = None, **options: Any
    ) -> Self:
        document: dict[str, Any] = {"options": options}
        if digest is not None:
            document["digest"] = digest
        return cls._made(document, exposure, cls.file(source))

    @classmethod
    def _made(cls, document: dict[str, Any], exposure: Mapping[str, Any] | None, file: _core.SpanFile | None) -> Self:
        if exposure is not None:
            document["exposure"] = dict(exposure)
        self = _core.Methodology.__new__(cls, "span", document, file=file)
        self._document = ("span", document, {})
        self._file = file
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        name, parameters, tables = self._document
        return reduced(self, {"name": name, "parameters": parameters, "tables": tables, "file": self._file})

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        if set(state) != {"name", "parameters", "tables", "file"}:
            raise TypeError(f"a Span is not made of {', '.join(map(str, state))}")
        return cls._made(dict(state["parameters"]), None, state["file"])

    @classmethod
    def from_file(cls, source: _Source, **options: Any) -> Self:
        """The same as ``Span(source, **options)``."""
        return cls(source, **options)

    @classmethod
    def from_document(
        cls, parameters: Mapping[str, Any], *, exposure: Mapping[str, Any] | None = None, **options: Any
    ) -> Self:
        """Parameters written out: scan points, contracts with arrays, commodities with tiers, spreads and rates."""
        return cls._made({"parameters": dict(parameters), "options": options}, exposure, None)

    @classmethod
    def from_parameters(cls, underlyings: Mapping[str, Mapping[str, Any]], **changes: Any) -> SpanLike:
        """SPAN-like margin without a file, from scan ranges per underlying; see :class:`SpanLike`."""
        return SpanLike(underlyings, **changes)

    @staticmethod
    def file(source: _Source | Span) -> _core.SpanFile:
        """The parsed file itself: its contracts, arrays, commodities, and what was met and not read.

        Give it to the class and to :meth:`contracts` in the path's place, and the file is parsed once.
        """
        if isinstance(source, _core.SpanFile):
            return source
        if isinstance(source, Span):
            if source._file is None:
                raise _core.InvalidInput("this Span was made from a document: it has no file")
            return source._file
        if isinstance(source, Mapping):
            raise _core.InvalidInput(
                "Span: a path, a list of paths or a SpanFile is needed: parameters written out are "
                "Span.from_document(parameters)"
            )
        return _core.SpanFile(source)

    @staticmethod
    def contracts(source: _Source | Span) -> _core.Contracts:
        """All contracts of a file (or of a `Span` made from one), to build accounts from and to prepare with."""
        return Span.file(source).contracts()

    @staticmethod
    def save_cache(source: _Source | Span, target: _StrPath) -> None:
        """Saves a parsed file in a form that loads in milliseconds."""
        Path(target).write_bytes(Span.file(source).cache())


class SpanLike(Rulebook):
    """SPAN's 16 scenarios over your own scan ranges, without any clearing house's file: SPAN-like, equal to no one's.

    `underlyings` maps a root symbol to ``{"price_scan": fraction of price, "vol_scan": fraction of vol,
    "vol_scan_absolute": False, "short_option_minimum": money, "calendar_charge": money per delta}``. Arrays are made
    from the market: spot or future, vol and rate. European options on spot use Merton's model, options on a future
    Black's; American ones the collocation of the exercise boundary (``american_model="collocation"``, the default), a
    tree of 400 steps (``"CA"``: the same within its own error, thousands of times slower) or the quadratic
    approximation (``"W"``).

    >>> import margincore as mc
    >>> option = mc.Option("BTC", "call", 75_000, expiry="2026-12-25T08:00:00Z", exercise="european", multiplier=1,
    ...                    currency="USD")
    >>> market = mc.Market("2026-11-25T08:00:00Z", spot={"BTC": 70_000.0}, vol={option.id: 0.55}, rate={"USD": 0.0})
    >>> method = mc.methods.SpanLike({"BTC": {"price_scan": 0.10, "vol_scan": 0.25}})
    >>> report = mc.margin([mc.Position(option, -1)], market, method)
    >>> report.methodology, round(report.requirement.initial)
    ('SPAN-like', 4675)
    """

    __slots__ = ()

    def __new__(
        cls,
        underlyings: Mapping[str, Mapping[str, Any]],
        *,
        extreme: tuple[float, float] | None = None,
        lookahead_days: float | None = None,
        days_per_year: float | None = None,
        american_model: Literal["collocation", "CA", "W"] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Self:
        changes = {
            "extreme": None if extreme is None else list(extreme),
            "lookahead_days": lookahead_days,
            "days_per_year": days_per_year,
            "american_model": american_model,
            "options": None if options is None else dict(options),
        }
        given = {key: value for key, value in changes.items() if value is not None}
        ranges = {name: dict(values) for name, values in underlyings.items()}
        return super().__new__(cls, "span-like", {"underlyings": ranges, **given})


def risk_array(
    *,
    underlying: float,
    price_scan: float,
    model: str | None = None,
    right: Literal["call", "put"] | None = None,
    strike: float = 0.0,
    years: float = 0.0,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
    vol: float = 0.0,
    vol_scan: float = 0.0,
    vol_scan_percent: bool = False,
    lookahead: float = 0.0,
    spot_carry: bool = False,
    price_scan_down: float | None = None,
    vol_scan_down: float | None = None,
    extreme: tuple[float, float] | None = None,
    points: Sequence[Mapping[str, float]] | None = None,
    delta_points: Sequence[Mapping[str, float]] | None = None,
    rounding: float = 0.0,
    steps: int = 400,
) -> dict[str, Any]:
    """One contract's risk array and deltas from parameters: ``{"array", "composite_delta", "delta"}``.

    All values are money for one long contract, losses positive, cover included. `model` is PC-SPAN's code (BS, B, M, W,
    WS, WB, CA, CE, I, N); without it the contract is a future, which has neither right nor strike. `points` are
    dictionaries of price, vol, weight and paired (from 0); or give `extreme` (multiplier, cover) for the standard 16.
    `rounding` is a unit of money.
    Raises :class:`InvalidInput` or :class:`Unsupported`.

    >>> risk_array(underlying=17_000.0, price_scan=1700.0, extreme=(3.0, 0.33), rounding=1.0)["array"][2]
    -567.0
    """
    inputs: dict[str, Any] = {
        "underlying": underlying, "price_scan": price_scan, "strike": strike, "years": years, "rate": rate,
        "dividend_yield": dividend_yield, "vol": vol, "vol_scan": vol_scan, "vol_scan_percent": vol_scan_percent,
        "lookahead": lookahead, "spot_carry": spot_carry, "steps": steps,
        "right": {None: 0, "call": 1, "put": -1}[right],
    }  # fmt: skip
    given = {**inputs, "price_scan_down": price_scan_down or 0.0, "vol_scan_down": vol_scan_down or 0.0}
    for name, value in given.items():
        if not math.isfinite(value):
            raise _core.InvalidInput(f"risk array: {name} is {value}: a finite number is needed", code="not_finite")
        if name.startswith(("price_scan", "vol_scan")) and value < 0.0:
            raise _core.InvalidInput(
                f"risk array: {name} is {value}: a scan range is not negative", code="out_of_range"
            )
    if model is None and (right is not None or strike):
        raise _core.InvalidInput(
            "risk array: right and strike belong to an option: name its pricing model", code="contradiction"
        )
    optional = {"model": model, "price_scan_down": price_scan_down, "vol_scan_down": vol_scan_down}
    inputs.update({key: value for key, value in optional.items() if value is not None})
    request: dict[str, Any] = {"inputs": inputs, "rounding": rounding}
    if extreme is not None:
        request["extreme"] = list(extreme)
    if points is not None:
        request["points"] = [dict(p) for p in points]
    if delta_points is not None:
        request["delta_points"] = [dict(p) for p in delta_points]
    return _core.span_risk_array(request)


def settlement_price(digits: str, locator: int, alignment: str = " ") -> float:
    """Decodes a settlement price of CME's expanded format.

    `alignment` is blank for plain decimals, ``C`` for 32nds, ``0`` for grains' eighths of a cent.

    >>> settlement_price("0122060", 3, "C")
    122.1875
    """
    return _core.span_settlement_price(digits, locator, alignment)


def nse_exposure(
    table: Mapping[str, Mapping[str, float | None]] | None = None, *, index_symbols: Sequence[str] | None = None
) -> dict[str, Any]:
    """NSE's exposure margin beside SPAN: a share of the notional of futures and short options.

    General rates: index 2 %, 3 % further than 10 % out of the money, 5 % beyond nine months; stocks 3.5 %. `table` has
    the rates of the exchange's daily file of exposure percentages, as :func:`margincore.importers.span.exposure_table`
    reads them; they then come first. The rates here are dated August 2025: check the current circular.

    >>> nse_exposure()["index_rates"]
    {'other': 0.02, 'far_out': 0.03}
    """
    exposure: dict[str, Any] = {
        "index_rates": {"other": 0.02, "far_out": 0.03},
        "stock_rates": {"other": 0.035, "far_out": None},
        "index_symbols": sorted(
            index_symbols or ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "BANKEX"]
        ),
        "far_out": 0.10,
        "long_dated_months": 9,
        "long_dated_rate": 0.05,
        "table": {},
    }
    if isinstance(table, str | os.PathLike):
        raise _core.InvalidInput("table: a file: read it first, margincore.importers.span.exposure_table(path)")
    if table is not None:
        exposure["table"] = {symbol: dict(rates) for symbol, rates in table.items()}
    return exposure


def kite(report: _core.MarginReport) -> dict[str, float]:
    """A SPAN report in the field names of Indian brokers' APIs: span, exposure, option_premium, total.

    `span` is the requirement less option value, never below zero, per commodity and added; `exposure` is that of
    :func:`nse_exposure`; `option_premium` is the value of options bought less those sold, where positive: what buying
    them costs at the file's prices. A broker's `additional`, `bo`, `cash` and `var` are none of SPAN's; nor are
    the exchange's extra margin on short index options on their expiry day, the loss of calendar benefit on expiry day
    and delivery margins of stock derivatives in their expiry week: they are not in these numbers.

    >>> array = [0.0] * 10 + [-30.0, -30.0, 30.0, 30.0, -21.0, 21.0]
    >>> span = Span.from_document({
    ...     "extreme": [2.0, 0.35],
    ...     "contracts": [{"product": "X", "kind": "FUT", "period": "202612", "commodity": "X", "array": array,
    ...                    "value": 200.0}],
    ...     "commodities": [{"code": "X", "currency": "INR"}],
    ... }, exposure=nse_exposure(), lot_sizes={"X": 50})
    >>> import margincore as mc
    >>> future = mc.Future("X", expiry="2026-12-31T10:00:00Z", multiplier=1, currency="INR",
    ...                    id=contract_id("X", "202612"))
    >>> {name: round(amount, 2) for name, amount in kite(mc.margin([mc.Position(future, 2)], None, span)).items()}
    {'span': 3000.0, 'exposure': 700.0, 'option_premium': 0.0, 'total': 3700.0}
    """
    sides = [report.details] if "commodities" in report.details else [report.details["long"], report.details["short"]]
    commodities = [c for side in sides for c in side["commodities"].values()]
    span = sum(max(c["factors"]["initial"] * c["span_requirement"] - c["nov"], 0.0) for c in commodities)
    exposure = sum(report.details.get("exposure", {}).values())
    premium = max(report.net_option_value, 0.0)
    return {"span": span, "exposure": exposure, "option_premium": premium, "total": span + exposure + premium}
