"""The contract every attention keeps, line by line, in all dialects, as functions and as layers."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from dialects import (
    ALL,
    KERAS,
    NUMPY,
    SCORES,
    SIZE,
    TOLERANCE,
    TORCH,
    attend,
    every_dialect,
    every_way,
    function,
    layer,
    score_of,
)
from hypothesis import given
from hypothesis import strategies as st

MODULES = pytest.mark.parametrize("dialect", (TORCH, KERAS), ids=str)
EVERY_SCORE = pytest.mark.parametrize("score", SCORES)
DTYPES = [pytest.param(d, t, id=f"{d}-{t}") for d in ALL for t in d.dtypes]


@st.composite
def problems(draw, masked=True):
    """(query, keys, values, mask); the mask hides any step of any row, and may hide all of them."""
    batch, queries, steps, width = (draw(st.integers(1, n)) for n in (3, 3, 6, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([0.1, 1.0, 5.0]))
    query, keys = (rng.normal(size=(batch, n, SIZE)) * scale for n in (queries, steps))
    values = rng.normal(size=(batch, steps, width))
    mask = rng.random((batch, queries, steps)) < draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    return query, keys, values, (mask if masked else None)


# --- the weights are a distribution -----------------------------------------------------------------


@every_dialect
@given(problem=problems(), temperature=st.floats(1e-3, 1e3))
def test_a_row_of_weights_sums_to_one_or_is_all_zero(dialect, problem, temperature):
    *_, mask = problem
    scores = np.random.default_rng(mask.size).normal(size=mask.shape) * 10
    weights = dialect.back(
        dialect.module.masked_softmax(dialect.array(scores), dialect.array(mask), temperature=temperature)
    )
    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    np.testing.assert_allclose(weights.sum(-1), mask.any(-1).astype(float), atol=1e-12)


@every_way
@given(problem=problems())
def test_masked_steps_weigh_nothing_and_the_rest_sum_to_one(dialect, make, score, problem):
    *_, mask = problem
    context, weights = attend(dialect, make, score, *problem)
    assert (context[~mask.any(-1)] == 0).all()
    if weights is not None:
        assert (weights[~mask] == 0).all()
        np.testing.assert_allclose(weights.sum(-1), mask.any(-1).astype(float), atol=1e-12)


@every_way
@given(problem=problems())
def test_masking_a_step_is_the_same_as_leaving_it_out(dialect, make, score, problem):
    query, keys, values, mask = problem
    seen = mask[0, 0]
    if not seen.any():
        return  # nothing left: the test above says what happens then
    masked, _ = attend(dialect, make, score, query[:1, :1], keys[:1], values[:1], mask[:1, :1])
    without, _ = attend(dialect, make, score, query[:1, :1], keys[:1][:, seen], values[:1][:, seen])
    np.testing.assert_allclose(masked, without, atol=1e-12)


@every_way
@given(problem=problems())
def test_the_context_lies_among_the_values(dialect, make, score, problem):
    query, keys, values, _ = problem
    context, _ = attend(dialect, make, score, query, keys, values)
    # In the convex hull, so on the inner side of every half-space that holds all values.
    directions = np.random.default_rng(0).normal(size=(values.shape[-1], 20))
    shadow = context @ directions
    among = values @ directions
    assert (shadow <= among.max(1, keepdims=True) + 1e-9).all()
    assert (shadow >= among.min(1, keepdims=True) - 1e-9).all()


# --- a row with nothing to attend to ----------------------------------------------------------------


@pytest.mark.parametrize(("dialect", "dtype"), DTYPES)
@EVERY_SCORE
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_nothing_to_attend_to_gives_zeros_and_a_zero_gradient(dialect, dtype, score, temperature):
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=(2, 3, SIZE)) * 3 for _ in range(3)]
    mask = np.array([[[False] * 3], [[True, False, True]]])  # the first example has nothing at all
    makes = [function] if dialect is NUMPY else [function, layer]
    if dialect is TORCH:
        makes.append(lambda *a: function(*a, need_weights=False))
    for make in makes:
        context, weights = attend(dialect, make, score, *arrays, mask, dtype=dtype, temperature=temperature)
        assert np.isfinite(context).all() and (context[0] == 0).all() and (context[1] != 0).any()
        assert weights is None or (weights[0] == 0).all()
        if dialect is NUMPY:
            continue
        run = make(dialect, dtype, score)

        def loss(*leaves, run=run):
            context, _ = run(*leaves, dialect.array(mask), temperature=temperature)
            return (
                (context * dialect.array(rng.normal(size=(2, 3, SIZE)), dtype)).sum()
                if dialect is TORCH
                else (tf.reduce_sum(context * dialect.array(rng.normal(size=(2, 3, SIZE)), dtype)))
            )

        for gradient in dialect.gradients(loss, *(dialect.array(x, dtype) for x in arrays)):
            assert np.isfinite(gradient).all()
            assert (gradient[0] == 0).all()
            assert (gradient[1] != 0).any()


# --- numbers that are too large, and temperatures ---------------------------------------------------


@pytest.mark.parametrize(("dialect", "dtype"), DTYPES)
@pytest.mark.parametrize("shift", [-1e3, 1e3])
def test_a_shift_of_all_scores_changes_nothing(dialect, dtype, shift):
    # Whole numbers below 2¹⁰ apart: exact in float16, so any difference is softmax's own. bfloat16 has 8 bits.
    scores = np.array([[0.0, 8.0, -16.0, 8.0], [0.0, 0.0, 0.0, 0.0]]) * (1 if dtype != "bfloat16" else 8)
    shift = 1024.0 * np.sign(shift) if dtype == "bfloat16" else shift
    for temperature in (1.0, 2.0):
        plain, shifted = (
            dialect.back(dialect.module.softmax(dialect.array(s, dtype), temperature=temperature))
            for s in (scores, scores + shift)
        )
        np.testing.assert_allclose(shifted, plain, atol=TOLERANCE[dtype])
        assert np.isfinite(shifted).all()


@every_way
@given(problem=problems(), temperature=st.floats(1e-3, 1e3))
def test_temperature_divides_the_scores(dialect, make, score, problem, temperature):
    query, keys, _, mask = problem
    context, weights = attend(dialect, make, score, *problem, temperature=temperature)
    assert np.isfinite(context).all()
    if weights is None:
        return
    scores = dialect.back(score_of(dialect, score, "float64")(dialect.array(query), dialect.array(keys))) / temperature
    scores = np.where(mask, scores - scores.max(-1, keepdims=True, where=mask, initial=-1e300), -np.inf)
    expected = np.exp(scores)
    expected /= np.maximum(expected.sum(-1, keepdims=True), 1e-300)
    # Scores of some 1e2 over 1e-3: their last bits are worth 1e-9 in the weights.
    np.testing.assert_allclose(weights, expected, atol=1e-8)


@pytest.mark.parametrize(("dialect", "dtype"), DTYPES)
def test_cold_is_argmax_and_hot_is_the_mean(dialect, dtype):
    scores = np.array([[0.5, 2.0, -1.0, 1.0]])
    mask = np.array([[True, True, False, True]])
    cold, hot = (
        dialect.back(
            dialect.module.masked_softmax(dialect.array(scores, dtype), dialect.array(mask), temperature=temperature)
        )
        for temperature in (1e-3, 1e3)
    )
    np.testing.assert_array_equal(cold, [[0, 1, 0, 0]])
    np.testing.assert_allclose(hot, np.array([[1, 1, 0, 1]]) / 3, atol=max(2e-3, TOLERANCE[dtype]))


@pytest.mark.parametrize("dialect", (TORCH, KERAS), ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_large_scores_over_a_small_temperature_stay_finite(dialect, dtype):
    scores = dialect.array([[1e3, -1e3, 0.0]], dtype)
    weights = dialect.back(dialect.module.softmax(scores, temperature=1e-3))
    np.testing.assert_array_equal(weights, [[1, 0, 0]])


@MODULES
@EVERY_SCORE
def test_a_learned_temperature_gets_its_gradient(dialect, score):
    rng = np.random.default_rng(2)
    arrays = [dialect.array(rng.normal(size=(2, n, SIZE))) for n in (1, 5, 5)]
    run = layer(dialect, "float64", score)

    def loss(temperature):
        context, _ = run(*arrays, temperature=temperature)
        return (context**2).sum() if dialect is TORCH else tf.reduce_sum(context**2)

    def number(t):
        return float(dialect.back(loss(dialect.array(t))))

    (gradient,) = dialect.gradients(loss, dialect.array(0.7))
    assert abs(gradient) > 1e-4
    np.testing.assert_allclose(gradient, (number(0.7 + 1e-6) - number(0.7 - 1e-6)) / 2e-6, rtol=1e-5)


@MODULES
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_a_learned_temperature_gets_a_finite_gradient_under_a_mask(dialect, dtype, scale):
    # The gradient of -inf/τ by τ is 0 · inf: it must not get at the temperature.
    rng = np.random.default_rng(0)
    scores, probe = rng.normal(size=(4, 6)) * scale, rng.normal(size=(4, 6))
    mask = rng.random((4, 6)) < 0.6
    mask[0], mask[1] = True, False
    scores[2, ~mask[2]] = np.inf  # what stands in the padding

    def loss(scores, temperature):
        weights = dialect.module.masked_softmax(scores, dialect.array(mask), temperature=temperature)
        weighed = weights * dialect.array(probe, dtype)
        return weighed.sum() if dialect is TORCH else tf.reduce_sum(weighed)

    by_scores, by_temperature = dialect.gradients(loss, dialect.array(scores, dtype), dialect.array(0.7, dtype))
    assert np.isfinite(by_scores).all() and np.isfinite(by_temperature)
    assert (by_scores[~mask] == 0).all()
    if dtype == "float64":
        up, down = (
            (NUMPY.module.masked_softmax(scores, mask, temperature=tau) * probe).sum()
            for tau in (0.7 + 1e-6, 0.7 - 1e-6)
        )
        np.testing.assert_allclose(by_temperature, (up - down) / 2e-6, atol=1e-6)


def test_the_fused_kernel_passes_the_gradient_of_a_learned_temperature():
    rng = np.random.default_rng(3)
    query, keys, values = (TORCH.array(rng.normal(size=(2, 4, SIZE))) for _ in range(3))
    found = []
    for need_weights in (True, False):
        temperature = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
        context, _ = TORCH.module.attend(query, keys, values, temperature=temperature, need_weights=need_weights)
        found.append(torch.autograd.grad((context**2).sum(), temperature)[0].item())
    assert found[0] == pytest.approx(found[1], rel=1e-9)
    assert found[0] != 0


# --- order, batches, padding ------------------------------------------------------------------------


@every_way
@given(problem=problems(), seed=st.integers(0, 99))
def test_the_order_of_the_keys_does_not_matter(dialect, make, score, problem, seed):
    query, keys, values, mask = problem
    order = np.random.default_rng(seed).permutation(keys.shape[1])
    context, weights = attend(dialect, make, score, *problem)
    again, moved = attend(dialect, make, score, query, keys[:, order], values[:, order], mask[..., order])
    np.testing.assert_allclose(again, context, atol=1e-12)
    if weights is not None:
        np.testing.assert_allclose(moved, weights[..., order], atol=1e-12)


@every_way
@given(problem=problems())
def test_an_example_does_not_feel_its_neighbours(dialect, make, score, problem):
    context, weights = attend(dialect, make, score, *problem)
    alone, own = attend(dialect, make, score, *(x[:1] for x in problem))
    np.testing.assert_allclose(alone, context[:1], atol=1e-12)
    if weights is not None:
        np.testing.assert_allclose(own, weights[:1], atol=1e-12)


@every_way
@given(problem=problems(), shape=st.sampled_from(["()", "(T,)", "(1, T)", "(Tq, 1)", "(B, 1, T)", "(B, 1, 1)"]))
def test_a_mask_broadcasts(dialect, make, score, problem, shape):
    query, keys, values, mask = problem
    small = {
        "()": mask[0, 0, 0],
        "(T,)": mask[0, 0],
        "(1, T)": mask[0, :1],
        "(Tq, 1)": mask[0, :, :1],
        "(B, 1, T)": mask[:, :1],
        "(B, 1, 1)": mask[:, :1, :1],
    }[shape]
    small = np.asarray(small)
    context, weights = attend(dialect, make, score, query, keys, values, small)
    expected, wide = attend(dialect, make, score, query, keys, values, np.broadcast_to(small, mask.shape).copy())
    np.testing.assert_allclose(context, expected, atol=1e-12)
    if weights is not None:
        np.testing.assert_allclose(weights, wide, atol=1e-12)


BATCHES = [((), ()), ((), (3,)), ((3,), ()), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 3), (2, 3))]


@every_way
@pytest.mark.parametrize(("queries", "keyed"), BATCHES, ids=str)
@pytest.mark.parametrize("masked", [False, True])
def test_batch_axes_broadcast(dialect, make, score, queries, keyed, masked):
    rng = np.random.default_rng(4)
    query = rng.normal(size=(*queries, 2, SIZE))
    keys = rng.normal(size=(*keyed, 5, SIZE))
    values = rng.normal(size=(*keyed, 5, 3))
    batch = np.broadcast_shapes(queries, keyed)
    mask = rng.random((*batch, 2, 5)) < 0.6 if masked else None
    context, weights = attend(dialect, make, score, query, keys, values, mask)
    full = [np.broadcast_to(x, (*batch, *x.shape[-2:])).copy() for x in (query, keys, values)]
    expected, wide = attend(dialect, make, score, *full, mask)
    assert context.shape == (*batch, 2, 3)
    np.testing.assert_allclose(context, expected, atol=1e-12)
    if weights is not None:
        assert weights.shape == (*batch, 2, 5)
        np.testing.assert_allclose(weights, wide, atol=1e-12)


@every_way
@pytest.mark.parametrize(("garbage", "extra"), [(7.0, 3), (1e300, 0), (np.inf, 3), (np.nan, 0)])
def test_what_is_in_the_padding_never_changes_a_result(dialect, make, score, garbage, extra):
    rng = np.random.default_rng(5)
    query, keys, values = (rng.normal(size=(2, n, SIZE)) for n in (2, 5, 5))
    mask = np.arange(5) < np.array([5, 3])[:, None, None]  # the second example is two steps shorter
    clean, weights = attend(dialect, make, score, query, keys, values, mask)
    wide = np.concatenate([mask, np.zeros((2, 1, extra), bool)], -1)
    dirty = [np.concatenate([x, np.zeros((2, extra, SIZE))], 1) for x in (keys, values)]
    for x in dirty:
        x[~wide[:, 0]] = garbage
    context, longer = attend(dialect, make, score, query, *dirty, wide)
    np.testing.assert_allclose(context, clean, atol=1e-12)
    if weights is not None:
        np.testing.assert_allclose(longer[..., :5], weights, atol=1e-12)
        assert (longer[..., 5:] == 0).all()
    if dialect is NUMPY:
        return
    run = make(dialect, "float64", score)

    def loss(*leaves, mask):
        context, _ = run(*leaves, dialect.array(mask))
        return (context**2).sum() if dialect is TORCH else tf.reduce_sum(context**2)

    arrays = [dialect.array(x) for x in (query, keys, values)]
    soiled = [dialect.array(x) for x in (query, *dirty)]
    before = dialect.gradients(lambda *leaves: loss(*leaves, mask=mask), *arrays)
    after = dialect.gradients(lambda *leaves: loss(*leaves, mask=wide), *soiled)
    np.testing.assert_allclose(after[0], before[0], atol=1e-12)
    for old, new in zip(before[1:], after[1:], strict=True):
        np.testing.assert_allclose(new[:, :5], old, atol=1e-12)
        assert (new[~wide[:, 0]] == 0).all()


# --- what a call leaves behind ----------------------------------------------------------------------


@every_way
def test_inputs_are_not_changed_and_nothing_stays_on_the_layer(dialect, make, score):
    rng = np.random.default_rng(6)
    mask = dialect.array(np.array([[[True, False, True]], [[False] * 3]]))
    arrays = [dialect.array(rng.normal(size=(2, 3, SIZE))) for _ in range(3)]
    before = [dialect.back(x).copy() for x in (*arrays, mask)]
    run = make(dialect, "float64", score)
    state = set(vars(run))
    run(*arrays, mask, temperature=0.5)
    for old, new in zip(before, (*arrays, mask), strict=True):
        np.testing.assert_array_equal(dialect.back(new), old)
    if dialect is TORCH:
        assert set(vars(run)) == state
    if dialect is KERAS and make is layer:  # Keras keeps its own book-keeping; no tensor may be in it
        held = [v for k, v in vars(run).items() if k not in state and tf.is_tensor(v)]
        assert held == []


# --- asking for the weights; dropout ----------------------------------------------------------------


@EVERY_SCORE
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_asking_for_the_weights_changes_nothing(score, dropout, training, masked):
    rng = np.random.default_rng(8)
    arrays = [TORCH.array(rng.normal(size=(2, 6, SIZE))) for _ in range(3)]
    mask = torch.tensor(rng.random((2, 6, 6)) < 0.6) if masked else None
    run = layer(TORCH, "float64", score, dropout=dropout).train(training)
    found = []
    for need_weights in (True, False):
        torch.manual_seed(0)
        context, weights = run(*arrays, mask, need_weights=need_weights)
        assert (weights is not None) == need_weights
        found.append(context)
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=1e-12)


@MODULES
@EVERY_SCORE
def test_the_weights_returned_are_those_before_dropout(dialect, score):
    rng = np.random.default_rng(9)
    arrays = [dialect.array(rng.normal(size=(2, 6, SIZE))) for _ in range(3)]
    run = layer(dialect, "float64", score, dropout=0.5)
    if dialect is TORCH:
        torch.manual_seed(0)
        context, weights = run.train()(*arrays)
        still, plain = run.eval()(*arrays)
    else:
        context, weights = run(*arrays, training=True)
        still, plain = run(*arrays, training=False)
    np.testing.assert_array_equal(dialect.back(weights), dialect.back(plain))
    np.testing.assert_allclose(dialect.back(weights).sum(-1), 1.0, atol=1e-12)
    assert np.abs(dialect.back(context) - dialect.back(still)).max() > 1e-3  # so dropout did something


# --- what PyTorch asks of a layer -------------------------------------------------------------------


@EVERY_SCORE
def test_gradcheck(score):
    rng = np.random.default_rng(10)
    run = layer(TORCH, "float64", score)
    arrays = [TORCH.array(rng.normal(size=(2, n, SIZE))).requires_grad_() for n in (1, 3, 3)]
    mask = torch.tensor([[[True, True, False]], [[False, False, False]]])
    names = [name for name, _ in run.named_parameters()]

    def call(query, keys, values, *weights):
        inputs = (query, keys, values, mask)
        return torch.func.functional_call(run, dict(zip(names, weights, strict=True)), inputs, {"temperature": 0.8})

    assert torch.autograd.gradcheck(call, (*arrays, *run.parameters()))


@EVERY_SCORE
def test_state_dict_deepcopy_and_save(score):
    rng = np.random.default_rng(11)
    arrays = [TORCH.array(rng.normal(size=(2, 3, SIZE))) for _ in range(3)]
    run = layer(TORCH, "float64", score)
    expected, _ = run(*arrays)

    fresh = copy.deepcopy(run)
    for parameter in fresh.parameters():
        torch.nn.init.zeros_(parameter)
    torch.testing.assert_close(run(*arrays)[0], expected, rtol=0, atol=0)  # the copy shares nothing
    fresh.load_state_dict(run.state_dict())
    torch.testing.assert_close(fresh(*arrays)[0], expected, rtol=0, atol=0)

    stream = io.BytesIO()
    torch.save(run, stream)
    stream.seek(0)
    torch.testing.assert_close(torch.load(stream, weights_only=False)(*arrays)[0], expected, rtol=0, atol=0)


@EVERY_SCORE
@pytest.mark.parametrize("need_weights", [True, False])
def test_autocast(score, need_weights):
    rng = np.random.default_rng(12)
    arrays = [TORCH.array(rng.normal(size=(2, 5, SIZE)), "float32").requires_grad_() for _ in range(3)]
    mask = torch.tensor([[[True] * 3 + [False] * 2], [[False] * 5]])
    run = layer(TORCH, "float32", score)
    expected, _ = run(*arrays, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        context, _ = run(*arrays, mask, need_weights=need_weights)
    torch.testing.assert_close(context.float(), expected, rtol=0, atol=TOLERANCE["bfloat16"])
    assert (context[1] == 0).all()
    gradients = torch.autograd.grad(context.float().sum(), arrays)
    assert all(torch.isfinite(g).all() and (g[1] == 0).all() for g in gradients)


def test_compile_takes_the_whole_call_in_one_graph():
    # In a process of its own: there the annotations are not being checked, as they are not for a reader.
    # `aot_eager` traces forward and backward as the default does and needs no C++ compiler to run them.
    program = """
        import torch
        from attnlstm_ref.torch import AdditiveAttention, DotAttention, GeneralAttention, MultiHeadAttention
        torch.manual_seed(0)
        torch._dynamo.config.recompile_limit = 64  # four layers share one forward, on purpose: none may get another's
        one_forward = DotAttention(), DotAttention(scaled=False), GeneralAttention(4, 4), AdditiveAttention(4, 4, 3)
        for layer in (*one_forward, MultiHeadAttention(4, 2)):
            for need_weights in (True, False):
                fast = torch.compile(layer, backend="aot_eager", fullgraph=True)
                for steps in (5, 7):
                    inputs = [torch.randn(2, steps, 4, requires_grad=True) for _ in range(3)]
                    mask = torch.rand(2, 1, steps) > 0.3
                    mask[0] = False
                    options = {"temperature": 0.5, "need_weights": need_weights}
                    a, b = (f(*inputs, mask, **options)[0] for f in (layer, fast))
                    torch.testing.assert_close(a, b)
                    for x, y in zip(*(torch.autograd.grad((c**2).sum(), inputs) for c in (a, b))):
                        torch.testing.assert_close(x, y)
        print("equal")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "equal", done.stderr[-3000:]


# --- what Keras asks of a layer ---------------------------------------------------------------------


@EVERY_SCORE
def test_keras_graphs_compute_what_eager_computes(score):
    rng = np.random.default_rng(13)
    arrays = [tf.constant(rng.normal(size=(2, 3, SIZE))) for _ in range(3)]
    mask = tf.constant([[[True, False, True]], [[False] * 3]])
    run = layer(KERAS, "float64", score)
    eager = run(*arrays, mask, temperature=0.5)
    graph = tf.function(lambda *a: run(*a, temperature=0.5))(*arrays, mask)
    for a, b in zip(eager, graph, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@EVERY_SCORE
def test_keras_config_makes_the_same_layer_again(score):
    run = layer(KERAS, "float64", score, dropout=0.25)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(run))
    assert type(again) is type(run)
    assert again.get_config() == run.get_config()
