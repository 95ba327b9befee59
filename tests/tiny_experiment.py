"""An experiment of no interest whose jobs take a moment: what test_experiments.py starts, kills and starts again.

Where it writes, and what goes wrong, stands in the environment. Every job writes down that it began and that it ended.
"""

import os
import time
from pathlib import Path

import numpy as np

from experiments import _runs

RESULT = Path(os.environ["TINY_RESULT"])
DIARY = Path(os.environ["TINY_DIARY"])
CONFIGURATIONS, SEEDS = ("large", "small"), (3, 1, 2)


def jobs():
    return [(name, seed) for seed in SEEDS for name in CONFIGURATIONS]


def run(name, seed):
    note("began", name, seed)
    time.sleep(float(os.environ.get("TINY_SLEEP", "0.3")))
    if os.environ.get("TINY_FAILS") == f"{name} {seed}":
        raise ArithmeticError("this one fails")
    mean = float(np.random.default_rng(seed).normal(size=100 if name == "large" else 10).mean())
    note("ended", name, seed)
    return {"configuration": name, "seed": seed, "mean": mean}


def note(*words):
    with DIARY.open("a", encoding="utf-8") as diary:  # a short line appended is written in one piece
        diary.write(" ".join(map(str, (*words, os.getpid()))) + "\n")


def key(record):
    return record["configuration"], record["seed"]


def about():
    return {"task": os.environ.get("TINY_TASK", "the mean of some numbers"), "seeds": list(SEEDS), **_runs.here()}


def table(runs):
    return "\n".join(f"{run['configuration']} {run['seed']} {run['mean']:.4f}" for run in runs)


def smoke():
    return "means"


def more(runs):
    return {"largest": max(run["mean"] for run in runs)}


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke, more=more)
