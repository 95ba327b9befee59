"""Multi-head attention: the contract, the three dialects, the libraries' own layers."""

from __future__ import annotations

import copy
import io
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from dialects import ALL, KERAS, NUMPY, TOLERANCE, TORCH, Dialect
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

import attnlstm_ref.keras as ours_keras
import attnlstm_ref.torch as ours_torch
from attnlstm_ref.numpy import MultiHeadWeights, attend, merge_heads, multi_head_attention, split_heads

D_Q, D_K, D_V, HEADS, D = 4, 5, 3, 2, 3
DTYPES = [pytest.param(d, t, id=f"{d}-{t}") for d in ALL for t in d.dtypes]
every_dialect = pytest.mark.parametrize("dialect", ALL, ids=str)
both_frameworks = pytest.mark.parametrize("dialect", (TORCH, KERAS), ids=str)


def some_weights(d_q: int = D_Q, d_k: int = D_K, d_v: int = D_V, inner: int = HEADS * D) -> MultiHeadWeights:
    rng = np.random.default_rng(3)
    matrices = [rng.normal(size=shape) / 2 for shape in ((d_q, inner), (d_k, inner), (d_v, inner), (inner, d_q))]
    return MultiHeadWeights(*matrices, *(rng.normal(size=m.shape[1]) / 2 for m in matrices))


def layer_of(dialect: Dialect, dtype: str = "float64", weights: MultiHeadWeights | None = None, **options: Any) -> Any:
    weights = weights or some_weights()
    sizes = {"key_size": weights.w_keys.shape[0], "value_size": weights.w_values.shape[0], "head_size": D}
    make = dialect.module.MultiHeadAttention
    layer = make(weights.w_query.shape[0], HEADS, **sizes, **options, **({"dtype": dtype} if dialect is KERAS else {}))
    layer = layer.to(getattr(torch, dtype)) if dialect is TORCH else layer
    dialect.module.load_multi_head(layer, weights)
    return layer


def run(dialect: Dialect, query: Any, keys: Any, values: Any, mask: Any = None, *, dtype: str = "float64", **options):
    """Context and weights as NumPy arrays; in PyTorch the fused kernel has to say the same."""
    arrays = [dialect.array(x, dtype) for x in (query, keys, values)]
    mask = None if mask is None else dialect.array(mask)
    if dialect is NUMPY:
        weights = MultiHeadWeights(*(w.astype(dtype) for w in some_weights()))
        return multi_head_attention(*arrays, weights, mask, heads=HEADS, **options)
    layer = layer_of(dialect, dtype)
    context, weights = layer(*arrays, mask, **options)
    if dialect is TORCH:
        fused, nothing = layer(*arrays, mask, need_weights=False, **options)
        assert nothing is None
        assert_allclose(dialect.back(fused), dialect.back(context), atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])
    return dialect.back(context), dialect.back(weights)


@st.composite
def problems(draw: Any) -> tuple[np.ndarray, ...]:
    batch, queries, steps = (draw(st.integers(1, n)) for n in (3, 3, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    query, keys, values = (rng.normal(size=(batch, n, d)) for n, d in ((queries, D_Q), (steps, D_K), (steps, D_V)))
    return query, keys, values, rng.random((batch, queries, steps)) < draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))


# --- the equations ----------------------------------------------------------------------------------


def test_it_is_so_many_small_look_ups() -> None:
    rng = np.random.default_rng(0)
    query, keys, values = rng.normal(size=(2, D_Q)), rng.normal(size=(6, D_K)), rng.normal(size=(6, D_V))
    w, heads, alphas = some_weights(), [], []
    for i in range(HEADS):
        own = slice(i * D, (i + 1) * D)
        q, k = query @ w.w_query[:, own] + w.b_query[own], keys @ w.w_keys[:, own] + w.b_keys[own]
        context, alpha = attend(q, k, values @ w.w_values[:, own] + w.b_values[own])
        heads.append(context)
        alphas.append(alpha)
    context, alpha = multi_head_attention(query, keys, values, w, heads=HEADS)
    assert_allclose(context, np.concatenate(heads, axis=-1) @ w.w_out + w.b_out, atol=1e-12)
    assert_allclose(alpha, alphas, atol=1e-12)


@every_dialect
def test_splitting_gives_each_head_its_columns_and_merging_undoes_it(dialect: Dialect) -> None:
    x = np.arange(2 * 3 * 8.0).reshape(2, 3, 8)
    split = dialect.module.split_heads(dialect.array(x), 4)
    for head in range(4):
        assert_array_equal(dialect.back(split)[:, head], x[..., 2 * head : 2 * head + 2])
    assert_array_equal(dialect.back(dialect.module.merge_heads(split)), x)


# --- the contract -----------------------------------------------------------------------------------


@every_dialect
@given(problem=problems(), temperature=st.floats(1e-2, 1e2))
def test_each_head_has_a_distribution_over_what_it_may_see(
    dialect: Dialect, problem: tuple[np.ndarray, ...], temperature: float
) -> None:
    context, alpha = run(dialect, *problem, temperature=temperature)
    mask = np.broadcast_to(problem[3][:, None], alpha.shape)
    assert (alpha >= 0).all() and (alpha[~mask] == 0).all()
    assert_allclose(alpha.sum(-1), mask.any(-1), atol=1e-12)
    assert np.isfinite(context).all() and (context[~problem[3].any(-1)] == 0).all()


@every_dialect
@given(problem=problems())
def test_masking_is_leaving_out_and_neighbours_are_not_felt(dialect: Dialect, problem: tuple[np.ndarray, ...]) -> None:
    query, keys, values, mask = problem
    context, alpha = run(dialect, *problem)
    seen = mask[0, 0]
    if seen.any():
        without, kept = run(dialect, query[:1, :1], keys[:1, seen], values[:1, seen])
        assert_allclose(without, context[:1, :1], atol=1e-12)
        assert_allclose(kept[0, :, 0], alpha[0, :, 0][:, seen], atol=1e-12)
    order = np.random.default_rng(0).permutation(keys.shape[1])
    again, moved = run(dialect, query, keys[:, order], values[:, order], mask[..., order])
    assert_allclose(again, context, atol=1e-12)
    assert_allclose(moved, alpha[..., order], atol=1e-12)


@every_dialect
@pytest.mark.parametrize("shape", ["()", "(T,)", "(1, T)", "(Tq, 1)", "(B, 1, T)", "(B, 1, 1)", "(B, Tq, T)"])
def test_a_mask_broadcasts_and_is_the_same_for_all_heads(dialect: Dialect, shape: str) -> None:
    rng = np.random.default_rng(1)
    query, keys, values = (rng.normal(size=(3, n, d)) for n, d in ((2, D_Q), (4, D_K), (4, D_V)))
    full = rng.random((3, 2, 4)) < 0.6
    cut = {
        "()": full[0, 0, 0],
        "(T,)": full[0, 0],
        "(1, T)": full[0, :1],
        "(Tq, 1)": full[0, :, :1],
        "(B, 1, T)": full[:, :1],
        "(B, 1, 1)": full[:, :1, :1],
        "(B, Tq, T)": full,
    }
    small = np.asarray(cut[shape])
    context, alpha = run(dialect, query, keys, values, small)
    expected, wide = run(dialect, query, keys, values, np.broadcast_to(small, full.shape).copy())
    assert_allclose(context, expected, atol=1e-12)
    assert_allclose(alpha, wide, atol=1e-12)


@every_dialect
@pytest.mark.parametrize(("queries", "keyed"), [((), ()), ((), (3,)), ((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3))])
def test_batch_axes_broadcast(dialect: Dialect, queries: tuple[int, ...], keyed: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    query, keys, values = (
        rng.normal(size=(*b, n, d)) for b, n, d in ((queries, 2, D_Q), (keyed, 5, D_K), (keyed, 5, D_V))
    )
    batch = np.broadcast_shapes(queries, keyed)
    context, alpha = run(dialect, query, keys, values)
    assert context.shape == (*batch, 2, D_Q) and alpha.shape == (*batch, HEADS, 2, 5)
    wide = [np.broadcast_to(x, (*batch, *x.shape[-2:])).copy() for x in (query, keys, values)]
    assert_allclose(context, run(dialect, *wide)[0], atol=1e-12)


@every_dialect
@pytest.mark.parametrize("garbage", [7.0, 1e300, np.inf, np.nan])
def test_what_is_in_the_padding_never_changes_a_result(dialect: Dialect, garbage: float) -> None:
    rng = np.random.default_rng(5)
    query, keys, values = (rng.normal(size=(2, n, d)) for n, d in ((2, D_Q), (5, D_K), (5, D_V)))
    mask = np.arange(5) < np.array([5, 3])[:, None, None]
    clean, alpha = run(dialect, query, keys, values, mask)
    for x in (keys, values):
        x[~mask[:, 0]] = garbage
    context, again = run(dialect, query, keys, values, mask)
    assert_allclose(context, clean, atol=1e-12)
    assert_allclose(again, alpha, atol=1e-12)


@pytest.mark.parametrize(("dialect", "dtype"), DTYPES)
def test_nothing_to_attend_to_gives_zeros_and_a_zero_gradient(dialect: Dialect, dtype: str) -> None:
    rng = np.random.default_rng(6)
    arrays = [rng.normal(size=(2, n, d)) for n, d in ((1, D_Q), (3, D_K), (3, D_V))]
    mask = np.array([[[False] * 3], [[True, False, True]]])
    context, alpha = run(dialect, *arrays, mask, dtype=dtype)
    assert np.isfinite(context).all() and (context[0] == 0).all() and (context[1] != 0).any()
    assert (alpha[0] == 0).all()
    if dialect is NUMPY:
        return
    layer = layer_of(dialect, dtype)

    def loss(*leaves: Any) -> Any:
        out = layer(*leaves, dialect.array(mask))[0] ** 2
        return out.sum() if dialect is TORCH else tf.reduce_sum(out)

    for gradient in dialect.gradients(loss, *(dialect.array(x, dtype) for x in arrays)):
        assert np.isfinite(gradient).all() and (gradient[0] == 0).all() and (gradient[1] != 0).any()


@both_frameworks
def test_weights_are_those_before_dropout_and_asking_changes_nothing(dialect: Dialect) -> None:
    rng = np.random.default_rng(7)
    arrays = [dialect.array(rng.normal(size=(2, n, d))) for n, d in ((2, D_Q), (9, D_K), (9, D_V))]
    layer = layer_of(dialect, dropout=0.5)
    wanted = dialect.back(layer_of(dialect)(*arrays)[1])
    if dialect is TORCH:
        torch.manual_seed(0)
        context, alpha = layer.train()(*arrays)
        torch.manual_seed(0)
        assert torch.equal(layer(*arrays, need_weights=False)[0], context)
        calm, _ = layer.eval()(*arrays)
    else:
        (context, alpha), (calm, _) = layer(*arrays, training=True), layer(*arrays)
    assert_allclose(dialect.back(alpha), wanted, atol=1e-12)
    assert np.abs(dialect.back(context) - dialect.back(calm)).max() > 1e-3


def test_inputs_are_not_changed() -> None:
    rng = np.random.default_rng(8)
    arrays = [rng.normal(size=(2, n, d)) for n, d in ((2, D_Q), (5, D_K), (5, D_V))]
    tensors = [torch.tensor(x) for x in arrays]
    mask = np.array([[[True, False, True, True, False]]])
    before = copy.deepcopy(arrays)
    multi_head_attention(*arrays, some_weights(), mask, heads=HEADS)
    layer_of(TORCH)(*tensors, torch.tensor(mask))
    for old, array, tensor in zip(before, arrays, tensors, strict=True):
        assert_array_equal(array, old)
        assert_array_equal(tensor.numpy(), old)


# --- bad input --------------------------------------------------------------------------------------


@every_dialect
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": np.zeros((1, 2, D_Q + 1))}, r"query: got shape \(1, 2, 5\), wanted \(…, 4\)"),
        ({"keys": np.zeros((1, 3, D_K + 1))}, r"keys: got shape \(1, 3, 6\), wanted \(…, 5\)"),
        ({"values": np.zeros((1, 3, D_V + 1))}, r"values: got shape \(1, 3, 4\), wanted \(…, 3\)"),
        ({"values": np.zeros((1, 2, D_V))}, r"values: got shape \(1, 2, 3\), wanted \(…, 3, d_v\)"),
        ({"mask": np.ones((1, HEADS, 2, 3), bool)}, r"mask: got shape \(1, 2, 2, 3\)"),
        ({"temperature": 0}, "temperature: got 0"),
    ],
)
def test_bad_input_is_named(dialect: Dialect, change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"query": np.zeros((1, 2, D_Q)), "keys": np.zeros((1, 3, D_K))}
    arguments |= {"values": np.zeros((1, 3, D_V))} | change
    with pytest.raises(ValueError, match=message):
        run(dialect, **arguments)


def test_sizes_that_cannot_be_are_named() -> None:
    for module in (ours_torch, ours_keras):
        with pytest.raises(ValueError, match="size: got width 10, wanted a multiple of heads = 4"):
            module.MultiHeadAttention(10, 4)
        with pytest.raises(ValueError, match="heads: got 0"):
            module.MultiHeadAttention(10, 0)
        with pytest.raises(ValueError, match="dropout: got 1"):
            module.MultiHeadAttention(10, 2, dropout=1)
    with pytest.raises(ValueError, match="x: got width 6, wanted a multiple of heads = 4"):
        split_heads(np.zeros((2, 6)), 4)
    with pytest.raises(ValueError, match=r"x: got shape \(2, 6\), wanted \(…, h, T, d\)"):
        merge_heads(np.zeros((2, 6)))
    with pytest.raises(ValueError, match=r"weights\.b_out: got shape \(3\), wanted \(d_out\) = \(4\)"):
        bad = some_weights()._replace(b_out=np.zeros(3))
        multi_head_attention(np.zeros((1, D_Q)), np.zeros((2, D_K)), np.zeros((2, D_V)), bad, heads=HEADS)


# --- the dialects and the libraries agree --------------------------------------------------------------


def values_and_gradients(dialect: Dialect, layer: Any, arrays: list[np.ndarray], mask: Any, dtype: str) -> list:
    """Context, weights, and the gradients by inputs and parameters of a scalar that depends on every entry."""
    leaves = [dialect.array(x, dtype) for x in arrays]
    factor = np.random.default_rng(9).normal(size=(*arrays[0].shape[:-1], D_Q))
    if dialect is TORCH:
        leaves = [x.requires_grad_() for x in leaves]
        context, alpha = layer(*leaves, mask)
        parameters = [getattr(layer, name) for name in MultiHeadWeights._fields]
        found = torch.autograd.grad((context * dialect.array(factor, dtype)).sum(), [*leaves, *parameters])
    else:
        with tf.GradientTape() as tape:
            tape.watch(leaves)
            context, alpha = layer(*leaves, mask)
            loss = tf.reduce_sum(context * dialect.array(factor, dtype))
        parameters = [getattr(layer, name).value for name in MultiHeadWeights._fields]
        found = tape.gradient(loss, [*leaves, *parameters])
    return [dialect.back(x) for x in (context, alpha, *found)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("masked", [False, True])
def test_three_dialects_give_the_same_numbers_and_gradients(masked: bool, dtype: str) -> None:
    rng = np.random.default_rng(10)
    arrays = [rng.normal(size=(3, n, d)) for n, d in ((2, D_Q), (5, D_K), (5, D_V))]
    mask = np.arange(5) < np.array([5, 2, 0])[:, None, None] if masked else None
    context, alpha = run(NUMPY, *arrays, mask, dtype=dtype)
    found = [
        values_and_gradients(d, layer_of(d, dtype), arrays, None if mask is None else d.array(mask), dtype)
        for d in (TORCH, KERAS)
    ]
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype] * 10}
    for in_torch, in_keras in zip(*found, strict=True):
        assert_allclose(in_torch, in_keras, **tolerance)
    assert_allclose(found[0][0], context, **tolerance)
    assert_allclose(found[0][1], alpha, **tolerance)


# Keras' layer holds 1/√d in float32, whatever its own precision.
KERAS_SINGLE = 1e-6
SAME = {"d_q": 6, "d_k": 6, "d_v": 6}


@pytest.mark.parametrize("sizes", [SAME, {"d_q": 6, "d_k": 5, "d_v": 3}], ids=["one width", "three widths"])
@pytest.mark.parametrize("masked", [False, True])
def test_as_pytorchs_layer_in_values_and_gradients(sizes: dict[str, int], masked: bool) -> None:
    weights = some_weights(**sizes)
    theirs = ours_torch.to_multi_head(weights, HEADS)
    ours = layer_of(TORCH, weights=weights)
    rng = np.random.default_rng(11)
    found = []
    inputs = [torch.tensor(rng.normal(size=(3, n, d))) for n, d in zip((2, 5, 5), sizes.values(), strict=True)]
    mask = torch.arange(5) < torch.tensor([5, 2, 4])[:, None]
    for layer in (theirs, ours):
        leaves = [x.clone().requires_grad_() for x in inputs]
        if layer is theirs:  # its padding mask says what to ignore
            context, alpha = layer(*leaves, key_padding_mask=~mask if masked else None, average_attn_weights=False)
        else:
            context, alpha = layer(*leaves, mask[:, None] if masked else None)
        gradients = torch.autograd.grad((context**2).sum(), [*leaves, *layer.parameters()])
        found.append([context, alpha, *gradients[:3]])
        for one, other in zip(ours_torch.from_multi_head(layer), weights, strict=True):
            assert_array_equal(one, other)
    for one, other in zip(*found, strict=True):
        assert_allclose(one.detach(), other.detach(), atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"kdim": 5, "vdim": 3}], ids=str)
def test_weights_come_out_of_pytorchs_layer(options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(6, 3, batch_first=True, dtype=torch.float64, **options)
    query, keys, values = (torch.randn(2, n, d, dtype=torch.float64) for n, d in ((2, 6), (4, 6), (4, 6)))
    if "kdim" in options:
        keys, values = keys[..., :5], values[..., :3]
    context, alpha = theirs(query, keys, values, average_attn_weights=False)
    weights = ours_torch.from_multi_head(theirs)
    mine, own = multi_head_attention(query.numpy(), keys.numpy(), values.numpy(), weights, heads=3)
    assert_allclose(mine, context.detach(), atol=1e-12)
    assert_allclose(own, alpha.detach(), atol=1e-12)
    if options == {"bias": False}:
        bare = ours_torch.MultiHeadAttention(6, 3, bias=False).double()
        ours_torch.load_multi_head(bare, weights)
        assert_allclose(bare(query, keys, values)[0].detach(), context.detach(), atol=1e-12)
        with pytest.raises(ValueError, match="unexpected: b_query"):
            ours_torch.load_multi_head(bare, weights._replace(b_query=np.ones(6)))


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"value_dim": 2}, {"output_shape": 7}], ids=str)
@pytest.mark.parametrize("masked", [False, True])
def test_as_keras_layer(options: dict[str, Any], masked: bool) -> None:
    keras.utils.set_random_seed(0)
    theirs = keras.layers.MultiHeadAttention(HEADS, D, dtype="float64", bias_initializer="random_normal", **options)
    rng = np.random.default_rng(12)
    query, keys, values = (rng.normal(size=(3, n, d)) for n, d in ((2, D_Q), (5, D_K), (5, D_V)))
    mask = np.arange(5) < np.array([5, 2, 4])[:, None, None]
    said = {"attention_mask": np.broadcast_to(mask, (3, 2, 5))} if masked else {}
    context, alpha = theirs(query, values, keys, return_attention_scores=True, **said)  # Keras' order
    weights = ours_keras.from_multi_head(theirs)
    mine, own = multi_head_attention(query, keys, values, weights, mask if masked else None, heads=HEADS)
    assert_allclose(mine, context, atol=KERAS_SINGLE)
    assert_allclose(own, alpha, atol=KERAS_SINGLE)
    again = ours_keras.to_multi_head(weights, HEADS)
    assert_allclose(again(query, values, keys, **said), context, atol=KERAS_SINGLE)


def test_keras_gradients_are_those_of_its_layer() -> None:
    weights = some_weights()
    theirs, ours = ours_keras.to_multi_head(weights, HEADS), layer_of(KERAS)
    rng = np.random.default_rng(13)
    query, keys, values = (tf.constant(rng.normal(size=(3, n, d))) for n, d in ((2, D_Q), (5, D_K), (5, D_V)))
    found = []
    for call in (lambda: theirs(query, values, keys), lambda: ours(query, keys, values)[0]):
        with tf.GradientTape() as tape:
            tape.watch((query, keys, values))
            loss = tf.reduce_sum(call() ** 2)
        found.append(tape.gradient(loss, (query, keys, values)))
    for one, other in zip(*found, strict=True):
        assert_allclose(one, other, atol=KERAS_SINGLE)


def test_weights_travel_from_framework_to_framework() -> None:
    torch.manual_seed(1)
    start = nn.MultiheadAttention(6, 2, batch_first=True, dtype=torch.float64)
    weights = ours_torch.from_multi_head(start)
    across = ours_keras.from_multi_head(ours_keras.to_multi_head(weights, 2))
    back = ours_torch.to_multi_head(across, 2)
    for one, other in zip(start.state_dict().values(), back.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_what_cannot_be_converted_is_named() -> None:
    with pytest.raises(ValueError, match=r"layer: got Linear, wanted nn\.MultiheadAttention"):
        ours_torch.from_multi_head(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="layer: got add_bias_kv or add_zero_attn"):
        ours_torch.from_multi_head(nn.MultiheadAttention(4, 2, add_zero_attn=True))
    with pytest.raises(ValueError, match=r"weights\.w_query: got shape \(4, 6\), wanted \(size, size\) = \(4, 4\)"):
        ours_torch.to_multi_head(some_weights(), HEADS)
    with pytest.raises(ValueError, match="layer: got Dense"):
        ours_keras.from_multi_head(keras.layers.Dense(2))
    with pytest.raises(ValueError, match="layer: got one without weights"):
        ours_keras.from_multi_head(keras.layers.MultiHeadAttention(2, 2))
    for module, layer in ((ours_torch, layer_of(TORCH)), (ours_keras, layer_of(KERAS))):
        before = module.from_multi_head(layer)
        with pytest.raises(ValueError, match=r"w_out has shape \(6, 5\), wanted \(6, 4\)"):
            module.load_multi_head(layer, some_weights()._replace(w_out=np.ones((6, 5)), b_out=np.ones(5)))
        for one, other in zip(module.from_multi_head(layer), before, strict=True):
            assert_array_equal(one, other)


# --- as a part of a model ----------------------------------------------------------------------------


def test_the_torch_layer_saves_and_loads() -> None:
    arrays = [torch.randn(2, n, d, dtype=torch.float64) for n, d in ((2, D_Q), (5, D_K), (5, D_V))]
    layer, file = layer_of(TORCH), io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = ours_torch.MultiHeadAttention(D_Q, HEADS, key_size=D_K, value_size=D_V, head_size=D).double()
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(*arrays)[0], layer(*arrays)[0])


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras and NumPy 2, in `save`
def test_the_keras_layer_takes_padding_masks_and_survives_saving(tmp_path: Any) -> None:
    keras.utils.set_random_seed(0)
    tokens = keras.Input((None,))
    states = keras.layers.Embedding(9, 6, mask_zero=True)(tokens)
    context, alpha = ours_keras.MultiHeadAttention(6, 2)(states, states, states)
    model = keras.Model(tokens, [context, alpha])
    ids = np.array([[3, 4, 0, 0], [5, 6, 7, 8]])
    context, alpha = (np.asarray(x) for x in model(ids))
    assert alpha.shape == (2, 2, 4, 4) and (alpha[0, :, :, 2:] == 0).all() and (alpha[1] > 0).all()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")(ids)
    assert_array_equal(np.asarray(again[0]), context)
    shorter, _ = model(ids[:1, :2])
    assert_allclose(context[:1, :2], shorter, atol=1e-6)


def test_half_precision_under_autocast() -> None:
    torch.manual_seed(0)
    layer, states = ours_torch.MultiHeadAttention(8, 2), torch.randn(2, 5, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        context, alpha = layer(states, states, states)
    full, _ = layer(states, states, states)
    assert_allclose(context.float().detach(), full.detach(), atol=TOLERANCE["bfloat16"])
    assert torch.isfinite(alpha).all()
