"""The Attention-LSTM in Keras: embed, read both ways, pool by attention, decide."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.keras.attention import Tensor, join_masks
from attnlstm_ref.keras.encoder import BiLSTMEncoder
from attnlstm_ref.keras.pooling import AttentionPooling, MaskByPosition


def _check(model: AttentionLSTM, inputs: Any, mask: Any = None, *, temperature: Any = 1.0, **_: Any) -> None:
    _checks.tokens_or_features(inputs, mask, model.input_size, model.vocab_size)
    _checks.temperature_is_positive(temperature)


class OutputsAndWeights(keras.Model):
    """A model that returns (outputs, weights) and is compiled and trained as if it returned the outputs alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # `compile` asks for XLA wherever it can be had; an LSTM is slower with it. `jit_compile=True` still brings it.
        self.supports_jit = False
        self.config: dict[str, Any] = {}

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """The time axis of the inputs is gone from the outputs, and the padding mask with it."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The loss of the outputs; the weights have no right answer to be compared with."""
        return super().compute_loss(x, y, y_pred[0], sample_weight, training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, float]:
        """Metrics, like the loss, see the outputs alone."""
        return super().compute_metrics(x, y, y_pred[0], sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.config}


@keras.saving.register_keras_serializable("attnlstm_ref")
class AttentionLSTM(MaskByPosition, OutputsAndWeights):
    """BiLSTM → attention pooling → one linear layer, for classes (logits) and for values alike.

    Parameters
    ----------
    input_size : D, features of a step, or the width of the embedding where `vocab_size` is given
    hidden_size : H, LSTM units a direction
    outputs : width of the last layer: 1 for a yes-or-no logit or a value, K for K classes
    vocab_size : V; inputs are then whole numbers (B, T) with 0 for padding, otherwise features (B, T, D)
    score, attention_units, heads : as in `AttentionPooling`; A is H where it is not given, and h a divisor of 2H
    num_layers, residual : as in `BiLSTMEncoder`
    dropout : share set to zero, in training, of the inputs, of each layer's states and of the context

    Raises
    ------
    ValueError
        A size that is not positive, an unknown score, heads that do not fit, a dropout outside [0, 1).

    Notes
    -----
    Called as `model(inputs, mask=None, *, temperature=1.0)` it returns the outputs (B, outputs) and the weights (B, T),
    which sum to 1 over the real steps (of several heads, their mean). `mask` (B, T) is True at a real step; without it
    tokens other than 0 are real, and of features all, unless Keras brings a mask along (a `Masking` layer before this
    one).

    `fit` and `evaluate` score the outputs alone, so a model is compiled and trained as if it had nothing else to
    return; `predict` gives both.

    >>> model = AttentionLSTM(vocab_size=20000, input_size=64, hidden_size=64)
    >>> model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True),
    ...               metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)])  # a logit above 0 says yes
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _checks.at_least("outputs", outputs, 1, "outputs")
        if vocab_size is not None:
            _checks.at_least("vocab_size", vocab_size, 1, "tokens")
        _checks.at_least("hidden_size", hidden_size, 1, "units")
        _checks.pooling_heads("2 * hidden_size", 2 * hidden_size, score, heads)
        self.config = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "outputs": outputs,
            "vocab_size": vocab_size,
            "score": score,
            "attention_units": attention_units,
            "heads": heads,
            "num_layers": num_layers,
            "dropout": dropout,
            "residual": residual,
        }
        dtype = self.dtype_policy
        units = hidden_size if attention_units is None else attention_units
        self.input_size, self.vocab_size = input_size, vocab_size
        self.encoder = BiLSTMEncoder(
            input_size,
            hidden_size,
            num_layers=num_layers,
            dropout=dropout,
            residual=residual,
            dtype=dtype,
            name="encoder",
        )
        if vocab_size is not None:
            self.embedding = keras.layers.Embedding(vocab_size, input_size, dtype=dtype, name="embedding")
            self.embedding.build((None, None))
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype)
        self.pool = AttentionPooling(2 * hidden_size, score, units, heads=heads, dtype=dtype, name="pool")
        self.head = keras.layers.Dense(outputs, dtype=dtype, name="head")
        self.head.build((None, 2 * hidden_size))
        self.built = True  # whole before it sees data: weights can be counted, read and loaded at once

    @validated(_check)
    def call(
        self,
        inputs: Tensor,
        mask: Tensor | None = None,
        *,
        temperature: float | Tensor = 1.0,
        inputs_mask: Tensor | None = None,
        training: bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Outputs (B, outputs) and weights (B, T); `inputs_mask` is Keras' own mask where `mask` is given too."""
        if mask is None and self.vocab_size is not None:
            mask = ops.not_equal(inputs, 0)
        mask = join_masks(mask, inputs_mask)
        x = inputs if self.vocab_size is None else self.embedding(inputs)  # (B, T, D)
        states = self.encoder(self.dropout(x, training=training), mask, training=training)  # (B, T, 2H)
        context, weights = self.pool(states, mask, temperature=temperature)  # (B, 2H), (B, T)
        return self.head(self.dropout(context, training=training)), weights
