"""How some of your functions are looked at: what the checks compute from their answers, in a word where one will do."""

import functools

import numpy as np


class Odd(Exception):
    """What was found, in a word that stands for a sentence of the checks."""


def in_words(probe):
    @functools.wraps(probe)
    def told(*arguments):
        try:
            return probe(*arguments)
        except Odd as odd:
            return str(odd)
        except ValueError as error:
            if "could not be broadcast" in str(error):
                return "broadcast"
            raise

    return told


def array_of(value):
    try:
        return np.asarray(value)
    except ValueError:  # parts of several shapes
        raise Odd("shape") from None


def close(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, atol=1e-5)


# --- gates -----------------------------------------------------------------------------------------------------


def four_of(answer, shape):
    """The four arrays, or one array that holds them side by side, cut; None if it is neither."""
    if isinstance(answer, np.ndarray) and answer.shape == shape:
        return np.split(answer, 4, axis=-1)
    if np.isscalar(answer) or getattr(answer, "ndim", 1) == 0:
        return None
    four = [np.asarray(each) for each in answer]
    return four if [each.size for each in four] == [np.prod(shape) // 4] * 4 else None


def of_row(gates, a):
    """The four for one row (4H,), as one array (4, H), with as many axes in front as the function can bear."""
    for given in (a, a[None], a[None, None]):
        try:
            four = four_of(gates(given), given.shape)
        except (ValueError, IndexError):
            continue
        if four is not None:
            return np.stack([each.ravel() for each in four])
    gates(a)  # if this stops, it says why
    raise Odd("not four")


def heard(gates, a):
    """Which entry of `a` each number of the answer hears (4, H); −1 where there is none, or more than one."""
    before = of_row(gates, a)
    moved = np.stack([of_row(gates, a + 0.5 * (np.arange(len(a)) == k)) != before for k in range(len(a))])
    return np.where(moved.sum(axis=0) == 1, moved.argmax(axis=0), -1)


@in_words
def quarters(gates, a):
    """The quarters of `a` that the four are made of, counted from 1."""
    entries, units = heard(gates, a), len(a) // 4
    if (entries == np.arange(len(a)).reshape(-1, 4).T).all():
        return "every fourth"
    found = entries[:, 0] // units
    if (entries != found[:, None] * units + np.arange(units)).any():
        return "mixed"
    return " ".join(str(quarter + 1) for quarter in found)


@in_words
def sorted_four(gates, a):
    """In order of size (which is which is looked at elsewhere), unless another one than g alone can be negative."""
    (negative,) = np.nonzero((of_row(gates, -np.abs(a)) < 0)[:, 0])
    if len(negative) == 1 and 2 not in (negative[0], heard(gates, a)[negative[0], 0]):
        return "tanh elsewhere"
    return np.sort(of_row(gates, a), axis=0)


@in_words
def each_row_alone(gates, a):
    """Whether an array with axes in front gives what its rows give one by one."""
    alone = np.stack([of_row(gates, row) for row in a.reshape(-1, a.shape[-1])], axis=1)
    try:
        together = gates(a)
    except (ValueError, IndexError):
        return "stops"
    if isinstance(together, np.ndarray) and together.shape == a.shape:
        return "one array"
    together, shape = list(together), (*a.shape[:-1], a.shape[-1] // 4)
    if [np.shape(each) for each in together] != [shape] * 4:
        return "another axis"
    return "alone" if close(np.stack(together).reshape(alone.shape), alone) else "another axis"


# --- step ------------------------------------------------------------------------------------------------------


def two(answer, axes):
    """Whether it is two things; an array of so many axes is, along the first."""
    return (isinstance(answer, (list, tuple)) or np.ndim(answer) == axes) and len(answer) == 2


def exchanged(first, second):
    """What is held is larger than what is shown of it, everywhere."""
    return np.shape(first) == np.shape(second) and (np.abs(first) > np.abs(second)).all()


def mended(step, *inputs):
    """`step`, or, if that needs W or U turned round, one that turns them; and whether they were."""
    try:
        step(*inputs)
    except ValueError as error:
        for which in ((0, 1), (0,), (1,)):

            def other(x, h, c, *weights, which=which):
                return step(x, h, c, *(each.T if k in which else each for k, each in enumerate(weights)))

            try:
                other(*inputs)
            except ValueError:
                continue
            return other, True
        if "matmul" in str(error) or "not aligned" in str(error):
            raise Odd("product") from None
        raise
    return step, False


def shown_and_held(step, *inputs):
    """The two in the order h, c, also of a function that returns c first: a mistake is paid for once."""
    answer = mended(step, *inputs)[0](*inputs)
    if not two(answer, 3):
        raise Odd("not two")
    first, second = map(np.asarray, answer)
    return (second, first, "c first") if exchanged(first, second) else (first, second, "h first")


@in_words
def comes_first(step, *inputs):
    h, c, first = shown_and_held(step, *inputs)
    return "alike" if close(h, c) else first


@in_words
def held(step, *inputs):
    return shown_and_held(step, *inputs)[1]


@in_words
def shown_share(step, *inputs):
    """What is shown, as a share of tanh of what is held: a cell that is wrong is looked at elsewhere."""
    h, c, _ = shown_and_held(step, *inputs)
    return h / np.tanh(c)


@in_words
def hears(step, x, h, c, W, U, b):
    """What the gates do not hear, or hear and should not."""
    step, turned = mended(step, x, h, c, W, U, b)
    if turned:
        return "turned"

    def same(*weights):
        return all(map(close, step(x, h, c, W, U, b), step(x, h, c, *weights)))

    def by_input(z):  # the same by W, with U at 0
        return W + x.T @ z / (x**2).sum(), 0 * U, b

    if same(2 * W, U, b):
        return "no x"
    if same(*by_input(c @ U)):
        return "c"
    if same(W, 2 * U, b):
        return "no h"
    if same(W, U, b + 1):
        return "no bias"
    return "all" if same(*by_input(h @ U)) else "other"


# --- lstm ------------------------------------------------------------------------------------------------------


def parts(lstm, *inputs):
    """(what is shown, what is held or None, a word on the two)"""
    answer = lstm(*inputs)
    if not two(answer, 4):
        several = isinstance(answer, (list, tuple)) and np.ndim(answer[0]) == 3
        return array_of(answer[0] if several else answer), None, "more than two" if several else "one thing only"
    first, second = map(array_of, answer)
    return (second, first, "exchanged") if exchanged(first, second) else (first, second, "two")


def shown(lstm, *inputs):
    return parts(lstm, *inputs)[0]


def across(lstm, inputs, *weights):
    """Whether the second row hears the first."""
    rows = inputs[0, :2, None]  # two rows of one step
    other = rows.copy()
    other[0] += 1
    one, another = (shown(lstm, each, *weights).reshape(2, -1)[1] for each in (rows, other))
    return not np.allclose(one, another)


@in_words
def walk(lstm, inputs, *weights):
    """What one row's reader shows at every step; if it goes across the batch, of a batch that is the row's steps."""
    if across(lstm, inputs, *weights):
        inputs = np.swapaxes(inputs, 0, 1)
        return shown(lstm, inputs, *weights).reshape(len(inputs), -1)
    steps = inputs.shape[1]
    states = shown(lstm, inputs, *weights)
    if states.size == len(weights[1]):  # the last one only: what it shows of the first step, of the first two, …
        states = np.stack([shown(lstm, inputs[:, : t + 1], *weights).ravel() for t in range(steps)])
    if states.size != steps * len(weights[1]):
        raise Odd("shape")
    return states.reshape(steps, -1)


@in_words
def second(lstm, inputs, *weights):
    """What is held after one step of one row, if as much of it comes back as there should."""
    first, other, word = parts(lstm, inputs, *weights)
    if word != "two":
        return word
    if sorted(other.shape) == sorted((2, len(inputs), len(weights[1]))):
        return "h and c"
    if sorted(other.shape) == sorted((len(inputs), len(weights[1]))):
        return "one step"
    if sorted(other.shape) != sorted((*inputs.shape[:2], len(weights[1]))):
        return "shape"
    return "shown again" if close(first, other) else np.ravel(parts(lstm, inputs[:1, :1], *weights)[1])


@in_words
def axes(lstm, inputs, *weights):
    """How the states of a batch lie, and whether its rows are read one by one."""
    rows, steps, _ = inputs.shape
    units = len(weights[1])
    if across(lstm, inputs, *weights):
        return "across"
    together = shown(lstm, inputs, *weights)
    if together.shape != (rows, steps, units):
        return {(steps, rows, units): "time first", (rows, units): "last only"}.get(together.shape, "shape")
    alone = [shown(lstm, inputs[[row]], *weights)[0] for row in range(rows)]
    return "side by side" if close(alone, together) else "not alone"


# --- the half-life ---------------------------------------------------------------------------------------------


def one_by_one(half_life_bias, steps):
    """Whether an array of steps gives what its numbers give one by one."""
    alone = [half_life_bias(int(each)) for each in steps]
    try:
        together = half_life_bias(steps)
    except (TypeError, ValueError) as error:
        return "powers" if "negative integer powers" in str(error) else "stops"
    return "alike" if close(together, np.ravel(alone)) else "unlike"


# --- both ways, and summaries ----------------------------------------------------------------------------------


def taken_apart(answer, lead, units):
    """(how the two halves stand, the first, the second); "" if side by side in the last axis, as they should"""
    half, whole = (*lead, units), (*lead, 2 * units)
    if isinstance(answer, (list, tuple)) and len(answer) == 2 and all(np.shape(each) == half for each in answer):
        return "apart", *map(np.asarray, answer)
    states = array_of(answer)
    if states.shape == whole:
        return "", *np.split(states, 2, axis=-1)
    if states.ndim > len(whole) and states.squeeze().shape == whole:
        return "extra axis", *np.split(states.squeeze(), 2, axis=-1)
    if len(lead) == 2 and states.shape == (*lead[::-1], 2 * units):
        return "time first", *np.split(np.swapaxes(states, 0, 1), 2, axis=-1)
    for axis in range(len(lead) + 2):
        if states.shape == (*half[:axis], 2, *half[axis:]):
            return "stacked", *np.moveaxis(states, axis, 0)
    for axis, word in zip(range(len(lead)), ("below", "after"), strict=False):
        if states.shape == (*half[:axis], 2 * half[axis], *half[axis + 1 :]):
            return word, *np.split(states, 2, axis=axis)
    if len(lead) == 2 and states.shape in (whole[1:], half[1:]):
        raise Odd("one night")
    raise Odd("half" if states.shape == half else "shape")


def both_halves(ask, lead, *arguments):
    """taken_apart(ask(first, second)); of two that are added, what each gives alone."""
    units, first, second = arguments
    try:
        return taken_apart(ask(first, second), lead, units)
    except Odd as odd:
        if str(odd) != "half":
            raise
        nothing = [[0 * each for each in one] for one in (first, second)]
        one, two = np.asarray(ask(first, nothing[1])), np.asarray(ask(nothing[0], second))
        if one.any() and two.any() and close(one + two, ask(first, second)):
            return "added", one, two
        raise


def readers(both_ways, inputs, forward, backward):
    """(how the halves stand, forward half, backward half), also if they are exchanged: a mistake is paid for once."""

    def ask(given):
        return both_halves(lambda *w: both_ways(given, *w), inputs.shape[:2], len(forward[1]), forward, backward)

    other = inputs.copy()
    other[:, -1] += 1
    try:
        (how, *two), (_, *moved) = ask(inputs), ask(other)
    except (TypeError, ValueError, IndexError) as error:
        words = {"unpack": "unpack", "missing": "one by one", "NoneType": "nothing", "list indices": "list"}
        words["out of bounds for array"] = "axis"
        known = [word for part, word in words.items() if part in str(error)]
        if known:
            raise Odd(known[0]) from None
        raise
    first, second = (not close(a[:, 0], b[:, 0]) for a, b in zip(two, moved, strict=True))  # hears the future
    if first and not second:
        return how or "exchanged", two[1], two[0]
    return how, *two


def grown(both_ways, inputs, forward, backward):
    """Whether each half goes beyond 1 when all gates stay open."""
    wide = [[0 * W + 9, 0 * U, 0 * b] for W, U, b in (forward, backward)]
    return [np.abs(each).max() > 1.001 for each in readers(both_ways, 0 * inputs + 1, *wide)[1:]]


@in_words
def first_half(both_ways, *inputs):
    """The first H units, if the halves stand as they should."""
    how, ahead, _ = readers(both_ways, *inputs)
    return how or ("held" if grown(both_ways, *inputs)[0] else ahead)


@in_words
def second_half(both_ways, inputs, forward, backward):
    """How the second half reads, by what the first does with the same weights."""

    def ahead(given):
        return readers(both_ways, given, forward, backward)[1]

    how, first, behind = readers(both_ways, inputs, forward, backward)
    other = inputs.copy()
    other[-1] += 1
    moved = readers(both_ways, other, forward, backward)[2]
    if close(moved, behind):
        return "deaf"
    if not close(moved[0], behind[0]):
        return how if how == "time first" else "batch"
    turned = inputs[:, ::-1]
    forms = {
        "turned": lambda: ahead(turned)[:, ::-1],
        "not turned back": lambda: ahead(turned),
        "forward": lambda: first,
        "states only": lambda: first[:, ::-1],
        "all axes": lambda: np.flip(ahead(np.flip(inputs))),
    }
    found = next((word for word, form in forms.items() if close(behind, form())), "other")
    one, two = grown(both_ways, inputs, forward, backward)
    return "held" if found == "other" and two and not one else found


@in_words
def whose_weights(both_ways, inputs, forward, backward):
    before = readers(both_ways, inputs, forward, backward)
    one = readers(both_ways, inputs, [each / 2 for each in forward], backward)
    two = readers(both_ways, inputs, forward, [each / 2 for each in backward])
    heard = tuple(tuple(not close(before[half], other[half]) for other in (one, two)) for half in (1, 2))
    yes, no = (True, False), (False, True)
    words = {(yes, no): "own", (yes, yes): "forward", (no, no): "backward", (no, yes): "exchanged"}
    return words.get(heard, "other")


class Paired(np.ndarray):
    """An array in which [:, lengths] takes from each row its own: for those who forget to pair them."""

    def __getitem__(self, index):
        if isinstance(index, tuple) and len(index) > 1 and isinstance(index[0], slice) and np.ndim(index[1]) == 1:
            index = (np.arange(len(self))[index[0]], *index[1:])
        return super().__getitem__(index)


def summary(summaries, states, lengths):
    """(how the halves stand, forward half, backward half), also if they are exchanged or rows were not paired."""
    units = states.shape[-1] // 2

    def ask(states):
        def joined(one, two):
            both = np.concatenate([*one, *two], axis=-1)
            return summaries(both.view(type(states)), lengths)

        halves = [states[..., :units]], [states[..., units:]]
        return both_halves(joined, states.shape[:1], units, *halves)

    def without(states, half):
        other = np.array(states)
        other[..., half * units : (half + 1) * units] += 1
        return ask(other.view(type(states)))

    try:
        how, *two = ask(states)
    except (Odd, ValueError, IndexError) as error:
        try:
            _, *two = ask(states.view(Paired))
        except (Odd, ValueError, IndexError):
            if isinstance(error, IndexError) and "for axis 0" in str(error):
                raise Odd("rows") from None
            raise error from None
        how, states = "unpaired", states.view(Paired)
    hears_forward = [not close(a, b) for a, b in zip(two, without(states, 0)[1:], strict=True)]
    hears_backward = [not close(a, b) for a, b in zip(two, without(states, 1)[1:], strict=True)]
    if hears_forward == [False, True] and hears_backward == [True, False]:
        return how or "exchanged", two[1], two[0]
    return how, *two


@in_words
def forward_half(summaries, states, lengths):
    how, ahead, _ = summary(summaries, states, lengths)
    return how or ahead


@in_words
def backward_half(summaries, states, lengths):
    return np.asarray(summary(summaries, states, lengths)[2])


# --- tensors and layers of a framework -------------------------------------------------------------------------


def rows(side_by_side, h_n):
    try:
        return side_by_side(h_n)
    except AttributeError as error:
        if "Tensor" in str(error):
            return "method"
        raise
    except TypeError as error:
        if "transpose()" in str(error):
            return "transpose"
        raise


STOPS = {
    "expecting 0 weights": "not built",
    "weight list of length": "three",
    "xpected hidden": "units",
    "leaf Variable": "no grad",
    "leaf variable": "no grad",
    "cannot assign": "assigned",
    "must be Tensor": "tensors",
    "ssing key": "keys",
    "dtype": "dtypes",
    "size": "shapes",
    "shape": "shapes",
}


def in_layers(probe):
    """Also what stopped it, in a word."""

    @functools.wraps(probe)
    def told(*arguments):
        try:
            return in_words(probe)(*arguments)
        except NotImplementedError:
            raise
        except (RuntimeError, TypeError, ValueError) as error:
            known = [word for part, word in STOPS.items() if part in str(error)]
            if not known or (known[0] == "shapes" and isinstance(error, TypeError)):
                raise
            return known[0]

    return told


def run(layer, x, h=None, c=None):
    """What `layer` shows of inputs (B, T, D), begun at h and c (B, H) or at zeros, as a NumPy array."""
    if not any(each.__name__ == "LSTM" for each in type(layer).__mro__):
        raise Odd("no layer")
    if hasattr(layer, "parameters"):
        import torch

        if layer.bidirectional or layer.num_layers > 1:
            raise Odd("directions")
        kind = next(layer.parameters()).dtype
        x, *state = (torch.tensor(each, dtype=kind) for each in ((x,) if h is None else (x, h[None], c[None])))
        with torch.no_grad():
            answer = layer(x, tuple(state)) if state else layer(x)
        return (answer[0] if isinstance(answer, tuple) else answer).numpy()
    x, *state = (np.asarray(each, dtype=layer.compute_dtype) for each in ((x,) if h is None else (x, h, c)))
    answer = layer(x, initial_state=state) if state else layer(x)
    return np.asarray(answer[0] if isinstance(answer, (list, tuple)) else answer)


def one_step(layer, x, h, c):
    """What it shows (H,) after one step of one row."""
    return run(layer, np.reshape(x, (1, 1, -1)), np.reshape(h, (1, -1)), np.reshape(c, (1, -1))).ravel()


@in_layers
def order(to_layer, patterns):
    """One unit that held 2, its gates pushed fully open or shut by each of the three arrays in turn."""
    found = []
    for by in ("W", "U", "b"):
        for pattern in 30 * patterns:
            W, U, b = (pattern * (by == each) for each in "WUb")
            found.append(one_step(to_layer(W[None], U[None], b), [by == "W"], [by == "U"], [2.0])[0])
    found = np.reshape(found, (3, -1))
    pushed = np.tanh([0.0, 1.0, 2.0, 3.0])  # what may be shown of 2, kept or dropped, and news of −1, 0 or 1
    arrived = [np.isclose(np.abs(row)[:, None], pushed, atol=1e-3).any() for row in found]
    if not all(arrived):
        return "absent " + " ".join(name for name, there in zip("WUb", arrived, strict=True) if not there)
    return found


@in_layers
def matrices(to_layer, signs_w, signs_u):
    """Whether each unit opens for the inputs, and the units, it should: all four gates alike, whatever their order."""
    (features, units), tables = signs_w.shape, []
    for signs in (signs_w, signs_u):
        all_four = 30 * np.tile(signs, 4)
        W, U = all_four, np.zeros((units, 4 * units))
        if signs is signs_u:
            W, U = np.zeros((features, 4 * units)), all_four
        layer = to_layer(W, U, np.zeros(4 * units))
        pushes = np.eye(len(signs)), np.zeros((len(signs), features if signs is signs_u else units))
        given = zip(*(pushes if signs is signs_w else pushes[::-1]), strict=True)
        table = np.array([one_step(layer, x, h, np.zeros(units)) > 0.4 for x, h in given])
        shuffled = np.split(all_four.reshape(all_four.shape[::-1]).T > 0, 4, axis=-1)
        forms = {"right": signs > 0, "absent": 0 * signs > 0, "reshaped": shuffled[0] & shuffled[2] & shuffled[3]}
        tables.append(next((word for word, form in forms.items() if (form == table).all()), "elsewhere"))
    return "W {}, U {}".format(*tables)


@in_layers
def bias(to_layer, b):
    """What units show that held 1, with the same bias at all four gates; "random" if two layers disagree."""
    size = len(b)
    arrays = np.zeros((1, 4 * size)), np.zeros((size, 4 * size)), np.tile(b, 4)
    one, another = (one_step(to_layer(*arrays), [0.0], np.zeros(size), np.ones(size)) for _ in range(2))
    return one if close(one, another) else "random"


@in_layers
def batch_of_layer(to_layer, inputs, W, U, b):
    """How the states of a batch lie, and whether its rows are read one by one."""
    layer = to_layer(W, U, b)
    together = run(layer, inputs)
    if together.shape != (*inputs.shape[:2], len(U)):
        return "last only" if together.shape == (len(inputs), len(U)) else "shape"
    other = inputs.copy()
    other[0] += 1
    return "side by side" if close(run(layer, other)[1:], together[1:]) else "across"
