"""nbgrader's part: its database, its release versions and its feedback, with our jail in place of its kernel.

nbgrader would run a submission as the person who grades it. `Examine` takes that step's place: it hands the notebook to
the jail (or takes what `make grade` found there) and writes points and words into the test cells, where nbgrader reads
them. So the formgrader's button, the command line and `make grade` all grade alike.
"""

from __future__ import annotations

import contextlib
import html
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from nbgrader.utils import capture_log, temp_attrs
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from . import jail
from .question import HERE
from .submission import Result, grade, grade_id, is_test, question_of

RESULTS = "results"  # the folder, beside nbgrader's own, that holds a JSON file for each submission


class Examine(NbGraderPreprocessor):
    """Fill in outputs and points of a submission, from the stored result or by grading it now."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: Any) -> tuple[nbformat.NotebookNode, Any]:
        about = resources["nbgrader"]
        course = CourseDirectory(parent=self.parent)
        stored = result_file(Path(course.root), about["student"], about["assignment"])
        if stored.exists():
            result = Result.read(stored.read_text("utf-8"))
        else:
            folder = course.format_path(course.submitted_directory, about["student"], about["assignment"])
            result = grade(Path(folder), about["student"], about["assignment"], jail.Limits())
        fill(nb, result)
        return nb, resources


def fill(nb: nbformat.NotebookNode, result: Result) -> None:
    """Put what was found into the cells of `nb`."""
    outputs = {cell["source"]: cell["outputs"] for cell in result.cells if cell["cell_type"] == "code"}
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        if is_test(cell):
            cell.outputs = [_verdict(result, question_of(grade_id(cell)))]
        else:
            cell.outputs = [nbformat.from_dict(each) for each in outputs.get(cell.source, [])]


def _verdict(result: Result, question: str) -> nbformat.NotebookNode:
    """Points as nbgrader reads them, and a table that says what they are for."""
    marks = [mark for mark in result.marks if mark.question == question]
    rows = "".join(
        f"<tr><td>{'✓' if mark.points == mark.of else '✗'}</td><td>{mark.points} of {mark.of}</td>"
        f"<td style='text-align: left'>{html.escape(mark.title)}"
        + (f"<br><em>{html.escape(mark.words)}</em>" if mark.words else "")
        + "</td></tr>"
        for mark in marks
    )
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in result.notes)
    data = {"text/plain": str(sum(mark.points for mark in marks)), "text/html": f"<table>{rows}</table>{notes}"}
    return nbformat.v4.new_output("execute_result", data, execution_count=None)


def result_file(root: Path, student: str, assignment: str) -> Path:
    return root / RESULTS / student / f"{assignment}.json"


def course(root: Path) -> NbGraderAPI:
    """nbgrader's own tool for the course whose folders stand in `root`."""
    settings = Config()
    settings.CourseDirectory.root = str(root)
    settings.CourseDirectory.source_directory = str(HERE / "source")
    settings.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    settings.Exchange.course_id = "attention-lstm"
    configure(settings)
    return NbGraderAPI(config=settings)


def configure(settings: Config) -> None:
    """What every way of grading shares, the formgrader's too."""
    settings.Autograde.autograde_preprocessors = [
        Examine,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    settings.ClearSolutions.code_stub = {"python": "raise NotImplementedError()  # your code here"}
    theirs = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
    settings.HTMLExporter.extra_template_basedirs = [str(HERE / "templates"), str(theirs)]
    settings.HTMLExporter.template_name = "feedback_offline"


@contextlib.contextmanager
def alembic_on_path() -> Iterator[None]:
    """nbgrader calls it by its bare name when it makes a database."""
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def succeeded(step: dict[str, Any]) -> None:
    """Raise what nbgrader logged, where a step of it failed."""
    if not step["success"]:
        raise RuntimeError(f"nbgrader: {step.get('log')}\n{step.get('error')}")


def with_formulas(out: Path) -> None:
    """Put MathJax beside the feedback pages, which load nothing from elsewhere."""
    target = out / "feedback" / "mathjax"
    if not target.exists():
        package = distribution("sphinx-mathjax-offline")
        theirs = Path(str(package.locate_file("sphinx-mathjax-offline/static/mathjax")))
        for part in ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2"):
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (theirs / part).is_dir() else shutil.copy)(theirs / part, target / part)


def enter(api: NbGraderAPI, assignment: str, student: str) -> None:
    """Enter the stored result of one submission into the database and write its feedback."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Object of type <Submitted", SAWarning)  # nbgrader's way with its database
        succeeded(api.autograde(assignment, student, force=True, create=True))
    write_feedback(api, assignment, student)


def write_feedback(api: NbGraderAPI, assignment: str, student: str) -> None:
    """As `api.generate_feedback` does, which insists on nbgrader's own template."""
    with temp_attrs(api.coursedir, assignment_id=assignment, student_id=student):
        page = GenerateFeedback(coursedir=api.coursedir, parent=api)
        page.force = True
        succeeded(capture_log(page))


def read_marks(api: NbGraderAPI, assignment: str, student: str) -> dict[str, float | None]:
    """Points of cells that only a person can mark; None where nobody has."""
    with Gradebook(api.coursedir.db_url) as book:
        found = book.find_submission_notebook(assignment, assignment, student).grades
        return {each.name: each.manual_score for each in found if each.cell.cell_type == "markdown"}


def write_mark(api: NbGraderAPI, assignment: str, student: str, cell: str, points: float, comment: str) -> None:
    """Enter what a person gave for a cell."""
    with Gradebook(api.coursedir.db_url) as book:
        one = book.find_grade(cell, assignment, assignment, student)
        one.manual_score, one.needs_manual_grade = points, False
        book.find_comment(cell, assignment, assignment, student).manual_comment = comment or None
        book.db.commit()
