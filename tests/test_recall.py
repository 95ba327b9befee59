"""The recall task: its answer stands where it says, and chance is what it says."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref import stats
from attnlstm_ref.data import recall


@given(pairs=st.integers(1, 12), values=st.integers(1, 12), spare=st.integers(0, 8), seed=st.integers(0, 99))
def test_the_answer_stands_at_where_after_its_key(pairs, values, spare, seed):
    keys = pairs + spare
    tokens, answer, where = recall.make(30, pairs, values=values, keys=keys, rng=np.random.default_rng(seed))
    rows = np.arange(30)
    assert tokens.shape == (30, 2 * pairs + 1)
    assert (tokens[rows, where] - 1 == answer).all()
    assert (tokens[rows, where - 1] == tokens[:, -1]).all()
    named = tokens[:, 0:-1:2]
    assert all(len(set(row)) == pairs for row in named.tolist())  # a key never stands in two pairs
    assert named.min() > values and tokens.max() < recall.vocab_size(values=values, keys=keys)
    assert tokens.min() > recall.PAD and answer.max() < values


def test_equal_seeds_draw_equal_sequences():
    one, other = (recall.make(5, 3, rng=np.random.default_rng(4)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert (one.tokens != recall.make(5, 3, rng=np.random.default_rng(5)).tokens).any()


def test_values_questions_and_keys_are_evenly_drawn():
    data = recall.make(20_000, 4, rng=np.random.default_rng(0))
    for drawn, kinds in [(data.answer, 10), (data.where // 2, 4), (data.tokens[:, -1] - 11, 32)]:
        for count in np.bincount(drawn, minlength=kinds):
            interval = stats.proportion_interval(int(count), 20_000, 0.99999)
            assert interval.low < 1 / kinds < interval.high


def test_guessing_the_commonest_value():
    # One pair: its value is the answer. Two pairs: always right when equal (1/10), else half the time.
    rng = np.random.default_rng(0)
    assert recall.guess_the_commonest(recall.make(50, 1, rng=rng)) == 1
    assert recall.guess_the_commonest(recall.make(20_000, 2, rng=rng)) == pytest.approx(0.55, abs=0.01)
    # It is really reached by guessing so, ties broken anyhow.
    data = recall.make(20_000, 8, rng=rng)
    shown = data.tokens[:, 1::2] - 1
    guess = np.array([np.bincount(row, minlength=10).argmax() for row in shown])
    assert (guess == data.answer).mean() == pytest.approx(recall.guess_the_commonest(data), abs=0.015)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0, "pairs": 1}, "n: got 0, wanted at least 1"),
        ({"n": 1, "pairs": 0}, "pairs: got 0, wanted at least 1"),
        ({"n": 1, "pairs": 1, "values": 0}, "values: got 0, wanted at least 1"),
        ({"n": 1, "pairs": 3, "keys": 2}, "keys: got 2, wanted at least 3"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        recall.make(**arguments, rng=np.random.default_rng(0))


def test_the_experiment_runs_from_end_to_end():
    done = subprocess.run(
        [sys.executable, "-m", "experiments.recall", "--smoke", "--jobs", "1"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "last state" in done.stdout and "drawn: opening.png" in done.stdout
