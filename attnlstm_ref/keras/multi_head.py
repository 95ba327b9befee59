"""Multi-head attention in Keras: several small look-ups side by side."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.keras.attention import Tensor, hide, join_masks, masked_softmax, scaled_dot_scores


@validated(_checks.split_heads)
def split_heads(x: Tensor, heads: int) -> Tensor:
    """(…, T, h·d) -> (…, h, T, d); see `attnlstm_ref.numpy.split_heads`."""
    *batch, steps, width = ops.shape(x)
    return ops.swapaxes(ops.reshape(x, (*batch, steps, heads, width // heads)), -3, -2)


@validated(_checks.merge_heads)
def merge_heads(x: Tensor) -> Tensor:
    """(…, h, T, d) -> (…, T, h·d): undoes `split_heads`."""
    *batch, heads, steps, width = ops.shape(x)
    return ops.reshape(ops.swapaxes(x, -3, -2), (*batch, steps, heads * width))


@keras.saving.register_keras_serializable("attnlstm_ref")
class MultiHeadAttention(keras.layers.Layer):
    """Scaled dot-product attention in `heads` projections of its own, laid side by side and projected again.

    head_i = attend(q W_i^Q, k W_i^K, v W_i^V),  c = [head_1, …, head_h] W^O      (Vaswani et al. 2017, 3.2.2)

    Parameters
    ----------
    size : d_q, width of the query and of the context
    heads : h
    key_size, value_size : d_k and d_v, the width of keys and values; `size` where not given
    head_size : d, the width of one head; size / h where not given
    dropout : share of the weights set to zero in training
    bias : whether the four projections have biases

    Raises
    ------
    ValueError
        A size or heads below 1, a size that h does not divide (and no `head_size`), a dropout outside [0, 1).
    """

    def __init__(
        self,
        size: int,
        heads: int,
        *,
        key_size: int | None = None,
        value_size: int | None = None,
        head_size: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widths, inner = _checks.multi_head_sizes(size, heads, key_size, value_size, head_size, dropout)
        self.config = {
            "size": size,
            "heads": heads,
            "key_size": key_size,
            "value_size": value_size,
            "head_size": head_size,
            "dropout": dropout,
            "bias": bias,
        }
        self.heads = heads
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)  # or it would cast to float32
        shapes = {**{name: (width, inner) for name, width in self.widths.items()}, "out": (inner, size)}
        for name, shape in shapes.items():
            weight = self.add_weight(shape=shape, initializer="glorot_uniform", name=f"w_{name}")
            setattr(self, f"w_{name}", weight)
        for name, (_, width) in shapes.items():
            zeros = self.add_weight(shape=(width,), initializer="zeros", name=f"b_{name}") if bias else None
            setattr(self, f"b_{name}", zeros)
        self.built = True

    @validated(_checks.layer_multi_head)
    def call(
        self,
        query: Tensor,
        keys: Tensor,
        values: Tensor,
        mask: Tensor | None = None,
        *,
        temperature: float | Tensor = 1.0,
        keys_mask: Tensor | None = None,
        training: bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Context (…, Tq, d_q) and the weights (…, h, Tq, T) of each head, before dropout.

        `mask` broadcasts to (…, Tq, T), True = attend. `keys_mask` (B, T) is what Keras hands over by itself when the
        keys come from a layer with `mask_zero=True`; it is joined to `mask`.
        """
        mask = join_masks(mask, None if keys_mask is None else ops.expand_dims(keys_mask, -2))  # (B, 1, T)
        q = self._project("query", query)  # (…, h, Tq, d)
        k = self._project("keys", hide(keys, mask))  # (…, h, T, d)
        v = self._project("values", hide(values, mask))  # (…, h, T, d)
        each = mask if mask is None or len(mask.shape) < 3 else ops.expand_dims(mask, -3)  # the same for every head
        weights = masked_softmax(scaled_dot_scores(q, k), each, temperature=temperature)
        context = merge_heads(self.dropout(weights, training=training) @ v) @ self.w_out  # (…, Tq, d_q)
        context = context if self.b_out is None else context + self.b_out
        if mask is not None:
            some = ops.any(mask, axis=-1, keepdims=True) if len(mask.shape) > 0 else mask
            context = ops.where(some, context, ops.zeros_like(context))
        return context, weights

    def _project(self, name: str, x: Tensor) -> Tensor:
        bias = getattr(self, f"b_{name}")
        projected = x @ getattr(self, f"w_{name}")
        return split_heads(projected if bias is None else projected + bias, self.heads)

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """The context has no time axis of the keys left, so no padding mask goes on."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.config}
