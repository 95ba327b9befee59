"""Does a BiLSTM capture dependencies in both directions that an LSTM misses?

The claim (id `bilstm-both-ways`) is put to two questions on real text, the film reviews of IMDb.

A word is missing. Every "a" and "an" becomes one blank, and so does every "is" and "are", and every "its" and "it's".
Which stood at a given blank, seen with the eight words on either side? Where the answer lies is known beforehand and
checked by the data, with one neighbouring word alone: for a/an on the right, for is/are mostly on the left, for
its/it's on both sides. Of each of the six words equally many are drawn, so that a guess is right half the time. Four
readers have an embedding, an LSTM, a linear layer and equally many parameters. One training serves all three kinds.

    left to right   answers from its state at the blank: it has read what stands before
    right to left   the same, turned round
    reading on      left to right, but answers three words after the blank
    BiLSTM          both states at the blank, each half as wide or a little more

Two rivals without a network: one neighbouring word and a count; logistic regression on the three words on either side.

A review is judged. There an LSTM's last state, or a mean of its states, has read every word. What a BiLSTM gains is
taken from the runs of `experiments.imdb_gain`: equal parameters, 200 tokens, padding masked.

The rule, fixed before the runs. The claim is right where the BiLSTM's accuracy exceeds an LSTM's, paired by seed, by
what is asked: 2 points at a blank (a/an, its/it's and, over the LSTM that reads on, a/an again against left to right;
is/are against right to left), 0.5 points on whole reviews, pooled by the last state and by the mean. An effect is met
if its 95 % interval lies above what is asked, failed if below. All met: the claim holds. Some: it holds under
conditions. None, and all failed: refuted. Otherwise: not reproduced.

    python -m experiments.both_ways            # about 8 minutes on one core; finished runs are kept
    python -m experiments.both_ways --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref import text
from attnlstm_ref.data import reviews
from experiments import _runs, _verdicts, imdb_gain
from experiments._verdicts import Finding

RESULT = Path(__file__).parent / "results" / "both_ways.json"
SEEDS = (1, 2, 3, 4, 5)  # not those of the trials that chose the settings
KINDS = {"a/an": ("a", "an"), "is/are": ("is", "are"), "its/it's": ("its", "it's")}
READERS = ("left to right", "right to left", "reading on", "BiLSTM")
RIVALS = ("word before", "word after", "three words each side")
SIDE, LATE = 8, 3  # words on either side of a blank; how much later `reading on` answers
TRAIN, TEST = 6000, 1500  # blanks of each of the six words
VOCABULARY, EMBEDDING, PER_DIRECTION = 8000, 32, 32
EPOCHS, BATCH, RATE = 3, 64, 3e-3


# --- blanks -----------------------------------------------------------------------------------------


class Blanks(NamedTuple):
    """Windows of text with a blank in the middle."""

    tokens: np.ndarray
    """(n, 2·SIDE + 1) ids; 0 beyond a review's edge."""
    kind: np.ndarray
    """(n,) which of `KINDS` the blank in the middle is."""
    label: np.ndarray
    """(n,) which of its two words stood there, 0 or 1."""


def draw_blanks(token_lists: list[list[str]], vocabulary: text.Vocabulary, each: int) -> Blanks:
    """`each` blanks of each of the six words (or all there are, equally many of both), with the words around."""
    place = {word: (k, label) for k, pair in enumerate(KINDS.values()) for label, word in enumerate(pair)}
    found: dict[tuple[int, int], list[np.ndarray]] = {which: [] for which in place.values()}
    edge = [text.PAD] * SIDE
    for words in token_lists:
        known = zip(words, vocabulary.encode(words), strict=True)
        ids = [len(vocabulary) + place[word][0] if word in place else i for word, i in known]
        padded = np.array(edge + ids + edge)
        for i, word in enumerate(words):
            if word in place:
                found[place[word]].append(padded[i : i + 2 * SIDE + 1])
    rng = np.random.default_rng(0)  # the same blanks for all seeds
    tokens, kind, label = [], [], []
    for k in range(len(KINDS)):
        n = min(each, len(found[k, 0]), len(found[k, 1]))
        for which in (0, 1):
            tokens += [found[k, which][i] for i in rng.permutation(len(found[k, which]))[:n]]
            kind += [k] * n
            label += [which] * n
    return Blanks(np.array(tokens), np.array(kind), np.array(label))


@functools.cache
def data(smoke: bool = False) -> tuple[Blanks, Blanks, int]:
    """Blanks to learn from, blanks held out, and how many tokens there are."""
    train, valid = reviews.validation_split(reviews.load("train"))
    some = slice(None, None, 100 if smoke else 1)
    words, held_out = ([text.tokenise(one) for one in part.texts[some]] for part in (train, valid))
    vocabulary = text.Vocabulary.build(words, max_size=VOCABULARY)
    blanks, held_out_blanks = draw_blanks(words, vocabulary, TRAIN), draw_blanks(held_out, vocabulary, TEST)
    return blanks, held_out_blanks, len(vocabulary) + len(KINDS)


def by_kind(right: np.ndarray, blanks: Blanks) -> dict[str, float]:
    """Share of right answers (n,) for each kind of blank."""
    return {name: round(float(right[blanks.kind == k].mean()), 4) for k, name in enumerate(KINDS)}


# --- readers ----------------------------------------------------------------------------------------


def same_size(inputs: int, per_direction: int) -> int:
    """Units of the LSTM that comes nearest to a BiLSTM's number of parameters, heads included."""

    def parameters(units: int, directions: int) -> int:
        return directions * (4 * units * (inputs + units + 2) + len(KINDS) * units)

    wanted = parameters(per_direction, 2)
    return min(range(per_direction, 2 * per_direction), key=lambda units: abs(parameters(units, 1) - wanted))


class Reader(nn.Module):
    """Embedding, LSTM, linear layer with one logit a kind of blank."""

    def __init__(self, reader: str, tokens: int) -> None:
        super().__init__()
        self.reader = reader
        both = reader == "BiLSTM"
        units = PER_DIRECTION if both else same_size(EMBEDDING, PER_DIRECTION)
        self.embedding = nn.Embedding(tokens, EMBEDDING, padding_idx=text.PAD)
        self.lstm = nn.LSTM(EMBEDDING, units, batch_first=True, bidirectional=both)
        self.head = nn.Linear(units * (1 + both), len(KINDS))

    def forward(self, tokens: Tensor, kind: Tensor) -> Tensor:
        """(B, 2·SIDE + 1) windows and (B,) kinds of blank to (B,) logits."""
        if self.reader == "right to left":
            tokens = tokens.flip(1)
        last = {"BiLSTM": 2 * SIDE, "reading on": SIDE + LATE}.get(self.reader, SIDE)  # nothing past it is used
        states, _ = self.lstm(self.embedding(tokens[:, : last + 1]))
        state = states[:, SIDE if self.reader == "BiLSTM" else -1]
        return self.head(state).gather(1, kind.unsqueeze(1)).squeeze(1)


def run_reader(reader: str, seed: int, smoke: bool = False) -> dict[str, Any]:
    """Train one reader from one seed; accuracy on the held-out blanks after every epoch."""
    blanks, held_out, tokens = data(smoke)
    torch.manual_seed(seed)
    model, rng = Reader(reader, tokens), np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    x, kind, y = (torch.from_numpy(part) for part in blanks)
    looks: list[dict[str, float]] = []
    for _ in range(EPOCHS):
        model.train()
        for rows in torch.from_numpy(rng.permutation(len(y))).split(BATCH):
            loss = F.binary_cross_entropy_with_logits(model(x[rows], kind[rows]), y[rows].float())
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        model.eval()
        with torch.no_grad():
            said = model(torch.from_numpy(held_out.tokens), torch.from_numpy(held_out.kind)).numpy() > 0
        looks.append(by_kind(said == held_out.label, held_out))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "accuracy": {name: [look[name] for look in looks] for name in KINDS},
    }


# --- rivals without a network -----------------------------------------------------------------------


def one_word(at: int, blanks: Blanks, held_out: Blanks, tokens: int) -> np.ndarray:
    """Answers (n,) by what stood more often beside the word `at` steps from the blank; 0.5 where it never occurred."""
    counts = np.zeros((len(KINDS), tokens, 2))
    np.add.at(counts, (blanks.kind, blanks.tokens[:, SIDE + at], blanks.label), 1)
    seen = counts[held_out.kind, held_out.tokens[:, SIDE + at]]  # (n, 2)
    return (np.sign(seen[:, 1] - seen[:, 0]) + 1) / 2


def linear(reach: int, blanks: Blanks, held_out: Blanks, tokens: int) -> np.ndarray:
    """Answers (n,) by logistic regression on which word stands at each of `reach` places on either side."""

    def features(some: Blanks) -> Any:
        beside = np.delete(some.tokens[:, SIDE - reach : SIDE + reach + 1], reach, axis=1)  # (n, 2·reach)
        columns = beside + tokens * np.arange(2 * reach)
        rows = np.repeat(np.arange(len(beside)), 2 * reach)
        shape = len(beside), 2 * reach * tokens
        return sparse.csr_matrix((np.ones(columns.size), (rows, columns.ravel())), shape)

    x, x_held = features(blanks), features(held_out)
    said = np.zeros(len(held_out.label))
    for k in range(len(KINDS)):
        model = LogisticRegression(max_iter=500).fit(x[blanks.kind == k], blanks.label[blanks.kind == k])
        said[held_out.kind == k] = model.predict(x_held[held_out.kind == k])
    return said


def run_rival(rival: str, smoke: bool = False) -> dict[str, Any]:
    """Accuracy of a rival; there is no chance in it, so one run is all."""
    parts = data(smoke)
    said = {
        "word before": functools.partial(one_word, -1),
        "word after": functools.partial(one_word, 1),
        "three words each side": functools.partial(linear, 3),
    }[rival](*parts)
    held_out = parts[1]
    return {"accuracy": {name: [share] for name, share in by_kind(1 - abs(said - held_out.label), held_out).items()}}


# --- the runs ---------------------------------------------------------------------------------------


def jobs() -> list[tuple[str, int]]:
    """(reader, seed) of all runs; a rival without chance has seed 0."""
    return [(rival, 0) for rival in RIVALS] + [(reader, seed) for seed in SEEDS for reader in READERS]


def run(reader: str, seed: int, smoke: bool = False) -> dict[str, Any]:
    """One record."""
    torch.set_num_threads(1)
    data(smoke)  # read once a process; not a part of the run's time
    start = time.process_time()
    found = run_rival(reader, smoke) if reader in RIVALS else run_reader(reader, seed, smoke)
    return {"reader": reader, "seed": seed, **found, "seconds": round(time.process_time() - start, 1)}


def key(record: dict[str, Any]) -> tuple[str, int]:
    return record["reader"], record["seed"]


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made under other terms are not mixed in."""
    train = reviews.load("train")
    return {
        "data": f"IMDb train half ({train.provenance}): 20,000 reviews to learn from, 5,000 held out (last block of "
        f"each label); at most {TRAIN} blanks of each word to learn from, {TEST} held out, as many of "
        "either word of a kind",
        "sha256": train.sha256,
        "window": f"{SIDE} words on either side; reading on: {LATE} words later",
        "readers": f"{VOCABULARY} words, embedding {EMBEDDING}, BiLSTM {PER_DIRECTION} a direction, LSTM "
        f"{same_size(EMBEDDING, PER_DIRECTION)}; Adam {RATE}, batch {BATCH}, {EPOCHS} epochs, clip norm 1; "
        "judged after the last epoch",
        "rivals": list(RIVALS),
        "seeds": list(SEEDS),
        **_runs.here(),
    }


def smoke() -> str:
    """Every reader and rival on a hundredth of the reviews."""
    return table([run(reader, 0, smoke=True) for reader in (*RIVALS, *READERS)])


def table(runs: list[dict[str, Any]]) -> str:
    """Mean accuracy, % and its range over the seeds, a line for each reader."""
    lines = [f"{'':22}" + "".join(f"{kind:^20}" for kind in KINDS) + "parameters"]
    for reader in (*RIVALS, *READERS):
        its = [r for r in runs if r["reader"] == reader]
        cells = []
        for kind in KINDS:
            last = 100 * np.array([r["accuracy"][kind][-1] for r in its])
            cells.append(f"{last.mean():.1f}" + (f" ({last.min():.1f}–{last.max():.1f})" if len(its) > 1 else ""))
        lines.append(f"{reader:22}" + "".join(f"{cell:^20}" for cell in cells) + f"{its[0].get('parameters', '-'):>10}")
    return "\n".join(lines)


# --- the verdict ------------------------------------------------------------------------------------


def accuracies(runs: list[dict[str, Any]], reader: str, kind: str) -> dict[int, float]:
    """Final accuracy on one kind of blank, by seed."""
    return {r["seed"]: r["accuracy"][kind][-1] for r in runs if r["reader"] == reader}


def both_ways() -> Finding:
    """What the BiLSTM gains over a one-way LSTM: at blanks, and on whole reviews."""
    runs = _verdicts.runs_of("both_ways")
    rivals = {
        "a/an, against an LSTM reading left to right": ("left to right", "a/an"),
        "is/are, against an LSTM reading right to left": ("right to left", "is/are"),
        "its/it's, against an LSTM reading left to right": ("left to right", "its/it's"),
        f"a/an, against an LSTM that answers {LATE} words later": ("reading on", "a/an"),
    }
    effects = [
        _verdicts.paired(name, accuracies(runs, "BiLSTM", kind), accuracies(runs, reader, kind), "points", 2.0, 100)
        for name, (reader, kind) in rivals.items()
    ]
    for pooling, words in {"last": "last state", "mean": "mean of states"}.items():
        bilstm, lstm = imdb_gain.on_test((f"bilstm {pooling}", 200), (f"lstm {pooling}", 200))
        effects.append(_verdicts.paired(f"whole reviews, {words}", bilstm, lstm, "points", 0.5, 100))
    return Finding(
        effects,
        rule="At least 2 points more at a blank, 0.5 points on whole reviews, at equal parameters.",
        data="IMDb: blanks in held-out reviews, half of either word; whole reviews of the official test, 200 tokens",
        seeds=f"{len(SEEDS)} at blanks, {len(imdb_gain.SEEDS)} on whole reviews",
        note="An LSTM misses what it has not read when it answers: the right side if it reads left to right, the "
        "left side "
        "if right to left. One that answers a few words later, "
        "or after the whole review, has read it.",
    )


CLAIMS = {"bilstm-both-ways": both_ways}


def main() -> None:
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)


if __name__ == "__main__":
    main()
