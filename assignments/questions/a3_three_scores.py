"""Three scores and √d: a receiver that listens for a call in the noise, and then turns its dial."""

from __future__ import annotations

import numpy as np

from ..question import Concept, Question


def softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def dots(query, keys):
    return query @ np.swapaxes(keys, -1, -2)


def scaled_scores(query, keys):
    return dots(query, keys) / np.sqrt(query.shape[-1])


def slope(scores):
    weights = softmax(scores)
    return weights[..., None] * (np.eye(scores.shape[-1]) - weights[..., None, :])


def additive_scores(query, keys, w_query, w_keys, v):
    q = (query @ w_query)[..., :, None, :]
    k = (keys @ w_keys)[..., None, :, :]
    return np.tanh(q + k) @ v


def rise(x):
    """The hill of width 1, x to the right of its top."""
    return np.tanh(x + 1) - np.tanh(x - 1)


def hill(query, keys, width):
    return rise((keys - query[:, None]) / width)


def attend(query, states, mask, w_query, w_keys, v, score=additive_scores):
    """Context and weights; `score` as additive_scores, for those who take another."""
    scores = score(query[:, None], states, w_query, w_keys, v)[:, 0]
    some = mask.any(axis=-1, keepdims=True)
    weights = np.where(some, softmax(np.where(some, np.where(mask, scores, -np.inf), 0.0)), 0.0)
    return (weights[:, None] @ states)[:, 0], weights


# --- mistakes -------------------------------------------------------------------------------------------------


def share(scores):
    """Scores as shares of their total size, so that a wrong scale does not matter."""
    return scores / np.abs(scores).sum()


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def stops(*_):
    """For mistakes that raise an error."""
    raise ValueError


def word(said):
    """What a probe that answers with a word says."""
    return lambda *_: said


def one_axis_in_front(said):
    """Right for one axis in front of query and keys, and not for two."""
    return lambda query, *_: "the same" if query.ndim == 3 else said


def in_front(stops_words, numbers_words):
    """Slips for axes in front of query and keys."""
    return {
        stops_words: word("stops"),
        "It stops even where nothing stands in front: mend that first.": word("stops alone"),
        "With axes in front the answer has too many of them: every member of the batch meets every other, as with "
        "np.dot. `@` and np.matmul keep them apart.": word("too many axes"),
        "With axes in front the shape is not (…, Tq, T).": word("another shape"),
        numbers_words: word("other numbers"),
        "It works for one axis in front and stops for two. Count axes from the end, -1 and -2, and let any number "
        "stand before them.": one_axis_in_front("stops"),
        "It is right for one axis in front and not for two. Count axes from the end, -1 and -2.": (
            one_axis_in_front("other numbers")
        ),
        "With two axes in front the shape is not (…, Tq, T). Count axes from the end, -1 and -2.": (
            one_axis_in_front("another shape")
        ),
        "All scores are the same number.": word("all equal"),
    }


def diagonal(weights_to_slope):
    """A table with a diagonal and zeros elsewhere, for one row of scores."""
    return lambda scores: np.diag(weights_to_slope(softmax(scores)))


def across(weights_to_slope):
    """A table of slopes of one weight by another's score and a diagonal of zeros, for one row of scores."""

    def wrong(scores):
        weights = softmax(scores)
        return np.broadcast_to(weights_to_slope(weights), (len(weights),) * 2) * (1 - np.eye(len(weights)))

    return wrong


def by_rows(along):
    """The answer to `largest_weight`, or a word in place of it where there is more than one row."""
    return lambda scores: along if scores.ndim > 1 else softmax(scores).max()


def no_tanh(query, keys, w_query, w_keys, v):
    return ((query @ w_query)[..., :, None, :] + (keys @ w_keys)[..., None, :, :]) @ v


def late_tanh(query, keys, w_query, w_keys, v):
    return np.tanh(no_tanh(query, keys, w_query, w_keys, v))


def bare_keys(query, keys, w_query, w_keys, v):
    return np.tanh((query @ w_query)[..., :, None, :] + keys[..., None, :, :]) @ v


def bare_query(query, keys, w_query, w_keys, v):
    return np.tanh(query[..., :, None, :] + (keys @ w_keys)[..., None, :, :]) @ v


def bare_both(query, keys, w_query, w_keys, v):
    return np.tanh(query[..., :, None, :] + keys[..., None, :, :]) @ v


def product(query, keys, w_query, w_keys, v):
    return dots(query @ w_query, keys @ w_keys)


def bent_product(query, keys, w_query, w_keys, v):
    return dots(np.tanh(query @ w_query), np.tanh(keys @ w_keys))


def bent_apart(query, keys, w_query, w_keys, v):
    return (np.tanh(query @ w_query)[..., :, None, :] + np.tanh(keys @ w_keys)[..., None, :, :]) @ v


def multiplied(query, keys, w_query, w_keys, v):
    return np.tanh((query @ w_query)[..., :, None, :] * (keys @ w_keys)[..., None, :, :]) @ v


def rectified(query, keys, w_query, w_keys, v):
    return np.maximum((query @ w_query)[..., :, None, :] + (keys @ w_keys)[..., None, :, :], 0) @ v


def without_v(query, keys, w_query, w_keys, v):
    return additive_scores(query, keys, w_query, w_keys, np.ones_like(v))


def number(score):
    """The one number of one query and one key."""
    return lambda *inputs: score(*inputs).ravel()[:1]


def unpadded(score):
    """The answer to `attend` where nothing is padded, with another score."""
    return lambda q, s, m, *weights: attend(q, s, np.ones_like(m), *weights, score=score)


def other_axis(query, states, mask, *weights):
    """Softmax over the batch."""
    found = softmax(additive_scores(query[:, None], states, *weights)[:, 0], axis=0)
    return (found[:, None] @ states)[:, 0], found


def all_ones(query, states, mask, *weights):
    """Softmax of (B, T, 1) over the last axis."""
    return states.sum(axis=1), np.ones(mask.shape)


def no_softmax(query, states, mask, *weights):
    found = additive_scores(query[:, None], states, *weights)[:, 0]
    return (found[:, None] @ states)[:, 0], found


def last_asks(query, states, mask, *weights):
    return attend(states[:, -1], states, np.ones_like(mask), *weights)


def keys_for_values(query, states, mask, w_query, w_keys, v):
    found = attend(query, states, np.ones_like(mask), w_query, w_keys, v)[1]
    if w_keys.shape[1] != states.shape[-1]:
        return "context of another shape"
    return (found[:, None] @ (states @ w_keys))[:, 0], found


def plain_sum(query, states, mask, *weights):
    return states.sum(axis=1), attend(query, states, np.ones_like(mask), *weights)[1]


# --- the inputs of the cases ----------------------------------------------------------------------------------


def pairs(rng, queries=3, steps=5, width=4, batch=()):
    return {"query": rng.normal(size=(*batch, queries, width)), "keys": rng.normal(size=(*batch, steps, width))}


def batches(rng):
    """No two of the numbers one may take for d are equal."""
    return [pairs(rng, batch=(2,)), pairs(rng, 2, 5, batch=(3, 2))]


def rows(rng):
    return [{"scores": rng.normal(size=n)} for n in (4, 3)]


def in_between(rng):
    """Queries and keys of two widths, and a matrix between them: first square, then not."""
    return [
        pairs(rng, 2, 4, 3) | {"weight": rng.normal(size=(3, 3))},
        {"query": rng.normal(size=(2, 2)), "keys": rng.normal(size=(3, 5)), "weight": rng.normal(size=(2, 5))},
    ]


def batches_between(rng):
    """With a matrix equal to its transpose, which is looked at elsewhere."""
    half = rng.normal(size=(4, 4))
    return [case | {"weight": half + half.T} for case in batches(rng)]


def units(rng, query_width=3, key_width=3, attention=3):
    shapes = {"w_query": (query_width, attention), "w_keys": (key_width, attention), "v": (attention,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def one_pair(rng):
    """One query and one key; the second time of widths that fit only with both matrices."""
    return [
        pairs(rng, 1, 1, 3) | units(rng),
        {"query": rng.normal(size=(1, 2)), "keys": rng.normal(size=(1, 4))} | units(rng, 2, 4, 3),
    ]


def many_pairs(rng):
    return [pairs(rng, queries, steps, 3) | units(rng) for queries, steps in ((3, 5), (4, 4))]


def batches_of_units(rng):
    return [case | units(rng, 4, 4, 4) for case in batches(rng)]


def recordings(rng, batch=3, steps=6, query_width=4, width=4, attention=4):
    """Padded at the end: each has at least one real state and one of padding."""
    lengths = rng.integers(2, steps - 1, size=batch)
    return {
        "query": rng.normal(size=(batch, query_width)),
        "states": rng.normal(size=(batch, steps, width)),
        "mask": np.arange(steps) < lengths[:, None],
    } | units(rng, query_width, width, attention)


def two_recordings(rng):
    return [recordings(rng), recordings(rng, 2, 5, 4, 4, 4)]


def of_several_widths(rng):
    """The second time of widths that fit only with both matrices."""
    return [recordings(rng), recordings(rng, 2, 5, 3, 4, 2)]


def one_empty(rng):
    case = recordings(rng)
    case["mask"][1] = False
    return [case]


def halves(rng):
    """One recording is empty, and the largest score is 32."""
    (case,) = one_empty(rng)
    found = additive_scores(case["query"][:, None], case["states"], case["w_query"], case["w_keys"], case["v"])[:, 0]
    found = found[case["mask"]]
    case["v"] = case["v"] * 32 / found[np.abs(found).argmax()]
    return [{k: v if k == "mask" else v.astype(np.float16) for k, v in case.items()}]


NOISE, ADDITIVE, MASKS = "See chapter 5, ", "See chapter 6, ", "See chapter 4, "

QUESTIONS = (
    Question(
        "scaled_scores",
        scaled_scores,
        (
            Concept(
                "pairs",
                "every query meets every key",
                1,
                lambda rng: [pairs(rng), pairs(rng, 4, 4, 6)],
                {
                    "The table lies on its side: rows should be queries and columns keys.": lambda q, k: share(k @ q.T),
                    "These are weights already; here the scores are wanted, before the softmax.": lambda q, k: share(
                        softmax(scaled_scores(q, k))
                    ),
                    "These are weights already, of undivided scores; the scores are wanted.": lambda q, k: share(
                        softmax(q @ k.T)
                    ),
                    "Each query is divided by its own length; √d is one number for all.": lambda q, k: share(
                        unit(q) @ k.T
                    ),
                    "The lengths have been divided out: this is the cosine, not the dot product.": lambda q, k: share(
                        unit(q) @ unit(k).T
                    ),
                },
                NOISE + "“A score is the length of a shadow, times the length of the query”.",
                answer=lambda q, k: share(q @ k.T),
                probe="up_to_size",
            ),
            Concept(
                "root",
                "the scores are divided by √d",
                2,
                lambda rng: [pairs(rng, 2, 3, d) for d in (5, 7, 11)],
                {
                    "This is the plain dot product: the √d is missing.": lambda q, k: np.abs(q @ k.T).sum(),
                    "The scores are divided by d, not by its root. Noise is silenced, but so is the call.": (
                        lambda q, k: np.abs(q @ k.T).sum() / q.shape[-1]
                    ),
                    "The scores are multiplied by √d; they should be divided by it.": (
                        lambda q, k: np.abs(q @ k.T).sum() * np.sqrt(q.shape[-1])
                    ),
                    "This is the root of T, the number of keys. What makes a score spread is how many products it "
                    "adds up, and that is d, the width.": lambda q, k: np.abs(q @ k.T).sum() / np.sqrt(len(k)),
                    "This is the root of the number of queries; d is the width, the size of the last axis.": (
                        lambda q, k: np.abs(q @ k.T).sum() / np.sqrt(len(q))
                    ),
                    "Each query is divided by its own length; √d is one number for all.": (
                        lambda q, k: np.abs(unit(q) @ k.T).sum()
                    ),
                    "The lengths have been divided out: this is the cosine, not the dot product divided by √d.": (
                        lambda q, k: np.abs(unit(q) @ unit(k).T).sum()
                    ),
                    "These are weights already, and each row adds up to 1; the scores are wanted, before the "
                    "softmax.": lambda q, k: float(len(q)),
                },
                NOISE + "“Why divide by √d?”.",
                answer=lambda q, k: np.abs(scaled_scores(q, k)).sum(),
                probe="size",
            ),
            Concept(
                "batch",
                "axes in front are left alone",
                1,
                batches,
                in_front(
                    "It stops when axes stand in front, though not without. `.T` turns *all* axes round; "
                    "np.swapaxes(keys, -1, -2) turns the last two only.",
                    "A batch gives other numbers than its members give one by one. Is d the last axis? len(query) and "
                    "query.shape[1] count something else once a batch stands in front.",
                ),
                NOISE + "“A score is the length of a shadow, times the length of the query”.",
                answer=word("the same"),
                probe="pairs_alone",
            ),
        ),
    ),
    Question(
        "largest_weight",
        lambda scores: softmax(scores).max(axis=-1),
        (
            Concept(
                "rows",
                "the largest weight of each row",
                2,
                lambda rng: [{"scores": rng.normal(size=(4, 3, 5))}, {"scores": rng.normal(size=6)}],
                {
                    "This is the largest *score*; turn scores into weights first.": lambda s: s.max(axis=-1),
                    "This is the place of the largest weight; the weight itself is wanted.": lambda s: s.argmax(
                        axis=-1
                    ),
                    "This is one number for everything, a largest or a mean; each row has a largest weight of its "
                    "own. Give the maximum its axis, the last.": by_rows("one number"),
                    "The answer has lost the first axis: there the rows are counted. The entries stand along the last, "
                    "so take the maximum there.": by_rows("axis 0 is gone"),
                    "The answer has lost axis 1. The entries stand along the last axis, -1, so take the maximum "
                    "there.": lambda s: "axis 1 is gone" if s.ndim > 1 else stops(),
                    "The softmax runs along the first axis; the entries stand along the last.": lambda s: softmax(
                        s, axis=0
                    ).max(axis=-1),
                    "The softmax runs along axis 1; the entries stand along the last, -1.": lambda s: softmax(
                        s, axis=1
                    ).max(axis=-1),
                    "The softmax was taken over all numbers together: a row does not add up to 1. Give it the axis.": (
                        lambda s: softmax(s, axis=None).max(axis=-1)
                    ),
                    "This is the smallest weight.": lambda s: softmax(s).min(axis=-1),
                },
                NOISE + "“How sure should a search through noise be?”.",
                probe="by_rows",
            ),
        ),
    ),
    Question(
        "slope",
        slope,
        (
            Concept(
                "own",
                "what a weight owes to its own score",
                2,
                rows,
                {
                    "This is α, not α(1 − α): what one weight gains, the others lose, and that slows it.": (
                        diagonal(lambda a: a)
                    ),
                    "This is 1 − α; the factor α is missing.": diagonal(lambda a: 1 - a),
                    "The sign is turned round: a larger score makes its own weight larger.": (
                        diagonal(lambda a: a * (a - 1))
                    ),
                    "A weight's own slope is −α² here: the δ, 1 on the diagonal, is missing.": diagonal(
                        lambda a: -(a**2)
                    ),
                    "The formula wants weights. It was given the scores: put them through the softmax first.": (
                        lambda s: np.diag(s * (1 - s))
                    ),
                },
                NOISE + "“What saturation does to learning”.",
                answer=diagonal(lambda a: a * (1 - a)),
                probe="diagonal",
            ),
            Concept(
                "others",
                "what it owes to the scores of others",
                1,
                rows,
                {
                    "Only a weight's own score counts here. But weights share one whole: if another score rises, this "
                    "weight falls.": across(lambda a: 0 * a),
                    "The sign is missing: if another score rises, this weight falls.": (
                        across(lambda a: a[:, None] * a)
                    ),
                    "There is a 1 off the diagonal too: δ is 1 only where t = s, else 0.": (
                        across(lambda a: a[:, None] * (1 - a))
                    ),
                    "Off the diagonal stands −α of one of the two; it is the product of both.": (
                        across(lambda a: -a[:, None])
                    ),
                    "The formula wants weights. It was given the scores: put them through the softmax first.": (
                        lambda s: -s[:, None] * s * (1 - np.eye(len(s)))
                    ),
                },
                NOISE + "“What saturation does to learning”.",
                answer=across(lambda a: -a[:, None] * a),
                probe="off_diagonal",
            ),
            Concept(
                "rows",
                "every row has a table of its own",
                1,
                lambda rng: [{"scores": rng.normal(size=(3, 4))}, {"scores": rng.normal(size=(2, 3, 4))}],
                {
                    "There is no table. For a row of T scores T × T numbers are wanted: how each weight moves with "
                    "each score.": word("no table"),
                    "It stops when there are several rows, though not for one. np.diag and np.outer, for instance, "
                    "know one row only; weights[..., None] gives each row a new axis.": word("stops"),
                    "It stops for a single row of scores already: mend that first.": word("stops alone"),
                    "Several rows at once give other numbers than each by itself. Has the softmax its axis? Without "
                    "one, SciPy's takes all rows together: softmax(scores, axis=-1).": word("other numbers"),
                    "Several rows should give a table each: (…, T) becomes (…, T, T).": word("another shape"),
                    "Several rows should give a table each, (…, T, T); here there are more axes.": word(
                        "too many axes"
                    ),
                    "It works for rows in one list, (N, T), and stops when they stand in a table, (M, N, T). Count "
                    "axes from the end.": lambda s: "the same" if s.ndim == 2 else "stops",
                    "It is right for rows in one list, (N, T), and not when they stand in a table, (M, N, T). Count "
                    "axes from the end.": lambda s: "the same" if s.ndim == 2 else "other numbers",
                },
                NOISE + "“What saturation does to learning”.",
                answer=word("the same"),
                probe="rows_alone",
            ),
        ),
    ),
    Question(
        "general_scores",
        lambda query, keys, weight: dots(query @ weight, keys),
        (
            Concept(
                "matrix",
                "W stands between query and key",
                3,
                in_between,
                {
                    "W is transposed. Its rows belong to the query and its columns to the key.": lambda q, k, w: (
                        q @ w.T @ k.T
                    ),
                    "W has no effect: this is the plain dot product.": lambda q, k, w: q @ k.T,
                    "The table lies on its side: rows should be queries and columns keys.": lambda q, k, w: (
                        (q @ w @ k.T).T
                    ),
                    "W is applied twice, to the query and to the key. It stands between them, once.": lambda q, k, w: (
                        (q @ w) @ (k @ w).T
                    ),
                    "The scores are divided by √d; Luong's general score is not.": lambda q, k, w: (
                        q @ w @ k.T / np.sqrt(q.shape[-1])
                    ),
                    "The scores are divided by the root of the keys' width; Luong's general score is not.": (
                        lambda q, k, w: q @ w @ k.T / np.sqrt(k.shape[-1])
                    ),
                    "These are weights already; the scores are wanted.": lambda q, k, w: softmax(q @ w @ k.T),
                },
                NOISE + "“A metric that is learned”.",
            ),
            Concept(
                "batch",
                "axes in front are left alone",
                1,
                batches_between,
                in_front(
                    "It stops when axes stand in front, though not without. `.T` turns *all* axes of the keys round; "
                    "np.swapaxes(keys, -1, -2) turns the last two only.",
                    "A batch gives other numbers than its members give one by one. Count axes from the end.",
                ),
                NOISE + "“A metric that is learned”.",
                answer=word("the same"),
                probe="pairs_alone",
            ),
        ),
    ),
    Question(
        "additive_scores",
        additive_scores,
        (
            Concept(
                "formula",
                "project, add, bend, weigh",
                3,
                one_pair,
                {
                    "There is no tanh: without the bend the score is a straight line, and the query drops out of the "
                    "softmax altogether.": number(no_tanh),
                    "The tanh comes after v. It bends each unit by itself, before v adds them up.": number(late_tanh),
                    "W_k is missing: the keys enter as they are.": number(bare_keys),
                    "W_q is missing: the query enters as it is.": number(bare_query),
                    "Both matrices are missing. That is keras.layers.AdditiveAttention, which is not Bahdanau's "
                    "score.": number(bare_both),
                    "This is a dot product of two projections, Luong's general form under another name: there is no "
                    "sum, no tanh and no v.": number(product),
                    "This is a dot product of two bent projections; query and key should be added, then bent, then "
                    "weighed by v.": number(bent_product),
                    "Query and key are each bent by themselves and then added. Add first: else the query's part is the "
                    "same for every key, and the softmax drops it.": number(bent_apart),
                    "Query and key are multiplied inside the tanh; they should be added.": number(multiplied),
                    "A relu stands where the tanh should.": number(rectified),
                    "v is missing: the units are added up as if each counted the same.": number(without_v),
                    "This is a weight, and of a single key it is always 1. The scores are wanted.": lambda *_: [1.0],
                },
                ADDITIVE + "“Bahdanau's score”.",
                answer=number(additive_scores),
                probe="number",
            ),
            Concept(
                "crossed",
                "every query meets every key",
                2,
                many_pairs,
                {
                    "Query 1 is paired with key 1, query 2 with key 2, and no others meet. Give each of the two a new "
                    "axis (None) before they are added.": lambda q, k, *_: (
                        "stops" if len(q) != len(k) else "one number a query"
                    ),
                    "The table lies on its side: rows should be queries and columns keys.": word("on its side"),
                    "One query and one key work, and several stop. Every query should meet every key: (Tq, 1, A) and "
                    "(1, T, A) add up to (Tq, T, A).": word("stops"),
                    "The table should have the shape (Tq, T).": word("another shape"),
                    "There is one number for each query; it should be one for each pair of a query and a key.": word(
                        "one number a query"
                    ),
                    "The table has the right shape, and other numbers than each query and key give by themselves.": (
                        word("other numbers")
                    ),
                    "Every query and key score the same.": word("all equal"),
                },
                ADDITIVE + "“When it goes wrong”.",
                answer=word("every pair"),
                probe="crossed",
            ),
            Concept(
                "batch",
                "axes in front are left alone",
                1,
                batches_of_units,
                in_front(
                    "It stops when axes stand in front, though not without. Count from the end: [..., :, None, :] for "
                    "the query and [..., None, :, :] for the keys.",
                    "A batch gives other numbers than its members give one by one. Count from the end: "
                    "[..., :, None, :] for the query and [..., None, :, :] for the keys.",
                ),
                ADDITIVE + "“Bahdanau's score”.",
                answer=word("the same"),
                probe="pairs_alone",
            ),
        ),
    ),
    Question(
        "hill",
        hill,
        (
            Concept(
                "place",
                "the hill stands where the dial points",
                2,
                lambda rng: [
                    {"query": rng.uniform(0.5, 3, size=3), "keys": rng.uniform(-3, 3, size=5), "width": 1.0}
                    for _ in range(2)
                ],
                {
                    "The hill stands at minus the dial: query and key are added. One of the two needs a minus.": (
                        lambda q, k, w: rise(k + q[:, None])
                    ),
                    "This is one step, which rises and stays up. Take a second, a little later, away from it.": (
                        lambda q, k, w: np.tanh(k - q[:, None] + 1)
                    ),
                    "Two steps up are a staircase: the last station always wins. The second step has to go down, so v "
                    "needs a minus.": lambda q, k, w: np.tanh(k - q[:, None] + 1) + np.tanh(k - q[:, None] - 1),
                    "This is a valley: the station at the dial scores lowest.": lambda q, k, w: -hill(q, k, w),
                    "The shifts are missing, and two equal steps cancel: every score is 0.": lambda q, k, w: (
                        0 * hill(q, k, w)
                    ),
                    "The table lies on its side: rows should be dials and columns stations.": lambda q, k, w: (
                        hill(q, k, w).T
                    ),
                    "One dial works, and several stop: each should meet each station. A new axis, query[:, None], "
                    "makes rows of the dials.": word("one dial only"),
                },
                ADDITIVE + "“Two bends make a hill”.",
                probe="placed",
            ),
            Concept(
                "width",
                "a wider hill reaches further",
                1,
                lambda rng: [
                    {"query": np.zeros(1), "keys": rng.uniform(0.5, 1.5, size=1), "width": w} for w in (0.5, 2.0, 3.0)
                ],
                {
                    "The width has no effect.": lambda q, k, w: (rise(k * w) / rise(k))[0],
                    "The distance is multiplied by the width, not divided: a larger one makes the hill narrower.": (
                        lambda q, k, w: (rise(k * w**2) / rise(k))[0]
                    ),
                    "The shift is divided by the width too. Only the distance is: the ±1 stands outside.": (
                        lambda q, k, w: ((np.tanh(k + 1 / w) - np.tanh(k - 1 / w)) / rise(k))[0]
                    ),
                    "The score is divided by the width, not the distance: that makes the hill lower, not wider.": (
                        lambda q, k, w: (rise(k * w) / rise(k) / w)[0]
                    ),
                    "There is nothing to stretch: every score is 0.": lambda q, k, w: 0.0,
                    "The width is squared.": lambda q, k, w: (rise(k / w) / rise(k))[0],
                },
                ADDITIVE + "“Exercise 2 · Implement”.",
                answer=lambda q, k, w: 1.0,
                probe="stretched",
            ),
        ),
    ),
    Question(
        "attend",
        attend,
        (
            Concept(
                "same",
                "additive scores, softmax over time, average of the states",
                2,
                of_several_widths,
                {
                    "There is no tanh: the query has no say.": unpadded(no_tanh),
                    "The tanh comes after v. It bends each unit by itself, before v adds them up.": unpadded(late_tanh),
                    "W_k is missing: the states enter as they are.": unpadded(bare_keys),
                    "W_q is missing: the query enters as it is.": unpadded(bare_query),
                    "Query and state are each bent by themselves and then added. Add first: else the query's part is "
                    "the same for every state, and the softmax drops it.": unpadded(bent_apart),
                    "v is missing: the units are added up as if each counted the same.": unpadded(without_v),
                    "This is a dot product of two projections, Luong's general form under another name: there is no "
                    "sum, no tanh and no v.": unpadded(product),
                    "The softmax runs over the batch, not over the time steps.": other_axis,
                    "There is no softmax: these are scores.": no_softmax,
                    "The two answers have changed places: the context comes first, then the weights.": (
                        word("in another order")
                    ),
                    "The weights should have the shape (B, T): one for each state of each recording.": word(
                        "weights of another shape"
                    ),
                    "The context should have the shape (B, 2H): one average of states, over time, for each "
                    "recording.": word("context of another shape"),
                    "The last state is asked with, not the query that was given.": last_asks,
                    "The projected keys are averaged; the states themselves are wanted.": keys_for_values,
                    "The context is the plain sum of the states, as if every weight were 1.": plain_sum,
                    "Every weight is 1: the softmax runs over an axis that holds one number only. It should run over "
                    "the time steps.": all_ones,
                },
                ADDITIVE + "“Bahdanau's score”.",
                answer=lambda q, s, m, *weights: attend(q, s, np.ones_like(m), *weights),
                probe="unpadded",
            ),
            Concept(
                "padding",
                "padding gets exactly 0",
                2,
                two_recordings,
                {
                    "The mask is upside down: padding is read and the recording is not. True means a real state.": (
                        word("only padding has weight")
                    ),
                    "The mask has no effect.": word("as if all were real"),
                    "Padding has weight, and each step of it the same: its scores were all set to one number. If that "
                    "was 0, e to the 0 is 1; e to minus infinity is 0.": word("the same for each"),
                    "Padding has weight, if not what it would have without a mask. Its scores should be minus infinity "
                    "when the softmax sees them.": word("some"),
                    "No state has any weight, real ones neither.": word("nothing has weight"),
                    "There is a NaN among the weights, though each recording has a real state.": word("NaN"),
                },
                MASKS + "“Entries that are not there”.",
                answer=word("zeros"),
                probe="at_padding",
            ),
            Concept(
                "whole",
                "the real states share the whole",
                1,
                two_recordings,
                {
                    "The weights do not add up to 1: the mask is put on after the softmax, which has given the padding "
                    "its share already. Mask the scores.": lambda q, s, m, *weights: (
                        softmax(additive_scores(q[:, None], s, *weights)[:, 0]) * m
                    ).sum(axis=-1),
                    "There is no softmax: these are scores.": lambda q, s, m, *weights: (
                        additive_scores(q[:, None], s, *weights)[:, 0] * m
                    ).sum(axis=-1),
                    "Every weight is 1: the softmax runs over an axis that holds one number only. It should run over "
                    "the time steps.": lambda q, s, m, *weights: m.sum(axis=-1),
                },
                MASKS + "“Entries that are not there”.",
                answer=lambda q, s, m, *weights: np.ones(len(m)),
                probe="sum_of_weights",
            ),
            Concept(
                "half",
                "half precision (float16) works, for large scores and an empty recording too",
                1,
                halves,
                {
                    "It stops in float16, though not in float32: a number such as −1e9 does not fit, the largest is "
                    "65504. Minus infinity does.": word("does not fit"),
                    "In float16 it gives NaN, though not in float32. Some number inside does not fit: there −1e9, for "
                    "example, is minus infinity, and 0 times that is NaN.": word("NaN"),
                    "In float16 it gives NaN once scores are large: e to the 12 is more than 65504 already. Take each "
                    "row's largest score away first, as a library's softmax does.": word("NaN for large scores"),
                    "In float16 the empty recording gives NaN, though not in float32. Some number inside does not fit: "
                    "there −1e9, for example, is minus infinity, and 1e-9 is 0.": word("NaN for the empty recording"),
                    "It gives NaN for scores of 30 and more, in float32 too.": word("NaN in float32"),
                    "The answer to float16 is not float16: something inside made it wider. Both context and weights "
                    "should have the dtype of `states`.": word("another dtype"),
                    "In float16 the weights are others than in float32, by far more than rounding.": word(
                        "other weights"
                    ),
                },
                MASKS + "“Exercise 3 · Break”.",
                answer=word("as in float32"),
                probe="in_half_precision",
            ),
            Concept(
                "empty",
                "a recording of nothing but padding gets zeros and spoils no gradient",
                2,
                one_empty,
                {
                    "The empty recording makes a gradient NaN, and with it the weights after one step of training. "
                    "To replace a NaN afterwards may mend the answer and not its gradient: let no row of minus "
                    "infinities reach the softmax, and divide by no 0.": word("zeros, and NaN in a gradient"),
                    "The empty recording gives NaN. Zeros are wanted: let no row of minus infinities reach the "
                    "softmax, and divide by no 0.": word("NaN"),
                    "The empty recording gets weights all the same. Zeros are wanted there.": word("weights"),
                    "The empty recording has weights of 0 and a context that is not. Average with these weights.": (
                        word("a context")
                    ),
                    "No gradient reaches the matrices: somewhere a tensor becomes NumPy or is detached.": word(
                        "no gradient"
                    ),
                },
                MASKS + "“What do libraries answer when asked about nothing?”.",
                answer=word("zeros"),
                probe="empty",
            ),
        ),
        framework=True,
    ),
)
