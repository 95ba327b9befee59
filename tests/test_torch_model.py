"""The whole Attention-LSTM in PyTorch."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from processor import needs_bfloat16_lstm
from torch.nn import functional as F

from attnlstm_ref.numpy import attention_lstm
from attnlstm_ref.torch import AttentionLSTM, to_numpy

B, T, D, H, V = 3, 6, 4, 3, 11
SCORES = ("dot", "scaled_dot", "general", "additive", "multi_head")


def heads(score: str | None) -> int:
    return 2 if score == "multi_head" else 1


def model(*, dtype: torch.dtype = torch.float64, seed: int = 0, **options) -> AttentionLSTM:
    torch.manual_seed(seed)
    fixed = {"input_size": D, "hidden_size": H, "outputs": 2, "heads": heads(options.get("score"))}
    return AttentionLSTM(**fixed | options).to(dtype)


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64).to(dtype)


def tokens(lengths: list[int], steps: int = T) -> torch.Tensor:
    words = torch.randint(1, V, (len(lengths), steps), generator=torch.Generator().manual_seed(3))
    return words * up_to(lengths, steps)


def up_to(lengths: list[int], steps: int = T) -> torch.Tensor:
    return torch.arange(steps) < torch.tensor(lengths)[:, None]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "residual": True, "vocab_size": V}])
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_numpy(score, options, dtype, within):
    ours, lengths = model(dtype=dtype, score=score, dropout=0.5, **options).eval(), [6, 2, 0]
    inputs = tokens(lengths) if "vocab_size" in options else normal(B, T, D, dtype=dtype)
    options = {"score": score, "heads": heads(score), "temperature": 0.6}
    expected = attention_lstm(inputs.numpy(), to_numpy(ours), up_to(lengths).numpy(), **options)
    for mine, theirs in zip(ours(inputs, up_to(lengths), temperature=0.6), expected, strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), theirs, rtol=0, atol=within)


@pytest.mark.parametrize("score", SCORES)
def test_gradients_equal_the_slopes_of_numpy(score):
    """Each parameter moved a little in the NumPy dialect, against autograd."""
    ours, x, mask = model(score=score, residual=True), normal(B, T, D), up_to([6, 2, 0])
    outputs, weights = ours(x, mask)
    (outputs.sum() + weights.square().sum()).backward()
    gradients = to_numpy_of_gradients(ours)
    parameters, rng = to_numpy(ours), np.random.default_rng(5)

    def value() -> float:
        outputs, weights = attention_lstm(x.numpy(), parameters, mask.numpy(), score=score, heads=heads(score))
        return outputs.sum() + (weights**2).sum()

    for name, array in parameters.items():
        place = tuple(rng.integers(size) for size in array.shape)
        kept, step = array[place], 1e-5
        array[place] = kept + step
        above = value()
        array[place] = kept - step
        slope = (above - value()) / (2 * step)
        array[place] = kept
        assert gradients[name][place] == pytest.approx(slope, rel=1e-6, abs=1e-8), name


def to_numpy_of_gradients(trained: AttentionLSTM) -> dict[str, np.ndarray]:
    """`to_numpy` of a copy whose parameters are the gradients; both LSTM biases have the gradient of their sum."""
    copy = model(score=trained.pool.score, residual=True)
    for (name, target), source in zip(copy.named_parameters(), trained.parameters(), strict=True):
        target.data.copy_(torch.zeros_like(source) if "bias_hh" in name else source.grad)
    return to_numpy(copy)


@given(
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    extra=st.integers(0, 3),
    order=st.permutations(range(B)),
    score=st.sampled_from(SCORES),
    residual=st.booleans(),
    junk=st.integers(-5, V + 5),
)
def test_padding_and_order_change_nothing(lengths, extra, order, score, residual, junk):
    ours = model(score=score, residual=residual, vocab_size=V, num_layers=2)
    short, mask = tokens(lengths), up_to(lengths, T + extra)
    long = torch.full((B, T + extra), junk)
    long[:, :T] = torch.where(mask[:, :T], short, junk)
    before = ours(short, mask[:, :T])
    after = ours(long[order], mask[order])
    torch.testing.assert_close(after[0], before[0][order], rtol=0, atol=1e-12)
    torch.testing.assert_close(after[1][:, :T], before[1][order], rtol=0, atol=1e-12)
    assert not after[1][~mask[order]].any()
    assert all(torch.equal(mine, default) for mine, default in zip(before, ours(short), strict=True))


def test_nan_in_padded_features_reaches_neither_output_nor_gradient():
    ours, mask = model(residual=True), up_to([6, 2, 0])
    x = torch.where(mask[..., None], normal(B, T, D), torch.nan).requires_grad_()
    outputs, weights = ours(x, mask)
    outputs.sum().backward()
    assert torch.isfinite(outputs).all()
    assert torch.isfinite(weights).all()
    assert not x.grad[~mask].any()
    assert all(torch.isfinite(parameter.grad).all() for parameter in ours.parameters())


def test_an_empty_row_answers_with_the_bias_and_teaches_nothing_else():
    ours = model(vocab_size=V)
    outputs, weights = ours(tokens([0, 0, 0]))
    torch.testing.assert_close(outputs, ours.head.bias.expand(B, 2))
    assert not weights.any()
    outputs.sum().backward()
    assert all(not parameter.grad.any() for name, parameter in ours.named_parameters() if name != "head.bias")


def test_a_wrong_polarity_would_be_noticed():
    ours, x, mask = model(), normal(B, T, D), up_to([6, 2, 4])
    outputs, weights = ours(x, mask)
    assert (weights[mask] > 0).all()
    changed = torch.where(mask[..., None], x + 1, x)
    assert not torch.allclose(ours(changed, mask)[0], outputs)


def test_every_parameter_is_trained():
    """As data-parallel training demands."""
    for options in ({}, {"residual": True, "num_layers": 3, "vocab_size": V, "dropout": 0.1}):
        for score in SCORES:
            ours = model(score=score, **options)
            inputs = tokens([6, 2, 4]) if "vocab_size" in options else normal(B, T, D)
            ours(inputs)[0].square().sum().backward()
            assert [name for name, parameter in ours.named_parameters() if parameter.grad is None] == []


def test_weights_are_those_before_dropout_and_state_is_not_kept():
    ours, x = model(dropout=0.5).train(), normal(B, T, D)
    torch.testing.assert_close(ours(x)[1].sum(-1), torch.ones(B, dtype=torch.float64))
    ours.eval()
    first, before = ours(x), x.clone()
    ours(2 * x)
    assert all(torch.equal(a, b) for a, b in zip(ours(x), first, strict=True))
    assert torch.equal(x, before)


def test_temperature_flattens_the_weights_and_may_be_learned():
    ours, x = model(), normal(B, T, D)
    torch.testing.assert_close(ours(x, temperature=1e9)[1], torch.full((B, T), 1 / T, dtype=torch.float64))
    temperature = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    outputs, weights = ours(x, temperature=temperature)
    torch.testing.assert_close(weights, ours(x, temperature=2.0)[1])
    outputs.sum().backward()
    assert temperature.grad != 0


def test_saved_and_loaded_it_is_the_same_model():
    one, other = model(seed=0, residual=True, num_layers=2), model(seed=1, residual=True, num_layers=2)
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    x = normal(B, T, D)
    assert all(torch.equal(a, b) for a, b in zip(one(x), other(x), strict=True))


def test_regression_learns_the_mean_of_a_feature():
    """One output, squared loss: the head is the same linear layer."""
    ours = model(outputs=1, dtype=torch.float32, hidden_size=8)
    x = normal(32, T, D, dtype=torch.float32)
    targets = x[..., 0].mean(1, keepdim=True)
    optimizer = torch.optim.Adam(ours.parameters(), lr=0.05)
    first = F.mse_loss(ours(x)[0], targets).item()
    for _ in range(40):
        optimizer.zero_grad()
        F.mse_loss(ours(x)[0], targets).backward()
        optimizer.step()
    assert F.mse_loss(ours(x)[0], targets).item() < 0.1 * first


@needs_bfloat16_lstm
def test_autocast_agrees_with_float32():
    ours, inputs = model(dtype=torch.float32, vocab_size=V, residual=True), tokens([6, 2, 0])
    outputs, weights = ours(inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low_outputs, low_weights = ours(inputs)
        low_outputs.float().sum().backward()
    torch.testing.assert_close(low_outputs.float(), outputs, rtol=0, atol=0.05)
    torch.testing.assert_close(low_weights.float(), weights, rtol=0, atol=0.05)
    assert not low_weights[2].any()
    assert all(torch.isfinite(parameter.grad).all() for parameter in ours.parameters())


COMPILED = """
import sys
import torch
from attnlstm_ref.torch import AttentionLSTM

torch.manual_seed(0)
options = dict(input_size=4, hidden_size=3, score=sys.argv[1], heads=int(sys.argv[2]))
plain, twin = AttentionLSTM(**options), AttentionLSTM(**options)
twin.load_state_dict(plain.state_dict())
compiled = torch.compile(twin, backend="aot_eager")
for lengths in ([6, 2, 0], [3, 3, 5]):
    x, mask = torch.randn(3, 6, 4), torch.arange(6) < torch.tensor(lengths)[:, None]
    for ours, theirs in zip(compiled(x, mask), plain(x, mask), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    compiled(x, mask)[0].sum().backward()
    plain(x, mask)[0].sum().backward()
for ours, theirs in zip(twin.parameters(), plain.parameters(), strict=True):
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-5)
print("equal, in", torch._dynamo.utils.counters["stats"]["unique_graphs"], "graphs")
"""


@pytest.mark.parametrize("score", ["additive", "multi_head"])
def test_compiled_it_gives_the_same_values_and_gradients(score):
    """In a process of its own: the run-time check of annotations that the tests turn on cannot be compiled."""
    command = [sys.executable, "-c", COMPILED, score, str(heads(score))]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[-2]) > 0  # something was compiled: not a fall-back to plain Python


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch was built without torch.distributed")
def test_data_parallel_takes_it_as_it_is(tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        ours, inputs = model(vocab_size=V, residual=True), tokens([6, 2, 4])
        parallel = torch.nn.parallel.DistributedDataParallel(ours)
        for _ in range(2):  # an unused parameter stops the second step
            parallel(inputs)[0].sum().backward()
        assert all(parameter.grad is not None for parameter in ours.parameters())
    finally:
        torch.distributed.destroy_process_group()


BAD = {
    "inputs: got shape (3, 6), wanted features (B, T, D) = (?, ?, 4)": lambda: model()(normal(B, T)),
    "inputs: got torch.int64, wanted floating features (B, T, D)": lambda: model()(normal(B, T, D).long()),
    "inputs: got shape (3, 6, 4), wanted tokens (B, T) = (?, ?)": lambda: model(vocab_size=V)(normal(B, T, D)),
    "inputs: got torch.float64, wanted whole numbers: tokens (B, T) from 0 to 10": lambda: model(vocab_size=V)(
        normal(B, T)
    ),
    "inputs: got shape (3, 0), wanted at least one row and one step": lambda: model(vocab_size=V)(tokens([0] * 3, 0)),
    "inputs: got token 11, wanted 0 to 10": lambda: model(vocab_size=V)(torch.full((B, T), V)),
    "inputs: got token -1, wanted 0 to 10": lambda: model(vocab_size=V)(torch.full((B, T), -1)),
    "mask: got a real token at step 2 of row 0 after padding at step 1": lambda: model(vocab_size=V)(
        torch.tensor([[1, 0, 2]])
    ),
    "mask: got torch.int64, wanted booleans": lambda: model()(normal(B, T, D), up_to([6, 2, 4]).long()),
    "mask: got shape (6, 3), wanted (B, T)": lambda: model()(normal(B, T, D), up_to([6, 2, 4]).T),
    "temperature: got 0.0, wanted a number above 0": lambda: model()(normal(B, T, D), temperature=0.0),
    "outputs: got 0, wanted a whole number of outputs, at least 1": lambda: model(outputs=0),
    "vocab_size: got 0, wanted a whole number of tokens, at least 1": lambda: model(vocab_size=0),
    "hidden_size: got 0, wanted a whole number of units, at least 1": lambda: model(hidden_size=0),
    "input_size: got 0, wanted a whole number of features, at least 1": lambda: model(input_size=0),
    "num_layers: got 0, wanted a whole number of layers, at least 1": lambda: model(num_layers=0),
    "units: got 0, wanted a whole number of attention units, at least 1": lambda: model(attention_units=0),
    "dropout: got -0.1, wanted a share from 0 up to but not 1": lambda: model(dropout=-0.1),
    "score: got 'cosine', wanted one of": lambda: model(score="cosine"),
    "2 * hidden_size: got width 6, wanted a multiple of heads = 4": lambda: model(score="multi_head", heads=4),
    "heads: got 0, wanted a whole number of heads, at least 1": lambda: model(score="multi_head", heads=0),
    'heads: got 2, wanted 1: only score="multi_head" has several': lambda: model(heads=2),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)
