"""Weights between PyTorch and the NumPy dialect, and so between PyTorch and Keras.

PyTorch keeps its matrices the other way round (units first) and gives each LSTM two biases, which it only
ever adds: their sum is the one bias of the NumPy dialect. On the way back the second is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
import torch
from torch import Tensor, nn

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.numpy import LSTMWeights, MultiHeadWeights
from attnlstm_ref.torch.encoder import BiLSTMEncoder, BiLSTMLayer
from attnlstm_ref.torch.forecaster import AttentionForecaster
from attnlstm_ref.torch.model import AttentionLSTM
from attnlstm_ref.torch.multi_head import MultiHeadAttention
from attnlstm_ref.torch.pooling import AttentionPooling
from attnlstm_ref.torch.seq2seq import Seq2Seq

Model = AttentionLSTM | AttentionForecaster | Seq2Seq
Part = Tensor | nn.LSTM | nn.LSTMCell
Pair = tuple[LSTMWeights, LSTMWeights]  # forward, backward


def _check_lstm(lstm: object, *, layer: int = 0) -> None:
    if not isinstance(lstm, nn.LSTM):
        raise ValueError(f"lstm: got {type(lstm).__name__}, wanted nn.LSTM")
    if not lstm.bias or lstm.proj_size:
        raise ValueError(
            f"lstm: got bias={lstm.bias} and proj_size={lstm.proj_size}, wanted an LSTM with biases and no projection"
        )
    if not 0 <= layer < lstm.num_layers:
        raise ValueError(f"layer: got {layer}, wanted 0 to {lstm.num_layers - 1}")


@validated(_check_lstm)
def from_lstm(lstm: nn.LSTM, *, layer: int = 0) -> LSTMWeights | Pair:
    """The weights of one layer of an `nn.LSTM`: a pair (forward, backward) where it is bidirectional.

    Returns
    -------
    `LSTMWeights`, or a pair of them: copies, in the LSTM's own precision

    Raises
    ------
    ValueError
        Another kind of module, an LSTM without biases or with projections, a layer it does not have.
    """
    directions = [_read(lstm, f"_l{layer}{suffix}") for suffix in _suffixes(lstm)]
    return (directions[0], directions[1]) if lstm.bidirectional else directions[0]


def to_lstm(*layers: LSTMWeights | Pair) -> nn.LSTM:
    """An `nn.LSTM` (batch first) with these weights, one argument a layer; pairs make it bidirectional.

    Raises
    ------
    ValueError
        No layer, layers with and without a backward direction, arrays that do not fit each other.
    """
    if not layers:
        raise ValueError("layers: got none, wanted LSTMWeights, or a pair of them, for each layer")
    stack = [(layer,) if isinstance(layer, LSTMWeights) else tuple(layer) for layer in layers]
    counts = {len(directions) for directions in stack}
    if counts not in ({1}, {2}):
        raise ValueError(f"layers: got {sorted(counts)} directions, wanted 1 in every layer or 2 in every layer")
    width = input_size = stack[0][0].w_input.shape[0]
    hidden = stack[0][0].w_hidden.shape[0]
    for depth, directions in enumerate(stack):
        for way, one in enumerate(directions):
            name = f"layers[{depth}][{way}]"
            if _checks._lstm_weights(name, one, width) != hidden:
                raise ValueError(f"{name}: got {one.w_hidden.shape[0]} hidden units, wanted {hidden} as in the first")
        width = hidden * len(directions)
    lstm = nn.LSTM(
        input_size,
        hidden,
        num_layers=len(stack),
        bidirectional=counts == {2},
        batch_first=True,
        dtype=torch.as_tensor(stack[0][0].w_input[:0]).dtype,
    )
    for depth, directions in enumerate(stack):
        for suffix, one in zip(_suffixes(lstm), directions, strict=True):
            _write(lstm, f"_l{depth}{suffix}", one)
    return lstm


def _check_multi_head(layer: object) -> None:
    if not isinstance(layer, nn.MultiheadAttention | MultiHeadAttention):
        raise ValueError(f"layer: got {type(layer).__name__}, wanted nn.MultiheadAttention or MultiHeadAttention")
    if isinstance(layer, nn.MultiheadAttention) and (layer.bias_k is not None or layer.add_zero_attn):
        raise ValueError(
            "layer: got add_bias_kv or add_zero_attn, wanted a layer that looks up what it is given and nothing else"
        )


@validated(_check_multi_head)
def from_multi_head(layer: nn.MultiheadAttention | MultiHeadAttention) -> MultiHeadWeights:
    """The weights of PyTorch's multi-head layer or of ours; zeros for biases it does not have.

    Returns
    -------
    `MultiHeadWeights`: copies, in the layer's own precision

    Raises
    ------
    ValueError
        Another kind of module; `add_bias_kv` or `add_zero_attn`, which put in steps of their own.
    """
    if isinstance(layer, MultiHeadAttention):
        matrices = [getattr(layer, name) for name in MultiHeadWeights._fields[:4]]
        biases = [getattr(layer, name) for name in MultiHeadWeights._fields[4:]]
    else:
        joint = layer.in_proj_weight
        apart = [layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight]
        matrices = [w.T for w in (*(apart if joint is None else joint.chunk(3)), layer.out_proj.weight)]
        inner = [None] * 3 if layer.in_proj_bias is None else layer.in_proj_bias.chunk(3)
        biases = [*inner, layer.out_proj.bias]
    zeros = [matrix.new_zeros(matrix.shape[1]) for matrix in matrices]
    filled = [zero if bias is None else bias for bias, zero in zip(biases, zeros, strict=True)]
    return MultiHeadWeights(*map(_array, (*matrices, *filled)))


def to_multi_head(weights: MultiHeadWeights, heads: int) -> nn.MultiheadAttention:
    """PyTorch's layer (batch first) with these weights.

    Raises
    ------
    ValueError
        Arrays that do not fit each other, heads that do not divide their width, heads whose joint width is not that
        of query and context: PyTorch's layer has no other kind.
    """
    _checks.multi_head_weights("weights", weights, heads)
    size = weights.w_query.shape[0]
    _checks.exactly("weights.w_query", weights.w_query, (size, size), "(size, size)")
    _checks.exactly("weights.w_values", weights.w_values, (None, size), "(d_v, size)")
    _checks.exactly("weights.w_out", weights.w_out, (size, size), "(size, size)")
    sizes = {"kdim": weights.w_keys.shape[0], "vdim": weights.w_values.shape[0]}
    dtype = torch.as_tensor(weights.w_query[:0]).dtype
    layer = nn.MultiheadAttention(size, heads, batch_first=True, dtype=dtype, **sizes)
    in_proj = layer.in_proj_weight
    apart = (layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight) if in_proj is None else in_proj.chunk(3)
    with torch.no_grad():
        for place, matrix in zip((*apart, layer.out_proj.weight), weights[:4], strict=True):
            place.copy_(torch.tensor(matrix).T)
        for place, bias in zip((*layer.in_proj_bias.chunk(3), layer.out_proj.bias), weights[4:], strict=True):
            place.copy_(torch.tensor(bias))
    return layer


def load_multi_head(layer: MultiHeadAttention, weights: MultiHeadWeights) -> None:
    """Put such weights into a layer of ours of the same shape, in place.

    Raises
    ------
    ValueError
        Arrays of another shape, biases that are not zero for a layer without; nothing is loaded then.
    """
    _checks.multi_head_weights("weights", weights, layer.heads)
    parameters = dict(layer.named_parameters())
    given = {name: array for name, array in weights._asdict().items() if name in parameters or np.any(array)}
    _checks.parameters_fit(given, {name: tuple(tensor.shape) for name, tensor in parameters.items()})
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(torch.tensor(given[name]))


def to_numpy(model: Model) -> dict[str, np.ndarray]:
    """The model's parameters under the names that all three dialects share; see `attnlstm_ref.numpy.attention_lstm`.

    Returns
    -------
    name -> array, copies in the model's own precision (bfloat16, which NumPy lacks, as float32)
    """
    parameters: dict[str, np.ndarray] = {}
    for name, part in _parts(model).items():
        if isinstance(part, nn.LSTM | nn.LSTMCell):
            parameters |= {f"{name}.{field}": array for field, array in _read(part, _place(part))._asdict().items()}
        else:
            parameters[name] = _array(part)
    return parameters


def load_numpy(model: Model, parameters: Mapping[str, np.ndarray]) -> None:
    """Put such parameters into a model of the same shape, in place.

    Raises
    ------
    ValueError
        Names that are missing, that the model does not have, or whose shape is another; nothing is loaded then.
    """
    _checks.parameters_fit(parameters, {name: array.shape for name, array in to_numpy(model).items()})
    for name, part in _parts(model).items():
        if isinstance(part, nn.LSTM | nn.LSTMCell):
            _write(part, _place(part), LSTMWeights(*(parameters[f"{name}.{field}"] for field in LSTMWeights._fields)))
        else:
            with torch.no_grad():
                part.copy_(torch.tensor(parameters[name]))


@singledispatch
def _parts(module: nn.Module) -> dict[str, Part]:
    """Every parameter by its shared name, turned the way the NumPy dialect has it (a view); LSTMs as they are.

    A shared name is the attribute's, whatever the model: its own parameters, then those of its modules behind their
    name and a dot. The functions below say where a kind of module departs from that.
    """
    named: dict[str, Part] = dict(module.named_parameters(recurse=False))
    for name, child in module.named_children():
        named |= {f"{name}.{inner}" if inner else name: part for inner, part in _parts(child).items()}
    return named


@_parts.register(nn.Embedding)
def _(module: nn.Embedding) -> dict[str, Part]:
    return {"": module.weight}


@_parts.register(nn.Linear)
def _(module: nn.Linear) -> dict[str, Part]:
    return {"weight": module.weight.T, "bias": module.bias}


@_parts.register(nn.LSTM)
@_parts.register(nn.LSTMCell)
def _(module: nn.LSTM | nn.LSTMCell) -> dict[str, Part]:
    return {"": module}


@_parts.register(AttentionPooling)
def _(module: AttentionPooling) -> dict[str, Part]:
    # "attention.w_keys" of several heads is "w_keys", as of additive scores.
    return {name.split(".")[-1]: parameter for name, parameter in module.named_parameters()}


@_parts.register(BiLSTMEncoder)
def _(module: BiLSTMEncoder) -> dict[str, Part]:
    return _parts(module.layers)


@_parts.register(BiLSTMLayer)
def _(module: BiLSTMLayer) -> dict[str, Part]:
    named: dict[str, Part] = {"forward": module.rightward, "backward": module.leftward}
    if module.skip is not None:
        named["skip"] = module.skip.weight.T
    if module.norm is not None:
        named |= {"norm.gain": module.norm.weight, "norm.bias": module.norm.bias}
    return named


def _suffixes(lstm: nn.LSTM) -> tuple[str, ...]:
    return ("", "_reverse") if lstm.bidirectional else ("",)


def _place(lstm: nn.LSTM | nn.LSTMCell) -> str:
    """What PyTorch adds to the names of the first layer's weights; a cell has no layers."""
    return "_l0" if isinstance(lstm, nn.LSTM) else ""


def _read(lstm: nn.LSTM | nn.LSTMCell, place: str) -> LSTMWeights:
    bias = getattr(lstm, f"bias_ih{place}") + getattr(lstm, f"bias_hh{place}")
    return LSTMWeights(
        _array(getattr(lstm, f"weight_ih{place}").T), _array(getattr(lstm, f"weight_hh{place}").T), _array(bias)
    )


def _write(lstm: nn.LSTM | nn.LSTMCell, place: str, weights: LSTMWeights) -> None:
    with torch.no_grad():
        getattr(lstm, f"weight_ih{place}").copy_(torch.tensor(weights.w_input).T)
        getattr(lstm, f"weight_hh{place}").copy_(torch.tensor(weights.w_hidden).T)
        getattr(lstm, f"bias_ih{place}").copy_(torch.tensor(weights.bias))
        getattr(lstm, f"bias_hh{place}").zero_()


def _array(tensor: Tensor) -> np.ndarray:
    """A copy that shares nothing with the tensor."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy().copy()
