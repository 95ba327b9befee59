"""Attention in Keras 3: the functions of `attnlstm_ref.numpy` in `keras.ops`, and layers that hold parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated

Tensor = Any  # keras.KerasTensor while a model is built, the backend's tensor when it runs
Score = Callable[[Tensor, Tensor], Tensor]


@validated(_checks.softmax)
def softmax(scores: Tensor, *, temperature: float | Tensor = 1.0) -> Tensor:
    """Weights α = exp(e/τ) / Σ exp(e/τ) over the last axis; see `attnlstm_ref.numpy.softmax`."""
    if scores.shape[-1] == 1:
        return 1.0 + 0.0 * scores  # one step gets all the weight; `ops.softmax` would warn of a mistake
    if isinstance(temperature, float) and temperature == 1.0:
        return ops.softmax(scores, axis=-1)  # takes the largest score away by itself
    # Shift before dividing: in float16 a score of 1e3 over a small temperature would overflow.
    top = ops.stop_gradient(ops.max(scores, axis=-1, keepdims=True))
    return ops.softmax((scores - top) / temperature, axis=-1)


@validated(_checks.masked_softmax)
def masked_softmax(scores: Tensor, mask: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
    """Softmax over the steps the mask allows (True = attend); the others get exactly 0.

    A row with nothing to attend to gets zero weights and a zero gradient, never NaN.

    Parameters
    ----------
    scores : (…, T)
    mask : booleans that broadcast to (…, T), True = attend
    temperature : τ > 0; a tensor may be learned

    Returns
    -------
    (…, T) weights

    Raises
    ------
    ValueError
        A mask that is not boolean or does not fit, no time step, a temperature that is not positive.
    """
    if mask is None:
        return softmax(scores, temperature=temperature)
    zero = ops.zeros_like(scores)
    some = ops.any(mask, axis=-1, keepdims=True) if len(mask.shape) > 0 else mask
    # Softmax of a row of -inf is NaN, and so is its gradient, even where a later `where` hides it.
    # Such a row is given equal finite scores first, and zeros after.
    allowed = ops.where(some, ops.where(mask, scores, zero - math.inf), zero)
    if not isinstance(temperature, (int, float)):
        # The gradient of -inf/τ by τ is 0 · inf = NaN: masked steps are divided as zeros, and hidden after.
        top = ops.stop_gradient(ops.max(allowed, axis=-1, keepdims=True))
        cooled = (ops.where(mask, allowed, top) - top) / temperature
        allowed, temperature = ops.where(some, ops.where(mask, cooled, zero - math.inf), zero), 1.0
    return ops.where(mask, softmax(allowed, temperature=temperature), zero)


@validated(_checks.dot_scores)
def dot_scores(query: Tensor, keys: Tensor) -> Tensor:
    """e_t = q · k_t            (Luong et al. 2015, eq. 8, "dot")"""
    return query @ ops.swapaxes(keys, -2, -1)


@validated(_checks.dot_scores)
def scaled_dot_scores(query: Tensor, keys: Tensor) -> Tensor:
    """e_t = q · k_t / √d       (Vaswani et al. 2017, eq. 1)"""
    # Dividing the query is the same number and touches Tq·d elements in place of Tq·T.
    return dot_scores(query / math.sqrt(query.shape[-1]), keys)


@validated(_checks.general_scores)
def general_scores(query: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    """e_t = qᵀ W k_t           (Luong et al. 2015, eq. 8, "general")"""
    return dot_scores(query @ weight, keys)


@validated(_checks.additive_scores)
def additive_scores(query: Tensor, keys: Tensor, w_query: Tensor, w_keys: Tensor, v: Tensor) -> Tensor:
    """e_t = v · tanh(W_q q + W_k k_t)            (Bahdanau et al. 2015, A.1.2)"""
    q = ops.expand_dims(query @ w_query, -2)  # (…, Tq, 1, A)
    k = ops.expand_dims(keys @ w_keys, -3)  # (…, 1,  T, A)
    return ops.squeeze(ops.tanh(q + k) @ ops.expand_dims(v, -1), -1)  # (…, Tq, T)


def hide(states: Tensor, mask: Tensor | None) -> Tensor:
    """Zeros at the steps no query may look at; see `attnlstm_ref.numpy.hide`."""
    if mask is None:
        return states
    seen = ops.any(mask, axis=-2) if len(mask.shape) > 1 else mask  # (…, T)
    return ops.where(ops.expand_dims(seen, -1), states, ops.zeros_like(states))


def join_masks(mask: Tensor | None, padding: Tensor | None) -> Tensor | None:
    """What both masks allow; None allows everything."""
    if mask is None or padding is None:
        return padding if mask is None else mask
    return ops.logical_and(mask, padding)


@validated(_checks.attend)
def attend(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    mask: Tensor | None = None,
    *,
    temperature: float | Tensor = 1.0,
    score: Score = scaled_dot_scores,
) -> tuple[Tensor, Tensor]:
    """Look the query up among the keys; return the weighted mean of their values.

    c = Σ_t α_t v_t with α = softmax(score(q, k)/τ)      (Bahdanau et al. 2015, eq. 5 and 6)

    Parameters
    ----------
    query : (…, Tq, d)
    keys : (…, T, d_k)
    values : (…, T, d_v)
    mask : booleans that broadcast to the weights (…, Tq, T), True = attend
    temperature : τ > 0
    score : function (query, keys) -> (…, Tq, T)

    Returns
    -------
    context : (…, Tq, d_v)
    weights : (…, Tq, T)

    Raises
    ------
    ValueError
        Names the argument, the shape it has and the shape wanted.
    """
    keys, values = hide(keys, mask), hide(values, mask)
    weights = masked_softmax(score(query, keys), mask, temperature=temperature)
    return weights @ values, weights


class _Attention(keras.layers.Layer):
    """What every layer shares: the call, Keras' own padding masks, and dropout on the weights."""

    def __init__(self, *, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout: got {dropout}, wanted a share from 0 up to but not 1")
        self.rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)  # or it would cast to float32

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        raise NotImplementedError

    @validated(_checks.layer_attend)
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
        """`attend` with this layer's scores; the weights returned are those before dropout.

        `keys_mask` (B, T) is what Keras hands over by itself when the keys come from a layer with
        `mask_zero=True`; it is joined to `mask`.
        """
        mask = join_masks(mask, None if keys_mask is None else ops.expand_dims(keys_mask, -2))  # (B, 1, T)
        keys, values = hide(keys, mask), hide(values, mask)
        weights = masked_softmax(self.scores(query, keys), mask, temperature=temperature)
        return self.dropout(weights, training=training) @ values, weights

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """The context has no time axis of the keys left, so no padding mask goes on."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dropout": self.rate}


@keras.saving.register_keras_serializable("attnlstm_ref")
class DotAttention(_Attention):
    """Dot-product attention, divided by √d unless `scaled` is False. It has no parameters."""

    def __init__(self, *, scaled: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scaled = scaled

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return scaled_dot_scores(query, keys) if self.scaled else dot_scores(query, keys)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scaled": self.scaled}


@keras.saving.register_keras_serializable("attnlstm_ref")
class GeneralAttention(_Attention):
    """Luong's "general" attention: a dot product in a learned metric `weight` (d_q, d_k)."""

    def __init__(self, query_size: int, key_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sizes = {"query_size": query_size, "key_size": key_size}
        self.weight = self.add_weight(shape=(query_size, key_size), initializer="glorot_uniform", name="weight")

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return general_scores(query, keys, self.weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.sizes}


@keras.saving.register_keras_serializable("attnlstm_ref")
class AdditiveAttention(_Attention):
    """Bahdanau's attention: `w_query` (d_q, A), `w_keys` (d_k, A) and `v` (A,) score each pair."""

    def __init__(self, query_size: int, key_size: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sizes = {"query_size": query_size, "key_size": key_size, "units": units}
        small = keras.initializers.RandomNormal(stddev=units**-0.5)
        self.w_query = self.add_weight(shape=(query_size, units), initializer="glorot_uniform", name="w_query")
        self.w_keys = self.add_weight(shape=(key_size, units), initializer="glorot_uniform", name="w_keys")
        self.v = self.add_weight(shape=(units,), initializer=small, name="v")

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return additive_scores(query, keys, self.w_query, self.w_keys, self.v)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.sizes}
