"""The Attention-LSTM in Keras: trained by `fit` with its callbacks, saved, loaded, asked for its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from test_keras_layers import load_elsewhere

from attnlstm_ref.keras import AttentionLSTM, text_batches, to_numpy

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras and NumPy 2, wherever it saves


def make(**options: Any) -> AttentionLSTM:
    keras.utils.set_random_seed(1)
    return AttentionLSTM(**{"input_size": 6, "hidden_size": 5, "vocab_size": 12} | options)


def compiled(model: keras.Model, rate: float = 0.02, **options: Any) -> keras.Model:
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    metrics = [keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")]
    model.compile(keras.optimizers.Adam(rate, **options), loss, metrics=metrics)
    return model


def reviews(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 3 to 8 tokens, right-padded; the answer is whether token 7 is among them."""
    r = np.random.default_rng(seed)
    tokens = r.integers(1, 12, (rows, 8))
    tokens[tokens == 7] = 1
    answers = r.integers(0, 2, rows)
    lengths = r.integers(3, 9, rows)
    tokens[answers == 1, r.integers(0, lengths)[answers == 1]] = 7
    return np.where(np.arange(8) < lengths[:, None], tokens, 0), answers.astype("float32")


# --- training ---------------------------------------------------------------------------------------------


def test_fit_learns_and_the_weights_point_at_the_reason() -> None:
    x, y = reviews(256, seed=0)
    model = compiled(make())
    history = model.fit(x, y, validation_data=reviews(128, seed=1), epochs=12, batch_size=32, verbose=0).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["val_accuracy"][-1] > 0.95
    tokens, answers = reviews(128, seed=2)
    outputs, weights = model.predict(tokens, verbose=0)
    assert outputs.shape == (128, 1)
    assert weights.shape == tokens.shape
    assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)
    assert_array_equal(weights[tokens == 0], 0.0)
    loss, accuracy = model.evaluate(tokens, answers, verbose=0)
    assert_allclose(loss, np.mean(np.logaddexp(0, outputs[:, 0]) - answers * outputs[:, 0]), rtol=1e-4)
    assert_allclose(accuracy, np.mean((outputs[:, 0] > 0) == answers), rtol=1e-6)


def test_batches_of_like_length_give_the_numbers_of_one_padded_array() -> None:
    tokens, y = reviews(70, seed=0)
    ids = [row[row != 0].tolist() for row in tokens]
    data = text_batches(ids, y, 16, seed=0)
    epochs = [[(x.numpy(), t.numpy()) for x, t in data] for _ in range(2)]
    assert len(data) == 5
    assert len({x.shape[1] for x, _ in epochs[0]}) > 1
    for epoch in epochs:  # every text once, beside its own label
        seen = sorted((*row[row != 0], label) for x, t in epoch for row, label in zip(x, t, strict=True))
        assert seen == sorted((*one, label) for one, label in zip(ids, y, strict=True))
    assert any(a.shape != b.shape or (a != b).any() for (a, _), (b, _) in zip(*epochs, strict=True))
    model = compiled(make())
    by_length = model.evaluate(text_batches(ids, y, 16), verbose=0)
    assert_allclose(by_length, model.evaluate(tokens, y, verbose=0), rtol=1e-5)
    assert np.isfinite(model.fit(data, epochs=1, shuffle=False, verbose=0).history["loss"]).all()


def test_xla_is_left_out_unless_asked_for() -> None:
    assert compiled(make()).jit_compile is False
    inputs = keras.Input((None,), dtype="int32")
    assert compiled(keras.Model(inputs, make()(inputs)[0])).jit_compile is False


def test_many_classes_and_sample_weights() -> None:
    x, y = reviews(64, seed=0)
    model = make(outputs=3)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    twice = model.evaluate(x, y + 1, sample_weight=np.full(64, 2.0), verbose=0)[0]
    assert_allclose(twice, 2 * model.evaluate(x, y + 1, verbose=0)[0], rtol=1e-5)


def test_regression_on_features_with_a_masking_layer() -> None:
    r = np.random.default_rng(0)
    x, y = r.normal(size=(128, 6, 2)).astype("float32"), r.normal(size=128).astype("float32")
    y = x[:, 0, 0]  # the first step's first feature
    x[:, 4:] = -99.0  # padding, by the convention of the Masking layer below
    inner = make(vocab_size=None, input_size=2, score="dot")
    inputs = keras.Input((None, 2))
    model = keras.Model(inputs, inner(keras.layers.Masking(-99.0)(inputs)))
    outputs = keras.Model(inputs, model.outputs[0])
    outputs.compile(keras.optimizers.Adam(0.02), "mse")
    losses = outputs.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]
    values, weights = model(x)
    assert_array_equal(np.asarray(weights)[:, 4:], 0.0)
    assert_allclose(values, inner(x[:, :4])[0], atol=1e-5)


def test_early_stopping_and_plateau() -> None:
    x, _ = reviews(32, seed=0)
    y = np.random.default_rng(0).integers(0, 2, 32).astype("float32")  # nothing to learn: validation gets worse
    model = compiled(make(), rate=0.05)
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    plateau = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1)
    held_out = reviews(32, seed=1)[0], 1 - y
    history = model.fit(x, y, validation_data=held_out, epochs=40, callbacks=[stop, plateau], verbose=0).history
    assert len(history["val_loss"]) < 40
    assert model.optimizer.learning_rate.numpy() < 0.05
    assert_allclose(model.evaluate(*held_out, verbose=0)[0], min(history["val_loss"]), rtol=1e-5)


def one_enormous_step(model: AttentionLSTM, x: np.ndarray, **clip: float) -> dict[str, np.ndarray]:
    """How far each parameter moved when the loss was far off and the learning rate 1."""
    model.compile(keras.optimizers.SGD(1.0, **clip), "mse")
    before = to_numpy(model)
    model.train_on_batch(x, np.full(len(x), 1e3))
    return {name: array - before[name] for name, array in to_numpy(model).items()}


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_clipping_bounds_a_step(clip: str) -> None:
    x = np.random.default_rng(0).normal(size=(8, 4, 6))
    moves = one_enormous_step(make(vocab_size=None), x, **{clip: 1e-3})
    norms = [np.linalg.norm(move) for move in moves.values()]
    largest = {
        "clipnorm": max(norms),  # of each parameter
        "global_clipnorm": np.linalg.norm(norms),  # of all together, as torch's clip_grad_norm_ does
        "clipvalue": max(np.abs(move).max() for move in moves.values()),
    }
    assert_allclose(largest[clip], 1e-3, rtol=1e-3)


def test_documented_quirk_clipvalue_lets_embeddings_through() -> None:
    # Keras clips what each occurrence of a token adds, and sums after: a frequent token still moves far.
    tokens = np.full((8, 4), 5)
    moves = one_enormous_step(make(), tokens, clipvalue=1e-3)
    assert np.abs(moves.pop("embedding")).max() > 5e-3
    assert max(np.abs(move).max() for move in moves.values()) < 1.001e-3


class PowerCut(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            raise KeyboardInterrupt


def test_a_broken_run_resumes_to_the_same_weights(tmp_path: Path) -> None:
    x, y = reviews(64, seed=0)

    def run(*callbacks: keras.callbacks.Callback) -> dict[str, np.ndarray]:
        model = compiled(make())  # without dropout: Keras does not keep its place in the random sequence
        model.fit(x, y, epochs=4, shuffle=False, callbacks=list(callbacks), verbose=0)
        return to_numpy(model)

    unbroken = run()
    with pytest.raises(KeyboardInterrupt):
        run(keras.callbacks.BackupAndRestore(tmp_path), PowerCut())
    resumed = run(keras.callbacks.BackupAndRestore(tmp_path))
    for name, array in unbroken.items():
        assert_array_equal(resumed[name], array)


# --- saving -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("score", "heads"), [("general", 1), ("multi_head", 5)])
def test_a_trained_model_comes_back_in_another_process(tmp_path: Path, score: str, heads: int) -> None:
    x, y = reviews(64, seed=0)
    model = compiled(make(residual=True, dropout=0.1, score=score, heads=heads))
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="loss", save_best_only=True)
    model.fit(x, y, epochs=2, callbacks=[best], verbose=0)
    for got, wanted in zip(load_elsewhere(model, x[:5], tmp_path), model(x[:5]), strict=True):
        assert_array_equal(got, wanted)

    again = keras.saving.load_model(tmp_path / "best.keras")
    assert isinstance(again, AttentionLSTM)
    assert again.get_config() == model.get_config()
    assert again.jit_compile is False
    again.fit(x, y, epochs=1, verbose=0)  # it comes back compiled, the optimizer's memory with it
    assert int(again.optimizer.iterations) == 6


def test_weights_files(tmp_path: Path) -> None:
    model, twin = make(), make()
    twin.head.bias.assign([5.0])
    model.save_weights(tmp_path / "model.weights.h5")
    twin.load_weights(tmp_path / "model.weights.h5")
    for name, array in to_numpy(model).items():
        assert_array_equal(to_numpy(twin)[name], array)


def test_a_model_is_whole_before_it_sees_data() -> None:
    v, d, h, a = 12, 6, 5, 5
    lstms = 2 * (d * 4 * h + h * 4 * h + 4 * h)
    assert make().count_params() == v * d + lstms + (2 * h + 2 * 2 * h * a + a) + (2 * h + 1)


# --- what a call does ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"residual": True}, {"score": "multi_head", "heads": 2}], ids=["plain", "residual", "two heads"]
)
def test_padding_changes_nothing(options: dict[str, Any]) -> None:
    model = make(dtype="float64", num_layers=2, **options)
    tokens, _ = reviews(6, seed=3)
    tokens[2] = 0  # nothing at all
    outputs, weights = model(tokens)
    longer = np.pad(tokens, [(0, 0), (2, 5)])  # Keras' left padding too
    more_outputs, more_weights = model(longer)
    assert_allclose(more_outputs, outputs, rtol=0, atol=1e-14)
    assert_allclose(np.asarray(more_weights)[:, 2:10], weights, rtol=0, atol=1e-14)
    order = np.array([3, 1, 5, 0, 4, 2])
    assert_allclose(model(tokens[order])[0], np.asarray(outputs)[order], rtol=0, atol=1e-14)
    assert_array_equal(np.asarray(weights)[2], 0.0)
    assert_array_equal(np.asarray(outputs)[2], np.asarray(model.head.bias))  # nothing read: the bias speaks


def test_rubbish_in_padded_features_reaches_neither_outputs_nor_gradients() -> None:
    model, r = make(vocab_size=None, residual=True), np.random.default_rng(0)
    mask = np.array([[True, True, False], [False, False, False]])
    clean = np.where(mask[..., None], r.normal(size=(2, 3, 6)), 0.0)
    with tf.GradientTape() as tape:
        outputs, weights = model(np.where(mask[..., None], clean, np.nan), mask)
    assert_array_equal(outputs, model(clean, mask)[0])
    assert_array_equal(weights, model(clean, mask)[1])
    assert all(np.isfinite(np.asarray(g)).all() for g in tape.gradient(outputs, model.trainable_variables))


def test_none_for_a_mask_by_position_is_no_mask() -> None:
    tokens, _ = reviews(3, seed=0)
    model = make()
    assert_array_equal(model(tokens, None)[0], model(tokens)[0])


def test_temperature_sharpens_and_flattens() -> None:
    tokens, _ = reviews(5, seed=0)
    model = make(dtype="float64")
    sharp, plain, flat = (np.asarray(model(tokens, temperature=t)[1]) for t in (1e-7, 1.0, 1e4))
    assert_allclose(sharp.max(axis=1), 1.0, atol=1e-3)
    assert_array_equal(sharp.argmax(axis=1), plain.argmax(axis=1))
    assert_allclose(flat, (tokens != 0) / (tokens != 0).sum(axis=1, keepdims=True), atol=1e-3)


def test_dropout_is_for_training_only() -> None:
    tokens, _ = reviews(5, seed=0)
    model = make(dropout=0.5)
    assert_array_equal(model(tokens)[0], model(tokens, training=False)[0])
    assert not np.array_equal(model(tokens, training=True)[0], model(tokens, training=True)[0])


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_other_precisions_train(policy: str) -> None:
    x, y = reviews(32, seed=0)
    model = compiled(make(dtype=policy))
    x[3] = 0
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


f, t, m = np.zeros((2, 3, 6)), np.ones((2, 3), dtype=int), np.ones((2, 3), dtype=bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make(outputs=0), r"outputs: got 0"),
        (lambda: make(vocab_size=0), r"vocab_size: got 0"),
        (lambda: make(hidden_size=0), r"hidden_size: got 0"),
        (lambda: make(num_layers=0), r"num_layers: got 0"),
        (lambda: make(dropout=-0.1), r"dropout: got -0.1"),
        (lambda: make(score="cosine"), r"score: got 'cosine'"),
        (lambda: make(attention_units=0), r"units: got 0"),
        (lambda: make(score="multi_head", heads=3), r"2 \* hidden_size: got width 10, wanted a multiple of heads = 3"),
        (lambda: make(heads=2), r"heads: got 2, wanted 1"),
        (lambda: make()(f), r"inputs: got shape \(2, 3, 6\), wanted tokens \(B, T\)"),
        (lambda: make()(f[..., 0]), r"inputs: got .*float.*, wanted whole numbers"),
        (lambda: make()(t[:, :0]), r"inputs: got shape \(2, 0\)"),
        (lambda: make(vocab_size=None)(t), r"inputs: got shape \(2, 3\), wanted features \(B, T, D\)"),
        (lambda: make()(t, m.T), r"mask: got shape \(3, 2\), wanted .* = \(2, 3\)"),
        (lambda: make()(t, t), r"mask: got .*int.*, wanted booleans"),
        (lambda: text_batches([], [], 2), r"labels: got 0, wanted one for each of 0 texts, at least one"),
        (lambda: text_batches([[1]], [1, 0], 2), r"labels: got 2, wanted one for each of 1 texts"),
        (lambda: text_batches([[1]], [1], 0), r"batch_size: got 0"),
        (lambda: make()(t, temperature=-1.0), r"temperature: got -1.0, wanted a number above 0"),
    ],
)
def test_bad_input_meets_one_clear_sentence(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
