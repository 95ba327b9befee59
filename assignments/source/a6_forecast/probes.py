"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np


def inside(recent, series, span):
    """The answer where a mean has all its values, whichever way it looks."""
    found = whole(recent(series, span), len(series))
    return found[span : len(series) - span] if len(found) == len(series) else found


def beginning(recent, series, span):
    """In words, what the first values are made of: of which others, and how much each of them counts.

    They should be made as the later ones are, of as many values as there are by then.
    """
    plain = whole(recent(series, span), len(series))
    if np.isnan(plain[: span - 1]).any():
        return "nothing"
    if not plain[: span - 1].any():
        return "zeros"
    size = len(series)
    counts = np.stack([whole(recent(series + one, span), size) - plain for one in np.eye(size)], axis=1)
    first, used = counts[: span - 1], np.abs(counts) > 1e-6
    later = np.flatnonzero(used[size // 2]) - size // 2  # how far from its place a mean goes for its values
    meant = np.array([np.isin(np.arange(size) - t, later) for t in range(span - 1)])
    if all((row == its).all() for row, its in zip(used, meant, strict=False) if its.any()):
        if any(np.ptp(row[row > 1e-6]) > 1e-6 for row in first):
            return "an uneven mean"
        return "the mean of what there is" if np.allclose(first.sum(axis=1), 1) else "too little of them"
    if (used[: span - 1] == np.eye(span - 1, size)).all():
        return "each value itself"
    return "the first full mean" if np.allclose(first, counts[span - 1]) else "something else"


def whole(answer, size):
    """`answer` with NaN before it where it is shorter than the series."""
    found = np.asarray(answer, dtype=float)
    return np.concatenate([np.full(max(0, size - len(found)), np.nan), found])


def first_window(windows, table, length, horizon):
    """What the first window holds, and what it is to forecast."""
    inputs, ahead, _ = windows(table, length, horizon)
    return np.asarray(inputs[0]), np.asarray(ahead[0])


def how_many(windows, table, length, horizon):
    inputs, ahead, at = windows(table, length, horizon)
    return len(inputs), len(ahead), len(at)


def first_hour(windows, table, length, horizon):
    return windows(table, length, horizon)[2][0]


def learned(split, at, horizon, cut):
    """In words, how much of the test is learned from."""
    rows = positions(split(at, horizon, cut)[0], len(at))
    if isinstance(rows, str) or not rows.size:
        return rows if isinstance(rows, str) else "nothing"
    late = at[rows].max() + horizon - cut
    return f"from position {rows.min()} on, {late} hours of the test" if late > 0 else "no hour of the test"


def placed(split, at, horizon, cut):
    """In words, whether each window is where it belongs.

    With a horizon of 1 no window has hours ahead on both sides; only then is it asked whether all before are there.
    """
    learn, test = (positions(rows, len(at)) for rows in split(at, horizon, cut))
    for rows in (learn, test):
        if isinstance(rows, str):
            return rows
    early, missing = (at[test] < cut).any(), not np.isin(at[at >= cut], at[test]).all()
    if early:
        return "tests on some from before the cut" + " and not on all after it" * missing
    if missing:
        return "does not test on all"
    return "all in place" if horizon > 1 or np.isin(at[at < cut], at[learn]).all() else "does not learn from all"


def positions(rows, size):
    """`rows` as an array of positions, or in words why they are none."""
    rows = np.asarray(rows)
    if rows.ndim != 1:
        return f"an array of shape {rows.shape}"
    if rows.dtype == bool:
        return np.flatnonzero(rows)
    return rows.astype(int) if not rows.size or rows.max() < size else "no positions"


def scaled(scaler, table, cut):
    return scaler(table, cut)[0]


def each_column_alone(scaler, table, cut):
    """In words, by what a column is scaled: whether it stays as it is when the other columns change."""
    one = np.asarray(scaler(table, cut)[0])
    for k in range(table.shape[1]):
        other = 3 * table[::-1] ** 2
        other[:, k] = table[:, k]
        two = np.asarray(scaler(other, cut)[0])
        if one.shape != table.shape or not np.allclose(one[:, k], two[:, k]):
            return "by others, too"
    return "by its own"


def there_and_back(scaler, table, cut):
    """Column 0, scaled, cut into rows as forecasts are, and brought back."""
    there, back = scaler(table, cut)
    return back(np.asarray(there)[:, 0].reshape(-1, 3)) if callable(back) else "no function"


def first_period(seasonal_naive, series, at, horizon, period):
    """The forecasts of the first period; what comes after it is looked at elsewhere."""
    return np.asarray(seasonal_naive(series, at, horizon, period))[:, :period]


def beyond_a_period(seasonal_naive, series, at, horizon, period):
    """In words, what stands where the first period is over. (To see what comes later, the future is changed.)"""
    one = np.asarray(seasonal_naive(series, at, horizon, period), dtype=float)
    if one.shape != (len(at), horizon):
        return "too few hours" if one.ndim == 2 and one.shape[1] < horizon else f"an answer of shape {one.shape}"
    if np.isnan(one).any():
        return "NaN"
    other = series.copy()
    other[at[-1] :] += 1.0
    if not np.allclose(one[-1], np.asarray(seasonal_naive(other, at, horizon, period))[-1]):
        return "hours still to come"
    return "the last known period" if np.allclose(one[:, period:], one[:, :-period]) else "something else"


def ratio(mase, predicted, other, actual, train, period):
    """How much worse one forecast is than another; the stick they are measured by drops out."""
    return mase(predicted, actual, train, period) / mase(other, actual, train, period)


def of_one(mase, actual, train, period):
    """The score of forecasts that are all too high by 1: absolute or squared, the error is 1."""
    return abs(mase(actual + 1.0, actual, train, period))


def counted(direction, predicted, actual, last):
    """Of how many."""
    found = direction(predicted, actual, last)
    return "one number" if np.ndim(found) == 0 else found[1]


def weights(forecast, states, future, mask, p):
    return forecast(states, future, as_meant(forecast, states, future, mask, p), p)[1]


def under_mask(forecast, states, future, mask, p):
    """In words, what becomes of the hours that were not recorded; to see it, their states are changed."""
    hidden = ~array(mask)  # (B, T); here B = Tq
    others = like(states, array(states) + 2 * hidden[..., None].astype("float32"))
    one, two = (array(forecast(each, future, mask, p)[1]) for each in (states, others))
    if np.isnan(one).any():
        return "NaN"
    nothing, out = np.abs(one) < 1e-12, np.broadcast_to(hidden[:, None], one.shape)
    if nothing[out].all() and not nothing[~out].all():
        return "hidden" if np.allclose(one[~out], two[~out], atol=1e-5) else "too late"
    if nothing[~out].all() and not nothing[out].any():
        return "upside down"
    if (nothing == hidden[None]).all():
        return "another's mask"
    if not np.allclose(one.sum(axis=-1), 1, atol=1e-4):
        return "no sum of 1"
    return "a common score" if np.allclose(one, two, atol=1e-5) else "looked at"


def context(forecast, states, future, mask, p):
    """In words, what an output knows of the past: is it the states, averaged by the weights that came with it?

    Here the context and the question are read by the same numbers, so that their order does not matter.
    """
    mask = as_meant(forecast, states, future, mask, p)
    outputs, found = (array(each) for each in forecast(states, future, mask, p))
    without, _ = forecast(like(states, 0 * array(states)), future, mask, p)
    known = np.squeeze(outputs - array(without))
    read = array(states) @ array(p["w_out"])[: states.shape[-1]]  # (B, T)
    if np.allclose(known, np.einsum("bqt,bt->bq", found, read), atol=1e-4):
        return "Σ α h"
    if np.isnan(known).any():
        return "NaN"
    return "something else" if np.abs(known).max() > 1e-4 else "nothing"


def without_past(forecast, states, future, mask, p):
    """The outputs where all states are 0."""
    mask = as_meant(forecast, states, future, mask, p)
    return forecast(like(states, 0 * array(states)), future, mask, p)[0]


def reached(forecast, states, future, mask, p):
    """In a word, how many of the numbers behind outputs and weights a gradient reaches (the bias aside).

    The head reads the context alone here, so that a question is reached by way of the weights or not at all.
    """
    mask = as_meant(forecast, states, future, mask, p)
    context_alone = array(p["w_out"]).copy()
    context_alone[states.shape[-1] :] = 0
    p = {**p, "w_out": like(p["w_out"], context_alone)}
    behind = {"states": states, **p}
    if hasattr(states, "detach"):
        for tensor in behind.values():
            tensor.requires_grad_(True)
        try:
            both = forecast(states, future, mask, p)
        except RuntimeError as error:
            if "call numpy() on Tensor that requires grad" not in str(error):
                raise
            return "nothing"
        total = sum((each**2).sum() for each in both)
        if not getattr(total, "requires_grad", False):
            return "nothing"
        total.backward()
        slopes = {name: tensor.grad for name, tensor in behind.items()}
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(behind)
            total = sum(tf.reduce_sum(each**2) for each in forecast(states, future, mask, p))
        slopes = tape.gradient(total, behind)
    there = {name for name, slope in slopes.items() if slope is not None and np.any(array(slope))}
    if not there:
        return "nothing"
    return "all" if {"states", "w_out"} <= there and there & {"step", "w_future"} else "not all"


def as_meant(forecast, states, future, mask, p):
    """`mask`, or its opposite for a function that takes True for *hide*: a mistake is paid for once."""
    all_but_first = array(mask) | True
    all_but_first[:, 0] = False
    found = array(forecast(states, future, like(mask, all_but_first), p)[1])
    return like(mask, ~array(mask)) if (found[..., 0] > 0.99).all() else mask


def array(tensor):
    return tensor.detach().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)


def like(tensor, values):
    """`values` as a tensor of the same framework."""
    if hasattr(tensor, "detach"):
        import torch

        return torch.from_numpy(values)
    from keras import ops

    return ops.convert_to_tensor(values)
