"""The training loop: what it learns, when it stops, and that no interruption changes its result."""

import errno
import json
import math
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from processor import needs_bfloat16_lstm, runs_bfloat16_lstm
from torch import nn
from torch.nn import functional as F

from attnlstm_ref import _files
from attnlstm_ref.torch import AttentionLSTM, CheckpointError, accuracy, evaluate, fit, predict, text_batches

RNG = np.random.default_rng(0)
IDS = [RNG.integers(1, 9, RNG.integers(1, 8)).tolist() for _ in range(24)]
LABELS = np.array([float(3 in ids) for ids in IDS])


def model(seed: int = 0, **options) -> AttentionLSTM:
    torch.manual_seed(seed)
    return AttentionLSTM(**{"input_size": 4, "hidden_size": 4, "vocab_size": 9} | options)


def run(trained: nn.Module | None = None, *, lr: float = 0.02, valid=None, **options):
    trained = model(dropout=0.2) if trained is None else trained
    defaults = {"loss": F.binary_cross_entropy_with_logits, "epochs": 3, "metric": accuracy, "progress": False}
    history = fit(
        trained,
        text_batches(IDS, LABELS, 8, seed=1),
        text_batches(IDS, LABELS, 8) if valid is None else valid,
        optimizer=torch.optim.Adam(trained.parameters(), lr=lr),
        **defaults | options,
    )
    return trained, history


class Scripted(nn.Module):
    """A model whose validation loss is what the script says: its one parameter moves, its outputs do not."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.zeros(()))
        self.losses, self.calls = losses, 0

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        if self.training:
            return self.step.expand(len(inputs))
        self.calls += 1
        return torch.full((len(inputs),), self.losses[self.calls - 1])


def scripted(losses: list[float], **options):
    trained = Scripted(losses)
    batch = [(torch.zeros(2, 1, dtype=torch.long), None, torch.zeros(2))]
    history = fit(
        trained,
        batch,
        batch,
        loss=lambda outputs, targets: (outputs - targets).mean(),  # moves `step` by -lr an update
        optimizer=torch.optim.SGD(trained.parameters(), lr=1.0),
        epochs=len(losses),
        progress=False,
        **options,
    )
    return trained, history


def test_it_learns_which_word_matters():
    trained, history = run(model(), epochs=25, lr=0.05)
    assert history.valid_loss[history.best] < 0.5 * history.valid_loss[0]
    assert evaluate(trained, text_batches(IDS, LABELS, 8)(0), loss=F.mse_loss, metric=accuracy)[1] > 0.9


def test_early_stopping_waits_as_long_as_it_says_and_restores_the_best():
    trained, history = scripted([3.0, 1.0, 2.0, 1.0, 0.5], patience=2)
    assert history.valid_loss == [3.0, 1.0, 2.0, 1.0]  # an equal loss is no better one
    assert history.best == 1
    assert trained.step.item() == -2.0  # after the second epoch


def test_plateau_lowers_the_rate_when_keras_would():
    _, history = scripted([3.0, 1.0, 2.0, 2.0, 2.0, 2.0], plateau=(0.5, 2))
    assert history.learning_rate == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]


@pytest.mark.parametrize("option", [{"clip_norm": 0.1}, {"clip_value": 0.1}])
def test_clipping_bounds_the_step(option):
    free, _ = scripted([1.0])
    clipped, _ = scripted([1.0], **option)
    assert free.step.item() == -1.0
    assert clipped.step.item() == pytest.approx(-0.1, rel=1e-4)


def test_the_seed_decides_and_the_shuffling_depends_on_the_epoch():
    same, other = run(seed=0)[0].state_dict(), run(seed=1)[0].state_dict()
    again = run(seed=0)[0].state_dict()
    assert all(torch.equal(same[name], again[name]) for name in same)
    assert any(not torch.equal(same[name], other[name]) for name in same)
    batches = text_batches(IDS, LABELS, 8, seed=1)
    first, second, first_again = (torch.cat([t.flatten() for t, _, _ in batches(e)]).tolist() for e in (0, 1, 0))
    assert first == first_again != second


def test_text_batches_hold_every_text_once():
    rows = [
        (t[m].tolist(), y)
        for ts, ms, ys in text_batches(IDS, LABELS, 5, seed=3)(0)
        for t, m, y in zip(ts, ms, ys, strict=True)
    ]
    assert sorted((ids, float(y)) for ids, y in rows) == sorted(zip(IDS, LABELS.tolist(), strict=True))
    assert next(iter(text_batches(IDS, LABELS, 5, dtype="int64")(0)))[2].dtype == torch.int64


def test_classes_and_cross_entropy():
    trained = model(outputs=3)
    batches = text_batches(IDS, LABELS, 8, dtype="int64")
    optimizer = torch.optim.Adam(trained.parameters(), lr=0.05)
    history = fit(
        trained, batches, batches, loss=F.cross_entropy, optimizer=optimizer, epochs=5, metric=accuracy, progress=False
    )
    assert history.valid_loss[-1] < history.valid_loss[0]
    assert 0 <= history.metric[-1] <= 1


def test_evaluate_is_the_mean_over_rows_and_leaves_the_mode():
    trained = model(dropout=0.5).train()
    batches = text_batches(IDS, LABELS, 7)
    loss, metric = evaluate(trained, batches(0), loss=F.binary_cross_entropy_with_logits)
    whole = evaluate(trained, text_batches(IDS, LABELS, 24)(0), loss=F.binary_cross_entropy_with_logits)
    assert loss == pytest.approx(whole[0], abs=1e-6)
    assert math.isnan(metric)
    assert trained.training
    outputs, weights = predict(trained, batches(0))
    assert len(outputs) == len(weights) == len(IDS)
    assert [len(row) for row in weights] == sorted(map(len, IDS))
    np.testing.assert_allclose([row.sum() for row in weights], 1.0, atol=1e-5)


@needs_bfloat16_lstm
def test_amp_trains_too():
    _, history = run(amp=True)
    assert all(map(math.isfinite, history.train_loss))


@pytest.mark.parametrize(
    ("amp", "message", "told"),
    [
        (True, "could not create a primitive", "amp: got True, wanted False"),
        (False, "could not create a primitive", "^could not create"),
        (True, "out of memory", "^out of memory"),
    ],
)
def test_amp_without_a_kernel_is_said_in_words(amp, message, told):
    class Refused(nn.Linear):
        def forward(self, inputs, mask=None):
            raise RuntimeError(message)

    refused, batch = Refused(3, 1), (torch.zeros(2, 3), None, torch.zeros(2))
    with pytest.raises(RuntimeError, match=told):
        fit(
            refused,
            [batch],
            [batch],
            loss=F.binary_cross_entropy_with_logits,
            optimizer=torch.optim.SGD(refused.parameters(), 0.1),
            epochs=1,
            amp=amp,
            progress=False,
        )


@pytest.mark.skipif(runs_bfloat16_lstm(), reason="this processor has a bfloat16 LSTM")
def test_amp_on_a_processor_without_bfloat16_lstm():
    with pytest.raises(RuntimeError, match="amp: got True"):
        run(amp=True)


def test_progress_goes_to_stderr(capsys):
    run(epochs=1, progress=True)
    assert "epoch 1/1" in capsys.readouterr().err


def test_a_loss_that_is_no_number_says_what_to_try():
    with pytest.raises(FloatingPointError, match=r"got nan in training in epoch 0, .* lower learning rate, clip_norm"):
        run(loss=lambda outputs, targets: (outputs * torch.nan).mean())
    with pytest.raises(FloatingPointError, match="got inf in validation after epoch 0"):
        scripted([math.inf])


# --- checkpoints -----------------------------------------------------------------------------------

RUN = """
import hashlib, json, os, signal, sys
import numpy as np, torch
from torch.nn import functional as F
from attnlstm_ref.torch import AttentionLSTM, accuracy, fit, text_batches

path, kill = sys.argv[1:]
torch.set_num_threads(2)
rng = np.random.default_rng(0)
ids = [rng.integers(1, 9, rng.integers(1, 8)).tolist() for _ in range(24)]
labels = np.array([float(3 in row) for row in ids])
torch.manual_seed(0)
model = AttentionLSTM(input_size=4, hidden_size=4, vocab_size=9, dropout=0.3, num_layers=2, residual=True)
batches = text_batches(ids, labels, 8, seed=1)

def train(epoch):
    for number, batch in enumerate(batches(epoch)):
        if kill == f"batch {epoch} {number}":
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch

replace, written = os.replace, []

def counting(source, target):
    written.append(target)
    if kill == f"write {len(written)}":
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = counting
history = fit(model, train, text_batches(ids, labels, 8), loss=F.binary_cross_entropy_with_logits, metric=accuracy,
              optimizer=torch.optim.Adam(model.parameters(), lr=0.05), epochs=5, plateau=(0.5, 1), patience=4,
              clip_norm=0.5, checkpoint=path if path else None, progress=False)
parts = {name: hashlib.sha256(t.numpy().tobytes()).hexdigest() for name, t in model.state_dict().items()}
print(json.dumps([parts, [x.hex() for x in history.train_loss + history.valid_loss], len(written)]))
"""


def subprocess_run(path, kill: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", RUN, str(path), kill], capture_output=True, text=True, timeout=300, check=False
    )


def test_a_run_killed_twice_ends_bit_for_bit_like_an_unbroken_one(tmp_path):
    path = tmp_path / "run[1].pt"
    unbroken = subprocess_run("")
    assert unbroken.returncode == 0, unbroken.stderr
    assert subprocess_run(path, "batch 1 2").returncode == -signal.SIGKILL  # in the middle of the second epoch
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert subprocess_run(path, "write 2").returncode == -signal.SIGKILL  # the third checkpoint, not yet in place
    assert len(list(tmp_path.iterdir())) == 2
    resumed = subprocess_run(path)
    assert resumed.returncode == 0, resumed.stderr
    weights, losses, written = json.loads(resumed.stdout)
    assert [weights, losses] == json.loads(unbroken.stdout)[:2]
    assert written == 3  # two of the five epochs were kept
    assert [file.name for file in tmp_path.iterdir()] == [path.name]  # what the second kill left is swept up


def test_a_finished_run_is_not_run_again_and_may_be_made_longer(tmp_path):
    path = tmp_path / "run.pt"
    _, short = run(epochs=2, checkpoint=path)
    _, again = run(model(dropout=0.2), epochs=2, checkpoint=path, loss=lambda *_: pytest.fail("trained again"))
    assert again == short
    longer, history = run(epochs=4, checkpoint=path)
    unbroken, expected = run(epochs=4)
    assert history == expected
    weights = unbroken.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in longer.state_dict().items())


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_checkpoint_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "run.pt"
    run(epochs=1, checkpoint=path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if call == "fsync":
            patch.setattr(_files.os, "fsync", full)
        else:
            patch.setattr(_files.Path, "write_bytes", full)
        with pytest.raises(CheckpointError, match=r"run\.pt \(No space left on device\).* intact: make room"):
            run(epochs=3, checkpoint=path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    _, history = run(epochs=3, checkpoint=path)  # and it goes on from there
    assert history == run(epochs=3)[1]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(epochs=1, checkpoint=path)
    with pytest.raises(ValueError, match=r"was written with seed=0, this run has 5"):
        run(checkpoint=path, seed=5)
    with pytest.raises(ValueError, match=r"was written with optimizer=Adam .* this run has Adam"):
        run(checkpoint=path, lr=0.5)
    with pytest.raises(ValueError, match="was written for another model"):
        run(model(hidden_size=5), checkpoint=path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cannot be read; delete it"):
        run(checkpoint=path)


BAD = {
    "epochs: got 0, wanted a whole number of epochs, at least 1": lambda: run(epochs=0),
    "patience: got 0, wanted a whole number of epochs, at least 1": lambda: run(patience=0),
    "plateau: got (2.0, 1), wanted (a factor between 0 and 1, epochs from 1)": lambda: run(plateau=(2.0, 1)),
    "plateau: got (0.5, 0), wanted": lambda: run(plateau=(0.5, 0)),
    "clip_norm: got 0.0, wanted a number above 0": lambda: run(clip_norm=0.0),
    "clip_value: got -1.0, wanted a number above 0": lambda: run(clip_value=-1.0),
    "wanted a file in a folder that exists": lambda: run(checkpoint="no such folder/run.pt"),
    "train: got no batch in epoch 0, wanted at least one": lambda: fit(
        model(),
        [],
        [],
        loss=F.mse_loss,
        optimizer=torch.optim.SGD([nn.Parameter(torch.zeros(1))]),
        epochs=1,
        progress=False,
    ),
    "batches: got none, wanted at least one": lambda: run(valid=[]),
    "targets: got shape (4, 1), wanted (4,) as the outputs": lambda: evaluate(
        model(), [(torch.ones(4, 2, dtype=torch.long), None, torch.zeros(4, 1))], loss=F.mse_loss
    ),
    "labels: got 2, wanted one for each of 24 texts": lambda: text_batches(IDS, LABELS[:2], 8),
    "batch_size: got 0, wanted a whole number of texts, at least 1": lambda: text_batches(IDS, LABELS, 0),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)
