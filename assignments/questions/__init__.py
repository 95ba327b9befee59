"""The questions of each assignment, with their answers: what students never see."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

from ..question import Question

NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def questions(assignment: str) -> Sequence[Question]:
    """The questions of `assignment`, in the order of its notebook."""
    if assignment not in NAMES:
        raise ValueError(f"assignment: there is none called {assignment!r}; wanted one of {', '.join(NAMES)}")
    found: Sequence[Question] = importlib.import_module(f"{__name__}.{assignment}").QUESTIONS
    return found
