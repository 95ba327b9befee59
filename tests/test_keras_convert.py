"""Weights to and from Keras: what they refuse, and that they copy (that they are right is in test_parity.py)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from attnlstm_ref.keras import AttentionLSTM, from_lstm, load_numpy, to_lstm, to_numpy
from attnlstm_ref.numpy import LSTMWeights, bilstm, lstm
from attnlstm_ref.numpy.model import parameter_shapes

SHAPES = {"input_size": 3, "hidden_size": 2, "vocab_size": 7, "num_layers": 2, "residual": True}


def model() -> AttentionLSTM:
    return AttentionLSTM(**SHAPES)


def weights(d: int = 3, h: int = 2, seed: int = 0) -> LSTMWeights:
    r = np.random.default_rng(seed)
    return LSTMWeights(r.normal(size=(d, 4 * h)), r.normal(size=(h, 4 * h)), r.normal(size=4 * h))


def built(layer: keras.layers.Layer) -> keras.layers.Layer:
    layer.build((None, None, 3))
    return layer


@pytest.mark.parametrize(
    "options",
    [
        SHAPES,
        {"input_size": 4, "hidden_size": 2, "score": "general", "residual": True},
        {"input_size": 4, "hidden_size": 2, "score": "multi_head", "heads": 4},
    ],
)
def test_names_and_shapes_are_those_of_every_dialect(options: dict[str, Any]) -> None:
    shapes = {name: array.shape for name, array in to_numpy(AttentionLSTM(**options)).items()}
    assert shapes == parameter_shapes(**options)


def test_one_lstm_there_and_back() -> None:
    layer = to_lstm(weights())
    inputs, mask = np.random.default_rng(1).normal(size=(2, 4, 3)), np.arange(4) < np.array([[4], [2]])
    np.testing.assert_allclose(layer(inputs, mask=mask), lstm(inputs, weights(), mask), atol=1e-14)
    for got, wanted in zip(from_lstm(layer), weights(), strict=True):
        assert_array_equal(got, wanted)


def test_a_fresh_keras_lstm_reads_the_same_in_numpy() -> None:
    layer = built(keras.layers.Bidirectional(keras.layers.LSTM(2, return_sequences=True)))
    inputs = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
    forward, backward = from_lstm(layer)
    np.testing.assert_allclose(layer(inputs), bilstm(inputs, forward, backward), atol=1e-6)
    assert_array_equal(forward.bias, [0, 0, 1, 1, 0, 0, 0, 0])  # Keras starts with the forget gate open


def test_what_comes_out_is_a_copy() -> None:
    ours = model()
    taken = to_numpy(ours)
    for array in taken.values():
        array += 1.0
    assert not np.array_equal(to_numpy(ours)["head.bias"], taken["head.bias"])


def test_a_faulty_dictionary_is_refused_whole() -> None:
    ours = model()
    before, faulty = to_numpy(ours), to_numpy(ours)
    faulty |= {name: array + 1.0 for name, array in faulty.items()}
    del faulty["head.bias"]
    faulty["pool.weight"] = np.zeros((4, 4))
    faulty["pool.v"] = np.zeros(9)
    with pytest.raises(ValueError, match=r"missing: head\.bias") as error:
        load_numpy(ours, faulty)
    assert "unexpected: pool.weight" in str(error.value)
    assert "pool.v has shape (9), wanted (2)" in str(error.value)
    for name, array in to_numpy(ours).items():
        assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_lstm(keras.layers.GRU(2)), r"layer: got GRU, wanted keras.layers.LSTM"),
        (lambda: from_lstm(keras.layers.Bidirectional(keras.layers.GRU(2))), r"layer: got GRU"),
        (lambda: from_lstm(keras.layers.LSTM(2)), r"layer: got one without weights"),
        (lambda: from_lstm(built(keras.layers.LSTM(2, use_bias=False))), r"layer: got an LSTM of another kind"),
        (lambda: from_lstm(built(keras.layers.LSTM(2, activation="relu"))), r"layer: got an LSTM of another kind"),
        (lambda: to_lstm(weights()._replace(bias=np.zeros(7))), r"weights.bias: got shape \(7\), wanted .* \(8\)"),
        (lambda: to_lstm((weights(), weights(h=3))), r"weights: got 2 and 3 hidden units"),
        (lambda: to_lstm((weights(), weights(d=4))), r"weights\[1\].w_input: got shape \(4, 8\)"),
        (lambda: to_lstm([weights()] * 3), r"weights: got 3 of them, wanted LSTMWeights or a pair"),
        (lambda: to_lstm(3), r"weights: got int, wanted LSTMWeights or a pair"),
    ],
)
def test_bad_input_meets_one_clear_sentence(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
