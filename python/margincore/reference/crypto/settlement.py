"""The settlement average: how much of an expiry's price is already fixed inside the averaging window."""

from __future__ import annotations


def split(forward: float, sec: float, window: float, average: float | None) -> tuple[float, float]:
    """The fixed part and the moving part of the settlement price, `sec` seconds before expiry.

    Inside the window the average so far carries the elapsed share and the forward the rest; before it nothing is fixed.

    >>> split(100.0, 900.0, 1800.0, 90.0)
    (45.0, 50.0)
    >>> split(100.0, 7200.0, 1800.0, None)
    (0.0, 100.0)
    """
    if sec >= window:
        return 0.0, forward
    if average is None:
        raise ValueError("inside the settlement window the average so far is needed")
    moving = sec / window
    return average * (1.0 - moving), forward * moving
