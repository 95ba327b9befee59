"""The forecaster as one function: every step of the forecast asks the past its own question."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.numpy.model import (
    Array,
    Shapes,
    attention_shapes,
    encode,
    encoder_shapes,
    encoder_sizes,
    look_up,
    size_of,
)


def forecaster_shapes(
    *,
    input_size: int,
    hidden_size: int,
    horizon: int,
    future_size: int = 0,
    outputs: int = 1,
    score: str = "additive",
    attention_units: int | None = None,
    heads: int = 1,
    num_layers: int = 1,
    residual: bool = False,
) -> Shapes:
    """Every parameter of the forecaster by name, with its shape.

    The arguments are those of the models (`attnlstm_ref.torch.AttentionForecaster`).

    Raises
    ------
    ValueError
        A size or a horizon below 1, a future_size below 0, an unknown score, heads that do not fit.
    """
    states, units = 2 * hidden_size, hidden_size if attention_units is None else attention_units
    _checks.forecaster_sizes(input_size, hidden_size, horizon, future_size, outputs, score, units, heads)
    _checks.at_least("num_layers", num_layers, 1, "layers")
    shapes: Shapes = {"step": (horizon, states)}
    if future_size:
        shapes["w_future"] = (future_size, states)
    shapes |= encoder_shapes(input_size, hidden_size, num_layers, residual)
    shapes |= attention_shapes("attend", states, units, score)
    return shapes | {"head.weight": (2 * states, outputs), "head.bias": (outputs,)}


def _check(
    inputs: Array,
    future: Array | None,
    parameters: Mapping[str, Array],
    mask: Array | None = None,
    *,
    score: str = "additive",
    heads: int = 1,
    temperature: float = 1.0,
) -> None:
    _checks.one_of("score", score, _checks.SCORES)
    sizes = encoder_sizes(parameters) | {
        "horizon": size_of(parameters, "step", 2),
        "future_size": size_of(parameters, "w_future", 2) if "w_future" in parameters else 0,
    }
    wanted = forecaster_shapes(
        **sizes,
        outputs=size_of(parameters, "head.bias", 1),
        score=score,
        attention_units=size_of(parameters, "attend.v", 1) if score == "additive" else None,
        heads=heads,
    )
    _checks.parameters_fit(parameters, dict(wanted))
    widths = sizes["input_size"], sizes["horizon"], sizes["future_size"]
    _checks.forecast(inputs, future, mask, widths, temperature)


@validated(_check)
def attention_forecaster(
    inputs: Float[Array, "B T D"],
    future: Float[Array, "B horizon F"] | None,
    parameters: Mapping[str, Array],
    mask: Bool[Array, "B T"] | None = None,
    *,
    score: str = "additive",
    heads: int = 1,
    temperature: float = 1.0,
) -> tuple[Float[Array, "B horizon outputs"], Float[Array, "B horizon T"]]:
    """Read the past both ways; ask it one question for each step ahead; answer each from what was found.

    q_j = s_j + W_f f_j,  c_j = Σ_t α_jt h_t with α_j = softmax(score(q_j, h)/τ),  ŷ_j = W_o [c_j; q_j] + b

    (Bahdanau et al. 2015, eq. 5 and 6, with q_j in the place of the decoder's state.) Dropout is for training and does
    not appear here.

    Parameters
    ----------
    inputs : (B, T, D) the past
    future : (B, horizon, F) what is known of each step ahead; None where the parameters have no `w_future`
    parameters : by the names of `forecaster_shapes`
    mask : (B, T) booleans, True = a real step of the past; every step when not given
    score : "dot", "scaled_dot", "general", "additive" or "multi_head"
    heads : h, for "multi_head": the shapes do not tell it
    temperature : τ > 0

    Returns
    -------
    outputs : (B, horizon, outputs)
    weights : (B, horizon, T); each step's sum to 1 over the real past; of several heads their mean

    Raises
    ------
    ValueError
        Names the parameters that are missing, unexpected or of a wrong shape, or the argument that does not fit.
    """
    mask = np.ones(inputs.shape[:2], dtype=bool) if mask is None else mask
    states = encode(inputs, parameters, mask)  # (B, T, 2H)
    query = parameters["step"] if future is None else parameters["step"] + future @ parameters["w_future"]
    context, weights = look_up(
        query, states, parameters, mask, place="attend", score=score, heads=heads, temperature=temperature
    )
    told = np.concatenate([context, np.broadcast_to(query, context.shape)], axis=-1)  # (B, horizon, 4H)
    return told @ parameters["head.weight"] + parameters["head.bias"], weights
