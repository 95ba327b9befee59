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
from attnlstm_ref.torch.convert import (
    from_lstm,
    from_multi_head,
    load_multi_head,
    load_numpy,
    to_lstm,
    to_multi_head,
    to_numpy,
)
from attnlstm_ref.torch.encoder import BiLSTMEncoder
from attnlstm_ref.torch.forecaster import AttentionForecaster
from attnlstm_ref.torch.model import AttentionLSTM
from attnlstm_ref.torch.multi_head import MultiHeadAttention, merge_heads, split_heads
from attnlstm_ref.torch.pooling import AttentionPooling
from attnlstm_ref.torch.seq2seq import Memory, Seq2Seq, beam_search, greedy
from attnlstm_ref.torch.sharpness import effective_length, entropy, entropy_penalty, square_penalty
from attnlstm_ref.torch.train import (
    CheckpointError,
    History,
    accuracy,
    evaluate,
    fit,
    pair_batches,
    predict,
    sequence_accuracy,
    sequence_loss,
    text_batches,
)

__all__ = [
    "AdditiveAttention",
    "AttentionForecaster",
    "AttentionLSTM",
    "AttentionPooling",
    "BiLSTMEncoder",
    "CheckpointError",
    "DotAttention",
    "GeneralAttention",
    "History",
    "Memory",
    "MultiHeadAttention",
    "Seq2Seq",
    "accuracy",
    "additive_scores",
    "attend",
    "beam_search",
    "dot_scores",
    "effective_length",
    "entropy",
    "entropy_penalty",
    "evaluate",
    "fit",
    "from_lstm",
    "from_multi_head",
    "general_scores",
    "greedy",
    "load_multi_head",
    "load_numpy",
    "masked_softmax",
    "merge_heads",
    "pair_batches",
    "predict",
    "scaled_dot_scores",
    "sequence_accuracy",
    "sequence_loss",
    "softmax",
    "split_heads",
    "square_penalty",
    "text_batches",
    "to_lstm",
    "to_multi_head",
    "to_numpy",
]
