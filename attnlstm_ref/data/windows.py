"""Windows over a series: what was known, what came next, and when."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Shaped
from numpy.lib.stride_tricks import sliding_window_view


class Windows(NamedTuple):
    """n windows, the oldest first; unpacks as `inputs, targets, at`."""

    inputs: Shaped[np.ndarray, "n length *features"]
    """(n, length) or (n, length, D) the values before `at`."""
    targets: Shaped[np.ndarray, "n horizon *targets"]
    """(n, horizon) or (n, horizon, D) the values from `at` on."""
    at: Int64[np.ndarray, " n"]
    """(n,) where in the series the first target stands; the last stands at `at + horizon − 1`."""

    def between(self, start: int, stop: int) -> Windows:
        """The windows all of whose targets stand at start … stop − 1.

        So `between(0, cut)` and `between(cut, T)` share no target, and what the second is tested on, the
        first has not seen: a window whose targets lie on both sides of the cut is in neither. The *inputs* of
        the first test windows do reach back before the cut. That is no leak: on that day they were known.

        Raises
        ------
        ValueError
            A span in which no window has all its targets.
        """
        horizon = self.targets.shape[1]
        inside = np.flatnonzero((self.at >= start) & (self.at + horizon <= stop))
        if len(inside) == 0:
            raise ValueError(f"start, stop: got {start}, {stop}, wanted a span that holds all targets of some window")
        kept = slice(int(inside[0]), int(inside[-1]) + 1)  # `at` rises, so they stand together; a slice copies nothing
        return Windows(self.inputs[kept], self.targets[kept], self.at[kept])


def windows(series: np.ndarray, length: int, horizon: int = 1, *, targets: np.ndarray | None = None) -> Windows:
    """Every stretch of `length` steps of a series, and the `horizon` steps after it.

    Thin over NumPy's `sliding_window_view`: the windows are read-only views, so a million of them cost no
    memory until a batch is copied out.

    Parameters
    ----------
    series : (T,) or (T, D) values, one row a step
    length : steps that are seen
    horizon : steps that are to be forecast
    targets : (T,) or (T, …) what is to be forecast, step for step beside `series`; None: the series itself

    Returns
    -------
    Windows, n = T − length − horizon + 1 of them

    Raises
    ------
    ValueError
        A series without a time axis, targets of other length, a count below 1, fewer steps than one window.
    """
    values = np.asarray(series)
    wanted = values if targets is None else np.asarray(targets)
    if values.ndim not in (1, 2):
        raise ValueError(f"series: got shape {values.shape}, wanted (T,) or (T, D)")
    if wanted.ndim == 0 or len(wanted) != len(values):
        raise ValueError(f"targets: got shape {wanted.shape}, wanted ({len(values)}, …), a row for each of series")
    for name, count in {"length": length, "horizon": horizon}.items():
        if count < 1:
            raise ValueError(f"{name}: got {count}, wanted at least 1")
    n = len(values) - length - horizon + 1
    if n < 1:
        raise ValueError(f"series: got {len(values)} steps, wanted at least length + horizon = {length + horizon}")
    return Windows(_stretches(values, length)[:n], _stretches(wanted, horizon)[length:], length + np.arange(n))


def _stretches(values: np.ndarray, length: int) -> np.ndarray:
    """(T − length + 1, length, …); NumPy puts the window's own axis last."""
    return np.moveaxis(sliding_window_view(values, length, axis=0), -1, 1)
