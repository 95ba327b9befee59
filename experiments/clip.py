"""Does clipping each entry of the gradient at 1.0 prevent exploding gradients?

The claim (id `clipvalue`): "clipvalue 1.0 prevents exploding gradients". No clipping changes the gradient that
backpropagation brings; it bounds what the optimiser is given. So the question is whether training survives, and whether
something is learned. First it is measured that there is something to prevent: the norm of the raw gradient, and how
often one of its entries exceeds 1.

mark      A plain RNN whose gradients do explode: ReLU units, the recurrent matrix starting as the identity (Le et al.
          2015). It reads 50 digits, one of the first ten marked, and says which (`experiments.long_memory`). Trained by
          SGD at the learning rate 0.01 and at 0.001, and by Adam at 0.001.
reviews   Where the claim is usually made: an LSTM's last state on the first 200 tokens of 5,000 film reviews, Adam.

Four treatments: none; each entry clipped to ±1.0, as claimed; to ±0.1; the whole gradient scaled to a norm of at most 1
(Pascanu et al. 2013), which keeps its direction. On reviews, three: ±0.1 is left out. Written down with each run: how
often the treatment changed anything, the cosine of the gradient before and after, and the loss's spikes.

The rule, fixed before the runs. A run *diverges* when its training loss is no number or exceeds 100 (a guess among ten
digits costs ln 10 = 2.3); its accuracy is then that of a guess. Against none, paired by seed, clipping at 1.0 is asked
for: half the runs more that do not diverge (mark, SGD 0.01); 5 points of accuracy (mark, each of the three optimisers);
0.5 points on reviews. An effect is met if its 95 % interval lies above what is asked, failed if below. (The runs that
do not diverge have Wilson's interval. It was Student's until all ten seeds agreed, which left it no width; the verdict
is the same with either.) All met: the claim holds. Some: it holds under conditions. None, and all failed: refuted.
Otherwise: not reproduced. The other two treatments decide nothing; they say what else could be done.

    python -m experiments.clip            # about 7 minutes on one core; finished runs are kept
    python -m experiments.clip --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref import stats
from attnlstm_ref.torch import text_batches
from experiments import _reviews, _runs, _verdicts
from experiments._verdicts import Finding
from experiments.long_memory import BATCH, DIGITS, HELD_OUT, make

RESULT = Path(__file__).parent / "results" / "clip.json"
CLIPS: dict[str, tuple[str, float] | None] = {
    "none": None,
    "value 1.0": ("value", 1.0),
    "value 0.1": ("value", 0.1),
    "norm 1.0": ("norm", 1.0),
}
LENGTH, EMBEDDING, HIDDEN, STEPS, LOOKS = 50, 16, 32, 400, 4
DIVERGED = 100.0
REVIEWS = _reviews.Setup(keep=200, train_on=5000)  # the LSTM's last state
EPOCHS = 2


@dataclass(frozen=True)
class Task:
    """What is trained, how, and on which seeds (not those of the trials that chose the settings)."""

    optimiser: str
    rate: float
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    clips: tuple[str, ...] = tuple(CLIPS)


TASKS = {
    "mark, SGD 0.01": Task("SGD", 0.01, seeds=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)),
    "mark, SGD 0.001": Task("SGD", 0.001),
    "mark, Adam 0.001": Task("Adam", 0.001),
    "reviews, Adam 0.002": Task("Adam", 0.002, clips=("none", "value 1.0", "norm 1.0")),
}


# --- one loop for all -------------------------------------------------------------------------------


def gradient(parameters: list[nn.Parameter]) -> Tensor:
    """All entries of the gradient in one row, (P,)."""
    return torch.cat([p.grad.ravel() for p in parameters if p.grad is not None])


def clip(parameters: list[nn.Parameter], how: tuple[str, float] | None) -> None:
    """Change the gradients in place as a treatment says."""
    if how is None:
        return
    kind, bound = how
    if kind == "value":
        nn.utils.clip_grad_value_(parameters, bound)
    else:
        nn.utils.clip_grad_norm_(parameters, bound)


def train(
    model: nn.Module,
    losses: Iterable[Tensor],
    optimiser: torch.optim.Optimizer,
    how: tuple[str, float] | None,
) -> Iterator[dict[str, float]]:
    """One step a loss, each computed as its turn comes; yields what is to be known of it, stops where it diverges."""
    parameters = list(model.parameters())
    for loss in losses:
        if not loss.item() <= DIVERGED:  # true of NaN
            yield {"loss": float("inf")}
            return
        optimiser.zero_grad()
        loss.backward()
        raw = gradient(parameters)
        clip(parameters, how)
        given = gradient(parameters)
        optimiser.step()
        yield {
            "loss": loss.item(),
            "norm": raw.norm().item(),
            "largest": raw.abs().max().item(),
            "changed": float(not torch.equal(raw, given)),
            "given": given.norm().item(),
            "cosine": F.cosine_similarity(raw.double(), given.double(), dim=0).item(),
        }


def summary(steps: list[dict[str, float]]) -> dict[str, Any]:
    """What a record keeps of all steps."""
    diverged = steps[-1]["loss"] > DIVERGED
    lived = steps[:-1] if diverged else steps
    column = {name: np.array([step[name] for step in lived]) for name in lived[0]}
    changed = column["changed"] > 0
    quantiles = (0.5, 0.9, 0.99, 1.0)
    return {
        "diverged_at": len(lived) if diverged else None,
        "norm": [float(f"{x:.3g}") for x in np.quantile(column["norm"], quantiles)],  # median, 90 %, 99 %, largest
        "above_1": round(float((column["largest"] > 1).mean()), 4),  # share of steps with an entry beyond ±1
        "changed": round(float(changed.mean()), 4),  # share of steps at which the treatment did anything
        "given_norm": [float(f"{x:.3g}") for x in np.quantile(column["given"], quantiles)],
        "cosine": round(float(np.median(column["cosine"][changed])), 4) if changed.any() else None,
        "largest_loss": round(float(column["loss"].max()), 3),
        "last_loss": round(float(column["loss"][-20:].mean()), 4),
    }


# --- the tasks --------------------------------------------------------------------------------------


class PlainRNN(nn.Module):
    """Embedding, ReLU units that start by adding up what they read, linear layer on the last state."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(2 * DIGITS, EMBEDDING)
        self.rnn = nn.RNN(EMBEDDING, HIDDEN, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(HIDDEN, DIGITS)
        first = {"weight_ih_l0": torch.randn(HIDDEN, EMBEDDING) / 10, "weight_hh_l0": torch.eye(HIDDEN)}
        first |= {name: torch.zeros(HIDDEN) for name in ("bias_ih_l0", "bias_hh_l0")}
        self.rnn.load_state_dict(first)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T) tokens to (B, DIGITS) logits."""
        return self.head(self.rnn(self.embedding(tokens))[0][:, -1])


def optimiser_of(model: nn.Module, task: Task) -> torch.optim.Optimizer:
    return {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}[task.optimiser](model.parameters(), lr=task.rate)


def run_mark(task: Task, how: tuple[str, float] | None, seed: int, smoke: bool) -> dict[str, Any]:
    """Train the plain RNN; what happened on the way, and its accuracy at a few looks."""
    model, rng = PlainRNN(), np.random.default_rng((1, seed))
    held_out = make(HELD_OUT, LENGTH, np.random.default_rng((2, LENGTH)))
    total = STEPS // 20 if smoke else STEPS

    def losses() -> Iterator[Tensor]:
        for _ in range(total):
            drawn = make(BATCH, LENGTH, rng)
            yield F.cross_entropy(model(torch.from_numpy(drawn.tokens)), torch.from_numpy(drawn.answer))

    steps: list[dict[str, float]] = []
    accuracy: list[float] = []
    for step in train(model, losses(), optimiser_of(model, task), how):
        steps.append(step)
        if len(steps) % (total // LOOKS) == 0:
            with torch.no_grad():
                said = model(torch.from_numpy(held_out.tokens)).argmax(dim=1).numpy()
            accuracy.append(round(float((said == held_out.answer).mean()), 4))
    found = summary(steps)
    return {**found, "accuracy": accuracy if found["diverged_at"] is None else [*accuracy, 1 / DIGITS]}


def run_reviews(task: Task, how: tuple[str, float] | None, seed: int, smoke: bool) -> dict[str, Any]:
    """Train the LSTM on reviews; what happened on the way, and its accuracy on held-out reviews after each epoch."""
    learn, held_out = _reviews.ready(REVIEWS, "learn"), _reviews.ready(REVIEWS, "held_out")
    learn = learn.every((20_000 if not smoke else 500_000) // REVIEWS.train_on)
    held_out = held_out.every(50 if smoke else 1)
    model = _reviews.Reader(REVIEWS, REVIEWS.vocabulary, _reviews.units_for(REVIEWS))
    batches = text_batches(learn.ids, learn.labels, REVIEWS.batch, seed=seed)
    optimiser = optimiser_of(model, task)
    steps: list[dict[str, float]] = []
    accuracy: list[float] = []
    for epoch in range(EPOCHS):
        model.train()
        losses = (_reviews.loss(model(tokens, mask)[:, 0], labels) for tokens, mask, labels in batches(epoch))
        steps += train(model, losses, optimiser, how)
        if steps[-1]["loss"] > DIVERGED:
            return {**summary(steps), "accuracy": [*accuracy, 0.5]}
        accuracy.append(_reviews.measured(_reviews.logits_of(model, held_out), held_out.labels)["accuracy"])
    return {**summary(steps), "accuracy": accuracy}


# --- the runs ---------------------------------------------------------------------------------------


def jobs() -> list[tuple[str, str, int]]:
    """(task, treatment, seed) of all runs."""
    return [(name, how, seed) for name, task in TASKS.items() for seed in task.seeds for how in task.clips]


def run(task: str, how: str, seed: int, smoke: bool = False) -> dict[str, Any]:
    """One record."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    of_task = run_reviews if task.startswith("reviews") else run_mark
    if of_task is run_reviews:
        _reviews.ready(REVIEWS, "learn")  # read once a process; not a part of the run's time
        _reviews.units_for(REVIEWS)  # tries models, and so draws from torch's generator the first time
    torch.manual_seed(seed)
    start = time.process_time()
    found = of_task(TASKS[task], CLIPS[how], seed, smoke)
    return {"task": task, "clip": how, "seed": seed, **found, "seconds": round(time.process_time() - start, 1)}


def key(record: dict[str, Any]) -> tuple[str, str, int]:
    return record["task"], record["clip"], record["seed"]


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made under other terms are not mixed in."""
    return {
        "mark": f"{LENGTH} digits, one of the first ten marked; embedding {EMBEDDING}, {HIDDEN} ReLU units from the "
        f"identity; batch {BATCH}, {STEPS} steps, {HELD_OUT} held out",
        "reviews": f"IMDb train half, {REVIEWS.train_on} reviews to learn from, 5,000 held out (last block of each "
        f"label), first {REVIEWS.keep} tokens, batch {REVIEWS.batch}, {EPOCHS} epochs; LSTM of "
        f"{_reviews.units_for(REVIEWS)} units, last state, forget bias 1, embedding {REVIEWS.embedding}, "
        f"dropout {REVIEWS.dropout}",
        "sha256": _reviews.hashes()["learn"],
        "diverged": f"a training loss that is no number or exceeds {DIVERGED:g}",
        "clips": CLIPS,
        "tasks": {name: [task.optimiser, task.rate] for name, task in TASKS.items()},
        "seeds": {name: list(task.seeds) for name, task in TASKS.items()},
        **_runs.here(),
    }


def smoke() -> str:
    """A moment of every task and treatment."""
    return table([run(name, how, 0, smoke=True) for name, task in TASKS.items() for how in task.clips])


def table(runs: list[dict[str, Any]]) -> str:
    """A line for each task and treatment: means over the seeds, the largest norm of any."""
    head = ("diverged", "accuracy", "range", "norm", "99 %", "entry > 1", "changed", "cosine", "top loss")
    lines = [f"{'':32}" + "".join(f"{name:>12}" for name in head)]
    for name, task in TASKS.items():
        for how in task.clips:
            its = [r for r in runs if (r["task"], r["clip"]) == (name, how)]
            last = np.array([r["accuracy"][-1] for r in its])
            cosines = [r["cosine"] for r in its if r["cosine"] is not None]
            cells = (
                f"{sum(r['diverged_at'] is not None for r in its)}/{len(its)}",
                f"{last.mean():.3f}",
                f"{last.min():.2f}–{last.max():.2f}",
                f"{np.median([r['norm'][0] for r in its]):.3g}",
                f"{np.median([r['norm'][2] for r in its]):.3g}",
                f"{np.mean([r['above_1'] for r in its]):.1%}",
                f"{np.mean([r['changed'] for r in its]):.1%}",
                f"{np.mean(cosines):.3f}" if cosines else "-",
                f"{max(r['largest_loss'] for r in its):.3g}",
            )
            lines.append(f"{name + ', ' + how:32}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


# --- the verdict ------------------------------------------------------------------------------------


def by_seed(task: str, how: str, figure: Callable[[dict[str, Any]], float]) -> dict[int, float]:
    """One figure of each run, by seed."""
    return {r["seed"]: figure(r) for r in _verdicts.runs_of("clip") if (r["task"], r["clip"]) == (task, how)}


def rescued(name: str, clipped: dict[int, float], plain: dict[int, float]) -> _verdicts.Effect:
    """Share of the seeds, in per cent, that clipping keeps from diverging, less those it makes diverge.

    Wilson's interval: where all seeds agree Student's would have no width, as if ten runs were all runs.
    """
    net = sum(clipped[seed] - plain[seed] for seed in plain)
    found = stats.proportion_interval(max(0, round(net)), len(plain))
    per_cent = [100 * x for x in (found.estimate, found.low, found.high)]
    return _verdicts.Effect(name, *per_cent, unit="% of the runs", asked=50.0)


def clipvalue() -> Finding:
    """What clipping at 1.0 gains over no clipping: runs that go on, and accuracy."""

    def effect(name: str, task: str, figure: Callable[[dict[str, Any]], float], unit: str, asked: float) -> Any:
        clipped, plain = (by_seed(task, how, figure) for how in ("value 1.0", "none"))
        return _verdicts.paired(name, clipped, plain, unit, asked, 100)

    def went_on(run: dict[str, Any]) -> float:
        return float(run["diverged_at"] is None)

    def accuracy(run: dict[str, Any]) -> float:
        return run["accuracy"][-1]

    def reached(task: str) -> str:
        means = {how: 100 * float(np.mean(list(by_seed(task, how, accuracy).values()))) for how in TASKS[task].clips}
        return f"{task}, " + ", ".join(f"{how} {mean:.0f}" for how, mean in means.items())

    mark = [name for name in TASKS if name.startswith("mark")]
    (reviews,) = (name for name in TASKS if name.startswith("reviews"))
    above = float(np.mean(list(by_seed(reviews, "none", lambda run: run["above_1"]).values())))
    plain = by_seed(mark[0], "none", went_on)
    return Finding(
        [
            rescued(f"{mark[0]}: runs that do not diverge", by_seed(mark[0], "value 1.0", went_on), plain),
            *(effect(f"{name}: accuracy", name, accuracy, "points", 5.0) for name in mark),
            effect(f"{reviews}: accuracy", reviews, accuracy, "points", 0.5),
        ],
        rule="Against no clipping: at least half the runs more that do not diverge; at least 5 points of accuracy for "
        "the plain RNN, 0.5 points on reviews. The interval of the first is Wilson's (changed after the runs, the "
        "verdict is the same).",
        data="Marked digit, 50 steps, a plain RNN; IMDb, 5,000 reviews to learn from, 5,000 held out",
        seeds=f"{len(TASKS[mark[0]].seeds)} on {mark[0]}, {len(TASKS[mark[1]].seeds)} otherwise",
        note=f"On reviews an entry of the gradient exceeded 1 at {above:.1%} of the steps: there was "
        f"{'little' if above else 'nothing'} to clip. Mean accuracy, % (a guess on the mark is 10): "
        f"{reached(mark[0])}; "
        f"{reached(mark[2])}.",
    )


CLAIMS = {"clipvalue": clipvalue}


def main() -> None:
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)


if __name__ == "__main__":
    main()
