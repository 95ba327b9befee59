"""Attention as equations: scores, weights, context.

Every attention of the book is the same three lines with another way to score:

    scores  = score(query, keys)                     (…, Tq, T)
    weights = masked_softmax(scores, mask)           (…, Tq, T), each row sums to 1
    context = weights @ values                       (…, Tq, d_v)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated

Array = np.ndarray
Score = Callable[[Array, Array], Array]


@validated(_checks.softmax)
def softmax(scores: Float[Array, "*batch T"], *, temperature: float = 1.0) -> Float[Array, "*batch T"]:
    """Turn scores into weights: positive, summing to 1 over the last axis.

    α_t = exp(e_t/τ) / Σ_s exp(e_s/τ). Taking the largest score away first changes nothing in the
    quotient and keeps `exp` from overflowing.

    Parameters
    ----------
    scores : (…, T)
    temperature : τ > 0; below 1 sharpens, above 1 flattens (Hinton et al. 2015, eq. 1)

    Returns
    -------
    (…, T) weights

    Raises
    ------
    ValueError
        No time step, or a temperature that is not positive.
    """
    shifted = (scores - scores.max(axis=-1, keepdims=True)) / temperature
    e = np.exp(shifted)
    return e / e.sum(axis=-1, keepdims=True)


@validated(_checks.masked_softmax)
def masked_softmax(
    scores: Float[Array, "*batch T"], mask: Bool[Array, "..."] | None = None, *, temperature: float = 1.0
) -> Float[Array, "*batch T"]:
    """Softmax over the steps the mask allows; the others get exactly 0.

    A row with nothing to attend to gets zeros, not NaN: there is no best guess about nothing.

    Parameters
    ----------
    scores : (…, T)
    mask : booleans that broadcast to (…, T), True = attend
    temperature : τ > 0

    Returns
    -------
    (…, T) weights; a row sums to 1, or to 0 where all of it is masked

    Raises
    ------
    ValueError
        A mask that is not boolean or does not fit, no time step, a temperature that is not positive.
    """
    if mask is None:
        return softmax(scores, temperature=temperature)
    mask = np.broadcast_to(mask, scores.shape)
    some = mask.any(axis=-1, keepdims=True)
    allowed = np.where(mask, scores, -np.inf)  # e^-inf is exactly 0
    weights = softmax(np.where(some, allowed, 0.0), temperature=temperature)
    return np.where(mask, weights, 0.0)


@validated(_checks.dot_scores)
def dot_scores(query: Float[Array, "... Tq d"], keys: Float[Array, "... T d"]) -> Float[Array, "... Tq T"]:
    """Score every key by its dot product with the query.

    e_t = q · k_t            (Luong et al. 2015, eq. 8, "dot")

    Parameters
    ----------
    query : (…, Tq, d)
    keys : (…, T, d)

    Returns
    -------
    (…, Tq, T) scores, unbounded; their spread grows with √d

    Raises
    ------
    ValueError
        Widths or batch axes that differ, no time step.
    """
    return query @ keys.swapaxes(-2, -1)


@validated(_checks.dot_scores)
def scaled_dot_scores(query: Float[Array, "... Tq d"], keys: Float[Array, "... T d"]) -> Float[Array, "... Tq T"]:
    """Dot products divided by √d, so that their spread does not depend on d.

    e_t = q · k_t / √d       (Vaswani et al. 2017, eq. 1)

    Parameters
    ----------
    query : (…, Tq, d)
    keys : (…, T, d)

    Returns
    -------
    (…, Tq, T) scores

    Raises
    ------
    ValueError
        Widths or batch axes that differ, no time step.
    """
    return dot_scores(query, keys) / np.sqrt(query.shape[-1])


@validated(_checks.general_scores)
def general_scores(
    query: Float[Array, "... Tq d_q"], keys: Float[Array, "... T d_k"], weight: Float[Array, "d_q d_k"]
) -> Float[Array, "... Tq T"]:
    """Dot product in a learned metric; query and keys may differ in width.

    e_t = qᵀ W k_t           (Luong et al. 2015, eq. 8, "general")

    Parameters
    ----------
    query : (…, Tq, d_q)
    keys : (…, T, d_k)
    weight : (d_q, d_k)

    Returns
    -------
    (…, Tq, T) scores

    Raises
    ------
    ValueError
        A weight that does not fit query and keys, no time step.
    """
    return dot_scores(query @ weight, keys)


@validated(_checks.additive_scores)
def additive_scores(
    query: Float[Array, "... Tq d_q"],
    keys: Float[Array, "... T d_k"],
    w_query: Float[Array, "d_q A"],
    w_keys: Float[Array, "d_k A"],
    v: Float[Array, " A"],
) -> Float[Array, "... Tq T"]:
    """Score every key against the query with Bahdanau's small network.

    e_t = v · tanh(W_q q + W_k k_t)            (Bahdanau et al. 2015, A.1.2)

    Parameters
    ----------
    query : (…, Tq, d_q)
    keys : (…, T, d_k)
    w_query : (d_q, A)
    w_keys : (d_k, A)
    v : (A,)

    Returns
    -------
    (…, Tq, T) scores, at most ‖v‖₁ in size

    Raises
    ------
    ValueError
        Parameters that do not fit query and keys, no time step.
    """
    q = (query @ w_query)[..., :, None, :]  # (…, Tq, 1, A)
    k = (keys @ w_keys)[..., None, :, :]  # (…, 1,  T, A)
    return np.tanh(q + k) @ v  # (…, Tq, T)


def hide(states: Float[Array, "... T d"], mask: Bool[Array, "..."] | None) -> Float[Array, "... T d"]:
    """Put zeros at the steps no query may look at.

    A weight of 0 is not enough to keep what stands in the padding out of a sum: 0 · inf is NaN.

    Parameters
    ----------
    states : (…, T, d) keys or values
    mask : booleans that broadcast to the weights (…, Tq, T), True = attend

    Returns
    -------
    (…, T, d)
    """
    if mask is None:
        return states
    seen = mask.any(axis=-2) if mask.ndim > 1 else mask  # (…, T)
    return np.where(seen[..., None], states, 0.0)  # type: ignore[index]  # NumPy thinks any() may be a scalar


@validated(_checks.attend)
def attend(
    query: Float[Array, "... Tq d"],
    keys: Float[Array, "... T d_k"],
    values: Float[Array, "... T d_v"],
    mask: Bool[Array, "..."] | None = None,
    *,
    temperature: float = 1.0,
    score: Score = scaled_dot_scores,
) -> tuple[Float[Array, "... Tq d_v"], Float[Array, "... Tq T"]]:
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
