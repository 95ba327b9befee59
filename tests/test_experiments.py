"""Experiments start, fail, are killed and continue; every script has a moment of everything in it."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from experiments import imdb_gain

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "experiments").glob("[a-z]*.py") if path.stem != "ledger")
ALL = {(name, seed) for name in ("large", "small") for seed in (1, 2, 3)}


# --- every script -----------------------------------------------------------------------------------


def tree() -> dict[str, tuple[int, int]]:
    """Size and time of every file an experiment might write to."""
    folders = [ROOT / "experiments" / "results", ROOT / "book" / "_static"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """A run may set PyTorch's threads and how it treats the smallest numbers; the next test finds them as before."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.mark.usefixtures("as_it_was")
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_moment_of_everything(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree()
    monkeypatch.setattr(sys, "argv", [name, "--smoke", "--jobs", "1"])
    # As `python -m` does it, but in this process: PyTorch and the reviews are read once for all scripts.
    monkeypatch.delitem(sys.modules, f"experiments.{name}", raising=False)
    runpy.run_module(f"experiments.{name}", run_name="__main__", alter_sys=True)
    assert capsys.readouterr().out.strip(), "it said nothing"
    assert tree() == before, "it wrote something"


def test_there_are_scripts() -> None:
    assert {"recall", "temperature"} <= set(SCRIPTS)


def test_nothing_is_judged_from_part_of_a_row() -> None:
    runs = [{"row": "lstm last", "keep": 200, "seed": seed, "test": 0.8} for seed in imdb_gain.SEEDS]
    assert imdb_gain.tests(runs, "lstm last", 200) == dict.fromkeys(imdb_gain.SEEDS, 0.8)
    with pytest.raises(ValueError, match=r"'lstm last' at 200: got no run of seeds \[5\]"):
        imdb_gain.tests(runs[:-1], "lstm last", 200)


# --- a tiny one, in processes -----------------------------------------------------------------------


class Tiny:
    """tests/tiny_experiment.py with a results file and a diary of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.result, self.diary = folder / "tiny.json", folder / "diary"
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            "TINY_RESULT": str(self.result),
            "TINY_DIARY": str(self.diary),
        }

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tiny_experiment", *options],
            env=self.environment | environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*options, **environment)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def text(self) -> str:
        return self.result.read_text(encoding="utf-8")

    def stored(self) -> set[tuple[str, int]]:
        runs = json.loads(self.text())["runs"] if self.result.exists() else []
        return {(run["configuration"], run["seed"]) for run in runs}

    def notes(self, word: str) -> list[tuple[tuple[str, int], int]]:
        """((configuration, seed), process) of every job that began, or ended, in this order."""
        lines = self.diary.read_text(encoding="utf-8").splitlines() if self.diary.exists() else []
        found = [line.split() for line in lines]
        return [((name, int(seed)), int(process)) for said, name, seed, process in found if said == word]


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Results file and table of one run after the other, none disturbed."""
    serial = Tiny(tmp_path_factory.mktemp("undisturbed"))
    status, out, err = serial.run("--jobs", "1", TINY_SLEEP="0")
    assert status == 0, err
    return serial.text(), out


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_side_by_side_as_one_after_the_other(tiny: Tiny, undisturbed: tuple[str, str]) -> None:
    status, out, err = tiny.run("--jobs", "2", TINY_SLEEP="0.05")
    assert status == 0, err
    assert (tiny.text(), out) == undisturbed
    assert [line.split()[:2] for line in out.splitlines()][:3] == [["large", "3"], ["small", "3"], ["large", "1"]]
    assert json.loads(tiny.text())["largest"] == max(run["mean"] for run in json.loads(tiny.text())["runs"])


def test_killed_it_continues_and_loses_nothing(tiny: Tiny, undisturbed: tuple[str, str]) -> None:
    process = tiny.start("--jobs", "2")
    wait_for(lambda: len(tiny.stored()) >= 2)
    os.killpg(process.pid, signal.SIGKILL)  # with its workers: no handler, no farewell
    process.communicate(timeout=60)
    kept = tiny.stored()
    assert 2 <= len(kept) < len(ALL)
    assert "largest" not in json.loads(tiny.text())  # what follows from all runs waits for all
    begun = len(tiny.notes("began"))

    status, out, err = tiny.run("--jobs", "2")
    assert status == 0, err
    assert (tiny.text(), out) == undisturbed
    assert sorted(job for job, _ in tiny.notes("began")[begun:]) == sorted(
        ALL - kept
    )  # what was stored is not repeated
    assert [path.name for path in tiny.folder.iterdir() if path.suffix == ".part"] == []

    begun = len(tiny.notes("began"))
    before = tiny.result.stat().st_mtime_ns
    assert tiny.run()[:2] == (0, undisturbed[1])  # nothing is missing: nothing is run, nothing written
    assert len(tiny.notes("began")) == begun and tiny.result.stat().st_mtime_ns == before


def test_one_failure_takes_no_other_job_with_it(tiny: Tiny, undisturbed: tuple[str, str]) -> None:
    status, out, err = tiny.run("--jobs", "2", TINY_SLEEP="0", TINY_FAILS="small 1")
    assert status == 1
    assert "('small', 1) failed" in err and "ArithmeticError: this one fails" in err
    assert tiny.stored() == ALL - {("small", 1)}
    assert out == "tiny.json: 5 of 6 runs are there\n"
    assert tiny.run(TINY_SLEEP="0")[:2] == (0, undisturbed[1])
    assert tiny.text() == undisturbed[0]


def test_some_jobs_only(tiny: Tiny, undisturbed: tuple[str, str]) -> None:
    assert tiny.run("--only", "small", TINY_SLEEP="0")[:2] == (0, "tiny.json: 3 of 6 runs are there\n")
    assert tiny.stored() == {("small", seed) for seed in (1, 2, 3)}
    assert tiny.run("--only", "large", TINY_SLEEP="0")[:2] == (0, undisturbed[1])
    assert tiny.text() == undisturbed[0]


def test_two_at_a_time_keep_each_others_runs(tiny: Tiny, undisturbed: tuple[str, str]) -> None:
    one, other = tiny.start("--jobs", "1", "--only", "small"), tiny.start("--jobs", "1", "--only", "large")
    for process in (one, other):
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    tiny.run(TINY_SLEEP="0")
    assert tiny.text() == undisturbed[0]


def test_other_terms_stop_it_or_are_put_aside(tiny: Tiny) -> None:
    assert tiny.run(TINY_SLEEP="0")[0] == 0
    before = tiny.text()
    status, _, err = tiny.run(TINY_SLEEP="0", TINY_TASK="another")
    assert status == 1 and "tiny.json: its runs were made on other terms" in err and tiny.text() == before
    status, _, err = tiny.run("--fresh", TINY_SLEEP="0", TINY_TASK="another")
    assert status == 0 and "they are now tiny.json.stale" in err
    assert (tiny.folder / "tiny.json.stale").read_text(encoding="utf-8") == before
    assert json.loads(tiny.text())["about"]["task"] == "another" and tiny.stored() == ALL
    begun = len(tiny.notes("began"))
    assert tiny.run("--fresh", TINY_TASK="another")[0] == 0
    assert len(tiny.notes("began")) == begun  # what is not stale is left alone


def test_smoke_and_bad_options(tiny: Tiny) -> None:
    assert tiny.run("--smoke")[:2] == (0, "means\n")
    for options, message in [
        (["--jobs", "0"], "--jobs: got 0, wanted at least 1"),
        (["--jobs", "two"], "argument --jobs: invalid int value: 'two'"),
        (["--only", "medium"], "--only: got 'medium', wanted part of a job, such as ('large', 3)"),
        (["--seeds", "1"], "unrecognized arguments: --seeds 1"),
    ]:
        status, _, err = tiny.run(*options)
        assert status == 2 and message in err
    assert not tiny.result.exists()


# --- on a cluster -----------------------------------------------------------------------------------


@contextmanager
def cluster(tiny: Tiny, workers: int) -> Iterator[tuple[str, dict[int, subprocess.Popen[bytes]]]]:
    """A Dask scheduler and workers, started as on machines of their own; its address, and the workers by process."""
    known, log = tiny.folder / "scheduler.json", (tiny.folder / "cluster.log").open("wb")
    tools, quiet = [sys.executable, "-m"], {"env": tiny.environment, "cwd": tiny.folder, "stdout": log, "stderr": log}
    place = ["--scheduler-file", str(known)]
    started = [
        subprocess.Popen(
            [*tools, "distributed.cli.dask_scheduler", *place, "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
            **quiet,
        )
    ]
    try:
        wait_for(known.exists)
        wait_for(lambda: known.read_text(encoding="utf-8").rstrip().endswith("}"))
        one = [*tools, "distributed.cli.dask_worker", *place, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        mine = [subprocess.Popen([*one, "--local-directory", str(tiny.folder)], **quiet) for _ in range(workers)]
        started += mine
        wait_for(lambda: (tiny.folder / "cluster.log").read_bytes().count(b"Starting established connection") > workers)
        yield json.loads(known.read_text(encoding="utf-8"))["address"], {process.pid: process for process in mine}
    finally:
        for process in reversed(started):
            process.kill()
            process.wait(timeout=30)
        log.close()


def test_a_worker_of_a_cluster_is_killed_and_all_runs_are_made(tiny: Tiny, undisturbed: tuple[str, str]) -> None:
    with cluster(tiny, workers=2) as (address, workers):
        process = tiny.start("--scheduler", address, "--jobs", "1")
        wait_for(lambda: len(tiny.stored()) >= 1 and len(open_jobs(tiny)) > 0)
        lost, victim = open_jobs(tiny)[-1]
        workers[victim].kill()
        out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert (tiny.text(), out) == undisturbed
    assert {process for _, process in tiny.notes("began")} == set(workers)  # both had work, and nobody else
    again = [process for job, process in tiny.notes("ended") if job == lost]
    assert again == [next(pid for pid in workers if pid != victim)]  # the job that was lost went to the other worker


def open_jobs(tiny: Tiny) -> list[tuple[tuple[str, int], int]]:
    """Jobs that began and have not ended."""
    ended = tiny.notes("ended")
    return [note for note in tiny.notes("began") if note not in ended]


def test_a_cluster_that_is_not_there(tiny: Tiny) -> None:
    status, _, err = tiny.run("--scheduler", "tcp://127.0.0.1:9")
    assert status == 1 and "127.0.0.1:9" in err
