"""Positions files of brokers, clearing houses and venues, recognised by their columns.

:func:`read_positions` reads one, :func:`read_positions_by_account` one of several accounts; :func:`position_formats`
lists what is known.
"""

from margincore.importers.brokers.quotes import Quotes, quotes_template, read_quotes
from margincore.importers.brokers.reading import read_positions, read_positions_by_account
from margincore.importers.brokers.record import PositionsFile, Refusal
from margincore.importers.brokers.registry import FORMATS

__all__ = [
    "PositionsFile",
    "Quotes",
    "Refusal",
    "position_formats",
    "quotes_template",
    "read_positions",
    "read_positions_by_account",
    "read_quotes",
]


def position_formats() -> dict[str, str]:
    """The formats that :func:`read_positions` knows, by name: what they are.

    >>> position_formats()["fidelity"]
    'Fidelity portfolio positions (CSV)'
    """
    return {name: form.title for name, form in FORMATS.items()}
