"""Weights between Keras and the NumPy dialect, and so between Keras and PyTorch.

Keras keeps the gates in the order i, f, c, o (its c is our g) and one bias, as `LSTMWeights` does: nothing is
transposed, summed or moved. Only the names differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import keras
import numpy as np

from attnlstm_ref import _checks
from attnlstm_ref.keras.encoder import BiLSTMEncoder
from attnlstm_ref.keras.forecaster import AttentionForecaster
from attnlstm_ref.keras.model import AttentionLSTM
from attnlstm_ref.keras.multi_head import MultiHeadAttention
from attnlstm_ref.keras.seq2seq import Seq2Seq
from attnlstm_ref.numpy import LSTMWeights, MultiHeadWeights

Model = AttentionLSTM | AttentionForecaster | Seq2Seq


def from_lstm(layer: keras.layers.LSTM | keras.layers.Bidirectional) -> LSTMWeights | tuple[LSTMWeights, LSTMWeights]:
    """The weights of a `keras.layers.LSTM`, or of the forward and the backward one of a `Bidirectional`.

    Returns
    -------
    `LSTMWeights`, or a pair of them: copies, in the layer's own precision

    Raises
    ------
    ValueError
        Another kind of layer, one that has no weights yet, or an LSTM that is not the book's: without a bias, or with
        other activations than sigmoid and tanh.
    """
    if isinstance(layer, keras.layers.Bidirectional):
        return _from_one(layer.forward_layer), _from_one(layer.backward_layer)
    return _from_one(layer)


def to_lstm(
    weights: LSTMWeights | tuple[LSTMWeights, LSTMWeights],
) -> keras.layers.LSTM | keras.layers.Bidirectional:
    """A Keras layer that returns the states of every step with these weights; a pair makes a `Bidirectional`.

    Raises
    ------
    ValueError
        Arrays that do not fit each other.
    """
    directions = (weights,) if isinstance(weights, LSTMWeights) else weights
    if not isinstance(directions, (tuple, list)) or len(directions) not in (1, 2):
        got = f"{len(directions)} of them" if isinstance(directions, (tuple, list)) else type(weights).__name__
        raise ValueError(f"weights: got {got}, wanted LSTMWeights or a pair of them, forward and backward")
    width = None  # of the inputs: the first direction says, the second has to agree
    sizes = []
    for place, one in enumerate(directions):
        name = f"weights[{place}]" if len(directions) == 2 else "weights"
        sizes.append(_checks._lstm_weights(name, one, width))
        width = one.w_input.shape[0]
    if len(set(sizes)) > 1:
        raise ValueError(f"weights: got {sizes[0]} and {sizes[1]} hidden units, wanted two directions of one size")
    forward = directions[0]
    dtype = str(forward.w_hidden.dtype)
    layer = keras.layers.LSTM(sizes[0], return_sequences=True, zero_output_for_mask=True, dtype=dtype)
    if len(directions) == 2:
        layer = keras.layers.Bidirectional(layer, dtype=dtype)
    layer.build((None, None, forward.w_input.shape[0]))
    layer.set_weights([array for one in directions for array in one])
    return layer


def from_multi_head(layer: keras.layers.MultiHeadAttention | MultiHeadAttention) -> MultiHeadWeights:
    """The weights of Keras' multi-head layer or of ours; zeros for biases it does not have.

    Keras keeps an axis for the heads, (in, h, d); here they lie side by side, (in, h·d).

    Returns
    -------
    `MultiHeadWeights`: copies, in the layer's own precision

    Raises
    ------
    ValueError
        Another kind of layer, or one that has no weights yet.
    """
    if not isinstance(layer, keras.layers.MultiHeadAttention | MultiHeadAttention):
        raise ValueError(f"layer: got {type(layer).__name__}, wanted keras.layers.MultiHeadAttention or ours")
    if not layer.built:
        raise ValueError("layer: got one without weights, wanted one that was built or called once")
    if isinstance(layer, MultiHeadAttention):
        matrices = [_array(getattr(layer, name)) for name in MultiHeadWeights._fields[:4]]
        biases = [getattr(layer, name) for name in MultiHeadWeights._fields[4:]]
    else:
        inner = [layer.query_dense, layer.key_dense, layer.value_dense]
        matrices = [_array(dense.kernel).reshape(dense.kernel.shape[0], -1) for dense in inner]
        matrices.append(_array(layer.output_dense.kernel).reshape(matrices[2].shape[1], -1))
        biases = [dense.bias for dense in (*inner, layer.output_dense)]
    filled = [
        np.zeros(matrix.shape[1], matrix.dtype) if bias is None else _array(bias).reshape(-1)
        for matrix, bias in zip(matrices, biases, strict=True)
    ]
    return MultiHeadWeights(*matrices, *filled)


def to_multi_head(weights: MultiHeadWeights, heads: int) -> keras.layers.MultiHeadAttention:
    """Keras' layer with these weights.

    Raises
    ------
    ValueError
        Arrays that do not fit each other, or heads that do not divide their width.
    """
    _checks.multi_head_weights("weights", weights, heads)
    d, d_value = weights.w_query.shape[1] // heads, weights.w_values.shape[1] // heads
    layer = keras.layers.MultiHeadAttention(
        heads, d, value_dim=d_value, output_shape=weights.w_out.shape[1], dtype=str(weights.w_query.dtype)
    )
    shapes = ((None, None, matrix.shape[0]) for matrix in (weights.w_query, weights.w_values, weights.w_keys))
    layer.build(*shapes)  # Keras' order: query, value, key
    inner = zip((layer.query_dense, layer.key_dense, layer.value_dense), weights[:3], weights[4:7], strict=True)
    for dense, matrix, bias in inner:
        dense.kernel.assign(matrix.reshape(dense.kernel.shape))
        dense.bias.assign(bias.reshape(dense.bias.shape))
    layer.output_dense.kernel.assign(weights.w_out.reshape(layer.output_dense.kernel.shape))
    layer.output_dense.bias.assign(weights.b_out)
    return layer


def load_multi_head(layer: MultiHeadAttention, weights: MultiHeadWeights) -> None:
    """Put such weights into a layer of ours of the same shape, in place.

    Raises
    ------
    ValueError
        Arrays of another shape, biases that are not zero for a layer without; nothing is loaded then.
    """
    _checks.multi_head_weights("weights", weights, layer.heads)
    variables = {name: getattr(layer, name) for name in MultiHeadWeights._fields if getattr(layer, name) is not None}
    given = {name: array for name, array in weights._asdict().items() if name in variables or np.any(array)}
    _checks.parameters_fit(given, {name: tuple(variable.shape) for name, variable in variables.items()})
    for name, variable in variables.items():
        variable.assign(given[name])


def to_numpy(model: Model) -> dict[str, np.ndarray]:
    """The model's parameters under the names that all three dialects share; see `attnlstm_ref.numpy.attention_lstm`.

    Returns
    -------
    name -> array, copies in the model's own precision
    """
    return {name: _array(variable) for name, variable in _variables(model).items()}


def load_numpy(model: Model, parameters: Mapping[str, np.ndarray]) -> None:
    """Put such parameters into a model of the same shape, in place.

    Raises
    ------
    ValueError
        Names that are missing, that the model does not have, or whose shape is another; nothing is loaded then.
    """
    variables = _variables(model)
    _checks.parameters_fit(parameters, {name: tuple(variable.shape) for name, variable in variables.items()})
    for name, variable in variables.items():
        variable.assign(parameters[name])


def _from_one(layer: Any) -> LSTMWeights:
    if not isinstance(layer, keras.layers.LSTM):
        raise ValueError(f"layer: got {type(layer).__name__}, wanted keras.layers.LSTM or Bidirectional of it")
    if not layer.built:
        raise ValueError("layer: got one without weights, wanted one that was built or called once")
    functions = keras.activations.sigmoid, keras.activations.tanh
    if not layer.use_bias or (layer.recurrent_activation, layer.activation) != functions:
        raise ValueError("layer: got an LSTM of another kind, wanted a bias, sigmoid gates and tanh")
    return LSTMWeights(*map(_array, layer.weights[:3]))


def _array(variable: keras.Variable) -> np.ndarray:
    """A copy. Keras' own `convert_to_numpy` asks TensorFlow for one in a way that NumPy 2 warns of."""
    return np.array(np.asarray(keras.ops.convert_to_tensor(variable)))


def _variables(model: Model) -> dict[str, keras.Variable]:
    """The shared name of every variable: its own name, behind the name of its layer and a dot where it is in one."""
    named = {f"{layer.name}{name}": one for layer in model.layers for name, one in _inside(layer).items()}
    taken = {id(variable) for variable in named.values()}
    return {variable.name: variable for variable in model.weights if id(variable) not in taken} | named


@singledispatch
def _inside(layer: keras.layers.Layer) -> dict[str, keras.Variable]:
    """What comes after the layer's name; the functions below say where a kind of layer has names of its own."""
    # However deep: "attention/w_keys" of several heads is ".w_keys", as of additive scores.
    return {f".{variable.name}": variable for variable in layer.weights}


@_inside.register(keras.layers.Embedding)
def _(layer: keras.layers.Embedding) -> dict[str, keras.Variable]:
    return {"": layer.embeddings}


@_inside.register(keras.layers.Dense)
def _(layer: keras.layers.Dense) -> dict[str, keras.Variable]:
    return {".weight": layer.kernel, ".bias": layer.bias}


@_inside.register(keras.layers.LSTMCell)
def _(layer: keras.layers.LSTMCell) -> dict[str, keras.Variable]:
    variables = layer.kernel, layer.recurrent_kernel, layer.bias
    return {f".{name}": variable for name, variable in zip(LSTMWeights._fields, variables, strict=True)}


@_inside.register(BiLSTMEncoder)
def _(layer: BiLSTMEncoder) -> dict[str, keras.Variable]:
    named: dict[str, keras.Variable] = {}
    for depth, bilstm in enumerate(layer.bilstms):
        for direction, lstm in (("forward", bilstm.forward_layer), ("backward", bilstm.backward_layer)):
            named |= {f".{depth}.{direction}{name}": variable for name, variable in _inside(lstm.cell).items()}
        if layer.residual:
            for skip in layer.skips[depth].weights:  # none where the widths agree
                named[f".{depth}.skip"] = skip
            named |= {f".{depth}.norm.gain": layer.norms[depth].gamma, f".{depth}.norm.bias": layer.norms[depth].beta}
    return named
