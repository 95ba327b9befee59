"""How far back does an LSTM remember, and what has to change for it to remember further?

A story is some pairs of a key and a value, and then a question, one of its keys; the answer is that key's value
(`attnlstm_ref.data.recall`). Five models read the same stories. All have an embedding, an LSTM and a linear head, and
as nearly as can be the same number of parameters:

    last state     answers from the LSTM's state after the question
    mean           answers from the mean of all its states
    BiLSTM         answers from the last state of either direction (the backward one ends at the first pair)
    attention      the state at the question looks back over the earlier states: softmax of dot products
    asked first    the last state again, but the question stands *before* the story

Each is trained once a seed on stories of every length from 1 to 16 pairs, and then tested on stories of a fixed
length, some of them longer than any it was trained on, with each of their keys asked for in turn. So one run says how
the answer depends on how many pairs there were, and on how far back the one asked for stood.

Two more questions are put to the last state: does it hold more with more units, and with three times the training?

    python -m experiments.recall            run what is missing, print the table: about an hour on one core
    python -m experiments.recall --figure   draw the opening figure of the book from the results
    python -m experiments.recall --smoke    a few seconds: does everything work? Nothing is kept.

Killed, it continues where it was: each run is written as soon as it ends. The scores are not divided by √H: an LSTM's
states lie within (−1, 1), so divided no score could exceed √H, and the softmax would stay softer.
"""

from __future__ import annotations

import string
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a file is drawn, no window opened
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref import _files, plots
from attnlstm_ref.data import recall
from attnlstm_ref.torch import attend, dot_scores
from experiments import _runs

HERE = Path(__file__).parent
RESULT = HERE / "results" / "recall.json"
FIGURE = HERE.parent / "book" / "_static" / "opening.png"
MODELS = ("last state", "mean", "BiLSTM", "attention", "asked first")
SHOWN_PAIRS = 8
"""The weights are kept for the first test story of this many pairs, under each question."""


@dataclass(frozen=True)
class Settings:
    """Fixed before the runs; results made under others are not mixed in."""

    longest: int = 16  # pairs in a training story: 1 … longest, short ones oftener (even on a logarithmic scale)
    tested: tuple[int, ...] = (1, 2, 4, 8, 16, 24, 32)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    values: int = 10
    keys: int = 32
    embedding: int = 64
    hidden: int = 64
    per_direction: int = 39  # of the BiLSTM, which then has about as many parameters
    units: tuple[int, ...] = (16, 32, 128)  # of the last-state model, beside `hidden`
    units_seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 8000
    long_steps: int = 24000  # of the last-state model, beside `steps`
    long_seeds: tuple[int, ...] = (0, 1)
    batch: int = 128
    learning_rate: float = 3e-3
    clip_norm: float = 1.0
    stories: int = 1000  # tested, at each length
    look_every: int = 500
    look_pairs: int = 8


class Reader(nn.Module):
    """Embedding, LSTM, linear head; what the head is given makes the difference."""

    def __init__(self, settings: Settings, model: str, hidden: int) -> None:
        super().__init__()
        self.model = model
        both = model == "BiLSTM"
        vocabulary = recall.vocab_size(values=settings.values, keys=settings.keys)
        self.embedding = nn.Embedding(vocabulary, settings.embedding)
        self.lstm = nn.LSTM(settings.embedding, hidden, batch_first=True, bidirectional=both)
        self.head = nn.Linear(hidden * (1 + both), settings.values)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits (B, values), and the weights (B, T - 1) if the model has any."""
        if self.model == "asked first":
            tokens = torch.cat([tokens[:, -1:], tokens[:, :-1]], dim=1)
        states, (last, _) = self.lstm(self.embedding(tokens))  # (B, T, H), (directions, B, H)
        if self.model == "mean":
            return self.head(states.mean(dim=1)), None
        if self.model != "attention":
            return self.head(torch.cat(list(last), dim=-1)), None
        question, past = states[:, -1:], states[:, :-1]
        context, weights = attend(question, past, past, score=dot_scores)  # (B, 1, H), (B, 1, T-1)
        assert weights is not None  # they are always asked for here
        return self.head(context[:, 0]), weights[:, 0]


def every_question(stories: recall.Recall) -> tuple[np.ndarray, np.ndarray]:
    """The same stories with each of their keys asked for in turn: tokens (n, pairs, T) and answers (n, pairs).

    Question j asks for pair j, counted from the front.
    """
    pairs = (stories.tokens.shape[1] - 1) // 2
    tokens = np.repeat(stories.tokens[:, None], pairs, axis=1)
    tokens[:, :, -1] = stories.tokens[:, 0:-1:2]
    return tokens, stories.tokens[:, 1::2] - 1


@torch.no_grad()
def measure(model: Reader, stories: recall.Recall) -> dict[str, Any]:
    """Accuracy by how many pairs have come since the one asked for, and the bits the answers were worth."""
    tokens, answers = every_question(stories)
    n, pairs, steps = tokens.shape
    chunks = torch.from_numpy(tokens.reshape(-1, steps)).split(4096)
    logits = torch.cat([model(chunk)[0] for chunk in chunks])
    right = (logits.argmax(dim=1).numpy() == answers.ravel()).reshape(n, pairs).mean(axis=0)
    nats = F.cross_entropy(logits, torch.from_numpy(answers.ravel())).item()
    return {
        "accuracy": round(float(right.mean()), 5),
        "by_pairs_since": np.round(right[::-1].astype(float), 4).tolist(),
        "loss_in_bits": round(nats / float(np.log(2)), 5),
    }


def draw_length(settings: Settings, rng: np.random.Generator) -> int:
    """1 … longest, each octave as often as the next: most lessons are short ones, and none is left out."""
    return int(np.exp(rng.uniform(0, np.log(settings.longest + 1))))


def train(settings: Settings, name: str, hidden: int, steps: int, seed: int) -> dict[str, Any]:
    """Train one model from one seed; measure it on test stories that all models and seeds share."""
    torch.set_num_threads(1)  # two runs side by side are faster than one on two cores
    torch.manual_seed(seed)
    draw = {"values": settings.values, "keys": settings.keys}
    rng = np.random.default_rng((1, seed))
    tests = {p: recall.make(settings.stories, p, **draw, rng=np.random.default_rng((2, p))) for p in settings.tested}
    look = recall.make(settings.stories, settings.look_pairs, **draw, rng=np.random.default_rng((3,)))
    model = Reader(settings, name, settings.per_direction if name == "BiLSTM" else hidden)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    curve = []
    for step in range(1, steps + 1):
        drawn = recall.make(settings.batch, draw_length(settings, rng), **draw, rng=rng)
        loss = F.cross_entropy(model(torch.from_numpy(drawn.tokens))[0], torch.from_numpy(drawn.answer))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        optimiser.step()
        if step % settings.look_every == 0:
            with torch.no_grad():
                said = model(torch.from_numpy(look.tokens))[0].argmax(dim=1).numpy()
            curve.append(round(float((said == look.answer).mean()), 4))

    result: dict[str, Any] = {
        "model": name,
        "hidden": hidden,
        "steps": steps,
        "seed": seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "tests": {str(pairs): measure(model, stories) for pairs, stories in tests.items()},
        "curve": curve,
    }
    if name == "attention":
        result |= look_at_weights(model, tests)
    return result


@torch.no_grad()
def look_at_weights(model: Reader, tests: dict[int, recall.Recall]) -> dict[str, Any]:
    """How much weight lies on the right value, and the weights of one story under each of its questions."""
    on_answer = {}
    for pairs, stories in tests.items():
        weights = model(torch.from_numpy(stories.tokens))[1]
        assert weights is not None
        on_answer[str(pairs)] = round(float(weights.numpy()[np.arange(len(stories.where)), stories.where].mean()), 4)
    tokens, answers = every_question(recall.Recall(*(part[:1] for part in tests[SHOWN_PAIRS])))
    logits, weights = model(torch.from_numpy(tokens[0]))
    assert weights is not None
    return {
        "weight_on_answer": on_answer,
        "story": {
            "tokens": tokens[0, 0, :-1].tolist(),
            "answers": answers[0].tolist(),
            "said": logits.argmax(dim=1).tolist(),
            "weights": [[round(w, 4) for w in row] for row in weights.double().tolist()],
        },
    }


def run(name: str, hidden: int, steps: int, seed: int) -> dict[str, Any]:
    """One run of the experiment."""
    return train(Settings(), name, hidden, steps, seed)


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made on other terms are not mixed in."""
    return {
        "data": "attnlstm_ref.data.recall; training from seed (1, seed), tests from (2, pairs), looks from (3,)",
        **head(Settings()),
        **_runs.here(),
    }


def head(settings: Settings) -> dict[str, Any]:
    """The settings, and what naming the commonest value would get in each test."""
    commonest = {}
    for pairs in settings.tested:
        drawn = {"values": settings.values, "keys": settings.keys}
        stories = recall.make(settings.stories, pairs, **drawn, rng=np.random.default_rng((2, pairs)))
        commonest[str(pairs)] = round(recall.guess_the_commonest(stories, values=settings.values), 5)
    return {"settings": asdict(settings), "guess_the_commonest": commonest}


def everything(settings: Settings) -> list[tuple[str, int, int, int]]:
    """(model, hidden, steps, seed) of all runs."""
    main = [(model, settings.hidden, settings.steps, seed) for seed in settings.seeds for model in MODELS]
    wider = [(MODELS[0], units, settings.steps, seed) for seed in settings.units_seeds for units in settings.units]
    return main + wider + [(MODELS[0], settings.hidden, settings.long_steps, seed) for seed in settings.long_seeds]


def jobs() -> list[tuple[str, int, int, int]]:
    """All runs, model by model, in the order in which they are stored."""
    return sorted(everything(Settings()), key=lambda job: (MODELS.index(job[0]), *job[1:]))


def key(run: dict[str, Any]) -> tuple[str, int, int, int]:
    """Which of `everything` a stored run is."""
    return run["model"], run["hidden"], run["steps"], run["seed"]


def with_head(runs: list[dict[str, Any]], settings: Settings) -> dict[str, Any]:
    """All that a table or a figure is made of."""
    return {**head(settings), "runs": runs}


def more(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the results file says beside the runs: its head once more, where chapter 3 reads it."""
    return head(Settings())


def runs_of(results: dict[str, Any], model: str, *, hidden: int | None = None, steps: int | None = None) -> list[Any]:
    """The runs of one model, one for each seed; as wide and as long as the comparison unless told otherwise."""
    settings = results["settings"]
    wanted = (model, hidden or settings["hidden"], steps or settings["steps"])
    return [r for r in results["runs"] if key(r)[:3] == wanted]


def accuracies(results: dict[str, Any], model: str, *, oldest: bool = False) -> np.ndarray:
    """(seeds, lengths) test accuracies of one model: of all questions, or only of those for the first pair."""
    lengths = results["settings"]["tested"]
    tests = [[r["tests"][str(pairs)] for pairs in lengths] for r in runs_of(results, model)]
    return np.array([[t["by_pairs_since"][-1] if oldest else t["accuracy"] for t in row] for row in tests])


def table(runs: list[dict[str, Any]]) -> str:
    return table_of(with_head(runs, Settings()))


def table_of(results: dict[str, Any]) -> str:
    """Mean accuracy over the seeds and its range, a line for each number of pairs."""
    settings = results["settings"]
    lines = [f"{'pairs':>5}" + "".join(f"{model:^21}" for model in MODELS) + "commonest"]
    for i, pairs in enumerate(settings["tested"]):
        columns = (accuracies(results, model)[:, i] for model in MODELS)
        cells = (f"{a.mean():.3f} ({a.min():.3f}–{a.max():.3f})" for a in columns)
        common = results["guess_the_commonest"][str(pairs)]
        lines.append(f"{pairs:>5}" + "".join(f"{cell:^21}" for cell in cells) + f"{common:^9.3f}")
    pairs = settings["look_pairs"]
    others = [{"hidden": units} for units in settings["units"]] + [{"steps": settings["long_steps"]}]
    for other in others:
        a = [r["tests"][str(pairs)]["accuracy"] for r in runs_of(results, MODELS[0], **other)]
        lines.append(f"{MODELS[0]}, {other}, {pairs} pairs: {np.mean(a):.3f} ({len(a)} seeds)")
    return "\n".join(lines)


def smoke() -> str:
    """Everything, small and short, the figure too."""
    settings = Settings(
        **{"hidden": 8, "per_direction": 5, "units": (4,), "units_seeds": (0,), "embedding": 8},  # type: ignore[arg-type]
        **{"steps": 20, "long_steps": 30, "look_every": 10, "stories": 20, "seeds": (0, 1), "long_seeds": (0,)},
    )
    results = with_head([train(settings, *job) for job in everything(settings)], settings)
    with tempfile.TemporaryDirectory() as scratch:
        draw_opening(results, Path(scratch) / FIGURE.name)
    return f"{table_of(results)}\ndrawn: {FIGURE.name}"


def figure() -> str:
    """The opening figure, from the stored runs."""
    runs = _runs.stored(RESULT, about())
    if {key(one) for one in runs} != set(jobs()):
        raise SystemExit(f"{RESULT.name} is not complete; first: python -m experiments.recall")
    draw_opening(with_head(runs, Settings()), FIGURE)
    return f"drawn: {FIGURE.name}"


def draw_opening(results: dict[str, Any], path: Path) -> None:
    """Accuracy against distance, above the weights of one story."""
    plots.use_style()
    figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 7.6), height_ratios=(1.25, 1))
    draw_accuracies(results, above)
    draw_weights(runs_of(results, "attention")[0]["story"], results["settings"]["values"], below)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _files.replacing(path) as part:
        figure.savefig(part, format="png", metadata={"Software": None})
    plt.close(figure)


def draw_accuracies(results: dict[str, Any], ax: plt.Axes) -> None:
    """How often the oldest pair of a story is recalled, by how far back it stood."""
    settings = results["settings"]
    lengths = settings["tested"]
    at = np.arange(len(lengths))
    # Where each name stands: right of a line's end, or where the line leaves room.
    lines = {
        "attention": ("blue", (0.1, 1.06), "LSTM with attention"),
        "BiLSTM": ("purple", (3.2, 0.86), "BiLSTM, last states"),
        "last state": ("vermilion", (2.45, 0.74), "LSTM, last state"),
        "mean": ("ochre", (0.12, 0.42), "LSTM, mean\nof its states"),
    }
    ax.axvspan(lengths.index(settings["longest"]), at[-1], color="0.94", lw=0)
    for model, (colour, place, name) in lines.items():
        runs, shade = accuracies(results, model, oldest=True), plots.COLOURS[colour]
        ax.fill_between(at, runs.min(axis=0), runs.max(axis=0), color=shade, alpha=0.2, lw=0)
        ax.plot(at, runs.mean(axis=0), color=shade, marker="o")
        ax.annotate(name, place, color=shade, weight="bold", va="center")
    ax.plot(at, [results["guess_the_commonest"][str(p)] for p in lengths], color=plots.GREY, lw=1.2, ls=(0, (4, 3)))
    ax.axhline(1 / settings["values"], color=plots.GREY, lw=1.2, ls=(0, (1, 2)))
    ax.annotate("chance", (0, 1 / settings["values"] + 0.015), color=plots.GREY, va="bottom")
    ax.annotate("naming the commonest value", (0.95, 0.17), color=plots.GREY, va="center")
    ax.annotate("longer than any\nstory in training", (at[-1] - 0.06, 0.55), color=plots.GREY, ha="right", va="center")
    ax.set_xticks(at, [f"{2 * pairs - 1}" for pairs in lengths])
    ax.set_xlim(-0.15, at[-1] + 0.05)
    ax.set_ylim(0, 1.12)
    ax.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    ax.set_xlabel("steps back to the value, with pairs all the way")
    ax.set_title("How often the oldest value is recalled")


def draw_weights(story: dict[str, Any], values: int, ax: plt.Axes) -> None:
    """A row for each question that the story allows, shaded where attention looks, framed where the answer stands."""
    names = string.ascii_uppercase + string.ascii_lowercase
    marks = [str(t - 1) if t <= values else names[(t - 1 - values) % len(names)] for t in story["tokens"]]
    ax.imshow(story["weights"], cmap=plots.SHADES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    pairs = len(story["answers"])
    for row in range(pairs):
        frame = plt.Rectangle((2 * row + 0.5, row - 0.5), 1, 1, fill=False, color=plots.COLOURS["green"], lw=2.5)
        ax.add_patch(frame)
    ax.set_xticks(range(2 * pairs), marks)
    ax.set_yticks(range(pairs), [f"{key} ?" for key in marks[::2]])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("eight pairs, as they were read")
    ax.set_title("Where attention looks, question by question")


if __name__ == "__main__":
    if sys.argv[1:] == ["--figure"]:
        print(figure())
    else:
        _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke, more=more)
