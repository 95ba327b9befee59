"""Two programs timed side by side on a machine that has other things to do."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attnlstm_ref import _files


def interleaved(
    ours: Callable[[], Any], theirs: Callable[[], Any], *, rounds: int, warm_up: int = 3, seed: int = 0
) -> dict[str, float]:
    """Median of ours/theirs over `rounds` pairs, each pair run back to back in random order, and its quartiles.

    A pair shares whatever else the machine is doing at that moment, so the ratio of a pair is steadier than the
    ratio of two medians.
    """
    rng = random.Random(seed)
    for program in (ours, theirs) * warm_up:
        program()
    ratios: list[float] = []
    seconds: list[float] = []
    for _ in range(rounds):
        took: dict[str, float] = {}
        pair = [("ours", ours), ("theirs", theirs)]
        rng.shuffle(pair)
        for name, program in pair:
            start = time.perf_counter()
            program()
            took[name] = time.perf_counter() - start
        ratios.append(took["ours"] / took["theirs"])
        seconds.append(took["ours"])
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"ratio": middle, "q1": low, "q3": high, "ours_ms": 1e3 * statistics.median(seconds), "rounds": rounds}


def machine() -> str:
    """The machine in words; no name of a host."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in (Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else [])
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def store(path: Path, name: str, found: list[dict[str, Any]], *, some: bool = False) -> None:
    """Put `found` under `name` in the JSON file, whole or not at all; `some` pairs join those measured before."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    if some and name in kept:
        if kept[name]["machine"] != machine():
            raise SystemExit(f"{path.name} was measured on another machine; run all pairs, or --dry")
        anew = {row["pair"] for row in found}
        found = [row for row in kept[name]["results"] if row["pair"] not in anew] + found
    kept[name] = {"machine": machine(), "results": found}
    with _files.replacing(path) as part:
        part.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
