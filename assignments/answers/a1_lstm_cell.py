"""What people hand in for the LSTM cell: mistakes, and other ways to be right."""

from . import Right, wrong

GATES = """
def gates(a):
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    {}
"""
STEP = """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(x @ W + h @ U + b)
    {}
"""
LSTM = """
def lstm(inputs, W, U, b):
    B, T, _ = inputs.shape
    h = c = np.zeros((B, len(U)))
    shown, held = [], []
    for t in range(T):
        {}
        shown.append(h)
        held.append(c)
    return {}
"""
STACKED = "np.stack(shown, 1), np.stack(held, 1)"
BOTH = """
def both_ways(inputs, forward, backward):
    ahead = lstm(inputs, *forward)[0]
    behind = {}
    return np.concatenate([ahead, behind], axis=-1)
"""
SUMMARIES = """
def summaries(states, lengths):
    rows, H = np.arange(len(states)), states.shape[-1] // 2
    return np.concatenate([{}], axis=-1)
"""
TORCH = """
import torch
from torch import nn
def to_layer(W, U, b):
    D, H = len(W), len(U)
    def move(w):
        i, o, f, g = np.split(w, 4, axis=-1)
        return torch.tensor(np.concatenate([{order}], axis=-1), dtype=torch.float32)
    layer = nn.LSTM(D, H, {first})
    with torch.no_grad():
        layer.weight_ih_l0.copy_({w})
        layer.weight_hh_l0.copy_({u})
        layer.bias_ih_l0.copy_(move(b))
        {second}
    return layer
"""
KERAS = """
from keras import layers
def to_layer(W, U, b):
    def move(w):
        i, o, f, g = np.split(w, 4, axis=-1)
        return np.concatenate([{order}], axis=-1)
    layer = layers.LSTM(len(U), {sequences})
    layer.build((None, None, len(W)))
    layer.set_weights([move(W), move(U), move(b){more}])
    return layer
"""


def torch_layer(**other):
    parts = {"order": "i, f, g, o", "first": "batch_first=True", "w": "move(W).T", "u": "move(U).T"}
    return TORCH.format(**parts | {"second": "layer.bias_hh_l0.zero_()"} | other)


def keras_layer(**other):
    return KERAS.format(**{"order": "i, f, g, o", "sequences": "return_sequences=True", "more": ""} | other)


WRONG = [
    wrong("ONNX's order", "gates", "order", "which is ONNX's", GATES.format("""
    i, o, f, g = np.split(a, 4, axis=-1)
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)""")),
    wrong("TensorFlow 1's order", "gates", "order", "i, g, f, o", GATES.format("""
    i, g, f, o = np.split(a, 4, axis=-1)
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)""")),
    wrong("every fourth number", "gates", "order", "Every fourth", GATES.format("""
    i, f, g, o = (a[..., k::4] for k in range(4))
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)""")),
    wrong("sigmoid of the candidate", "gates", "squash", "news can be negative", GATES.format("""
    return np.split(sigmoid(a), 4, axis=-1)""")),
    wrong("cut along the first axis", "gates", "axis", "another axis", GATES.format("""
    i, f, g, o = np.split(a, 4)
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)""")),
    wrong("made for (B, 4H)", "gates", "axis", "another axis", GATES.format("""
    H = a.shape[-1] // 4
    i, f, g, o = (a[:, k * H : (k + 1) * H] for k in range(4))
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)""")),
    wrong("tanh on the output gate", "gates", "squash", "Another one", GATES.format("""
    i, f, g, o = np.split(a, 4, axis=-1)
    return sigmoid(i), sigmoid(f), sigmoid(g), np.tanh(o)""")),
    wrong("returned as i, f, o, g", "gates", "order", "g and the output gate", GATES.format("""
    i, f, g, o = np.split(a, 4, axis=-1)
    return sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)""")),
    wrong("an unusual order", "gates", "order", "quarters of f, g, o and i", GATES.format("""
    o, i, f, g = np.split(a, 4, axis=-1)
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)""")),
    wrong("one array of all four", "gates", "axis", "One array", GATES.format("""
    i, f, g, o = np.split(a, 4, axis=-1)
    return np.concatenate([sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)], axis=-1)""")),
    wrong("W and U turned round", "step", "hears", "without .T", """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(x @ W.T + h @ U.T + b)
    c = f * c + i * g
    return o * np.tanh(c), c
"""),
    wrong("W alone turned round", "step", "hears", "without .T", """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(np.dot(x, W.T) + np.dot(h, U) + b)
    c = f * c + i * g
    return o * np.tanh(c), c
"""),
    wrong("W first", "step", "cell shown hears pair", "shapes of a product", """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(W @ x + U @ h + b)
    c = f * c + i * g
    return o * np.tanh(c), c
"""),
    wrong("tanh missing on the cell", "step", "shown", "tanh of the cell is missing", STEP.format("""
    c = f * c + i * g
    return o * c, c""")),
    wrong("h used for c", "step", "cell", "should: what is kept", STEP.format("""
    c = f * h + i * g
    return o * np.tanh(c), c""")),
    wrong("forget gate on the candidate", "step", "cell", "exchanged", STEP.format("""
    c = i * c + f * g
    return o * np.tanh(c), c""")),
    wrong("the cell squashed", "step", "cell", "cell itself is squashed", STEP.format("""
    c = np.tanh(f * c + i * g)
    return o * np.tanh(c), c""")),
    wrong("the old cell shown", "step", "shown", "*old* cell", STEP.format("""
    return o * np.tanh(c), f * c + i * g""")),
    wrong("c first", "step", "pair", "other order", STEP.format("""
    c = f * c + i * g
    return c, o * np.tanh(c)""")),
    wrong("the gates hear c", "step", "hears", "U multiplies the cell", """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(x @ W + c @ U + b)
    c = f * c + i * g
    return o * np.tanh(c), c
"""),
    wrong("the gates do not hear h", "step", "hears", "does not reach", """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(x @ W + b)
    c = f * c + i * g
    return o * np.tanh(c), c
"""),
    wrong("no bias", "step", "hears", "bias has no effect", """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(x @ W + h @ U)
    c = f * c + i * g
    return o * np.tanh(c), c
"""),
    wrong("nothing carried on", "lstm", "memory", "begins anew", LSTM.format(
        "h, c = step(inputs[:, t], np.zeros((B, len(U))), np.zeros((B, len(U))), W, U, b)", STACKED)),
    wrong("only h carried on", "lstm", "memory", "wipes the mind", LSTM.format(
        "h, c = step(inputs[:, t], h, np.zeros((B, len(U))), W, U, b)", STACKED)),
    wrong("h and c exchanged on the way", "lstm", "memory", "exchanged when", LSTM.format(
        "h, c = step(inputs[:, t], c, h, W, U, b)", STACKED)),
    wrong("held before shown", "lstm", "held", "other order", LSTM.format(
        "h, c = step(inputs[:, t], h, c, W, U, b)", "np.stack(held, 1), np.stack(shown, 1)")),
    wrong("the last of each", "lstm", "held axes", "Only the last state", LSTM.format(
        "h, c = step(inputs[:, t], h, c, W, U, b)", "h, c")),
    wrong("as Keras returns it", "lstm", "held", "More than two", LSTM.format(
        "h, c = step(inputs[:, t], h, c, W, U, b)", "np.stack(shown, 1), h, c")),
    wrong("across the batch", "lstm", "axes", "across the batch", """
def lstm(inputs, W, U, b):
    h = c = np.zeros((inputs.shape[1], len(U)))
    shown, held = [], []
    for x in inputs:
        h, c = step(x, h, c, W, U, b)
        shown.append(h)
        held.append(c)
    return np.array(shown), np.array(held)
"""),
    wrong("time first", "lstm", "axes", "first axis", LSTM.format(
        "h, c = step(inputs[:, t], h, c, W, U, b)", "np.array(shown), np.array(held)")),
    wrong("the book's one thing", "lstm", "held", "Only one thing", LSTM.format(
        "h, c = step(inputs[:, t], h, c, W, U, b)", "np.stack(shown, 1)")),
    wrong("as nn.LSTM returns it", "lstm", "held", "which the libraries", LSTM.format(
        "h, c = step(inputs[:, t], h, c, W, U, b)", "np.stack(shown, 1), (h, c)")),
    wrong("the gate for the bias", "half_life_bias", "half", "value of the gate", """
def half_life_bias(steps):
    return 2.0 ** (-1 / steps)
"""),
    wrong("ln T", "half_life_bias", "half", "rule of thumb", """
def half_life_bias(steps):
    return np.log(steps)
"""),
    wrong("1/e", "half_life_bias", "half", "leaves 1/e", """
def half_life_bias(steps):
    f = np.exp(-1 / steps)
    return np.log(f / (1 - f))
"""),
    wrong("functions of math", "half_life_bias", "array", "one number at a time", """
import math
def half_life_bias(steps):
    f = 0.5 ** (1 / steps)
    return math.log(f / (1 - f))
"""),
    wrong("a negative power of whole numbers", "half_life_bias", "array", "1 / steps", """
def half_life_bias(steps):
    f = 0.5 ** (steps ** -1)
    return np.log(f / (1 - f))
"""),
    wrong("not turned round again", "both_ways", "turned", "not turned round again", BOTH.format(
        "lstm(inputs[:, ::-1], *backward)[0]")),
    wrong("never turned", "both_ways", "turned", "reads forward too", BOTH.format("lstm(inputs, *backward)[0]")),
    wrong("the batch reversed", "both_ways", "turned", "not the night", BOTH.format(
        "lstm(inputs[::-1], *backward)[0]")),
    wrong("the batch reversed, and again", "both_ways", "turned", "turn the batch", BOTH.format(
        "lstm(inputs[::-1], *backward)[0][::-1]")),
    wrong("the batch reversed, then time", "both_ways", "turned", "not the night", BOTH.format(
        "lstm(inputs[::-1], *backward)[0][:, ::-1]")),
    wrong("np.flip without an axis", "both_ways", "turned", "Everything is turned", BOTH.format(
        "np.flip(lstm(np.flip(inputs), *backward)[0])")),
    wrong("side by side in time", "both_ways", "halves", "*after*", """
def both_ways(inputs, forward, backward):
    behind = lstm(inputs[:, ::-1], *backward)[0][:, ::-1]
    return np.concatenate([lstm(inputs, *forward)[0], behind], axis=1)
"""),
    wrong("two things", "both_ways", "halves", "two things", """
def both_ways(inputs, forward, backward):
    return lstm(inputs, *forward)[0], lstm(inputs[:, ::-1], *backward)[0][:, ::-1]
"""),
    wrong("stacked", "both_ways", "halves", "axis of their own", """
def both_ways(inputs, forward, backward):
    return np.stack([lstm(inputs, *forward)[0], lstm(inputs[:, ::-1], *backward)[0][:, ::-1]], axis=-1)
"""),
    wrong("the two added", "both_ways", "halves", "added", """
def both_ways(inputs, forward, backward):
    return lstm(inputs, *forward)[0] + lstm(inputs[:, ::-1], *backward)[0][:, ::-1]
"""),
    wrong("what was held", "both_ways", "halves", "first.", """
def both_ways(inputs, forward, backward):
    _, ahead = lstm(inputs, *forward)
    _, behind = lstm(inputs[:, ::-1], *backward)
    return np.concatenate([ahead, behind[:, ::-1]], axis=-1)
"""),
    wrong("what was held, by the second only", "both_ways", "turned", "*holds*", BOTH.format(
        "lstm(inputs[:, ::-1], *backward)[1][:, ::-1]")),
    wrong("time first in the end", "both_ways", "halves", "mend that first", """
def both_ways(inputs, forward, backward):
    behind = lstm(inputs[:, ::-1], *backward)[0][:, ::-1]
    return np.concatenate([lstm(inputs, *forward)[0], behind], axis=-1).swapaxes(0, 1)
"""),
    wrong("three weights as one", "both_ways", "halves own turned", "one by one", """
def both_ways(inputs, forward, backward):
    behind = lstm(inputs[:, ::-1], backward)[0][:, ::-1]
    return np.concatenate([lstm(inputs, forward)[0], behind], axis=-1)
"""),
    wrong("only the states turned", "both_ways", "turned", "itself began", BOTH.format(
        "lstm(inputs, *backward)[0][:, ::-1]")),
    wrong("one set of weights", "both_ways", "own", "forward weights", BOTH.format(
        "lstm(inputs[:, ::-1], *forward)[0][:, ::-1]")),
    wrong("backward first", "both_ways", "halves", "backward units stand first", """
def both_ways(inputs, forward, backward):
    behind = lstm(inputs[:, ::-1], *backward)[0][:, ::-1]
    return np.concatenate([behind, lstm(inputs, *forward)[0]], axis=-1)
"""),
    wrong("both at the padded end", "summaries", "forward backward", "end of the box", """
def summaries(states, lengths):
    return states[:, -1]
"""),
    wrong("backward at the last real step", "summaries", "backward", "last real step", """
def summaries(states, lengths):
    return states[np.arange(len(states)), lengths - 1]
"""),
    wrong("forward at the padded end", "summaries", "forward", "end of the box", SUMMARIES.format(
        "states[:, -1, :H], states[:, 0, H:]")),
    wrong("one step late", "summaries", "forward", "one step late", SUMMARIES.format(
        "states[rows, lengths, :H], states[:, 0, H:]")),
    wrong("two steps early", "summaries", "forward", "one step early", SUMMARIES.format(
        "states[rows, lengths - 2, :H], states[:, 0, H:]")),
    wrong("rows not paired", "summaries", "forward", "Pair each night", SUMMARIES.format(
        "states[:, lengths - 1, :H], states[:, 0, H:]")),
    wrong("rows not paired, cut before", "summaries", "forward", "Pair each night", """
def summaries(states, lengths):
    ahead, behind = np.split(states, 2, axis=-1)
    return np.hstack([ahead[:, lengths - 1], behind[:, 0]])
"""),
    wrong("backward first, in summaries", "summaries", "forward", "units stand first", SUMMARIES.format(
        "states[:, 0, H:], states[rows, lengths - 1, :H]")),
    wrong("two summaries", "summaries", "forward", "two things", """
def summaries(states, lengths):
    H = states.shape[-1] // 2
    return states[np.arange(len(states)), lengths - 1, :H], states[:, 0, H:]
"""),
    wrong("summaries one below the other", "summaries", "forward", "below the forward", """
def summaries(states, lengths):
    H = states.shape[-1] // 2
    return np.concatenate([states[np.arange(len(states)), lengths - 1, :H], states[:, 0, H:]])
"""),
    wrong("lengths of the first axis", "summaries", "forward backward", "first axis", """
def summaries(states, lengths):
    H = states.shape[-1] // 2
    return np.concatenate([states[lengths - 1, 0, :H], states[:, 0, H:]], axis=-1)
"""),
    wrong("transpose as a method in Keras", "side_by_side", "own", "are functions", """
def side_by_side(h_n):
    return h_n.transpose(1, 0, 2).reshape(h_n.shape[1], -1)
""", "keras"),
    wrong("transpose as in NumPy", "side_by_side", "own", "permute", """
def side_by_side(h_n):
    return h_n.transpose(1, 0, 2).reshape(h_n.shape[1], -1)
"""),
    wrong("axes exchanged, not joined", "side_by_side", "own", "axis of their own", """
def side_by_side(h_n):
    return h_n.permute(1, 0, 2)
"""),
    wrong("view", "side_by_side", "own", "mix nights", """
def side_by_side(h_n):
    return h_n.view(h_n.shape[1], -1)
"""),
    wrong("reshape in Keras", "side_by_side", "own", "mix nights", """
from keras import ops
def side_by_side(h_n):
    return ops.reshape(h_n, (h_n.shape[1], -1))
""", "keras"),
    wrong("units that alternate", "side_by_side", "own", "alternate", """
def side_by_side(h_n):
    return h_n.permute(1, 2, 0).reshape(h_n.shape[1], -1)
"""),
    wrong("the file's order", "to_layer", "order", "handed on as it is", torch_layer(order="i, o, f, g")),
    wrong("the file's order in Keras", "to_layer", "order", "handed on as it is", keras_layer(order="i, o, f, g"),
        "keras"),
    wrong("moved the wrong way", "to_layer", "order", "wrong way", keras_layer(order="i, g, o, f"), "keras"),
    wrong("g and o forgotten", "to_layer", "order", "Only two quarters", torch_layer(order="i, f, o, g")),
    wrong("W alone moved", "to_layer", "order", "U and b still stand in", torch_layer(
        u="torch.tensor(U).T", second="layer.bias_hh_l0.zero_(); layer.bias_ih_l0.copy_(torch.tensor(b))")),
    wrong("W alone moved, in Keras", "to_layer", "order", "U and b still stand in", """
from keras import layers
def to_layer(W, U, b):
    i, o, f, g = np.split(W, 4, axis=-1)
    layer = layers.LSTM(len(U), return_sequences=True)
    layer.build((None, None, len(W)))
    layer.set_weights([np.concatenate([i, f, g, o], axis=-1), U, b])
    return layer
""", "keras"),
    wrong("the bias not moved", "to_layer", "order", "b still stands in", torch_layer(
        second="layer.bias_hh_l0.zero_(); layer.bias_ih_l0.copy_(torch.tensor(b))")),
    wrong("moved into an unusual order", "to_layer", "order", "file's o, g, f and i", keras_layer(order="o, g, f, i"),
        "keras"),
    wrong("not built", "to_layer", "order matrices bias layer", "layer.build", """
from keras import layers
def to_layer(W, U, b):
    move = lambda w: np.concatenate([np.split(w, 4, axis=-1)[k] for k in (0, 2, 3, 1)], axis=-1)
    layer = layers.LSTM(len(U), return_sequences=True)
    layer.set_weights([move(W), move(U), move(b)])
    return layer
""", "keras"),
    wrong("not turned round for PyTorch", "to_layer", "order matrices bias layer", "turned round, (4H, D)", torch_layer(
        w="move(W)", u="move(U)")),
    wrong("turned round for Keras", "to_layer", "order matrices bias layer", "in Keras they stay", """
from keras import layers
def to_layer(W, U, b):
    move = lambda w: np.concatenate([np.split(w, 4, axis=-1)[k] for k in (0, 2, 3, 1)], axis=-1)
    layer = layers.LSTM(len(U), return_sequences=True)
    layer.build((None, None, len(W)))
    layer.set_weights([move(W).T, move(U).T, move(b)])
    return layer
""", "keras"),
    wrong("parameters replaced", "to_layer", "order matrices bias layer", "filled, not replaced", """
import torch
from torch import nn
def to_layer(W, U, b):
    layer = nn.LSTM(len(W), len(U), batch_first=True)
    layer.weight_ih_l0 = torch.tensor(W.T)
    return layer
"""),
    wrong("filled outside no_grad", "to_layer", "order matrices bias layer", "torch.no_grad", """
import torch
from torch import nn
def to_layer(W, U, b):
    layer = nn.LSTM(len(W), len(U), batch_first=True)
    layer.weight_ih_l0.copy_(torch.tensor(W.T))
    return layer
"""),
    wrong("arrays for tensors", "to_layer", "order matrices bias layer", "wants tensors", """
import torch
from torch import nn
def to_layer(W, U, b):
    layer = nn.LSTM(len(W), len(U), batch_first=True)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(W.T)
    return layer
"""),
    wrong("half of it in float64", "to_layer", "order matrices bias layer", "several dtypes", """
import torch
from torch import nn
def to_layer(W, U, b):
    W, U, b = (np.concatenate([np.split(w, 4, -1)[k] for k in (0, 2, 3, 1)], -1) for w in (W, U, b))
    layer = nn.LSTM(len(W), len(U), batch_first=True)
    layer.weight_ih_l0.data, layer.weight_hh_l0.data = torch.tensor(W.T), torch.tensor(U.T)
    layer.bias_ih_l0.data = torch.tensor(b)
    nn.init.zeros_(layer.bias_hh_l0)
    return layer
"""),
    wrong("U forgotten", "to_layer", "order matrices", "U never arrives", torch_layer(u="0 * move(U).T")),
    wrong("reshaped, not turned", "to_layer", "matrices", "reshape", torch_layer(
        w="move(W).reshape(4 * H, D)", u="move(U).reshape(4 * H, H)")),
    wrong("W alone reshaped", "to_layer", "matrices", "W arrives shuffled", torch_layer(w="move(W).view(4 * H, D)")),
    wrong("bias twice", "to_layer", "bias", "counts twice", torch_layer(second="layer.bias_hh_l0.copy_(move(b))")),
    wrong("second bias as it was", "to_layer", "bias", "random", torch_layer(second="pass")),
    wrong("forget bias of 1 added", "to_layer", "bias", "1 too large", keras_layer(
        more=" + np.repeat([0, 1, 0, 0], len(U))"), "keras"),
    wrong("batch_first forgotten", "to_layer", "layer", "batch_first", torch_layer(first="")),
    wrong("return_sequences forgotten", "to_layer", "layer", "return_sequences", keras_layer(sequences=""), "keras"),
]  # fmt: skip

RIGHT = [
    Right("loops", {"gates": """
def gates(a):
    H = a.shape[-1] // 4
    out = [np.zeros((*a.shape[:-1], H)) for _ in range(4)]
    for place in np.ndindex(a.shape[:-1]):
        for j in range(H):
            for k in range(4):
                z = a[place][k * H + j]
                out[k][place][j] = np.tanh(z) if k == 2 else 1 / (1 + np.exp(-z))
    return out
""", "step": """
def step(x, h, c, W, U, b):
    new_h, new_c = np.zeros(h.shape), np.zeros(c.shape)
    for n in range(len(x)):
        i, f, g, o = gates(np.array([x[n] @ W[:, k] + h[n] @ U[:, k] + b[k] for k in range(len(b))]))
        for j in range(len(i)):
            new_c[n, j] = f[j] * c[n, j] + i[j] * g[j]
            new_h[n, j] = o[j] * np.tanh(new_c[n, j])
    return [new_h, new_c]
"""}),
    Right("night by night", {"lstm": """
def lstm(nights, W, U, b):
    shown = np.empty((*nights.shape[:2], len(U)))
    held = np.empty_like(shown)
    for n, night in enumerate(nights):
        h = c = np.zeros((1, len(U)))
        for t, x in enumerate(night):
            h, c = step(x[None], h, c, W, U, b)
            shown[n, t], held[n, t] = h[0], c[0]
    return shown, held
""", "both_ways": """
def both_ways(inputs, forward, backward):
    return [np.hstack([lstm(one[None], *forward)[0][0], lstm(one[::-1][None], *backward)[0][0, ::-1]])
            for one in inputs]
""", "summaries": """
def summaries(states, lengths):
    H = states.shape[2] // 2
    return [[*row[int(n) - 1][:H], *row[0][H:]] for row, n in zip(states, lengths)]
"""}),
    Right("scipy and einsum", {"gates": """
from scipy.special import expit
def gates(a):
    parts = np.moveaxis(a.reshape(*a.shape[:-1], 4, -1), -2, 0)
    return expit(parts[0]), expit(parts[1]), np.tanh(parts[2]), expit(parts[3])
""", "step": """
def step(x, h, c, W, U, b):
    i, f, g, o = gates(np.einsum("bd,dk->bk", x, W) + np.einsum("bd,dk->bk", h, U) + b)
    c = f * c + i * g
    return o * np.tanh(c), c
"""}),
    Right("float32", {"gates": """
def gates(a):
    a = a.astype(np.float32)
    i, f, g, o = np.split(a, 4, -1)
    return {"i": 1 / (1 + np.exp(-i)), "f": 1 / (1 + np.exp(-f)), "g": np.tanh(g), "o": 1 / (1 + np.exp(-o))}.values()
"""}),
    Right("half-life by another formula", {"half_life_bias": """
def half_life_bias(steps):
    return np.log(2) / steps - np.log(1 - 2 ** (-1 / steps)) - 2 * np.log(2) / steps
"""}),
    Right("half-life by halving, one at a time", {"half_life_bias": """
def half_life_bias(steps):
    if np.ndim(steps):
        return [half_life_bias(each) for each in steps]
    low, high = -1.0, 50.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        left = (1 / (1 + np.exp(-middle))) ** steps
        low, high = (middle, high) if left < 0.5 else (low, middle)
    return low
"""}),
    Right("turned by np.flip, taken along an axis", {"both_ways": """
def both_ways(inputs, forward, backward):
    W, U, b = backward
    return np.dstack([lstm(inputs, *forward)[0], np.flip(lstm(np.flip(inputs, 1), W, U, b)[0], 1)])
""", "summaries": """
def summaries(states, lengths):
    ahead, behind = np.split(states, 2, axis=2)
    last = np.take_along_axis(ahead, (lengths - 1)[:, None, None], axis=1)[:, 0]
    return np.concatenate([last, behind[:, 0]], axis=1)
"""}),
    Right("the library's own LSTM", {"lstm": """
import torch
from torch import nn
def lstm(inputs, W, U, b):
    cell = nn.LSTMCell(inputs.shape[2], len(U), dtype=torch.float64)
    cell.load_state_dict({"weight_ih": torch.tensor(W.T), "weight_hh": torch.tensor(U.T),
        "bias_ih": torch.tensor(b), "bias_hh": torch.zeros(len(b))})
    state, both = None, []
    for x in torch.tensor(inputs.copy()).unbind(1):
        state = cell(x, state)
        both.append(torch.stack(state))
    return torch.stack(both, 2).detach().numpy()
"""}),
    Right("torch, otherwise", {"side_by_side": """
def side_by_side(h_n):
    return h_n.transpose(0, 1).reshape(h_n.shape[1], -1)
""", "to_layer": """
from torch import nn
def to_layer(W, U, b):
    H = len(U)
    order = np.r_[0:H, 2 * H : 4 * H, H : 2 * H]
    own = nn.LSTM(len(W), H, batch_first=True).double()
    own.weight_ih_l0.data = torch.from_numpy(W.T[order])
    own.weight_hh_l0.data = torch.from_numpy(U.T[order])
    own.bias_ih_l0.data = own.bias_hh_l0.data = torch.from_numpy(b[order] / 2)
    return own
"""}),
    Right("torch, without a bias that is not needed", {"to_layer": """
from torch import nn
def to_layer(W, U, b):
    W, U, b = (np.concatenate([i, f, g, o], -1) for i, o, f, g in (np.split(w, 4, -1) for w in (W, U, b)))
    layer = nn.LSTM(W.shape[0], U.shape[0], 1, batch_first=True)
    names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
    layer.load_state_dict(dict(zip(names, map(torch.tensor, (W.T, U.T, 0 * b, b)))))
    return layer
"""}),
    Right("Keras, otherwise", {"side_by_side": """
from keras import ops
def side_by_side(h_n):
    return ops.reshape(ops.transpose(h_n, (1, 0, 2)), (h_n.shape[1], -1))
""", "to_layer": """
import keras
def to_layer(W, U, b):
    H = len(U)
    order = [*range(H), *range(2 * H, 4 * H), *range(H, 2 * H)]
    start = [keras.initializers.Constant(w[..., order]) for w in (W, U, b)]
    return keras.layers.LSTM(H, kernel_initializer=start[0], recurrent_initializer=start[1], bias_initializer=start[2],
        unit_forget_bias=False, return_sequences=True, return_state=True)
"""}, "keras"),
    Right("tensorflow itself", {"side_by_side": """
import tensorflow as tf
def side_by_side(h_n):
    return tf.concat(tf.unstack(h_n), 1)
"""}, "keras"),
]  # fmt: skip
