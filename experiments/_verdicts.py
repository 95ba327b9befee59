"""From runs to a verdict: one rule for all claims, fixed before the runs.

A claim is tested under a few conditions (data sets, lengths, sizes). Each gives an effect: a paired difference between
what the claim recommends and what it is compared with, signed so that more is better for the claim, with a 95 %
interval. Beforehand the script says what is asked of it: half the gain where the claim names a number, otherwise the
smallest gain worth having.

An effect is *met* if its whole interval lies above what is asked, *failed* if it lies below, and *open* otherwise.

    all met                     the claim holds
    some met                    it holds under conditions
    none met, all failed        it is refuted
    none met, some open         it is not reproduced
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnlstm_ref import stats

RESULTS = Path(__file__).parent / "results"
VERDICTS = ("holds", "holds under conditions", "not reproduced", "refuted", "untestable")
Series = Sequence[float] | Mapping[Any, float]


@dataclass(frozen=True)
class Effect:
    """What was found under one condition, and what was asked; more is better for the claim."""

    name: str
    estimate: float
    low: float
    """Lower end of the 95 % interval."""
    high: float
    unit: str
    asked: float

    def __post_init__(self) -> None:
        numbers = (self.estimate, self.low, self.high, self.asked)
        if not all(map(math.isfinite, numbers)) or not self.low <= self.estimate <= self.high:
            raise ValueError(f"{self.name}: got {numbers}, wanted finite numbers with low ≤ estimate ≤ high")

    @property
    def met(self) -> bool:
        return self.low > self.asked

    @property
    def failed(self) -> bool:
        return self.high < self.asked


@dataclass(frozen=True)
class Finding:
    """What an experiment says of a claim: its effects, the first of them the headline, and where they come from."""

    effects: Sequence[Effect]
    rule: str
    """What is asked and why, in one or two sentences; the rule above need not be said again."""
    data: str
    seeds: str
    note: str = ""
    """What the numbers do not show, or what explains them."""
    verdict: str | None = None
    """Only for a claim that is judged by a rule of its own, told in `rule`."""

    def __post_init__(self) -> None:
        if not self.effects and self.verdict != "untestable":
            raise ValueError("effects: got none, wanted at least one")
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise ValueError(f"verdict: got {self.verdict!r}, wanted one of {', '.join(VERDICTS)}")


def verdict(effects: Sequence[Effect]) -> str:
    """The verdict that follows from the effects.

    Raises
    ------
    ValueError
        There are no effects.
    """
    if not effects:
        raise ValueError("effects: got none, wanted at least one")
    if all(effect.met for effect in effects):
        return "holds"
    if any(effect.met for effect in effects):
        return "holds under conditions"
    return "refuted" if all(effect.failed for effect in effects) else "not reproduced"


def judged(finding: Finding) -> str:
    """The verdict on a finding: by its own rule where it has one."""
    return finding.verdict or verdict(finding.effects)


def paired(name: str, a: Series, b: Series, unit: str, asked: float, scale: float = 1) -> Effect:
    """The effect a - b, times `scale`, with Student's 95 % interval.

    Parameters
    ----------
    name : the condition, for example "200 tokens, attention against last state"
    a, b : (n,) figures of what the claim recommends and of what it is compared with, `a[i]` and `b[i]` of one seed; or
        dictionaries by seed, which are matched here
    unit : of the effect, for example "points"
    asked : in that unit
    scale : for example 100 for points out of shares; -1 where less is better

    Raises
    ------
    ValueError
        Fewer than two pairs, unequal lengths, seeds that only one side has, numbers that are not finite.
    """
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if set(a) != set(b):
            raise ValueError(f"b: got seeds {sorted(b)}, wanted those of a, {sorted(a)}")
        seeds = sorted(a)
        a, b = [a[seed] for seed in seeds], [b[seed] for seed in seeds]
    elif isinstance(a, Mapping) or isinstance(b, Mapping):
        raise ValueError("a, b: got a dictionary and a sequence, wanted two of a kind")
    found = stats.paired_difference([scale * x for x in a], [scale * x for x in b]).difference
    return Effect(name, found.estimate, found.low, found.high, unit, asked)


def results(name: str) -> dict[str, Any]:
    """All that `results/<name>.json` holds.

    Raises
    ------
    FileNotFoundError
        The experiment has no results yet.
    """
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def runs_of(name: str) -> list[dict[str, Any]]:
    """The stored runs of an experiment."""
    return results(name)["runs"]


def about_of(name: str) -> dict[str, Any]:
    """What the stored runs of an experiment depend on."""
    return results(name)["about"]
