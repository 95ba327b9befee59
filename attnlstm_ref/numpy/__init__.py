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
from attnlstm_ref.numpy.forecaster import attention_forecaster, forecaster_shapes
from attnlstm_ref.numpy.lstm import LSTMWeights, bilstm, lstm, lstm_step
from attnlstm_ref.numpy.model import attention_lstm, parameter_shapes
from attnlstm_ref.numpy.multi_head import MultiHeadWeights, merge_heads, multi_head_attention, split_heads
from attnlstm_ref.numpy.rnn import RNNWeights, rnn, rnn_step
from attnlstm_ref.numpy.seq2seq import Memory, beam_search, greedy, remember, seq2seq, seq2seq_shapes, step
from attnlstm_ref.numpy.sharpness import effective_length, entropy, entropy_penalty, square_penalty

__all__ = [
    "LSTMWeights",
    "Memory",
    "MultiHeadWeights",
    "RNNWeights",
    "additive_scores",
    "attend",
    "attention_forecaster",
    "attention_lstm",
    "beam_search",
    "bilstm",
    "dot_scores",
    "effective_length",
    "entropy",
    "entropy_penalty",
    "forecaster_shapes",
    "general_scores",
    "greedy",
    "lstm",
    "lstm_step",
    "masked_softmax",
    "merge_heads",
    "multi_head_attention",
    "parameter_shapes",
    "remember",
    "rnn",
    "rnn_step",
    "scaled_dot_scores",
    "seq2seq",
    "seq2seq_shapes",
    "softmax",
    "split_heads",
    "square_penalty",
    "step",
]
