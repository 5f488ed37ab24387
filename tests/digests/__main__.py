"""`write FILE` records what this build answers; `compare OLD NEW` says where two records differ."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .record import pricing_digest, world_digest
from .worlds import WORLDS


def write(path: str) -> int:
    record: dict[str, Any] = {"pricing": pricing_digest()}
    books = refusals = 0
    for name in WORLDS:
        record[name] = world_digest(name)
        own = record[name].get("report", {})
        said = sum(isinstance(r, str) for r in own.values())
        books, refusals = books + len(own), refusals + said
        text = json.dumps(record[name], sort_keys=True)
        print(f"{name:28} {len(own):4} books {said:3} refused  {hashlib.sha256(text.encode()).hexdigest()[:16]}")
        if "prepare" in record[name]:
            print("   ", record[name]["prepare"]["0"])
    Path(path).write_text(json.dumps(record, sort_keys=True))
    print(f"{books} books, {refusals} of them refused")
    return 0


def differences(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """The places where two records differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from differences(old.get(key), new.get(key), f"{at}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{at}/{i}")
    elif old != new:
        yield f"{at}: {old!r:.120} -> {new!r:.120}"


def compare(old: str, new: str) -> int:
    first, second = (json.loads(Path(p).read_text()) for p in (old, new))
    wrong = 0
    for name in sorted(first.keys() | second.keys()):
        found = list(differences(first.get(name), second.get(name)))
        wrong += bool(found)
        if found:
            print(f"{name}: {len(found)} differences")
            for line in found[:6]:
                print("   ", line)
    print(f"{len(first) - wrong} of {len(first)} records equal in every bit")
    return 1 if wrong else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", path]:
            sys.exit(write(path))
        case ["compare", old, new]:
            sys.exit(compare(old, new))
        case _:
            sys.exit(__doc__)
