"""A `.spn` (XML 4.00) file into `Parameters`, with the standard library's parser: slow, and nothing clever."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from xml.etree import ElementTree

from margincore._core import ParseError, Unsupported

from .model import Combination, Commodity, Contract, Leg, Parameters, Point, SpotRate, Spread, Tier

_MAX_RATIO, _SMALL = 200, 16 * 1024 * 1024
"""The engine's own limits: what a packed file may unpack to, and what it may in any case."""

_KINDS = {"phyPf": "PHY", "futPf": "FUT", "cmbPf": "CMB", "oofPf": "OOF", "oopPf": "OOP", "oocPf": "OOC"}


def _text(node: ElementTree.Element, name: str, default: str = "") -> str:
    found = node.find(name)
    return default if found is None or found.text is None else found.text.strip()


def _number(node: ElementTree.Element, name: str, default: float = 0.0) -> float:
    text = _text(node, name)
    return float(text) if text else default


def _rate(node: ElementTree.Element) -> float:
    rates = {_text(r, "r"): _number(r, "val") for r in node.findall("rate")}
    return rates.get("1", next(iter(rates.values()), 0.0))


def _tiers(node: ElementTree.Element, name: str) -> list[Tier]:
    container = node.find(name)
    if container is None:
        return []
    return [
        Tier(
            int(_text(t, "tn", "0")), _text(t, "sPe"), _text(t, "ePe"), _rate(t) if t.find("rate") is not None else None
        )
        for t in container.findall("tier")
    ]


def _legs(node: ElementTree.Element) -> tuple[Leg, ...]:
    legs = []
    for leg in node:
        if leg.tag not in ("tLeg", "pLeg"):
            continue
        rate = _rate(leg) if leg.find("rate") is not None else None
        tier = int(_text(leg, "tn", "0"))
        period = _text(leg, "pe") if leg.tag == "pLeg" else None
        legs.append(Leg(_text(leg, "cc"), _number(leg, "i", 1.0), _text(leg, "rs"), tier, period, rate))
    return tuple(legs)


def _spreads(node: ElementTree.Element | None) -> list[Spread]:
    if node is None:
        return []
    return [
        Spread(int(_text(s, "spread")), _legs(s), _rate(s), _text(s, "chargeMeth", "F"))
        for s in node.findall("dSpread")
    ]


def read_spn(path: str | Path) -> Parameters:
    """Reads a `.spn` file, plain or gzipped. Contract ids are exchange:product:kind:period[:right:strike].

    Scanning-based spreads and combinations of XML files are left to the engine: :class:`Unsupported` names what
    was met.
    """
    data = Path(path).read_bytes()
    try:
        if data[:2] == b"\x1f\x8b":
            limit = max(_MAX_RATIO * len(data), _SMALL)
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(limit + 1)
            if len(data) > limit:
                raise ParseError(f"{path}: unpacks to more than {_MAX_RATIO} times its size: refused")
        root = ElementTree.fromstring(data)
    except (OSError, EOFError, zlib.error, ElementTree.ParseError) as error:
        raise ParseError(f"{path}: {error}") from None
    org = root.find("pointInTime/clearingOrg")
    if org is None:
        raise ParseError(f"{path}: no pointInTime/clearingOrg")
    for tag in ("sSpread", "cmb", "clearSpread"):
        if org.find(f".//{tag}") is not None:
            raise Unsupported(f"{path}: {tag} is not read by the reference")
    points = [
        Point(
            _number(p, "priceScanDef/mult"),
            _number(p, "volScanDef/mult"),
            _number(p, "weight"),
            int(_text(p, "pairedPoint")) - 1,
        )
        for p in org.findall("pointDef/scanPointDef")
    ]
    links: dict[tuple[str, str], tuple[str, float]] = {}
    commodities = {}
    for cc in org.findall("ccDef"):
        code = _text(cc, "cc")
        for link in cc.findall("pfLink"):
            links[_text(link, "exch"), _text(link, "pfId")] = code, _number(link, "sc", 1.0)
        adjust = [a for a in cc.findall("adjRate") if _text(a, "r") == _text(a, "baseR")]
        commodities[code] = Commodity(
            code,
            _text(cc, "currency"),
            int(_text(cc, "riskExponent", "0")),
            _text(cc, "capAnov") == "1",
            _text(cc, "wfprMeth", "NORMAL"),
            _text(cc, "somMeth", "GROSS"),
            Combination(),
            _tiers(cc, "scanTiers"),
            _tiers(cc, "intraTiers"),
            _tiers(cc, "interTiers"),
            _tiers(cc, "somTiers"),
            _spreads(cc),
            [SpotRate(_text(s, "pe"), _number(s, "sprd"), _number(s, "outr")) for s in cc.findall("spotRate")],
            levels={k: (1.0, _number(adjust[0], "val")) for k in ("member", "hedger", "speculator")} if adjust else {},
        )
    contracts: dict[str, Contract] = {}

    def add(
        family: ElementTree.Element, exchange: str, kind: str, item: ElementTree.Element, series: ElementTree.Element
    ) -> None:
        link = links.get((exchange, _text(family, "pfId")))
        if link is None:
            return
        array = item.find("ra")
        if array is None:
            return
        code, period = _text(family, "pfCode"), _text(series, "pe")
        right, strike = _text(item, "o"), _text(item, "k")
        name = f"{exchange}:{code}:{kind}:{period}" + (f":{right}:{float(strike):g}" if right else "")
        cvf = _number(series, "cvf") or _number(family, "cvf")
        value = _number(item, "val") if item.find("val") is not None else _number(item, "p") * cvf
        contracts[name] = Contract(
            name,
            link[0],
            kind,
            period,
            [float(a.text or "nan") for a in array.findall("a")],
            _number(array, "d"),
            value,
            _number(series, "scanRate/priceScan"),
            right,
            _text(family, "valueMeth", "EQTY") == "EQTY",
            link[1],
            _number(series, "sc", 1.0),
            _text(family, "currency"),
            product=code,
        )

    for exchange in org.findall("exchange"):
        exch = _text(exchange, "exch")
        for family in exchange:
            kind = _KINDS.get(family.tag)
            if kind is None:
                continue
            for item in [*family.findall("phy"), *family.findall("fut")]:
                add(family, exch, kind, item, item)
            for series in family.findall("series"):
                for option in series.findall("opt"):
                    add(family, exch, kind, option, series)
    rates = {(_text(c, "fromCur"), _text(c, "toCur")): _number(c, "factor") for c in org.findall("curConv")}
    base = next(iter(commodities.values())).currency if commodities else ""
    return Parameters(
        points,
        contracts,
        commodities,
        _spreads(org.find("superSpreads")),
        _spreads(org.find("interSpreads")),
        [],
        rates,
        _text(org, "isContractScale") == "1",
        base,
    )
