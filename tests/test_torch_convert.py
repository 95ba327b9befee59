"""Weights in and out of PyTorch."""

import numpy as np
import pytest
import torch
from torch import nn

from attnlstm_ref import numpy as an
from attnlstm_ref.numpy import LSTMWeights, parameter_shapes
from attnlstm_ref.torch import AttentionLSTM, from_lstm, load_numpy, to_lstm, to_numpy

D, H = 4, 3
SIZES = {"input_size": D, "hidden_size": H, "outputs": 2, "vocab_size": 9, "attention_units": 5, "num_layers": 2}
SCORES = ("dot", "scaled_dot", "general", "additive", "multi_head")


def model(seed: int = 0, **options) -> AttentionLSTM:
    torch.manual_seed(seed)
    return AttentionLSTM(**SIZES | options).double()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_nn_lstm_there_and_back(bidirectional, num_layers):
    theirs = nn.LSTM(D, H, num_layers, batch_first=True, bidirectional=bidirectional, dtype=torch.float64)
    layers = [from_lstm(theirs, layer=layer) for layer in range(num_layers)]
    x = torch.randn(2, 5, D, dtype=torch.float64)
    states = x.numpy()
    for layer in layers:
        states = an.bilstm(states, *layer) if bidirectional else an.lstm(states, layer)
    np.testing.assert_allclose(states, theirs(x)[0].detach().numpy(), rtol=0, atol=1e-12)
    again = to_lstm(*layers)
    torch.testing.assert_close(again(x)[0], theirs(x)[0], rtol=0, atol=1e-12)
    assert (again.num_layers, again.bidirectional) == (num_layers, bidirectional)
    assert not again.bias_hh_l0.any()  # the two biases came as their sum


def test_what_comes_out_is_a_copy():
    lstm = nn.LSTM(D, H)
    weights = from_lstm(lstm)
    assert weights.w_input.dtype == np.float32
    before = lstm.weight_ih_l0.detach().clone()
    weights.w_input[:] = 0
    assert torch.equal(lstm.weight_ih_l0, before)
    parameters = to_numpy(model())
    for array in parameters.values():
        array[:] = 7
    assert not any((tensor == 7).any() for tensor in model().state_dict().values())


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("residual", [False, True])
def test_names_and_shapes_are_the_shared_ones(score, residual):
    shapes = {name: array.shape for name, array in to_numpy(model(score=score, residual=residual)).items()}
    assert shapes == parameter_shapes(**SIZES, score=score, residual=residual)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("residual", [False, True])
def test_a_model_with_loaded_weights_is_the_same_model(score, residual):
    one, other = (model(seed, score=score, residual=residual) for seed in (0, 1))
    tokens = torch.tensor([[3, 4, 5], [6, 7, 0]])
    assert not torch.allclose(one(tokens)[0], other(tokens)[0])
    load_numpy(other, to_numpy(one))
    for ours, theirs in zip(other(tokens), one(tokens), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    loaded, first = to_numpy(other), to_numpy(one)
    assert all(np.array_equal(loaded[name], first[name]) for name in first)


def test_bfloat16_comes_out_as_float32():
    assert {array.dtype for array in to_numpy(model().bfloat16()).values()} == {np.dtype("float32")}


def test_nothing_is_loaded_when_anything_is_wrong():
    target, parameters = model(1), to_numpy(model())
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    parameters["head.bias"] = np.zeros(7)
    del parameters["pool.query"]
    parameters["head.gain"] = np.zeros(1)
    with pytest.raises(ValueError) as error:
        load_numpy(target, parameters)
    assert str(error.value) == (
        "parameters: missing: pool.query; unexpected: head.gain; head.bias has shape (7), wanted (2)"
    )
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def weights(hidden: int = H, width: int = D) -> LSTMWeights:
    return LSTMWeights(np.zeros((width, 4 * hidden)), np.zeros((hidden, 4 * hidden)), np.zeros(4 * hidden))


BAD = {
    "lstm: got GRU, wanted nn.LSTM": lambda: from_lstm(nn.GRU(D, H)),
    "lstm: got bias=False and proj_size=0, wanted an LSTM with biases": lambda: from_lstm(nn.LSTM(D, H, bias=False)),
    "lstm: got bias=True and proj_size=2, wanted": lambda: from_lstm(nn.LSTM(D, H, proj_size=2)),
    "layer: got 1, wanted 0 to 0": lambda: from_lstm(nn.LSTM(D, H), layer=1),
    "layers: got none, wanted LSTMWeights": lambda: to_lstm(),
    "layers: got [1, 2] directions, wanted 1 in every layer or 2 in every layer": lambda: to_lstm(
        weights(), (weights(width=H), weights(width=H))
    ),
    "layers[1][0].w_input: got shape (4, 12), wanted (D, 4H) = (6, 12)": lambda: to_lstm(
        (weights(), weights()), (weights(), weights())
    ),
    "layers[0][1]: got 2 hidden units, wanted 3 as in the first": lambda: to_lstm((weights(), weights(hidden=2))),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)
