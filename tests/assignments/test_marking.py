"""Proof for each assignment: right answers earn all, a mistake costs what it breaks, and nothing else earns a thing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from marking import marked, names_of

from assignments.answers import answers
from assignments.question import examples
from assignments.questions import NAMES, questions
from assignments.reading import argument_cells
from assignments.student.checks import collect, decode, difference, encode, judge
from assignments.submission import grade_id, hidden, is_test, source

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("torch", "keras")

WRONG = [pytest.param(name, each, id=f"{name}: {each.name}") for name in NAMES for each in answers(name).WRONG]
RIGHT = [pytest.param(name, each, id=f"{name}: {each.name}") for name in NAMES for each in answers(name).RIGHT]


def lost(found):
    return {place: words for place, (right, words) in found.items() if not right}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("assignment", NAMES)
def test_the_solution_earns_everything(assignment, framework):
    assert not lost(marked(assignment, {}, framework))


@pytest.mark.parametrize(("assignment", "answer"), RIGHT)
def test_another_right_answer_earns_everything(assignment, answer):
    assert not lost(marked(assignment, answer.cells, answer.framework))


@pytest.mark.parametrize(("assignment", "answer"), WRONG)
def test_a_mistake_costs_what_it_breaks_and_is_named(assignment, answer):
    found = lost(marked(assignment, {answer.question: answer.code}, answer.framework))
    assert set(found) == answer.lost, found
    assert any(answer.says in words for words in found.values()), found


@pytest.mark.parametrize("assignment", NAMES)
def test_there_are_enough_of_each(assignment):
    wrong, right = answers(assignment).WRONG, answers(assignment).RIGHT
    assert len(wrong) >= 12 and len(right) >= 5
    assert {each.framework for each in (*wrong, *right)} == set(FRAMEWORKS)
    assert len({each.name for each in wrong}) == len(wrong)
    costly = {place for each in wrong for place in each.lost}
    assert {place.split("/")[0] for place in costly} == set(hidden(assignment)), "a question nobody gets wrong"


@pytest.mark.parametrize("assignment", NAMES)
def test_one_mistake_costs_one_idea(assignment):
    """Nearly always: a mask that is forgotten breaks more than one."""
    wrong = answers(assignment).WRONG
    assert sum(len(each.lost) == 1 for each in wrong) >= 0.8 * len(wrong)


@pytest.mark.parametrize("assignment", NAMES)
def test_it_is_told_in_words_and_not_in_numbers_alone(assignment):
    """At least nine in ten mistakes are recognised as such."""
    said = []
    for each in answers(assignment).WRONG:
        found = lost(marked(assignment, {each.question: each.code}, each.framework))
        said.append(any(each.says in words and not words.startswith("Expected ") for words in found.values()))
    assert np.mean(said) >= 0.9


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("assignment", NAMES)
def test_answers_that_say_nothing_earn_next_to_nothing(assignment, framework):
    """Zeros, ones, the input itself: some property of some answer may hold by chance, one point in six at most."""
    whole = sum(question.points for question in questions(assignment))
    names = names_of(assignment, framework)
    for body in ("return x[0]", "return 0 * x[0]", "return None", "return x", "return (x[0], x[0])", "return 1.0"):
        earned = 0
        for question in questions(assignment):
            scope = dict(names)
            exec(f"def {question.name}(*x): {body}", scope)
            for concept in hidden(assignment)[question.name]["concepts"]:
                inputs = [case["inputs"] for case in concept["cases"]]
                asked = question.framework and framework
                right, _ = judge(concept, collect(scope[question.name], concept["probe"], inputs, asked))
                earned += concept["points"] * right
        assert earned <= whole / 6, body


@pytest.mark.parametrize("assignment", NAMES)
def test_hidden_and_visible_cases_differ(assignment):
    """None of the inputs that decide the mark is among those handed out."""
    visible = examples(questions(assignment), "visible")
    for name, question in hidden(assignment).items():
        for concept, shown in zip(question["concepts"], visible[name]["concepts"], strict=True):
            cases = [json.dumps(case["inputs"]) for case in concept["cases"]]
            known = {json.dumps(case["inputs"]) for case in shown["cases"]}
            assert any(case not in known for case in cases), f"{name}/{concept['key']}: the same cases"


@pytest.mark.parametrize("assignment", NAMES)
def test_every_slip_differs_from_the_answer(assignment):
    for name, question in hidden(assignment).items():
        for concept in question["concepts"]:
            for said, outputs in concept["slips"]:
                pairs = list(zip(outputs, concept["cases"], strict=True))
                assert any(
                    "error" in output or difference(decode(output), decode(case["expected"]), concept["tolerance"])
                    if isinstance(output, dict)
                    else output != case["expected"]
                    for output, case in pairs
                ), f"{name}/{concept['key']}: {said}"


@pytest.mark.parametrize("assignment", NAMES)
def test_the_notebook_is_in_order(assignment):
    """A test cell for each question, right after its answer, worth its points; the text's points are the true ones."""
    notebook = source(assignment)
    nbformat.validate(notebook)
    ids = [name for cell in notebook.cells if (name := grade_id(cell)) is not None]
    order = [each for question in questions(assignment) for each in (question.name, f"{question.name}_test")]
    assert [each for each in ids if each not in argument_cells(notebook)] == order
    for cell in notebook.cells:
        if is_test(cell):
            name = grade_id(cell).removesuffix("_test")
            points = next(each.points for each in questions(assignment) if each.name == name)
            assert cell.metadata.nbgrader.points == points
            assert cell.source == f'check("{name}", {name})'
        assert cell.cell_type != "code" or (not cell.outputs and cell.execution_count is None)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = [int(each) for each in re.findall(r"^## .*\((\d+) points?\)$", text, re.M)]
    people = [int(each) for each in argument_cells(notebook).values()]
    assert headings == [question.points for question in questions(assignment)] + people
    assert f"{sum(headings)} points" in text


@pytest.mark.parametrize("assignment", NAMES)
def test_what_is_said_points_into_the_book(assignment):
    """Every concept names a chapter and a heading of it."""
    for question in questions(assignment):
        for concept in question.concepts:
            places = re.findall(r"chapter (\d+), “([^”]+)”", concept.see)
            assert places, f"{question.name}/{concept.key}: {concept.see!r}"
            for chapter, heading in places:
                (file,) = (ROOT / "notebooks").glob(f"{int(chapter):02}_*.ipynb")
                cells = nbformat.read(file, as_version=4).cells
                lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.split("\n")]
                assert any(re.fullmatch(rf"##+ {re.escape(heading)}", line) for line in lines), (chapter, heading)


# --- the checks themselves ------------------------------------------------------------------------------------


def test_a_difference_is_told_in_words():
    assert difference([1.0, 2.0], np.array([1.0, 2.0]), 1e-4) == ""
    assert "shape (2,), got (3,)" in difference(np.ones(3), np.ones(2), 1e-4)
    assert "Expected 2 at [1], got 3 (50%" in difference(np.array([1.0, 3.0]), np.array([1.0, 2.0]), 1e-4)
    assert "NaN" in difference(np.array([np.nan]), np.array([0.0]), 1e-4)
    assert difference(np.array([np.inf]), np.array([0.0]), 1e-4)
    assert not difference(np.array([np.inf]), np.array([np.inf]), 1e-4)
    assert "Wanted 2 things" in difference(3.0, (np.ones(2), "x"), 1e-4)
    assert "Wanted numbers" in difference("three", 3.0, 1e-4)
    assert "dictionary" in difference([1], {"a": 1}, 1e-4)
    assert difference(None, "word", 1e-4) and not difference("word", "word", 1e-4)
    assert not difference((np.ones(2), np.zeros(3)), [np.ones(2), np.zeros(3)], 1e-4)


def test_numbers_survive_the_journey():
    import torch

    for value in (None, True, 3, 2.5, "word", [1, "a", None], {"a": np.arange(3)}, np.float16([1, 2]), np.array(["a"])):
        assert not difference(decode(encode(value)), value, 0)
    assert not difference(decode(encode(torch.ones(2, dtype=torch.bfloat16))), np.ones(2), 0)
    with pytest.raises(TypeError, match="wanted numbers, got set"):
        encode({1, 2})
    with pytest.raises(ValueError, match="far too long"):
        encode(np.zeros(10**6))
    with pytest.raises(ValueError, match="dtype"):
        decode({"array": [1], "dtype": "O"})


def test_what_is_forged_is_no_answer():
    concept = hidden("a2_look_up")["softmax"]["concepts"][0]
    count = len(concept["cases"])
    ragged = {"value": {"array": [[1], [1, 2]], "dtype": "f8"}}
    nonsense = ({}, None, "x", {"error": ""}, {"error": 3}, {"value": {}}, ragged)
    for forged in ([], *([each] * count for each in nonsense)):
        right, words = judge(concept, forged)
        assert not right and words
