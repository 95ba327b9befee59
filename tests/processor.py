"""What PyTorch can and cannot do on this processor."""

from __future__ import annotations

import pytest
import torch


def runs_bfloat16_lstm() -> bool:
    """PyTorch 2.13 hands an LSTM under autocast to oneDNN, which has none for processors without AVX-512."""
    try:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            torch.nn.LSTM(2, 2)(torch.zeros(1, 1, 2))
    except RuntimeError:
        return False
    return True


needs_bfloat16_lstm = pytest.mark.skipif(
    not runs_bfloat16_lstm(), reason="this PyTorch has no bfloat16 LSTM for this processor"
)
