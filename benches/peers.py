"""Peers that cannot live beside us: timed by another interpreter, on the same inputs, on one thread.

``MARGINCORE_PEER_PYTHON`` names a Python whose environment has them. py_vollib_vectorized 0.1.1 works only with
``numba==0.60.0 "numpy<2.1" py_vollib==1.0.1 py_lets_be_rational==1.0.1 "setuptools<80" pandas scipy``; that numba also
finds Intel's short vector math library where ``intel-cmplr-lib-rt`` is installed, which no newer wheel does. pyvolr,
fast-vollib and torch run there too; one that cannot be imported is named as missing. Inputs go over as an ``.npz``,
results and the median time come back as one; results are checked before times are used. Times are not interleaved with
ours: the other process runs after, on the same machine.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.measure import Row, check_equal, missing

VARIABLE = "MARGINCORE_PEER_PYTHON"
PRICES = ("numba with SVML", "torch compiled", "fast-vollib", "pyvolr", "py_vollib_vectorized")
VOLS = ("fast-vollib", "pyvolr", "py_vollib_vectorized")
Floats = NDArray[np.float64]

SCRIPT = r"""
import math, sys, time
import numpy as np

given = dict(np.load(sys.argv[1]))
s, k, t, r, q, v = (given[n] for n in ("spot", "strike", "years", "rate", "dividend_yield", "vol"))
right = given["right"].astype(float)
flags = np.where(right > 0, "c", "p")


def median(call):
    call()
    start = time.perf_counter()
    call()
    loops = max(1, int(0.05 / max(time.perf_counter() - start, 1e-9)))
    times = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(loops):
            call()
        times.append((time.perf_counter() - start) / loops)
    return float(np.median(times))


def numba_svml(what):
    import numba

    @numba.njit(fastmath=True, error_model="numpy")
    def price(s, k, t, r, q, v, a, out):
        for i in range(len(s)):
            deviation = v[i] * math.sqrt(t[i])
            d1 = (math.log(s[i] / k[i]) + (r[i] - q[i]) * t[i]) / deviation + 0.5 * deviation
            owned = s[i] * math.exp(-q[i] * t[i]) * 0.5 * math.erfc(-a[i] * d1 * math.sqrt(0.5))
            paid = k[i] * math.exp(-r[i] * t[i]) * 0.5 * math.erfc(-a[i] * (d1 - deviation) * math.sqrt(0.5))
            out[i] = a[i] * (owned - paid)

    if what != "price":
        raise LookupError("prices only")
    out = np.empty(len(s))
    call = lambda: price(s, k, t, r, q, v, right, out)
    call()
    if "_svml_" not in "".join(price.inspect_asm().values()):
        raise LookupError("numba does not find SVML: put intel-cmplr-lib-rt's lib folder on LD_LIBRARY_PATH")
    return call, lambda: out


def vollib(what):
    import py_vollib_vectorized as peer

    if what == "price":
        call = lambda: peer.vectorized_black_scholes_merton(flags, s, k, t, r, v, q, return_as="numpy")
    else:
        call = lambda: peer.vectorized_implied_volatility(
            given["price"], s, k, t, r, flags, q, model="black_scholes_merton", return_as="numpy"
        )
    return call, call


def pyvolr(what):
    from pyvolr import bs

    if what == "price":
        call = lambda: bs.price(flags, s, k, t, r, v, q)
    else:
        call = lambda: bs.implied_vol(given["price"], flags, s, k, t, r, q)
    return call, call


def fast_vollib(what):
    import fast_vollib as peer

    if what == "price":
        call = lambda: peer.fast_black_scholes_merton(flags, s, k, t, r, v, q, return_as="numpy")
    else:
        call = lambda: peer.fast_implied_volatility(
            given["price"], s, k, t, r, flags, q, model="black_scholes_merton", return_as="numpy"
        )
    return call, call


def torch_compiled(what):
    import torch

    if what != "price":
        raise LookupError("prices only")
    torch.set_num_threads(1)

    def price(s, k, t, r, q, v, a):
        deviation = v * torch.sqrt(t)
        d1 = (torch.log(s / k) + (r - q) * t) / deviation + 0.5 * deviation
        owned = s * torch.exp(-q * t) * torch.special.ndtr(a * d1)
        return a * (owned - k * torch.exp(-r * t) * torch.special.ndtr(a * (d1 - deviation)))

    columns = [torch.from_numpy(np.array(c)) for c in (s, k, t, r, q, v, right)]
    compiled = torch.compile(price)
    call = lambda: compiled(*columns)
    return call, lambda: call().numpy()


peers = {
    "numba with SVML": numba_svml,
    "py_vollib_vectorized": vollib,
    "pyvolr": pyvolr,
    "fast-vollib": fast_vollib,
    "torch compiled": torch_compiled,
}
call, values = peers[sys.argv[2]](sys.argv[3])
np.savez(sys.argv[4], seconds=median(call), values=np.asarray(values(), float).reshape(-1))
"""


def _environment(python: str) -> dict[str, str]:
    """One thread, and the environment's own libraries, Intel's among them, where the loader looks."""
    libraries = str(Path(python).absolute().parent.parent / "lib")
    known = os.environ.get("LD_LIBRARY_PATH")
    one_thread = dict.fromkeys(("RAYON_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    return {**os.environ, **one_thread, "LD_LIBRARY_PATH": libraries if not known else f"{libraries}:{known}"}


def rows(
    bench: str, what: str, ours: Floats, ours_ns: float | None, inputs: dict[str, Any], names: tuple[str, ...]
) -> Iterator[Row]:
    """A row per peer beside the time of ours; `what` is ``"price"`` or ``"vol"``."""
    python = os.environ.get(VARIABLE)
    n = len(ours)
    for name in names:
        if not python:
            yield missing(bench, name, f"set {VARIABLE} to a Python that has it", n=n)
            continue
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
            np.savez(given, **inputs)
            command = [python, "-c", SCRIPT, str(given), name, what, str(found)]
            run = subprocess.run(command, env=_environment(python), capture_output=True, text=True, check=False)
            if run.returncode != 0:
                reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
                yield missing(bench, name, reason, n=n)
                continue
            with np.load(found) as result:
                try:
                    check_equal(bench, ours, result["values"], rel=1e-6, abs_=1e-9)
                except AssertionError as error:
                    yield missing(bench, name, str(error), n=n)
                    continue
                yield Row(bench, ours_ns, f"{name} (own process)", float(result["seconds"]) * 1e9 / n, n)
