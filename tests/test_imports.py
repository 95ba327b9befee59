"""What an import loads, seen from a fresh process."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax"}
FORBIDDEN = {
    "attnlstm_ref": FRAMEWORKS | {"numpy", "scipy", "matplotlib", "pandas"},
    "attnlstm_ref.numpy": FRAMEWORKS | {"matplotlib", "pandas"},
    "attnlstm_ref.torch": {"tensorflow", "keras"},
    "attnlstm_ref.keras": {"torch"},
    "attnlstm_ref.data": FRAMEWORKS,
    "attnlstm_ref.text": FRAMEWORKS,
    "attnlstm_ref.stats": FRAMEWORKS,
    "attnlstm_ref.plots": FRAMEWORKS,
}


def loaded(module: str) -> tuple[set[str], float]:
    """Top-level modules after importing `module` in a new process, and the seconds the import took."""
    program = (
        "import sys, time, json; a = time.perf_counter()\n"
        f"import {module}\n"
        "print(json.dumps([time.perf_counter() - a, sorted({m.split('.')[0] for m in sys.modules})]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    seconds, names = json.loads(done.stdout.splitlines()[-1])
    return set(names), seconds


@pytest.mark.parametrize("module", FORBIDDEN)
def test_an_import_loads_no_other_framework(module):
    assert importlib.util.find_spec(module) is not None
    names, _ = loaded(module)
    assert "attnlstm_ref" in names
    assert names & FORBIDDEN[module] == set()


def test_importing_the_package_is_instant():
    assert min(loaded("attnlstm_ref")[1] for _ in range(3)) < 0.1
