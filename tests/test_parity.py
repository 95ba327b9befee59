"""The same weights give the same numbers and gradients in NumPy, PyTorch and Keras, and in the libraries' own layers.

PyTorch's autograd is held against TensorFlow's tape, and both against NumPy, which has no gradient of its own: there
the slope along a random direction is measured by a central difference.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.testing import assert_allclose

import attnlstm_ref.keras as ours_keras
import attnlstm_ref.numpy as ours_numpy
import attnlstm_ref.torch as ours_torch
from attnlstm_ref.keras import convert as convert_keras
from attnlstm_ref.torch import convert as convert_torch

Arrays = dict[str, np.ndarray]
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
PARAMETERS = {"dot": (), "scaled_dot": (), "general": ("weight",), "additive": ("w_query", "w_keys", "v")}
B, T, D, H, A = 4, 6, 5, 3, 7

both_precisions = pytest.mark.parametrize("dtype", TOLERANCE)
every_score = pytest.mark.parametrize("score", PARAMETERS)


def close(got: Any, wanted: Any, dtype: str) -> None:
    assert_allclose(np.asarray(got), np.asarray(wanted), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def random_arrays(shapes: dict[str, tuple[int, ...]], dtype: str, seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def lengths_mask() -> np.ndarray:
    """Full, shorter, a single step, nothing at all."""
    return np.arange(T) < np.array([T, 4, 1, 0])[:, None]


# --- values and gradients of one scalar function of named arrays, three times ------------------------------


def run_torch(function: Callable[..., tuple], arrays: Arrays) -> tuple[list[np.ndarray], Arrays]:
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    outputs = function(**leaves)
    weigh(outputs, torch.tensor).backward()
    return [o.detach().numpy() for o in outputs], {name: leaf.grad.numpy() for name, leaf in leaves.items()}


def run_keras(function: Callable[..., tuple], arrays: Arrays) -> tuple[list[np.ndarray], Arrays]:
    leaves = {name: tf.Variable(array) for name, array in arrays.items()}
    with tf.GradientTape() as tape:
        outputs = function(**{name: tf.convert_to_tensor(leaf) for name, leaf in leaves.items()})
        loss = weigh(outputs, tf.constant)
    gradients = tape.gradient(loss, leaves)
    return [o.numpy() for o in outputs], {name: gradient.numpy() for name, gradient in gradients.items()}


def weigh(outputs: Any, constant: Callable[..., Any]) -> Any:
    """A scalar that every entry of every output moves by an amount of its own."""
    factors = [np.random.default_rng(place).normal(size=tuple(o.shape)) for place, o in enumerate(outputs)]
    terms = [o * constant(f, dtype=o.dtype) for o, f in zip(outputs, factors, strict=True)]
    return sum(term.sum() if constant is torch.tensor else tf.reduce_sum(term) for term in terms)


def slope_agrees(function: Callable[..., tuple], arrays: Arrays, gradients: Arrays) -> None:
    """NumPy's slope along a random direction is the gradient's projection on it."""
    rng = np.random.default_rng(99)
    direction = {name: rng.normal(size=array.shape) for name, array in arrays.items()}

    def along(step: float) -> float:
        moved = {name: array + step * direction[name] for name, array in arrays.items()}
        outputs = function(**moved)
        return float(sum((o * np.random.default_rng(i).normal(size=o.shape)).sum() for i, o in enumerate(outputs)))

    slope = (along(1e-5) - along(-1e-5)) / 2e-5
    assert_allclose(sum((gradients[n] * direction[n]).sum() for n in arrays), slope, rtol=1e-7, atol=1e-7)


def three_agree(in_numpy: Callable, in_torch: Callable, in_keras: Callable, arrays: Arrays, dtype: str) -> None:
    wanted = in_numpy(**arrays)
    values_torch, gradients_torch = run_torch(in_torch, arrays)
    values_keras, gradients_keras = run_keras(in_keras, arrays)
    for got_torch, got_keras, value in zip(values_torch, values_keras, wanted, strict=True):
        close(got_torch, value, dtype)
        close(got_keras, value, dtype)
        assert str(got_torch.dtype) == str(got_keras.dtype) == dtype
    for name in arrays:
        close(gradients_keras[name], gradients_torch[name], dtype)
        assert np.isfinite(gradients_keras[name]).all()
    if dtype == "float64":
        slope_agrees(in_numpy, arrays, gradients_torch)


# --- attention --------------------------------------------------------------------------------------------


def attention_in(dialect: types.ModuleType, score: str, mask: Any, temperature: float) -> Callable[..., tuple]:
    def function(query: Any, keys: Any, values: Any, **parameters: Any) -> tuple:
        def scores(q: Any, k: Any) -> Any:
            return getattr(dialect, f"{score}_scores")(q, k, *(parameters[name] for name in PARAMETERS[score]))

        return dialect.attend(query, keys, values, mask, temperature=temperature, score=scores)

    return function


@both_precisions
@every_score
@pytest.mark.parametrize("masked", [False, True])
def test_attention(score: str, masked: bool, dtype: str) -> None:
    shapes = {"query": (B, 2, D), "keys": (B, T, D), "values": (B, T, 4)}
    inner = {"weight": (D, D), "w_query": (D, A), "w_keys": (D, A), "v": (A,)}
    arrays = random_arrays(shapes | {name: inner[name] for name in PARAMETERS[score]}, dtype, seed=1)
    mask = lengths_mask()[:, None, :] if masked else None
    three_agree(
        attention_in(ours_numpy, score, mask, 0.7),
        attention_in(ours_torch, score, torch.tensor(mask) if masked else None, 0.7),
        attention_in(ours_keras, score, tf.constant(mask) if masked else None, 0.7),
        arrays,
        dtype,
    )


@both_precisions
def test_a_learned_temperature(dtype: str) -> None:
    arrays = random_arrays({"query": (B, 2, D), "keys": (B, T, D), "values": (B, T, 4)}, dtype, seed=2)
    arrays["temperature"] = np.array(0.6, dtype=dtype)
    three_agree(
        lambda query, keys, values, temperature: ours_numpy.attend(query, keys, values, temperature=float(temperature)),
        lambda query, keys, values, temperature: ours_torch.attend(query, keys, values, temperature=temperature),
        lambda query, keys, values, temperature: ours_keras.attend(query, keys, values, temperature=temperature),
        arrays,
        dtype,
    )


@both_precisions
@every_score
def test_pooling(score: str, dtype: str) -> None:
    mask = lengths_mask()
    pool_keras = ours_keras.AttentionPooling(D, score=score, units=A, dtype=dtype)
    pool_torch = ours_torch.AttentionPooling(D, score=score, units=A).to(getattr(torch, dtype))
    names = ("query", *PARAMETERS[score])
    parameters = random_arrays({n: tuple(getattr(pool_keras, n).shape) for n in names}, dtype, seed=3)
    for name in names:
        getattr(pool_keras, name).assign(parameters[name])
        getattr(pool_torch, name).data = torch.tensor(parameters[name])

    def in_numpy(states: np.ndarray) -> tuple:
        def scores(q: np.ndarray, k: np.ndarray) -> np.ndarray:
            return getattr(ours_numpy, f"{score}_scores")(q, k, *(parameters[n] for n in PARAMETERS[score]))

        query = np.broadcast_to(parameters["query"], (B, 1, D))
        context, weights = ours_numpy.attend(query, states, states, mask[:, None, :], temperature=2.0, score=scores)
        return context[:, 0], weights[:, 0]

    three_agree(
        in_numpy,
        lambda states: pool_torch(states, torch.tensor(mask), temperature=2.0),
        lambda states: pool_keras(states, tf.constant(mask), temperature=2.0),
        random_arrays({"states": (B, T, D)}, dtype, seed=4),
        dtype,
    )


@both_precisions
def test_pooling_with_two_heads(dtype: str) -> None:
    size, mask = 6, lengths_mask()
    pool_keras = ours_keras.AttentionPooling(size, "multi_head", heads=2, dtype=dtype)
    pool_torch = ours_torch.AttentionPooling(size, score="multi_head", heads=2).to(getattr(torch, dtype))
    matrices = ours_numpy.MultiHeadWeights._fields[:4]
    parameters = random_arrays({"query": (size,), **dict.fromkeys(matrices, (size, size))}, dtype, seed=14)
    pool_keras.query.assign(parameters["query"])
    pool_torch.query.data = torch.tensor(parameters["query"])
    biases = dict.fromkeys(ours_numpy.MultiHeadWeights._fields[4:], np.zeros(size, dtype))
    weights = ours_numpy.MultiHeadWeights(**{name: parameters[name] for name in matrices}, **biases)
    for dialect, pool in ((ours_keras, pool_keras), (ours_torch, pool_torch)):
        dialect.load_multi_head(pool.attention, weights)

    def in_numpy(states: np.ndarray) -> tuple:
        context, each = ours_numpy.multi_head_attention(
            parameters["query"][None], states, states, weights, mask[:, None, :], heads=2, temperature=2.0
        )
        return context[:, 0], each[:, :, 0].mean(axis=1)

    three_agree(
        in_numpy,
        lambda states: pool_torch(states, torch.tensor(mask), temperature=2.0),
        lambda states: pool_keras(states, tf.constant(mask), temperature=2.0),
        random_arrays({"states": (B, T, size)}, dtype, seed=15),
        dtype,
    )


# --- LSTM -------------------------------------------------------------------------------------------------


def nn_lstm(inputs: Any, weights: list[Any], bidirectional: bool) -> Any:
    """`nn.LSTM` on our arrays as a function, so that gradients reach them; packed, so that padding is skipped."""
    layer = torch.nn.LSTM(D, H, batch_first=True, bidirectional=bidirectional, dtype=inputs.dtype)
    ends = ("", "_reverse") if bidirectional else ("",)
    given = {}
    for end, (w_input, w_hidden, bias) in zip(ends, weights, strict=True):
        given |= {f"weight_ih_l0{end}": w_input.T, f"weight_hh_l0{end}": w_hidden.T}
        given |= {f"bias_ih_l0{end}": bias, f"bias_hh_l0{end}": torch.zeros_like(bias)}
    rows = lengths_mask().sum(axis=1) > 0  # pack_padded_sequence takes no empty rows
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        inputs[torch.tensor(rows)], torch.tensor(lengths_mask().sum(axis=1)[rows]), batch_first=True
    )
    states, _ = torch.func.functional_call(layer, given, (packed,))
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=T)
    return torch.cat([padded, torch.zeros(int((~rows).sum()), T, padded.shape[-1], dtype=padded.dtype)])


def keras_lstm(inputs: Any, weights: list[Any], bidirectional: bool) -> Any:
    """`keras.layers.LSTM` on our tensors as a function."""
    layer = keras.layers.LSTM(H, return_sequences=True, zero_output_for_mask=True, dtype=inputs.dtype.name)
    if bidirectional:
        layer = keras.layers.Bidirectional(layer, dtype=inputs.dtype.name)
    layer.build((None, None, D))
    given = [(v, new) for v, new in zip(layer.weights, [w for one in weights for w in one], strict=True)]
    with keras.StatelessScope(state_mapping=given):
        return layer(inputs, mask=tf.constant(lengths_mask()))


@both_precisions
@pytest.mark.parametrize("bidirectional", [False, True])
def test_lstm_and_the_libraries(bidirectional: bool, dtype: str) -> None:
    ends = "fb" if bidirectional else "f"
    shapes = {"inputs": (B, T, D)}
    for end in ends:
        shapes |= {f"{end}_input": (D, 4 * H), f"{end}_hidden": (H, 4 * H), f"{end}_bias": (4 * H,)}

    def of(arrays: dict[str, Any]) -> list[ours_numpy.LSTMWeights]:
        return [ours_numpy.LSTMWeights(*(arrays[f"{end}_{n}"] for n in ("input", "hidden", "bias"))) for end in ends]

    def in_numpy(inputs: np.ndarray, **arrays: Any) -> tuple:
        if bidirectional:
            return (ours_numpy.bilstm(inputs, *of(arrays), lengths_mask()),)
        return (ours_numpy.lstm(inputs, of(arrays)[0], lengths_mask()),)

    three_agree(
        in_numpy,
        lambda inputs, **arrays: (nn_lstm(inputs, of(arrays), bidirectional),),
        lambda inputs, **arrays: (keras_lstm(inputs, of(arrays), bidirectional),),
        random_arrays(shapes, dtype, seed=5),
        dtype,
    )


def test_lstm_converters_carry_weights_through_all_three() -> None:
    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(B, T, D))
    pair = tuple(
        ours_numpy.LSTMWeights(rng.normal(size=(D, 4 * H)), rng.normal(size=(H, 4 * H)), rng.normal(size=4 * H))
        for _ in range(2)
    )
    layer = ours_keras.to_lstm(pair)
    states = ours_numpy.bilstm(inputs, *pair, lengths_mask())
    close(layer(inputs, mask=tf.constant(lengths_mask())), states, "float64")
    for got, wanted in zip(ours_keras.from_lstm(layer), pair, strict=True):
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(a, b)


# --- the whole model ----------------------------------------------------------------------------------------

MODELS = {
    **{f"tokens, {score}": {"vocab_size": 11, "score": score} for score in PARAMETERS},
    "features": {},
    "features, two layers": {"num_layers": 2, "attention_units": 4},
    "features, residual, wider": {"residual": True, "num_layers": 2, "outputs": 3},
    "features, residual, eight layers": {"residual": True, "num_layers": 8},
    "features, residual, same width": {"residual": True, "input_size": 2 * H, "score": "scaled_dot"},
    "tokens, three heads": {"vocab_size": 11, "score": "multi_head", "heads": 3},
    "features, one head": {"score": "multi_head"},
    "tokens, residual": {"residual": True, "num_layers": 2, "vocab_size": 11, "score": "general", "outputs": 2},
}


def pair_of_models(options: dict[str, Any], dtype: str, kind: str = "AttentionLSTM") -> tuple[Any, Any, Arrays]:
    options = {"input_size": D, "hidden_size": H} | options
    in_keras = getattr(ours_keras, kind)(**options, dtype=dtype)
    in_torch = getattr(ours_torch, kind)(**options).to(getattr(torch, dtype)).eval()
    shapes = {name: array.shape for name, array in convert_keras.to_numpy(in_keras).items()}
    parameters = random_arrays(shapes, dtype, seed=7)
    parameters = {name: (0.5 * array).astype(dtype) for name, array in parameters.items()}
    if "embedding" in parameters:
        parameters["embedding"][0] = 0.0  # PyTorch keeps the row of the padding at zero
    convert_keras.load_numpy(in_keras, parameters)
    convert_torch.load_numpy(in_torch, parameters)
    return in_torch, in_keras, parameters


def inputs_for(options: dict[str, Any], dtype: str) -> np.ndarray:
    rng = np.random.default_rng(8)
    if "vocab_size" in options:
        return np.where(lengths_mask(), rng.integers(1, options["vocab_size"], (B, T)), 0)
    return rng.normal(size=(B, T, options.get("input_size", D))).astype(dtype)


@both_precisions
@pytest.mark.parametrize("name", MODELS)
def test_model(name: str, dtype: str) -> None:
    options = MODELS[name]
    asked = {"score": options.get("score", "additive"), "heads": options.get("heads", 1), "temperature": 0.8}
    in_torch, in_keras, parameters = pair_of_models(options, dtype)
    inputs = inputs_for(options, dtype)
    mask = None if "vocab_size" in options else lengths_mask()

    def in_numpy(**parameters: np.ndarray) -> tuple:
        return ours_numpy.attention_lstm(inputs, parameters, mask, **asked)

    models_agree(in_numpy, in_torch, in_keras, (inputs, mask), parameters, dtype)


FORECASTERS = {
    **{score: {"score": score} for score in PARAMETERS},
    "one step, nothing known": {"horizon": 1, "future_size": 0},
    "nothing known, dot": {"future_size": 0, "score": "dot", "outputs": 2},
    "two layers, residual, two outputs": {"num_layers": 2, "residual": True, "outputs": 2, "attention_units": 7},
    "three heads": {"score": "multi_head", "heads": 3},
    "one head, nothing known": {"score": "multi_head", "future_size": 0},
}


@both_precisions
@pytest.mark.parametrize("name", FORECASTERS)
def test_forecaster(name: str, dtype: str) -> None:
    options = {"horizon": 3, "future_size": 2} | FORECASTERS[name]
    asked = {"score": options.get("score", "additive"), "heads": options.get("heads", 1), "temperature": 0.8}
    in_torch, in_keras, parameters = pair_of_models(options, dtype, "AttentionForecaster")
    shape = (B, options["horizon"], options["future_size"])
    inputs = inputs_for(options, dtype)
    future = random_arrays({"future": shape}, dtype, seed=16)["future"] if options["future_size"] else None

    def in_numpy(**parameters: np.ndarray) -> tuple:
        return ours_numpy.attention_forecaster(inputs, future, parameters, lengths_mask(), **asked)

    models_agree(in_numpy, in_torch, in_keras, (inputs, future, lengths_mask()), parameters, dtype)


def models_agree(
    in_numpy: Callable[..., tuple], in_torch: Any, in_keras: Any, given: tuple, parameters: Arrays, dtype: str
) -> None:
    """Values, and the gradient of every parameter under its shared name; all at a temperature of 0.8."""
    outputs, weights = in_numpy(**parameters)
    got = in_torch(*(None if one is None else torch.tensor(one) for one in given), temperature=0.8)
    weigh(got, torch.tensor).backward()
    with tf.GradientTape() as tape:
        also = in_keras(*given, temperature=0.8)
        loss = weigh(also, tf.constant)
    variables = convert_keras._variables(in_keras)
    gradients = tape.gradient(loss, {n: v.value for n, v in variables.items()})
    gradients = {n: tf.convert_to_tensor(g).numpy() for n, g in gradients.items()}

    for value, a, b in zip((outputs, weights), got, also, strict=True):
        close(a.detach(), value, dtype)
        close(b, value, dtype)
    assert (weights[3] == 0).all()
    assert_allclose(weights[:3].sum(axis=-1), 1.0, rtol=1e-5)

    # Gradients under the shared names: a copy of the torch model whose parameters *are* the gradients.
    holder = copy.deepcopy(in_torch)
    for held, parameter in zip(holder.parameters(), in_torch.parameters(), strict=True):
        held.data = parameter.grad.clone()
    of_torch = convert_torch.to_numpy(holder)
    assert of_torch.keys() == gradients.keys() == parameters.keys()
    for key, gradient in gradients.items():
        twice = 2.0 if key.endswith(("forward.bias", "backward.bias")) else 1.0
        close(of_torch[key] / twice, gradient, dtype)  # nn.LSTM has two biases; each has the whole gradient
    if dtype == "float64":
        slope_agrees(in_numpy, parameters, gradients)


def test_weights_travel_between_the_frameworks_and_back() -> None:
    in_torch, in_keras, parameters = pair_of_models(MODELS["tokens, residual"], "float32")
    for there in (convert_torch.to_numpy(in_torch), convert_keras.to_numpy(in_keras)):
        assert there.keys() == parameters.keys()
        for name, array in parameters.items():
            np.testing.assert_array_equal(there[name], array)


# --- the libraries' own attention -----------------------------------------------------------------------------


@both_precisions
def test_scaled_dot_product_attention(dtype: str) -> None:
    a = random_arrays({"query": (B, 2, D), "keys": (B, T, D), "values": (B, T, 4)}, dtype, seed=9)
    mask = lengths_mask()[:, None, :]
    tensors = [torch.tensor(array) for array in a.values()]
    library = torch.nn.functional.scaled_dot_product_attention(*tensors, attn_mask=torch.tensor(mask))
    close(ours_torch.attend(*tensors, torch.tensor(mask))[0], library, dtype)
    close(ours_keras.attend(*a.values(), mask)[0], library, dtype)
    close(ours_numpy.attend(*a.values(), mask)[0], library, dtype)


@both_precisions
def test_multihead_attention_with_one_head(dtype: str) -> None:
    layer = torch.nn.MultiheadAttention(D, 1, bias=False, batch_first=True, dtype=getattr(torch, dtype))
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.eye(D).repeat(3, 1))
        layer.out_proj.weight.copy_(torch.eye(D))
    a = random_arrays({"query": (B, 2, D), "keys": (B, T, D), "values": (B, T, D)}, dtype, seed=10)
    mask = lengths_mask()
    mask[3, 0] = True  # the library answers NaN where there is nothing to attend to
    library = layer(*(torch.tensor(array) for array in a.values()), key_padding_mask=torch.tensor(~mask))
    for dialect, boolean in ((ours_numpy, mask), (ours_torch, torch.tensor(mask)), (ours_keras, tf.constant(mask))):
        arrays = [torch.tensor(x) if dialect is ours_torch else x for x in a.values()]
        for got, wanted in zip(dialect.attend(*arrays, boolean[:, None, :]), library, strict=True):
            close(got, wanted.detach(), dtype)


@both_precisions
@pytest.mark.parametrize("scaled", [False, True])
def test_keras_attention(scaled: bool, dtype: str) -> None:
    a = random_arrays({"query": (B, 2, D), "keys": (B, T, D), "values": (B, T, 4)}, dtype, seed=11)
    mask = lengths_mask()
    mask[3, 0] = True  # the library spreads its weights evenly over padding where nothing else is left
    layer = keras.layers.Attention(use_scale=scaled, dtype=dtype)
    inputs = [a["query"], a["values"], a["keys"]]
    layer.build([x.shape for x in inputs])
    if scaled:
        layer.scale.assign(D**-0.5)
    library = layer(inputs, mask=[None, tf.constant(mask)], return_attention_scores=True)
    ours = ours_keras.DotAttention(scaled=scaled, dtype=dtype)(*a.values(), mask[:, None, :])
    score = ours_numpy.scaled_dot_scores if scaled else ours_numpy.dot_scores
    reference = ours_numpy.attend(*a.values(), mask[:, None, :], score=score)
    for got, also, wanted in zip(ours, reference, library, strict=True):
        close(got, wanted, dtype)
        close(also, wanted, dtype)


@both_precisions
def test_keras_additive_attention_is_ours_with_identities(dtype: str) -> None:
    a = random_arrays({"query": (B, 2, D), "keys": (B, T, D), "values": (B, T, 4)}, dtype, seed=12)
    v = random_arrays({"v": (D,)}, dtype, seed=13)["v"]
    layer = keras.layers.AdditiveAttention(dtype=dtype)
    inputs = [a["query"], a["values"], a["keys"]]
    layer.build([x.shape for x in inputs])
    layer.scale.assign(v)
    library = layer(inputs, return_attention_scores=True)
    ours = ours_keras.AdditiveAttention(D, D, D, dtype=dtype)
    ours.set_weights([np.eye(D), np.eye(D), v])
    eye = np.eye(D, dtype=dtype)
    reference = ours_numpy.attend(*a.values(), score=lambda q, k: ours_numpy.additive_scores(q, k, eye, eye, v))
    for got, also, wanted in zip(ours(*a.values()), reference, library, strict=True):
        close(got, wanted, dtype)
        close(also, wanted, dtype)


# --- golden numbers: facts printed in other projects' tests ------------------------------------------------


def each_dialect(*arrays: Any) -> list[tuple[types.ModuleType, list[Any]]]:
    """The same arrays for each dialect in its own kind."""
    arrays = tuple(np.asarray(array, dtype="float64") for array in arrays)
    return [
        (ours_numpy, list(arrays)),
        (ours_torch, [torch.tensor(array) for array in arrays]),
        (ours_keras, [tf.constant(array) for array in arrays]),
    ]


QUERY, KEYS, VALUES = [[[1.0, 0.0], [0.0, 1.0]]], [[[0.0, 1.0], [1.0, 0.0]]], [[[1.0, 2.0], [3.0, 4.0]]]


def test_golden_dot_of_keras() -> None:
    # keras-team/keras, keras/src/layers/attention/attention_test.py, test_attention_correctness ("Dot.")
    for dialect, arrays in each_dialect(QUERY, KEYS, VALUES):
        context, weights = dialect.attend(*arrays, score=dialect.dot_scores)
        assert_allclose(context, [[[2.462, 3.462], [1.538, 2.538]]], atol=1e-3)
        assert_allclose(weights, [[[0.269, 0.731], [0.731, 0.269]]], atol=1e-3)


def test_golden_additive_of_keras() -> None:
    # keras-team/keras, keras/src/layers/attention/additive_attention_test.py, test_attention_correctness
    # (its layer without a scale: W_q and W_k are identities, v is all ones)
    for dialect, (q, k, v, eye, ones) in each_dialect(QUERY, KEYS, VALUES, np.eye(2), np.ones(2)):

        def score(a: Any, b: Any, dialect: Any = dialect, eye: Any = eye, ones: Any = ones) -> Any:
            return dialect.additive_scores(a, b, eye, eye, ones)

        context, weights = dialect.attend(q, k, v, score=score)
        assert_allclose(context, [[[1.727, 2.727], [2.272, 3.272]]], atol=1e-3)
        assert_allclose(weights, [[[0.636, 0.363], [0.363, 0.636]]], atol=1e-3)


def test_golden_mask_of_keras() -> None:
    # keras-team/keras, attention_test.py, test_attention_with_mask: the second value is masked
    mask = np.array([[[True, False]]])
    for dialect, (q, v) in each_dialect(QUERY, np.ones((1, 2, 2))):
        boolean = torch.tensor(mask) if dialect is ours_torch else mask
        context, weights = dialect.attend(q, v, v, boolean)
        assert_allclose(context, np.ones((1, 2, 2)))
        assert_allclose(weights, [[[1.0, 0.0], [1.0, 0.0]]])


def test_golden_additive_of_allennlp() -> None:
    # allenai/allennlp, tests/modules/attention/additive_attention_test.py: scores W q + U k, not normalised
    query = [[[0.7, -0.8]], [[0.4, 0.9]]]
    keys = [
        [[1.0, -1.0, 3.0], [0.5, -0.3, 0.0], [0.2, -1.0, 1.0], [0.7, 0.8, -1.0]],
        [[-2.0, 3.0, -3.0], [0.6, 0.2, 2.0], [0.5, -0.4, -1.0], [0.2, 0.2, 0.0]],
    ]
    w_query, w_keys, v = [[-0.2, 0.3], [-0.5, 0.5]], [[0.0, 1.0], [1.0, 1.0], [1.0, -1.0]], [1.0, -1.0]
    wanted = [[[1.975072, -0.04997836, 1.2176098, -0.9205586]], [[-1.4851665, 1.489604, -1.890285, -1.0672251]]]
    for dialect, arrays in each_dialect(query, keys, w_query, w_keys, v):
        assert_allclose(dialect.additive_scores(*arrays), wanted, atol=1e-6)


def test_golden_bilinear_of_allennlp() -> None:
    # allenai/allennlp, tests/modules/attention/bilinear_attention_test.py: 1.8 and -0.4 with its bias of 0.1
    for dialect, arrays in each_dialect([[[1, 1]]], [[[1, 0], [0, 1]]], [[-0.3, 0.5], [2.0, -1.0]]):
        assert_allclose(dialect.general_scores(*arrays) + 0.1, [[[1.8, -0.4]]], atol=1e-7)


def test_golden_dot_of_allennlp() -> None:
    # allenai/allennlp, tests/modules/attention/dot_product_attention_test.py
    for dialect, arrays in each_dialect(
        [[[0, 0, 0]], [[1, 1, 1]]], [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]
    ):
        assert_allclose(dialect.dot_scores(*arrays), [[[0.0, 0.0]], [[24.0, 33.0]]])


# test/nn/test_multihead_attention.py of pytorch/pytorch prints no numbers in the parts we read: it holds the layer
# against a NumPy function on random arrays, as `test_multihead_attention_with_one_head` does here.


def test_golden_lstm_of_keras() -> None:
    # keras-team/keras, keras/src/layers/rnn/lstm_test.py, test_correctness, and test_masking (where a masked step
    # repeats the state before it; ours is 0 there). Its forget bias is 1 whatever the other biases are.
    def constant(d: int, h: int) -> ours_numpy.LSTMWeights:
        bias = np.repeat([0.03, 1.0, 0.03, 0.03], h)  # i, f, g, o
        return ours_numpy.LSTMWeights(np.full((d, 4 * h), 0.01), np.full((h, 4 * h), 0.02), bias)

    sequence = np.arange(72.0).reshape(3, 6, 4)
    assert_allclose(ours_numpy.lstm(sequence, constant(4, 3))[:, -1, 0], [0.6288687, 0.86899155, 0.9460773], rtol=1e-5)
    backwards = ours_numpy.lstm(sequence, constant(4, 3), reverse=True)[:, 0, 0]
    assert_allclose(backwards, [0.35622165, 0.74789524, 0.8872726], rtol=1e-5)

    mask = np.array([[True, True, True, False], [True, True, False, False]])
    states = ours_numpy.lstm(np.arange(24.0).reshape(2, 4, 3), constant(3, 2), mask)
    assert_allclose(states[0, :, 0], [0.01588910, 0.05552048, 0.11755939, 0.0], rtol=1e-5)
    assert_allclose(states[1, :, 1], [0.14185596, 0.28556206, 0.0, 0.0], rtol=1e-5)
