"""Figures as inline SVG whose colours are the page's: drawn in stand-in colours, each replaced by a property of CSS."""

from __future__ import annotations

import io
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from margincore._markup import Markup, tag
from margincore.analysis.plot.surfaces import BANDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap

__all__ = ["WIDTH", "bands", "drawn", "stand_ins"]

WIDTH = 4.3
"""Inches of every figure: narrow, so that its text is legible on a telephone."""
SERIES = 9
_SIZE = 9.5


class _Turns:
    """Figures are drawn one at a time, each in a style of its own: matplotlib keeps one for the whole process.

    A fork copies the lock and the style, but not the thread that draws and would give both back: a child gets a lock
    of its own, and the style there was before.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.before: Any = None  # matplotlib's settings, whose keys its types know by heart
        register = getattr(os, "register_at_fork", None)  # a system without forks has none
        if register is not None:
            register(after_in_child=self.forked)

    @contextmanager
    def styled(self, style: dict[str, Any]) -> Iterator[None]:
        """Nothing of the style that the process uses: the page looks the same whatever that is."""
        from matplotlib import rcParams
        from matplotlib.style import context

        with self.lock:
            self.before = {key: value for key, value in rcParams.copy().items() if key != "backend"}
            try:
                with context(["default", style]), _quiet():
                    yield
            finally:
                self.before = None

    def forked(self) -> None:
        """What a child does first."""
        self.lock = threading.Lock()
        if self.before is not None:
            from matplotlib import rcParams

            rcParams.update(self.before)
            self.before = None


_TURNS = _Turns()


def stand_ins() -> dict[str, str]:
    """Stand-in colours by the property of CSS that replaces them: no two alike, none that a drawing uses by itself."""
    names = ["ink", "faint", "paper", *(f"s{i}" for i in range(SERIES))]
    names += [f"{scale}{i}" for scale in "dq" for i in range(BANDS)]
    return {name: f"#fe{i:02x}fd" for i, name in enumerate(names)}


def _style() -> dict[str, Any]:
    from cycler import cycler

    colour = stand_ins()
    ink = colour["ink"]
    style: dict[str, Any] = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color", "axes.edgecolor"), ink
    )
    style |= {
        "axes.prop_cycle": cycler(color=[colour[f"s{i}"] for i in range(SERIES)]),
        "axes.facecolor": "none",
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.linewidth": 0.7,
        "figure.facecolor": colour["paper"],
        "font.size": _SIZE,
        "axes.labelsize": _SIZE,
        "xtick.labelsize": _SIZE - 0.5,
        "ytick.labelsize": _SIZE - 0.5,
        "grid.color": colour["faint"],
        "svg.fonttype": "none",
        "savefig.facecolor": "none",
    }
    return style


def bands(profit: bool) -> ListedColormap:
    """The stand-in colours of a heat map: losses to gains, or little to much."""
    from matplotlib.colors import ListedColormap

    colour = stand_ins()
    return ListedColormap([colour[f"{'d' if profit else 'q'}{i}"] for i in range(BANDS)])


@contextmanager
def _quiet() -> Iterator[None]:
    """Text is measured with matplotlib's font and shown with the reader's, which may have more letters."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def drawn(name: str, description: str, draw: Callable[[Axes], Any], height: float = 3.4) -> Markup:
    """What `draw` makes on axes, as an SVG element with a description.

    `name` is unique on the page: that of the :func:`margincore.reports.page.figure` whose title is the element's too.
    """
    from matplotlib.figure import Figure

    out = io.StringIO()
    with _TURNS.styled({**_style(), "svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)  # once: saving would draw the whole figure for it
            figure.set_layout_engine("none")
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(out.getvalue(), name, description)


def _inline(text: str, name: str, description: str) -> Markup:
    body = text[text.index("<svg") :]
    head, _, body = body.partition(">")
    box = re.search(r'viewBox="([^"]+)"', head)
    body = body.rpartition("</svg>")[0]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    used = set(re.findall(r"#([A-Za-z_][\w.-]*)", body))
    # Names of groups repeat in every figure, and nothing refers to them.
    body = re.sub(r'\s+id="([^"]+)"', lambda m: m[0] if m[1] in used else "", body)
    body = re.sub(r"font: (?:[\w-]+ )*?([\d.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", body)
    for variable, colour in stand_ins().items():
        body = body.replace(colour, f"var(--{variable})")
    body = re.sub(r">\s+<", "><", body).replace("xlink:href", "href")
    return tag(
        "svg",
        tag("desc", description, id=f"{name}-d"),
        Markup(body.strip()),
        role="img",
        aria_labelledby=f"{name}-t",
        aria_describedby=f"{name}-d",
        viewBox=box[1] if box else None,
    )
