"""Checks for your notebook: `check("name", function)` says in words what is right, what is not and where to look.

They take a moment each, as often as you like. The mark comes from other numbers than these, so a function that is
right here because it *is* right earns its points; one that only returns these numbers does not.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import sys
import warnings
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
UNWRITTEN = "not written yet"
MANY = 200_000  # numbers an answer may hold; every right one is far smaller


class NothingReturned(Exception):
    """A function ended without an answer."""


def check(name, function):
    """Try `function` on the examples of question `name` and print what was found, concept by concept."""
    questions = json.loads((HERE / "checks.json").read_text("utf-8"))
    if name not in questions:
        raise ValueError(f"name: no question is called {name!r}; wanted one of {', '.join(questions)}")
    if not callable(function):
        raise TypeError(f"function: wanted the function {name} itself, got {type(function).__name__}")
    question = questions[name]
    framework = sys.modules["__main__"].__dict__.get("FRAMEWORK", "torch")
    points = 0
    for concept in question["concepts"]:
        inputs = [case["inputs"] for case in concept["cases"]]
        right, words = judge(concept, collect(function, concept["probe"], inputs, question["framework"] and framework))
        points += concept["points"] * right
        print(("✓ " if right else "✗ ") + f"{concept['title']}" + ("" if right else f"\n    {words}"))
    whole = sum(concept["points"] for concept in question["concepts"])
    print(f"{name}: {points} of {whole} points on these examples")
    if points < whole and name != next(iter(questions)):
        print("If it calls an earlier function whose check complains, mend that one first.")


# --- trying a function -----------------------------------------------------------------------------------------


def collect(function, probe, cases, framework):
    """What `function` answers to each of `cases` (encoded inputs): a list of {"value": …} or {"error": …}.

    framework : "torch" or "keras" hands arrays over as that framework's tensors; False as NumPy arrays.
    probe : "call", or the name of a function in probes.py, called as probe(function, *inputs).
    """
    answers = []
    for case in cases:
        inputs = [_tensors(value, framework) for value in decode(case).values()]

        def asked(*arguments):
            value = function(*arguments)
            if value is None:
                raise NothingReturned
            return value

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # np.exp of a large number warns; its result is judged
                if probe == "call":
                    value = asked(*inputs)
                else:
                    value = getattr(importlib.import_module("probes"), probe)(asked, *inputs)
            answers.append({"value": encode(value)})
        except NotImplementedError:
            answers.append({"error": UNWRITTEN})
        except NothingReturned:
            answers.append({"error": "it returned nothing: is there a `return`?"})
        except Exception as error:
            words = " ".join(str(error).split()).rstrip(".")
            answers.append({"error": f"it stopped with {type(error).__name__}: {words[:300]}"})
    return answers


def _tensors(value, framework):
    if isinstance(value, dict):
        return {key: _tensors(each, framework) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_tensors(each, framework) for each in value)
    if not isinstance(value, np.ndarray) or value.dtype.kind in "US" or not framework:
        return copy.copy(value)
    if value.dtype == np.float64:
        value = value.astype(np.float32)  # what both frameworks' layers hold
    if framework == "keras":
        from keras import ops

        return ops.convert_to_tensor(value)
    import torch

    return torch.from_numpy(value.copy())


# --- judging an answer -----------------------------------------------------------------------------------------


def judge(concept, answers):
    """(right, words) for `answers`, as `collect` returns them, to the cases of `concept`."""
    if len(answers) != len(concept["cases"]):
        return False, f"It gave no answer. {concept['see']}"
    wrong = []
    for number, (case, answer) in enumerate(zip(concept["cases"], answers, strict=True)):
        difference = _answer_difference(answer, case["expected"], concept["tolerance"])
        if difference:
            wrong.append((number, difference))
    if not wrong:
        return True, ""
    for said, outputs in concept["slips"]:  # a known mistake, if every answer is what it would give
        pairs = zip(answers, outputs, strict=True)
        if all(_same(answer, output, concept["tolerance"]) for answer, output in pairs):
            return False, f"{said} {concept['see']}"
    return False, f"{wrong[0][1]} {concept['see']}"


def _same(answer, output, tolerance):
    if isinstance(output, dict) and "error" in output:  # the mistake itself stops here
        return isinstance(answer, dict) and "error" in answer and answer["error"] != UNWRITTEN
    return not _answer_difference(answer, output, tolerance)


def _answer_difference(answer, expected, tolerance):
    if not isinstance(answer, dict) or "value" not in answer:
        words = (str(answer.get("error") or "") if isinstance(answer, dict) else "") or "it gave no answer"
        return words[0].upper() + words[1:] + ("" if words[-1] in ".?" else ".")
    try:
        return difference(decode(answer["value"]), decode(expected), tolerance)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return "Its answer cannot be compared."


def difference(got, wanted, tolerance):
    """In words, how `got` differs from `wanted`; "" where it does not."""
    if isinstance(wanted, dict):
        if not isinstance(got, dict) or set(got) != set(wanted):
            return f"Wanted a dictionary of {', '.join(map(repr, wanted))}, got {_short(got)}."
        return next((words for key in wanted if (words := difference(got[key], wanted[key], tolerance))), "")
    if isinstance(wanted, np.ndarray) and wanted.dtype.kind in "US":
        wanted = wanted.tolist()
    if isinstance(wanted, (list, tuple)) and not all(isinstance(each, (int, float)) for each in wanted):
        got = got.tolist() if isinstance(got, np.ndarray) and got.ndim else got
        if not isinstance(got, (list, tuple)) or len(got) != len(wanted):
            return f"Wanted {len(wanted)} things, such as {_short(wanted)}; got {_short(got)}."
        return next((words for a, b in zip(got, wanted, strict=True) if (words := difference(a, b, tolerance))), "")
    if wanted is None or isinstance(wanted, str):
        return "" if type(got) is type(wanted) and got == wanted else f"Wanted {wanted!r}, got {_short(got)}."
    try:
        a, b = np.asarray(got, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    except (ValueError, TypeError):
        return f"Wanted numbers, got {_short(got)}."
    if a.shape != b.shape:
        return f"Wanted the shape {b.shape}, got {a.shape}."
    if not a.size:
        return ""
    if np.isnan(a).any() and not np.isnan(b).any():
        return "There is a NaN in the answer."
    near = np.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    if near.all():
        return ""
    # Where it is furthest off; an infinite difference counts as such.
    worst = np.unravel_index(np.argmax(np.where(near, -1.0, np.nan_to_num(np.abs(a - b), posinf=1e300))), a.shape)
    where = f" at {[int(i) for i in worst]}" if worst else ""
    return f"Expected {b[worst]:.5g}{where}, got {a[worst]:.5g} ({np.mean(~near):.0%} of the numbers differ)."


def _short(value):
    words = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
    return words if len(words) < 80 else words[:77] + "…"


# --- numbers as text ------------------------------------------------------------------------------------------


def encode(value):
    """`value` (tensors, arrays, numbers, words, nested) as what JSON can hold."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {"dict": {str(key): encode(each) for key, each in value.items()}}
    if isinstance(value, (list, tuple)) or inspect.isgenerator(value):
        value = list(value)
        if len(value) > MANY:
            raise ValueError(f"an answer of {len(value):,} things is far too long")
        return {"list": [encode(each) for each in value]}
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    array = np.asarray(value)
    if array.dtype.kind not in "biufUS":
        raise TypeError(f"wanted numbers, got {type(value).__name__}")
    if array.size > MANY:
        raise ValueError(f"an answer of {array.size:,} numbers is far too long")
    return {"array": array.tolist(), "dtype": array.dtype.str}


def decode(value):
    if not isinstance(value, dict):
        return value
    if "array" in value:
        dtype = np.dtype(str(value["dtype"]))
        if dtype.kind not in "biufUS":
            raise ValueError(f"dtype: {dtype} is not for numbers or words")
        return np.array(value["array"], dtype=dtype)
    if "list" in value:
        return [decode(each) for each in value["list"]]
    return {key: decode(each) for key, each in value["dict"].items()}
