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
from attnlstm_ref.keras.convert import from_lstm, load_numpy, to_lstm, to_numpy
from attnlstm_ref.keras.encoder import BiLSTMEncoder
from attnlstm_ref.keras.model import AttentionLSTM
from attnlstm_ref.keras.pooling import AttentionPooling
from attnlstm_ref.keras.train import text_batches

__all__ = [
    "AdditiveAttention",
    "AttentionLSTM",
    "AttentionPooling",
    "BiLSTMEncoder",
    "DotAttention",
    "GeneralAttention",
    "additive_scores",
    "attend",
    "dot_scores",
    "from_lstm",
    "general_scores",
    "load_numpy",
    "masked_softmax",
    "scaled_dot_scores",
    "softmax",
    "text_batches",
    "to_lstm",
    "to_numpy",
]
