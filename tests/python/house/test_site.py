"""The documentation site builds, its links lead somewhere, and it has a place for every public name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

import margincore as mc

ROOT = Path(__file__).parents[3]
PAGES = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))

if not (ROOT / "zensical.toml").is_file():
    pytest.skip("the sources are not here", allow_module_level=True)


class Page(HTMLParser):
    """What a page has and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag != "link" or given.get("rel") == "stylesheet":
            self.targets |= {given[name] for name in ("href", "src") if name in given}


def broken(site: Path) -> list[str]:
    """The links of a built site that lead nowhere in it, as ``page: target``."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    wrong = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links begin at the place of the site, which nobody knows here
            continue
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            to = path.parent / unquote(parts.path) if parts.path else path
            to = to / "index.html" if to.is_dir() else to
            there = to.resolve()
            if not there.is_file() or (parts.fragment and there in pages and parts.fragment not in pages[there].ids):
                wrong.append(f"{path.relative_to(site)}: {target}")
    return sorted(wrong)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does."""
    pytest.importorskip("zensical")
    pytest.importorskip("mkdocstrings_handlers.python")
    work = tmp_path_factory.mktemp("site").resolve()
    shutil.copytree(ROOT / "docs", work / "docs", ignore=shutil.ignore_patterns("pictures"))
    shutil.copytree(ROOT / "python", work / "python", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copytree(ROOT / "tools", work / "tools")
    shutil.copy(ROOT / "zensical.toml", work)
    for command in (["tools/pictures.py"], ["-m", "zensical", "build", "--strict"]):
        done = subprocess.run([sys.executable, *command], cwd=work, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
    return work / "site"


def entries(nav: object) -> Iterator[str]:
    """The pages of a navigation, in its order."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for below in nav.values():
            yield from entries(below)
    elif isinstance(nav, list):
        for below in nav:
            yield from entries(below)


def test_every_page_is_in_the_navigation_once() -> None:
    project = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(entries(project["nav"])) == PAGES


def test_every_link_leads_somewhere(site: Path) -> None:
    assert len(list(site.rglob("*.html"))) > len(PAGES)
    assert broken(site) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text('<a href="a/#here">1</a><a href="a/#there">2</a><img src="b.svg"><p id="x">')
    below = '<p id="here"><a href="..">up</a><a href="../#x">x</a><a href="../c">c</a>'
    (tmp_path / "a" / "index.html").write_text(below)
    assert broken(tmp_path) == ["a/index.html: ../c", "index.html: a/#there", "index.html: b.svg"]


def public_names() -> Iterator[str]:
    """Every public name of the package and of its rooms, as the reference has it."""
    for name in mc.__all__:
        item = getattr(mc, name)
        yield item.__name__ if isinstance(item, ModuleType) else f"margincore.{name}"
        if isinstance(item, ModuleType):
            for member in getattr(item, "__all__", ()):
                found = getattr(item, member)
                if getattr(mc, member, None) is not found:
                    yield found.__name__ if isinstance(found, ModuleType) else f"{item.__name__}.{member}"


def test_every_public_name_has_its_place_in_the_reference(site: Path) -> None:
    pages = [Page(path.read_text(encoding="utf-8")) for path in (site / "reference").rglob("index.html")]
    there = {name for page in pages for name in page.ids}
    # The version is a text, and the readable engines are code to read.
    wanted = {name for name in public_names() if not re.search(r"__version__$|\.reference\.", name)}
    assert len(wanted) > 200
    assert "\n".join(sorted(wanted - there)) == ""


def test_no_docstring_shows_its_markup(site: Path) -> None:
    """Roles are links, and examples blocks of code."""
    for path in (site / "reference").rglob("index.html"):
        text = re.sub(r"<(pre|code)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r":(class|func|meth|mod|attr|data):|&gt;&gt;&gt;|\]\[margincore", text), path


def test_the_readme_is_short_and_its_links_are_files() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    assert len(links) > 20
    assert sorted(link for link in links if not (ROOT / link).is_file()) == []


RECIPES = [
    pytest.param(recipe, id=f"{path.stem}: {recipe.partition(chr(10))[0]}")
    for path in sorted((ROOT / "docs" / "cookbook").glob("*.md"))
    for recipe in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_asks_and_shows_an_answer(recipe: str) -> None:
    assert re.search(r"^\*\*.+\*\*", recipe, flags=re.MULTILINE)
    code = "\n".join(re.findall(r"^```pycon\n(.*?)^```", recipe, flags=re.MULTILINE | re.DOTALL))
    shown = [line for line in code.splitlines() if line and not line.startswith((">>>", "..."))]
    assert shown or ".savefig(" in code


def test_the_cookbook_is_as_long_as_it_says() -> None:
    assert len(RECIPES) >= 25
