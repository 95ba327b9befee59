"""What the experiments share: runs that a killed experiment continues with, in a file that is never half written.

A results file says first what its runs depend on ("about"), then holds one run a line: short, and a change shows
where it is.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from attnlstm_ref import _files

Record = dict[str, Any]
FREE = ("versions", "machine", "seeds")
"""What may differ between the runs of one file: another machine or more seeds may continue."""


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
    terms = [
        {key: value for key, value in one.items() if key not in FREE}
        for one in (found["about"], json.loads(json.dumps(about)))  # tuples become lists, as in the file
    ]
    if terms[0] != terms[1]:
        raise SystemExit(f"{path.name}: its runs were made on other terms; move it away to start afresh")
    return found["runs"]


def store(path: Path, about: Record, runs: Sequence[Record], **more: Any) -> None:
    """Write all of it, or leave what was there."""
    lines = ",\n".join("  " + json.dumps(run) for run in runs)
    head = {"about": json.dumps(about, indent=1, ensure_ascii=False)}
    head |= {name: json.dumps(value, indent=1) for name, value in more.items()}
    said = ",\n".join(f'"{name}": {text}' for name, text in head.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    _files.write_text(path, f'{{{said},\n"runs": [\n{lines}\n]}}\n')


def each(run: Callable[..., Record], jobs: Sequence[tuple[Any, ...]], at_once: int) -> Iterator[Record]:
    """The record of every job as it ends, `at_once` of them side by side."""
    work = joblib.Parallel(n_jobs=at_once, return_as="generator_unordered")
    yield from tqdm(work(joblib.delayed(run)(*job) for job in jobs), total=len(jobs))
