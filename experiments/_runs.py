"""What the experiments share: their command line, and runs that a killed experiment continues with.

An experiment is a list of independent jobs, a configuration and a seed each. joblib runs them side by side: in
processes of this machine, or on the workers of a Dask cluster. Each run is stored as soon as it ends, in a file that is
never half written. The file says first what its runs depend on ("about"), then holds one run a line: short, and a
change shows where it is.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import platform
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from tqdm import tqdm

from attnlstm_ref import _files

Record = dict[str, Any]
Job = tuple[Any, ...]
FREE = ("versions", "machine", "seeds")
"""What may differ between the runs of one file: another machine or more seeds may continue."""


# --- the file ---------------------------------------------------------------------------------------


def here() -> Record:
    """Versions, and the machine in words."""
    return {
        "versions": {"numpy": np.__version__, "torch": version("torch").split("+")[0]},
        "machine": f"one thread a run, {platform.machine()} CPU, Python {platform.python_version()}",
    }


def stored(path: Path, about: Record) -> list[Record]:
    """Runs already done on these terms; runs made on others are not mixed in."""
    if not path.exists():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    if terms(found["about"]) != terms(about):
        raise SystemExit(f"{path.name}: its runs were made on other terms; move it away to start afresh (or: --fresh)")
    return found["runs"]


def terms(about: Record) -> Record:
    """The part of `about` that all runs of a file share, as JSON gives it back: tuples become lists."""
    return {key: value for key, value in json.loads(json.dumps(about)).items() if key not in FREE}


def store(path: Path, about: Record, runs: Sequence[Record], **more: Any) -> None:
    """Write all of it, or leave what was there."""
    lines = ",\n".join("  " + json.dumps(run) for run in runs)
    head = {"about": json.dumps(about, indent=1, ensure_ascii=False)}
    head |= {name: json.dumps(value, indent=1) for name, value in more.items()}
    said = ",\n".join(f'"{name}": {text}' for name, text in head.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    _files.write_text(path, f'{{{said},\n"runs": [\n{lines}\n]}}\n')


def in_order(runs: Sequence[Record], jobs: Sequence[Job], key: Callable[[Record], Job]) -> list[Record]:
    """The runs as their jobs are listed, whatever the order they ended in; runs of no listed job come last."""
    place = {job: i for i, job in enumerate(jobs)}
    return sorted(runs, key=lambda run: place.get(key(run), len(place)))


# --- the runs ---------------------------------------------------------------------------------------


class Failed(NamedTuple):
    """A job that raised, and what it said."""

    job: Job
    why: str


def attempt(run: Callable[..., Record], job: Job) -> Record | Failed:
    """The record of a job. An error comes back as a value, so that it does not take the other jobs with it."""
    try:
        return run(*job)
    except Exception:
        return Failed(job, traceback.format_exc())


def each(
    run: Callable[..., Record], jobs: Sequence[Job], at_once: int, scheduler: str | None = None
) -> Iterator[Record | Failed]:
    """What came of every job as it ends, `at_once` of them side by side, or on all workers of a Dask cluster.

    A worker of a cluster may die: Dask gives its jobs to the others.
    """
    run = importable(run)
    with workers(scheduler):
        # One job a batch, so that none waits for another before it is stored.
        work = joblib.Parallel(n_jobs=at_once, return_as="generator_unordered", batch_size=1)
        ended = work(joblib.delayed(attempt)(run, job) for job in jobs)
        yield from tqdm(ended, total=len(jobs), unit="run", disable=not jobs)


@contextlib.contextmanager
def workers(scheduler: str | None) -> Iterator[None]:
    """joblib's own processes, or the workers of the Dask cluster at this address."""
    if scheduler is None:
        yield
        return
    from distributed import Client

    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise SystemExit(f"--scheduler: got {scheduler}, wanted the address of a Dask scheduler ({error})") from error
    with client, joblib.parallel_config(backend="dask", client=client):
        yield


def importable(run: Callable[..., Record]) -> Callable[..., Record]:
    """The same function under its module's own name.

    A function of `__main__` travels to a worker as code, afresh with every job, and what it keeps (a data set it has
    read) is lost; one that can be imported travels as a name.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if getattr(run, "__module__", None) != "__main__" or spec is None:
        return run
    return getattr(importlib.import_module(spec.name), run.__name__)


# --- the command line -------------------------------------------------------------------------------


def command(
    doc: str | None,
    path: Path,
    about: Callable[[], Record],
    jobs: Callable[[], Sequence[Job]],
    run: Callable[..., Record],
    key: Callable[[Record], Job],
    table: Callable[[list[Record]], str],
    smoke: Callable[[], str | None],
    argv: Sequence[str] | None = None,
    more: Callable[[list[Record]], Record] | None = None,
) -> None:
    """The command line of an experiment: run what is missing, store each run as it ends, print the table.

    Parameters
    ----------
    doc : the script's docstring; `--help` shows its first line
    path : the results file
    about : everything the runs depend on
    jobs : all jobs, in the order in which their runs are stored
    run : called with a job's parts, gives its record; a function of a module, for it runs in other processes
    key : the job of a record
    table : what is printed when no run is missing
    smoke : a moment of everything; writes no file, and gives what is to be printed
    argv : arguments in place of those of the command line
    more : what a complete file says beside "about" and "runs", for example what follows from all runs

    Raises
    ------
    SystemExit
        With status 1 if a job failed (all others are run and stored), or if the stored runs were made on other terms;
        with status 2 for an option that is no good.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m experiments.{path.stem}", description=(doc or "").strip().split("\n")[0]
    )
    parser.add_argument("--smoke", action="store_true", help="a moment of everything; writes nothing")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at once on this machine (default 2)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="run on the workers of this Dask cluster instead")
    parser.add_argument("--only", metavar="TEXT", help="only jobs in which one part is, or contains, TEXT")
    parser.add_argument("--fresh", action="store_true", help="put runs made on other terms aside, and make them anew")
    options = parser.parse_args(argv)
    if options.jobs < 1:
        parser.error(f"--jobs: got {options.jobs}, wanted at least 1")
    if options.smoke:
        print(smoke() or "it runs")
        return

    all_jobs, said = [tuple(job) for job in jobs()], about()
    wanted = [job for job in all_jobs if options.only is None or any(options.only in str(part) for part in job)]
    if not wanted:
        parser.error(f"--only: got {options.only!r}, wanted part of a job, such as {all_jobs[0]}")
    if options.fresh:
        put_aside(path, said)

    def runs() -> dict[Job, Record]:
        return {key(one): one for one in stored(path, said)}

    failed, done = [], runs()
    for one in each(run, [job for job in wanted if job not in done], options.jobs, options.scheduler):
        if isinstance(one, Failed):
            failed.append(one)
            continue
        done = runs() | {key(one): one}  # read again: another command may have stored some meanwhile
        store_all(path, said, list(done.values()), all_jobs, key, more)
    for job, why in failed:
        print(f"{job} failed:\n{why}", file=sys.stderr)
    missing = sum(job not in done for job in all_jobs)
    if missing:
        print(f"{path.name}: {len(all_jobs) - missing} of {len(all_jobs)} runs are there")
    else:
        print(table(in_order(list(done.values()), all_jobs, key)))
    if failed:
        sys.exit(1)


def store_all(
    path: Path,
    about: Record,
    runs: Sequence[Record],
    jobs: Sequence[Job],
    key: Callable[[Record], Job],
    more: Callable[[list[Record]], Record] | None = None,
) -> None:
    """Write the runs in the order of their jobs, and once all are there what follows from them."""
    runs = in_order(runs, jobs, key)
    complete = set(jobs) <= {key(one) for one in runs}
    store(path, about, runs, **(more(runs) if more and complete else {}))


def put_aside(path: Path, about: Record) -> None:
    """Rename a file whose runs were made on other terms to NAME.json.stale."""
    if path.exists() and terms(json.loads(path.read_text(encoding="utf-8"))["about"]) != terms(about):
        path.replace(path.with_suffix(".json.stale"))
        print(f"{path.name}: its runs were made on other terms; they are now {path.name}.stale", file=sys.stderr)
