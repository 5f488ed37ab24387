"""A stress: moves of prices, volatilities, interest and exchange rates, by underlying, by class and for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis import given

__all__ = ["Move", "Stress"]


@dataclass(frozen=True, slots=True)
class Move(Record):
    """What happens to an underlying; ``None`` leaves a part to the next wider level, and at last unmoved.

    - `price`: a fraction of its price: -0.2 is 20 % down. `points`: an amount in its quote instead, after which a price
      may be negative.
    - `vol`: a fraction of the volatility of its options: 0.5 is half as much again.
    """

    price: float | None = None
    points: float | None = None
    vol: float | None = None

    def __post_init__(self) -> None:
        if self.price is not None and self.points is not None:
            given.refuse("price", self.price, "a move is a fraction or points, not both", "contradiction")
        if self.price is not None:
            given.number("price", self.price, above=-1.0)
        if self.points is not None:
            given.number("points", self.points)
        if self.vol is not None:
            given.number("vol", self.vol, above=-1.0)

    @classmethod
    def of(cls, what: str, said: Any) -> Self:
        """A move from a mapping, or from a number: a fraction of the price."""
        if isinstance(said, cls):
            return said
        if not isinstance(said, Mapping):
            return cls(price=given.number(what, said, above=-1.0))
        known = [field.name for field in fields(cls)]
        for name in said:
            given.name(f"{what}: part", name, known)
        try:
            return cls(**said)
        except InvalidInput as error:
            error.named(what)
            raise

    def over(self, wider: Move) -> Move:
        """This move, with what it leaves open from a wider level. A price stated either way closes both."""
        own = self.price is not None or self.points is not None
        price, points = (self.price, self.points) if own else (wider.price, wider.points)
        return Move(price, points, wider.vol if self.vol is None else self.vol)

    def words(self) -> dict[str, float]:
        """What it states, as a mapping."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}


@dataclass(frozen=True, slots=True)
class Stress(Record):
    """A named stress, with its levels: the nearest one that says something wins, part by part.

    - `all`: every underlying. `classes`: by class, as the user names underlyings' classes. `underlyings`: by symbol.
    - `rates`: what is added to interest rates, by currency or ``"*"`` for the rest: 0.01 is a hundred basis points.
    - `fx`: fractions by pair: ``{"EUR/CHF": -0.144}`` is fewer francs for a euro. The same pair the other way round
      moves too; pairs that are not named stay.
    - `days`: how much later it is. `date` and `source` say where its numbers are from.

    >>> import margincore as mc
    >>> crash = mc.stress.Stress("crash", all={"price": -0.2, "vol": 0.5}, classes={"bond": {"price": 0.01}},
    ...                          underlyings={"XYZ": -0.35})
    >>> crash.move("XYZ").words(), crash.move("ZN", "bond").words(), crash.move("ABC").words()
    ({'price': -0.35, 'vol': 0.5}, {'price': 0.01, 'vol': 0.5}, {'price': -0.2, 'vol': 0.5})
    """

    name: str
    all: Move = field(default_factory=Move)
    classes: Mapping[str, Move] = field(default_factory=dict)
    underlyings: Mapping[str, Move] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    fx: Mapping[str, float] = field(default_factory=dict)
    days: float = 0.0
    date: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        where = f"stress '{given.text('name', self.name)}'"
        put = object.__setattr__
        put(self, "all", Move.of(f"{where}: all", self.all))
        for level in ("classes", "underlyings"):
            own = getattr(self, level)
            if not isinstance(own, Mapping):
                given.refuse(f"{where}: {level}", own, "a mapping of moves by name is needed", "wrong_type")
            put(self, level, {str(key): Move.of(f"{where}: {level}: {key}", said) for key, said in own.items()})
        put(self, "rates", given.numbers(f"{where}: rates", self.rates))
        put(self, "fx", given.numbers(f"{where}: fx", self.fx))
        for pair, move in self.fx.items():
            if len(_pair(pair)) != 2:
                given.refuse(f"{where}: fx", pair, "a pair such as 'EUR/CHF' is needed", "bad_format")
            given.number(f"{where}: fx[{pair!r}]", move, above=-1.0)
        put(self, "days", given.number(f"{where}: days", self.days, 0.0))
        for text in ("date", "source"):
            given.text(f"{where}: {text}", getattr(self, text))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """A stress from plain values, as :meth:`to_dict` writes them and a JSON file holds them.

        Raises :class:`InvalidInput` for a part it does not know, and a move that is none.
        """
        if not isinstance(document, Mapping):
            given.refuse("stress", document, "a mapping is needed", "wrong_type")
        for name in document:
            given.name("stress: part", name, [f.name for f in fields(cls)])
        if "name" not in document:
            given.refuse("stress: name", None, "a stress has a name", "missing_parameter")
        return cls(**document)

    def to_dict(self) -> dict[str, Any]:
        """What it states, as plain values."""
        out: dict[str, Any] = {"name": self.name}
        if self.all.words():
            out["all"] = self.all.words()
        for level in ("classes", "underlyings"):
            own = {key: move.words() for key, move in getattr(self, level).items()}
            if own:
                out[level] = own
        for part in ("rates", "fx"):
            if getattr(self, part):
                out[part] = dict(getattr(self, part))
        for part in ("days", "date", "source"):
            if getattr(self, part):
                out[part] = getattr(self, part)
        return out

    def move(self, symbol: str, of_class: str | None = None) -> Move:
        """What happens to an underlying: its own move, over that of its class, over that of all."""
        wider = self.all if of_class is None else self.classes.get(of_class, Move()).over(self.all)
        return self.underlyings.get(symbol, Move()).over(wider)

    def rate(self, currency: str) -> float:
        """What is added to a currency's interest rates."""
        return self.rates.get(currency, self.rates.get("*", 0.0))

    def exchange(self, pair: str) -> float:
        """What an exchange rate is multiplied with, the pair written either way round."""
        own = _pair(pair)
        for name, move in self.fx.items():
            if _pair(name) == own:
                return 1.0 + move
            if _pair(name) == own[::-1]:
                return 1.0 / (1.0 + move)
        return 1.0


def _pair(name: str) -> list[str]:
    """The two currencies of a pair: ``EUR/CHF``, or six letters."""
    return name.split("/") if "/" in name else [name[:3], name[3:]] if len(name) == 6 else [name]
