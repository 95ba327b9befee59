"""Intervals and paired tests: thin over scipy and statsmodels, with results that print as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as _mcnemar
from statsmodels.stats.proportion import proportion_confint

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Interval:
    """An estimate between two limits."""

    estimate: float
    low: float
    high: float
    confidence: float
    n: int

    def __str__(self) -> str:
        return f"{self.estimate:.4g} [{self.low:.4g}, {self.high:.4g}] ({self.confidence:.0%} interval, n = {self.n})"


@dataclass(frozen=True)
class PairedDifference:
    """How much the first of two paired series lies above the second."""

    difference: Interval
    p_t: float
    """Two-sided, paired t test: supposes differences that are about normal."""
    p_flip: float
    """Two-sided, by flipping signs: supposes only that each sign is as likely as the other. With n pairs
    it can't fall below 2 / 2ⁿ: five seeds can't show anything at 0.05."""

    def __str__(self) -> str:
        return f"{self.difference}; p {_p(self.p_t)} (paired t), p {_p(self.p_flip)} (sign flips)"


@dataclass(frozen=True)
class McNemar:
    """Two classifiers on the same examples, compared where they disagree."""

    only_a: int
    """Examples that only the first got right."""
    only_b: int
    p: float
    """Two-sided and exact."""

    def __str__(self) -> str:
        return f"only the first right: {self.only_a}, only the second: {self.only_b}; p {_p(self.p)} (McNemar, exact)"


def mean_interval(values: Numbers, confidence: float = 0.95) -> Interval:
    """Mean and Student's t interval, for example of one figure over several seeds.

    Parameters
    ----------
    values : (n,) independent figures, n ≥ 2, about normal
    confidence : 0 < confidence < 1

    Raises
    ------
    ValueError
        Fewer than two values, a value that is not finite, a confidence outside (0, 1).
    """
    x = _series("values", values, at_least=2)
    _is_share("confidence", confidence)
    mean = float(x.mean())
    # The quantile times the standard error, and not scipy's `interval`, which is NaN where all values are equal.
    half = float(scipy_stats.t.ppf((1 + confidence) / 2, df=len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))
    return Interval(mean, mean - half, mean + half, confidence, len(x))


def proportion_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """A share and Wilson's score interval, for example an accuracy on n test examples (Wilson 1927).

    Unlike p ± 1.96·√(p(1 − p)/n) it stays within 0 and 1 and does not shrink to nothing at the ends.

    Raises
    ------
    ValueError
        n below 1, successes outside 0 … n, a confidence outside (0, 1).
    """
    if n < 1:
        raise ValueError(f"n: got {n}, wanted at least 1")
    if not 0 <= successes <= n:
        raise ValueError(f"successes: got {successes}, wanted 0 to n = {n}")
    _is_share("confidence", confidence)
    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    share = successes / n  # at 0 and at n rounding would put it outside
    return Interval(share, float(np.clip(low, 0, share)), float(np.clip(high, share, 1)), confidence, n)


def paired_difference(a: Numbers, b: Numbers, confidence: float = 0.95) -> PairedDifference:
    """Mean of a − b where `a[i]` and `b[i]` share something: a seed, a fold, a day.

    Parameters
    ----------
    a, b : (n,) figures, n ≥ 2
    confidence : of the t interval

    Returns
    -------
    PairedDifference; its sign flips are all 2ⁿ up to n = 13, and 9,999 drawn from a fixed seed above

    Raises
    ------
    ValueError
        Series of unequal length, fewer than two pairs, values that are not finite.
    """
    x, y = _series("a", a, at_least=2), _series("b", b, at_least=2)
    if len(x) != len(y):
        raise ValueError(f"b: got {len(y)} values, wanted {len(x)}, one for each of a")
    difference = x - y
    interval = mean_interval(difference, confidence)
    if not difference.any():
        return PairedDifference(interval, 1.0, 1.0)  # no difference at all: nothing for a test to divide by
    # As the spread goes to nothing t grows without limit.
    p_t = 0.0 if np.ptp(difference) == 0 else float(scipy_stats.ttest_rel(x, y).pvalue)
    flips = scipy_stats.permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=9_999, rng=np.random.default_rng(0)
    )
    return PairedDifference(interval, p_t, float(flips.pvalue))


def mcnemar(correct_a: Sequence[bool] | np.ndarray, correct_b: Sequence[bool] | np.ndarray) -> McNemar:
    """Do two classifiers differ, judged on the same examples (McNemar 1947)?

    Examples that both get right or both get wrong say nothing about it; were there no difference, the
    others would fall to either side like a fair coin.

    Parameters
    ----------
    correct_a, correct_b : (n,) booleans, True where the classifier was right

    Raises
    ------
    ValueError
        Not booleans, unequal lengths, no example.
    """
    a, b = (_right(name, c) for name, c in {"correct_a": correct_a, "correct_b": correct_b}.items())
    if len(a) != len(b):
        raise ValueError(f"correct_b: got {len(b)} values, wanted {len(a)}, one for each of correct_a")
    table = [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]
    if table[0][1] + table[1][0] == 0:
        return McNemar(0, 0, 1.0)
    return McNemar(table[0][1], table[1][0], float(_mcnemar(table, exact=True).pvalue))


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"= {value:.2g}"


def _series(name: str, values: Numbers, at_least: int) -> np.ndarray:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or len(x) < at_least:
        raise ValueError(f"{name}: got shape {x.shape}, wanted (n,) with n at least {at_least}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: got a value that is not finite, wanted numbers only")
    return x


def _right(name: str, values: Sequence[bool] | np.ndarray) -> np.ndarray:
    x = np.asarray(values)
    if x.ndim != 1 or len(x) == 0 or x.dtype != bool:
        raise ValueError(f"{name}: got shape {x.shape} of {x.dtype}, wanted (n,) booleans, n at least 1")
    return x


def _is_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name}: got {value}, wanted a number between 0 and 1")
