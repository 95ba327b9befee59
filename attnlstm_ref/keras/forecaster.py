"""An Attention-LSTM that looks ahead, in Keras: every step of the forecast asks the past its own question."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.keras.attention import AdditiveAttention, DotAttention, GeneralAttention, Tensor, join_masks
from attnlstm_ref.keras.encoder import BiLSTMEncoder
from attnlstm_ref.keras.model import OutputsAndWeights
from attnlstm_ref.keras.multi_head import MultiHeadAttention


def _check(model: AttentionForecaster, inputs: Any, future: Any = None, mask: Any = None, **options: Any) -> None:
    _checks.forecaster(model, inputs, future, mask, temperature=options.get("temperature", 1.0))


@keras.saving.register_keras_serializable("attnlstm_ref")
class AttentionForecaster(OutputsAndWeights):
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
    heads : h, for "multi_head", a divisor of 2H
    num_layers, residual : as in `BiLSTMEncoder`
    dropout : share set to zero, in training, of the inputs, of each layer's states and of the contexts

    Raises
    ------
    ValueError
        A size or a horizon below 1, a future_size below 0, an unknown score, heads that do not fit, a dropout outside
        [0, 1).

    Notes
    -----
    Called as `model(inputs, future=None, mask=None, *, temperature=1.0)` on the past (B, T, D), what is known of the
    steps ahead (B, horizon, F), None where F = 0, and a mask (B, T), True = a real step of the past, it returns the
    outputs (B, horizon, outputs) and the weights (B, horizon, T), which sum to 1 over the real past (of several heads,
    their mean; each head's own are what the layer `attend` returns). Keras' own mask of the past is joined to `mask`.

    `fit`, `evaluate` and `predict` take a pair [inputs, future] as x, and so does a call. Loss and metrics see the
    outputs alone; `predict` gives both.

    >>> model = AttentionForecaster(input_size=12, hidden_size=32, horizon=24, future_size=4)
    >>> model.compile("adam", "mae")
    >>> model.fit([inputs, future], targets)  # targets (B, 24, 1)
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        units = hidden_size if attention_units is None else attention_units
        _checks.forecaster_sizes(input_size, hidden_size, horizon, future_size, outputs, score, units, heads)
        self.config = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "horizon": horizon,
            "future_size": future_size,
            "outputs": outputs,
            "score": score,
            "attention_units": attention_units,
            "heads": heads,
            "num_layers": num_layers,
            "dropout": dropout,
            "residual": residual,
        }
        self.input_size, self.horizon, self.future_size, self.score = input_size, horizon, future_size, score
        states, dtype = 2 * hidden_size, self.dtype_policy
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype)
        self.encoder = BiLSTMEncoder(
            input_size,
            hidden_size,
            num_layers=num_layers,
            dropout=dropout,
            residual=residual,
            dtype=dtype,
            name="encoder",
        )
        spread = keras.initializers.RandomNormal(stddev=states**-0.5)  # questions of length about 1
        self.step = self.add_weight(shape=(horizon, states), initializer=spread, name="step")
        if future_size:
            self.w_future = self.add_weight(shape=(future_size, states), initializer="glorot_uniform", name="w_future")
        self.attend = _attention(score, states, units, heads, dtype=dtype, name="attend")
        self.head = keras.layers.Dense(outputs, dtype=dtype, name="head")
        self.head.build((None, None, 2 * states))
        self.built = True  # whole before it sees data: weights can be counted, read and loaded at once

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Lets a pair stand for inputs and future, as `fit` hands them over, and a None by position for no argument."""
        if isinstance(inputs, (list, tuple)):
            if len(inputs) != 2:
                raise ValueError(
                    f"inputs: got {len(inputs)} arrays, wanted a pair, inputs (B, T, D) and future (B, horizon, F)"
                )
            inputs, args = inputs[0], (inputs[1], *args)
        named = dict(zip(("future", "mask"), args, strict=False))
        return super().__call__(inputs, *args[2:], **named, **kwargs)

    @validated(_check)
    def call(
        self,
        inputs: Tensor,
        future: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        temperature: float | Tensor = 1.0,
        inputs_mask: Tensor | None = None,
        training: bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Outputs (B, horizon, outputs), weights (B, horizon, T); `inputs_mask` is Keras' own mask of the past."""
        mask = join_masks(mask, inputs_mask)
        states = self.encoder(self.dropout(inputs, training=training), mask, training=training)  # (B, T, 2H)
        query = ops.expand_dims(self.step, 0)  # (1, horizon, 2H): the same for every row
        if future is not None:
            query = query + future @ self.w_future  # (B, horizon, 2H)
        allowed = None if mask is None else ops.expand_dims(mask, -2)  # (B, 1, T)
        context, weights = self.attend(query, states, states, allowed, temperature=temperature)
        weights = ops.mean(weights, axis=-3) if self.score == "multi_head" else weights  # (B, h, …) -> (B, horizon, T)
        asked = query + ops.zeros_like(context)  # (B, horizon, 2H) where one row was enough until here
        told = ops.concatenate([self.dropout(context, training=training), asked], axis=-1)  # (B, horizon, 4H)
        return self.head(told), weights


def _attention(score: str, size: int, units: int, heads: int, **options: Any) -> keras.layers.Layer:
    """The layer for a score between queries and states that are both `size` wide."""
    if score == "general":
        return GeneralAttention(size, size, **options)
    if score == "additive":
        return AdditiveAttention(size, size, units, **options)
    if score == "multi_head":
        # No biases: the learned step moves each query already, and the head has one for what comes out.
        return MultiHeadAttention(size, heads, bias=False, **options)
    return DotAttention(scaled=score == "scaled_dot", **options)
