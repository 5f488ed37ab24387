"""Margin from one JSON-able document: what the command line, services and clusters exchange.

A document says what is held, the market, and the rulebook (or several, to compare)::

    {
      "account": {"positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"},
                                 "quantity": 100},
                                {"symbol": "SPXW  261218C04700000", "quantity": -1}],
                  "cash": {"USD": 50000}},
      "market": {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"XYZ": 50.0}},
      "methodology": {"name": "tims", "preset": "occ-cpm"}
    }

A contract is written with the terms of :class:`margincore.Contract`, or as an option symbol of the product table,
which ``"products": {"equities": [...], "rows": [...]}`` extends. What symbols are, funds above all, is in the table of
securities: ``"securities": {"rows": [...]}`` puts rows of :class:`margincore.Securities` in place of those that the
shipped table has of their symbols (``"shipped": false``: in place of the whole table), for every rulebook of the
document that asks for them. The market's ``price`` and ``vol`` are by contract id or by option symbol, in any
spelling. ``"contracts"`` adds contracts that options are written on. ``"methodologies"`` in place of ``"methodology"``
compares rulebooks. ``"version"`` is that of the format, the present one where it is left out; answers say theirs, and a
version this build does not read raises :class:`margincore.ParseError`. Unknown keys are refused. The JSON Schema is
:func:`schema`.
"""

from __future__ import annotations

from margincore.documents.parts import account_from_document, products_from_document, quotes_by_id
from margincore.documents.rulebooks import methodology_from_document
from margincore.documents.statements import statement_from_document
from margincore.documents.whole import Read, evaluate, read_document, recipe_from_document, schema

__all__ = [
    "Read",
    "account_from_document",
    "evaluate",
    "methodology_from_document",
    "products_from_document",
    "quotes_by_id",
    "read_document",
    "recipe_from_document",
    "schema",
    "statement_from_document",
]
