"""A simulated class hands in, is graded, and its marks are checked against what each was made to earn.

python -m assignments.demo [--students N] [--assignments NAME …] [--out FOLDER] [--record]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat

from attnlstm_ref._files import write_text
from bench.measure import machine

from .answers import Wrong, answers
from .question import HERE
from .questions import NAMES, questions
from .release import release
from .submission import grade_id, source


def solved(assignment: str, framework: str = "torch", wrong: Sequence[Wrong] = ()) -> nbformat.NotebookNode:
    """The notebook with right answers, those of `wrong` aside."""
    notebook = source(assignment)
    given = {each.question: each.code for each in wrong}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace('FRAMEWORK = "torch"', f'FRAMEWORK = "{framework}"')
            cell.source = given.get(grade_id(cell) or "", cell.source)
    return notebook


def with_cell(notebook: nbformat.NotebookNode, code: str) -> nbformat.NotebookNode:
    """`notebook` with a cell of `code` before everything."""
    notebook.cells.insert(0, nbformat.v4.new_code_cell(code))
    return notebook


def costs(assignment: str, wrong: Sequence[Wrong]) -> int:
    """Points that `wrong` loses in all."""
    them = ((question.name, each) for question in questions(assignment) for each in question.concepts)
    points = {f"{name}/{concept.key}": concept.points for name, concept in them}
    return sum(points[place] for place in set().union(*(each.lost for each in wrong)))


def whole(assignment: str) -> int:
    return sum(question.points for question in questions(assignment))


def some_wrong(assignment: str, rng: random.Random, framework: str) -> list[Wrong]:
    """Two to four mistakes, in questions that do not build on each other: two wrongs may make a right."""
    them = [each for each in answers(assignment).WRONG if each.framework == framework]
    rng.shuffle(them)
    alone = {each.question: each for each in them if all(place.split("/")[0] == each.question for place in each.lost)}
    chosen: list[Wrong] = []
    for each in alone.values():
        if not any(each.question in other.code or other.question in each.code for other in chosen):
            chosen.append(each)
    return chosen[: rng.randint(2, 4)]


def hand_in(assignment: str, kind: str, folder: Path, blank: Path, rng: random.Random) -> int:
    """Write a submission of `kind` into `folder`; return the points it should earn."""
    folder.mkdir(parents=True)
    name, most = f"{assignment}.ipynb", whole(assignment)
    if kind.startswith("some mistakes"):
        framework = kind.split()[-1]
        wrong = some_wrong(assignment, rng, framework)
        nbformat.write(solved(assignment, framework, wrong), folder / name)
        return most - costs(assignment, wrong)
    make: dict[str, tuple[Callable[[], nbformat.NotebookNode], int]] = {
        "all right, torch": (lambda: solved(assignment), most),
        "all right, keras": (lambda: solved(assignment, "keras"), most),
        "nothing written": (lambda: nbformat.read(blank, as_version=4), 0),
        "endless loop": (lambda: with_cell(solved(assignment), "while True:\n    pass"), most),
        "leaves": (lambda: with_cell(solved(assignment), "import os\nos._exit(0)"), most),
        "another's": (lambda: solved(next(each for each in NAMES if each != assignment)), 0),
    }
    if kind in make:
        notebook, points = make[kind][0](), make[kind][1]
        nbformat.write(notebook, folder / name)
        return points
    if kind == "wrong name":
        nbformat.write(solved(assignment), folder / "homework (final) 2.ipynb")
        return most
    if kind == "cut off":
        text = nbformat.writes(solved(assignment))
        (folder / name).write_text(text[: len(text) // 2], "utf-8")
        return 0
    return 0  # an empty folder


KINDS = (
    "all right, torch", "all right, keras", "some mistakes, torch", "some mistakes, keras", "some mistakes, torch",
    "nothing written", "endless loop", "leaves", "wrong name", "cut off", "another's", "empty folder",
)  # fmt: skip


def record(assignment: str, submissions: int, minutes: float) -> None:
    """Keep how long a class took, for the instructor's guide."""
    file = HERE / "timing.json"
    runs = json.loads(file.read_text("utf-8"))["runs"] if file.exists() else []
    runs = [run for run in runs if (run["assignment"], run["submissions"]) != (assignment, submissions)]
    runs.append({"assignment": assignment, "submissions": submissions, "minutes": round(minutes, 1)})
    runs.sort(key=lambda run: (run["assignment"], run["submissions"]))
    write_text(file, json.dumps({"machine": machine(), "runs": runs}, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=len(KINDS), help="default: %(default)s, one of each kind")
    parser.add_argument("--assignments", nargs="+", default=["a2_look_up"], choices=NAMES, metavar="NAME")
    parser.add_argument("--out", type=Path, default=HERE / "demo", help="default: %(default)s")
    parser.add_argument("--record", action="store_true", help="write the time into assignments/timing.json")
    options = parser.parse_args()
    out = options.out.resolve()
    if (out / "submitted").exists():
        print(f"{out} holds a class already: grading goes on where it was (remove the folder for a new one)")
    expected: dict[tuple[str, str], int] = {}
    rng = random.Random(0)
    for assignment in options.assignments:
        blank = release(assignment, out / "handed out") / f"{assignment}.ipynb"
        # After one of each, a class like any other: most have some of it right.
        kinds = itertools.chain(KINDS, itertools.cycle(KINDS[:5]))
        for number, kind in enumerate(itertools.islice(kinds, options.students), start=1):
            student = f"student-{number:03}"
            folder = out / "submitted" / student / assignment
            if not folder.exists():
                expected[student, assignment] = hand_in(assignment, kind, folder, blank, rng)
    begun = time.monotonic()
    graded = [sys.executable, "-m", "assignments.grade", str(out / "submitted"), "--out", str(out / "graded")]
    subprocess.run(graded, check=True)
    minutes = (time.monotonic() - begun) / 60
    with (out / "graded" / "marks.csv").open(encoding="utf-8", newline="") as rows:
        marks = {(row["student"], row["assignment"]): row for row in csv.DictReader(rows)}
    off = {place: points for place, points in expected.items() if float(marks[place]["points"]) != points}
    for place, row in list(marks.items())[:14]:
        print(f"  {place[0]}  {place[1]:22} {row['points']:>4} of {row['of']:4} {row['status']:12} {row['notes'][:70]}")
    if off:
        sys.exit(f"demo: not the marks they were made for: {off}")
    if options.record and len(options.assignments) == 1:
        record(options.assignments[0], len(marks), minutes)
    print(f"every mark is what its submission was made for; open {out / 'graded' / 'mistakes.html'} and feedback/")


if __name__ == "__main__":
    main()
