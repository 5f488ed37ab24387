"""The page: sections, tables and figures in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import groupby

from margincore._core import amount_text
from margincore._markup import Child, Markup, joined, tag

__all__ = ["absent", "amount", "facts", "figure", "figures", "grouped", "number", "page", "section", "table"]


def number(value: float | None) -> str:
    """Six significant digits, thousands apart; a dash for what is not there."""
    if value is None:
        return "–"
    if value == 0.0:
        return "0"
    if abs(value) < 1e-3:
        return f"{value:.3g}"
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def amount(value: float | None) -> Markup:
    """Money as the engine writes it, a dash for what is not there; a loss or deficit stands out by its sign."""
    return joined("–" if value is None else amount_text(value))


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numbers: Iterable[int] = (),
    wide: Iterable[int] = (),
    code: Iterable[int] = (),
    totals: Iterable[Sequence[Child]] = (),
) -> Markup:
    """A table that scrolls by itself where it is wider than the page; the first column heads its rows."""
    kinds = {i: "n" for i in numbers} | {i: "wide" for i in wide} | {i: "code" for i in code}

    def row(cells: Sequence[Child], kind: str | None = None) -> Markup:
        first, *rest = cells
        others = [tag("td", cell, class_=kinds.get(i)) for i, cell in enumerate(rest, start=1)]
        return tag("tr", tag("th", first, scope="row"), others, class_=kind)

    heads = [tag("th", c, scope="col", class_="n" if kinds.get(i) == "n" else None) for i, c in enumerate(columns)]
    body = tag("tbody", [row(cells) for cells in rows], [row(cells, "total") for cells in totals])
    inside = tag("table", tag("caption", tag("span", caption)), tag("thead", tag("tr", heads)), body)
    return tag("div", inside, class_="scroll", role="region", tabindex=0, aria_label=caption)


def grouped(caption: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[Child]]]) -> Markup:
    """A table under headings: ``(heading, cells)``; the second column is numbers, the last words."""
    body = []
    for heading, group in groupby(rows, key=lambda row: row[0]):
        body.append(tag("tr", tag("th", heading, scope="colgroup", colspan=len(columns), class_="group")))
        for _, (first, value, *rest) in group:
            last = [tag("td", cell, class_="wide" if i == len(rest) - 1 else None) for i, cell in enumerate(rest)]
            body.append(tag("tr", tag("th", first, scope="row"), tag("td", value, class_="n"), last))
    heads = [tag("th", c, scope="col", class_="n" if i == 1 else None) for i, c in enumerate(columns)]
    inside = tag("table", tag("caption", tag("span", caption)), tag("thead", tag("tr", heads)), tag("tbody", body))
    return tag("div", inside, class_="scroll", role="region", tabindex=0, aria_label=caption)


def facts(pairs: Iterable[tuple[str, Child]]) -> Markup:
    """What is known, by name."""
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in pairs])


def figure(name: str, title: str, svg: Markup, caption: Child = None) -> Markup:
    """A figure under its title, which is the drawing's accessible name: `name` is unique on the page."""
    return tag("figure", tag("h3", title, id=f"{name}-t"), svg, tag("figcaption", caption) if caption else None)


def figures(each: Iterable[Markup]) -> Markup:
    return tag("div", list(each), class_="figures")


def absent(text: str) -> Markup:
    """What is not on the page, and why."""
    return tag("p", text, class_="absent")


def section(name: str, title: str, *body: Child) -> Markup:
    return tag("section", tag("h2", title, id=f"{name}-h"), body, id=name, aria_labelledby=f"{name}-h")


def page(title: str, head: Child, sections: Sequence[tuple[str, str, Markup]], foot: Child) -> str:
    """One HTML document: `sections` are (name, title, content)."""
    style = files("margincore.reports").joinpath("style.css").read_text(encoding="utf-8")
    links = [tag("li", tag("a", words, href=f"#{name}")) for name, words, _ in sections]
    document = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", title),
            tag("style", Markup(style)),
        ),
        tag(
            "body",
            tag("header", tag("h1", title), head),
            tag("nav", tag("ul", links), aria_label="Contents"),
            tag("main", [section(*each) for each in sections]),
            tag("footer", foot),
        ),
        lang="en",
    )
    return f"<!doctype html>\n{document}\n"
