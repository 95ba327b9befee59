"""Sequence to sequence in Keras: read a source, write a target, looking back at every step."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.keras.attention import AdditiveAttention, Tensor, masked_softmax
from attnlstm_ref.keras.encoder import BiLSTMEncoder
from attnlstm_ref.keras.model import OutputsAndWeights
from attnlstm_ref.keras.pooling import MaskByPosition
from attnlstm_ref.numpy.seq2seq import search, write

State = tuple[Tensor, Tensor]  # hidden (B, H), cell (B, H)


class Memory(NamedTuple):
    """What the decoder knows of the source; made once, read at every step."""

    keys: Tensor | None  # (B, T, A) the states, already projected; None without attention
    values: Tensor  # (B, T, 2H) the states
    mask: Tensor | None  # (B, T) booleans, True = a real token; None: all are real
    summary: Tensor  # (B, 2H) the forward state of the last real token, the backward state of the first

    def repeated(self, times: int) -> Memory:
        """Each row so many times, for the sequences of a beam."""
        return Memory(*(None if part is None else ops.repeat(part, times, axis=0) for part in self))


def _check(model: Seq2Seq, inputs: Any, mask: Any = None, *, temperature: Any = 1.0, **_: Any) -> None:
    if not isinstance(inputs, (tuple, list)) or len(inputs) != 2:
        raise ValueError(f"inputs: got {type(inputs).__name__}, wanted a pair: source (B, T) and target (B, U)")
    source, target = inputs
    _checks.seq2seq(model, source, target, _one(mask), temperature=temperature)


@keras.saving.register_keras_serializable("attnlstm_ref")
class Seq2Seq(MaskByPosition, OutputsAndWeights):
    """A BiLSTM reads the source; an LSTM writes the target and asks the source anew before every token.

    q = h_{i-1};  e_t = v · tanh(W_q q + W_k s_t);  α = softmax(e/τ);  c_i = Σ_t α_t s_t
    h_i = LSTM([E y_{i-1}; c_i], h_{i-1});  logits_i = W_o [h_i; c_i] + b        (Bahdanau et al. 2015, 3.1 and A.1.2)

    Theirs are GRUs and a maxout layer before the logits; the rest is as here. W_k s_t is the same at every step of the
    decoder, so `remember` computes it once, as they advise.

    Parameters
    ----------
    source_size, target_size : tokens in the two vocabularies, 0 among them for padding
    embedding_size : E, width of the embeddings of either side
    hidden_size : H, LSTM units: of each direction of the encoder, and of the decoder
    attention : False gives every step the summary of the source for its context, a vector that never changes
        (Cho et al. 2014)
    attention_units : A; H where it is not given
    num_layers, residual : of the encoder, as in `BiLSTMEncoder`
    dropout : share set to zero, in training, of both embeddings, of each layer's states and of what the logits see

    Raises
    ------
    ValueError
        A size below 1, a dropout outside [0, 1).

    Notes
    -----
    Called as `model((source, target), mask=None, *, temperature=1.0)` on tokens (B, T) and (B, U) it returns the logits
    (B, U, V), each from the true tokens before it (teacher forcing), and the weights (B, U, T), None without attention.
    The target is what the decoder reads: the start mark, then all but the end mark. `mask` (B, T) is True at a real
    token of the source; without it tokens other than 0 are real.

    `fit` and `evaluate` score the logits alone. Keras has the loss; `ignore_class` passes over the padding:

    >>> model = Seq2Seq(source_size=60, target_size=15, embedding_size=32, hidden_size=64)
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    >>> model.compile("adam", loss, metrics=[sequence_accuracy])
    """

    def __init__(
        self,
        *,
        source_size: int,
        target_size: int,
        embedding_size: int,
        hidden_size: int,
        attention: bool = True,
        attention_units: int | None = None,
        num_layers: int = 1,
        dropout: float = 0.0,
        residual: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        units = hidden_size if attention_units is None else attention_units
        _checks.seq2seq_sizes(source_size, target_size, embedding_size, hidden_size, units)
        self.config = {
            "source_size": source_size,
            "target_size": target_size,
            "embedding_size": embedding_size,
            "hidden_size": hidden_size,
            "attention": attention,
            "attention_units": attention_units,
            "num_layers": num_layers,
            "dropout": dropout,
            "residual": residual,
        }
        self.source_size, self.target_size, self.hidden_size = source_size, target_size, hidden_size
        dtype, states = self.dtype_policy, 2 * hidden_size
        self.source_embedding = keras.layers.Embedding(
            source_size, embedding_size, dtype=dtype, name="source_embedding"
        )
        self.target_embedding = keras.layers.Embedding(
            target_size, embedding_size, dtype=dtype, name="target_embedding"
        )
        for embedding in (self.source_embedding, self.target_embedding):
            embedding.build((None, None))
        self.encoder = BiLSTMEncoder(
            embedding_size,
            hidden_size,
            num_layers=num_layers,
            dropout=dropout,
            residual=residual,
            dtype=dtype,
            name="encoder",
        )
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype)
        self.w_begin = self.add_weight(shape=(states, hidden_size), initializer="glorot_uniform", name="w_begin")
        self.attention = None
        if attention:
            self.attention = AdditiveAttention(hidden_size, states, units, dtype=dtype, name="attention")
        self.decoder = keras.layers.LSTMCell(hidden_size, dtype=dtype, name="decoder")
        self.decoder.build((None, embedding_size + states))
        self.head = keras.layers.Dense(target_size, dtype=dtype, name="head")
        self.head.build((None, hidden_size + states))
        self.built = True  # whole before it sees data: weights can be counted, read and loaded at once

    @validated(_checks.seq2seq_source)
    def remember(
        self, source: Tensor, mask: Tensor | None = None, *, training: bool | None = None
    ) -> tuple[Memory, State]:
        """Read the source (B, T): what the decoder may look at, and the state (hidden and cell, (B, H)) it begins in.

        h_0 = tanh(W_s summary), cell 0. (Bahdanau et al. 2015, A.2.2, give W_s the backward half alone. The summary
        holds both halves, so that a decoder without attention has read the source to its end too.)
        """
        mask = ops.not_equal(source, 0) if mask is None else ops.convert_to_tensor(mask)
        embedded = self.source_embedding(ops.where(mask, source, ops.zeros_like(source)))
        values = self.encoder(self.dropout(embedded, training=training), mask, training=training)  # (B, T, 2H)
        rightward, leftward = ops.split(values, 2, axis=-1)
        # A row without a token has zeros everywhere, so it does not matter which of them is taken.
        real = ops.cast(mask, "int32")
        last = ops.shape(real)[1] - 1 - ops.argmax(ops.flip(real, axis=1), axis=1)
        summary = ops.concatenate([_at(rightward, last), _at(leftward, ops.argmax(real, axis=1))], axis=-1)  # (B, 2H)
        hidden = ops.tanh(summary @ ops.cast(self.w_begin, summary.dtype))
        keys = None
        if self.attention is not None:
            keys = values @ ops.cast(self.attention.w_keys, values.dtype)  # (B, T, A)
        return Memory(keys, values, mask, summary), (hidden, ops.zeros_like(hidden))

    @validated(_checks.seq2seq_step)
    def step(
        self, token: Tensor, state: State, memory: Memory, *, temperature: float | Tensor = 1.0
    ) -> tuple[Tensor, State, Tensor | None]:
        """One token of the target, from the token (B,) before it: logits (B, V), the state after, weights (B, T)."""
        state, context, weights = self._turn(self.target_embedding(token), state, memory, temperature)
        return self.head(ops.concatenate([state[0], context], axis=-1)), state, weights

    @validated(_check)
    def call(
        self,
        inputs: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
        *,
        temperature: float | Tensor = 1.0,
        training: bool | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Logits (B, U, V) and weights (B, U, T)."""
        source, target = inputs
        memory, state = self.remember(source, _one(mask), training=training)
        embedded = self.dropout(self.target_embedding(target), training=training)  # (B, U, E)

        def turn(carried: tuple[Tensor, ...], read: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
            (hidden, cell), context, weights = self._turn(read, carried[:2], memory, temperature)
            now = (hidden, cell, context) if weights is None else (hidden, cell, context, weights)
            return now, now

        # What is collected has the shape of what is carried, so the context and the weights are carried too.
        begin: tuple[Tensor, ...] = (*state, ops.zeros_like(memory.summary))
        if self.attention is not None:
            begin = (*begin, ops.zeros_like(memory.values[..., 0]))
        _, (hidden, _cell, context, *weights) = ops.scan(turn, begin, ops.swapaxes(embedded, 0, 1))  # time first
        seen = ops.swapaxes(ops.concatenate([hidden, context], axis=-1), 0, 1)  # (B, U, 3H)
        logits = self.head(self.dropout(seen, training=training))
        return logits, (ops.swapaxes(weights[0], 0, 1) if weights else None)

    def _turn(
        self, embedded: Tensor, state: State, memory: Memory, temperature: float | Tensor
    ) -> tuple[State, Tensor, Tensor | None]:
        """Look, then let the LSTM take a step: the new state, the context (B, 2H) and the weights (B, T)."""
        context, weights = self._look(state[0], memory, temperature)
        _, (hidden, cell) = self.decoder(ops.concatenate([embedded, context], axis=-1), list(state))
        return (hidden, cell), context, weights

    def _look(self, hidden: Tensor, memory: Memory, temperature: float | Tensor) -> tuple[Tensor, Tensor | None]:
        """Context (B, 2H) and weights (B, T) of one question, asked of keys that are already projected."""
        if self.attention is None:
            return memory.summary, None
        query = ops.expand_dims(hidden @ ops.cast(self.attention.w_query, hidden.dtype), 1)  # (B, 1, A)
        v = ops.expand_dims(ops.cast(self.attention.v, hidden.dtype), -1)
        scores = ops.squeeze(ops.tanh(query + memory.keys) @ v, -1)  # (B, T)
        weights = masked_softmax(scores, memory.mask, temperature=temperature)
        return ops.squeeze(ops.expand_dims(weights, 1) @ memory.values, 1), weights


@validated(_checks.greedy)
def greedy(
    model: Seq2Seq, source: Tensor, mask: Tensor | None = None, *, start: int, end: int, steps: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Write the likeliest token at every step, until the end mark; see `attnlstm_ref.torch.greedy`.

    Returns
    -------
    tokens (B, steps) and weights (B, steps, T), NumPy arrays
    """
    memory, state = model.remember(source, mask)

    def ask(token: np.ndarray, state: State) -> tuple[np.ndarray, State, np.ndarray | None]:
        logits, state, weights = model.step(token, state, memory)
        return np.asarray(logits), state, None if weights is None else np.asarray(weights)

    return write(ask, state, len(source), start, end, steps)


@validated(_checks.beam_search)
def beam_search(
    model: Seq2Seq,
    source: Tensor,
    mask: Tensor | None = None,
    *,
    start: int,
    end: int,
    steps: int,
    width: int,
    length_penalty: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the `width` best beginnings at every step instead of one; see `attnlstm_ref.torch.beam_search`.

    Returns
    -------
    tokens (B, width, steps), best first, and log_probs (B, width), NumPy arrays
    """
    memory, state = model.remember(source, mask)
    wide = memory.repeated(width)

    def ask(token: np.ndarray, state: State) -> tuple[np.ndarray, State, None]:
        logits, state, _ = model.step(token, state, wide)
        return np.asarray(logits), state, None

    def pick(state: State, rows: np.ndarray) -> State:
        return ops.take(state[0], rows, axis=0), ops.take(state[1], rows, axis=0)

    return search(ask, pick, state, len(source), start, end, steps, width, length_penalty)


def _at(states: Tensor, step: Tensor) -> Tensor:
    """The state (B, d) at one step of each row."""
    place = ops.cast(ops.reshape(step, (-1, 1, 1)), "int32")
    return ops.squeeze(ops.take_along_axis(states, place, axis=1), 1)


def _one(mask: Any) -> Any:
    """Keras hands over a mask for each input, None as a rule: that of the source is the one that counts."""
    return mask[0] if isinstance(mask, (tuple, list)) else mask
