"""Sequence to sequence as functions: read a source, write a target, looking back at every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.numpy.attention import masked_softmax
from attnlstm_ref.numpy.lstm import LSTMWeights, lstm_step
from attnlstm_ref.numpy.model import Shapes, encode, encoder_shapes, encoder_sizes, size_of

Array = np.ndarray
Parameters = Mapping[str, Array]
State = tuple[Array, Array]  # hidden (B, H), cell (B, H)


class Memory(NamedTuple):
    """What the decoder knows of the source; made once, read at every step."""

    keys: Array | None  # (B, T, A) the states, already projected; None without attention
    values: Array  # (B, T, 2H) the states
    mask: Array | None  # (B, T) booleans, True = a real token; None: all are real
    summary: Array  # (B, 2H) the forward state of the last real token, the backward state of the first

    def repeated(self, times: int) -> Memory:
        """Each row so many times, for the sequences of a beam."""
        keys, mask = (None if part is None else part.repeat(times, axis=0) for part in (self.keys, self.mask))
        return Memory(keys, self.values.repeat(times, axis=0), mask, self.summary.repeat(times, axis=0))


def seq2seq_shapes(
    *,
    source_size: int,
    target_size: int,
    embedding_size: int,
    hidden_size: int,
    attention: bool = True,
    attention_units: int | None = None,
    num_layers: int = 1,
    residual: bool = False,
) -> Shapes:
    """Every parameter of the model by name, with its shape.

    The arguments are those of the models (`attnlstm_ref.torch.Seq2Seq`).

    Raises
    ------
    ValueError
        A size below 1.
    """
    units = hidden_size if attention_units is None else attention_units
    _checks.seq2seq_sizes(source_size, target_size, embedding_size, hidden_size, units)
    _checks.at_least("num_layers", num_layers, 1, "layers")
    states, gates = 2 * hidden_size, 4 * hidden_size
    shapes: Shapes = {
        "source_embedding": (source_size, embedding_size),
        "target_embedding": (target_size, embedding_size),
        "w_begin": (states, hidden_size),
        "decoder.w_input": (embedding_size + states, gates),
        "decoder.w_hidden": (hidden_size, gates),
        "decoder.bias": (gates,),
        "head.weight": (hidden_size + states, target_size),
        "head.bias": (target_size,),
    }
    if attention:
        shapes |= {"attention.w_query": (hidden_size, units), "attention.w_keys": (states, units)}
        shapes |= {"attention.v": (units,)}
    return shapes | encoder_shapes(embedding_size, hidden_size, num_layers, residual)


class _Sizes(NamedTuple):
    """What `_checks` asks a model for, read off its parameters."""

    source_size: int
    target_size: int
    hidden_size: int


def _fitting(parameters: Parameters) -> _Sizes:
    sizes = encoder_sizes(parameters)
    embedding_size, attention = sizes.pop("input_size"), "attention.v" in parameters
    source_size, target_size = (size_of(parameters, f"{side}_embedding", 2) for side in ("source", "target"))
    wanted = seq2seq_shapes(
        source_size=source_size,
        target_size=target_size,
        embedding_size=embedding_size,
        attention=attention,
        attention_units=size_of(parameters, "attention.v", 1) if attention else None,
        **sizes,
    )
    _checks.parameters_fit(parameters, dict(wanted))
    return _Sizes(source_size, target_size, sizes["hidden_size"])


def _check_remember(source: Array, parameters: Parameters, mask: Array | None = None, **_: Any) -> None:
    sizes = _fitting(parameters)
    _checks.seq2seq_source(sizes, source, mask)
    known = source if mask is None else np.where(mask, source, 0)
    _checks.tokens_known(int(known.min()), int(known.max()), sizes.source_size, "source")


def _check_step(
    token: Array, state: State, memory: Memory, parameters: Parameters, *, temperature: float = 1.0
) -> None:
    sizes = _fitting(parameters)
    _checks.seq2seq_step(sizes, token, state, memory, temperature=temperature)
    _checks.tokens_known(int(token.min()), int(token.max()), sizes.target_size, "token")


def _check(
    source: Array, target: Array, parameters: Parameters, mask: Array | None = None, *, temperature: float = 1.0
) -> None:
    sizes = _fitting(parameters)
    _checks.seq2seq(sizes, source, target, mask, temperature=temperature)
    _checks.tokens_known(int(target.min()), int(target.max()), sizes.target_size, "target")


def _check_greedy(source: Array, parameters: Parameters, mask: Array | None = None, **options: Any) -> None:
    _checks.greedy(_fitting(parameters), source, mask, **options)


def _check_beam(source: Array, parameters: Parameters, mask: Array | None = None, **options: Any) -> None:
    _checks.beam_search(_fitting(parameters), source, mask, **options)


@validated(_check_remember)
def remember(
    source: Int[Array, "B T"], parameters: Parameters, mask: Bool[Array, "B T"] | None = None
) -> tuple[Memory, State]:
    """Read the source: what the decoder may look at, and the state it begins in.

    h_0 = tanh(W_s summary), cell 0. (Bahdanau et al. 2015, A.2.2, give W_s the backward half alone.)

    Parameters
    ----------
    source : (B, T) tokens, whole numbers
    parameters : by the names of `seq2seq_shapes`
    mask : (B, T) booleans, True = a real token; tokens other than 0 when not given

    Returns
    -------
    memory : `Memory`
    state : hidden and cell, (B, H) each

    Raises
    ------
    ValueError
        Names the parameters that are missing, unexpected or of a wrong shape, or the argument that does not fit.
    """
    mask = source != 0 if mask is None else mask
    values = encode(parameters["source_embedding"][np.where(mask, source, 0)], parameters, mask)  # (B, T, 2H)
    rightward, leftward = np.split(values, 2, axis=-1)
    # A row without a token has zeros everywhere, so it does not matter which of them is taken.
    rows, first, last = np.arange(len(mask)), mask.argmax(axis=1), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    summary = np.concatenate([rightward[rows, last], leftward[rows, first]], axis=-1)  # (B, 2H)
    hidden = np.tanh(summary @ parameters["w_begin"])
    keys = values @ parameters["attention.w_keys"] if "attention.w_keys" in parameters else None  # (B, T, A)
    return Memory(keys, values, mask, summary), (hidden, np.zeros_like(hidden))


def _look(
    hidden: Float[Array, "B H"], memory: Memory, parameters: Parameters, temperature: float
) -> tuple[Float[Array, "B states"], Float[Array, "B T"] | None]:
    """Context (B, 2H) and weights (B, T) of one question, asked of keys that are already projected."""
    if memory.keys is None:
        return memory.summary, None
    query = (hidden @ parameters["attention.w_query"])[:, None, :]  # (B, 1, A)
    scores = np.tanh(query + memory.keys) @ parameters["attention.v"]  # (B, T)
    weights = masked_softmax(scores, memory.mask, temperature=temperature)
    return (weights[:, None, :] @ memory.values)[:, 0], weights


@validated(_check_step)
def step(
    token: Int[Array, " B"], state: State, memory: Memory, parameters: Parameters, *, temperature: float = 1.0
) -> tuple[Float[Array, "B V"], State, Float[Array, "B T"] | None]:
    """One token of the target: its logits, from the token before it.

    e_t = v · tanh(W_q h_{i-1} + W_k s_t);  α = softmax(e/τ);  c_i = Σ_t α_t s_t;
    h_i = LSTM([E y_{i-1}; c_i], h_{i-1});  logits_i = W_o [h_i; c_i] + b       (Bahdanau et al. 2015, 3.1 and A.1.2)

    Without attention c_i is the summary of the source at every step (Cho et al. 2014).

    Parameters
    ----------
    token : (B,) the tokens before, or the start mark
    state, memory : of `remember`, or the state of the step before
    parameters : by the names of `seq2seq_shapes`
    temperature : τ > 0 of the attention

    Returns
    -------
    logits : (B, V) of the token that comes next
    state : hidden and cell, (B, H) each, for the step after
    weights : (B, T); None without attention

    Raises
    ------
    ValueError
        Names the parameters that are missing, unexpected or of a wrong shape, or the argument that does not fit.
    """
    context, weights = _look(state[0], memory, parameters, temperature)
    decoder = LSTMWeights(*(parameters[f"decoder.{name}"] for name in LSTMWeights._fields))
    state = lstm_step(np.concatenate([parameters["target_embedding"][token], context], axis=-1), *state, decoder)
    seen = np.concatenate([state[0], context], axis=-1)
    return seen @ parameters["head.weight"] + parameters["head.bias"], state, weights


@validated(_check)
def seq2seq(
    source: Int[Array, "B T"],
    target: Int[Array, "B U"],
    parameters: Parameters,
    mask: Bool[Array, "B T"] | None = None,
    *,
    temperature: float = 1.0,
) -> tuple[Float[Array, "B U V"], Float[Array, "B U T"] | None]:
    """Logits of every target token, each from the true tokens before it (teacher forcing).

    Parameters
    ----------
    source : (B, T) tokens, whole numbers
    target : (B, U) tokens as the decoder reads them: the start mark, then all but the end mark
    parameters : by the names of `seq2seq_shapes`
    mask : (B, T) booleans, True = a real token of the source; tokens other than 0 when not given
    temperature : τ > 0 of the attention

    Returns
    -------
    logits : (B, U, V); those at step i are for the token after target[:, i]
    weights : (B, U, T), a row a step; None without attention

    Raises
    ------
    ValueError
        Names the parameters that are missing, unexpected or of a wrong shape, or the argument that does not fit.
    """
    memory, state = remember(source, parameters, mask)
    logits, weights = [], []
    for token in target.T:
        scores, state, looked = step(token, state, memory, parameters, temperature=temperature)
        logits.append(scores)
        weights += [] if looked is None else [looked]
    return np.stack(logits, axis=1), (np.stack(weights, axis=1) if weights else None)


# --- writing without a teacher ---------------------------------------------------------------------

Ask = Callable[[Array, Any], tuple[Array, Any, Array | None]]
"""(tokens (n,), state) -> logits (n, V), state, weights (n, T) or None: the model, whatever it is made of."""


@validated(_check_greedy)
def greedy(
    source: Int[Array, "B T"],
    parameters: Parameters,
    mask: Bool[Array, "B T"] | None = None,
    *,
    start: int,
    end: int,
    steps: int,
) -> tuple[Int[Array, "B steps"], Float[Array, "B steps T"] | None]:
    """Write the likeliest token at every step, until the end mark; see `attnlstm_ref.torch.greedy`."""
    memory, state = remember(source, parameters, mask)
    return write(lambda token, state: step(token, state, memory, parameters), state, len(source), start, end, steps)


@validated(_check_beam)
def beam_search(
    source: Int[Array, "B T"],
    parameters: Parameters,
    mask: Bool[Array, "B T"] | None = None,
    *,
    start: int,
    end: int,
    steps: int,
    width: int,
    length_penalty: float = 0.0,
) -> tuple[Int[Array, "B width steps"], Float[Array, "B width"]]:
    """Keep the `width` best beginnings at every step instead of one; see `attnlstm_ref.torch.beam_search`."""
    memory, state = remember(source, parameters, mask)
    wide = memory.repeated(width)

    def ask(token: Array, state: State) -> tuple[Array, State, Array | None]:
        return step(token, state, wide, parameters)

    def pick(state: State, rows: Array) -> State:
        return state[0][rows], state[1][rows]

    return search(ask, pick, state, len(source), start, end, steps, width, length_penalty)


def write(
    ask: Ask, state: Any, batch: int, start: int, end: int, steps: int
) -> tuple[Int[Array, "B steps"], Float[Array, "B steps T"] | None]:
    """`greedy` for a model of any make."""
    token, running = np.full(batch, start), np.ones(batch, dtype=bool)
    tokens, weights = [], []
    for _ in range(steps):
        if running.any():
            logits, state, looked = ask(token, state)
            token = logits[:, 1:].argmax(axis=-1) + 1  # padding is no answer
        tokens.append(np.where(running, token, 0))
        weights += [] if looked is None else [np.where(running[:, None], looked, 0.0)]
        running = running & (token != end)
    return np.stack(tokens, axis=1), (np.stack(weights, axis=1) if weights else None)


def search(
    ask: Ask,
    pick: Callable[[Any, Array], Any],
    state: Any,
    batch: int,
    start: int,
    end: int,
    steps: int,
    width: int,
    length_penalty: float,
) -> tuple[Int[Array, "B width steps"], Float[Array, "B width"]]:
    """`beam_search` for a model of any make: `ask` takes B·width tokens, `pick(state, rows)` is state[rows]."""
    state, token = pick(state, np.arange(batch).repeat(width)), np.full(batch * width, start)
    tokens = np.zeros((batch, width, steps), dtype=token.dtype)
    running, lengths = np.ones((batch, width), dtype=bool), np.zeros((batch, width), dtype=int)
    log_probs = np.full((batch, width), -np.inf)
    log_probs[:, 0] = 0.0  # all beginnings are the same: one is enough
    for now in range(steps):
        if not running.any():
            break
        logits, state, _ = ask(token, state)
        gain = _log_softmax(logits).reshape(batch, width, -1)
        gain[..., 0] = -np.inf  # padding is no answer
        gain[~running] = -np.inf
        gain[..., 0][~running] = 0.0  # what has ended goes on with padding, which costs nothing
        total, length = log_probs[..., None] + gain, lengths + running
        worth = total / ((5.0 + length[..., None]) / 6.0) ** length_penalty  # (B, width, V)
        place = np.argsort(-worth.reshape(batch, -1), axis=-1, kind="stable")[:, :width]
        parent, chosen = np.divmod(place, gain.shape[-1])  # (B, width) each
        log_probs = np.take_along_axis(total.reshape(batch, -1), place, axis=-1)
        lengths = np.take_along_axis(length, parent, axis=-1)
        tokens = np.take_along_axis(tokens, parent[..., None], axis=1)
        tokens[..., now] = chosen
        running = np.take_along_axis(running, parent, axis=-1) & (chosen != end) & (log_probs > -np.inf)
        state = pick(state, (np.arange(batch)[:, None] * width + parent).ravel())
        token = chosen.ravel()
    return np.where(np.isfinite(log_probs)[..., None], tokens, 0), log_probs


def _log_softmax(logits: Float[Array, "*batch V"]) -> Float[Array, "*batch V"]:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
