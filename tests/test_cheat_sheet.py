"""The cheat sheet's formulas are those of the layers: parameters counted, multiply-adds counted by PyTorch."""

from __future__ import annotations

import pathlib
import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from attnlstm_ref.torch import (
    AdditiveAttention,
    AttentionPooling,
    DotAttention,
    GeneralAttention,
    MultiHeadAttention,
    dot_scores,
    scaled_dot_scores,
)

PAGE = pathlib.Path(__file__).parents[1] / "book" / "cheat_sheet.md"
SIZES = {"Tq": 3, "T": 7, "d_q": 4, "d_k": 6, "d_v": 5, "d": 8, "A": 9, "n": 12, "h": 3}


def rows() -> dict[str, list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("| "): row for row in cells[1:]}


def number(name: str, column: int) -> int:
    """A formula of the page with the sizes put in."""
    formula = re.match(r"`([^`]+)`", rows()[name][column])
    assert formula, rows()[name][column]
    assert re.fullmatch(r"[\w·+() ]+", formula[1])
    return eval(formula[1].replace("·", "*"), {"__builtins__": {}}, dict(SIZES))


def layers() -> dict[str, torch.nn.Module]:
    s = SIZES
    return {
        "dot": DotAttention(scaled=False),
        "scaled dot": DotAttention(),
        "general": GeneralAttention(s["d_q"], s["d_k"]),
        "additive": AdditiveAttention(s["d_q"], s["d_k"], s["A"]),
        "multi-head": MultiHeadAttention(
            s["d_q"], s["h"], key_size=s["d_k"], value_size=s["d_v"], head_size=s["n"] // s["h"]
        ),
        "learned query": AttentionPooling(s["d_q"], score="dot"),
    }


@pytest.mark.parametrize("name", layers())
def test_parameters(name: str) -> None:
    assert sum(p.numel() for p in layers()[name].parameters()) == number(name, 2)


def multiply_adds(program) -> int:
    with FlopCounterMode(display=False) as counter:
        program()
    return counter.get_total_flops() // 2


def test_multiply_adds() -> None:
    s = SIZES
    query, keys, values = (torch.randn(n, s[d]) for n, d in ((s["Tq"], "d_q"), (s["T"], "d_k"), (s["T"], "d_v")))
    q, k = torch.randn(s["Tq"], s["d"]), torch.randn(s["T"], s["d"])
    made = layers()
    assert multiply_adds(lambda: dot_scores(q, k)) == number("dot", 3)
    assert multiply_adds(lambda: scaled_dot_scores(q, k)) == number("scaled dot", 3)
    assert multiply_adds(lambda: made["general"].scores(query, keys)) == number("general", 3)
    # PyTorch counts products of two matrices; the last step, with the vector v, is Tq·T·A more.
    counted = multiply_adds(lambda: made["additive"].scores(query, keys))
    assert counted + s["Tq"] * s["T"] * s["A"] == number("additive", 3)
    assert multiply_adds(lambda: made["multi-head"](query, keys, values)) == number("multi-head", 3)


def test_every_score_of_the_package_has_its_row() -> None:
    from attnlstm_ref._checks import SCORES

    assert {score.replace("_", " ") for score in SCORES} <= {name.replace("-", " ") for name in rows()}
    assert all(len(row) == 7 for row in rows().values())
