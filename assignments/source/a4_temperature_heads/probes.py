"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np


def array(tensor):
    return tensor.detach().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)


# --- temperature ------------------------------------------------------------------------------------------------


def row_sums(softmax_at, scores, temperature):
    return np.asarray(softmax_at(scores, temperature)).sum(axis=-1)


def finite(softmax_at, scores, temperature):
    return float(np.isfinite(softmax_at(scores, temperature)).all())


def summed(entropy, weights):
    """The answer to one row; which axes it has is looked at elsewhere."""
    return float(np.sum(entropy(weights)))


def as_without_zeros(entropy, weights):
    """The answer as a multiple of what the same weights give with next to nothing in place of zeros."""
    return summed(entropy, weights) / summed(entropy, np.maximum(weights, 1e-12))


def row_by_row(entropy, weights):
    """[the shape, whether every row gives what it gives alone]"""
    together = np.asarray(entropy(weights))
    alone = np.array([summed(entropy, row) for row in weights.reshape(-1, weights.shape[-1])])
    return [list(together.shape), bool(together.size == alone.size and np.allclose(together.ravel(), alone))]


def grows_with_scores(temperature_for, scores, length):
    """[whether scores 1000 times as large need a temperature 1000 times as large, and the same of a thousandth]"""
    once = temperature_for(scores, length)
    by = [temperature_for(scores * factor, length) / once for factor in (1000, 0.001)]
    return [bool(np.isclose(abs(np.log10(ratio)), 3, atol=0.005)) for ratio in map(float, by)]


# --- heads ------------------------------------------------------------------------------------------------------


def each_alone(split_heads, x, heads):
    """Whether a batch gives what its members give one by one."""
    together = np.asarray(split_heads(x, heads))
    members = x.reshape(-1, *x.shape[-2:])
    alone = np.stack([np.asarray(split_heads(member, heads)) for member in members])
    return together.size == alone.size and np.array_equal(together, alone.reshape(*x.shape[:-2], *alone.shape[1:]))


def like(tensor, values):
    """An array as the type of `tensor`."""
    if isinstance(tensor, np.ndarray):
        return values
    if type(tensor).__module__.startswith("torch"):
        import torch

        return torch.from_numpy(values)
    from keras import ops

    return ops.convert_to_tensor(values)


def pair(answer):
    """(context, weights), also where they come back in the other order; None for weights that are not there"""
    if not isinstance(answer, (tuple, list)):
        return answer, None
    context, weights = answer
    return (weights, context) if getattr(context, "ndim", 3) == 4 else (context, weights)


def as_meant(function, query, keys, values, w, heads, mask, *temperature):
    """`mask`, or its opposite for a function that takes True for *hide*: a mistake is paid for once."""
    first_hidden = np.array(array(mask))
    first_hidden[:, 0] = False
    _, weights = pair(function(query, keys, values, w, heads, like(mask, first_hidden), *temperature))
    turned = weights is not None and np.allclose(array(weights)[..., 0], 1, atol=1e-3)
    return like(mask, ~array(mask)) if turned else mask


def ask(function, query, keys, values, w, heads, mask, *temperature):
    """(context, weights) with the mask as it is meant"""
    mask = as_meant(function, query, keys, values, w, heads, mask, *temperature)
    return pair(function(query, keys, values, w, heads, mask, *temperature))


def found(weights):
    if weights is None:
        raise ValueError("no weights came back")
    return np.asarray(weights)


def logarithms(weights):
    """Of each row, about their mean."""
    logs = np.log(found(weights))
    return logs - logs.mean(axis=-1, keepdims=True)


def pattern(multi_head, *inputs):
    """The weights' logarithms up to a factor: which words are ahead of which, however sharply."""
    answer = multi_head(*inputs)
    if isinstance(answer, (tuple, list)) and np.ndim(answer[0]) == 4:
        return "places"
    _, weights = ask(multi_head, *inputs)
    if weights is None or (np.asarray(weights) < 0).any():
        return None if weights is None else "negative"
    logs = logarithms(weights)
    return logs / np.linalg.norm(logs)


def spread(multi_head, *inputs):
    """How far the weights' logarithms lie apart; which word is ahead is looked at elsewhere."""
    return logarithms(ask(multi_head, *inputs)[1]).std()


def power_of_temperature(multi_head, query, *inputs):
    """p, if the weights at temperature 2 are those at 1 of a query divided by 2 to the p"""
    *inputs, _ = inputs
    hot = found(ask(multi_head, query, *inputs, 2.0)[1])
    for power in (1.0, 0.0, -1.0, 2.0, 0.5):
        if np.allclose(hot, ask(multi_head, query / 2**power, *inputs, 1.0)[1]):
            return power
    return None


def shares(multi_head, query, keys, values, w, heads, mask, temperature):
    """[the hidden words' share for each query (B, Tq), the smallest sum of a row]"""
    weights = found(pair(multi_head(query, keys, values, w, heads, mask, temperature))[1])
    hidden = np.where(mask.reshape(len(mask), *[1] * (weights.ndim - 2), -1), 0.0, weights).sum(axis=-1)
    return [hidden.mean(axis=1) if hidden.ndim == 3 else hidden, weights.sum(axis=-1).min()]


def context(multi_head, *inputs):
    return ask(multi_head, *inputs)[0]


def library_context(library_heads, *inputs):
    return ask(library_heads, *inputs)[0]


def shape_of_weights(library_heads, *inputs):
    _, weights = pair(library_heads(*inputs))
    return weights if weights is None else list(weights.shape)


def hidden_share(library_heads, query, keys, values, w, heads, mask):
    """How much of the weight lies on hidden words, on average; ½ if there are no weights but hidden words matter."""
    context, weights = pair(library_heads(query, keys, values, w, heads, mask))
    seen = array(mask)
    if weights is None:
        moved = like(values, np.where(seen[..., None], array(values), 9).astype(np.float32))
        other, _ = pair(library_heads(query, keys, moved, w, heads, mask))
        return 0.0 if np.allclose(array(context), array(other), atol=1e-4) else 0.5
    weights = array(weights)
    seen = seen.reshape(len(seen), *[1] * (weights.ndim - 2), -1)
    return np.where(seen, 0.0, weights).sum(axis=-1).mean()
