"""SPAN in pure Python: risk arrays from parameters, and the whole requirement with every intermediate.

`model` holds the parameters as dataclasses, `spn` reads an exchange's `.spn` file into them (with the standard
library's XML parser), `document` reads the parameters that `Span.from_document` takes, `arrays` makes risk arrays and
composite deltas, `requirement` margins a portfolio in the steps of `state` and `spreads`.
Losses are positive, for one long contract; money is in the combined commodity's currency.
"""

from .arrays import STANDARD_DELTA_POINTS, STANDARD_POINTS, composite_delta, future_array, option_array, option_value
from .document import from_document
from .model import (
    Combination,
    Commodity,
    Contract,
    Leg,
    Options,
    Parameters,
    Point,
    PointRule,
    SpotRate,
    Spread,
    Tier,
)
from .requirement import Result, margin, margin_gross
from .spn import read_spn
from .state import CommodityResult, price_risk, wfpr

__all__ = [
    "STANDARD_DELTA_POINTS",
    "STANDARD_POINTS",
    "Combination",
    "Commodity",
    "CommodityResult",
    "Contract",
    "Leg",
    "Options",
    "Parameters",
    "Point",
    "PointRule",
    "Result",
    "SpotRate",
    "Spread",
    "Tier",
    "composite_delta",
    "from_document",
    "future_array",
    "margin",
    "margin_gross",
    "option_array",
    "option_value",
    "price_risk",
    "read_spn",
    "wfpr",
]
