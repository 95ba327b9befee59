"""Forward and backward of our layers against the libraries', the same maths on both sides."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from attnlstm_ref import keras as ours_keras
from attnlstm_ref import torch as ours_torch

Program = Callable[[], Any]
Pair = tuple[Program, Program]
WIDTH = 64


def _states(batch: int, steps: int) -> Tensor:
    return torch.randn(batch, steps, WIDTH, requires_grad=True)


def torch_fused(batch: int, steps: int) -> Pair:
    """`DotAttention(need_weights=False)` against `scaled_dot_product_attention` on (B, 1, T, d), its fast form."""
    query, keys, values = (_states(batch, steps) for _ in range(3))
    layer = ours_torch.DotAttention()

    def ours() -> None:
        layer(query, keys, values, need_weights=False)[0].sum().backward()

    def theirs() -> None:
        q, k, v = (x.unsqueeze(1) for x in (query, keys, values))
        F.scaled_dot_product_attention(q, k, v).squeeze(1).sum().backward()

    return ours, theirs


def torch_weights(batch: int, steps: int) -> Pair:
    """`DotAttention` between the projections of `nn.MultiheadAttention` with one head, against that layer whole."""
    states = _states(batch, steps)
    theirs_layer = nn.MultiheadAttention(WIDTH, 1, batch_first=True)
    layer = ours_torch.DotAttention()

    def ours() -> None:
        # Self-attention: one product makes query, keys and values, as inside nn.MultiheadAttention.
        joint = F.linear(states, theirs_layer.in_proj_weight, theirs_layer.in_proj_bias)
        context, _ = layer(*joint.chunk(3, dim=-1))
        theirs_layer.out_proj(context).sum().backward()

    def theirs() -> None:
        theirs_layer(states, states, states, need_weights=True)[0].sum().backward()

    return ours, theirs


def _keras(layer: Any, library: Callable[..., Any], batch: int, steps: int) -> Pair:
    """Both in a graph, forward and backward, weights returned by both."""
    import tensorflow as tf

    query, keys, values = (tf.random.normal((batch, steps, WIDTH)) for _ in range(3))

    def program(call: Callable[..., Any]) -> Program:
        @tf.function(jit_compile=False)
        def step(query: Any, keys: Any, values: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch((query, keys, values))
                context, weights = call(query, keys, values)
                loss = tf.reduce_sum(context)
            return tape.gradient(loss, (query, keys, values)), weights

        return lambda: [g.numpy() for g in step(query, keys, values)[0]]

    return program(layer), program(library)


def _in_order(library: Any) -> Callable[..., Any]:
    """Keras' layer called as ours: it takes a list, values before keys."""
    return lambda query, keys, values: library([query, values, keys], return_attention_scores=True)


def keras_dot(batch: int, steps: int) -> Pair:
    """`DotAttention(scaled=False)` against `keras.layers.Attention`, which does not scale by default."""
    import keras

    return _keras(ours_keras.DotAttention(scaled=False), _in_order(keras.layers.Attention()), batch, steps)


def keras_additive(batch: int, steps: int) -> Pair:
    """v · tanh(q + k) by `additive_scores`' core against `keras.layers.AdditiveAttention`.

    Keras' layer has no W_q and W_k. Ours has, so both matrices are left out of this race by giving the scores to
    `attend` as Keras writes them; the two projections are two further matrix products, small beside T² tanh.
    """
    import functools

    import keras

    v = keras.Variable(keras.random.normal((WIDTH,)))

    def scores(query: Any, keys: Any) -> Any:
        pairs = keras.ops.tanh(keras.ops.expand_dims(query, -2) + keras.ops.expand_dims(keys, -3))
        return keras.ops.squeeze(pairs @ keras.ops.expand_dims(v, -1), -1)

    attend = functools.partial(ours_keras.attend, score=scores)
    return _keras(attend, _in_order(keras.layers.AdditiveAttention()), batch, steps)


HEADS = 4


def torch_multi_head(batch: int, steps: int) -> Pair:
    """`MultiHeadAttention` against `nn.MultiheadAttention`, weights asked for from neither: both run fused."""
    states = _states(batch, steps)
    layer, library = ours_torch.MultiHeadAttention(WIDTH, HEADS), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def ours() -> None:
        layer(states, states, states, need_weights=False)[0].sum().backward()

    def theirs() -> None:
        library(states, states, states, need_weights=False)[0].sum().backward()

    return ours, theirs


def keras_multi_head(batch: int, steps: int) -> Pair:
    """`MultiHeadAttention` against `keras.layers.MultiHeadAttention`, weights returned by both."""
    import keras

    library = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    library.build(*[(None, None, WIDTH)] * 3)  # its weights cannot be made inside a graph

    def theirs(query: Any, keys: Any, values: Any) -> Any:
        return library(query, values, keys, return_attention_scores=True)

    return _keras(ours_keras.MultiHeadAttention(WIDTH, HEADS), theirs, batch, steps)


def torch_bilstm(batch: int, steps: int) -> Pair:
    """`BiLSTMEncoder`, which turns each row round, against a bidirectional `nn.LSTM` on packed sequences."""
    states = _states(batch, steps)
    lengths = torch.linspace(steps // 2, steps, batch).long()
    mask = torch.arange(steps) < lengths[:, None]
    encoder = ours_torch.BiLSTMEncoder(WIDTH, WIDTH)
    packing = nn.LSTM(WIDTH, WIDTH, batch_first=True, bidirectional=True)

    def ours() -> None:
        encoder(states, mask).sum().backward()

    def theirs() -> None:
        packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
        pad_packed_sequence(packing(packed)[0], batch_first=True)[0].sum().backward()

    return ours, theirs


PAIRS = {
    f.__name__: f
    for f in (
        torch_fused,
        torch_weights,
        torch_multi_head,
        keras_dot,
        keras_additive,
        keras_multi_head,
        torch_bilstm,
    )
}
LONGEST = {"torch_bilstm": 256}  # packing would take minutes on longer ones


def batch_for(name: str, steps: int) -> int:
    """Fewer examples as they grow longer, so that T² of them fit in about half a gigabyte."""
    cells = {"keras_additive": 2**18, "torch_multi_head": 2**20, "keras_multi_head": 2**20}.get(name, 2**22)
    return max(1, min(32, cells // steps**2))
