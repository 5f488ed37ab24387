"""Every grammar there and back, whatever the terms; and one dialect's spelling turned into another's."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore import symbols
from margincore.symbols import reading, spelling, standard
from margincore.symbols.forms import Form
from margincore.symbols.parts import CODES

FORMS: tuple[Form, ...] = reading._FORMS
NAMES = [f"{form.dialect} {form.example}" for form in FORMS]
ON = dt.date(2026, 11, 25)
VENUES = {"deribit", "okx", "binance", "bybit", "derive"}
INDIAN = {"kite", "openalgo", "shoonya", "dhan", "upstox"}


def example(form: Form) -> symbols.Symbol:
    on = dt.date(2024, 1, 1) if form.dialect == "openalgo" else ON
    return symbols.parse(form.example, dialect=form.dialect, on=on)


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_every_example_is_read_and_printed(form: Form) -> None:
    said = example(form)
    assert (said.kind, said.dialect) == (form.kind, form.dialect)
    assert form.write(said) == form.example
    first = next(other for other in FORMS if (other.dialect, other.kind) == (form.dialect, form.kind))
    if first is form:  # what is written where there are several: the dialect's own first
        assert symbols.spell(said, form.dialect) == form.example


def test_the_module_s_table_has_every_example_and_dialects_lists_them() -> None:
    text, listed = symbols.__doc__ or "", symbols.dialects()
    rows = {line.split("``")[1]: line for line in text.splitlines() if line.startswith("| ``")}
    assert set(rows) == set(listed)
    for form in FORMS:
        assert form.example in listed[form.dialect]
        row = rows[form.dialect].replace("OSI", "``AAPL  261218C00290000``")
        assert f"``{form.example}``" in row or form.example == "SPX Index", form
    assert "``SPX Index``" in text


# ---- there and back, for any terms


def letters(least: int, most: int, more: str = "") -> st.SearchStrategy[str]:
    head = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return st.builds(str.__add__, head, st.text("ABCXYZ" + more, min_size=least - 1, max_size=most - 1))


days = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
thousandths = st.one_of(
    st.integers(1, 99_999_999).map(lambda n: n / 1000), st.integers(1, 99_999).map(float), st.just(0.5)
)


def scaled(form: Form) -> bool:
    """Whether its strikes are Globex's digits, whose unit the table of options says."""
    return form.kind == "future_option" and form.dialect in ("globex", "globex_long", "ibkr")


def roots(form: Form) -> st.SearchStrategy[str]:
    if scaled(form):
        return st.sampled_from(standard.roots("options"))
    if form.kind in ("stock", "index"):
        return st.one_of(
            letters(1, 5), st.sampled_from(["M&M", "BAJAJ-AUTO", "360ONE"] if form.dialect == "kite" else ["SPX"])
        )
    if form.dialect in INDIAN:
        return st.one_of(letters(1, 10), st.sampled_from(["NIFTYNXT50", "SENSEX50", "M&M", "BAJAJ-AUTO", "360ONE"]))
    if form.dialect in VENUES:
        return st.text("ABCXYZ019", min_size=1, max_size=8)
    if form.dialect in ("ibkr_eurex", "eurex_t7"):
        return letters(1, 4)
    if form.kind in ("future", "future_option"):
        return st.one_of(letters(1, 3, "0123456789"), st.sampled_from(["6E", "SR3", "E3B", "ES", "C"]))
    return letters(1, 5, "0123456789")


def any_symbol(form: Form) -> st.SearchStrategy[symbols.Symbol]:
    """Symbols that the form can say: as its example, with other terms."""
    template = example(form)

    def build(root: str, day: dt.date, ahead: int, put: bool, strike: float) -> symbols.Symbol:
        parts: dict[str, Any] = {"root": root}
        at = day.year * 12 + day.month - 1 + (ahead if template.expiry else 0)
        year, month = min(at // 12, 2099), at % 12 + 1
        if template.expiry is not None:
            parts["expiry"] = day
        if template.month is not None:
            parts |= {"year": year, "month": month}
        if template.right is not None:
            row = standard.option_row(root) if scaled(form) else None
            strike = strike if row is None else (int(strike) + 1) / row["strike_scale"]
            parts |= {"right": "put" if put else "call", "strike": strike}
        if template.settle == template.root:
            parts["settle"] = root
        if template.underlying is not None:
            parts["underlying"] = f"ES{CODES[month - 1]}{year % 100:02}"
        return replace(template, **parts)

    return st.builds(build, roots(form), days, st.integers(0, 11), st.booleans(), thousandths)


def there_and_back(form: Form, said: symbols.Symbol) -> None:
    text = form.write(said)
    day = said.last_day
    on = None if day is None else day.replace(day=1)
    again = symbols.parse(text, dialect=form.dialect, on=on)
    assert again == said, (text, said, again)
    try:
        unasked = symbols.parse(text, on=on)
    except mc.MarginError:
        return  # two readings are refused; one that is another's in silence would be a wrong number
    assert replace(unasked, dialect="") == replace(said, dialect=""), (text, said, unasked)


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_there_and_back(form: Form) -> None:
    @given(any_symbol(form))
    @settings(max_examples=25, deadline=None, derandomize=True)
    def run(said: symbols.Symbol) -> None:
        there_and_back(form, said)

    run()


def test_a_wrong_grammar_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a form that prints the day first and reads the month first; neither the test nor `spell` lets it by."""
    right = next(form for form in FORMS if form.dialect == "month_first")
    wrong = replace(right, write=next(form for form in FORMS if form.dialect == "day_first").write)
    said = replace(example(right), expiry=dt.date(2026, 12, 11))
    there_and_back(right, said)
    with pytest.raises(AssertionError):
        there_and_back(wrong, said)
    monkeypatch.setattr(reading, "_FORMS", (wrong,))
    with pytest.raises(mc.InvalidInput, match="'AAPL 11/12/26 290 C' would say something else"):
        symbols.spell(said, "month_first")


@given(
    st.text(max_size=90) | st.text("AESNIFTYCPZ0123456789 -./_:'$", max_size=40),
    st.sampled_from([None, *symbols.dialects()]),
)
@settings(max_examples=250, deadline=None)
def test_no_text_is_more_than_refused(text: str, dialect: str | None) -> None:
    try:
        said = symbols.parse(text, dialect=dialect, on=ON)
    except mc.MarginError as error:
        refusal = error
    else:
        refusal = None
        assert spelling._holds(said, symbols.parse(symbols.spell(said, said.dialect), dialect=said.dialect, on=ON))
    assert refusal is None or (refusal.value == text and str(refusal).startswith("symbol "))


# ---- across dialects


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_nobody_else_reads_it_differently_in_silence(form: Form) -> None:
    own = example(form)
    try:
        any_dialect = symbols.parse(form.example, on=ON)
    except mc.InvalidInput as error:
        message = str(error)
    else:
        message = "may say: ...: say dialect="
        assert replace(any_dialect, dialect="") == replace(own, dialect="")
    assert re.search(r"may say: .*: say dialect=$", message)


def test_a_listed_option_is_the_same_in_every_spelling() -> None:
    option = symbols.parse("AAPL  261218C00290500")
    spelled = {
        name: symbols.spell(option, name)
        for name in symbols.dialects()
        if any(form.dialect == name and form.kind == "option" for form in FORMS)
        and name not in VENUES | INDIAN | {"eurex", "eurex_t7", "ibkr_eurex"}
    }
    assert len(spelled) == 20
    for name, text in spelled.items():
        again = symbols.parse(text, dialect=name)
        assert (again.root, again.expiry, again.right, again.strike) == ("AAPL", dt.date(2026, 12, 18), "call", 290.5)
    assert spelled["bloomberg"] == "AAPL US 12/18/26 C290.5 Equity"
    assert symbols.spell(symbols.parse("SPXW261218C04700000"), "bloomberg") == "SPXW US 12/18/26 C4700 Index"


@pytest.mark.parametrize(
    "text",
    [
        "AAPL  261218C00290000", ".AAPL261218C290", "-AAPL261218C290", "AAPL 12/18/2026 290.00 C", "AAPL_121826C290",
        "AAPL261218C290", "AAPL 18DEC26 290 C",
    ],
)  # fmt: skip
def test_what_brokers_files_hold_is_one_contract(text: str) -> None:
    table = mc.Products().with_equities(["AAPL"])
    assert symbols.contract(text, products=table).id == "AAPL261218C00290000"
    assert symbols.contract(text, products=table) == table.contract(text)


@pytest.mark.parametrize(
    ("text", "dialect", "spelled"),
    [
        ("ZNH27", "bloomberg", "TYH7 Comdty"),
        ("TYH7 Comdty", "globex", "ZNH7"),
        ("C Z6 Comdty", "globex_long", "ZCZ26"),
        ("ZCZ26", "bloomberg", "C Z6 Comdty"),
        ("6EZ26", "clearing", "EC 202612"),
        ("EC 202612", "bloomberg", "ECZ6 Curncy"),
        ("FDAXZ26", "bloomberg", "GXZ6 Index"),
        ("/ESZ26:XCME", "tastytrade", "/ESZ6"),
        ("CME_MINI:ESZ2026", "dxfeed", "/ESZ26:XCME"),
        ("LOZ6 C6550", "clearing", "LO 202612 C 65.5"),
        ("LO 202612 C 65.5", "globex", "LOZ6 C6550"),
        ("ODAX DEC26 23000 P", "eurex", "ODAX DEC26 23000 P"),
        ("NIFTY26DEC26000PE", "dhan", "NIFTY-Dec2026-26000-PE"),
        ("NIFTY26D0826000PE", "upstox", "NIFTY 26000 PE 08 DEC 26"),
    ],
)
def test_roots_and_forms_are_turned(text: str, dialect: str, spelled: str) -> None:
    assert symbols.spell(symbols.parse(text, on=ON), dialect) == spelled


@pytest.mark.parametrize(
    ("text", "dialect", "why"),
    [
        ("MESZ26", "bloomberg", "no source here has the root"),
        ("ESZ6C 4500 Index", "clearing", "4500"),
        ("EW3Z26 P4450", "bloomberg", "no source here has the root"),
        ("NIFTY26DEC26000PE", "kite_", "did you mean 'kite'"),
        ("NIFTY26D0826000PE", "dhan", "contract month"),
        ("NIFTY26DEC26000PE", "openalgo", "day of expiry"),
        ("ES 18DEC26", "globex", "contract month"),
        ("BTC-USD-261225-100000-C", "binance", "no spelling of binance"),
        ("AAPL", "globex", "spells future, future option: not stock AAPL"),
        ("LO 202612 C 65.123", "globex", "more decimals"),
        ("ABCZ26", "dxfeed", "dxFeed says the exchange"),
        ("NIFTY26D0826000PE", "bloomberg", "is kite's, and bloomberg spells what is listed elsewhere"),
        ("NIFTY26D0826000PE", "osi", "is kite's, and osi spells"),
        ("NIFTY26DECFUT", "globex", "is kite's, and globex spells"),
        ("AAPL  261218C00290000", "kite", "is osi's, and kite spells"),
        ("P BMW  20261218 72 M", "schwab", "is ibkr_eurex's, and schwab spells"),
        ("RELIANCE", "bloomberg", "Bloomberg says the country of the listing"),
    ],
)
def test_what_a_dialect_cannot_say_is_refused(text: str, dialect: str, why: str) -> None:
    said = symbols.parse(text, on=ON)
    if "4500" in why:
        assert symbols.spell(said, dialect) == "ES 202612 C 4500"
        return
    with pytest.raises(mc.InvalidInput, match=re.escape(why)):
        symbols.spell(said, dialect)


def test_a_symbol_is_checked() -> None:
    Symbol = symbols.Symbol
    for kind, parts, word in [
        ("option", {"expiry": ON, "strike": 1.0}, "right"),
        ("option", {"expiry": ON, "right": "call", "strike": 0.0}, "strike"),
        ("option", {"right": "call", "strike": 1.0}, "needs an expiry"),
        ("future", {"year": 2026}, "year and a month"),
        ("future", {"year": 2026, "month": 13}, "1 to 12"),
        ("stock", {"expiry": ON}, "has no expiry"),
        ("perpetual", {"strike": 1.0}, "neither"),
        ("swap", {}, "is not one of"),
        ("future", {"expiry": "2026-12-18"}, "is not a date"),
    ]:
        with pytest.raises(mc.InvalidInput, match=word):
            Symbol(kind, "ES", "globex", **parts)  # type: ignore[arg-type]
    with pytest.raises(mc.InvalidInput, match="root"):
        Symbol("stock", "es", "ticker")
    with pytest.raises(mc.InvalidInput, match="a symbol or contract is needed"):
        symbols.spell("ESZ6", "globex")  # type: ignore[arg-type]
    with pytest.raises(mc.InvalidInput, match="a symbol is text"):
        symbols.parse(6)  # type: ignore[arg-type]
