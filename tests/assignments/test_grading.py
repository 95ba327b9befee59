"""From a folder of submissions to marks, feedback and the page of mistakes; and what students are given."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import pytest

from assignments import jail
from assignments.demo import solved, whole, with_cell
from assignments.grade import grade_all, into_gradebook, submissions
from assignments.gradebook import course, result_file
from assignments.questions import NAMES, questions
from assignments.reading import argument_cells, entered, read
from assignments.release import pack, release
from assignments.report import write_concepts, write_marks, write_mistakes
from assignments.submission import grade, grade_id, hidden, solution, source

ROOT = Path(__file__).parents[2]
ASSIGNMENT = "a2_look_up"
LIMITS = jail.Limits(seconds=20, grace=5)

try:
    jail.walls()
except jail.NoWalls as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(f"{missing}", allow_module_level=True)


def numpy_only(notebook: nbformat.NotebookNode, last: int = 6) -> nbformat.NotebookNode:
    """Without data, figures and frameworks: the first `last` questions, a second to run."""
    names = [question.name for question in questions(ASSIGNMENT)][:last]
    imports = nbformat.v4.new_code_cell("import numpy as np")
    cells = [cell for cell in notebook.cells if (grade_id(cell) or "").removesuffix("_test") in names]
    notebook.cells = [imports, *cells]
    return notebook


def hand_in(folder: Path, student: str, notebook: nbformat.NotebookNode, assignment: str = ASSIGNMENT) -> None:
    place = folder / student / assignment
    place.mkdir(parents=True)
    nbformat.write(notebook, place / f"{assignment}.ipynb")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """(folder of submissions, folder of what came out) of a small class"""
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("graded")
    hand_in(folder, "ann", numpy_only(solved(ASSIGNMENT)))
    hand_in(folder, "bo", numpy_only(solved(ASSIGNMENT), last=2))
    scripted = numpy_only(solved(ASSIGNMENT))
    scripted.cells.insert(1, nbformat.v4.new_markdown_cell("<script>document.title='owned'</script> I am <b>done</b>"))
    shown = "from IPython.display import HTML\nHTML('<script>alert(1)</script>')"
    hand_in(folder, "cy", with_cell(scripted, shown))
    (folder / "di" / ASSIGNMENT).mkdir(parents=True)
    (folder / "=ed" / "a9_unknown").mkdir(parents=True)
    results = grade_all(folder, out, LIMITS, 2, True)
    into_gradebook(results, out)
    write_marks(results, entered(results, out), out / "marks.csv")
    write_concepts(results, out / "concepts.csv")
    write_mistakes(results, out / "mistakes.html")
    return folder, out


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_the_table_has_a_row_for_each(graded):
    _, out = graded
    marks = {row["student"]: row for row in rows(out / "marks.csv")}
    first_six = sum(question.points for question in questions(ASSIGNMENT)[:6])
    first_two = sum(question.points for question in questions(ASSIGNMENT)[:2])
    assert [marks[name]["points"] for name in ("ann", "bo", "cy")] == [str(first_six), str(first_two), str(first_six)]
    assert marks["ann"]["of"] == str(whole(ASSIGNMENT))
    assert marks["di"]["status"] == "not graded" and "no notebook" in marks["di"]["notes"]
    assert "no assignment is called a9_unknown" in marks["'=ed"]["notes"]  # no formula in a spreadsheet
    lost = [row for row in rows(out / "concepts.csv") if row["student"] == "bo" and row["points"] == "0"]
    assert {row["question"] for row in lost} == {question.name for question in questions(ASSIGNMENT)[2:]}


def test_the_gradebook_says_the_same(graded):
    """nbgrader's own database holds the points, for the formgrader and its exports."""
    from nbgrader.api import Gradebook

    _, out = graded
    marks = {row["student"]: float(row["points"]) for row in rows(out / "marks.csv")}
    with Gradebook(course(out).coursedir.db_url) as book:
        for student in ("ann", "bo", "cy", "di"):
            assert book.find_submission(ASSIGNMENT, student).score == marks[student]


def test_feedback_explains_and_runs_nothing(graded):
    _, out = graded
    places = {name: out / "feedback" / name / ASSIGNMENT / f"{ASSIGNMENT}.html" for name in ("bo", "cy", "di")}
    pages = {name: place.read_text("utf-8") for name, place in places.items()}
    assert "There is no function called masked_softmax" in pages["bo"]
    assert "See chapter 4" in pages["bo"]
    assert "could not be graded" in pages["di"]
    for text in pages.values():
        assert "<script>document.title" not in text and "<script>alert" not in text
        assert "cdnjs" not in text and 'src="http' not in text
    assert (out / "feedback" / "mathjax" / "tex-mml-chtml.js").exists()
    mistakes = (out / "mistakes.html").read_text("utf-8")
    assert "3 submissions" in mistakes and "<meter" in mistakes


def test_a_second_run_grades_nothing_again(graded):
    folder, out = graded
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.json")}
    results = grade_all(folder, out, LIMITS, 2, True)
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*.json")} == before
    assert [each.student for each in results] == [student for student, _, _ in submissions(folder)]


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    folder, out = tmp_path / "class", tmp_path / "graded"
    for number in range(6):
        hand_in(folder, f"s{number}", numpy_only(solved(ASSIGNMENT)))
    command = [sys.executable, "-m", "assignments.grade", str(folder), "--out", str(out), "--workers", "1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **quiet)
    files = [result_file(out, f"s{number}", ASSIGNMENT) for number in range(6)]
    limit = time.monotonic() + 120
    while sum(file.exists() for file in files) < 2 and time.monotonic() < limit:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {file: file.stat().st_mtime_ns for file in files if file.exists()}
    assert 2 <= len(done) < 6
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert f"{len(done)} were graded before" in finished.stdout
    assert {file: file.stat().st_mtime_ns for file in done} == done  # none was graded again
    assert [row["points"] for row in rows(out / "marks.csv")] == [rows(out / "marks.csv")[0]["points"]] * 6


def test_the_formgrader_grades_alike(graded, tmp_path):
    """nbgrader's own commands, with our configuration: the same points, from the jail."""
    folder, out = graded
    place = tmp_path / "course"
    place.mkdir()
    ours = ROOT / "assignments"
    config = (ours / "nbgrader_config.py").read_text("utf-8")
    config = config.replace("Path(__file__).resolve().parent", f"Path({str(ours)!r})")
    config += f"c.CourseDirectory.root = {str(place)!r}\n"
    config += f"c.CourseDirectory.source_directory = {str(ours / 'source')!r}\n"
    (place / "nbgrader_config.py").write_text(config)
    hand_in(place / "submitted", "bo", nbformat.read(folder / "bo" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for step in ("generate_assignment", "autograde", "export"):
        command = [sys.executable, "-m", "nbgrader", step, *([] if step == "export" else [ASSIGNMENT])]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    (row,) = [each for each in rows(place / "grades.csv") if each["student_id"] == "bo"]
    (same,) = [each for each in rows(out / "marks.csv") if each["student"] == "bo"]
    assert float(row["score"]) == float(same["points"])


def test_a_written_argument_waits_for_a_reader(tmp_path):
    """reading.csv goes out without points and comes back with them; the gradebook and the table take them."""
    (assignment,) = [name for name in NAMES if argument_cells(source(name))]
    ((cell_id, most),) = argument_cells(source(assignment)).items()
    for student, text in (("ann", "The rule of last week loses 3 points."), ("bo", None)):
        notebook = source(assignment)
        notebook.cells = [cell for cell in notebook.cells if grade_id(cell) == cell_id]
        if text is not None:
            notebook.cells[0].source = text
        hand_in(tmp_path / "class", student, notebook, assignment)
    out = tmp_path / "out"
    results = grade_all(tmp_path / "class", out, LIMITS, 1, True)
    into_gradebook(results, out)
    assert entered(results, out) == {("ann", assignment): None, ("bo", assignment): 0.0}  # nothing was written
    file = out / "reading.csv"
    given = read(file)["ann", assignment, cell_id]
    assert given.points is None and "loses 3 points" in given.text and given.of == most
    lines = rows(file)
    for line in lines:
        if line["student"] == "ann":
            line |= {"points": "4.5", "comment": "names no interval"}
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    read_now = entered(results, out)
    assert read_now["ann", assignment] == 4.5
    write_marks(results, read_now, out / "marks.csv")
    assert {row["student"]: float(row["points"]) for row in rows(out / "marks.csv")} == {"ann": 4.5, "bo": 0.0}
    page = (out / "feedback" / "ann" / assignment / f"{assignment}.html").read_text("utf-8")
    assert "names no interval" in page and "4.5" in page
    file.write_text(file.read_text("utf-8").replace("4.5", "99"), "utf-8")
    with pytest.raises(SystemExit, match="wanted 0 to"):
        entered(results, out)


# --- what students are given -------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=NAMES)
def handed_out(request, tmp_path_factory):
    return request.param, release(request.param, tmp_path_factory.mktemp("release"))


def test_the_release_holds_no_solution_and_no_hidden_case(handed_out):
    assignment, folder = handed_out
    everything = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    assert set(everything) <= {f"{assignment}.ipynb", "checks.py", "checks.json", "probes.py"}
    assert "BEGIN SOLUTION" not in "".join(everything.values())
    notebook = nbformat.read(folder / f"{assignment}.ipynb", as_version=4)
    written = {grade_id(cell): cell.source for cell in notebook.cells if cell.cell_type == "code"}
    for name, code in solution(assignment, "torch").items():
        assert "raise NotImplementedError()" in written[name]
        inside = code.split("### BEGIN SOLUTION")[1:]
        lines = {line.strip() for part in inside for line in part.split("### END SOLUTION")[0].split("\n")}
        for line in {line for line in lines if len(line) > 45}:  # a shorter one may be asked or given elsewhere
            assert all(line not in text for text in everything.values()), f"{name}: {line}"
    for name, question in hidden(assignment).items():
        for concept in question["concepts"]:
            asked = [json.dumps(case["inputs"]) for case in concept["cases"]]
            assert any(each not in everything["checks.json"] for each in asked), f"{name}/{concept['key']}"


def test_the_release_untouched_earns_nothing(handed_out, tmp_path):
    assignment, folder = handed_out
    (tmp_path / assignment).mkdir()
    (tmp_path / assignment / f"{assignment}.ipynb").write_bytes((folder / f"{assignment}.ipynb").read_bytes())
    result = grade(tmp_path / assignment, "someone", assignment, jail.Limits(seconds=60))
    assert result.status == "graded" and result.points == 0
    assert all("Not written yet" in mark.words for mark in result.marks), [m.words for m in result.marks]


def test_the_solution_handed_in_earns_everything(handed_out, tmp_path):
    """In the jail, in both frameworks, and no cell of it stops."""
    assignment, _ = handed_out
    for framework in ("torch", "keras"):
        hand_in(tmp_path, framework, solved(assignment, framework), assignment)
        result = grade(tmp_path / framework / assignment, framework, assignment, jail.Limits(seconds=120))
        assert not result.notes
        assert [mark for mark in result.marks if mark.points < mark.of] == []
        outputs = [output for cell in result.cells for output in cell["outputs"]]
        assert not [each for each in outputs if each["output_type"] == "error"]
        assert any("image/png" in each.get("data", {}) for each in outputs), "it ends in a picture"


def test_the_zip_is_the_same_twice(handed_out, tmp_path):
    _, folder = handed_out
    one, other = pack([folder], tmp_path / "a.zip"), pack([folder], tmp_path / "b.zip")
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        names = [name.split("/", 1)[1] for name in first.namelist()]
        assert names == [name.split("/", 1)[1] for name in second.namelist()]
        assert "README.md" in names and f"{folder.name}/checks.json" in names
