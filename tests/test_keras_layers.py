"""Pooling and encoder in Keras: masks arrive and go on by themselves, padding changes nothing, layers save and load."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from attnlstm_ref.keras import AttentionPooling, BiLSTMEncoder, DotAttention

SCORES = ("dot", "scaled_dot", "general", "additive", "multi_head")


def pooling(score: str, **options: Any) -> AttentionPooling:
    return AttentionPooling(4, score, heads=2 if score == "multi_head" else 1, **options)


DTYPES = ("float16", "bfloat16", "float32", "float64")
rng = np.random.default_rng(0)
TOKENS = np.array([[3, 1, 4, 1, 5], [9, 2, 0, 0, 0], [6, 0, 0, 0, 0], [0, 0, 0, 0, 0]])


# --- pooling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", SCORES)
def test_keras_own_mask_is_the_mask(score: str) -> None:
    embedding = keras.layers.Embedding(10, 4, mask_zero=True)
    pool = pooling(score)
    states = embedding(TOKENS)
    context, weights = pool(states)
    expected = pool(np.asarray(states), TOKENS != 0)
    assert_array_equal(context, expected[0])
    assert_array_equal(weights, expected[1])
    assert_array_equal(np.asarray(weights)[TOKENS == 0], 0.0)


def test_a_given_mask_is_joined_to_keras_own() -> None:
    states = keras.layers.Embedding(10, 4, mask_zero=True)(TOKENS)
    only_first_two = np.broadcast_to(np.arange(5) < 2, TOKENS.shape)
    weights = np.asarray(AttentionPooling(4)(states, only_first_two)[1])
    assert ((weights > 0) == ((TOKENS != 0) & only_first_two)).all()


def test_a_learned_temperature_does_not_lose_keras_own_mask() -> None:
    # With two tensors in the call Keras no longer fills in `mask`, but `states_mask`.
    states = keras.layers.Embedding(10, 4, mask_zero=True)(TOKENS)
    weights = np.asarray(AttentionPooling(4)(states, temperature=tf.constant(0.5))[1])
    assert_array_equal(weights[TOKENS == 0], 0.0)


def test_the_pooled_context_carries_no_mask_on() -> None:
    inputs = keras.Input((None,), dtype="int32")
    states = keras.layers.Embedding(10, 4, mask_zero=True)(inputs)
    context, weights = AttentionPooling(4)(states)
    assert getattr(context, "_keras_mask", None) is None
    assert context.shape == (None, 4)
    assert weights.shape == (None, None)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("score", SCORES)
def test_a_row_of_nothing_gives_zeros_and_no_gradient(score: str, dtype: str) -> None:
    pool = pooling(score, dtype=dtype)
    states = tf.Variable(tf.cast(30 * rng.normal(size=(2, 3, 4)), dtype))
    mask = tf.constant([[False] * 3, [True, True, False]])
    with tf.GradientTape() as tape:
        context, weights = pool(states.value(), mask)
        loss = tf.reduce_sum(context * context) + tf.reduce_sum(weights * weights)
    assert context.dtype == weights.dtype == dtype
    assert_array_equal(tf.cast(context[0], "float64"), 0.0)
    assert_array_equal(tf.cast(weights[0], "float64"), 0.0)
    gradients = tape.gradient(loss, [states, *pool.trainable_variables])
    for gradient in gradients:
        assert np.isfinite(np.asarray(tf.cast(gradient, "float64"))).all()
    assert_array_equal(tf.cast(gradients[0][0], "float64"), 0.0)  # the empty row
    assert_array_equal(tf.cast(gradients[0][1, 2], "float64"), 0.0)  # the padded step


@pytest.mark.parametrize("score", ["additive", "multi_head"])
def test_what_is_in_the_padding_stays_there(score: str) -> None:
    pool = pooling(score)
    states, mask = rng.normal(size=(2, 5, 4)).astype("float32"), np.arange(5) < np.array([[3], [5]])
    rubbish = np.where(mask[..., None], states, np.nan).astype("float32")
    expected = [np.asarray(x) for x in pool(states, mask)]
    before = rubbish.copy()
    with tf.GradientTape() as tape:
        context, weights = pool(rubbish, mask)
    assert_array_equal(context, expected[0])
    assert_array_equal(weights, expected[1])
    assert_array_equal(rubbish, before)
    assert all(np.isfinite(np.asarray(g)).all() for g in tape.gradient(context, pool.trainable_variables))


def test_temperature_goes_from_the_best_to_the_mean() -> None:
    pool, states = AttentionPooling(4, "dot"), rng.normal(size=(3, 5, 4)).astype("float32")
    sharp, flat = (np.asarray(pool(states, temperature=t)[1]) for t in (1e-5, 1e4))
    assert_allclose(sharp.max(axis=1), 1.0, atol=1e-5)
    assert_array_equal(sharp.argmax(axis=1), np.asarray(pool(states)[1]).argmax(axis=1))
    assert_allclose(flat, 0.2, atol=1e-3)


def test_a_layer_keeps_nothing_of_its_call() -> None:
    for layer in (AttentionPooling(4), BiLSTMEncoder(4, 3)):
        layer(rng.normal(size=(2, 3, 4)))
        kept = [k for k, v in vars(layer).items() if tf.is_tensor(v) and not isinstance(v, keras.Variable)]
        assert kept == []


def test_attention_in_float64_stays_in_float64() -> None:
    # The dropout inside the layer has to have the layer's precision too.
    context, weights = DotAttention(dropout=0.5, dtype="float64")(*(rng.normal(size=(1, 2, 3)) for _ in range(3)))
    assert context.dtype == weights.dtype == "float64"


# --- encoder ------------------------------------------------------------------------------------------------


@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    left=st.integers(0, 2),
    gap=st.integers(0, 2),
    right=st.integers(0, 3),
    residual=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_padding_anywhere_changes_no_state(
    lengths: list[int], left: int, gap: int, right: int, residual: bool, seed: int
) -> None:
    r = np.random.default_rng(seed)
    longest = max(*lengths, 2)
    encoder = ENCODERS[residual]
    tight, mask = r.normal(size=(len(lengths), longest, 3)), np.arange(longest) < np.array(lengths)[:, None]
    # One step, then a gap, then the others; rubbish on both sides and in between.
    total = left + longest + gap + right
    places = np.r_[left, np.arange(1, longest) + left + gap]
    loose, loose_mask = np.full((len(lengths), total, 3), 1e30), np.zeros((len(lengths), total), dtype=bool)
    loose[:, places], loose_mask[:, places] = tight, mask
    expected, got = np.asarray(encoder(tight, mask)), np.asarray(encoder(loose, loose_mask))
    assert_allclose(got[:, places], expected, rtol=0, atol=1e-14)
    assert_array_equal(got[~loose_mask], 0.0)


ENCODERS = [BiLSTMEncoder(3, 2, num_layers=2, residual=residual, dtype="float64") for residual in (False, True)]


def test_padding_of_nan_reaches_neither_states_nor_gradients() -> None:
    encoder, mask = BiLSTMEncoder(3, 2), np.array([[True, True, False], [False, False, False]])
    inputs = np.where(mask[..., None], rng.normal(size=(2, 3, 3)), np.nan)
    with tf.GradientTape() as tape:
        states = encoder(inputs, mask)
    assert np.isfinite(np.asarray(states)).all()
    assert all(np.isfinite(np.asarray(g)).all() for g in tape.gradient(states, encoder.trainable_variables))


@pytest.mark.parametrize("residual", [False, True])
def test_no_mask_is_a_mask_of_true(residual: bool) -> None:
    inputs = rng.normal(size=(2, 4, 3))
    everything = np.ones((2, 4), dtype=bool)
    assert_allclose(ENCODERS[residual](inputs), ENCODERS[residual](inputs, everything), rtol=0, atol=1e-14)


def test_masks_pass_through_sequential_and_functional_models() -> None:
    layers = [keras.layers.Embedding(10, 3, mask_zero=True), BiLSTMEncoder(3, 2), keras.layers.Dense(4)]
    sequential = keras.Sequential([keras.Input((None,), dtype="int32"), *layers])
    pool = AttentionPooling(4)
    tokens = keras.Input((None,), dtype="int32")
    functional = keras.Model(tokens, pool(layers[2](layers[1](layers[0](tokens)))))
    inside = keras.Model(tokens, pool(sequential(tokens)))
    by_hand = pool(layers[2](layers[1](np.asarray(layers[0](TOKENS)), TOKENS != 0)), TOKENS != 0)
    for model in (functional, inside):
        context, weights = model(TOKENS)
        assert_allclose(context, by_hand[0], atol=1e-6)
        assert_allclose(weights, by_hand[1], atol=1e-6)
        assert_array_equal(np.asarray(weights)[TOKENS == 0], 0.0)


def test_left_padding_by_keras_masks() -> None:
    embedding, encoder, pool = keras.layers.Embedding(10, 3, mask_zero=True), BiLSTMEncoder(3, 2), AttentionPooling(4)
    right = keras.utils.pad_sequences([[3, 1], [9, 2, 4]], padding="post")
    left = keras.utils.pad_sequences([[3, 1], [9, 2, 4]], padding="pre")
    assert_allclose(pool(encoder(embedding(left)))[0], pool(encoder(embedding(right)))[0], atol=1e-6)


@pytest.mark.parametrize("score", ["additive", "multi_head"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy: str, score: str) -> None:
    encoder, pool = BiLSTMEncoder(3, 2, residual=True, dtype=policy), pooling(score, dtype=policy)
    mask = np.array([[True, True, False], [False, False, False]])
    states = encoder(rng.normal(size=(2, 3, 3)), mask)
    context, weights = pool(states, mask)
    assert states.dtype == context.dtype == weights.dtype == policy.removeprefix("mixed_")
    assert encoder.weights[0].dtype == "float32"
    assert {v.dtype for v in pool.weights} == {"float32"}
    assert np.isfinite(np.asarray(tf.cast(context, "float32"))).all()


# --- save and load --------------------------------------------------------------------------------------------

LOAD = """
import sys, numpy as np, attnlstm_ref.keras, keras
model = keras.saving.load_model(sys.argv[1])  # safe mode: a Lambda would be refused
given = list(np.load(sys.argv[2]).values())
np.savez(sys.argv[3], *model(given if len(given) > 1 else given[0]))
"""


def load_elsewhere(model: keras.Model, inputs: np.ndarray | list[np.ndarray], folder: Path) -> list[np.ndarray]:
    """What the model says after a journey through a file into another process."""
    model.save(folder / "model.keras")
    np.savez(folder / "inputs.npz", *(inputs if isinstance(inputs, list) else [inputs]))
    files = [str(folder / name) for name in ("model.keras", "inputs.npz", "outputs.npz")]
    subprocess.run([sys.executable, "-c", LOAD, *files], check=True, timeout=120)
    return list(np.load(files[2]).values())


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras and NumPy 2, in `save`
def test_layers_come_back_in_another_process(tmp_path: Path) -> None:
    tokens = keras.Input((None,), dtype="int32")
    states = keras.layers.Embedding(10, 3, mask_zero=True)(tokens)
    states = BiLSTMEncoder(3, 2, num_layers=2, dropout=0.1, residual=True)(states)
    outputs: list[Any] = []
    for score in SCORES:
        outputs += pooling(score, units=5 if score == "additive" else None)(states, temperature=0.5)
    model = keras.Model(tokens, outputs)
    there = load_elsewhere(model, TOKENS, tmp_path)
    for got, wanted in zip(there, model(TOKENS), strict=True):
        assert_array_equal(got, wanted)
    assert b"Lambda" not in zipfile.ZipFile(tmp_path / "model.keras").read("config.json")


@pytest.mark.parametrize(
    "layer",
    [
        AttentionPooling(4, "general", dtype="float64"),
        AttentionPooling(4, units=7),
        pooling("multi_head", dtype="float64"),
        BiLSTMEncoder(3, 2, num_layers=2, dropout=0.25, residual=True, dtype="mixed_bfloat16"),
    ],
    ids=["general", "additive", "multi_head", "encoder"],
)
def test_a_layer_is_its_configuration(layer: keras.layers.Layer) -> None:
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert [v.shape for v in twin.weights] == [v.shape for v in layer.weights]
    assert [v.dtype for v in twin.weights] == [v.dtype for v in layer.weights]


# --- bad input ------------------------------------------------------------------------------------------------

x, m = np.zeros((2, 3, 4)), np.ones((2, 3), dtype=bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: AttentionPooling(0), r"size: got 0"),
        (lambda: AttentionPooling(4, units=0), r"units: got 0"),
        (lambda: AttentionPooling(4, "luong"), r"score: got 'luong', wanted one of 'dot'"),
        (lambda: AttentionPooling(4, "multi_head", heads=3), r"size: got width 4, wanted a multiple of heads = 3"),
        (lambda: AttentionPooling(4, "multi_head", heads=0), r"heads: got 0"),
        (lambda: AttentionPooling(4, heads=2), r'heads: got 2, wanted 1: only score="multi_head" has several'),
        (lambda: AttentionPooling(4)(x[0]), r"states: got shape \(3, 4\), wanted \(B, T, d\)"),
        (lambda: AttentionPooling(5)(x), r"states: got shape \(2, 3, 4\), wanted .* = \(\?, \?, 5\)"),
        (lambda: AttentionPooling(4)(x[:, :0]), r"states: got shape \(2, 0, 4\), .* at least one time step"),
        (lambda: AttentionPooling(4)(x, m.T), r"mask: got shape \(3, 2\), wanted .* = \(2, 3\)"),
        (lambda: AttentionPooling(4)(x, m.astype(int)), r"mask: got .*int64.*, wanted booleans"),
        (lambda: AttentionPooling(4)(x, temperature=0.0), r"temperature: got 0.0, wanted a number above 0"),
        (lambda: BiLSTMEncoder(0, 2), r"input_size: got 0"),
        (lambda: BiLSTMEncoder(4, 0), r"hidden_size: got 0"),
        (lambda: BiLSTMEncoder(4, 2, num_layers=0), r"num_layers: got 0"),
        (lambda: BiLSTMEncoder(4, 2, dropout=1.0), r"dropout: got 1.0"),
        (lambda: BiLSTMEncoder(5, 2)(x), r"inputs: got shape \(2, 3, 4\), wanted .* = \(\?, \?, 5\)"),
        (lambda: BiLSTMEncoder(4, 2)(x[:, :0]), r"inputs: got shape \(2, 0, 4\), .* at least one time step"),
        (lambda: BiLSTMEncoder(4, 2)(x, m.T), r"mask: got shape \(3, 2\), wanted .* = \(2, 3\)"),
        (lambda: BiLSTMEncoder(4, 2)(x, x[..., 0]), r"mask: got .*float.*, wanted booleans"),
    ],
)
def test_bad_input_meets_one_clear_sentence(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
