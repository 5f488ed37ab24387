"""VaR and expected-shortfall margin by historical simulation: plain, filtered, stressed and blended.

Three things have no default, because rulebooks differ in them and no choice is neutral: how returns are taken, which
measure, and at which confidence. A confidence is written as text, a :class:`decimal.Decimal` or a short float
(``"0.994"``) and becomes an integer of parts per million: ``ceil((1 - 0.994) * 1000)`` is 7 in floating point.

Measures, of losses sorted worst first (``n`` scenarios, confidence ``a``):

- ``order_floor``, ``order_ceil``: the k-th worst, k = n (1 - a) rounded down (Hull) or up;
- ``inverted_cdf``, ``averaged_inverted_cdf``, ``closest_observation``, ``interpolated_inverted_cdf``, ``hazen``,
  ``weibull``, ``linear``, ``median_unbiased``, ``normal_unbiased``, ``lower``, ``higher``, ``nearest``, ``midpoint``:
  NumPy's quantiles of the losses (Hyndman and Fan 1996);
- ``es_discrete``: mean of the ceil(n (1 - a)) worst (HKSCC); ``es_hull``: mean of those strictly worse than
  ``order_floor``; ``es_inclusive``: mean from the ``inverted_cdf`` quantile on; ``es_acerbi``: the tail integral;
- ``weighted``, ``es_weighted``: under weights that decay with age (Boudoukh, Richardson, Whitelaw 1998);
- ``normal``: the normal quantile times the deviation of the profits and losses (parametric VaR).

The clearing houses' presets have the shape of their public descriptions with illustrative calibration; none is
certified, and every report says so in ``details["calibration"]``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore import _core
from margincore import columns as _columns
from margincore._pickles import Record
from margincore.methods.base import Rulebook

__all__ = [
    "HistoricalVar", "History", "Rolling", "component", "ewma", "finite_ewma", "garch", "measure", "ppm", "stage",
]  # fmt: skip

Confidence = str | float | Decimal
ReturnRule = Literal["relative", "log", "absolute"] | Mapping[str, float]
Seed = Literal["sample_var_ddof1", "sample_var_ddof0", "mean_square"] | Mapping[str, float]


def ppm(confidence: Confidence) -> int:
    """A confidence as an integer of parts per million. Raises :class:`InvalidInput` for finer ones.

    >>> ppm("0.994"), ppm(0.99), ppm(Decimal("0.8869"))
    (994000, 990000, 886900)
    """
    try:
        scaled = Decimal(str(confidence)) * 1_000_000
        if 0 < scaled < 1_000_000 and scaled == int(scaled):
            return int(scaled)
    except ArithmeticError:  # no number, or a NaN
        pass
    raise _core.InvalidInput(
        f"confidence {confidence}: a fraction between 0 and 1 in whole parts per million is needed ('0.99')",
        code="out_of_range",
    )


def ewma(
    decay: float, *, seed: Seed, seed_returns: int | None = None, mean: bool = False, **filter: Any
) -> dict[str, Any]:
    """A filter: each return over the volatility known before it, times tomorrow's, by the EWMA recursion.

    `seed` is the variance the recursion starts from: of the oldest `seed_returns` returns, which are then no
    scenarios; or, without `seed_returns`, of the window's own returns. ``{"given": variance}`` states it. With `mean`,
    deviations are from a mean of the same decay, which ``add_mean=True`` adds back to the scenario. Other keywords:
    ``target`` (``"current"``, ``"mid"``), ``average``, ``quantile_floor_ppm``, ``vol_floor``, ``ratio``.

    >>> ewma(0.97, seed="mean_square", seed_returns=250)["model"]
    {'ewma': {'lambda': 0.97, 'seed': 'mean_square', 'seed_returns': 250}}
    """
    model: dict[str, Any] = {"lambda": decay, "seed": seed}
    if seed_returns is not None:
        model["seed_returns"] = seed_returns
    if mean:
        model["mean"] = True
    return {"model": {"ewma": model}, **filter}


def garch(
    omega: float, alpha: float, beta: float, *, seed: Seed, seed_returns: int | None = None, **filter: Any
) -> dict[str, Any]:
    """A filter by the GARCH(1,1) recursion with parameters fitted elsewhere; keywords as in :func:`ewma`.

    >>> garch(1e-6, 0.08, 0.9, seed="sample_var_ddof1")["model"]["garch"]["beta"]
    0.9
    """
    model: dict[str, Any] = {"omega": omega, "alpha": alpha, "beta": beta, "seed": seed}
    if seed_returns is not None:
        model["seed_returns"] = seed_returns
    return {"model": {"garch": model}, **filter}


def finite_ewma(decay: float, points: int, *, mean: bool, **filter: Any) -> dict[str, Any]:
    """A filter with normalised weights over the last `points` returns, with or without their weighted mean.

    >>> finite_ewma(0.97, 250, mean=True, average=3, quantile_floor_ppm=500_000)["average"]
    3
    """
    return {"model": {"finite": {"lambda": decay, "points": points, "mean": mean}}, **filter}


def component(
    name: str,
    *,
    measure: str,
    confidence: Confidence,
    levels: Sequence[Confidence] | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    """One risk measure over one set of scenarios.

    `parameters`: ``weight``; ``role`` (``"term"``: added, ``"floor"``: the sum may not fall below it); ``history``
    (a name, where there are several); ``window`` (the newest so many returns) or ``periods`` (lists of dates), or both
    with ``stress_weight``, the share of all weight that the periods have under a weighted measure;
    ``days`` and ``scaling`` (``"sqrt_returns"``, ``"sqrt_risk"``, ``"overlapping"``, ``"interleaved"``); ``filter``
    and ``portfolio_filter`` (:func:`ewma` and others); ``antithetic``; ``age_decay``; ``variance``; ``multiplier``;
    ``roll_days``; ``given`` (risk by netting set, as a clearing house states it). `levels` are the confidences of
    interleaved sets where they differ.

    >>> component("HVaR", measure="es_discrete", confidence="0.994", window=1000)["confidence_ppm"]
    994000
    """
    made: dict[str, Any] = {"name": name, "measure": measure, "confidence_ppm": ppm(confidence), **parameters}
    if levels is not None:
        made["levels_ppm"] = [ppm(level) for level in levels]
    if "periods" in made:
        made["periods"] = [_dates(period) for period in made["periods"]]
    return made


def stage(name: str, rule: str, **parameters: Any) -> dict[str, Any]:
    """A charge or credit after the scenarios.

    Rules: ``gross_floor``, ``flat_rate``, ``liquidity``, ``close_out``, ``impact``, ``tick_value``, ``side_rate``,
    ``scale``, ``round_up``, ``position_limit``, ``favourable_mark``, ``mark_requirement``, ``credit``, ``amount``,
    ``buffer``, ``cap``, ``speed_limit``. They run in the order given; a stage is a line under its name.

    ``close_out(products={name: {"spread", "volume"}}, kappa, beta)`` is ``spread / 2 |q| (1 + kappa (|q| /
    volume)^beta)`` of each contract's net lots, a proposal for what SPAN 2 says in words; ``impact(products={name:
    {"vol", "volume"}}, scale)`` the square-root law ``vol sqrt(|q| / volume) |value| scale``. Volume is lots of an
    average day, names are contract ids or underlying symbols; others are not charged.

    >>> stage("rounding", "round_up", unit=10_000)
    {'name': 'rounding', 'rule': {'round_up': {'unit': 10000}}}
    """
    return {"name": name, "rule": {rule: parameters} if parameters else rule}


def measure(losses: ArrayLike, measure: str, confidence: Confidence, *, age_decay: float | None = None) -> float:
    """One measure of losses in scenario order, oldest first; a loss is positive.

    >>> losses = [3.0, -1.0, 8.0, 5.0]
    >>> measure(losses, "order_floor", "0.5"), measure(losses, "es_discrete", "0.5"), measure(losses, "linear", "0.5")
    (5.0, 6.5, 4.0)
    """
    return _core.hvar_measure(_numbers("losses", losses), measure, ppm(confidence), age_decay)


def _numbers(what: str, values: ArrayLike, dimensions: int = 1) -> NDArray[np.float64]:
    """An array of numbers, or a refusal that says what they are of. What is masked has no value."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        raise _core.InvalidInput(f"{what}: {int(np.ma.getmaskarray(values).sum())} values are masked: give every one")
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "biufO":
            raise TypeError(f"values of type {found.dtype}")
        array = np.ascontiguousarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _core.InvalidInput(f"{what}: numbers are needed: {error}", code="wrong_type") from None
    if found.ndim != dimensions:
        shape = "a one-dimensional array" if dimensions == 1 else "a table of rows by factors"
        raise _core.InvalidInput(f"{what}: {shape} is needed, not of shape {found.shape}", code="wrong_type")
    return array


def _dates(dates: Iterable[Any]) -> list[str]:
    """ISO dates from text, dates, times (their own day), or NumPy's."""
    if isinstance(dates, np.ndarray) and dates.dtype.kind == "M":
        return [str(d) for d in dates.astype("datetime64[D]")]
    return [_date(d) for d in dates]


def _date(date: Any) -> str:
    if isinstance(date, np.datetime64):
        return str(date.astype("datetime64[D]"))
    return _core.read_time(date)[:10] if isinstance(date, dt.date) else str(date)


@dataclass(frozen=True)
class History(Record):
    """A table of history: prices (``kind="levels"``) or returns by factor, oldest first.

    `values` is a mapping of factor to column, or a 2-D array of rows by `columns`. `dates` are ISO dates, one a row;
    without them scenarios are known by number. A frame has its dates as its index, or in a column ``date``; Series
    in a mapping have one index, and if it is of dates those are the rows'.

    >>> History({"SPX": [100.0, 99.0, 101.0]}, dates=["2026-01-02", "2026-01-05", "2026-01-06"]).table().shape
    (3, 1)
    """

    values: Mapping[str, ArrayLike] | NDArray[np.float64]
    dates: Sequence[Any] | None = None
    kind: Literal["levels", "returns"] = "levels"
    columns: Sequence[str] | None = None

    def __post_init__(self) -> None:
        values, dates = self.values, self.dates
        if _columns.is_frame(values):
            values, found = _columns.dated("history", values)
            if dates is not None and found is not None and _dates(dates) != found:
                raise _core.InvalidInput(
                    "history: dates differ from those of its frame: give them once", code="contradiction"
                )
            dates = found if dates is None else dates
        if isinstance(values, Mapping):
            values, shared = _columns.aligned("history", values)
            dates = shared if dates is None else dates
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "dates", dates)

    def words(self) -> dict[str, Any]:
        """What the document says of the table."""
        columns = list(self.values) if isinstance(self.values, Mapping) else list(self.columns or ())
        dates = [] if self.dates is None else _dates(self.dates)
        return {"columns": columns, "dates": dates, "kind": self.kind}

    def table(self) -> NDArray[np.float64]:
        """The numbers, rows by factors."""
        if not isinstance(self.values, Mapping):
            return _numbers("history", self.values, dimensions=2)
        columns = [_numbers(f"history: factor '{name}'", column) for name, column in self.values.items()]
        if len({column.shape for column in columns}) > 1:
            raise _core.InvalidInput(
                "history: factors have different lengths: "
                + ", ".join(f"'{n}' {c.size}" for n, c in zip(self.values, columns, strict=True)),
                code="wrong_shape",
            )
        return np.column_stack(columns) if columns else np.empty((0, 0))


@dataclass(frozen=True)
class Rolling(Record):
    """Margins as of every date, `margin[i]` as of `dates[i]`, with each component's weighted risk.

    ``realised[i]`` is the loss over the holding period that begins at ``dates[i]``, ``worst[i]`` the largest of the
    losses over its first day, two days, up to all of it; they are shorter than ``margin`` by the dates after which the
    history has no whole holding period.
    """

    dates: list[str]
    steps: NDArray[np.int64]
    margin: NDArray[np.float64]
    components: dict[str, NDArray[np.float64]]
    realised: NDArray[np.float64]
    worst: NDArray[np.float64]

    def observed(self, *, on_the_way: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Margins and the losses that followed them, of equal length: what a backtest compares.

        `on_the_way` takes the worst loss of the holding period instead of the one at its end: BME's coverage test.
        """
        return self.margin[: len(self.realised)], self.worst if on_the_way else self.realised


class HistoricalVar(Rulebook):
    """Margin as VaR or expected shortfall over a dated history that belongs to the methodology.

    One component is written directly: `returns`, `measure`, `confidence`, and `window`, `filter`, `days`, `scaling`
    and whatever else :func:`component` takes. Several are given as `components`. The risk of each netting set is the
    weighted sum of its terms, not below its floors, not below zero; then `stages` follow.

    - `history`: factor to column of prices, a 2-D array is a :class:`History`; `dates`, one a row; or `histories`,
      by name.
    - `returns`: how changes are taken: one rule for all factors, or by factor (``"*"`` for the rest): ``"relative"``,
      ``"log"``, ``"absolute"`` or ``{"displaced": d}``. A price that is not positive under relative or log returns
      raises :class:`InvalidInput` with its factor and date.
    - `map`: factor of a contract id or underlying symbol, where it is not the symbol itself; `vol_map`: factor of the
      implied volatility of an underlying's options.
    - `fx`: factor of the exchange rate of a currency, quoted as `currency` for one unit of it, or ``{"inverse":
      factor}`` as units of it for one of `currency`: ``fx={"GBP": "GBPUSD", "JPY": {"inverse": "USDJPY"}}``. What was
      paid for loses with the rate of its money, a future on its gain only; other currencies keep today's rate, and cash
      is no position.
    - `option_models`: ``"normal"`` (Bachelier; volatility in units of the price, European options on a future or
      forward, which may be negative) by contract id or underlying symbol; ``"lognormal"`` where left out.
    - `american`: how American options are priced: ``"collocation"`` of the exercise boundary (default, as in
      :class:`Tims`; relative error 1e-4 at most; with cash dividends lattices, 3e-3 at most) or ``"tree"``:
      Cox-Ross-Rubinstein with `steps` steps (400), which takes a hundred times as long and converges to the same price.
    - `option_floor`: ``{"ticks": {name: tick}, "zero_below": money}``: a lot that a scenario makes worth less than
      `zero_below` (0.5 where left out) counts as tick times contract unit, rounded up to whole money (JSCC, from 10
      February 2025).
    - `offset_cap`: ``{"share": 0.8, "products": {name: product}}``: at most that share of the difference between the
      sum of the products' own margins and the margin together is granted (EMIR RTS 153/2013 Article 27 (4)); a product
      is an underlying symbol where left out. Within a netting set.
    - `netting_sets`: ``[{"name", "members", "group", "components"}]``; positions net within a set only.
    - `position_rounding`: unit to which each position's profit and loss is rounded before it is summed.

    The report's details name each component's worst scenarios by date, its tail and every position's part of the risk;
    scenarios are numbered from one in each set there, and from zero over all components in ``MarginBatch``.

    Linear contracts move with their factor; options are repriced in full in every scenario. Raises
    :class:`MissingData` for factors without history and windows longer than it. A gross account's long and short sides
    are two portfolios that do not net.

    >>> import margincore as mc
    >>> prices = {"XYZ": [100.0, 98.0, 101.0, 99.0, 102.0, 95.0]}
    >>> rule = mc.methods.HistoricalVar(prices, returns="relative", measure="order_floor", confidence="0.8")
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> report = mc.margin([mc.Position(stock, 10)], mc.Market("2026-11-20T16:00:00Z", spot={"XYZ": 95.0}), rule)
    >>> round(report.requirement.initial, 2), report.worst_scenario         # 10 * 95 * 7 / 102
    (65.2, 'scenario 5')
    """

    __slots__ = ()

    def __new__(
        cls,
        history: Mapping[str, ArrayLike] | History | None = None,
        *,
        returns: ReturnRule | Mapping[str, ReturnRule] | None = None,
        measure: str | None = None,
        confidence: Confidence | None = None,
        name: str | None = None,
        dates: Sequence[Any] | None = None,
        histories: Mapping[str, History] | None = None,
        components: Sequence[Mapping[str, Any]] | None = None,
        netting_sets: Sequence[Mapping[str, Any]] | None = None,
        stages: Sequence[Mapping[str, Any]] | None = None,
        map: Mapping[str, str] | None = None,
        vol_map: Mapping[str, str] | None = None,
        fx: Mapping[str, str | Mapping[str, str]] | None = None,
        option_models: Mapping[str, Literal["lognormal", "normal"]] | None = None,
        option_floor: Mapping[str, Any] | None = None,
        offset_cap: Mapping[str, Any] | None = None,
        position_rounding: float | None = None,
        allow_negative: bool | None = None,
        currency: str | None = None,
        calibration: str | None = None,
        american: Literal["collocation", "tree"] | None = None,
        steps: int | None = None,
        preset: str = "plain",
        **one_component: Any,
    ) -> Self:
        tables = dict(histories or {})
        if dates is not None and (history is None or isinstance(history, History)):
            raise _core.InvalidInput(
                "hvar: dates belong to a mapping of prices; a History has its own", code="contradiction"
            )
        if history is not None and "history" in tables:
            raise _core.InvalidInput(
                "hvar: two histories are named 'history': give one of them, or another name", code="duplicate"
            )
        if history is not None:
            tables["history"] = history if isinstance(history, History) else History(history, dates)
        if measure is not None and confidence is not None and components is None:
            made = component(name or _word(measure), measure=measure, confidence=confidence, **one_component)
            components = [made]
        elif measure is not None or confidence is not None or one_component:
            raise _core.InvalidInput(
                "hvar: one component needs measure and confidence, which have no default; several are components"
            )
        changes = {
            "histories": {key: table.words() for key, table in tables.items()} or None,
            "returns": _rules(returns),
            "components": None if components is None else [dict(c) for c in components],
            "netting_sets": None if netting_sets is None else [dict(s) for s in netting_sets],
            "stages": None if stages is None else [dict(s) for s in stages],
            "map": None if map is None else dict(map),
            "vol_map": None if vol_map is None else dict(vol_map),
            "fx_map": None if fx is None else {k: {"direct": v} if isinstance(v, str) else v for k, v in fx.items()},
            "option_models": None if option_models is None else dict(option_models),
            "option_floor": None if option_floor is None else dict(option_floor),
            "offset_cap": None if offset_cap is None else dict(offset_cap),
            "position_rounding": position_rounding,
            "allow_negative": allow_negative,
            "currency": currency,
            "calibration": calibration,
            "american": american,
            "steps": steps,
        }
        given = {key: value for key, value in changes.items() if value is not None}
        numbers = {key: table.table() for key, table in tables.items()}
        return super().__new__(cls, "hvar", {"preset": preset, **given}, numbers)

    def rolling(
        self,
        exposures: Mapping[str, float],
        *,
        first: str | int | dt.date | np.datetime64 | None = None,
        last: str | int | dt.date | np.datetime64 | None = None,
        threads: int = 1,
    ) -> Rolling:
        """Margins as of every date for fixed linear exposures: what a backtest or a study of procyclicality reads.

        `exposures` is money held of each factor (units of it under absolute returns), positive long; an exchange rate
        is a factor with an exposure of its own. `first` and
        `last` are dates, or numbers of returns counted from zero; from the first date with enough history to the
        last. Every date sees the history up to itself only. Netting sets, stages, `fx` and `offset_cap` raise
        :class:`Unsupported`.

        >>> import margincore as mc
        >>> rule = mc.methods.HistoricalVar({"X": [100.0, 99.0, 101.0, 100.0, 97.0]}, returns="relative",
        ...                                 measure="order_floor", confidence="0.5", window=2)
        >>> rolled = rule.rolling({"X": 100.0})
        >>> rolled.margin.round(4).tolist(), rolled.realised.round(4).tolist()
        ([1.0, 0.9901, 3.0], [0.9901, 3.0])
        """
        _, document, tables = self._document
        place = [_date(x) if isinstance(x, (dt.date, np.datetime64)) else x for x in (first, last)]
        if any(isinstance(x, int) and x < 0 for x in place):
            raise _core.InvalidInput(f"rolling: first {first}, last {last}: numbers of returns count from zero")
        made = _core.hvar_rolling(document, tables, dict(exposures), first=place[0], last=place[1], threads=threads)
        return Rolling(**made)


def _word(measure: str) -> str:
    return "ES" if measure.startswith("es_") else "VaR"


def _rules(returns: ReturnRule | Mapping[str, ReturnRule] | None) -> dict[str, Any] | None:
    if returns is None:
        return None
    if isinstance(returns, str) or set(returns) == {"displaced"}:
        return {"*": returns}
    return dict(returns)
