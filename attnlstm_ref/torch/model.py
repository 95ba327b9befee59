"""The Attention-LSTM in PyTorch: embed, read both ways, look at what matters, answer."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.torch.encoder import BiLSTMEncoder
from attnlstm_ref.torch.pooling import AttentionPooling


class AttentionLSTM(nn.Module):
    """BiLSTM, attention pooling, one linear layer: for classes (logits) and for values alike.

    Parameters
    ----------
    input_size : D, features of a step, or the width of the embedding where `vocab_size` is given
    hidden_size : H, LSTM units a direction
    outputs : width of the last layer: 1 for a yes-or-no logit or a value, K for K classes
    vocab_size : V; inputs are then whole numbers (B, T) with 0 for padding, otherwise features (B, T, D)
    score : "dot", "scaled_dot", "general", "additive" or "multi_head"
    attention_units : A, for additive scores; H where it is not given
    heads : h, for "multi_head", a divisor of 2H; the weights returned are then the mean of the heads'
    num_layers, residual : as in `BiLSTMEncoder`
    dropout : share set to zero, in training, of the inputs, of each layer's states and of the context

    Raises
    ------
    ValueError
        A size below 1, an unknown score, heads that do not fit, a dropout outside [0, 1).
    """

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int,
        outputs: int = 1,
        vocab_size: int | None = None,
        score: str = "additive",
        attention_units: int | None = None,
        heads: int = 1,
        num_layers: int = 1,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        _checks.at_least("input_size", input_size, 1, "features")
        _checks.at_least("hidden_size", hidden_size, 1, "units")
        _checks.at_least("outputs", outputs, 1, "outputs")
        _checks.share("dropout", dropout)
        _checks.pooling_heads("2 * hidden_size", 2 * hidden_size, score, heads)
        if vocab_size is not None:
            _checks.at_least("vocab_size", vocab_size, 1, "tokens")
        self.input_size, self.vocab_size = input_size, vocab_size
        units = hidden_size if attention_units is None else attention_units
        self.embedding = None if vocab_size is None else nn.Embedding(vocab_size, input_size, padding_idx=0)
        self.dropout = nn.Dropout(dropout)
        self.encoder = BiLSTMEncoder(input_size, hidden_size, num_layers=num_layers, dropout=dropout, residual=residual)
        self.pool = AttentionPooling(2 * hidden_size, score=score, units=units, heads=heads)
        self.head = nn.Linear(2 * hidden_size, outputs)

    @validated(_checks.model)
    def forward(
        self,
        inputs: Shaped[Tensor, "B T *D"],
        mask: Bool[Tensor, "B T"] | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> tuple[Float[Tensor, "B outputs"], Float[Tensor, "B T"]]:
        """Outputs and the attention behind them.

        Parameters
        ----------
        inputs : tokens (B, T) with a vocabulary, else features (B, T, D); padded on the right
        mask : (B, T) booleans, True = a real token; tokens other than 0, or every step, when not given
        temperature : τ > 0 of the attention

        Returns
        -------
        outputs : (B, outputs) logits of a classifier, values of a regression: the head is the same linear layer
        weights : (B, T) attention weights; they sum to 1 over the real tokens

        Raises
        ------
        ValueError
            Inputs of a wrong shape or kind, tokens outside the vocabulary, a mask that is not boolean, does not
            fit or has padding before a real token, a temperature that is not positive.
        """
        if self.embedding is not None:
            mask = inputs != 0 if mask is None else mask
            inputs = self.embedding(_known(inputs.masked_fill(~mask, 0), self.embedding.num_embeddings))  # (B, T, D)
        states = self.encoder(self.dropout(inputs), mask)  # (B, T, 2H)
        context, weights = self.pool(states, mask, temperature=temperature)  # (B, 2H), (B, T)
        return self.head(self.dropout(context)), weights


def _known(tokens: Tensor, vocab_size: int, name: str = "inputs") -> Tensor:
    """The tokens, all in the vocabulary; PyTorch's own complaint names neither the token nor the limit."""
    low, high = torch.aminmax(tokens)
    _checks.tokens_known(int(low), int(high), vocab_size, name)
    return tokens
