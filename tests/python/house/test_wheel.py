"""What the installed distribution carries: the notices that its crates ask for, and no folder of its builder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

tools = pytest.importorskip("tools.notices", reason="the tools are not part of the wheel")

WHEEL = distribution("margincore")


def carried(name: str) -> str:
    """The file of that name, as it was installed."""
    found = [path for path in WHEEL.files or [] if path.name == name]
    assert found, f"no {name} in the distribution"
    return found[0].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def linked() -> dict[tools.Crate, set[tools.Crate]]:
    """Crates of Cargo.lock in an extension that is built on this machine, with those that each uses."""
    if shutil.which("cargo") is None:
        pytest.skip("what is linked is cargo's to say, and cargo is not here")
    return tools.linked([])


def test_every_linked_crate_has_its_notice(linked: dict[tools.Crate, set[tools.Crate]]) -> None:
    contents, *texts = re.split(r"^={3,}\n", carried(tools.NOTICES.name), flags=re.MULTILINE)
    listed = set(re.findall(r"^(\S+ \S+): \S", contents, re.MULTILINE))
    theirs = {str(crate) for crate in linked if not crate.name.startswith("margincore")}
    assert theirs - listed == set(), "`make notices`"
    with_text = {name for text in texts for name in text.splitlines()[0].split(", ")}
    assert theirs - with_text == set()
    assert any(name.startswith("Rust standard library") for name in with_text)


def test_every_linked_crate_is_in_the_bill_of_materials(linked: dict[tools.Crate, set[tools.Crate]]) -> None:
    bill = json.loads(carried(tools.SBOM.name))
    components = [bill["metadata"]["component"], *bill["components"]]
    assert {str(crate) for crate in linked} - {f"{c['name']} {c['version']}" for c in components} == set()
    stated = {(crate["ref"], used) for crate in bill["dependencies"] for used in crate["dependsOn"]}
    assert {(crate.purl, used.purl) for crate in linked for used in linked[crate]} - stated == set(), "`make notices`"


def test_no_file_names_a_folder_of_its_builder() -> None:
    origin = json.loads(WHEEL.read_text("direct_url.json") or "{}")
    if "dir_info" in origin:
        pytest.skip("installed from a folder: pip built it for this machine, `make` builds wheels for others")
    home, root = Path.home(), tools.ROOT
    folders = {
        home,
        root,
        Path(os.environ.get("CARGO_HOME", home / ".cargo")),
        Path(os.environ.get("CARGO_TARGET_DIR", root / "target")),
        Path(tempfile.gettempdir()),
    }
    if shutil.which("rustc"):
        sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True, cwd=root)
        folders.add(Path(sysroot.stdout.strip()))
    folders |= {folder.resolve() for folder in folders}
    # A folder such as /src or /app at the root of the disk reads like a part of a crate's own paths.
    told = [f for f in folders if len(f.parts) > 2 or f in (Path("/root"), Path("/tmp"))]
    needles = [os.fsencode(folder) + os.fsencode(os.sep) for folder in told]
    # Installers add where they took the wheel from, scripts beside it, and compiled Python without a hash.
    files = [f for f in WHEEL.files or [] if f.hash and f.parts[0] != ".." and f.name != "direct_url.json"]
    assert any(f.suffix in (".so", ".pyd") for f in files)
    contents = {str(f): f.read_binary() for f in files}
    assert {(name, needle) for name, content in contents.items() for needle in needles if needle in content} == set()
    # And wherever the builder was.
    trace = re.compile(rb"(?<!/cargo)/registry/src/|path\+file:")
    assert {(name, bytes(hit[0])) for name, content in contents.items() if (hit := trace.search(content))} == set()
