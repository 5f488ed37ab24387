"""Every reader of outside bytes is handed what breaks readers: only our own errors come out, and soon."""

from __future__ import annotations

import gzip
import json
import random
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import margincore as mc
from helpers import DATA
from margincore import importers
from margincore.importers import text
from margincore.importers.span import exposure_table, lot_sizes, read_positions

SECONDS = 2.0
"""One call takes no longer, on a machine that does other work beside it."""

ACCOUNT = (
    "symbol,quantity,kind,price,vol\nSPXW261218C04700000,-2,,31.50,0.14\n"
    "SPY,300,,,\nIBM,100,stock,97.73,\nUSD,1250.50,cash,,\n"
)
CHAIN = (
    "snapshot,ccy,instrument,forward,index,mark_iv_pct,mark_price_coin\n"
    "2026-01-23,BTC,BTC-30JAN26-90000-C,90100,90000,40,0.02\n2026-01-23,BTC,BTC-30JAN26-90000-P,90100,90000,,1.9e-02\n"
)
RECORDING = (
    "date,instrument_name,expiry_date,strike,type,delta,mark_iv\n"
    "2026-01-23T01:00:00,BTC-30JAN26-90000-C,2026-01-30,90000,call,0.5,40\n"
    "2026-01-23T02:00:00,BTC-30JAN26-90000-C,2026-01-30,90000,call,0.4,41\n"
)
POSITIONS = "symbol,quantity\nSPY,-5\nQQQ,7\n"
LOTS = "symbol,lot\nNIFTY,65\nBANKNIFTY,35\n"
EXPOSURE = "Symbol,Instrument Type,Total applicable ELM%\nABC,OTH,5.25\nABC,OTM,7\n"
DOCUMENT: dict[str, Any] = {
    "account": {
        "positions": [
            {"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"}, "quantity": 100},
            {"symbol": "SPXW  261218C04700000", "quantity": -1},
        ],
        "cash": {"USD": 50000},
    },
    "market": {
        "valuation": "2026-11-20T16:00:00-05:00",
        "spot": {"XYZ": 50.0, "SPX": 4500.0},
        "rate": {"USD": 0.05},
        "vol": {"SPXW261218C04700000": 0.2},
        "forward": [{"underlying": "SPX", "expiry": "2026-12-18T16:00:00-05:00", "price": 4510.0}],
    },
    "methodology": {"name": "tims", "preset": "occ-cpm"},
}
TABLE = {c.id: c for c in (mc.Etf(name, currency="USD") for name in ("SPY", "QQQ"))}


def quotes_chain(path: Path) -> Any:
    return importers.chain(importers.read_cboe_quotes(path), rate=0.05)


def deribit(path: Path) -> Any:
    found = importers.deribit_chain(path, currency="BTC", valuation="2026-01-23T01:00:00Z")
    return found.parity_errors(), importers.model_marks(found)


def stated(path: Path) -> Any:
    return importers.deribit_chain(path, currency="BTC", valuation="2026-01-23T01:00:00Z", spot=90000.0)


def document(path: Path) -> Any:
    return mc.evaluate(importers.read_json(path))


def venue_reply(path: Path) -> Any:
    """The text of the file as a venue's reply, where it is text at all."""
    return mc.methods.Deribit.from_params(text.read_text(path))


READERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "account": (importers.read_account, ACCOUNT),
    "quotes": (quotes_chain, (DATA / "cboe_made_up.csv").read_text()),
    "deribit": (deribit, CHAIN),
    "stated": (stated, CHAIN),
    "recording": (importers.read_recording, RECORDING),
    "positions": (lambda path: read_positions(path, TABLE), POSITIONS),
    "lots": (lot_sizes, LOTS),
    "exposure": (exposure_table, EXPOSURE),
    "document": (document, json.dumps(DOCUMENT)),
    "reply": (venue_reply, '{"price_range": 0.15}'),
}
"""Every public reader of a file, with a small file that it reads."""


def answers(read: Callable[[], Any]) -> str:
    """The kind of answer: the name of our own error, or ``read``. Anything else that is raised goes through."""
    start = time.perf_counter()
    try:
        read()
        kind = "read"
    except mc.MarginError as error:
        kind = type(error).__name__
    assert time.perf_counter() - start < SECONDS
    return kind


def test_the_samples_are_read(tmp_path: Path) -> None:
    for name, (read, sample) in READERS.items():
        if name in ("quotes", "reply"):  # a call without its put, and parameters that are not all there
            continue
        for suffix, data in ((".csv", sample.encode()), (".csv.gz", gzip.compress(sample.encode()))):
            path = tmp_path / f"{name}{suffix}"
            path.write_bytes(data)
            read(path)


def hostile() -> Iterator[tuple[str, str, bytes]]:
    """Files that break readers: a name, the suffix, and the bytes."""
    packed = gzip.compress(ACCOUNT.encode(), mtime=0)
    bad_sum = packed[:-8] + struct.pack("<I", 1) + packed[-4:]
    bad_size = packed[:-4] + struct.pack("<I", 1)
    for name, data in {
        "empty": b"",
        "plain": ACCOUNT.encode(),
        "cut head": packed[:5],
        "cut": packed[:-20],
        "no sum": packed[:-8],
        "no size": packed[:-2],
        "bad sum": bad_sum,
        "bad size": bad_size,
        "garbage behind": packed + b"garbage",
        "half a member behind": packed + packed[:12],
        "zeros only": b"\0" * 100,
        "zip": b"PK\x03\x04" + b"\0" * 60,
        "gz in gz": gzip.compress(packed),
        "method 9": b"\x1f\x8b\x09" + packed[3:],
        "reserved flags": b"\x1f\x8b\x08\xff" + packed[4:],
        "endless name": b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"a" * 100_000,
        "newlines": gzip.compress(b"symbol,quantity\n" + b"\n" * 10_000_000),
        "spaces": gzip.compress(b"{" + b" " * 10_000_000),
        "nulls": gzip.compress(b"\0" * 10_000_000),
        "quote never closed": gzip.compress(b'symbol,quantity\n"' + b"a" * 10_000_000),
        "empty members": gzip.compress(b"") * 5_000,
    }.items():
        yield f"gz: {name}", ".csv.gz", data
    heads = [sample.split("\n")[0] for _, sample in READERS.values() if "\n" in sample]
    for name, content in {
        "nothing": "",
        "a line end": "\n",
        "blank lines": "\r\n" * 1000,
        "blanks": " \t ",
        "mark of order only": "\ufeff",
        "marks of order": "\ufeff\ufeff" + ACCOUNT,
        "quote": '"',
        "open quote": '"symbol,quantity\nSPY,1\n',
        "quote within": 'symbol,quantity\nS"P"Y,1\n"SPY"x,1\n',
        "quoted line end": 'symbol,quantity\n"SPY\n\n",1\n',
        "old line ends": ACCOUNT.replace("\n", "\r"),
        "form feeds": "symbol,quantity\nSPY\f,1\v\n",
        "line separator": "symbol,quantity\nSPY\u2028,1\u0085\n",
        "semicolons": "symbol;quantity\nSPY;1\n",
        "columns only": "symbol,quantity\n",
        "columns twice": "symbol,quantity,symbol\nSPY,1,QQQ\n",
        "no names": ",,,,\n,,,,\n",
        "long cell": "symbol,quantity\n" + "S" * 200_000 + ",1\n",
        "long row": "symbol,quantity\n" + "S," * 600_000 + "\n",
        "long line": "s" * 3_000_000,
        "long quoted rows": "symbol,quantity\n" + '"\n",' * 500_000,
        "large number": "symbol,quantity\nSPY," + "9" * 100_000 + "\n",
        "exponent": "symbol,quantity\nSPY,1e400\n",
        "digits of elsewhere": "symbol,quantity\nSPY,１２\n",
        "NUL": "symbol,quantity\nSPY\0,1\n",
        "blank that is none": "symbol,quantity\n\u00a0SPY,1\n",
        "no width": "symbol,quantity\nS\u200bPY,1\n",
        "backwards": "symbol,quantity\nSPY\u202e,1\n",
        "filler": "symbol,quantity,kind\nSPY\u3164,1,stock\n",
        "markup": "<html><body>Not found</body></html>",
        "object": "{}",
        "list": "[]",
        "cut object": '{"account": {"positions": [',
        "deep object": '{"a":' * 50_000,
        "deep list": "[" * 50_000,
        "deep and whole": '{"account": ' * 500 + "1" + "}" * 500,
        "deep parameters": '{"account": {"positions": []}, "methodology": {"name": "tims", "x": '
        + "[" * 400
        + "]" * 400
        + "}}",
        "key twice": '{"account": {"positions": []}, "account": 1}',
        "not a number": '{"account": NaN}',
        "infinity": '{"account": -Infinity}',
        "too large": '{"account": 1e400}',
        "many digits": '{"account": ' + "9" * 5_000 + "}",
        "many decimals": '{"account": 0.' + "9" * 5_000 + "}",
        "half a character": '{"account": {"positions": [], "cash": {"\\ud800": 1}}}',
        "half a key": '{"\\udfff": 1}',
        "NUL in a key": '{"account": {"positions": [], "cash": {"USD\\u0000": 1}}, "methodology": {"name": "tims"}}',
        "control in text": '{"a\n": 1}',
        "wrong kinds": '{"account": [], "market": 5, "methodology": null}',
        "number for text": json.dumps({**DOCUMENT, "methodology": {"name": 5}}),
        "list for number": json.dumps({**DOCUMENT, "market": {"valuation": [], "spot": {"XYZ": []}}}),
        "unknown rulebook": json.dumps({**DOCUMENT, "methodology": {"name": "\ud800\udc00"}}),
        **{f"columns of {i}": head + "\n" + "," * head.count(",") + "\n" for i, head in enumerate(heads)},
        **{f"column gone of {i}": head.partition(",")[2] + "\nx\n" for i, head in enumerate(heads)},
        **{
            f"NaN under {i}": head + "\n" + ",".join(["nan"] * (1 + head.count(","))) + "\n"
            for i, head in enumerate(heads)
        },
    }.items():
        yield name, ".csv", content.encode()
    for name, data in {
        "UTF-16": ACCOUNT.encode("utf-16"),
        "UTF-16 without mark": ACCOUNT.encode("utf-16-le"),
        "UTF-32": ACCOUNT.encode("utf-32"),
        "Latin-1": ACCOUNT.replace("IBM", "Société").encode("latin-1"),
        "half a character at the end": ACCOUNT.encode() + b"\xe2\x82",
        "half a mark of order": b"\xef\xbb",
        "surrogates": "symbol\ud800".encode("utf-8", "surrogatepass"),
        "overlong": b"symbol,quantity\n\xc0\xaf,1\n",
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "packed without suffix": packed,
    }.items():
        yield name, ".csv", data


HOSTILE = list(hostile())


@pytest.mark.parametrize("reader", READERS)
def test_hostile_files_are_refused_or_read_soon(tmp_path: Path, reader: str) -> None:
    assert len(HOSTILE) > 90
    read = READERS[reader][0]
    for i, (name, suffix, data) in enumerate(HOSTILE):
        path = tmp_path / f"{i}{suffix}"
        path.write_bytes(data)
        answers(lambda path=path: read(path))
        if name.startswith("gz: "):
            assert answers(lambda path=path: read(path)) != "read", name
        path.unlink()


@pytest.mark.parametrize("reader", READERS)
def test_paths_that_are_no_files_are_refused(tmp_path: Path, reader: str) -> None:
    read = READERS[reader][0]
    for path in (
        tmp_path,
        tmp_path / "none.csv",
        tmp_path / "a\0b.csv",
        tmp_path / ("long" * 1000),
        tmp_path / "\udc80",
    ):
        assert answers(lambda path=path: read(path)) == "ParseError"


def mutated(draw: random.Random, data: bytes) -> bytes:
    """A sample with bytes flipped, cut, doubled, moved, or of another sample."""
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        at = draw.randrange(len(out) + 1)
        length = draw.choice((1, 2, 7, 40))
        match draw.randrange(6):
            case 0 if at < len(out):
                out[at] ^= 1 << draw.randrange(8)
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = out[at : at + length]
            case 3:
                out[at:at] = draw.choice(
                    (b"\0", b",", b'"', b"\n", b"\r", b"9" * 30, b"-", b".", b"e9", b"\xff", b"[", b"{")
                )
            case 4:
                del out[at:]
            case _:
                other = draw.choice(list(READERS.values()))[1].encode()
                start = draw.randrange(len(other))
                out[at : at + length] = other[start : start + length]
    return bytes(out)


@pytest.mark.parametrize("reader", READERS)
def test_mutated_files_are_refused_or_read_soon(tmp_path: Path, reader: str) -> None:
    draw = random.Random(f"files {reader}")
    read, sample = READERS[reader]
    plain, packed = sample.encode(), gzip.compress(sample.encode(), mtime=0)
    for i in range(400):
        path = tmp_path / (f"{i}.csv.gz" if i % 4 == 0 else f"{i}.csv")
        path.write_bytes(mutated(draw, packed if i % 4 == 0 else plain))
        answers(lambda path=path: read(path))
        path.unlink()


def refusal(path: Path) -> tuple[int, str]:
    """The most bytes in use while a file is refused, and the message."""
    tracemalloc.start()
    try:
        with pytest.raises(mc.MarginError) as caught:
            importers.read_account(path) if path.name.startswith("a") else importers.read_json(path)
        return tracemalloc.get_traced_memory()[1], str(caught.value)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv.gz", b"symbol,quantity\n" + (b" " * 1000 + b"\n") * 10_000, "more than 200 times its size"),
        ("a.csv.gz", b"symbol,quantity\n" + b"S" * 10_000_000, "a row of more than 65536 characters"),
        ("d.json.gz", b'{"a": "' + b"x" * 10_000_000, "more than 200 times its size"),
        ("a.csv", b"symbol,quantity\n" + b"S" * 20_000_000, "a row of more than 65536 characters"),
        ("a.csv", b"symbol,quantity" + b",x" * 1_000_000 + b"\n", "a row of more than 65536 characters"),
    ],
)
def test_a_file_that_grows_is_refused_before_it_has(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content, 9) if name.endswith(".gz") else content)
    used, message = refusal(path)
    assert words in message
    assert used <= 16 * path.stat().st_size + 2**20


def test_a_small_file_may_repeat_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    content = b"symbol,quantity\nSPY,1\n" + b"\n" * 500_000
    path.write_bytes(gzip.compress(content))
    assert len(content) > text.MAX_RATIO * path.stat().st_size
    assert len(importers.read_account(path).account.positions) == 1


def test_a_file_of_several_members_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    head, rest = ACCOUNT.encode()[:50], ACCOUNT.encode()[50:]
    path.write_bytes(gzip.compress(head) + gzip.compress(b"") + gzip.compress(rest) + b"\0" * 5_000)
    assert len(importers.read_account(path).account.positions) == 3


def test_the_limit_of_size_counts_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_BYTES", 1000)
    for name, data in (("a.csv", ACCOUNT.encode() * 20), ("b.csv.gz", gzip.compress(ACCOUNT.encode() * 20))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(mc.ParseError, match="larger than 1000 bytes"):
            importers.read_account(tmp_path / name)


def test_blocks_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters, line ends and rows that go on in the next block are read as one."""
    lines = 'instrument,"note"\r\nä€💥,"a\r\n\r\nb"\r\r\n\n"x""y",\ufeff\n'
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + lines.encode())
    found = []
    for size in (1, 2, 3, 5, 7, 1000):
        monkeypatch.setattr(text, "_BLOCK", size)
        found.append(list(text.rows(path)))
    assert found[0] == [(1, ["instrument", "note"]), (2, ["ä€💥", "a\r\n\r\nb"]), (7, ['x"y', "\ufeff"])]
    assert all(one == found[0] for one in found)
    blank = "\n" * 40_000 + 'a,"' + "\r\n" * 9_000 + '"\r' + "\r\n" * 30_000 + "b\n"
    path.write_text(blank, newline="")
    assert [line for line, _ in text.rows(path)] == [40_001, 79_002]
    path.write_bytes(b"a,b\n\n\xe2\x82,1\n")
    for size in (1, 2, 6, 1000):
        monkeypatch.setattr(text, "_BLOCK", size)
        with pytest.raises(mc.ParseError, match=r"a\.csv:3: byte 5 is not UTF-8"):
            list(text.rows(path))
