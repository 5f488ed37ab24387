"""What all pictures share: axes to draw on, numbers on them, a legend that hides nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["amounts", "axes", "faint", "legend", "listed", "moves", "plain", "quoted", "short"]


def axes(ax: Axes | None, size: tuple[float, float] = (7.0, 4.4)) -> Axes:
    """The axes given, or new ones of so many inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def faint() -> Any:
    """The colour of lines that only guide the eye, in the style in use."""
    from matplotlib import rcParams

    return rcParams["grid.color"]


def amounts(axis: Any) -> None:
    """Thousands apart, and as many decimals as tell the ticks from each other."""

    def text(value: float, _: int | None = None) -> str:
        low, high = axis.get_view_interval()
        step = abs(high - low) / 8.0
        decimals = 0 if step >= 1.0 or step == 0.0 else min(8, 1 - math.floor(math.log10(step)))
        said = f"{value:,.{decimals}f}"
        return said.rstrip("0").rstrip(".") if "." in said else said

    axis.set_major_formatter(text)


def quoted(price: float) -> str:
    """A price in words: six significant digits, thousands apart."""
    decimals = max(0, 5 - math.floor(math.log10(abs(price)))) if price else 0
    said = f"{price:,.{min(decimals, 8)}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def moves(axis: Any) -> None:
    """Fractions as signed percentages; none without a sign."""
    axis.set_major_formatter(lambda value, _=None: f"{100.0 * value:+.4g} %" if abs(value) > 1e-12 else "0")


def plain(text: str) -> str:
    """Text that matplotlib draws as it is: no formula between dollar signs, no name that hides from legends."""
    said = text.replace("$", r"\$")
    return f" {said}" if said.startswith("_") else said


def short(text: str, most: int = 34) -> str:
    """A label that leaves room for the picture: the middle of a long one is left out."""
    half = (most - 1) // 2
    return plain(text if len(text) <= most else f"{text[:half]}…{text[-half:]}")


def listed(words: list[str]) -> str:
    """Several words, numbers with commas among them."""
    return " and ".join(words) if len(words) < 3 else "; ".join(words)


def legend(ax: Axes) -> None:
    """A legend below the axes and their label, where no curve is."""
    from matplotlib.transforms import offset_copy

    figure = ax.get_figure(root=True)
    handles, _ = ax.get_legend_handles_labels()
    if handles and figure is not None:
        below = offset_copy(ax.transAxes, figure, y=-36.0, units="points")
        ax.legend(
            loc="upper left",
            bbox_to_anchor=(-0.08, 0.0),
            bbox_transform=below,
            fontsize="small",
            frameon=False,
            borderaxespad=0.0,
        )
