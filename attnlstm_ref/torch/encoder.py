"""A stack of BiLSTMs that padding cannot touch."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from attnlstm_ref import _checks
from attnlstm_ref._checks import validated


class BiLSTMLayer(nn.Module):
    """One BiLSTM with its dropout and, if residual, a skip round both and a layer norm after.

    y = dropout(BiLSTM(x)); residual: y = LayerNorm(skip(x) + y), skip a matrix only where the widths differ.
    """

    def __init__(self, input_size: int, hidden_size: int, dropout: float, residual: bool) -> None:
        super().__init__()
        self.rightward = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.leftward = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        same_width = input_size == 2 * hidden_size
        self.skip = nn.Linear(input_size, 2 * hidden_size, bias=False) if residual and not same_width else None
        self.norm = nn.LayerNorm(2 * hidden_size) if residual else None

    def forward(self, x: Tensor, mask: Tensor, turned: Tensor) -> Tensor:
        right, _ = self.rightward(x)  # padding stands on the right: it comes after all that is real
        left, _ = self.leftward(turn(x, turned))  # and does so here too
        y = self.dropout(torch.cat([right, turn(left, turned)], dim=-1))
        if self.norm is not None:
            y = self.norm((x if self.skip is None else self.skip(x)) + y)
        return y.masked_fill(~mask.unsqueeze(-1), 0.0)


class BiLSTMEncoder(nn.Module):
    """Read sequences of unequal length both ways; each state is what it would be if its sequence stood alone.

    An LSTM that reads right to left over padding starts on the padding and arrives at the last real token
    with a state that depends on it. So each row is turned round within its own length before it is read
    backwards: then the padding comes last in both directions. PyTorch's packed sequences give the same
    states and take longer on a CPU, the more so the longer the rows (`python -m bench --only torch_bilstm`).
    (Graves & Schmidhuber 2005 for the BiLSTM; He et al. 2016 for the skip; Ba et
    al. 2016 for the norm.)

    Parameters
    ----------
    input_size : D
    hidden_size : H, units a direction
    num_layers : BiLSTMs on top of each other
    dropout : share of each layer's states set to zero in training
    residual : add each layer's input to its output and normalise

    Raises
    ------
    ValueError
        A size below 1, a dropout outside [0, 1).
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, num_layers: int = 1, dropout: float = 0.0, residual: bool = False
    ) -> None:
        super().__init__()
        _checks.at_least("input_size", input_size, 1, "features")
        _checks.at_least("hidden_size", hidden_size, 1, "units")
        _checks.at_least("num_layers", num_layers, 1, "layers")
        _checks.share("dropout", dropout)
        self.input_size = input_size
        widths = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.layers = nn.ModuleList(BiLSTMLayer(width, hidden_size, dropout, residual) for width in widths)

    @validated(_checks.encoder)
    def forward(
        self, inputs: Float[Tensor, "B T D"], mask: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T states"]:
        """States of every step.

        Parameters
        ----------
        inputs : (B, T, D)
        mask : (B, T) booleans, True = a real token; the padding must be on the right

        Returns
        -------
        (B, T, 2H) states: H forward units, then H backward units; 0 at the padding

        Raises
        ------
        ValueError
            Shapes that do not fit, a mask that is not boolean, padding before a real token, no row, no time step.
        """
        batch, steps, _ = inputs.shape
        if mask is None:
            mask = torch.ones(batch, steps, dtype=torch.bool, device=inputs.device)
        _check_right_padded(mask)
        step = torch.arange(steps, device=mask.device)
        turned = torch.where(mask, mask.sum(dim=1, keepdim=True) - 1 - step, step)  # (B, T)
        x = inputs.masked_fill(~mask.unsqueeze(-1), 0.0)
        for layer in self.layers:
            x = layer(x, mask, turned)
        return x


def turn(x: Float[Tensor, "B T d"], turned: Int64[Tensor, "B T"]) -> Float[Tensor, "B T d"]:
    """Reverse each row within its own length; done twice, it is undone."""
    return x.gather(1, turned.unsqueeze(-1).expand_as(x))


def _check_right_padded(mask: Tensor) -> None:
    gaps = mask[:, 1:] & ~mask[:, :-1]  # a real token right after a pad
    if gaps.any():
        row, step = (int(place) for place in gaps.nonzero()[0])
        raise ValueError(
            f"mask: got a real token at step {step + 1} of row {row} after padding at step {step}, "
            "wanted the padding on the right only: real tokens first"
        )
