"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np


def inside(recent, series, span):
    """The answer where a mean has all its values, whichever way it looks."""
    found = np.asarray(recent(series, span))
    return found[span : len(series) - span] if len(found) == len(series) else found


def beginning(recent, series, span):
    return np.asarray(recent(series, span))[: span - 1]


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
    """The positions of the windows to learn from."""
    return np.arange(len(at))[split(at, horizon, cut)[0]]


def tested(split, at, horizon, cut):
    """(every tested window begins at the cut or later, every window that does so is tested)"""
    found = at[split(at, horizon, cut)[1]]
    return bool((found >= cut).all()), bool(np.isin(at[at >= cut], found).all())


def scaled(scaler, table, cut):
    return scaler(table, cut)[0]


def each_column_alone(scaler, table, cut):
    """Whether a table gives what its columns give one by one."""
    together = np.asarray(scaler(table, cut)[0])
    alone = np.concatenate([np.asarray(scaler(table[:, [k]], cut)[0]) for k in range(table.shape[1])], axis=1)
    return together.shape == alone.shape and np.allclose(together, alone, equal_nan=True)


def there_and_back(scaler, table, cut):
    """Column 0, scaled, cut into rows as forecasts are, and brought back."""
    there, back = scaler(table, cut)
    return back(np.asarray(there)[:, 0].reshape(2, -1))


def peeks_and_repeats(seasonal_naive, series, at, horizon, period):
    """(the forecast moves when the hours to come are changed, it repeats itself after each period)"""
    one = np.asarray(seasonal_naive(series, at, horizon, period))
    other = series.copy()
    other[at[-1] :] += 1.0
    two = np.asarray(seasonal_naive(other, at, horizon, period))
    return not np.allclose(one[-1], two[-1]), np.allclose(one[:, period:], one[:, :-period])


def ratio(mase, predicted, other, actual, train, period):
    """How much worse one forecast is than another; the stick they are measured by drops out."""
    return mase(predicted, actual, train, period) / mase(other, actual, train, period)


def of_one(mase, actual, train, period):
    """The score of forecasts that are all too high by 1: absolute or squared, the error is 1."""
    return abs(mase(actual + 1.0, actual, train, period))


def counted(direction, predicted, actual, last):
    """Of how many."""
    return direction(predicted, actual, last)[1]


def weights(forecast, states, future, mask, p):
    return forecast(states, future, as_meant(forecast, states, future, mask, p), p)[1]


def under_mask(forecast, states, future, mask, p):
    """(hidden hours have no weight, the other weights do not depend on what stands in hidden hours)"""
    hidden = ~array(mask)
    others = like(states, array(states) + 2 * hidden[..., None].astype("float32"))
    one, two = (array(forecast(each, future, mask, p)[1]) for each in (states, others))
    hidden = np.broadcast_to(hidden[:, None], one.shape)
    return bool((one[hidden] == 0).all()), np.allclose(one[~hidden], two[~hidden], atol=1e-5)


def context(forecast, states, future, mask, p):
    """Whether the part of the past in an output is the states, averaged by the weights that came with it.

    Here the context and the question are read by the same numbers, so that their order does not matter.
    """
    mask = as_meant(forecast, states, future, mask, p)
    outputs, found = (array(each) for each in forecast(states, future, mask, p))
    without, _ = forecast(like(states, 0 * array(states)), future, mask, p)
    read = array(states) @ array(p["w_out"])[: states.shape[-1]]  # (B, T)
    return np.allclose(outputs - array(without), np.einsum("bqt,bt->bq", found, read), atol=1e-4)


def without_past(forecast, states, future, mask, p):
    """The outputs where all states are 0."""
    mask = as_meant(forecast, states, future, mask, p)
    return forecast(like(states, 0 * array(states)), future, mask, p)[0]


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
