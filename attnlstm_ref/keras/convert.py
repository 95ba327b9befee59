"""Weights between Keras and the NumPy dialect, and so between Keras and PyTorch.

Keras keeps the gates in the order i, f, c, o (its c is our g) and one bias, as `LSTMWeights` does: nothing is
transposed, summed or moved. Only the names differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from attnlstm_ref import _checks
from attnlstm_ref.keras.model import AttentionLSTM
from attnlstm_ref.numpy import LSTMWeights


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


def to_numpy(model: AttentionLSTM) -> dict[str, np.ndarray]:
    """The model's parameters under the names that all three dialects share; see `attnlstm_ref.numpy.attention_lstm`.

    Returns
    -------
    name -> array, copies in the model's own precision
    """
    return {name: _array(variable) for name, variable in _variables(model).items()}


def load_numpy(model: AttentionLSTM, parameters: Mapping[str, np.ndarray]) -> None:
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


def _variables(model: AttentionLSTM) -> dict[str, keras.Variable]:
    """The shared name of every variable of the model."""
    named: dict[str, keras.Variable] = {}
    if model.vocab_size is not None:
        named["embedding"] = model.embedding.embeddings
    for depth, bilstm in enumerate(model.encoder.bilstms):
        for direction, lstm in (("forward", bilstm.forward_layer), ("backward", bilstm.backward_layer)):
            cell = lstm.cell
            for name, variable in zip(
                LSTMWeights._fields, (cell.kernel, cell.recurrent_kernel, cell.bias), strict=True
            ):
                named[f"encoder.{depth}.{direction}.{name}"] = variable
        if model.encoder.residual:
            for skip in model.encoder.skips[depth].weights:  # none where the widths agree
                named[f"encoder.{depth}.skip"] = skip
            named[f"encoder.{depth}.norm.gain"] = model.encoder.norms[depth].gamma
            named[f"encoder.{depth}.norm.bias"] = model.encoder.norms[depth].beta
    named |= {f"pool.{variable.name}": variable for variable in model.pool.weights}
    return named | {"head.weight": model.head.kernel, "head.bias": model.head.bias}
