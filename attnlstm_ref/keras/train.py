"""Keras trains by `fit`; all it lacks is batches of texts of like length, and a measure for whole answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from attnlstm_ref import _checks, text


def text_batches(
    ids: Sequence[Sequence[int]],
    labels: Sequence[float] | np.ndarray,
    batch_size: int,
    *,
    seed: int | None = None,
    dtype: str = "float32",
) -> tf.data.Dataset:
    """Batches of texts of about equal length, padded on the right only as far as each batch needs, for `fit`.

    A data set of TensorFlow's, because it can be told that every batch has a length of its own; Keras would guess one
    from the first batches of a generator. No mask comes along: `AttentionLSTM` takes every 0 for padding.

    Parameters
    ----------
    ids : token numbers of each text
    labels : one for each text, or a row of them
    batch_size : texts in a batch
    seed : shuffle anew each time the data set is gone through; None keeps one order, by length, for validation
    dtype : of the labels: "float32" for yes-or-no logits and values, "int64" for classes

    Returns
    -------
    batches of tokens (B, T), labels (B,); `fit(batches, shuffle=False)`, or Keras warns that it cannot shuffle them

    Raises
    ------
    ValueError
        No texts, another number of labels than of texts, a batch size below 1.
    """
    if not len(ids) or len(ids) != len(labels):
        raise ValueError(f"labels: got {len(labels)}, wanted one for each of {len(ids)} texts, at least one")
    _checks.at_least("batch_size", batch_size, 1, "texts")
    targets = np.asarray(labels, dtype=dtype)

    def batch(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return text.pad([ids[row] for row in rows])[0], targets[rows]

    signature = tf.TensorSpec((None, None), "int64"), tf.TensorSpec((None, *targets.shape[1:]), dtype)
    return _by_length([len(one) for one in ids], batch_size, seed, batch, signature)


def pair_batches(
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    batch_size: int,
    *,
    start: int,
    end: int,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Batches of pairs whose sources are about equally long, padded on the right, for `fit` with teacher forcing.

    Parameters
    ----------
    sources, targets : token numbers of each text and of its answer, without marks
    batch_size : pairs in a batch
    start, end : the marks; the decoder reads `start` and the answer, and is to write the answer and `end`
    seed : shuffle anew each time the data set is gone through; None keeps one order, by length of the source, for
        validation

    Returns
    -------
    batches of (source (B, T), what the decoder reads (B, U)), what it is to write (B, U); `fit(batches, shuffle=False)`

    Raises
    ------
    ValueError
        No pairs, another number of targets than of sources, a batch size or mark below 1, a target with the token 0.
    """
    _checks.pairs(sources, targets, batch_size, start, end)

    def batch(rows: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        source, read, write = (
            text.pad(sequences)[0]
            for sequences in (
                [sources[row] for row in rows],
                [[start, *targets[row]] for row in rows],
                [[*targets[row], end] for row in rows],
            )
        )
        return (source, read), write

    tokens = tf.TensorSpec((None, None), "int64")
    return _by_length([len(one) for one in sources], batch_size, seed, batch, ((tokens, tokens), tokens))


@keras.saving.register_keras_serializable("attnlstm_ref")
def sequence_accuracy(targets: Any, logits: Any) -> Any:
    """1 for each row (B,) whose every token is right, each written after the true ones before it; padding is passed.

    A row is right here exactly where `greedy` writes it without a fault: up to the first fault both read the same.

    Parameters
    ----------
    targets : (B, U) what the decoder is to write, 0 after its end
    logits : (B, U, V)
    """
    targets = ops.cast(targets, "int64")
    written = ops.cast(ops.argmax(logits[..., 1:], axis=-1), "int64") + 1  # padding is no answer
    right = ops.logical_or(ops.equal(written, targets), ops.equal(targets, 0))
    return ops.cast(ops.all(right, axis=-1), "float32")


def _by_length(
    lengths: list[int], batch_size: int, seed: int | None, make: Callable[[np.ndarray], Any], signature: Any
) -> tf.data.Dataset:
    """Rows of about equal length together, in an order of its own each time the data set is gone through."""
    rng = None if seed is None else np.random.default_rng(seed)

    def batches() -> Iterator[Any]:
        return map(make, text.batches_by_length(lengths, batch_size, rng=rng))

    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return data.apply(tf.data.experimental.assert_cardinality(-(-len(lengths) // batch_size)))
