"""How sharp the weights are, in Keras 3; see `attnlstm_ref.numpy.sharpness` for the equations.

Only shapes and types are checked here: while Keras builds a model, there are no values to look at.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated

Tensor = Any


@validated(_checks.sharpness)
def entropy(weights: Tensor) -> Tensor:
    """H(α) = −Σ_t α_t ln α_t in nats, (…, T) -> (…); a weight of 0 adds nothing.

    The true gradient at a weight of 0 is infinite. Here it is 0, so that a masked step stays out of it.
    """
    wide = ops.cast(weights, _at_least_float32(weights))  # in float16 the slope of ln, 1/α, would overflow
    found = -ops.sum(wide * ops.log(ops.where(wide > 0, wide, ops.ones_like(wide))), axis=-1)
    return ops.cast(found, weights.dtype)


@validated(_checks.sharpness)
def effective_length(weights: Tensor) -> Tensor:
    """exp(H(α)), the number of steps equally attended, (…, T) -> (…); 0 for a row of zeros."""
    return ops.exp(entropy(weights)) * ops.cast(_attending(weights), weights.dtype)


@validated(_checks.sharpness)
def entropy_penalty(weights: Tensor) -> Tensor:
    """Mean entropy of the rows that attend to anything: times a positive number in the loss it sharpens."""
    return _mean(entropy(weights), _attending(weights))


@validated(_checks.sharpness)
def square_penalty(weights: Tensor) -> Tensor:
    """Mean of Σ_t α_t² over the rows that attend to anything: times a positive number in the loss it flattens."""
    return _mean(ops.sum(ops.square(weights), axis=-1), _attending(weights))


def _attending(weights: Tensor) -> Tensor:
    """Which rows attend to anything: (…, T) -> (…) booleans."""
    return ops.any(weights > 0, axis=-1)


def _at_least_float32(x: Tensor) -> str:
    return "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"


def _mean(figures: Tensor, rows: Tensor) -> Tensor:
    """Mean of the figures of `rows`; the others are 0. Mean before quotient: a sum would overflow float16."""
    kind = _at_least_float32(figures)
    share = ops.mean(ops.cast(rows, kind))  # of the rows that attend to anything
    mean = ops.cast(ops.mean(figures), kind) / ops.where(share > 0, share, ops.ones_like(share))
    return ops.cast(mean, figures.dtype)
