"""What preparing costs, and an update of one spot: ``python -m benches.preparing`` prints a table in Markdown.

20,000 options on 200 names, European and American, one thread. CPU time, the least of three runs; what takes more than
a second is run once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import margincore as mc
from benches.cores import SPOT, contracts, rulebooks

RUNS, LONG = 3, 1.0


def cpu(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of CPU time of a call, and what came of it."""
    best, made = float("inf"), None
    for _ in range(RUNS):
        start = time.process_time()
        made = call()
        best = min(best, time.process_time() - start)
        if best > LONG:
            break
    return best, made


def table() -> Iterator[str]:
    """The rows of the table, as they are measured."""
    yield "| rulebook | options | prepare, ms | one spot, ms |"
    yield "|---|---|---:|---:|"
    securities = {name: {"class": "equity"} for name in SPOT}
    known = {**rulebooks(), "Reg T": mc.methods.RegT(underlyings=securities)}
    for exercise in ("european", "american"):
        options = contracts(exercise)
        count = len(options)
        market = partial(
            mc.Market, "2026-11-18T16:00:00-05:00", spot=SPOT, rate={"USD": 0.04}, contracts=options
        )  # fmt: skip
        by_vol, by_price = market(vol=np.full(count, 0.3)), market(price=np.full(count, 5.0))
        for label, rulebook in known.items():
            # Reg T takes prices, which are kept as they were: what is measured is the spot alone.
            prices = label == "Reg T"
            engine = mc.Engine(rulebook)
            anew, prepared = cpu(partial(engine.prepare, options, by_price if prices else by_vol))
            moved = partial(prepared.update, spot={"N007": 100.5}, marks="keep" if prices else None)
            yield f"| {label} | {exercise} | {anew * 1e3:,.0f} | {cpu(moved)[0] * 1e3:,.0f} |"


def main() -> None:
    for line in table():
        print(line, flush=True)


if __name__ == "__main__":
    main()
