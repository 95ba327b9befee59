"""How sharp the weights are, in PyTorch; see `attnlstm_ref.numpy.sharpness` for the equations."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated


@validated(_checks.sharpness_by_value)
def entropy(weights: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch"]:
    """H(α) = −Σ_t α_t ln α_t in nats, (…, T) -> (…); a weight of 0 adds nothing.

    The true gradient at a weight of 0 is infinite. Here it is 0, so that a masked step stays out of it.
    """
    return -(weights * weights.where(weights > 0, 1.0).log()).sum(dim=-1)


@validated(_checks.sharpness_by_value)
def effective_length(weights: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch"]:
    """exp(H(α)), the number of steps equally attended, (…, T) -> (…); 0 for a row of zeros."""
    return entropy(weights).exp() * _attending(weights)


@validated(_checks.sharpness_by_value)
def entropy_penalty(weights: Float[Tensor, "*batch T"]) -> Float[Tensor, ""]:
    """Mean entropy of the rows that attend to anything: times a positive number in the loss it sharpens."""
    return _mean(entropy(weights), _attending(weights))


@validated(_checks.sharpness_by_value)
def square_penalty(weights: Float[Tensor, "*batch T"]) -> Float[Tensor, ""]:
    """Mean of Σ_t α_t² over the rows that attend to anything: times a positive number in the loss it flattens."""
    return _mean(weights.square().sum(dim=-1), _attending(weights))


def _attending(weights: Tensor) -> Tensor:
    """Which rows attend to anything: (…, T) -> (…) booleans."""
    return (weights > 0).any(dim=-1)


def _mean(figures: Tensor, rows: Tensor) -> Tensor:
    """Mean of the figures of `rows`; the others are 0. Mean before quotient: a sum would overflow float16."""
    kind = torch.float64 if figures.dtype == torch.float64 else torch.float32
    share = rows.to(kind).mean()  # of the rows that attend to anything
    return (figures.mean().to(kind) / share.where(share > 0, 1.0)).to(figures.dtype)
