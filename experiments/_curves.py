"""Runs that are watched after every epoch, on two data sets: what the experiments on training itself share.

The reader is always a BiLSTM with additive attention (`_reviews.Reader`). Each data set has three parts. The reader
learns from the first. The second, *steering*, chooses: a run's best epoch, when to stop, which rate, which size. The
third, *outcome*, chooses nothing and judges what was chosen: the lowest of many losses looks better than it is on the
very texts it was chosen on.

IMDb        5,000 of the 20,000 reviews to learn from, every fourth of the held-out ones (the last block of each label)
            to steer, every tenth of the official test half for the outcome; the first 100 tokens of each.
snippets    Sentences of Rotten Tomatoes (`_snippets`): 5,118 to learn from, 1,280 to steer, 2,132 for the outcome.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from attnlstm_ref.torch import fit, text_batches
from experiments import _reviews, _snippets
from experiments._reviews import Part, Reader, Setup

Record = dict[str, Any]

IMDB, SNIPPETS = "IMDb", "snippets"
BASE = {
    IMDB: Setup(
        encoder="bilstm", pooling="additive", keep=100, train_on=5_000, embedding=32, units=16, attention_units=16,
        batch=64, rate=2e-3,
    ),
    SNIPPETS: Setup(
        encoder="bilstm", pooling="additive", keep=100, train_on=5_118, vocabulary=5_000, embedding=32, units=16,
        attention_units=16, batch=64, rate=2e-3,
    ),
}  # fmt: skip
SEEDS = {IMDB: tuple(range(1, 6)), SNIPPETS: tuple(range(1, 7))}  # not those of the trials that chose the settings
DATA = {
    IMDB: "IMDb, first 100 tokens: 5,000 reviews to learn from, 1,250 held-out ones steer, 2,500 of the official test "
    "half are the outcome",
    SNIPPETS: "Rotten Tomatoes sentences: 5,118 to learn from, 1,280 steer, 2,132 are the outcome",
}


@functools.cache
def parts(data: str, size: int, brief: bool = False) -> tuple[Part, Part, Part]:
    """Texts to learn from, to steer by, and for the outcome; few of each for a smoke test."""
    few = 50 if brief else 1
    if data == SNIPPETS:
        learn, steering, outcome = (_snippets.part(name, size).every(few) for name in ("learn", "steering", "outcome"))
        return learn, steering, outcome
    base = BASE[IMDB]
    learn, held_out = _reviews.part("learn", size), _reviews.part("held_out", size)
    # A smoke test must not wait for the official test half: it takes other held-out reviews.
    outcome = held_out.every(3) if brief else _reviews.part("test", size).every(10)
    chosen = (learn.every(len(learn.ids) // base.train_on), held_out.every(4), outcome)
    learn, steering, outcome = (one.every(few).cut(base.keep) for one in chosen)
    return learn, steering, outcome


def hashes() -> dict[str, str]:
    """Names exactly what was read."""
    return {**_reviews.hashes(), SNIPPETS: _snippets.rows()[2]}


def watched(
    data: str, setup: Setup, seed: int, *, linear: bool = False, patience: int | None = None, brief: bool = False
) -> Record:
    """Train one reader and write down after every epoch what it makes of the texts it has not learnt from.

    Parameters
    ----------
    data : "IMDb" or "snippets"
    setup : of the reader and its training
    linear : let the learning rate fall in equal steps from epoch to epoch, towards 0 after the last
    patience : stop after so many epochs without a lower steering loss; None: train all epochs
    brief : a moment of it, for a smoke test

    Returns
    -------
    the record: what differs from the ordinary setup; by epoch "train_loss" (mean over the epoch, with dropout),
    "steering_loss", "steering", "outcome_loss", "outcome" (the last two pairs in nats and as accuracy); "best", the
    epoch (from 0) with the lowest steering loss; "seconds" of the CPU
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    learn, steering, outcome = parts(data, setup.vocabulary, brief)
    torch.manual_seed(seed)
    model = Reader(setup, setup.vocabulary, _reviews.units_for(setup))
    optimiser = torch.optim.Adam(model.parameters(), lr=setup.rate)
    steering_batches = text_batches(steering.ids, steering.labels, 256)
    seen: list[dict[str, float]] = []

    def valid(epoch: int) -> Iterable[Any]:
        """`fit` asks for these batches when an epoch is over: the moment to look at the outcome, too."""
        seen.append(_reviews.measured(_reviews.logits_of(model, outcome)[0], outcome.labels))
        if linear:
            optimiser.param_groups[0]["lr"] = setup.rate * (1 - (epoch + 1) / setup.epochs)
        return steering_batches(epoch)

    start = time.process_time()
    history = fit(
        model,
        text_batches(learn.ids, learn.labels, setup.batch, seed=seed),
        valid,
        loss=_reviews.loss,
        metric=_reviews.accuracy,
        optimizer=optimiser,
        epochs=2 if brief else setup.epochs,
        patience=patience,
        plateau=setup.plateau,
        clip_norm=setup.clip_norm,
        seed=seed,
        progress=False,
    )
    return {
        "data": data,
        "seed": seed,
        "parameters": _reviews.behind_embedding(model),
        "train_loss": rounded(history.train_loss),
        "steering_loss": rounded(history.valid_loss),
        "steering": rounded(history.metric),
        "outcome_loss": rounded([one["loss"] for one in seen]),
        "outcome": rounded([one["accuracy"] for one in seen]),
        **({"rate_at": [round(x, 6) for x in history.learning_rate]} if setup.plateau or linear else {}),
        "best": history.best,
        "seconds": round(time.process_time() - start, 1),
    }


def rounded(numbers: Iterable[float]) -> list[float]:
    return [round(x, 5) for x in numbers]


# --- choosing by steering, judging by outcome -------------------------------------------------------


def at_best(record: Record, what: str = "outcome") -> float:
    """A figure of the epoch with the lowest steering loss."""
    return record[what][record["best"]]


Runs = Mapping[int, Record]
"""The runs of one configuration, by seed."""


def chosen(options: Sequence[Runs]) -> dict[int, int]:
    """For each seed the place of the option that the *other* seeds' steering losses favour.

    A seed has no say in what is chosen for it, so its luck cannot pass for the merit of an option.
    """
    seeds = sorted(set.intersection(*(set(option) for option in options)))
    loss = np.array([[at_best(option[seed], "steering_loss") for seed in seeds] for option in options])  # (options, n)
    others = loss.sum(axis=1, keepdims=True) - loss
    return dict(zip(seeds, others.argmin(axis=0).tolist(), strict=True))


def of_chosen(options: Sequence[Runs], what: str = "outcome") -> dict[int, float]:
    """By seed, the outcome of the option chosen for it."""
    return {seed: at_best(options[place][seed], what) for seed, place in chosen(options).items()}


def by_seed(runs: Iterable[Record], **wanted: Any) -> dict[int, Record]:
    """The runs that have these values, by seed."""
    return {run["seed"]: run for run in runs if all(run.get(name) == value for name, value in wanted.items())}


def mean(runs: Runs, of: Callable[[Record], float]) -> float:
    """The mean over seeds; NaN of no run."""
    return float(np.mean([of(run) for run in runs.values()])) if runs else float("nan")
