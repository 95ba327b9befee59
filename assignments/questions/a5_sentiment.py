"""An Attention-LSTM for sentiment, from the text of film reviews to weights on their words."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from ..question import Concept, Question

BOOKS = r"[^\W\d_]+(?:['\-][^\W\d_]+)*|\d+(?:[.,:/]\d+)*|\.{2,}|[^\s\w]|_"
WORD = r"[a-z]+(?:'[a-z]+)*|[!?]"


def tokenise(text):
    return re.findall(WORD, text.replace("<br />", " ").lower())


def found(pattern):
    """Tokens by another rule."""
    return lambda text: re.findall(pattern, text.replace("<br />", " ").lower())


def first_copies(texts):
    return [row for row, text in enumerate(texts) if text not in texts[:row]]


def split(texts, labels):
    rows, train, held_out = first_copies(texts), [], []
    for label in (0, 1):
        ours = [row for row in rows if labels[row] == label]
        start = len(ours) - len(ours) // 5
        train, held_out = train + ours[:start], held_out + ours[start:]
    return sorted(train), sorted(held_out)


def copies_within(texts, labels):
    """Copies taken away on each side, once the split is made."""
    rows = list(range(len(texts)))
    sides = split([str(row) for row in rows], labels)
    return sorted(side[k] for side in sides for k in first_copies([texts[row] for row in side]))


def copies_in_train(texts, labels):
    """Training reviews taken away that are held out, too, once the split is made."""
    train, held_out = split([str(row) for row in range(len(texts))], labels)
    apart = {texts[row] for row in held_out}
    return sorted([row for row in train if texts[row] not in apart] + held_out)


def ranked(reviews, rows, key=lambda word, count: (-count, word), count_each=list):
    counts = Counter(word for row in rows for word in count_each(reviews[row]))
    return sorted(counts, key=lambda word: key(word, counts[word]))


def against_alphabet(reviews, rows):
    counts = Counter(word for row in rows for word in reviews[row])
    return sorted(counts, key=lambda word: (counts[word], word), reverse=True)


def build_vocabulary(reviews, train, size):
    return {word: number for number, word in enumerate(ranked(reviews, train)[: size - 2], start=2)}


def numbered(start, **how):
    return lambda reviews, train, size: {
        word: number for number, word in enumerate(ranked(reviews, train, **how)[: size - 2], start=start)
    }


def encode(tokens, vocabulary, keep):
    return [vocabulary.get(token, 1) for token in tokens][-keep:]


def padded(rows, length=0, left=False, fill=0):
    ids = np.full((len(rows), max(length, *map(len, rows))), fill)
    for place, row in enumerate(rows):
        ids[place, ids.shape[1] - len(row) :] = row
        if not left:
            ids[place] = np.roll(ids[place], len(row))
    return ids


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, wx, wh, b):
    """(T, D) -> (T, H): one review, one way."""
    h = c = np.zeros(len(wh))
    out = []
    for step in x:
        i, f, g, o = np.split(step @ wx + h @ wh + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out)


def bilstm(x, mask, wx, wh, b):
    """States (B, T, 2H), zero in the padding."""
    out = np.zeros((*mask.shape, 2 * wh.shape[1]))
    for row, (steps, real) in enumerate(zip(x, mask, strict=True)):
        steps = steps[real]
        ways = lstm(steps, wx[0], wh[0], b[0]), lstm(steps[::-1], wx[1], wh[1], b[1])[::-1]
        out[row, : len(steps)] = np.concatenate(ways, axis=-1)
    return out


def reads_padding(x, mask, *weights):
    return bilstm(x, np.ones_like(mask), *weights)


def halves(states, lengths):
    """(forward states after the last word, backward states after the first)"""
    units = states.shape[-1] // 2
    return states[np.arange(len(states)), np.asarray(lengths) - 1, :units], states[:, 0, units:]


def ends(x, mask, *weights):
    return np.concatenate(halves(bilstm(x, mask, *weights), mask.sum(axis=1)), axis=-1)


def all_ends(x, mask, *weights):
    """Both directions' ends without padding, one after the other as PyTorch has them: (2, B, H)."""
    return np.stack(halves(bilstm(x, mask, *weights), mask.sum(axis=1)))


def softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def pool_weights(states, mask, w, b, v, f=np.tanh):
    return softmax(np.where(mask, f(states @ w + b) @ v, -np.inf))


def stops(*_):
    """For mistakes that raise an error."""
    raise ValueError


# --- the inputs of the cases --------------------------------------------------------------------------------

WORDS = (
    "dull",
    "great",
    "film",
    "plot",
    "funny",
    "awful",
    "scene",
    "actor",
    "boring",
    "ending",
    "music",
    "never",
    "slow",
)


def some(rng, count):
    return [str(word) for word in rng.choice(WORDS, size=count, replace=False)]


def with_breaks(rng):
    a, b, c, d = some(rng, 4)
    return [{"text": f"{a} {b}<br /><br />{c}<br />{d}"}]


def in_capitals(rng):
    a, b, c = some(rng, 3)
    return [{"text": f"{a.title()} {b.upper()} {c}"}]


def with_marks(rng):
    a, b, c, d, e = some(rng, 5)
    number = rng.integers(1, 10)
    return [{"text": f"don't \"{a}\", '{b}'!? {c}-{d}... it's {number}/10 ({e}_{a})!!"}]


def shelves(rng, shape):
    """Reviews sorted by label: (texts, labels), no text twice."""
    order = rng.permutation(sum(shape))
    return {
        "texts": [f"review {row}" for row in order],
        "labels": np.repeat(np.arange(len(shape)) % 2, shape),
    }


def sorted_shelves(rng):
    extra = int(rng.integers(2))
    return [shelves(rng, (12 + extra, 16)), shelves(rng, (15 + extra, 10)), shelves(rng, (6, 7, 5 + extra, 9))]


def odd_shelves(rng):
    """Sizes whose fifths, rounded down, are those of the whole: only rounding is seen."""
    return [shelves(rng, shape) for shape in ((13, 10), (10, 19 - int(rng.integers(2))))]


def with_copies(rng):
    cases = []
    for shape in ((12, 13), (10, 17)):
        case = shelves(rng, shape)
        texts, first, last = case["texts"], int(rng.integers(3)), shape[0] - 1
        texts[first + 4] = texts[first]  # both in train
        texts[last] = texts[first + 5]  # one held out
        texts[-1] = texts[-2] = texts[shape[0] + first]  # two held out and one not
        cases.append(case)
    return cases


def shop(rng, counts, repeats=1):
    """Reviews in which each word occurs as often as its count says."""
    words = [word for word, count in counts.items() for _ in range(count * repeats)]
    return [[str(word) for word in part] for part in np.array_split(rng.permutation(words), 4)]


def distinct_counts(rng):
    counts = dict(zip(some(rng, 6), (int(c) for c in rng.permutation([2, 3, 5, 7, 9, 12])), strict=True))
    return [{"reviews": shop(rng, counts), "train": [0, 1, 2, 3], "size": 50}]


def repeated(rng):
    """A word that one review says many times, and one that many reviews say once."""
    a, b, c = some(rng, 3)
    return [{"reviews": [[a, b], [b, c], [a] * 5 + [b], [c, a, b]], "train": [0, 1, 2, 3], "size": 50}]


def tied(rng):
    a, b, c, d, e = sorted(some(rng, 5), reverse=True)
    reviews = [[b, a, d], [c, d, b], [c, a, d], [e]]  # d three times; c, b and a twice; e once
    return [{"reviews": reviews, "train": [0, 1, 2, 3], "size": 50}]


def many_words(rng):
    counts = dict(zip(some(rng, 8), range(2, 10), strict=True))
    return [{"reviews": shop(rng, counts), "train": [0, 1, 2, 3], "size": size} for size in (5, 7)]


def others_words(rng):
    words = some(rng, 7)
    reviews = shop(rng, dict(zip(words[:4], (3, 4, 5, 6), strict=True)))
    others = shop(rng, dict(zip(words[3:], (4, 5, 6, 7), strict=True)))[:2]
    return [{"reviews": [others[0], *reviews[:2], others[1], *reviews[2:]], "train": [1, 2, 4, 5], "size": 50}]


def numbers_of(words, rng):
    return {word: int(n) for word, n in zip(words, 2 + rng.permutation(len(words)), strict=True)}


def with_unknown(rng):
    words = some(rng, 6)
    vocabulary = numbers_of(words[:4], rng)
    return [{"tokens": [words[k] for k in (0, 4, 2, 5, 0)], "vocabulary": vocabulary, "keep": 9}]


def long_and_short(rng):
    words = some(rng, 7)
    vocabulary = numbers_of(words, rng)
    return [{"tokens": words[:n], "vocabulary": vocabulary, "keep": 4} for n in (7, 3)]


def some_rows(rng):
    """Six reviews of different lengths, the longest of all not among those chosen, and not in order."""
    lengths = [*rng.permutation([2, 3, 4, 5, 6]).tolist(), 8]
    rows = [rng.integers(1, 30, size=length).tolist() for length in lengths]
    labels = np.array([0, 0, rng.integers(2), 1, 1, rng.integers(2)]) ^ rng.integers(2)
    return [{"rows": rows, "labels": labels, "chosen": chosen} for chosen in ([4, 1, 3], [3, 0])]


def readings(rng, lengths, steps):
    width, units = 3, 2
    return {
        "x": rng.normal(size=(len(lengths), steps, width)),
        "mask": np.arange(steps) < np.array(lengths)[:, None],
        "wx": rng.normal(size=(2, width, 4 * units)),
        "wh": rng.normal(size=(2, units, 4 * units)),
        "b": rng.normal(size=(2, 4 * units)),
    }


def poolings(rng, lengths=(5, 5, 5)):
    steps, width, units = 5, 3, 4
    return {
        "states": rng.normal(size=(len(lengths), steps, width)),
        "mask": np.arange(steps) < np.array(lengths)[:, None],
        "w": 1.5 * rng.normal(size=(width, units)),
        "b": 1.5 * rng.normal(size=units),
        "v": 1.5 * rng.normal(size=units),
    }


def all_alike(rng):
    """Weights v of 0: every word scores 0."""
    cases = [poolings(rng, (4, 2, 3)), poolings(rng, (4, 1))]
    return [case | {"v": np.zeros(4)} for case in cases]


def judgements(rng):
    """Logits many of which lie between 0 and 1, few of them right by chance."""
    logits = np.array([0.2, 0.7, 0.3, 0.45, -0.4, -2.0, 3.0, -0.1, 0.6]) + rng.uniform(0, 0.02, size=9)
    labels = np.array([1, 0, 1, 1, 0, 1, 1, 0, 1])
    order = rng.permutation(9)
    return [{"logits": logits[order], "labels": labels[order]}]


def columns(rng):
    labels = rng.permutation([0, 0, 1, 1, 1, 1])
    logits = np.where(labels == 1, 3.0, -3.0)
    for label in (0, 1):
        logits[np.argmax(labels == label)] *= -1  # one of each is judged wrongly
    return [{"logits": logits[:, None], "labels": labels}]


NINE, TEN, TWO = "See chapter 9, ", "See chapter 10, ", "See chapter 2, "

QUESTIONS = (
    Question(
        "tokenise",
        tokenise,
        (
            Concept(
                "breaks",
                "a line break parts two words",
                1,
                with_breaks,
                {
                    "Two words are glued together where a line broke: <br /> should leave a space behind.": (
                        lambda text: found(WORD)(text.replace("<br />", ""))
                    ),
                    "The line breaks are read as a word, br.": lambda text: found(WORD)(re.sub("[</>]", " ", text)),
                },
                TEN + "“First, the data”.",
            ),
            Concept(
                "lower",
                "Great, GREAT and great are one word",
                1,
                in_capitals,
                {
                    "Capitals are left as they were, so a word at the beginning of a sentence is another word.": (
                        lambda text: text.split()
                    ),
                    "Capitals are lost, and the letters with them: make the text small before you look for a to z.": (
                        lambda text: re.findall(WORD, text)
                    ),
                },
                TEN + "“First, the data”.",
            ),
            Concept(
                "words",
                "words keep inner apostrophes, ! and ? stand alone, the rest goes",
                2,
                with_marks,
                {
                    "These are the tokens of the book; the rule asked for here is another.": found(BOOKS),
                    "The text is cut at spaces only, and marks stick to the words.": lambda text: text.split(),
                    "The marks ! and ? are lost; each is a token of its own.": found(r"[a-z]+(?:'[a-z]+)*"),
                    "A word is cut at its apostrophe: don't is one token.": found(r"[a-z]+|[!?]"),
                    "The apostrophe is left out, and dont is another word than don't.": lambda text: found(
                        r"[a-z]+|[!?]"
                    )(text.replace("'", "")),
                    "Apostrophes at the edge of a word stay on it; only those between letters belong to it.": found(
                        r"[a-z']+|[!?]"
                    ),
                    "Digits or underscores are kept; only letters make words.": found(r"\w+(?:'\w+)*|[!?]"),
                    "Digits are kept; only letters make words.": found(r"[a-z0-9]+(?:'[a-z0-9]+)*|[!?]"),
                    "Marks in a row are taken as one token; each should stand alone.": found(
                        r"[a-z]+(?:'[a-z]+)*|[!?]+"
                    ),
                    "Every mark is kept; only ! and ? should be.": found(r"[a-z]+(?:'[a-z]+)*|\d+|[^\s\w]|_"),
                    "Every mark is kept; of all marks only ! and ? should be.": found(r"[a-z]+(?:'[a-z]+)*|[^\s\w]"),
                    "A hyphen is taken for a part of the word; it should part two words.": found(
                        r"[a-z]+(?:['-][a-z]+)*|[!?]"
                    ),
                },
                TEN + "“First, the data”.",
            ),
        ),
    ),
    Question(
        "split",
        split,
        (
            Concept(
                "blocks",
                "the last block of each label is held out",
                2,
                sorted_shelves,
                {
                    "Only one label is held out: the file is sorted, so its last fifth is all praise. Take the last "
                    "fifth of each label.": lambda texts, labels: "one label only",
                    "Training reviews stand behind those held out: it is not the *last* block of each label (a random "
                    "sample is not), or the two parts came back in the wrong order.": (
                        lambda texts, labels: "training reviews behind them"
                    ),
                    "Of one label more than a fifth is held out, of the other less.": (
                        lambda texts, labels: "not a fifth of each label"
                    ),
                },
                TEN + "“Which reviews may we hold out?” and “A validation set with one label”.",
                answer=lambda texts, labels: "nothing",
                probe="how_held_out",
            ),
            Concept(
                "fifth",
                "a fifth is held out, rounded down",
                1,
                odd_shelves,
                {
                    "A fifth of each label should be rounded down; here it is rounded up or to the nearest.": (
                        lambda texts, labels: len(split(texts, labels)[1]) + 1
                    ),
                    "The two parts are handed back in the wrong order: training first.": (
                        lambda texts, labels: len(split(texts, labels)[0])
                    ),
                },
                TEN + "“Which reviews may we hold out?”.",
                answer=lambda texts, labels: len(split(texts, labels)[1]),
                probe="how_many_held_out",
            ),
            Concept(
                "copies",
                "each text is there once, and its copies go first",
                1,
                with_copies,
                {
                    "Copies are still there: the same text may be learned from and tested on.": (
                        lambda texts, labels: list(range(len(texts)))
                    ),
                    "Copies are taken away on each side by itself, after the split: the same text may still stand on "
                    "both sides.": copies_within,
                    "Copies are taken away after the split. Do it before: the first copy stays where it stands, and "
                    "only then is it counted what a fifth is.": copies_in_train,
                    "The last copy of a text is kept; keep the first.": lambda texts, labels: [
                        row for row, text in enumerate(texts) if text not in texts[row + 1 :]
                    ],
                    "A text with copies is thrown away altogether; keep the first of them.": lambda texts, labels: [
                        row for row, text in enumerate(texts) if texts.count(text) == 1
                    ],
                },
                TEN + "“First, the data”.",
                answer=lambda texts, labels: first_copies(texts),
                probe="used",
            ),
        ),
    ),
    Question(
        "build_vocabulary",
        build_vocabulary,
        (
            Concept(
                "numbers",
                "the commonest word is number 2, the next number 3",
                1,
                lambda rng: distinct_counts(rng) + repeated(rng),
                {
                    "The numbers begin at 0, which is the padding's; 1 stands for unknown words, so the first word "
                    "is number 2.": numbered(0),
                    "The numbers begin at 1, which stands for unknown words; the first word is number 2.": numbered(1),
                    "The rarest word comes first; it should be the commonest.": numbered(
                        2, key=lambda word, count: (count, word)
                    ),
                    "A word is counted once for each review that holds it; count how often it occurs.": numbered(
                        2, count_each=set
                    ),
                    "The words are numbered by the alphabet, not by how often they occur.": numbered(
                        2, key=lambda word, count: word
                    ),
                },
                NINE + "“One minute on real film reviews”.",
            ),
            Concept(
                "ties",
                "equally common words by the alphabet",
                1,
                tied,
                {
                    "Equally common words stand in the order in which they were met; the alphabet should "
                    "decide.": lambda reviews, train, size: [
                        word for word, _ in Counter(word for row in train for word in reviews[row]).most_common()
                    ],
                    "Equally common words stand against the alphabet: only the count should be turned round.": (
                        lambda reviews, train, size: against_alphabet(reviews, train)
                    ),
                },
                NINE + "“One minute on real film reviews”.",
                answer=lambda reviews, train, size: ranked(reviews, train),
                probe="in_order",
            ),
            Concept(
                "size",
                "size counts padding and unknown, too",
                1,
                many_words,
                {
                    "There are two entries too many: of `size` numbers, two are those of padding and of unknown words, "
                    "which are not in the dictionary.": (lambda reviews, train, size: size),
                    "There is one word too many: padding and unknown words have a number each.": (
                        lambda reviews, train, size: size - 1
                    ),
                    "The vocabulary is not cut to the size asked for.": lambda reviews, train, size: 8,
                },
                NINE + "“How many parameters?”.",
                answer=lambda reviews, train, size: size - 2,
                probe="how_many",
            ),
            Concept(
                "train",
                "only training reviews are counted",
                1,
                others_words,
                {
                    "Words of held-out reviews are in the vocabulary: count those of the reviews in `train` alone.": (
                        lambda reviews, train, size: sorted(ranked(reviews, range(len(reviews))))
                    ),
                    "The reviews counted are the first ones, as many as `train` has, not those that it names.": (
                        lambda reviews, train, size: sorted(ranked(reviews, range(len(train))))
                    ),
                },
                TEN + "“First, the data”.",
                answer=lambda reviews, train, size: sorted(ranked(reviews, train)),
                probe="which",
            ),
        ),
    ),
    Question(
        "encode",
        encode,
        (
            Concept(
                "unknown",
                "an unknown word is 1",
                1,
                with_unknown,
                {
                    "An unknown word becomes 0 and will be taken for padding; it should be 1.": (
                        lambda tokens, vocabulary, keep: [vocabulary.get(token, 0) for token in tokens]
                    ),
                    "Unknown words are left out, and their neighbours become neighbours; each should be a 1.": (
                        lambda tokens, vocabulary, keep: [vocabulary[token] for token in tokens if token in vocabulary]
                    ),
                    "It stops at a word that the vocabulary does not hold.": stops,
                },
                NINE + "“One minute on real film reviews”.",
            ),
            Concept(
                "last",
                "of a long review the last tokens are kept",
                1,
                long_and_short,
                {
                    "The *first* tokens are kept; keep the last, where the verdict stands.": (
                        lambda tokens, vocabulary, keep: encode(tokens, vocabulary, 99)[:keep]
                    ),
                    "Nothing is cut off.": lambda tokens, vocabulary, keep: encode(tokens, vocabulary, 99),
                    "A short review is filled up here already; that is the batch's business.": (
                        lambda tokens, vocabulary, keep: (encode(tokens, vocabulary, keep) + [0] * keep)[:keep]
                    ),
                },
                TEN + "“Exercise 1 · Predict”.",
            ),
        ),
    ),
    Question(
        "batch",
        lambda rows, labels, chosen: padded([rows[k] for k in chosen]),
        (
            Concept(
                "ids",
                "padding on the right, up to the longest of the batch",
                2,
                some_rows,
                {
                    "The padding stands on the left; here it belongs behind the words.": (
                        lambda rows, labels, chosen: padded([rows[k] for k in chosen], left=True)
                    ),
                    "The rows are as long as the longest review of all; the longest of this batch is enough.": (
                        lambda rows, labels, chosen: padded([rows[k] for k in chosen], length=max(map(len, rows)))
                    ),
                    "The padding is 1, which stands for an unknown word; it should be 0.": (
                        lambda rows, labels, chosen: padded([rows[k] for k in chosen], fill=1)
                    ),
                    "The rows are cut to the shortest of the batch; fill up to the longest.": (
                        lambda rows, labels, chosen: [rows[k][: min(len(rows[j]) for j in chosen)] for k in chosen]
                    ),
                    "These are the first reviews, not the chosen ones.": (
                        lambda rows, labels, chosen: padded(rows[: len(chosen)])
                    ),
                    "The reviews are put in another order than that of `chosen`.": (
                        lambda rows, labels, chosen: padded([rows[k] for k in sorted(chosen)])
                    ),
                },
                TEN + "“Predict, then run: an LSTM without attention”.",
                probe="ids",
            ),
            Concept(
                "mask",
                "the mask is True at words",
                1,
                some_rows,
                {
                    "The mask is upside down: True means *a word*.": lambda rows, labels, chosen: (True, False),
                    "The mask marks the right places but does not hold booleans.": (
                        lambda rows, labels, chosen: (False, True)
                    ),
                },
                NINE + "“Where the mask must go”.",
                answer=lambda rows, labels, chosen: (True, True),
                probe="mask_beside_ids",
            ),
            Concept(
                "labels",
                "each review keeps its own label",
                1,
                some_rows,
                {
                    "These are the first labels of the file: the reviews were chosen and their labels left behind.": (
                        lambda rows, labels, chosen: labels[: len(chosen)]
                    ),
                    "The labels stand in the order of the file, the reviews in that of `chosen`: they have parted.": (
                        lambda rows, labels, chosen: labels[np.sort(chosen)]
                    ),
                    "All labels came back; only those of the chosen reviews are wanted.": (
                        lambda rows, labels, chosen: labels
                    ),
                },
                TEN + "“First, the data”.",
                answer=lambda rows, labels, chosen: labels[np.array(chosen)],
                probe="labels",
            ),
        ),
    ),
    Question(
        "read",
        bilstm,
        (
            Concept(
                "both",
                "a state for each word, forwards and backwards side by side",
                1,
                lambda rng: [readings(rng, (4, 4, 4), 4)],
                {
                    "Batch and time are exchanged: the LSTM reads across the reviews.": lambda x, mask, *weights: (
                        bilstm(np.swapaxes(x, 0, 1), mask.T, *weights).swapaxes(0, 1)
                    ),
                    "Only the forward half of the states is there.": lambda *inputs: np.split(bilstm(*inputs), 2, -1)[
                        0
                    ],
                },
                TWO + "“Which state is where”.",
                probe="states",
            ),
            Concept(
                "padding",
                "padding is never read, whatever stands there",
                2,
                lambda rng: [readings(rng, (3, 5, 1), 5), readings(rng, (2, 4), 4)],
                {
                    "The padding is read like words: the mask, or the lengths, did not reach the LSTM.": (
                        lambda x, mask, *weights: reads_padding(x, mask, *weights)[mask]
                    ),
                    "The padding is set to zero before it is read, but read it is: the LSTM must not step there.": (
                        lambda x, mask, *weights: reads_padding(x * mask[..., None], mask, *weights)[mask]
                    ),
                    "It stops on reviews of different lengths. In PyTorch, pack_padded_sequence wants the longest "
                    "first, unless told enforce_sorted=False.": stops,
                    "The reviews come back sorted by length: put them back in their places.": (
                        lambda x, mask, *weights: bilstm(x, mask, *weights)[np.argsort(-mask.sum(axis=1))][mask]
                    ),
                },
                TWO + "“Rows of unequal length”.",
                answer=lambda x, mask, *weights: bilstm(x, mask, *weights)[mask],
                probe="states_of_words",
            ),
            Concept(
                "length",
                "as many steps out as in, even if every review is shorter",
                1,
                lambda rng: [readings(rng, (4, 3, 1), 6)],
                {
                    "The states end with the longest review and no longer fit the mask: pad_packed_sequence has "
                    "total_length for that.": lambda x, mask, wx, wh, b: [
                        len(x),
                        int(mask.sum(axis=1).max()),
                        2 * wh.shape[1],
                    ],
                },
                NINE + "“The same model in PyTorch and in Keras”.",
                answer=lambda x, mask, wx, wh, b: [*mask.shape, 2 * wh.shape[1]],
                probe="shape_of_states",
            ),
            Concept(
                "halves",
                "of the ends, each direction's own last state",
                1,
                lambda rng: [readings(rng, (4, 4, 4), 4)],
                {
                    "The backward half is taken at the last word, where that direction has read one word only; it "
                    "ends at the first.": lambda *inputs: bilstm(*inputs)[:, -1],
                    "The forward half is taken at the first word, where that direction has read one word only; it "
                    "ends at the last.": lambda *inputs: bilstm(*inputs)[:, 0],
                    "The two halves mix reviews: (2, B, H) was reshaped to (B, 2H). Join the two along their last "
                    "axis, or move the axis first.": lambda *inputs: all_ends(*inputs).reshape(len(inputs[0]), -1),
                    "The backward half comes first; the forward half should.": lambda *inputs: np.concatenate(
                        all_ends(*inputs)[::-1], axis=-1
                    ),
                    "These are each direction's first states; its last are wanted.": lambda *inputs: np.concatenate(
                        [bilstm(*inputs)[:, 0, :2], bilstm(*inputs)[:, -1, 2:]], axis=-1
                    ),
                },
                TWO + "“Which state is where” and “The reshape that mixes sequences”.",
                answer=ends,
                probe="ends",
            ),
            Concept(
                "last",
                "reading forwards ends at the last word, not at the last step",
                1,
                lambda rng: [readings(rng, (5, 3, 2), 5)],
                {
                    "Zeros stand where a review is shorter than its batch: the state is taken at the last step, "
                    "which is padding. Take it after the review's own last word.": lambda x, mask, wx, wh, b: bilstm(
                        x, mask, wx, wh, b
                    )[:, -1, : wh.shape[1]],
                    "The state has read the padding behind the last word.": lambda x, mask, wx, wh, b: reads_padding(
                        x, mask, wx, wh, b
                    )[:, -1, : wh.shape[1]],
                    "The state is taken one word too late: the last word of n is number n − 1.": (
                        lambda x, mask, wx, wh, b: bilstm(x, mask, wx, wh, b)[
                            np.arange(len(x)), np.minimum(mask.sum(axis=1), mask.shape[1] - 1), : wh.shape[1]
                        ]
                    ),
                },
                TWO + "“Which state is where”.",
                answer=lambda x, mask, wx, wh, b: ends(x, mask, wx, wh, b)[:, : wh.shape[1]],
                probe="forward_ends",
            ),
        ),
        framework=True,
    ),
    Question(
        "attention_pool",
        pool_weights,
        (
            Concept(
                "weights",
                "additive scores, made weights over the words",
                3,
                lambda rng: [poolings(rng)],
                {
                    "The weights are all 1: the softmax runs along an axis of one entry. It runs over the words.": (
                        lambda states, mask, *_: np.ones(mask.shape)
                    ),
                    "The softmax runs over the batch; it should run over the words of each review.": (
                        lambda states, mask, w, b, v: softmax(np.tanh(states @ w + b) @ v, axis=0)
                    ),
                    "The softmax runs over the features: it stands where tanh should, or beside it. It belongs to the "
                    "scores, one number a word.": lambda states, mask, w, b, v: softmax(np.tanh(states @ w + b)) @ v,
                    "These are scores; the softmax makes weights of them.": (
                        lambda states, mask, w, b, v: np.tanh(states @ w + b) @ v
                    ),
                    "The tanh is missing.": lambda *inputs: pool_weights(*inputs, f=lambda z: z),
                    "The bias b is missing inside the tanh.": lambda states, mask, w, b, v: pool_weights(
                        states, mask, w, 0 * b, v
                    ),
                    "The bias b is added outside the tanh; it belongs inside.": lambda states, mask, w, b, v: softmax(
                        (np.tanh(states @ w) + b) @ v
                    ),
                    "The vector v is missing: the units are added up unweighted.": lambda states, mask, w, b, v: (
                        pool_weights(states, mask, w, b, np.ones_like(v))
                    ),
                    "Each score goes through a sigmoid by itself; a softmax makes the words share one whole.": (
                        lambda states, mask, w, b, v: sigmoid(np.tanh(states @ w + b) @ v)
                    ),
                },
                NINE + "“Three tokens with a pencil” and “The weights are all 1”.",
                probe="weights",
            ),
            Concept(
                "mask",
                "words share the whole, padding gets nothing",
                2,
                all_alike,
                {
                    "Padding gets weight. It should score minus infinity; a mask that is left out, or multiplied with "
                    "the scores (a score of 0 is not a weight of 0), does not do that.": lambda states, mask, *_: (
                        np.full(mask.shape, 1 / mask.shape[1])
                    ),
                    "The words' weights do not add up to 1: the padding was counted in the softmax and struck out "
                    "afterwards. Mask the scores.": lambda states, mask, *_: mask / mask.shape[1],
                    "The mask is upside down: the padding gets the weight. True means *a word*.": (
                        lambda states, mask, *_: softmax(np.where(mask, -np.inf, 0.0))
                    ),
                    "The softmax runs over the batch; it should run over the words of each review.": (
                        lambda states, mask, *_: softmax(np.where(mask, 0.0, -np.inf), axis=0)
                    ),
                },
                NINE + "“Where the mask must go”.",
                tolerance=1e-6,
                answer=lambda states, mask, *_: mask / mask.sum(axis=1, keepdims=True),
                probe="weights",
            ),
            Concept(
                "context",
                "the context is the weighted mean of the states",
                1,
                lambda rng: [poolings(rng)],
                {
                    "The weighted states are averaged once more; their sum is a mean already.": lambda s, m, w, b, v: (
                        np.einsum("bt,btc->bc", pool_weights(s, m, w, b, v), s) * (1 / s.shape[1] - 1)
                    ),
                    "The weights are not used: this is the plain mean of the states.": lambda s, m, w, b, v: (
                        s.mean(axis=1) - np.einsum("bt,btc->bc", pool_weights(s, m, w, b, v), s)
                    ),
                    "The weights are not used: this is the plain sum of the states.": lambda s, m, w, b, v: (
                        s.sum(axis=1) - np.einsum("bt,btc->bc", pool_weights(s, m, w, b, v), s)
                    ),
                    "Context and weights came back in the wrong order, or with an axis too many.": stops,
                },
                NINE + "“Three tokens with a pencil”.",
                answer=lambda states, *_: np.zeros((len(states), states.shape[-1])),
                probe="beside_own_mean",
            ),
        ),
        framework=True,
    ),
    Question(
        "accuracy",
        lambda logits, labels: np.mean((np.ravel(logits) > 0) == labels),
        (
            Concept(
                "threshold",
                "a logit above 0 says praise",
                1,
                judgements,
                {
                    "The logits are compared with 0.5, as if they were probabilities; 0.5 of probability is a logit "
                    "of 0.": lambda logits, labels: np.mean((logits > 0.5) == labels),
                    "Logits are rounded as if they were probabilities.": lambda logits, labels: np.mean(
                        np.round(logits) == labels
                    ),
                    "This is the share of the wrong verdicts.": lambda logits, labels: np.mean((logits > 0) != labels),
                    "This is the share judged praise; compare with the labels.": lambda logits, labels: np.mean(
                        logits > 0
                    ),
                    "This is the number of right verdicts; their share is wanted.": lambda logits, labels: np.sum(
                        (logits > 0) == labels
                    ),
                    "These are percents; a share between 0 and 1 is wanted.": lambda logits, labels: (
                        100 * np.mean((logits > 0) == labels)
                    ),
                },
                TEN + "“Training it yourself, twice”.",
            ),
            Concept(
                "column",
                "logits in a column are the same verdicts",
                1,
                columns,
                {
                    "A column (n, 1) beside a row (n,) makes a table (n, n): every verdict was compared with every "
                    "label. Give both the same shape.": lambda logits, labels: np.mean((logits > 0) == labels),
                },
                TEN + "“Training it yourself, twice”.",
            ),
        ),
    ),
)
