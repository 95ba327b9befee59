"""The examination hall: runs inside the jail and sees neither answers nor other submissions.

Reads one JSON object from standard input (what `submission` orders), runs the cells in
order, and at the cell of a question hands its inputs to the student's function. What comes back goes out as one line of
JSON each through the file descriptor named in argv; the judging is done outside, so nothing that a submission patches,
edits or forges here can say more than an answer.

A mistake is to be paid for once. So when a question has been answered and was not all right, the model answer to it is
sent in, and later questions that build on it are tried a second time with that in its place.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import sys
import traceback

PRINTED = 20_000  # characters of a cell's output that are kept
PICTURE = 2_000_000  # bytes of a figure that are kept


class OutOfTime(BaseException):
    """Raised by the alarm; a BaseException, so that `except Exception` lets it pass."""


class Capped(io.TextIOBase):
    """A stream that keeps the first PRINTED characters and lets the rest go."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.length < PRINTED:
            self.parts.append(text[: PRINTED - self.length])
        self.length += len(text)
        return len(text)

    def text(self) -> str:
        cut = f"\n… {self.length - PRINTED:,} more characters" if self.length > PRINTED else ""
        return "".join(self.parts) + cut


def main() -> None:
    out = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    hear = os.fdopen(int(sys.argv[2]), encoding="utf-8")
    spec = json.load(sys.stdin)
    _step_down(spec)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)

    def say(**event: object) -> None:
        out.write(json.dumps(event) + "\n")
        out.flush()

    signal.signal(signal.SIGALRM, _ring)
    sys.path.insert(0, os.getcwd())
    from checks import collect
    from IPython.core.displayhook import CapturingDisplayHook
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.ast_node_interactivity = "last_expr"
    shell = InteractiveShell.instance(colors="NoColor", history_length=0)
    shell.history_manager.enabled = False
    shell._tee = lambda channel: contextlib.nullcontext()  # IPython's own copy of all that is printed has no bounds
    shell.display_pub = CapturingDisplayPublisher(shell=shell, parent=shell)
    sys.modules["__main__"].__dict__.update(shell.user_ns)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    models: dict[str, str] = {}
    main = os.getpid()
    for number, cell in enumerate(spec["cells"]):
        if "question" in cell:
            name = cell["question"]
            for again in ("", " again") if models else ("",):
                for concept in spec["questions"][name]["concepts"]:
                    place = f"{name}/{concept['key']}{again}"
                    if place in spec["skip"]:
                        continue
                    say(event="start", place=place)
                    answers = [{"error": "it took too long"}] * len(concept["cases"])
                    with contextlib.suppress(OutOfTime), _silence(), _borrowed(shell.user_ns, models if again else {}):
                        answers = _collected(collect, shell.user_ns, name, spec, concept)
                    _alone(main, spec["walled"])
                    say(event="answers", place=place, answers=answers)
            say(event="ask", question=name, framework=shell.user_ns.get("FRAMEWORK") == "keras" and "keras")
            models |= json.loads(hear.readline() or "{}")
        elif f"cell {number}" not in spec["skip"]:
            say(event="start", place=f"cell {number}")
            outputs = [_error(OutOfTime(), spec["seconds"])]
            with contextlib.suppress(OutOfTime):
                outputs = _run(shell, cell["source"], spec["seconds"], CapturingDisplayHook)
            _alone(main, spec["walled"])
            if outputs and outputs[-1].get("ename") == "MemoryError":  # what it holds, later cells would lack
                say(event="over", words="it ran out of memory")
                os._exit(1)
            say(event="cell", place=f"cell {number}", outputs=outputs)
    say(event="end")
    out.close()
    os._exit(0)  # threads that a submission left behind are not waited for


def _step_down(spec: dict) -> None:
    """Give up what root may, and bound what is left."""
    if os.getuid() == 0 and spec["uid"]:
        os.setgroups([])
        os.setresgid(spec["uid"], spec["uid"], spec["uid"])
        os.setresuid(spec["uid"], spec["uid"], spec["uid"])
    for limit, value in (
        (resource.RLIMIT_DATA, spec["memory"]),
        (resource.RLIMIT_FSIZE, 64 << 20),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 512),
        (resource.RLIMIT_NOFILE, 512),
    ):
        with contextlib.suppress(ValueError, OSError):  # a stricter limit may hold already
            resource.setrlimit(limit, (value, value))


def _alone(main: int, walled: bool) -> None:
    """Only the process that began may go on; what a cell started ends with it."""
    if os.getpid() != main:
        os._exit(1)
    if walled:  # then the process table holds nothing else
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def _ring(*_: object) -> None:
    raise OutOfTime


@contextlib.contextmanager
def _alarm(seconds: float):
    """Raise OutOfTime inside, after `seconds` and every second from then on, for loops that catch everything."""
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def _borrowed(names: dict, models: dict[str, str]):
    """With model answers in place of the student's own to earlier questions, and back."""
    before = dict(names)
    try:
        for code in models.values():
            exec(code, names)
        yield
    finally:
        if models:
            names.clear()
            names.update(before)


@contextlib.contextmanager
def _silence():
    with contextlib.redirect_stdout(Capped()), contextlib.redirect_stderr(Capped()):
        yield


def _collected(collect, names: dict, name: str, spec: dict, concept: dict) -> list:
    """Answers to the cases of one concept; those that were ready when time was up."""
    if not callable(names.get(name)):
        return [{"error": f"there is no function called {name}"}] * len(concept["cases"])
    wants = spec["questions"][name]["framework"]
    framework = wants and ("keras" if names.get("FRAMEWORK") == "keras" else "torch")
    answers: list = []
    try:
        with _alarm(spec["seconds"]):
            for case in concept["cases"]:
                answers += collect(names[name], concept["probe"], [case], framework)
    except OutOfTime:
        answers.append({"error": "it took too long"})
    except BaseException as error:  # sys.exit, KeyboardInterrupt, MemoryError
        answers.append({"error": f"it stopped with {type(error).__name__}"})
    while len(answers) < len(concept["cases"]):
        answers.append({"error": "it gave no answer to this case, since an earlier one ended it"})
    return answers


def _run(shell, source: str, seconds: float, display_hook: type) -> list[dict]:
    """Run a cell; its outputs as nbformat has them, cut to size."""
    printed, warned = Capped(), Capped()
    shell.display_pub.outputs = []
    kept: list = []
    shell.display_trap.hook = display_hook(shell=shell, outputs=kept)
    error = None
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(warned), _alarm(seconds):
            shell.showtraceback = lambda *args, **kwargs: None
            result = shell.run_cell(source, store_history=False)
            error = result.error_before_exec or result.error_in_exec
    except OutOfTime as late:
        error = late
    except BaseException as other:
        error = other
    outputs = [
        {"output_type": "stream", "name": name, "text": stream.text()}
        for name, stream in (("stdout", printed), ("stderr", warned))
        if stream.length
    ]
    outputs += [_display(each) for each in [*shell.display_pub.outputs, *kept][:20]]
    if error is not None:
        outputs.append(_error(error, seconds))
    return outputs


def _display(output: dict) -> dict:
    """Words and pictures only: HTML and scripts of a submission are not shown to whoever opens the feedback."""
    data = {}
    for kind in ("text/plain", "image/png"):
        value = output.get("data", {}).get(kind)
        if isinstance(value, bytes):
            import base64

            value = base64.b64encode(value).decode()
        if isinstance(value, str) and len(value) < (PRINTED if kind == "text/plain" else PICTURE):
            data[kind] = value
    return {"output_type": "display_data", "data": data or {"text/plain": "(not shown)"}, "metadata": {}}


def _error(error: BaseException, seconds: float) -> dict:
    if isinstance(error, OutOfTime):
        name, words = "Timeout", f"the cell took more than {seconds:g} seconds and was stopped"
    else:
        name, words = type(error).__name__, str(error)[:1000]
    lines = traceback.format_exception_only(type(error), error) if name != "Timeout" else [words]
    return {"output_type": "error", "ename": name, "evalue": words, "traceback": [line[:2000] for line in lines]}


if __name__ == "__main__":
    main()
