"""Training in PyTorch: one plain loop that can be killed at any moment and goes on where it was."""

from __future__ import annotations

import contextlib
import copy
import glob
import io
import math
import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm import tqdm

from attnlstm_ref import _checks, text
from attnlstm_ref._files import replacing

Inputs = Tensor | tuple[Tensor | None, ...]
Batch = tuple[Inputs, Tensor | None, Tensor]
Batches = Callable[[int], Iterable[Batch]] | Sequence[Batch]
"""Batches of (inputs, mask, targets): a sequence of them, or a function of the epoch's number that gives them.

Where a model reads more than one thing, inputs are a tuple: `model(*inputs, mask)`.
What a function gives must depend on that number and nothing else, or a resumed run sees other batches.
"""
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class History:
    """One figure an epoch; `best` is the epoch (from 0) whose weights the model has at the end."""

    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)  # of the validation data; NaN where none is asked for
    learning_rate: list[float] = field(default_factory=list)
    best: int = -1


class CheckpointError(RuntimeError):
    """A checkpoint could not be written or read; the one before it is untouched."""


# --- batches ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Epoch:
    """The batches of one epoch, each made from its rows when its turn comes."""

    rows: list[np.ndarray]
    make: Callable[[np.ndarray], Batch]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Batch]:
        return map(self.make, self.rows)


def _by_length(
    lengths: list[int], batch_size: int, seed: int | None, make: Callable[[np.ndarray], Batch]
) -> Callable[[int], Iterable[Batch]]:
    """Rows of about equal length together, in an order that depends on seed and epoch alone."""

    def batches(epoch: int) -> Iterable[Batch]:
        rng = None if seed is None else np.random.default_rng([seed, epoch])
        return _Epoch(text.batches_by_length(lengths, batch_size, rng=rng), make)

    return batches


def _pad(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Tokens (B, T) and their mask."""
    tokens, mask = text.pad(sequences)
    return torch.from_numpy(tokens), torch.from_numpy(mask)


def text_batches(
    ids: Sequence[Sequence[int]],
    labels: Sequence[float] | np.ndarray,
    batch_size: int,
    *,
    seed: int | None = None,
    dtype: str = "float32",
) -> Callable[[int], Iterable[Batch]]:
    """Batches of texts of about equal length, padded on the right only as far as each batch needs.

    Parameters
    ----------
    ids : token numbers of each text
    labels : one for each text, or a row of them
    batch_size : texts in a batch
    seed : shuffle anew each epoch; None keeps one order, by length, for validation
    dtype : of the targets: "float32" for yes-or-no logits and values, "int64" for `cross_entropy`

    Returns
    -------
    epoch -> batches of tokens (B, T), mask (B, T), labels (B,)

    Raises
    ------
    ValueError
        No texts, another number of labels than of texts, a batch size below 1.
    """
    if not len(ids) or len(ids) != len(labels):
        raise ValueError(f"labels: got {len(labels)}, wanted one for each of {len(ids)} texts, at least one")
    _checks.at_least("batch_size", batch_size, 1, "texts")
    targets = np.asarray(labels, dtype=dtype)

    def batch(rows: np.ndarray) -> Batch:
        return *_pad([ids[row] for row in rows]), torch.from_numpy(targets[rows])

    return _by_length([len(one) for one in ids], batch_size, seed, batch)


def pair_batches(
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    batch_size: int,
    *,
    start: int,
    end: int,
    seed: int | None = None,
) -> Callable[[int], Iterable[Batch]]:
    """Batches of pairs whose sources are about equally long, padded on the right, for teacher forcing.

    Parameters
    ----------
    sources, targets : token numbers of each text and of its answer, without marks
    batch_size : pairs in a batch
    start, end : the marks; the decoder reads `start` and the answer, and is to write the answer and `end`
    seed : shuffle anew each epoch; None keeps one order, by length of the source, for validation

    Returns
    -------
    epoch -> batches of (source (B, T), what the decoder reads (B, U)), mask of the source (B, T), what it is to
    write (B, U)

    Raises
    ------
    ValueError
        No pairs, another number of targets than of sources, a batch size or mark below 1, a target with the token 0.
    """
    _checks.pairs(sources, targets, batch_size, start, end)

    def batch(rows: np.ndarray) -> Batch:
        source, mask = _pad([sources[row] for row in rows])
        read, _ = _pad([[start, *targets[row]] for row in rows])
        write, _ = _pad([[*targets[row], end] for row in rows])
        return (source, read), mask, write

    return _by_length([len(one) for one in sources], batch_size, seed, batch)


def _epoch_of(batches: Batches, epoch: int) -> Iterable[Batch]:
    return batches(epoch) if callable(batches) else batches


# --- the loop --------------------------------------------------------------------------------------


def fit(
    model: nn.Module,
    train: Batches,
    valid: Batches,
    *,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    metric: Loss | None = None,
    patience: int | None = None,
    plateau: tuple[float, int] | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    amp: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: bool = True,
) -> History:
    """Train `model` in place and leave it with the weights of its best epoch.

    Parameters
    ----------
    model : called as model(inputs, mask), or model(*inputs, mask) where the inputs are a tuple; returns outputs (B, 1),
        (B, K) or, of sequences, (B, U, V), alone or with the weights
    train, valid : batches of (inputs, mask, targets), or a function epoch -> such batches; see `text_batches`
    loss, metric : functions (outputs, targets) -> scalar, the mean over the batch; (B, 1) outputs arrive as (B,)
    optimizer : holds the model's parameters
    epochs : at most so many
    patience : stop after so many epochs without a lower validation loss
    plateau : (factor, epochs): multiply the learning rate by `factor` after so many epochs without a lower
        validation loss, as Keras counts them (PyTorch's own scheduler waits for one more)
    clip_norm, clip_value : bound the gradient's norm (Pascanu et al. 2013, algorithm 1), or each of its entries
    amp : forward passes in bfloat16 where PyTorch holds that safe
    checkpoint : a file to keep after every epoch and to go on from when it is there; an interrupted run that goes on
        ends bit for bit like one that was never interrupted, on the same machine with as many threads
    seed : of dropout, and whatever else draws on torch's generator while training
    progress : show a bar

    Returns
    -------
    History

    Raises
    ------
    ValueError
        An option out of its range, targets that do not fit the outputs, no batch, a checkpoint of another run.
    FloatingPointError
        A loss that is not a number.
    CheckpointError
        A checkpoint that cannot be written or read.
    RuntimeError
        `amp` on a processor for which PyTorch has no bfloat16 kernel of one of the layers.
    """
    _check_options(epochs, patience, plateau, clip_norm, clip_value)
    history, best_weights = History(), copy.deepcopy(model.state_dict())
    schedule = None
    if plateau is not None:
        schedule = ReduceLROnPlateau(optimizer, factor=plateau[0], patience=plateau[1] - 1, threshold=0.0)
    torch.manual_seed(seed)
    path = None if checkpoint is None else _place(checkpoint)
    settings = _settings(optimizer, patience, plateau, clip_norm, clip_value, amp, seed)
    if path is not None and path.exists():
        history, best_weights = _resume(path, model, optimizer, schedule, settings)

    for epoch in range(len(history.valid_loss), epochs):
        if patience is not None and epoch > history.best + patience:
            break
        history.learning_rate.append(optimizer.param_groups[0]["lr"])
        batches = tqdm(_epoch_of(train, epoch), desc=f"epoch {epoch + 1}/{epochs}", disable=not progress)
        with batches:
            history.train_loss.append(_train_epoch(model, batches, loss, optimizer, clip_norm, clip_value, amp, epoch))
            value, measured = evaluate(model, _epoch_of(valid, epoch), loss=loss, metric=metric, amp=amp)
            batches.set_postfix(train=f"{history.train_loss[-1]:.3f}", valid=f"{value:.3f}")
        _finite(value, f"validation after epoch {epoch}")
        history.valid_loss.append(value)
        history.metric.append(measured)
        if history.best < 0 or value < history.valid_loss[history.best]:
            history.best, best_weights = epoch, copy.deepcopy(model.state_dict())
        if schedule is not None:
            schedule.step(value)
        if path is not None:
            _save(path, _state(model, optimizer, schedule, history, best_weights, settings))
    model.load_state_dict(best_weights)
    return history


def _train_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    clip_norm: float | None,
    clip_value: float | None,
    amp: bool,
    epoch: int,
) -> float:
    """One pass over the batches; the mean loss over their rows."""
    model.train()
    total, rows = 0.0, 0
    for batch in batches:
        outputs, targets = _answer(model, batch, amp)
        value = loss(outputs, targets)
        _finite(value.item(), f"training in epoch {epoch}")
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        if clip_value is not None:
            nn.utils.clip_grad_value_(model.parameters(), clip_value)
        optimizer.step()
        total += value.item() * len(targets)
        rows += len(targets)
    if not rows:
        raise ValueError(f"train: got no batch in epoch {epoch}, wanted at least one")
    return total / rows


@torch.no_grad()
def evaluate(
    model: nn.Module, batches: Iterable[Batch], *, loss: Loss, metric: Loss | None = None, amp: bool = False
) -> tuple[float, float]:
    """Mean loss and mean metric over the rows of the batches, without dropout; the metric is NaN where none is given.

    Raises
    ------
    ValueError
        No batch, targets that do not fit the outputs.
    """
    sums, rows = np.zeros(2), 0
    with _evaluating(model):
        for batch in batches:
            outputs, targets = _answer(model, batch, amp)
            measured = math.nan if metric is None else float(metric(outputs, targets))
            sums += len(targets) * np.array([float(loss(outputs, targets)), measured])
            rows += len(targets)
    if not rows:
        raise ValueError("batches: got none, wanted at least one")
    return float(sums[0] / rows), float(sums[1] / rows)


@torch.no_grad()
def predict(model: nn.Module, batches: Iterable[Batch]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Outputs of every row in the order of the batches, and each row's weights without the padding's.

    The list of weights is empty where the model gives none.

    Raises
    ------
    ValueError
        No batch.
    """
    outputs, weights = [], []
    with _evaluating(model):
        for inputs, mask, _ in batches:
            out, alpha = model(*_placed(model, inputs, mask))
            outputs.append(_column(out).float().cpu().numpy())
            if alpha is not None:
                real = alpha.new_ones(len(alpha), alpha.shape[-1], dtype=torch.bool) if mask is None else mask
                weights += [row[..., keep].numpy() for row, keep in zip(alpha.float().cpu(), real.cpu(), strict=True)]
    if not outputs:
        raise ValueError("batches: got none, wanted at least one")
    return np.concatenate(outputs), weights


def accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """Share of right answers: yes-or-no logits (B,) against 0 and 1, or logits (B, K) against classes."""
    answers = logits > 0 if logits.ndim == 1 else logits.argmax(dim=-1)
    return (answers == targets).float().mean()


def sequence_loss(logits: Float[Tensor, "B U V"], targets: Int[Tensor, "B U"]) -> Float[Tensor, ""]:
    """Cross-entropy -log P(y_i | y_1 … y_{i-1}, source), the mean over the tokens that are not padding (0).

    Parameters
    ----------
    logits : (B, U, V)
    targets : (B, U) what the decoder is to write, 0 after its end

    Returns
    -------
    a scalar; 0 where all is padding
    """
    total = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0, reduction="sum")
    return total / (targets != 0).sum().clamp(min=1)


def sequence_accuracy(logits: Float[Tensor, "B U V"], targets: Int[Tensor, "B U"]) -> Float[Tensor, ""]:
    """Share of the rows whose every token is right, each written after the true ones before it; padding (0) is passed.

    A row is right here exactly where `greedy` writes it without a fault: up to the first fault both read the same.

    Parameters
    ----------
    logits, targets : as in `sequence_loss`
    """
    right = (logits[..., 1:].argmax(dim=-1) + 1 == targets) | (targets == 0)  # padding is no answer
    return right.all(dim=-1).float().mean()


def _answer(model: nn.Module, batch: Batch, amp: bool) -> tuple[Tensor, Tensor]:
    """The model's outputs for a batch, in float32 or better, beside the targets, both on the model's device."""
    inputs, mask, targets = batch
    device = next(model.parameters()).device
    targets = targets.to(device)
    with _in_words(amp), torch.autocast(device.type, dtype=torch.bfloat16, enabled=amp):
        result = model(*_placed(model, inputs, mask))
    outputs = _column(result[0] if isinstance(result, tuple) else result)
    outputs = outputs.float() if amp else outputs
    if targets.is_floating_point() and targets.shape != outputs.shape:
        # (B, 1) against (B,) would broadcast to (B, B), and many a loss would average that without a word.
        raise ValueError(f"targets: got shape {tuple(targets.shape)}, wanted {tuple(outputs.shape)} as the outputs")
    return outputs, targets


def _placed(model: nn.Module, inputs: Inputs, mask: Tensor | None) -> list[Tensor | None]:
    """What the model is called with, on its device: the inputs, one or several, and the mask."""
    device = next(model.parameters()).device
    several = inputs if isinstance(inputs, tuple) else (inputs,)
    return [None if one is None else one.to(device) for one in (*several, mask)]


@contextlib.contextmanager
def _in_words(amp: bool) -> Iterator[None]:
    """oneDNN only says "could not create a primitive" where it has no kernel, as for LSTMs without AVX-512."""
    try:
        yield
    except RuntimeError as error:
        if amp and "primitive" in str(error):
            raise RuntimeError("amp: got True, wanted False: this processor has no bfloat16 kernel here") from error
        raise


def _column(outputs: Tensor) -> Tensor:
    """(B, 1) becomes (B,), the shape in which targets come."""
    return outputs.squeeze(-1) if outputs.ndim == 2 else outputs


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Without dropout inside the block, as before after it."""
    before = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(before)


def _finite(loss: float, where: str) -> None:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"loss: got {loss} in {where}, wanted a finite number; try a lower learning rate, clip_norm=1.0 or "
            "amp=False, and look for NaN and very large values in the inputs and targets"
        )


def _check_options(
    epochs: int,
    patience: int | None,
    plateau: tuple[float, int] | None,
    clip_norm: float | None,
    clip_value: float | None,
) -> None:
    _checks.at_least("epochs", epochs, 1, "epochs")
    if patience is not None:
        _checks.at_least("patience", patience, 1, "epochs")
    if plateau is not None and not (len(plateau) == 2 and 0 < plateau[0] < 1 and plateau[1] >= 1):
        raise ValueError(f"plateau: got {plateau}, wanted (a factor between 0 and 1, epochs from 1)")
    for name, bound in {"clip_norm": clip_norm, "clip_value": clip_value}.items():
        if bound is not None and not bound > 0:
            raise ValueError(f"{name}: got {bound}, wanted a number above 0")


# --- checkpoints -----------------------------------------------------------------------------------


def _place(checkpoint: str | os.PathLike[str]) -> Path:
    """Where to write, cleared of what a run killed in the middle of writing left there."""
    path = Path(checkpoint)
    if not path.parent.is_dir() or path.is_dir():
        raise ValueError(f"checkpoint: got {path}, wanted a file in a folder that exists")
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)
    return path


def _settings(
    optimizer: torch.optim.Optimizer,
    patience: int | None,
    plateau: tuple[float, int] | None,
    clip_norm: float | None,
    clip_value: float | None,
    amp: bool,
    seed: int,
) -> dict[str, str]:
    """What must not change between the two halves of a run (more epochs may be asked for)."""
    groups = [{name: group[name] for name in sorted(group) if name != "params"} for group in optimizer.param_groups]
    return {
        "optimizer": f"{type(optimizer).__name__} {groups}",
        "patience": repr(patience),
        "plateau": repr(plateau),
        "clip_norm": repr(clip_norm),
        "clip_value": repr(clip_value),
        "amp": repr(amp),
        "seed": repr(seed),
    }


def _state(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: ReduceLROnPlateau | None,
    history: History,
    best_weights: dict[str, Tensor],
    settings: dict[str, str],
) -> dict[str, Any]:
    """Everything the next epoch depends on, the generators' states among it."""
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002  a caller's augmentation may draw on it
    return {
        "settings": settings,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": None if schedule is None else schedule.state_dict(),
        "history": asdict(history),
        "best_weights": best_weights,
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": (
            kind,
            np.asarray(keys).tolist(),
            *rest,
        ),  # lists and numbers: a checkpoint is read without running code
        "python": random.getstate(),
    }


def _save(path: Path, state: dict[str, Any]) -> None:
    """Write the whole checkpoint beside the old one, then put it in the old one's place in a single step."""
    buffer = io.BytesIO()  # torch's own file writer hides why a write failed
    torch.save(state, buffer)
    try:
        with replacing(path) as part:
            part.write_bytes(buffer.getbuffer())
    except OSError as error:
        kept = "The one before it is intact: " if path.exists() else ""
        raise CheckpointError(
            f"checkpoint: could not write {path} ({error.strerror}). {kept}make room or choose another place, run "
            "again, and training goes on after the last epoch that was saved"
        ) from error


def _resume(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: ReduceLROnPlateau | None,
    settings: dict[str, str],
) -> tuple[History, dict[str, Tensor]]:
    """Put everything back as it was at the end of the last epoch that was saved."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        written = state["settings"]
    except Exception as error:
        raise CheckpointError(
            f"checkpoint: {path} cannot be read; delete it to start afresh, or name another file"
        ) from error
    for name, value in settings.items():
        if written[name] != value:
            raise ValueError(
                f"checkpoint: {path} was written with {name}={written[name]}, this run has {value}; "
                "give the same, or name another file"
            )
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"checkpoint: {path} was written for another model; name another file") from error
    if schedule is not None:
        schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002
    random.setstate(state["python"])
    return History(**state["history"]), state["best_weights"]
