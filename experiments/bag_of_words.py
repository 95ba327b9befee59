"""How far do bags of words get on film reviews, and how much does a random split flatter?

Before any network: linear models that count words and forget their order. Two families, on the official halves of IMDb.

tf-idf   TF-IDF (sublinear, each review of length 1, n-grams of two reviews or more) and logistic regression, C = 10.
nb-svm   each word or n-gram that a review contains counts once, times its log-count ratio between praise and blame
         (naive Bayes' weight), and a linear classifier learns the rest (Wang & Manning 2012). `svm` has their settings:
         L2-SVM, C = 1, smoothing 1, weights moved three quarters of the way towards their mean size (β = 0.25).
         `logistic` has logistic regression, C = 1, without that step, as Mesnil et al. 2014 ran it.

Words are those of `text.tokenise`; 1, 2, 3 is the longest n-gram. What an LSTM cut at 200 or 400 tokens may read is all
these may read in the rows with that length. `held_out` is measured with 20,000 reviews to learn from, on the last block
of each label (5,000); `test` is measured on the official half with all 25,000. Nothing is drawn by chance, so there are
no seeds, and an accuracy's interval is Wilson's for that many reviews.

The leak: the same tf-idf classifier learns from 20,000 reviews and is measured on the 5,000 others and on the official
half. Only how the 5,000 were set apart differs: at random (five draws), or as last blocks. What a split says beyond the
official half, with the same classifier, is flattery. Films are not named in the data, but reviews of a film stand
together in the file. So `siblings` is the share of held-out reviews that share a name with a review to learn from, a
name that all reviews with that label use within one stretch of 30 places only: of an actor or a character, mostly. It
stands in for "the same film", from below: it misses those whose reviews have no such name in common. Its base rate is
what chance gives: the same count with the reviews put at random places.

    python -m experiments.bag_of_words            # about ten minutes on one core; finished runs are kept
    python -m experiments.bag_of_words --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from attnlstm_ref import stats, text
from attnlstm_ref.data import reviews
from experiments import _logits, _reviews, _runs

RESULT = Path(__file__).parent / "results" / "bag_of_words.json"
WHOLE, CUTS = 0, (200, 400)  # tokens kept; 0: all
LONGEST = 3
MODELS = (("tf-idf", 1), ("tf-idf", 2), ("svm", 1), ("svm", 2), ("logistic", 1), ("logistic", 2), ("logistic", 3))
MODELS_CUT = (("tf-idf", 2), ("logistic", 2), ("logistic", 3))
C_TF_IDF = 10.0
BETA = 0.25
TOLERANCE = 0.1  # LIBLINEAR's own for its dual solvers; scikit-learn's default takes many times as long for nothing
DRAWS = (1, 2, 3, 4, 5)
STRETCH = 30  # places: the data hold at most thirty reviews of a film

Tokens = list[list[str]]
Half = tuple[Tokens, np.ndarray]
Counts: TypeAlias = sparse.csr_matrix
Reader = Callable[[Counts], np.ndarray]
"""From counts (n, features) to logits (n,)."""


# --- n-grams ----------------------------------------------------------------------------------------


class NGrams(NamedTuple):
    """How often each review has each n-gram of the reviews to learn from."""

    train: Counts
    test: Counts
    longest: np.ndarray
    """(features,) words of each n-gram."""


def coded(token_lists: Tokens, ids: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Row and code of every word, bigram and trigram that has no unknown word.

    A word's id, from 1, is a digit to the base len(ids) + 1; an n-gram is the whole number its words make.
    """
    row = np.repeat(np.arange(len(token_lists)), [len(tokens) for tokens in token_lists])
    word = np.array([ids.get(word, 0) for tokens in token_lists for word in tokens], dtype=np.int64)
    there, code, base = word > 0, word, len(ids) + 1
    rows, codes = [row[there]], [word[there]]
    for n in range(2, LONGEST + 1):
        code = code[:-1] * base + word[n - 1 :]
        there = there[:-1] & (word[n - 1 :] > 0) & (row[: len(code)] == row[n - 1 :])
        rows.append(row[: len(code)][there])
        codes.append(code[there])
    return np.concatenate(rows), np.concatenate(codes)


def count(train: Tokens, test: Tokens) -> NGrams:
    """All n-grams of the reviews to learn from, and how often each of them is in both halves."""
    ids = {word: i for i, word in enumerate(sorted({word for tokens in train for word in tokens}), start=1)}
    base = len(ids) + 1
    row, code = coded(train, ids)
    codes, column = np.unique(code, return_inverse=True)
    shape = len(train), len(codes)
    learn = sparse.csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape)
    row, code = coded(test, ids)
    column = np.searchsorted(codes, code).clip(max=len(codes) - 1)
    known = codes[column] == code
    ones = np.ones(int(known.sum()), dtype=np.float32)
    judged = sparse.csr_matrix((ones, (row[known], column[known])), (len(test), len(codes)))
    return NGrams(learn, judged, 1 + (codes >= base) + (codes >= base**2))


# --- classifiers ------------------------------------------------------------------------------------


def logistic(c: float) -> LogisticRegression:
    return LogisticRegression(C=c, solver="liblinear", dual=True, tol=TOLERANCE, random_state=0)


def tf_idf(counts: Counts, labels: np.ndarray) -> Reader:
    """TF-IDF and logistic regression."""
    weighting = TfidfTransformer(sublinear_tf=True)
    model = logistic(C_TF_IDF).fit(weighting.fit_transform(counts), labels)
    return lambda some: model.decision_function(weighting.transform(some))


def log_count_ratio(x: Counts, labels: np.ndarray) -> np.ndarray:
    """r = log((p / |p|) / (q / |q|)), p and q the counts of each feature in praise and blame, plus 1.

    x (n, features) holds 0 and 1; r is (features,) (Wang & Manning 2012, section 2.1).
    """
    p, q = (1 + np.asarray(x[labels == label].sum(axis=0), dtype=np.float64).ravel() for label in (1, 0))
    return np.log(p / p.sum()) - np.log(q / q.sum())


def nb_svm(counts: Counts, labels: np.ndarray, classifier: str) -> Reader:
    """What a review contains, times its log-count ratio, and a linear classifier."""
    x = counts.sign()
    r = log_count_ratio(x, labels)
    model = logistic(1.0) if classifier == "logistic" else LinearSVC(C=1.0, tol=TOLERANCE, random_state=0)
    model.fit(x @ sparse.diags(r), labels)
    w = model.coef_[0]
    if classifier == "svm":
        w = (1 - BETA) * np.abs(w).mean() + BETA * w
    weights, bias = r * w, float(model.intercept_[0])
    return lambda some: some.sign() @ weights + bias


def answers(model: str, learn: Counts, labels: np.ndarray, *others: Counts) -> list[np.ndarray]:
    """Logits (n,) of each of the others. What the reviews to learn from never say is no feature."""
    least = 2 if model == "tf-idf" else 1  # reviews
    (said,) = np.nonzero(learn.getnnz(axis=0) >= least)
    learn = learn[:, said]
    reader = tf_idf(learn, labels) if model == "tf-idf" else nb_svm(learn, labels, model)
    return [reader(other[:, said]) for other in others]


# --- the reviews ------------------------------------------------------------------------------------


@functools.cache
def half(split: str, step: int) -> Half:
    """Tokens and labels of every `step`-th review of an official half."""
    loaded = reviews.load(split)
    return [text.tokenise(one) for one in loaded.texts[::step]], loaded.labels[::step]


@functools.lru_cache(maxsize=1)
def n_grams(keep: int, step: int) -> NGrams:
    """Of the first `keep` tokens of every `step`-th review."""
    train, test = ([tokens[: keep or None] for tokens in half(split, step)[0]] for split in ("train", "test"))
    return count(train, test)


def last_blocks(labels: np.ndarray, fraction: float = 0.2) -> np.ndarray:
    """(n,) booleans, True for what `reviews.validation_split` holds out."""
    held = np.zeros(len(labels), dtype=bool)
    for label in (0, 1):
        (rows,) = np.nonzero(labels == label)
        held[rows[-round(fraction * len(rows)) :]] = True
    return held


def random_rows(labels: np.ndarray, seed: int, fraction: float = 0.2) -> np.ndarray:
    """(n,) booleans, True for a random share."""
    held = np.zeros(len(labels), dtype=bool)
    held[np.random.default_rng(seed).permutation(len(labels))[: round(fraction * len(labels))]] = True
    return held


# --- siblings ---------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_]+")


def names(texts: list[str]) -> list[set[str]]:
    """For each text its words that stand with a capital wherever any text uses them."""
    words = [set(_WORD.findall(one)) for one in texts]
    small = {word for each in words for word in each if word.islower()}
    return [{word for word in each if len(word) > 1 and word.lower() not in small} for each in words]


def film_names(each: list[set[str]], labels: np.ndarray, place: np.ndarray) -> list[set[str]]:
    """For each review its names that, in reviews of its label, are used by two or more, all of one stretch of the file.

    `place` (n,) is where the reviews stand.
    """
    where: dict[tuple[str, int], list[int]] = {}
    for row, its in enumerate(each):
        for name in its:
            where.setdefault((name, labels[row]), []).append(place[row])
    local = {which for which, at in where.items() if len(at) > 1 and max(at) - min(at) <= STRETCH}
    return [{name for name in its if (name, labels[row]) in local} for row, its in enumerate(each)]


def siblings(each: list[set[str]], labels: np.ndarray, held: np.ndarray, place: np.ndarray) -> float:
    """Share of held-out reviews that share such a name with a review to learn from."""
    its = film_names(each, labels, place)
    learned = {(name, labels[row]) for row in np.flatnonzero(~held) for name in its[row]}
    return float(np.mean([any((name, labels[row]) in learned for name in its[row]) for row in np.flatnonzero(held)]))


# --- the runs ---------------------------------------------------------------------------------------


def jobs() -> list[tuple[str, int, int]]:
    """(model, longest n-gram, tokens kept); ("leak", 2, number of the draw), where 0 is no draw but the last blocks."""
    whole = [(model, n, WHOLE) for model, n in MODELS]
    leaks = [("leak", 2, draw) for draw in (0, *DRAWS)]
    return whole + leaks + [(model, n, keep) for keep in CUTS for model, n in MODELS_CUT]


def run(model: str, longest: int, which: int, smoke: bool = False) -> dict[str, Any]:
    """The record of a classifier, or of a split."""
    step = 100 if smoke else 1
    grams = n_grams(WHOLE if model == "leak" else which, step)  # shared by rows; no part of the seconds
    start = time.process_time()
    columns = np.flatnonzero(grams.longest <= longest)
    train, test = grams.train[:, columns], grams.test[:, columns]
    labels, test_labels = half("train", step)[1], half("test", step)[1]
    if model == "leak":
        record = {"model": model, "longest": longest, "draw": which} | leak(train, labels, test, test_labels, which)
    else:
        record = {"model": model, "longest": longest, "keep": which}
        record |= classified(model, train, labels, test, test_labels)
        if (model, longest, which) != ("logistic", 3, WHOLE):  # the one that `best` mixes in
            del record["held_out_logits"], record["test_logits"]
    return record | {"seconds": round(time.process_time() - start, 1)}


def classified(model: str, train: Counts, labels: np.ndarray, test: Counts, test_labels: np.ndarray) -> dict[str, Any]:
    """Held out: after 20,000 reviews; test: after all 25,000."""
    held = last_blocks(labels)
    (held_out,) = answers(model, train[~held], labels[~held], train[held])
    (official,) = answers(model, train, labels, test)
    right = (official > 0) == (test_labels == 1)
    found = stats.proportion_interval(int(right.sum()), len(right))
    return {
        "held_out": _reviews.measured(held_out, labels[held])["accuracy"],
        "test": round(found.estimate, 5),
        "low": round(found.low, 5),
        "high": round(found.high, 5),
        "right": _reviews.pack(right),
        "held_out_logits": _logits.pack(held_out),
        "test_logits": _logits.pack(official),
    }


def leak(train: Counts, labels: np.ndarray, test: Counts, test_labels: np.ndarray, draw: int) -> dict[str, float]:
    """One classifier, two sets of reviews."""
    held = random_rows(labels, draw) if draw else last_blocks(labels)
    held_out, official = answers("tf-idf", train[~held], labels[~held], train[held], test)
    each = names(reviews.load("train").texts[:: 25_000 // len(labels)])
    there = np.arange(len(labels))
    return {
        "held_out": _reviews.measured(held_out, labels[held])["accuracy"],
        "test": _reviews.measured(official, test_labels)["accuracy"],
        "siblings": round(siblings(each, labels, held, there), 4),
        "siblings_base_rate": round(siblings(each, labels, held, np.random.default_rng(draw).permutation(there)), 4),
    }


def key(record: dict[str, Any]) -> tuple[str, int, int]:
    return record["model"], record["longest"], record["draw" if record["model"] == "leak" else "keep"]


def about() -> dict[str, Any]:
    return {
        "data": "IMDb: held_out is the last fifth of each label of the official train half, test the official half",
        "sha256": _reviews.hashes(),
        "c": {"tf-idf": C_TF_IDF, "others": 1.0},
        "beta": BETA,
        "tolerance": TOLERANCE,
        "leak": "tf-idf, bigrams, C = 10, whole reviews; "
        f"siblings share a name that occurs only within a stretch of {STRETCH} places",
    } | _with_sklearn(_runs.here())


def _with_sklearn(here: dict[str, Any]) -> dict[str, Any]:
    return here | {"versions": here["versions"] | {"scikit-learn": version("scikit-learn")}}


def table(runs: list[dict[str, Any]]) -> str:
    lines = [f"{'':22}{'held out':>9} {'official test':>22} {'CPU s':>7}"]
    for one in runs:
        if one["model"] != "leak":
            name = f"{one['model']} {one['longest']}, {one['keep'] or 'all'} tokens"
            test = f"{one['test']:8.4f} ({one['low']:.4f} to {one['high']:.4f})"
            lines.append(f"{name:22}{one['held_out']:9.4f} {test} {one['seconds']:7.0f}")
    lines.append(f"\n{'leak':22}{'held out':>9} {'test':>8} {'siblings':>9} {'at random places':>17}")
    for one in runs:
        if one["model"] == "leak":
            name = f"random draw {one['draw']}" if one["draw"] else "last blocks"
            shares = f"{one['siblings']:9.4f} {one['siblings_base_rate']:17.4f}"
            lines.append(f"{name:22}{one['held_out']:9.4f} {one['test']:8.4f} {shares}")
    return "\n".join(lines)


def smoke() -> str:
    tried = [("tf-idf", 2, 200), ("svm", 2, 200), ("logistic", 3, WHOLE), ("leak", 2, 0), ("leak", 2, 1)]
    return table([run(*job, smoke=True) for job in tried])


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)
