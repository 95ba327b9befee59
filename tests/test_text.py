"""Tokens, vocabulary, padding and batches: properties, and what goes wrong."""

from __future__ import annotations

import errno
import os
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref import text
from attnlstm_ref.text import PAD, UNK, Vocabulary, batches_by_length, pad, tokenise

words = st.text(string.ascii_lowercase, min_size=1, max_size=3)
token_lists = st.lists(st.lists(words, max_size=12), max_size=12)
sequences = st.lists(st.lists(st.integers(1, 99), max_size=9), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("A fine film.", ["a", "fine", "film", "."]),
        ("one<br /><br />two<BR>three<br/>four", ["one", "two", "three", "four"]),
        ("Don’t don't 'quoted' well-made", ["don't", "don't", "'", "quoted", "'", "well-made"]),
        ("7/10, 1,000 at 9:30 -- no 3.5.", ["7/10", ",", "1,000", "at", "9:30", "-", "-", "no", "3.5", "."]),
        ("so... good!!", ["so", "...", "good", "!", "!"]),
        ("Émile & Zoë_x 电影", ["émile", "&", "zoë", "_", "x", "电影"]),
        ("br < 3 > 2", ["br", "<", "3", ">", "2"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_tokenise(written, tokens):
    assert tokenise(written) == tokens


@given(st.text())
def test_tokens_are_lower_case_without_space_and_lose_no_letter(written):
    tokens = tokenise(written)
    assert all(token and not any(c.isspace() for c in token) for token in tokens)
    without_breaks = text._BREAK.sub(" ", written).lower().replace("’", "'")
    assert "".join(tokens) == "".join(c for c in without_breaks if not c.isspace())


@given(st.text())
def test_tokenising_joined_tokens_changes_nothing(written):
    once = tokenise(written)
    assert tokenise("  ".join(once)) == once or "<" in once  # "<", "br", ">" may meet again as a break


@given(token_lists, st.integers(3, 20), st.integers(1, 3))
def test_vocabulary_keeps_the_most_frequent_words(lists, max_size, min_count):
    vocabulary = Vocabulary.build(lists, max_size, min_count)
    counts = {w: sum(tokens.count(w) for tokens in lists) for tokens in lists for w in tokens}
    assert len(vocabulary) <= max_size
    kept, dropped = vocabulary.words[2:], set(counts) - set(vocabulary.words)
    assert all(counts[w] >= min_count for w in kept)
    assert list(kept) == sorted(kept, key=lambda w: (-counts[w], w))
    if len(vocabulary) < max_size:
        assert all(counts[w] < min_count for w in dropped)
    elif dropped and kept:
        assert max(counts[w] for w in dropped) <= min(counts[w] for w in kept)


@given(token_lists)
def test_encode_and_decode_undo_each_other(lists):
    vocabulary = Vocabulary.build(lists)
    for tokens in lists:
        ids = vocabulary.encode(tokens)
        assert vocabulary.decode(ids) == tokens
        assert PAD not in ids and UNK not in ids
        assert vocabulary.decode(np.array(ids, dtype=np.int64)) == tokens


@given(token_lists)
def test_the_order_of_the_texts_does_not_matter(lists):
    assert Vocabulary.build(lists) == Vocabulary.build(lists[::-1])


def test_unknown_words_and_the_words_of_the_specials():
    vocabulary = Vocabulary.build([["good", "<pad>", "<unk>", "<pad>"]])
    assert vocabulary.words == ("<pad>", "<unk>", "good")
    assert vocabulary.encode(["good", "bad", "<pad>", "<unk>"]) == [2, UNK, UNK, UNK]
    assert "good" in vocabulary and "bad" not in vocabulary


@given(token_lists)
def test_save_and_load(tmp_path_factory, lists):
    path = tmp_path_factory.mktemp("vocabulary") / "words.json"
    vocabulary = Vocabulary.build(lists)
    vocabulary.save(path)
    assert Vocabulary.load(path) == vocabulary
    assert [p.name for p in path.parent.iterdir()] == ["words.json"]


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "words.json"
    old = Vocabulary.build([["old"]])
    old.save(path)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Vocabulary.build([["new"]]).save(path)
    assert Vocabulary.load(path) == old
    assert [p.name for p in tmp_path.iterdir()] == ["words.json"]


@given(sequences, st.none() | st.integers(1, 12), st.sampled_from(["head", "tail"]))
def test_pad(lists, length, keep):
    ids, mask = pad(lists, length, keep)
    steps = length or max(1, *map(len, lists))
    assert ids.shape == mask.shape == (len(lists), steps)
    assert ids.dtype == np.int64 and mask.dtype == bool
    for row, real, sequence in zip(ids, mask, lists, strict=True):
        kept = sequence[:steps] if keep == "head" else sequence[-steps:]
        assert row[real].tolist() == kept
        assert (row[~real] == PAD).all()
        assert not (np.diff(real.astype(int)) > 0).any()  # padding on the right


def test_pad_takes_arrays_and_leaves_them_alone():
    sequence = np.array([5, 6, 7])
    ids, mask = pad([sequence, sequence[:0]], length=2, keep="tail")
    assert ids.tolist() == [[6, 7], [0, 0]] and mask.tolist() == [[True, True], [False, False]]
    assert sequence.tolist() == [5, 6, 7]


def test_an_id_of_zero_inside_a_sequence_is_real():
    assert pad([[0, 3], [1]])[1].tolist() == [[True, True], [True, False]]


lengths = st.lists(st.integers(0, 500), max_size=200)


@given(lengths, st.integers(1, 20), st.none() | st.integers(0, 9), st.integers(1, 6))
def test_every_index_stands_in_one_batch(sizes, batch_size, seed, pool):
    def draw():
        rng = None if seed is None else np.random.default_rng(seed)
        return batches_by_length(sizes, batch_size, rng=rng, pool=pool)

    batches = draw()
    assert sorted(i for batch in batches for i in batch) == list(range(len(sizes)))
    assert sum(len(batch) < batch_size for batch in batches) <= 1
    assert all(batch.dtype == np.int64 and 0 < len(batch) <= batch_size for batch in batches)
    assert [b.tolist() for b in batches] == [b.tolist() for b in draw()]


def test_batches_by_length_save_padding_and_differ_between_epochs():
    rng = np.random.default_rng(0)
    sizes = rng.geometric(1 / 200, size=5000)

    def padded(batches):
        return sum(len(b) * sizes[b].max() for b in batches) / sizes.sum()

    pooled = batches_by_length(sizes, 32, rng=rng)
    plain = batches_by_length(sizes, 32, rng=rng, pool=1)
    assert padded(pooled) < 1.2 < 3 < padded(plain)
    assert {tuple(b) for b in pooled}.isdisjoint(tuple(b) for b in batches_by_length(sizes, 32, rng=rng))
    # Long batches are not all at one end.
    means = np.array([sizes[b].mean() for b in pooled])
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_without_chance_the_shortest_come_first():
    assert [b.tolist() for b in batches_by_length([3, 1, 2, 1], 3)] == [[1, 3, 2], [0]]
    assert batches_by_length([], 4) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Vocabulary.build([["a"]], 2), "max_size: got 2, wanted at least 3"),
        (lambda: Vocabulary.build([["a"]], min_count=0), "min_count: got 0, wanted at least 1"),
        (lambda: Vocabulary.build(["a film"]), "token_lists: got a string, wanted lists of tokens"),
        (lambda: Vocabulary(("a", "b")), r"words: got \('a', 'b'\) first, wanted \('<pad>', '<unk>'\)"),
        (lambda: Vocabulary(("<pad>", "<unk>", "a", "a")), "words: got 'a' twice, wanted each word once"),
        (lambda: Vocabulary.build([]).encode("film"), "tokens: got a string, wanted a list"),
        (lambda: Vocabulary.build([]).decode([2]), "ids: got 2, wanted 0 to 1"),
        (lambda: Vocabulary.build([]).decode([-1]), "ids: got -1, wanted 0 to 1"),
        (lambda: pad([]), "sequences: got none, wanted at least one"),
        (lambda: pad([[1]], 0), "length: got 0, wanted at least 1"),
        (lambda: pad([[1]], keep="both"), 'keep: got \'both\', wanted "head" or "tail"'),
        (lambda: batches_by_length([1], 0), "batch_size: got 0, wanted at least 1"),
        (lambda: batches_by_length([1], 1, rng=np.random.default_rng(), pool=0), "pool: got 0, wanted at least 1"),
        (lambda: batches_by_length([-1, 2], 1), r"lengths: got shape \(2,\) of int64, wanted \(n,\) counts"),
        (lambda: batches_by_length(np.ones((2, 2)), 1), r"lengths: got shape \(2, 2\) of float64"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"words": "abc"}', '{"words": [1]}', '{"other": []}', "\x00"])
def test_a_file_that_is_no_vocabulary(tmp_path, content):
    path = tmp_path / "words.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"path: got words\.json, wanted a file written by Vocabulary\.save"):
        Vocabulary.load(path)
