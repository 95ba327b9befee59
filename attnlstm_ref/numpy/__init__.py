"""The equations in NumPy, float64, and nothing else."""

from attnlstm_ref.numpy.attention import (
    additive_scores,
    attend,
    dot_scores,
    general_scores,
    masked_softmax,
    scaled_dot_scores,
    softmax,
)
from attnlstm_ref.numpy.lstm import LSTMWeights, bilstm, lstm, lstm_step
from attnlstm_ref.numpy.model import attention_lstm, parameter_shapes

__all__ = [
    "LSTMWeights",
    "additive_scores",
    "attend",
    "attention_lstm",
    "bilstm",
    "dot_scores",
    "general_scores",
    "lstm",
    "lstm_step",
    "masked_softmax",
    "parameter_shapes",
    "scaled_dot_scores",
    "softmax",
]
