"""How some of your functions are looked at: what the checks compute from their answers."""

import numpy as np

# --- gates -----------------------------------------------------------------------------------------------------


def of_row(gates, a):
    """The four for one row (4H,), as one array (4, H), with as many axes in front as the function can bear."""
    for given in (a, a[None], a[None, None]):
        try:
            four = [np.ravel(each) for each in gates(given)]
        except (ValueError, IndexError):
            continue
        if [each.size for each in four] == [len(a) // 4] * 4:
            return np.stack(four)
    return np.stack(gates(a))


def places(gates, a):
    """Which entry of `a` each number of the answer hears; −1 where there is none, or more than one."""
    before = of_row(gates, a)
    moved = np.stack([of_row(gates, a + 0.5 * (np.arange(len(a)) == k)) != before for k in range(len(a))])
    return np.where(moved.sum(axis=0) == 1, moved.argmax(axis=0), -1)


def sorted_four(gates, a):
    """In order of size: which is which is looked at elsewhere."""
    return np.sort(of_row(gates, a), axis=0)


def each_row_alone(gates, a):
    """Whether an array with axes in front gives what its rows give one by one."""
    together = [np.asarray(each) for each in gates(a)]
    if [each.shape for each in together] != [(*a.shape[:-1], a.shape[-1] // 4)] * 4:
        return False
    return all(np.allclose(np.stack(together)[:, b, t], of_row(gates, a[b, t])) for b, t in np.ndindex(a.shape[:-1]))


# --- step ------------------------------------------------------------------------------------------------------


def larger(step, *inputs):
    """Which of the two is larger, everywhere: 0 for neither or the second, 1 for the first."""
    first, second = (np.abs(np.asarray(each)) for each in step(*inputs))
    return int((first > second).all())


def shown_and_held(step, *inputs):
    """The two in the order h, c, also of a function that returns c first: a mistake is paid for once."""
    first, second = (np.asarray(each) for each in step(*inputs))
    return (second, first) if (np.abs(first) > np.abs(second)).all() else (first, second)


def held(step, *inputs):
    return shown_and_held(step, *inputs)[1]


def shown_share(step, *inputs):
    """What is shown, as a share of tanh of what is held: a cell that is wrong is looked at elsewhere."""
    h, c = shown_and_held(step, *inputs)
    return h / np.tanh(c)


def hears(step, x, h, c, W, U, b):
    """(U works on h, U works on c, the bias does something)"""

    def same(*weights):
        return np.allclose(step(x, h, c, W, U, b), step(x, h, c, *weights))

    def by_input(z):  # the same by W, with U at 0
        return W + x.T @ z / (x**2).sum(), 0 * U, b

    return same(*by_input(h @ U)), same(*by_input(c @ U)), not same(W, U, b + 1)


# --- lstm ------------------------------------------------------------------------------------------------------


def two(answer):
    """Whether it is two things; an array of four axes is, along the first."""
    return len(answer) == 2 and (isinstance(answer, (list, tuple)) or np.ndim(answer) == 4)


def shown(lstm, *inputs):
    answer = lstm(*inputs)
    return np.asarray(answer[0] if two(answer) else answer)


def across(lstm, inputs, *weights):
    """Whether the second row hears the first."""
    two = inputs[0, :2, None]  # two rows of one step
    other = two.copy()
    other[0] += 1
    one, another = (shown(lstm, each, *weights).reshape(2, -1)[1] for each in (two, other))
    return not np.allclose(one, another)


def walk(lstm, inputs, *weights):
    """What one row's reader shows at every step; if it goes across the batch, of a batch that is the row's steps."""
    turned = across(lstm, inputs, *weights)
    return shown(lstm, np.swapaxes(inputs, 0, 1) if turned else inputs, *weights).reshape(inputs.shape[1], -1)


def second(lstm, inputs, *weights):
    """(the lengths of the second thing's axes by size, its numbers for one row of one step)"""
    answers = lstm(inputs, *weights), lstm(inputs[:1, :1], *weights)
    if not all(map(two, answers)):
        return "one thing only"
    return sorted(np.asarray(answers[0][1]).shape), np.ravel(np.asarray(answers[1][1]))


def axes(lstm, inputs, *weights):
    """(the shape of what is shown, a batch shows what its rows show one by one)"""
    together = shown(lstm, inputs, *weights)
    return list(together.shape), alone_as_together(lambda x: shown(lstm, x, *weights), inputs, together)


def alone_as_together(read, inputs, together):
    alone = [np.asarray(read(inputs[[row]])) for row in range(len(inputs))]
    axis = list(together.shape).index(len(inputs))
    whole = np.concatenate(alone, axis=axis)
    return whole.shape == together.shape and np.allclose(whole, together, atol=1e-5)


def one_by_one(half_life_bias, steps):
    """Whether an array of steps gives what its numbers give one by one."""
    return bool(np.allclose(half_life_bias(steps), [half_life_bias(int(each)) for each in steps]))


# --- both ways -------------------------------------------------------------------------------------------------


def first_half(both_ways, inputs, forward, backward):
    """(the shape, the first H units)"""
    states = np.asarray(both_ways(inputs, forward, backward))
    return list(states.shape), states[..., : len(forward[1])]


def halves(both_ways, inputs, forward, backward):
    """The halves, exchanged if only the first hears the future: a mistake is paid for once."""
    states = np.asarray(both_ways(inputs, forward, backward))
    other = inputs.copy()
    other[:, -1] += 1
    hears = ~np.isclose(states, both_ways(other, forward, backward))[:, 0].all(axis=0)
    one, two = np.split(states, 2, axis=-1)
    return (two, one) if hears[: one.shape[-1]].any() and not hears[one.shape[-1] :].any() else (one, two)


def second_half(both_ways, *inputs):
    return halves(both_ways, *inputs)[1]


def whose_weights(both_ways, inputs, forward, backward):
    """A row for each half: (it hears the forward weights, it hears the backward weights)"""
    before = halves(both_ways, inputs, forward, backward)
    one = halves(both_ways, inputs, [each / 2 for each in forward], backward)
    two = halves(both_ways, inputs, forward, [each / 2 for each in backward])
    return [[not np.allclose(before[half], other[half]) for other in (one, two)] for half in (0, 1)]


def forward_half(summaries, states, lengths):
    return np.asarray(summaries(states, lengths))[..., : states.shape[-1] // 2]


def backward_half(summaries, states, lengths):
    return np.asarray(summaries(states, lengths))[..., states.shape[-1] // 2 :]


# --- the layer of a framework ----------------------------------------------------------------------------------


def run(layer, x, h=None, c=None):
    """What `layer` shows of inputs (B, T, D), begun at h and c (B, H) or at zeros, as a NumPy array."""
    if hasattr(layer, "parameters"):
        import torch

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


def order(to_layer, patterns):
    """One unit that held 2, its gates pushed fully open or shut by each of the three arrays in turn."""
    found = []
    for by in ("W", "U", "b"):
        for pattern in 30 * patterns:
            W, U, b = (pattern * (by == each) for each in "WUb")
            found.append(one_step(to_layer(W[None], U[None], b), [by == "W"], [by == "U"], [2.0])[0])
    return np.reshape(found, (3, -1))


def matrices(to_layer, signs_w, signs_u):
    """Which unit opens for which input, and for which unit: all four gates the same, so that their order is nothing."""
    features, hidden = signs_w.shape
    zeros = np.zeros(hidden)
    layer = to_layer(30 * np.tile(signs_w, 4), np.zeros((hidden, 4 * hidden)), np.zeros(4 * hidden))
    of_w = [one_step(layer, x, zeros, zeros) > 0.4 for x in np.eye(features)]
    layer = to_layer(np.zeros((features, 4 * hidden)), 30 * np.tile(signs_u, 4), np.zeros(4 * hidden))
    of_u = [one_step(layer, np.zeros(features), h, zeros) > 0.4 for h in np.eye(hidden)]
    return np.array(of_w, dtype=float), np.array(of_u, dtype=float)


def bias(to_layer, b):
    """What units show that held 1, with the same bias at all four gates; "random" if two layers disagree."""
    size = len(b)
    arrays = np.zeros((1, 4 * size)), np.zeros((size, 4 * size)), np.tile(b, 4)
    one, another = (one_step(to_layer(*arrays), [0.0], np.zeros(size), np.ones(size)) for _ in range(2))
    return one if np.allclose(one, another, atol=1e-5) else "random"


def batch_of_layer(to_layer, inputs, W, U, b):
    """(the shape of the states, a batch has the states that its rows have one by one)"""
    layer = to_layer(W, U, b)
    together = run(layer, inputs)
    return list(together.shape), alone_as_together(lambda x: run(layer, x), inputs, together)
