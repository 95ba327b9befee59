"""What other libraries do today, where the book says so. A failure here means: a library changed, mend the text."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional as F


@pytest.fixture
def states() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1, 3, 4)).astype("float32")


def torch_heads() -> nn.MultiheadAttention:
    torch.manual_seed(0)
    return nn.MultiheadAttention(4, 2, batch_first=True)


def test_torch_multihead_gives_nan_for_a_fully_masked_row_only_with_weights(states):
    x, hidden = torch.tensor(states), torch.ones(1, 3, dtype=torch.bool)  # there True = ignore
    for training in (True, False):
        heads = torch_heads().train(training)
        with torch.set_grad_enabled(training):
            assert heads(x, x, x, key_padding_mask=hidden, need_weights=True)[0].isnan().all()
    context, _ = torch_heads()(x, x, x, key_padding_mask=hidden, need_weights=False)
    assert context.isfinite().all()


def test_nan_poisons_gradients_even_after_nan_to_num():
    scores = torch.zeros(1, 3, requires_grad=True)
    weights = torch.nan_to_num(torch.softmax(scores - torch.inf, -1))
    weights.sum().backward()
    assert (weights == 0).all()
    assert scores.grad is not None and scores.grad.isnan().all()


def test_torch_fused_attention_gives_zero_for_a_fully_masked_row(states):
    x = torch.tensor(states)
    for shape in (x, x[:, None]):  # the plain and the fused kernel
        assert (F.scaled_dot_product_attention(shape, shape, shape, torch.zeros(3, 3, dtype=torch.bool)) == 0).all()


def test_keras_multihead_disagrees_with_itself_about_a_fully_masked_row(states):
    x, nothing = tf.constant(states), tf.zeros((1, 3, 3), "bool")
    keras.utils.set_random_seed(0)
    heads = keras.layers.MultiHeadAttention(2, 2, use_bias=False)
    asked, _ = heads(x, x, attention_mask=nothing, return_attention_scores=True)
    silent = heads(x, x, attention_mask=nothing)
    np.testing.assert_allclose(asked, 0, atol=1e-6)
    assert np.abs(silent).max() > 1e-3


@pytest.mark.parametrize("kind", [keras.layers.Attention, keras.layers.AdditiveAttention])
def test_keras_attention_is_uniform_where_all_is_masked(kind, states):
    x = tf.constant(states)
    _, weights = kind()([x, x], mask=[None, tf.zeros((1, 3), "bool")], return_attention_scores=True)
    np.testing.assert_allclose(weights, 1 / 3, atol=1e-6)


def test_keras_attention_does_not_scale_by_default(states):
    x = tf.constant(states)
    _, weights = keras.layers.Attention()([x, x], return_attention_scores=True)
    np.testing.assert_allclose(weights, tf.nn.softmax(x @ tf.transpose(x, (0, 2, 1))), atol=1e-6)


def test_returned_weights_are_those_after_dropout(states):
    x = torch.tensor(states).repeat(1, 20, 1)
    torch.manual_seed(0)
    _, weights = nn.MultiheadAttention(4, 1, dropout=0.5, batch_first=True)(x, x, x)
    assert (weights == 0).any()
    y = tf.constant(x.numpy())
    _, weights = keras.layers.Attention(dropout=0.5, seed=0)([y, y], return_attention_scores=True, training=True)
    assert (weights.numpy() == 0).any()


def test_a_query_mask_of_keras_zeroes_the_output_and_not_the_weights(states):
    x = tf.constant(states)
    mask = [tf.constant([[True, True, False]]), None]
    context, weights = keras.layers.Attention()([x, x], mask=mask, return_attention_scores=True)
    assert (context.numpy()[:, 2] == 0).all()
    np.testing.assert_allclose(weights.numpy().sum(-1), 1, atol=1e-6)


def test_large_negative_numbers_are_no_mask():
    assert torch.tensor(-1e9).half() == -torch.inf  # overflows: a row of these is NaN
    scores = torch.tensor([0.0, -1e4]) - torch.tensor([2e4, 0.0])  # a real score far below
    assert torch.softmax(scores, -1)[1] > 0.99  # the masked step takes it all


def test_polarity_of_masks_in_torch(states):
    x = torch.tensor(states)
    first = torch.tensor([[True, False, False]])
    _, weights = torch_heads()(x, x, x, key_padding_mask=first)
    assert (weights[..., 0] == 0).all()  # True = ignore
    context = F.scaled_dot_product_attention(x, x, x, first[:, None])
    torch.testing.assert_close(context, x[:, :1].expand_as(x))  # True = attend


def test_keras_additive_attention_holds_one_vector(states):
    layer = keras.layers.AdditiveAttention()
    layer([tf.constant(states)] * 2)
    assert [tuple(w.shape) for w in layer.weights] == [(4,)]


def test_causal_masks_of_torch_are_aligned_top_left(states):
    x = torch.tensor(states)
    context = F.scaled_dot_product_attention(x[:, :1], x, x, is_causal=True)
    torch.testing.assert_close(context, x[:, :1])  # the last of three queries sees one key


def test_dropout_of_torch_attention_knows_no_eval_mode(states):
    class Model(nn.Module):
        def forward(self, x):
            return F.scaled_dot_product_attention(x, x, x, dropout_p=0.5)

    x = torch.tensor(states)
    torch.manual_seed(0)
    model = Model().eval()
    assert not torch.equal(model(x), model(x))
