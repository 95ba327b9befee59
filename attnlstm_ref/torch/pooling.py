"""Attention pooling in PyTorch: a learned query asks every sequence the same question."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.torch.attention import additive_scores, attend, dot_scores, general_scores, scaled_dot_scores
from attnlstm_ref.torch.multi_head import MultiHeadAttention


class AttentionPooling(nn.Module):
    """A learned `query` (d,) looks up the states of a sequence; their weighted mean is its summary.

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
    """

    def __init__(self, size: int, *, score: str = "additive", units: int | None = None, heads: int = 1) -> None:
        super().__init__()
        units = size if units is None else units
        _checks.at_least("size", size, 1, "features")
        _checks.at_least("units", units, 1, "attention units")
        _checks.pooling_heads("size", size, score, heads)
        self.size, self.score, self.heads = size, score, heads
        self.query = nn.Parameter(torch.randn(size) * size**-0.5)  # length about 1, whatever the size
        if score == "general":
            self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, size)))
        if score == "additive":
            self.w_query = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, units)))
            self.w_keys = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, units)))
            self.v = nn.Parameter(torch.randn(units) * units**-0.5)
        if score == "multi_head":
            # No biases: with one query and weights that sum to 1, each would only move scores or context by a constant.
            self.attention = MultiHeadAttention(size, heads, bias=False)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores (B, 1, T) of the keys (B, T, d) against the query (1, d)."""
        if self.score == "general":
            return general_scores(query, keys, self.weight)
        if self.score == "additive":
            return additive_scores(query, keys, self.w_query, self.w_keys, self.v)
        return (dot_scores if self.score == "dot" else scaled_dot_scores)(query, keys)

    @validated(_checks.pooling)
    def forward(
        self,
        states: Float[Tensor, "B T d"],
        mask: Bool[Tensor, "B T"] | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> tuple[Float[Tensor, "B d"], Float[Tensor, "B T"]]:
        """Pool the states of each sequence into one.

        Parameters
        ----------
        states : (B, T, d)
        mask : (B, T) booleans, True = a real token
        temperature : τ > 0

        Returns
        -------
        context : (B, d), zeros where a row has no real token
        weights : (B, T), sum to 1 over the real tokens; of several heads their mean, so that whatever reads weights
            reads these too. Each head's own, (B, h, 1, T), are what `pool.attention` returns.

        Raises
        ------
        ValueError
            Shapes that do not fit, a mask that is not boolean, no time step, a temperature that is not positive.
        """
        if mask is not None:
            # A weight of 0 times a NaN in the padding is NaN still: take out what is there.
            states = states.masked_fill(~mask.unsqueeze(-1), 0.0)
            mask = mask.unsqueeze(-2)  # (B, 1, T)
        query = self.query.unsqueeze(0)  # (1, d): one for the whole batch
        if self.score == "multi_head":
            context, weights = self.attention(query, states, states, mask, temperature=temperature)
            weights = weights.mean(dim=-3)  # (B, h, 1, T) -> (B, 1, T)
        else:
            context, weights = attend(query, states, states, mask, temperature=temperature, score=self.scores)
        assert weights is not None  # they were asked for
        return context.squeeze(-2), weights.squeeze(-2)

    def extra_repr(self) -> str:
        return f"size={self.size}, score={self.score!r}" + (f", heads={self.heads}" if self.heads > 1 else "")
