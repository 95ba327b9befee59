"""What people hand in for the look-up: mistakes, and other ways to be right."""

from . import Right, wrong

TORCH = """
import torch
def attend(query, keys, values, mask):
    some = mask.any(dim=-1, keepdim=True)
    scores = query @ keys.transpose(-1, -2)
    {}
    return weights @ values, weights
"""
KERAS = """
from keras import ops
def attend(query, keys, values, mask):
    some = ops.any(mask, axis=-1, keepdims=True)
    scores = ops.matmul(query, ops.transpose(keys, (0, 2, 1)))
    {}
    weights = ops.cast(weights, values.dtype)
    return ops.matmul(weights, values), weights
"""

WRONG = [
    wrong("softmax over the batch", "softmax", "axis", "runs over the batch", """
def softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=0)
"""),
    wrong("softmax over the queries", "softmax", "axis", "over the queries", """
def softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=max(0, scores.ndim - 2), keepdims=True)
"""),
    wrong("softmax over everything", "softmax", "axis", "together", """
def softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum()
"""),
    wrong("not divided by the sum", "softmax", "axis", "nothing divides", """
def softmax(scores):
    return np.exp(np.clip(scores, -700, 700))
"""),
    wrong("not shifted", "softmax", "stable", "largest score", """
def softmax(scores):
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)
"""),
    wrong("scores on their side", "dot_scores", "pairs", "on its side", """
def dot_scores(query, keys):
    return keys @ np.swapaxes(query, -1, -2)
"""),
    wrong("cosine", "dot_scores", "pairs", "cosine", """
def dot_scores(query, keys):
    unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
    return unit(query) @ np.swapaxes(unit(keys), -1, -2)
"""),
    wrong("divided by √d", "dot_scores", "pairs", "√d", """
def dot_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2) / np.sqrt(query.shape[-1])
"""),
    wrong(".T on a batch", "dot_scores", "batch", "turns *all* axes", """
def dot_scores(query, keys):
    return query @ keys.T
"""),
    wrong("mask inverted", "masked_softmax", "hidden", "upside down", """
def masked_softmax(scores, mask):
    mask = ~mask
    some = mask.any(axis=-1, keepdims=True)
    weights = softmax(np.where(some, np.where(mask, scores, -np.inf), 0.0))
    return np.where(some, weights, 0.0)
"""),
    wrong("mask forgotten", "masked_softmax", "hidden empty", "no effect", """
def masked_softmax(scores, mask):
    return softmax(scores)
"""),
    wrong("mask after softmax", "masked_softmax", "whole", "after the softmax", """
def masked_softmax(scores, mask):
    return softmax(scores) * mask
"""),
    wrong("−1e9 for minus infinity", "masked_softmax", "fill", "large negative number", """
def masked_softmax(scores, mask):
    weights = softmax(np.where(mask, scores, -1e9))
    return np.where(mask.any(axis=-1, keepdims=True), weights, 0.0)
"""),
    wrong("scores times mask", "masked_softmax", "hidden fill empty", "multiplied by the mask", """
def masked_softmax(scores, mask):
    return softmax(scores * mask)
"""),
    wrong("NaN in an empty row", "masked_softmax", "empty", "NaN", """
def masked_softmax(scores, mask):
    return softmax(np.where(mask, scores, -np.inf))
"""),
    wrong("values unweighted", "look_up", "context", "plain sum", """
def look_up(query, keys, values, mask):
    weights = masked_softmax(dot_scores(query, keys), mask)
    return np.ones_like(weights) @ values, weights
"""),
    wrong("scores for weights", "look_up", "weights", "These are scores", """
def look_up(query, keys, values, mask):
    scores = dot_scores(query, keys)
    return masked_softmax(scores, mask) @ values, np.where(mask, scores, 0)
"""),
    wrong("mask not handed on", "look_up", "mask", "not handed on", """
def look_up(query, keys, values, mask):
    weights = softmax(dot_scores(query, keys))
    return weights @ values, weights
"""),
    wrong("argmax over the queries", "hard_look_up", "best", "best query", """
def hard_look_up(query, keys, values):
    return values[(query @ keys.T).argmax(axis=0)]
"""),
    wrong("times the width", "closeness", "width", "multiplied by the width", """
def closeness(query, keys, width):
    return -((query[:, None] - keys) ** 2) / 2 * width**2
"""),
    wrong(
        "one maximum for all rows",
        "softmax",
        "stable",
        "each row",
        """
def softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=-1, keepdims=True)
""",
    ),
    wrong(
        "no return",
        "dot_scores",
        "pairs batch",
        "returned nothing",
        """
def dot_scores(query, keys):
    query @ np.swapaxes(keys, -1, -2)
""",
    ),
    wrong(
        "context alone",
        "look_up",
        "weights",
        "Two things",
        """
def look_up(query, keys, values, mask):
    return masked_softmax(dot_scores(query, keys), mask) @ values
""",
    ),
    wrong(
        "mask turned round",
        "look_up",
        "context",
        "upside down",
        """
def look_up(query, keys, values, mask):
    weights = masked_softmax(dot_scores(query, keys), ~mask)
    return weights @ values, weights
""",
    ),
    wrong("NaN where nothing is seen", "attend", "empty", "is NaN", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), -1)")),
    wrong("no minus", "closeness", "distance", "sign is missing", """
def closeness(query, keys, width):
    return (query[:, None] - keys) ** 2 / (2 * width**2)
"""),
    wrong("−1e9 overflows", "attend", "half", "does not fit", TORCH.format(
        "weights = torch.softmax(scores.masked_fill(~mask, -1e9), -1) * some")),
    wrong("nan_to_num after an additive mask", "attend", "gradient", "NaN", TORCH.format(
        "weights = torch.softmax(scores + torch.zeros_like(scores).masked_fill(~mask, -torch.inf), -1).nan_to_num()")),
    wrong("the same in Keras", "attend", "gradient", "NaN", KERAS.format(
        "weights = ops.nan_to_num(ops.softmax(scores + ops.cast(ops.where(mask, 0.0, -np.inf), scores.dtype), -1))"),
        "keras"),
    wrong("no gradient", "attend", "gradient", "No gradient", TORCH.format("""
    scores = scores.detach().masked_fill(~(mask | ~some), -torch.inf)
    weights = torch.softmax(scores, -1) * some""")),
    wrong("softmax over the batch in Keras", "attend", "same", "over the batch", KERAS.format(
        "weights = ops.where(some, ops.softmax(ops.where(some, ops.where(mask, scores, -np.inf), 0), axis=0), 0)"),
        "keras"),
]  # fmt: skip

RIGHT = [
    Right("loops", {"softmax": """
def softmax(scores):
    out = np.zeros(scores.shape)
    for place in np.ndindex(scores.shape[:-1]):
        row = [float(np.exp(each - max(scores[place]))) for each in scores[place]]
        out[place] = [each / sum(row) for each in row]
    return out
""", "dot_scores": """
def dot_scores(q, k):
    return np.array([[sum(x * y for x, y in zip(a, b)) for b in k] for a in q]) if q.ndim == 2 else np.array(
        [dot_scores(a, b) for a, b in zip(q, k)])
"""}),
    Right("scipy and einsum", {
        "softmax": "from scipy.special import softmax as _s\ndef softmax(x): return _s(x, axis=-1)\n",
        "dot_scores": "def dot_scores(a, b): return np.einsum('...qd,...td->...qt', a, b)\n"}),
    Right("float32", {"softmax": """
def softmax(scores):
    scores = scores.astype(np.float32)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
"""}),
    Right("renormalised", {"masked_softmax": """
def masked_softmax(e, m):
    top = np.max(e, axis=-1, keepdims=True, where=m, initial=-np.inf)
    part = np.where(m, np.exp(e - np.where(np.isinf(top), 0, top)), 0)
    whole = part.sum(-1, keepdims=True)
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
"""}),
    Right("row by row", {"masked_softmax": """
def masked_softmax(scores, mask):
    out = np.zeros(scores.shape)
    for place in np.ndindex(scores.shape[:-1]):
        if mask[place].any():
            out[place][mask[place]] = softmax(scores[place][mask[place]])
    return out
""", "hard_look_up": """
def hard_look_up(a, b, c):
    return [c[max(range(len(b)), key=lambda t: q @ b[t])] for q in a]
"""}),
    Right("wider inside, cast back", {"attend": TORCH.format(
        "weights = torch.softmax(scores.double().masked_fill(~mask, -1e30), -1).to(values.dtype) * some")}),
    Right("the library's own", {"attend": """
import torch
import torch.nn.functional as F
def attend(query, keys, values, mask):
    some = mask.any(-1, keepdim=True)
    scores = (query @ keys.mT).masked_fill(~(mask | ~some), -torch.inf)
    weights = scores.softmax(-1) * some
    return F.scaled_dot_product_attention(query, keys, values, mask, scale=1.0) * some, weights
"""}),
    Right("tensorflow itself", {"attend": """
import tensorflow as tf
def attend(q, k, v, m):
    some = tf.reduce_any(m, -1, keepdims=True)
    s = tf.where(tf.logical_or(m, ~some), tf.matmul(q, k, transpose_b=True), tf.cast(-np.inf, q.dtype))
    w = tf.where(some, tf.nn.softmax(s), tf.cast(0, q.dtype))
    return tf.matmul(w, v), w
"""}, "keras"),
]  # fmt: skip
