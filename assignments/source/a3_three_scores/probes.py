"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np


def up_to_size(scaled_scores, query, keys):
    """The scores as shares of their total size."""
    scores = np.asarray(scaled_scores(query, keys))
    return scores / np.abs(scores).sum()


def size(scaled_scores, query, keys):
    """The total size of the scores; their order is looked at elsewhere."""
    return float(np.abs(np.asarray(scaled_scores(query, keys))).sum())


def pairs_alone(score, query, keys, *rest):
    """In a word, whether a batch of queries and keys gives what its members give one by one."""
    return one_by_one(lambda *pair: score(*pair, *rest), (query, keys), query.shape[:-2])


def rows_alone(slope, scores):
    """In a word, whether many rows give the tables that each gives by itself."""
    word = one_by_one(slope, (scores,), scores.shape[:-1])
    if word == "stops alone":
        return word
    lone = np.shape(slope(scores[(0,) * (scores.ndim - 1)]))
    return word if lone == 2 * scores.shape[-1:] else "no table"


def one_by_one(function, inputs, front):
    """In a word, whether `function` treats the axes `front` of its inputs as a batch."""
    try:
        alone = [np.asarray(function(*(each[place] for each in inputs))) for place in np.ndindex(front)]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return "stops alone"
    try:
        together = np.asarray(function(*inputs))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return "stops"
    alone = np.stack(alone).reshape(*front, *alone[0].shape)
    if together.shape != alone.shape:
        return "too many axes" if together.ndim > alone.ndim else "another shape"
    if np.ptp(alone) == 0:
        return "all equal"
    return "the same" if np.allclose(together, alone) else "other numbers"


def by_rows(largest_weight, scores):
    """The answer, or a word for its shape where that is not one number a row."""
    found = np.asarray(largest_weight(scores))
    if found.shape == scores.shape[:-1]:
        return found
    for axis in range(scores.ndim - 1):
        if found.shape == scores.shape[:axis] + scores.shape[axis + 1 :]:
            return f"axis {axis} is gone"
    return "one number" if found.ndim == 0 else found


def table(slope, scores):
    found = np.asarray(slope(scores))
    return np.diag(found) if found.ndim == 1 else found


def diagonal(slope, scores):
    """The table with zeros off its diagonal."""
    found = table(slope, scores)
    return np.where(np.eye(len(scores)) == 1, found, 0) if found.shape == 2 * scores.shape else found


def off_diagonal(slope, scores):
    """The table with zeros on its diagonal."""
    found = table(slope, scores)
    return np.where(np.eye(len(scores)) == 0, found, 0) if found.shape == 2 * scores.shape else found


def number(additive_scores, *inputs):
    """The first number of the answer; its shape is looked at elsewhere."""
    return np.asarray(additive_scores(*inputs)).ravel()[:1]


def crossed(additive_scores, query, keys, *weights):
    """In a word, whether each number of the table is what that query and that key give by themselves."""
    alone = np.array([[number(additive_scores, q[None], k[None], *weights)[0] for k in keys] for q in query])
    try:
        found = np.asarray(additive_scores(query, keys, *weights))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return "stops"
    if np.ptp(alone) == 0:
        return "all equal"
    if found.shape == alone.shape and np.allclose(found, alone):
        return "every pair"
    if found.shape == alone.T.shape and np.allclose(found, alone.T):
        return "on its side"
    if found.shape == (len(query),):
        return "one number a query"
    return "other numbers" if found.shape == alone.shape else "another shape"


def placed(hill, query, keys, width):
    """The answer, or a word where it stops with several dials and not with one."""
    try:
        return hill(query, keys, width)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        hill(query[:1], keys, width)
        return "one dial only"


def stretched(hill, query, keys, width):
    """A hill of width w, w times as far from its top, over the hill of width 1."""
    wide, narrow = (float(np.ravel(hill(query, keys * w, w))[0]) for w in (width, 1.0))
    return wide / narrow if narrow else 0.0


# --- attend ---------------------------------------------------------------------------------------------------


def parts(attend, query, states, mask, *weights):
    """(context, weights as an array); their order and shape are looked at in `unpadded` only."""
    context, found = two(attend(query, states, mask, *weights))
    if tuple(context.shape) == tuple(mask.shape):
        context, found = found, context
    found = array(found)
    if found.size != array(mask).size:
        raise ValueError(f"the weights have the shape {found.shape}, wanted {tuple(mask.shape)}")
    return context, found.reshape(array(mask).shape)


def two(answers):
    if not isinstance(answers, (tuple, list)) or len(answers) != 2:
        raise ValueError("return two arrays: context, weights")
    return answers


def upside_down(attend, query, states, mask, *weights):
    """Whether a function takes True for padding: that is paid for once."""
    real, found = array(mask), parts(attend, query, states, mask, *weights)[1]
    return bool((found[real] == 0).all() and (found[~real] > 0).any())


def unpadded(attend, query, states, mask, *weights):
    """The answer where nothing is padded, or a word for its shapes."""
    nothing = mask & ~mask if upside_down(attend, query, states, mask, *weights) else mask | ~mask
    answers = two(attend(query, states, nothing, *weights))
    context, found = (tuple(each.shape) for each in answers)
    wanted = (len(states), states.shape[-1]), tuple(mask.shape)
    if (found, context) == wanted:
        return "in another order"
    if found != wanted[1]:
        return "weights of another shape"
    return answers if context == wanted[0] else "context of another shape"


def at_padding(attend, query, states, mask, *weights):
    """In a word, what the weights of the padding are."""
    found, padding = parts(attend, query, states, mask, *weights)[1], ~array(mask)
    if np.isnan(found).any():
        return "NaN"
    if not found.any():
        return "nothing has weight"
    if (found[padding] == 0).all():
        return "zeros"
    if upside_down(attend, query, states, mask, *weights):
        return "only padding has weight"
    if np.allclose(found, parts(attend, query, states, mask | ~mask, *weights)[1]):
        return "as if all were real"
    rows = (row[each] for row, each in zip(found, padding, strict=True))
    return "the same for each" if all(np.allclose(row, row[0], rtol=1e-4, atol=0) for row in rows) else "some"


def sum_of_weights(attend, query, states, mask, *weights):
    return parts(attend, query, states, mask, *weights)[1].sum(axis=-1)


def in_half_precision(attend, *inputs):
    """In a word, how the answer in float16 compares with that in float32, for large scores and an empty recording."""
    *arrays, mask = (*inputs[:2], *inputs[3:], inputs[2])
    real = array(mask).any(axis=-1)
    wide = [array(each) for each in parts(attend, *in_order([single(each) for each in arrays], mask))]
    small = [*arrays[:-1], arrays[-1] / 64]  # a short v: small scores
    try:
        answers = two(attend(*in_order(arrays, mask)))
        narrow = [array(each).astype(float) for each in parts(attend, *in_order(arrays, mask))]
        calm = [array(each).astype(float) for each in parts(attend, *in_order(small, mask))]
    except Exception as error:
        if "overflow" in str(error):
            return "does not fit"
        raise RuntimeError(f"in float16, though not in float32: {error}") from error
    if not all(np.isfinite(each[real]).all() for each in wide):
        return "NaN in float32"
    if not all(np.isfinite(each[real]).all() for each in calm):
        return "NaN"
    if not all(np.isfinite(each[real]).all() for each in narrow):
        return "NaN for large scores"
    if any(np.isfinite(a).all() and not np.isfinite(b).all() for a, b in zip(wide, narrow, strict=True)):
        return "NaN for the empty recording"
    if not all("float16" in str(each.dtype) for each in answers):
        return "another dtype"
    near = np.abs(wide[1] - narrow[1])[real].max() < 0.25
    return "as in float32" if near else "other weights"


def in_order(arrays, mask):
    return [*arrays[:2], mask, *arrays[2:]]


def single(tensor):
    """`tensor` as float32."""
    if hasattr(tensor, "float"):
        return tensor.float()
    import tensorflow as tf

    return tf.cast(tensor, tf.float32)


def empty(attend, query, states, mask, *weights):
    """In a word, what an empty recording (number 1) does to the answer and to the gradients of the context."""
    mask = ~mask if upside_down(attend, query, states, mask, *weights) else mask
    inputs = [query, states, *weights]
    if type(query).__module__.startswith("torch"):
        for each in inputs:
            each.requires_grad_(True)
        try:
            context, found = parts(attend, query, states, mask, *weights)
        except RuntimeError as error:
            if "numpy()" not in str(error):
                raise
            return "no gradient"
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
    nothing = array(context)[1], found[1]
    if any(np.isnan(each).any() for each in nothing):
        return "NaN"
    if nothing[1].any():
        return "weights"
    if nothing[0].any():
        return "a context"
    if all(each is None for each in gradients[2:]):
        return "no gradient"
    finite = all(np.isfinite(array(each)).all() for each in gradients if each is not None)
    return "zeros" if finite else "zeros, and NaN in a gradient"


def array(tensor):
    return tensor.detach().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)
