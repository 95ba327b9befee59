"""Sequence to sequence: one model in three dialects, its search for answers, and how it is trained."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from test_keras_layers import load_elsewhere
from torch.nn import functional as F

import attnlstm_ref.keras as ours_keras
import attnlstm_ref.numpy as ours_numpy
from attnlstm_ref.torch import (
    AdditiveAttention,
    Memory,
    Seq2Seq,
    beam_search,
    evaluate,
    fit,
    greedy,
    load_numpy,
    pair_batches,
    predict,
    sequence_accuracy,
    sequence_loss,
    to_numpy,
)

B, T, U, H, S, V = 4, 6, 5, 3, 9, 7
START, END = 1, 2
SIZES: dict[str, Any] = {"source_size": S, "target_size": V, "embedding_size": 4, "hidden_size": H}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fixed vector": {"attention": False},
    "deep": {"num_layers": 2, "residual": True, "attention_units": 5},
}
LENGTHS = [6, 4, 1, 0]
every_kind = pytest.mark.parametrize("kind", KINDS)
both_precisions = pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-12), ("float32", 1e-5)])
saves = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras and NumPy 2, in `save`


def model(kind: str = "plain", *, dtype: str = "float64", seed: int = 0, **options: Any) -> Seq2Seq:
    torch.manual_seed(seed)
    return Seq2Seq(**SIZES | KINDS[kind] | options).to(getattr(torch, dtype))


def tokens(lengths: list[int], steps: int, size: int, seed: int = 3) -> torch.Tensor:
    """Rows of tokens that are not 0, with 0 after their ends."""
    drawn = torch.randint(1, size, (len(lengths), steps), generator=torch.Generator().manual_seed(seed))
    return drawn * (torch.arange(steps) < torch.tensor(lengths)[:, None])


def problem(lengths: list[int] = LENGTHS) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A source, what the decoder reads, what it is to write; the last row has nothing to write."""
    answers = tokens([4, 2, 1, 0][: len(lengths)], U - 1, V, seed=4)
    read = torch.cat([torch.full((len(lengths), 1), START), answers], dim=1)
    write = torch.cat([answers, torch.zeros(len(lengths), 1, dtype=torch.long)], dim=1)
    return tokens(lengths, T, S), read, write


def gradients_of(trained: Seq2Seq, kind: str) -> dict[str, np.ndarray]:
    """`to_numpy` of a copy whose parameters are the gradients; both LSTM biases have the gradient of their sum."""
    copy = model(kind)
    for (name, target), source in zip(copy.named_parameters(), trained.parameters(), strict=True):
        target.data.copy_(torch.zeros_like(source) if "bias_hh" in name else source.grad)
    return to_numpy(copy)


# --- three dialects -------------------------------------------------------------------------------------------------


@every_kind
@both_precisions
def test_three_dialects_give_the_same_values_losses_and_gradients(kind, dtype, within):
    ours, (source, read, write) = model(kind, dtype=dtype, dropout=0.5).eval(), problem()
    theirs = ours_keras.Seq2Seq(**SIZES, **KINDS[kind], dropout=0.5, dtype=dtype)
    ours_keras.load_numpy(theirs, to_numpy(ours))
    logits, weights = ours(source, read, temperature=0.7)
    loss = sequence_loss(logits, write)
    loss.backward()
    with tf.GradientTape() as tape:
        their_logits, their_weights = theirs((source.numpy(), read.numpy()), temperature=0.7)
        ignoring = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0, dtype=dtype)
        their_loss = ignoring(write.numpy(), their_logits)
    plain = ours_numpy.seq2seq(source.numpy(), read.numpy(), to_numpy(ours), temperature=0.7)
    for got, wanted in [(logits, plain[0]), (their_logits, plain[0]), (weights, plain[1]), (their_weights, plain[1])]:
        if wanted is None:
            assert got is None
        else:
            got = got.detach().numpy() if isinstance(got, torch.Tensor) else np.asarray(got)
            assert str(got.dtype) == dtype
            assert_allclose(got, wanted, rtol=0, atol=within)
    assert_allclose(float(their_loss), loss.item(), rtol=0, atol=10 * within)
    variables = ours_keras.convert._variables(theirs)
    expected = gradients_of(ours, kind)
    assert set(variables) == set(expected) == set(ours_numpy.seq2seq_shapes(**SIZES, **KINDS[kind]))
    found = tape.gradient(their_loss, [one.value for one in variables.values()])
    for name, gradient in zip(variables, found, strict=True):
        assert_allclose(tf.convert_to_tensor(gradient).numpy(), expected[name], rtol=0, atol=within, err_msg=name)


@every_kind
def test_gradients_equal_the_slopes_of_numpy(kind):
    """Each parameter moved a little in the NumPy dialect, against autograd."""
    ours, (source, read, _) = model(kind), problem()
    factors = np.random.default_rng(7).normal(size=(B, U, V))
    (ours(source, read)[0] * torch.tensor(factors)).sum().backward()
    gradients, parameters, rng = gradients_of(ours, kind), to_numpy(ours), np.random.default_rng(5)
    for name, array in parameters.items():
        place = tuple(rng.integers(1 if "embedding" in name else 0, size) for size in array.shape)
        kept, step, sides = array[place], 1e-5, []
        for moved in (kept + step, kept - step):
            array[place] = moved
            sides.append((ours_numpy.seq2seq(source.numpy(), read.numpy(), parameters)[0] * factors).sum())
        array[place] = kept
        slope = (sides[0] - sides[1]) / (2 * step)
        assert gradients[name][place] == pytest.approx(slope, rel=1e-6, abs=1e-8), name


@every_kind
def test_parameters_have_their_shapes_and_travel(kind):
    ours, other = model(kind, seed=0), model(kind, seed=1)
    parameters = to_numpy(ours)
    shapes = ours_numpy.seq2seq_shapes(**SIZES, **KINDS[kind])
    assert {name: array.shape for name, array in parameters.items()} == shapes
    there = ours_keras.Seq2Seq(**SIZES, **KINDS[kind], dtype="float64")
    assert there.count_params() == sum(int(np.prod(shape)) for shape in shapes.values())
    ours_keras.load_numpy(there, parameters)
    load_numpy(other, ours_keras.to_numpy(there))
    for name, array in to_numpy(other).items():
        assert_array_equal(array, parameters[name], err_msg=name)
    with pytest.raises(ValueError, match=r"parameters: missing: w_begin; unexpected: extra; head\.bias has shape"):
        without = {name: array for name, array in parameters.items() if name != "w_begin"}
        load_numpy(ours, without | {"extra": np.zeros(1), "head.bias": np.zeros(1)})


@pytest.mark.parametrize("kind", ["plain", "fixed vector"])
def test_three_dialects_write_the_same(kind):
    ours, source = model(kind, seed=1), tokens(LENGTHS, T, S)
    theirs = ours_keras.Seq2Seq(**SIZES, **KINDS[kind], dtype="float64")
    ours_keras.load_numpy(theirs, to_numpy(ours))
    marks = {"start": START, "end": END, "steps": 4}
    written = [
        (greedy(ours, source, **marks), beam_search(ours, source, **marks, width=5, length_penalty=0.6)),
        (
            ours_keras.greedy(theirs, source.numpy(), **marks),
            ours_keras.beam_search(theirs, source.numpy(), **marks, width=5, length_penalty=0.6),
        ),
    ]
    plain = ours_numpy.greedy(source.numpy(), to_numpy(ours), **marks)
    beam = ours_numpy.beam_search(source.numpy(), to_numpy(ours), **marks, width=5, length_penalty=0.6)
    for (ids, weights), (beams, log_probs) in written:
        assert_array_equal(ids, plain[0])
        assert_array_equal(beams, beam[0])
        assert_allclose(log_probs, beam[1], rtol=0, atol=1e-12)
        if plain[1] is None:
            assert weights is None
        else:
            assert_allclose(weights, plain[1], rtol=0, atol=1e-12)


# --- the decoder ----------------------------------------------------------------------------------------------------


def by_steps(ours: Seq2Seq, source: torch.Tensor, read: torch.Tensor, *, recompute: bool) -> tuple:
    """Logits and weights, a step at a time; the keys projected once, or at every step anew by `AdditiveAttention`."""
    memory, state = ours.remember(source)
    logits, weights = [], []
    for token in read.T:
        if recompute:
            layer = ours.attention
            assert isinstance(layer, AdditiveAttention)
            context, looked = layer(state[0].unsqueeze(1), memory.values, memory.values, memory.mask.unsqueeze(1))
            seen, looked = context.squeeze(1), looked.squeeze(1)
            state = ours.decoder(torch.cat([ours.target_embedding(token), seen], dim=-1), state)
            scores = ours.head(torch.cat([state[0], seen], dim=-1))
        else:
            scores, state, looked = ours.step(token, state, memory)
        logits.append(scores)
        weights.append(looked)
    return torch.stack(logits, 1), torch.stack(weights, 1)


@pytest.mark.parametrize("kind", ["plain", "deep"])
def test_teacher_forcing_is_step_by_step_and_the_keys_may_be_kept(kind):
    """Three ways to the same values and gradients; PyTorch's own `LSTMCell` is in one of them."""
    ours, (source, read, write) = model(kind), problem()
    found = []
    for way in (
        lambda: ours(source, read),
        lambda: by_steps(ours, source, read, recompute=False),
        lambda: by_steps(ours, source, read, recompute=True),
    ):
        ours.zero_grad()
        logits, weights = way()
        (sequence_loss(logits, write) + weights.square().sum()).backward()
        found.append([logits, weights, *(parameter.grad.clone() for parameter in ours.parameters())])
    for others in found[1:]:
        for mine, other in zip(found[0], others, strict=True):
            torch.testing.assert_close(other, mine, rtol=0, atol=1e-12)


def test_without_attention_all_that_is_known_is_the_summary():
    ours, (source, read, _) = model("fixed vector"), problem()
    memory, state = ours.remember(source)
    assert memory.keys is None
    kept = Memory(None, torch.full_like(memory.values, torch.nan), memory.mask, memory.summary)
    scores, _, weights = ours.step(read[:, 0], state, kept)
    assert weights is None
    torch.testing.assert_close(scores, ours(source, read)[0][:, 0], rtol=0, atol=1e-12)


def test_the_summary_has_read_the_source_from_both_ends():
    ours, source = model(), tokens(LENGTHS, T, S)
    memory, (hidden, cell) = ours.remember(source)
    for row, length in enumerate(LENGTHS[:3]):
        torch.testing.assert_close(memory.summary[row, :H], memory.values[row, length - 1, :H])
        torch.testing.assert_close(memory.summary[row, H:], memory.values[row, 0, H:])
    assert not memory.summary[3].any()
    torch.testing.assert_close(hidden, torch.tanh(memory.summary @ ours.w_begin))
    assert not cell.any()


@given(
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    extra=st.integers(0, 3),
    order=st.permutations(range(B)),
    kind=st.sampled_from(sorted(KINDS)),
    junk=st.integers(-5, S + 5),
)
def test_padding_and_order_change_nothing(lengths, extra, order, kind, junk):
    ours, (_, read, _) = model(kind), problem()
    short, mask = tokens(lengths, T, S), torch.arange(T + extra) < torch.tensor(lengths)[:, None]
    long = torch.full((B, T + extra), junk)
    long[:, :T] = torch.where(mask[:, :T], short, junk)
    logits, weights = ours(short, read)
    more_logits, more_weights = ours(long[order], read[order], mask[order])
    torch.testing.assert_close(more_logits, logits[order], rtol=0, atol=1e-12)
    if weights is None:
        assert more_weights is None
        return
    torch.testing.assert_close(more_weights[..., :T], weights[order], rtol=0, atol=1e-12)
    hidden = ~mask[order].unsqueeze(1).expand_as(more_weights)
    assert (more_weights[hidden] == 0).all()
    some = mask[order].any(1).double().unsqueeze(1).expand(B, U)
    torch.testing.assert_close(more_weights.sum(-1), some, rtol=0, atol=1e-12)


@given(extra=st.integers(0, 4), junk=st.integers(0, V - 1))
def test_padded_target_steps_cost_nothing(extra, junk):
    """Whatever the decoder reads there, loss, gradients and accuracy stay."""
    ours, (source, read, write) = model(), problem()
    longer = F.pad(write, (0, extra))
    more = torch.where(F.pad(write, (1, extra - 1))[:, : U + extra] == 0, junk, F.pad(read, (0, extra)))
    more[:, 0] = read[:, 0]
    found = []
    for reads, writes in ((read, write), (more, longer)):
        ours.zero_grad()
        logits = ours(source, reads)[0]
        loss = sequence_loss(logits, writes)
        loss.backward()
        found.append((loss.detach(), sequence_accuracy(logits, writes), *(p.grad.clone() for p in ours.parameters())))
    for before, after in zip(*found, strict=True):
        torch.testing.assert_close(after, before, rtol=0, atol=1e-12)


def test_an_empty_source_is_looked_at_in_vain_and_is_no_nan():
    ours, (_, read, write) = model("deep"), problem()
    logits, weights = ours(torch.zeros(B, T, dtype=torch.long), read)
    assert not weights.any()
    nothing = torch.zeros(B, 2 * H, dtype=torch.float64)
    state = (nothing[:, :H], nothing[:, :H])
    for step, token in enumerate(read.T):
        state = ours.decoder(torch.cat([ours.target_embedding(token), nothing], dim=-1), state)
        expected = ours.head(torch.cat([state[0], nothing], dim=-1))
        torch.testing.assert_close(logits[:, step], expected, rtol=0, atol=1e-12)
    sequence_loss(logits, write).backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in ours.parameters())
    assert not any(p.grad.any() for name, p in ours.named_parameters() if name.startswith(("encoder", "attention")))


def test_temperature_flattens_the_weights_and_may_be_learned():
    ours, (source, read, _) = model(), problem([6, 4, 1, 3])
    mask = source != 0
    even = (mask / mask.sum(1, keepdim=True)).double().unsqueeze(1).expand(B, U, T)
    torch.testing.assert_close(ours(source, read, temperature=1e9)[1], even)
    temperature = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    logits, weights = ours(source, read, temperature=temperature)
    torch.testing.assert_close(weights, ours(source, read, temperature=2.0)[1])
    logits.square().sum().backward()
    assert temperature.grad != 0


@every_kind
def test_every_parameter_is_trained(kind):
    ours, (source, read, write) = model(kind, dropout=0.1), problem()
    sequence_loss(ours(source, read)[0], write).backward()
    assert [name for name, parameter in ours.named_parameters() if parameter.grad is None] == []


def test_saved_and_loaded_it_is_the_same_model():
    one, other, (source, read, _) = model("deep", seed=0), model("deep", seed=1), problem()
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert all(torch.equal(a, b) for a, b in zip(one(source, read), other(source, read), strict=True))


COMPILED = """
import torch
from attnlstm_ref.torch import Seq2Seq, sequence_loss

torch.manual_seed(0)
options = dict(source_size=9, target_size=7, embedding_size=4, hidden_size=3)
plain, twin = Seq2Seq(**options), Seq2Seq(**options)
twin.load_state_dict(plain.state_dict())
compiled = torch.compile(twin, backend="aot_eager")
for lengths in ([6, 2, 0], [3, 3, 5]):
    source = torch.randint(1, 9, (3, 6)) * (torch.arange(6) < torch.tensor(lengths)[:, None])
    target = torch.randint(1, 7, (3, 4))
    ours, theirs = compiled(source, target), plain(source, target)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    sequence_loss(ours[0], target).backward()
    sequence_loss(theirs[0], target).backward()
for ours, theirs in zip(twin.parameters(), plain.parameters(), strict=True):
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-5)
print("equal, in", torch._dynamo.utils.counters["stats"]["unique_graphs"], "graphs")
"""


def test_compiled_it_gives_the_same_values_and_gradients():
    """In a process of its own: the run-time check of annotations that the tests turn on cannot be compiled."""
    run = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[-2]) > 0  # something was compiled: not a fall-back to plain Python


# --- writing without a teacher --------------------------------------------------------------------------------------

STEPS = 3
WORDS = 5  # padding, start, end and two more: 4 + 4·3 … few enough to try them all
SEQUENCES = [
    sequence
    for length in range(1, STEPS + 1)
    for sequence in itertools.product(range(1, WORDS), repeat=length)
    if END not in sequence[:-1] and (length == STEPS or sequence[-1] == END)
]


@torch.no_grad()
def true_log_probs(ours: Seq2Seq, source: torch.Tensor, sequences: list[tuple[int, ...]]) -> list[float]:
    """Of answers to one source (1, T), under teacher forcing, from `forward`; -inf for the empty one."""
    width = max(map(len, sequences))
    write = torch.tensor([[*sequence, *[0] * (width - len(sequence))] for sequence in sequences])
    read = torch.cat([torch.full((len(sequences), 1), START), write[:, :-1]], dim=1)
    gains = torch.log_softmax(ours(source.expand(len(sequences), -1), read)[0], dim=-1)
    gains = gains.gather(2, write.unsqueeze(2)).squeeze(2).masked_fill(write == 0, 0.0).sum(1)
    return [gain if sequence else -np.inf for gain, sequence in zip(gains.tolist(), sequences, strict=True)]


def bold(seed: int, kind: str = "plain") -> Seq2Seq:
    """A model that is sure enough of itself for its answers to differ."""
    ours = model(kind, seed=seed, target_size=WORDS)
    for parameter in ours.parameters():
        parameter.data.mul_(3.0)
    return ours


def without_padding(row: torch.Tensor) -> tuple[int, ...]:
    return tuple(int(token) for token in row if token != 0)


@given(seed=st.integers(0, 10**6), penalty=st.sampled_from([0.0, 0.6, 1.0, 3.0]))
def test_a_beam_that_holds_all_sequences_is_exhaustive_search(seed, penalty):
    ours, source = bold(seed), tokens([6, 3], T, S, seed=seed)
    found, log_probs = beam_search(
        ours, source, start=START, end=END, steps=STEPS, width=len(SEQUENCES) + 3, length_penalty=penalty
    )
    for row in range(2):
        one = source[row : row + 1]
        true = dict(zip(SEQUENCES, true_log_probs(ours, one, SEQUENCES), strict=True))
        worth = {sequence: value / ((5 + len(sequence)) / 6) ** penalty for sequence, value in true.items()}
        beams = [without_padding(beam) for beam in found[row]]
        assert sorted(beams[:-3]) == sorted(SEQUENCES)
        assert beams[-3:] == [()] * 3
        assert (log_probs[row, -3:] == -torch.inf).all()
        assert_allclose(log_probs[row, :-3], [true[beam] for beam in beams[:-3]], rtol=0, atol=1e-10)
        assert_allclose([worth[beam] for beam in beams[:-3]], sorted(worth.values(), reverse=True), rtol=0, atol=1e-10)


@given(seed=st.integers(0, 10**6), width=st.integers(1, 6), kind=st.sampled_from(["plain", "fixed vector"]))
def test_log_probs_are_those_of_forward_best_first(seed, width, kind):
    ours, source = bold(seed, kind), tokens([6, 3], T, S, seed=seed)
    found, log_probs = beam_search(ours, source, start=START, end=END, steps=6, width=width)
    assert found.shape == (2, width, 6)
    assert (log_probs.diff(dim=1) <= 0).all()
    for row in range(2):
        beams = list(map(without_padding, found[row]))
        assert_allclose(log_probs[row], true_log_probs(ours, source[row : row + 1], beams), rtol=0, atol=1e-10)
        assert len(set(beams)) == width  # no answer twice; from so many there is no lack of them
        for sequence in beams:
            assert END not in sequence[:-1]
            assert len(sequence) == 6 or sequence[-1] == END


@given(seed=st.integers(0, 10**6), penalty=st.sampled_from([0.0, 1.0]))
def test_a_beam_of_one_is_greedy_and_greedy_is_the_argmax_of_forward(seed, penalty):
    ours, source = bold(seed), tokens([6, 3, 0], T, S, seed=seed)
    ids, weights = greedy(ours, source, start=START, end=END, steps=6)
    alone, _ = beam_search(ours, source, start=START, end=END, steps=6, width=1, length_penalty=penalty)
    assert torch.equal(alone[:, 0], ids)
    read = torch.cat([torch.full((3, 1), START), ids[:, :-1]], dim=1)
    logits, looked = ours(source, read)
    for row in range(3):
        sequence = without_padding(ids[row])
        n = len(sequence)
        assert sequence == tuple((logits[row, :n, 1:].argmax(-1) + 1).tolist())
        assert END not in sequence[:-1]
        assert n == 6 or sequence[-1] == END
        assert not ids[row, n:].any()
        torch.testing.assert_close(weights[row, :n], looked[row, :n], rtol=0, atol=1e-12)
        assert not weights[row, n:].any()


def test_padding_is_never_written_and_the_end_ends():
    ours, source = model(), tokens(LENGTHS, T, S)
    ours.head.bias.data[0] = 100.0
    ids, _ = greedy(ours, source, start=START, end=END, steps=4)
    assert (ids != 0).any(1).all()
    assert (beam_search(ours, source, start=START, end=END, steps=4, width=2)[0] != 0).any(2).all()
    ours.head.bias.data[END] = 50.0
    ids, weights = greedy(ours, source, start=START, end=END, steps=4)
    assert ids.tolist() == [[END, 0, 0, 0]] * B
    assert not weights[:, 1:].any()


def test_writing_leaves_dropout_out_and_the_mode_as_it_was():
    ours, source = model(dropout=0.5).train(), tokens(LENGTHS, T, S)
    for write in (greedy, lambda *a, **k: beam_search(*a, **k, width=2)):
        first, second = (write(ours, source, start=START, end=END, steps=4)[0] for _ in range(2))
        assert torch.equal(first, second)
        assert ours.training


# --- training -------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
SOURCES = [RNG.integers(1, 9, RNG.integers(2, 6)).tolist() for _ in range(48)]
TARGETS = [[token + 2 for token in reversed(source)] for source in SOURCES]  # write it backwards


def run(*, epochs: int, **options: Any) -> tuple[Seq2Seq, Any]:
    torch.manual_seed(0)
    trained = Seq2Seq(source_size=9, target_size=11, embedding_size=16, hidden_size=16, dropout=options.pop("drop", 0))
    history = fit(
        trained,
        pair_batches(SOURCES, TARGETS, 8, start=START, end=END, seed=1),
        pair_batches(SOURCES, TARGETS, 16, start=START, end=END),
        loss=sequence_loss,
        metric=sequence_accuracy,
        optimizer=torch.optim.Adam(trained.parameters(), lr=0.02),
        epochs=epochs,
        progress=False,
        **options,
    )
    return trained, history


def test_it_learns_to_write_backwards_and_to_stop():
    trained, history = run(epochs=25)
    assert history.metric[history.best] > 0.9
    batches = pair_batches(SOURCES, TARGETS, 16, start=START, end=END)
    right = []
    for (source, read), mask, write in batches(0):
        ids, _ = greedy(trained, source, mask, start=START, end=END, steps=write.shape[1])
        right += (ids == write).all(1).tolist()
        with torch.no_grad():  # the accuracy under teacher forcing is that without a teacher
            assert float(sequence_accuracy(trained(source, read)[0], write)) == np.mean(right[-len(ids) :])
    assert np.mean(right) == pytest.approx(
        evaluate(trained, batches(0), loss=sequence_loss, metric=sequence_accuracy)[1]
    )


def test_a_broken_run_on_pairs_goes_on_to_the_same_bits(tmp_path):
    run(epochs=2, drop=0.3, checkpoint=tmp_path / "run.pt")
    resumed, history = run(epochs=4, drop=0.3, checkpoint=tmp_path / "run.pt")
    unbroken, expected = run(epochs=4, drop=0.3)
    assert history == expected
    weights = unbroken.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in resumed.state_dict().items())


def test_pair_batches_hold_every_pair_once_with_its_marks():
    batches, rows = pair_batches(SOURCES, TARGETS, 7, start=START, end=END, seed=3)(2), []
    for (source, read), mask, write in batches:
        assert torch.equal(mask, source != 0)
        for one, reads, writes in zip(source, read, write, strict=True):
            n = int((reads != 0).sum())
            assert reads[0] == START
            assert writes[n - 1] == END
            assert torch.equal(reads[1:n], writes[: n - 1])
            rows.append((without_padding(one), without_padding(writes[: n - 1])))
    assert len(batches) == len(list(batches)) == 7
    assert sorted(rows) == sorted(zip(map(tuple, SOURCES), map(tuple, TARGETS), strict=True))
    orders = [
        [source.tolist() for (source, _), _, _ in pair_batches(SOURCES, TARGETS, 7, start=1, end=2, seed=3)(epoch)]
        for epoch in (0, 1, 0)
    ]
    assert orders[0] == orders[2] != orders[1]


def test_the_loss_is_the_mean_over_real_tokens_and_the_accuracy_counts_whole_rows():
    logits = torch.randn(3, 4, V, dtype=torch.float64)
    targets = torch.tensor([[3, 4, 2, 0], [5, 2, 0, 0], [0, 0, 0, 0]])
    gains = [torch.log_softmax(logits[b, u], -1)[targets[b, u]] for b, u in targets.nonzero().tolist()]
    assert len(gains) == 5
    torch.testing.assert_close(sequence_loss(logits, targets), -torch.stack(gains).mean())
    assert sequence_loss(logits, torch.zeros_like(targets)) == 0
    perfect = F.one_hot(targets, V).double()
    assert sequence_accuracy(perfect, targets) == 1
    perfect[0, 2, 3] = 2.0  # one wrong token
    assert float(sequence_accuracy(perfect, targets)) == pytest.approx(2 / 3)
    perfect[1, 3, 3] = 9.0  # behind the end
    assert float(sequence_accuracy(perfect, targets)) == pytest.approx(2 / 3)
    theirs = ours_keras.sequence_accuracy(targets.numpy(), perfect.numpy())
    assert_array_equal(theirs, [0.0, 1.0, 1.0])


def test_predict_cuts_the_padding_off_every_row_of_weights():
    ours, (source, read, write) = model(), problem()
    outputs, weights = predict(ours, [((source, read), source != 0, write)])
    assert outputs.shape == (B, U, V)
    assert [row.shape for row in weights] == [(U, length) for length in LENGTHS]
    unmasked = predict(ours, [((source[:1], read[:1]), None, write[:1])])[1]
    assert_array_equal(unmasked[0], weights[0])
    assert predict(model("fixed vector"), [((source, read), source != 0, write)])[1] == []


# --- Keras ----------------------------------------------------------------------------------------------------------


@saves
def test_keras_fits_it_saves_it_and_reads_it_in_another_process(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    theirs = ours_keras.Seq2Seq(source_size=9, target_size=11, embedding_size=16, hidden_size=16, dropout=0.05)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    theirs.compile(keras.optimizers.Adam(0.02), loss, metrics=[ours_keras.sequence_accuracy])
    batches = ours_keras.pair_batches(SOURCES, TARGETS, 8, start=START, end=END, seed=1)
    history = theirs.fit(batches, epochs=12, shuffle=False, verbose=0).history
    assert set(history) == {"loss", "sequence_accuracy"}
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    (source, read), mask, write = next(iter(pair_batches(SOURCES, TARGETS, 16, start=START, end=END)(0)))
    there = load_elsewhere(theirs, [source.numpy(), read.numpy()], tmp_path)
    for got, wanted in zip(there, theirs([source.numpy(), read.numpy()]), strict=True):
        assert_array_equal(got, wanted)
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config() == theirs.get_config()
    value, measured = again.test_on_batch((source.numpy(), read.numpy()), write.numpy())  # it comes back compiled
    ours = Seq2Seq(source_size=9, target_size=11, embedding_size=16, hidden_size=16).eval()
    load_numpy(ours, ours_keras.to_numpy(again))
    wanted = evaluate(ours, [((source, read), mask, write)], loss=sequence_loss, metric=sequence_accuracy)
    assert_allclose([value, measured], wanted, rtol=1e-4)


def test_keras_takes_padding_on_either_side_and_masks_by_position():
    theirs, (source, read, _) = ours_keras.Seq2Seq(**SIZES, dtype="float64"), problem()
    logits, weights = theirs((source.numpy(), read.numpy()), None)
    longer = np.pad(source.numpy(), [(0, 0), (2, 5)], constant_values=S - 1)
    mask = np.pad(source.numpy() != 0, [(0, 0), (2, 5)])
    more_logits, more_weights = theirs((longer, read.numpy()), mask)
    assert_allclose(more_logits, logits, rtol=0, atol=1e-12)
    assert_allclose(np.asarray(more_weights)[..., 2:-5], weights, rtol=0, atol=1e-12)
    assert_array_equal(np.asarray(more_weights)[~np.broadcast_to(mask[:, None], more_weights.shape)], 0.0)
    assert_allclose(np.asarray(weights).sum(-1)[:3], 1.0, rtol=0, atol=1e-12)
    plain = ours_numpy.seq2seq(longer, read.numpy(), ours_keras.to_numpy(theirs), mask)
    assert_allclose(more_logits, plain[0], rtol=0, atol=1e-12)


def test_keras_mixed_precision_writes_too():
    theirs = ours_keras.Seq2Seq(**SIZES, dtype="mixed_float16")
    source, read, _ = problem()
    logits, weights = theirs((source.numpy(), read.numpy()))
    assert np.isfinite(np.asarray(logits)).all()
    assert_array_equal(np.asarray(weights)[3], 0.0)
    ids, _ = ours_keras.greedy(theirs, source.numpy(), start=START, end=END, steps=3)
    assert ids.shape == (B, 3)


# --- bad input ------------------------------------------------------------------------------------------------------

SOURCE, READ, _ = problem()
MARKS = {"start": START, "end": END, "steps": 3}
BAD_SIZES = {
    "source_size: got 0, wanted a whole number of tokens, at least 1": {"source_size": 0},
    "target_size: got 1, wanted a whole number of tokens, at least 2": {"target_size": 1},
    "embedding_size: got 0, wanted a whole number of features, at least 1": {"embedding_size": 0},
    "hidden_size: got 0, wanted a whole number of units, at least 1": {"hidden_size": 0},
    "attention_units: got 0, wanted a whole number of attention units, at least 1": {"attention_units": 0},
    "num_layers: got 0, wanted a whole number of layers, at least 1": {"num_layers": 0},
    "dropout: got 1.0, wanted a share from 0 up to but not 1": {"dropout": 1.0},
}


@pytest.mark.parametrize("message", BAD_SIZES)
def test_bad_sizes_are_refused_in_words(message):
    makers = [Seq2Seq, ours_keras.Seq2Seq]
    makers += [] if message.startswith("dropout") else [ours_numpy.seq2seq_shapes]
    for make in makers:
        with pytest.raises(ValueError) as error:
            make(**SIZES | BAD_SIZES[message])
        assert message in str(error.value)


BAD_CALLS: dict[str, dict[str, Any]] = {
    "source: got shape (4, 6, 1), wanted tokens (B, T) = (?, ?)": {"source": SOURCE[..., None]},
    "wanted whole numbers: tokens (B, T) from 0 to 8": {"source": SOURCE.double()},
    "source: got shape (4, 0), wanted tokens (B, T) with at least one row and one step": {"source": SOURCE[:, :0]},
    "target: got shape (3, 5), wanted tokens (B, U) = (4, ?)": {"target": READ[:3]},
    "wanted whole numbers: tokens (B, U) from 0 to 6": {"target": READ.double()},
    "mask: got shape (6, 4), wanted (B, T)": {"mask": (SOURCE != 0).T},
    "wanted booleans (B, T) = (4, 6), True = a real token": {"mask": SOURCE},
    "temperature: got 0.0, wanted a number above 0": {"temperature": 0.0},
}
UNKNOWN: dict[str, dict[str, Any]] = {
    "source: got token 9, wanted 0 to 8": {"source": torch.full_like(SOURCE, S)},
    "source: got token -1, wanted 0 to 8": {"source": torch.full_like(SOURCE, -1)},
    "target: got token 7, wanted 0 to 6": {"target": torch.full_like(READ, V)},
}


@pytest.mark.parametrize("message", BAD_CALLS | UNKNOWN)
def test_bad_calls_are_refused_in_words(message):
    given: dict[str, Any] = {"source": SOURCE, "target": READ, "mask": None, "temperature": 1.0}
    given |= (BAD_CALLS | UNKNOWN)[message]
    plain = {name: one.numpy() if isinstance(one, torch.Tensor) else one for name, one in given.items()}
    source, target, mask = (plain[name] for name in ("source", "target", "mask"))
    calls = [
        lambda: model()(**given),
        lambda: ours_numpy.seq2seq(parameters=to_numpy(model()), **plain),
    ]
    if message in BAD_CALLS:  # whether a token is known TensorFlow says by itself, where it says it
        theirs = ours_keras.Seq2Seq(**SIZES)
        calls.append(lambda: theirs((source, target), mask, temperature=plain["temperature"]))
    for call in calls:
        with pytest.raises(ValueError) as error:
            call()
        assert message in str(error.value)


def step(**wrong: Any) -> Any:
    ours = model()
    memory, state = ours.remember(SOURCE)
    return ours.step(**{"token": READ[:, 0], "state": state, "memory": memory} | wrong)


BAD = {
    "token: got shape (4, 5), wanted tokens (B,) = (?)": lambda: step(token=READ),
    "token: got token 7, wanted 0 to 6": lambda: step(token=torch.full((B,), V)),
    "state: got Tensor, wanted a pair: hidden (B, H) and cell (B, H)": lambda: step(state=torch.zeros(B, H)),
    "state[0]: got shape (4, 2), wanted (B, H) = (4, 3)": lambda: step(state=(torch.zeros(B, 2), torch.zeros(B, H))),
    "state[1]: got shape (1, 3), wanted (B, H) = (4, 3)": lambda: step(state=(torch.zeros(B, H), torch.zeros(1, H))),
    "memory: got Tensor, wanted Memory(keys, values, mask, summary)": lambda: step(memory=torch.zeros(B, T, H)),
    "memory.values: got shape (2, 6, 6), wanted (B, T, 2H) = (4, ?, 6)": lambda: step(
        memory=model().remember(SOURCE[:2])[0]
    ),
    "temperature: got -1.0, wanted a number above 0": lambda: step(temperature=-1.0),
    "mask: got a real token at step 2 of row 0 after padding at step 1": lambda: model()(
        torch.tensor([[1, 0, 2]]), READ[:1]
    ),
    "inputs: got list, wanted a pair: source (B, T) and target (B, U)": lambda: ours_keras.Seq2Seq(**SIZES)(
        [SOURCE.numpy()]
    ),
    "targets: got 2, wanted one for each of 48 sources, at least one": lambda: pair_batches(
        SOURCES, TARGETS[:2], 8, start=START, end=END
    ),
    "batch_size: got 0, wanted a whole number of pairs, at least 1": lambda: pair_batches(
        SOURCES, TARGETS, 0, start=START, end=END
    ),
    "start: got 0, wanted a whole number of a token that is not padding": lambda: pair_batches(
        SOURCES, TARGETS, 8, start=0, end=END
    ),
    "targets: got token 0 in row 1, wanted 1 or more: 0 is padding": lambda: ours_keras.pair_batches(
        [[1], [2]], [[3], [4, 0]], 2, start=START, end=END
    ),
    "parameters: missing: source_embedding": lambda: ours_numpy.seq2seq(
        SOURCE.numpy(), READ.numpy(), {n: a for n, a in to_numpy(model()).items() if n != "source_embedding"}
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)


BAD_SEARCHES: dict[str, dict[str, Any]] = {
    "start: got 0, wanted a whole number of a token that is not padding, at least 1": {"start": 0},
    "end: got 7, wanted a token from 1 to 6": {"end": V},
    "steps: got 0, wanted a whole number of tokens, at least 1": {"steps": 0},
    "width: got 0, wanted a whole number of sequences, at least 1": {"width": 0},
    "length_penalty: got -0.5, wanted a number, 0 or more": {"length_penalty": -0.5},
}


@pytest.mark.parametrize("message", BAD_SEARCHES)
def test_bad_searches_are_refused_in_words(message):
    asked, ours = MARKS | {"width": 2} | BAD_SEARCHES[message], model()
    parameters, theirs = to_numpy(ours), ours_keras.Seq2Seq(**SIZES)
    searches = [
        lambda: beam_search(ours, SOURCE, **asked),
        lambda: ours_numpy.beam_search(SOURCE.numpy(), parameters, **asked),
        lambda: ours_keras.beam_search(theirs, SOURCE.numpy(), **asked),
    ]
    if not message.startswith(("width", "length")):
        marks = {name: asked[name] for name in MARKS}
        searches += [
            lambda: greedy(ours, SOURCE, **marks),
            lambda: ours_numpy.greedy(SOURCE.numpy(), parameters, **marks),
            lambda: ours_keras.greedy(theirs, SOURCE.numpy(), **marks),
        ]
    for search in searches:
        with pytest.raises(ValueError) as error:
            search()
        assert message in str(error.value)
