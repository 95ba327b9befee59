"""Attention pooling in PyTorch: a learned query asks every sequence the same question."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.torch.attention import additive_scores, attend, dot_scores, general_scores, scaled_dot_scores


class AttentionPooling(nn.Module):
    """A learned `query` (d,) looks up the states of a sequence; their weighted mean is its summary.

    α_t = softmax_t(score(q, h_t)/τ), c = Σ_t α_t h_t

    With additive scores this is Yang et al. 2016, eq. 5 to 7: their bias is our W_q q.

    Parameters
    ----------
    size : d, the width of the states
    score : "dot", "scaled_dot", "general" (parameter `weight` (d, d)) or "additive" (`w_query` and `w_keys`
        (d, A), `v` (A,))
    units : A, for additive scores only; d where it is not given

    Raises
    ------
    ValueError
        A size or units below 1, an unknown score.
    """

    def __init__(self, size: int, *, score: str = "additive", units: int | None = None) -> None:
        super().__init__()
        units = size if units is None else units
        _checks.at_least("size", size, 1, "features")
        _checks.at_least("units", units, 1, "attention units")
        _checks.one_of("score", score, _checks.SCORES)
        self.size, self.score = size, score
        self.query = nn.Parameter(torch.randn(size) * size**-0.5)  # length about 1, whatever the size
        if score == "general":
            self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, size)))
        if score == "additive":
            self.w_query = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, units)))
            self.w_keys = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, units)))
            self.v = nn.Parameter(torch.randn(units) * units**-0.5)

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
        weights : (B, T), sum to 1 over the real tokens

        Raises
        ------
        ValueError
            Shapes that do not fit, a mask that is not boolean, no time step, a temperature that is not positive.
        """
        if mask is not None:
            # A weight of 0 times a NaN in the padding is NaN still: take out what is there.
            states = states.masked_fill(~mask.unsqueeze(-1), 0.0)
            mask = mask.unsqueeze(-2)  # (B, 1, T)
        context, weights = attend(
            self.query.unsqueeze(0), states, states, mask, temperature=temperature, score=self.scores
        )
        assert weights is not None  # they were asked for
        return context.squeeze(-2), weights.squeeze(-2)

    def extra_repr(self) -> str:
        return f"size={self.size}, score={self.score!r}"
