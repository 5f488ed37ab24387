"""A browser shows the page: nothing wider than a telephone, no text cut or on other text, no word in the console.

Needs Chromium. Without one the tests are skipped, unless ``CI`` is set or ``MARGINCORE_ENGINES`` is ``required``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from report_books import BOOKS

import margincore as mc

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = bool(os.environ.get("CI")) or os.environ.get("MARGINCORE_ENGINES") == "required"
pytestmark = pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="there is no Chromium")

# A window is never narrower than 500 pixels: the page is measured in a frame.
FRAME = """<!doctype html><body style="margin:0">
<iframe id="f" src="page.html" style="border:0;width:{width}px;height:900px"></iframe><pre id="found"></pre><script>
document.getElementById("f").addEventListener("load", event => {{
  const page = event.target.contentDocument, root = page.documentElement, found = {{texts: 0, cut: [], over: []}};
  found.width = root.scrollWidth;
  found.paper = getComputedStyle(page.body).backgroundColor;
  found.ink = getComputedStyle(page.body).color;
  found.smallest = 100;
  for (const svg of page.querySelectorAll("svg")) {{
    const box = svg.getBoundingClientRect(), seen = [];
    const title = page.getElementById(svg.getAttribute("aria-labelledby"))?.textContent;
    for (const text of svg.querySelectorAll("text")) {{
      const r = text.getBoundingClientRect(), size = parseFloat(getComputedStyle(text).fontSize);
      found.texts += 1;
      found.smallest = Math.min(found.smallest, size * box.width / svg.viewBox.baseVal.width);
      if (r.left < box.left - 2 || r.right > box.right + 2 || r.top < box.top - 2 || r.bottom > box.bottom + 2)
        found.cut.push(title + ": " + text.textContent);
      for (const [other, words] of seen)
        if (Math.min(r.right, other.right) - Math.max(r.left, other.left) > 2 &&
            Math.min(r.bottom, other.bottom) - Math.max(r.top, other.top) > 3)
          found.over.push(title + ": " + words + " / " + text.textContent);
      seen.push([r, text.textContent]);
    }}
  }}
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script></body>"""


def browsed(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of the browser. It may itself crash on a machine that is short of everything: then once more."""
    assert CHROMIUM is not None, "Chromium is required here: apt-get install chromium"
    switches = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"]
    for _ in range(3):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            command = [CHROMIUM, *switches, "--no-first-run", f"--user-data-dir={profile}", *arguments]
            run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if run.returncode >= 0:
            break
    assert run.returncode == 0, run.stderr
    return run


def shown(folder: Path, html: str, width: int, *more: str) -> dict[str, Any]:
    """What a browser finds in a page at a width; anything it says in its console fails."""
    (folder / "page.html").write_text(html, encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    files = ["--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=20000"]
    run = browsed(*files, *more, "--window-size=1400,1000", "--dump-dom", (folder / "frame.html").as_uri())
    assert "CONSOLE" not in run.stderr
    found = re.search(r'<pre id="found">(.+?)</pre>', run.stdout, re.DOTALL)
    assert found is not None
    result: dict[str, Any] = json.loads(unescape(found[1]))
    return result


@pytest.mark.parametrize("name", ["several", "coin"])
def test_a_page_fits_a_telephone(name: str, tmp_path: Path) -> None:
    account, market, rulebooks = BOOKS[name]()
    page = mc.report(account, market, rulebooks, resolution=(3, 3), title="unbroken" * 20)
    found = shown(tmp_path, page.html, 400)
    assert found["width"] <= 400
    assert found["texts"] > 100
    assert found["cut"] == []
    assert found["over"] == []
    assert found["smallest"] >= 8.5


def test_a_wide_page_is_light_or_dark_as_its_reader(tmp_path: Path) -> None:
    account, market, rulebooks = BOOKS["condor"]()
    page = mc.report(account, market, rulebooks, resolution=(3, 3))
    light = shown(tmp_path, page.html, 1200)
    dark = shown(tmp_path, page.html, 1200, "--blink-settings=preferredColorScheme=0")
    assert (light["paper"], light["ink"]) == ("rgb(255, 255, 255)", "rgb(27, 31, 36)")
    assert (dark["paper"], dark["ink"]) == ("rgb(20, 23, 27)", "rgb(232, 234, 237)")
    for found in (light, dark):
        assert found["width"] <= 1200
        assert found["cut"] == []
        assert found["over"] == []


def test_a_page_prints(tmp_path: Path) -> None:
    account, market, rulebooks = BOOKS["covered call"]()
    mc.report(account, market, rulebooks, resolution=(3, 3), path=tmp_path / "page.html")
    browsed(f"--print-to-pdf={tmp_path / 'page.pdf'}", (tmp_path / "page.html").as_uri())
    content = (tmp_path / "page.pdf").read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    assert content.startswith(b"%PDF")
    assert 3 <= pages <= 12


def test_the_checks_see_what_is_wrong(tmp_path: Path) -> None:
    """A page that is too wide, with text outside its figure and on other text, and one that complains."""
    text = '<text x="{}" y="10" style="font: 10px sans-serif">long enough</text>'
    words = "".join(text.format(x) for x in (80, 0, 10))
    svg = f'<svg viewBox="0 0 100 20" width="100" aria-labelledby="t">{words}</svg>'
    found = shown(tmp_path, f"<!doctype html><body><p style='width:900px'>x</p>{svg}", 400)
    assert found["width"] >= 900
    assert len(found["cut"]) == 1
    assert len(found["over"]) == 1
    with pytest.raises(AssertionError):
        shown(tmp_path, "<!doctype html><script>console.error('no')</script>", 400)
