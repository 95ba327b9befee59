"""The whole Attention-LSTM as one function of its inputs and a flat dictionary of parameters.

The names in that dictionary are how the three dialects exchange weights: each model's `to_numpy`
writes it and `load_numpy` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.numpy.attention import (
    Score,
    additive_scores,
    attend,
    dot_scores,
    general_scores,
    scaled_dot_scores,
)
from attnlstm_ref.numpy.lstm import LSTMWeights, bilstm
from attnlstm_ref.numpy.multi_head import MultiHeadWeights, multi_head_attention

Array = np.ndarray
Shapes = dict[str, tuple[int, ...]]
MATRICES = MultiHeadWeights._fields[:4]  # of several heads; the model has no biases there


def parameter_shapes(
    *,
    input_size: int,
    hidden_size: int,
    outputs: int = 1,
    vocab_size: int | None = None,
    score: str = "additive",
    attention_units: int | None = None,
    heads: int = 1,
    num_layers: int = 1,
    residual: bool = False,
) -> Shapes:
    """Every parameter of the model by name, with its shape; their product, summed, is the parameter count.

    The arguments are those of the models (`attnlstm_ref.torch.AttentionLSTM`).

    Raises
    ------
    ValueError
        A size below 1, an unknown score, heads that do not fit.
    """
    for name, size in [("input_size", input_size), ("hidden_size", hidden_size), ("outputs", outputs)]:
        _checks.at_least(name, size, 1, "units")
    _checks.at_least("num_layers", num_layers, 1, "layers")
    states = 2 * hidden_size
    _checks.pooling_heads("2 * hidden_size", states, score, heads)
    units = hidden_size if attention_units is None else attention_units
    shapes: Shapes = {} if vocab_size is None else {"embedding": (vocab_size, input_size)}
    shapes |= encoder_shapes(input_size, hidden_size, num_layers, residual)
    shapes |= {"pool.query": (states,)} | attention_shapes("pool", states, units, score)
    return shapes | {"head.weight": (states, outputs), "head.bias": (outputs,)}


def encoder_shapes(input_size: int, hidden_size: int, num_layers: int, residual: bool) -> Shapes:
    """The parameters of the stack of BiLSTMs."""
    shapes, states = Shapes(), 2 * hidden_size
    for layer in range(num_layers):
        width = input_size if layer == 0 else states
        for direction in ("forward", "backward"):
            shapes[f"encoder.{layer}.{direction}.w_input"] = (width, 4 * hidden_size)
            shapes[f"encoder.{layer}.{direction}.w_hidden"] = (hidden_size, 4 * hidden_size)
            shapes[f"encoder.{layer}.{direction}.bias"] = (4 * hidden_size,)
        if residual and width != states:
            shapes[f"encoder.{layer}.skip"] = (width, states)
        if residual:
            shapes[f"encoder.{layer}.norm.gain"] = shapes[f"encoder.{layer}.norm.bias"] = (states,)
    return shapes


def attention_shapes(place: str, size: int, units: int, score: str) -> Shapes:
    """What a score needs between a query and keys of one size; the names begin with `place`."""
    shapes: dict[str, Shapes] = {
        "general": {"weight": (size, size)},
        "additive": {"w_query": (size, units), "w_keys": (size, units), "v": (units,)},
        "multi_head": dict.fromkeys(MATRICES, (size, size)),
    }
    return {f"{place}.{name}": shape for name, shape in shapes.get(score, {}).items()}


def size_of(parameters: Mapping[str, Array], name: str, rank: int, axis: int = 0) -> int:
    """One size read off a parameter, which has to be there."""
    if name not in parameters:
        raise ValueError(f"parameters: missing: {name}")
    _checks.exactly(name, parameters[name], (None,) * rank, f"{rank} axes")
    return int(parameters[name].shape[axis])


def encoder_sizes(parameters: Mapping[str, Array]) -> dict[str, Any]:
    """The arguments that say how the stack of BiLSTMs is made."""
    return {
        "input_size": size_of(parameters, "encoder.0.forward.w_input", 2),
        "hidden_size": size_of(parameters, "encoder.0.forward.w_hidden", 2),
        "num_layers": sum(name.endswith(".forward.w_hidden") for name in parameters),
        "residual": "encoder.0.norm.gain" in parameters,
    }


def _sizes(parameters: Mapping[str, Array], score: str, heads: int) -> Shapes:
    """The shapes these parameters would have if they fit each other, as far as the sizes can be read off."""
    return parameter_shapes(
        **encoder_sizes(parameters),
        outputs=size_of(parameters, "head.bias", 1),
        vocab_size=size_of(parameters, "embedding", 2) if "embedding" in parameters else None,
        score=score,
        attention_units=size_of(parameters, "pool.v", 1) if score == "additive" else None,
        heads=heads,
    )


def _check(
    inputs: Array,
    parameters: Mapping[str, Array],
    mask: Array | None = None,
    *,
    score: str = "additive",
    heads: int = 1,
    temperature: float = 1.0,
) -> None:
    _checks.one_of("score", score, _checks.SCORES)
    wanted = _sizes(parameters, score, heads)
    _checks.parameters_fit(parameters, dict(wanted))
    vocab_size, input_size = wanted.get("embedding", (None, wanted["encoder.0.forward.w_input"][0]))
    _checks.tokens_or_features(inputs, mask, input_size, vocab_size)
    _checks.temperature_is_positive(temperature)
    if vocab_size is not None:  # NumPy would take token -1 for the last word
        tokens = inputs if mask is None else np.where(mask, inputs, 0)
        _checks.tokens_known(int(tokens.min()), int(tokens.max()), vocab_size)


def layer_norm(x: Float[Array, "*batch d"], gain: Float[Array, " d"], bias: Float[Array, " d"]) -> Array:
    """(x - mean) / √(variance + 1e-5), scaled and shifted, over the last axis      (Ba et al. 2016, eq. 4)"""
    centred = x - x.mean(axis=-1, keepdims=True)
    return gain * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) + bias


def _score(name: str, parameters: Mapping[str, Array], place: str) -> Score:
    """The score function with its parameters filled in."""
    if name == "general":
        return lambda query, keys: general_scores(query, keys, parameters[f"{place}.weight"])
    if name == "additive":
        w_query, w_keys, v = (parameters[f"{place}.{part}"] for part in ("w_query", "w_keys", "v"))
        return lambda query, keys: additive_scores(query, keys, w_query, w_keys, v)
    return dot_scores if name == "dot" else scaled_dot_scores


def encode(
    inputs: Float[Array, "B T D"], parameters: Mapping[str, Array], mask: Bool[Array, "B T"]
) -> Float[Array, "B T states"]:
    """The stack of BiLSTMs, each with its skip and layer norm where the parameters have them."""
    real = mask[..., None]  # (B, T, 1)
    x = np.where(real, inputs, 0.0)
    layers = sum(name.endswith(".forward.w_hidden") for name in parameters)
    for layer in range(layers):
        part = {key.removeprefix(f"encoder.{layer}."): parameters[key] for key in parameters}
        forward, backward = (
            LSTMWeights(part[f"{way}.w_input"], part[f"{way}.w_hidden"], part[f"{way}.bias"])
            for way in ("forward", "backward")
        )
        y = bilstm(x, forward, backward, mask)  # (B, T, 2H)
        if "norm.gain" in part:
            skipped = x @ part["skip"] if "skip" in part else x
            y = np.where(real, layer_norm(skipped + y, part["norm.gain"], part["norm.bias"]), 0.0)
        x = y
    return x


def look_up(
    query: Float[Array, "... Tq d"],
    states: Float[Array, "B T d"],
    parameters: Mapping[str, Array],
    mask: Bool[Array, "B T"],
    *,
    place: str,
    score: str,
    heads: int,
    temperature: float,
) -> tuple[Float[Array, "B Tq d"], Float[Array, "B Tq T"]]:
    """Queries put to all the states, by the parameters in `place`; of several heads, the weights are their mean."""
    allowed = mask[:, None, :]  # (B, 1, T)
    if score == "multi_head":
        matrices = [parameters[f"{place}.{name}"] for name in MATRICES]
        biases = [np.zeros_like(matrix[0]) for matrix in matrices]
        context, weights = multi_head_attention(
            query, states, states, MultiHeadWeights(*matrices, *biases), allowed, heads=heads, temperature=temperature
        )
        return context, weights.mean(axis=1)  # (B, h, Tq, T) -> (B, Tq, T)
    score_function = _score(score, parameters, place)
    return attend(query, states, states, allowed, temperature=temperature, score=score_function)


@validated(_check)
def attention_lstm(
    inputs: Shaped[Array, "B T *D"],
    parameters: Mapping[str, Array],
    mask: Bool[Array, "B T"] | None = None,
    *,
    score: str = "additive",
    heads: int = 1,
    temperature: float = 1.0,
) -> tuple[Float[Array, "B outputs"], Float[Array, "B T"]]:
    """Read both ways, look at what matters, answer: BiLSTM, attention pooling, a linear head.

    Dropout is for training and does not appear here.

    Parameters
    ----------
    inputs : tokens (B, T), whole numbers, where the parameters have an embedding; else features (B, T, D)
    parameters : by the names of `parameter_shapes`
    mask : (B, T) booleans, True = a real token; tokens other than 0, or every step, when not given
    score : "dot", "scaled_dot", "general", "additive" or "multi_head"
    heads : h, for "multi_head": the shapes do not tell it
    temperature : τ > 0

    Returns
    -------
    outputs : (B, outputs) logits of a classifier, values of a regression: the head is the same linear layer
    weights : (B, T) attention weights; they sum to 1 over the real tokens; of several heads their mean

    Raises
    ------
    ValueError
        Names the parameters that are missing, unexpected or of a wrong shape, or the argument that does not fit.
    """
    if "embedding" in parameters:
        mask = inputs != 0 if mask is None else mask
        inputs = parameters["embedding"][np.where(mask, inputs, 0)]  # (B, T, D)
    mask = np.ones(inputs.shape[:2], dtype=bool) if mask is None else mask
    states = encode(inputs, parameters, mask)  # (B, T, 2H)
    query = parameters["pool.query"][None, :]  # (1, 2H): one query for every row
    context, weights = look_up(
        query, states, parameters, mask, place="pool", score=score, heads=heads, temperature=temperature
    )
    return context[:, 0] @ parameters["head.weight"] + parameters["head.bias"], weights[:, 0]
