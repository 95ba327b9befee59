"""What does an encoder-decoder gain from looking back, and what does it lose by forgetting what it wrote?

Three decoders behind the same encoder (`attnlstm_ref.torch.Seq2Seq`):

    attention   asks the source anew before every token (Bahdanau et al. 2015)
    fixed       sees one vector, the summary of the source, at every step (Cho et al. 2014)
    forgetful   attention, but the LSTM starts from zeros at every step, as in a public tutorial whose decoder called
                `self.gru(x)` without the state (tensorflow/tensorflow, issues 26990 and 38248). The state of the step
                before is still the query: so it is there, too.

Two tasks, all characters:

dates   `attnlstm_ref.data.dates`: a date in one of 51 languages and three formats, to ISO. Tested on new dates; on new
        dates in languages never seen; on new dates in a format never seen (with the day of the week). Right is what
        greedy decoding writes without a fault. Besides: by length of the source, by language, by part (year, month,
        day), the same with beam search, and the tokens that are right with and without a teacher.
lists   Length under control, Bahdanau's Figure 2 in miniature: k English dates in a row, to k ISO dates. Trained on
        k = 1 to 4, tested on k = 1 to 6. Right is each date in its place. The fixed vector has a second chance here,
        with three times the steps (fixed longer).

What is asked, fixed before the runs:

1. On lists, does the fixed vector lose with k where attention does not, within the lengths of training? Beyond them?
   Is it only late?
2. On dates, where one vector has to hold eight digits and a month, is there still a gain?
3. What does forgetting cost, on each task?
4. What do new languages and new formats cost, and where: in year, month or day?
5. What does beam search of width 5 buy over greedy decoding?

Nothing is chosen on held-out data: every run takes the same number of steps, its learning rate rising and falling by
one schedule. Each seed draws data and first weights; the three decoders of a seed share the data.

    python -m experiments.seq2seq            # about 50 minutes on one core; finished runs are kept
    python -m experiments.seq2seq --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from attnlstm_ref import text
from attnlstm_ref.data import dates
from attnlstm_ref.torch import Memory, Seq2Seq, beam_search, greedy, pair_batches, sequence_loss
from attnlstm_ref.torch.seq2seq import State
from experiments import _runs

RESULT = Path(__file__).parent / "results" / "seq2seq.json"
SEEDS = (1, 2, 3)  # not those of the trials that chose the settings
VARIANTS = {
    "dates": ("attention", "fixed", "forgetful"),
    "lists": ("attention", "fixed", "fixed longer", "forgetful"),
}
STEPS = {"dates": 1200, "lists": 700}
LONGER = 3
EMBEDDING, HIDDEN, BATCH, RATE = 32, 64, 64, 5e-3
TRAIN, TEST = 40_000, 2_000
TRAINED_ON, TESTED_ON, LISTS, TEST_LISTS = (1, 2, 3, 4), (1, 2, 3, 4, 5, 6), 16_000, 200
WIDTH = 5
START, END = dates.ISO.encode([dates.START, dates.END])
ISO_LENGTH = len("2023-03-05")
PARTS = {"year": slice(0, 4), "month": slice(5, 7), "day": slice(8, 10)}


class Forgetful(Seq2Seq):
    """Attention whose LSTM does not go on from the step before: its state serves as the query and is then dropped."""

    def _turn(
        self, read: Tensor, state: State, memory: Memory, w_context: Tensor, temperature: float | Tensor
    ) -> tuple[State, Tensor, Tensor | None]:
        context, weights = self._look(state[0], memory, temperature)
        i, _, g, o = (read + context @ w_context.T).chunk(4, dim=-1)  # nothing of the hidden state, and no old cell
        cell = torch.sigmoid(i) * torch.tanh(g)
        return (torch.sigmoid(o) * torch.tanh(cell), cell), context, weights


# --- data -------------------------------------------------------------------------------------------


class Example(NamedTuple):
    """A text and what is to be written, with the group in which it is counted."""

    text: str
    answer: str
    group: str


class Task(NamedTuple):
    """What is learned from, and tests by name."""

    train: list[Example]
    tests: dict[str, list[Example]]


def dates_task(seed: int, n: int = TRAIN, n_test: int = TEST) -> Task:
    """Dates of all languages; the group is the language."""
    found = dates.splits(np.random.default_rng((1, seed)), n, n_test)
    train, *tests = ([Example(pair.text, pair.iso, pair.locale) for pair in part] for part in found)
    return Task(train, dict(zip(found._fields[1:], tests, strict=True)))


def lists_task(seed: int, n: int = LISTS, n_test: int = TEST_LISTS) -> Task:
    """Some English dates in a row, "Mar 5, 2023; Jun 17, 1984"; the group is how many. No date is in train and test."""
    rng = np.random.default_rng((2, seed))
    days = rng.permutation(dates.DAYS)

    def draw(among: np.ndarray, k: int) -> Example:
        row = [dates.FIRST + datetime.timedelta(days=int(day)) for day in rng.choice(among, k)]
        pairs = [dates.write(day, "en", "medium") for day in row]
        return Example("; ".join(p.text for p in pairs), "".join(p.iso for p in pairs), str(k))

    held_out, seen = np.split(days, [dates.DAYS // 10])
    train = [draw(seen, int(rng.choice(TRAINED_ON))) for _ in range(n)]
    return Task(train, {"lists": [draw(held_out, k) for k in TESTED_ON for _ in range(n_test)]})


TASKS: dict[str, Callable[..., Task]] = {"dates": dates_task, "lists": lists_task}


# --- training ---------------------------------------------------------------------------------------


def new_model(variant: str, source_size: int, seed: int) -> Seq2Seq:
    """The model of one of the three decoders."""
    torch.manual_seed(seed)
    kind = Forgetful if variant == "forgetful" else Seq2Seq
    return kind(
        source_size=source_size,
        target_size=len(dates.ISO.words),
        embedding_size=EMBEDDING,
        hidden_size=HIDDEN,
        attention=not variant.startswith("fixed"),
    )


def train(model: Seq2Seq, batches: Callable[[int], Iterable[Any]], steps: int) -> list[float]:
    """Adam for so many steps, the learning rate up and down once; the mean loss of every 50 steps."""
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    losses: list[float] = []
    for epoch in range(steps):
        for (source, read), mask, write in batches(epoch):
            loss = sequence_loss(model(source, read, mask)[0], write)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            if len(losses) == steps:
                return [round(float(part.mean()), 4) for part in np.array_split(losses, max(steps // 50, 1))]
    raise ValueError(f"batches: got none in {steps} epochs, wanted at least one")


# --- tests ------------------------------------------------------------------------------------------


def written(model: Seq2Seq, vocabulary: text.Vocabulary, examples: Sequence[Example], width: int) -> list[str]:
    """What the model writes for each text: by greedy decoding, or the best of a beam; in batches of like length."""
    ids = [vocabulary.encode(list(one.text)) for one in examples]
    said = [""] * len(examples)
    for rows in text.batches_by_length([len(one) for one in ids], 200):
        source, mask = (torch.from_numpy(part) for part in text.pad([ids[row] for row in rows]))
        options = {"start": START, "end": END, "steps": max(len(examples[row].answer) for row in rows) + 1}
        if width == 1:
            tokens, _ = greedy(model, source, mask, **options)
        else:
            tokens = beam_search(model, source, mask, **options, width=width)[0][:, 0]
        for row, answer in zip(rows, tokens.tolist(), strict=True):
            said[row] = in_characters(answer)
    return said


def in_characters(tokens: Sequence[int]) -> str:
    """The answer up to its end mark."""
    kept = tokens[: tokens.index(END)] if END in tokens else tokens
    return "".join(dates.ISO.words[token] for token in kept if token)


def right_in_place(said: str, answer: str) -> float:
    """Share of the dates of a row that stand right in their places."""
    places = range(0, len(answer), ISO_LENGTH)
    return float(np.mean([said[i : i + ISO_LENGTH] == answer[i : i + ISO_LENGTH] for i in places]))


@torch.no_grad()
def tokens_right(
    model: Seq2Seq, vocabulary: text.Vocabulary, examples: Sequence[Example], said: Sequence[str]
) -> dict[str, float]:
    """Share of the characters that are right in their place: each after the true ones before it, or after its own."""
    ids, answers = (
        [vocabulary.encode(list(e.text)) for e in examples],
        [dates.ISO.encode(list(e.answer)) for e in examples],
    )
    right = total = 0
    for (source, read), mask, write in pair_batches(ids, answers, 200, start=START, end=END)(0):
        real = (write != 0) & (write != END)
        right += int(((model(source, read, mask)[0].argmax(dim=-1) == write) & real).sum())
        total += int(real.sum())
    alone = sum(a == b for s, e in zip(said, examples, strict=True) for a, b in zip(s, e.answer, strict=False))
    return {"forced": round(right / total, 5), "alone": round(alone / total, 5)}


def measure_dates(model: Seq2Seq, vocabulary: text.Vocabulary, examples: Sequence[Example]) -> dict[str, Any]:
    """Exact answers, and where the others go wrong."""
    said = written(model, vocabulary, examples, 1)
    right = np.array([s == e.answer for s, e in zip(said, examples, strict=True)])
    beam = np.array([s == e.answer for s, e in zip(written(model, vocabulary, examples, WIDTH), examples, strict=True)])
    lengths = np.array([len(e.text) for e in examples])
    groups = np.array([e.group for e in examples])
    parts = {
        name: np.array([s[part] == e.answer[part] for s, e in zip(said, examples, strict=True)])
        for name, part in PARTS.items()
    }
    return {
        "right": round(float(right.mean()), 5),
        "beam": round(float(beam.mean()), 5),
        "beam_mends": int((beam & ~right).sum()),
        "beam_spoils": int((right & ~beam).sum()),
        "tokens": tokens_right(model, vocabulary, examples, said),
        "parts": {name: round(float(each.mean()), 5) for name, each in parts.items()},
        "by_length": {
            str(n): [int(right[lengths == n].sum()), int((lengths == n).sum())] for n in np.unique(lengths).tolist()
        },
        "by_group": {g: [int(right[groups == g].sum()), int((groups == g).sum())] for g in np.unique(groups).tolist()},
    }


def measure_lists(model: Seq2Seq, vocabulary: text.Vocabulary, examples: Sequence[Example]) -> dict[str, Any]:
    """Dates right in their places, and rows without a fault, by the number of dates in the row."""
    said = written(model, vocabulary, examples, 1)
    groups = np.array([e.group for e in examples])
    dates_right = np.array([right_in_place(s, e.answer) for s, e in zip(said, examples, strict=True)])
    rows_right = np.array([s == e.answer for s, e in zip(said, examples, strict=True)])
    return {
        "dates_right": {k: round(float(dates_right[groups == k].mean()), 5) for k in np.unique(groups).tolist()},
        "rows_right": {k: round(float(rows_right[groups == k].mean()), 5) for k in np.unique(groups).tolist()},
    }


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {"dates": measure_dates, "lists": measure_lists}


# --- the runs ---------------------------------------------------------------------------------------


def run(setting: str, variant: str, seed: int, steps: int | None = None, **sizes: int) -> dict[str, Any]:
    """Train one decoder on one task from one seed and test it; the record that is stored."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    begin = time.process_time()
    task = TASKS[setting](seed, **sizes)
    vocabulary = dates.vocabulary(example.text for example in task.train)
    ids = [vocabulary.encode(list(example.text)) for example in task.train]
    answers = [dates.ISO.encode(list(example.answer)) for example in task.train]
    model = new_model(variant, len(vocabulary.words), seed)
    batches = pair_batches(ids, answers, BATCH, start=START, end=END, seed=seed)
    losses = train(model, batches, (steps or STEPS[setting]) * (LONGER if variant == "fixed longer" else 1))
    return {
        "setting": setting,
        "variant": variant,
        "seed": seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "tests": {name: MEASURES[setting](model, vocabulary, test) for name, test in task.tests.items()},
        "losses": losses,
        "seconds": round(time.process_time() - begin, 1),
    }


def jobs() -> list[tuple[str, str, int]]:
    """(setting, variant, seed) of all runs."""
    return [(setting, variant, seed) for seed in SEEDS for setting in TASKS for variant in VARIANTS[setting]]


def key(record: dict[str, Any]) -> tuple[str, str, int]:
    """The job of a stored run."""
    return record["setting"], record["variant"], record["seed"]


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made under other terms are not mixed in."""
    return {
        "data": f"{dates.PACKAGE} (hash {dates.SHA256[:12]}): {TRAIN} dates and {TEST} in each test; {LISTS} rows of "
        f"dates and {TEST_LISTS} of each length; dates from seed (1, seed), rows from (2, seed)",
        "settings": f"embedding {EMBEDDING}, {HIDDEN} units, batch {BATCH}, Adam, one cycle of at most {RATE}, clip 1",
        "steps": STEPS | {"fixed longer": LONGER * STEPS["lists"]},
        "trained_on": list(TRAINED_ON),
        "tested_on": list(TESTED_ON),
        "width": WIDTH,
        "held_out_locales": list(dates.HELD_OUT_LOCALES),
        "held_out_formats": list(dates.HELD_OUT_FORMATS),
        "seeds": list(SEEDS),
        **_runs.here(),
    }


def smoke() -> str:
    """A moment of every decoder on both tasks."""
    small = {"n": 200, "n_test": 5}
    return table([run(setting, variant, 0, steps=2, **small) for setting in TASKS for variant in VARIANTS[setting]])


def table(runs: list[dict[str, Any]]) -> str:
    """Mean shares that are right and their ranges over the seeds."""

    def cell(shares: list[float]) -> str:
        return f"{np.mean(shares):6.1%} ({min(shares):.1%}–{max(shares):.1%})"

    def of(setting: str, variant: str) -> list[dict[str, Any]]:
        return [r["tests"] for r in runs if (r["setting"], r["variant"]) == (setting, variant)]

    lines = [
        f"dates  {variant:13} {name:8} {cell([one[name]['right'] for one in of('dates', variant)])}"
        for variant in VARIANTS["dates"]
        for name in ("dates", "locales", "formats")
    ]
    lines += [
        f"lists  {variant:13} k = {k:<4} {cell([one['lists']['dates_right'][str(k)] for one in of('lists', variant)])}"
        for variant in VARIANTS["lists"]
        for k in TESTED_ON
    ]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)


if __name__ == "__main__":
    main()
