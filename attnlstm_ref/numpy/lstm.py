"""The LSTM as equations: one step, a walk over time, a walk each way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated

Array = np.ndarray


class LSTMWeights(NamedTuple):
    """Parameters of one LSTM in one direction, the four gates side by side in the order i, f, g, o.

    PyTorch keeps the gates in this order too (its matrices transposed, and a second bias that is added); Keras calls
    g "c" and has the same order. ONNX has i, o, f, g, and the cells of TensorFlow 1 had i, g, f, o.
    """

    w_input: Array  # (D, 4H)
    w_hidden: Array  # (H, 4H)
    bias: Array  # (4H,)


def sigmoid(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1 / (1 + e^-x), written with tanh, which cannot overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


@validated(_checks.lstm_step)
def lstm_step(
    x: Float[Array, "B D"], h: Float[Array, "B H"], c: Float[Array, "B H"], weights: LSTMWeights
) -> tuple[Float[Array, "B H"], Float[Array, "B H"]]:
    """Read one token: forget some of the cell, write some, show some.

    i, f, o = σ(…), g = tanh(…), each of its own quarter of W x_t + U h_{t-1} + b;
    c_t = f ⊙ c_{t-1} + i ⊙ g,  h_t = o ⊙ tanh(c_t)      (Hochreiter & Schmidhuber 1997; the forget gate f of
    Gers et al. 2000)

    Parameters
    ----------
    x : (B, D) the token
    h : (B, H) what the cell showed at the step before
    c : (B, H) what it held
    weights : gates in the order i, f, g, o

    Returns
    -------
    h, c : (B, H) each

    Raises
    ------
    ValueError
        Names the argument, the shape it has and the shape wanted.
    """
    gates = x @ weights.w_input + h @ weights.w_hidden + weights.bias  # (B, 4H)
    i, f, g, o = np.split(gates, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


@validated(_checks.lstm)
def lstm(
    inputs: Float[Array, "B T D"],
    weights: LSTMWeights,
    mask: Bool[Array, "B T"] | None = None,
    *,
    reverse: bool = False,
) -> Float[Array, "B T H"]:
    """Read a batch of sequences from h = c = 0 and return the state at every step.

    Where the mask is False the cell holds still: h and c pass the step unchanged, and the state returned
    is 0. So padding, wherever it stands and whatever is in it, changes no other state.

    Parameters
    ----------
    inputs : (B, T, D)
    weights : gates in the order i, f, g, o
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
    h = c = np.zeros((batch, len(weights.w_hidden)), dtype=inputs.dtype)
    states = []
    for t in reversed(range(steps)) if reverse else range(steps):
        real = mask[:, t, None]  # (B, 1)
        new_h, new_c = lstm_step(inputs[:, t], h, c, weights)
        h, c = np.where(real, new_h, h), np.where(real, new_c, c)
        states.append(np.where(real, h, 0.0))
    return np.stack(states[::-1] if reverse else states, axis=1)


@validated(_checks.bilstm)
def bilstm(
    inputs: Float[Array, "B T D"],
    forward: LSTMWeights,
    backward: LSTMWeights,
    mask: Bool[Array, "B T"] | None = None,
) -> Float[Array, "B T states"]:
    """Read both ways; the state at step t has seen what is left of it, and what is right of it.

    (Schuster & Paliwal 1997; Graves & Schmidhuber 2005.)

    Parameters
    ----------
    inputs : (B, T, D)
    forward, backward : weights of the two directions
    mask : (B, T) booleans, True = a real token

    Returns
    -------
    (B, T, 2H) states: H forward units, then H backward units

    Raises
    ------
    ValueError
        Shapes that do not fit, directions of different size, a mask that is not boolean, no time step.
    """
    states = lstm(inputs, forward, mask), lstm(inputs, backward, mask, reverse=True)
    return np.concatenate(states, axis=-1)
