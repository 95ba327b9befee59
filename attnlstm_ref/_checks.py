"""What the three dialects demand of their inputs, said once.

A check sees only shapes and dtypes, so it serves NumPy, PyTorch and Keras alike. It has the same
signature as the function it guards and is put in front of it by `validated`, which leaves the body
of that function to be the equation and nothing else.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Shape = tuple[int | None, ...]


def validated(check: Callable[..., None]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run `check` on the arguments before the decorated function sees them."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            check(*args, **kwargs)
            return function(*args, **kwargs)

        return guarded

    return decorate


def shape_of(name: str, array: Any) -> Shape:
    """The shape as a tuple; an unknown size (Keras' symbolic tensors) is None."""
    if not hasattr(array, "shape"):
        raise ValueError(f"{name}: got {type(array).__name__}, wanted an array")
    return tuple(None if size is None else int(size) for size in array.shape)


def say(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"


def same(a: int | None, b: int | None) -> bool:
    """Equal sizes, as far as is known."""
    return a is None or b is None or a == b


def broadcast(a: Shape, b: Shape) -> Shape | None:
    """The broadcast shape of two shapes, None where they clash."""
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    out: list[int | None] = []
    for left, right in pairs:
        if left == 1 or right == 1:
            out.append(right if left == 1 else left)
        elif same(left, right):
            out.append(left if right is None else right)
        else:
            return None
    return tuple(out)


def at_least_rank(name: str, shape: Shape, rank: int, wanted: str) -> None:
    if len(shape) < rank:
        raise ValueError(f"{name}: got shape {say(shape)}, wanted {wanted}")


def exactly(name: str, array: Any, wanted: Shape, meaning: str) -> None:
    """`array` has the shape `wanted`; None in `wanted` leaves that size free."""
    shape = shape_of(name, array)
    if len(shape) != len(wanted) or not all(map(same, shape, wanted)):
        raise ValueError(f"{name}: got shape {say(shape)}, wanted {meaning} = {say(wanted)}")


def temperature_is_positive(temperature: Any) -> None:
    # A learned temperature is a tensor: its owner keeps it positive, we do not stop a traced graph to look.
    if isinstance(temperature, numbers.Real) and not float(temperature) > 0:
        raise ValueError(f"temperature: got {temperature}, wanted a number above 0")


def mask_fits(mask: Any, weights: Shape) -> None:
    if mask is None:
        return
    if "bool" not in str(getattr(mask, "dtype", None)):
        kind = getattr(mask, "dtype", type(mask).__name__)
        raise ValueError(f"mask: got {kind}, wanted booleans, True = attend, to broadcast against {say(weights)}")
    shape = shape_of("mask", mask)
    full = broadcast(shape, weights)
    if full is None or len(full) != len(weights) or not all(map(same, full, weights)):
        raise ValueError(f"mask: got shape {say(shape)}, wanted one that broadcasts to the weights {say(weights)}")


# --- one check a public function -------------------------------------------------------------------


def softmax(scores: Any, *, temperature: Any = 1.0) -> None:
    masked_softmax(scores, temperature=temperature)


def masked_softmax(scores: Any, mask: Any = None, *, temperature: Any = 1.0) -> None:
    shape = shape_of("scores", scores)
    at_least_rank("scores", shape, 1, "(…, T)")
    if shape[-1] == 0:
        raise ValueError(f"scores: got shape {say(shape)}, wanted (…, T) with at least one step to attend to")
    mask_fits(mask, shape)
    temperature_is_positive(temperature)


def _query_and_keys(query: Any, keys: Any) -> tuple[Shape, Shape]:
    q, k = shape_of("query", query), shape_of("keys", keys)
    at_least_rank("query", q, 2, "(…, Tq, d)")
    at_least_rank("keys", k, 2, "(…, T, d)")
    if k[-2] == 0:
        raise ValueError(f"keys: got shape {say(k)}, wanted (…, T, d) with at least one step to attend to")
    if broadcast(q[:-2], k[:-2]) is None:
        raise ValueError(f"keys: got shape {say(k)}, wanted batch axes that fit those of query {say(q)}")
    return q, k


def dot_scores(query: Any, keys: Any) -> None:
    q, k = _query_and_keys(query, keys)
    if not same(q[-1], k[-1]):
        raise ValueError(f"query: got shape {say(q)}, wanted (…, Tq, {k[-1]}) to match keys {say(k)}")


def general_scores(query: Any, keys: Any, weight: Any) -> None:
    q, k = _query_and_keys(query, keys)
    exactly("weight", weight, (q[-1], k[-1]), "(d_q, d_k)")


def additive_scores(query: Any, keys: Any, w_query: Any, w_keys: Any, v: Any) -> None:
    q, k = _query_and_keys(query, keys)
    exactly("v", v, (None,), "(A,)")
    units = shape_of("v", v)[0]
    exactly("w_query", w_query, (q[-1], units), "(d_q, A)")
    exactly("w_keys", w_keys, (k[-1], units), "(d_k, A)")


def attend(query: Any, keys: Any, values: Any, mask: Any = None, *, temperature: Any = 1.0, **_: Any) -> None:
    q, k = _query_and_keys(query, keys)
    v = shape_of("values", values)
    at_least_rank("values", v, 2, "(…, T, d_v)")
    batch = broadcast(broadcast(q[:-2], k[:-2]) or (), v[:-2])
    if not same(v[-2], k[-2]) or batch is None:
        raise ValueError(f"values: got shape {say(v)}, wanted (…, {k[-2]}, d_v), one value for each key of {say(k)}")
    # The weights know nothing of the values, so their batch axes are those of query and keys.
    mask_fits(mask, (*(broadcast(q[:-2], k[:-2]) or ()), q[-2], k[-2]))
    temperature_is_positive(temperature)


def layer_attend(layer: Any, query: Any, keys: Any, values: Any, mask: Any = None, **options: Any) -> None:
    """`attend` for a method: the layer itself comes first."""
    attend(query, keys, values, mask, **options)


# --- several heads ----------------------------------------------------------------------------------


def heads_divide(name: str, width: int | None, heads: Any) -> None:
    at_least("heads", heads, 1, "heads")
    if width is not None and width % heads:
        raise ValueError(f"{name}: got width {width}, wanted a multiple of heads = {heads}")


def split_heads(x: Any, heads: Any) -> None:
    shape = shape_of("x", x)
    at_least_rank("x", shape, 2, "(…, T, h·d)")
    heads_divide("x", shape[-1], heads)


def merge_heads(x: Any) -> None:
    at_least_rank("x", shape_of("x", x), 3, "(…, h, T, d)")


def multi_head_weights(name: str, weights: Any, heads: Any) -> None:
    """The eight arrays of multi-head attention fit each other, and the heads their width."""
    fields = ("w_query", "w_keys", "w_values", "w_out", "b_query", "b_keys", "b_values", "b_out")
    if not all(hasattr(weights, field) for field in fields):
        raise ValueError(f"{name}: got {type(weights).__name__}, wanted MultiHeadWeights({', '.join(fields)})")
    for field in fields[:4]:
        exactly(f"{name}.{field}", getattr(weights, field), (None, None), "(in, out)")
    width, value_width, out = (shape_of(name, getattr(weights, f))[-1] for f in ("w_query", "w_values", "w_out"))
    heads_divide(f"{name}.w_query", width, heads)
    heads_divide(f"{name}.w_values", value_width, heads)
    exactly(f"{name}.w_keys", weights.w_keys, (None, width), "(d_k, h·d)")
    exactly(f"{name}.w_out", weights.w_out, (value_width, None), "(h·d, d_out)")
    for field, size in {"b_query": width, "b_keys": width, "b_values": value_width, "b_out": out}.items():
        exactly(f"{name}.{field}", getattr(weights, field), (size,), "(d_out)" if field == "b_out" else "(h·d)")


def multi_head_attention(
    query: Any, keys: Any, values: Any, weights: Any, mask: Any = None, *, heads: Any, temperature: Any = 1.0
) -> None:
    multi_head_weights("weights", weights, heads)
    attend(query, keys, values, mask, temperature=temperature)
    widths = {"query": weights.w_query, "keys": weights.w_keys, "values": weights.w_values}
    projected(query, keys, values, {name: shape_of(name, w)[0] for name, w in widths.items()})


def projected(query: Any, keys: Any, values: Any, widths: dict[str, int | None]) -> None:
    """Query, keys and values have the widths that their projections take."""
    for (name, width), array in zip(widths.items(), (query, keys, values), strict=True):
        shape = shape_of(name, array)
        if not same(shape[-1], width):
            raise ValueError(f"{name}: got shape {say(shape)}, wanted (…, {width}), the width its projection takes")


def multi_head_sizes(
    size: Any, heads: Any, key_size: Any, value_size: Any, head_size: Any, dropout: Any
) -> tuple[dict[str, int], int]:
    """What the projections take, by name, and the width h·d of all heads together."""
    at_least("size", size, 1, "features")
    widths = {
        "query": size,
        "keys": size if key_size is None else key_size,
        "values": size if value_size is None else value_size,
    }
    at_least("key_size", widths["keys"], 1, "features")
    at_least("value_size", widths["values"], 1, "features")
    share("dropout", dropout)
    if head_size is None:
        heads_divide("size", size, heads)
        return widths, size
    at_least("heads", heads, 1, "heads")
    at_least("head_size", head_size, 1, "features")
    return widths, heads * head_size


def layer_multi_head(layer: Any, query: Any, keys: Any, values: Any, mask: Any = None, **options: Any) -> None:
    """`attend` for a layer with projections: `layer.widths` says what they take."""
    attend(query, keys, values, mask, **options)
    projected(query, keys, values, layer.widths)


# --- sharpness -------------------------------------------------------------------------------------


def sharpness(weights: Any) -> None:
    shape = shape_of("weights", weights)
    at_least_rank("weights", shape, 1, "(…, T)")
    if shape[-1] == 0:
        raise ValueError(f"weights: got shape {say(shape)}, wanted (…, T) with at least one step")
    if "float" not in str(weights.dtype):
        raise ValueError(f"weights: got {weights.dtype} of shape {say(shape)}, wanted floats (…, T)")


def sharpness_by_value(weights: Any) -> None:
    """Scores are easily taken for weights, and their entropy would be a number without a meaning."""
    sharpness(weights)
    if bool((weights < 0).any()):
        least = float(weights.min())
        raise ValueError(f"weights: got {least:.3g} among them, wanted none below 0: these look like scores")


# --- LSTM, encoder, model --------------------------------------------------------------------------


def at_least(name: str, number: Any, least: int, meaning: str) -> None:
    if isinstance(number, bool) or not isinstance(number, numbers.Integral) or number < least:
        raise ValueError(f"{name}: got {number!r}, wanted a whole number of {meaning}, at least {least}")


def share(name: str, number: Any) -> None:
    if not isinstance(number, numbers.Real) or not 0.0 <= float(number) < 1.0:
        raise ValueError(f"{name}: got {number!r}, wanted a share from 0 up to but not 1")


def one_of(name: str, value: Any, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: got {value!r}, wanted one of {', '.join(map(repr, choices))}")


def sequence(name: str, array: Any, width: int | None, meaning: str) -> Shape:
    """A batch of sequences (B, T, width) with at least one step; its shape."""
    exactly(name, array, (None, None, width), meaning)
    shape = shape_of(name, array)
    if shape[1] == 0:
        raise ValueError(f"{name}: got shape {say(shape)}, wanted {meaning} with at least one time step")
    return shape


def padding_mask(mask: Any, batch: int | None, steps: int | None) -> None:
    """A padding mask is not broadcast: (B, T) exactly, so that a transposed one cannot slip through."""
    if mask is None:
        return
    if "bool" not in str(getattr(mask, "dtype", None)):
        kind = getattr(mask, "dtype", type(mask).__name__)
        raise ValueError(f"mask: got {kind}, wanted booleans (B, T) = {say((batch, steps))}, True = a real token")
    exactly("mask", mask, (batch, steps), "(B, T), True = a real token,")


def _rnn_weights(name: str, weights: Any, width: int | None) -> int | None:
    """The three arrays of a plain recurrent network fit each other and inputs of that width; its H."""
    if not all(hasattr(weights, field) for field in ("w_input", "w_hidden", "bias")):
        raise ValueError(f"{name}: got {type(weights).__name__}, wanted RNNWeights(w_input, w_hidden, bias)")
    exactly(f"{name}.w_hidden", weights.w_hidden, (None, None), "(H, H)")
    hidden = shape_of(name, weights.w_hidden)[0]
    exactly(f"{name}.w_hidden", weights.w_hidden, (hidden, hidden), "(H, H)")
    exactly(f"{name}.w_input", weights.w_input, (width, hidden), "(D, H)")
    exactly(f"{name}.bias", weights.bias, (hidden,), "(H,)")
    return hidden


def rnn_step(x: Any, h: Any, weights: Any) -> None:
    exactly("x", x, (None, None), "(B, D)")
    batch, width = shape_of("x", x)
    exactly("h", h, (batch, _rnn_weights("weights", weights, width)), "(B, H)")


def rnn(inputs: Any, weights: Any, mask: Any = None, *, reverse: bool = False) -> None:
    batch, steps, width = sequence("inputs", inputs, None, "(B, T, D)")
    _rnn_weights("weights", weights, width)
    padding_mask(mask, batch, steps)


def _lstm_weights(name: str, weights: Any, width: int | None) -> int | None:
    """The three arrays of one LSTM direction fit each other and inputs of that width; its H."""
    if not all(hasattr(weights, field) for field in ("w_input", "w_hidden", "bias")):
        raise ValueError(f"{name}: got {type(weights).__name__}, wanted LSTMWeights(w_input, w_hidden, bias)")
    exactly(f"{name}.w_hidden", weights.w_hidden, (None, None), "(H, 4H)")
    hidden = shape_of(name, weights.w_hidden)[0]
    gates = None if hidden is None else 4 * hidden
    exactly(f"{name}.w_hidden", weights.w_hidden, (hidden, gates), "(H, 4H)")
    exactly(f"{name}.w_input", weights.w_input, (width, gates), "(D, 4H)")
    exactly(f"{name}.bias", weights.bias, (gates,), "(4H,)")
    return hidden


def lstm_step(x: Any, h: Any, c: Any, weights: Any) -> None:
    exactly("x", x, (None, None), "(B, D)")
    batch, width = shape_of("x", x)
    hidden = _lstm_weights("weights", weights, width)
    exactly("h", h, (batch, hidden), "(B, H)")
    exactly("c", c, (batch, hidden), "(B, H)")


def lstm(inputs: Any, weights: Any, mask: Any = None, *, reverse: bool = False) -> None:
    batch, steps, width = sequence("inputs", inputs, None, "(B, T, D)")
    _lstm_weights("weights", weights, width)
    padding_mask(mask, batch, steps)


def bilstm(inputs: Any, forward: Any, backward: Any, mask: Any = None) -> None:
    batch, steps, width = sequence("inputs", inputs, None, "(B, T, D)")
    hidden = _lstm_weights("forward", forward, width)
    if not same(hidden, _lstm_weights("backward", backward, width)):
        raise ValueError(
            f"backward: got {shape_of('backward', backward.w_hidden)[0]} hidden units, wanted {hidden} as in forward"
        )
    padding_mask(mask, batch, steps)


def parameters_fit(parameters: Any, wanted: dict[str, Shape]) -> None:
    """A flat dictionary of arrays has exactly the names and shapes wanted: the error lists all that are not."""
    missing = [name for name in wanted if name not in parameters]
    unexpected = [name for name in parameters if name not in wanted]
    shapes = {name: shape_of(name, parameters[name]) for name in wanted if name in parameters}
    wrong = [
        f"{name} has shape {say(shapes[name])}, wanted {say(wanted[name])}"
        for name in shapes
        if len(shapes[name]) != len(wanted[name]) or not all(map(same, shapes[name], wanted[name]))
    ]
    problems = [f"missing: {', '.join(missing)}"] * bool(missing)
    problems += [f"unexpected: {', '.join(unexpected)}"] * bool(unexpected) + wrong
    if problems:
        raise ValueError(f"parameters: {'; '.join(problems)}")


SCORES = ("dot", "scaled_dot", "general", "additive", "multi_head")


def pooling_heads(name: str, size: Any, score: Any, heads: Any) -> None:
    """A known score, and as many heads as it and the width of the states allow."""
    one_of("score", score, SCORES)
    if score == "multi_head":
        heads_divide(name, size, heads)
    elif heads != 1:
        raise ValueError(f'heads: got {heads!r}, wanted 1: only score="multi_head" has several')


def pooling(layer: Any, states: Any, mask: Any = None, *, temperature: Any = 1.0) -> None:
    """For a layer with a learned query of `layer.size`."""
    batch, steps, _ = sequence("states", states, layer.size, "(B, T, d)")
    padding_mask(mask, batch, steps)
    temperature_is_positive(temperature)


def encoder(layer: Any, inputs: Any, mask: Any = None) -> None:
    """For an encoder of features `layer.input_size` wide."""
    batch, steps, _ = sequence("inputs", inputs, layer.input_size, "(B, T, D)")
    if batch == 0:
        raise ValueError(f"inputs: got shape {say(shape_of('inputs', inputs))}, wanted at least one row")
    padding_mask(mask, batch, steps)


def tokens_or_features(inputs: Any, mask: Any, width: int | None, vocab_size: int | None) -> None:
    """What a model reads: whole numbers (B, T) where it has a vocabulary, features (B, T, D) where not."""
    kind = str(getattr(inputs, "dtype", type(inputs).__name__))
    if vocab_size is None:
        batch, steps, _ = sequence("inputs", inputs, width, "features (B, T, D)")
        if "float" not in kind:
            raise ValueError(f"inputs: got {kind}, wanted floating features (B, T, D); vocab_size=None reads no tokens")
    else:
        exactly("inputs", inputs, (None, None), "tokens (B, T)")
        batch, steps = shape_of("inputs", inputs)
        if "int" not in kind:
            raise ValueError(f"inputs: got {kind}, wanted whole numbers: tokens (B, T) from 0 to {vocab_size - 1}")
    if batch == 0 or steps == 0:
        raise ValueError(f"inputs: got shape {say(shape_of('inputs', inputs))}, wanted at least one row and one step")
    padding_mask(mask, batch, steps)


def model(layer: Any, inputs: Any, mask: Any = None, *, temperature: Any = 1.0) -> None:
    tokens_or_features(inputs, mask, layer.input_size, layer.vocab_size)
    temperature_is_positive(temperature)


def forecaster_sizes(
    input_size: Any, hidden_size: Any, horizon: Any, future_size: Any, outputs: Any, score: Any, units: Any, heads: Any
) -> None:
    at_least("input_size", input_size, 1, "features")
    at_least("hidden_size", hidden_size, 1, "units")
    at_least("horizon", horizon, 1, "steps ahead")
    at_least("future_size", future_size, 0, "features")
    at_least("outputs", outputs, 1, "outputs")
    at_least("attention_units", units, 1, "units")
    pooling_heads("2 * hidden_size", 2 * hidden_size, score, heads)


def forecast(inputs: Any, future: Any, mask: Any, widths: tuple[int | None, ...], temperature: Any) -> None:
    """The past fits the model, and so does what is known of the steps ahead; `widths` are (D, horizon, F)."""
    input_size, horizon, future_size = widths
    batch, steps, _ = sequence("inputs", inputs, input_size, "features (B, T, D)")
    if batch == 0:
        raise ValueError(f"inputs: got shape {say(shape_of('inputs', inputs))}, wanted at least one row")
    floats("inputs", inputs, "(B, T, D)")
    wanted = (batch, horizon, future_size)
    if future_size and future is None:
        raise ValueError(f"future: got None, wanted features (B, horizon, F) = {say(wanted)}")
    if future_size:
        exactly("future", future, wanted, "features (B, horizon, F)")
        floats("future", future, "(B, horizon, F)")
    elif future is not None:
        got = f"shape {say(shape_of('future', future))}"
        raise ValueError(f"future: got {got}, wanted None: with future_size 0 nothing is known of the steps ahead")
    padding_mask(mask, batch, steps)
    temperature_is_positive(temperature)


def floats(name: str, array: Any, meaning: str) -> None:
    if "float" not in str(array.dtype):
        raise ValueError(f"{name}: got {array.dtype}, wanted floating features {meaning}")


def forecaster(layer: Any, inputs: Any, future: Any = None, mask: Any = None, *, temperature: Any = 1.0) -> None:
    forecast(inputs, future, mask, (layer.input_size, layer.horizon, layer.future_size), temperature)


def tokens_known(low: int, high: int, vocab_size: int, name: str = "inputs") -> None:
    """The smallest and the largest token of a batch are in the vocabulary."""
    if low < 0 or high >= vocab_size:
        raise ValueError(f"{name}: got token {low if low < 0 else high}, wanted 0 to {vocab_size - 1}")


# --- sequence to sequence --------------------------------------------------------------------------


def seq2seq_sizes(source_size: Any, target_size: Any, embedding_size: Any, hidden_size: Any, units: Any) -> None:
    at_least("source_size", source_size, 1, "tokens")
    at_least("target_size", target_size, 2, "tokens")  # padding, and something to say
    at_least("embedding_size", embedding_size, 1, "features")
    at_least("hidden_size", hidden_size, 1, "units")
    at_least("attention_units", units, 1, "attention units")


def tokens(name: str, array: Any, wanted: Shape, meaning: str, vocab_size: int) -> None:
    """Whole numbers of that shape, with no axis empty."""
    exactly(name, array, wanted, meaning)
    kind, shape = str(getattr(array, "dtype", type(array).__name__)), shape_of(name, array)
    if "int" not in kind:
        raise ValueError(f"{name}: got {kind}, wanted whole numbers: {meaning} from 0 to {vocab_size - 1}")
    if 0 in shape:
        raise ValueError(f"{name}: got shape {say(shape)}, wanted {meaning} with at least one row and one step")


def seq2seq_source(layer: Any, source: Any, mask: Any = None, **_: Any) -> None:
    """For a model with a vocabulary of `layer.source_size`."""
    tokens("source", source, (None, None), "tokens (B, T)", layer.source_size)
    batch, steps = shape_of("source", source)
    padding_mask(mask, batch, steps)


def seq2seq(layer: Any, source: Any, target: Any, mask: Any = None, *, temperature: Any = 1.0, **_: Any) -> None:
    seq2seq_source(layer, source, mask)
    batch, _steps = shape_of("source", source)
    tokens("target", target, (batch, None), "tokens (B, U)", layer.target_size)
    temperature_is_positive(temperature)


def seq2seq_step(layer: Any, token: Any, state: Any, memory: Any, *, temperature: Any = 1.0, **_: Any) -> None:
    """The four arrays of a memory and the two of a state fit each other, the tokens and the model."""
    if not all(hasattr(memory, part) for part in ("keys", "values", "mask", "summary")):
        raise ValueError(f"memory: got {type(memory).__name__}, wanted Memory(keys, values, mask, summary)")
    if not isinstance(state, (tuple, list)) or len(state) != 2:
        raise ValueError(f"state: got {type(state).__name__}, wanted a pair: hidden (B, H) and cell (B, H)")
    tokens("token", token, (None,), "tokens (B,)", layer.target_size)
    (batch,), size = shape_of("token", token), layer.hidden_size
    exactly("state[0]", state[0], (batch, size), "(B, H)")
    exactly("state[1]", state[1], (batch, size), "(B, H)")
    exactly("memory.values", memory.values, (batch, None, 2 * size), "(B, T, 2H)")
    exactly("memory.summary", memory.summary, (batch, 2 * size), "(B, 2H)")
    temperature_is_positive(temperature)


def greedy(model: Any, source: Any, mask: Any = None, *, start: Any, end: Any, steps: Any) -> None:
    """The source is left to `remember`."""
    for name, mark in {"start": start, "end": end}.items():
        at_least(name, mark, 1, "a token that is not padding")
        if mark >= model.target_size:
            raise ValueError(f"{name}: got {mark}, wanted a token from 1 to {model.target_size - 1}")
    at_least("steps", steps, 1, "tokens")


def beam_search(
    model: Any,
    source: Any,
    mask: Any = None,
    *,
    start: Any,
    end: Any,
    steps: Any,
    width: Any,
    length_penalty: Any = 0.0,
) -> None:
    greedy(model, source, mask, start=start, end=end, steps=steps)
    at_least("width", width, 1, "sequences")
    if not isinstance(length_penalty, numbers.Real) or not 0.0 <= float(length_penalty) < float("inf"):
        raise ValueError(f"length_penalty: got {length_penalty!r}, wanted a number, 0 or more")


def pairs(sources: Any, targets: Any, batch_size: Any, start: Any, end: Any) -> None:
    """Sources and targets, lists of token numbers, one for one; and no target with the mark of padding in it."""
    if not len(sources) or len(sources) != len(targets):
        raise ValueError(f"targets: got {len(targets)}, wanted one for each of {len(sources)} sources, at least one")
    at_least("batch_size", batch_size, 1, "pairs")
    for name, mark in {"start": start, "end": end}.items():
        at_least(name, mark, 1, "a token that is not padding")
    for row, target in enumerate(targets):
        if any(token <= 0 for token in target):
            raise ValueError(f"targets: got token {min(target)} in row {row}, wanted 1 or more: 0 is padding")
