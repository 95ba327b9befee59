"""Multi-head attention as equations: several small look-ups side by side, each in a projection of its own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.numpy.attention import attend, hide

Array = np.ndarray


class MultiHeadWeights(NamedTuple):
    """Parameters of multi-head attention, the heads side by side: head i owns columns i·d to (i + 1)·d.

    A layer without biases is one whose biases are zero.
    """

    w_query: Array  # (d_q, h·d)
    w_keys: Array  # (d_k, h·d)
    w_values: Array  # (d_v, h·d)
    w_out: Array  # (h·d, d_out)
    b_query: Array  # (h·d,)
    b_keys: Array  # (h·d,)
    b_values: Array  # (h·d,)
    b_out: Array  # (d_out,)


@validated(_checks.split_heads)
def split_heads(x: Float[Array, "... T width"], heads: int) -> Float[Array, "... h T d"]:
    """Cut the last axis into heads and give them an axis in front of time.

    Parameters
    ----------
    x : (…, T, h·d)
    heads : h, a divisor of the width

    Returns
    -------
    (…, h, T, d)

    Raises
    ------
    ValueError
        A width that h does not divide, no axis of time, h below 1.
    """
    *batch, steps, width = x.shape
    return x.reshape(*batch, steps, heads, width // heads).swapaxes(-3, -2)


@validated(_checks.merge_heads)
def merge_heads(x: Float[Array, "... h T d"]) -> Float[Array, "... T width"]:
    """Lay the heads side by side again: undoes `split_heads`.

    Parameters
    ----------
    x : (…, h, T, d)

    Returns
    -------
    (…, T, h·d)

    Raises
    ------
    ValueError
        Fewer than three axes.
    """
    *batch, heads, steps, width = x.shape
    return x.swapaxes(-3, -2).reshape(*batch, steps, heads * width)


@validated(_checks.multi_head_attention)
def multi_head_attention(
    query: Float[Array, "... Tq d_q"],
    keys: Float[Array, "... T d_k"],
    values: Float[Array, "... T d_v"],
    weights: MultiHeadWeights,
    mask: Bool[Array, "..."] | None = None,
    *,
    heads: int,
    temperature: float = 1.0,
) -> tuple[Float[Array, "... Tq d_out"], Float[Array, "... h Tq T"]]:
    """Project, split, look up in every head, lay side by side, project.

    head_i = attend(q W_i^Q, k W_i^K, v W_i^V),  c = [head_1, …, head_h] W^O      (Vaswani et al. 2017, 3.2.2)

    Parameters
    ----------
    query : (…, Tq, d_q)
    keys : (…, T, d_k)
    values : (…, T, d_v)
    weights : projections, the heads side by side
    mask : booleans that broadcast to (…, Tq, T), True = attend; all heads have the same
    heads : h
    temperature : τ > 0

    Returns
    -------
    context : (…, Tq, d_out); zeros, and no bias, where there is nothing to attend to
    alpha : (…, h, Tq, T) the weights of each head

    Raises
    ------
    ValueError
        Names the argument, the shape it has and the shape wanted.
    """
    w = weights
    keys, values = hide(keys, mask), hide(values, mask)
    q = split_heads(query @ w.w_query + w.b_query, heads)  # (…, h, Tq, d)
    k = split_heads(keys @ w.w_keys + w.b_keys, heads)  # (…, h, T, d)
    v = split_heads(values @ w.w_values + w.b_values, heads)  # (…, h, T, d)
    each = mask if mask is None or mask.ndim < 3 else mask[..., None, :, :]  # the same for every head
    context, alpha = attend(q, k, v, each, temperature=temperature)  # (…, h, Tq, d), (…, h, Tq, T)
    out = merge_heads(context) @ w.w_out + w.b_out  # (…, Tq, d_out)
    return (out if mask is None else np.where(mask.any(axis=-1, keepdims=True), out, 0.0)), alpha
