"""A house's rules over any rulebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from margincore import _core
from margincore._core import InvalidInput, NotApplicable, Securities
from margincore._pickles import reduced
from margincore.methods.base import Rulebook, refuse_not_finite, stated

__all__ = ["House", "described"]


class House(_core.Methodology):
    """What a broker asks above a rulebook, in lines of its own: the rulebook's lines stay as they are.

    `methodology` is the rulebook, `rules` a shipped house by name or a mapping; `name`, `source` and `date` say whose
    rules a mapping holds, from which text and of which day (a :class:`datetime.date` or ISO text). Rates are fractions,
    money is in `currency`. ``docs/rulebooks/house.md`` has the arithmetic, ``margincore.reference.house`` does it again
    slowly.

    Of every position a house asks the largest amount that any of its rules does; these, added up over the positions
    that the rulebook margins together, are a floor under the rulebook's lines for them. What is missing is a line
    named after the rule, in this order:

    - `percentages` of stock and funds: ``{"name", "of", "long", "short", "priced_from", "priced_below"}``, `long` and
      `short` being ``{"maintenance", "initial", "per_share"}``: a fraction of market value or so much a share,
      whichever is more. `initial` is at least `maintenance`.
    - `concentration`: ``{"name", "of", "share_of", "long", "short"}``: tiers ``{"from", "maintenance", "initial"}`` by
      the share that the stock and funds on one underlying are (from that share on) of `share_of`: ``"named"``, the
      market values, long and short, of what the rule is about; ``"securities"``, of all stock and funds; ``"gross"``,
      of options at their marks too; ``{"equity": amount}``, of an equity that is given. Money in the account does not
      count.
    - `contracts`: ``{"name", "of", "long", "short"}``: so much an option contract, at least.
    - `stricter`: ``{"name", "parameters"}``: the rulebook itself with these parameters changed, for what depends on
      pairing or on scenarios: percentages of what options are on, ranges. One rule; the rulebook is built from a
      document.

    `of` is ``{"symbols", "classes", "leverage"}``, all that are given at once; nothing is everything. Classes are
    words for what the table of securities says: ``"stock"``, ``"etf"``, ``"etn"``, ``"index"``, ``"future"`` (any of
    these kinds) or ``"equity"``, ``"narrow"``, ``"broad"``, ``"commodity"``, ``"currency"``, ``"rate"``,
    ``"volatility"``. A symbol that is in no table is refused (``unknown_symbols="skip"`` among the rules takes it).

    Under Reg T lines of stock are compared with what is asked of stock, and lines of options with what is asked of
    options, underlying by underlying; under TIMS a portfolio group is compared as a whole; rulebooks whose lines are
    not about certain contracts (VaR, crypto, SPAN) per account. Percentages know no hedges: a floor is one. Extra scan
    points of TIMS are ``Tims(overlays=...)``. Gross accounts are taken where the rulebook takes them; intraday margin
    levels (FINRA 4210(d)(2)) are :class:`NotApplicable`.

    Raises :class:`InvalidInput` for a negative rate, a percentage written for a fraction, an unknown word or symbol,
    :class:`MissingData` for rules without name, source and date, for a price that a rule needs, and for a class that
    decides and nobody states.

    >>> import margincore as mc
    >>> rules = {"percentages": [{"name": "40 % of XYZ", "of": {"symbols": ["XYZ"]}, "long": {"maintenance": 0.4}}]}
    >>> house = mc.methods.House(mc.methods.RegT(), rules, name="Our desk", source="risk memo 7", date="2026-11-20")
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> report = mc.margin([mc.Position(stock, 100)], market, house)
    >>> [(line.component, line.initial, line.maintenance) for line in report.lines]
    [('stock', 2500.0, 1250.0), ('40 % of XYZ', 0.0, 750.0)]
    >>> report.parameters["name"], report.adds_up()
    ('reg-t + Our desk', True)
    """

    __slots__ = ("_base", "_rules", "_whence")
    _pickle_version: ClassVar[int] = 1
    _base: _core.Methodology
    _rules: dict[str, Any]
    _whence: dict[str, str]

    def __new__(
        cls,
        methodology: _core.Methodology,
        rules: Mapping[str, Any] | str,
        *,
        name: str | None = None,
        source: str | None = None,
        date: dt.date | str | None = None,
        securities: Securities | None = None,
    ) -> Self:
        if not isinstance(methodology, _core.Methodology):
            kind = type(methodology).__name__
            raise InvalidInput(
                f"House: a rulebook is needed, House(RegT(), rules, ...), not {kind}",
                code="wrong_type",
                where="methodology",
            )
        if isinstance(rules, str):
            own: dict[str, Any] = {"preset": rules}
        elif isinstance(rules, Mapping):
            own = dict(rules)
        else:
            kind = type(rules).__name__
            raise InvalidInput(
                f"House: rules: a mapping or the name of a shipped house is needed, not {kind}",
                code="wrong_type",
                where="rules",
            )
        refuse_not_finite("house", own)
        table = stated(securities)
        if table is not None:
            own["securities"] = table
        day = date.isoformat() if isinstance(date, dt.date) else date
        given = {"title": name, "date": day, "source": source}
        whence = {key: value for key, value in given.items() if value is not None}
        return cls._made(methodology, own, whence)

    @classmethod
    def _made(cls, base: _core.Methodology, rules: dict[str, Any], whence: dict[str, str]) -> Self:
        self = super().__new__(cls, "house", _document(base, rules, whence), None, None, None, base)
        self._base, self._rules, self._whence = base, rules, whence
        return self

    @property
    def base(self) -> _core.Methodology:
        """The rulebook that the rules are over."""
        return self._base

    def to_dict(self) -> dict[str, Any]:
        """What it was built from, ``{"name": "house", "base": {...}, ...rules}`` as documents have it; a new one.

        Raises :class:`NotApplicable` where the rulebook under it is not built from a document.
        """
        if not isinstance(self._base, Rulebook | House):
            raise NotApplicable(f"{self._base.name}: no document says what it is, nor a house over it")
        return {"name": "house", **_document(self._base, self._rules, self._whence)}

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self, {"base": self._base, "rules": self._rules, "whence": self._whence})

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        return cls._made(**state)


def _document(base: _core.Methodology, rules: dict[str, Any], whence: dict[str, str]) -> dict[str, Any]:
    """The document of a house; without the rulebook under it where no document says what that is."""
    own = {**rules, **whence}
    return {**own, "base": base.to_dict()} if isinstance(base, Rulebook | House) else own


def described(methodology: _core.Methodology) -> dict[str, Any] | None:
    """The document of a rulebook, of a house the one of the rulebook under it; `None` where there is none.

    >>> from margincore import methods
    >>> rules = {"contracts": [{"name": "100 a contract", "short": 100.0}]}
    >>> described(methods.House(methods.Tims(), rules, name="a", source="b", date="2026-11-20"))
    {'name': 'tims', 'preset': 'occ-cpm'}
    """
    while isinstance(methodology, House):
        methodology = methodology.base
    if not isinstance(methodology, Rulebook):
        return None
    document = methodology.to_dict()
    while document["name"] == "house":
        document = document["base"]
    return document
