"""Crypto venues: portfolio and standard margin from one scenario engine, venues as presets.

Every class is a preset with named changes; :class:`Crypto` takes any preset and any document. What a venue prints
under its own names is in ``report.details["units"]``, and how sure each component is in ``report.details["grades"]``:
``verified`` against published numbers, ``published`` text or parameters, ``inferred`` by us, ``unverified``.

Requirements are on the basis of liquidating equity, like every report's. Spot treatment is a parameter: ``in_matrix``
(a position like any other), ``in_use`` (as much of it as hedges the delta of everything else, OKX's hedge mode;
inferred), ``upside_offset`` (its gain covers losses of upward scenarios; our construction, no venue's) or
``collateral_only`` (not in the scan).
"""

from margincore.methods.venues.base import Crypto
from margincore.methods.venues.bybit import Bybit
from margincore.methods.venues.deribit import Deribit
from margincore.methods.venues.derive import Derive
from margincore.methods.venues.okx import Okx
from margincore.methods.venues.paradex import Paradex
from margincore.methods.venues.presets import Aevo, BitCom, Dederi, Span16

__all__ = ["Aevo", "BitCom", "Bybit", "Crypto", "Dederi", "Deribit", "Derive", "Okx", "Paradex", "Span16"]
