"""What the experiments share: a killed run continues, and runs made on other terms are not mixed in."""

from __future__ import annotations

import importlib
import json
import pathlib

import pytest

from experiments import _runs

RESULTS = pathlib.Path(_runs.__file__).parent / "results"
SCRIPTS = sorted(path.stem for path in RESULTS.glob("*.json"))


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
    kept = json.loads(script.RESULT.read_text("utf-8"))
    runs = _runs.stored(script.RESULT, script.about())
    done = {script.key(run) for run in runs}
    # In order, none twice, none of another job. Some may be to come: long runs are kept as they are made. The ledger
    # takes a file only when it is complete.
    assert [script.key(run) for run in runs] == [job for job in script.jobs() if job in done]
    again = tmp_path / "again.json"
    _runs.store_all(again, kept["about"], runs, script.jobs(), script.key, getattr(script, "more", None))
    assert json.loads(again.read_text("utf-8")) == kept  # what stands beside the runs follows from them
    assert script.table(runs)
