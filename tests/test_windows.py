"""Windows: each holds what its place says, and a split by time shares no target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref.data.windows import windows

sizes = st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(0, 12))  # length, horizon, steps to spare


@given(sizes, st.sampled_from([(), (1,), (3,)]))
def test_inputs_end_where_targets_begin(sizes, features):
    length, horizon, spare = sizes
    series = np.random.default_rng(0).normal(size=(length + horizon + spare, *features))
    inputs, targets, at = windows(series, length, horizon)
    assert inputs.shape == (spare + 1, length, *features) and targets.shape == (spare + 1, horizon, *features)
    for i, first in enumerate(at):
        np.testing.assert_array_equal(inputs[i], series[first - length : first])
        np.testing.assert_array_equal(targets[i], series[first : first + horizon])
    assert at[0] == length and at[-1] + horizon == len(series)  # none is missing at either end


@given(sizes, st.integers(0, 25))
def test_a_split_by_time_shares_no_target_and_loses_only_what_lies_across(sizes, cut):
    length, horizon, spare = sizes
    steps = length + horizon + spare
    whole = windows(np.arange(steps), length, horizon)
    parts = []
    for start, stop in [(0, cut), (cut, steps)]:
        if not any(start <= a and a + horizon <= stop for a in whole.at):
            with pytest.raises(ValueError, match=f"start, stop: got {start}, {stop}, wanted a span"):
                whole.between(start, stop)
        else:
            part = whole.between(start, stop)
            assert part.targets.min() >= start and part.targets.max() < stop
            assert (part.targets[:, 0] == part.at).all() and (part.inputs[:, -1] == part.at - 1).all()
            parts += part.at.tolist()
    across = [a for a in whole.at if a < cut < a + horizon]
    assert sorted([*parts, *across]) == whole.at.tolist()


def test_other_targets_stand_at_the_same_steps():
    inputs, targets, at = windows(np.zeros((9, 2)), 3, 2, targets=np.arange(9))
    assert inputs.shape == (5, 3, 2)
    np.testing.assert_array_equal(targets, np.stack([at, at + 1], axis=1))


def test_nothing_is_copied_and_nothing_can_be_changed():
    series = np.arange(10.0)
    part = windows(series, 4).between(5, 9)
    assert np.shares_memory(part.inputs, series) and np.shares_memory(part.targets, series)
    with pytest.raises(ValueError, match="read-only"):
        part.inputs[0, 0] = 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: windows(np.zeros((2, 2, 2)), 1), r"series: got shape \(2, 2, 2\), wanted \(T,\) or \(T, D\)"),
        (lambda: windows(np.array(1.0), 1), r"series: got shape \(\), wanted \(T,\) or \(T, D\)"),
        (lambda: windows(np.zeros(5), 0), "length: got 0, wanted at least 1"),
        (lambda: windows(np.zeros(5), 1, 0), "horizon: got 0, wanted at least 1"),
        (lambda: windows(np.zeros(5), 4, 2), r"series: got 5 steps, wanted at least length \+ horizon = 6"),
        (lambda: windows(np.zeros(5), 1, targets=np.zeros(4)), r"targets: got shape \(4,\), wanted \(5, …\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
