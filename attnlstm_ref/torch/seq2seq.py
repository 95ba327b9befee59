"""Sequence to sequence in PyTorch: read a source, write a target, looking back at every step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.torch.attention import AdditiveAttention, masked_softmax
from attnlstm_ref.torch.encoder import BiLSTMEncoder
from attnlstm_ref.torch.model import _known
from attnlstm_ref.torch.train import _evaluating

State = tuple[Tensor, Tensor]  # hidden (B, H), cell (B, H)


class Memory(NamedTuple):
    """What the decoder knows of the source; made once, read at every step."""

    keys: Tensor | None  # (B, T, A) the states, already projected; None without attention
    values: Tensor  # (B, T, 2H) the states
    mask: Tensor | None  # (B, T) booleans, True = a real token; None: all are real
    summary: Tensor  # (B, 2H) the forward state of the last real token, the backward state of the first

    def repeated(self, times: int) -> Memory:
        """Each row so many times, for the sequences of a beam."""
        keys, mask = (None if part is None else part.repeat_interleave(times, 0) for part in (self.keys, self.mask))
        return Memory(keys, self.values.repeat_interleave(times, 0), mask, self.summary.repeat_interleave(times, 0))


class Seq2Seq(nn.Module):
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
    ) -> None:
        super().__init__()
        units = hidden_size if attention_units is None else attention_units
        _checks.seq2seq_sizes(source_size, target_size, embedding_size, hidden_size, units)
        _checks.share("dropout", dropout)
        states = 2 * hidden_size
        self.source_size, self.target_size = source_size, target_size
        self.embedding_size, self.hidden_size = embedding_size, hidden_size
        self.source_embedding = nn.Embedding(source_size, embedding_size, padding_idx=0)
        self.target_embedding = nn.Embedding(target_size, embedding_size, padding_idx=0)
        self.dropout = nn.Dropout(dropout)
        self.encoder = BiLSTMEncoder(
            embedding_size, hidden_size, num_layers=num_layers, dropout=dropout, residual=residual
        )
        self.w_begin = nn.Parameter(nn.init.xavier_uniform_(torch.empty(states, hidden_size)))
        self.attention = AdditiveAttention(hidden_size, states, units) if attention else None
        self.decoder = nn.LSTMCell(embedding_size + states, hidden_size)
        self.head = nn.Linear(hidden_size + states, target_size)

    @validated(_checks.seq2seq_source)
    def remember(self, source: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"] | None = None) -> tuple[Memory, State]:
        """Read the source: what the decoder may look at, and the state it begins in.

        h_0 = tanh(W_s summary), cell 0. (Bahdanau et al. 2015, A.2.2, give W_s the backward half alone. The summary
        holds both halves, so that a decoder without attention has read the source to its end too.)

        Parameters
        ----------
        source : (B, T) tokens, padded on the right
        mask : (B, T) booleans, True = a real token; tokens other than 0 when not given

        Returns
        -------
        memory : `Memory`
        state : hidden and cell, (B, H) each

        Raises
        ------
        ValueError
            A source of another shape or kind or with tokens outside the vocabulary, a mask that is not boolean, does
            not fit or has padding before a real token.
        """
        mask = source != 0 if mask is None else mask
        embedded = self.source_embedding(_known(source.masked_fill(~mask, 0), self.source_size, "source"))
        values = self.encoder(self.dropout(embedded), mask)  # (B, T, 2H)
        rightward, leftward = values.chunk(2, dim=-1)
        last = (mask.sum(dim=1) - 1).clamp(min=0)  # a row without a token has zeros everywhere, so any will do
        rows = torch.arange(len(values), device=values.device)
        summary = torch.cat([rightward[rows, last], leftward[:, 0]], dim=-1)  # (B, 2H)
        hidden = torch.tanh(summary @ self.w_begin)
        keys = None if self.attention is None else values @ self.attention.w_keys  # (B, T, A)
        return Memory(keys, values, mask, summary), (hidden, torch.zeros_like(hidden))

    @validated(_checks.seq2seq_step)
    def step(
        self, token: Int[Tensor, " B"], state: State, memory: Memory, *, temperature: float | Tensor = 1.0
    ) -> tuple[Float[Tensor, "B V"], State, Float[Tensor, "B T"] | None]:
        """One token of the target: its logits, from the token before it.

        Parameters
        ----------
        token : (B,) the tokens before, or the start mark
        state, memory : of `remember`, or the state of the step before
        temperature : τ > 0 of the attention

        Returns
        -------
        logits : (B, V) of the token that comes next
        state : hidden and cell, (B, H) each, for the step after
        weights : (B, T); None without attention

        Raises
        ------
        ValueError
            Tokens outside the vocabulary, arguments that do not fit each other, a temperature that is not positive.
        """
        read, w_context = self._read(token, "token")
        state, context, weights = self._turn(read, state, memory, w_context, temperature)
        return self.head(self.dropout(torch.cat([state[0], context], dim=-1))), state, weights

    @validated(_checks.seq2seq)
    def forward(
        self,
        source: Int[Tensor, "B T"],
        target: Int[Tensor, "B U"],
        mask: Bool[Tensor, "B T"] | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> tuple[Float[Tensor, "B U V"], Float[Tensor, "B U T"] | None]:
        """Logits of every target token, each from the true tokens before it (teacher forcing).

        Parameters
        ----------
        source : (B, T) tokens, padded on the right
        target : (B, U) tokens as the decoder reads them: the start mark, then all but the end mark; padded on the right
        mask : (B, T) booleans, True = a real token of the source; tokens other than 0 when not given
        temperature : τ > 0 of the attention

        Returns
        -------
        logits : (B, U, V); those at step i are for the token after target[:, i]
        weights : (B, U, T), a row a step; None without attention. They sum to 1 over the real tokens of the source

        Raises
        ------
        ValueError
            As `remember` and `step`.
        """
        memory, state = self.remember(source, mask)
        read, w_context = self._read(target.T, "target")  # time first: each step is then one block of memory
        seen, weights = [], []
        for one in read:
            state, context, looked = self._turn(one, state, memory, w_context, temperature)
            seen.append(torch.cat([state[0], context], dim=-1))
            weights += [] if looked is None else [looked]
        logits = self.head(self.dropout(torch.stack(seen, dim=1)))
        return logits, (torch.stack(weights, dim=1) if weights else None)

    def _read(self, tokens: Tensor, name: str) -> tuple[Tensor, Tensor]:
        """What the tokens (…) add to the gates, (…, 4H), and the part of the LSTM's matrix that the context meets.

        The first needs no state, so all steps of a target go through it in one product.
        """
        w_token, w_context = self.decoder.weight_ih.split([self.embedding_size, 2 * self.hidden_size], dim=1)
        embedded = self.dropout(self.target_embedding(_known(tokens, self.target_size, name)))
        return nn.functional.linear(embedded, w_token, self.decoder.bias_ih + self.decoder.bias_hh), w_context

    def _turn(
        self, read: Tensor, state: State, memory: Memory, w_context: Tensor, temperature: float | Tensor
    ) -> tuple[State, Tensor, Tensor | None]:
        """Look, then let the LSTM take a step: the new state, the context (B, 2H) and the weights (B, T)."""
        hidden, cell = state
        context, weights = self._look(hidden, memory, temperature)
        gates = read + context @ w_context.T + hidden @ self.decoder.weight_hh.T  # (B, 4H)
        i, f, g, o = gates.chunk(4, dim=-1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        return (torch.sigmoid(o) * torch.tanh(cell), cell), context, weights

    def _look(self, hidden: Tensor, memory: Memory, temperature: float | Tensor) -> tuple[Tensor, Tensor | None]:
        """Context (B, 2H) and weights (B, T) of one question."""
        if self.attention is None or memory.keys is None:
            return memory.summary, None
        query = (hidden @ self.attention.w_query).unsqueeze(1)  # (B, 1, A)
        scores = torch.tanh(query + memory.keys) @ self.attention.v  # (B, T)
        weights = masked_softmax(scores, memory.mask, temperature=temperature)
        return (weights.unsqueeze(1) @ memory.values).squeeze(1), weights


@torch.no_grad()
@validated(_checks.greedy)
def greedy(
    model: Seq2Seq,
    source: Int[Tensor, "B T"],
    mask: Bool[Tensor, "B T"] | None = None,
    *,
    start: int,
    end: int,
    steps: int,
) -> tuple[Int[Tensor, "B steps"], Float[Tensor, "B steps T"] | None]:
    """Write the likeliest token at every step, until the end mark. Without dropout.

    Padding is no answer: the token 0 is never chosen, however likely the model holds it.

    Parameters
    ----------
    source, mask : as `Seq2Seq.remember` takes them
    start, end : the marks
    steps : tokens at most, the end mark among them

    Returns
    -------
    tokens : (B, steps), the end mark among them and 0 after it
    weights : (B, steps, T), 0 after the end mark; None without attention

    Raises
    ------
    ValueError
        A mark outside the target's vocabulary or 0, steps below 1, a source as `Seq2Seq.remember` refuses.
    """
    with _evaluating(model):
        memory, state = model.remember(source, mask)
        token = torch.full_like(source[:, 0], start)
        running = torch.ones_like(token, dtype=torch.bool)
        tokens = token.new_zeros(len(source), steps)
        weights = memory.values.new_zeros(len(source), steps, source.shape[1])
        for place in range(steps):
            logits, state, looked = model.step(token, state, memory)
            token = logits[:, 1:].argmax(dim=-1).to(token.dtype) + 1
            tokens[:, place] = token.where(running, 0)
            if looked is not None:
                weights[:, place] = looked.masked_fill(~running.unsqueeze(1), 0.0)
            running = running & (token != end)
            if not running.any():
                break
    return tokens, (None if model.attention is None else weights)


@torch.no_grad()
@validated(_checks.beam_search)
def beam_search(
    model: Seq2Seq,
    source: Int[Tensor, "B T"],
    mask: Bool[Tensor, "B T"] | None = None,
    *,
    start: int,
    end: int,
    steps: int,
    width: int,
    length_penalty: float = 0.0,
) -> tuple[Int[Tensor, "B width steps"], Float[Tensor, "B width"]]:
    """Keep the `width` best beginnings at every step instead of one. Without dropout.

    A sequence that has met its end mark stays in the beam and competes with those still running. Width 1 is `greedy`;
    a width that holds all sequences finds the best of all; in between, a wider beam usually finds likelier sequences,
    but it need not. As in `greedy`, the token 0 is never chosen.

    Parameters
    ----------
    source, mask, start, end, steps : as in `greedy`
    width : sequences kept
    length_penalty : α, 0 or more. Sequences are ordered by log P / ((5 + length) / 6)^α, so that long ones are not
        at a disadvantage for each being a product of more probabilities (Wu et al. 2016, eq. 14)

    Returns
    -------
    tokens : (B, width, steps), best first
    log_probs : (B, width) of those tokens, the end mark's included, without the penalty; -inf (and zeros for
        tokens) where there are fewer sequences than `width`

    Raises
    ------
    ValueError
        As `greedy`; a width below 1, a length penalty below 0.
    """
    with _evaluating(model):
        memory, state = model.remember(source, mask)
        memory = memory.repeated(width)
        state = _pick(state, torch.arange(len(source), device=source.device).repeat_interleave(width))
        token = torch.full_like(memory.values[:, 0, 0], start, dtype=source.dtype)
        tokens = token.new_zeros(len(source), width, 0)
        running = torch.ones_like(tokens[:, :, :1].sum(-1), dtype=torch.bool)  # (B, width)
        lengths = torch.zeros_like(running, dtype=torch.long)
        log_probs = memory.values.new_full((len(source), width), -torch.inf)
        log_probs[:, 0] = 0.0  # all beginnings are the same: one is enough
        first = torch.arange(len(source), device=source.device).unsqueeze(1) * width  # of each row's beam
        for _ in range(steps):
            logits, state, _ = model.step(token, state, memory)
            gain = torch.log_softmax(logits, dim=-1).unflatten(0, (-1, width))  # (B, width, V)
            gain[:, :, 0] = -torch.inf
            gain[~running] = -torch.inf
            gain[:, :, 0].masked_fill_(~running, 0.0)  # what has ended goes on with padding, which costs nothing
            total = log_probs.unsqueeze(-1) + gain
            length = lengths + running
            worth = total / ((5.0 + length.unsqueeze(-1)) / 6.0) ** length_penalty
            place = worth.flatten(1).topk(width, dim=-1).indices  # (B, width)
            parent, token = place // gain.shape[-1], (place % gain.shape[-1]).to(tokens.dtype)
            log_probs = total.flatten(1).gather(1, place)
            lengths = length.gather(1, parent)
            tokens = torch.cat([tokens.take_along_dim(parent.unsqueeze(-1), 1), token.unsqueeze(-1)], dim=-1)
            running = running.gather(1, parent) & (token != end) & (log_probs > -torch.inf)
            state, token = _pick(state, (first + parent).flatten()), token.flatten()
            if not running.any():
                break
        tokens = nn.functional.pad(tokens, (0, steps - tokens.shape[-1]))
    return tokens.masked_fill((log_probs == -torch.inf).unsqueeze(-1), 0), log_probs


def _pick(state: State, rows: Tensor) -> State:
    return state[0][rows], state[1][rows]
