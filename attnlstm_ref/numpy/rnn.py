"""The plain recurrent network as equations: one step, and a walk over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated

Array = np.ndarray


class RNNWeights(NamedTuple):
    """Parameters of a plain recurrent network in one direction.

    Keras keeps its `SimpleRNN` the same way; PyTorch's `nn.RNN` has both matrices transposed, and two biases
    that it adds.
    """

    w_input: Array  # (D, H)
    w_hidden: Array  # (H, H)
    bias: Array  # (H,)


@validated(_checks.rnn_step)
def rnn_step(x: Float[Array, "B D"], h: Float[Array, "B H"], weights: RNNWeights) -> Float[Array, "B H"]:
    """Read one token: the new state is a squashed sum of the token and the state before.

    h_t = tanh(W x_t + U h_{t-1} + b)      (Elman 1990)

    Parameters
    ----------
    x : (B, D) the token
    h : (B, H) the state at the step before
    weights : W as `w_input`, U as `w_hidden`, b as `bias`

    Returns
    -------
    h : (B, H), between -1 and 1

    Raises
    ------
    ValueError
        Names the argument, the shape it has and the shape wanted.
    """
    return np.tanh(x @ weights.w_input + h @ weights.w_hidden + weights.bias)


@validated(_checks.rnn)
def rnn(
    inputs: Float[Array, "B T D"],
    weights: RNNWeights,
    mask: Bool[Array, "B T"] | None = None,
    *,
    reverse: bool = False,
) -> Float[Array, "B T H"]:
    """Read a batch of sequences from h = 0 and return the state at every step.

    Where the mask is False the network holds still: h passes the step unchanged, and the state returned
    is 0. So padding, wherever it stands and whatever is in it, changes no other state.

    Parameters
    ----------
    inputs : (B, T, D)
    weights : of one direction
    mask : (B, T) booleans, True = a real token
    reverse : read from the last step to the first; states come in the order of the inputs all the same

    Returns
    -------
    (B, T, H) states

    Raises
    ------
    ValueError
        Shapes that do not fit, a mask that is not boolean, no time step.
    """
    batch, steps, _ = inputs.shape
    mask = np.ones((batch, steps), dtype=bool) if mask is None else mask
    h = np.zeros((batch, len(weights.w_hidden)), dtype=inputs.dtype)
    states = []
    for t in reversed(range(steps)) if reverse else range(steps):
        real = mask[:, t, None]  # (B, 1)
        h = np.where(real, rnn_step(inputs[:, t], h, weights), h)
        states.append(np.where(real, h, 0.0))
    return np.stack(states[::-1] if reverse else states, axis=1)
