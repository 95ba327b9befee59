"""The LSTM and the whole model in NumPy: pencil numbers, PyTorch's own layer, padding, refusals."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref.numpy import LSTMWeights, attention_lstm, bilstm, lstm, lstm_step, parameter_shapes

B, T, D, H = 3, 6, 4, 5


def weights(seed: int = 0, width: int = D, hidden: int = H) -> LSTMWeights:
    rng = np.random.default_rng(seed)
    shapes = (width, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,)
    return LSTMWeights(*(rng.normal(size=shape) for shape in shapes))


def inputs(seed: int = 9, batch: int = B, steps: int = T) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, steps, D))


def odds(share: float) -> float:
    """The gate's input that opens it by that share."""
    return math.log(share / (1 - share))


def test_one_step_by_pencil():
    # i = 0.8, f = 0.5, tanh(g) = 0.5, o = 0.25, whatever x and h are
    bias = np.array([odds(0.8), odds(0.5), math.atanh(0.5), odds(0.25)])
    one = LSTMWeights(np.zeros((1, 4)), np.zeros((1, 4)), bias)
    h, c = lstm_step(np.array([[7.0]]), np.array([[0.3]]), np.array([[2.0]]), one)
    np.testing.assert_allclose(c, [[0.5 * 2.0 + 0.8 * 0.5]], rtol=1e-14)
    np.testing.assert_allclose(h, [[0.25 * math.tanh(1.4)]], rtol=1e-14)


def test_input_and_state_reach_the_gates():
    one = LSTMWeights(np.array([[0.0, 0.0, 2.0, 0.0]]), np.array([[0.0, 0.0, 3.0, 0.0]]), np.zeros(4))
    _, c = lstm_step(np.array([[0.1]]), np.array([[0.2]]), np.array([[0.0]]), one)
    np.testing.assert_allclose(c, [[0.5 * math.tanh(2 * 0.1 + 3 * 0.2)]], rtol=1e-14)


def library(forward: LSTMWeights, backward: LSTMWeights) -> torch.nn.LSTM:
    """PyTorch's layer with these weights, set here by hand so that no converter of ours is trusted."""
    layer = torch.nn.LSTM(D, H, batch_first=True, bidirectional=True, dtype=torch.float64)
    with torch.no_grad():
        for suffix, one in (("", forward), ("_reverse", backward)):
            getattr(layer, f"weight_ih_l0{suffix}").copy_(torch.tensor(one.w_input.T))
            getattr(layer, f"weight_hh_l0{suffix}").copy_(torch.tensor(one.w_hidden.T))
            getattr(layer, f"bias_ih_l0{suffix}").copy_(torch.tensor(one.bias) / 4)  # the two are added
            getattr(layer, f"bias_hh_l0{suffix}").copy_(torch.tensor(one.bias) * 3 / 4)
    return layer


def test_equals_the_library_layer():
    forward, backward, x = weights(1), weights(2), inputs()
    theirs = library(forward, backward)(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(bilstm(x, forward, backward), theirs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(lstm(x, forward), theirs[..., :H], rtol=0, atol=1e-12)


def test_equals_the_library_layer_on_unequal_lengths():
    forward, backward, x = weights(1), weights(2), inputs()
    lengths = np.array([6, 2, 4])
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    theirs, _ = torch.nn.utils.rnn.pad_packed_sequence(library(forward, backward)(packed)[0], batch_first=True)
    ours = bilstm(x, forward, backward, np.arange(T) < lengths[:, None])
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=0, atol=1e-12)


def test_reverse_reads_from_the_other_end_and_answers_in_order():
    x, w = inputs(), weights()
    np.testing.assert_array_equal(lstm(x, w, reverse=True), lstm(x[:, ::-1], w)[:, ::-1])
    assert not np.allclose(lstm(x, w, reverse=True), lstm(x, w))


@given(st.lists(st.booleans(), min_size=T, max_size=T), st.booleans(), st.floats(-1e3, 1e3))
def test_masked_steps_are_as_if_left_out(real, reverse, junk):
    mask = np.array([real])
    x, w = inputs(batch=1), weights()
    filled = np.where(mask[..., None], x, junk)
    states = lstm(filled, w, mask, reverse=reverse)
    assert not states[~mask].any()
    if mask.any():
        alone = lstm(x[mask][None], w, reverse=reverse)
        np.testing.assert_allclose(states[mask], alone[0], rtol=0, atol=1e-12)


def test_nan_in_the_padding_stays_there():
    mask = np.arange(T) < np.array([[6], [2], [0]])
    x, w = inputs(), weights()
    expected = bilstm(np.where(mask[..., None], x, 0.0), w, w, mask)
    np.testing.assert_array_equal(bilstm(np.where(mask[..., None], x, np.nan), w, w, mask), expected)


def test_huge_inputs_do_not_overflow():
    states = lstm(1e6 * inputs(), weights())
    assert np.isfinite(states).all()


def test_inputs_and_weights_are_left_alone():
    x, w, mask = inputs(), weights(), np.arange(T) < np.array([[6], [2], [0]])
    before = [array.copy() for array in (x, mask, *w)]
    bilstm(x, w, w, mask)
    for array, copy in zip((x, mask, *w), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_float32_stays_float32():
    w = LSTMWeights(*(array.astype(np.float32) for array in weights()))
    states = lstm(inputs().astype(np.float32), w)
    assert states.dtype == np.float32
    np.testing.assert_allclose(states, lstm(inputs(), weights()), rtol=0, atol=1e-5)


BAD = {
    "x: got shape (4), wanted (B, D) = (?, ?)": lambda: lstm_step(np.zeros(D), *np.zeros((2, B, H)), weights()),
    "h: got shape (3, 4), wanted (B, H) = (3, 5)": lambda: lstm_step(
        np.zeros((B, D)), np.zeros((B, 4)), np.zeros((B, H)), weights()
    ),
    "c: got shape (2, 5), wanted (B, H) = (3, 5)": lambda: lstm_step(
        np.zeros((B, D)), np.zeros((B, H)), np.zeros((2, H)), weights()
    ),
    "weights: got tuple, wanted LSTMWeights": lambda: lstm(inputs(), tuple(weights())),
    "weights.w_input: got shape (3, 20), wanted (D, 4H) = (4, 20)": lambda: lstm(inputs(), weights(width=3)),
    "weights.w_hidden: got shape (5, 15), wanted (H, 4H) = (5, 20)": lambda: lstm(
        inputs(), weights()._replace(w_hidden=np.zeros((5, 15)))
    ),
    "weights.bias: got shape (5), wanted (4H,) = (20)": lambda: lstm(inputs(), weights()._replace(bias=np.zeros(5))),
    "inputs: got shape (6, 4), wanted (B, T, D)": lambda: lstm(inputs()[0], weights()),
    "inputs: got shape (3, 0, 4), wanted (B, T, D) with at least one time step": lambda: lstm(
        inputs()[:, :0], weights()
    ),
    "mask: got int64, wanted booleans (B, T) = (3, 6), True = a real token": lambda: lstm(
        inputs(), weights(), np.ones((B, T), dtype=np.int64)
    ),
    "mask: got shape (6, 3), wanted (B, T), True = a real token, = (3, 6)": lambda: bilstm(
        inputs(), weights(), weights(), np.ones((T, B), dtype=bool)
    ),
    "backward: got 2 hidden units, wanted 5 as in forward": lambda: bilstm(inputs(), weights(), weights(hidden=2)),
    "score: got 'cosine', wanted one of 'dot', 'scaled_dot', 'general', 'additive'": lambda: attention_lstm(
        inputs(), parameters(), score="cosine"
    ),
    "2 * hidden_size: got width 10, wanted a multiple of heads = 4": lambda: attention_lstm(
        inputs(), parameters(), score="multi_head", heads=4
    ),
    'heads: got 2, wanted 1: only score="multi_head" has several': lambda: attention_lstm(
        inputs(), parameters(), heads=2
    ),
    "temperature: got 0.0, wanted a number above 0": lambda: attention_lstm(inputs(), parameters(), temperature=0.0),
    "parameters: missing: pool.w_keys, head.weight; unexpected: extra": lambda: attention_lstm(
        inputs(), {k: v for k, v in parameters(extra=(1,)).items() if k not in ("pool.w_keys", "head.weight")}
    ),
    "parameters: missing: pool.v": lambda: attention_lstm(
        inputs(), {k: v for k, v in parameters().items() if k != "pool.v"}
    ),
    "parameters: encoder.0.backward.bias has shape (3), wanted (20)": lambda: attention_lstm(
        inputs(), parameters() | {"encoder.0.backward.bias": np.zeros(3)}
    ),
    "inputs: got shape (3, 6), wanted features (B, T, D) = (?, ?, 4)": lambda: attention_lstm(
        inputs()[..., 0], parameters()
    ),
    "inputs: got int64, wanted floating features (B, T, D)": lambda: attention_lstm(
        inputs().astype(np.int64), parameters()
    ),
    "inputs: got float64, wanted whole numbers: tokens (B, T) from 0 to 10": lambda: attention_lstm(
        np.ones((B, T)), parameters(embedding=(11, D))
    ),
    "inputs: got token 11, wanted 0 to 10": lambda: attention_lstm(np.full((B, T), 11), parameters(embedding=(11, D))),
    "input_size: got 0, wanted a whole number of units, at least 1": lambda: parameter_shapes(
        input_size=0, hidden_size=H
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)


# --- the whole model -------------------------------------------------------------------------------


def parameters(seed: int = 4, *, residual: bool = False, num_layers: int = 1, **more: tuple[int, ...]) -> dict:
    shapes = parameter_shapes(input_size=D, hidden_size=H, residual=residual, num_layers=num_layers) | more
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def test_the_parameter_count_by_hand():
    shapes = parameter_shapes(input_size=100, hidden_size=64, vocab_size=20_000, attention_units=32)
    counted = sum(math.prod(shape) for shape in shapes.values())
    embedding, lstms = 20_000 * 100, 2 * 4 * 64 * (100 + 64 + 1)
    pool, head = 128 + 2 * 128 * 32 + 32, 128 + 1
    assert counted == embedding + lstms + pool + head


def test_one_token_is_attended_to_fully():
    x = inputs(steps=1)
    p = parameters()
    forward, backward = (
        LSTMWeights(*(p[f"encoder.0.{way}.{name}"] for name in LSTMWeights._fields)) for way in ("forward", "backward")
    )
    outputs, weights_ = attention_lstm(x, p)
    np.testing.assert_array_equal(weights_, np.ones((B, 1)))
    states = bilstm(x, forward, backward)[:, 0]
    np.testing.assert_allclose(outputs, states @ p["head.weight"] + p["head.bias"], rtol=0, atol=1e-14)


@given(st.integers(0, 3), st.sampled_from([0.0, 1e6, np.nan]), st.booleans())
def test_padding_changes_nothing(extra, junk, residual):
    p = parameters(residual=residual, num_layers=2)
    lengths = np.array([6, 2, 0])
    mask = np.arange(T + extra) < lengths[:, None]
    short = attention_lstm(np.where(mask[:, :T, None], inputs(), 0.0), p, mask[:, :T])
    padded = np.full((B, T + extra, D), junk)
    padded[:, :T] = np.where(mask[:, :T, None], inputs(), junk)
    long = attention_lstm(padded, p, mask)
    np.testing.assert_allclose(long[0], short[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(long[1][:, :T], short[1], rtol=0, atol=1e-12)
    assert not long[1][~mask].any()
    np.testing.assert_allclose(long[1].sum(-1), [1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(long[0][2], p["head.bias"], atol=1e-12)  # nothing was read: a context of zeros


def test_tokens_other_than_zero_are_real():
    p = parameters(embedding=(11, D))
    tokens = np.array([[3, 4, 5], [6, 7, 0]])
    explicit = attention_lstm(tokens, p, tokens != 0)
    for ours, theirs in zip(attention_lstm(tokens, p), explicit, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    changed = attention_lstm(tokens, p | {"embedding": np.where(np.arange(11)[:, None] == 0, 99.0, p["embedding"])})
    np.testing.assert_array_equal(changed[0], explicit[0])
