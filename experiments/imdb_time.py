"""Does attention cut the training time by 30 %?

The claim of a popular article (id `imdb-time`): "attention cuts training time by 30 %". Time for what is not said, so
both readings are tested, with additive attention against the last state, LSTM and BiLSTM, 200 and 400 tokens, equal
parameters (the readers of `imdb_gain`):

a pass        once over the training reviews. Here attention can only add work.
to 80 %       until 80 % of the held-out reviews are right. Here fewer passes may pay for dearer ones.

The passes come from the runs of `imdb_gain`: the look at which the line between two looks first crosses 80 %. A run
that never gets there counts with all it had, which is less than it needs. What a step costs is measured here: training
steps on the same batches, one reader after the other in turn, again and again, CPU seconds of one thread.

The rule, fixed before the runs. A saving of half the claimed 30 % is asked for. *To 80 %* is paired by seed, *a pass*
by round, with Student's 95 % interval. All met: holds; some: holds under conditions; none, and all failed: refuted.

    python -m experiments.imdb_time            eight minutes on a quiet machine, after imdb_gain
    python -m experiments.imdb_time --smoke    seconds, writes nothing
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from attnlstm_ref.torch import text_batches
from experiments import _reviews, _runs, _verdicts, imdb_gain
from experiments._reviews import LOOKS, Reader

RESULT = Path(__file__).parent / "results" / "imdb_time.json"
ROUNDS = (1, 2, 3, 4, 5)  # also the seeds of their batches
STEPS, WARM = 60, 5
ARRIVED = 0.8
CLAIMED = 30.0  # per cent


def jobs() -> list[tuple[int, int]]:
    """(length, round)."""
    return [(keep, turn) for keep in imdb_gain.LENGTHS for turn in ROUNDS]


def run(keep: int, turn: int, steps: int = STEPS, every: int = 1) -> dict[str, Any]:
    """CPU seconds of a training step of every row of the table."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    start = time.process_time()
    seconds = {row: round(step_seconds(setup, turn, steps, every), 6) for row, setup in imdb_gain.setups(keep).items()}
    return {"keep": keep, "seed": turn, "step": seconds, "seconds": round(time.process_time() - start, 1)}


def step_seconds(setup: _reviews.Setup, seed: int, steps: int, every: int) -> float:
    """On an average batch; the first few, which warm up, are not counted."""
    learn = _reviews.ready(setup, "learn", every)
    model = Reader(setup, setup.vocabulary, _reviews.units_for(setup))
    optimiser = torch.optim.Adam(model.parameters(), lr=setup.rate)
    batches = iter(text_batches(learn.ids, learn.labels, setup.batch, seed=seed)(0))
    spent = 0.0
    for step in range(steps + WARM):
        tokens, mask, labels = next(batches)
        start = time.process_time()
        loss = _reviews.loss(model(tokens, mask)[:, 0], labels)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step >= WARM:
            spent += time.process_time() - start
    return spent / steps


def key(record: dict[str, Any]) -> tuple[int, int]:
    return record["keep"], record["seed"]


def about() -> dict[str, Any]:
    """Everything the runs depend on."""
    return {
        "data": "IMDb: batches of the 20,000 reviews to learn from",
        "sha256": {"learn": _reviews.hashes()["learn"]},
        "measured": f"mean CPU seconds of {STEPS} training steps of {imdb_gain.BASE.batch} reviews, one thread, "
        "the readers in turn",
        "seeds": list(ROUNDS),
        **_runs.here(),
    }


def smoke() -> str:
    return str(run(imdb_gain.LENGTHS[0], 0, steps=2, every=50)["step"])


# --- the verdict ------------------------------------------------------------------------------------


def passes(held_out: list[float], wanted: float = ARRIVED) -> float:
    """Passes over the training reviews until so many held-out ones are right; all of them where that never happens."""
    looks = [0.5, *held_out]  # before the first step a coin is as good
    for i, (before, after) in enumerate(itertools.pairwise(looks)):
        if after >= wanted:
            return (i + (wanted - before) / (after - before)) / LOOKS
    return len(held_out) / LOOKS


def spent(runs: list[dict[str, Any]], steps: list[dict[str, Any]], row: str, keep: int) -> dict[int, float]:
    """Log of the seconds until 80 %, by seed."""
    imdb_gain.tests(runs, row, keep)  # raises as long as a seed is missing
    step = np.mean([one["step"][row] for one in steps if one["keep"] == keep])
    its = [r for r in runs if (r["row"], r["keep"]) == (row, keep)]
    return {r["seed"]: float(np.log(passes(r["held_out"]) * step)) for r in its}


def saving(name: str, attention: dict[int, float], last: dict[int, float]) -> _verdicts.Effect:
    """Per cent saved, from logs of seconds: ratios are averaged as ratios, and read as per cent in the end."""
    ratio = _verdicts.paired(name, last, attention, unit="", asked=0)

    def per_cent(x: float) -> float:
        return 100 * (1 - float(np.exp(-x)))

    numbers = [per_cent(x) for x in (ratio.estimate, ratio.low, ratio.high)]
    return _verdicts.Effect(name, *numbers, unit="% saved", asked=CLAIMED / 2)


def finding() -> _verdicts.Finding:
    runs, steps = _verdicts.runs_of("imdb_gain"), _verdicts.runs_of("imdb_time")
    effects = []
    for encoder, name in (("lstm", "LSTM"), ("bilstm", "BiLSTM")):
        for keep in imdb_gain.LENGTHS:
            rows = f"{encoder} additive", f"{encoder} last"
            effects.append(saving(f"to 80 %, {name}, {keep}", *(spent(runs, steps, row, keep) for row in rows)))
    for keep in imdb_gain.LENGTHS:
        a_pass = [
            {one["seed"]: float(np.log(one["step"][row])) for one in steps if one["keep"] == keep}
            for row in ("lstm additive", "lstm last")
        ]
        effects.append(saving(f"a pass, LSTM, {keep}", *a_pass))
    return _verdicts.Finding(
        effects=effects,
        rule="Additive attention against the last state, padding masked, equal parameters: time to 80 % right on "
        f"held-out reviews, and time for a pass of the LSTM; asked for is half of the claimed {CLAIMED:.0f} %.",
        data="IMDb, held-out reviews of the training half",
        seeds=f"{len(imdb_gain.SEEDS)} a row, {len(ROUNDS)} rounds of timing",
        note="Chapter 10 has the plain mean of the states beside them: it arrives nearly as soon.",
    )


CLAIMS: dict[str, Callable[[], _verdicts.Finding]] = {"imdb-time": finding}


def table(runs: list[dict[str, Any]]) -> str:
    lines = []
    for keep in imdb_gain.LENGTHS:
        its = [one["step"] for one in runs if one["keep"] == keep]
        if its:
            lines += [f"{keep:4} {row:20} {1e3 * np.mean([one[row] for one in its]):7.2f} ms a step" for row in its[0]]
    return "\n".join(lines)


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)
