"""SPAN: parsing files and margining portfolios, beside lxml, marginism and the reference engine."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc
from benches.measure import Row, check_equal, compare, missing
from margincore.methods import Span
from margincore.methods.span import kite
from margincore.reference import span as reference

SYMBOLS = ["NIFTY", "BANKNIFTY", *(f"STK{i:03d}" for i in range(180))]
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


def _parsing(path: Path) -> Iterator[Row]:
    size = path.stat().st_size
    data = path.read_bytes()
    bench = f"span: parse a {size / 1e6:.0f} MB .spn (per byte)"
    file = mc._core.SpanFile.parse(data, path.name)
    saved = file.cache()
    calls: dict[str, Any] = {"ours": lambda: mc._core.SpanFile(path)}
    gone = []
    try:
        from lxml import etree

        def lxml() -> None:
            for _, element in etree.iterparse(str(path), tag="oopPf"):
                element.clear()

        calls["lxml iterparse"] = lxml
    except ImportError:
        gone.append("lxml iterparse")
    try:
        from marginism.parser import parse_spn

        theirs = parse_spn(str(path))
        options = sum(len(c.options) for c in theirs.commodities.values())
        check_equal(bench, [len(file) - 4 * len(file.commodities)], [options], rel=0.0)
        calls["marginism"] = lambda: parse_spn(str(path))
    except ImportError:
        gone.append("marginism")
    yield from compare(bench, calls, n=size, repeats=5)
    for peer in gone:
        yield missing(bench, peer, "not installed", n=size)
    bench = "span: load its binary cache (per file)"
    yield from compare(bench, {"ours": lambda: mc._core.SpanFile.parse(saved, "cache")}, n=1, repeats=5)


def _expanded(path: Path) -> Iterator[Row]:
    size = path.stat().st_size
    bench = f"span: parse a {size / 1e6:.0f} MB .pa2 (per byte)"
    yield from compare(bench, {"ours": lambda: mc._core.SpanFile(path)}, n=size, repeats=5)


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
        quantity=np.tile(quantity, times),
    )


def _against_marginism(path: Path) -> Iterator[Row]:
    bench = "span: 100,000 accounts x 20 positions (per position)"
    try:
        from marginism import Position, SpanCalculator
        from marginism.parser import parse_spn
    except ImportError:
        yield missing(bench, "marginism", "not installed", n=20)
        return
    calculator = SpanCalculator(parse_spn(str(path)))
    file = Span.file(path)
    table = [c for c in file.contracts() if ":OOP:" in c.id]
    prepared = mc.Engine(Span.from_file(file, anov="capped")).prepare(table)
    books = _books(random.Random(2), len(table), 200, 20)

    def position(row: int, quantity: int) -> Any:
        _, symbol, _, expiry, right, strike = table[row].id.split(":")
        return Position(symbol, right + "E", quantity, expiry, float(strike))

    theirs = [[position(i, q) for i, q in book.items()] for book in books]
    reports = [prepared.margin([mc.Position(table[i], q) for i, q in book.items()]) for book in books]
    want = [calculator.calculate(positions).span_margin for positions in theirs]
    check_equal(bench, [kite(report)["span"] for report in reports], want, rel=1e-9)
    account = mc.Account([mc.Position(table[i], q) for i, q in books[0].items()])
    single = "span: margin 20 positions, whole report (per position)"
    calls: dict[str, Any] = {
        "ours": lambda: prepared.margin(account),
        "marginism": lambda: calculator.calculate(theirs[0]),
    }
    yield from compare(single, calls, n=20)
    accounts = _columns(prepared, books, 500)
    ours = next(
        iter(compare(bench, {"ours": lambda: prepared.margin_many(accounts, threads=1)}, n=2_000_000, repeats=5))
    )
    peer = next(iter(compare(bench, {"ours": lambda: [calculator.calculate(p) for p in theirs]}, n=4000, repeats=5)))
    yield Row(bench, ours.ours_ns, "marginism", peer.ours_ns, 2_000_000)


def _takasbank() -> Iterator[Row]:
    from tests.conformance.cases import data_folder

    path = data_folder() / "span" / "takasbank_viop_20160517_final.spn.gz"
    bench = "span: 50 positions on the Takasbank file (per account)"
    if not path.is_file():
        yield missing(bench, "margincore.reference", f"no file {path.name}")
        return
    file = Span.file(path)
    arrays = file.arrays()
    table = [c for i, c in enumerate(file.contracts()) if not np.isnan(arrays[i, 0])]
    prepared = mc.Engine(Span.from_file(file)).prepare(table)
    parameters = reference.read_spn(path)
    rng = random.Random(3)
    for size, count, name in ((50, 1000, bench), (20, 100_000, "span: 100,000 accounts x 20 positions (per account)")):
        books = _books(rng, len(table), 20, size)
        held = [{table[i].id: float(q) for i, q in book.items()} for book in books]
        reports = [prepared.margin([mc.Position(table[i], q) for i, q in book.items()]) for book in books]
        want = [reference.margin(parameters, h).requirement for h in held]
        check_equal(name, [report.cash_required for report in reports], want, rel=1e-9)
        accounts = _columns(prepared, books, count // len(books))
        ours = next(iter(compare(name, {"ours": lambda a=accounts: prepared.margin_many(a, threads=1)}, n=count)))
        calls: dict[str, Any] = {"ours": lambda hs=held: [reference.margin(parameters, h) for h in hs]}
        peer = next(iter(compare(name, calls, n=len(held), repeats=5)))
        yield Row(name, ours.ours_ns, "margincore.reference", peer.ours_ns, count)
    one = _columns(prepared, _books(rng, len(table), 1, 50), 1)
    name = "span: 50 positions on the Takasbank file, one call from Python (per call)"
    yield from compare(name, {"ours": lambda: prepared.margin_many(one, threads=1)}, n=1)


def rows() -> Iterable[Row]:
    """All rows; the large files are written to a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        large, small, fixed = Path(folder) / "large.spn", Path(folder) / "small.spn", Path(folder) / "fixed.pa2"
        synthetic(large, len(SYMBOLS))
        yield from _parsing(large)
        expanded(fixed, 250)
        yield from _expanded(fixed)
        synthetic(small, 4)
        yield from _against_marginism(small)
    yield from _takasbank()
