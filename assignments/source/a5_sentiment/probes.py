"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np


def used(split, texts, labels):
    """The numbers of all reviews that are on one side or the other."""
    train, held_out = split(texts, labels)
    return sorted([int(row) for row in train] + [int(row) for row in held_out])


def how_many_held_out(split, texts, labels):
    return len(split(texts, labels)[1])


def how_held_out(split, texts, labels):
    """What is odd about the reviews held out, or "nothing"."""
    train, held_out = (np.asarray(part, dtype=int) for part in split(texts, labels))
    for label in (0, 1):
        ours, theirs = train[labels[train] == label], held_out[labels[held_out] == label]
        if not len(theirs):
            return "one label only"
        if not len(ours) or ours.max() > theirs.min():
            return "training reviews behind them"
        if abs(5 * len(theirs) - (labels == label).sum()) >= 5:
            return "not a fifth of each label"
    return "nothing"


def in_order(build_vocabulary, reviews, train, size):
    """The words by their numbers, whatever the first number is."""
    vocabulary = build_vocabulary(reviews, train, size)
    return [str(word) for word in sorted(vocabulary, key=vocabulary.get)]


def which(build_vocabulary, reviews, train, size):
    """The words, in the order of the alphabet."""
    return sorted(str(word) for word in build_vocabulary(reviews, train, size))


def how_many(build_vocabulary, reviews, train, size):
    return len(build_vocabulary(reviews, train, size))


def ids(batch, rows, labels, chosen):
    return batch(rows, labels, chosen)[0]


def mask_beside_ids(batch, rows, labels, chosen):
    """(the mask holds booleans, it is True just where the ids are not 0)"""
    found, mask, _ = (np.asarray(part) for part in batch(rows, labels, chosen))
    return mask.dtype == bool, mask.shape == found.shape and bool((mask.astype(bool) == (found != 0)).all())


def labels(batch, rows, labels, chosen):
    return batch(rows, labels, chosen)[2]


def layer(x, wx, wh, b):
    """A bidirectional LSTM of the framework of `x` with these weights, forward first.

    wx (2, D, 4H), wh (2, H, 4H), b (2, 4H)
    """
    width, units = wx.shape[1], wh.shape[1]
    if type(x).__module__.startswith("torch"):
        from torch import nn

        lstm = nn.LSTM(width, units, batch_first=True, bidirectional=True)
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        for way, end in enumerate(("", "_reverse")):
            for name, value in zip(names, (wx[way].T, wh[way].T, b[way], 0 * b[way]), strict=True):
                getattr(lstm, name + end).data.copy_(value)
        return lstm
    from keras import layers

    lstm = layers.Bidirectional(layers.LSTM(units, return_sequences=True))
    lstm.build(x.shape)
    lstm.set_weights([array(part[way]) for way in (0, 1) for part in (wx, wh, b)])
    return lstm


def states(read, x, mask, wx, wh, b):
    return read(layer(x, wx, wh, b), x, mask)[0]


def states_of_words(read, x, mask, wx, wh, b):
    """The states where there are words, one review after the other."""
    found, mask = array(read(layer(x, wx, wh, b), x, mask)[0]), array(mask)
    return found[mask[:, : found.shape[1]]]


def shape_of_states(read, x, mask, wx, wh, b):
    return [int(size) for size in read(layer(x, wx, wh, b), x, mask)[0].shape]


def ends(read, x, mask, wx, wh, b):
    return read(layer(x, wx, wh, b), x, mask)[1]


def forward_ends(read, x, mask, wx, wh, b):
    """Of the ends the half that was read forwards."""
    return array(read(layer(x, wx, wh, b), x, mask)[1])[:, : wh.shape[1]]


def weights(attention_pool, states, mask, w, b, v):
    return attention_pool(states, mask, w, b, v)[1]


def beside_own_mean(attention_pool, states, mask, w, b, v):
    """How far the context is from the mean of the states, weighted as the answer's own weights say."""
    context, alpha = (array(part) for part in attention_pool(states, mask, w, b, v))
    return context - np.einsum("bt,btc->bc", alpha, array(states))


def array(tensor):
    return tensor.detach().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)
