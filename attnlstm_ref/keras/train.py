"""Keras trains by `fit`; all it lacks is batches of texts of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

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
    lengths, targets = [len(one) for one in ids], np.asarray(labels, dtype=dtype)
    rng = None if seed is None else np.random.default_rng(seed)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for rows in text.batches_by_length(lengths, batch_size, rng=rng):
            yield text.pad([ids[row] for row in rows])[0], targets[rows]

    signature = tf.TensorSpec((None, None), "int64"), tf.TensorSpec((None, *targets.shape[1:]), dtype)
    count = -(-len(ids) // batch_size)
    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return data.apply(tf.data.experimental.assert_cardinality(count))
