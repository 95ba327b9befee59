"""What people hand in for temperature and heads: mistakes, and other ways to be right."""

from . import Right, wrong

SOFTMAX = """
def softmax_at(scores, temperature):
    {}
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""
SEARCH = """
def temperature_for(scores, length):
    low, high = {}
    for _ in range(100):
        middle = (low + high) / 2
        weights = softmax_at(scores, np.exp(middle))
        if {} < length:
            low = middle
        else:
            high = middle
    return {}
"""
HEADS = """
def multi_head(query, keys, values, w, heads, mask, temperature):
    q, k = split_heads(query @ w["query"], heads), split_heads(keys @ w["keys"], heads)
    v = split_heads(values @ w["values"], heads)
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    mask = mask[:, None, None]
    weights = softmax_at(np.where(mask, scores, -np.inf), temperature)
    context = merge_heads(weights @ v) @ w["out"]
    return context, weights
"""
TORCH = """
import torch
def library_heads(query, keys, values, w, heads, mask):
    layer = torch.nn.MultiheadAttention(query.shape[-1], heads, batch_first=True)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([w["query"].T, w["keys"].T, w["values"].T]))
        layer.out_proj.weight.copy_(w["out"].T)
    return layer(query, keys, values, key_padding_mask=~mask, average_attn_weights=False)
"""
KERAS = """
import keras
from keras import ops
def library_heads(query, keys, values, w, heads, mask):
    width = query.shape[-1]
    layer = keras.layers.MultiHeadAttention(heads, width // heads, use_bias=False)
    layer.build(query.shape, values.shape, keys.shape)
    parts = [ops.reshape(w[name], (width, heads, -1)) for name in ("query", "keys", "values")]
    layer.set_weights([*parts, ops.reshape(w["out"], (heads, -1, width))])
    return layer(query, values, keys, attention_mask=mask[:, None, :], return_attention_scores=True)
"""


def but(code: str, old: str, new: str) -> str:
    """`code` with one mistake put into it."""
    assert code.count(old) == 1, old
    return code.replace(old, new)


WRONG = [
    wrong("multiplied by τ", "softmax_at", "divides", "multiplied by the temperature",
          SOFTMAX.format("x = scores * temperature")),
    wrong("τ squared", "softmax_at", "divides", "squared", SOFTMAX.format("x = scores / temperature**2")),
    wrong("τ after the softmax", "softmax_at", "divides", "no longer add up to 1", """
def softmax_at(scores, temperature):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) / temperature
"""),
    wrong("τ after the softmax, normalised again", "softmax_at", "divides", "no effect", """
def softmax_at(scores, temperature):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = e / e.sum(axis=-1, keepdims=True) / temperature
    return weights / weights.sum(axis=-1, keepdims=True)
"""),
    wrong("only the largest score divided", "softmax_at", "divides cold", "no effect", """
def softmax_at(scores, temperature):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True) / temperature)
    return e / e.sum(axis=-1, keepdims=True)
"""),
    wrong("shifted by the undivided largest", "softmax_at", "cold", "*after* dividing", """
def softmax_at(scores, temperature):
    e = np.exp(scores / temperature - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""),
    wrong("the largest of all rows taken away", "softmax_at", "cold", "each row's own largest", """
def softmax_at(scores, temperature):
    z = scores / temperature
    e = np.exp(z - z.max())
    return e / e.sum(axis=-1, keepdims=True)
"""),
    wrong("cut off at 700", "softmax_at", "cold", "cut off", """
def softmax_at(scores, temperature):
    e = np.exp(np.clip(scores / temperature, -700, 700))
    return e / e.sum(axis=-1, keepdims=True)
"""),
    wrong("softmax over the queries", "softmax_at", "rows", "last axis but one", """
def softmax_at(scores, temperature):
    axis = max(scores.ndim - 2, 0)
    e = np.exp((scores - scores.max()) / temperature)
    return e / e.sum(axis=axis, keepdims=True)
"""),
    wrong("log2", "entropy", "sum", "bits", """
def entropy(weights):
    return -(weights * np.log2(np.where(weights > 0, weights, 1))).sum(axis=-1)
"""),
    wrong("no minus", "entropy", "sum", "minus is missing", """
def entropy(weights):
    return (weights * np.log(weights + 1e-12)).sum(axis=-1)
"""),
    wrong("NaN at zero", "entropy", "zero", "0 times minus infinity", """
def entropy(weights):
    return -(weights * np.log(weights)).sum(axis=-1)
"""),
    wrong("NaN replaced too late", "entropy", "zero", "before, word by word", """
def entropy(weights):
    return np.nan_to_num(-(weights * np.log(weights)).sum(axis=-1))
"""),
    wrong("one sum of all rows", "entropy", "rows", "One number", """
def entropy(weights):
    return -(weights * np.log(np.where(weights > 0, weights, 1))).sum()
"""),
    wrong("one over the sum of squares", "effective_length", "exp", "second", """
def effective_length(weights):
    return 1 / (weights**2).sum(axis=-1)
"""),
    wrong("2 to the nats", "effective_length", "exp", "nats", """
def effective_length(weights):
    return 2 ** entropy(weights)
"""),
    wrong("β instead of τ", "temperature_for", "found", "one over the temperature",
          SEARCH.format("-20, 20", "effective_length(weights)", "1 / np.exp(middle)")),
    wrong("the entropy set to the length", "temperature_for", "found", "*entropy*",
          SEARCH.format("-20, 20", "entropy(weights)", "np.exp(middle)")),
    wrong("the comparison turned round", "temperature_for", "found far", "runs the wrong way",
          but(SEARCH.format("-20, 20", "effective_length(weights)", "np.exp(middle)"), "< length", "> length")),
    wrong("chapter 7's exercise as it is", "temperature_for", "far", "reaches neither",
          SEARCH.format("np.log(1e-4), np.log(1e4)", "effective_length(weights)", "np.exp(middle)")),
    wrong("brentq between too near ends", "temperature_for", "far", "reaches neither", """
from scipy.optimize import brentq
def temperature_for(scores, length):
    return brentq(lambda t: effective_length(softmax_at(scores, t)) - length, 0.01, 100)
"""),
    wrong("both ends of the interval", "temperature_for", "found far", "More than one number",
          SEARCH.format("-20, 20", "effective_length(weights)", "np.exp([low, high])")),
    wrong("searched between e⁻⁴ and e⁴", "temperature_for", "far", "reaches neither",
          SEARCH.format("-4, 4", "effective_length(weights)", "np.exp(middle)")),
    wrong("searched up to 100", "temperature_for", "far", "times larger, which",
          SEARCH.format("-20, np.log(100)", "effective_length(weights)", "np.exp(middle)")),
    wrong("a grid of a thousandth", "temperature_for", "far", "too coarse", """
def temperature_for(scores, length):
    low, high = 0.0, 1e6
    while high - low > 2e-3:
        middle = (low + high) / 2
        cold = effective_length(softmax_at(scores, middle)) < length
        low, high = (middle, high) if cold else (low, middle)
    return middle
"""),
    wrong("reshape without the swap", "split_heads", "pieces", "deals out the *words*", """
def split_heads(x, heads):
    return x.reshape(*x.shape[:-2], heads, x.shape[-2], x.shape[-1] // heads)
"""),
    wrong("never swapped", "split_heads", "pieces", "stand behind the words", """
def split_heads(x, heads):
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads)
"""),
    wrong("heads last", "split_heads", "pieces", "as cards are", """
def split_heads(x, heads):
    return np.moveaxis(x.reshape(*x.shape[:-1], -1, heads), -1, -3)
"""),
    wrong("repeated", "split_heads", "pieces", "repeated", """
def split_heads(x, heads):
    return np.repeat(x[..., None, :, :], heads, axis=-3)
"""),
    wrong("no batch", "split_heads", "batch", "It stops", """
def split_heads(x, heads):
    steps, width = x.shape
    return x.reshape(steps, heads, width // heads).transpose(1, 0, 2)
"""),
    wrong("one batch axis", "split_heads", "batch", "two do not", """
def split_heads(x, heads):
    y = x.reshape(-1, *x.shape[-2:]) if x.ndim == 2 else x
    batch, steps, width = y.shape
    y = y.reshape(batch, steps, heads, width // heads).transpose(0, 2, 1, 3)
    return y[0] if x.ndim == 2 else y
"""),
    wrong("heads first of all", "split_heads", "batch", "in front of the batch", """
def split_heads(x, heads):
    return np.stack(np.split(x, heads, axis=-1))
"""),
    wrong("a list of heads", "split_heads", "batch", "in front of the batch", """
def split_heads(x, heads):
    return np.split(x, heads, axis=-1)
"""),
    wrong("batch and heads in one axis", "split_heads", "batch", "share an axis", """
def split_heads(x, heads):
    *_, steps, width = x.shape
    return x.reshape(-1, steps, heads, width // heads).swapaxes(1, 2).reshape(-1, steps, width // heads)
"""),
    wrong("merged without the swap", "merge_heads", "back", "swap the heads back", """
def merge_heads(x):
    *batch, h, t, d = x.shape
    return x.reshape(*batch, t, h * d)
"""),
    wrong("merged along the first axis", "merge_heads", "back", "third axis from the end", """
def merge_heads(x):
    return np.concatenate(list(x), axis=-1)
"""),
    wrong("merged without a batch", "merge_heads", "back", "stops when there is a batch", """
def merge_heads(x):
    heads, steps, d = x.shape
    return x.transpose(1, 0, 2).reshape(steps, heads * d)
"""),
    wrong("√ of the whole width", "multi_head", "scale", "*whole* width",
          but(HEADS, "np.sqrt(q.shape[-1])", 'np.sqrt(len(w["out"]))')),
    wrong("√ of the query's width", "multi_head", "scale", "as it comes in",
          but(HEADS, "np.sqrt(q.shape[-1])", "np.sqrt(query.shape[-1] / heads)")),
    wrong("no √d", "multi_head", "scale", "not divided", but(HEADS, " / np.sqrt(q.shape[-1])", "")),
    wrong("output projection forgotten", "multi_head", "out", "come back as they are",
          but(HEADS, ' @ w["out"]', "")),
    wrong("weights averaged over heads", "multi_head", "weights", "averaged",
          but(HEADS, "return context, weights", "return context, weights.mean(axis=1)")),
    wrong("context second", "multi_head", "weights", "changed places",
          but(HEADS, "return context, weights", "return weights, context")),
    wrong("the context alone", "multi_head", "weights", "No weights came back",
          but(HEADS, "return context, weights", "return context")),
    wrong("softmax over the heads", "multi_head", "weights scale context", "over the heads", but(
        HEADS, "softmax_at(np.where(mask, scores, -np.inf), temperature)",
        "np.where(mask, np.exp(scores / temperature) / np.exp(scores / temperature).sum(1, keepdims=True), 0)")),
    wrong("temperature forgotten", "multi_head", "temperature", "no effect", but(HEADS, "temperature)\n ", "1.0)\n ")),
    wrong("weights divided by the temperature", "multi_head", "temperature", "The weights are divided", but(
        HEADS, "temperature)\n ", "1.0) / temperature\n ")),
    wrong("mask upside down", "multi_head", "mask", "upside down", but(HEADS, "(mask,", "(~mask,")),
    wrong("mask forgotten", "multi_head", "mask", "no effect", but(HEADS, "np.where(mask, scores, -np.inf)", "scores")),
    wrong("mask without an axis of queries", "multi_head", "mask", "meet the heads",
          but(HEADS, "mask[:, None, None]", "mask[:, None]")),
    wrong("mask along the queries", "multi_head", "mask", "hides queries",
          but(HEADS, "mask[:, None, None]", "mask[:, None, :, None]")),
    wrong("mask along the heads", "multi_head", "mask", "hides heads",
          but(HEADS, "mask[:, None, None]", "mask[:, :, None, None]")),
    wrong("mask as it comes", "multi_head", "mask", "meet the queries", but(HEADS, "mask[:, None, None]", "mask")),
    wrong("minus a hundred", "multi_head", "mask", "−100 are scores too", but(HEADS, "-np.inf", "-100")),
    wrong("minus a hundred after the temperature", "multi_head", "mask", "At a low temperature", but(
        HEADS, "softmax_at(np.where(mask, scores, -np.inf), temperature)",
        "softmax_at(np.where(mask, scores / temperature, -100), 1.0)")),
    wrong("scores of 0", "multi_head", "mask", "0 and −100", but(HEADS, "-np.inf", "0")),
    wrong("mask after the softmax", "multi_head", "mask", "after the softmax", but(
        HEADS, "softmax_at(np.where(mask, scores, -np.inf), temperature)", "softmax_at(scores, temperature) * mask")),
    wrong("merged by reshape inside", "multi_head", "context", "mixes words and heads",
          but(HEADS, "merge_heads(weights @ v)", "(weights @ v).reshape(*query.shape[:2], -1)")),
    wrong("values not projected", "multi_head", "context", "not multiplied", but(HEADS, ' @ w["values"]', "")),
    wrong("mask polarity of torch", "library_heads", "mask", "upside down", but(TORCH, "=~mask", "=mask")),
    wrong("averaged by default", "library_heads", "weights", "averaged",
          but(TORCH, ", average_attn_weights=False", "")),
    wrong("in_proj_weight untransposed", "library_heads", "context", "keys and values are the wrong way round",
          but(TORCH, 'w["query"].T, w["keys"].T, w["values"].T', 'w["query"], w["keys"], w["values"]')),
    wrong("out_proj untransposed", "library_heads", "context", "output's matrix is the wrong way round",
          but(TORCH, 'w["out"].T', 'w["out"]')),
    wrong("time first", "library_heads", "context", "batch_first", but(TORCH, ", batch_first=True", "")),
    wrong("in PyTorch the context second", "library_heads", "weights", "changed places", but(
        TORCH, "    return layer(query, keys, values, key_padding_mask=~mask, average_attn_weights=False)",
        "    return layer(query, keys, values, key_padding_mask=~mask, average_attn_weights=False)[::-1]")),
    wrong("in PyTorch the context alone", "library_heads", "weights", "No weights came back",
          but(TORCH, "average_attn_weights=False)", "average_attn_weights=False)[0]")),
    wrong("PyTorch's gradients left on", "library_heads", "context weights mask", "torch.no_grad()",
          but(TORCH, "with torch.no_grad():", "if True:")),
    wrong("PyTorch's matrices side by side", "library_heads", "context weights mask", "two shapes do not fit",
          but(TORCH, 'w["query"].T, w["keys"].T, w["values"].T])', 'w["query"], w["keys"], w["values"]], dim=1)')),
    wrong("PyTorch's heads before the width", "library_heads", "context weights mask", "width first",
          but(TORCH, "query.shape[-1], heads,", "heads, query.shape[-1],")),
    wrong("PyTorch's mask not handed on", "library_heads", "mask", "no effect",
          but(TORCH, "key_padding_mask=~mask, ", "")),
    wrong("Keras' matrices transposed", "library_heads", "context", "Keras' (in, out), as they are", but(
        but(KERAS, "ops.reshape(w[name], (", "ops.reshape(ops.transpose(w[name]), ("),
        'ops.reshape(w["out"],', 'ops.reshape(ops.transpose(w["out"]),'), "keras"),
    wrong("Keras' biases kept", "library_heads", "context weights mask", "use_bias=False",
          but(KERAS, ", use_bias=False", ""), "keras"),
    wrong("Keras' layer not built", "library_heads", "context weights mask", "before it is built",
          but(KERAS, "    layer.build(query.shape, values.shape, keys.shape)\n", ""), "keras"),
    wrong("Keras' key_dim the whole width", "library_heads", "context weights mask", "width of *one* head",
          but(KERAS, "(heads, width // heads,", "(heads, width,"), "keras"),
    wrong("Keras' weights averaged", "library_heads", "weights", "no axis of heads", but(
        KERAS, "    return layer(query, values, keys, attention_mask=mask[:, None, :], return_attention_scores=True)",
        "    c, a = layer(query, values, keys, attention_mask=mask[:, None, :], return_attention_scores=True)\n"
        "    return c, ops.mean(a, axis=1)"), "keras"),
    wrong("Keras' mask on the queries", "library_heads", "mask", "hides queries",
          but(KERAS, "mask[:, None, :]", "mask[:, :, None]"), "keras"),
    wrong("Keras called with key second", "library_heads", "context", "*value*, key",
          but(KERAS, "layer(query, values, keys", "layer(query, keys, values"), "keras"),
    wrong("Keras not asked for weights", "library_heads", "weights", "No weights came back",
          but(KERAS, ", return_attention_scores=True", ""), "keras"),
    wrong("Keras' heads last", "library_heads", "context", "every h-th feature", but(
        KERAS, "ops.reshape(w[name], (width, heads, -1))",
        "ops.transpose(ops.reshape(w[name], (width, -1, heads)), (0, 2, 1))"), "keras"),
    wrong("Keras' mask inverted", "library_heads", "mask", "upside down",
          but(KERAS, "mask[:, None, :]", "~mask[:, None, :]"), "keras"),
    wrong("Keras' mask of two axes", "library_heads", "mask", "meet the queries",
          but(KERAS, "mask[:, None, :]", "mask"), "keras"),
]  # fmt: skip

RIGHT = [
    Right("loops", {"softmax_at": """
def softmax_at(scores, temperature):
    out = np.zeros(scores.shape)
    for place in np.ndindex(scores.shape[:-1]):
        top = max(scores[place])
        row = [float(np.exp((each - top) / temperature)) for each in scores[place]]
        out[place] = [each / sum(row) for each in row]
    return out
""", "entropy": """
def entropy(weights):
    if weights.ndim > 1:
        return np.array([entropy(row) for row in weights])
    return -sum(a * np.log(a) for a in weights if a > 0)
""", "split_heads": """
def split_heads(x, heads):
    d = x.shape[-1] // heads
    return np.stack([x[..., i * d:(i + 1) * d] for i in range(heads)], axis=-3)
""", "merge_heads": """
def merge_heads(x):
    return np.concatenate([x[..., i, :, :] for i in range(x.shape[-3])], axis=-1)
"""}),
    Right("scipy", {"softmax_at": """
from scipy.special import softmax
def softmax_at(scores, temperature): return softmax(scores / temperature, axis=-1)
""", "entropy": """
from scipy.special import entr
def entropy(weights): return entr(weights).sum(-1)
""", "temperature_for": """
from scipy.optimize import brentq
def temperature_for(scores, length):
    f = lambda t: effective_length(softmax_at(scores, np.exp(t))) - length
    return np.exp(brentq(f, -15, 15))
"""}),
    Right("a little added inside the logarithm, in float32", {"entropy": """
def entropy(weights):
    p = weights.astype(np.float32)
    return -np.sum(p * np.log(p + 1e-9), axis=-1)
""", "effective_length": """
def effective_length(weights):
    return np.prod(np.where(weights > 0, weights, 1) ** -weights, axis=-1)
"""}),
    Right("bisection without logarithms", {"temperature_for": """
def temperature_for(scores, length):
    cold, hot = 0.0, 1.0
    while effective_length(softmax_at(scores, hot)) < length:
        hot *= 2
    while hot - cold > 1e-4 * hot:
        middle = (cold + hot) / 2
        if effective_length(softmax_at(scores, middle)) < length:
            cold = middle
        else:
            hot = middle
    return (cold + hot) / 2
"""}),
    Right("an array of one number", {"temperature_for":
        SEARCH.format("np.array([-16.0]), np.array([16.0])", "effective_length(weights)", "np.exp(middle)")}),
    Right("a fine grid", {"temperature_for": """
def temperature_for(scores, length):
    taus = np.geomspace(1e-6, 1e6, 40_000)
    return taus[np.argmin(np.abs(effective_length(softmax_at(scores[None], taus[:, None])) - length))]
"""}),
    Right("einsum", {"split_heads": """
def split_heads(x, heads):
    return np.moveaxis(x.reshape(*x.shape[:-1], heads, -1), -2, -3)
""", "multi_head": """
def multi_head(query, keys, values, w, heads, mask, temperature):
    def apart(m): return np.stack(np.split(m, heads, axis=1))
    q, k, v = (np.einsum("bti,hid->bhtd", x, apart(w[n])) for x, n in ((query, "query"), (keys, "keys"),
                                                                      (values, "values")))
    e = np.einsum("bhqd,bhtd->bhqt", q, k) / q.shape[-1] ** 0.5
    e = e / temperature + np.where(mask, 0, -1e9)[:, None, None]
    a = softmax_at(e, 1)
    return np.einsum("bhqt,bhtd,hdo->bqo", a, v, np.stack(np.split(w["out"], heads))), a
"""}),
    Right("one head after the other", {"multi_head": """
def multi_head(query, keys, values, w, heads, mask, temperature):
    d = w["query"].shape[1] // heads
    total, every = 0, []
    for i in range(heads):
        part = slice(i * d, (i + 1) * d)
        e = (query @ w["query"][:, part]) @ (keys @ w["keys"][:, part]).transpose(0, 2, 1) / d**0.5 / temperature
        a = np.exp(e - e.max(-1, keepdims=True)) * mask[:, None]
        a = a / a.sum(-1, keepdims=True)
        every.append(a)
        total = total + a @ (values @ w["values"][:, part]) @ w["out"][part]
    return total, np.stack(every, axis=1)
"""}),
    Right("linear maps of its own", {"library_heads": TORCH}),
    Right("by hand on tensors", {"library_heads": """
import torch
def library_heads(query, keys, values, w, heads, mask):
    def cut(x): return x.unflatten(-1, (heads, -1)).transpose(1, 2)
    q, k, v = cut(query @ w["query"]), cut(keys @ w["keys"]), cut(values @ w["values"])
    e = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~mask[:, None, None], -torch.inf)
    a = e.softmax(-1)
    return (a @ v).transpose(1, 2).flatten(2) @ w["out"], a
"""}),
    Right("Keras, with biases of zero and NumPy weights", {"library_heads": """
import keras
import numpy as np
def library_heads(q, k, v, w, heads, mask):
    E = q.shape[-1]
    layer = keras.layers.MultiHeadAttention(num_heads=heads, key_dim=E // heads)
    layer(q, v, k)
    zero, w = np.zeros((heads, E // heads)), {name: np.array(each) for name, each in w.items()}
    parts = [x for name in ("query", "keys", "values") for x in (w[name].reshape(E, heads, -1), zero)]
    layer.set_weights([*parts, w["out"].reshape(heads, -1, E), np.zeros(E)])
    wide = np.repeat(np.array(mask)[:, None], q.shape[1], axis=1)
    return layer(query=q, key=k, value=v, attention_mask=wide, return_attention_scores=True)
"""}, "keras"),
]  # fmt: skip
