"""Batches by length, read exactly, against padding every review to 500 words: tokens learned from in a second.

The lengths are those of the IMDb training reviews; the words are random, since the time does not depend on them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from attnlstm_ref.torch import AttentionPooling, BiLSTMEncoder

LONGEST = 500
VOCABULARY, WIDTH, HIDDEN, BATCH = 10_000, 64, 64, 32


def lengths_of_reviews(count: int, seed: int) -> list[int]:
    from attnlstm_ref.data import reviews
    from attnlstm_ref.text import tokenise

    texts = random.Random(seed).sample(reviews.load().texts, count)
    return [max(1, min(LONGEST, len(tokenise(text)))) for text in texts]


def one_epoch(lengths: list[int], *, by_length: bool) -> Callable[[], None]:
    """A program that trains once over all reviews."""
    torch.manual_seed(0)
    embed = nn.Embedding(VOCABULARY, WIDTH, padding_idx=0)
    encoder = (
        BiLSTMEncoder(WIDTH, HIDDEN) if by_length else nn.LSTM(WIDTH, HIDDEN, batch_first=True, bidirectional=True)
    )
    pool, head = AttentionPooling(2 * HIDDEN), nn.Linear(2 * HIDDEN, 1)
    parameters = [p for module in (embed, encoder, pool, head) for p in module.parameters()]
    optimizer = torch.optim.Adam(parameters)
    order = sorted(lengths) if by_length else list(lengths)
    batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    rng = np.random.default_rng(0)

    def epoch() -> None:
        for batch in batches:
            width = max(batch) if by_length else LONGEST
            mask = torch.arange(width) < torch.tensor(batch)[:, None]
            tokens = torch.tensor(rng.integers(1, VOCABULARY, (len(batch), width))) * mask
            states = encoder(embed(tokens), mask) if by_length else encoder(embed(tokens))[0]
            context, _ = pool(states, mask)
            loss = nn.functional.binary_cross_entropy_with_logits(head(context)[:, 0], torch.ones(len(batch)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch
