"""What people hand in for the three scores: mistakes, and other ways to be right."""

from . import Right, wrong

TORCH = """
import torch
def attend(query, states, mask, w_query, w_keys, v):
    some = mask.any(dim=-1, keepdim=True)
    {}
    scores = scores.masked_fill(~mask, -torch.inf).masked_fill(~some, 0.0)
    weights = torch.softmax(scores, dim=-1).masked_fill(~some, 0.0)
    return (weights[:, None] @ states)[:, 0], weights
"""
TORCH_WEIGHTS = """
import torch
def attend(query, states, mask, w_query, w_keys, v):
    some = mask.any(dim=-1, keepdim=True)
    scores = torch.tanh((query @ w_query)[:, None] + states @ w_keys) @ v
    {}
    return (weights[:, None] @ states)[:, 0], weights
"""
KERAS = """
from keras import ops
def attend(query, states, mask, w_query, w_keys, v):
    some = ops.any(mask, axis=-1, keepdims=True)
    {}
    scores = ops.where(some, ops.where(mask, scores, -np.inf), 0.0)
    weights = ops.cast(ops.where(some, ops.softmax(scores, axis=-1), 0.0), states.dtype)
    return ops.matmul(weights[:, None], states)[:, 0], weights
"""
KERAS_WEIGHTS = """
from keras import ops
def attend(query, states, mask, w_query, w_keys, v):
    some = ops.any(mask, axis=-1, keepdims=True)
    scores = ops.matmul(ops.tanh(ops.matmul(query, w_query)[:, None] + ops.matmul(states, w_keys)), v)
    {}
    weights = ops.cast(weights, states.dtype)
    return ops.matmul(weights[:, None], states)[:, 0], weights
"""

WRONG = [
    wrong("√d forgotten", "scaled_scores", "root", "√d is missing", """
def scaled_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2)
"""),
    wrong("divided by d", "scaled_scores", "root", "not by its root", """
def scaled_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2) / query.shape[-1]
"""),
    wrong("multiplied by √d", "scaled_scores", "root", "multiplied by √d", """
def scaled_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2) * np.sqrt(query.shape[-1])
"""),
    wrong("divided by √T", "scaled_scores", "root", "root of T", """
def scaled_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2) / np.sqrt(keys.shape[-2])
"""),
    wrong("divided by √Tq", "scaled_scores", "root", "number of queries", """
def scaled_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2) / np.sqrt(query.shape[-2])
"""),
    wrong("divided by the query's length", "scaled_scores", "pairs root", "the cosine", """
def scaled_scores(query, keys):
    unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
    return unit(query) @ np.swapaxes(unit(keys), -1, -2)
"""),
    wrong("d from the second axis", "scaled_scores", "batch", "len(query) and query.shape[1]", """
def scaled_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2) / np.sqrt(query.shape[1])
"""),
    wrong(".T on a batch", "scaled_scores", "batch", "turns *all* axes", """
def scaled_scores(query, keys):
    return query @ keys.T / query.shape[-1] ** 0.5
"""),
    wrong("scores on their side", "scaled_scores", "pairs", "on its side", """
def scaled_scores(query, keys):
    return keys @ np.swapaxes(query, -1, -2) / query.shape[-1] ** 0.5
"""),
    wrong("np.dot on a batch", "scaled_scores", "batch", "as with np.dot", """
def scaled_scores(query, keys):
    return np.dot(query, np.swapaxes(keys, -1, -2)) / query.shape[-1] ** 0.5
"""),
    wrong("d from len", "scaled_scores", "root batch", "number of queries", """
def scaled_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2) / np.sqrt(len(query))
"""),
    wrong("the last axes of one batch", "scaled_scores", "batch", "one axis in front and stops for two", """
def scaled_scores(query, keys):
    return query @ (keys.T if keys.ndim == 2 else keys.transpose(0, 2, 1)) / query.shape[-1] ** 0.5
"""),
    wrong("weights for scores", "scaled_scores", "pairs root", "each row adds up to 1", """
def scaled_scores(query, keys):
    return softmax(query @ np.swapaxes(keys, -1, -2) / query.shape[-1] ** 0.5, axis=-1)
"""),
    wrong("maximum over axis 1", "largest_weight", "rows", "has lost axis 1", """
def largest_weight(scores):
    return softmax(scores, axis=-1).max(axis=1)
"""),
    wrong("first axis for both", "largest_weight", "rows", "has lost the first axis", """
def largest_weight(scores):
    return softmax(scores, axis=0).max(axis=0)
"""),
    wrong("softmax without its axis", "largest_weight", "rows", "together", """
def largest_weight(scores):
    return softmax(scores).max(axis=-1)
"""),
    wrong("mean over the rows", "largest_weight", "rows", "a largest or a mean", """
def largest_weight(scores):
    return softmax(scores, axis=-1).max(axis=-1).mean()
"""),
    wrong("largest score", "largest_weight", "rows", "largest *score*", """
def largest_weight(scores):
    return scores.max(axis=-1)
"""),
    wrong("diagonal only", "slope", "others", "Only a weight's own score", """
def slope(scores):
    weights = softmax(scores, axis=-1)
    return (weights * (1 - weights))[..., None] * np.eye(scores.shape[-1])
"""),
    wrong("δ forgotten", "slope", "own", "δ, 1 on the diagonal", """
def slope(scores):
    weights = softmax(scores, axis=-1)
    return -weights[..., :, None] * weights[..., None, :]
"""),
    wrong("1 in place of δ", "slope", "others", "There is a 1 off the diagonal", """
def slope(scores):
    weights = softmax(scores, axis=-1)
    return weights[..., :, None] * (1 - weights[..., None, :])
"""),
    wrong("scores for weights", "slope", "own others", "given the scores", """
def slope(scores):
    return scores[..., :, None] * (np.eye(scores.shape[-1]) - scores[..., None, :])
"""),
    wrong("np.diag of many rows", "slope", "rows", "know one row only", """
def slope(scores):
    weights = softmax(scores, axis=-1)
    return np.diag(weights) - np.outer(weights, weights)
"""),
    wrong("no table", "slope", "others rows", "There is no table", """
def slope(scores):
    weights = softmax(scores, axis=-1)
    return weights * (1 - weights)
"""),
    wrong("slope of a softmax without its axis", "slope", "rows", "Has the softmax its axis", """
def slope(scores):
    weights = softmax(scores)
    return weights[..., :, None] * (np.eye(scores.shape[-1]) - weights[..., None, :])
"""),
    wrong("W transposed", "general_scores", "matrix", "W is transposed", """
def general_scores(query, keys, weight):
    return query @ weight.T @ np.swapaxes(keys, -1, -2)
"""),
    wrong("general divided by √d", "general_scores", "matrix", "root of the keys' width", """
def general_scores(query, keys, weight):
    return query @ weight @ np.swapaxes(keys, -1, -2) / np.sqrt(keys.shape[-1])
"""),
    wrong("W twice", "general_scores", "matrix", "applied twice", """
def general_scores(query, keys, weight):
    return (query @ weight) @ np.swapaxes(keys @ weight, -1, -2)
"""),
    wrong("keys.T on a batch", "general_scores", "batch", "turns *all* axes", """
def general_scores(query, keys, weight):
    return query @ weight @ keys.T
"""),
    wrong("np.dot on a batch of keys", "general_scores", "batch", "as with np.dot", """
def general_scores(query, keys, weight):
    return np.dot(query @ weight, np.swapaxes(keys, -1, -2))
"""),
    wrong("tanh forgotten", "additive_scores", "formula", "There is no tanh", """
def additive_scores(query, keys, w_query, w_keys, v):
    return ((query @ w_query)[..., :, None, :] + (keys @ w_keys)[..., None, :, :]) @ v
"""),
    wrong("tanh after v", "additive_scores", "formula", "comes after v", """
def additive_scores(query, keys, w_query, w_keys, v):
    return np.tanh(((query @ w_query)[..., :, None, :] + (keys @ w_keys)[..., None, :, :]) @ v)
"""),
    wrong("W_k missing", "additive_scores", "formula", "W_k is missing", """
def additive_scores(query, keys, w_query, w_keys, v):
    return np.tanh((query @ w_query)[..., :, None, :] + keys[..., None, :, :]) @ v
"""),
    wrong("Keras' layer of that name", "additive_scores", "formula", "keras.layers.AdditiveAttention", """
def additive_scores(query, keys, w_query, w_keys, v):
    return np.tanh(query[..., :, None, :] + keys[..., None, :, :]) @ v
"""),
    wrong("two Dense and a dot product", "additive_scores", "formula", "general form under another name", """
def additive_scores(query, keys, w_query, w_keys, v):
    return (query @ w_query) @ np.swapaxes(keys @ w_keys, -1, -2)
"""),
    wrong("bent apart", "additive_scores", "formula", "each bent by themselves", """
def additive_scores(query, keys, w_query, w_keys, v):
    return (np.tanh(query @ w_query) @ v)[..., :, None] + (np.tanh(keys @ w_keys) @ v)[..., None, :]
"""),
    wrong("Tq and T not crossed", "additive_scores", "crossed batch", "Query 1 is paired with key 1", """
def additive_scores(query, keys, w_query, w_keys, v):
    return np.tanh(query @ w_query + keys @ w_keys) @ v
"""),
    wrong("additive on its side", "additive_scores", "crossed", "on its side", """
def additive_scores(query, keys, w_query, w_keys, v):
    return np.tanh((query @ w_query)[..., None, :, :] + (keys @ w_keys)[..., :, None, :]) @ v
"""),
    wrong("axes counted from the front", "additive_scores", "batch", "Count from the end", """
def additive_scores(query, keys, w_query, w_keys, v):
    return np.tanh((query @ w_query)[:, None] + (keys @ w_keys)[None]) @ v
"""),
    wrong("staircase", "hill", "place", "staircase", """
def hill(query, keys, width):
    x = (keys - query[:, None]) / width
    return np.tanh(x + 1) + np.tanh(x - 1)
"""),
    wrong("hill at minus the dial", "hill", "place", "minus the dial", """
def hill(query, keys, width):
    q, k = (np.stack([x, np.ones_like(x)], axis=-1) for x in (query, keys))
    w_query = np.array([[1 / width, 1 / width], [0.0, 0.0]])
    w_keys = np.array([[1 / width, 1 / width], [1.0, -1.0]])
    return additive_scores(q, k, w_query, w_keys, np.array([1.0, -1.0]))
"""),
    wrong("no new axis", "hill", "place", "One dial works", """
def hill(query, keys, width):
    x = (keys - query) / width
    return np.tanh(x + 1) - np.tanh(x - 1)
"""),
    wrong("times the width", "hill", "width", "multiplied by the width", """
def hill(query, keys, width):
    x = (keys - query[:, None]) * width
    return np.tanh(x + 1) - np.tanh(x - 1)
"""),
    wrong("shift over the width", "hill", "width", "The shift is divided", """
def hill(query, keys, width):
    x = keys - query[:, None]
    return np.tanh((x + 1) / width) - np.tanh((x - 1) / width)
"""),
    wrong("softmax over the batch", "attend", "same whole", "over the batch", TORCH_WEIGHTS.format("""
    weights = torch.softmax(scores.masked_fill(~mask, -torch.inf).masked_fill(~mask.any(0), 0), 0) * mask""")),
    wrong("softmax over an axis of one", "attend", "same whole", "holds one number", TORCH_WEIGHTS.format("""
    weights = torch.softmax(scores.unsqueeze(-1), dim=-1).squeeze(-1) * mask""")),
    wrong("tanh forgotten in PyTorch", "attend", "same", "no tanh", TORCH.format(
        "scores = ((query @ w_query)[:, None] + states @ w_keys) @ v")),
    wrong("tanh after v in Keras", "attend", "same", "comes after v", KERAS.format(
        "scores = ops.tanh(ops.matmul(ops.matmul(query, w_query)[:, None] + ops.matmul(states, w_keys), v))"),
        "keras"),
    wrong("two Dense and a dot product in Keras", "attend", "same", "general form", KERAS.format(
        "scores = ops.sum(ops.matmul(query, w_query)[:, None] * ops.matmul(states, w_keys), axis=-1)"), "keras"),
    wrong("the last state asks", "attend", "same", "last state is asked with", TORCH.format(
        "scores = torch.tanh((states[:, -1:] @ w_query) + states @ w_keys) @ v")),
    wrong("mask inverted", "attend", "padding", "upside down", TORCH.replace(
        "    some =", "    mask = ~mask\n    some =").format(
        "scores = torch.tanh((query @ w_query)[:, None] + states @ w_keys) @ v")),
    wrong("mask inverted in Keras", "attend", "padding", "upside down", KERAS_WEIGHTS.replace(
        "    some =", "    mask = ~mask\n    some =").format(
        "weights = ops.where(some, ops.softmax(ops.where(some, ops.where(mask, scores, -np.inf), 0.0)), 0.0)"),
        "keras"),
    wrong("mask forgotten", "attend", "padding empty", "no effect", TORCH_WEIGHTS.format(
        "weights = torch.softmax(scores, -1)")),
    wrong("mask after softmax", "attend", "whole", "after the softmax", TORCH_WEIGHTS.format(
        "weights = torch.softmax(scores, -1) * mask")),
    wrong("mask after softmax in Keras", "attend", "whole", "after the softmax", KERAS_WEIGHTS.format(
        "weights = ops.softmax(scores, axis=-1) * ops.cast(mask, scores.dtype)"), "keras"),
    wrong("−1e9 overflows", "attend", "half", "does not fit", TORCH_WEIGHTS.format(
        "weights = torch.softmax(scores.masked_fill(~mask, -1e9), -1) * some")),
    wrong("−1e9 and no zeros", "attend", "half empty", "does not fit", TORCH_WEIGHTS.format(
        "weights = torch.softmax(scores.masked_fill(~mask, -1e9), -1)")),
    wrong("(1 − mask) × 1e9 in Keras", "attend", "half", "0 times that is NaN", KERAS_WEIGHTS.format(
        "far = (1 - ops.cast(mask, scores.dtype)) * ops.cast(-1e9, scores.dtype)\n"
        "    weights = ops.softmax(scores + far, axis=-1) * ops.cast(some, scores.dtype)"), "keras"),
    wrong("NaN mended too late", "attend", "empty", "may mend the answer", TORCH_WEIGHTS.format(
        "far = torch.zeros_like(scores).masked_fill(~mask, -torch.inf)\n"
        "    weights = torch.softmax(scores + far, -1).nan_to_num()")),
    wrong("NaN not mended in Keras", "attend", "empty", "gives NaN", KERAS_WEIGHTS.format(
        "weights = ops.softmax(ops.where(mask, scores, -np.inf), axis=-1)"), "keras"),
    wrong("uniform over nothing", "attend", "empty", "weights all the same", TORCH_WEIGHTS.format(
        "weights = torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), -1)")),
    wrong("detached", "attend", "empty", "detached", TORCH.format(
        "scores = (torch.tanh((query @ w_query)[:, None] + states @ w_keys) @ v).detach()")),
    wrong("into NumPy and back in Keras", "attend", "empty", "No gradient", KERAS.format(
        "scores = np.tanh(np.asarray(ops.matmul(query, w_query))[:, None] + ops.matmul(states, w_keys).numpy())\n"
        "    scores = ops.matmul(ops.convert_to_tensor(scores), ops.stop_gradient(v))"), "keras"),
    wrong("weights before context", "attend", "same", "changed places", TORCH_WEIGHTS.replace(
        "(weights[:, None] @ states)[:, 0], weights", "weights, (weights[:, None] @ states)[:, 0]").format("""
    weights = torch.softmax(scores.masked_fill(~mask & some, -torch.inf), -1) * some""")),
    wrong("weights with an axis too many in Keras", "attend", "same", "should have the shape (B, T)", KERAS.replace(
        "[:, 0], weights", "[:, 0], weights[..., None]").format(
        "scores = ops.matmul(ops.tanh(ops.matmul(query, w_query)[:, None] + ops.matmul(states, w_keys)), v)"),
        "keras"),
    wrong("an axis of one is left", "attend", "same", "context should have the shape", TORCH.replace(
        "[:, 0], weights", ", weights").format(
        "scores = torch.tanh((query @ w_query)[:, None] + states @ w_keys) @ v")),
    wrong("scores times mask", "attend", "padding", "e to the 0 is 1", TORCH_WEIGHTS.format(
        "weights = torch.softmax(scores * mask, -1) * some")),
    wrong("−10 for minus infinity in Keras", "attend", "padding", "each step of it the same", KERAS_WEIGHTS.format(
        "weights = ops.softmax(ops.where(mask, scores, -10.0), axis=-1) * ops.cast(some, scores.dtype)"), "keras"),
    wrong("softmax by hand", "attend", "half", "once scores are large", TORCH_WEIGHTS.format(
        "x = torch.exp(scores) * mask\n    weights = x / (x.sum(-1, keepdim=True) + 1e-9)")),
    wrong("softmax by hand in Keras", "attend", "half", "once scores are large", KERAS_WEIGHTS.format(
        "x = ops.exp(scores) * ops.cast(mask, scores.dtype)\n"
        "    weights = x / (ops.sum(x, axis=-1, keepdims=True) + 1e-9)"), "keras"),
    wrong("1e-9 against 0 / 0", "attend", "half", "empty recording gives NaN, though", TORCH_WEIGHTS.format(
        "x = torch.exp(scores - scores.amax(-1, keepdim=True)) * mask\n"
        "    weights = x / (x.sum(-1, keepdim=True) + 1e-9)")),
    wrong("1e-9 against 0 / 0 in Keras", "attend", "half", "empty recording gives NaN, though", KERAS_WEIGHTS.format(
        "x = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True)) * ops.cast(mask, scores.dtype)\n"
        "    weights = x / (ops.sum(x, axis=-1, keepdims=True) + 1e-9)"), "keras"),
    wrong("a mask of float32", "attend", "half", "in float16, though not in float32", TORCH_WEIGHTS.format(
        "weights = torch.softmax(scores.masked_fill(~mask & some, -torch.inf), -1) * mask.float()")),
    wrong("all in float32", "attend", "half", "dtype of `states`", TORCH.format(
        "states = states.float()\n"
        "    scores = torch.tanh((query.float() @ w_query.float())[:, None] + states @ w_keys.float()) @ v.float()")),
    wrong("the NumPy function", "attend", "empty", "becomes NumPy", TORCH.format(
        "scores = torch.as_tensor(additive_scores(query[:, None], states, w_query, w_keys, v))[:, 0]")),
    wrong("the context alone", "attend", "same padding whole half empty", "context, weights", TORCH.replace(
        "[:, 0], weights", "[:, 0]").format(
        "scores = torch.tanh((query @ w_query)[:, None] + states @ w_keys) @ v")),
    wrong("projected keys averaged", "attend", "same", "projected keys", TORCH_WEIGHTS.replace(
        "@ states)", "@ (states @ w_keys))").format("""
    scores = scores.masked_fill(~mask, -torch.inf).masked_fill(~some, 0.0)
    weights = torch.softmax(scores, dim=-1).masked_fill(~some, 0.0)""")),
]  # fmt: skip

RIGHT = [
    Right("loops", {"scaled_scores": """
def scaled_scores(a, b):
    if a.ndim > 2:
        return np.array([scaled_scores(x, y) for x, y in zip(a, b)])
    return [[sum(x * y for x, y in zip(q, k)) / len(q) ** 0.5 for k in b] for q in a]
""", "largest_weight": """
def largest_weight(e):
    out = np.zeros(e.shape[:-1])
    for place in np.ndindex(out.shape):
        out[place] = max(np.exp(x) / sum(np.exp(e[place])) for x in e[place])
    return out
""", "slope": """
def slope(e):
    out = np.zeros((*e.shape, e.shape[-1]))
    for place in np.ndindex(e.shape[:-1]):
        a = softmax(e[place])
        out[place] = np.diag(a) - np.outer(a, a)
    return out
"""}),
    Right("einsum, widened and projected otherwise", {
        "scaled_scores": "def scaled_scores(q, k): return np.einsum('...qd,...td->...qt', q / q.shape[-1] ** 0.5, k)\n",
        "general_scores": "def general_scores(a, b, w): return np.einsum('...qi,ij,...tj->...qt', a, w, b)\n",
        "additive_scores": """
def additive_scores(q, k, a, b, c):
    x = np.einsum('...qi,ia->...qa', q, a)[..., None, :] + np.einsum('...ti,ia->...ta', k, b)[..., None, :, :]
    return np.einsum('...a,a->...', np.tanh(x), c)
"""}),
    Right("Luong's concat", {"additive_scores": """
def additive_scores(query, keys, w_query, w_keys, v):
    if query.ndim > 2:
        return np.stack([additive_scores(q, k, w_query, w_keys, v) for q, k in zip(query, keys)])
    w = np.vstack([w_query, w_keys])
    return np.array([[np.tanh(np.concatenate([q, k]) @ w) @ v for k in keys] for q in query])
"""}),
    Right("float32", {"scaled_scores": """
def scaled_scores(query, keys):
    query, keys = query.astype(np.float32), keys.astype(np.float32)
    return query @ np.swapaxes(keys, -1, -2) / np.float32(query.shape[-1]) ** 0.5
""", "general_scores": """
def general_scores(query, keys, weight):
    return query.astype("f4") @ weight.astype("f4") @ np.swapaxes(keys, -1, -2).astype("f4")
"""}),
    Right("the formula, and keys projected instead", {
        "hill": """
def hill(dials, places, w):
    return np.array([[np.tanh((p - d) / w + 1) - np.tanh((p - d) / w - 1) for p in places] for d in dials])
""", "general_scores": """
def general_scores(query, keys, weight):
    return query @ np.swapaxes(keys @ weight.T, -1, -2)
"""}),
    Right("other units for the same hill", {"hill": """
def hill(query, keys, width):
    one = lambda x: np.stack([np.ones_like(x), x], axis=-1) / width
    a, b = np.array([[width, width], [-1, 1]]), np.array([[0, 0], [1, -1]])
    return additive_scores(one(query), one(keys), a, b, np.ones(2))
"""}),
    Right("one at a time in PyTorch", {"attend": """
import torch
def attend(query, states, mask, w_query, w_keys, v):
    contexts, rows = [], []
    for q, s, m in zip(query, states, mask):
        row = torch.zeros(len(s), dtype=s.dtype)
        if m.any():
            e = torch.stack([torch.tanh(q @ w_query + each @ w_keys) @ v for each in s[m]])
            row = row.masked_scatter(m, e.softmax(0))
        rows.append(row)
        contexts.append(row @ s)
    return torch.stack(contexts), torch.stack(rows)
"""}),
    Right("linear layers and einsum in PyTorch", {"attend": """
import torch
import torch.nn.functional as F
def attend(query, states, mask, w_query, w_keys, v):
    x = torch.tanh(F.linear(query, w_query.T).unsqueeze(1) + F.linear(states, w_keys.T))
    e = torch.einsum('bta,a->bt', x, v).masked_fill(~mask, torch.finfo(states.dtype).min)
    a = e.softmax(-1) * mask
    return torch.bmm(a.unsqueeze(1), states).squeeze(1), a
"""}),
    Right("every step of an empty recording is read, then thrown away", {"attend": """
import torch
def attend(query, states, mask, w_query, w_keys, v):
    scores = torch.tanh(torch.matmul(query, w_query).unsqueeze(1) + torch.matmul(states, w_keys)) @ v
    read = mask | ~mask.any(dim=1, keepdim=True)
    weights = torch.softmax(torch.where(read, scores, float("-inf")), dim=1) * mask
    return torch.bmm(weights.unsqueeze(1), states).squeeze(1), weights
"""}),
    Right("softmax by hand, with care", {"attend": """
import torch
def attend(query, states, mask, w_query, w_keys, v):
    e = torch.tanh((query @ w_query)[:, None] + states @ w_keys) @ v
    top = e.masked_fill(~mask, -60000).amax(-1, keepdim=True).clamp(min=-1000)
    x = torch.exp((e - top).masked_fill(~mask, -torch.inf))
    total = x.sum(-1, keepdim=True)
    a = x / torch.where(total > 0, total, torch.ones_like(total))
    return (a[..., None] * states).sum(1), a
"""}),
    Right("tensorflow itself", {"attend": """
import tensorflow as tf
def attend(q, s, m, a, b, c):
    some = tf.reduce_any(m, -1, keepdims=True)
    e = tf.linalg.matvec(tf.tanh(tf.expand_dims(q @ a, 1) + tf.einsum('bti,ij->btj', s, b)), c)
    w = tf.nn.softmax(tf.where(tf.logical_or(m, ~some), e, e.dtype.min)) * tf.cast(some, s.dtype)
    return tf.reduce_sum(w[..., None] * s, 1), w
"""}, "keras"),
    Right("keras operations", {"attend": KERAS.format(
        "x = ops.expand_dims(query @ w_query, 1) + ops.tensordot(states, w_keys, axes=1)\n"
        "    scores = ops.sum(ops.tanh(x) * v, axis=-1)")}, "keras"),
]  # fmt: skip
