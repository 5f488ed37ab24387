"""Our docstrings as the documentation site needs them: an extension of Griffe, which reads them for mkdocstrings.

A docstring is written for `help()`: roles such as ``:class:`X``` name other items, and examples stand between the
paragraphs. A page wants links and blocks of code instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`([^`]+)`")
NAMES = (griffe.AliasResolutionError, griffe.CyclicAliasError, KeyError)
"""What Griffe raises for a name that leads nowhere in the package."""


class Docstrings(griffe.Extension):
    """Turns roles into links, examples and tables into blocks of code; shows what classes of the engine take."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Called by Griffe once, with the whole package."""
        items = list(walk(pkg))
        for item in items:
            if isinstance(item, griffe.Module):
                expose(item)
            elif isinstance(item, griffe.Class):
                show_new(item)
        for item in items:
            if item.docstring is not None:
                linked = ROLE.sub(lambda role, at=item: link(role[1], at, pkg), item.docstring.value)  # type: ignore[misc]
                item.docstring.value = blocks(linked)


def walk(item: griffe.Object) -> Iterator[griffe.Object]:
    """An item of the package and all that is defined in it."""
    yield item
    for member in list(item.members.values()):
        if isinstance(member, griffe.Object):
            yield from walk(member)


def expose(package: griffe.Module) -> None:
    """`compare` of a package is the function of its module `compare`: Griffe takes it for the module."""
    for name in package.exports or ():
        module = package.members.get(str(name))
        if isinstance(module, griffe.Module) and package.imports.get(str(name)) == f"{module.path}.{name}":
            package.members[str(name)] = griffe.Alias(str(name), module.members[str(name)], parent=package)


def show_new(cls: griffe.Class) -> None:
    """What a class of the engine takes is written at `__new__`, and a page looks at `__init__`."""
    new = cls.members.get("__new__")
    if isinstance(new, griffe.Function) and "__init__" not in cls.members:
        cls.set_member("__init__", griffe.Function("__init__", parameters=griffe.Parameters(*new.parameters)))


def link(target: str, at: griffe.Object, package: griffe.Module) -> str:
    """A role's target as a reference to where it is defined; Python's own names in type alone.

    ``~margincore.x.y`` shows `y` only. A bare name is looked for from the item outwards, then in the package.
    """
    name = target.removeprefix("~")
    shown = name.rpartition(".")[2] if target.startswith("~") else name
    scopes: list[griffe.Object] = [package]
    if name.startswith("margincore."):
        name = name.removeprefix("margincore.")
    else:
        scope: griffe.Object | griffe.Alias | None = at
        outwards = []
        while isinstance(scope, griffe.Object):
            outwards.append(scope)
            scope = scope.parent
        scopes = [*outwards, package]
    for scope in scopes:
        try:
            found, path = scope[name], scope[name].canonical_path
            if found.is_module:  # some have no page: what they hold is written where it is public
                return f'<autoref identifier="{path}" optional><code>{shown}</code></autoref>'
            return f"[`{shown}`][{path}]"
        except NAMES:
            continue
    return f"`{shown}`"


def blocks(text: str) -> str:
    """Examples (from ``>>>``), tables and what follows ``::`` as blocks of code, to the next empty line."""
    lines: list[str] = []
    inside: str | None = None
    for line in re.sub(r"::$", ":", text, flags=re.MULTILINE).splitlines():
        begins = re.match(r"(\s*)(>>> |={3,} )", line)
        if inside is None and begins:
            inside = begins[1]
            if lines and lines[-1].strip():
                lines.append("")
            lines.append(f"{inside}```{'pycon' if begins[2] == '>>> ' else 'text'}")
        elif inside is not None and not line.strip():
            lines.append(f"{inside}```")
            inside = None
        lines.append(line)
    if inside is not None:
        lines.append(f"{inside}```")
    return "\n".join(lines)
