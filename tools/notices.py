"""Writes what a wheel says of the crates inside it, from Cargo.lock: `make notices`, whenever a linked crate changes.

Both files are committed, so that every build has them, of whatever tool and without a network. The bill of materials is
ours and not maturin's, which names the folder that it was built in and crates that no wheel has.
"""

from __future__ import annotations

import functools
import html
import json
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NOTICES = ROOT / "THIRD-PARTY-NOTICES.txt"
SBOM = ROOT / "rust/python/margincore-python.cyclonedx.json"
EXTENSION = "margincore-python"
# What wheels are built for; a crate of one of them is listed for all.
TARGETS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
LEGAL = re.compile(r"[\w.-]*(licen[cs]e|copying|copyright|notice)[\w.-]*", re.IGNORECASE)


class Crate(NamedTuple):
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def purl(self) -> str:
        return f"pkg:cargo/{self.name}@{self.version}"


class Notice(NamedTuple):
    """What one part of the binary asks for: a line of the list, and its texts."""

    name: str
    terms: str
    texts: list[str]


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout


def linked(targets: Iterable[str]) -> dict[Crate, set[Crate]]:
    """Crates whose code is in the extension for one of the targets (this machine, if none is named), with those that
    each of them uses, the extension first. Macros and what builds them leave nothing in it. Cargo's tree knows this;
    its metadata adds up the features of tests and benches."""
    tree = output(
        "cargo", "tree", "--locked", "--package", EXTENSION, "--edges", "normal,no-proc-macro", "--prefix", "depth",
        *(f"--target={target}" for target in targets),
    )  # fmt: skip
    crates: dict[Crate, set[Crate]] = {}
    above: list[Crate] = []
    for depth, name, version in re.findall(r"^(\d+)([\w-]+) v(\S+)", tree, re.MULTILINE):
        crate = Crate(name, version)
        crates.setdefault(crate, set())
        del above[int(depth) :]
        if above:
            crates[above[-1]].add(crate)
        above.append(crate)
    return crates


@functools.cache
def packages() -> dict[Crate, dict[str, Any]]:
    metadata = json.loads(output("cargo", "metadata", "--locked", "--format-version=1"))
    return {Crate(p["name"], p["version"]): p for p in metadata["packages"]}


def spdx(terms: str) -> str:
    """A licence expression without the slash of old manifests."""
    return re.sub(r"\s*/\s*", " OR ", terms)


def of_crates() -> Iterator[Notice]:
    for crate in sorted(linked(TARGETS)):
        package = packages()[crate]
        if package["source"] is None:
            continue  # ours: LICENSE-MIT and LICENSE-APACHE
        folder = Path(package["manifest_path"]).parent
        files = [p for p in sorted(folder.rglob("*")) if LEGAL.fullmatch(p.name) and p.suffix in ("", ".md", ".txt")]
        texts = [p.read_text(encoding="utf-8") for p in files if p.is_file()]
        yield Notice(str(crate), f"{spdx(package['license'])}, {package['repository']}", texts)


def of_rust() -> Iterator[Notice]:
    """The standard library and the crates linked into it, from the toolchain's own notices. Those of the library leave
    out the crates that print backtraces; those of the compiler, in other versions of the same texts, do not."""
    docs = Path(output("rustc", "--print", "sysroot").strip(), "share/doc/rust")
    release = output("rustc", "--version").split()[1]
    texts = [
        (docs / f"licenses/{name}.txt").read_text(encoding="utf-8")
        for name in ("MIT", "Apache-2.0", "LLVM-exception", "Unicode-3.0")
    ]
    library = (docs / "COPYRIGHT-library.html").read_text(encoding="utf-8")
    preamble = library[library.index('<h2 id="longer-version">') : library.index('<h2 id="out-of-tree-dependencies">')]
    preamble = re.sub(r"\s*\n\s*", "\n", html.unescape(re.sub("<[^>]+>", "", preamble)))
    yield Notice(f"Rust standard library {release}", "MIT OR Apache-2.0, https://www.rust-lang.org", [preamble, *texts])

    folder = Path(output("rustc", "--print", "target-libdir").strip())
    names = {re.sub(r"^lib(.*)-[^-]*$", r"\1", p.stem).replace("_", "-") for p in folder.glob("*.rlib")}
    names |= {"libm"}  # in compiler_builtins
    names -= {"getopts", "rustc-literal-escaper"}  # of the harness of tests, of macros
    sections: dict[str, Notice] = {}
    for source in ((docs / "COPYRIGHT.html").read_text(encoding="utf-8"), library):
        for section in source.split("<h3>")[1:]:
            name = re.sub(r"^\W*([\w-]+?)-\d\S*</h3>.*", r"\1", section, flags=re.DOTALL)
            if name.replace("_", "-") in names:
                expression, *found = re.findall(r"<b>License:</b> (.*?)</p>|<pre>(.*?)</pre>", section, re.DOTALL)
                sections[name] = Notice(
                    f"{name} (in the Rust standard library)",
                    f"{spdx(expression[0])}, https://crates.io/crates/{name}",
                    [html.unescape(text) for _, text in found],
                )
    yield from (sections[name] for name in sorted(sections))


def notices() -> str:
    parts = [*of_crates(), *of_rust()]
    without = [part.name for part in parts if not part.texts]
    if without:
        raise SystemExit(f"no licence text found: {', '.join(without)}")
    texts: dict[str, tuple[str, list[str]]] = {}
    for part in parts:
        for text in part.texts:
            _, names = texts.setdefault(" ".join(text.split()), (text, []))
            if part.name not in names:
                names.append(part.name)
    pages = [
        "Third-party notices of margincore\n\n"
        "The compiled extension holds code of the crates below, each under its own terms. Their texts follow, each\n"
        "once, under the names of the crates that have it.\n\n"
        + "\n".join(f"{part.name}: {part.terms}" for part in parts)
    ]
    for text, names in texts.values():
        lines = [line.rstrip() for line in text.strip("\n").splitlines()]
        pages.append("\n".join([", ".join(names), "", *lines]))
    return f"\n\n{'=' * 120}\n".join(pages) + "\n"


def sbom() -> dict[str, Any]:
    """CycloneDX 1.5, without a date or a serial number: the same crates, the same file."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    checksums = {Crate(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}

    def component(crate: Crate) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": "library",
            "bom-ref": crate.purl,
            "name": crate.name,
            "version": crate.version,
            "licenses": [{"expression": spdx(packages()[crate]["license"])}],
            "purl": crate.purl,
        }
        if checksums[crate]:
            found["hashes"] = [{"alg": "SHA-256", "content": checksums[crate]}]
        return found

    crates = linked(TARGETS)
    extension = next(iter(crates))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(extension)},
        "components": [component(crate) for crate in sorted(crates) if crate != extension],
        "dependencies": [
            {"ref": crate.purl, "dependsOn": [used.purl for used in sorted(crates[crate])]} for crate in sorted(crates)
        ],
    }


if __name__ == "__main__":
    NOTICES.write_text(notices(), encoding="utf-8")
    SBOM.write_text(json.dumps(sbom(), indent=1) + "\n", encoding="utf-8")
