"""HTML that cannot be broken by what is in it: text is escaped, tags are made in one place."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

__all__ = ["Markup", "joined", "tag"]


class Markup(str):
    """Text that is HTML already; everything else is escaped where it becomes part of a page."""

    __slots__ = ()


Child = str | Markup | Iterable["Child"] | None

_VOID = frozenset({"br", "col", "meta"})


def joined(children: Child) -> Markup:
    """Children one after another, text escaped.

    >>> joined(["<b>", tag("b", "bold")])
    '&lt;b&gt;<b>bold</b>'
    """
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return Markup(escape(children, quote=False))
    return Markup("".join(joined(child) for child in children))


def tag(name: str, /, *children: Child, **attributes: str | int | None) -> Markup:
    """One element. Underscores of attribute names are hyphens, one at the end is dropped; `None` leaves one out.

    >>> tag("td", "a < b", class_="n", aria_label='"x"')
    '<td class="n" aria-label="&quot;x&quot;">a &lt; b</td>'
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{said}>" if name in _VOID else f"<{name}{said}>{joined(children)}</{name}>")
