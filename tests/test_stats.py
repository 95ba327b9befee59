"""Figures against the literature and against sums done another way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref import stats

# "Student" (1908), Cushny and Peebles' data: extra hours of sleep of ten patients under two drugs.
DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_mean_interval_of_students_sleep_data():
    # R's help page of the data set `sleep`: t.test gives 0.7001142 … 2.4598858, mean 1.58.
    interval = stats.mean_interval(np.subtract(DRUG_2, DRUG_1))
    assert interval.estimate == pytest.approx(1.58)
    assert (interval.low, interval.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-7)
    assert interval.n == 10


def test_paired_difference_of_students_sleep_data():
    result = stats.paired_difference(DRUG_2, DRUG_1)
    assert result.p_t == pytest.approx(0.002833, abs=1e-6)  # R, as above
    # All 1,024 signs by hand.
    d = np.subtract(DRUG_2, DRUG_1)
    sums = np.array(list(itertools.product([1, -1], repeat=10))) @ d
    assert result.p_flip == pytest.approx((np.abs(sums) >= abs(d.sum()) - 1e-9).mean())


def test_paired_difference_changes_sign_with_the_order():
    one, other = stats.paired_difference(DRUG_1, DRUG_2), stats.paired_difference(DRUG_2, DRUG_1)
    assert one.difference.estimate == -other.difference.estimate
    assert one.difference.low == -other.difference.high
    assert one.p_t == other.p_t


def test_five_pairs_cannot_show_anything_at_five_per_cent_by_sign_flips():
    result = stats.paired_difference([1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.1, 0.3, 0.2, 0.5])
    assert result.p_flip == pytest.approx(2 / 2**5)


def test_equal_series_and_constant_differences():
    same = stats.paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (same.p_t, same.p_flip, same.difference.low, same.difference.high) == (1, 1, 0, 0)
    shifted = stats.paired_difference([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert shifted.p_t == 0 and shifted.difference.low == shifted.difference.high == 1


def test_wilson_as_newcombe_prints_it():
    # Newcombe (1998), Statistics in Medicine 17, Table I, method 3: 81/263, 15/148, 0/20, 1/29.
    table = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    for successes, n, low, high in table:
        interval = stats.proportion_interval(successes, n)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@given(n=st.integers(1, 30_000), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
def test_wilson_stays_within_0_and_1_and_holds_the_share(n, share, confidence):
    interval = stats.proportion_interval(round(share * n), n, confidence)
    assert 0 <= interval.low <= interval.estimate
    assert interval.estimate <= interval.high <= 1


def test_t_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = [stats.mean_interval(rng.normal(3.0, 2.0, size=5)) for _ in range(2000)]
    covered = sum(i.low <= 3.0 <= i.high for i in intervals)
    assert (
        stats.proportion_interval(covered, 2000, 0.999).low
        < 0.95
        < stats.proportion_interval(covered, 2000, 0.999).high
    )


def test_mcnemar_is_the_coin():
    # 10 examples only a right, 2 only b: P(at most 2 heads of 12 fair tosses), both sides = 2·79/4096.
    a = [True] * 10 + [False] * 2 + [True] * 50 + [False] * 7
    b = [False] * 10 + [True] * 2 + [True] * 50 + [False] * 7
    result = stats.mcnemar(a, b)
    assert (result.only_a, result.only_b) == (10, 2)
    assert result.p == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert stats.mcnemar(b, a).p == result.p
    assert stats.mcnemar(a, a).p == 1


def test_results_read_as_sentences():
    assert str(stats.proportion_interval(81, 263)) == "0.308 [0.2553, 0.3662] (95% interval, n = 263)"
    assert str(stats.paired_difference(DRUG_2, DRUG_1)).startswith(
        "1.58 [0.7001, 2.46] (95% interval, n = 10); p = 0.0028"
    )
    assert str(stats.mcnemar([True] * 40, [False] * 40)).endswith("only the second: 0; p < 0.0001 (McNemar, exact)")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.mean_interval([1.0]), r"values: got shape \(1,\), wanted \(n,\) with n at least 2"),
        (lambda: stats.mean_interval(np.ones((1, 2))), r"values: got shape \(1, 2\)"),
        (lambda: stats.mean_interval([1.0, float("nan")]), "values: got a value that is not finite"),
        (lambda: stats.mean_interval([1.0, 2.0], 95), "confidence: got 95, wanted a number between 0 and 1"),
        (lambda: stats.proportion_interval(3, 2), "successes: got 3, wanted 0 to n = 2"),
        (lambda: stats.proportion_interval(0, 0), "n: got 0, wanted at least 1"),
        (lambda: stats.paired_difference([1.0, 2.0], [1.0, 2.0, 3.0]), "b: got 3 values, wanted 2"),
        (
            lambda: stats.mcnemar(np.array([1, 0]), np.array([0, 1])),
            r"correct_a: got shape \(2,\) of int64, wanted \(n,\) booleans",
        ),
        (lambda: stats.mcnemar([True], [True, False]), "correct_b: got 2 values, wanted 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
