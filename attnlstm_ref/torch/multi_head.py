"""Multi-head attention in PyTorch: several small look-ups side by side."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.torch.attention import fused, hide, masked_softmax, scaled_dot_scores


@validated(_checks.split_heads)
def split_heads(x: Float[Tensor, "... T width"], heads: int) -> Float[Tensor, "... h T d"]:
    """(…, T, h·d) -> (…, h, T, d); see `attnlstm_ref.numpy.split_heads`."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


@validated(_checks.merge_heads)
def merge_heads(x: Float[Tensor, "... h T d"]) -> Float[Tensor, "... T width"]:
    """(…, h, T, d) -> (…, T, h·d): undoes `split_heads`."""
    return x.transpose(-3, -2).flatten(-2)


class MultiHeadAttention(nn.Module):
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

    w_out: Tensor
    b_query: Tensor | None
    b_out: Tensor | None

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
    ) -> None:
        super().__init__()
        self.widths, inner = _checks.multi_head_sizes(size, heads, key_size, value_size, head_size, dropout)
        self.heads, self.dropout = heads, dropout
        for name, width in self.widths.items():
            self.register_parameter(f"w_{name}", nn.Parameter(nn.init.xavier_uniform_(torch.empty(width, inner))))
        self.w_out = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inner, size)))
        for name, width in {**dict.fromkeys(self.widths, inner), "out": size}.items():
            self.register_parameter(f"b_{name}", nn.Parameter(torch.zeros(width)) if bias else None)

    @validated(_checks.layer_multi_head)
    def forward(
        self,
        query: Float[Tensor, "... Tq d_q"],
        keys: Float[Tensor, "... T d_k"],
        values: Float[Tensor, "... T d_v"],
        mask: Bool[Tensor, "..."] | None = None,
        *,
        temperature: float | Tensor = 1.0,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "... Tq d_q"], Float[Tensor, "... h Tq T"] | None]:
        """Look up in every head.

        Parameters
        ----------
        query : (…, Tq, d_q)
        keys : (…, T, d_k)
        values : (…, T, d_v)
        mask : booleans that broadcast to (…, Tq, T), True = attend; all heads have the same
        temperature : τ > 0
        need_weights : False runs PyTorch's fused kernel, which never stores the weights

        Returns
        -------
        context : (…, Tq, d_q); zeros, and no bias, where there is nothing to attend to
        weights : (…, h, Tq, T) of each head, before dropout; None when they were not asked for

        Raises
        ------
        ValueError
            Names the argument, the shape it has and the shape wanted.
        """
        seen = hide(keys, mask)
        q, k, v = self._project(query, seen, seen if values is keys else hide(values, mask))  # (…, h, T, d) each
        each = mask if mask is None or mask.ndim < 3 else mask.unsqueeze(-3)  # the same for every head
        weights = None
        if need_weights or (self.training and self.dropout > 0.0):
            weights = masked_softmax(scaled_dot_scores(q, k), each, temperature=temperature)
            context = F.dropout(weights, self.dropout, self.training) @ v
        else:
            context = fused(q, k, v, each, temperature)
        out = F.linear(merge_heads(context), self.w_out.mT, self.b_out)  # (…, Tq, d_q)
        if mask is not None:
            out = out.where(mask.any(dim=-1, keepdim=True), 0.0)
        return out, (weights if need_weights else None)

    def _project(self, query: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if query is keys is values:
            q, k, v = self._product(query, "query", "keys", "values")
        elif keys is values:
            (q,), (k, v) = self._product(query, "query"), self._product(keys, "keys", "values")
        else:
            (q,), (k,), (v,) = (
                self._product(x, n) for n, x in {"query": query, "keys": keys, "values": values}.items()
            )
        return split_heads(q, self.heads), split_heads(k, self.heads), split_heads(v, self.heads)

    def _product(self, x: Tensor, *names: str) -> tuple[Tensor, ...]:
        """One product for all the projections that read the same thing: faster than one each."""
        weight = torch.cat([getattr(self, f"w_{name}") for name in names], dim=-1)
        bias = None if self.b_query is None else torch.cat([getattr(self, f"b_{name}") for name in names])
        return F.linear(x, weight.mT, bias).chunk(len(names), dim=-1)

    def extra_repr(self) -> str:
        return f"size={self.widths['query']}, heads={self.heads}"
