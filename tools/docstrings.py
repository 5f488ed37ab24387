"""Our docstrings as the documentation site needs them: an extension of Griffe, which reads them for mkdocstrings.

A docstring is written for `help()`: roles such as ``:class:`X``` name other items, and examples stand between the
paragraphs. A page wants links and blocks of code instead.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`([^`]+)`")
MEMBER_OF_OTHERS = re.compile(r"(?<![`\w:])`(\w+)`(?!`)")


class Docstrings(griffe.Extension):
    """Turns roles into links and examples into blocks of code."""

    def on_object(self, *, obj: griffe.Object, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Called by Griffe for each module, class, function and attribute, once all of a package is loaded."""
        if obj.docstring is not None:
            text = ROLE.sub(lambda role: link(role[1], obj), obj.docstring.value)
            obj.docstring.value = fenced(text)


def link(target: str, at: griffe.Object) -> str:
    """A role's target as a reference to where it is written, or in type alone where that is not in the package.

    ``~margincore.x.y`` shows `y` only; a bare name is looked for from the item outwards, then in the package.
    """
    shown = target.removeprefix("~").rpartition(".")[2] if target.startswith("~") else target
    name = target.removeprefix("~")
    scope: griffe.Object | griffe.Alias | None = at
    if name.startswith("margincore."):
        return f"[`{shown}`][{name}]"
    while scope is not None:
        first, _, rest = name.partition(".")
        if first in scope.members:
            found = f"{scope.members[first].path}.{rest}".rstrip(".")
            return f"[`{shown}`][{public(found)}]"
        scope = scope.parent
    return f"[`{shown}`][margincore.{name}]"


def public(path: str) -> str:
    """Where a reader finds it: what the engine defines is an attribute of the package."""
    return path.replace("margincore._core.", "margincore.").replace("margincore.errors.", "margincore.")


def fenced(text: str) -> str:
    """Examples, from ``>>>`` to the next empty line, as blocks of code; in a list they keep its indent."""
    lines: list[str] = []
    inside: str | None = None
    for line in text.splitlines():
        if inside is None and line.lstrip().startswith(">>> "):
            inside = line[: len(line) - len(line.lstrip())]
            if lines and lines[-1].strip():
                lines.append("")
            lines.append(f"{inside}```pycon")
        elif inside is not None and not line.strip():
            lines.append(f"{inside}```")
            inside = None
        lines.append(line)
    if inside is not None:
        lines.append(f"{inside}```")
    return "\n".join(lines)
