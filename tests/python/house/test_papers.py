"""The papers name what is there: files and tests of the rulebooks' tables, and of `docs/`."""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RULEBOOKS = sorted((ROOT / "rust" / "rulebooks").glob("*/README.md"))
DOCS = sorted((ROOT / "docs").rglob("*.md"))
SUFFIXES = (".rs", ".py", ".pyi", ".json", ".md", ".toml", ".yml")

if not (ROOT / "Cargo.toml").is_file():
    pytest.skip("the sources are not here", allow_module_level=True)


def tokens(text: str) -> Iterator[str]:
    """What stands between single backquotes outside of blocks of code, braces spelt out."""
    for token in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        parts = re.split(r"\{([^{}]*)\}", token)
        choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
        yield from ("".join(choice) for choice in product(*choices))


def is_path(token: str) -> bool:
    return token.endswith(SUFFIXES) and " " not in token and "NAME" not in token and token not in SUFFIXES


def is_there(token: str, room: Path) -> bool:
    """By the room, its sources, the project or the package, or under a test's or file's own name anywhere in them."""
    for folder in (room, room / "src", ROOT, ROOT / "python" / "margincore", ROOT / "rust" / "engine" / "src"):
        if any(folder.glob(token)):
            return True
    return any(any(folder.rglob(token)) for folder in (ROOT / "tests", room, ROOT / "python" / "margincore"))


@pytest.mark.parametrize("paper", [*RULEBOOKS, *DOCS], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(paper: Path) -> None:
    named = {token for token in tokens(paper.read_text()) if is_path(token)}
    assert named or paper not in RULEBOOKS
    assert sorted(token for token in named if not is_there(token, paper.parent)) == []


@pytest.mark.parametrize("paper", [*RULEBOOKS, *DOCS], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_test_that_is_named_is_there(paper: Path) -> None:
    written = "\n".join(path.read_text() for path in (ROOT / "tests" / "python").rglob("test_*.py"))
    named = {token for token in tokens(paper.read_text()) if re.fullmatch(r"test_\w+", token)}
    missing = {token for token in named if not re.search(rf"def {token}(_\w+)?\(", written)}
    assert sorted(missing) == []


SOURCES = sorted(
    path
    for room in ("python", "rust", "tools", "benches")
    for path in (ROOT / room).rglob("*")
    if path.suffix in (".py", ".pyi", ".rs") and "target" not in path.parts
)
PATH = re.compile(r"(?<![\w/.-])(?:docs|rust|python|tests|tools|benches)/[\w./-]+\.(?:md|rs|pyi?|json|toml)\b")


def test_every_file_that_the_sources_name_is_there() -> None:
    """In docstrings, comments and messages, of Python and of Rust; a line with a repository speaks of its files."""
    named = {
        (path.relative_to(ROOT).as_posix(), token)
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if "github.com/" not in line and "NAME" not in line
        for token in PATH.findall(line)
    }
    assert len({token for _, token in named}) > 10
    assert sorted((path, token) for path, token in named if not (ROOT / token).is_file()) == []


@pytest.mark.parametrize("paper", [*RULEBOOKS, *DOCS, ROOT / "README.md"], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_paper_writes_where_its_reader_did_not_say(paper: Path) -> None:
    assert re.findall(r"(?<![\w.])(?:/tmp|/home|/Users|~|[A-Z]:\\)/?\w*", paper.read_text(encoding="utf-8")) == []


def rows(text: str) -> Iterator[list[str]]:
    """The rows of tables whose head begins with `rule`."""
    for table in re.findall(r"^\| rule \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, flags=re.MULTILINE):
        for line in table.splitlines():
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize("paper", RULEBOOKS, ids=lambda p: p.parent.name)
def test_every_rule_has_its_file_and_its_test(paper: Path) -> None:
    table = list(rows(paper.read_text()))
    assert len(table) > 5
    assert [row for row in table if len(row) != 4 or not row[1] or not row[2]] == []


@pytest.mark.parametrize("paper", RULEBOOKS, ids=lambda p: p.parent.name)
def test_every_file_of_a_rulebook_is_in_its_readme(paper: Path) -> None:
    """A rule nobody can look up is a rule nobody checks."""
    text = " ".join(tokens(paper.read_text()))
    sources = [p for p in (paper.parent / "src").glob("*.rs") if p.name not in ("lib.rs", "tests.rs")]
    assert sorted(p.name for p in sources if not re.search(rf"\b{p.stem}(\.rs|/| |$)", text)) == []


PRESETS = [*sorted((ROOT / "rust" / "rulebooks").glob("*/presets/*.json")), ROOT / "rust/engine/presets/house.json"]


@pytest.mark.parametrize("path", PRESETS, ids=lambda p: p.name)
def test_every_preset_says_when_it_took_effect_and_by_whom(path: Path) -> None:
    presets = {preset["name"]: preset for preset in json.loads(path.read_text())}
    for name, preset in presets.items():
        # One that states what it changes of another has the other's version and date, and a source of its own.
        whole = {**presets.get(preset.get("extends"), {}), **preset}
        assert all(isinstance(whole.get(key), str) and whole[key] for key in ("version", "effective")), name
        assert preset.get("source"), name


def test_the_recipes_quote_the_toy_rulebook() -> None:
    toy = re.sub(r"\s+", "", (ROOT / "tests" / "rust" / "toy.rs").read_text())
    quoted = re.findall(r"```rust\n(.*?)```", (ROOT / "docs" / "contributing.md").read_text(), flags=re.DOTALL)
    assert len(quoted) == 2
    # rustfmt may break a closure over lines, in braces.
    plain = re.sub(r"&\|\|\{(.*?)\}\)", r"&||\1)", toy)
    assert [block for block in quoted if re.sub(r"\s+", "", block) not in plain] == []


def test_a_recipe_s_test_notices_what_is_missing() -> None:
    assert not is_there("src/no_such_file.rs", RULEBOOKS[0].parent)
    assert list(tokens("`a/{b,c}.rs` and `x`")) == ["a/b.rs", "a/c.rs", "x"]


@pytest.mark.parametrize("paper", RULEBOOKS, ids=lambda p: p.parent.name)
def test_tests_in_the_file_are_there(paper: Path) -> None:
    without = []
    for rule, files, tests, _ in rows(paper.read_text()):
        if "in the file" in tests:
            written = [(paper.parent / file).read_text() for file in tokens(files) if (paper.parent / file).is_file()]
            without += [] if any("#[test]" in text for text in written) else [rule]
    assert without == []


def test_short_names_of_span_tests() -> None:
    paper = ROOT / "rust" / "rulebooks" / "span" / "README.md"
    short = {token for row in rows(paper.read_text()) for token in tokens(row[2]) if token.isidentifier()}
    short = {token for token in short if not token.startswith("test_")}
    assert {"files", "rules", "properties"} <= short
    assert [name for name in sorted(short) if not is_there(f"test_span_{name}.py", paper.parent)] == []
