"""Modules that a package has as attributes, imported when first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType


def on_first_use(package: str, modules: Mapping[str, str]) -> Callable[[str], ModuleType]:
    """The `__getattr__` of a package whose attributes `modules` names.

    A package hides it from type checkers, which would let any misspelt name pass, and imports the modules for them.
    """

    def load(name: str) -> ModuleType:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(modules[name])
        setattr(sys.modules[package], name, module)
        return module

    return load
