"""Grade a folder of submissions: marks.csv, a feedback page for each, and which mistake how many made.

python -m assignments.grade SUBMISSIONS [--out FOLDER] [--workers N] [--sandbox no]

SUBMISSIONS/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb, as nbgrader collects them. A run that was ended goes on where it was;
what was graded already is graded again only if the submission, the questions or the seed changed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from nbconvert.preprocessors.sanitize import SanitizeHTML
from tqdm import tqdm

from attnlstm_ref._files import write_text

from . import jail, reading, report
from .gradebook import alembic_on_path, course, enter, result_file, with_formulas
from .question import HERE
from .questions import NAMES
from .release import release
from .submission import Result, grade, key


def submissions(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """(student, assignment, folder) of everything handed in."""
    for student in sorted(folder.iterdir()):
        if student.is_dir() and not student.is_symlink() and student.name[0] != ".":
            for each in sorted(student.iterdir()):
                if each.is_dir() and not each.is_symlink():
                    yield student.name, each.name, each


def grade_all(folder: Path, out: Path, limits: jail.Limits, workers: int, sandbox: bool) -> list[Result]:
    """The result of every submission in `folder`, stored in `out` one by one."""
    found = list(submissions(folder))
    results: dict[tuple[str, str], Result] = {}
    waiting = []
    for student, assignment, where in found:
        if assignment not in NAMES:
            note = f"no assignment is called {assignment}"
            results[student, assignment] = Result(student, assignment, "", "not graded", [note])
            continue
        file = result_file(out, student, assignment)
        before = Result.read(file.read_text("utf-8")) if file.exists() else None
        if before is not None and before.key == key(where, assignment):
            results[student, assignment] = before
        else:
            waiting.append((student, assignment, where))
    if waiting and len(waiting) < len(found):
        print(f"{len(found) - len(waiting)} were graded before; {len(waiting)} to go")
    with ThreadPoolExecutor(workers) as pool:  # the work is done in other processes
        jobs = {
            pool.submit(grade, where, who, what, limits, sandbox=sandbox): (who, what) for who, what, where in waiting
        }
        try:
            for job in tqdm(as_completed(jobs), total=len(jobs), desc="grading", disable=not jobs):
                failed = job.exception()
                if isinstance(failed, jail.NoWalls):
                    raise failed
                if failed is not None:  # a fault of ours: not stored, so the next run tries it again
                    note = f"the grader failed, not the student: {type(failed).__name__}: {failed}"
                    results[jobs[job]] = Result(*jobs[job], "", "not graded", [note])
                    continue
                results[jobs[job]] = job.result()
                file = result_file(out, *jobs[job])
                file.parent.mkdir(parents=True, exist_ok=True)
                write_text(file, job.result().text())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [results[student, assignment] for student, assignment, _ in found]


def into_gradebook(results: list[Result], out: Path) -> None:
    """Enter results into nbgrader's database and write the feedback pages, where that is not done yet."""
    api = course(out)
    waiting = [each for each in results if each.key and _entered(each, out) != each.key]
    for assignment in sorted({each.assignment for each in waiting}):
        if not (out / "release" / assignment / f"{assignment}.ipynb").exists():
            release(assignment, out)
    with_formulas(out)
    with alembic_on_path():
        for each in tqdm(waiting, desc="feedback", disable=not waiting):
            folder = out / "submitted" / each.student / each.assignment
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            nbformat.write(_in_order(each, out), folder / f"{each.assignment}.ipynb")
            enter(api, each.assignment, each.student)
            write_text(result_file(out, each.student, each.assignment).with_suffix(".entered"), each.key)


def _entered(result: Result, out: Path) -> str:
    file = result_file(out, result.student, result.assignment).with_suffix(".entered")
    return file.read_text("utf-8") if file.exists() else ""


def _in_order(result: Result, out: Path) -> nbformat.NotebookNode:
    """The notebook that nbgrader gets: what was run, or the one handed out where nothing could be read."""
    blank = nbformat.read(out / "release" / result.assignment / f"{result.assignment}.ipynb", as_version=4)
    if result.cells:
        kept = [{name: cell[name] for name in ("cell_type", "metadata", "source")} for cell in result.cells]
        code: dict[str, object] = {"outputs": [], "execution_count": None}
        blank.cells = [
            nbformat.from_dict(cell | (code if cell["cell_type"] == "code" else {}) | {"id": f"cell-{number}"})
            for number, cell in enumerate(kept)
        ]
    elif result.notes:
        line = nbformat.v4.new_markdown_cell(
            f"**This could not be graded:** {result.notes[0]}. Below is the blank one."
        )
        blank.cells.insert(0, line)
    return SanitizeHTML(enabled=True)(blank, {})[0]  # whoever opens the feedback runs nothing of a submission's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("submissions", type=Path, help="STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb in it")
    parser.add_argument("--out", type=Path, default=HERE / "graded", help="default: %(default)s")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="at once; default: one a core")
    parser.add_argument("--sandbox", choices=("yes", "no"), default="yes", help="no: trust what was handed in")
    options = parser.parse_args()
    if not options.submissions.is_dir():
        parser.error(f"submissions: there is no folder {options.submissions}")
    begun = time.monotonic()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        if options.sandbox == "yes":
            jail.walls()
        results = grade_all(options.submissions, out, jail.Limits(), max(1, options.workers), options.sandbox == "yes")
    except jail.NoWalls as error:
        sys.exit(f"make grade: {error}")
    into_gradebook(results, out)
    read = reading.entered(results, out)
    report.write_marks(results, read, out / "marks.csv")
    report.write_concepts(results, out / "concepts.csv")
    report.write_mistakes(results, out / "mistakes.html")
    minutes = (time.monotonic() - begun) / 60
    unread = sum(points is None for points in read.values())
    print(f"{len(results)} submissions in {minutes:.1f} minutes: {out / 'marks.csv'}, mistakes.html, feedback/")
    if unread:
        print(
            f"{unread} written arguments wait for a reader: fill in the points in {out / 'reading.csv'}, run this again"
        )


if __name__ == "__main__":
    main()
