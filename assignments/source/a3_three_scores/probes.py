"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np


def up_to_size(scaled_scores, query, keys):
    """The scores as shares of their total size."""
    scores = np.asarray(scaled_scores(query, keys))
    return scores / np.abs(scores).sum()


def size(scaled_scores, query, keys):
    """The total size of the scores; their order is looked at elsewhere."""
    return float(np.abs(np.asarray(scaled_scores(query, keys))).sum())


def each_alone(function, *inputs):
    """Whether a batch gives what its members give one by one. Query and keys are batches, matrices are not."""
    batch, rest = inputs[:2], inputs[2:]
    together = np.asarray(function(*inputs))
    alone = np.stack([np.asarray(function(*member, *rest)) for member in zip(*batch, strict=True)])
    return together.shape == alone.shape and np.ptp(together) > 0 and np.allclose(together, alone)


def table(slope, scores):
    found = np.asarray(slope(scores))
    return np.diag(found) if found.ndim == 1 else found


def diagonal(slope, scores):
    return np.diagonal(table(slope, scores))


def off_diagonal(slope, scores):
    found = table(slope, scores)
    return found[~np.eye(len(found), dtype=bool)]


def number(additive_scores, *inputs):
    """The first number of the answer; its shape is looked at elsewhere."""
    return np.asarray(additive_scores(*inputs)).ravel()[:1]


def crossed(additive_scores, query, keys, *weights):
    """(shape of the table, whether each of its numbers is what that query and that key give by themselves)"""
    found = np.asarray(additive_scores(query, keys, *weights))
    alone = [[number(additive_scores, q[None], k[None], *weights)[0] for k in keys] for q in query]
    return list(found.shape), found.shape == np.shape(alone) and np.ptp(found) > 0 and np.allclose(found, alone)


def stretched(hill, query, keys, width):
    """A hill of width w, w times as far from its top, over the hill of width 1."""
    wide, narrow = (float(np.ravel(hill(query, keys * w, w))[0]) for w in (width, 1.0))
    return wide / narrow if narrow else 0.0


def parts(attend, query, states, mask, *weights):
    """(context, weights as an array); their order and shape are looked at in `unpadded` only."""
    context, found = attend(query, states, mask, *weights)
    if tuple(context.shape) == tuple(mask.shape):
        context, found = found, context
    return context, array(found).reshape(array(mask).shape)


def upside_down(attend, query, states, mask, *weights):
    """Whether a function takes True for padding: that is paid for once."""
    real, found = array(mask), parts(attend, query, states, mask, *weights)[1]
    return (found[real] == 0).all() and (found[~real] > 0).any()


def unpadded(attend, query, states, mask, *weights):
    """The answer where nothing is padded."""
    nothing = mask & ~mask if upside_down(attend, query, states, mask, *weights) else mask | ~mask
    return attend(query, states, nothing, *weights)


def at_padding(attend, query, states, mask, *weights):
    """The weights of the padding, and 1 more where they are not exactly 0 (or where nothing else has weight either)."""
    found = parts(attend, query, states, mask, *weights)[1]
    found = found + (found != 0 if found.any() else 1)
    return found[~array(mask)]


def sum_of_weights(attend, query, states, mask, *weights):
    return parts(attend, query, states, mask, *weights)[1].sum(axis=-1)


def in_half_precision(attend, *inputs):
    """(both answers are float16, all their numbers are finite)"""
    answers = attend(*inputs)
    narrow = all("float16" in str(each.dtype) for each in answers)
    numbers = [array(each).astype(float) for each in answers]
    return narrow, all(bool(np.isfinite(each).all() and each.any()) for each in numbers)


def empty(attend, query, states, mask, *weights):
    """(recording 1 gets zeros, all gradients are finite, some gradient reaches a matrix)"""
    mask = ~mask if upside_down(attend, query, states, mask, *weights) else mask
    inputs = [query, states, *weights]
    if type(query).__module__.startswith("torch"):
        for each in inputs:
            each.requires_grad_(True)
        context, found = parts(attend, query, states, mask, *weights)
        if context.requires_grad:
            context.square().sum().backward()
        gradients = [each.grad for each in inputs]
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            context, found = parts(attend, query, states, mask, *weights)
            total = tf.reduce_sum(tf.square(context))
        gradients = tape.gradient(total, inputs)
    zeros = (array(context)[1] == 0).all() and (found[1] == 0).all()
    reached = any(each is not None for each in gradients[2:])
    finite = all(np.isfinite(array(each)).all() for each in gradients if each is not None)
    return bool(zeros), bool(finite), reached


def array(tensor):
    return tensor.detach().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)
