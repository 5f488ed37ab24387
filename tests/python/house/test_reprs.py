"""What objects show of themselves is Python's, whatever is in them: no word of Rust's, in text or docstring."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import margincore as mc
from margincore import _core

VALUATION = "2026-11-20T16:00:00-05:00"
# Rust's Debug: options, structures, paths, escapes of its own, words for true and false.
RUST = re.compile(r"Some\(|\bNone\b|\w \{|::|\\u\{|\btrue\b|\bfalse\b")
# Made of a file or of another's question; their text is made of plain words.
NOT_HERE = {"SpanFile"}


def examples() -> list[Any]:
    """One object at least of every public class of the engine, with what may be absent given and not given."""
    stock = mc.Stock("XYZ", currency="USD")
    call = mc.Option(
        "XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD"
    )
    market = mc.Market(VALUATION, spot={"XYZ": 50.0}, vol={call.id: 0.3}, rate={"USD": 0.05})
    account = mc.Account([mc.Position(stock, 100), mc.Position(call, -1)])
    tims = mc.methods.Tims()
    prepared = tims.prepare([stock, call], market)
    report = prepared.margin(account)
    live = prepared.open(account)
    order = mc.Order('a "quoted" \x7f\u200b one', stock, "buy", 100, 50.0)
    limits = [
        mc.Limit(1.0, 2.0),
        mc.Limit(min_excess=0.5, max_age=1.0, price_collar=0.1, max_quantity=5, max_notional=1e6, throttle=(10, 1.0)),
        mc.Limit(max_requirement=1.0, complete_only=True),
    ]
    accounts = mc.Accounts.from_columns(prepared.contracts, account=[0], contract=[0], lots=[1])
    table = _core.Products.from_rows([])
    return [
        stock, call, market, account, account.positions[0], tims, prepared, prepared.contracts, report,
        report.requirement, *report.lines, *report.greeks, prepared.margin_many([account]), accounts,
        live, live.what_if([(stock, 1)]), live.check(order, mc.Limit(min_excess=0.0)), order, *limits,
        prepared.margin_arrow(iter(())), _core.OsiSymbol("XYZ   261218C00050000"), table,
        _core.Securities.from_rows([]),
    ]  # fmt: skip


def test_every_class_shows_itself_as_python_does() -> None:
    shown = examples()
    classes = {item for item in vars(_core).values() if inspect.isclass(item) and not issubclass(item, Exception)}
    classes = {c for c in classes if c.__name__ not in NOT_HERE and not c.__name__.startswith("_")}
    assert {c for c in classes if not any(isinstance(one, c) for one in shown)} == set()
    assert [repr(one) for one in shown if RUST.search(repr(one)) or " object at 0x" in repr(one)] == []


def test_a_limit_shows_what_it_was_made_of() -> None:
    assert repr(mc.Limit(1.0, 2.0)) == "Limit(max_requirement=1, min_excess=2)"
    for limit in (one for one in examples() if isinstance(one, mc.Limit)):
        again = eval(repr(limit), {"Limit": mc.Limit})
        assert all(getattr(again, name) == getattr(limit, name) for name in dir(limit) if not name.startswith("_"))


@pytest.mark.parametrize("text", ["plain", 'a "quoted" one', "\x7f\u200b", "back\\slash", "line\nbreak"])
def test_text_is_shown_as_python_reads_it(text: str) -> None:
    shown = repr(mc.Order(text, mc.Stock("XYZ", currency="USD"), "buy", 1, 2.0))
    assert eval(shown, {"Order": lambda *parts: parts})[0] == text


def test_docstrings_have_no_markup_of_rust() -> None:
    wrong = []
    for name, item in vars(_core).items():
        members = vars(item) if inspect.isclass(item) else {}
        for where, one in [(name, item), *((f"{name}.{member}", value) for member, value in members.items())]:
            text = getattr(one, "__doc__", None) or ""
            if isinstance(text, str) and re.search(r"\[`|`\]|\w::\w|\bSelf\b|\bSome\(|\bOk\(", text):
                wrong.append(where)
    assert wrong == []
