"""Every golden file of the present versions: its place below `tests/data/golden`, and its bytes as written now."""

from __future__ import annotations

import json
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import margincore as mc
from margincore import _core, monitoring
from margincore.analysis import statements
from margincore.monitoring import intraday, journal, monitor

from .samples import DECISION, EVALUATED, INSTANT, REPORT, SPN, STATEMENT, STOCK, WHAT_IF, samples

FOLDER = Path(__file__).resolve().parents[1] / "data" / "golden"
PROTOCOL = 5
RECORDS: list[dict[str, Any]] = [{"n": 1}, {"text": "Zürich", "x": [0.1, -2e-300, None, True]}, {}]
ACCOUNTS = {"a": mc.Account([mc.Position(STOCK, 100)], cash={"USD": -4_000.0})}
RECORDING = """\
date,instrument_name,expiry_date,strike,type,delta,mark_iv
2026-01-23T08:00:00,BTC-22JAN27-90000-C,2027-01-23,90000,call,0.5,50.0
2026-01-23T08:00:00,BTC-22JAN27-90000-P,2027-01-23,90000,put,-0.5,51.0
"""


def prepared() -> mc.Prepared:
    """What the watched account is margined by."""
    rules = mc.methods.SpanLike({"XYZ": {"price_scan": 0.15, "vol_scan": 0.25}})
    return mc.Engine(rules).prepare([STOCK], mc.Market(INSTANT, spot={"XYZ": 50.0}))


EVENTS: list[monitoring.Event] = [
    monitoring.MarketEvent(1, {"spot": {"XYZ": 48.0}}),
    monitoring.OrderEvent(2, "a", "o1", "XYZ", "buy", 50.0, 45.0),
    monitoring.FillEvent(3, "a", "XYZ", 20.0, 45.0, 0.5, "o1", "e1"),
    monitoring.CashEvent(4, "a", "USD", 250.0),
    monitoring.CancelEvent(5, "a", "o1"),
]


def document(name: str) -> dict[str, Any]:
    """A document that stands alone, as it is written now."""
    match name:
        case "evaluated":
            return EVALUATED | {"version": _core.__document_version__}
        case "report":
            return mc.MarginReport.from_dict(REPORT).to_dict()
        case "decision":
            return mc.Decision.from_dict(DECISION).to_dict()
        case "statement":
            return mc.Statement.from_dict(STATEMENT).to_dict()
        case "carried":
            carried: statements.Carried = samples()["analysis.statements.Carried"]
            return carried.to_dict()
        case "what-if":
            return mc.WhatIf.from_dict(WHAT_IF).to_dict()
        case _:
            comparison: mc.Comparison = samples()["Comparison"]
            return comparison.to_dict()


DOCUMENTS = ("evaluated", "report", "decision", "what-if", "comparison", "statement", "carried")


def _written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written"
        write(path)
        return path.read_bytes()


def _journal(path: Path) -> None:
    with journal.Journal(path, sync=False) as own:
        for record in RECORDS:
            own.append(record)


def _watched(path: Path) -> None:
    watcher = monitoring.Monitor(prepared(), ACCOUNTS, journal=path, sync=False, checkpoint=3)
    for event in EVENTS:
        watcher.take(event)
    watcher.close()


def followed() -> mc.Prepared:
    """What the account whose days are followed is margined by."""
    return mc.Engine(mc.methods.RegT()).prepare([STOCK], mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0}))


FOLLOWED = {"a": mc.Account([], cash={"USD": 10_000.0})}
DAYS: list[intraday.AnyEvent] = [
    monitoring.FillEvent(1, "a", "XYZ", 500.0, 100.0),
    monitoring.CloseEvent(2, "2026-11-20"),
    monitoring.CorrectionEvent(3, 1, monitoring.FillEvent(1, "a", "XYZ", 450.0, 100.0)),
    monitoring.CashEvent(4, "a", "USD", 250.0),
    monitoring.CloseEvent(5, "2026-11-23"),
]
CALENDAR = mc.calendars.BusinessDays(("2026-11-26", "2026-12-25"), name="given", source="given")  # type: ignore[arg-type]


def _days(path: Path) -> None:
    ledger = monitoring.IntradayMonitor(followed(), FOLLOWED, calendar=CALENDAR, journal=path, sync=False)
    for event in DAYS:
        ledger.take(event)
    ledger.close()


def version_of(value: Any) -> int:
    """The version that a pickle of a value says."""
    version: int = value.__reduce__()[1][1]
    return version


def files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Each file's place, and what writes it."""
    for name, value in samples().items():
        yield f"pickles/{name}.{version_of(value)}.pickle", lambda value=value: pickle.dumps(value, PROTOCOL)
    for name in DOCUMENTS:
        text = json.dumps(document(name), indent=1, ensure_ascii=False) + "\n"
        yield f"documents/{name}.{_core.__document_version__}.json", text.encode
    yield f"journals/journal.{journal.VERSION}.journal", lambda: _written(_journal)
    yield f"journals/monitor.{monitor.VERSION}.journal", lambda: _written(_watched)
    yield f"journals/intraday.{intraday.VERSION}.journal", lambda: _written(_days)
    cache = _core.SpanFile.parse(SPN, "x.spn").cache()
    yield f"caches/span.{int.from_bytes(cache[8:12], 'little')}.cache", lambda: cache
    yield "recordings/recording.csv", RECORDING.encode
