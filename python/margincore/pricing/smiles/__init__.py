"""Smiles: SVI, SSVI and SABR slices, fitted to a chain, checked for arbitrage, and read at a moved forward.

A slice is the smile of one expiry. It holds its `forward` and `years`, and ``slice.vol(strike)`` gives annual
fractions. :func:`fit_svi`, :func:`fit_ssvi` and :func:`fit_sabr` find one from strikes and vols, with SciPy (``pip
install "margincore[smiles]"``); everything else needs NumPy only. :func:`butterfly` and :func:`calendar` look for
arbitrage. :func:`moved_vol` says what vol a strike has once the forward has moved, and :func:`contract_vols` says so of
all options of a table, as :class:`margincore.Market` takes it.

>>> from margincore.pricing import smiles
>>> slice = smiles.Svi.from_jump_wings(0.04, -0.1, 0.6, 0.3, 0.035, years=0.5, forward=100.0)
>>> slice.vol([80.0, 100.0, 120.0]).round(4)
array([0.2442, 0.2   , 0.1871])
>>> smiles.butterfly(slice).free
True
"""

from __future__ import annotations

from margincore.pricing.smiles._slices import Slice
from margincore.pricing.smiles.arbitrage import Butterfly, Calendar, butterfly, calendar
from margincore.pricing.smiles.fitting import Fit, SurfaceFit, fit_sabr, fit_ssvi, fit_svi
from margincore.pricing.smiles.sabr import Sabr
from margincore.pricing.smiles.ssvi import Ssvi
from margincore.pricing.smiles.sticky import Rule, contract_vols, moved_vol
from margincore.pricing.smiles.svi import Svi

__all__ = [
    "Butterfly", "Calendar", "Fit", "Rule", "Sabr", "Slice", "Ssvi", "SurfaceFit", "Svi", "butterfly", "calendar",
    "contract_vols", "fit_sabr", "fit_ssvi", "fit_svi", "moved_vol",
]  # fmt: skip
