"""Readers of SPAN files: formats that say the same margin the same, containers, several organisations, refusals."""

from __future__ import annotations

import gzip
import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import margincore as mc
from helpers import CALENDAR, SMALL_SPN, array_of, commodity, family, future, spn
from margincore._core import SpanFile
from margincore.methods import Span
from margincore.methods.span import contract_id


def fields(*placed: tuple[int, str]) -> str:
    """A fixed-width line with each text beginning at its column, from 1."""
    line = ""
    for column, text in placed:
        line = line.ljust(column - 1) + text
    return line


def held(source: SpanFile, book: dict[str, int], **options: object) -> mc.MarginReport:
    table = {c.id: c for c in source.contracts()}
    return mc.margin([mc.Position(table[name], q) for name, q in book.items()], None, Span(source, **options))


def test_the_same_content_in_both_formats_gives_the_same_margin() -> None:
    """PC-SPAN once read the ratio of initial to maintenance as 1 in one format (advisory 02-13)."""

    def contract(period: str, scan_range: float, price: int) -> list[str]:
        values = [f"{abs(a):05.0f}{'-' if a < 0 else '+'}" for a in array_of(scan_range)]
        key = [(3, "CME"), (6, "ES"), (16, "ES"), (26, "FUT"), (30, period)]
        return [
            fields((1, "81"), *key, (55, "".join(values[:9])), (123, "N")),
            fields((1, "82"), *key, (55, "".join(values[9:])), (97, "10000+"), (111, f"{price:07d}+")),
        ]

    lines = [
        fields((1, "0"), (3, "CME"), (9, "20250601SF"), (36, "U2"), (75, "M")),
        fields((1, "1"), (3, "CME")),
        fields((1, "2"), (3, "CME"), (7, "ES"), (13, "0USD"), (18, "P"), (23, "ES"), (33, "FUT"), (36, "0")),
        fields((1, "3"), (3, "ES"), (9, "10"), (11, "01202506202506"), (25, "02202509202509"), (69, "100011001250")),
        fields((1, "C"), (3, "ES"), (9, "10"), (11, "01"), (13, "02"), (15, "0000075"), (22, "000101A"),
               (29, "000201B")),
        fields((1, "4"), (3, "ES"), (9, "10"), (11, "01"), (13, "01202506"), (21, "0000005"), (28, "0000009"),
               (63, "0000000")),
        fields((1, "B"), (3, "CME"), (6, "ES"), (16, "FUT"), (19, "202506"), (53, "00600"), (58, "03000"),
               (63, "03300"), (86, "010000")),
        fields((1, "B"), (3, "CME"), (6, "ES"), (16, "FUT"), (19, "202509"), (53, "00540"), (58, "03000"),
               (63, "03300"), (86, "010000")),
        fields((1, "P"), (3, "CME"), (6, "ES"), (16, "FUT"), (34, "002"), (37, "000"), (42, "00005000000000"),
               (66, "USD")),
        *contract("202506", 600, 251100),
        *contract("202509", 540, 252000),
    ]  # fmt: skip
    fixed = SpanFile.parse("".join(line + "\n" for line in lines).encode(), "cme.pa2")
    tiers = "".join(f"<tier><tn>{n}</tn><sPe>{p}</sPe><ePe>{p}</ePe></tier>" for n, p in ((1, 202506), (2, 202509)))
    calendar = CALENDAR.format(cc="ES", rate=75).replace("<tn>0</tn>", "<tn>1</tn>", 1)
    calendar = calendar.replace("<tn>0</tn>", "<tn>2</tn>", 1)
    spot = "<spotRate><r>1</r><pe>202506</pe><sprd>5</sprd><outr>9</outr></spotRate>"
    classes = "".join(
        f"<pbRateDef><r>{r}</r><acctType>{kind}</acctType><isM>{m}</isM></pbRateDef>"
        for r, kind, m in ((1, "M", 1), (1, "H", 1), (1, "S", 1), (1, "M", 0), (2, "H", 0), (3, "S", 0))
    )
    factors = "".join(
        f"<adjRate><r>{r}</r><baseR>1</baseR><val>{v}</val></adjRate>" for r, v in ((2, "1.100"), (3, "1.250"))
    )
    inside = f"{factors}<intraTiers>{tiers}</intraTiers>{calendar}{spot}"
    contracts = future(1, "202506", 600, 2511.0) + future(2, "202509", 540, 2520.0)
    xml = SpanFile.parse(
        spn("CME", family("ES", contracts), commodity("ES", exchange="CME", inside=inside), rates=classes), "cme.spn"
    )
    assert fixed.ids() == xml.ids()
    assert fixed.arrays().tolist() == xml.arrays().tolist()
    for kind, ratio in (("member", 1.0), ("hedger", 1.1), ("speculator", 1.25)):
        reports = []
        for file in (fixed, xml):
            table = {c.id: c for c in file.contracts()}
            book = [mc.Position(table["CME:ES:FUT:202506"], 3), mc.Position(table["CME:ES:FUT:202509"], -2)]
            reports.append(mc.margin(mc.Account(book, kind=kind), None, Span(file)))
        got, want = ([(a.component, a.initial, a.maintenance) for a in r.lines] for r in reports)
        assert got == want
        # 3 x 600 - 2 x 540, two calendars at 75, two deltas in spreads at 5 and one outright at 9.
        assert reports[0].requirement.maintenance == 720.0 + 150.0 + 19.0
        assert reports[0].requirement.initial == pytest.approx(ratio * 889.0, rel=1e-14)


def test_several_organisations_and_currencies_in_one_account(tmp_path: Path) -> None:
    legs = [
        f"<{tag}><ec>{ec}</ec><cc>{cc}</cc><tn>0</tn><rs>{side}</rs><i>1</i><rate><r>1</r><val>{rate}</val></rate></{tag}>"
        for tag, ec, cc, side, rate in (("homeLeg", "ONE", "X", "A", 0.5), ("awayLeg", "TWO", "Y", "B", 0.4))
    ]
    spread = f"<interClearSpreads><clearSpread><spread>1</spread>{''.join(legs)}</clearSpread></interClearSpreads>"
    dollars = "<curConv><fromCur>EUR</fromCur><toCur>USD</toCur><factor>1.1</factor></curConv>"
    one = spn("ONE", family("X", future(1, "202506", 100)), commodity("X", exchange="ONE"), spread, dollars)
    two = spn("TWO", family("Y", future(1, "202506", 80), "EUR"), commodity("Y", "EUR", "TWO"))
    paths = [tmp_path / "one.spn", tmp_path / "two.spn"]
    for path, data in zip(paths, (one, two), strict=True):
        path.write_bytes(data)
    book = {contract_id("X", "202506", exchange="ONE"): 2, contract_id("Y", "202506", exchange="TWO"): -3}
    report = held(SpanFile(paths), book)
    # Two inter-exchange spreads: 2 x 100 x 0.5 dollars and 2 x 80 x 0.4 euros.
    got = {(line.scope, line.component): line.initial for line in report.lines}
    assert got == {("X", "scan"): 200.0, ("X", "inter_exchange_credit"): -100.0,
                   ("Y", "scan"): 240.0, ("Y", "inter_exchange_credit"): -64.0}  # fmt: skip
    assert report.requirement.initial == pytest.approx(100.0 + 1.1 * 176.0, rel=1e-14)
    assert report.details["commodities"]["Y"]["nReq"]["iex"] == 64.0
    # One organisation alone has no spread to form; the other's contracts are not in it.
    assert held(SpanFile(paths[0]), {contract_id("X", "202506", exchange="ONE"): 2}).requirement.initial == 200.0
    # Two files beside each other, each a rulebook of its own: no spread between them.
    apart = mc.methods.Combined([
        (lambda c: c.id.startswith("ONE:"), Span(paths[0])),
        (lambda c: c.id.startswith("TWO:"), Span(paths[1], base_currency="EUR")),
    ])  # fmt: skip
    table = {c.id: c for c in SpanFile(paths).contracts()}
    account = [mc.Position(table[name], q) for name, q in book.items()]
    market = mc.Market("2025-06-01T20:00:00Z", fx={"EURUSD": 1.1})
    try:
        both = mc.margin(account, market, apart)
    except mc.MarginError:
        both = mc.margin(account, None, apart)
    assert {line.initial for line in both.lines if line.component == "scan"} == {200.0, 240.0}


def test_files_that_do_not_belong_together_are_not_merged(tmp_path: Path) -> None:
    (tmp_path / "a.spn").write_bytes(SMALL_SPN)
    (tmp_path / "b.spn").write_bytes(SMALL_SPN.replace(b"20250601", b"20250602").replace(b"<cc>F<", b"<cc>G<"))
    (tmp_path / "c.spn").write_bytes(SMALL_SPN)
    with pytest.raises(mc.InvalidInput, match="20250602"):
        SpanFile([tmp_path / "a.spn", tmp_path / "b.spn"])
    with pytest.raises(mc.Unsupported, match="commodity F is in two of the files"):
        SpanFile([tmp_path / "a.spn", tmp_path / "c.spn"])


def zipped(*entries: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


def test_zipped_and_gzipped_files_are_the_file() -> None:
    plain = SpanFile.parse(SMALL_SPN, "small.spn")
    for data, name in ((zipped(("small.spn", SMALL_SPN)), "small.zip"), (gzip.compress(SMALL_SPN), "small.spn.gz")):
        file = SpanFile.parse(data, name)
        assert file.info == plain.info
        assert file.arrays().tolist() == plain.arrays().tolist()
    for bad, why in (
        (zipped(("a.spn", SMALL_SPN), ("b.spn", SMALL_SPN)), "two files"),
        (zipped(("../a.spn", SMALL_SPN)), "leaves the archive"),
        (zipped(("a.zip", zipped(("a.spn", SMALL_SPN)))), "archive inside an archive"),
        (zipped(("a.spn.gz", gzip.compress(SMALL_SPN))), "archive inside an archive"),
        (zipped(), "without a file"),
        (zipped(("a.spn", b" " * (80 << 20))), "refused"),
    ):
        with pytest.raises(mc.ParseError, match=why):
            SpanFile.parse(bad, "bad.zip")


LEG = "<{tag}><cc>F</cc>{which}<rs>{side}</rs><i>1</i></{tag}>"


@pytest.mark.parametrize(
    ("inside", "named"),
    [
        (
            CALENDAR.format(cc="F", rate=4).replace(
                "</dSpread>", "<volRate><rate><r>1</r><val>1</val></rate></volRate></dSpread>"
            ),
            "volRate",
        ),
        (CALENDAR.format(cc="F", rate=4).replace("<chargeMeth>", "<spreadType>DELATVOL</spreadType><chargeMeth>"),
         "spreadType DELATVOL"),
        (CALENDAR.format(cc="F", rate=4).replace("</dSpread>", CALENDAR.format(cc="F", rate=1) + "</dSpread>"),
         "dSpread"),
        (
            "<dSpread><spread>1</spread><chargeMeth>F</chargeMeth><rate><r>1</r><val>4</val></rate>"
            + LEG.format(tag="rpLeg", which="<rpNum>1</rpNum>", side="A")
            + LEG.format(tag="rpLeg", which="<rpNum>2</rpNum>", side="B")
            + "</dSpread>",
            "rpLeg",
        ),
    ],
)  # fmt: skip
def test_spreads_that_nothing_explains_are_refused_when_they_form(inside: str, named: str) -> None:
    file = SpanFile.parse(spn("E", family("F", future(1, "202506", 10) + future(2, "202509", 9)),
                              commodity("F", inside=inside)), "x.spn")  # fmt: skip
    assert held(file, {"E:F:FUT:202506": 2}).requirement.initial == 20.0
    with pytest.raises(mc.Unsupported, match=named):
        held(file, {"E:F:FUT:202506": 2, "E:F:FUT:202509": -2})


@pytest.mark.parametrize(
    ("inside", "named"),
    [
        ("<concAdjRate><val>1.5</val></concAdjRate>", "concAdjRate"),
        ("<procMeth>LIQUIDATION</procMeth>", "procMeth LIQUIDATION"),
        ("<basisRates><rate><r>1</r><val>2</val></rate></basisRates>", "basisRates"),
        ("<liqRate><r>1</r><specificRate>1</specificRate><genericRate>1</genericRate></liqRate>", "liqRate"),
        ("<rateTiers><tier><tn>1</tn><rate><r>1</r><val>2</val></rate></tier></rateTiers>", "rateTiers"),
    ],
)
def test_commodities_that_nothing_explains_are_refused_when_held(inside: str, named: str) -> None:
    commodities = commodity("F", inside=inside) + commodity("G")
    families = family("F", future(1, "202506", 10)) + family("G", future(1, "202506", 10))
    file = SpanFile.parse(spn("E", families, commodities), "x.spn")
    assert held(file, {"E:G:FUT:202506": 2}).requirement.initial == 20.0
    with pytest.raises(mc.Unsupported, match=named):
        held(file, {"E:F:FUT:202506": 2})


def test_rate_tiers_without_rates_only_group_months() -> None:
    tiers = "<rateTiers><tier><tn>1</tn><sPe>202506</sPe><ePe>202509</ePe></tier></rateTiers>"
    file = SpanFile.parse(spn("E", family("F", future(1, "202506", 10)), commodity("F", inside=tiers)), "x.spn")
    assert held(file, {"E:F:FUT:202506": 2}).requirement.initial == 20.0


def test_a_file_is_parsed_once_and_a_rulebook_over_it_is_pickled_with_it(tmp_path: Path) -> None:
    path = tmp_path / "small.spn"
    path.write_bytes(SMALL_SPN)
    span = Span(path)
    assert Span.file(span) is Span.file(Span.file(span))
    table = Span.contracts(span)
    path.unlink()
    copy = pickle.loads(pickle.dumps(span))
    book = [mc.Position(table[0], 2), mc.Position(table[1], -1)]
    want = mc.margin(book, None, span)
    assert mc.margin(book, None, copy).to_dict() == want.to_dict()
    assert want.requirement.initial == 2 * 10.0 - 9.0 + 4.0
    assert Span(Span.file(span), digest=want.parameters["digest"]).parameters == want.parameters
    with pytest.raises(mc.InvalidInput, match="the file has changed"):
        Span(Span.file(span), digest="0" * 64)
    Span.save_cache(span, tmp_path / "small.cache")
    assert mc.margin(book, None, Span(tmp_path / "small.cache")).to_dict() == want.to_dict()
    with pytest.raises(mc.InvalidInput, match="has no file"):
        Span.file(Span.from_document({"extreme": [3.0, 0.33], "contracts": [], "commodities": []}))


def test_a_rulebook_is_made_from_its_file_in_every_form(tmp_path: Path) -> None:
    path = tmp_path / "small.spn"
    path.write_bytes(SMALL_SPN)
    digest = Span(path).parameters["digest"]
    for source in (str(path), [path], Span.file(path), Span(path)):
        assert Span(source).parameters["digest"] == digest  # type: ignore[arg-type]
    same = Span.from_file(path, anov="capped")
    assert type(same) is Span
    assert same.to_dict() == Span(path, anov="capped").to_dict() == {"name": "span", "options": {"anov": "capped"}}
    with pytest.raises(mc.MarginError, match=r"missing\.spn"):
        Span(tmp_path / "missing.spn")
    with pytest.raises(mc.InvalidInput, match=r"Span\.from_document\(parameters\)"):
        Span({"contracts": []})  # type: ignore[arg-type]


def test_parsing_takes_at_most_four_times_the_file_s_memory(tmp_path: Path) -> None:
    values = "".join(f"<a>{a}.25</a>" for a in array_of(3000))
    options = "".join(
        f"<opt><cId>{k}</cId><o>C</o><k>{k}</k><p>1.5</p><v>0.2</v><ra><r>1</r>{values}<d>0.5</d></ra></opt>\n"
        for k in range(1, 40_001)
    )
    family_ = f"<oopPf><pfId>F</pfId><pfCode>F</pfCode><cvf>1</cvf><series><pe>202506</pe>{options}</series></oopPf>"
    path = tmp_path / "large.spn"
    path.write_bytes(spn("E", family_, commodity("F")))
    program = (
        "import resource, sys; from margincore._core import SpanFile\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); file = SpanFile(sys.argv[1]); print(len(file), (peak() - before) * 1024)"
    )
    out = subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True)
    contracts, grown = map(int, out.stdout.split())
    assert contracts == 40_000
    assert grown <= 4 * path.stat().st_size
