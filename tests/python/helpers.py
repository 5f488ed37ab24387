"""What tests of several rooms share: the folder of data files, and small SPAN files."""

from __future__ import annotations

from pathlib import Path

from margincore.reference import span as ref

DATA = Path(__file__).resolve().parents[1] / "data"


def array_of(scan_range: float) -> list[float]:
    return [round(-p.price * p.weight * scan_range) for p in ref.STANDARD_POINTS]


def future(number: int, period: str, scan_range: float, price: float = 100.0) -> str:
    values = "".join(f"<a>{a}</a>" for a in array_of(scan_range))
    return (
        f"<fut><cId>{number}</cId><pe>{period}</pe><p>{price}</p><scanRate><r>1</r><priceScan>{scan_range}</priceScan>"
        f"</scanRate><ra><r>1</r>{values}<d>1.0</d></ra></fut>"
    )


def spn(organisation: str, families: str, commodities: str, more: str = "", rates: str = "") -> bytes:
    points = "".join(
        f"<scanPointDef><point>{i}</point><priceScanDef><mult>{p.price}</mult></priceScanDef><volScanDef><mult>{p.vol}"
        f"</mult></volScanDef><weight>{p.weight}</weight><pairedPoint>{p.paired + 1}</pairedPoint></scanPointDef>"
        for i, p in enumerate(ref.STANDARD_POINTS, 1)
    )
    return (
        '<?xml version="1.0"?>\n<spanFile><fileFormat>4.00</fileFormat><pointInTime><date>20250601</date>'
        f"<isSetl>1</isSetl><clearingOrg><ec>{organisation}</ec>{rates}<pointDef><r>1</r>{points}</pointDef>"
        f"<exchange><exch>{organisation}</exch>{families}</exchange>{commodities}{more}</clearingOrg></pointInTime>"
        "</spanFile>\n"
    ).encode()


def family(code: str, contracts: str, currency: str = "USD") -> str:
    terms = f"<pfId>{code}</pfId><pfCode>{code}</pfCode><currency>{currency}</currency><cvf>1</cvf>"
    return f"<futPf>{terms}{contracts}</futPf>"


def commodity(code: str, currency: str = "USD", exchange: str = "E", inside: str = "") -> str:
    link = f"<pfLink><exch>{exchange}</exch><pfId>{code}</pfId><sc>1</sc></pfLink>"
    return f"<ccDef><cc>{code}</cc><currency>{currency}</currency>{link}{inside}</ccDef>"


CALENDAR = (
    "<dSpread><spread>1</spread><chargeMeth>F</chargeMeth><rate><r>1</r><val>{rate}</val></rate><tLeg><cc>{cc}</cc>"
    "<tn>0</tn><rs>A</rs><i>1</i></tLeg><tLeg><cc>{cc}</cc><tn>0</tn><rs>B</rs><i>1</i></tLeg></dSpread>"
)
SMALL_SPN = spn("E", family("F", future(1, "202506", 10) + future(2, "202509", 9)),
            commodity("F", inside=CALENDAR.format(cc="F", rate=4)))  # fmt: skip
