"""Heat maps: profit, or a requirement margined again, over moves of price and volatility, or of price and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from margincore._core import Account, Contract, InvalidInput, Market, Methodology, Position
from margincore.analysis import given
from margincore.analysis.compare import compare, verdict
from margincore.analysis.plot.axes import amounts, axes, faint, legend, moves, plain, short
from margincore.analysis.profiles import TOGETHER, moving
from margincore.analysis.surfaces import Surface, profit_surface, requirement_curve, requirement_surface
from margincore.analysis.worth import Worth
from margincore.engine import beside, holder, rulebook, table_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

__all__ = ["BANDS", "draw_requirements", "draw_surface", "heatmap", "requirement"]

BANDS = 10
"""Colours of a heat map: of profits half for losses and half for gains."""


def heatmap(
    account: Account | Iterable[Position],
    market: Market,
    methodology: Methodology | None = None,
    *,
    of: Literal["profit", "initial", "maintenance"] | None = None,
    against: Literal["vol", "time"] = "vol",
    symbol: str | None = None,
    width: float | None = None,
    currency: str | None = None,
    resolution: Sequence[int] = (21, 11),
    contracts: Iterable[Contract] = (),
    cmap: str | Colormap | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draws a heat map over moves of the price and of volatility, or of the price and time up to the nearest expiry.

    - `of`: ``"profit"``, or the requirement of `methodology`, margined again in each market: ``"initial"`` (where a
      rulebook is given and nothing is said) or ``"maintenance"``.
    - `symbol`, `width`, `currency`: as :func:`margincore.analysis.plot.payoff` takes them; a requirement is in its
      rulebook's currency.
    - `resolution`: columns and rows, odd. `cmap`: another map of colours.

    Places that the rulebook refuses stay empty. Raises as :func:`margincore.analysis.surfaces.requirement_surface`.

    >>> import margincore as mc
    >>> axes = mc.plot.heatmap(account, market, mc.methods.Tims(), against="time")           # doctest: +SKIP
    """
    account, market = holder(account), moving(market)
    what = given.name("of", of or ("profit" if methodology is None else "initial"), _WORDS)
    more = beside(contracts)
    worth = Worth(account, market, more)
    if what == "profit":
        found = profit_surface(worth, symbol, against=against, resolution=resolution, width=width, currency=currency)
    else:
        if methodology is None:
            given.refuse("methodology", methodology, "the rulebook of the requirement is needed", "not_stated")
        if currency is not None:
            given.refuse(
                "currency", currency, "a requirement is in its rulebook's currency: leave it out", "wrong_type"
            )
        prepared = rulebook(methodology).prepare(table_of(account, more), market)
        level: Any = what
        found = requirement_surface(
            prepared, account, worth, symbol, of=level, against=against, resolution=resolution, width=width
        )
    ax = axes(ax)
    draw_surface(ax, found, worth, cmap)
    ax.set_title(plain(_WORDS[what] + (f", {found.rulebook}" if found.rulebook else "") + f", {found.currency}"))
    return ax


def requirement(
    account: Account | Iterable[Position],
    market: Market,
    methodologies: Sequence[Methodology],
    *,
    of: Literal["initial", "maintenance"] = "initial",
    symbol: str | None = None,
    width: float | None = None,
    points: int = 41,
    labels: Sequence[str] | None = None,
    contracts: Iterable[Contract] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draws what rulebooks ask over moves of the price, margined again at each of `points` (odd) places.

    `symbol` and `width` are as :func:`margincore.analysis.plot.payoff` takes them. A rulebook that gives no number is
    named in the legend. Raises :class:`InvalidInput` where requirements are in several currencies.

    >>> import margincore as mc
    >>> axes = mc.plot.requirement(account, market, [mc.methods.Tims()])                     # doctest: +SKIP
    """
    account, market = holder(account), moving(market)
    more = beside(contracts)
    worth = Worth(account, market, more)
    table = table_of(account, more)
    curves: list[Surface | str] = []
    for outcome, methodology in zip(
        compare(account, market, methodologies, labels=labels, contracts=more).outcomes, methodologies, strict=True
    ):
        if outcome.report is None:
            curves.append(f"{short(outcome.label)}: {verdict(outcome)}")
            continue
        prepared = methodology.prepare(table, market)
        curves.append(
            requirement_curve(prepared, account, worth, symbol, of=of, points=points, width=width, label=outcome.label)
        )
    ax = axes(ax)
    draw_requirements(ax, curves, worth)
    ax.set_title(_WORDS[of])
    return ax


def draw_requirements(ax: Axes, curves: Sequence[Surface | str], worth: Worth) -> None:
    """Draws curves of requirements of one currency; words in place of a curve go to the legend."""
    drawn = [own for own in curves if isinstance(own, Surface)]
    currencies = sorted({own.currency for own in drawn})
    if len(currencies) > 1:
        raise InvalidInput(
            f"requirements are in {', '.join(currencies)}: they have no common axis", code="contradiction"
        )
    ax.axvline(0.0, color=faint(), linewidth=0.8, zorder=0)
    for number, own in enumerate(curves):
        if isinstance(own, Surface):
            ax.plot(own.moves, own.values[0], color=f"C{number}", linewidth=1.6, label=short(own.rulebook))
        else:
            ax.plot([], [], " ", label=own)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    if drawn:
        named = "all prices together" if drawn[0].symbol == TOGETHER else f"move of {short(drawn[0].symbol)}"
        ax.set_xlabel(named)
        ax.set_ylabel(f"requirement, {drawn[0].currency}")
    moves(ax.xaxis)
    amounts(ax.yaxis)
    ax.locator_params(axis="x", nbins=6)
    legend(ax)


_WORDS = {"profit": "profit and loss", "initial": "initial requirement", "maintenance": "maintenance requirement"}


def bands(surface: Surface) -> list[float]:
    """The borders of the colours: apart at zero for profits, even for a requirement."""
    values = surface.values[np.isfinite(surface.values)]
    low, high = float(values.min()), float(values.max())
    if surface.of == "profit":
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max(-low, high, 1e-9)
        # A side that is as good as empty still has borders apart.
        low, high = min(low, -1e-3 * scale), max(high, 1e-3 * scale)
        return [*np.linspace(low, 0.0, BANDS // 2 + 1)[:-1], *np.linspace(0.0, high, BANDS // 2 + 1)]
    if high - low <= 1e-9 * max(abs(high), 1.0):
        low, high = low - max(0.5, 0.1 * abs(low)), high + max(0.5, 0.1 * abs(high))
    return list(np.linspace(low, high, BANDS + 1))


def draw_surface(ax: Axes, surface: Surface, worth: Worth, cmap: str | Colormap | None = None) -> None:
    """Draws a surface, today's place marked, with a bar of its colours."""
    from matplotlib import colormaps, rcParams
    from matplotlib.colors import BoundaryNorm

    borders = bands(surface)
    named = cmap if cmap is not None else ("RdYlBu" if surface.of == "profit" else "YlOrBr")
    colours = colormaps[named].resampled(BANDS) if isinstance(named, str) else named
    mesh = ax.pcolormesh(
        surface.moves,
        surface.steps,
        np.ma.masked_invalid(surface.values),
        cmap=colours,
        norm=BoundaryNorm(borders, BANDS),
        shading="nearest",
        edgecolors="face",
        linewidth=0.8,
    )
    today = surface.steps[surface.today[0]]
    style: Any = rcParams
    for colour, width in (("figure.facecolor", 3.6), ("text.color", 1.5)):  # seen on light places and on dark ones
        ax.plot(0.0, today, "+", color=style[colour], markersize=10, markeredgewidth=width, clip_on=False)
    together = surface.symbol == TOGETHER
    ax.set_xlabel("all prices together" if together else f"move of {short(worth.levels[surface.symbol].name)}")
    moves(ax.xaxis)
    ax.locator_params(axis="x", nbins=6)
    if surface.against == "vol":
        ax.set_ylabel("change of volatilities")
        moves(ax.yaxis)
    else:
        ax.set_ylabel("days from now")
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, orientation="horizontal", pad=0.03, aspect=40, spacing="uniform")
    bar.set_ticks(borders[::5] if surface.of == "profit" else [borders[0], borders[BANDS // 2], borders[-1]])
    amounts(bar.ax.xaxis)
    outline: Any = bar.outline
    outline.set_visible(False)
