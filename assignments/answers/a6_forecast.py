"""What people hand in for the forecast: leaks and other mistakes, and other ways to be right."""

from . import Right, wrong

TORCH = """
import torch
def forecast(states, future, mask, p):
    query = p["step"] + future @ p["w_future"]
    scores = query @ states.transpose(1, 2) / states.shape[-1] ** 0.5
    hidden = ~mask[:, None]
    {}
    outputs = torch.cat([weights @ states, query], dim=-1) @ p["w_out"] + p["bias"]
    {}
    return outputs, weights
"""
KERAS = """
from keras import ops
def forecast(states, future, mask, p):
    query = p["step"] + ops.matmul(future, p["w_future"])
    scores = ops.matmul(query, ops.transpose(states, (0, 2, 1))) / states.shape[-1] ** 0.5
    seen = mask[:, None]
    {}
    told = ops.concatenate([ops.matmul(weights, states), query], axis=-1)
    return ops.matmul(told, p["w_out"]) + p["bias"], weights
"""
SCALER = """
def scaler(table, cut):
    {}
    return (table - mean) / std, lambda forecasts: {}
"""
WINDOWS = """
def windows(table, length, horizon):
    at = np.arange({})
    inputs = np.stack([table[{}] for t in at])
    return inputs, np.stack([table[{}] for t in at]), at
"""
HONEST = "mean, std = table[:cut].mean(axis=0), table[:cut].std(axis=0)"
BACK = "forecasts * std[0] + mean[0]"
EVERY = "length, len(table) - horizon + 1"

WRONG = [
    wrong("centred smoothing", "recent", "back", "centred", """
def recent(series, span):
    half = span // 2
    return np.array([series[max(0, t - half) : t + half + 1].mean() for t in range(len(series))])
"""),
    wrong("a mean of what is to come", "recent", "back", "looks ahead", """
def recent(series, span):
    return np.array([series[t : t + span].mean() for t in range(len(series))])
"""),
    wrong("the value itself left out", "recent", "back", "left out", """
def recent(series, span):
    return np.array([series[max(0, t - span) : max(1, t)].mean() for t in range(len(series))])
"""),
    wrong("zeros before the beginning", "recent", "start", "had been 0 before", """
def recent(series, span):
    return np.convolve(series, np.ones(span) / span)[: len(series)]
"""),
    wrong("the beginning as it is", "recent", "start", "handed on as they are", """
def recent(series, span):
    out = np.array(series)
    out[span - 1 :] = np.convolve(series, np.ones(span) / span, "valid")
    return out
"""),
    wrong("filled back", "recent", "start", "first full mean", """
def recent(series, span):
    full = np.convolve(series, np.ones(span) / span, "valid")
    return np.concatenate([np.full(span - 1, full[0]), full])
"""),
    wrong("no beginning", "recent", "start", "have none", """
def recent(series, span): return np.convolve(series, np.ones(span) / span, "valid")
"""),
    wrong("target inside the window", "windows", "target", "already among the inputs",
          WINDOWS.format(EVERY, "t - length : t", "t - 1 : t - 1 + horizon")),
    wrong("window one hour too late", "windows", "target", "end one hour too late",
          WINDOWS.format(EVERY, "t - length + 1 : t + 1", "t : t + horizon")),
    wrong("horizon off by one", "windows", "target", "one too few",
          WINDOWS.format(EVERY, "t - length : t", "t : t + horizon - 1")),
    wrong("an hour left out", "windows", "target every", "left out between",
          WINDOWS.format("length, len(table) - horizon", "t - length : t", "t + 1 : t + 1 + horizon")),
    wrong("last window missing", "windows", "every", "last window is missing",
          WINDOWS.format("length, len(table) - horizon", "t - length : t", "t : t + horizon")),
    wrong("windows side by side", "windows", "every", "do not overlap",
          WINDOWS.format(EVERY + ", length", "t - length : t", "t : t + horizon").replace(
              "at\n", "length + np.arange(len(at))\n")),
    wrong("at is where the window begins", "windows", "at", "where each window begins",
          WINDOWS.format(EVERY, "t - length : t", "t : t + horizon").replace("for t in at]), at\n",
                                                                            "for t in at]), at - length\n")),
    wrong("no gap before the cut", "split", "before", "reach over the cut", """
def split(at, horizon, cut):
    return np.flatnonzero(at < cut), np.flatnonzero(at >= cut)
"""),
    wrong("a gap too small by one", "split", "before", "One window too many", """
def split(at, horizon, cut):
    return np.flatnonzero(at + horizon - 1 <= cut), np.flatnonzero(at >= cut)
"""),
    wrong("a gap too large by one", "split", "rest", "No leak", """
def split(at, horizon, cut):
    return np.where(at + horizon < cut)[0], np.where(at >= cut)[0]
"""),
    wrong("a name mistyped", "split", "before rest", "NameError", """
def split(at, horizon, cut):
    return np.flatnonzero(at + horizons <= cut), np.flatnonzero(at >= cut)
"""),
    wrong("shuffled time", "split", "before rest", "shuffled", """
def split(at, horizon, cut):
    order = np.random.default_rng(0).permutation(len(at))
    size = int((at + horizon <= cut).sum())
    return np.sort(order[:size]), np.sort(order[size:])
"""),
    wrong("tested across the cut", "split", "rest", "belong to neither", """
def split(at, horizon, cut):
    return np.flatnonzero(at + horizon <= cut), np.flatnonzero(at + horizon > cut)
"""),
    wrong("hours for positions", "split", "before rest", "positions", """
def split(at, horizon, cut):
    return at[at + horizon <= cut], at[at >= cut]
"""),
    wrong("scaler fitted on everything", "scaler", "before", "whole table", SCALER.format(
        "mean, std = table.mean(axis=0), table.std(axis=0)", BACK)),
    wrong("scaler fitted on the test", "scaler", "before", "test part", SCALER.format(
        "mean, std = table[cut:].mean(axis=0), table[cut:].std(axis=0)", BACK)),
    wrong("each part by its own", "scaler", "before", "its own mean", """
def scaler(table, cut):
    parts = [(part - part.mean(axis=0)) / part.std(axis=0) for part in (table[:cut], table[cut:])]
    mean, std = (np.repeat([f(table[:cut, 0]), f(table[cut:, 0])], [cut, len(table) - cut]) for f in (np.mean, np.std))
    return np.concatenate(parts), lambda y: (y.ravel() * std + mean).reshape(y.shape)
"""),
    wrong("one spread for all columns", "scaler", "columns", "depends on the other columns", SCALER.format(
        "mean, std = table[:cut].mean(axis=0), table[:cut].std() * np.ones(table.shape[1])", BACK)),
    wrong("std of the wrong axis", "scaler", "before columns", "wrong axis", SCALER.format(
        "mean, std = table[:cut].mean(axis=0), table[:cut].std(axis=1)", BACK)),
    wrong("compared in scaled units", "scaler", "back", "stay in scaled units", SCALER.format(HONEST, "forecasts")),
    wrong("the mean forgotten", "scaler", "back", "does not add the mean", SCALER.format(
        HONEST, "forecasts * std[0]")),
    wrong("all columns' means", "scaler", "back", "of all columns", SCALER.format(HONEST, "forecasts * std + mean")),
    wrong("a name mistyped in back", "scaler", "back", "NameError", SCALER.format(
        HONEST, "forecast_ * std[0] + mean[0]")),
    wrong("one period late", "seasonal_naive", "lag", "whole period late", """
def seasonal_naive(series, at, horizon, period):
    return series[at[:, None] - 2 * period + np.arange(horizon) % period]
"""),
    wrong("one hour early", "seasonal_naive", "lag", "one hour early", """
def seasonal_naive(series, at, horizon, period):
    return series[at[:, None] - 1 - period + np.arange(horizon) % period]
"""),
    wrong("persistence", "seasonal_naive", "lag", "persistence", """
def seasonal_naive(series, at, horizon, period):
    return np.repeat(series[at - 1][:, None], horizon, axis=1)
"""),
    wrong("uses the future", "seasonal_naive", "known", "still to come", """
def seasonal_naive(series, at, horizon, period):
    return series[at[:, None] + np.arange(horizon) - period]
"""),
    wrong("repeats nothing", "seasonal_naive", "known", "end after one period", """
def seasonal_naive(series, at, horizon, period):
    return np.stack([series[t - period : t][:horizon] for t in at])
"""),
    wrong("NaN beyond a period", "seasonal_naive", "known", "there are NaN", """
def seasonal_naive(series, at, horizon, period):
    out = np.full((len(at), horizon), np.nan)
    for row, t in zip(out, at):
        row[:period] = series[t - period : t][:horizon]
    return out
"""),
    wrong("squared errors", "mase", "errors", "squared", """
def mase(predicted, actual, train, period):
    return ((predicted - actual) ** 2).mean() / np.abs(train[period:] - train[:-period]).mean()
"""),
    wrong("errors with signs", "mase", "errors", "cancel", """
def mase(predicted, actual, train, period):
    return (predicted - actual).mean() / np.abs(train[period:] - train[:-period]).mean()
"""),
    wrong("scaled on the test", "mase", "scale", "cut from the test", """
def mase(predicted, actual, train, period):
    flat = actual.ravel()
    return np.abs(predicted - actual).mean() / np.abs(flat[period:] - flat[:-period]).mean()
"""),
    wrong("scaled by persistence", "mase", "scale", "persistence", """
def mase(predicted, actual, train, period):
    return np.abs(predicted - actual).mean() / np.abs(np.diff(train)).mean()
"""),
    wrong("not scaled", "mase", "scale", "Nothing divides", """
def mase(predicted, actual, train, period):
    return np.abs(predicted - actual).mean()
"""),
    wrong("against 0", "direction", "side still", "seen from 0", """
def direction(predicted, actual, last):
    moved = actual != 0
    return int((np.sign(predicted) == np.sign(actual))[moved].sum()), int(moved.sum())
"""),
    wrong("no change taken for down", "direction", "side", "lies on neither side", """
def direction(predicted, actual, last):
    moved = actual != last
    return int(((predicted > last) == (actual > last))[moved].sum()), int(moved.sum())
"""),
    wrong("no change taken for up", "direction", "side", "right where the truth rose", """
def direction(predicted, actual, last):
    moved = actual != last
    return int(((predicted >= last) == (actual >= last))[moved].sum()), int(moved.sum())
"""),
    wrong("no change forgiven", "direction", "side", "counts as right; it lies", """
def direction(predicted, actual, last):
    moved = actual != last
    return int(((predicted - last) * (actual - last) >= 0)[moved].sum()), int(moved.sum())
"""),
    wrong("ties counted", "direction", "still", "are counted", """
def direction(predicted, actual, last):
    return int((np.sign(predicted - last) == np.sign(actual - last)).sum()), len(actual)
"""),
    wrong("softmax over the batch", "forecast", "weights", "over the batch", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(hidden, -1e9), dim=0).masked_fill(hidden, 0.0)", "")),
    wrong("the same in Keras", "forecast", "weights", "over the batch", KERAS.format(
        "weights = ops.where(seen, ops.softmax(ops.where(seen, scores, -1e9), axis=0), 0.0)"), "keras"),
    wrong("not divided by √S", "forecast", "weights", "not divided", TORCH.format(
        "weights = torch.softmax((2 * scores).masked_fill(hidden, -torch.inf), dim=-1)", "")),
    wrong("mask inverted", "forecast", "mask", "upside down", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(mask[:, None], -torch.inf), dim=-1)", "")),
    wrong("mask inverted in Keras", "forecast", "mask", "upside down", KERAS.format(
        "weights = ops.softmax(ops.where(seen, -np.inf, scores), axis=-1)"), "keras"),
    wrong("mask after the softmax", "forecast", "mask", "after the softmax", TORCH.format(
        "weights = torch.softmax(scores, dim=-1) * ~hidden", "")),
    wrong("mask without an axis", "forecast", "mask", "(B, 1, T)", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)", "")),
    wrong("times the mask", "forecast", "mask", "keeps a score", TORCH.format(
        "weights = torch.softmax(scores * mask[:, None], dim=-1)", "")),
    wrong("softmax over the hours ahead", "forecast", "weights mask", "hours ahead; it should", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=1)", "")),
    wrong("a name mistyped in the forecast", "forecast", "weights mask context head gradient", "NameError",
          TORCH.format("weights = torch.softmax(scores.masked_fill(hides, -torch.inf), dim=-1)", "")),
    wrong("NumPy on tensors", "forecast", "gradient", "without NumPy", """
def forecast(states, future, mask, p):
    h, f, m, p = np.asarray(states), np.asarray(future), np.asarray(mask), {k: np.asarray(v) for k, v in p.items()}
    query = p["step"] + f @ p["w_future"]
    part = np.exp(query @ h.swapaxes(1, 2) / np.sqrt(h.shape[-1])) * m[:, None]
    weights = part / part.sum(-1, keepdims=True)
    return np.concatenate([weights @ h, query], -1) @ p["w_out"] + p["bias"], weights
"""),
    wrong("NumPy on Keras' tensors", "forecast", "gradient", "without NumPy", """
def forecast(states, future, mask, p):
    query = p["step"].numpy() + np.matmul(future, p["w_future"])
    scores = np.matmul(query, np.swapaxes(states, 1, 2)) / states.shape[-1] ** 0.5
    part = np.where(np.array(mask)[:, None], np.exp(scores), 0)
    weights = part / part.sum(-1, keepdims=True)
    return np.concatenate([weights @ states.numpy(), query], -1) @ p["w_out"].numpy() + p["bias"].numpy(), weights
""", "keras"),
    wrong("weights made by NumPy", "forecast", "gradient", "somewhere between", KERAS.format(
        "weights = ops.convert_to_tensor(np.array(ops.softmax(ops.where(seen, scores, -1e9), axis=-1)))"), "keras"),
    wrong("outputs detached", "forecast", "gradient", "somewhere between", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)", "outputs = outputs.detach()")),
    wrong("plain mean of the states", "forecast", "context", "not Σ α h", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)",
        "outputs = torch.cat([states.mean(1, keepdim=True).expand_as(query), query], -1) @ p['w_out'] + p['bias']")),
    wrong("question first", "forecast", "head", "question stands before", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)",
        "outputs = torch.cat([query, weights @ states], dim=-1) @ p['w_out'] + p['bias']")),
]  # fmt: skip

RIGHT = [
    Right("loops", {"recent": """
def recent(series, span):
    out = []
    for t in range(len(series)):
        known = [float(series[s]) for s in range(t + 1) if s > t - span]
        out.append(sum(known) / len(known))
    return out
""", "windows": """
def windows(table, length, horizon):
    inputs, ahead, at = [], [], []
    for start in range(len(table)):
        if start + length + horizon <= len(table):
            inputs.append(table[start : start + length])
            ahead.append(table[start + length : start + length + horizon])
            at.append(start + length)
    return np.array(inputs), np.array(ahead), np.array(at)
""", "split": """
def split(at, horizon, cut):
    return [i for i, t in enumerate(at) if t + horizon <= cut], [i for i, t in enumerate(at) if t >= cut]
"""}),
    Right("cumulative sums, masks for positions", {"recent": """
def recent(x, n):
    total = np.cumsum(x)
    total[n:] = total[n:] - total[:-n]
    return total / np.minimum(np.arange(1, len(x) + 1), n)
""", "split": "def split(at, h, cut): return at + h - 1 < cut, at > cut - 1\n"}),
    Right("the libraries' own", {"recent": """
import pandas as pd
def recent(series, span): return pd.Series(series).rolling(span, min_periods=1).mean().to_numpy()
""", "windows": "from attnlstm_ref.data.windows import windows\n", "scaler": """
from sklearn.preprocessing import StandardScaler
def scaler(table, cut):
    all_columns, first = StandardScaler().fit(table[:cut]), StandardScaler().fit(table[:cut, :1])
    return all_columns.transform(table), lambda y: first.inverse_transform(np.reshape(y, (-1, 1))).reshape(np.shape(y))
"""}),
    Right("hour by hour", {"seasonal_naive": """
def seasonal_naive(series, at, horizon, period):
    return np.stack([np.resize(series[t - period : t], horizon) for t in at])
""", "split": """
def split(at, horizon, cut):
    last = at + horizon - 1
    return np.flatnonzero(last < cut), np.flatnonzero(at >= cut)
""", "forecast": """
import torch
def forecast(states, future, mask, p):
    S = states.shape[-1]
    outputs, weights = [], []
    for j in range(future.shape[1]):
        q = p["step"][j] + future[:, j] @ p["w_future"]
        e = torch.einsum("bs,bts->bt", q, states) / np.sqrt(S)
        a = torch.where(mask, e, -1e9).softmax(-1)
        c = (a[..., None] * states).sum(1)
        outputs.append(c @ p["w_out"][:S] + q @ p["w_out"][S:] + p["bias"])
        weights.append(a.detach())  # for pictures only
    return torch.stack(outputs, 1), torch.stack(weights, 1)
"""}),
    Right("float32, column by column", {"scaler": """
def scaler(table, cut):
    table = table.astype(np.float32)
    out = np.empty_like(table)
    for k in range(table.shape[1]):
        out[:, k] = (table[:, k] - np.mean(table[:cut, k])) / np.std(table[:cut, k])
    middle, spread = np.mean(table[:cut, 0]), np.std(table[:cut, 0])
    def undo(y):
        return middle + spread * np.asarray(y)
    return out, undo
"""}),
    Right("period after period", {"seasonal_naive": """
def seasonal_naive(series, at, horizon, period):
    return [[series[t - period + j % period] for j in range(horizon)] for t in at]
""", "direction": """
def direction(predicted, actual, last):
    right = of = 0
    for a, y, x in zip(predicted, actual, last):
        if y != x:
            of += 1
            right += (a > x and y > x) or (a < x and y < x)
    return [right, of]
""", "mase": """
def mase(predicted, actual, train, period):
    naive = seasonal_naive(train, np.arange(period, len(train)), 1, period)
    rule = np.mean([abs(train[period + i] - row[0]) for i, row in enumerate(naive)])
    return float(sum(abs(a - y) for a, y in zip(np.ravel(predicted), np.ravel(actual))) / np.size(actual) / rule)
"""}),
    Right("the last period, laid end to end", {"seasonal_naive": """
def seasonal_naive(series, at, horizon, period):
    times = -(-horizon // period)
    return np.stack([np.tile(series[t - period : t], times)[:horizon] for t in at])
""", "mase": """
from sklearn.metrics import mean_absolute_error as mae
def mase(a, y, train, m): return mae(np.ravel(y), np.ravel(a)) / mae(train[m:], train[:-m])
""", "direction": """
def direction(a, y, x):
    return np.sum((a - x) * (y - x) > 0), np.count_nonzero(y - x)
"""}),
    Right("the library's own", {"forecast": """
import torch
import torch.nn.functional as F
def forecast(states, future, mask, p):
    q = p["step"] + torch.einsum("bqf,fs->bqs", future, p["w_future"])
    allowed = mask.unsqueeze(1).expand(-1, q.shape[1], -1)
    c = F.scaled_dot_product_attention(q, states, states, allowed)
    e = torch.einsum("bqs,bts->bqt", q, states) / states.shape[-1] ** 0.5
    S = states.shape[-1]
    return c @ p["w_out"][:S] + q @ p["w_out"][S:] + p["bias"], e.masked_fill(~allowed, -1e30).softmax(-1)
"""}),
    Right("one member of the batch after the other", {"forecast": """
import torch
def forecast(states, future, mask, p):
    outputs, weights = [], []
    for h, f, m in zip(states, future, mask):
        q = p["step"] + f @ p["w_future"]
        part = torch.exp(q @ h.T / h.shape[-1] ** 0.5) * m
        weights.append(part / part.sum(-1, keepdim=True))
        outputs.append(torch.cat([weights[-1] @ h, q], -1) @ p["w_out"] + p["bias"])
    return torch.stack(outputs), torch.stack(weights)
"""}),
    Right("Keras's own layer", {"forecast": """
import keras
from keras import ops
def forecast(states, future, mask, p):
    size = states.shape[-1]
    query = p["step"] + ops.einsum("bqf,fs->bqs", future, p["w_future"])
    context, weights = keras.layers.Attention()(
        [query / size**0.5, states], mask=[None, mask], return_attention_scores=True
    )
    return ops.einsum("bqs,s->bq", ops.concatenate([context, query], -1), p["w_out"]) + p["bias"], weights
"""}, "keras"),
    Right("tensorflow itself", {"forecast": """
import tensorflow as tf
def forecast(h, f, m, p):
    q = p["step"] + f @ p["w_future"]
    e = tf.matmul(q, h, transpose_b=True) / tf.sqrt(tf.cast(tf.shape(h)[-1], h.dtype))
    a = tf.nn.softmax(tf.where(m[:, tf.newaxis], e, -np.inf))
    return tf.linalg.matvec(tf.concat([a @ h, q], -1), p["w_out"]) + p["bias"], a
"""}, "keras"),
]  # fmt: skip
