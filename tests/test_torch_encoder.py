"""The BiLSTM encoder and the attention pooling in PyTorch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from attnlstm_ref import numpy as an
from attnlstm_ref.torch import AttentionPooling, BiLSTMEncoder, from_lstm, from_multi_head, to_lstm, to_multi_head

B, T, D, H = 3, 6, 4, 5
SCORES = ("dot", "scaled_dot", "general", "additive", "multi_head")


def encoder(*, dtype: torch.dtype = torch.float64, **options) -> BiLSTMEncoder:
    torch.manual_seed(0)
    return BiLSTMEncoder(D, H, **options).to(dtype)


def pooling(score: str, size: int = 4, units: int = 3) -> AttentionPooling:
    torch.manual_seed(1)
    return AttentionPooling(size, score=score, units=units, heads=2 if score == "multi_head" else 1).double()


def normal(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 2) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def up_to(lengths: list[int], steps: int) -> torch.Tensor:
    return torch.arange(steps) < torch.tensor(lengths)[:, None]


# --- encoder ---------------------------------------------------------------------------------------


def twins(ours: BiLSTMEncoder):
    """Each LSTM parameter of ours with the name it has in a stacked bidirectional `nn.LSTM`."""
    for depth, layer in enumerate(ours.layers):
        for lstm, suffix in [(layer.rightward, ""), (layer.leftward, "_reverse")]:
            for name, parameter in lstm.named_parameters():
                yield name.replace("l0", f"l{depth}") + suffix, parameter


def both(layer):
    """(forward, backward) weights of one layer for the NumPy dialect."""
    return from_lstm(layer.rightward), from_lstm(layer.leftward)


def test_values_and_gradients_equal_nn_lstm():
    ours = encoder(num_layers=2)
    theirs = nn.LSTM(D, H, num_layers=2, bidirectional=True, batch_first=True, dtype=torch.float64)
    for name, parameter in twins(ours):
        getattr(theirs, name).data.copy_(parameter.data)
    x = normal(B, T, D).requires_grad_()
    y = x.detach().clone().requires_grad_()
    upstream = normal(B, T, 2 * H, seed=3)
    (ours(x) * upstream).sum().backward()
    (theirs(y)[0] * upstream).sum().backward()
    torch.testing.assert_close(ours(x), theirs(y)[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(x.grad, y.grad, rtol=0, atol=1e-12)
    for name, parameter in twins(ours):
        torch.testing.assert_close(parameter.grad, getattr(theirs, name).grad, rtol=0, atol=1e-12)


def test_values_and_gradients_equal_packed_sequences():
    ours, x, mask = encoder(), normal(B, T, D).requires_grad_(), up_to([6, 2, 4], T)
    theirs = to_lstm(both(ours.layers[0]))
    y = x.detach().clone().requires_grad_()
    packed = pack_padded_sequence(y, mask.sum(dim=1), batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True, total_length=T)
    upstream = normal(B, T, 2 * H, seed=3)
    (ours(x, mask) * upstream).sum().backward()
    (expected * upstream).sum().backward()
    torch.testing.assert_close(ours(x, mask), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(x.grad, y.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_numpy_on_unequal_lengths(dtype, within):
    ours, x, mask = encoder(dtype=dtype), normal(B, T, D, dtype=dtype), up_to([6, 2, 0], T)
    expected = an.bilstm(x.numpy(), *both(ours.layers[0]), mask.numpy())
    np.testing.assert_allclose(ours(x, mask).detach().numpy(), expected, rtol=0, atol=within)


@given(
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    extra=st.integers(0, 3),
    junk=st.sampled_from([0.0, 1e6, float("nan"), float("inf")]),
    residual=st.booleans(),
)
def test_padding_changes_no_state_and_no_gradient(lengths, extra, junk, residual):
    model = encoder(num_layers=2, residual=residual)
    x = normal(B, T, D)
    short_mask, long_mask = up_to(lengths, T), up_to(lengths, T + extra)
    short = x.clone().requires_grad_()
    long = torch.full((B, T + extra, D), junk, dtype=x.dtype)
    long[:, :T] = torch.where(short_mask[..., None], x, junk)
    long.requires_grad_()
    a, b = model(short, short_mask), model(long, long_mask)
    torch.testing.assert_close(a, b[:, :T], rtol=0, atol=1e-14)  # products of other sizes may add in another order
    assert not b[~long_mask].any()
    a.sum().backward()
    b.sum().backward()
    torch.testing.assert_close(short.grad, long.grad[:, :T], rtol=0, atol=1e-14)
    assert not long.grad[~long_mask].any()


def test_a_row_is_what_it_would_be_alone():
    model, x, lengths = encoder(residual=True), normal(B, T, D), [6, 2, 4]
    together = model(x, up_to(lengths, T))
    for row, length in enumerate(lengths):
        alone = model(x[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0], rtol=0, atol=1e-12)


def test_order_of_the_batch_is_kept():
    model, x, mask, order = encoder(), normal(B, T, D), up_to([2, 6, 4], T), torch.tensor([2, 0, 1])
    torch.testing.assert_close(model(x[order], mask[order]), model(x, mask)[order], rtol=0, atol=1e-12)


def test_without_turning_padding_would_leak():
    """The trap the encoder is there for: the same LSTM on the padded batch is wrong, so the tests above can fail."""
    model, x, mask = encoder(), normal(B, T, D), up_to([6, 2, 4], T)
    naive, _ = to_lstm(both(model.layers[0]))(x)
    assert not torch.allclose(naive[mask], model(x, mask)[mask])


def test_rows_of_length_zero_give_zeros_and_no_gradient():
    model, x = encoder(residual=True), normal(B, T, D).requires_grad_()
    states = model(x, up_to([0, 0, 0], T))
    assert not states.any()
    states.sum().backward()
    assert not x.grad.any()
    assert all(not parameter.grad.any() for parameter in model.parameters())


def test_residual_is_layer_norm_of_skip_plus_output():
    model, x = encoder(residual=True), normal(B, T, D)
    layer = model.layers[0]
    plain = torch.as_tensor(an.bilstm(x.numpy(), *both(layer)))
    expected = nn.functional.layer_norm(x @ layer.skip.weight.T + plain, (2 * H,))
    torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-12)
    deep = encoder(num_layers=2, residual=True)
    assert [layer.skip is None for layer in deep.layers] == [False, True]  # the second keeps its width


@pytest.mark.parametrize(("residual", "least", "most"), [(True, 0.3, 10.0), (False, 0.0, 0.01)])
def test_eight_layers_deep_the_gradient_arrives_whole_by_the_skips_alone(residual, least, most):
    """The first layer's gradient over the last layer's, of the LSTMs' own parameters."""
    model = encoder(num_layers=8, residual=residual)
    states = model(normal(B, T, D), up_to([6, 2, 4], T))
    (states * normal(*states.shape, seed=3)).sum().backward()
    lstms = [[*layer.rightward.parameters(), *layer.leftward.parameters()] for layer in model.layers]
    lengths = [torch.cat([parameter.grad.flatten() for parameter in one]).norm() for one in lstms]
    assert least < lengths[0] / lengths[-1] < most
    assert torch.isfinite(states).all()


def test_dropout_is_for_training_alone():
    model, x = encoder(dropout=0.5, num_layers=2), normal(B, T, D)
    assert not torch.equal(model(x), model(x))
    zeros = (model.train()(x) == 0).double().mean()
    assert 0.3 < zeros < 0.7
    assert torch.equal(model.eval()(x), model(x))
    assert (model(x) != 0).all()


def test_nothing_is_mutated_and_no_state_is_kept():
    model, x, mask = encoder(), normal(B, T, D), up_to([6, 2, 0], T)
    before = x.clone(), mask.clone(), {name: t.clone() for name, t in model.state_dict().items()}
    first = model(x, mask)
    model(normal(B, T, D, seed=8))
    assert torch.equal(model(x, mask), first)
    assert torch.equal(x, before[0])
    assert torch.equal(mask, before[1])
    assert all(torch.equal(t, before[2][name]) for name, t in model.state_dict().items())


# --- pooling ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", SCORES)
def test_pooling_equals_numpy(score):
    pool, states, mask = pooling(score), normal(B, T, 4), up_to([6, 2, 0], T)
    p = {name: parameter.detach().numpy() for name, parameter in pool.named_parameters()}
    h, query, allowed = states.numpy(), p["query"][None], mask.numpy()[:, None]
    ours = pool(states, mask, temperature=0.7)
    if score == "multi_head":
        of_heads = from_multi_head(pool.attention)
        context, each = an.multi_head_attention(query, h, h, of_heads, allowed, heads=2, temperature=0.7)
        np.testing.assert_allclose(ours[0].detach().numpy(), context[:, 0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours[1].detach().numpy(), (each[:, 0, 0] + each[:, 1, 0]) / 2, rtol=0, atol=1e-12)
        return
    scores = {
        "dot": an.dot_scores,
        "scaled_dot": an.scaled_dot_scores,
        "general": lambda query, keys: an.general_scores(query, keys, p["weight"]),
        "additive": lambda query, keys: an.additive_scores(query, keys, p["w_query"], p["w_keys"], p["v"]),
    }[score]
    context, weights = an.attend(query, h, h, allowed, temperature=0.7, score=scores)
    np.testing.assert_allclose(ours[0].detach().numpy(), context[:, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours[1].detach().numpy(), weights[:, 0], rtol=0, atol=1e-12)


def test_multi_head_pooling_is_pytorchs_own_layer_asked_by_the_learned_query():
    pool, states = pooling("multi_head"), normal(B, T, 4)
    theirs = to_multi_head(from_multi_head(pool.attention), 2)
    lengths = up_to([6, 2, 1], T)
    context, weights = theirs(pool.query.expand(B, 1, 4), states, states, key_padding_mask=~lengths)  # a mean, too
    ours = pool(states, lengths)
    torch.testing.assert_close(ours[0], context[:, 0], rtol=0, atol=1e-12)
    torch.testing.assert_close(ours[1], weights[:, 0], rtol=0, atol=1e-12)


def test_two_heads_look_at_two_places_where_one_cannot():
    """The largest weight of a mean of two heads that each see one step is a half."""
    pool = pooling("multi_head")
    with torch.no_grad():
        for name in ("w_query", "w_keys", "w_values", "w_out"):
            getattr(pool.attention, name).copy_(torch.eye(4))
        pool.query.copy_(torch.tensor([1.0, 0.0, 1.0, 0.0]))
    states = torch.zeros(1, 3, 4, dtype=torch.float64)
    states[0, 0, 0] = states[0, 2, 2] = 1.0  # step 0 answers the first head, step 2 the second
    context, weights = pool(states, temperature=1e-3)
    torch.testing.assert_close(weights, torch.tensor([[0.5, 0.0, 0.5]], dtype=torch.float64))
    torch.testing.assert_close(context, torch.tensor([[1.0, 0.0, 1.0, 0.0]], dtype=torch.float64))
    query = pool.query.detach()[None]
    _, each = pool.attention(query, states, states, temperature=1e-3)
    torch.testing.assert_close(each[0, :, 0], torch.tensor([[1.0, 0, 0], [0, 0, 1]], dtype=torch.float64))


def test_additive_pooling_is_yang_et_al():
    pool, states = pooling("additive"), normal(B, T, 4)
    u = torch.tanh(states @ pool.w_keys + pool.query @ pool.w_query)  # eq. 5, the bias spelled W_q q
    alpha = torch.softmax(u @ pool.v, dim=1)  # eq. 6
    s = (alpha[..., None] * states).sum(1)  # eq. 7
    context, weights = pool(states)
    torch.testing.assert_close(weights, alpha, rtol=0, atol=1e-12)
    torch.testing.assert_close(context, s, rtol=0, atol=1e-12)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("lengths", [[4, 4], [3, 1], [2, 0]])
def test_pooling_gradients(score, lengths):
    pool, mask = pooling(score, units=2), up_to(lengths, 4)
    names, tensors = zip(*pool.named_parameters(), strict=True)

    def function(states, *parameters):
        return torch.func.functional_call(pool, dict(zip(names, parameters, strict=True)), (states, mask))

    states = normal(2, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(function, (states, *tensors))


@pytest.mark.parametrize("score", SCORES)
def test_mask_is_true_where_to_attend(score):
    states, mask = normal(B, T, 4), up_to([1, 2, 6], T)
    pool = pooling(score)
    context, weights = pool(states, mask)
    assert (weights[mask] > 0).all()
    assert not weights[~mask].any()
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, dtype=torch.float64))
    projection = pool.attention.w_values @ pool.attention.w_out if score == "multi_head" else torch.eye(4).double()
    torch.testing.assert_close(context[0], states[0, 0] @ projection)  # one real step: the context is its state


@pytest.mark.parametrize("score", SCORES)
def test_pooling_of_nothing_is_zero_and_junk_in_the_padding_stays_there(score):
    pool, mask = pooling(score), up_to([0, 2, 6], T)
    states = torch.where(mask[..., None], normal(B, T, 4), torch.nan).requires_grad_()
    context, weights = pool(states, mask)
    assert not context[0].any()
    assert not weights[0].any()
    (context.sum() + weights.square().sum()).backward()
    assert not states.grad[~mask].any()
    assert all(torch.isfinite(parameter.grad).all() for parameter in pool.parameters())


def test_temperature_goes_from_the_mean_to_the_largest():
    pool, states = pooling("dot"), normal(B, T, 4)
    torch.testing.assert_close(pool(states, temperature=1e9)[0], states.mean(1), rtol=0, atol=1e-6)
    sharp = pool(states, temperature=1e-4)[1]
    assert torch.equal(sharp.argmax(-1), (states @ pool.query).argmax(-1))
    assert (sharp.amax(-1) > 0.999).all()


def test_units_default_to_the_size():
    assert AttentionPooling(6).v.shape == (6,)


ONES = torch.ones(B, T, dtype=torch.bool)
BAD = {
    "inputs: got shape (6, 4), wanted (B, T, D) = (?, ?, 4)": lambda: encoder()(normal(T, D)),
    "inputs: got shape (3, 6, 7), wanted (B, T, D) = (?, ?, 4)": lambda: encoder()(normal(B, T, 7)),
    "inputs: got shape (3, 0, 4), wanted (B, T, D) with at least one time step": lambda: encoder()(normal(B, 0, D)),
    "inputs: got shape (0, 6, 4), wanted at least one row": lambda: encoder()(normal(0, T, D)),
    "mask: got torch.int64, wanted booleans (B, T) = (3, 6), True = a real token": lambda: encoder()(
        normal(B, T, D), ONES.long()
    ),
    "mask: got shape (6, 3), wanted (B, T), True = a real token, = (3, 6)": lambda: encoder()(normal(B, T, D), ONES.T),
    "mask: got a real token at step 4 of row 1 after padding at step 3, wanted the padding on the right only": (
        lambda: encoder()(normal(B, T, D), ONES & (torch.arange(B)[:, None] != 1) | (torch.arange(T) != 3))
    ),
    "hidden_size: got 0, wanted a whole number of units, at least 1": lambda: BiLSTMEncoder(D, 0),
    "input_size: got -1, wanted a whole number of features, at least 1": lambda: BiLSTMEncoder(-1, H),
    "num_layers: got 0, wanted a whole number of layers, at least 1": lambda: BiLSTMEncoder(D, H, num_layers=0),
    "dropout: got 1.0, wanted a share from 0 up to but not 1": lambda: BiLSTMEncoder(D, H, dropout=1.0),
    "size: got 0, wanted a whole number of features, at least 1": lambda: AttentionPooling(0),
    "units: got 0, wanted a whole number of attention units, at least 1": lambda: AttentionPooling(4, units=0),
    "score: got 'cosine', wanted one of 'dot', 'scaled_dot', 'general', 'additive'": lambda: AttentionPooling(
        4, score="cosine"
    ),
    "size: got width 4, wanted a multiple of heads = 3": lambda: AttentionPooling(4, score="multi_head", heads=3),
    "heads: got -1, wanted a whole number of heads": lambda: AttentionPooling(4, score="multi_head", heads=-1),
    'heads: got 2, wanted 1: only score="multi_head" has several': lambda: AttentionPooling(4, score="dot", heads=2),
    "states: got shape (3, 6, 5), wanted (B, T, d) = (?, ?, 4)": lambda: pooling("dot")(normal(B, T, 5)),
    "states: got shape (3, 0, 4), wanted (B, T, d) with at least one time step": lambda: pooling("dot")(
        normal(B, 0, 4)
    ),
    "mask: got torch.float64, wanted booleans": lambda: pooling("dot")(normal(B, T, 4), ONES.double()),
    "temperature: got -1.0, wanted a number above 0": lambda: pooling("dot")(normal(B, T, 4), temperature=-1.0),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)
