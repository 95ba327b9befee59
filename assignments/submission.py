"""From a folder that somebody handed in to what was found in it.

A submission is read with suspicion, put in order (tests restored, those deleted put back), run in the jail and judged
outside it. Where a cell ends the program, the rest is run again without that cell: one accident costs its own question.
"""

from __future__ import annotations

import functools
import hashlib
import json
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from . import jail
from .question import HERE, examples, seed
from .questions import NAMES, questions
from .student.checks import judge

LARGEST = 20 << 20  # bytes of a notebook
ATTEMPTS = 4  # how often a notebook is run, each time without the cells that ended it before


class Unreadable(ValueError):
    """Nothing can be graded; the message is for the student."""


@dataclass
class Mark:
    """One concept's: points of `of`, and words where they were lost."""

    question: str
    concept: str
    title: str
    points: int
    of: int
    words: str = ""


@dataclass
class Result:
    """What a submission came to. `notes` are lines for the table; `cells` the outputs, one list for each cell."""

    student: str
    assignment: str
    key: str
    status: str = "graded"
    notes: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)

    @property
    def points(self) -> int:
        return sum(mark.points for mark in self.marks)

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Result:
        parts = json.loads(text)
        return cls(**parts | {"marks": [Mark(**mark) for mark in parts["marks"]]})


def source(assignment: str) -> nbformat.NotebookNode:
    """The notebook of `assignment` with its solutions."""
    return nbformat.read(HERE / "source" / assignment / f"{assignment}.ipynb", as_version=4)


@functools.cache
def solution(assignment: str, framework: str) -> dict[str, str]:
    """The code of the cell that answers each question."""
    cells = [cell for cell in source(assignment).cells if cell.cell_type == "code" and not is_test(cell)]
    chosen = f'FRAMEWORK = "{framework}"\n'
    return {name: chosen + cell.source for cell in cells if (name := grade_id(cell)) is not None}


def handed_out(assignment: str) -> list[Path]:
    """The files that stand beside the notebook, checks.json aside."""
    beside = (HERE / "source" / assignment).glob("*")
    return [HERE / "student" / "checks.py", *sorted(file for file in beside if file.suffix not in (".ipynb", ""))]


@functools.cache
def hidden(assignment: str) -> dict[str, Any]:
    """The examples that decide the mark."""
    return examples(questions(assignment), seed("hidden"))


def key(folder: Path, assignment: str) -> str:
    """Changes when the submission, the questions or the seed do."""
    parts = [json.dumps(hidden(assignment))]
    digest = hashlib.sha256("".join(parts).encode())
    for file in sorted(folder.glob("*")):
        digest.update(file.name.encode())
        if stat.S_ISREG(file.lstat().st_mode) and file.stat().st_size <= LARGEST:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def grade(folder: Path, student: str, assignment: str, limits: jail.Limits, *, sandbox: bool = True) -> Result:
    """Read, run and judge what `student` handed in; never raises for what a submission holds."""
    result = Result(student, assignment, key(folder, assignment))
    spec = hidden(assignment)
    try:
        cells, result.notes = read(folder, assignment)
    except Unreadable as error:
        result.status, result.notes = "not graded", [str(error)]
        answers: dict[str, Any] = {}
    else:
        answers, outputs, ends = _run(cells, spec, assignment, limits, sandbox)
        result.notes += [f"{end.place}: {end.words}; the rest was run without it" for end in ends]
        result.cells = [dict(cell) | {"outputs": outputs.get(number, [])} for number, cell in enumerate(cells)]
    for name, question in spec.items():
        found = judged(name, question, answers)
        for concept in question["concepts"]:
            right, words = found[concept["key"]]
            points = concept["points"] * right
            result.marks.append(Mark(name, concept["key"], concept["title"], points, concept["points"], words))
    return result


def judged(name: str, question: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, tuple[bool, str]]:
    """(right, words) of each concept: right by itself, or with model answers to the questions it builds on."""
    found = {}
    for concept in question["concepts"]:
        place = f"{name}/{concept['key']}"
        right, words = judge(concept, answers.get(place, []))
        again = f"{place} again" in answers and judge(concept, answers[f"{place} again"])[0]
        found[concept["key"]] = (True, "") if right or again else (False, words)
    return found


def read(folder: Path, assignment: str) -> tuple[list[nbformat.NotebookNode], list[str]]:
    """The cells of the notebook in `folder`, tests as they were handed out, and notes; or Unreadable."""
    found = [file for file in sorted(folder.glob("*.ipynb"), key=str) if stat.S_ISREG(file.lstat().st_mode)]
    wanted = folder / f"{assignment}.ipynb"
    if not found:
        other = ", ".join(sorted(file.name for file in folder.glob("*"))[:5]) or "nothing"
        raise Unreadable(f"no notebook was handed in (found: {other})")
    notes = []
    if wanted not in found:
        if len(found) > 1:
            names = ", ".join(file.name for file in found[:5])
            raise Unreadable(f"no file is called {wanted.name}, and there are several notebooks ({names})")
        notes.append(f"the file was called {found[0].name}, not {wanted.name}")
        wanted = found[0]
    notebook = _parsed(wanted)
    kernel = notebook.metadata.get("kernelspec", {})
    if isinstance(kernel, Mapping) and kernel.get("language", "python") not in ("python", None):
        raise Unreadable(f"the notebook is written for {kernel['language']!s:.20}, not for Python")
    if not isinstance(kernel, Mapping) or kernel.get("name", "") not in ("python3", "python"):
        notes.append("its kernel is not known here; it was run with the course's Python")
    return _restored(notebook.cells, assignment, notes), notes


def _parsed(file: Path) -> nbformat.NotebookNode:
    if file.stat().st_size > LARGEST:
        raise Unreadable(f"the file has {file.stat().st_size >> 20} MB; a notebook may have {LARGEST >> 20}")
    try:
        notebook = nbformat.reads(file.read_text("utf-8"), as_version=4)
        cells = [nbformat.from_dict(cell) for cell in notebook.cells]
        if not all(isinstance(cell.source, str) and isinstance(cell.metadata, dict) for cell in cells):
            raise ValueError("a cell without text")
    except Exception as error:  # whatever a broken file makes the reader raise
        raise Unreadable(
            f"the file is not a whole notebook ({type(error).__name__}): it may have been cut off"
        ) from error
    return notebook


def _restored(cells: list[Any], assignment: str, notes: list[str]) -> list[nbformat.NotebookNode]:
    """`cells` with every test as it was handed out: none edited, doubled or missing."""
    order = [cell for cell in source(assignment).cells if "nbgrader" in cell.metadata]
    tests = {grade_id(cell): cell for cell in order if is_test(cell)}
    ours = {grade_id(cell) for cell in order}
    held = {grade_id(cell) for cell in cells} - {None}
    if not held & ours:
        other = {each for each in NAMES if each != assignment and held & _ids(each)}
        of = f"it is the one of {min(other)}" if other else "none of its questions is there"
        raise Unreadable(f"this is not the notebook of {assignment}: {of}")
    out, seen = [], set()
    for cell in cells:
        name = grade_id(cell)
        if name in tests:
            if name in seen:
                continue
            if cell.source != tests[name].source:
                notes.append(f"the test of {question_of(name)} had been changed; the one handed out was used")
            cell = tests[name]
            seen.add(name)
        out.append(cell)
    for name, test in tests.items():  # at the end, where everything has been defined
        if name not in seen:
            notes.append(f"the test of {question_of(name)} had been deleted; it was put back")
            out.append(test)
    return out


def _ids(assignment: str) -> set[str | None]:
    return {grade_id(cell) for cell in source(assignment).cells} - {None}


def grade_id(cell: Mapping[str, Any]) -> str | None:
    about = cell.get("metadata", {}).get("nbgrader")
    name = about.get("grade_id") if isinstance(about, Mapping) else None
    return name if isinstance(name, str) else None


def is_test(cell: Mapping[str, Any]) -> bool:
    about = cell["metadata"].get("nbgrader", {})
    return bool(about.get("grade")) and not about.get("solution")


def question_of(test: str | None) -> str:
    """The question that the test cell `test` is for."""
    return (test or "").removesuffix("_test")


def _run(
    cells: list[Any], spec: dict[str, Any], assignment: str, limits: jail.Limits, sandbox: bool
) -> tuple[dict[str, Any], dict[int, list[Any]], list[jail.Ended]]:
    """(answers of each "question/concept", outputs of each cell, what ended the program)"""
    steps: list[dict[str, Any]] = []
    for cell in cells:
        name = question_of(grade_id(cell))
        if name in spec and is_test(cell):
            steps.append({"question": name})
        else:
            steps.append({"source": cell.source if cell.cell_type == "code" else ""})
    asked = {
        name: {
            "framework": question["framework"],
            "concepts": [
                {"key": each["key"], "probe": each["probe"], "cases": [case["inputs"] for case in each["cases"]]}
                for each in question["concepts"]
            ],
        }
        for name, question in spec.items()
    }
    answers: dict[str, Any] = {}
    outputs: dict[int, list[Any]] = {}
    ends: list[jail.Ended] = []

    def model(event: dict[str, Any]) -> dict[str, str]:
        """The model answer to a question that has been answered, if it was not all right."""
        name = str(event.get("question"))
        if name not in spec or all(right for right, _ in judged(name, spec[name], answers).values()):
            return {}
        return {name: solution(assignment, "keras" if event.get("framework") == "keras" else "torch")[name]}

    for _ in range(ATTEMPTS):
        order = {
            "cells": steps,
            "questions": asked,
            "skip": [*answers, *(end.place for end in ends)],
            "seconds": limits.seconds,
            "memory": limits.memory,
            "uid": 65534,
            "walled": sandbox,
        }
        last = None
        for event in jail.run(HERE / "hall.py", order, handed_out(assignment), limits, model, sandbox=sandbox):
            if isinstance(event, jail.Ended):
                last = event
            elif event.get("event") == "answers" and isinstance(event.get("answers"), list):
                # The first answer counts: after it the model answer may have been seen.
                answers.setdefault(str(event.get("place")), event["answers"])
            elif event.get("event") == "cell":
                outputs[_number(event.get("place"))] = _outputs(event.get("outputs"))
        if last is None:
            break
        ends.append(last)
        answers.setdefault(last.place, [])
        number = _number(last.place)
        outputs[number] = [{"output_type": "stream", "name": "stdout", "text": f"Grader: {last.words}.\n"}]
        if "whole" in last.words:
            break
    return answers, outputs, ends


def _number(place: object) -> int:
    digits = str(place).removeprefix("cell ")
    return int(digits) if digits.isdecimal() and len(digits) < 6 else -1


def _outputs(given: object) -> list[Any]:
    """`given`, if it is what the hall sends; a submission may have forged it."""
    try:
        outputs = [nbformat.from_dict(each) for each in given][:40]  # type: ignore[attr-defined]
        for each in outputs:
            nbformat.validate(each, "output", version=4, version_minor=5)
            if not set(each.get("data", ())) <= {"text/plain", "image/png"}:
                return []
    except Exception:
        return []
    return outputs
