"""Temperature and heads: how wide a lamp shines on the words of a review, and two lamps at once."""

from __future__ import annotations

import numpy as np

from ..question import Concept, Question


def softmax_at(scores, temperature, axis=-1):
    e = scores / temperature
    e = np.exp(e - e.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def entropy(weights):
    return -(weights * np.log(np.where(weights > 0, weights, 1.0))).sum(axis=-1)


def effective_length(weights):
    return np.exp(entropy(weights))


def by_squares(weights):
    """Chapter 7's second effective number."""
    return 1 / (weights**2).sum(axis=-1)


def temperature_for(scores, length, count=effective_length):
    low, high = np.log(1e-9), np.log(1e9)
    for _ in range(100):
        middle = (low + high) / 2
        too_cold = count(softmax_at(scores, np.exp(middle))) < length
        low, high = (middle, high) if too_cold else (low, middle)
    return float(np.exp(middle))


def split_heads(x, heads):
    *batch, steps, width = x.shape
    return x.reshape(*batch, steps, heads, width // heads).swapaxes(-3, -2)


def merge_heads(x):
    *batch, heads, steps, width = x.shape
    return x.swapaxes(-3, -2).reshape(*batch, steps, heads * width)


def reshape_split(x, heads):
    """Reshaped only: the heads share out the words."""
    *batch, steps, width = x.shape
    return x.reshape(*batch, heads, steps, width // heads)


def reshape_merge(x):
    *batch, heads, steps, width = x.shape
    return x.reshape(*batch, steps, heads * width)


def dealt_split(x, heads):
    """Features dealt out in turn, as cards are."""
    *batch, steps, width = x.shape
    return np.moveaxis(x.reshape(*batch, steps, width // heads, heads), -1, -3)


def dealt_merge(x):
    *batch, heads, steps, width = x.shape
    return np.moveaxis(x, -3, -1).reshape(*batch, steps, heads * width)


def cut_words(x, heads):
    """Time cut into pieces, each with the whole width."""
    *batch, steps, width = x.shape
    return x.reshape(*batch, heads, steps // heads, width) if steps % heads == 0 else stops()


def head_scores(query, keys, w, heads, split=split_heads):
    q, k = split(query @ w["query"], heads), split(keys @ w["keys"], heads)
    return q @ k.swapaxes(-1, -2)


def root(w, heads):
    """√d, d being the width of one head."""
    return np.sqrt(w["query"].shape[-1] // heads)


def multi_head(query, keys, values, w, heads, mask, temperature=1.0, *, split=split_heads, merge=merge_heads):
    scores = head_scores(query, keys, w, heads, split)
    scores = np.where(mask[:, None, None, :], scores, -np.inf)
    weights = softmax_at(scores, temperature * root(w, heads))
    return merge(weights @ split(values @ w["values"], heads)) @ w["out"], weights


def heads_of(query, keys, values, w, heads, mask, temperature=1.0):
    """Each head's context, (B, h, Tq, d)."""
    own = w | {"out": np.eye(len(w["out"]))}
    return split_heads(multi_head(query, keys, values, own, heads, mask, temperature)[0], heads)


def pattern(weights):
    """Logarithms of weights about their means, up to a factor: what no temperature changes."""
    logs = np.log(weights)
    logs = logs - logs.mean(axis=-1, keepdims=True)
    return logs / np.linalg.norm(logs)


def spread(weights):
    logs = np.log(weights)
    return (logs - logs.mean(axis=-1, keepdims=True)).std()


def softmax_over(axis):
    """The pattern of weights that add up to 1 along another axis."""
    return lambda q, k, v, w, h, m, t: pattern(softmax_at(head_scores(q, k, w, h), root(w, h), axis))


def divided_by(root_of):
    """The spread of weights whose scores are divided by the root of root_of(d, h, d_q, d_k)."""

    def wrong(q, k, v, w, h, m, t):
        d = w["query"].shape[-1] // h
        return spread(multi_head(q, k, v, w, h, m, t)[1]) * np.sqrt(d / root_of(d, h, q.shape[-1], k.shape[-1]))

    return wrong


def turned(*names):
    """The library's context with some of the matrices transposed."""
    return lambda q, k, v, w, h, m: multi_head(q, k, v, w | {name: w[name].T for name in names}, h, m)[0]


def time_first(q, k, v, w, h, m):
    return multi_head(*(x.swapaxes(0, 1) for x in (q, k, v)), w, h, np.ones_like(m).T)[0].swapaxes(0, 1)


def stops(*_):
    """For mistakes that raise an error."""
    raise ValueError


def word(said):
    """For mistakes that a probe has a word for, whatever the inputs."""
    return lambda *inputs: said


# --- the inputs of the cases --------------------------------------------------------------------------------


def one_row(rng):
    return [{"scores": rng.normal(size=5), "temperature": t} for t in (0.4, 2.5)]


def tables(rng):
    return [{"scores": rng.normal(size=shape), "temperature": 1.0} for shape in ((3, 4, 5), (4, 4))]


def cold(rng):
    far = np.array([[0.0], [5000.0]]) + rng.normal(size=(2, 4))
    return [
        {"scores": rng.normal(size=5) + 3, "temperature": 1e-3},
        {"scores": 1000 * rng.uniform(1, 3, size=5), "temperature": 0.01},
        {"scores": -900 + 5 * rng.random(size=5), "temperature": 0.5},
        {"scores": far, "temperature": 0.5},
    ]


def distributions(rng, *shape):
    return softmax_at(1.5 * rng.normal(size=shape), 1.0)


def some_zeros(rng):
    out = []
    for places in ([1, 4], [0, 2, 3]):
        weights = distributions(rng, 7)
        weights[places] = 0.0
        out.append({"weights": weights / weights.sum()})
    return out


def searches(rng):
    found = []
    for size, between in ((1.0, (2.0, 2.8)), (3.0, (1.5, 2.0))):
        while True:
            case = {"scores": size * rng.normal(size=20), "length": float(rng.uniform(*between))}
            ends = [np.log(temperature_for(case["scores"], by * case["length"])) for by in (1, 1.05)]
            # the tolerance is absolute below 1; a search that runs the wrong way begins on one side of both lengths
            if -1.2 < ends[0] < ends[1] < -0.05 or 0.05 < ends[0] < ends[1] < 1.1:
                break
        found.append(case)
    return found


def attention(rng, batch=1, hidden=False):
    """As many heads, queries and words: a mask along a wrong axis stops nothing, and is seen where it is looked for."""
    mask = np.ones((batch, 3), dtype=bool)
    mask[0, 1] = not hidden
    return {
        "query": rng.normal(size=(batch, 3, 6)),
        "keys": rng.normal(size=(batch, 3, 6)),
        "values": rng.normal(size=(batch, 3, 6)),
        "w": {name: 0.5 * rng.normal(size=(6, 6)) for name in ("query", "keys", "values", "out")},
        "heads": 3,
        "mask": mask,
        "temperature": 1.0,
    }


def alike(rng):
    """Every feature of a query or word the same, words in turn: whatever is split how, the scores are as large."""
    case = attention(rng)
    case["query"] = np.full((1, 3, 15), rng.uniform(1, 1.5))
    case["keys"] = np.broadcast_to(np.array([1, -1, 1])[:, None] * rng.uniform(1, 1.5), (1, 3, 10)).copy()
    case["w"] |= {"query": np.full((15, 6), 1 / 15), "keys": np.full((10, 6), 1 / 10)}
    return [case]


def sharp(rng):
    """Every head has all its weight on one word, whatever its scores are divided by; nothing weighs the heads."""
    while True:
        case = attention(rng)
        case["w"]["out"] = np.eye(6)
        scores = head_scores(case["query"], case["keys"], case["w"], 3)
        best, largest = np.sort(scores, axis=-1), np.abs(scores).max()
        if (best[..., -1] - best[..., -2]).min() > 0.05 * largest:
            case["query"] *= 900 / largest
            return [case]


def single(rng):
    """One query, one word, one head: whatever the scores, the weight is 1."""
    case = attention(rng)
    case |= {name: case[name][:, :1] for name in ("query", "keys", "values", "mask")} | {"heads": 1}
    case["w"]["values"] = np.eye(6)
    return [case]


def one_hidden(rng):
    """One word of the first member; elsewhere in its rows are scores far below 0, and none of them is near 0."""
    while True:
        case = attention(rng, batch=3, hidden=True)
        seen = head_scores(case["query"], case["keys"], case["w"], 3)[0][..., [0, 2]]
        if seen.max(axis=-1).min() < -0.3:
            return [case | {"temperature": 100.0}]


def library(rng, hidden=False):
    case = attention(rng, batch=3, hidden=hidden)
    case["query"] *= 0.5
    del case["temperature"]
    return [case]


SEVEN, EIGHT = "See chapter 7, ", "See chapter 8, "

QUESTIONS = (
    Question(
        "softmax_at",
        softmax_at,
        (
            Concept(
                "divides",
                "scores are divided by the temperature",
                2,
                one_row,
                {
                    "The scores are multiplied by the temperature, so that a cold lamp shines wide. Divide.": (
                        lambda s, t: softmax_at(s, 1 / t)
                    ),
                    "The temperature has no effect. What is divided after the softmax and normalised again is as "
                    "before: divide the scores.": lambda s, t: softmax_at(s, 1.0),
                    "The weights are divided by the temperature, and no longer add up to 1. Divide the scores, "
                    "before the softmax.": lambda s, t: softmax_at(s, 1.0) / t,
                    "The temperature is squared. It divides the scores as it is.": lambda s, t: softmax_at(s, t * t),
                    "The scores are divided by the root of the temperature, not by itself.": (
                        lambda s, t: softmax_at(s, np.sqrt(t))
                    ),
                    "The smallest score gets the largest weight: the sign is turned round.": (
                        lambda s, t: softmax_at(-s, t)
                    ),
                },
                SEVEN + "“One knob”.",
            ),
            Concept(
                "rows",
                "each row is a distribution over its words",
                1,
                tables,
                {
                    "The rows do not add up to 1: the softmax runs over the first axis, not over the words, which "
                    "stand along the last.": lambda s, t: softmax_at(s, t, 0).sum(-1),
                    "The softmax runs over the last axis but one, not over the words.": (
                        lambda s, t: softmax_at(s, t, -2).sum(-1)
                    ),
                    "All numbers together add up to 1; each row should do so by itself.": (
                        lambda s, t: (np.exp(s) / np.exp(s).sum()).sum(-1)
                    ),
                    "The numbers are e to the score, but nothing divides them by their sum.": (
                        lambda s, t: np.exp(s).sum(-1)
                    ),
                },
                SEVEN + "“One knob”.",
                answer=lambda s, t: np.ones(s.shape[:-1]),
                probe="row_sums",
            ),
            Concept(
                "cold",
                "a temperature of a thousandth is survived",
                1,
                cold,
                {
                    "Divided by a small temperature a score is large, and e to the power of 1000 is no number a "
                    "computer can hold. Take the largest away from each row *after* dividing.": word("NaN"),
                    "Where one row's scores lie far below another's, its weights are NaN: take each row's own largest "
                    "away, not the largest of all.": lambda s, t: "NaN" if s.ndim == 2 else "weights",
                    "Scores that differ get the same weight: they were cut off on the way. Take the largest away from "
                    "each row instead.": lambda s, t: "tie" if s.ndim == 1 else "weights",
                },
                "See chapter 4, “From scores to weights”.",
                answer=word("weights"),
                probe="survives",
            ),
        ),
    ),
    Question(
        "entropy",
        entropy,
        (
            Concept(
                "sum",
                "minus the sum of each weight times its logarithm, in nats",
                2,
                lambda rng: [{"weights": distributions(rng, 5)}, {"weights": distributions(rng, 9)}],
                {
                    "This is in bits: the logarithm has base 2. Nats want the natural one.": (
                        lambda w: entropy(w) / np.log(2)
                    ),
                    "The logarithm has base 10; nats want the natural one.": lambda w: entropy(w) / np.log(10),
                    "The minus is missing: logarithms of weights are negative, an entropy is not.": (
                        lambda w: -entropy(w)
                    ),
                    "The logarithms are added up as they are; each should be multiplied by its weight.": (
                        lambda w: -np.log(w).sum()
                    ),
                    "This is the mean over the words; the sum is asked for.": lambda w: entropy(w) / len(w),
                    "This is 1 − Σα², another measure of spread.": lambda w: 1 - (w**2).sum(),
                },
                SEVEN + "“How many steps is it using?”.",
                probe="summed",
            ),
            Concept(
                "zero",
                "a weight of 0 adds nothing",
                1,
                some_zeros,
                {
                    "A weight of 0 makes the entropy NaN: 0 times minus infinity is no number. Such a word should add "
                    "0.": word("NaN"),
                    "A weight of 0 makes the whole entropy 0: the NaN was replaced after adding up. Replace it "
                    "before, word by word.": word("zero"),
                    "A weight of 0 makes the entropy infinite; such a word should add 0.": word("infinite"),
                    "A word of weight 0 changes the entropy; it should add 0.": word("other"),
                },
                SEVEN + "“How many steps is it using?”.",
                answer=word("same"),
                probe="with_zeros",
            ),
            Concept(
                "rows",
                "each row has an entropy of its own",
                1,
                lambda rng: [{"weights": distributions(rng, *shape)} for shape in ((3, 4), (2, 3, 5))],
                {
                    "The words' parts are there, but they are not added up.": lambda w: list(w.shape),
                    "An axis of length 1 is left where the words were; the answer should have none (no keepdims).": (
                        lambda w: [*w.shape[:-1], 1]
                    ),
                    "One number comes back for all rows together. Add up along the last axis only.": lambda w: [],
                    "The sum runs over the first axis; each row should be added up by itself, along the last.": (
                        lambda w: list(w.shape[1:])
                    ),
                    "The sum runs over the last axis but one; the words stand along the last.": lambda w: [
                        *w.shape[:-2],
                        w.shape[-1],
                    ],
                    "A row among others gets another entropy than the same row alone.": word("other"),
                },
                SEVEN + "“How many steps is it using?”.",
                answer=word("own"),
                probe="row_by_row",
            ),
        ),
    ),
    Question(
        "effective_length",
        effective_length,
        (
            Concept(
                "exp",
                "the number of evenly lit words with that entropy",
                2,
                lambda rng: [{"weights": distributions(rng, 3, 6)}, {"weights": distributions(rng, 4)}],
                {
                    "This is one over the sum of squares, which is chapter 7's *second* effective number. Here the "
                    "one by entropy is asked for.": by_squares,
                    "This is one over the largest weight. The other words count too.": lambda w: 1 / w.max(-1),
                    "This is 2 to the entropy, but the entropy is in nats: take e to it.": lambda w: 2 ** entropy(w),
                    "This is the entropy itself; take it out of the logarithm.": entropy,
                    "The exponent has the wrong sign: this is one over the effective length.": (
                        lambda w: np.exp(-entropy(w))
                    ),
                    "This is a share of all words; their number is asked for.": (
                        lambda w: effective_length(w) / w.shape[-1]
                    ),
                    "This counts the words that have any weight. Those with little should count little.": (
                        lambda w: (w > 0).sum(-1)
                    ),
                },
                SEVEN + "“How many steps is it using?”.",
            ),
        ),
    ),
    Question(
        "temperature_for",
        temperature_for,
        (
            Concept(
                "found",
                "at this temperature that many words are lit",
                2,
                searches,
                {
                    "This is one over the temperature.": lambda s, n: 1 / temperature_for(s, n),
                    "At this temperature one over the *sum of squares* has the wanted value, not the effective "
                    "length.": lambda s, n: temperature_for(s, n, by_squares),
                    "At this temperature the *entropy* has the wanted value; the effective length is e to it.": (
                        lambda s, n: temperature_for(s, n, entropy)
                    ),
                    "This is the logarithm of the temperature.": lambda s, n: np.log(temperature_for(s, n)),
                    "This is the effective length that was asked for; the temperature is wanted.": lambda s, n: n,
                    "Another length gets the same answer. A search that runs the wrong way does so, ending where its "
                    "range ends: too few words lit means too cold.": word("end"),
                    "More than one number comes back; the temperature is one.": word("many"),
                },
                SEVEN + "“Exercise 2 · Implement”.",
                tolerance=2e-3,
                probe="search",
            ),
            Concept(
                "far",
                "also where it is very small or very large",
                1,
                lambda rng: searches(rng)[:1],
                {
                    "Scores 100,000 times as large need a temperature as many times larger, which your search does not "
                    "reach. Halve an interval of the temperature's logarithm that is wide enough.": word("small"),
                    "Scores a hundred-thousandth as large need a temperature as small. Your search does not reach so "
                    "low, or its steps are too coarse there.": word("large"),
                    "Scores 100,000 times as large, or as small, need a temperature as much larger or smaller. Your "
                    "search reaches neither, or is too coarse: halve an interval of the temperature's logarithm that "
                    "is wide enough.": word("neither"),
                    "Scores 100,000 times as large or small get the same temperature; they need one as much larger or "
                    "smaller.": word("same"),
                    "For scores around 1 there is no temperature yet: see the line above.": word("end"),
                },
                SEVEN + "“Exercise 2 · Implement”.",
                answer=word("both"),
                probe="reach",
            ),
        ),
    ),
    Question(
        "split_heads",
        split_heads,
        (
            Concept(
                "pieces",
                "each head has all words and a piece of the width",
                2,
                lambda rng: [{"x": rng.normal(size=(4, 6)), "heads": h} for h in (2, 3)],
                {
                    "The shape is right and the numbers are not: reshape alone deals out the *words*. Cut the width, "
                    "then swap the new axis with that of the words.": reshape_split,
                    "The width is cut, but the heads still stand behind the words: swap the two axes.": (
                        lambda x, h: split_heads(x, h).swapaxes(-3, -2)
                    ),
                    "The features are dealt out in turn, as cards are; a head should get neighbouring ones.": (
                        dealt_split
                    ),
                    "Every head has the whole width: x is repeated, where it should be cut.": (
                        lambda x, h: np.stack([x] * h)
                    ),
                    "The words are cut into pieces, and each head has the whole width. Cut the width.": cut_words,
                },
                EIGHT + "“Split, attend, merge”.",
            ),
            Concept(
                "batch",
                "a batch gives what its members give",
                1,
                lambda rng: [{"x": rng.normal(size=shape), "heads": 2} for shape in ((3, 4, 6), (2, 3, 3, 4))],
                {
                    "It stops when there is a batch in front. Take the last two axes for words and width, and leave "
                    "those in front alone.": word("stops"),
                    "One axis in front works and two do not. Count axes from the end, so that any number may stand in "
                    "front.": lambda x, h: "same" if x.ndim == 3 else "stops",
                    "The heads stand in front of the batch; they belong right before the words, as the third axis from "
                    "the end.": word("heads first"),
                    "Batch and heads share an axis; each should have its own.": word("flat"),
                    "In a batch the members do not get what they get alone. Count axes from the end, and leave those "
                    "in front as they are.": word("mixed"),
                },
                EIGHT + "“Split, attend, merge”.",
                answer=word("same"),
                probe="each_alone",
            ),
        ),
    ),
    Question(
        "merge_heads",
        merge_heads,
        (
            Concept(
                "back",
                "the pieces stand side by side again",
                2,
                lambda rng: [{"x": rng.normal(size=shape)} for shape in ((2, 3, 2), (2, 3, 4, 2))],
                {
                    "The shape is right and the numbers are not: swap the heads back behind the words, and only then "
                    "reshape.": reshape_merge,
                    "The heads' features are shuffled into one another; each head's should stand together.": (
                        dealt_merge
                    ),
                    "The heads are averaged; they should stand side by side.": lambda x: x.mean(-3),
                    "The heads are added up; they should stand side by side.": lambda x: x.sum(-3),
                    "The heads are laid one after the other along the words, not side by side along the width.": (
                        lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1])
                    ),
                    "With a batch in front its members are laid side by side. The heads are the third axis from the "
                    "end.": lambda x: np.concatenate(list(x), axis=-1),
                    "It stops when there is a batch in front. Count axes from the end.": lambda x: (
                        merge_heads(x) if x.ndim == 3 else stops()
                    ),
                },
                EIGHT + "“Split, attend, merge”.",
            ),
        ),
    ),
    Question(
        "multi_head",
        multi_head,
        (
            Concept(
                "weights",
                "each head has weights over the words, and they come back",
                2,
                lambda rng: [attention(rng)],
                {
                    "The softmax runs over the heads: they share a word between them. Each head shares the words.": (
                        softmax_over(1)
                    ),
                    "The softmax runs over the queries, not over the words.": softmax_over(2),
                    "No weights came back: return the context and the weights, in this order.": word("none"),
                    "Context and weights have changed places: the context comes first.": word("places"),
                    "These are scores; the weights are what the softmax makes of them.": word("negative"),
                    "The weights are averaged over the heads; each head's are wanted.": (
                        lambda *inputs: pattern(multi_head(*inputs)[1].mean(1))
                    ),
                    "The weights are added up over the heads; each head's are wanted.": (
                        lambda *inputs: pattern(multi_head(*inputs)[1].sum(1))
                    ),
                    "The heads mix words and features: the queries and keys are reshaped without swapping axes.": (
                        lambda *inputs: pattern(multi_head(*inputs, split=reshape_split)[1])
                    ),
                    "Queries and keys are split before they are projected, or not projected at all.": (
                        lambda q, k, v, w, h, m, t: pattern(
                            multi_head(q, k, v, w | {"query": np.eye(6), "keys": np.eye(6)}, h, m, t)[1]
                        )
                    ),
                    "The queries' and the keys' matrices have changed places.": lambda q, k, v, w, h, m, t: pattern(
                        multi_head(q, k, v, w | {"query": w["keys"], "keys": w["query"]}, h, m, t)[1]
                    ),
                },
                EIGHT + "“Split, attend, merge”.",
                answer=lambda *inputs: pattern(multi_head(*inputs)[1]),
                probe="pattern",
            ),
            Concept(
                "scale",
                "scores are divided by the root of one head's width",
                1,
                alike,
                {
                    "The scores are divided by the root of the *whole* width; one head's is wanted, d and not h·d.": (
                        divided_by(lambda d, h, *before: d * h)
                    ),
                    "The scores are divided by the root of the query's width as it comes in; one head's is wanted, "
                    "d.": divided_by(lambda d, h, query, keys: query),
                    "The scores are divided by the root of the keys' width as they come in; one head's is wanted, "
                    "d.": divided_by(lambda d, h, query, keys: keys),
                    "The width is taken from the query as it comes in; d is what each head has after the split.": (
                        divided_by(lambda d, h, query, keys: query // h)
                    ),
                    "All words get the same weight: the softmax does not run over them.": lambda *inputs: 0.0,
                    "The scores are not divided by √d.": divided_by(lambda *widths: 1),
                    "The scores are divided by d; its root is wanted.": divided_by(lambda d, *other: d * d),
                    "The scores are multiplied by √d; divide.": divided_by(lambda d, *other: 1 / d),
                },
                EIGHT + "“When it goes wrong”.",
                answer=lambda *inputs: spread(multi_head(*inputs)[1]),
                probe="spread",
            ),
            Concept(
                "temperature",
                "the temperature reaches every head",
                1,
                lambda rng: [attention(rng)],
                {
                    "The temperature has no effect: hand it on.": word("nothing"),
                    "A higher temperature makes the weights sharper: divide by it, do not multiply.": word(
                        "multiplies"
                    ),
                    "The scores are divided by the temperature twice.": word("twice"),
                    "The scores are divided by the root of the temperature, not by itself.": word("root"),
                    "The weights are divided by the temperature. Divide the scores, before the softmax.": word("after"),
                    "At temperature 2 the weights are not those of scores half as large.": word("other"),
                },
                SEVEN + "“One knob”.",
                answer=word("divides"),
                probe="under_temperature",
            ),
            Concept(
                "mask",
                "no head looks at a hidden word",
                1,
                one_hidden,
                {
                    "The mask is upside down: it hides what should be seen. True means *look*.": word("upside down"),
                    "The mask has no effect.": word("nothing"),
                    "The batch's masks meet the queries: the mask needs an axis for the heads *and* one for the "
                    "queries, before the words.": word("batch on queries"),
                    "The batch's masks meet the heads: the mask needs an axis for the heads *and* one for the "
                    "queries, before the words.": word("batch on heads"),
                    "The mask hides queries, not words: its last axis, the words, should stay the last.": word(
                        "words on queries"
                    ),
                    "The mask hides heads, not words: its last axis, the words, should stay the last.": word(
                        "words on heads"
                    ),
                    "A hidden word changes weights that it has nothing to do with.": word("elsewhere"),
                    "The mask is put on after the softmax: what is left does not add up to 1. Mask the scores.": word(
                        "short"
                    ),
                    "A hidden word still has weight. It should score minus infinity: 0 and −100 are scores too, the "
                    "more so at a high temperature.": word("some"),
                    "At a low temperature a hidden word has weight: the others' scores fall below what stands in for "
                    "its own, which should be minus infinity.": word("some in the cold"),
                    "Where a word is hidden there are NaNs: minus infinity belongs into the scores, before the softmax "
                    "over the words.": word("NaN"),
                },
                "See chapter 4, “Entries that are not there”.",
                answer=word("hidden"),
                probe="hides",
            ),
            Concept(
                "context",
                "each head blends its piece of the values, and the blends stand side by side",
                1,
                sharp,
                {
                    "The values are not multiplied by their matrix.": lambda q, k, v, w, h, m, t: multi_head(
                        q, k, v, w | {"values": np.eye(6)}, h, m, t
                    )[0],
                    "The answer blends the keys. Keys are compared with; values are handed back.": (
                        lambda q, k, v, w, h, m, t: multi_head(q, k, k, w | {"values": w["keys"]}, h, m, t)[0]
                    ),
                    "The heads' blends are reshaped without swapping the axes back, which mixes words and heads.": (
                        lambda *inputs: multi_head(*inputs, merge=reshape_merge)[0]
                    ),
                    "The heads' features are shuffled into one another; each head's should stand together.": (
                        lambda *inputs: multi_head(*inputs, merge=dealt_merge)[0]
                    ),
                    "Queries and keys are not multiplied by their matrices before they are split.": (
                        lambda q, k, v, w, h, m, t: multi_head(
                            q, k, v, w | {"query": np.eye(6), "keys": np.eye(6)}, h, m, t
                        )[0]
                    ),
                    "The heads mix words and features: query, keys and values are reshaped without swapping axes.": (
                        lambda *inputs: multi_head(*inputs, split=reshape_split)[0]
                    ),
                    "Every head blends with the *average* of the heads' weights.": lambda q, k, v, w, h, m, t: (
                        multi_head(q, k, v, w, h, m, t)[1].mean(1) @ (v @ w["values"])
                    ),
                    "The heads are averaged; they should stand side by side.": lambda *inputs: heads_of(*inputs).mean(
                        1
                    ),
                },
                EIGHT + "“Split, attend, merge”.",
                answer=lambda *inputs: multi_head(*inputs)[0],
                probe="ask",
            ),
            Concept(
                "out",
                "one more matrix weighs the heads",
                1,
                single,
                {
                    'The heads\' blends come back as they are: they should be multiplied by w["out"].': (
                        lambda q, k, v, w, h, m, t: multi_head(q, k, v, w | {"out": np.eye(6)}, h, m, t)[0]
                    ),
                    "The output's matrix is transposed; it is (h·d, d_out), to be multiplied from the right.": (
                        lambda q, k, v, w, h, m, t: multi_head(q, k, v, w | {"out": w["out"].T}, h, m, t)[0]
                    ),
                },
                EIGHT + "“Two look-ups”.",
                answer=lambda *inputs: multi_head(*inputs)[0],
                probe="ask",
            ),
        ),
    ),
    Question(
        "library_heads",
        multi_head,
        (
            Concept(
                "context",
                "the layer answers as multi_head does",
                2,
                library,
                {
                    "The matrices of query, keys and values are the wrong way round: PyTorch's layer holds (out, in), "
                    "transposed, and Keras' (in, out), as they are.": turned("query", "keys", "values"),
                    "The output's matrix is the wrong way round: PyTorch's layer holds (out, in), transposed, and "
                    "Keras' (in, out), as it is.": turned("out"),
                    "All four matrices are the wrong way round: PyTorch's layer holds (out, in), transposed, and "
                    "Keras' (in, out), as they are.": turned("query", "keys", "values", "out"),
                    "Keys and values have changed places: PyTorch's layer is called with query, key, value, and Keras' "
                    "with query, *value*, key.": (lambda q, k, v, w, h, m: multi_head(q, v, k, w, h, m)[0]),
                    "The matrices of keys and values have changed places; a layer's order is query, key, value.": (
                        lambda q, k, v, w, h, m: multi_head(
                            q, k, v, w | {"keys": w["values"], "values": w["keys"]}, h, m
                        )[0]
                    ),
                    "It attends across the batch, not along the words: PyTorch's layer takes time first unless it is "
                    "told batch_first=True.": time_first,
                    "The heads got every h-th feature. Cut the width into h pieces of neighbours: (E, h, d), not (E, d,"
                    " h).": lambda q, k, v, w, h, m: multi_head(q, k, v, w, h, m, split=dealt_split)[0],
                    "It stops: Keras' layer holds no matrices before it is built. Call its `build` first.": word(
                        "unbuilt"
                    ),
                    "It stops: the layer has biases too, and you hand over none. Make it without: use_bias=False in "
                    "Keras, bias=False in PyTorch.": word("biases"),
                    "It stops where PyTorch's parameters are overwritten: copy into them within torch.no_grad().": (
                        word("no_grad")
                    ),
                    "It stops: two shapes do not fit. Keras' key_dim is the width of *one* head, and its matrices "
                    "have an axis of heads; PyTorch's holds query's, key's and value's below one another, (3E, E).": (
                        word("shapes")
                    ),
                    "It stops: PyTorch's layer is made with the width first, then the number of heads.": word("order"),
                },
                EIGHT + "“The same in PyTorch and Keras”.",
                answer=lambda *inputs: multi_head(*inputs)[0],
                probe="library_context",
            ),
            Concept(
                "weights",
                "the weights of each head come back",
                1,
                library,
                {
                    "The weights have no axis of heads: they are averaged, as PyTorch's layer does unless told "
                    "otherwise and Keras' never does. Each head's are wanted.": word("averaged"),
                    "No weights came back. Return both; Keras' layer must be asked for them.": word("none"),
                    "Context and weights have changed places: the context comes first.": word("places"),
                    "The weights should have four axes, (B, h, Tq, T).": word("other"),
                    "It stops, as above.": word("stops"),
                },
                EIGHT + "“When it goes wrong”.",
                answer=word("each"),
                probe="library_weights",
            ),
            Concept(
                "mask",
                "hidden words get no weight",
                2,
                lambda rng: library(rng, hidden=True),
                {
                    "The mask is upside down, and only hidden words are looked at. In PyTorch's key_padding_mask True "
                    "means *ignore*; in Keras' attention_mask it means look.": word("upside down"),
                    "The mask has no effect.": word("nothing"),
                    "The batch's masks meet the queries. Keras' attention_mask is (B, Tq, T), or (B, 1, T) if the same "
                    "for all queries; PyTorch's key_padding_mask is (B, T).": word("batch on queries"),
                    "The batch's masks meet the heads, which want an axis of their own.": word("batch on heads"),
                    "The mask hides queries, not words: its last axis, the words, should stay the last.": word(
                        "words on queries"
                    ),
                    "The mask hides heads, not words: its last axis, the words, should stay the last.": word(
                        "words on heads"
                    ),
                    "A hidden word changes weights that it has nothing to do with.": word("elsewhere"),
                    "The mask is put on after the softmax: what is left does not add up to 1.": word("short"),
                    "A hidden word still has weight; it should have none.": word("some"),
                    "Where a word is hidden there are NaNs: is anything left to look at?": word("NaN"),
                    "It stops, as above.": word("stops"),
                },
                EIGHT + "“When it goes wrong”.",
                answer=word("hidden"),
                probe="library_mask",
            ),
        ),
        framework=True,
    ),
)
