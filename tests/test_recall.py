"""The recall task: its answer stands where it says, and chance is what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref import stats
from attnlstm_ref.data import recall
from experiments import _runs, two_pairs
from experiments import recall as wide


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


# --- the experiments -------------------------------------------------------------------------------


def test_every_question_of_a_story_is_asked_once():
    stories = recall.make(6, 5, rng=np.random.default_rng(0))
    tokens, answers = wide.every_question(stories)
    assert tokens.shape == (6, 5, 11) and answers.shape == (6, 5)
    for row in range(6):
        assert (tokens[row, :, :-1] == stories.tokens[row, :-1]).all()
        for pair in range(5):
            at = 2 * pair
            assert tokens[row, pair, -1] == stories.tokens[row, at]
            assert answers[row, pair] == stories.tokens[row, at + 1] - 1
    assert (stories.tokens == recall.make(6, 5, rng=np.random.default_rng(0)).tokens).all()  # left as they were


def test_accuracy_is_sorted_by_how_many_pairs_came_since():
    class NamesTheLast(torch.nn.Module):
        def forward(self, tokens):
            return torch.nn.functional.one_hot(tokens[:, -2] - 1, 10).double() * 50, None

    measured = wide.measure(NamesTheLast(), recall.make(2000, 4, rng=np.random.default_rng(0)))
    assert measured["by_pairs_since"][0] == 1
    assert all(abs(share - 0.1) < 0.03 for share in measured["by_pairs_since"][1:])


def test_lessons_of_every_length_are_drawn_and_short_ones_oftener():
    rng = np.random.default_rng(0)
    drawn = np.bincount([wide.draw_length(wide.Settings(), rng) for _ in range(20_000)])
    assert drawn[0] == 0 and len(drawn) == wide.Settings().longest + 1
    assert (drawn[1:] > 200).all() and drawn[1] > drawn[4] > drawn[16]


def test_asked_first_moves_the_question_and_nothing_else():
    settings = wide.Settings()
    torch.manual_seed(0)
    last, first = (wide.Reader(settings, model, 8) for model in ("last state", "asked first"))
    first.load_state_dict(last.state_dict())
    tokens = torch.from_numpy(recall.make(3, 4, rng=np.random.default_rng(0)).tokens)
    torch.testing.assert_close(first(tokens)[0], last(torch.cat([tokens[:, -1:], tokens[:, :-1]], dim=1))[0])


def test_a_fresh_key_knows_its_own_pair_only():
    tokens = torch.from_numpy(recall.make(4, 2, rng=np.random.default_rng(0)).tokens)
    other = tokens.clone()
    other[:, 1] = other[:, 1] % 10 + 1  # another first value
    for name, carried in {"two pairs": True, "question fresh": True, "keys fresh": False}.items():
        torch.manual_seed(0)
        model = two_pairs.Reader(two_pairs.CONFIGURATIONS[name])
        (question, story), (question_other, story_other) = model.states(tokens), model.states(other)
        assert torch.equal(story[:, 2:], story_other[:, 2:]) is not carried
        assert torch.equal(question, question_other) is (name == "question fresh")


def test_what_is_committed_is_complete_and_fair():
    settings = wide.Settings()
    runs = _runs.stored(wide.RESULT, wide.about())  # exits if they were made on other terms
    assert [wide.key(r) for r in runs] == wide.jobs()
    sizes = {r["parameters"] for r in runs if r["hidden"] == settings.hidden}
    assert max(sizes) < 1.02 * min(sizes)
    # Equal seeds train alike, so the longer run went through what the shorter one reports.
    curves = {wide.key(r): r["curve"] for r in runs}
    for seed in settings.long_seeds:
        short = curves["last state", settings.hidden, settings.steps, seed]
        assert curves["last state", settings.hidden, settings.long_steps, seed][: len(short)] == short
    stored = _runs.stored(two_pairs.RESULT, two_pairs.about())
    assert {(r["configuration"], r["seed"]) for r in stored} == {
        (name, seed) for name in two_pairs.CONFIGURATIONS for seed in two_pairs.SEEDS
    }
