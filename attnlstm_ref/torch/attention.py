"""Attention in PyTorch: the functions of `attnlstm_ref.numpy` on tensors, and layers that hold parameters."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated

Score = Callable[[Tensor, Tensor], Tensor]


@validated(_checks.softmax)
def softmax(scores: Float[Tensor, "*batch T"], *, temperature: float | Tensor = 1.0) -> Float[Tensor, "*batch T"]:
    """Weights α = exp(e/τ) / Σ exp(e/τ) over the last axis; see `attnlstm_ref.numpy.softmax`."""
    if isinstance(temperature, float) and temperature == 1.0:
        return torch.softmax(scores, dim=-1)  # takes the largest score away by itself
    # Shift before dividing: in float16 a score of 1e3 over a small temperature would overflow.
    return torch.softmax((scores - scores.amax(dim=-1, keepdim=True).detach()) / temperature, dim=-1)


@validated(_checks.masked_softmax)
def masked_softmax(
    scores: Float[Tensor, "*batch T"], mask: Bool[Tensor, "..."] | None = None, *, temperature: float | Tensor = 1.0
) -> Float[Tensor, "*batch T"]:
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
    some = mask.any(dim=-1, keepdim=True)
    # Softmax of a row of -inf is NaN, and so is its gradient, even where a later `where` hides it.
    # Such a row is given equal finite scores first, and zeros after.
    allowed = scores.masked_fill(~mask, -math.inf).masked_fill(~some, 0.0)
    if isinstance(temperature, Tensor):
        # The gradient of -inf/τ by τ is 0 · inf = NaN: masked steps are divided as zeros, and hidden after.
        top = allowed.amax(dim=-1, keepdim=True).detach()
        allowed = ((allowed.where(mask, top) - top) / temperature).masked_fill(~mask & some, -math.inf)
        temperature = 1.0
    return softmax(allowed, temperature=temperature).masked_fill(~mask, 0.0)


@validated(_checks.dot_scores)
def dot_scores(query: Float[Tensor, "... Tq d"], keys: Float[Tensor, "... T d"]) -> Float[Tensor, "... Tq T"]:
    """e_t = q · k_t            (Luong et al. 2015, eq. 8, "dot")"""
    return query @ keys.transpose(-2, -1)


@validated(_checks.dot_scores)
def scaled_dot_scores(query: Float[Tensor, "... Tq d"], keys: Float[Tensor, "... T d"]) -> Float[Tensor, "... Tq T"]:
    """e_t = q · k_t / √d       (Vaswani et al. 2017, eq. 1)"""
    # Dividing the query is the same number and touches Tq·d elements in place of Tq·T.
    return dot_scores(query / math.sqrt(query.shape[-1]), keys)


@validated(_checks.general_scores)
def general_scores(
    query: Float[Tensor, "... Tq d_q"], keys: Float[Tensor, "... T d_k"], weight: Float[Tensor, "d_q d_k"]
) -> Float[Tensor, "... Tq T"]:
    """e_t = qᵀ W k_t           (Luong et al. 2015, eq. 8, "general")"""
    return dot_scores(query @ weight, keys)


@validated(_checks.additive_scores)
def additive_scores(
    query: Float[Tensor, "... Tq d_q"],
    keys: Float[Tensor, "... T d_k"],
    w_query: Float[Tensor, "d_q A"],
    w_keys: Float[Tensor, "d_k A"],
    v: Float[Tensor, " A"],
) -> Float[Tensor, "... Tq T"]:
    """e_t = v · tanh(W_q q + W_k k_t)            (Bahdanau et al. 2015, A.1.2)"""
    q = (query @ w_query).unsqueeze(-2)  # (…, Tq, 1, A)
    k = (keys @ w_keys).unsqueeze(-3)  # (…, 1,  T, A)
    return torch.tanh(q + k) @ v  # (…, Tq, T)


def hide(states: Float[Tensor, "... T d"], mask: Bool[Tensor, "..."] | None) -> Float[Tensor, "... T d"]:
    """Zeros at the steps no query may look at; see `attnlstm_ref.numpy.hide`."""
    if mask is None:
        return states
    seen = mask.any(dim=-2) if mask.ndim > 1 else mask  # (…, T)
    return states.where(seen.unsqueeze(-1), 0.0)


@validated(_checks.attend)
def attend(
    query: Float[Tensor, "... Tq d"],
    keys: Float[Tensor, "... T d_k"],
    values: Float[Tensor, "... T d_v"],
    mask: Bool[Tensor, "..."] | None = None,
    *,
    temperature: float | Tensor = 1.0,
    score: Score = scaled_dot_scores,
    need_weights: bool = True,
) -> tuple[Float[Tensor, "... Tq d_v"], Float[Tensor, "... Tq T"] | None]:
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
    need_weights : False lets dot products run in PyTorch's fused kernel, which never stores the weights

    Returns
    -------
    context : (…, Tq, d_v)
    weights : (…, Tq, T), or None when they were not asked for

    Raises
    ------
    ValueError
        Names the argument, the shape it has and the shape wanted.
    """
    keys, values = hide(keys, mask), hide(values, mask)
    if not need_weights and score in (dot_scores, scaled_dot_scores):
        return fused(query, keys, values, mask, temperature, score is scaled_dot_scores), None
    weights = masked_softmax(score(query, keys), mask, temperature=temperature)
    return weights @ values, (weights if need_weights else None)


def fused(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, temperature: float | Tensor, scaled: bool = True
) -> Tensor:
    """The same context from `scaled_dot_product_attention`, whose mask agrees with ours: True = attend."""
    _checks.dot_scores(query, keys)  # the score function that would have checked the widths is not called
    scale = 1.0 / math.sqrt(query.shape[-1]) if scaled else 1.0
    if isinstance(temperature, Tensor):
        query = query / temperature  # the kernel takes a number only, and no gradient for it
    else:
        scale = scale / temperature
    mask = None if mask is None else torch.atleast_2d(mask)  # the least the kernel takes
    if query.ndim != 3:
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scale)
    # On a CPU the fused kernel wants an axis of heads: (B, T, d) alone falls back to one that stores the weights.
    query, keys, values = (x.unsqueeze(-3) for x in (query, keys, values))
    mask = mask.unsqueeze(-3) if mask is not None and mask.ndim > 2 else mask
    return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scale).squeeze(-3)


class _Attention(nn.Module):
    """What every layer shares: the call, and dropout on the weights."""

    scores: Score  # (query, keys) -> (…, Tq, T)

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout: got {dropout}, wanted a share from 0 up to but not 1")
        self.dropout = dropout

    @validated(_checks.layer_attend)
    def forward(
        self,
        query: Float[Tensor, "... Tq d"],
        keys: Float[Tensor, "... T d_k"],
        values: Float[Tensor, "... T d_v"],
        mask: Bool[Tensor, "..."] | None = None,
        *,
        temperature: float | Tensor = 1.0,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "... Tq d_v"], Float[Tensor, "... Tq T"] | None]:
        """`attend` with this layer's scores; the weights returned are those before dropout."""
        if not (self.training and self.dropout > 0.0):
            return attend(
                query, keys, values, mask, temperature=temperature, score=self.scores, need_weights=need_weights
            )
        # Dropout must fall on the same weights whether or not they are asked for: no fused kernel here.
        weights = masked_softmax(self.scores(query, hide(keys, mask)), mask, temperature=temperature)
        context = F.dropout(weights, self.dropout) @ hide(values, mask)
        return context, (weights if need_weights else None)


class DotAttention(_Attention):
    """Dot-product attention, divided by √d unless `scaled` is False. It has no parameters."""

    def __init__(self, *, scaled: bool = True, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        self.scaled = scaled

    @property
    def scores(self) -> Score:  # type: ignore[override]
        # Chosen by a flag and not kept as a function: torch.compile does not tell two decorated functions apart.
        return scaled_dot_scores if self.scaled else dot_scores


class GeneralAttention(_Attention):
    """Luong's "general" attention: a dot product in a learned metric `weight` (d_q, d_k)."""

    def __init__(self, query_size: int, key_size: int, *, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        self.weight = nn.Parameter(torch.empty(query_size, key_size))
        nn.init.xavier_uniform_(self.weight)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return general_scores(query, keys, self.weight)


class AdditiveAttention(_Attention):
    """Bahdanau's attention: `w_query` (d_q, A), `w_keys` (d_k, A) and `v` (A,) score each pair."""

    def __init__(self, query_size: int, key_size: int, units: int, *, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        self.w_query = nn.Parameter(torch.empty(query_size, units))
        self.w_keys = nn.Parameter(torch.empty(key_size, units))
        self.v = nn.Parameter(torch.empty(units))
        nn.init.xavier_uniform_(self.w_query)
        nn.init.xavier_uniform_(self.w_keys)
        nn.init.normal_(self.v, std=units**-0.5)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return additive_scores(query, keys, self.w_query, self.w_keys, self.v)
