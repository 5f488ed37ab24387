"""SPAN: parsing files and margining portfolios, beside lxml, marginism and the reference engine."""

from __future__ import annotations

import contextlib
import functools
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc
from benches.measure import OURS, REFERENCE, Bench, Case, Unavailable, check_equal
from margincore.methods import Span
from margincore.methods.span import kite
from margincore.reference import span as reference

SYMBOLS = ["NIFTY", "BANKNIFTY", *(f"STK{i:03d}" for i in range(180))]
LXML, MARGINISM = "lxml iterparse", "marginism"
EXPIRIES = ["20260630", "20260728", "20260825"]


def synthetic(path: Path, symbols: int, strikes: int = 115) -> None:
    """A file shaped like NSE's: the full size is 43 MB with 125,580 options."""
    rng = random.Random(1)

    def array() -> str:
        values = "".join(f"<a>{rng.uniform(-3000, 3000):.2f}</a>" for _ in range(16))
        return f"<ra><r>1</r>{values}<d>{rng.uniform(-1, 1):.4f}</d></ra>"

    names = SYMBOLS[:symbols]
    with path.open("w", encoding="ascii") as out:
        out.write('<?xml version="1.0"?>\n<spanFile><fileFormat>4.00</fileFormat><created>202606010000</created>')
        out.write("<pointInTime><date>20260601</date><isSetl>1</isSetl><clearingOrg><ec>NSCCL</ec>\n")
        number = 0
        for s in names:
            out.write(f"<phyPf><pfId>1</pfId><pfCode>{s}</pfCode><phy><cId>1</cId><pe>000000</pe><p>1000.0</p>")
            out.write(f"<d>1</d><v>0.2</v>{array()}</phy></phyPf>\n")
        for s in names:
            out.write(f"<futPf><pfId>1</pfId><pfCode>{s}</pfCode><cvf>1</cvf>\n")
            for e in EXPIRIES:
                number += 1
                out.write(f"<fut><cId>{number}</cId><pe>{e}</pe><p>1000.0</p><d>1.0</d><v>0.2</v>{array()}</fut>\n")
            out.write("</futPf>\n")
        for s in names:
            out.write(f"<oopPf><pfId>1</pfId><pfCode>{s}</pfCode><cvf>1</cvf>\n")
            for e in EXPIRIES:
                out.write(f"<series><pe>{e}</pe><cvf>1</cvf>\n")
                for k in range(600, 600 + strikes * 10, 10):
                    for o in "CP":
                        number += 1
                        price = f"{rng.uniform(0, 300):.2f}"
                        out.write(f"<opt><cId>{number}</cId><o>{o}</o><k>{k}.00</k><p>{price}</p>")
                        out.write(f"<d>0.5</d><v>0.2</v>{array()}</opt>\n")
                out.write("</series>\n")
            out.write("</oopPf>\n")
        for s in names:
            legs = "".join(
                f"<pLeg><cc>{s}</cc><pe>{e}</pe><rs>{side}</rs><i>1</i></pLeg>"
                for e, side in zip(EXPIRIES, "AB", strict=False)
            )
            out.write(f"<ccDef><cc>{s}</cc><name>{s}</name><currency>INR</currency><somMeth>GROSS</somMeth>")
            out.write("<spotMeth>NORMAL</spotMeth><riskExponent>0</riskExponent><dSpread><spread>1</spread>")
            out.write(f"<chargeMeth>F</chargeMeth><rate><r>1</r><val>20.0</val></rate>{legs}</dSpread></ccDef>\n")
        out.write("</clearingOrg></pointInTime></spanFile>\n")


def expanded(path: Path, products: int, strikes: int = 60) -> None:
    """A `.pa2` file of many options: records 0 to 4, B, P, and arrays in 81 and 82."""
    rng = random.Random(4)

    def fields(*placed: tuple[int, str]) -> str:
        line = ""
        for column, text in placed:
            line = line.ljust(column - 1) + text
        return line + "\n"

    def halves(*key: tuple[int, str]) -> str:
        values = [f"{abs(a):05d}{'-' if a < 0 else '+'}" for a in (rng.randrange(-9000, 9000) for _ in range(16))]
        return fields((1, "81"), *key, (55, "".join(values[:9])), (123, "N")) + fields(
            (1, "82"), *key, (55, "".join(values[9:])), (97, "05000+002000000000325++")
        )

    months = ["202606", "202609", "202612"]
    with path.open("w", encoding="ascii") as out:
        out.write(fields((1, "0"), (3, "CME"), (9, "20260601SF"), (36, "U2"), (75, "M")))
        out.write(fields((1, "1"), (3, "CME")))
        names = [f"P{i:03d}" for i in range(products)]
        for name in names:
            kinds = [(3, "CME"), (7, name), (13, "0USD$P"), (23, name), (33, "FUT0"), (39, name), (49, "OOF0")]
            out.write(fields((1, "2"), *kinds))
            out.write(fields((1, "3"), (3, name), (9, "01"), (69, "100011001250")))
            out.write(fields((1, "4"), (3, name), (9, "01"), (63, "0000010")))
            for kind in ("FUT", "OOF"):
                terms = [(34, "002"), (37, "000"), (42, "00000010000000"), (66, "USD")]
                out.write(fields((1, "P"), (3, "CME"), (6, name), (16, kind), *terms))
        for name in names:
            for month in months:
                key = [(3, "CME"), (6, name), (16, name), (30, month)]
                out.write(halves(*key[:3], (26, "FUT"), key[3]))
                for k in range(strikes):
                    for right in "CP":
                        option = [(39, month), (48, f"{1000 + 10 * k:07d}")]
                        out.write(halves(*key[:3], (26, "OOF" + right), key[3], *option))


@contextlib.contextmanager
def written(write: Callable[..., object], *arguments: Any, suffix: str) -> Iterator[Path]:
    """A file that is there while its benchmark runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        write(path, *arguments)
        yield path


@functools.cache
def large() -> bytes:
    """A file of full size, which takes seconds to make."""
    with written(synthetic, len(SYMBOLS), suffix=".spn") as path:
        return path.read_bytes()


def parse() -> Iterator[Case]:
    """From the file to its table."""
    with written(Path.write_bytes, large(), suffix=".spn") as path:
        size = path.stat().st_size
        title = f"span: parse a {size / 1e6:.0f} MB .spn (per byte)"
        file = mc._core.SpanFile.parse(large(), path.name)
        case = Case({OURS: lambda: mc._core.SpanFile(path)}, n=size, title=title, options={"repeats": 5})
        with case.optional(LXML):
            from lxml import etree

            def lxml() -> None:
                for _, element in etree.iterparse(str(path), tag="oopPf"):
                    element.clear()

            case.calls[LXML] = lxml
        with case.optional(MARGINISM):
            from marginism.parser import parse_spn

            theirs = parse_spn(str(path))
            options = sum(len(c.options) for c in theirs.commodities.values())
            check_equal(title, [len(file) - 4 * len(file.commodities)], [options], rel=0.0)
            case.calls[MARGINISM] = lambda: parse_spn(str(path))
        yield case


def load() -> Iterator[Case]:
    """The same file's binary cache."""
    saved = mc._core.SpanFile.parse(large(), "large.spn").cache()
    yield Case({OURS: lambda: mc._core.SpanFile.parse(saved, "cache")}, options={"repeats": 5})


def parse_expanded() -> Iterator[Case]:
    """A file of fixed columns."""
    with written(expanded, 250, suffix=".pa2") as path:
        size = path.stat().st_size
        title = f"span: parse a {size / 1e6:.0f} MB .pa2 (per byte)"
        yield Case({OURS: lambda: mc._core.SpanFile(path)}, n=size, title=title, options={"repeats": 5})


def _books(rng: random.Random, rows: int, count: int, size: int) -> list[dict[int, int]]:
    """Accounts as {row of the table: quantity}."""
    return [{i: rng.choice([-130, -65, 65]) for i in rng.sample(range(rows), size)} for _ in range(count)]


def _columns(prepared: mc.Prepared, books: list[dict[int, int]], times: int) -> mc.Accounts:
    """The accounts of `books`, over and over."""
    size = len(books[0])
    contract = np.array([i for book in books for i in book], dtype=np.uint32)
    quantity = np.array([q for book in books for q in book.values()], dtype=np.int64)
    count = len(books) * times
    return mc.Accounts.from_columns(
        prepared.contracts,
        account=np.repeat(np.arange(count, dtype=np.uint32), size),
        contract=np.tile(contract, times),
        lots=np.tile(quantity, times),
    )


class Small:
    """Accounts on a small file of the same shape, and marginism's positions where it is installed."""

    def __init__(self, path: Path) -> None:
        self.path, file = path, Span.file(path)
        self.table = [c for c in file.contracts() if ":OOP:" in c.id]
        self.prepared = mc.Engine(Span(file, anov="capped")).prepare(self.table)
        self.books = _books(random.Random(2), len(self.table), 200, 20)

    def account(self, book: dict[int, int]) -> mc.Account:
        return mc.Account([mc.Position(self.table[i], q) for i, q in book.items()])

    def marginism(self) -> list[Callable[[], Any]]:
        """A call per account, which gives the margin that ours does."""
        from marginism import Position, SpanCalculator
        from marginism.parser import parse_spn

        calculator = SpanCalculator(parse_spn(str(self.path)))

        def position(row: int, quantity: int) -> Any:
            _, symbol, _, expiry, right, strike = self.table[row].id.split(":")
            return Position(symbol, right + "E", quantity, expiry, float(strike))

        calls = [
            functools.partial(calculator.calculate, [position(i, q) for i, q in book.items()]) for book in self.books
        ]
        ours = [kite(self.prepared.margin(self.account(book)))["span"] for book in self.books]
        check_equal("span", ours, [call().span_margin for call in calls], rel=1e-9)
        return calls


def one_report() -> Iterator[Case]:
    """One account, explained."""
    with written(synthetic, 4, suffix=".spn") as path:
        small = Small(path)
        account = small.account(small.books[0])
        case = Case({OURS: lambda: small.prepared.margin(account)}, n=20)
        with case.optional(MARGINISM):
            case.calls[MARGINISM] = small.marginism()[0]
        yield case


def many_accounts() -> Iterator[Case]:
    """The same accounts over and over, in one call; peers take each once."""
    with written(synthetic, 4, suffix=".spn") as path:
        small = Small(path)
        accounts = _columns(small.prepared, small.books, 500)
        case = Case(
            {OURS: lambda: small.prepared.margin_many(accounts, threads=1)}, n=2_000_000, sizes={MARGINISM: 4_000},
            options={"repeats": 5},
        )  # fmt: skip
        with case.optional(MARGINISM):
            calls = small.marginism()
            case.calls[MARGINISM] = lambda: [call() for call in calls]
        yield case


class Takasbank:
    """A real file, and accounts on it."""

    def __init__(self) -> None:
        from tests.conformance.cases import data_folder

        self.path = data_folder() / "span" / "takasbank_viop_20160517_final.spn.gz"
        if not self.path.is_file():
            raise Unavailable(f"no file {self.path.name}")
        file = Span.file(self.path)
        arrays = file.arrays()
        self.table = [c for i, c in enumerate(file.contracts()) if not np.isnan(arrays[i, 0])]
        self.prepared = mc.Engine(Span(file)).prepare(self.table)


takasbank = functools.cache(Takasbank)


def on_takasbank(size: int, count: int) -> Iterator[Case]:
    """Accounts of `size` positions; the reference takes twenty of them."""
    real = takasbank()
    table, prepared, parameters = real.table, real.prepared, reference.read_spn(real.path)
    books = _books(random.Random(3), len(table), 20, size)
    held = [{table[i].id: float(q) for i, q in book.items()} for book in books]
    reports = [prepared.margin([mc.Position(table[i], q) for i, q in book.items()]) for book in books]

    def by_reference() -> list[float]:
        return [reference.margin(parameters, h).requirement for h in held]

    check_equal("takasbank", [r.equity_required - r.net_option_value for r in reports], by_reference(), rel=1e-9)
    accounts = _columns(prepared, books, count // len(books))
    calls = {OURS: lambda: prepared.margin_many(accounts, threads=1), REFERENCE: by_reference}
    yield Case(calls, n=count, sizes={REFERENCE: len(books)})


def one_call() -> Iterator[Case]:
    """An account in a batch of its own."""
    real = takasbank()
    one = _columns(real.prepared, _books(random.Random(5), len(real.table), 1, 50), 1)
    yield Case({OURS: lambda: real.prepared.margin_many(one, threads=1)})


BENCHES = (
    Bench("span: parse a .spn (per byte)", parse, LXML, MARGINISM),
    Bench("span: load its binary cache (per file)", load),
    Bench("span: parse a .pa2 (per byte)", parse_expanded),
    Bench("span: margin 20 positions, whole report (per position)", one_report, MARGINISM),
    Bench("span: 100,000 accounts x 20 positions (per position)", many_accounts, MARGINISM),
    Bench(
        "span: 50 positions on the Takasbank file (per account)", functools.partial(on_takasbank, 50, 1_000), REFERENCE
    ),
    Bench(
        "span: 100,000 accounts x 20 positions (per account)", functools.partial(on_takasbank, 20, 100_000), REFERENCE
    ),
    Bench("span: 50 positions on the Takasbank file, one call from Python (per call)", one_call),
)
