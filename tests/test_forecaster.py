"""The forecaster: the contract in all three dialects, what its equations promise, and training and saving in each.

That the three agree to the last digit, values and gradients, is in test_parity.py.
"""

from __future__ import annotations

import functools
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from dialects import KERAS, NUMPY, TORCH, Dialect, every_dialect
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from processor import needs_bfloat16_lstm
from test_keras_layers import load_elsewhere
from torch.nn import functional as F

from attnlstm_ref import keras as ours_keras
from attnlstm_ref import torch as ours_torch
from attnlstm_ref.numpy import attention_forecaster, attention_lstm, forecaster_shapes

B, T, D, H, F_, AHEAD = 3, 6, 4, 3, 2, 5
SIZES: dict[str, Any] = {"input_size": D, "hidden_size": H, "horizon": AHEAD, "future_size": F_}
SCORES = ("dot", "scaled_dot", "general", "additive", "multi_head")
MODULES = pytest.mark.parametrize("dialect", (TORCH, KERAS), ids=str)


def options(score: str = "additive", **more: Any) -> dict[str, Any]:
    return SIZES | {"score": score, "heads": 2 if score == "multi_head" else 1} | more


def parameters(seed: int = 0, **sizes: Any) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) / 2 for name, shape in forecaster_shapes(**sizes).items()}


@functools.cache
def made(dialect: Dialect, **sizes: Any) -> Any:
    """A model in double precision with the parameters that every dialect is given; in NumPy, its function."""
    if dialect is NUMPY:
        asked = {name: sizes[name] for name in ("score", "heads")}
        given_ = parameters(**sizes)
        return lambda inputs, future=None, mask=None, **more: attention_forecaster(
            inputs, future, given_, mask, **asked, **more
        )
    if dialect is KERAS:
        model = ours_keras.AttentionForecaster(**sizes, dtype="float64")
    else:
        model = ours_torch.AttentionForecaster(**sizes).double()
    dialect.module.load_numpy(model, parameters(**sizes))
    return model


def run(
    dialect: Dialect,
    inputs: np.ndarray,
    future: np.ndarray | None,
    mask: np.ndarray | None = None,
    *,
    temperature: float = 1.0,
    **sizes: Any,
) -> tuple[np.ndarray, np.ndarray]:
    arrays = (None if x is None else dialect.array(x) for x in (inputs, future, mask))
    outputs, weights = made(dialect, **sizes)(*arrays, temperature=temperature)
    return dialect.back(outputs), dialect.back(weights)


def past(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(B, T, D))


def ahead(seed: int = 2, horizon: int = AHEAD) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(B, horizon, F_))


def up_to(lengths: list[int], steps: int = T) -> np.ndarray:
    return np.arange(steps) < np.array(lengths)[:, None]


# --- the contract -----------------------------------------------------------------------------------


@every_dialect
@given(
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    extra=st.integers(0, 3),
    order=st.permutations(range(B)),
    score=st.sampled_from(SCORES),
    horizon=st.sampled_from([1, AHEAD]),
    known=st.booleans(),
    deep=st.booleans(),
    junk=st.sampled_from([0.0, 1e6, np.inf, np.nan]),
    temperature=st.sampled_from([0.5, 1.0, 3.0]),
)
def test_padding_and_order_change_nothing_and_weights_sum_to_one(
    dialect, lengths, extra, order, score, horizon, known, deep, junk, temperature
):
    sizes = options(score, horizon=horizon, future_size=F_ if known else 0, num_layers=1 + deep, residual=deep)
    future, mask = ahead(horizon=horizon) if known else None, up_to(lengths, T + extra)
    padded = np.full((B, T + extra, D), junk)
    padded[:, :T] = np.where(mask[:, :T, None], past(), junk)
    before = run(dialect, past(), future, mask[:, :T], temperature=temperature, **sizes)
    turned = future[order] if known else None
    outputs, weights = run(dialect, padded[order], turned, mask[order], temperature=temperature, **sizes)

    assert outputs.shape == (B, horizon, 1)
    assert weights.shape == (B, horizon, T + extra)
    assert_allclose(outputs, before[0][order], rtol=0, atol=1e-12)
    assert_allclose(weights[..., :T], before[1][order], rtol=0, atol=1e-12)
    real = np.broadcast_to(mask[order][:, None, :], weights.shape)
    assert (weights >= 0).all()
    assert (weights[~real] == 0).all()
    assert_allclose(weights.sum(-1), real.any(-1).astype(float), rtol=0, atol=1e-12)


@every_dialect
def test_no_mask_is_a_mask_of_true(dialect):
    for ours, theirs in zip(
        run(dialect, past(), ahead(), None, **options()),
        run(dialect, past(), ahead(), np.ones((B, T), bool), **options()),
        strict=True,
    ):
        assert_allclose(ours, theirs, rtol=0, atol=1e-14)


@every_dialect
@pytest.mark.parametrize("score", SCORES)
def test_without_a_past_the_question_answers_itself(dialect, score):
    outputs, weights = run(dialect, past(), ahead(), up_to([T, 0, 2]), **options(score))
    p = parameters(**options(score))
    question = p["step"] + ahead()[1] @ p["w_future"]
    assert not weights[1].any()
    assert_allclose(outputs[1], question @ p["head.weight"][2 * H :] + p["head.bias"], rtol=0, atol=1e-12)


@every_dialect
def test_a_wrong_polarity_would_be_noticed(dialect):
    mask = up_to([6, 2, 4])
    outputs, weights = run(dialect, past(), ahead(), mask, **options())
    assert (weights[np.broadcast_to(mask[:, None], weights.shape)] > 0).all()
    changed = run(dialect, np.where(mask[..., None], past() + 1, past()), ahead(), mask, **options())
    assert (np.abs(changed[0] - outputs) > 1e-6).all()


@every_dialect
def test_temperature_goes_from_the_largest_to_the_mean(dialect):
    mask = up_to([6, 2, 4])
    cold, plain, hot = (run(dialect, past(), ahead(), mask, temperature=t, **options())[1] for t in (1e-6, 1.0, 1e6))
    assert_allclose(cold.max(-1), 1.0, atol=1e-3)
    assert_array_equal(cold.argmax(-1), plain.argmax(-1))
    assert_allclose(hot, np.broadcast_to(mask[:, None] / mask.sum(1)[:, None, None], hot.shape), atol=1e-3)


# --- what the equations promise ---------------------------------------------------------------------


@every_dialect
@pytest.mark.parametrize("score", SCORES)
def test_each_step_ahead_asks_for_itself(dialect, score):
    """What is known of one step moves its answer and its weights, and those of no other step."""
    future = ahead()
    moved = future.copy()
    moved[:, 2] += 1.0
    before, after = (run(dialect, past(), f, up_to([6, 2, 4]), **options(score)) for f in (future, moved))
    others = np.arange(AHEAD) != 2
    for old, new in zip(before, after, strict=True):
        assert_allclose(new[:, others], old[:, others], rtol=0, atol=1e-12)
        assert (np.abs(new[:, 2] - old[:, 2]).max(-1) > 1e-6).all()


@pytest.mark.parametrize("score", SCORES)
def test_one_step_ahead_is_the_attention_lstm(score):
    """With a horizon of one and nothing known of it, the question is the pooling's learned query."""
    sizes = options(score, horizon=1, future_size=0)
    p = parameters(**sizes)
    query, weight = p.pop("step"), p.pop("head.weight")
    p = {name.replace("attend.", "pool."): array for name, array in p.items()}
    p |= {"pool.query": query[0], "head.weight": weight[: 2 * H]}
    p["head.bias"] = p["head.bias"] + query[0] @ weight[2 * H :]
    mask = up_to([6, 2, 0])
    expected = attention_lstm(past(), p, mask, score=score, heads=sizes["heads"], temperature=0.7)
    got = run(NUMPY, past(), None, mask, temperature=0.7, **sizes)
    for ours, theirs in zip(got, expected, strict=True):
        assert_allclose(ours[:, 0], theirs, rtol=0, atol=1e-12)


def test_what_is_known_of_a_step_moves_its_question():
    """A row's future can be written into the learned steps instead: q_j = s_j + W_f f_j."""
    p = parameters(**options())
    expected = attention_forecaster(past()[:1], ahead()[:1], p)
    written = p | {"step": p["step"] + ahead()[0] @ p["w_future"]}
    del written["w_future"]
    for ours, theirs in zip(attention_forecaster(past()[:1], None, written), expected, strict=True):
        assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@MODULES
def test_each_heads_weights_are_what_the_layer_attend_returns(dialect):
    sizes = options("multi_head", future_size=0)
    model = made(dialect, **sizes)
    weights = dialect.back(model(dialect.array(past()))[1])
    states = model.encoder(dialect.array(past()))
    step = dialect.array(parameters(**sizes)["step"][None])
    each = dialect.back(model.attend(step, states, states)[1])
    assert each.shape == (B, 2, AHEAD, T)
    assert_allclose(each.mean(1), weights, rtol=0, atol=1e-12)
    assert np.abs(each[:, 0] - each[:, 1]).max() > 1e-3


@MODULES
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("more", [{}, {"future_size": 0, "residual": True, "num_layers": 2, "attention_units": 7}])
def test_names_and_shapes_are_the_shared_ones(dialect, score, more):
    sizes = options(score, outputs=2, **more)
    model = made(dialect, **sizes)
    out = dialect.module.to_numpy(model)
    assert {name: array.shape for name, array in out.items()} == forecaster_shapes(**sizes)
    for name, array in parameters(**sizes).items():
        assert_array_equal(out[name], array)


@MODULES
def test_a_faulty_dictionary_is_refused_whole(dialect):
    model = made(dialect, **options("general"))
    before, faulty = dialect.module.to_numpy(model), parameters(seed=9, **options("general"))
    del faulty["step"]
    faulty |= {"pool.query": np.zeros(2 * H), "w_future": np.zeros((F_ + 1, 2 * H))}
    with pytest.raises(ValueError) as error:
        dialect.module.load_numpy(model, faulty)
    assert str(error.value) == (
        "parameters: missing: step; unexpected: pool.query; w_future has shape (3, 6), wanted (2, 6)"
    )
    for name, array in dialect.module.to_numpy(model).items():
        assert_array_equal(array, before[name])


# --- PyTorch ----------------------------------------------------------------------------------------


def in_torch(
    score: str = "additive", dtype: torch.dtype = torch.float64, **more: Any
) -> ours_torch.AttentionForecaster:
    return ours_torch.AttentionForecaster(**options(score, **more)).to(dtype)


def given_torch(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(past()).to(dtype), torch.tensor(ahead()).to(dtype)


@pytest.mark.parametrize("score", SCORES)
def test_every_parameter_is_trained(score):
    """As data-parallel training demands."""
    for more in ({}, {"residual": True, "num_layers": 3, "dropout": 0.1}):
        ours = in_torch(score, **more)
        ours(*given_torch())[0].square().sum().backward()
        assert [name for name, p in ours.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_nan_in_the_padding_reaches_neither_output_nor_gradient():
    mask, (inputs, future) = torch.tensor(up_to([6, 2, 0])), given_torch()
    for score in SCORES:
        ours = in_torch(score, residual=True)
        x = torch.where(mask[..., None], inputs, torch.nan).requires_grad_()
        temperature = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
        outputs, weights = ours(x, future, mask, temperature=temperature)
        outputs.square().sum().backward()
        assert torch.isfinite(outputs).all() and torch.isfinite(weights).all()
        assert not x.grad[~mask].any()
        assert x.grad[mask].any() and temperature.grad != 0
        assert all(torch.isfinite(parameter.grad).all() for parameter in (*ours.parameters(), temperature))


def test_empty_rows_teach_the_question_alone():
    ours = in_torch()
    ours(*given_torch(), torch.tensor(up_to([0, 0, 0])))[0].sum().backward()
    taught = {name for name, parameter in ours.named_parameters() if parameter.grad.any()}
    assert taught == {"step", "w_future", "head.weight", "head.bias"}


@MODULES
def test_weights_are_those_before_dropout_and_nothing_is_kept_or_changed(dialect):
    sizes = options(dropout=0.5)
    given_ = [dialect.array(x) for x in (past(), ahead())]
    if dialect is TORCH:
        ours = in_torch(dropout=0.5)
        train, still = (lambda: ours.train()(*given_)), (lambda: ours.eval()(*given_))
    else:
        model = ours_keras.AttentionForecaster(**sizes, dtype="float64")
        train, still = (lambda: model(*given_, training=True)), (lambda: model(*given_))
    first = [dialect.back(x).copy() for x in still()]
    loud, weights = (dialect.back(x) for x in train())
    assert_allclose(weights.sum(-1), 1.0, atol=1e-12)
    assert (np.abs(loud - first[0]) > 1e-9).all()
    for before, after in zip(first, still(), strict=True):
        assert_array_equal(dialect.back(after), before)
    for before, after in zip((past(), ahead()), given_, strict=True):
        assert_array_equal(dialect.back(after), before)


def test_saved_and_loaded_it_is_the_same_model():
    one, other = in_torch(residual=True, num_layers=2), in_torch(residual=True, num_layers=2)
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    assert not torch.equal(one(*given_torch())[0], other(*given_torch())[0])
    other.load_state_dict(torch.load(file, weights_only=True))
    assert all(torch.equal(a, b) for a, b in zip(one(*given_torch()), other(*given_torch()), strict=True))


@needs_bfloat16_lstm
def test_autocast_agrees_with_float32():
    ours, mask = in_torch(dtype=torch.float32, residual=True), torch.tensor(up_to([6, 2, 0]))
    outputs, weights = ours(*given_torch(torch.float32), mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low_outputs, low_weights = ours(*given_torch(torch.float32), mask)
        low_outputs.float().sum().backward()
    torch.testing.assert_close(low_outputs.float(), outputs, rtol=0, atol=0.05)
    torch.testing.assert_close(low_weights.float(), weights, rtol=0, atol=0.05)
    assert not low_weights[2].any()
    assert all(torch.isfinite(parameter.grad).all() for parameter in ours.parameters())


COMPILED = """
import torch
from attnlstm_ref.torch import AttentionForecaster

torch.manual_seed(0)
for more in ({"score": "additive", "future_size": 2}, {"score": "multi_head", "heads": 2}):
    options = dict(input_size=4, hidden_size=3, horizon=5, **more)
    plain, twin = AttentionForecaster(**options), AttentionForecaster(**options)
    twin.load_state_dict(plain.state_dict())
    compiled = torch.compile(twin, backend="aot_eager")
    for lengths in ([6, 2, 0], [3, 3, 5]):
        mask = torch.arange(6) < torch.tensor(lengths)[:, None]
        given = torch.randn(3, 6, 4), torch.randn(3, 5, 2) if plain.future_size else None, mask
        for ours, theirs in zip(compiled(*given), plain(*given), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
        compiled(*given)[0].sum().backward()
        plain(*given)[0].sum().backward()
    for ours, theirs in zip(twin.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-5)
print("equal, in", torch._dynamo.utils.counters["stats"]["unique_graphs"], "graphs")
"""


def test_compiled_it_gives_the_same_values_and_gradients():
    """In a process of its own: the run-time check of annotations that the tests turn on cannot be compiled."""
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-2]) > 0  # something was compiled: not a fall-back to plain Python


def phases(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two values at two phases, in any order; asked for by phase. No fixed place in the past holds an answer."""
    rng = np.random.default_rng(seed)
    values, order = rng.normal(size=(rows, 2)), rng.permuted(np.tile([0, 1], (rows, 1)), axis=1)
    inputs = np.concatenate([values[..., None], np.eye(2)[order]], axis=-1)
    asked = rng.integers(0, 2, (rows, 3))
    places = (order[:, None, :] == asked[..., None]).argmax(-1)
    return tuple(
        x.astype("float32") for x in (inputs, np.eye(2)[asked], np.take_along_axis(values, places, 1)[..., None])
    )


LEARNER = {"input_size": 3, "hidden_size": 8, "horizon": 3, "future_size": 2}


def test_the_loop_trains_it_and_predict_gives_the_weights():
    inputs, future, targets = (torch.tensor(x) for x in phases(256, seed=0))
    batches = [((inputs[i : i + 32], future[i : i + 32]), None, targets[i : i + 32]) for i in range(0, 256, 32)]
    x, f, y = (torch.tensor(array) for array in phases(64, seed=1))
    model = ours_torch.AttentionForecaster(**LEARNER)
    history = ours_torch.fit(
        model,
        batches,
        [((x, f), None, y)],
        loss=F.mse_loss,
        optimizer=torch.optim.Adam(model.parameters(), 0.02),
        epochs=15,
        progress=False,
    )
    assert min(history.valid_loss) < 0.1 * y.var().item()
    outputs, weights = ours_torch.predict(model, [((x, f), None, y)])
    assert_allclose(np.square(outputs - y.numpy()).mean(), min(history.valid_loss), rtol=1e-4)
    assert [row.shape for row in weights] == [(3, 2)] * 64


# --- Keras ------------------------------------------------------------------------------------------

saves = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras and NumPy 2, wherever it saves


def test_fit_takes_a_pair_and_scores_the_outputs_alone():
    inputs, future, targets = phases(256, seed=0)
    x, f, y = phases(64, seed=1)
    model = ours_keras.AttentionForecaster(**LEARNER)
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    history = model.fit([inputs, future], targets, validation_data=([x, f], y), epochs=15, verbose=0).history
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert history["val_loss"][-1] < 0.1 * y.var()
    outputs, weights = model.predict([x, f], verbose=0)
    assert outputs.shape == (64, 3, 1)
    assert_allclose(weights.sum(-1), np.ones((64, 3)), rtol=1e-5)
    assert_allclose(model.evaluate([x, f], y, verbose=0)[0], np.square(outputs - y).mean(), rtol=1e-4)
    assert model.jit_compile is False


def test_a_pair_and_two_arguments_are_the_same_call():
    model = made(KERAS, **options())
    mask = up_to([6, 2, 4])
    expected = model(past(), ahead(), mask)
    calls = [
        lambda: model([past(), ahead()], mask),
        lambda: model((past(), ahead()), mask=mask),
        lambda: model(past(), future=ahead(), mask=mask),
    ]
    for call in calls:
        for ours, theirs in zip(call(), expected, strict=True):
            assert_array_equal(ours, theirs)
    assert_array_equal(model([past(), ahead()])[0], model(past(), ahead(), None)[0])
    with pytest.raises(ValueError, match=r"inputs: got 3 arrays, wanted a pair"):
        model([past(), ahead(), mask])


def test_masks_of_keras_arrive_by_themselves():
    inner, mask = made(KERAS, **options()), up_to([6, 2, 4])
    x, f = keras.Input((None, D), dtype="float64"), keras.Input((AHEAD, F_), dtype="float64")
    whole = keras.Model([x, f], inner(keras.layers.Masking(-99.0, dtype="float64")(x), f))
    got = whole([np.where(mask[..., None], past(), -99.0), ahead()])
    for ours, theirs in zip(got, inner(past(), ahead(), mask), strict=True):
        assert_allclose(ours, theirs, rtol=0, atol=1e-14)


@saves
def test_a_trained_model_comes_back_in_another_process(tmp_path: Path) -> None:
    model = ours_keras.AttentionForecaster(**options("multi_head", residual=True, dropout=0.1))
    model.compile("adam", "mse")
    model.fit([past(), ahead()], np.zeros((B, AHEAD, 1)), verbose=0)
    for got, wanted in zip(load_elsewhere(model, [past(), ahead()], tmp_path), model(past(), ahead()), strict=True):
        assert_array_equal(got, wanted)
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    assert int(again.optimizer.iterations) == 1  # it comes back compiled, the optimizer's memory with it


@saves
@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_without_a_future_it_comes_back_too(tmp_path: Path, score: str) -> None:
    model = ours_keras.AttentionForecaster(**options(score, future_size=0))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for got, wanted in zip(again(past()), model(past()), strict=True):
        assert_array_equal(got, wanted)


def test_a_model_is_whole_before_it_sees_data() -> None:
    counted = sum(int(np.prod(shape)) for shape in forecaster_shapes(**options()).values())
    assert ours_keras.AttentionForecaster(**options()).count_params() == counted
    lstms, question, attend = 2 * (D * 4 * H + H * 4 * H + 4 * H), (AHEAD + F_) * 2 * H, 2 * 2 * H * H + H
    assert counted == lstms + question + attend + (4 * H + 1)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy: str) -> None:
    model = ours_keras.AttentionForecaster(**options(residual=True), dtype=policy)
    with tf.GradientTape() as tape:
        outputs, weights = model(past(), ahead(), up_to([6, 2, 0]))
    assert outputs.dtype == weights.dtype == policy.removeprefix("mixed_")
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert np.isfinite(np.asarray(tf.cast(outputs, "float32"))).all()
    assert all(np.isfinite(np.asarray(g)).all() for g in tape.gradient(outputs, model.trainable_variables))


# --- bad input --------------------------------------------------------------------------------------

CALLS: dict[str, tuple[dict[str, Any], list[Any], dict[str, Any]]] = {
    "inputs: got shape (3, 6), wanted features (B, T, D) = (?, ?, 4)": ({}, [past()[..., 0], ahead()], {}),
    "inputs: got shape (3, 6, 3), wanted features (B, T, D) = (?, ?, 4)": ({}, [past()[..., 1:], ahead()], {}),
    "inputs: got shape (3, 0, 4), wanted features (B, T, D) with at least one": ({}, [past()[:, :0], ahead()], {}),
    "inputs: got shape (0, 6, 4), wanted at least one row": ({}, [past()[:0], ahead()[:0]], {}),
    "future: got None, wanted features (B, horizon, F) = (3, 5, 2)": ({}, [past(), None], {}),
    "future: got shape (3, 4, 2), wanted features (B, horizon, F) = (3, 5, 2)": ({}, [past(), ahead()[:, 1:]], {}),
    "future: got shape (2, 5, 2), wanted features (B, horizon, F) = (3, 5, 2)": ({}, [past(), ahead()[1:]], {}),
    "future: got shape (3, 5), wanted features (B, horizon, F) = (3, 5, 2)": ({}, [past(), ahead()[..., 0]], {}),
    "future: got shape (3, 5, 2), wanted None: with future_size 0": ({"future_size": 0}, [past(), ahead()], {}),
    "mask: got shape (6, 3), wanted (B, T)": ({}, [past(), ahead(), up_to([6, 2, 4]).T], {}),
    "temperature: got 0.0, wanted a number above 0": ({}, [past(), ahead()], {"temperature": 0.0}),
}


@every_dialect
@pytest.mark.parametrize("message", CALLS)
def test_a_bad_call_is_refused_in_words(dialect, message):
    more, arrays, asked = CALLS[message]
    with pytest.raises(ValueError) as error:
        run(dialect, *arrays, **asked, **options(**more))
    assert message in str(error.value)


@every_dialect
def test_whole_numbers_are_refused(dialect):
    ours = made(dialect, **options())
    x, f = dialect.array(past()), dialect.array(ahead())
    whole = {"inputs": (dialect.array(past(), "int64"), f), "future": (x, dialect.array(ahead(), "int64"))}
    for name, given_ in whole.items():
        with pytest.raises(ValueError, match=rf"{name}: got .*int64.*, wanted floating features"):
            ours(*given_)
    with pytest.raises(ValueError, match=r"mask: got .*int64.*, wanted booleans \(B, T\) = \(3, 6\)"):
        ours(x, f, dialect.array(up_to([6, 2, 4]).astype(int), "int64"))


def test_padding_before_a_real_step_is_refused_in_torch():
    mask = torch.ones(B, T, dtype=torch.bool)
    mask[1, 0] = False
    with pytest.raises(ValueError, match="mask: got a real token at step 1 of row 1 after padding at step 0"):
        in_torch()(*given_torch(), mask)


WRONG_SIZES: dict[str, dict[str, Any]] = {
    "input_size: got 0, wanted a whole number of features, at least 1": {"input_size": 0},
    "hidden_size: got 0, wanted a whole number of units, at least 1": {"hidden_size": 0},
    "horizon: got 0, wanted a whole number of steps ahead, at least 1": {"horizon": 0},
    "future_size: got -1, wanted a whole number of features, at least 0": {"future_size": -1},
    "outputs: got 0, wanted a whole number of outputs, at least 1": {"outputs": 0},
    "attention_units: got 0, wanted a whole number of units, at least 1": {"attention_units": 0},
    "num_layers: got 0, wanted a whole number of layers, at least 1": {"num_layers": 0},
    "score: got 'cosine', wanted one of": {"score": "cosine"},
    "2 * hidden_size: got width 6, wanted a multiple of heads = 4": {"score": "multi_head", "heads": 4},
    'heads: got 2, wanted 1: only score="multi_head" has several': {"heads": 2},
}


@pytest.mark.parametrize("message", WRONG_SIZES)
def test_wrong_sizes_are_refused_in_words(message):
    for make in (ours_torch.AttentionForecaster, ours_keras.AttentionForecaster, forecaster_shapes):
        with pytest.raises(ValueError) as error:
            make(**SIZES | WRONG_SIZES[message])
        assert message in str(error.value)


@MODULES
def test_dropout_is_a_share(dialect):
    with pytest.raises(ValueError, match=r"dropout: got 1.0, wanted a share from 0 up to but not 1"):
        dialect.module.AttentionForecaster(**SIZES, dropout=1.0)


WRONG_PARAMETERS = {
    "parameters: missing: step": lambda p: p.pop("step"),
    "parameters: missing: attend.v": lambda p: p.pop("attend.v"),
    "parameters: missing: attend.w_keys": lambda p: p.pop("attend.w_keys"),
    "parameters: unexpected: pool.query": lambda p: p.update({"pool.query": np.zeros(6)}),
    "step: got shape (6), wanted 2 axes": lambda p: p.update(step=np.zeros(6)),
    "w_future has shape (2, 5), wanted (2, 6)": lambda p: p.update(w_future=np.zeros((2, 5))),
    "head.weight has shape (6, 1), wanted (12, 1)": lambda p: p.update({"head.weight": np.zeros((6, 1))}),
}


@pytest.mark.parametrize("message", WRONG_PARAMETERS)
def test_parameters_of_the_numpy_dialect_have_to_fit(message):
    given_ = parameters(**options())
    WRONG_PARAMETERS[message](given_)
    with pytest.raises(ValueError) as error:
        attention_forecaster(past(), ahead(), given_)
    assert message in str(error.value)
