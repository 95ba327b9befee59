"""Run a program that may be hostile: no network, no files but those named, bounds on time, memory and processes.

The walls are bubblewrap's (Debian, Fedora, Arch and Homebrew on Linux have it): an own view of the file system, an own
process table that dies as one, no network, no way to gain rights. Memory and processes are counted over everything the
program started, since a limit of the kernel's counts each process alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import psutil

import attnlstm_ref
from attnlstm_ref.data import wheels

PACKAGE = Path(attnlstm_ref.__file__).resolve().parent
START = "the start"
INSIDE = Path("/home/student")
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": str(INSIDE),
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "IPYTHONDIR": "/tmp/ipython",
    "ATTNLSTM_CACHE": "/data",
    "PYTHONPATH": "/package",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "KERAS_BACKEND": "tensorflow",
    "OMP_NUM_THREADS": "1",  # as many submissions at once as there are cores
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
ANSWERS = 64 << 20  # bytes a program may send back
BUILDS = ("numpy", "torch", "keras")  # the parts of the package that hold what students are asked to write


class NoWalls(RuntimeError):
    """There is no bubblewrap here, or it may not work."""


@dataclass(frozen=True)
class Limits:
    """seconds : of one cell or one concept; grace : more, before it is ended from outside; whole : of everything
    together; memory : bytes, of all processes"""

    seconds: float = 60.0
    grace: float = 10.0
    whole: float = 600.0
    memory: int = 4 << 30
    processes: int = 64


@dataclass(frozen=True)
class Ended:
    """Why a run ended early: words, and where it was."""

    words: str
    place: str


def walls() -> None:
    """Raise NoWalls, saying what to install, where submissions could not be shut in."""
    if shutil.which("bwrap") is None:
        raise NoWalls(
            "bubblewrap is not installed (apt-get install bubblewrap, dnf install bubblewrap); without it a "
            "submission could read your files. On a machine of its own: make grade SANDBOX=no"
        )
    tried = subprocess.run(["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"],
                           capture_output=True, text=True)  # fmt: skip
    if tried.returncode:
        raise NoWalls(f"bubblewrap may not make name spaces here ({tried.stderr.strip()}). In a container, allow user "
                      "namespaces; on a machine of its own: make grade SANDBOX=no")  # fmt: skip


def run(
    program: Path,
    spec: Mapping[str, Any],
    files: Sequence[Path],
    limits: Limits,
    reply: Callable[[dict[str, Any]], object],
    *,
    sandbox: bool = True,
) -> Iterator[dict[str, Any] | Ended]:
    """Run `program` (a Python file) on `spec`; yield the events it sends, and an `Ended` last if it was cut short.

    program : reads `spec` from standard input and sends lines of JSON to the file descriptor of its first argument:
        {"event": "start", "place": …} before each step that may hang, {"event": "end"} at its end,
        {"event": "over", "words": …} where it gives up. To {"event": "ask"}
        it gets what `reply` returns, a line of JSON, through its second. What it prints before its first step says why
        it did not start

    files : stand beside it, read-only; nothing else of the course is there
    sandbox : False runs it unwalled, with limits alone, in a temporary folder

    Raises
    ------
    NoWalls
        Where the program could not be started: nothing that was handed in has run.
    """
    reader, writer = os.pipe()
    hearer, teller = os.pipe()
    with tempfile.TemporaryDirectory(prefix="hall-") as folder:
        # A folder that everyone may enter: the program gives root's rights up before it runs what was handed in.
        Path(folder).chmod(0o755)
        for file in (program, *files):
            shutil.copy(file, folder)
            (Path(folder) / file.name).chmod(0o644)
        place = INSIDE if sandbox else Path(folder)
        inner = [sys.executable, "-s", str(place / program.name), str(writer), str(hearer)]
        walled = [*_walls(Path(folder)), *inner] if sandbox else inner
        with (Path(folder) / "spec.json").open("w+b") as words, (Path(folder) / "said").open("w+b") as said:
            words.write(json.dumps(spec).encode())
            words.seek(0)
            (Path(folder) / "spec.json").unlink()
            process = subprocess.Popen(
                walled,
                stdin=words,
                stdout=said,
                stderr=said,
                pass_fds=[writer, hearer],
                env=ENVIRONMENT if sandbox else ENVIRONMENT | _outside(folder),
                cwd=None if sandbox else folder,
                start_new_session=True,
            )
        os.close(writer)
        os.close(hearer)
        os.set_blocking(teller, False)
        try:
            for event in _events(process, reader, limits):
                if isinstance(event, Ended) and event.place == START:
                    _end(process)
                    why = (Path(folder) / "said").read_text("utf-8", errors="replace").strip()
                    raise NoWalls(f"the program did not start: {why[-2000:] or event.words}")
                if not isinstance(event, Ended) and event.get("event") == "ask":
                    with contextlib.suppress(OSError):  # it has ended, or does not listen
                        os.write(teller, json.dumps(reply(event)).encode() + b"\n")
                yield event
        finally:
            os.close(reader)
            os.close(teller)
            _end(process)


def _outside(folder: str) -> dict[str, str]:
    """What differs in the environment of a program that is not shut in."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": folder,
        "PYTHONPATH": str(PACKAGE.parent),
        "ATTNLSTM_CACHE": str(wheels.cache_folder()),
        "MPLCONFIGDIR": matplotlib.get_configdir(),
    }


def _walls(folder: Path) -> list[str]:
    """The command that shuts in what follows it."""
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "hall"]
    command += ["--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    if os.getuid():
        command += ["--unshare-user", "--cap-drop", "ALL"]
    for path in ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts"):
        command += ["--ro-bind-try", path, path]
    command += ["--perms", "1777", "--size", str(256 << 20), "--tmpfs", "/tmp"]
    command += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", str(INSIDE)]
    command += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/dev/shm"]
    for path in dict.fromkeys([sys.base_prefix, sys.prefix]):
        if not path.startswith("/usr/"):
            for parent in [*Path(path).parents][-2::-1]:  # else made for root's eyes alone
                command += ["--perms", "0755", "--dir", str(parent)]
            command += ["--ro-bind", path, path]
    command += ["--perms", "0755", "--dir", "/package", "--ro-bind", str(PACKAGE), "/package/attnlstm_ref"]
    for part in BUILDS:
        command += ["--tmpfs", f"/package/attnlstm_ref/{part}"]
    data = wheels.cache_folder()
    if data.is_dir():  # data sets that come as wheels; there is no network in there to fetch them by
        command += ["--ro-bind", str(data), ENVIRONMENT["ATTNLSTM_CACHE"]]
    for file in sorted(folder.glob("*.*")):
        command += ["--ro-bind", str(file), str(INSIDE / file.name)]
    command += ["--perms", "0777", "--dir", ENVIRONMENT["MPLCONFIGDIR"]]
    for cache in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):  # it takes seconds to make anew
        command += ["--ro-bind", str(cache), f"{ENVIRONMENT['MPLCONFIGDIR']}/{cache.name}"]
    return [*command, "--chdir", str(INSIDE), "--"]


def _events(process: subprocess.Popen[bytes], reader: int, limits: Limits) -> Iterator[dict[str, Any] | Ended]:
    begun = step = time.monotonic()
    place, left, received = START, b"", 0
    os.set_blocking(reader, False)
    while True:
        readable, _, _ = select.select([reader], [], [], 0.1)
        if readable:
            part = os.read(reader, 1 << 20)
            if not part:
                yield Ended("it ended the program", place)
                return
            received += len(part)
            *lines, left = (left + part).split(b"\n")
            for line in lines:
                event = _event(line)
                if event is None:
                    continue
                step = time.monotonic()
                if event.get("event") == "start":
                    place = str(event.get("place"))
                if event.get("event") == "over":
                    yield Ended(str(event.get("words"))[:100], place)
                    return
                yield event
                if event.get("event") == "end":
                    return
        now = time.monotonic()
        memory, processes = _used(process)
        for over, words in (
            (received > ANSWERS, "it sent too much"),
            (memory > limits.memory, f"it took more than {limits.memory / (1 << 30):g} GB of memory"),
            (processes > limits.processes, f"it started more than {limits.processes} processes"),
            (now - step > limits.seconds + limits.grace, f"it took more than {limits.seconds:g} seconds"),
            (now - begun > limits.whole, f"the notebook took more than {limits.whole:g} seconds"),
        ):
            if over:
                yield Ended(words, place)
                return


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):  # written by the submission, not by the program
        return None
    return event if isinstance(event, dict) else None


def _used(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """(bytes in memory, processes) of everything `process` started."""
    memory = count = 0
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0, 0
    for each in family:
        try:
            memory += each.memory_info().rss
            count += 1
        except psutil.NoSuchProcess:
            continue
    return memory, count


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with everything it started: inside the walls its process table goes with it."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    for each in [process, *family]:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
