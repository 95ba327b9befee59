"""Attention pooling in Keras: one learned question put to all the states of a sequence."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.keras import attention
from attnlstm_ref.keras.attention import Tensor, join_masks
from attnlstm_ref.keras.multi_head import MultiHeadAttention


class MaskByPosition:
    """Lets `layer(states, None)` mean what it says: Keras fills in a mask of its own and trips over the None."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 2:
            inputs, mask = args
            args, kwargs = (inputs,), {"mask": mask, **kwargs}
        return super().__call__(*args, **kwargs)  # type: ignore[misc]


def _check(layer: AttentionPooling, states: Any, mask: Any = None, *, temperature: Any = 1.0, **_: Any) -> None:
    batch, steps, _size = _checks.sequence("states", states, layer.size, "(B, T, d)")
    _checks.padding_mask(mask, batch, steps)
    _checks.temperature_is_positive(temperature)


@keras.saving.register_keras_serializable("attnlstm_ref")
class AttentionPooling(MaskByPosition, keras.layers.Layer):
    """A learned `query` (d,) looks up all the states of a sequence; their weighted mean is its summary.

    α_t = softmax_t(score(q, h_t)/τ), c = Σ_t α_t h_t

    With additive scores this is Yang et al. 2016, eq. 5 to 7: their bias is our W_q q. With "multi_head" the query
    looks through a `MultiHeadAttention`, and that layer's context is the summary: the pooling of Lee et al. 2019 with
    one seed and without its feed-forward layers.

    Parameters
    ----------
    size : d, the width of the states
    score : "dot", "scaled_dot", "general" (parameter `weight` (d, d)), "additive" (`w_query` and `w_keys` (d, A),
        `v` (A,)) or "multi_head" (`attention`, four matrices (d, d))
    units : A, for additive scores only; d where it is not given
    heads : h, for "multi_head" only, a divisor of d

    Raises
    ------
    ValueError
        A size, units or heads below 1, an unknown score, heads that do not divide the size, several heads with a
        score that has one.

    Notes
    -----
    Called as `pool(states, mask=None, *, temperature=1.0)` on states (B, T, d) and a mask (B, T), True = a real
    step, it returns the context (B, d) and the weights (B, T). The padding mask of Keras (from `mask_zero=True` or
    `Masking`) arrives by itself and is joined to `mask`. A sequence of padding alone gives zeros.

    Of several heads the weights are the mean, so that whatever reads weights reads these too. Each head's own,
    (B, h, 1, T), are what `pool.attention` returns.
    """

    def __init__(
        self, size: int, score: str = "additive", units: int | None = None, *, heads: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        a = size if units is None else units
        _checks.at_least("size", size, 1, "features")
        _checks.at_least("units", a, 1, "attention units")
        _checks.pooling_heads("size", size, score, heads)
        self.size, self.score, self.units, self.heads = size, score, units, heads
        self.query = self.add_weight(shape=(size,), initializer=_spread(size), name="query")
        if score == "general":
            self.weight = self.add_weight(shape=(size, size), initializer="glorot_uniform", name="weight")
        if score == "additive":
            self.w_query = self.add_weight(shape=(size, a), initializer="glorot_uniform", name="w_query")
            self.w_keys = self.add_weight(shape=(size, a), initializer="glorot_uniform", name="w_keys")
            self.v = self.add_weight(shape=(a,), initializer=_spread(a), name="v")
        if score == "multi_head":
            # No biases: with one query and weights that sum to 1, each would only move scores or context by a constant.
            self.attention = MultiHeadAttention(size, heads, bias=False, dtype=self.dtype_policy, name="attention")
        self.built = True

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        if self.score == "general":
            return attention.general_scores(query, keys, self.weight)
        if self.score == "additive":
            return attention.additive_scores(query, keys, self.w_query, self.w_keys, self.v)
        return (attention.dot_scores if self.score == "dot" else attention.scaled_dot_scores)(query, keys)

    @validated(_check)
    def call(
        self,
        states: Tensor,
        mask: Tensor | None = None,
        *,
        temperature: float | Tensor = 1.0,
        states_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Context (B, d) and weights (B, T); `states_mask` is Keras' own mask where `mask` is given too."""
        mask = join_masks(mask, states_mask)
        query = ops.reshape(self.query, (1, 1, self.size))  # one query for the whole batch
        allowed = None if mask is None else ops.expand_dims(mask, -2)  # (B, 1, T)
        if self.score == "multi_head":
            context, weights = self.attention(query, states, states, allowed, temperature=temperature)
            weights = ops.mean(weights, axis=-3)  # (B, h, 1, T) -> (B, 1, T)
        else:
            context, weights = attention.attend(
                query, states, states, allowed, temperature=temperature, score=self.scores
            )
        return ops.squeeze(context, -2), ops.squeeze(weights, -2)

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """The time axis is gone from the context, and the padding mask with it."""

    def get_config(self) -> dict[str, Any]:
        own = {"size": self.size, "score": self.score, "units": self.units, "heads": self.heads}
        return {**super().get_config(), **own}


def _spread(size: int) -> keras.initializers.Initializer:
    """Entries whose vector has length about 1 whatever its size."""
    return keras.initializers.RandomNormal(stddev=size**-0.5)
