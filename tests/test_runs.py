"""What the experiments share: a killed run continues, and runs made on other terms are not mixed in."""

from __future__ import annotations

import importlib
import json
import pathlib

import pytest

from experiments import _runs

SCRIPTS = ("additive_recall", "two_pairs", "heads", "temperature")


def double(number: int) -> dict[str, int]:
    return {"number": number, "twice": 2 * number}


def test_what_is_stored_is_found_and_the_rest_is_run(tmp_path: pathlib.Path) -> None:
    path, about = tmp_path / "results" / "x.json", {"task": "doubling", "sizes": (1, 2), **_runs.here()}
    assert _runs.stored(path, about) == []
    runs = list(_runs.each(double, [(1,), (2,)], at_once=1))
    _runs.store(path, about, runs, verdicts=None)
    assert _runs.stored(path, about) == [{"number": 1, "twice": 2}, {"number": 2, "twice": 4}]
    assert json.loads(path.read_text())["verdicts"] is None
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


def test_another_machine_may_continue_and_another_task_may_not(tmp_path: pathlib.Path) -> None:
    path, about = tmp_path / "x.json", {"task": "doubling", **_runs.here()}
    _runs.store(path, about, [{"number": 1}])
    assert _runs.stored(path, about | {"machine": "another", "seeds": [9]}) == [{"number": 1}]
    with pytest.raises(SystemExit, match=r"x\.json: its runs were made on other terms"):
        _runs.stored(path, about | {"task": "tripling"})


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_committed_file_is_what_its_script_would_write(name: str, tmp_path: pathlib.Path) -> None:
    script = importlib.import_module(f"experiments.{name}")
    script.store(_runs.stored(script.RESULT, script.about()), tmp_path / "again.json")
    kept, again = (json.loads(path.read_text("utf-8")) for path in (script.RESULT, tmp_path / "again.json"))
    for key in _runs.FREE:
        kept["about"].pop(key), again["about"].pop(key)
    assert again == kept  # the verdicts, where there are some, follow from the runs
