"""Why additive attention learns key-value recall so late, when a dot product learns it soon.

A story of 8 key-value pairs is read by an LSTM; its state at the question looks back over the states before it. Only
the score differs between the configurations below: same encoder, same data, same optimiser, same seeds.

The idea under test: tanh is odd, so the small network v · tanh(W_q q + W_k k) has no product of query and key in it
until its units bend; near the start it is f(q) + g(k), softmax drops f(q), and the weights cannot depend on the
question. If that is the reason, then whatever makes query and key *interact* from the start must end the wait: larger
W_q and W_k, or another bend that is not odd, with every weight the same. And the share of the scores that depends on
the question ("interaction") must be near 0 for as long as the accuracy stays low.

Each run is one configuration and one seed. It ends when it is solved: at least 99 % of 1,000 held-out stories, looked
at every 100 steps; or when its steps run out. Finished runs are kept, so a stopped experiment continues where it was.

    python -m experiments.additive_recall            # about 10 minutes on two cores
    python -m experiments.additive_recall --smoke    # seconds, writes nothing
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from attnlstm_ref.data import recall
from attnlstm_ref.torch import additive_scores, attend, dot_scores, general_scores, scaled_dot_scores
from experiments import _runs

RESULT = Path(__file__).parent / "results" / "additive_recall.json"
SEEDS = (11, 12, 13)  # not those with which the idea was found
PAIRS, HIDDEN, EMBEDDING, BATCH = 8, 64, 32, 128
LOOK_EVERY, SOLVED = 100, 0.99
BENDS = {"tanh": torch.tanh, "relu": torch.relu, "abs": torch.abs}


@dataclass(frozen=True)
class Configuration:
    """What may differ between two runs."""

    score: str  # dot, scaled_dot, general, additive
    gain: float = 1.0  # W_q and W_k start at this many times the Glorot scale
    bias: bool = False  # a bias inside the bend, drawn from N(0, 1)
    bend: str = "tanh"
    learning_rate: float = 1e-3
    steps: int = 4000


CONFIGURATIONS = {
    "scaled dot": Configuration("scaled_dot"),
    "dot": Configuration("dot"),
    "general": Configuration("general"),
    "additive": Configuration("additive", steps=6000),
    "additive, W x 2": Configuration("additive", gain=2.0),
    "additive, W x 4": Configuration("additive", gain=4.0),
    "additive, W x 8": Configuration("additive", gain=8.0),
    "additive, bias": Configuration("additive", bias=True),
    "additive, learning rate x 3": Configuration("additive", learning_rate=3e-3),
    "additive, relu for tanh": Configuration("additive", bend="relu"),
    "additive, |.| for tanh": Configuration("additive", bend="abs"),
}


def bent_scores(
    query: Tensor, keys: Tensor, w_query: Tensor, w_keys: Tensor, v: Tensor, *, bias: Tensor, bend: str
) -> Tensor:
    """`additive_scores` with a bias, and another bend in the place of tanh: (B, 1, T)."""
    return BENDS[bend]((query @ w_query).unsqueeze(-2) + (keys @ w_keys).unsqueeze(-3) + bias) @ v


class Reader(nn.Module):
    """An LSTM over the story; its state at the question attends to the states before."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.configuration = configuration
        self.embedding = nn.Embedding(recall.vocab_size(), EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 10)
        # Every configuration draws the same numbers in the same order, used or not: equal seeds start equal.
        weight, w_query, w_keys = torch.empty(3, HIDDEN, HIDDEN)
        for matrix in (weight, w_query, w_keys):
            nn.init.xavier_uniform_(matrix)
        self.weight = nn.Parameter(weight)
        self.w_query = nn.Parameter(w_query * configuration.gain)
        self.w_keys = nn.Parameter(w_keys * configuration.gain)
        self.v = nn.Parameter(torch.randn(HIDDEN) * HIDDEN**-0.5)
        self.bias = nn.Parameter(torch.randn(HIDDEN) * configuration.bias, requires_grad=configuration.bias)

    def score(self) -> Callable[[Tensor, Tensor], Tensor]:
        c = self.configuration
        if c.score == "general":
            return partial(general_scores, weight=self.weight)
        if c.score == "additive":
            small = {"w_query": self.w_query, "w_keys": self.w_keys, "v": self.v}
            if c.bend == "tanh" and not c.bias:
                return partial(additive_scores, **small)
            return partial(bent_scores, **small, bias=self.bias, bend=c.bend)
        return {"dot": dot_scores, "scaled_dot": scaled_dot_scores}[c.score]

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 10) and weights (B, T - 1)."""
        states, _ = self.lstm(self.embedding(tokens))  # (B, T, H)
        story, question = states[:, :-1], states[:, -1:]
        context, weights = attend(question, story, story, score=self.score())
        return self.head(context.squeeze(1)), weights.squeeze(1)

    def scores_of_all_questions(self, tokens: Tensor) -> Tensor:
        """(B, pairs, T - 1): the scores of one story under each question that could be asked of it."""
        keys = tokens[:, 0:-1:2]
        rows = []
        for j in range(keys.shape[1]):
            asked = torch.cat([tokens[:, :-1], keys[:, j : j + 1]], dim=1)
            states, _ = self.lstm(self.embedding(asked))
            rows.append(self.score()(states[:, -1:], states[:, :-1]))
        return torch.cat(rows, dim=1)


def interaction(scores: np.ndarray) -> float:
    """Share of the scores' variance over the keys that changes with the question; scores (..., Tq, T).

    What is equal for all keys is taken away first, because softmax does not see it.
    """
    seen = scores - scores.mean(axis=-1, keepdims=True)
    key_alone = seen.mean(axis=-2, keepdims=True)
    return float(((seen - key_alone) ** 2).mean() / (seen**2).mean())


@torch.no_grad()
def look(model: Reader, held_out: recall.Recall) -> dict[str, float]:
    """What is written down every `LOOK_EVERY` steps."""
    logits, weights = model(torch.from_numpy(held_out.tokens))
    right = logits.argmax(dim=-1).numpy() == held_out.answer
    rows = np.arange(len(right))
    return {
        "accuracy": float(right.mean()),
        "on_pair": float(weights.numpy()[rows, held_out.where].mean()),
        "peak": float(weights.amax(dim=-1).mean()),
        "interaction": interaction(model.scores_of_all_questions(torch.from_numpy(held_out.tokens[:100])).numpy()),
    }


def run(name: str, seed: int, most_steps: int | None = None) -> dict[str, Any]:
    """Train one configuration from one seed; the record that is stored."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    c = CONFIGURATIONS[name]
    model, rng = Reader(c), np.random.default_rng(seed)
    held_out = recall.make(1000, PAIRS, rng=np.random.default_rng(0))
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], c.learning_rate)
    record: dict[str, Any] = {"configuration": name, "seed": seed, "solved_at": None, "step": []}
    for step in range((most_steps or c.steps) + 1):
        if step % LOOK_EVERY == 0:
            record["step"].append(step)
            for key, value in look(model, held_out).items():
                record.setdefault(key, []).append(round(value, 4))
            if record["accuracy"][-1] >= SOLVED:
                record["solved_at"] = step
                break
        batch = recall.make(BATCH, PAIRS, rng=rng)
        logits, _ = model(torch.from_numpy(batch.tokens))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(batch.answer))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return record


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made under other terms are not mixed in."""
    held_out = recall.make(1000, PAIRS, rng=np.random.default_rng(0))
    return {
        "task": f"key-value recall, {PAIRS} pairs, 32 keys, 10 values; stories drawn afresh, 1,000 held out",
        "model": f"embedding {EMBEDDING}, LSTM {HIDDEN}, attention units {HIDDEN}, Adam, batch {BATCH}, clip norm 1",
        "solved": f"at least {SOLVED} of the held-out stories, looked at every {LOOK_EVERY} steps",
        "commonest_value": round(recall.guess_the_commonest(held_out), 4),
        "seeds": list(SEEDS),
        "configurations": {name: asdict(c) for name, c in CONFIGURATIONS.items()},
        **_runs.here(),
    }


def jobs() -> list[tuple[str, int]]:
    """(configuration, seed) of all runs."""
    return [(name, seed) for name in CONFIGURATIONS for seed in SEEDS]


def key(record: dict[str, Any]) -> tuple[str, int]:
    """The job of a stored run."""
    return record["configuration"], record["seed"]


def table(runs: list[dict[str, Any]]) -> str:
    """The step at which each seed was solved."""
    lines = [f"{'':28} solved at step"]
    for name in CONFIGURATIONS:
        steps = (f"{run['solved_at'] or '-':>6}" for run in runs if run["configuration"] == name)
        lines.append(f"{name:28} {''.join(steps)}")
    return "\n".join(lines)


def smoke() -> str:
    """One look at each configuration."""
    records = {name: run(name, 0, most_steps=LOOK_EVERY) for name in CONFIGURATIONS}
    return "\n".join(
        f"{name:28} accuracy {record['accuracy'][-1]:.2f}  interaction {record['interaction'][0]:.4f}"
        for name, record in records.items()
    )


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)
