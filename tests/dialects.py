"""One face for the three dialects, so that a property is written once.

`Dialect` turns NumPy arrays into the dialect's own and back, and takes gradients. `ATTENTIONS` are the ways to attend:
each maps a dialect and a dtype to a function of (query, keys, values, mask, temperature). Layers are given the
parameters the functions get, so one property covers both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

import attnlstm_ref.keras
import attnlstm_ref.numpy
import attnlstm_ref.torch

SIZE = 4  # width of query and keys in every property
UNITS = 3


class Dialect:
    """Arrays in and out of one dialect, and gradients by its own machinery."""

    def __init__(self, name: str, module: ModuleType, dtypes: tuple[str, ...]) -> None:
        self.name, self.module, self.dtypes = name, module, dtypes

    def __repr__(self) -> str:
        return self.name

    def array(self, x: Any, dtype: str = "float64") -> Any:
        x = np.asarray(x)
        kind = "bool" if x.dtype == bool else dtype
        if self.name == "torch":
            return torch.tensor(x).to(getattr(torch, kind))
        if self.name == "keras":
            return tf.cast(tf.constant(x), kind)
        return x.astype(kind)

    def back(self, x: Any) -> np.ndarray:
        if self.name == "torch":
            return x.detach().to(torch.float64).numpy()
        if self.name == "keras":
            return tf.cast(x, "float64").numpy()
        return x.astype("float64")

    def gradients(self, function: Callable[..., Any], *arrays: Any) -> list[np.ndarray]:
        """d function / d array for each array; `function` returns one number in the dialect's own type."""
        if self.name == "torch":
            leaves = [x.detach().clone().requires_grad_() for x in arrays]
            return [self.back(g) for g in torch.autograd.grad(function(*leaves), leaves)]
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            loss = function(*arrays)
        # A gradient that does not exist is zero.
        found = tape.gradient(loss, arrays, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [self.back(g) for g in found]


NUMPY = Dialect("numpy", attnlstm_ref.numpy, ("float32", "float64"))
TORCH = Dialect("torch", attnlstm_ref.torch, ("float16", "bfloat16", "float32", "float64"))
KERAS = Dialect("keras", attnlstm_ref.keras, ("float16", "bfloat16", "float32", "float64"))
ALL = (NUMPY, TORCH, KERAS)

# Half the last bit of each format, some dozen times over: what a sum of a few products may lose.
TOLERANCE = {"float16": 2e-2, "bfloat16": 8e-2, "float32": 1e-5, "float64": 1e-12}


def parameters() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    shapes = {"weight": (SIZE, SIZE), "w_query": (SIZE, UNITS), "w_keys": (SIZE, UNITS), "v": (UNITS,)}
    return {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}


def score_of(dialect: Dialect, name: str, dtype: str) -> Callable[[Any, Any], Any]:
    """A function (query, keys) -> scores with its parameters filled in."""
    p = {key: dialect.array(value, dtype) for key, value in parameters().items()}
    if name == "general":
        return functools.partial(dialect.module.general_scores, weight=p["weight"])
    if name == "additive":
        return functools.partial(dialect.module.additive_scores, **{k: p[k] for k in ("w_query", "w_keys", "v")})
    return getattr(dialect.module, f"{name}_scores")


def function(dialect: Dialect, dtype: str, score: str, **options: Any) -> Callable[..., Any]:
    return functools.partial(dialect.module.attend, score=score_of(dialect, score, dtype), **options)


def layer(dialect: Dialect, dtype: str, score: str, **options: Any) -> Any:
    kinds = {
        "dot": ("DotAttention", {"scaled": False}),
        "scaled_dot": ("DotAttention", {}),
        "general": ("GeneralAttention", {"query_size": SIZE, "key_size": SIZE}),
        "additive": ("AdditiveAttention", {"query_size": SIZE, "key_size": SIZE, "units": UNITS}),
    }
    name, arguments = kinds[score]
    kind = getattr(dialect.module, name)
    if dialect.name == "keras":
        made = kind(**arguments, **options, dtype=dtype)
        for weight in made.weights:
            if weight.name in parameters():  # dropout keeps the state of its random numbers among the weights
                weight.assign(parameters()[weight.name])
        return made
    made = kind(**arguments, **options).to(getattr(torch, dtype))
    for key, value in made.named_parameters():
        value.data = dialect.array(parameters()[key], dtype)
    return made


SCORES = ("dot", "scaled_dot", "general", "additive")
WAYS: list[Any] = [
    pytest.param(d, make, s, id=f"{d}-{make.__name__}-{s}")
    for d in ALL
    for make in (function, layer)
    for s in SCORES
    if not (make is layer and d is NUMPY)
] + [
    pytest.param(TORCH, functools.partial(function, need_weights=False), s, id=f"torch-fused-{s}")
    for s in ("dot", "scaled_dot")
]
every_way = pytest.mark.parametrize(("dialect", "make", "score"), WAYS)
every_dialect = pytest.mark.parametrize("dialect", ALL, ids=str)


def attend(
    dialect: Dialect,
    make: Callable[..., Any],
    score: str,
    query: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    dtype: str = "float64",
    **options: Any,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Context and weights as NumPy arrays, whatever computed them."""
    inputs = [dialect.array(x, dtype) for x in (query, keys, values)]
    masked = None if mask is None else dialect.array(mask)
    context, weights = make(dialect, dtype, score)(*inputs, masked, **options)
    return dialect.back(context), None if weights is None else dialect.back(weights)
