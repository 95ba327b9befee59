"""How some of your functions are looked at: what the checks compute from their answers.

Many say what they see in a word or two; the check then says it in a sentence.
"""

import numpy as np


def array(tensor):
    return tensor.detach().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)


def like(tensor, values):
    """An array as the type of `tensor`."""
    if isinstance(tensor, np.ndarray):
        return values
    if type(tensor).__module__.startswith("torch"):
        import torch

        return torch.from_numpy(values)
    from keras import ops

    return ops.convert_to_tensor(values)


# --- temperature ------------------------------------------------------------------------------------------------


def row_sums(softmax_at, scores, temperature):
    return np.asarray(softmax_at(scores, temperature)).sum(axis=-1)


def survives(softmax_at, scores, temperature):
    """ "weights", "NaN" (also for infinity), or "tie" if the best of a row is not ahead of the others"""
    weights = np.asarray(softmax_at(scores, temperature))
    if not np.isfinite(weights).all():
        return "NaN"
    return "tie" if weights.ndim == 1 and (weights == weights.max()).sum() > 1 else "weights"


def summed(entropy, weights):
    """The answer to one row; which axes it has is looked at elsewhere."""
    return float(np.sum(entropy(weights)))


def with_zeros(entropy, weights):
    """ "same" as the same weights give with next to nothing in place of zeros, "NaN", "infinite", "zero", "other" """
    here, almost = summed(entropy, weights), summed(entropy, np.maximum(weights, 1e-12))
    if not np.isfinite(here):
        return "NaN" if np.isnan(here) else "infinite"
    return "zero" if here == 0 else "same" if np.isclose(here, almost, rtol=1e-4) else "other"


def row_by_row(entropy, weights):
    """ "own" if every row gives what it gives alone, "other" if not; the answer's shape if it is not one for each"""
    together = np.asarray(entropy(weights))
    if together.shape != weights.shape[:-1]:
        return list(together.shape)
    alone = [summed(entropy, row) for row in weights.reshape(-1, weights.shape[-1])]
    return "own" if np.allclose(together.ravel(), alone) else "other"


def answers_to(temperature_for, scores, *lengths):
    """The temperature of each length; None if one is not a single number."""
    answers = [np.squeeze(temperature_for(scores, length)) for length in lengths]
    return [float(each) for each in answers] if all(each.ndim == 0 for each in answers) else None


def search(temperature_for, scores, length):
    """The temperature; "many" for more than one number, "end" if a longer length has the same"""
    answers = answers_to(temperature_for, scores, length, 1.05 * length)
    if answers is None:
        return "many"
    return "end" if np.isclose(*answers, rtol=1e-6, atol=0) else answers[0]


def reach(temperature_for, scores, length):
    """Is the answer 100,000 times as large, or small, where the scores are? "both", "large", "small", "neither"

    "end" if it is no search yet, "same" if the answer is the same for all.
    """
    if isinstance(once := search(temperature_for, scores, length), str):
        return "end"
    found = []
    for size in (1e5, 1e-5):
        try:
            found += answers_to(temperature_for, scores * size, length)
        except (ValueError, RuntimeError) as error:  # a library's search that finds nothing between its ends
            if isinstance(error, NotImplementedError):
                raise
            found.append(np.nan)
    if np.allclose(found, once):
        return "same"
    by = np.abs(np.log10(np.abs(found)) - np.log10(abs(once)))
    apart = np.abs(np.array(found) - once)  # of logarithms
    large, small = np.isclose(by, 5, rtol=0, atol=0.005) | np.isclose(apart, 5 * np.log(10), rtol=0, atol=0.01)
    return "both" if large and small else "large" if large else "small" if small else "neither"


# --- heads ------------------------------------------------------------------------------------------------------


def each_alone(split_heads, x, heads):
    """What a batch gives beside what its members give one by one: "same", "heads first", "flat", "mixed", "stops" """
    members = x.reshape(-1, *x.shape[-2:])
    alone = np.stack([np.asarray(split_heads(member, heads)) for member in members])
    alone = alone.reshape(*x.shape[:-2], *alone.shape[1:])
    try:
        together = np.asarray(split_heads(x, heads))
    except (ValueError, IndexError, TypeError):
        return "stops"
    if np.array_equal(together, alone):
        return "same"
    if np.array_equal(together, np.moveaxis(alone, x.ndim - 2, 0)):
        return "heads first"
    return "flat" if np.array_equal(together.ravel(), alone.ravel()) else "mixed"


def pair(answer):
    """(context, weights), also where they come back in the other order; None for weights that are not there"""
    if not isinstance(answer, (tuple, list)):
        return answer, None
    if len(answer) == 1:
        return answer[0], None
    context, weights = answer
    return (weights, context) if getattr(context, "ndim", 3) == 4 else (context, weights)


def weights_of(function, query, keys, values, w, heads, mask, *temperature):
    """The weights, an array (B, h, Tq, T); if they do not come back, seen from outside, a word and a head at a time."""
    _, weights = pair(function(query, keys, values, w, heads, mask, *temperature))
    if weights is not None:
        weights = array(weights)
        return np.repeat(weights[:, None], heads, axis=1) if weights.ndim == 3 else weights
    before, out = array(w["values"]), array(w["out"])
    d = before.shape[1] // heads
    every = np.zeros((len(query), heads, query.shape[1], keys.shape[1]))
    for head, word in np.ndindex(heads, keys.shape[1]):
        one, into, only = np.zeros_like(array(values)), np.zeros_like(before), np.zeros_like(out)
        one[:, word, 0], into[0], only[head * d, 0] = 1, 1, 1  # a word says 1, the others 0; a head is listened to
        own = {**w, "values": like(values, into), "out": like(values, only)}
        context, _ = pair(function(query, keys, like(values, one), own, heads, mask, *temperature))
        every[:, head, :, word] = array(context)[..., 0]
    return every


def as_meant(function, query, keys, values, w, heads, mask, *temperature):
    """`mask`, or its opposite for a function that takes True for *hide*: a mistake is paid for once."""
    first_hidden = np.array(array(mask))
    first_hidden[:, 0] = False
    weights = weights_of(function, query, keys, values, w, heads, like(mask, first_hidden), *temperature)
    return like(mask, ~array(mask)) if np.allclose(weights[..., 0], 1, atol=1e-3) else mask


def ask(function, query, keys, values, w, heads, mask, *temperature):
    """The context, with the mask as it is meant."""
    mask = as_meant(function, query, keys, values, w, heads, mask, *temperature)
    return pair(function(query, keys, values, w, heads, mask, *temperature))[0]


def look(function, query, keys, values, w, heads, mask, *temperature):
    """The weights, with the mask as it is meant."""
    mask = as_meant(function, query, keys, values, w, heads, mask, *temperature)
    return weights_of(function, query, keys, values, w, heads, mask, *temperature)


def logarithms(weights):
    """Of each row, about their mean."""
    logs = np.log(weights)
    return logs - logs.mean(axis=-1, keepdims=True)


def pattern(multi_head, query, keys, values, w, heads, mask, temperature):
    """The weights' logarithms up to a factor: which words are ahead of which, however sharply."""
    mask = as_meant(multi_head, query, keys, values, w, heads, mask, temperature)
    answer = multi_head(query, keys, values, w, heads, mask, temperature)
    if isinstance(answer, (tuple, list)) and np.ndim(answer[0]) == 4:
        return "places"
    _, weights = pair(answer)
    if weights is None or (np.asarray(weights) < 0).any():
        return "none" if weights is None else "negative"
    logs = logarithms(np.asarray(weights))
    return logs / np.linalg.norm(logs)


def spread(multi_head, *inputs):
    """How far the weights' logarithms lie apart; which word is ahead is looked at elsewhere."""
    return logarithms(look(multi_head, *inputs)).std()


def under_temperature(multi_head, query, *inputs):
    """What a temperature of 2 does to the weights, in a word."""
    *inputs, _ = inputs
    hot, one = look(multi_head, query, *inputs, 2.0), look(multi_head, query, *inputs, 1.0)
    powers = {"divides": 1.0, "nothing": 0.0, "multiplies": -1.0, "twice": 2.0, "root": 0.5}
    for word, power in powers.items():
        if np.allclose(hot, look(multi_head, query / 2**power, *inputs, 1.0)):
            return word
    return "after" if np.allclose(2 * hot, one) else "other"


def hides(function, query, keys, values, w, heads, mask, *temperature):
    """What a mask that hides one word of one member of the batch does to the weights, in a word or two."""
    inputs = query, keys, values, w, heads
    (member, word), *_ = np.argwhere(~array(mask))
    masked = weights_of(function, *inputs, mask, *temperature)
    whole = weights_of(function, *inputs, like(mask, np.ones_like(array(mask))), *temperature)
    there = masked[member, :, :, word]
    if np.allclose(there, 1, atol=1e-3):
        return "upside down"
    touched = (~np.isclose(masked, whole, rtol=1e-5, atol=1e-7)).any(axis=-1)  # (B, h, Tq)
    places = {
        "hidden": np.s_[member],
        "batch on queries": np.s_[:, :, member],
        "batch on heads": np.s_[:, member],
        "words on queries": np.s_[member, :, word],
        "words on heads": np.s_[member, word],
        "nothing": np.s_[:0],
    }
    only = [said for said, place in places.items() if touched[place].all() and not touched.sum() - touched[place].sum()]
    if only != ["hidden"]:
        return only[0] if only else "elsewhere"
    if np.isnan(masked[member]).any():
        return "NaN"
    if (np.abs(there) > 1e-9).any():
        return "some"
    if np.allclose(whole.sum(-1), 1, atol=1e-4) and not np.allclose(masked.sum(-1), 1, atol=1e-4):
        return "short"
    if temperature:
        cold = np.nan_to_num(weights_of(function, *inputs, mask, 1e-4)[member, :, :, word])
        return "some in the cold" if (np.abs(cold) > 1e-9).any() else "hidden"
    return "hidden"


# --- the library's layer ----------------------------------------------------------------------------------------

STOPS = {  # words of an error -> what has happened
    "expecting 0 weights": "unbuilt",
    "no attribute '_": "unbuilt",
    "expecting 8 weights": "biases",
    "Missing key(s)": "biases",
    "leaf Variable": "no_grad",
    "cannot assign": "no_grad",
    "not compatible with provided": "shapes",
    "must match": "shapes",
    "size mismatch": "shapes",
    "invalid for input of size": "shapes",
    "embed_dim must be divisible": "order",
}


def or_why_it_stops(looked_at, *inputs):
    """looked_at(*inputs), or a word for why it stops, where that is known."""
    try:
        return looked_at(*inputs)
    except NotImplementedError:
        raise
    except Exception as error:
        for words, said in STOPS.items():
            if words in str(error):
                return said
        raise


def library_context(library_heads, *inputs):
    return or_why_it_stops(ask, library_heads, *inputs)


def library_weights(library_heads, *inputs):
    """How the weights come back: "each", "averaged", "none", "places" (context second); "stops" if it does."""
    answer = or_why_it_stops(library_heads, *inputs)
    if isinstance(answer, str):
        return "stops"
    context, weights = pair(answer)
    if weights is None:
        return "none"
    if context is not answer[0]:
        return "places"
    return {4: "each", 3: "averaged"}.get(len(weights.shape), "other")


def library_mask(library_heads, *inputs):
    said = or_why_it_stops(hides, library_heads, *inputs)
    return "stops" if said in STOPS.values() else said
