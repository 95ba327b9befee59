"""Bad input meets a ValueError that names the argument, the shape it has and the shape wanted."""

from __future__ import annotations

import re

import numpy as np
import pytest
from dialects import ALL, KERAS, SIZE, TORCH, UNITS, every_dialect, every_way, function, score_of

MODULES = pytest.mark.parametrize("dialect", (TORCH, KERAS), ids=str)


def zeros(*shape):
    return np.zeros(shape)


def masks(*shape):
    return np.ones(shape, bool)


ATTEND = {
    "query of rank 1": ([zeros(4), zeros(5, 4), zeros(5, 3)], "query: got shape (4), wanted (…, Tq, d)"),
    "keys of rank 1": ([zeros(1, 4), zeros(4), zeros(5, 3)], "keys: got shape (4), wanted (…, T, d)"),
    "values of rank 1": ([zeros(1, 4), zeros(5, 4), zeros(5)], "values: got shape (5), wanted (…, T, d_v)"),
    "no step": ([zeros(1, 4), zeros(0, 4), zeros(0, 3)], "keys: got shape (0, 4), wanted (…, T, d) with at least one"),
    "too few values": ([zeros(1, 4), zeros(5, 4), zeros(6, 3)], "values: got shape (6, 3), wanted (…, 5, d_v)"),
    "batches of query and keys": (
        [zeros(2, 1, 4), zeros(3, 5, 4), zeros(3, 5, 3)],
        "keys: got shape (3, 5, 4), wanted batch axes that fit those of query (2, 1, 4)",
    ),
    "batches of keys and values": (
        [zeros(2, 1, 4), zeros(2, 5, 4), zeros(3, 5, 3)],
        "values: got shape (3, 5, 3), wanted (…, 5, d_v)",
    ),
    "mask of the wrong length": (
        [zeros(2, 1, 4), zeros(2, 5, 4), zeros(2, 5, 3), masks(2, 1, 6)],
        "mask: got shape (2, 1, 6), wanted one that broadcasts to the weights (2, 1, 5)",
    ),
    "padding mask without its axis": (
        [zeros(2, 1, 4), zeros(2, 5, 4), zeros(2, 5, 3), masks(3, 5)],
        "mask: got shape (3, 5), wanted one that broadcasts to the weights (2, 1, 5)",
    ),
    "mask with more axes than the weights": (
        [zeros(1, 4), zeros(5, 4), zeros(5, 3), masks(2, 1, 5)],
        "mask: got shape (2, 1, 5), wanted one that broadcasts to the weights (1, 5)",
    ),
    "mask of numbers": (
        [zeros(1, 4), zeros(5, 4), zeros(5, 3), zeros(1, 5)],
        "wanted booleans, True = attend, to broadcast against (1, 5)",
    ),
}


def refuses(message):
    return pytest.raises(ValueError, match=re.escape(message))


@every_way
@pytest.mark.parametrize("case", ATTEND)
def test_attend(dialect, make, score, case):
    arrays, message = ATTEND[case]
    run = make(dialect, "float64", score)
    with refuses(message):
        run(*(dialect.array(x) for x in arrays))


@every_way
@pytest.mark.parametrize("temperature", [0, 0.0, -1.0, float("nan")])
def test_temperature(dialect, make, score, temperature):
    run = make(dialect, "float64", score)
    arrays = (dialect.array(zeros(2, n, SIZE)) for n in (1, 5, 5))
    with refuses(f"temperature: got {temperature}, wanted a number above 0"):
        run(*arrays, temperature=temperature)


@every_way
def test_width(dialect, make, score):
    run = make(dialect, "float64", score)
    wanted = {
        "dot": "query: got shape (1, 3), wanted (…, Tq, 4) to match keys (5, 4)",
        "general": "weight: got shape (4, 4), wanted (d_q, d_k) = (3, 4)",
        "additive": "w_query: got shape (4, 3), wanted (d_q, A) = (3, 3)",
    }[score.removeprefix("scaled_")]
    with refuses(wanted):
        run(*(dialect.array(x) for x in (zeros(1, 3), zeros(5, 4), zeros(5, 3))))


@every_dialect
@pytest.mark.parametrize("name", ["softmax", "masked_softmax"])
def test_softmax(dialect, name):
    run = getattr(dialect.module, name)
    with refuses("scores: got shape (2, 0), wanted (…, T) with at least one step to attend to"):
        run(dialect.array(zeros(2, 0)))
    with refuses("scores: got shape (), wanted (…, T)"):
        run(dialect.array(zeros()))
    with refuses("scores: got list, wanted an array"):
        run([1.0, 2.0])
    with refuses("temperature: got -2.0, wanted a number above 0"):
        run(dialect.array(zeros(2)), temperature=-2.0)


@every_dialect
def test_masks_of_softmax(dialect):
    run = dialect.module.masked_softmax
    with refuses("mask: got shape (3), wanted one that broadcasts to the weights (2, 4)"):
        run(dialect.array(zeros(2, 4)), dialect.array(masks(3)))
    with refuses("mask: got list, wanted booleans, True = attend, to broadcast against (2, 4)"):
        run(dialect.array(zeros(2, 4)), [True] * 4)


BAD_PARAMETERS = {
    "weight": ("general_scores", [zeros(4, 5)], "weight: got shape (4, 5), wanted (d_q, d_k) = (4, 4)"),
    "v": ("additive_scores", [zeros(4, 2), zeros(4, 2), zeros(2, 1)], "v: got shape (2, 1), wanted (A,) = (?)"),
    "w_query": (
        "additive_scores",
        [zeros(5, 2), zeros(4, 2), zeros(2)],
        "w_query: got shape (5, 2), wanted (d_q, A) = (4, 2)",
    ),
    "w_keys": (
        "additive_scores",
        [zeros(4, 2), zeros(4, 3), zeros(2)],
        "w_keys: got shape (4, 3), wanted (d_k, A) = (4, 2)",
    ),
}


@every_dialect
@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_parameters_of_scores(dialect, name):
    score, parameters, message = BAD_PARAMETERS[name]
    with refuses(message):
        getattr(dialect.module, score)(*(dialect.array(x) for x in (zeros(1, 4), zeros(5, 4), *parameters)))


@every_dialect
@pytest.mark.parametrize("score", ["dot", "scaled_dot", "general", "additive"])
def test_scores_want_a_step(dialect, score):
    with refuses("keys: got shape (0, 4), wanted (…, T, d) with at least one step to attend to"):
        score_of(dialect, score, "float64")(dialect.array(zeros(1, 4)), dialect.array(zeros(0, 4)))


@MODULES
@pytest.mark.parametrize("dropout", [-0.1, 1.0, 2.0])
def test_dropout(dialect, dropout):
    kinds = [
        ("DotAttention", ()),
        ("GeneralAttention", (SIZE, SIZE)),
        ("AdditiveAttention", (SIZE, SIZE, UNITS)),
    ]
    for name, sizes in kinds:
        with refuses(f"dropout: got {dropout}, wanted a share from 0 up to but not 1"):
            getattr(dialect.module, name)(*sizes, dropout=dropout)


def test_annotations_are_checked_too():
    """Whole numbers pass our checks of shape and meet jaxtyping's: so the hook of conftest.py is at work."""
    whole = np.zeros((1, 4), int)
    for dialect in ALL[:2]:
        arrays = [dialect.array(whole, "int64")] * 3
        with pytest.raises(Exception, match=r"(?i)type-check"):
            function(dialect, "float64", "dot")(*arrays)
