"""What a property hands out: plain values that refuse to be changed, because a change would change nothing else."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["ReadOnlyDict", "ReadOnlyList"]


def _refuse(self: object, *args: object, **named: object) -> NoReturn:
    kind = "dict" if isinstance(self, dict) else "list"
    raise TypeError(f"this is read-only: writing to it would change nothing else; {kind}(...) makes one to change")


class ReadOnlyDict(dict[str, Any]):
    """A dictionary that cannot be changed. Equal to one, prints as one, and goes wherever one goes (JSON, ``**``).

    ``dict(...)`` and :meth:`copy` make one that can be changed.

    >>> spot = ReadOnlyDict({"SPX": 4500.0})
    >>> spot == {"SPX": 4500.0}, spot | {"SPX": 5000.0}
    (True, {'SPX': 5000.0})
    >>> spot["SPX"] = 5000.0
    Traceback (most recent call last):
        ...
    TypeError: this is read-only: writing to it would change nothing else; dict(...) makes one to change
    """

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class ReadOnlyList(list[Any]):
    """A list within such a dictionary: equal to a list, and cannot be changed. ``list(...)`` makes one that can."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self),)
