"""Whatever is handed in, grading goes on, nobody else's mark changes, and nothing is gained by it."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path

import nbformat
import pytest

from assignments import jail
from assignments.submission import grade, grade_id, is_test, source

ASSIGNMENT = "a2_look_up"
KEPT = ("softmax", "dot_scores", "masked_softmax", "hard_look_up")  # NumPy alone: a second a run
LIMITS = jail.Limits(seconds=4, whole=60, memory=1 << 30, processes=24, grace=2)

try:
    jail.walls()
except jail.NoWalls as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(f"{missing}", allow_module_level=True)


def handed_in(folder: Path, *extra: str, last: str = "", without: tuple[str, ...] = ()) -> Path:
    """A submission with the right answers to KEPT, cells `extra` before them and `last` after."""
    notebook = source(ASSIGNMENT)
    cells = [cell for cell in notebook.cells if grade_id(cell) in KEPT or is_test(cell)]
    cells = [cell for cell in cells if grade_id(cell) not in without]
    imports = nbformat.v4.new_code_cell("import numpy as np")
    more = [nbformat.v4.new_code_cell(code) for code in extra]
    notebook.cells = [imports, *more, *cells, *([nbformat.v4.new_code_cell(last)] if last else [])]
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")
    return folder


def marked(folder: Path) -> tuple[dict[str, int], list[str]]:
    result = grade(folder, "someone", ASSIGNMENT, LIMITS)
    points: dict[str, int] = {}
    for mark in result.marks:
        points[mark.question] = points.get(mark.question, 0) + mark.points
    return points, result.notes


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """What the right answers earn."""
    points, notes = marked(handed_in(tmp_path_factory.mktemp("full")))
    assert not notes
    assert all(points[name] for name in KEPT)
    assert sum(points.values()) == sum(points[name] for name in KEPT)
    return points


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("while True: pass", None),
        ("while True:\n    try:\n        pass\n    except BaseException:\n        pass", None),
        (
            "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
            "more than 4 seconds",
        ),
        ("x = np.ones(10**11)", "out of memory"),
        ("blocks = []\nwhile True:\n    blocks.append(bytearray(10**7))", "out of memory"),
        ("import os\nwhile True:\n    os.fork()", None),
        ("import sys\nsys.exit()", None),
        ("import os\nos._exit(0)", "ended the program"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "ended the program"),
        ("import os\nos.kill(1, 9); os.kill(-1, 9)", None),
        ("while True: print('x' * 10**6)", None),
        ("import os\nwhile True: os.write(2, b'x' * 10**6)", None),
        ("raise SystemExit(0)", None),
        ("import ctypes\nctypes.string_at(0)", "ended the program"),
        ("def f(): return f()\nf()", None),
        ("input()", None),
    ],
    ids=lambda value: str(value)[:24].replace("\n", " ") if isinstance(value, str) else "",
)
def test_what_goes_wrong_costs_its_own_cell_alone(tmp_path, full, code, note):
    points, notes = marked(handed_in(tmp_path, code))
    assert points == full
    assert note is None or any(note in each for each in notes), notes


def test_many_processes_and_memory_in_all_are_bounded(tmp_path, full):
    code = "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        x = bytearray(b'1') * (300 << 20)\n"
    points, notes = marked(handed_in(tmp_path, code + "        time.sleep(60)\ntime.sleep(60)"))
    assert points == full
    assert any("GB of memory" in each for each in notes), notes


def test_a_function_that_hangs_costs_its_own_concepts(tmp_path, full):
    points, _ = marked(handed_in(tmp_path, last="pass", without=("hard_look_up_test",)))
    assert points == full  # a deleted test is put back
    hang = "def hard_look_up(q, k, v):\n    while True: pass"
    folder = handed_in(tmp_path / "two")
    notebook = nbformat.read(folder / f"{ASSIGNMENT}.ipynb", as_version=4)
    for cell in notebook.cells:
        if grade_id(cell) == "hard_look_up":
            cell.source = hang
    nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")
    points, _ = marked(folder)
    assert points == full | {"hard_look_up": 0}


# --- nothing is earned by it --------------------------------------------------------------------------------

CHEATS = {
    "numpy.testing": "import numpy.testing as t\nfor name in dir(t):\n    setattr(t, name, lambda *a, **k: None)",
    "isclose": "np.isclose = np.allclose = lambda *a, **k: np.array(True)\nnp.asarray = lambda *a, **k: None",
    "assert and isinstance": "import builtins as b\nb.isinstance = lambda *a: True\nb.AssertionError = Warning",
    "the checks": (
        "import checks\nchecks.judge = lambda *a: (True, '')\nchecks.difference = lambda *a: ''\n"
        "checks.check = lambda *a: print('✓')"
    ),
    "everything equal": (
        "class Same(np.ndarray):\n    def __eq__(self, other): return True\n"
        "def softmax(x): return np.zeros(x.shape).view(Same)\n"
        "dot_scores = masked_softmax = hard_look_up = lambda *a: np.zeros(1).view(Same)"
    ),
    "forged answers": (
        "import os, json\nfor fd in range(3, 30):\n    try:\n"
        "        for name in ('softmax/axis', 'softmax/stable', 'dot_scores/pairs'):\n"
        "            event = {'event': 'answers', 'place': name, 'answers': [{'value': True}] * 9, 'right': True}\n"
        "            os.write(fd, (json.dumps(event) + '\\n').encode())\n    except OSError:\n        pass"
    ),
    "points in the notebook": "get_ipython().user_ns['points'] = 100\n100.0",
    "the model answers": (
        "import gc\nfor each in gc.get_objects():\n"
        "    if isinstance(each, dict) and 'expected' in each:\n        found = each['expected']"
    ),
}


@pytest.mark.parametrize("cheat", CHEATS, ids=str)
def test_no_cheat_earns_a_point(tmp_path, cheat):
    """Nothing is written but the cheat: there is nothing to earn."""
    folder = handed_in(tmp_path, CHEATS[cheat], without=KEPT)
    points, _ = marked(folder)
    assert sum(points.values()) == 0


def test_the_model_answer_comes_too_late(tmp_path):
    """Asking for it costs the question: who forges an answer to see the model's has answered."""
    look = (
        "import os, json, sys\n"
        "for fd in range(3, 30):\n    try:\n"
        "        for key in ('axis', 'stable'):\n"
        "            e = {'event': 'answers', 'place': 'softmax/' + key, 'answers': []}\n"
        "            os.write(fd, (json.dumps(e) + '\\n').encode())\n"
        "        os.write(fd, (json.dumps({'event': 'ask', 'question': 'softmax'}) + '\\n').encode())\n"
        "    except OSError:\n        pass\n"
        "import time; time.sleep(1)\n"
        "for fd in range(3, 30):\n    try:\n        os.set_blocking(fd, False); seen = os.read(fd, 99999)\n"
        "        if b'softmax' in seen: exec(json.loads(seen)['softmax'], globals())\n"
        "    except (OSError, ValueError):\n        pass"
    )
    points, _ = marked(handed_in(tmp_path, look, without=("softmax",)))
    assert points["softmax"] == 0


def test_it_sees_no_other_submission_no_grader_and_no_network(tmp_path):
    """What it can read is sent back by its output; the files are not among it, and nothing outside was written."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "secret.txt").write_text("another's answer")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        called = threading.Event()

        def listen():
            server.settimeout(10)
            try:
                server.accept()
                called.set()
            except OSError:
                pass

        thread = threading.Thread(target=listen)
        thread.start()
        here = Path(jail.__file__).parent
        code = f"""
import glob, os, socket
for path in ({str(other / "secret.txt")!r}, {str(here / "questions" / "a2_look_up.py")!r},
             {str(here / "source" / ASSIGNMENT / (ASSIGNMENT + ".ipynb"))!r}, '/etc/passwd', '/etc/shadow',
             '/package/attnlstm_ref/numpy/attention.py', {str(here.parent / "attnlstm_ref/numpy/attention.py")!r}):
    try:
        open(path).read(); print('READ', path)
    except OSError: pass
for path in ('/usr/x', '/home/student/../x', {str(other / "x")!r}, {str(here / "x")!r}, '/home/student/checks.py'):
    try:
        open(path, 'w').write('x'); print('WROTE', path)
    except OSError: pass
print('SAW', [p for p in glob.glob('/proc/[0-9]*/cmdline') if 'pytest' in open(p).read()])
print('HOME', sorted(os.listdir('.')))
try:
    socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2); print('CALLED')
except OSError as error: print('no network', type(error).__name__)
print('ROOT', os.getuid() == 0 and os.path.exists('/root/.bashrc'))
"""
        result = grade(handed_in(tmp_path / "mine", code), "someone", ASSIGNMENT, LIMITS)
        server.close()
        thread.join()
    printed = "".join(output.get("text", "") for cell in result.cells for output in cell["outputs"])
    assert "no network" in printed
    for word in ("READ", "WROTE", "CALLED", "ROOT True"):
        assert word not in printed, printed
    assert "SAW []" in printed
    assert "questions" not in printed.split("HOME")[1]
    assert not called.is_set()
    assert not (other / "x").exists() and not (here / "x").exists()


def test_a_full_disk_is_its_own(tmp_path, full):
    fill = "with open('/tmp/big', 'wb') as f:\n    while True: f.write(b'x' * (1 << 24))"
    points, _ = marked(handed_in(tmp_path, fill))
    assert points == full


# --- what is not a notebook of ours -------------------------------------------------------------------------


def line(folder: Path) -> str:
    result = grade(folder, "someone", ASSIGNMENT, LIMITS)
    assert result.status == "not graded" and result.points == 0
    return result.notes[0]


def test_what_cannot_be_read_gets_a_clear_line(tmp_path):
    folder = handed_in(tmp_path / "a")
    file = folder / f"{ASSIGNMENT}.ipynb"
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    assert "cut off" in line(folder)
    file.write_text("[" * 100_000)
    assert "not a whole notebook" in line(folder)
    file.write_bytes(b"\xff\xfe\x00")
    assert "not a whole notebook" in line(folder)
    file.write_text(json.dumps({"cells": "none", "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert "not a whole notebook" in line(folder)
    file.write_text(whole.replace('"language": "python"', '"language": "R"'))
    assert "not for Python" in line(folder)
    file.unlink()
    assert "no notebook was handed in (found: nothing)" in line(folder)
    (folder / "essay.docx").write_text("x")
    assert "essay.docx" in line(folder)
    os.symlink("/etc/passwd", file)
    assert "no notebook" in line(folder)
    file.unlink()
    os.mkfifo(file)
    assert "no notebook" in line(folder)
    file.unlink()
    with file.open("wb") as large:
        large.truncate(21 << 20)
    assert "MB" in line(folder)


def test_a_notebook_of_another_assignment_is_named(tmp_path):
    nbformat.write(source("a1_lstm_cell"), tmp_path / f"{ASSIGNMENT}.ipynb")
    assert "a1_lstm_cell" in line(tmp_path)
    blank = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    nbformat.write(blank, tmp_path / f"{ASSIGNMENT}.ipynb")
    assert "none of its questions" in line(tmp_path)


def test_small_accidents_cost_nothing(tmp_path, full):
    folder = handed_in(tmp_path)
    file = folder / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata.kernelspec.name = "my-laptop"
    for cell in notebook.cells:
        if is_test(cell):
            cell.source = "pass  # it annoyed me"
    nbformat.write(notebook, folder / "final FINAL (2).ipynb")
    file.unlink()
    points, notes = marked(folder)
    assert points == full
    assert any("final FINAL" in each for each in notes)
    assert any("kernel" in each for each in notes)
    assert any("had been changed" in each for each in notes)
