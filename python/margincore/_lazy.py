"""Modules, and names in them, that a package has as attributes, imported when first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def on_first_use(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose attributes `modules` names; ``module:name`` is a name in a module.

    A package hides it from type checkers, which would let any misspelt name pass, and imports the modules for them.
    """

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        path, _, attribute = modules[name].partition(":")
        found = import_module(path)
        if attribute:
            found = getattr(found, attribute)
        setattr(sys.modules[package], name, found)
        return found

    return load
