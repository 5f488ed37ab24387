"""Columns as the engine takes them, and results as the caller takes them: what the pricing models share."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore import _core
from margincore._core import CalculationError, InvalidInput
from margincore.pricing import american as _american

Floats = NDArray[np.float64]

FLOAT = np.dtype(np.float64)
SIGN = np.dtype(np.int8)
SPOT_NAMES = ("spot", "strike", "years", "rate", "dividend_yield", "vol")


def signs(right: Any) -> NDArray[np.int8]:
    """+1 and -1 from numbers or names."""
    given = np.asarray(right)
    return cast("NDArray[np.int8]", given) if given.dtype == SIGN else _american.rights(given)


def broadcast(
    values: tuple[Any, ...], right: Any, names: tuple[str, ...] = SPOT_NAMES
) -> tuple[list[Any], tuple[int, ...]]:
    """Flat columns and numbers as the engine takes them, right last, and the shape of the result."""
    length = _core.common_length((*values, right))
    if length is not None:
        return [*values, right], (length,)
    columns: list[NDArray[Any]] = []
    for name, value in zip(names, values, strict=True):
        try:
            columns.append(_american.numbers(name, value))
        except InvalidInput:
            raise
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"{name}: {error}", code="wrong_type", where=name) from None
    columns.append(signs(right))
    try:
        shape = np.broadcast_shapes(*(c.shape for c in columns))
    except ValueError:
        shapes = ", ".join(f"{name} {c.shape}" for name, c in zip((*names, "right"), columns, strict=True))
        raise InvalidInput(f"shapes do not broadcast: {shapes}", code="wrong_shape") from None
    return [c.item() if c.ndim == 0 else np.broadcast_to(c, shape).reshape(-1) for c in columns], shape


def output(out: Floats | None, shape: tuple[int, ...]) -> Floats:
    if out is None:
        return np.empty(shape)
    if not isinstance(out, np.ndarray) or out.dtype != FLOAT or out.shape != shape:
        kind = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise InvalidInput(f"out: expected float64 of shape {shape}, got {kind}", code="wrong_shape")
    if not out.flags.c_contiguous:
        raise InvalidInput("out must be C-contiguous")
    return out


def _is_list(moves: ArrayLike) -> bool:
    """Whether moves are a column as the engine takes it."""
    return type(moves) is np.ndarray and moves.dtype is FLOAT and moves.ndim == 1


def scenario_count(price_moves: ArrayLike, vol_moves: ArrayLike) -> int:
    """How many scenarios the moves are for; one number stands for all."""
    if _is_list(price_moves) and _is_list(vol_moves) and len(price_moves) == len(vol_moves):  # type: ignore[arg-type]
        return len(price_moves)  # type: ignore[arg-type]
    counts = {np.shape(m)[-1] for m in (price_moves, vol_moves) if np.ndim(m)} - {1}
    if len(counts) > 1:
        shapes = f"{np.shape(price_moves)} and {np.shape(vol_moves)}"
        raise InvalidInput(
            f"price_moves and vol_moves differ in scenarios: their shapes are {shapes}", code="contradiction"
        )
    return counts.pop() if counts else 1


def moves_table(moves: ArrayLike, name: str, shape: tuple[int, ...], scenarios: int) -> Floats:
    """One list, or a table with a row per option."""
    if _is_list(moves) and len(moves) == scenarios:  # type: ignore[arg-type]
        return moves  # type: ignore[return-value]
    table = np.asarray(moves, FLOAT)
    if table.ndim <= 1:
        return np.ascontiguousarray(np.broadcast_to(table, (scenarios,)))
    try:
        return np.broadcast_to(table, (*shape, scenarios)).reshape(-1, scenarios)
    except ValueError:
        raise InvalidInput(
            f"{name} has shape {table.shape}: expected {(scenarios,)} or {(*shape, scenarios)}", code="wrong_shape"
        ) from None


STATUSES: tuple[str, ...] = tuple(_core.implied_statuses())
"""What the status numbers of `implied_vol` mean, in order; 0 is a vol."""


def checked_on_error(on_error: str) -> None:
    if on_error not in ("raise", "nan"):
        raise InvalidInput(f"on_error {on_error!r}: expected 'raise' or 'nan'", code="not_finite")


def vols_or_error(vol: Floats, status: NDArray[np.uint8], price: ArrayLike, on_error: str, return_status: bool) -> Any:
    """The result of an `implied_vol`, or its error."""
    if on_error == "raise" and status.any():
        rows = np.flatnonzero(status)
        prices = np.broadcast_to(np.asarray(price, FLOAT), status.shape).reshape(-1)
        named = "; ".join(f"row {r}, price {prices[r]}: {STATUSES[status.reshape(-1)[r]]}" for r in rows[:3])
        more = f"; and {len(rows) - 3} more" if len(rows) > 3 else ""
        raise CalculationError(
            f"implied_vol: {len(rows)} of {status.size} prices have no vol: {named}{more}. "
            "on_error='nan' leaves NaN there, return_status=True says why",
            code="no_number",
        )
    return (vol, status) if return_status else vol
