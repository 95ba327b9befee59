"""The bidirectional LSTM in Keras, exact under padding."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated
from attnlstm_ref.keras.attention import Tensor, hide, join_masks
from attnlstm_ref.keras.pooling import MaskByPosition


def _check(layer: BiLSTMEncoder, inputs: Any, mask: Any = None, **_: Any) -> None:
    batch, steps, _size = _checks.sequence("inputs", inputs, layer.input_size, "(B, T, D)")
    _checks.padding_mask(mask, batch, steps)


@keras.saving.register_keras_serializable("attnlstm_ref")
class BiLSTMEncoder(MaskByPosition, keras.layers.Layer):
    """Layers of `Bidirectional(LSTM)`: states (B, T, 2H), 0 at padding, which never changes a real step.

    Each layer is y = dropout(BiLSTM(x)); with `residual`, y = LayerNorm(skip(x) + y), where skip is a matrix without
    bias if x and y differ in width and nothing otherwise (He et al. 2016, eq. 1 and 2; Ba et al. 2016).

    Parameters
    ----------
    input_size : D
    hidden_size : H, units a direction
    num_layers : BiLSTMs on top of each other
    dropout : share of the outputs of each layer set to zero in training
    residual : add each layer's input to its output and normalise

    Raises
    ------
    ValueError
        A size that is not positive, a dropout outside [0, 1).

    Notes
    -----
    Called as `encoder(inputs, mask=None)` on inputs (B, T, D) and a mask (B, T), True = a real step. Keras' own
    padding mask arrives by itself and goes on to the next layer. Masked steps are passed over, wherever they are:
    padding on the left, on the right or in between gives the states of the sequence without it.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        dropout: float = 0.0,
        residual: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _checks.at_least("input_size", input_size, 1, "features")
        _checks.at_least("hidden_size", hidden_size, 1, "units")
        _checks.at_least("num_layers", num_layers, 1, "layers")
        _checks.share("dropout", dropout)
        self.config = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "num_layers": num_layers,
            "dropout": dropout,
            "residual": residual,
        }
        self.input_size, self.residual = input_size, residual
        self.supports_masking = True  # the mask of the inputs is the mask of the states
        dtype = self.dtype_policy
        self.bilstms: list[keras.layers.Bidirectional] = []
        self.skips: list[keras.layers.Layer] = []
        self.norms: list[keras.layers.LayerNormalization] = []
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype)
        width, both = input_size, 2 * hidden_size
        for depth in range(num_layers):
            # cuDNN's kernel refuses left padding and empty rows; without it every device does the same.
            lstm = keras.layers.LSTM(hidden_size, return_sequences=True, use_cudnn=False, dtype=dtype, name="lstm")
            bilstm = keras.layers.Bidirectional(lstm, dtype=dtype, name=f"bilstm_{depth}")
            self.bilstms.append(_built(bilstm, width))
            if residual:
                wider = keras.layers.Dense(both, use_bias=False, dtype=dtype, name=f"skip_{depth}")
                norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype, name=f"norm_{depth}")
                self.skips.append(keras.layers.Identity(dtype=dtype) if width == both else _built(wider, width))
                self.norms.append(_built(norm, both))
            width = both
        self.built = True

    @validated(_check)
    def call(
        self,
        inputs: Tensor,
        mask: Tensor | None = None,
        *,
        inputs_mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Tensor:
        """States (B, T, 2H) in the order of the inputs."""
        mask = join_masks(mask, inputs_mask)
        real = None if mask is None else ops.expand_dims(mask, -2)  # (B, 1, T)
        x = hide(inputs, real)
        for depth, bilstm in enumerate(self.bilstms):
            y = self.dropout(bilstm(x, mask=mask, training=training), training=training)
            x = hide(self.norms[depth](self.skips[depth](x) + y), real) if self.residual else y
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.config}


def _built(layer: keras.layers.Layer, width: int) -> Any:
    """The layer with its parameters made now, so that a model is whole before it sees data."""
    layer.build((None, None, width))
    return layer
