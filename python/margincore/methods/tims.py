"""OCC TIMS: customer portfolio margin."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from margincore import _core
from margincore._core import Securities
from margincore.methods.base import Rulebook, stated

__all__ = ["Tims"]

_StrPath = str | os.PathLike[str]


class Tims(Rulebook):
    """OCC's Theoretical Intermarket Margin System for customer portfolio margin (FINRA 4210(g), Cboe 10.4).

    The price of each underlying moves over ten points; volatility and time do not. Profits and losses net in full
    within a class group, for `offset` of the gain between the class groups of a product group and the product
    groups of a portfolio group, and not at all otherwise. Funds on one index are one class group with it, leveraged
    and inverse ones by their factor. A stock that no table names is a group of its own with the default range; a fund
    that none names is :class:`MissingData`. Initial and maintenance requirements are equal.

    Presets: ``"occ-cpm"`` (customers), ``"occ-rbh-market-maker"`` and ``"occ-rbh-broker-dealer"`` (risk-based haircuts:
    other ranges, $25 a contract), ``"occ-files"`` (no products: see :meth:`from_occ_files`).

    Every parameter of the preset may be changed by name; mappings are merged key by key:

    - `grid`: ``"fifths"`` of each side (default) or ``"even"``: eleven even points without the middle.
    - `vol`: ``"sticky_strike"`` (default) or ``"sticky_moneyness"``. Published OCC values agree with the first;
      the wording of OCC's present page allows the second.
    - `american`: how American options are priced: ``"collocation"`` of the exercise boundary (default; relative error
      1e-4 at most; with cash dividends before expiry, escrowed, trinomial lattices, 3e-3 at most) or ``"tree"``:
      Cox-Ross-Rubinstein with `steps` steps, the method OCC says its own is derived from. Trees converge to the
      collocation's price; 400 steps are some 0.1 % from it for prices that matter, and the published OCC values agree
      with both. A mark is always repriced by what implied its vol.
    - `no_vol`: an option whose mark no volatility reprices is refused (``"refuse"``, default), or takes the
      volatility of the other right at its strike, else of the nearest strike of its expiry, else `vol_floor`
      (``"borrow"``); ``details["borrowed_vols"]`` names those held.
    - `vol_floor`: see `no_vol`; an annual fraction. Without it an option that can borrow nothing is `MissingData`.
    - `base`: profit and loss measured from the ``"theoretical"`` value (default) or the ``"mark"``.
    - `minimum_level`: where per-contract minimums bind; the published text leaves it open. At every level the sum of
      the minimums is a floor under the largest loss, not an addition to it. ``"class_group"`` (default): each class
      group's minimums against its own largest loss, alone; what they exceed it by is added to the portfolio group's
      loss. ``"product_group"``: the same for product groups, after offsets. ``"portfolio_group"``: the sum of all
      minimums against the portfolio group's loss after offsets.
    - `minimum_rate`: times the multiplier of the price, per option or future contract (0.375 is $37.50 where that is
      100, whatever an adjusted option delivers).
    - `securities`: the table that says what symbols are, :class:`margincore.Securities` (default: the shipped one).
    - `default_range` (equities and narrow indexes), `broad_range` (broad-based indexes without a range of their own),
      `class_groups`, `product_groups`, `portfolio_groups`: ranges (fractions; `down` is negative), memberships and
      offsets.
    - `products`: terms of symbols in place of the table's: ``{"class_group", "factor", "minimum", "eligible"}``.
    - `ineligible`: what becomes of securities that may not be portfolio margined, such as exchange-traded notes since
      16 August 2019 (FINRA Regulatory Notice 19-21), and of options on them: ``"refuse"`` (default) raises
      :class:`NotApplicable`; ``"full"`` margins each contract alone, at a move of all of its value up and down;
      ``"strategy"`` is :class:`Unsupported` here: margin them by :class:`RegT` as a part of :class:`Combined`.
    - `unranged`: more class groups whose range no public text gives. They, and those of volatility, currencies and
      bonds, are :class:`MissingData` without one in `class_groups`, not the default's.
    - `theoretical`: OCC's ten values by contract id, ``{"profit": [...], "price": closing price}``, used instead
      of repricing. Profits are for one long contract, in money.
    - `overlays`: a house's stress on top, as lines of its own: ``{"name", "points": [{"price", "vol",
      "vol_move"}], "range", "ranges", "floor_per_short_option"}``.
    - `steps`: of the Cox-Ross-Rubinstein tree, with ``american="tree"``.

    Of an adjusted option the shares move, the cash it delivers does not. Options that deliver several securities (or
    cash alone) and have no `theoretical` values are :class:`Unsupported`, and so are stock baskets that offset index
    options. Raises :class:`InvalidInput` for unknown keys or values out of range.

    >>> import margincore as mc
    >>> put = mc.Option("XYZ", "put", 50, expiry="2026-12-18", settles="pm", exercise="american",
    ...                 multiplier=100, currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 100.0}, vol={put.id: 0.3}, rate={"USD": 0.05})
    >>> report = mc.margin([mc.Position(put, -10)], market, mc.methods.Tims())
    >>> round(report.requirement.initial, 2)        # far out of the money: ten contracts at $37.50
    375.0
    >>> report.details["class_groups"]["XYZ"]["binding"]
    'minimum'
    """

    __slots__ = ()

    def __new__(
        cls,
        preset: str = "occ-cpm",
        *,
        securities: Securities | None = None,
        ineligible: Literal["refuse", "strategy", "full"] | None = None,
        grid: Literal["fifths", "even"] | None = None,
        vol: Literal["sticky_strike", "sticky_moneyness"] | None = None,
        american: Literal["collocation", "tree"] | None = None,
        no_vol: Literal["refuse", "borrow"] | None = None,
        vol_floor: float | None = None,
        base: Literal["theoretical", "mark"] | None = None,
        minimum_level: Literal["class_group", "product_group", "portfolio_group"] | None = None,
        minimum_rate: float | None = None,
        default_range: Mapping[str, float] | None = None,
        broad_range: Mapping[str, float] | None = None,
        products: Mapping[str, Mapping[str, Any]] | None = None,
        class_groups: Mapping[str, Mapping[str, Any]] | None = None,
        product_groups: Mapping[str, Mapping[str, Any]] | None = None,
        portfolio_groups: Mapping[str, Mapping[str, Any]] | None = None,
        unranged: Sequence[str] | None = None,
        theoretical: Mapping[str, Mapping[str, Any]] | None = None,
        overlays: Sequence[Mapping[str, Any]] | None = None,
        steps: int | None = None,
        currency: str | None = None,
    ) -> Self:
        changes = {
            "securities": stated(securities),
            "ineligible": ineligible,
            "grid": grid,
            "vol": vol,
            "american": american,
            "no_vol": no_vol,
            "vol_floor": vol_floor,
            "base": base,
            "minimum_level": minimum_level,
            "minimum_rate": minimum_rate,
            "default_range": default_range,
            "broad_range": broad_range,
            "products": products,
            "class_groups": class_groups,
            "product_groups": product_groups,
            "portfolio_groups": portfolio_groups,
            "unranged": unranged,
            "theoretical": theoretical,
            "overlays": overlays,
            "steps": steps,
            "currency": currency,
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return super().__new__(cls, "tims", {"preset": preset, **given})

    @classmethod
    def from_occ_files(
        cls, *, included_products: _StrPath, product_groups: _StrPath, portfolio_groups: _StrPath, **changes: Any
    ) -> Self:
        """TIMS with OCC's own groups, ranges, offsets and minimums.

        The arguments are the paths of the CSV reports `RBHCPMIncludedProductsReport`,
        `RBHCPMProductGroupsReport` and `RBHCPMPortfolioGroupsReport`, downloaded from OCC; `changes` are parameters
        of :class:`Tims`. The reports' layout follows a public consumer of the files and is not verified against a
        sample. Raises :class:`ParseError` with file and line.
        """
        files = {
            "included_products": os.fspath(included_products),
            "product_groups": os.fspath(product_groups),
            "portfolio_groups": os.fspath(portfolio_groups),
        }
        document = _core.read_parameters("tims", files)
        return cls(preset="occ-files", **{**document, **changes})
