"""How sharp are the weights? Two numbers that say it, and two penalties that move it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated

Array = np.ndarray


@validated(_checks.sharpness_by_value)
def entropy(weights: Float[Array, "*batch T"]) -> Float[Array, "*batch"] | np.floating:
    """How spread out each row of weights is, in nats: 0 with all on one step, ln T with all steps equal.

    H(α) = −Σ_t α_t ln α_t            (Shannon 1948, section 6)

    Parameters
    ----------
    weights : (…, T), none negative; a weight of 0 adds nothing

    Returns
    -------
    (…) entropies; a row of zeros, with nothing attended, has 0

    Raises
    ------
    ValueError
        Numbers that are not floats, a negative one (scores are no weights), no time step.
    """
    return -(weights * np.log(np.where(weights > 0, weights, 1.0))).sum(axis=-1)


@validated(_checks.sharpness_by_value)
def effective_length(weights: Float[Array, "*batch T"]) -> Float[Array, "*batch"] | np.floating:
    """How many steps, attended equally, would have this entropy: from 1 to T.

    n(α) = exp(H(α)), the perplexity of the weights; for ecologists Hill's number of order 1 (Hill 1973).

    Parameters
    ----------
    weights : (…, T), none negative

    Returns
    -------
    (…) numbers of steps; 0 for a row of zeros, with nothing attended

    Raises
    ------
    ValueError
        As `entropy`.
    """
    some = (weights > 0).any(axis=-1)
    return np.exp(entropy(weights)) * some


@validated(_checks.sharpness_by_value)
def entropy_penalty(weights: Float[Array, "*batch T"]) -> np.floating:
    """Mean entropy of the rows that attend to anything: times a positive number in the loss it sharpens.

    Parameters
    ----------
    weights : (…, T), none negative

    Returns
    -------
    one number, from 0 to ln T; 0 where no row attends to anything

    Raises
    ------
    ValueError
        As `entropy`.
    """
    rows = (weights > 0).any(axis=-1)
    return entropy(weights).sum() / max(int(rows.sum()), 1)  # a row of zeros adds 0 to the sum


@validated(_checks.sharpness_by_value)
def square_penalty(weights: Float[Array, "*batch T"]) -> np.floating:
    """Mean of Σ_t α_t² over the rows that attend to anything: times a positive number in the loss it *flattens*.

    This is what "L2 regularisation of the weights" says when the weights meant are those of attention. Σ α² is 1/T
    where all steps are equal, its least, and 1 where one step has everything.

    Parameters
    ----------
    weights : (…, T), none negative

    Returns
    -------
    one number, from 1/T to 1; 0 where no row attends to anything

    Raises
    ------
    ValueError
        As `entropy`.
    """
    rows = (weights > 0).any(axis=-1)
    return (weights**2).sum() / max(int(rows.sum()), 1)
