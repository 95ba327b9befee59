"""How many pairs does an LSTM remember, and how many with attention?

Two models read key, value, key, value, … and then one of the keys again; they are to say its value
(`attnlstm_ref.data.recall`). Both are the same LSTM with the same head and exactly as many parameters.
One answers from its last state. The other uses its last state as a query, looks back at its own
earlier states by their dot products with it, and answers from what it finds there.

    python -m experiments.recall            run what is missing, print the table
    python -m experiments.recall --figure   draw the opening figure of the book from the results
    python -m experiments.recall --smoke    a few seconds: does everything work? Nothing is kept.

Killed, it continues where it was: each run is written as soon as it ends. The scores are not
divided by √H: an LSTM's states lie within (−1, 1), so divided they cannot grow large enough to point
at one step (tried before the runs: the scaled form reaches the same accuracy, with blurred weights).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
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
from tqdm import tqdm

from attnlstm_ref import _files, plots
from attnlstm_ref.data import recall
from attnlstm_ref.torch import attend, dot_scores

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "recall.json"
FIGURE = HERE.parent / "book" / "_static" / "opening.png"
MODELS = ("last state", "attention")
SHOWN_PAIRS = 8
"""The figure shows the first test example of this many pairs, read by the first seed's model."""


@dataclass(frozen=True)
class Settings:
    """Fixed before the runs; results made under others are not mixed in."""

    pairs: tuple[int, ...] = (1, 2, 4, 8, 16, 24)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    values: int = 10
    keys: int = 32
    hidden: int = 64
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 3e-3
    clip_norm: float = 1.0
    test: int = 4000


class Reader(nn.Module):
    """Embedding, LSTM, linear head; `looks_back` is the whole difference."""

    def __init__(self, settings: Settings, *, looks_back: bool) -> None:
        super().__init__()
        h = settings.hidden
        self.looks_back = looks_back
        self.embedding = nn.Embedding(recall.vocab_size(values=settings.values, keys=settings.keys), h)
        self.lstm = nn.LSTM(h, h, batch_first=True)
        self.head = nn.Linear(h, settings.values)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        states, _ = self.lstm(self.embedding(tokens))  # (B, T, H)
        question, past = states[:, -1:], states[:, :-1]
        if not self.looks_back:
            return self.head(question[:, 0]), None  # (B, values)
        context, weights = attend(question, past, past, score=dot_scores)  # (B, 1, H), (B, 1, T-1)
        assert weights is not None  # they are always asked for here
        return self.head(context[:, 0]), weights[:, 0]


def run(settings: Settings, model_name: str, pairs: int, seed: int) -> dict[str, Any]:
    """Train one model from one seed; measure it on a test set that all models and seeds share."""
    torch.set_num_threads(1)  # two runs side by side are faster than one on two cores
    torch.manual_seed(seed)
    draw = {"values": settings.values, "keys": settings.keys}
    rng = np.random.default_rng((1, pairs, seed))
    test = recall.make(settings.test, pairs, **draw, rng=np.random.default_rng((2, pairs)))
    model = Reader(settings, looks_back=model_name == "attention")
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    for _ in range(settings.steps):
        tokens, answer, _ = map(torch.from_numpy, recall.make(settings.batch, pairs, **draw, rng=rng))
        loss = F.cross_entropy(model(tokens)[0], answer)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        optimiser.step()

    with torch.no_grad():
        logits, weights = model(torch.from_numpy(test.tokens))
    said = logits.argmax(dim=1).numpy()
    result: dict[str, Any] = {
        "model": model_name,
        "pairs": pairs,
        "seed": seed,
        "accuracy": float((said == test.answer).mean()),
        "guess_the_commonest": recall.guess_the_commonest(test, values=settings.values),
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    if weights is not None:
        w = weights.numpy()
        result["weight_on_answer"] = float(w[np.arange(len(w)), test.where].mean())
        result["heaviest_is_answer"] = float((w.argmax(axis=1) == test.where).mean())
        result["first_example"] = {
            "tokens": test.tokens[0].tolist(),
            "weights": np.round(w[0].astype(float), 6).tolist(),
            "where": int(test.where[0]),
            "answer": int(test.answer[0]),
            "said": int(said[0]),
        }
    return result


def provenance() -> dict[str, Any]:
    """Versions, and the machine in words."""
    return {
        "data": "drawn by attnlstm_ref.data.recall; training from seed (1, pairs, seed), test from (2, pairs)",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, CPU only, one thread a run",
    }


def read(path: Path, settings: Settings) -> dict[str, Any]:
    """What has been run so far under these settings."""
    wanted = json.loads(json.dumps(asdict(settings)))  # tuples become lists, as in the file
    if not path.exists():
        return {"claim": "long-memory", "settings": wanted, "provenance": provenance(), "runs": []}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        settings_stored = stored["settings"]
    except (ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path.name} is not a results file of this experiment; move it away and run again") from error
    if settings_stored != wanted:
        raise SystemExit(f"{path.name} was made under other settings; move it away and run again")
    return stored


def run_missing(settings: Settings, path: Path, jobs: int) -> dict[str, Any]:
    """Run whatever `path` does not hold yet, writing it after every run."""
    results = read(path, settings)
    done = {(r["model"], r["pairs"], r["seed"]) for r in results["runs"]}
    # Long ones first, so that no core waits for the other at the end.
    everything = [(m, p, s) for p in sorted(settings.pairs, reverse=True) for s in settings.seeds for m in MODELS]
    missing = [key for key in everything if key not in done]
    if not missing:
        return results
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        ProcessPoolExecutor(jobs) as pool,
        tqdm(total=len(everything), initial=len(done), unit="run", desc="recall") as bar,
    ):
        futures = [pool.submit(run, settings, *key) for key in missing]
        try:
            for future in as_completed(futures):
                results["runs"].append(future.result())
                results["runs"].sort(key=lambda r: (r["pairs"], MODELS.index(r["model"]), r["seed"]))
                _files.write_text(path, json.dumps(results, indent=1) + "\n")
                bar.update()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def accuracies(results: dict[str, Any], model: str) -> np.ndarray:
    """(seeds, pairs) test accuracies of one model."""
    settings = results["settings"]
    found = {(r["pairs"], r["seed"]): r["accuracy"] for r in results["runs"] if r["model"] == model}
    return np.array([[found[p, s] for p in settings["pairs"]] for s in settings["seeds"]])


def table(results: dict[str, Any]) -> str:
    """Mean accuracy and its range over the seeds, a line for each number of pairs."""
    settings = results["settings"]
    guess = {r["pairs"]: r["guess_the_commonest"] for r in results["runs"]}
    lines = [f"{'pairs':>5}  {'last state':^20}  {'attention':^20}  {'commonest':>9}"]
    for i, pairs in enumerate(settings["pairs"]):
        cells = [
            f"{a.mean():.3f} ({a.min():.3f}–{a.max():.3f})" for a in (accuracies(results, m)[:, i] for m in MODELS)
        ]
        lines.append(f"{pairs:>5}  {cells[0]:^20}  {cells[1]:^20}  {guess[pairs]:>9.3f}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.recall", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="a few seconds, tiny runs, nothing kept")
    parser.add_argument("--figure", action="store_true", help="draw the opening figure from the results")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="runs side by side")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs: got {options.jobs}, wanted at least 1")

    with tempfile.TemporaryDirectory() as scratch:
        settings, path, picture = Settings(), RESULTS, FIGURE
        if options.smoke:
            settings = Settings(pairs=(1, SHOWN_PAIRS), seeds=(0, 1), hidden=8, steps=20, test=50)
            path, picture = Path(scratch) / "recall.json", Path(scratch) / "opening.png"
        if options.figure and not options.smoke:
            results = read(path, settings)
            if len(results["runs"]) < len(MODELS) * len(settings.pairs) * len(settings.seeds):
                sys.exit("recall.json is not complete; first: python -m experiments.recall")
        else:
            results = run_missing(settings, path, options.jobs)
            print(table(results))
        if options.figure or options.smoke:
            draw_opening(results, picture)
            print(f"drawn: {picture.name}")


def draw_opening(results: dict[str, Any], path: Path) -> None:
    """Accuracy against the number of pairs, above one example's weights."""
    plots.use_style()
    figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 6.0), height_ratios=(1.5, 1))
    draw_accuracies(results, above)
    shown = next(
        r
        for r in results["runs"]
        if (r["model"], r["pairs"], r["seed"]) == ("attention", SHOWN_PAIRS, results["settings"]["seeds"][0])
    )
    draw_example(shown["first_example"], results["settings"]["values"], below)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _files.replacing(path) as part:
        figure.savefig(part, format="png", metadata={"Software": None})
    plt.close(figure)


def draw_accuracies(results: dict[str, Any], ax: plt.Axes) -> None:
    settings = results["settings"]
    pairs, at = settings["pairs"], np.arange(len(settings["pairs"]))
    colours = {"attention": plots.COLOURS["blue"], "last state": plots.COLOURS["vermilion"]}
    for model in MODELS:
        runs = accuracies(results, model)
        ax.fill_between(at, runs.min(axis=0), runs.max(axis=0), color=colours[model], alpha=0.2, lw=0)
        ax.plot(at, runs.mean(axis=0), color=colours[model], marker="o", label=model)
    guess = {r["pairs"]: r["guess_the_commonest"] for r in results["runs"]}
    ax.plot(at, [guess[p] for p in pairs], color=plots.GREY, lw=1.2, ls=(0, (4, 3)))
    ax.axhline(1 / settings["values"], color=plots.GREY, lw=1.2, ls=(0, (1, 2)))

    # The names stand at the right end, where the lines lie apart.
    right = {
        "LSTM with\nattention": (accuracies(results, "attention")[:, -1].mean(), plots.COLOURS["blue"], "bold"),
        "LSTM, last\nstate only": (
            max(accuracies(results, "last state")[:, -1].mean(), guess[pairs[-1]]) + 0.045,
            plots.COLOURS["vermilion"],
            "bold",
        ),
        "chance": (1 / settings["values"], plots.GREY, "normal"),
    }
    for name, (y, colour, weight) in right.items():
        ax.annotate(
            name,
            (at[-1], y),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            weight=weight,
            annotation_clip=False,
        )
    ax.annotate(
        "knows which values came,\nnot which key had which",
        (1, guess[pairs[1]]),
        xytext=(0.16, 0.2),
        color=plots.GREY,
        va="center",
        arrowprops={"arrowstyle": "-", "color": plots.GREY, "lw": 0.8, "shrinkB": 3},
    )
    ax.set_xticks(at, [str(p) for p in pairs])
    ax.set_xlim(-0.15, at[-1] + 0.05)
    ax.set_ylim(0, 1.04)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    seeds = len(settings["seeds"])
    ax.set_xlabel(f"pairs to remember   (band: lowest to highest of {seeds} seeds)")
    ax.set_title("How often the right value is recalled")


def draw_example(example: dict[str, Any], values: int, ax: plt.Axes) -> None:
    """What was read, a mark a step, under how much attention it got once the question was known."""
    names = "ABCDEFGHIJKLMNOPQRSTUVWXYZαβγδεζ"
    tokens, weights, where = example["tokens"], example["weights"], example["where"]
    marks = [str(t - 1) if t <= values else names[(t - 1 - values) % len(names)] for t in tokens]
    asked, steps = marks[-1], np.arange(len(weights))
    bars = ax.bar(steps, weights, width=0.8, color=plots.COLOURS["blue"])
    bars[where].set_color(plots.COLOURS["green"])
    side = 1 if where < len(weights) / 2 else -1
    ax.annotate(
        f"its value, {example['answer']}: {weights[where]:.0%} of the attention",
        (where, weights[where]),
        xytext=(side * 14, -8),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        color=plots.COLOURS["green"],
        weight="bold",
    )
    # A gap before the question; a thin line under each pair.
    question = len(weights) + 0.6
    for x, mark in zip([*steps, question], [*marks[:-1], f"{asked} ?"], strict=True):
        bold = x in (question, where)
        colour = plots.COLOURS["green"] if x == where else plots.INK
        ax.text(x, -0.06, mark, ha="center", va="top", size=11, weight="bold" if bold else "normal", color=colour)
    for first in steps[::2]:
        ax.plot([first - 0.35, first + 1.35], [-0.21, -0.21], color=plots.GREY, lw=1, clip_on=False)
    ax.text(-0.4, -0.26, "eight pairs, read from left to right", va="top", color=plots.GREY, size=9)
    ax.text(question, -0.26, "question", ha="center", va="top", color=plots.GREY, size=9)
    ax.set_xlim(-0.6, question + 0.7)
    ax.set_ylim(0, 1.02)
    ax.set_xticks([])
    ax.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    ax.set_title(f"Where the attention looks when asked for {asked}")
    # Text below the axes is not known to the layout, which needs to leave room for it.
    ax.set_xlabel(" \n \n ", size=9)


if __name__ == "__main__":
    main()
