"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; put it in the place of `path` when the block ends well.

    The temporary file lies in the same folder, since a file can be moved in one step only within a
    disk. Whatever goes wrong (a full disk, a killed block), the old file stays and the new one goes.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.chmod(0o644)  # mkstemp lets nobody else read
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write all of `text` to `path`, or leave `path` as it was."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
