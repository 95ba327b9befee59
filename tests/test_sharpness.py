"""Entropy, effective length and the two penalties: pencil numbers, properties, agreement of the three dialects."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import torch
from dialects import ALL, KERAS, NUMPY, TOLERANCE, TORCH, every_dialect
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref.numpy import effective_length, entropy, entropy_penalty, masked_softmax, softmax, square_penalty

NAMES = ("entropy", "effective_length", "entropy_penalty", "square_penalty")
PENALTIES = NAMES[2:]
DTYPES = [pytest.param(d, t, id=f"{d}-{t}") for d in ALL for t in d.dtypes]
MODULES = pytest.mark.parametrize("dialect", (TORCH, KERAS), ids=str)


@st.composite
def some_scores(draw):
    """(B, Tq, T) scores and a mask that may hide any step, a whole row among them."""
    shape = tuple(draw(st.integers(1, n)) for n in (3, 3, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = rng.normal(size=shape) * draw(st.sampled_from([0.0, 0.1, 1.0, 10.0, 100.0]))
    return scores, rng.random(shape) < draw(st.sampled_from([0.0, 0.5, 1.0]))


def mean_of(penalty, dialect, x):
    return getattr(dialect.module, penalty)(x)


# --- pencil numbers ---------------------------------------------------------------------------------


@every_dialect
def test_pencil_numbers(dialect):
    rows = np.array([[0.5, 0.5, 0.0, 0.0], [0.25] * 4, [1.0, 0.0, 0.0, 0.0], [0.5, 0.25, 0.125, 0.125], [0.0] * 4])
    weights = dialect.array(rows)
    ln2 = np.log(2)
    of = {name: dialect.back(getattr(dialect.module, name)(weights)) for name in NAMES}
    np.testing.assert_allclose(of["entropy"], [ln2, 2 * ln2, 0, 1.75 * ln2, 0], atol=1e-15)
    np.testing.assert_allclose(of["effective_length"], [2, 4, 1, 2**1.75, 0], atol=1e-14)
    # The empty row is not counted: four rows, not five.
    np.testing.assert_allclose(of["entropy_penalty"], 4.75 * ln2 / 4, atol=1e-15)
    np.testing.assert_allclose(of["square_penalty"], (0.5 + 0.25 + 1 + 11 / 32) / 4, atol=1e-15)


@every_dialect
def test_one_row_gives_one_number(dialect):
    weights = dialect.array([0.5, 0.5])
    assert all(getattr(dialect.module, name)(weights).shape == () for name in NAMES)


@every_dialect
@pytest.mark.parametrize("name", NAMES)
def test_nothing_attended_is_zero(dialect, name):
    found = dialect.back(getattr(dialect.module, name)(dialect.array(np.zeros((2, 3, 4)))))
    assert found.shape == (() if name in PENALTIES else (2, 3))
    assert (found == 0).all()


@given(some_scores())
def test_entropy_is_that_of_scipy(problem):
    scores, _ = problem
    weights = softmax(scores)
    np.testing.assert_allclose(entropy(weights), scipy.stats.entropy(weights, axis=-1), atol=1e-12)


# --- properties -------------------------------------------------------------------------------------


@every_dialect
@given(problem=some_scores(), temperature=st.floats(1e-2, 1e2))
def test_bounds(dialect, problem, temperature):
    scores, mask = problem
    weights = dialect.array(masked_softmax(scores, mask, temperature=temperature))
    seen = mask.sum(-1)
    h, n = (dialect.back(getattr(dialect.module, name)(weights)) for name in NAMES[:2])
    assert (h >= -1e-12).all() and (h <= np.log(np.maximum(seen, 1)) + 1e-12).all()
    assert (n[seen > 0] >= 1 - 1e-12).all() and (n <= seen + 1e-9).all() and (n[seen == 0] == 0).all()
    h, s = (float(dialect.back(mean_of(name, dialect, weights))) for name in PENALTIES)
    assert -1e-12 <= h <= np.log(scores.shape[-1]) + 1e-12
    assert s <= 1 + 1e-12 and (s == 0 if not seen.any() else s >= 1 / scores.shape[-1] - 1e-12)


@every_dialect
@given(
    problem=some_scores(),
    temperatures=st.lists(st.floats(1e-2, 1e3), min_size=2, max_size=6),
    shift=st.floats(-50, 50),
)
def test_entropy_rises_with_the_temperature(dialect, problem, temperatures, shift):
    scores, mask = (dialect.array(x) for x in problem)
    found = [
        dialect.back(dialect.module.entropy(dialect.module.masked_softmax(scores + shift, mask, temperature=t)))
        for t in sorted(temperatures)
    ]
    assert (np.diff(found, axis=0) >= -1e-9).all()


@given(some_scores(), st.floats(0.2, 5.0))
def test_the_slope_of_the_entropy_is_the_variance_of_the_scores(problem, temperature):
    """dH/dτ = Var_α(e)/τ³."""
    scores, _ = problem
    scores = np.clip(scores, -20, 20)
    weights = softmax(scores, temperature=temperature)
    mean = (weights * scores).sum(-1, keepdims=True)
    variance = (weights * (scores - mean) ** 2).sum(-1)
    h = 1e-5 * temperature
    up, down = (entropy(softmax(scores, temperature=temperature + s * h)) for s in (1, -1))
    np.testing.assert_allclose((up - down) / (2 * h), variance / temperature**3, rtol=1e-4, atol=1e-6)


@given(some_scores(), st.integers(0, 2**32 - 1))
def test_order_and_empty_steps_do_not_matter(problem, seed):
    weights = masked_softmax(*problem)
    mixed = np.random.default_rng(seed).permuted(weights, axis=-1)
    longer = np.concatenate([mixed, np.zeros_like(weights)], axis=-1)
    for function in (entropy, effective_length, entropy_penalty, square_penalty):
        np.testing.assert_allclose(function(longer), function(weights), atol=1e-12)


@given(some_scores())
def test_padding_rows_does_not_change_a_penalty(problem):
    weights = masked_softmax(*problem)
    longer = np.concatenate([weights, np.zeros_like(weights)])
    for function in (entropy_penalty, square_penalty):
        np.testing.assert_allclose(function(longer), function(weights), atol=1e-12)


@given(some_scores(), st.integers(2, 5))
def test_a_square_penalty_pulls_towards_equal_an_entropy_penalty_away(problem, steps):
    """One step of descent on each: the claim that L2 sharpens has the sign wrong."""
    scores = torch.tensor(problem[0]).clamp(-5, 5)
    if scores.shape[-1] == 1 or scores.std(-1, correction=0).max() < 1e-3:
        return
    for name, lower in {"entropy_penalty": True, "square_penalty": False}.items():
        e = scores.clone().requires_grad_()
        getattr(TORCH.module, name)(torch.softmax(e, -1)).backward()
        before, after = (entropy_penalty(softmax(x.detach().numpy())) for x in (e, e - 1e-3 * e.grad))
        assert (after < before) == lower


# --- the three dialects -----------------------------------------------------------------------------


@MODULES
@pytest.mark.parametrize("name", NAMES)
@given(problem=some_scores())
def test_values_agree(dialect, name, problem):
    weights = masked_softmax(*problem)
    found = dialect.back(getattr(dialect.module, name)(dialect.array(weights)))
    np.testing.assert_allclose(found, getattr(NUMPY.module, name)(weights), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@given(problem=some_scores())
def test_gradients_agree(name, problem):
    """Through the softmax and its mask, to the scores."""
    scores, mask = problem

    def loss(dialect):
        def of(e):
            return getattr(dialect.module, name)(dialect.module.masked_softmax(e, dialect.array(mask))).sum()

        return (
            of
            if dialect is TORCH
            else lambda e: tf.reduce_sum(getattr(KERAS.module, name)(KERAS.module.masked_softmax(e, KERAS.array(mask))))
        )

    (a,), (b,) = (d.gradients(loss(d), d.array(scores)) for d in (TORCH, KERAS))
    np.testing.assert_allclose(a, b, atol=1e-12)
    assert (a[~mask] == 0).all()


@pytest.mark.parametrize("name", PENALTIES)
def test_gradients_are_the_slopes(name):
    scores = np.random.default_rng(0).normal(size=(3, 5))
    (gradient,) = TORCH.gradients(lambda e: mean_of(name, TORCH, torch.softmax(e, -1)), torch.tensor(scores))
    h = 1e-6
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = h
        up, down = (getattr(NUMPY.module, name)(softmax(scores + s * step)) for s in (1, -1))
        np.testing.assert_allclose(gradient[place], (up - down) / (2 * h), atol=1e-8)


@MODULES
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_gradients_are_finite_at_zeros_and_at_the_smallest_numbers(dialect, name, dtype):
    rows = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1.0, 6e-8, 0.0]])
    module = dialect.module

    def loss(weights):
        found = getattr(module, name)(weights)
        return found.sum() if dialect is TORCH else tf.reduce_sum(found)

    (gradient,) = dialect.gradients(loss, dialect.array(rows, dtype))
    assert np.isfinite(gradient).all()
    assert (gradient[rows == 0] == 0).all()


@pytest.mark.parametrize(("dialect", "dtype"), DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_every_precision(dialect, dtype, name):
    """64 · 2,000 rows: the sum of their entropies would overflow float16."""
    rng = np.random.default_rng(3)
    scores, mask = rng.normal(size=(64, 2000, 6)) * 3, rng.random((64, 2000, 6)) < 0.7
    weights = masked_softmax(scores, mask)
    given = dialect.array(weights, dtype)
    found = getattr(dialect.module, name)(given)
    assert dtype in str(found.dtype)
    assert np.isfinite(dialect.back(found)).all()
    wanted = getattr(NUMPY.module, name)(dialect.back(given))
    np.testing.assert_allclose(dialect.back(found), wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_inputs_are_not_changed():
    for dialect in ALL:
        weights = dialect.array([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
        before = dialect.back(weights).copy()
        for name in NAMES:
            getattr(dialect.module, name)(weights)
        np.testing.assert_array_equal(dialect.back(weights), before)


def test_under_compile_and_in_a_functional_model():
    weights = torch.softmax(torch.randn(2, 5, generator=torch.Generator().manual_seed(0)), -1)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, KERAS.module.entropy(keras.layers.Softmax()(inputs)))
    scores = weights.log().numpy()
    np.testing.assert_allclose(model(scores), TORCH.module.entropy(weights), atol=1e-6)
    compiled = tf.function(KERAS.module.square_penalty)
    np.testing.assert_allclose(compiled(tf.constant(weights.numpy())), TORCH.module.square_penalty(weights), atol=1e-6)


# --- bad input --------------------------------------------------------------------------------------


@every_dialect
@pytest.mark.parametrize("name", NAMES)
def test_bad_input(dialect, name):
    function = getattr(dialect.module, name)
    with pytest.raises(ValueError, match=re.escape("weights: got shape (), wanted (…, T)")):
        function(dialect.array(0.5))
    with pytest.raises(ValueError, match=re.escape("weights: got shape (2, 0), wanted (…, T) with at least one step")):
        function(dialect.array(np.zeros((2, 0))))
    with pytest.raises(ValueError, match=re.escape("of shape (2), wanted floats (…, T)")):
        function(dialect.array([1, 0], "int32"))
    with pytest.raises(ValueError, match="weights: got list, wanted an array"):
        function([0.5, 0.5])


@pytest.mark.parametrize("dialect", (NUMPY, TORCH), ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_scores_are_no_weights(dialect, name):
    with pytest.raises(ValueError, match=re.escape("weights: got -1 among them, wanted none below 0")):
        getattr(dialect.module, name)(dialect.array([2.0, -1.0, 0.0]))
