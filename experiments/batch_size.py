"""Are batches of 32 to 128 best, do larger ones run out of memory, do smaller ones train poorly?

The claim of popular articles (id `batch-range`): "batch sizes of 32–128 are best: larger runs out of memory, smaller
trains poorly". Batches of 8, 32, 128, 512 and 2048, one thread:

trained    A BiLSTM with additive attention on sentences of film reviews (`_curves`), until three epochs in a row bring
           no lower steering loss; the best epoch counts. So a large batch, which makes few steps in an epoch, gets as
           many epochs as it can use. The learning rate grows with the root of the batch, from 0.001 or from 0.002 at a
           batch of 32; beside that, for the largest batches, it stays at 0.001.
memory     A reader of the size that such articles print (embedding 128, BiLSTM of 64 units a direction, 64 attention
           units, 10,000 words) makes two training steps on reviews of 200 tokens in a process of its own; what counts
           is the most memory that this process ever held.

The rule, fixed before the runs. The best of the claim's sizes and rates (32 and 128) must gain 0.5 points of accuracy
on the best of batch 8 and on the best of 512 and 2048; which is best is decided for each seed by the steering losses of
the other seeds, and judged by the outcome texts (`_curves.chosen`). And batches of 512 and of 2048 must take more than
the 8 GB of a small machine. Paired by seed (memory: over three rounds), with Student's 95 % interval. All four effects
met: holds; some: holds under conditions; none, and all failed: refuted.

    python -m experiments.batch_size            # about 25 minutes on one core; finished runs are kept
    python -m experiments.batch_size --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from experiments import _curves, _reviews, _runs, _snippets, _verdicts
from experiments._curves import BASE, SNIPPETS, Record, Runs, Setup

RESULT = Path(__file__).parent / "results" / "batch_size.json"
SIZES, BEST, SMALLER, LARGER = (8, 32, 128, 512, 2048), (32, 128), (8,), (512, 2048)
RATES = {"root, low": 1e-3, "root, high": 2e-3}  # at a batch of 32
SAME = "same"
SEEDS = (1, 2, 3, 4, 5, 6)  # not those of the trials that chose the settings
EPOCHS, PATIENCE = 24, 3
TRAINED, MEMORY = "trained", "memory"
ARTICLE = Setup(encoder="bilstm", pooling="additive", embedding=128, units=64, attention_units=64)
TOKENS, ROUNDS = 200, (1, 2, 3)

WORTH, ROOM = 0.5, 8.0  # points; GB


def rate(size: int, rates: str) -> float:
    return 1e-3 if rates == SAME else RATES[rates] * (size / 32) ** 0.5


def rates_of(size: int) -> tuple[str, ...]:
    return (*RATES, SAME) if size in LARGER else tuple(RATES)


def jobs() -> list[tuple[str, int, str, int]]:
    """(what, batch, rates, seed or round), one seed of everything before the next."""
    trained = [(TRAINED, size, rates, seed) for seed in SEEDS for size in SIZES for rates in rates_of(size)]
    return [(MEMORY, size, "", turn) for turn in ROUNDS for size in SIZES] + trained


def run(what: str, size: int, rates: str, seed: int, brief: bool = False) -> Record:
    if what == MEMORY:
        gigabytes, seconds = in_a_process_of_its_own(size, TOKENS)
        return {"what": what, "batch": size, "rates": "", "seed": seed, "gb": gigabytes, "seconds": seconds}
    setup = replace(BASE[SNIPPETS], batch=size, rate=rate(size, rates), epochs=EPOCHS)
    found = _curves.watched(SNIPPETS, setup, seed, patience=PATIENCE, brief=brief)
    return {"what": what, "batch": size, "rates": rates, "rate": round(setup.rate, 6), **found}


def key(record: Record) -> tuple[str, int, str, int]:
    return record["what"], record["batch"], record["rates"], record["seed"]


def about() -> Record:
    """Everything the runs depend on."""
    return {
        "data": _curves.DATA[SNIPPETS],
        "sha256": _snippets.rows()[2],
        "setup": replace(BASE[SNIPPETS], epochs=EPOCHS).said(),
        "patience": PATIENCE,
        "rates": {str(size): {rates: round(rate(size, rates), 6) for rates in rates_of(size)} for size in SIZES},
        "memory": {"tokens": TOKENS, "setup": ARTICLE.said()},
        "seeds": {TRAINED: list(SEEDS), MEMORY: list(ROUNDS)},
        **_runs.here(),
    }


def smoke() -> str:
    runs = [run(TRAINED, size, rates, 0, brief=True) for size in SIZES for rates in rates_of(size)]
    return table([*runs, run(MEMORY, 32, "", 0, brief=True)])


# --- memory -----------------------------------------------------------------------------------------


def in_a_process_of_its_own(size: int, tokens: int) -> tuple[float, float]:
    """What `most_memory` gives there: of a process that has run before, the maximum may be an older one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(most_memory, size, tokens).result()


def most_memory(size: int, tokens: int) -> tuple[float, float]:
    """The most memory this process ever held, in GB (10⁹ bytes), and its CPU seconds, after two training steps."""
    import resource  # not there on Windows

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = _reviews.Reader(ARTICLE, ARTICLE.vocabulary, ARTICLE.units or 0)
    optimiser = torch.optim.Adam(model.parameters())
    words, mask = torch.randint(2, ARTICLE.vocabulary, (size, tokens)), torch.ones(size, tokens, dtype=torch.bool)
    labels = torch.randint(0, 2, (size,)).float()
    for _ in range(2):  # in the second, Adam's moments are there as well
        loss = _reviews.loss(model(words, mask)[:, 0], labels)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return round(most * unit / 1e9, 3), round(time.process_time(), 1)


# --- the verdict ------------------------------------------------------------------------------------


def options(runs: Sequence[Record], sizes: Sequence[int]) -> list[Runs]:
    """The runs of every size and way to set the rate."""
    return [_curves.by_seed(runs, what=TRAINED, batch=size, rates=rates) for size in sizes for rates in rates_of(size)]


def gain(runs: Sequence[Record], name: str, rivals: Sequence[int]) -> _verdicts.Effect:
    best, rival = (_curves.of_chosen(options(runs, sizes)) for sizes in (BEST, rivals))
    return _verdicts.paired(name, best, rival, unit="points", asked=WORTH, scale=100)


def memory(runs: Sequence[Record], size: int) -> _verdicts.Effect:
    held = {seed: one["gb"] for seed, one in _curves.by_seed(runs, what=MEMORY, batch=size).items()}
    name = f"memory of a batch of {size}, {TOKENS} tokens"
    return _verdicts.paired(name, held, dict.fromkeys(held, 0.0), unit="GB", asked=ROOM)


def batch_range() -> _verdicts.Finding:
    runs = _verdicts.runs_of("batch_size")
    return _verdicts.Finding(
        effects=[
            gain(runs, "batches of 32 and 128 against 8", SMALLER),
            gain(runs, "batches of 32 and 128 against 512 and 2048", LARGER),
            *(memory(runs, size) for size in LARGER),
        ],
        rule=f"The best of 32 and 128 gains {WORTH:g} points on the best of the smaller and of the larger batches, "
        f"each with its own rate and as many epochs as help; and larger batches need more than {ROOM:g} GB.",
        data=_curves.DATA[SNIPPETS] + "; for memory, random words",
        seeds=f"{len(SEEDS)} a size and rate; memory measured {len(ROUNDS)} times",
        note=note(runs),
    )


def note(runs: Sequence[Record]) -> str:
    """What each size came to, and what it cost."""
    said = []
    for size in SIZES:
        its = min(options(runs, (size,)), key=lambda one: _curves.mean(one, steering_loss))
        right, seconds = _curves.mean(its, _curves.at_best), _curves.mean(its, lambda one: one["seconds"])
        said.append(f"{size}: {100 * right:.1f} % in {seconds:.0f} s")
    step = [_curves.mean(_curves.by_seed(runs, what=MEMORY, batch=size), lambda one: one["gb"]) for size in (512, 2048)]
    grows = (step[1] - step[0]) / (2048 - 512)
    full = 512 + (ROOM - step[0]) / grows
    return (
        "Right answers at the rate with the lowest steering loss, and CPU seconds a run: " + "; ".join(said) + ". "
        f"Memory grows by {1000 * grows:.1f} MB a review of {TOKENS} tokens above a fixed amount; a straight line "
        f"through 512 "
        f"and 2048 reaches {ROOM:g} GB at about {full:.0f} (not run). The effects compare what the steering loss of "
        f"the other "
        "seeds chose, not the highest of the accuracies listed here."
    )


CLAIMS: dict[str, Callable[[], _verdicts.Finding]] = {"batch-range": batch_range}


def steering_loss(record: Record) -> float:
    return _curves.at_best(record, "steering_loss")


def table(runs: list[Record]) -> str:
    lines = ["batch  rates         rate  epochs  steering loss  right  CPU seconds"]
    for size in SIZES:
        for rates in rates_of(size):
            its = _curves.by_seed(runs, what=TRAINED, batch=size, rates=rates)
            if its:
                lines.append(
                    f"{size:5}  {rates:10} {rate(size, rates):7.4f} {_curves.mean(its, lambda r: r['best'] + 1):7.1f} "
                    f"{_curves.mean(its, steering_loss):14.3f} {100 * _curves.mean(its, _curves.at_best):6.2f} "
                    f"{_curves.mean(its, lambda r: r['seconds']):12.1f}"
                )
    for size in SIZES:
        its = _curves.by_seed(runs, what=MEMORY, batch=size)
        if its:
            lines.append(f"{size:5}  {_curves.mean(its, lambda r: r['gb']):.2f} GB at {TOKENS} tokens")
    return "\n".join(lines)


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)
