"""The parameters of one clearing organisation, as SPAN sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Point:
    """One scan point: multiples of the price and vol scan range, the weight, and the paired point (from 0)."""

    price: float
    vol: float
    weight: float
    paired: int


@dataclass
class Contract:
    """One contract of the file. `array`, `value` and `price_scan` are money for one long contract.

    `period` is where its delta goes: the month of the underlying future for an option on a future. `scale` is the
    family's link to the commodity, `delta_scale` the contract's delta scaling factor. `legs` names
    (contract id, signed ratio) for a combination.
    """

    id: str
    commodity: str
    kind: str
    period: str
    array: list[float]
    delta: float
    value: float = 0.0
    price_scan: float = 0.0
    right: str = ""
    premium_style: bool = True
    scale: float = 1.0
    delta_scale: float = 1.0
    currency: str = ""
    legs: list[tuple[str, float]] = field(default_factory=list)
    product: str = ""


@dataclass(frozen=True)
class Tier:
    """A range of periods, both ends included; an empty end is open. `rate` is the tier's SOM rate."""

    number: int
    start: str = ""
    end: str = ""
    rate: float | None = None

    def holds(self, period: str) -> bool:
        """Whether a period lies in the tier: both ends are prefixes, so 202506 holds 202506S0.

        >>> Tier(1, "202506", "202506").holds("202506S0")
        True
        """
        return (not self.start or period[: len(self.start)] >= self.start) and (
            not self.end or period[: len(self.end)] <= self.end
        )


@dataclass(frozen=True)
class Leg:
    """A leg of a spread: commodity, tier number (0: all of it) or one period, deltas per spread, side A or B."""

    commodity: str
    ratio: float
    side: str
    tier: int = 0
    period: str | None = None
    rate: float | None = None
    organisation: str = ""
    required: bool = True
    target: bool = False


@dataclass(frozen=True)
class PointRule:
    """How a scanning-based spread adds its legs at one point: SUM with a rate, or the MAX of n losses."""

    point: int
    maximum: bool = False
    rate: float = 0.0
    losses: int = 0


@dataclass(frozen=True)
class Spread:
    """A spread: charge method F flat, W weighted, P per month; `scanning` for method 04.

    `per_month` is (rate, per month, per spread) of method P. `unsupported` names what no public text explains:
    such a spread is an error as soon as it forms.
    """

    priority: int
    legs: tuple[Leg, ...]
    rate: float
    method: str = "W"
    scanning: bool = False
    target_required: bool = False
    minimum_legs: int = 2
    point_rules: tuple[PointRule, ...] = ()
    per_month: tuple[float, float, float] | None = None
    unsupported: str | None = None


@dataclass(frozen=True)
class SpotRate:
    """Delivery rates of one period: per delta used by spreads, and per delta left outright."""

    period: str
    spread: float
    outright: float


@dataclass(frozen=True)
class Combination:
    """How combinations are margined: S split, D delta split, M modified split."""

    method: str = "D"


@dataclass
class Commodity:
    """A combined commodity: all its tiers, spreads and rates. Money is times ten to `risk_exponent`."""

    code: str
    currency: str
    risk_exponent: int = 0
    cap_anov: bool = False
    wfpr: str = "NORMAL"
    som_method: str = "GROSS"
    combination: Combination = Combination()
    scan_tiers: list[Tier] = field(default_factory=list)
    intra_tiers: list[Tier] = field(default_factory=list)
    inter_tiers: list[Tier] = field(default_factory=list)
    som_tiers: list[Tier] = field(default_factory=list)
    spreads: list[Spread] = field(default_factory=list)
    spot_rates: list[SpotRate] = field(default_factory=list)
    basis_rate: float = 0.0
    basis_product: str = ""
    organisation: str = ""
    levels: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(initial, maintenance) factors by kind of account: member, hedger, speculator; 1 where left out."""


@dataclass(frozen=True)
class Options:
    """What the rulebook leaves open, with the documented defaults."""

    delta_rounding: str = "none"
    whole_spreads: bool = False
    anov: str = "file"
    delivery_counts_inter: bool = False
    delivery_months_in_inter: bool = True
    per_month: str = "refuse"
    account_kind: str = "speculator"
    level: tuple[float, float] | None = None


@dataclass
class Parameters:
    """A whole file: contracts by id, commodities by code, spreads between commodities, currency rates."""

    points: list[Point]
    contracts: dict[str, Contract]
    commodities: dict[str, Commodity]
    super_spreads: list[Spread] = field(default_factory=list)
    inter_spreads: list[Spread] = field(default_factory=list)
    exchange_spreads: list[Spread] = field(default_factory=list)
    rates: dict[tuple[str, str], float] = field(default_factory=dict)
    contract_scale: bool = False
    base_currency: str = ""

    def fx(self, source: str, target: str) -> float:
        """Units of `target` for one of `source`; KeyError where the file has no rate."""
        if source == target:
            return 1.0
        if (source, target) in self.rates:
            return self.rates[source, target]
        if (target, source) in self.rates:
            return 1.0 / self.rates[target, source]
        raise KeyError(f"no currency rate from {source} to {target}")

    def cross(self, source: str, target: str) -> float:
        """Units of `target` for one of `source`, by way of the base currency.

        >>> Parameters([], {}, {}, rates={("EUR", "USD"): 1.1, ("GBP", "USD"): 1.32}, base_currency="USD").cross(
        ...     "GBP", "EUR")
        1.2
        """
        if source == target or not self.base_currency:
            return self.fx(source, target)
        return self.fx(source, self.base_currency) / self.fx(target, self.base_currency)
