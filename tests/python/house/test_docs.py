"""Every public class, member and function of the engine explains itself to `help()`."""

import inspect
from collections.abc import Iterator

from margincore import _core


def documented() -> Iterator[tuple[str, object]]:
    """Public names of the engine and what they stand for; a class with the members it defines itself."""
    for name, item in vars(_core).items():
        if name.startswith("_"):
            continue
        yield name, item
        if inspect.isclass(item):
            for member, value in vars(item).items():
                if not (member.startswith("__") and member.endswith("__")):
                    # A static method's own docstring is that of `staticmethod`.
                    yield f"{name}.{member}", value.__func__ if isinstance(value, staticmethod) else value


def test_every_public_name_has_a_docstring() -> None:
    names = dict(documented())
    assert {"Market", "Market.spot", "Requirement.initial", "SpanFile.parse", "rulebooks"} < set(names)
    assert [name for name, item in names.items() if not (item.__doc__ or "").strip()] == []
