"""Peers that cannot live beside us: timed by another interpreter, on the same inputs, on one thread.

``MARGINCORE_PEER_PYTHON`` names a Python whose environment has them, or several, separated as in ``PATH``: the first
that runs a peer is the one whose time counts. py_vollib_vectorized 0.1.1 works only with ``numba==0.60.0 "numpy<2.1"
py_vollib==1.0.1 py_lets_be_rational==1.0.1 "setuptools<80" pandas scipy``; that numba also finds Intel's short vector
math library where ``intel-cmplr-lib-rt`` is installed, which no newer wheel does. pyvolr and fast-vollib run there
too; torch wants a newer NumPy and an environment of its own. One that cannot be imported is named as missing.

Each peer is called in the fastest way it offers: pyvolr one right at a time, since an array of rights costs it more
than the price; numba with vectors of 512 bits, which its LLVM does not choose by itself; fast-vollib's vols by its
"Let's Be Rational". Inputs go over as an ``.npz``, results come back as one and are checked before anything is timed.
The process then waits and times itself when asked, in turn with ours and with our CPU affinity.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.measure import check_equal

VARIABLE = "MARGINCORE_PEER_PYTHON"
PRICES = ("numba with SVML", "torch compiled", "fast-vollib", "pyvolr", "py_vollib_vectorized")
VOLS = ("fast-vollib", "pyvolr", "py_vollib_vectorized")
Floats = NDArray[np.float64]

SCRIPT = r"""
import math, os, sys, time
import numpy as np

# What a peer prints is not an answer.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
given = dict(np.load(sys.argv[1]))
s, k, t, r, q, v = (given[n] for n in ("spot", "strike", "years", "rate", "dividend_yield", "vol"))
right = given["right"].astype(float)
flags = np.where(right > 0, "c", "p")


def numba_svml(what):
    import llvmlite.binding as llvm

    os.environ["NUMBA_CPU_NAME"] = llvm.get_host_cpu_name()
    os.environ["NUMBA_CPU_FEATURES"] = llvm.get_host_cpu_features().flatten() + ",-prefer-256-bit"
    import numba

    @numba.njit(fastmath=True, error_model="numpy")
    def price(s, k, t, r, q, v, a, out):
        for i in range(len(s)):
            deviation = v[i] * math.sqrt(t[i])
            d1 = (math.log(s[i] / k[i]) + (r[i] - q[i]) * t[i]) / deviation + 0.5 * deviation
            owned = s[i] * math.exp(-q[i] * t[i]) * (0.5 + 0.5 * math.erf(a[i] * d1 * math.sqrt(0.5)))
            paid = k[i] * math.exp(-r[i] * t[i]) * (0.5 + 0.5 * math.erf(a[i] * (d1 - deviation) * math.sqrt(0.5)))
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

    rights = [("c", np.flatnonzero(right > 0)), ("p", np.flatnonzero(right < 0))]
    # Columns sorted by right beforehand: only the calls are timed.
    parts = [(flag, [np.ascontiguousarray(c[rows]) for c in (s, k, t, r, v, q)]) for flag, rows in rights]
    prices = [given["price"][rows] for _, rows in rights] if what == "vol" else []
    if what == "price":
        call = lambda: [bs.price(flag, *c) for flag, c in parts]
    else:
        call = lambda: [bs.implied_vol(p, flag, *c[:4], c[5]) for p, (flag, c) in zip(prices, parts)]

    def values():
        out = np.empty(len(s))
        for (_, rows), found in zip(rights, call()):
            out[rows] = found
        return out

    return call, values


def fast_vollib(what):
    import fast_vollib as peer
    from fast_vollib.jackel import jackel_iv_black

    if what == "price":
        call = lambda: peer.fast_black_scholes_merton(flags, s, k, t, r, v, q, return_as="numpy")
    else:
        calls = right > 0
        call = lambda: jackel_iv_black(given["price"] * np.exp(r * t), s * np.exp((r - q) * t), k, t, calls)
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


def margincore(what):
    from margincore import pricing

    moves = given["price_moves"], given["vol_moves"]
    out = np.empty((len(s), len(moves[0])))
    call = lambda: pricing.price_grid(s, k, t, r, q, v, given["right"], *moves, out=out)
    call()
    return call, lambda: out


peers = {
    "margincore": margincore,
    "numba with SVML": numba_svml,
    "py_vollib_vectorized": vollib,
    "pyvolr": pyvolr,
    "fast-vollib": fast_vollib,
    "torch compiled": torch_compiled,
}
call, values = peers[sys.argv[2]](sys.argv[3])
np.save(sys.argv[4], np.asarray(values(), float).reshape(-1))
print("ready", file=answers, flush=True)
for line in sys.stdin:
    loops = range(int(line))
    start = time.perf_counter()
    for _ in loops:
        call()
    print(time.perf_counter() - start, file=answers, flush=True)
"""


class Peer:
    """A peer in a process of its own; called, it is called there. `values` is what it computed.

    `pythons` are those of ``MARGINCORE_PEER_PYTHON`` where none are given. Raises ``LookupError`` saying why where none
    of them runs it.
    """

    def __init__(
        self, name: str, what: str, inputs: dict[str, Any], pythons: Iterable[str] = (), **environment: str
    ) -> None:
        reason = f"set {VARIABLE} to a Python that has it"
        for python in pythons or filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
            with tempfile.TemporaryDirectory() as folder:
                given, found = Path(folder) / "given.npz", Path(folder) / "found.npy"
                np.savez(given, **inputs)
                command = [python, "-c", SCRIPT, str(given), name, what, str(found)]
                with (Path(folder) / "errors").open("w+") as errors:
                    # In the folder of the files: what lies in ours is not to be imported there.
                    self._process = subprocess.Popen(
                        command, env=_environment(python) | environment, cwd=folder, text=True, bufsize=1,
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    )  # fmt: skip
                    if self._read() == "ready":
                        self.values: Floats = np.load(found)
                        return
                    self.close()
                    errors.seek(0)
                    last = (errors.read().strip().splitlines() or ["no message"])[-1]
            # An environment without the peer says less than one in which it fails.
            if not last.startswith("ModuleNotFoundError") or reason.startswith("set"):
                reason = last
        raise LookupError(reason)

    def seconds(self, loops: int) -> float:
        """What so many calls take there."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{loops}\n")
        return float(self._read())

    def __call__(self) -> None:
        self.seconds(1)

    def close(self) -> None:
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextlib.contextmanager
def running(
    what: str, names: tuple[str, ...], inputs: dict[str, Any], ours: Floats
) -> Iterator[tuple[dict[str, Peer], dict[str, Exception]]]:
    """The peers that compute what ours does, by name, and why the others do not; `what` is ``"price"`` or ``"vol"``."""
    found: dict[str, Peer] = {}
    absent: dict[str, Exception] = {}
    with contextlib.ExitStack() as stack:
        for name in names:
            try:
                peer = Peer(name, what, inputs)
                stack.callback(peer.close)
                check_equal(name, ours, peer.values, rel=1e-6, abs_=1e-9)
                found[name] = peer
            except (LookupError, AssertionError) as error:
                absent[name] = error
        yield found, absent


def _environment(python: str) -> dict[str, str]:
    """One thread, and the environment's own libraries, Intel's among them, where the loader looks."""
    libraries = str(Path(python).absolute().parent.parent / "lib")
    known = os.environ.get("LD_LIBRARY_PATH")
    one_thread = dict.fromkeys(("RAYON_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    return {**os.environ, **one_thread, "LD_LIBRARY_PATH": libraries if not known else f"{libraries}:{known}"}
