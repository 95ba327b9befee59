"""The LSTM cell and its states: a lighthouse that listens for bells, its gates set by hand."""

from __future__ import annotations

import numpy as np

from ..question import Concept, Question

FROM_FILE = [0, 2, 3, 1]  # where i, f, g, o stand among i, o, f, g


def sigmoid(a):
    return 0.5 * (1.0 + np.tanh(0.5 * a))


def gates(a):
    i, f, g, o = np.split(a, 4, axis=-1)
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)


def step(x, h, c, W, U, b):
    i, f, g, o = gates(x @ W + h @ U + b)
    c = f * c + i * g
    return o * np.tanh(c), c


def lstm(inputs, W, U, b, carry=lambda h, c: (h, c)):
    """`carry` is what is handed from step to step."""
    h = c = np.zeros((len(inputs), len(U)))
    shown, held = [], []
    for t in range(inputs.shape[1]):
        h, c = step(inputs[:, t], *carry(h, c), W, U, b)
        shown.append(h)
        held.append(c)
    return np.stack(shown, axis=1), np.stack(held, axis=1)


def half_life_bias(steps):
    return -np.log(2.0 ** (1.0 / np.asarray(steps)) - 1.0)


def backwards(inputs, weights):
    return lstm(inputs[:, ::-1], *weights)[0][:, ::-1]


def both_ways(inputs, forward, backward):
    return np.concatenate([lstm(inputs, *forward)[0], backwards(inputs, backward)], axis=-1)


def stops(*_):
    """For mistakes that raise an error."""
    raise ValueError


# --- what a mistake makes of the inputs ---------------------------------------------------------------------


def quarters(*order):
    """The places that are heard when i, f, g, o are taken from these quarters."""
    return lambda a: np.arange(len(a)).reshape(4, -1)[list(order)]


def squashed(*functions):
    return lambda a: np.sort([f(each) for f, each in zip(functions, np.split(a, 4), strict=True)], axis=0)


def cell(rule):
    """What is held, if rule(i, f, g, c, h) makes it."""

    def wrong(x, h, c, W, U, b):
        i, f, g, _ = gates(x @ W + h @ U + b)
        return rule(i, f, g, c, h)

    return wrong


def share(rule):
    """What is shown, rule(o, new c, old c), as a share of tanh of the new cell."""

    def wrong(x, h, c, W, U, b):
        _, new = step(x, h, c, W, U, b)
        return rule(gates(x @ W + h @ U + b)[3], new, c) / np.tanh(new)

    return wrong


def gates_from(order):
    """What one unit shows for each pattern and each of W, U and b, if gates i, f, g, o are taken from `order`."""

    def shown(patterns):
        i, f, g, o = (30.0 * patterns[:, order]).T
        held = sigmoid(f) * 2.0 + sigmoid(i) * np.tanh(g)
        return np.tile(sigmoid(o) * np.tanh(held), (3, 1))

    return shown


def reshaped(*which):
    """The tables of the layer's matrices, if those in `which` were reshaped, not turned round."""

    def shown(signs_w, signs_u):
        tables = []
        for name, signs in (("W", signs_w), ("U", signs_u)):
            whole = 30.0 * np.tile(signs, 4)
            whole = whole.reshape(whole.shape[::-1]).T if name in which else whole
            i, _, g, o = gates(whole)
            tables.append((o * np.tanh(i * g) > 0.4).astype(float))
        return tables

    return shown


def biased(change):
    """What units shows whose gates all have the bias b, if change(b) makes i, f, g, o."""

    def shown(b):
        i, f, g, o = change(b)
        return sigmoid(o) * np.tanh(sigmoid(f) + sigmoid(i) * np.tanh(g))

    return shown


# --- the inputs of the cases --------------------------------------------------------------------------------


def weights(rng, features=3, hidden=4):
    shapes = {"W": (features, 4 * hidden), "U": (hidden, 4 * hidden), "b": 4 * hidden}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def steps(rng, rows=3):
    return {name: rng.normal(size=(rows, size)) for name, size in (("x", 3), ("h", 4), ("c", 4))} | weights(rng)


def deaf_steps(rng):
    """Nothing comes by h or b, so that only what is made of the gates decides."""
    one = steps(rng)
    return [one | {"U": 0 * one["U"], "b": 0 * one["b"]}]


def sequences(rng, rows, count, hidden=4):
    return [{"inputs": rng.normal(size=(rows, count, 3))} | weights(rng, hidden=hidden)]


def two_readers(rng, alike=False):
    one, other = (list(weights(rng, hidden=2).values()) for _ in range(2))
    return [{"inputs": rng.normal(size=(2, 5, 3)), "forward": one, "backward": one if alike else other}]


def padded_states(rng, longest=6):
    lengths = np.array([longest, 1, *rng.integers(2, 6, size=2)])
    states = rng.normal(size=(4, 7, 6))
    states[np.arange(7) >= lengths[:, None]] = 0.0
    return [{"states": states, "lengths": lengths}]


def patterns(rng):
    """Signs of the file's i, o, f, g; no two orders of gates answer these five alike."""
    rows = np.array([[-1, -1, 1, 1], [-1, 1, -1, 1], [-1, 1, 1, -1], [1, -1, -1, 1], [1, -1, 1, -1]])
    return [{"patterns": rng.permutation(rows)[:, [0, 3, 1, 2]].astype(float)}]


def sign_tables(rng):
    """Signs of W (4, 3) and U (3, 3) that a reshape would not leave as they are."""
    while True:
        signs = rng.choice([-1.0, 1.0], size=(4, 3)), rng.choice([-1.0, 1.0], size=(3, 3))
        pairs = zip(reshaped()(*signs), reshaped("W", "U")(*signs), strict=True)
        if all((one != other).any() for one, other in pairs):
            return [dict(zip(("signs_w", "signs_u"), signs, strict=True))]


CELL = "See chapter 1, “Add instead of multiply”."
SAME = "See chapter 1, “The same weights in PyTorch and Keras”."
WRONG = "See chapter 1, “When it goes wrong”."
BOTH = "See chapter 2, “In NumPy”."
PLACES = "See chapter 2, “Which state is where”."
FORGET = "See chapter 1, “Predict, then run: does the LSTM cure the vanishing gradient?”."

QUESTIONS = (
    Question(
        "gates",
        gates,
        (
            Concept(
                "order",
                "the quarters are i, f, g, o in this order",
                1,
                lambda rng: [{"a": rng.normal(size=12)}],
                {
                    "The quarters are taken in the order i, o, f, g, which is ONNX's; here they stand as i, f, g, o.": (
                        quarters(0, 2, 3, 1)
                    ),
                    "The quarters are taken in the order i, g, f, o; here they stand as i, f, g, o.": (
                        quarters(0, 2, 1, 3)
                    ),
                    "The candidate g and the output gate o are exchanged: the order is i, f, g, o.": (
                        quarters(0, 1, 3, 2)
                    ),
                    "The input gate and the forget gate are exchanged: the order is i, f, g, o.": quarters(1, 0, 2, 3),
                    "Every fourth number goes to one gate. The gates stand side by side: the first H numbers are all "
                    "of i, the next H all of f, and so on.": lambda a: np.arange(len(a)).reshape(-1, 4).T,
                },
                CELL,
                answer=quarters(0, 1, 2, 3),
                probe="places",
            ),
            Concept(
                "squash",
                "gates go through the sigmoid, the candidate through tanh",
                1,
                lambda rng: [{"a": np.full(4, value)} for value in (*rng.uniform(0.3, 2, size=2), -1.5)],
                {
                    "The candidate goes through the sigmoid too. It is news, and news can be negative: tanh, from −1 "
                    "to 1.": squashed(sigmoid, sigmoid, sigmoid, sigmoid),
                    "All four go through tanh. A gate is a share, from 0 to 1: the sigmoid.": (
                        squashed(np.tanh, np.tanh, np.tanh, np.tanh)
                    ),
                    "Nothing is squashed yet: the gates go through the sigmoid, the candidate through tanh.": (
                        squashed(*[lambda a: a] * 4)
                    ),
                    "The candidate is not squashed; it goes through tanh.": (
                        squashed(sigmoid, sigmoid, lambda a: a, sigmoid)
                    ),
                    "The sigmoid's sign is turned round: 1 / (1 + e^−a), with the minus.": (
                        squashed(*[lambda a: sigmoid(-a)] * 2, np.tanh, lambda a: sigmoid(-a))
                    ),
                },
                CELL,
                answer=squashed(sigmoid, sigmoid, np.tanh, sigmoid),
                probe="sorted_four",
            ),
            Concept(
                "axis",
                "they are cut along the last axis, whatever stands in front",
                1,
                lambda rng: [{"a": rng.normal(size=(4, 3, 8))}],
                {
                    "The quarters are cut along another axis than the last, so that rows of the batch become gates.": (
                        lambda a: False
                    ),
                    "It stops on an array with axes in front. Cut along the last axis (np.split has an argument for "
                    "that).": stops,
                },
                CELL,
                answer=lambda a: True,
                probe="each_row_alone",
            ),
        ),
    ),
    Question(
        "step",
        step,
        (
            Concept(
                "cell",
                "the cell keeps a share of the old and adds a share of the news",
                2,
                deaf_steps,
                {
                    "The old state h stands where the old cell c should: what is kept is what was held, not what was "
                    "shown.": cell(lambda i, f, g, c, h: f * h + i * g),
                    "The gates are exchanged: the forget gate belongs to the old cell, the input gate to the "
                    "candidate.": cell(lambda i, f, g, c, h: i * c + f * g),
                    "The news is added whole; the input gate should say how much of it is written.": cell(
                        lambda i, f, g, c, h: f * c + g
                    ),
                    "The old cell is kept whole; the forget gate should say how much of it stays.": cell(
                        lambda i, f, g, c, h: c + i * g
                    ),
                    "The old cell is gone: only the news is held.": cell(lambda i, f, g, c, h: i * g),
                    "The cell itself is squashed. Along the cell there is one multiplication and one addition and no "
                    "tanh; that one stands on the way to what is shown.": cell(
                        lambda i, f, g, c, h: np.tanh(f * c + i * g)
                    ),
                    "The forget gate is turned round: 1 is *keep*, 0 is *drop*.": cell(
                        lambda i, f, g, c, h: (1 - f) * c + i * g
                    ),
                    "What is not kept is written: 1 − f, as in a GRU. An LSTM has an input gate of its own for "
                    "that.": cell(lambda i, f, g, c, h: f * c + (1 - f) * g),
                },
                CELL,
                answer=lambda *inputs: step(*inputs)[1],
                probe="held",
            ),
            Concept(
                "shown",
                "what is shown is a share of the squashed new cell",
                1,
                deaf_steps,
                {
                    "The tanh of the cell is missing: a cell may grow beyond 1, what is shown may not.": share(
                        lambda o, new, old: o * new
                    ),
                    "The *old* cell is shown; the output gate opens on the new one.": share(
                        lambda o, new, old: o * np.tanh(old)
                    ),
                    "The output gate has no effect.": share(lambda o, new, old: np.tanh(new)),
                    "tanh is taken of everything, gate and all; it belongs to the cell, before the gate.": share(
                        lambda o, new, old: np.tanh(o * new)
                    ),
                },
                CELL,
                answer=share(lambda o, new, old: o * np.tanh(new)),
                probe="shown_share",
            ),
            Concept(
                "hears",
                "the gates hear the input, what was shown, and the bias",
                1,
                lambda rng: [steps(rng, rows=1)],
                {
                    "U multiplies the cell c. The gates hear what was *shown*, h; the cell is kept from them.": (
                        lambda *_: [False, True, True]
                    ),
                    "What was shown, h, does not reach the gates: h U is missing.": lambda *_: [False, False, True],
                    "The bias has no effect.": lambda *_: [True, False, False],
                },
                CELL,
                answer=lambda *_: [True, False, True],
                probe="hears",
            ),
            Concept(
                "pair",
                "h comes back first, then c",
                1,
                lambda rng: [steps(rng)],
                {"The two come back in the other order: h, what is shown, first; then c, what is held.": lambda *_: 1},
                CELL,
                answer=lambda *_: 0,
                probe="larger",
            ),
        ),
    ),
    Question(
        "lstm",
        lstm,
        (
            Concept(
                "memory",
                "both memories are handed from step to step",
                2,
                lambda rng: sequences(rng, 1, 6),
                {
                    "Every step begins anew from zeros: the state is not handed on.": lambda *inputs: lstm(
                        *inputs, carry=lambda h, c: (0 * h, 0 * c)
                    )[0][0],
                    "Only h is handed on, and the cell begins at zero each time. That keeps the voice and wipes the "
                    "mind.": lambda *inputs: lstm(*inputs, carry=lambda h, c: (h, 0 * c))[0][0],
                    "Only c is handed on; the gates hear nothing of what was shown.": lambda *inputs: lstm(
                        *inputs, carry=lambda h, c: (0 * h, c)
                    )[0][0],
                    "h and c are exchanged when they are handed on.": lambda *inputs: lstm(
                        *inputs, carry=lambda h, c: (c, h)
                    )[0][0],
                    "h is handed on in place of c too: the cell is overwritten by what was shown of it.": (
                        lambda *inputs: lstm(*inputs, carry=lambda h, c: (h, h))[0][0]
                    ),
                    "It reads from the last step to the first.": lambda inputs, *w: lstm(inputs[:, ::-1], *w)[0][0],
                },
                CELL,
                answer=lambda *inputs: lstm(*inputs)[0][0],
                probe="walk",
            ),
            Concept(
                "held",
                "what is held comes back second, after every step",
                1,
                lambda rng: sequences(rng, 2, 3),
                {
                    "The second is what was shown once more; wanted is what the cell *held*.": lambda inputs, W, U, b: (
                        [[2, 3, 4], lstm(inputs[:1, :1], W, U, b)[0].ravel()]
                    ),
                    "The second is the cell after the last step only; wanted is the cell after every step.": (
                        lambda inputs, W, U, b: [[2, 4], lstm(inputs[:1, :1], W, U, b)[1].ravel()]
                    ),
                    "The second is the last h and c, as the libraries return them; wanted is the cell after every "
                    "step.": lambda inputs, W, U, b: [
                        [2, 2, 4],
                        np.ravel([each.ravel() for each in lstm(inputs[:1, :1], W, U, b)]),
                    ],
                    "Only one thing comes back. Two are wanted: what was shown, and what was held.": lambda *_: (
                        "one thing only"
                    ),
                },
                CELL,
                answer=lambda inputs, W, U, b: [[2, 3, 4], lstm(inputs[:1, :1], W, U, b)[1].ravel()],
                probe="second",
            ),
            Concept(
                "axes",
                "the rows of a batch are read side by side, and come back first",
                1,
                lambda rng: sequences(rng, 3, 4, hidden=2),
                {
                    "It reads across the batch: the second night goes on from the state of the first. Time is the "
                    "second axis.": lambda *_: [[3, 4, 2], False],
                    "Time comes back as the first axis; wanted is (B, T, H).": lambda *_: [[4, 3, 2], True],
                    "Only the last state comes back; wanted are those of all steps.": lambda *_: [[3, 2], True],
                },
                WRONG,
                answer=lambda *_: [[3, 4, 2], True],
                probe="axes",
            ),
        ),
    ),
    Question(
        "half_life_bias",
        half_life_bias,
        (
            Concept(
                "half",
                "half of the cell is left after that many steps",
                2,
                lambda rng: [{"steps": int(steps)} for steps in (1, *rng.integers(2, 9, 2), *rng.integers(20, 90, 2))],
                {
                    "This is the value of the gate. The *bias* is wanted, from which the sigmoid makes that value.": (
                        lambda n: 0.5 ** (1 / n)
                    ),
                    "This is the book's rule of thumb, ln T. It leaves about 1/e, and only for long memories; here "
                    "exactly a half is asked for.": np.log,
                    "This leaves 1/e after so many steps; a half is asked for.": lambda n: -np.log(np.expm1(1 / n)),
                    "The cell loses a *share* of what is left at each step, not the same amount: a gate of 1 − 1/(2n) "
                    "leaves more than a half.": lambda n: np.log(2 * n - 1),
                    "The sign is turned round: this gate loses what it should keep.": lambda n: -half_life_bias(n),
                    "This is the logarithm of the gate; the inverse of the sigmoid is ln(f / (1 − f)).": (
                        lambda n: np.log(0.5) / n
                    ),
                    "This gate leaves half of the cell after *one* step; after so many, only half to the power of "
                    "them.": lambda n: 0.0,
                },
                FORGET,
            ),
            Concept(
                "array",
                "many at a time give what they give one by one",
                1,
                lambda rng: [{"steps": rng.integers(2, 70, size=5)}],
                {
                    "It stops when it is given an array. Functions of math take one number at a time; those of NumPy "
                    "take all.": stops,
                },
                FORGET,
                answer=lambda steps: True,
                probe="one_by_one",
            ),
        ),
    ),
    Question(
        "both_ways",
        both_ways,
        (
            Concept(
                "halves",
                "the forward units stand first",
                1,
                two_readers,
                {
                    "The backward units stand first; the H forward ones should.": lambda x, f, b: [
                        [2, 5, 4],
                        backwards(x, b),
                    ],
                    "The two are added, and each loses itself in the sum; they should stand side by side, H and H.": (
                        lambda x, f, b: [[2, 5, 2], lstm(x, *f)[0] + backwards(x, b)]
                    ),
                    "The backward states stand *after* the forward ones in time; they should stand beside them, in "
                    "the last axis.": lambda x, f, b: [
                        [2, 10, 2],
                        np.concatenate([lstm(x, *f)[0], backwards(x, b)], axis=1),
                    ],
                },
                BOTH,
                answer=lambda x, f, b: [[2, 5, 4], lstm(x, *f)[0]],
                probe="first_half",
            ),
            Concept(
                "own",
                "each direction has weights of its own",
                1,
                two_readers,
                {
                    "Both directions read with the forward weights.": lambda *_: [[True, False], [True, False]],
                    "Both directions read with the backward weights.": lambda *_: [[False, True], [False, True]],
                    "The weights are exchanged: forward ones read backward.": lambda *_: [[False, True], [True, False]],
                },
                BOTH,
                answer=lambda *_: [[True, False], [False, True]],
                probe="whose_weights",
            ),
            Concept(
                "turned",
                "the backward reader begins at the end, and its states lie in the order of the inputs",
                2,
                lambda rng: two_readers(rng, alike=True),
                {
                    "The backward states are not turned round again: beside the first minute stands the state of the "
                    "last.": lambda x, f, b: lstm(x[:, ::-1], *b)[0],
                    "The second reader reads forward too.": lambda x, f, b: lstm(x, *b)[0],
                    "The *batch* is reversed, not the night: x[::-1] turns the first axis, and "
                    "time is the second.": lambda x, f, b: lstm(x[::-1], *b)[0],
                    "The states are turned round, but the reader itself began at the first minute.": lambda x, f, b: (
                        lstm(x, *b)[0][:, ::-1]
                    ),
                },
                BOTH,
                answer=lambda x, f, b: backwards(x, b),
                probe="second_half",
            ),
        ),
    ),
    Question(
        "summaries",
        lambda states, lengths: np.concatenate(
            [states[np.arange(len(states)), lengths - 1, :3], states[:, 0, 3:]], axis=-1
        ),
        (
            Concept(
                "forward",
                "the forward half is that of the last real step",
                2,
                lambda rng: padded_states(rng) + padded_states(rng, longest=7),
                {
                    "The forward half is taken at the end of the box, where a short night has only padding.": (
                        lambda s, n: s[:, -1, :3]
                    ),
                    "The forward half is taken one step late: steps count from 0, so the last real one is "
                    "lengths − 1.": lambda s, n: s[np.arange(len(s)), n, :3],
                    "The forward half is taken at the first step, where it has read a single minute.": lambda s, n: s[
                        :, 0, :3
                    ],
                    "The backward half stands first; the H forward units should.": lambda s, n: s[:, 0, 3:],
                },
                PLACES,
                answer=lambda s, n: s[np.arange(len(s)), n - 1, :3],
                probe="forward_half",
            ),
            Concept(
                "backward",
                "the backward half is that of step 0",
                2,
                padded_states,
                {
                    "The backward half is taken at the end of the box, where the backward reader has read nothing "
                    "but padding, or one minute. It has read everything at step 0.": lambda s, n: s[:, -1, 3:],
                    "The backward half is taken at the last real step, where the backward reader *begins*. It has "
                    "read everything at step 0.": lambda s, n: s[np.arange(len(s)), n - 1, 3:],
                    "The forward half stands second; the H backward units should.": (
                        lambda s, n: s[np.arange(len(s)), n - 1, :3]
                    ),
                },
                PLACES,
                answer=lambda s, n: s[:, 0, 3:],
                probe="backward_half",
            ),
        ),
    ),
    Question(
        "side_by_side",
        lambda h_n: np.concatenate([h_n[0], h_n[1]], axis=-1),
        (
            Concept(
                "own",
                "each row holds both summaries of its own night",
                2,
                lambda rng: [{"h_n": rng.normal(size=(2, rows, 3))} for rows in (4, 5)],
                {
                    "The rows mix nights: view and reshape keep the numbers in their order in memory and only move the "
                    "borders between them, so the first row gets the forward halves of two nights. The axes must "
                    "be exchanged first, or the two halves joined.": lambda h: h.reshape(h.shape[1], -1),
                    "The backward half stands first; the forward one should.": lambda h: np.concatenate(
                        [h[1], h[0]], axis=-1
                    ),
                    "The backward rows stand below the forward ones; they should stand beside them.": lambda h: (
                        np.concatenate([h[0], h[1]], axis=0)
                    ),
                    "The units of the two directions alternate; wanted are the H forward ones, then the H backward "
                    "ones.": lambda h: np.moveaxis(h, 0, -1).reshape(h.shape[1], -1),
                    "The two are added; they should stand side by side.": lambda h: h[0] + h[1],
                },
                "See chapter 2, “The reshape that mixes sequences”.",
            ),
        ),
        framework=True,
    ),
    Question(
        "to_layer",
        lstm,
        (
            Concept(
                "order",
                "the file's gates arrive at the layer's own",
                2,
                patterns,
                {
                    "The file's order is handed on as it is. It keeps i, o, f, g; the layer expects i, f, g, o.": (
                        gates_from([0, 1, 2, 3])
                    ),
                    "The quarters are moved the wrong way: this is how one would *write* such a file from i, f, g, o. "
                    "From i, o, f, g the second quarter goes to the end.": gates_from([0, 3, 1, 2]),
                    "Only two quarters change places; from i, o, f, g to i, f, g, o three of them move.": (
                        gates_from([0, 2, 1, 3])
                    ),
                    "The output gate arrives at its place, but f and g are exchanged: the layer has i, f, g, o.": (
                        gates_from([0, 3, 2, 1])
                    ),
                },
                WRONG,
                answer=gates_from(FROM_FILE),
                probe="order",
            ),
            Concept(
                "matrices",
                "W and U arrive as they are meant",
                1,
                sign_tables,
                {
                    "The matrices were made to fit by reshape or view, which shuffles their numbers. They are to be "
                    "turned round: .T.": reshaped("W", "U"),
                    "W was made to fit by reshape or view, which shuffles its numbers. It is to be turned round: .T.": (
                        reshaped("W")
                    ),
                    "U was made to fit by reshape or view, which shuffles its numbers. It is to be turned round: .T.": (
                        reshaped("U")
                    ),
                },
                SAME,
                answer=reshaped(),
                probe="matrices",
            ),
            Concept(
                "bias",
                "the bias counts once",
                1,
                lambda rng: [{"b": rng.uniform(0.5, 2, size=3)}],
                {
                    "The bias counts twice. PyTorch adds its two biases, so only one of them gets it, and the other "
                    "is 0.": biased(lambda b: [2 * b] * 4),
                    "Part of the bias is random, as the layer was born: PyTorch has a second bias, which is added and "
                    "must be set to 0.": lambda b: "random",
                    "The bias never arrives.": biased(lambda b: [0 * b] * 4),
                    "The forget gate has 1 too much. Keras starts it at 1, but set_weights replaces that; nothing is "
                    "to be made up for.": biased(lambda b: [b, b + 1, b, b]),
                    "The forget gate has 1 too little. Keras starts it at 1, but set_weights replaces that; nothing "
                    "is to be made up for.": biased(lambda b: [b, b - 1, b, b]),
                },
                WRONG,
                answer=biased(lambda b: [b] * 4),
                probe="bias",
            ),
            Concept(
                "layer",
                "the layer takes (B, T, D) and gives the states of all steps",
                1,
                lambda rng: sequences(rng, 3, 4, hidden=2),
                {
                    "It reads across the batch: without batch_first=True, nn.LSTM takes the first axis for time.": (
                        lambda *_: [[3, 4, 2], False]
                    ),
                    "Only the last state comes back. Keras gives those of all steps if return_sequences=True.": (
                        lambda *_: [[3, 2], True]
                    ),
                },
                SAME,
                answer=lambda *_: [[3, 4, 2], True],
                probe="batch_of_layer",
            ),
        ),
    ),
)
