"""The plain recurrent network in NumPy: pencil numbers, both libraries' own layers, padding, refusals."""

import math

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref.numpy import RNNWeights, rnn, rnn_step

B, T, D, H = 3, 6, 4, 5


def weights(seed: int = 0, width: int = D, hidden: int = H) -> RNNWeights:
    rng = np.random.default_rng(seed)
    return RNNWeights(*(rng.normal(size=shape) for shape in ((width, hidden), (hidden, hidden), (hidden,))))


def inputs(seed: int = 9, batch: int = B, steps: int = T) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, steps, D))


def test_one_step_by_pencil():
    one = RNNWeights(np.array([[2.0]]), np.array([[0.5]]), np.array([-0.1]))
    h = rnn_step(np.array([[0.3]]), np.array([[0.4]]), one)
    np.testing.assert_allclose(h, [[math.tanh(2 * 0.3 + 0.5 * 0.4 - 0.1)]], rtol=1e-14)


def test_the_state_is_a_row_times_the_matrix():
    # unit 0 feeds unit 1 and nothing feeds unit 0: a transposed matrix would move the 0.4 the other way
    two = RNNWeights(np.zeros((1, 2)), np.array([[0.0, 1.0], [0.0, 0.0]]), np.zeros(2))
    h = rnn_step(np.array([[7.0]]), np.array([[0.4, 0.9]]), two)
    np.testing.assert_allclose(h, [[0.0, math.tanh(0.4)]], rtol=1e-14)


def test_an_echo_of_one_impulse():
    one = RNNWeights(np.eye(1), np.array([[0.5]]), np.zeros(1))
    states = rnn(np.array([[[1.0], [0.0], [0.0]]]), one)[0, :, 0]
    first = math.tanh(1.0)
    second = math.tanh(first / 2)
    np.testing.assert_allclose(states, [first, second, math.tanh(second / 2)], rtol=1e-14)


def test_equals_torch():
    x, w = inputs(), weights(1)
    layer = torch.nn.RNN(D, H, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor(w.w_input.T))
        layer.weight_hh_l0.copy_(torch.tensor(w.w_hidden.T))
        layer.bias_ih_l0.copy_(torch.tensor(w.bias) / 4)  # the two are added
        layer.bias_hh_l0.copy_(torch.tensor(w.bias) * 3 / 4)
        theirs = layer(torch.tensor(x))[0].numpy()
    np.testing.assert_allclose(rnn(x, w), theirs, rtol=0, atol=1e-12)


def test_equals_keras_with_and_without_a_mask():
    x, w = inputs(), weights(2)
    mask = np.arange(T) < np.array([[6], [2], [4]])
    layer = keras.layers.SimpleRNN(H, return_sequences=True, dtype="float64")
    layer.build((None, None, D))
    layer.set_weights(list(w))
    np.testing.assert_allclose(rnn(x, w), keras.ops.convert_to_numpy(layer(x)), rtol=0, atol=1e-12)
    masked = keras.ops.convert_to_numpy(layer(x, mask=mask))
    np.testing.assert_allclose(rnn(x, w, mask)[mask], masked[mask], rtol=0, atol=1e-12)


def test_equals_torch_on_unequal_lengths():
    x, w, lengths = inputs(), weights(3), np.array([6, 2, 4])
    layer = torch.nn.RNN(D, H, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor(w.w_input.T))
        layer.weight_hh_l0.copy_(torch.tensor(w.w_hidden.T))
        layer.bias_ih_l0.copy_(torch.tensor(w.bias))
        layer.bias_hh_l0.zero_()
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            torch.tensor(x), torch.tensor(lengths), batch_first=True, enforce_sorted=False
        )
        theirs, _ = torch.nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)
    np.testing.assert_allclose(rnn(x, w, np.arange(T) < lengths[:, None]), theirs.numpy(), rtol=0, atol=1e-12)


def test_reverse_reads_from_the_other_end_and_answers_in_order():
    x, w = inputs(), weights()
    np.testing.assert_array_equal(rnn(x, w, reverse=True), rnn(x[:, ::-1], w)[:, ::-1])
    assert not np.allclose(rnn(x, w, reverse=True), rnn(x, w))


@given(st.lists(st.booleans(), min_size=T, max_size=T), st.booleans(), st.floats(-1e3, 1e3))
def test_masked_steps_are_as_if_left_out(real, reverse, junk):
    mask = np.array([real])
    x, w = inputs(batch=1), weights()
    states = rnn(np.where(mask[..., None], x, junk), w, mask, reverse=reverse)
    assert not states[~mask].any()
    if mask.any():
        alone = rnn(x[mask][None], w, reverse=reverse)
        np.testing.assert_allclose(states[mask], alone[0], rtol=0, atol=1e-12)


def test_nan_in_the_padding_stays_there():
    mask = np.arange(T) < np.array([[6], [2], [0]])
    x, w = inputs(), weights()
    expected = rnn(np.where(mask[..., None], x, 0.0), w, mask)
    np.testing.assert_array_equal(rnn(np.where(mask[..., None], x, np.nan), w, mask), expected)


def test_inputs_and_weights_are_left_alone():
    x, w, mask = inputs(), weights(), np.arange(T) < np.array([[6], [2], [0]])
    before = [array.copy() for array in (x, mask, *w)]
    rnn(x, w, mask)
    for array, copy in zip((x, mask, *w), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_float32_stays_float32():
    w = RNNWeights(*(array.astype(np.float32) for array in weights()))
    states = rnn(inputs().astype(np.float32), w)
    assert states.dtype == np.float32
    np.testing.assert_allclose(states, rnn(inputs(), weights()), rtol=0, atol=1e-5)


BAD = {
    "x: got shape (4), wanted (B, D) = (?, ?)": lambda: rnn_step(np.zeros(D), np.zeros((B, H)), weights()),
    "h: got shape (3, 4), wanted (B, H) = (3, 5)": lambda: rnn_step(np.zeros((B, D)), np.zeros((B, 4)), weights()),
    "weights: got tuple, wanted RNNWeights": lambda: rnn(inputs(), tuple(weights())),
    "weights.w_input: got shape (3, 5), wanted (D, H) = (4, 5)": lambda: rnn(inputs(), weights(width=3)),
    "weights.w_hidden: got shape (5, 20), wanted (H, H) = (5, 5)": lambda: rnn(
        inputs(), weights()._replace(w_hidden=np.zeros((5, 20)))
    ),
    "weights.bias: got shape (4), wanted (H,) = (5)": lambda: rnn(inputs(), weights()._replace(bias=np.zeros(4))),
    "inputs: got shape (6, 4), wanted (B, T, D)": lambda: rnn(inputs()[0], weights()),
    "inputs: got shape (3, 0, 4), wanted (B, T, D) with at least one time step": lambda: rnn(
        inputs()[:, :0], weights()
    ),
    "mask: got int64, wanted booleans (B, T) = (3, 6), True = a real token": lambda: rnn(
        inputs(), weights(), np.ones((B, T), dtype=np.int64)
    ),
    "mask: got shape (6, 3), wanted (B, T), True = a real token, = (3, 6)": lambda: rnn(
        inputs(), weights(), np.ones((T, B), dtype=bool)
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)
