"""What people hand in for the sentiment model: mistakes, and other ways to be right."""

from . import Right, wrong

TOKENISE = """
import re
def tokenise(text):
    return re.findall(r"{}", {})
"""
WORDS, CLEAN = "[a-z]+(?:'[a-z]+)*|[!?]", "text.replace('<br />', ' ').lower()"
SPLIT = """
def split(texts, labels):
    seen, rows = set(), []
    for k, text in enumerate(texts):
        if text not in seen:
            seen.add(text)
            rows.append(k)
    rows = np.array(rows)
    {}
    return [k for k in rows if k not in set(held)], sorted(held)
"""
VOCABULARY = """
from collections import Counter
def build_vocabulary(reviews, train, size):
    counts = Counter()
    for k in {}:
        counts.update(reviews[k])
    words = {}
    return {{word: number + {} for number, word in enumerate(words[:{}])}}
"""
RANKED = "sorted(counts, key=lambda word: (-counts[word], word))"
BATCH = """
def batch(rows, labels, chosen):
    chosen = list(chosen)
    width = max(len(rows[k]) for k in chosen)
    ids = np.array([{} for k in chosen])
    return ids, {}, {}
"""
FILLED, TRUE, OWN = "list(rows[k]) + [0] * (width - len(rows[k]))", "ids != 0", "labels[chosen]"
PACKED = """
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
def read(lstm, x, mask):
    B, T, _ = x.shape
    lengths = mask.sum(1)
    out, (h, c) = lstm(pack_padded_sequence(x, {}))
    states = pad_packed_sequence(out, {})[0]
    return states, {}
"""
RAGGED = "lengths, batch_first=True, enforce_sorted=False"
BACK, JOINED = "batch_first=True, total_length=T", "torch.cat([h[0], h[1]], -1)"
KERAS_READ = """
from keras import ops
def read(lstm, x, mask):
    states = {}
    H = states.shape[-1] // 2
    last = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
    return states, ops.concatenate([{}, {}], axis=-1)
"""
TAKEN = "ops.take_along_axis(states, last[:, None, None], axis=1)[:, 0, :H]"
POOL = """
import torch
def attention_pool(states, mask, w, b, v):
    scores = {}
    weights = {}
    return {}, weights
"""
SCORES, WEIGHTS = "torch.tanh(states @ w + b) @ v", "scores.masked_fill(~mask, -torch.inf).softmax(1)"
MEAN = "(weights[:, None] @ states)[:, 0]"
KERAS_POOL = """
from keras import ops
def attention_pool(states, mask, w, b, v):
    scores = {}
    weights = {}
    return ops.einsum("bt,btc->bc", weights, states), weights
"""
KERAS_SCORES = "ops.einsum('bta,a->bt', ops.tanh(ops.matmul(states, w) + b), v)"
KERAS_WEIGHTS = "ops.softmax(ops.where(mask, scores, -1e9), axis=-1)"

WRONG = [
    wrong("br glues words", "tokenise", "breaks", "glued", TOKENISE.format(
        WORDS, "text.replace('<br />', '').lower()")),
    wrong("br is a word", "tokenise", "breaks", "as a word, br", TOKENISE.format(WORDS, "text.lower()")),
    wrong("not lower", "tokenise", "lower", "Capitals are left", TOKENISE.format(
        "[a-zA-Z]+(?:'[a-zA-Z]+)*|[!?]", "text.replace('<br />', ' ')")),
    wrong("cut at spaces", "tokenise", "words", "at spaces only", """
def tokenise(text):
    return text.replace("<br />", " ").lower().split()
"""),
    wrong("don't cut", "tokenise", "words", "at its apostrophe", TOKENISE.format("[a-z]+|[!?]", CLEAN)),
    wrong("quotes stay on", "tokenise", "words", "at the edge", TOKENISE.format("[a-z']+|[!?]", CLEAN)),
    wrong("the book's tokens", "tokenise", "words", "of the book", """
from attnlstm_ref.text import tokenise
"""),
    wrong("last fifth of the file", "split", "blocks", "Only one label", SPLIT.format(
        "held = rows[len(rows) - len(rows) // 5 :]")),
    wrong("random sample", "split", "blocks", "a random", SPLIT.format(
        "held = np.random.default_rng(1).permutation(rows)[: len(rows) // 5]")),
    wrong("rounded", "split", "fifth", "rounded down", SPLIT.format("""held = []
    for label in (0, 1):
        ours = rows[labels[rows] == label]
        held += ours[len(ours) - round(len(ours) / 5 + 0.1) :].tolist()""")),
    wrong("copies left in", "split", "copies", "still there", SPLIT.format("""held, rows = [], np.arange(len(texts))
    for label in (0, 1):
        ours = np.flatnonzero(labels == label)
        held += ours[len(ours) - len(ours) // 5 :].tolist()""")),
    wrong("copies taken away after the split", "split", "copies", "after the split", """
def split(texts, labels):
    train, held = [], []
    for label in (0, 1):
        ours = np.flatnonzero(labels == label)
        cut = len(ours) - len(ours) // 5
        train, held = train + list(ours[:cut]), held + list(ours[cut:])
    apart = {texts[k] for k in held}
    return [k for k in train if texts[k] not in apart], held
"""),
    wrong("numbers from 1", "build_vocabulary", "numbers", "begin at 1", VOCABULARY.format(
        "train", RANKED, 1, "size - 2")),
    wrong("once a review", "build_vocabulary", "numbers", "once for each review", VOCABULARY.format(
        "train", RANKED, 2, "size - 2").replace("reviews[k])", "set(reviews[k]))")),
    wrong("ties as met", "build_vocabulary", "ties", "were met", VOCABULARY.format(
        "train", "[word for word, _ in counts.most_common()]", 2, "size - 2")),
    wrong("ties reversed", "build_vocabulary", "ties", "against the alphabet", VOCABULARY.format(
        "train", "sorted(counts, key=lambda word: (counts[word], word), reverse=True)", 2, "size - 2")),
    wrong("size words", "build_vocabulary", "size", "two entries too many", VOCABULARY.format(
        "train", RANKED, 2, "size")),
    wrong("held-out words too", "build_vocabulary", "train", "held-out reviews", VOCABULARY.format(
        "range(len(reviews))", RANKED, 2, "size - 2")),
    wrong("unknown is padding", "encode", "unknown", "taken for padding", """
def encode(tokens, vocabulary, keep):
    return [vocabulary.get(token, 0) for token in tokens][-keep:]
"""),
    wrong("unknown left out", "encode", "unknown", "left out", """
def encode(tokens, vocabulary, keep):
    return [vocabulary[token] for token in tokens[-keep:] if token in vocabulary]
"""),
    wrong("first tokens", "encode", "last", "*first*", """
def encode(tokens, vocabulary, keep):
    return [vocabulary.get(token, 1) for token in tokens[:keep]]
"""),
    wrong("padding on the left", "batch", "ids", "on the left", BATCH.format(
        "[0] * (width - len(rows[k])) + list(rows[k])", TRUE, OWN)),
    wrong("as long as the longest of all", "batch", "ids", "longest review of all", BATCH.format(
        FILLED, TRUE, OWN).replace("for k in chosen)", "for k in range(len(rows)))")),
    wrong("mask upside down", "batch", "mask", "upside down", BATCH.format(FILLED, "ids == 0", OWN)),
    wrong("mask of numbers", "batch", "mask", "booleans", BATCH.format(FILLED, "(ids != 0).astype(float)", OWN)),
    wrong("labels left behind", "batch", "labels", "left behind", BATCH.format(FILLED, TRUE, "labels[: len(chosen)]")),
    wrong("labels in the file's order", "batch", "labels", "parted", BATCH.format(
        FILLED, TRUE, "labels[sorted(chosen)]")),
    wrong("padding read", "read", "padding last", "mask, or the lengths", """
import torch
def read(lstm, x, mask):
    states, (h, _) = lstm(x)
    return states, torch.cat([h[0], h[1]], -1)
"""),
    wrong("padding read, in Keras", "read", "padding", "mask, or the lengths", KERAS_READ.format(
        "lstm(x)", TAKEN, "states[:, 0, H:]"), "keras"),
    wrong("padding set to zero", "read", "padding", "set to zero", KERAS_READ.format(
        "lstm(x * ops.cast(mask, x.dtype)[..., None])", TAKEN, "states[:, 0, H:]"), "keras"),
    wrong("packed with the longest length", "read", "padding last", "mask, or the lengths", PACKED.format(
        "torch.full((B,), T), batch_first=True", BACK, JOINED)),
    wrong("not sorted", "read", "padding", "enforce_sorted", PACKED.format("lengths, batch_first=True", BACK, JOINED)),
    wrong("sorted and not put back", "read", "padding", "put them back", """
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
def read(lstm, x, mask):
    lengths, order = mask.sum(1).sort(descending=True, stable=True)
    out, (h, _) = lstm(pack_padded_sequence(x[order], lengths, batch_first=True))
    return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0], torch.cat([h[0], h[1]], -1)
"""),
    wrong("no total_length", "read", "length", "total_length", PACKED.format(RAGGED, "batch_first=True", JOINED)),
    wrong("view mixes reviews", "read", "halves last", "mix reviews", PACKED.format(RAGGED, BACK, "h.view(B, -1)")),
    wrong("out[:, -1]", "read", "halves last", "at the last word", PACKED.format(RAGGED, BACK, "states[:, -1]")),
    wrong("the last step of a padded batch", "read", "last", "at the last step", PACKED.format(
        RAGGED, BACK, "torch.cat([states[:, -1, : h.shape[-1]], states[:, 0, h.shape[-1] :]], -1)")),
    wrong("backward at the last word", "read", "halves", "one word only", KERAS_READ.format(
        "lstm(x, mask=mask)", TAKEN, TAKEN.replace(":H", "H:")), "keras"),
    wrong("the last step, in Keras", "read", "last", "at the last step", KERAS_READ.format(
        "lstm(x, mask=mask)", "states[:, -1, :H]", "states[:, 0, H:]"), "keras"),
    wrong("weights all 1", "attention_pool", "weights mask", "all 1", POOL.format(
        SCORES, "torch.softmax(scores[..., None], -1)[..., 0] * mask", MEAN)),
    wrong("softmax over the batch", "attention_pool", "weights mask", "over the batch", KERAS_POOL.format(
        KERAS_SCORES, "ops.softmax(ops.where(mask, scores, -np.inf), axis=0)"), "keras"),
    wrong("softmax over the features", "attention_pool", "weights mask", "over the features", POOL.format(
        "torch.tanh(states @ w + b).softmax(-1) @ v", "scores * mask", MEAN)),
    wrong("no tanh", "attention_pool", "weights", "tanh is missing", POOL.format(
        "(states @ w + b) @ v", WEIGHTS, MEAN)),
    wrong("no bias", "attention_pool", "weights", "b is missing", KERAS_POOL.format(
        KERAS_SCORES.replace(" + b", ""), KERAS_WEIGHTS), "keras"),
    wrong("mask forgotten", "attention_pool", "mask", "left out", POOL.format(SCORES, "scores.softmax(1)", MEAN)),
    wrong("scores times mask", "attention_pool", "mask", "multiplied", KERAS_POOL.format(
        KERAS_SCORES, "ops.softmax(scores * ops.cast(mask, scores.dtype), axis=1)"), "keras"),
    wrong("padding counted in the mean", "attention_pool", "mask", "struck out", POOL.format(
        SCORES, "scores.softmax(1) * mask", MEAN)),
    wrong("averaged twice", "attention_pool", "context", "once more", POOL.format(
        SCORES, WEIGHTS, "(weights[..., None] * states).mean(1)")),
    wrong("plain mean", "attention_pool", "context", "plain mean", POOL.format(SCORES, WEIGHTS, "states.mean(1)")),
    wrong("a logit of 0.5", "accuracy", "threshold", "with 0.5", """
def accuracy(logits, labels):
    return ((logits.ravel() > 0.5) == labels).mean()
"""),
    wrong("a table of verdicts", "accuracy", "column", "a table", """
def accuracy(logits, labels):
    return np.mean((logits > 0) == (labels > 0))
"""),
]  # fmt: skip

RIGHT = [
    Right("letter by letter", {"tokenise": """
def tokenise(text):
    small, found, word = text.lower().replace("<br />", " ") + " ", [], ""
    for place, mark in enumerate(small):
        if "a" <= mark <= "z" or (mark == "'" and word and "a" <= small[place + 1] <= "z"):
            word += mark
            continue
        found += ([word] if word else []) + ([mark] if mark in "!?" else [])
        word = ""
    return tuple(found)
""", "encode": """
def encode(tokens, vocabulary, keep):
    out = np.ones(len(tokens), dtype=np.int32)
    for place, token in enumerate(tokens):
        if token in vocabulary:
            out[place] = vocabulary[token]
    return out[max(0, len(tokens) - keep):]
"""}),
    Right("np.unique and arrays", {"split": """
def split(texts, labels):
    rows = np.sort(np.unique(np.array(texts, dtype=object), return_index=True)[1])
    held = np.concatenate([(lambda r: r[len(r) - int(0.2 * len(r) + 1e-9) :])(rows[labels[rows] == k]) for k in (1, 0)])
    return np.setdiff1d(rows, held), held
"""}),
    Right("the package's own", {"build_vocabulary": """
from attnlstm_ref.text import Vocabulary
def build_vocabulary(reviews, train, size):
    return {word: k for k, word in enumerate(Vocabulary.build([reviews[k] for k in train], size).words) if k > 1}
""", "batch": """
from attnlstm_ref import text
def batch(rows, labels, chosen):
    return *text.pad([rows[k] for k in chosen]), np.take(labels, chosen)
"""}),
    Right("lists and loops", {"batch": """
def batch(rows, labels, chosen):
    part = [list(rows[k]) for k in chosen]
    width = max(map(len, part))
    mask = [[step < len(row) for step in range(width)] for row in part]
    return [row + [0] * (width - len(row)) for row in part], mask, [int(labels[k]) for k in chosen]
""", "accuracy": """
def accuracy(logits, labels):
    hits = 0
    for logit, label in zip(logits, labels):
        hits += (1 / (1 + np.exp(-float(np.squeeze(logit)))) > 0.5) == bool(label)
    return hits / len(labels)
"""}),
    Right("one review after the other", {"read": """
import torch
def read(lstm, x, mask):
    H = lstm.hidden_size
    states = x.new_zeros(*mask.shape, 2 * H)
    ends = []
    for row, n in enumerate(mask.sum(1).tolist()):
        one = lstm(x[row, :n][None])[0][0]
        states[row, :n] = one
        ends.append(torch.cat([one[-1, :H], one[0, H:]]))
    return states, torch.stack(ends)
""", "attention_pool": POOL.format("torch.tanh(torch.nn.functional.linear(states, w.T, b)).double() @ v.double()",
        "(scores - 1e6 * ~mask).softmax(-1).float()", "torch.einsum('bt,btc->bc', weights, states)")}),
    Right("transposed h_n, junk in the padding", {"read": PACKED.format(RAGGED, BACK + ", padding_value=7.0",
        "h.transpose(0, 1).reshape(B, -1)")}),
    Right("gathered", {"read": PACKED.format(RAGGED, BACK, """torch.cat([
        states[torch.arange(B), lengths - 1, : lstm.hidden_size], states[:, 0, lstm.hidden_size :]], -1)""")}),
    Right("one review after the other, in Keras", {"read": """
from keras import ops
def read(lstm, x, mask):
    states, ends = [], []
    for row, n in enumerate(np.asarray(mask).sum(axis=1)):
        one = np.asarray(lstm(x[row : row + 1, :n]))[0]
        half = one.shape[1] // 2
        states.append(np.pad(one, ((0, mask.shape[1] - n), (0, 0))))
        ends.append(np.concatenate([one[-1, :half], one[0, half:]]))
    return np.array(states), np.array(ends)
""", "attention_pool": KERAS_POOL.format(KERAS_SCORES, KERAS_WEIGHTS)}, "keras"),
    Right("tensorflow itself", {"attention_pool": """
import tensorflow as tf
def attention_pool(h, m, w, b, v):
    e = tf.linalg.matvec(tf.tanh(tf.tensordot(h, w, 1) + b), v)
    a = tf.where(m, tf.exp(e), 0.0)
    a /= tf.reduce_sum(a, 1, keepdims=True)
    return tf.squeeze(a[:, None] @ h, 1), a
"""}, "keras"),
]  # fmt: skip
