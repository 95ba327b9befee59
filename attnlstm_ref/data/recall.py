"""Key-value recall: a task whose answer, and where it stands, is known.

A sequence names some pairs and then asks for one of them:

    k₃ v₁   k₇ v₄   k₁ v₁   k₃ ?   ->   v₁, seen at step 1

A model that carries everything in one vector has to remember every pair, since any of them may be
asked for; a model that can look back has to remember nothing. It is the associative recall of
Graves et al. (2014, section 4.3), cut down to one key and one value a pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

PAD = 0


class Recall(NamedTuple):
    """`n` sequences of T = 2·pairs + 1 steps; unpacks as `tokens, answer, where`."""

    tokens: Int64[np.ndarray, "n T"]
    """(n, T) key, value, key, value, …, and last the key that is asked for."""
    answer: Int64[np.ndarray, " n"]
    """(n,) the value asked for, 0 … values − 1: a class, not a token."""
    where: Int64[np.ndarray, " n"]
    """(n,) the step at which that value stands."""


def vocab_size(*, values: int = 10, keys: int = 32) -> int:
    """How many tokens there are: token 0 pads, then come the values, then the keys."""
    return 1 + values + keys


def make(n: int, pairs: int, *, values: int = 10, keys: int = 32, rng: np.random.Generator) -> Recall:
    """Draw `n` sequences; keys are never repeated within one, values may be.

    Value v is token 1 + v and key k is token 1 + values + k. No token is 0, which pads elsewhere in
    the book. Answering at random is right once in `values`; `guess_the_commonest` says what a model
    reaches that knows the values seen but not which key each belonged to.

    Parameters
    ----------
    n : sequences to draw
    pairs : pairs in each
    values : different values, drawn evenly and independently
    keys : different keys, at least as many as pairs
    rng : the source of chance

    Returns
    -------
    Recall of tokens (n, 2·pairs + 1), answer (n,), where (n,)

    Raises
    ------
    ValueError
        A count below 1, or fewer keys than pairs.
    """
    for name, count in {"n": n, "pairs": pairs, "values": values, "keys": keys}.items():
        if count < 1:
            raise ValueError(f"{name}: got {count}, wanted at least 1")
    if keys < pairs:
        raise ValueError(f"keys: got {keys}, wanted at least {pairs}, since no key stands in two pairs of a sequence")
    # Sorting random numbers shuffles every row at once.
    key = rng.random((n, keys)).argsort(axis=1)[:, :pairs]  # (n, pairs)
    value = rng.integers(values, size=(n, pairs))  # (n, pairs)
    asked = rng.integers(pairs, size=n)  # (n,) which pair
    rows = np.arange(n)

    tokens = np.empty((n, 2 * pairs + 1), dtype=np.int64)
    tokens[:, 0:-1:2] = 1 + values + key
    tokens[:, 1::2] = 1 + value
    tokens[:, -1] = 1 + values + key[rows, asked]
    return Recall(tokens, value[rows, asked], 2 * asked.astype(np.int64) + 1)


def guess_the_commonest(data: Recall, *, values: int = 10) -> float:
    """How often one is right who always says the value seen most often in the sequence.

    This is the best that can be done knowing how often each value occurred and nothing of its key:
    a bar that a model must clear before it can be said to remember pairs. It lies above 1/values.

    Returns
    -------
    the expected share of right answers on `data`, every pair being equally likely to be asked for
    """
    shown = data.tokens[:, 1::2] - 1  # (n, pairs)
    counts = (shown[:, :, None] == np.arange(values)).sum(axis=1)  # (n, values)
    return float((counts.max(axis=1) / shown.shape[1]).mean())
