"""What a graded question is made of, and how its examples are drawn.

A question is one function for the student to write. Its points are split among *concepts*; a concept has cases that
only it decides, so that who forgets the mask loses the mask's points and no others. A *slip* is a mistake people
really make: its own wrong answer, and what to say to whoever gives it. Cases are drawn from a seed: one for the checks
that students run, another for the mark.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .student.checks import encode

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Concept:
    """One idea of a question, and how to see whether a function has it.

    cases : draws the inputs of each case, dictionaries in the order of the function's arguments
    slips : what to say -> the function with that mistake
    see : where the book explains it, a full sentence
    tolerance : absolute and relative, of every number
    answer, probe : the question's own where None
    """

    key: str
    title: str
    points: int
    cases: Callable[[np.random.Generator], Sequence[Mapping[str, Any]]]
    slips: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    see: str = ""
    tolerance: float = 1e-4
    answer: Callable[..., Any] | None = None
    probe: str | None = None


@dataclass(frozen=True)
class Question:
    """A function to write.

    answer : the reference, in NumPy: it returns what `probe` should find
    probe : "call", or the name of a function in the assignment's probes.py, called as probe(function, *inputs)
    framework : whether inputs are tensors of the student's framework (else NumPy arrays)
    """

    name: str
    answer: Callable[..., Any]
    concepts: Sequence[Concept]
    framework: bool = False
    probe: str = "call"

    @property
    def points(self) -> int:
        return sum(concept.points for concept in self.concepts)


def examples(questions: Sequence[Question], seed: str) -> dict[str, Any]:
    """The cases of `questions` with expected answers and those of slips, as JSON can hold them."""
    return {
        question.name: {
            "framework": question.framework,
            "concepts": [_concept(question, concept, seed) for concept in question.concepts],
        }
        for question in questions
    }


def _concept(question: Question, concept: Concept, seed: str) -> dict[str, Any]:
    words = f"{seed}/{question.name}/{concept.key}"
    drawn = [dict(case) for case in concept.cases(np.random.default_rng(zlib.crc32(words.encode())))]
    answer = concept.answer or question.answer
    return {
        "key": concept.key,
        "title": concept.title,
        "points": concept.points,
        "see": concept.see,
        "tolerance": concept.tolerance,
        "probe": concept.probe or question.probe,
        "cases": [{"inputs": encode(case), "expected": encode(_answered(answer, case))} for case in drawn],
        "slips": [[said, [_slipped(wrong, case) for case in drawn]] for said, wrong in concept.slips.items()],
    }


def _answered(function: Callable[..., Any], case: Mapping[str, Any]) -> Any:
    copies = [value.copy() if isinstance(value, np.ndarray) else value for value in case.values()]
    with np.errstate(all="ignore"):
        return function(*copies)


def _slipped(wrong: Callable[..., Any], case: Mapping[str, Any]) -> Any:
    try:
        return encode(_answered(wrong, case))
    except (ValueError, IndexError, TypeError) as error:  # the mistake itself stops on this case
        return {"error": str(error)}


def seed(name: str) -> str:
    """The seed of `name`: "visible" for the checks handed out; "hidden" is yours to change from year to year.

    COURSE_SEED, or the first line of assignments/seed.txt (not in the repository), else the year the book was made.
    """
    if name == "visible":
        return "visible"
    file = HERE / "seed.txt"
    own = file.read_text("utf-8").split("\n")[0].strip() if file.exists() else "2026"
    return "hidden " + os.environ.get("COURSE_SEED", own)
