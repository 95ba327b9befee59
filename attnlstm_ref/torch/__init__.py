"""The book's attention, encoder, model and training loop in PyTorch."""

from attnlstm_ref.torch.attention import (
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
from attnlstm_ref.torch.convert import from_lstm, load_numpy, to_lstm, to_numpy
from attnlstm_ref.torch.encoder import BiLSTMEncoder
from attnlstm_ref.torch.model import AttentionLSTM
from attnlstm_ref.torch.pooling import AttentionPooling
from attnlstm_ref.torch.train import CheckpointError, History, accuracy, evaluate, fit, predict, text_batches

__all__ = [
    "AdditiveAttention",
    "AttentionLSTM",
    "AttentionPooling",
    "BiLSTMEncoder",
    "CheckpointError",
    "DotAttention",
    "GeneralAttention",
    "History",
    "accuracy",
    "additive_scores",
    "attend",
    "dot_scores",
    "evaluate",
    "fit",
    "from_lstm",
    "general_scores",
    "load_numpy",
    "masked_softmax",
    "predict",
    "scaled_dot_scores",
    "softmax",
    "text_batches",
    "to_lstm",
    "to_numpy",
]
