"""A process that forks while a page is drawn: its child draws too, in the style that its parent's user had."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, threading, time
import matplotlib as mpl
import margincore as mc
from margincore.reports import svg

mpl.rcParams.update({"font.size": 23.0, "axes.facecolor": "pink"})
before = dict(mpl.rcParams)
stock = mc.Stock("XYZ", currency="USD")
market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
def page():
    return mc.report([mc.Position(stock, 100)], market, [mc.methods.Tims()]).html
alone = page()

drawing, go_on = threading.Event(), threading.Event()
def slow(ax):
    drawing.set()
    go_on.wait(60)
other = threading.Thread(target=svg.drawn, args=("slow", "a figure that waits", slow))
other.start()
assert drawing.wait(30)
assert mpl.rcParams["axes.facecolor"] == "none"    # the page's, in the middle of a figure
child = os.fork()
if child == 0:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(30)
    right = dict(mpl.rcParams) == before and page() == alone and dict(mpl.rcParams) == before
    os._exit(0 if right else 1)
go_on.set()
other.join()
_, status = os.waitpid(child, 0)
assert status == 0, status
assert dict(mpl.rcParams) == before and page() == alone
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_in_the_middle_of_a_figure_draws() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "MPLBACKEND": "agg"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
