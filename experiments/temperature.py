"""Do a temperature, an entropy penalty or an L2 penalty cure attention weights that stay near uniform?

Two claims that popular articles make: "temperature scaling cures near-uniform weights" (id `temperature`) and "L2
regularisation of the weights cures near-uniform weights" (id `l2-weights`). Two tasks on which weights start, and for a
long time stay, near uniform:

recall   key-value recall, 8 pairs, one step of 16 holds the answer. An LSTM's state at the question looks back at the
         states before it by scaled dot products. Sharp weights are right here.
reviews  IMDb, the first 100 tokens, two epochs of `AttentionLSTM`, which scores additively. What is right here is open.

Every configuration differs in one thing from its baseline: the temperature (fixed or learned), a penalty on the
weights of either sign, L2 on the scorer's parameters, or (recall) another score. The coefficients of the two penalties
are matched: near uniform weights H is about ln T - Var(e)/2 and the sum of squares about (1 + Var(e))/T, so that c
times the one pulls like -c T/2 times the other.

The rule, fixed before the runs. Differences are paired by seed, with Student's 95 % interval. Against its baseline a
configuration is *sharper* if the interval of the difference in median effective length / T lies below 0, *flatter* if
above. It is *better* if the interval of its gain lies above 0: on recall log2(steps of the baseline / its steps) until
solved, an unsolved run counting with all its steps; on reviews accuracy on held-out reviews. Everything else is read at
a run's last look. On recall that is the first with 99 % right, where the run ends: lengths, weights and learned
temperatures of runs solved at different steps are not compared at equal steps, and may still be moving. A cure is
sharper and better. A claim holds if its configuration is a cure on both tasks, holds under conditions if on one, is not
reproduced if sharper somewhere but a cure nowhere, and is refuted if nowhere sharper. Temperature is tested at 0.3. L2
is tested in both readings, on the attention weights themselves and on the scorer's parameters; the claim gets the
better verdict.

    python -m experiments.temperature            # about an hour on one core; finished runs are kept
    python -m experiments.temperature --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref import stats, text
from attnlstm_ref.data import recall, reviews
from attnlstm_ref.torch import (
    AttentionLSTM,
    AttentionPooling,
    attend,
    effective_length,
    entropy_penalty,
    general_scores,
    scaled_dot_scores,
    square_penalty,
    text_batches,
)
from experiments import _runs, _verdicts

RESULT = Path(__file__).parent / "results" / "temperature.json"
SEEDS = {"recall": (1, 2, 3, 4, 5), "reviews": (1, 2, 3, 4, 5)}  # not those of the trials that chose the settings
PAIRS, STEPS, LOOK_EVERY, SOLVED = 8, 2000, 50, 0.99
KEEP, EPOCHS = 100, 2
EVEN = 1e6  # a temperature at which any weights are equal
TAU_AFTER = (0.1, 0.3, 1.0, 3.0, 10.0, EVEN)


@dataclass(frozen=True)
class Configuration:
    """What may differ between two runs of a task."""

    temperature: float = 1.0
    learned: float = 0.0  # learning rate of ln(temperature), in multiples of the other parameters'; 0: it stays
    entropy: float = 0.0  # times the entropy of the weights, added to the loss
    square: float = 0.0  # times the sum of their squares
    l2: float = 0.0  # times the sum of the squares of the scorer's parameters
    score: str = "scaled_dot"  # recall only
    baseline: str = "plain"


RECALL = {
    "plain": Configuration(),
    "temperature 3": Configuration(3.0),
    "temperature 0.3": Configuration(0.3),
    "temperature 0.1": Configuration(0.1),
    "temperature 0.03": Configuration(0.03),
    "even weights": Configuration(EVEN),
    "learned": Configuration(learned=1.0),
    "learned, rate x 10": Configuration(learned=10.0),
    "entropy +0.1": Configuration(entropy=0.1),
    "entropy -0.1": Configuration(entropy=-0.1),
    "squares +0.8": Configuration(square=0.8),
    "squares -0.8": Configuration(square=-0.8),
    "general": Configuration(score="general"),
    "general, temperature 0.3": Configuration(0.3, score="general", baseline="general"),
    "general, temperature 3": Configuration(3.0, score="general", baseline="general"),
    "general, L2 0.01": Configuration(l2=0.01, score="general", baseline="general"),
}
REVIEWS = {
    "plain": Configuration(),
    "temperature 3": Configuration(3.0),
    "temperature 0.3": Configuration(0.3),
    "temperature 0.1": Configuration(0.1),
    "even weights": Configuration(EVEN),
    "learned": Configuration(learned=1.0),
    "learned, rate x 10": Configuration(learned=10.0),
    "entropy +0.1": Configuration(entropy=0.1),
    "entropy -0.1": Configuration(entropy=-0.1),
    "squares +5": Configuration(square=5.0),
    "squares -5": Configuration(square=-5.0),
    "L2 0.01": Configuration(l2=0.01),
}
TASKS = {"recall": RECALL, "reviews": REVIEWS}
READINGS = {
    "temperature": [{"recall": "temperature 0.3", "reviews": "temperature 0.3"}],
    "l2-weights": [
        {"recall": "squares +0.8", "reviews": "squares +5"},
        {"recall": "general, L2 0.01", "reviews": "L2 0.01"},
    ],
}


# --- what both tasks share --------------------------------------------------------------------------


class Temperature(nn.Module):
    """exp(θ), so that no step of any size can make it negative."""

    def __init__(self, c: Configuration) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(c.temperature)), requires_grad=c.learned > 0)

    def forward(self) -> Tensor:
        return self.log.exp()


def optimiser_of(model: nn.Module, tau: Temperature, c: Configuration, rate: float) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [{"params": [p for p in model.parameters() if p.requires_grad], "lr": rate}]
    if c.learned:
        groups.append({"params": tau.parameters(), "lr": rate * c.learned})
    return torch.optim.Adam(groups)


def penalties(c: Configuration, weights: Tensor, scorer: list[Tensor]) -> Tensor | float:
    """What a configuration adds to the loss."""
    added: Tensor | float = 0.0
    if c.entropy:
        added = added + c.entropy * entropy_penalty(weights)
    if c.square:
        added = added + c.square * square_penalty(weights)
    if c.l2:
        added = added + c.l2 * torch.stack([p.square().sum() for p in scorer]).sum()
    return added


# --- recall -----------------------------------------------------------------------------------------


class Reader(nn.Module):
    """An LSTM over the story; its state at the question attends to the states before (as in chapter 6)."""

    def __init__(self, c: Configuration) -> None:
        super().__init__()
        self.embedding = nn.Embedding(recall.vocab_size(), 32)
        self.lstm = nn.LSTM(32, 64, batch_first=True)
        self.head = nn.Linear(64, 10)
        general = c.score == "general"  # drawn in any case, so that equal seeds start equal
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(64, 64)), requires_grad=general)
        self.score: Callable[[Tensor, Tensor], Tensor] = (
            functools.partial(general_scores, weight=self.weight) if general else scaled_dot_scores
        )

    def forward(self, tokens: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        states, _ = self.lstm(self.embedding(tokens))  # (B, T, H)
        story, question = states[:, :-1], states[:, -1:]
        context, weights = attend(question, story, story, temperature=temperature, score=self.score)
        assert weights is not None  # they are always asked for here
        return self.head(context[:, 0]), weights[:, 0]


@torch.no_grad()
def look(model: Reader, tau: Temperature, held_out: recall.Recall) -> dict[str, float]:
    """What is written down every `LOOK_EVERY` steps."""
    logits, weights = model(torch.from_numpy(held_out.tokens), tau())
    rows = torch.arange(len(weights))
    return {
        "accuracy": float((logits.argmax(-1).numpy() == held_out.answer).mean()),
        "length": float(effective_length(weights).median()) / weights.shape[-1],
        "on_answer": float(weights[rows, torch.from_numpy(held_out.where)].mean()),
        "tau": tau().item(),
    }


def run_recall(name: str, seed: int, smoke: bool = False) -> dict[str, Any]:
    c = RECALL[name]
    torch.manual_seed(seed)
    model, tau, rng = Reader(c), Temperature(c), np.random.default_rng(seed)
    held_out = recall.make(1000, PAIRS, rng=np.random.default_rng(0))
    optimiser = optimiser_of(model, tau, c, 3e-3)
    record: dict[str, Any] = {"task": "recall", "configuration": name, "seed": seed, "solved_at": None}
    for step in range((LOOK_EVERY if smoke else STEPS) + 1):
        if step % LOOK_EVERY == 0:
            for key, value in look(model, tau, held_out).items():
                record.setdefault(key, []).append(round(value, 4))
            if record["accuracy"][-1] >= SOLVED:
                record["solved_at"] = step
                break
        batch = recall.make(128, PAIRS, rng=rng)
        logits, weights = model(torch.from_numpy(batch.tokens), tau())
        loss = F.cross_entropy(logits, torch.from_numpy(batch.answer)) + penalties(c, weights, [model.weight])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return record


# --- reviews ----------------------------------------------------------------------------------------


@functools.cache
def data(smoke: bool) -> tuple[Any, ...]:
    """Tokens and labels to learn from, those held out, and the size of the vocabulary."""
    train, valid = reviews.validation_split(reviews.load("train"))
    some = slice(None, None, 100 if smoke else 1)
    words = [text.tokenise(one)[:KEEP] for one in train.texts[some]]
    held_out = [text.tokenise(one)[:KEEP] for one in valid.texts[some]]
    # The vocabulary is that of whole reviews, as in chapter 9.
    vocabulary = text.Vocabulary.build((text.tokenise(one) for one in train.texts[some]), max_size=10_000)
    ids, valid_ids = ([vocabulary.encode(one) for one in each] for each in (words, held_out))
    return ids, train.labels[some], valid_ids, valid.labels[some], len(vocabulary)


class Pooling(AttentionPooling):
    """Divides the scores by a temperature itself, before the mask puts −∞ where −∞/τ would have no gradient by τ."""

    def __init__(self, size: int, units: int, tau: Callable[[], Tensor]) -> None:
        super().__init__(size, units=units)
        self.tau = tau

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return super().scores(query, keys) / self.tau()


@torch.no_grad()
def measure(model: AttentionLSTM, ids: list[Any], labels: np.ndarray, temperature: float = 1.0) -> dict[str, float]:
    """Accuracy, loss and median effective length over a review's own length, as trained or at another temperature."""
    model.eval()
    right, loss, lengths = 0.0, 0.0, []
    for tokens, mask, y in text_batches(ids, labels, 256)(0):
        logits, weights = model(tokens, mask, temperature=temperature)
        right += float(((logits[:, 0] > 0) == y).sum())
        loss += float(F.binary_cross_entropy_with_logits(logits[:, 0], y, reduction="sum"))
        lengths.append(effective_length(weights) / mask.sum(dim=1))
    model.train()
    n = len(labels)
    return {"accuracy": right / n, "loss": round(loss / n, 4), "length": round(float(torch.cat(lengths).median()), 4)}


def run_reviews(name: str, seed: int, smoke: bool = False) -> dict[str, Any]:
    c = REVIEWS[name]
    ids, labels, valid_ids, valid_labels, vocab_size = data(smoke)
    torch.manual_seed(seed)
    model = AttentionLSTM(vocab_size=vocab_size, input_size=64, hidden_size=32, dropout=0.3)
    tau = Temperature(c)
    model.pool = Pooling(64, 32, lambda: tau())  # a function, so that τ is none of the model's own parameters
    optimiser = optimiser_of(model, tau, c, 3e-3)
    scorer = list(model.pool.parameters())
    batches = text_batches(ids, labels, 64, seed=seed)
    looks = [measure(model, valid_ids, valid_labels)]
    for epoch in range(EPOCHS):
        for tokens, mask, y in batches(epoch):
            logits, weights = model(tokens, mask)
            loss = F.binary_cross_entropy_with_logits(logits[:, 0], y) + penalties(c, weights, scorer)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        looks.append(measure(model, valid_ids, valid_labels))
    record: dict[str, Any] = {"task": "reviews", "configuration": name, "seed": seed}
    record |= {key: [one[key] for one in looks] for key in looks[0]}
    record["tau"] = round(tau().item(), 4)
    if name == "plain":  # trained at 1, used at others
        record["used_at"] = {f"{t:g}": measure(model, valid_ids, valid_labels, t) for t in TAU_AFTER}
    return record


# --- the runs ---------------------------------------------------------------------------------------


def run(task: str, name: str, seed: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    return {"recall": run_recall, "reviews": run_reviews}[task](name, seed)


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made under other terms are not mixed in."""
    return {
        "claims": READINGS,
        "recall": f"{PAIRS} pairs, 32 keys, 10 values; embedding 32, LSTM 64; Adam 0.003, batch 128, clip norm 1; "
        f"solved at {SOLVED} of 1,000 held out, looked at every {LOOK_EVERY} of at most {STEPS} steps",
        "reviews": "IMDb train split, 20,000 to learn from, 5,000 held out (last block of each label), "
        f"first {KEEP} tokens, {EPOCHS} epochs; embedding 64, BiLSTM 32, additive scores, dropout 0.3; "
        "Adam 0.003, batch 64, clip norm 1",
        "guess_the_commonest": round(
            recall.guess_the_commonest(recall.make(1000, PAIRS, rng=np.random.default_rng(0))), 4
        ),
        "seeds": {task: list(seeds) for task, seeds in SEEDS.items()},
        "configurations": {task: {name: asdict(c) for name, c in those.items()} for task, those in TASKS.items()},
        **_runs.here(),
    }


def jobs() -> list[tuple[str, str, int]]:
    """(task, configuration, seed) of all runs."""
    return [(task, name, seed) for task, those in TASKS.items() for name in those for seed in SEEDS[task]]


def key(record: dict[str, Any]) -> tuple[str, str, int]:
    """The job of a stored run."""
    return record["task"], record["configuration"], record["seed"]


def smoke() -> str:
    """A moment of every configuration on recall, and of every kind of them on reviews."""
    kinds = ("plain", "learned", "entropy +0.1", "squares +5", "L2 0.01")
    runs = [run_recall(name, 0, smoke=True) for name in RECALL]
    return table(runs + [run_reviews(name, 0, smoke=True) for name in kinds])


# --- the verdicts -----------------------------------------------------------------------------------


def compare(runs: list[dict[str, Any]], task: str, name: str) -> dict[str, Any]:
    """A configuration against its baseline, by the rule above."""
    by = {(r["configuration"], r["seed"]): r for r in runs if r["task"] == task}
    base = TASKS[task][name].baseline
    pairs = [(by[name, seed], by[base, seed]) for seed in SEEDS[task] if (name, seed) in by and (base, seed) in by]

    def gain(r: dict[str, Any]) -> float:
        return -math.log2(r["solved_at"] or STEPS) if task == "recall" else r["accuracy"][-1]

    lengths = ([a["length"][-1] for a, _ in pairs], [b["length"][-1] for _, b in pairs])
    gains = ([gain(a) for a, _ in pairs], [gain(b) for _, b in pairs])
    shorter, better = (stats.paired_difference(*both).difference for both in (lengths, gains))
    return {
        "configuration": name,
        "against": base,
        "length": [round(x, 4) for x in (shorter.estimate, shorter.low, shorter.high)],
        "gain": [round(x, 4) for x in (better.estimate, better.low, better.high)],
        "sharper": bool(shorter.high < 0),
        "flatter": bool(shorter.low > 0),
        "better": bool(better.low > 0),
        "worse": bool(better.high < 0),
    }


def judge(runs: list[dict[str, Any]]) -> dict[str, Any]:
    order = ["refuted", "not reproduced", "holds under conditions", "holds"]
    verdicts = {}
    for claim, readings in READINGS.items():
        found = []
        for reading in readings:
            tasks = {task: compare(runs, task, name) for task, name in reading.items()}
            cures = sum(t["sharper"] and t["better"] for t in tasks.values())
            sharper = any(t["sharper"] for t in tasks.values())
            verdict = order[cures + 1] if cures else order[int(sharper)]
            found.append({"verdict": verdict, **tasks})
        verdicts[claim] = {"verdict": max((f["verdict"] for f in found), key=order.index), "readings": found}
    return verdicts


def table(runs: list[dict[str, Any]]) -> str:
    lines = []
    for task, those in TASKS.items():
        lines.append(f"{task:26} {'length / T':>10}  {'steps' if task == 'recall' else 'accuracy'}")
        for name in those:
            its = [r for r in runs if r["task"] == task and r["configuration"] == name]
            if its:
                length = np.mean([r["length"][-1] for r in its])
                said = (
                    " ".join(str(r["solved_at"] or "-") for r in its)
                    if task == "recall"
                    else " ".join(f"{r['accuracy'][-1]:.4f}" for r in its)
                )
                lines.append(f"  {name:24} {length:10.3f}  {said}")
    return "\n".join(lines)


def more(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the results file says beside the runs."""
    return {"verdicts": judge(runs)}


def finding(claim: str) -> _verdicts.Finding:
    """What the stored runs say of a claim, judged by the rule above."""
    runs = _verdicts.runs_of("temperature")
    found = judge(runs)[claim]
    # Signed so that more is better for the claim. Halvings: log2 of how many times sooner recall is solved.
    units = {"recall": ("halvings of the steps", 1), "reviews": ("points", 100)}
    better, sharper = [], []
    for reading in found["readings"]:
        for task, one in ((task, one) for task, one in reading.items() if task in TASKS):
            name, (unit, scale) = f"{task}, {one['configuration']}", units[task]
            better.append(_verdicts.Effect(f"better: {name}", *(scale * x for x in one["gain"]), unit, 0))
            middle, low, high = one["length"]
            sharper.append(_verdicts.Effect(f"sharper: {name}", -middle, -high, -low, "of the length", 0))
    return _verdicts.Finding(
        effects=[*sharper, *better],
        rule="A cure makes the weights sharper (a smaller effective length) and the model better (recall solved in "
        "fewer steps; more reviews right). The claim holds if its configuration is a cure on both tasks, holds under "
        "conditions if on one, is not reproduced if sharper somewhere but a cure nowhere, refuted if nowhere "
        "sharper. (Effective length: e to the entropy of the "
        "weights, as a share of all steps; one halving: in half the steps.)"
        + (
            " L2 is read in two ways; the better one counts: on the scorer's parameters, or on the squares of the "
            "weights."
            if len(found["readings"]) > 1
            else ""
        ),
        data="key-value recall, 8 pairs; IMDb, first 100 tokens",
        seeds=", ".join(f"{len(seeds)} on {task}" for task, seeds in SEEDS.items()),
        verdict=found["verdict"],
    )


CLAIMS = {claim: functools.partial(finding, claim) for claim in READINGS}


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke, more=more)
