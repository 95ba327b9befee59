"""What people hand in: mistakes that each assignment must recognise, and other ways to be right.

Tests prove the marks by them, and the simulated class is made of them. Students never see this folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Wrong:
    """A mistake that people make: code for the cell of `question`, the concepts it costs, and words it must be told.

    loses : keys of concepts of `question`, or "question/concept" for one of another question
    says : words that stand in what is said of one of them
    framework : where the cell is written for one of the two
    """

    name: str
    question: str
    code: str
    loses: frozenset[str]
    says: str
    framework: str = "torch"

    @property
    def lost(self) -> set[str]:
        return {each if "/" in each else f"{self.question}/{each}" for each in self.loses}


@dataclass(frozen=True)
class Right:
    """Another way to be right: code for the cells of some questions."""

    name: str
    cells: Mapping[str, str]
    framework: str = "torch"


def wrong(name: str, question: str, loses: str, says: str, code: str, framework: str = "torch") -> Wrong:
    """A Wrong whose `loses` is written as words."""
    return Wrong(name, question, code, frozenset(loses.split()), says, framework)


def answers(assignment: str) -> ModuleType:
    """The module of `assignment`, with its WRONG and RIGHT."""
    return importlib.import_module(f"{__name__}.{assignment}")
