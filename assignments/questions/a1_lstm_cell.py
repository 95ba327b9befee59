"""The LSTM cell and its states: a lighthouse that listens for bells, its gates set by hand."""

from __future__ import annotations

import itertools

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


# --- what a mistake makes of the inputs ---------------------------------------------------------------------


def says(word):
    """The word that a probe has for a mistake, or for what is right."""
    return lambda *_: word


def words(**sentences):
    """Slips of probes that answer in words (a space is written _)."""
    return {sentence: says(word.replace("_", " ")) for word, sentence in sentences.items()}


def orders(special, general):
    """Slips for all wrong orders of four: `special` sentences for some of them, for the others a general one."""
    wrong = [order for order in itertools.permutations(range(4)) if order != (0, 1, 2, 3)]
    return {special.get(order, general.format(*("ifgo"[k] for k in order))): order for order in wrong}


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


def gates_from(*three):
    """What one unit shows for each pattern and each of W, U and b, if they take i, f, g, o from these orders."""

    def shown(patterns):
        rows = []
        for order in three:
            i, f, g, o = (30.0 * patterns[:, list(order)]).T
            rows.append(sigmoid(o) * np.tanh(sigmoid(f) * 2.0 + sigmoid(i) * np.tanh(g)))
        return np.array(rows)

    return shown


def reordered():
    """Slips for the file's four: all wrong orders, and the right one for some of the three arrays only."""
    found = {said: gates_from(*[[FROM_FILE[k] for k in order]] * 3) for said, order in MOVED.items()}
    for count in (1, 2):
        for left in itertools.combinations("WUb", count):
            said = (
                f"{' and '.join(left)} still stand{'s' * (count == 1)} in the file's order; all three are to be moved."
            )
            found[said] = gates_from(*([0, 1, 2, 3] if name in left else FROM_FILE for name in "WUb"))
    for count in (1, 2, 3):
        for left in itertools.combinations("WUb", count):
            found[f"{' and '.join(left)} never arrive{'s' * (count == 1)} in the layer."] = says(
                "absent " + " ".join(left)
            )
    return found


def arrivals():
    """Slips for W and U that arrive otherwise than they are meant."""
    said = {
        "right": "",
        "reshaped": "{} arrives shuffled, as by reshape or view. Only .T turns a matrix round, as PyTorch needs it.",
        "absent": "{} never arrives in the layer.",
        "elsewhere": "Numbers of {} arrive in other places than they are meant for.",
    }
    both = itertools.product(said.items(), repeat=2)
    return {
        " ".join(filter(None, (of_w.format("W"), of_u.format("U")))): says(f"W {w}, U {u}")
        for (w, of_w), (u, of_u) in both
        if of_w or of_u
    }


def biased(change):
    """What units show whose gates all have the bias b, if change(b) makes i, f, g, o."""

    def shown(b):
        i, f, g, o = change(b)
        return sigmoid(o) * np.tanh(sigmoid(f) + sigmoid(i) * np.tanh(g))

    return shown


# --- the inputs of the cases --------------------------------------------------------------------------------


def weights(rng, features=3, hidden=4):
    shapes = {"W": (features, 4 * hidden), "U": (hidden, 4 * hidden), "b": 4 * hidden}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def steps(rng, rows=2):
    return {name: rng.normal(size=(rows, size)) for name, size in (("x", 3), ("h", 4), ("c", 4))} | weights(rng)


def deaf_steps(rng):
    """Nothing comes by h or b, so that only what is made of the gates decides."""
    one = steps(rng)
    return [one | {"U": 0 * one["U"], "b": 0 * one["b"]}]


def sequences(rng, rows, count, hidden=4):
    return [{"inputs": rng.normal(size=(rows, count, 3))} | weights(rng, hidden=hidden)]


def two_readers(rng, alike=False):
    """No two of the sizes are alike, so that a shape says which is which."""
    one, other = (list(weights(rng, features=2, hidden=3).values()) for _ in range(2))
    return [{"inputs": rng.normal(size=(4, 5, 2)), "forward": one, "backward": one if alike else other}]


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
    """Signs of W (4, 3) and U (3, 3) that a reshape would not leave as they are, and some of each."""

    def shuffles(signs):
        whole = np.tile(signs, 4)
        quarters = np.split(whole.reshape(whole.shape[::-1]).T > 0, 4, axis=-1)
        opens = quarters[0] & quarters[2] & quarters[3]
        return opens.any() and (signs > 0).any() and (opens != (signs > 0)).any()

    while True:
        signs = rng.choice([-1.0, 1.0], size=(4, 3)), rng.choice([-1.0, 1.0], size=(3, 3))
        if all(map(shuffles, signs)):
            return [dict(zip(("signs_w", "signs_u"), signs, strict=True))]


CELL = "See chapter 1, “Add instead of multiply”."
SAME = "See chapter 1, “The same weights in PyTorch and Keras”."
WRONG = "See chapter 1, “When it goes wrong”."
BOTH = "See chapter 2, “In NumPy”."
PLACES = "See chapter 2, “Which state is where”."
FORGET = "See chapter 1, “Predict, then run: does the LSTM cure the vanishing gradient?”."

FOUR = words(not_four="What comes back is not four arrays of H numbers each.")
HALF = "H numbers come back where 2H are wanted: H forward units, then H backward units."
UNPAIRED = (
    "[:, lengths − 1] takes the minutes of all nights from every night. Pair each night with its own: two arrays of "
    "indices, one of rows and one of minutes."
)
ROWS = "An index of the first axis, which is the batch, is too large: minutes are counted on the second."
SUMMARY = "The summaries have another shape than (B, 2H)."
STEP = words(
    broadcast="Two shapes do not fit. x W, h U and b have 4H numbers for each row; the gates, h and c have H.",
    not_two="Two things are to come back: h, what is shown, and c, what is held.",
    product="The shapes of a product do not meet: x is (B, D) and W is (D, 4H), so it is x @ W, and h @ U likewise.",
)
START = words(broadcast="Two shapes do not fit. h and c begin as zeros (B, H), and inputs[:, t] is (B, D).")
HALVES = words(
    apart="The two halves come back as two things; wanted is one array, in which they stand side by side.",
    extra_axis="An axis of length 1 is left over.",
    stacked="The two halves are stacked on an axis of their own; they should stand side by side in the last axis.",
    below="The backward rows stand below the forward ones; they should stand beside them, in the last axis.",
    half=HALF,
    added="The two are added, and each loses itself in the sum; they should stand side by side, H and H.",
    exchanged="The backward units stand first; the H forward ones should.",
)
READERS = words(
    unpack="What is unpacked has not as many parts as there are names for them. lstm should return two arrays "
    "(question 3); forward and backward hold three each.",
    list="A list is indexed like an array. Does lstm return arrays, as np.stack makes them of lists?",
    broadcast="Two shapes do not fit. The two halves are (B, T, H) each, and stand side by side in the last axis.",
    one_by_one="A function gets too few arguments. lstm wants the three weights one by one: lstm(inputs, *forward).",
    nothing="It goes on with nothing (None): a function that it calls has no return.",
    axis="An axis is missing. Does lstm return two arrays? Of a single one, [0] takes the first night.",
    one_night="The axis of the nights is missing. Does lstm return two arrays? Of a single one, [0] takes the first "
    "night.",
    shape="The states have another shape than (B, T, 2H).",
)
TIME_FIRST = words(
    time_first="Time comes back as the first axis; wanted is (B, T, 2H). If lstm returns it so, mend that first.",
)
HELD = words(
    held="The states go beyond 1, as what a cell *holds* does. Wanted is what it shows: of the two things that lstm "
    "returns, the first.",
)
LAYER = words(
    three="set_weights of this layer wants three arrays: W, U and b.",
    units="The layer has not H units: wanted is an LSTM from D features to H units.",
    directions="The layer has more than one direction or layer; one is wanted.",
    no_layer="What comes back is not an nn.LSTM or a keras.layers.LSTM itself.",
    not_built="The layer has no weights yet: call layer.build((None, None, D)) first, with D = W.shape[0].",
    no_grad="Parameters are filled inside `with torch.no_grad():`, or by load_state_dict.",
    assigned="A parameter of PyTorch is filled, not replaced by a tensor: layer.weight_ih_l0.copy_(…) inside "
    "`with torch.no_grad():`, or load_state_dict.",
    tensors="PyTorch wants tensors where NumPy arrays stand: torch.tensor(W).",
    keys="load_state_dict wants all four by name: weight_ih_l0, weight_hh_l0, bias_ih_l0 and bias_hh_l0.",
    dtypes="The parameters of the layer have several dtypes: make all of them float32.",
    shapes="The shapes do not fit. In nn.LSTM both matrices are turned round, (4H, D) and (4H, H); in Keras they stay "
    "as they are.",
)
ORDERS = orders(
    {
        (0, 2, 3, 1): "The quarters are taken in the order i, o, f, g, which is ONNX's; here they stand as i, f, g, o.",
        (0, 2, 1, 3): "The quarters are taken in the order i, g, f, o; here they stand as i, f, g, o.",
        (0, 1, 3, 2): "The candidate g and the output gate o are exchanged: the order is i, f, g, o.",
        (1, 0, 2, 3): "The input gate and the forget gate are exchanged: the order is i, f, g, o.",
    },
    "What comes back as i, f, g, o is made of the quarters of {}, {}, {} and {}.",
)
MOVED = orders(  # of i, f, g, o
    {
        (0, 3, 1, 2): "The file's order is handed on as it is. It keeps i, o, f, g; the layer expects i, f, g, o.",
        (
            0,
            2,
            3,
            1,
        ): "The quarters are moved the wrong way: this is how one would *write* such a file from i, f, g, o. "
        "From i, o, f, g the second quarter goes to the end.",
        (0, 1, 3, 2): "Only two quarters change places; from i, o, f, g to i, f, g, o three of them move.",
        (0, 2, 1, 3): "The output gate arrives at its place, but f and g are exchanged: the layer has i, f, g, o.",
    },
    "The layer's i, f, g, o get the file's {}, {}, {} and {}.",
)

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
                {said: says(" ".join(str(each + 1) for each in order)) for said, order in ORDERS.items()}
                | FOUR
                | words(
                    every_fourth="Every fourth number goes to one gate. The gates stand side by side: the first H "
                    "numbers are all of i, the next H all of f, and so on.",
                    mixed="Four blocks of H numbers are wanted, and each number of a gate is made of one entry alone: "
                    "the first of i of the first entry, and so on.",
                ),
                CELL,
                answer=says("1 2 3 4"),
                probe="quarters",
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
                    "Two of the four go through tanh; it is for the candidate alone.": (
                        squashed(sigmoid, sigmoid, np.tanh, np.tanh)
                    ),
                    "Nothing is squashed yet: the gates go through the sigmoid, the candidate through tanh.": (
                        squashed(*[lambda a: a] * 4)
                    ),
                    "The candidate is not squashed; it goes through tanh.": (
                        squashed(sigmoid, sigmoid, lambda a: a, sigmoid)
                    ),
                    "The gates are not squashed; they go through the sigmoid.": (
                        squashed(lambda a: a, lambda a: a, np.tanh, lambda a: a)
                    ),
                    "The sigmoid's sign is turned round: 1 / (1 + e^−a), with the minus.": (
                        squashed(*[lambda a: sigmoid(-a)] * 2, np.tanh, lambda a: sigmoid(-a))
                    ),
                }
                | FOUR
                | words(tanh_elsewhere="Another one than the candidate goes through tanh; g should, and it alone."),
                CELL,
                answer=squashed(sigmoid, sigmoid, np.tanh, sigmoid),
                probe="sorted_four",
            ),
            Concept(
                "axis",
                "they are cut along the last axis, whatever stands in front",
                1,
                lambda rng: [{"a": rng.normal(size=(4, 3, 8))}],
                FOUR
                | words(
                    another_axis="The quarters are cut along another axis than the last, so that rows of the batch "
                    "become gates.",
                    stops="It stops on an array with axes in front. Cut along the last axis (np.split has an argument "
                    "for that).",
                    one_array="One array comes back, with the four side by side; wanted are four.",
                ),
                CELL,
                answer=says("alone"),
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
                }
                | STEP,
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
                }
                | STEP,
                CELL,
                answer=share(lambda o, new, old: o * np.tanh(new)),
                probe="shown_share",
            ),
            Concept(
                "hears",
                "the gates hear the input, what was shown, and the bias",
                1,
                lambda rng: [steps(rng, rows=1)],
                STEP
                | words(
                    turned="W or U is turned round, and need not be: they are (D, 4H) and (H, 4H), so x @ W and h @ U, "
                    "without .T.",
                    no_x="The input does not reach the gates: x W has no effect.",
                    c="U multiplies the cell c. The gates hear what was *shown*, h; the cell is kept from them.",
                    no_h="What was shown, h, does not reach the gates: h U is missing.",
                    no_bias="The bias has no effect.",
                    other="What the gates hear is not x W + h U + b.",
                ),
                CELL,
                answer=says("all"),
                probe="hears",
            ),
            Concept(
                "pair",
                "h comes back first, then c",
                1,
                lambda rng: [steps(rng)],
                STEP
                | words(
                    c_first="The two come back in the other order: h, what is shown, first; then c, what is held.",
                    alike="The same comes back twice: h, what is shown, should come first; then c, what is held.",
                ),
                CELL,
                answer=says("h first"),
                probe="comes_first",
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
                    "This is what the cell held; what is *shown* should come first.": lambda *inputs: lstm(*inputs)[1][
                        0
                    ],
                }
                | START
                | words(shape="The states have another shape than (B, T, H)."),
                CELL,
                answer=lambda *inputs: lstm(*inputs)[0][0],
                probe="walk",
            ),
            Concept(
                "held",
                "what is held comes back second, after every step",
                1,
                lambda rng: sequences(rng, 2, 3),
                START
                | words(
                    shown_again="The second is what was shown once more; wanted is what the cell *held*.",
                    exchanged="The two come back in the other order: what was shown first, then what was held.",
                    one_step="The second holds one step only; wanted is the cell after every step.",
                    h_and_c="The second is two things of one step, such as the last h and c, which the libraries "
                    "return; wanted is the cell after every step.",
                    one_thing_only="Only one thing comes back. Two are wanted: what was shown, and what was held.",
                    more_than_two="More than two things come back. Two are wanted: what was shown, and what was held, "
                    "both after every step.",
                    shape="The second has another shape than (B, T, H).",
                ),
                CELL,
                answer=lambda inputs, W, U, b: lstm(inputs[:1, :1], W, U, b)[1].ravel(),
                probe="second",
            ),
            Concept(
                "axes",
                "the rows of a batch are read side by side, and come back first",
                1,
                lambda rng: sequences(rng, 3, 4, hidden=2),
                START
                | words(
                    across="It reads across the batch: the second night goes on from the state of the first. Time is "
                    "the second axis.",
                    time_first="Time comes back as the first axis; wanted is (B, T, H).",
                    last_only="Only the last state comes back; wanted are those of all steps.",
                    shape="The states have another shape than (B, T, H).",
                    not_alone="A night gives other states in a batch than alone.",
                ),
                WRONG,
                answer=says("side by side"),
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
                words(
                    stops="It stops when it is given an array. An `if` and the functions of math take one number at a "
                    "time; those of NumPy take all.",
                    powers="NumPy's whole numbers have no negative powers: write 1 / steps.",
                    unlike="An array does not give what its numbers give one by one.",
                ),
                FORGET,
                answer=says("alike"),
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
                    "The first half reads from the last minute to the first; the forward reader should.": (
                        lambda x, f, b: backwards(x, f)
                    ),
                    "The first half reads from the last minute to the first, and lies in that order; the forward "
                    "reader should begin at the first.": lambda x, f, b: lstm(x[:, ::-1], *f)[0],
                }
                | HALVES
                | READERS
                | TIME_FIRST
                | HELD
                | words(
                    after="The backward states stand *after* the forward ones in time; they should stand beside them, "
                    "in the last axis.",
                ),
                BOTH,
                answer=lambda x, f, b: lstm(x, *f)[0],
                probe="first_half",
            ),
            Concept(
                "own",
                "each direction has weights of its own",
                1,
                two_readers,
                READERS
                | words(
                    half=HALF,
                    forward="Both directions read with the forward weights.",
                    backward="Both directions read with the backward weights.",
                    exchanged="The weights are exchanged: forward ones read backward.",
                    other="A half hears the weights of both directions, or of none.",
                ),
                BOTH,
                answer=says("own"),
                probe="whose_weights",
            ),
            Concept(
                "turned",
                "the backward reader begins at the end, and its states lie in the order of the inputs",
                2,
                lambda rng: two_readers(rng, alike=True),
                READERS
                | TIME_FIRST
                | HELD
                | words(
                    half=HALF,
                    not_turned_back="The backward states are not turned round again: beside the first minute stands "
                    "the state of the last.",
                    forward="The second reader reads forward too. (x[::-1] would turn the batch: time is the second "
                    "axis.)",
                    batch="The *batch* is reversed, not the night: the second half of a night has heard another night. "
                    "x[::-1] turns the first axis, and time is the second.",
                    all_axes="Everything is turned round, the batch and the features too; only time is meant "
                    "(np.flip has an argument for that).",
                    states_only="The states are turned round, but the reader itself began at the first minute.",
                    deaf="The second half does not hear the night.",
                    other="The second half is not what the same reader shows when it begins at the last minute, each "
                    "state beside its own minute.",
                ),
                BOTH,
                answer=says("turned"),
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
                "the forward half is that of the last real step, and stands first",
                2,
                lambda rng: padded_states(rng) + padded_states(rng, longest=7),
                {
                    "The forward half is taken at the end of the box, where a short night has only padding.": (
                        lambda s, n: s[:, -1, :3]
                    ),
                    "The forward half is taken one step late: steps count from 0, so the last real one is "
                    "lengths − 1.": lambda s, n: s[np.arange(len(s)), n, :3],
                    "The forward half is taken one step early: steps count from 0, so the last real one is "
                    "lengths − 1, and that of a night of one minute is 0.": lambda s, n: s[
                        np.arange(len(s)), n - 2, :3
                    ],
                    "The forward half is taken at the first step, where it has read a single minute.": lambda s, n: s[
                        :, 0, :3
                    ],
                    "The backward half stands in both places.": lambda s, n: s[:, 0, 3:],
                    "The forward half is added up over the night; its last real step alone has read it all.": (
                        lambda s, n: s[..., :3].sum(axis=1)
                    ),
                    "The forward half is a mean over the night; its last real step alone has read it all.": (
                        lambda s, n: s[..., :3].sum(axis=1) / n[:, None]
                    ),
                }
                | HALVES
                | words(unpaired=UNPAIRED, rows=ROWS, shape=SUMMARY),
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
                    "The backward half is taken at step 1. Steps count from 0, where it has read everything.": (
                        lambda s, n: s[:, 1, 3:]
                    ),
                    "The backward half is a mean over the night; at step 0 it has read it all.": (
                        lambda s, n: s[..., 3:].sum(axis=1) / n[:, None]
                    ),
                    "The forward half stands in both places.": lambda s, n: s[np.arange(len(s)), n - 1, :3],
                }
                | words(rows=ROWS, shape=SUMMARY, half=HALF),
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
                    "The axes are exchanged, but the two halves of a night still stand on an axis of their own: wanted "
                    "is one row, (B, 2H).": lambda h: np.swapaxes(h, 0, 1),
                    "The two are added; they should stand side by side.": lambda h: h[0] + h[1],
                }
                | words(
                    method="A tensor here has no such method. PyTorch's have permute, transpose and reshape; in Keras "
                    "they are functions: ops.transpose(h_n, …), ops.reshape(h_n, …).",
                    transpose="A tensor of PyTorch exchanges two axes by transpose; a whole order of them is for "
                    "permute.",
                ),
                "See chapter 2, “The reshape that mixes sequences”.",
                probe="rows",
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
                reordered() | LAYER,
                WRONG,
                answer=gates_from(*[FROM_FILE] * 3),
                probe="order",
            ),
            Concept(
                "matrices",
                "W and U arrive as they are meant",
                1,
                sign_tables,
                arrivals() | LAYER,
                SAME,
                answer=says("W right, U right"),
                probe="matrices",
            ),
            Concept(
                "bias",
                "the bias counts once",
                1,
                lambda rng: [{"b": rng.uniform(0.5, 2, size=3)}],
                {
                    "The bias counts twice. (PyTorch adds its two biases, so only one of them gets it, and the other "
                    "is 0.)": biased(lambda b: [2 * b] * 4),
                    "Part of the bias is random, as the layer was born. (PyTorch has a second bias, which is added and "
                    "must be set to 0.)": says("random"),
                    "The bias never arrives.": biased(lambda b: [0 * b] * 4),
                    "The bias never arrives: its forget gate has the 1 with which Keras begins, and the others 0.": (
                        biased(lambda b: [0 * b, 0 * b + 1, 0 * b, 0 * b])
                    ),
                    "The forget gate's bias is 1 too large. The file's is all that is wanted. (Keras begins at 1, and "
                    "set_weights replaces that.)": biased(lambda b: [b, b + 1, b, b]),
                    "The forget gate's bias is 1 too small. The file's is all that is wanted. (Keras begins at 1, but "
                    "set_weights replaces that.)": biased(lambda b: [b, b - 1, b, b]),
                }
                | LAYER,
                WRONG,
                answer=biased(lambda b: [b] * 4),
                probe="bias",
            ),
            Concept(
                "layer",
                "the layer takes (B, T, D) and gives the states of all steps",
                1,
                lambda rng: sequences(rng, 3, 4, hidden=2),
                LAYER
                | words(
                    across="It reads across the batch. (Without batch_first=True, nn.LSTM takes the first axis for "
                    "time.)",
                    last_only="Only the last state comes back, not those of all minutes. (In Keras: "
                    "return_sequences=True.)",
                    shape="The states have another shape than (B, T, H).",
                ),
                SAME,
                answer=says("side by side"),
                probe="batch_of_layer",
            ),
        ),
    ),
)
