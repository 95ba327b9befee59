"""The book's attention, encoders and models in Keras 3 (on TensorFlow unless `KERAS_BACKEND` says otherwise)."""

import os

# Before TensorFlow loads: no log on stderr, and sums in an order that does not depend on oneDNN.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from attnlstm_ref.keras.attention import (
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    additive_scores,
    attend,
    dot_scores,
    general_scores,
    masked_softmax,
    scaled_dot_scores,
    softmax,
)
from attnlstm_ref.keras.convert import (
    from_lstm,
    from_multi_head,
    load_multi_head,
    load_numpy,
    to_lstm,
    to_multi_head,
    to_numpy,
)
from attnlstm_ref.keras.encoder import BiLSTMEncoder
from attnlstm_ref.keras.forecaster import AttentionForecaster
from attnlstm_ref.keras.model import AttentionLSTM
from attnlstm_ref.keras.multi_head import MultiHeadAttention, merge_heads, split_heads
from attnlstm_ref.keras.pooling import AttentionPooling
from attnlstm_ref.keras.seq2seq import Memory, Seq2Seq, beam_search, greedy
from attnlstm_ref.keras.sharpness import effective_length, entropy, entropy_penalty, square_penalty
from attnlstm_ref.keras.train import pair_batches, sequence_accuracy, text_batches

__all__ = [
    "AdditiveAttention",
    "AttentionForecaster",
    "AttentionLSTM",
    "AttentionPooling",
    "BiLSTMEncoder",
    "DotAttention",
    "GeneralAttention",
    "Memory",
    "MultiHeadAttention",
    "Seq2Seq",
    "additive_scores",
    "attend",
    "beam_search",
    "dot_scores",
    "effective_length",
    "entropy",
    "entropy_penalty",
    "from_lstm",
    "from_multi_head",
    "general_scores",
    "greedy",
    "load_multi_head",
    "load_numpy",
    "masked_softmax",
    "merge_heads",
    "pair_batches",
    "scaled_dot_scores",
    "sequence_accuracy",
    "softmax",
    "split_heads",
    "square_penalty",
    "text_batches",
    "to_lstm",
    "to_multi_head",
    "to_numpy",
]
