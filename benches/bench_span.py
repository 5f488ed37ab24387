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
from margincore.methods.span import contract_id, kite
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


def _against_marginism(path: Path) -> Iterator[Row]:
    try:
        from marginism import Position, SpanCalculator
        from marginism.parser import parse_spn
    except ImportError:
        yield missing("span: margin 20 positions (per position)", "marginism", "not installed", n=20)
        return
    calculator = SpanCalculator(parse_spn(str(path)))
    table = {c.id: c for c in mc._core.SpanFile(path).contracts()}
    prepared = mc.Engine(Span.from_file(path, anov="capped")).prepare(list(table.values()))
    rng = random.Random(2)
    for count in (20, 100):
        theirs, ours = [], []
        for _ in range(count):
            symbol, right = rng.choice(SYMBOLS[:2]), rng.choice("CP")
            expiry, strike = rng.choice(EXPIRIES), float(rng.randrange(600, 1700, 10))
            quantity = rng.choice([-65, 65])
            theirs.append(Position(symbol, right + "E", quantity, expiry, strike))
            ours.append(mc.Position(table[contract_id(symbol, expiry, right=right, strike=strike)], quantity))
        account = mc.Account(ours)
        bench = f"span: margin {count} positions, whole report (per position)"
        check_equal(
            bench, [kite(prepared.margin(account))["span"]], [calculator.calculate(theirs).span_margin], rel=1e-9
        )
        calls = {"ours": lambda a=account: prepared.margin(a), "marginism": lambda p=theirs: calculator.calculate(p)}
        yield from compare(bench, calls, n=count)
        accounts = mc.Accounts(prepared.contracts, [account] * 1000)
        bench = f"span: margin 1,000 accounts x {count} positions (per position)"
        calls = {
            "ours": lambda a=accounts: prepared.margin_many(a, threads=1),
            "marginism": lambda p=theirs: calculator.calculate(p),
        }
        timed = list(compare(bench, {"ours": calls["ours"]}, n=1000 * count))
        peer = list(compare(bench, {"ours": calls["marginism"]}, n=count))
        yield Row(bench, timed[0].ours_ns, "marginism", peer[0].ours_ns, 1000 * count)


def _takasbank() -> Iterator[Row]:
    from tests.conformance.cases import data_folder

    path = data_folder() / "span" / "takasbank_viop_20160517_final.spn.gz"
    bench = "span: 50 positions on the Takasbank file (per account)"
    if not path.is_file():
        yield missing(bench, "margincore.reference", f"no file {path.name}")
        return
    file = mc._core.SpanFile(path)
    contracts = [c for c in file.contracts() if not np.isnan(file.arrays()[file.ids().index(c.id)][0])]
    prepared = mc.Engine(Span.from_file(path)).prepare(contracts)
    parameters = reference.read_spn(path)
    rng = random.Random(3)
    chosen = rng.sample(range(len(contracts)), 50)
    held = {contracts[i].id: rng.choice([-10, -3, 2, 5]) for i in chosen}
    positions = [mc.Position(c, held[c.id]) for c in contracts if c.id in held]
    accounts = mc.Accounts(prepared.contracts, [mc.Account(positions)] * 1000)
    want = reference.margin(parameters, held)
    report = prepared.margin(mc.Account(positions))
    check_equal(bench, [report.cash_required], [want.requirement], rel=1e-9)
    ours = next(iter(compare(bench, {"ours": lambda: prepared.margin_many(accounts, threads=1)}, n=1000))).ours_ns
    peer = next(iter(compare(bench, {"ours": lambda: reference.margin(parameters, held)}, n=1))).ours_ns
    yield Row(bench, ours, "margincore.reference", peer, 1000)


def rows() -> Iterable[Row]:
    """All rows; the large file is written to a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.spn", Path(folder) / "small.spn"
        synthetic(large, len(SYMBOLS))
        yield from _parsing(large)
        synthetic(small, 4)
        yield from _against_marginism(small)
    yield from _takasbank()
