"""From text to arrays: tokens, a vocabulary, padding, batches of like length."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from attnlstm_ref import _files

PAD, UNK = 0, 1
"""Ids of padding and of every word the vocabulary does not hold."""
PAD_TOKEN, UNK_TOKEN = "<pad>", "<unk>"

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# A word (with what apostrophes and hyphens join to it), a number, a run of dots, or one other mark.
_TOKEN = re.compile(r"[^\W\d_]+(?:['\-][^\W\d_]+)*|\d+(?:[.,:/]\d+)*|\.{2,}|[^\s\w]|_")


def tokenise(text: str) -> list[str]:
    """Split a text into lower-case words, numbers and marks.

    `<br />` and its kin are line breaks, not words. What an apostrophe or a hyphen joins stays one
    token (don't, well-made), with the typographer's apostrophe made plain; a number keeps its points,
    so 7/10 is one token and worth one, in a review; dots in a row count as one; every other mark stands
    alone, since ! and ? carry feeling.

    >>> tokenise("It's a 7/10...<br />Don't miss it!")
    ["it's", 'a', '7/10', '...', "don't", 'miss', 'it', '!']
    """
    return _TOKEN.findall(_BREAK.sub(" ", text).lower().replace("’", "'"))


@dataclass(frozen=True)
class Vocabulary:
    """Words and their ids. Id 0 pads and 1 stands for every unknown word; make one with `build`."""

    words: tuple[str, ...]
    """The word of each id; `words[0]` and `words[1]` are `<pad>` and `<unk>`."""
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.words[:2] != (PAD_TOKEN, UNK_TOKEN):
            raise ValueError(f"words: got {self.words[:2]} first, wanted {(PAD_TOKEN, UNK_TOKEN)}")
        ids = {word: i for i, word in enumerate(self.words)}
        if len(ids) != len(self.words):
            twice = next(word for i, word in enumerate(self.words) if ids[word] != i)
            raise ValueError(f"words: got {twice!r} twice, wanted each word once")
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def build(cls, token_lists: Iterable[Sequence[str]], max_size: int | None = None, min_count: int = 1) -> Vocabulary:
        """The most frequent words of some tokenised texts (the training texts only, or the test leaks in).

        Parameters
        ----------
        token_lists : the texts, each a list of tokens
        max_size : how many ids at most, the two special ones included; None for no limit
        min_count : how often a word must occur

        Returns
        -------
        Vocabulary, frequent words first, equally frequent ones by the alphabet: the same texts in any order
        give the same ids

        Raises
        ------
        ValueError
            A `max_size` without room for a word, a `min_count` below 1, a bare string for a list of tokens.
        """
        if max_size is not None and max_size < 3:
            raise ValueError(f"max_size: got {max_size}, wanted at least 3: two special ids and one word")
        if min_count < 1:
            raise ValueError(f"min_count: got {min_count}, wanted at least 1")
        counts: Counter[str] = Counter()
        for tokens in token_lists:
            if isinstance(tokens, str):
                raise ValueError("token_lists: got a string, wanted lists of tokens (see tokenise)")
            counts.update(tokens)
        for special in (PAD_TOKEN, UNK_TOKEN):
            counts.pop(special, None)  # such a word in a text gets no id of its own
        ranked = sorted((word for word, count in counts.items() if count >= min_count), key=lambda w: (-counts[w], w))
        kept = ranked if max_size is None else ranked[: max_size - 2]
        return cls((PAD_TOKEN, UNK_TOKEN, *kept))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token; 1 where it is unknown. Never 0: no token reads as padding."""
        if isinstance(tokens, str):
            raise ValueError("tokens: got a string, wanted a list of tokens (see tokenise)")
        return [self._ids.get(token, UNK) or UNK for token in tokens]

    def decode(self, ids: Iterable[int] | np.ndarray) -> list[str]:
        """The word of each id, padding included.

        Raises
        ------
        ValueError
            An id that is not in the vocabulary.
        """
        words = []
        for i in ids:
            if not 0 <= i < len(self.words):
                raise ValueError(f"ids: got {i}, wanted 0 to {len(self.words) - 1}")
            words.append(self.words[i])
        return words

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the words as JSON: all of them, or leave what was there."""
        _files.write_text(path, json.dumps({"words": self.words}, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            A file that `save` did not write.
        """
        try:
            words = json.loads(Path(path).read_text(encoding="utf-8"))["words"]
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise TypeError
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"path: got {Path(path).name}, wanted a file written by Vocabulary.save") from error
        return cls(tuple(words))


def pad(
    sequences: Sequence[Sequence[int] | np.ndarray], length: int | None = None, keep: str = "head"
) -> tuple[Int64[np.ndarray, "B T"], Bool[np.ndarray, "B T"]]:
    """Put sequences of ids side by side, with 0 after the end of the shorter ones.

    The padding is on the right: that is what the PyTorch encoder asks for. The mask says where the
    sequences are, so no id in them has to be kept free for it.

    Parameters
    ----------
    sequences : B lists of ids
    length : T; longer sequences are cut to it. None: as long as the longest, and at least 1
    keep : what to keep of a sequence that is too long, its "head" or its "tail"

    Returns
    -------
    ids : (B, T) int64
    mask : (B, T) booleans, True = a real token

    Raises
    ------
    ValueError
        No sequence, a length below 1, another word for `keep`.
    """
    if len(sequences) == 0:
        raise ValueError("sequences: got none, wanted at least one")
    if length is not None and length < 1:
        raise ValueError(f"length: got {length}, wanted at least 1")
    if keep not in ("head", "tail"):
        raise ValueError(f'keep: got {keep!r}, wanted "head" or "tail"')
    steps = max(1, *map(len, sequences)) if length is None else length
    ids = np.full((len(sequences), steps), PAD, dtype=np.int64)
    lengths = np.empty(len(sequences), dtype=np.int64)
    for row, sequence in enumerate(sequences):
        kept = sequence[:steps] if keep == "head" else sequence[max(0, len(sequence) - steps) :]
        ids[row, : len(kept)] = kept
        lengths[row] = len(kept)
    return ids, np.arange(steps) < lengths[:, None]


def batches_by_length(
    lengths: Sequence[int] | np.ndarray, batch_size: int, *, rng: np.random.Generator | None = None, pool: int = 50
) -> list[Int64[np.ndarray, " b"]]:
    """Batches whose sequences are about equally long, so that little of the work is padding.

    Sorting everything would give every epoch the same batches. So: shuffle, cut into pools of many
    batches, sort within each, cut the pools into batches, shuffle those.

    Parameters
    ----------
    lengths : of the sequences
    batch_size : sequences a batch; the last of them may hold fewer
    rng : the source of chance; None: no shuffling, one pool, shortest first (for evaluation)
    pool : batches a pool; 1 is plain shuffling

    Returns
    -------
    arrays of indices; every index stands in exactly one of them, and equal `rng` gives equal batches

    Raises
    ------
    ValueError
        Lengths that are not a list of counts, a batch size or pool below 1.
    """
    sizes = np.asarray(lengths)
    if sizes.ndim != 1 or (sizes.size and (sizes.dtype.kind not in "iu" or sizes.min() < 0)):
        raise ValueError(f"lengths: got shape {sizes.shape} of {sizes.dtype}, wanted (n,) counts, 0 or more")
    for name, count in {"batch_size": batch_size, "pool": pool}.items():
        if count < 1:
            raise ValueError(f"{name}: got {count}, wanted at least 1")
    if rng is None:
        return _cut(np.argsort(sizes, kind="stable"), batch_size)
    batches = []
    for indices in _cut(rng.permutation(len(sizes)), batch_size * pool):
        batches += _cut(indices[np.argsort(sizes[indices], kind="stable")], batch_size)
    return [batches[i] for i in rng.permutation(len(batches))]


def _cut(indices: np.ndarray, size: int) -> list[np.ndarray]:
    """Consecutive pieces of `size`, the last one shorter."""
    return [indices[i : i + size].astype(np.int64) for i in range(0, len(indices), size)]
