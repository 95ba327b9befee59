"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np


def finite(softmax, scores):
    weights = np.asarray(softmax(scores))
    return float(np.isfinite(weights).all() and (weights > 0).any())


def each_alone(dot_scores, query, keys):
    """Whether a batch gives what its members give one by one."""
    together = np.asarray(dot_scores(query, keys))
    alone = np.stack([np.asarray(dot_scores(q, k)) for q, k in zip(query, keys, strict=True)])
    table = {query.shape[-2], keys.shape[-2]}  # on its side, perhaps: that is looked at elsewhere
    return together.shape == alone.shape and set(together.shape[-2:]) == table and np.allclose(together, alone)


def at_hidden(masked_softmax, scores, mask):
    return np.asarray(masked_softmax(scores, mask))[~mask]


def as_meant(masked_softmax, scores, mask):
    """`mask`, or its opposite for a function that takes True for *hide*: a mistake is paid for once."""
    weights = np.asarray(masked_softmax(np.zeros(mask.shape), mask))
    return ~mask if (weights[mask] == 0).all() and (weights[~mask] > 0).any() else mask


def sum_of_seen(masked_softmax, scores, mask):
    weights = np.asarray(masked_softmax(scores, as_meant(masked_softmax, scores, mask)))
    return (weights * mask).sum(axis=-1)


def sum_of_all(masked_softmax, scores, mask):
    return np.asarray(masked_softmax(scores, mask)).sum(axis=-1)


def empty_row(masked_softmax, scores, mask):
    seen = as_meant(masked_softmax, scores[[0]], mask[[0]])
    mask = mask if (seen == mask[[0]]).all() else ~mask
    return in_a_word(np.asarray(masked_softmax(scores, mask))[1])


def in_a_word(weights):
    """What stands where nothing may be looked at."""
    if np.isnan(weights).any():
        return "NaN"
    return "weights" if weights.any() else "zeros"


def parts(answer):
    """(context, weights) of what came back; the second is None where only one thing did."""
    return answer if isinstance(answer, (tuple, list)) and len(answer) == 2 else (answer, None)


def context(look_up, query, keys, values, mask):
    return parts(look_up(query, keys, values, mask))[0]


def second_is_weights(look_up, query, keys, values, mask):
    weights = parts(look_up(query, keys, values, mask))[1]
    if weights is None:
        return "one thing"
    weights = np.asarray(weights)
    if weights.shape != mask.shape:
        return "another shape"
    return "weights" if (weights >= 0).all() and (weights <= 1.001).all() else "scores"


def listens_to_mask(look_up, query, keys, values, mask):
    def heard(number):
        one, other = (parts(look_up(query, keys, values, m))[number] for m in (mask, np.ones_like(mask)))
        return one is not None and not np.allclose(one, other, equal_nan=True)

    return heard(0) or heard(1)


def up_to_size(closeness, query, keys, width):
    """The scores as shares of their total size."""
    scores = np.asarray(closeness(query, keys, width))
    return scores / np.abs(scores).sum()


def size(closeness, query, keys, width):
    """How far the score is from 0; its sign and order are looked at elsewhere."""
    return float(np.abs(np.asarray(closeness(query, keys, width))).ravel()[0])


def in_half_precision(attend, query, keys, values, mask):
    """(context and weights are float16, all their numbers are finite)"""
    both = attend(query, keys, values, mask)
    narrow = all("float16" in str(each.dtype) for each in both)
    return narrow, all(bool(np.isfinite(array(each).astype(float)).all()) for each in both)


def attend_to_nothing(attend, query, keys, values, mask):
    context, weights = (array(each)[0, 1] for each in attend(query, keys, values, mask))
    return in_a_word(np.concatenate([context, weights]))


def gradient(attend, query, keys, values, mask):
    """(the gradient of the sum of the context by the query is finite, and not all zero)"""
    if type(query).__module__.startswith("torch"):
        query.requires_grad_(True)
        context, _ = attend(query, keys, values, mask)
        if context.requires_grad:
            context.sum().backward()
        found = None if query.grad is None else query.grad.numpy()
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(query)
            total = tf.reduce_sum(attend(query, keys, values, mask)[0])
        found = tape.gradient(total, query)
        found = None if found is None else found.numpy()
    if found is None:
        return True, False
    return bool(np.isfinite(found).all()), bool((np.nan_to_num(found) != 0).any())


def array(tensor):
    return tensor.detach().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)
