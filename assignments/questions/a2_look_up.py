"""Attention as look-up, with masks: a power station's record, asked about temperatures it has not seen."""

from __future__ import annotations

import numpy as np

from ..question import Concept, Question


def softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def dot_scores(query, keys):
    return query @ np.swapaxes(keys, -1, -2)


def masked_softmax(scores, mask):
    some = mask.any(axis=-1, keepdims=True)
    weights = softmax(np.where(some, np.where(mask, scores, -np.inf), 0.0))
    return np.where(some, weights, 0.0)


def look_up(query, keys, values, mask):
    weights = masked_softmax(dot_scores(query, keys), mask)
    return weights @ values, weights


def over(axis):
    """Softmax along another axis than the last."""

    def wrong(scores):
        e = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    return wrong


def share(scores):
    """Scores as shares of their total size, so that a wrong scale does not matter."""
    return scores / np.abs(scores).sum()


def stops(*_):
    """For mistakes that raise an error."""
    raise ValueError


def every(row, query):
    """The same answer to every query."""
    return np.broadcast_to(row, (*query.shape[:-1], row.shape[-1]))


# --- the inputs of the cases --------------------------------------------------------------------------------


def tables(rng):
    return [{"scores": rng.normal(size=(3, 4, 5))}, {"scores": rng.normal(size=6)}]


def huge(rng):
    rows = np.array([[1000.0], [0.0], [-1000.0]])  # far apart: each row has a largest score of its own
    return [{"scores": rng.normal(size=(3, 5)) + rows}, {"scores": rng.normal(size=(1, 5)) - 1000}]


def pairs(rng):
    return [{"query": rng.normal(size=(3, 4)), "keys": rng.normal(size=(5, 4))}]


def batches(rng):
    return [
        {"query": rng.normal(size=(2, 3, 4)), "keys": rng.normal(size=(2, 5, 4))},
        {"query": rng.normal(size=(2, 2, 3, 4)), "keys": rng.normal(size=(2, 2, 3, 4))},
    ]


def some_hidden(rng, rows=4, steps=6):
    mask = rng.random((rows, steps)) < 0.6
    mask[:, 0], mask[:, -1] = True, False  # no row is empty or full
    return mask


def hidden(rng):
    mask = some_hidden(rng)
    return [{"scores": rng.normal(size=mask.shape) + shift, "mask": mask} for shift in (0.0, 30.0)]


def far_below(rng):
    """Entries in sight with scores below any fill that looks large enough."""
    mask = some_hidden(rng)
    return [{"scores": rng.normal(size=mask.shape) - np.where(mask, 3e9, 6e9), "mask": mask}]


def empty(rng):
    mask = some_hidden(rng)
    mask[1] = False
    return [{"scores": rng.normal(size=mask.shape), "mask": mask}]


def look_ups(rng, batch=(2,), empty_row=False):
    mask = rng.random((*batch, 3, 5)) < 0.6
    mask[..., 0], mask[..., -1] = True, False
    if empty_row:
        mask[0, 1] = False
    return {
        "query": rng.normal(size=(*batch, 3, 4)),
        "keys": rng.normal(size=(*batch, 5, 4)),
        "values": rng.normal(size=(*batch, 5, 2)),
        "mask": mask,
    }


def batch_look_ups(rng):
    return [look_ups(rng), look_ups(rng, (1,))]


def nothing_hidden(rng):
    return [case | {"mask": np.ones_like(case["mask"])} for case in batch_look_ups(rng)]


def small_halves(rng):
    case = look_ups(rng)
    case["mask"][1] = True
    return [{k: v if k == "mask" else v.astype(np.float16) for k, v in case.items()}]


CHAPTER = "See chapter 4, "

QUESTIONS = (
    Question(
        "softmax",
        softmax,
        (
            Concept(
                "axis",
                "each row is a distribution over its entries",
                3,
                tables,
                {
                    "The rows of the answer do not add up to 1: the softmax runs over the batch, the first axis, not "
                    "over the entries, the last.": over(0),
                    "The softmax runs over the last axis but one, that is, over the queries, not over the entries.": (
                        lambda s: over(-2)(s) if s.ndim > 1 else over(0)(s)
                    ),
                    "All numbers together add up to 1; each row should do so by itself.": over(None),
                    "The numbers are e to the score, but nothing divides them by their sum.": np.exp,
                    "The smallest score gets the largest weight: the sign is turned round.": lambda s: softmax(-s),
                },
                CHAPTER + "“From scores to weights”.",
            ),
            Concept(
                "stable",
                "scores of 1000 are survived",
                1,
                huge,
                {
                    "e to the power of 1000 is no number a computer can hold, and e to the power of −1000 is 0. Take "
                    "the largest score of *each row* away from that row first; the weights stay the same.": (
                        lambda s: s.shape[0] == 1 and 1.0
                    ),
                    "e to the power of 1000 is no number a computer can hold: take the largest score of each row away "
                    "from it first; the weights stay the same.": lambda s: 0.0,
                },
                CHAPTER + "“From scores to weights”.",
                answer=lambda scores: 1.0,
                probe="finite",
            ),
        ),
    ),
    Question(
        "dot_scores",
        dot_scores,
        (
            Concept(
                "pairs",
                "every query meets every key",
                2,
                pairs,
                {
                    "The table lies on its side: rows should be queries and columns keys.": lambda q, k: k @ q.T,
                    "These are weights already; the softmax comes later.": lambda q, k: softmax(q @ k.T),
                    "The scores are divided by √d. That is chapter 5's; here the plain dot product is asked for.": (
                        lambda q, k: q @ k.T / np.sqrt(q.shape[-1])
                    ),
                    "The lengths have been divided out: this is the cosine, not the dot product.": lambda q, k: (
                        (q / np.linalg.norm(q, axis=-1, keepdims=True))
                        @ (k / np.linalg.norm(k, axis=-1, keepdims=True)).T
                    ),
                },
                CHAPTER + "“A dictionary that answers anyway”.",
            ),
            Concept(
                "batch",
                "axes in front are left alone",
                1,
                batches,
                {
                    "With a batch in front it stops, or has another shape. (`.T` turns *all* axes round; only the last "
                    "two may change places. A loop has to go over the batch too.)": lambda q, k: q @ k.T,
                    "A member of the batch meets other keys than its own.": lambda q, k: False,
                },
                CHAPTER + "“Entries that are not there”.",
                answer=lambda q, k: True,
                probe="each_alone",
            ),
        ),
    ),
    Question(
        "masked_softmax",
        masked_softmax,
        (
            Concept(
                "hidden",
                "what is hidden gets a weight of exactly 0",
                2,
                hidden,
                {
                    "The mask is upside down: it hides what should be seen. True means *look*.": (
                        lambda s, m: np.where(~m, softmax(np.where(~m, s, -np.inf)), 0.0)[~m]
                    ),
                    "The mask has no effect.": lambda s, m: softmax(s)[~m],
                    "The scores are multiplied by the mask. A hidden entry then scores 0, and e to the 0 is 1: it "
                    "should score minus infinity.": lambda s, m: softmax(s * m)[~m],
                },
                CHAPTER + "“Entries that are not there”.",
                tolerance=1e-12,
                answer=lambda s, m: np.zeros((~m).sum()),
                probe="at_hidden",
            ),
            Concept(
                "fill",
                "it is 0 whatever the other scores are",
                1,
                far_below,
                {
                    "Real scores far below zero lose to whatever stands at the hidden entries, a large negative number "
                    "or a 0. Minus infinity should.": lambda s, m: np.zeros(len(s))
                },
                CHAPTER + "“Exercise 3 · Break”.",
                answer=lambda s, m: np.ones(len(s)),
                probe="sum_of_seen",
            ),
            Concept(
                "whole",
                "those left share the whole",
                2,
                hidden,
                {
                    "The weights of what is left do not add up to 1: the mask is put on after the softmax, which has "
                    "given the hidden entries their share already. Mask the scores.": lambda s, m: (softmax(s) * m).sum(
                        axis=-1
                    ),
                },
                CHAPTER + "“Entries that are not there”.",
                answer=lambda s, m: np.ones(len(s)),
                probe="sum_of_all",
            ),
            Concept(
                "empty",
                "a row that may look at nothing gets zeros",
                1,
                empty,
                {
                    "The row that may look at nothing has weights all the same. Zeros are wanted there.": (
                        lambda s, m: "weights"
                    ),
                    "The row that may look at nothing is NaN. Zeros are wanted there.": lambda s, m: "NaN",
                },
                CHAPTER + "“Entries that are not there”.",
                answer=lambda s, m: "zeros",
                probe="empty_row",
            ),
        ),
    ),
    Question(
        "look_up",
        look_up,
        (
            Concept(
                "context",
                "the answer is the weighted average of the values",
                2,
                nothing_hidden,
                {
                    "The answer is the plain mean of the values; the weights are not used.": (
                        lambda q, k, v, m: every(v.mean(-2, keepdims=True), q)
                    ),
                    "The answer is the plain sum of the values, as if every weight were 1.": (
                        lambda q, k, v, m: every(v.sum(-2, keepdims=True), q)
                    ),
                    "The mask is upside down: with nothing hidden the answer is as if everything were.": (
                        lambda q, k, v, m: np.zeros((*q.shape[:-1], v.shape[-1]))
                    ),
                    "The scores are divided by √d. That is chapter 5's; here the plain dot product is asked for.": (
                        lambda q, k, v, m: look_up(q / 2, k, v, m)[0]
                    ),
                    "The answer is an average of the keys. Keys are compared with; values are handed back.": (
                        lambda q, k, v, m: look_up(q, k, k, m)[0]
                    ),
                },
                CHAPTER + "“A kitten of 118 kilograms”.",
                answer=lambda q, k, v, m: look_up(q, k, v, m)[0],
                probe="context",
            ),
            Concept(
                "weights",
                "the weights come back too, second",
                1,
                batch_look_ups,
                {
                    "Two things should come back: the context, then the weights.": lambda q, k, v, m: "one thing",
                    "What comes back second has not the shape of the weights. First the context, then the weights.": (
                        lambda q, k, v, m: "another shape"
                    ),
                    "These are scores; the weights are what the softmax makes of them.": lambda q, k, v, m: "scores",
                },
                CHAPTER + "“Entries that are not there”.",
                answer=lambda q, k, v, m: "weights",
                probe="second_is_weights",
            ),
            Concept(
                "mask",
                "the mask reaches the weights",
                1,
                batch_look_ups,
                {"The mask was not handed on.": lambda q, k, v, m: False},
                CHAPTER + "“Entries that are not there”.",
                answer=lambda q, k, v, m: True,
                probe="listens_to_mask",
            ),
        ),
    ),
    Question(
        "hard_look_up",
        lambda q, k, v: v[(q @ k.T).argmax(axis=-1)],
        (
            Concept(
                "best",
                "each query gets the value of its best key",
                2,
                lambda rng: [
                    {
                        "query": rng.normal(size=(5, 3)),
                        "keys": rng.normal(size=(5, 3)),
                        "values": rng.normal(size=(5, 2)),
                    }
                ],
                {
                    "This is the *worst* key's value.": lambda q, k, v: v[(q @ k.T).argmin(axis=-1)],
                    "For each key the best query was sought, not for each query the best key.": (
                        lambda q, k, v: v[(q @ k.T).argmax(axis=0)]
                    ),
                    "This is the number of the best key; its value is wanted.": lambda q, k, v: (q @ k.T).argmax(
                        axis=-1
                    ),
                    "The best key itself comes back; its value is wanted.": lambda q, k, v: k[
                        (q @ k.T).argmax(axis=-1)
                    ],
                    "The nearest key is taken; here the best by the dot product is asked for.": (
                        lambda q, k, v: v[((q[:, None] - k) ** 2).sum(-1).argmin(axis=-1)]
                    ),
                    "This is the soft look-up.": lambda q, k, v: softmax(q @ k.T) @ v,
                },
                CHAPTER + "“A dictionary that answers anyway”.",
            ),
        ),
    ),
    Question(
        "closeness",
        lambda q, k, w: -((q[:, None] - k[None]) ** 2) / (2 * w**2),
        (
            Concept(
                "distance",
                "the nearer, the higher the score",
                2,
                lambda rng: [{"query": 20 + rng.normal(size=3), "keys": 20 + rng.normal(size=4), "width": 1.5}],
                {
                    "The sign is missing: the farthest afternoon scores highest.": lambda q, k, w: share(
                        (q[:, None] - k) ** 2
                    ),
                    "The distance is not squared.": lambda q, k, w: share(-np.abs(q[:, None] - k)),
                    "The table lies on its side: rows should be queries and columns keys.": (
                        lambda q, k, w: share(-((q[:, None] - k) ** 2).T)
                    ),
                    "This is e to the score; the softmax will take care of that.": (
                        lambda q, k, w: share(np.exp(-((q[:, None] - k) ** 2) / (2 * w**2)))
                    ),
                },
                CHAPTER + "“Attention in 1964”.",
                answer=lambda q, k, w: share(-((q[:, None] - k) ** 2)),
                probe="up_to_size",
            ),
            Concept(
                "width",
                "the greater the width, the less is told apart",
                1,
                lambda rng: [
                    {"query": np.array([20.0]), "keys": np.array([21.0]), "width": float(w)}
                    for w in rng.uniform(0.5, 3, size=3)
                ],
                {
                    "The score is multiplied by the width, not divided: a greater width would tell more apart.": (
                        lambda q, k, w: 0.5 * w**2
                    ),
                    "The width should be squared.": lambda q, k, w: 0.5 / w,
                    "The 2 of 2w² is missing.": lambda q, k, w: 1 / w**2,
                    "The width has no effect.": lambda q, k, w: 0.5,
                },
                CHAPTER + "“Attention in 1964”.",
                answer=lambda q, k, w: 0.5 / w**2,
                probe="size",
            ),
        ),
    ),
    Question(
        "attend",
        look_up,
        (
            Concept(
                "same",
                "the same numbers as look_up",
                3,
                batch_look_ups,
                {
                    "The mask is upside down: it hides what should be seen. True means *look*.": (
                        lambda q, k, v, m: look_up(q, k, v, ~m)
                    ),
                    "The mask has no effect.": lambda q, k, v, m: look_up(q, k, v, np.ones_like(m)),
                    "The softmax runs over the queries, not over the keys.": lambda q, k, v, m: (
                        over(-2)(np.where(m, dot_scores(q, k), -np.inf)) @ v,
                        over(-2)(np.where(m, dot_scores(q, k), -np.inf)),
                    ),
                    "The softmax runs over the batch, not over the keys.": lambda q, k, v, m: (
                        over(0)(np.where(m, dot_scores(q, k), -np.inf)) @ v,
                        over(0)(np.where(m, dot_scores(q, k), -np.inf)),
                    ),
                    "The scores are divided by √d; here the plain dot product is asked for.": (
                        lambda q, k, v, m: look_up(q / 2, k, v, m)
                    ),
                    "The mask is put on after the softmax: what is left does not add up to 1.": lambda q, k, v, m: (
                        (softmax(dot_scores(q, k)) * m) @ v,
                        softmax(dot_scores(q, k)) * m,
                    ),
                },
                CHAPTER + "“The same in PyTorch and Keras”.",
            ),
            Concept(
                "empty",
                "a row that may look at nothing gets zeros",
                1,
                lambda rng: [look_ups(rng, empty_row=True)],
                {
                    "The row that may look at nothing has an answer all the same. Zeros are wanted there.": (
                        lambda q, k, v, m: "weights"
                    ),
                    "The row that may look at nothing is NaN. Zeros are wanted there.": lambda q, k, v, m: "NaN",
                },
                CHAPTER + "“What do libraries answer when asked about nothing?”.",
                answer=lambda q, k, v, m: "zeros",
                probe="attend_to_nothing",
            ),
            Concept(
                "half",
                "half precision works",
                1,
                small_halves,
                {
                    "The answer is not in half precision: something inside made it wider.": lambda q, k, v, m: (
                        False,
                        True,
                    ),
                    "In half precision it gives numbers that are none.": lambda q, k, v, m: (True, False),
                    "It stops in half precision. A number such as −1e9 does not fit into a float16, whose largest is "
                    "65504; minus infinity does.": stops,
                },
                CHAPTER + "“Exercise 3 · Break”.",
                answer=lambda q, k, v, m: (True, True),
                probe="in_half_precision",
            ),
            Concept(
                "gradient",
                "the gradient is finite, also where nothing may be seen",
                2,
                lambda rng: [look_ups(rng, empty_row=True)],
                {
                    "A row that may look at nothing makes the gradient NaN: on the way there is 0/0, or a row of minus "
                    "infinities. To replace it afterwards may mend the answer and not its gradient. Give that row "
                    "harmless scores first, and set its weights to zero after the softmax.": lambda q, k, v, m: (
                        False,
                        True,
                    ),
                    "No gradient reaches the query: somewhere the tensor was turned into NumPy or detached.": (
                        lambda q, k, v, m: (True, False)
                    ),
                },
                CHAPTER + "“What do libraries answer when asked about nothing?”.",
                answer=lambda q, k, v, m: (True, True),
                probe="gradient",
            ),
        ),
        framework=True,
    ),
)
