"""An Attention-LSTM that looks ahead, in PyTorch: every step of the forecast asks the past its own question."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.torch.attention import AdditiveAttention, DotAttention, GeneralAttention
from attnlstm_ref.torch.encoder import BiLSTMEncoder
from attnlstm_ref.torch.multi_head import MultiHeadAttention


class AttentionForecaster(nn.Module):
    """BiLSTM over the past; each step ahead asks it a question of its own.

    q_j = s_j + W_f f_j,  c_j = Σ_t α_jt h_t with α_j = softmax(score(q_j, h)/τ),  ŷ_j = W_o [c_j; q_j] + b

    The question has a learned part, s_j, and one from what is known of the step beforehand, f_j (the hour, the day
    of the week, a forecast of the weather). All steps are answered side by side: none reads the answer to another, so
    none hands on its error (what Ben Taieb et al. 2012 call the MIMO strategy). The look-up is that of Bahdanau et al.
    2015, eq. 5 and 6, with q_j in the place of the decoder's state.

    Parameters
    ----------
    input_size : D, features of a past step
    hidden_size : H, LSTM units a direction
    horizon : steps ahead
    future_size : F, features known of each step ahead; 0 for none
    outputs : values to forecast at each step ahead
    score : "dot", "scaled_dot", "general", "additive" or "multi_head"
    attention_units : A, for additive scores; H where it is not given
    heads : h, for "multi_head", a divisor of 2H; the weights returned are then the mean of the heads'
    num_layers, residual : as in `BiLSTMEncoder`
    dropout : share set to zero, in training, of the inputs, of each layer's states and of the contexts

    Raises
    ------
    ValueError
        A size or a horizon below 1, a future_size below 0, an unknown score, heads that do not fit, a dropout outside
        [0, 1).
    """

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int,
        horizon: int,
        future_size: int = 0,
        outputs: int = 1,
        score: str = "additive",
        attention_units: int | None = None,
        heads: int = 1,
        num_layers: int = 1,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        units = hidden_size if attention_units is None else attention_units
        _checks.forecaster_sizes(input_size, hidden_size, horizon, future_size, outputs, score, units, heads)
        _checks.share("dropout", dropout)
        self.input_size, self.horizon, self.future_size, self.score = input_size, horizon, future_size, score
        states = 2 * hidden_size
        self.dropout = nn.Dropout(dropout)
        self.encoder = BiLSTMEncoder(input_size, hidden_size, num_layers=num_layers, dropout=dropout, residual=residual)
        self.step = nn.Parameter(torch.randn(horizon, states) * states**-0.5)  # questions of length about 1
        if future_size:
            self.w_future = nn.Parameter(nn.init.xavier_uniform_(torch.empty(future_size, states)))
        self.attend = _attention(score, states, units, heads)
        self.head = nn.Linear(2 * states, outputs)

    @validated(_checks.forecaster)
    def forward(
        self,
        inputs: Float[Tensor, "B T D"],
        future: Float[Tensor, "B horizon F"] | None = None,
        mask: Bool[Tensor, "B T"] | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> tuple[Float[Tensor, "B horizon outputs"], Float[Tensor, "B horizon T"]]:
        """Forecasts, and where in the past each of them looked.

        Parameters
        ----------
        inputs : (B, T, D) the past, padded on the right
        future : (B, horizon, F) what is known of each step ahead; None where F = 0
        mask : (B, T) booleans, True = a real step of the past; every step when not given
        temperature : τ > 0 of the attention

        Returns
        -------
        outputs : (B, horizon, outputs)
        weights : (B, horizon, T) attention weights; each step's sum to 1 over the real past; of several heads their
            mean. Each head's own, (B, h, horizon, T), are what the layer `attend` returns.

        Raises
        ------
        ValueError
            Inputs or future of a wrong shape or kind, a future that is missing or has no place, a mask that is not
            boolean, does not fit or has padding before a real step, a temperature that is not positive.
        """
        states = self.encoder(self.dropout(inputs), mask)  # (B, T, 2H), 0 at the padding
        query = self.step if future is None else self.step + future @ self.w_future  # (B, horizon, 2H)
        allowed = None if mask is None else mask.unsqueeze(-2)  # (B, 1, T)
        context, weights = self.attend(query, states, states, allowed, temperature=temperature)
        weights = weights.mean(dim=-3) if self.score == "multi_head" else weights  # (B, h, horizon, T) -> (B, …)
        told = torch.cat([self.dropout(context), query.expand_as(context)], dim=-1)  # (B, horizon, 4H)
        return self.head(told), weights


def _attention(score: str, size: int, units: int, heads: int) -> nn.Module:
    """The layer for a score between queries and states that are both `size` wide."""
    if score == "general":
        return GeneralAttention(size, size)
    if score == "additive":
        return AdditiveAttention(size, size, units)
    if score == "multi_head":
        # No biases: the learned step moves each query already, and the head has one for what comes out.
        return MultiHeadAttention(size, heads, bias=False)
    return DotAttention(scaled=score == "scaled_dot")
