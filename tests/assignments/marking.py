"""Mark a notebook in this process: what the jail does, without its walls, for answers that we wrote ourselves."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from assignments.student.checks import collect
from assignments.submission import HERE, grade_id, hidden, is_test, judged, solution, source


@functools.cache
def _begun(assignment: str, framework: str) -> tuple[dict[str, object], dict[str, str]]:
    """(names after every cell but tests and figures has run, code of each answer)"""
    with_probes(assignment)
    names: dict[str, object] = {"__name__": "submission"}
    answers = {}
    for cell in source(assignment).cells:
        if cell.cell_type != "code" or is_test(cell) or "picture" in cell.metadata.get("tags", ()):
            continue
        code = cell.source.replace('FRAMEWORK = "torch"', f'FRAMEWORK = "{framework}"')
        if (name := grade_id(cell)) is not None:
            answers[name] = code
        exec(compile(code, f"<{assignment}>", "exec"), names)
    return names, answers


def with_probes(assignment: str) -> None:
    """Let `import probes` find those of `assignment`, and `import checks` the one handed out."""
    import importlib.util
    import sys

    from assignments.student import checks

    sys.modules["checks"] = checks
    file = HERE / "source" / assignment / "probes.py"
    if file.exists():
        spec = importlib.util.spec_from_file_location("probes", file)
        sys.modules["probes"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["probes"])


def marked(assignment: str, cells: Mapping[str, str], framework: str) -> dict[str, tuple[bool, str]]:
    """ "question/concept" -> (right, words), with `cells` in place of the solution's"""
    begun, answers = _begun(assignment, framework)
    with_probes(assignment)
    unknown = set(cells) - set(answers)
    assert not unknown, f"no question is called {unknown}"
    names = dict(begun)
    for name, code in (answers | dict(cells)).items():
        names.pop(name, None)
        exec(compile(code, f"<{assignment}/{name}>", "exec"), names)
    answered: dict[str, list] = {}
    failed: list[str] = []
    for name, question in hidden(assignment).items():
        for again in ("", " again") if failed else ("",):
            before = dict(names)
            for other in failed if again else ():
                exec(solution(assignment, framework)[other], names)
            for concept in question["concepts"]:
                inputs = [case["inputs"] for case in concept["cases"]]
                place = f"{name}/{concept['key']}{again}"
                answered[place] = collect(names[name], concept["probe"], inputs, question["framework"] and framework)
            names.clear()
            names.update(before)
        if not all(right for right, _ in judged(name, question, answered).values()):
            failed.append(name)
    return {
        f"{name}/{key}": verdict
        for name, question in hidden(assignment).items()
        for key, verdict in judged(name, question, answered).items()
    }


def names_of(assignment: str, framework: str) -> dict[str, object]:
    """What the solved notebook defines."""
    return dict(_begun(assignment, framework)[0])
