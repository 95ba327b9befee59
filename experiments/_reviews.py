"""What the experiments on film reviews share: the reviews, a reader with its parts to choose, one way to train it.

A `Setup` says everything a run depends on but its seed. Readers that are compared have the same vocabulary, the same
embedding and about the same number of parameters behind it (`budget`): where a pooling brings parameters of its own,
the LSTM gets fewer units. Twenty thousand reviews to learn from, five thousand held out (the last block of each label,
so that hardly a film stands on both sides), of which every fourth is looked at four times an epoch. The weights with
the lowest held-out loss are kept, and these alone are shown the official test half, once.
"""

from __future__ import annotations

import base64
import bisect
import functools
import itertools
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref import text
from attnlstm_ref.data import reviews
from attnlstm_ref.torch import AttentionPooling, BiLSTMEncoder, fit, text_batches

LOOKS = 4  # a pass over the training reviews
PLAIN = ("last", "mean", "max")  # poolings that weigh nothing
BRIEFLY = 200  # a smoke test reads every so many-th review
EVEN = 1e6  # a temperature at which any weights are equal


@dataclass(frozen=True)
class Setup:
    """Everything a run depends on, but its seed."""

    encoder: str = "lstm"  # "lstm", "bilstm"; "none": the embedded words themselves are pooled
    pooling: str = "last"  # "last", "mean", "max", or a score of AttentionPooling
    padding: str = "masked"  # "masked"; "post" or "pre": filled up to `keep` with a word like any other
    keep: int = 200  # the first so many tokens of a review
    units: int | None = None  # of the LSTM, a direction; None: as many as the budget allows
    attention_units: int = 32
    heads: int = 4
    budget: int = 11_000  # parameters behind the embedding
    embedding: int = 50
    vocabulary: int = 10_000
    dropout: float = 0.3  # of the embedded words and of what is pooled
    lstm_dropout: float = 0.0  # of the LSTM's inputs, the same features at every step: Keras' LSTM(dropout=...)
    batch: int = 32
    rate: float = 2e-3
    epochs: int = 2
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    plateau: tuple[float, int] | None = None  # (factor, looks)
    train_on: int = 20_000  # reviews

    def whole(self) -> dict[str, Any]:
        return asdict(self)

    def said(self) -> dict[str, Any]:
        """What differs from the ordinary setup, for a record."""
        ordinary = Setup()
        return {
            f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != getattr(ordinary, f.name)
        }


# --- the reviews ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Reviews as numbers."""

    ids: list[list[int]]
    labels: np.ndarray

    def cut(self, keep: int) -> Part:
        return Part([one[:keep] for one in self.ids], self.labels)

    def every(self, step: int) -> Part:
        return Part(self.ids[::step], self.labels[::step])


@functools.cache
def vocabulary(size: int, every: int = 1) -> text.Vocabulary:
    """The commonest words of the 20,000 reviews to learn from, or of every so many-th of them."""
    return text.Vocabulary.build(_tokens("learn", every), max_size=size)


@functools.cache
def _source(name: str) -> reviews.Reviews:
    if name == "test":
        return reviews.load("test")
    learn, held_out = reviews.validation_split(reviews.load("train"))
    return learn if name == "learn" else held_out


@functools.cache
def _tokens(name: str, every: int) -> list[list[str]]:
    return [text.tokenise(one) for one in _source(name).texts[::every]]


@functools.cache
def part(name: str, size: int = 10_000, every: int = 1) -> Part:
    """ "learn" (20,000), "held_out" (5,000) or "test" (25,000), whole reviews; or every so many-th of them only."""
    words = vocabulary(size, every)
    return Part([words.encode(one) for one in _tokens(name, every)], _source(name).labels[::every])


def hashes() -> dict[str, str]:
    """Names exactly what was read."""
    return {name: _source(name).sha256 for name in ("learn", "held_out", "test")}


# --- the reader -------------------------------------------------------------------------------------


def lstm(inputs: int, units: int) -> nn.LSTM:
    layer = nn.LSTM(inputs, units, batch_first=True)
    remember(layer)
    return layer


def remember(layer: nn.LSTM) -> None:
    """Forget gates that start open, as Keras has them (Jozefowicz et al. 2015; chapter 1): biases of 1, once."""
    with torch.no_grad():
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
        layer.bias_ih_l0[layer.hidden_size : 2 * layer.hidden_size] = 1.0


class Reader(nn.Module):
    """Embedding, LSTM or BiLSTM or neither, a pooling, one linear layer."""

    def __init__(self, setup: Setup, vocab_size: int, units: int) -> None:
        super().__init__()
        self.setup, self.units = setup, units
        self.embedding = nn.Embedding(vocab_size, setup.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.dropout = nn.Dropout(setup.dropout)
        width = {"lstm": units, "bilstm": 2 * units, "none": setup.embedding}[setup.encoder]
        if setup.encoder == "lstm":
            self.encoder: nn.Module = lstm(setup.embedding, units)
        elif setup.encoder == "bilstm":
            self.encoder = BiLSTMEncoder(setup.embedding, units)
            for layer in self.encoder.modules():
                if isinstance(layer, nn.LSTM):
                    remember(layer)
        if setup.pooling not in PLAIN:
            heads = {"heads": setup.heads} if setup.pooling == "multi_head" else {}
            self.pool = AttentionPooling(width, score=setup.pooling, units=setup.attention_units, **heads)
        self.head = nn.Linear(width, 1)

    def states(self, tokens: Tensor, mask: Tensor) -> Tensor:
        x = self.dropout(self.embedding(tokens))  # (B, T, D)
        if self.setup.lstm_dropout:
            x = x * F.dropout(torch.ones_like(x[:, :1]), self.setup.lstm_dropout, self.training)  # (B, 1, D)
        if self.setup.encoder == "none":
            return x
        # Padding stands on the right of a masked batch, so what an LSTM makes of it comes after all that counts.
        return self.encoder(x)[0] if self.setup.encoder == "lstm" else self.encoder(x, mask)

    def forward(self, tokens: Tensor, mask: Tensor, *, temperature: float = 1.0) -> Tensor:
        """Logits (B, 1)."""
        return self.answers(tokens, mask, (temperature,))[0]

    def answers(self, tokens: Tensor, mask: Tensor, temperatures: Sequence[float]) -> list[Tensor]:
        """Logits (B, 1) at each temperature of the attention; the LSTM reads but once."""
        if self.setup.padding != "masked":
            mask = torch.ones_like(mask)
        states = self.states(tokens, mask)  # (B, T, width)
        return [self.head(self.dropout(self.pooled(states, mask, one))) for one in temperatures]

    def pooled(self, states: Tensor, mask: Tensor, temperature: float) -> Tensor:
        there = mask.unsqueeze(-1)  # (B, T, 1)
        if self.setup.pooling == "last":
            rows, last = torch.arange(len(states)), mask.sum(dim=1) - 1
            if self.setup.encoder == "bilstm":  # each direction where it has read everything
                return torch.cat([states[rows, last, : self.units], states[:, 0, self.units :]], dim=-1)
            return states[rows, last]
        if self.setup.pooling == "mean":
            return states.masked_fill(~there, 0.0).sum(dim=1) / there.sum(dim=1)
        if self.setup.pooling == "max":
            return states.masked_fill(~there, -torch.inf).amax(dim=1)
        return self.pool(states, mask, temperature=temperature)[0]


def behind_embedding(model: Reader) -> int:
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("embedding"))


@functools.cache
def units_for(setup: Setup) -> int:
    """The number of LSTM units that comes nearest to the budget."""
    if setup.units is not None or setup.encoder == "none":
        return setup.units or 0
    directions = 2 if setup.encoder == "bilstm" else 1
    step = setup.heads // directions if setup.pooling == "multi_head" else 1  # heads share the states out evenly
    sizes = range(step, 100, step)

    def size(units: int) -> int:
        return behind_embedding(Reader(setup, 2, units))

    with torch.random.fork_rng(devices=[]):  # models made only to be counted must not use up the chance of others
        above = bisect.bisect(sizes, setup.budget, key=size)
        return min(sizes[max(above - 1, 0) : above + 1], key=lambda units: abs(size(units) - setup.budget))


# --- training and measuring -------------------------------------------------------------------------


def filled(one: Part, keep: int, where: str) -> Part:
    """Every review exactly `keep` long, with the padding's number 0 after its end or before its start."""

    def fill(ids: list[int]) -> list[int]:
        zeros = [text.PAD] * (keep - len(ids))
        return ids + zeros if where == "post" else zeros + ids

    return Part([fill(ids) for ids in one.ids], one.labels)


def ready(setup: Setup, name: str, every: int = 1) -> Part:
    """A part, or some of it, as this setup's reader is shown it."""
    cut = part(name, setup.vocabulary, every).cut(setup.keep)
    return cut if setup.padding == "masked" else filled(cut, setup.keep, setup.padding)


def quarters(batches: Callable[[int], Any]) -> Callable[[int], list[Any]]:
    """What `fit` takes for an epoch is a quarter of one: it looks at the held-out reviews after each."""

    def some(look: int) -> list[Any]:
        epoch = batches(look // LOOKS)
        n, turn = len(epoch), look % LOOKS
        return list(itertools.islice(epoch, n * turn // LOOKS, n * (turn + 1) // LOOKS))

    return some


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, labels)


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    return ((logits > 0) == labels).float().mean()


@torch.no_grad()
def logits_of(model: Reader, one: Part, temperatures: Sequence[float] = (1.0,)) -> np.ndarray:
    """(temperatures, n), the reviews in their own order."""
    model.eval()
    out = np.empty((len(temperatures), len(one.ids)), dtype=np.float32)
    for rows in text.batches_by_length([len(ids) for ids in one.ids], 256):
        tokens, mask = (torch.from_numpy(x) for x in text.pad([one.ids[row] for row in rows]))
        out[:, rows] = torch.stack(model.answers(tokens, mask, temperatures))[:, :, 0].numpy()
    return out


def measured(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy and loss (nats a review)."""
    signed = np.where(labels == 1, logits, -logits).astype(np.float64)
    return {"accuracy": round(float((signed > 0).mean()), 5), "loss": round(float(np.logaddexp(0, -signed).mean()), 5)}


def pack(right: np.ndarray) -> str:
    """Which reviews a reader got right, as short text; `unpack` reads it."""
    return base64.b85encode(zlib.compress(np.packbits(right).tobytes(), 9)).decode()


def unpack(packed: str, n: int = 25_000) -> np.ndarray:
    return np.unpackbits(np.frombuffer(zlib.decompress(base64.b85decode(packed)), dtype=np.uint8))[:n].astype(bool)


def trained(setup: Setup, seed: int, brief: bool = False) -> tuple[Reader, dict[str, Any]]:
    """A reader with its best weights, and what was seen on the way."""
    some = BRIEFLY if brief else 1
    learn, held_out = ready(setup, "learn", some), ready(setup, "held_out", some).every(1 if brief else 4)
    units = units_for(setup)
    if setup.train_on < len(learn.ids):
        learn = learn.every(len(learn.ids) // setup.train_on)
    torch.manual_seed(seed)
    model = Reader(setup, setup.vocabulary, units)
    start = time.process_time()
    history = fit(
        model,
        quarters(text_batches(learn.ids, learn.labels, setup.batch, seed=seed)),
        text_batches(held_out.ids, held_out.labels, 256),
        loss=loss,
        metric=accuracy,
        optimizer=torch.optim.Adam(model.parameters(), lr=setup.rate),
        epochs=setup.epochs * LOOKS,
        plateau=setup.plateau,
        clip_norm=setup.clip_norm,
        clip_value=setup.clip_value,
        seed=seed,
        progress=False,
    )
    return model, {
        **setup.said(),
        "seed": seed,
        "units": model.units,
        "parameters": behind_embedding(model),
        "train_loss": [round(x, 4) for x in history.train_loss],
        "held_out_loss": [round(x, 4) for x in history.valid_loss],
        "held_out": [round(x, 4) for x in history.metric],
        "rate_at": [round(x, 6) for x in history.learning_rate] if setup.plateau else None,
        "best": history.best,
        "seconds": round(time.process_time() - start, 1),
    }


def run(setup: Setup, seed: int, *, test: bool = True, brief: bool = False) -> dict[str, Any]:
    """The record of one run; a brief one only shows that everything works."""
    torch.set_num_threads(1)  # two runs side by side are faster than one on two cores
    torch.set_flush_denormal(True)
    model, record = trained(setup, seed, brief)
    if test:
        its = ready(setup, "held_out", BRIEFLY) if brief else ready(setup, "test")
        logits, *even = logits_of(model, its, (1.0,) if setup.pooling in PLAIN else (1.0, EVEN))
        found = measured(logits, its.labels)
        record |= {"test": found["accuracy"], "test_loss": found["loss"]}
        record["right"] = pack((logits > 0) == its.labels)
        if even:  # trained to attend, used with even weights
            record["test_even"] = measured(even[0], its.labels)["accuracy"]
    return {key: value for key, value in record.items() if value is not None}
