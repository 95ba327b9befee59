"""Draw the picture that each assignment ends in, for its page in the book.

python -m assignments.pictures [NAME …]
"""

from __future__ import annotations

import argparse
import base64
import tempfile
from pathlib import Path

import nbformat

from . import jail
from .demo import solved
from .question import HERE
from .questions import NAMES
from .submission import grade

FOLDER = HERE.parent / "book" / "_static" / "assignments"


def picture(assignment: str) -> bytes:
    """The last figure of the solved notebook, a PNG."""
    with tempfile.TemporaryDirectory() as folder:
        nbformat.write(solved(assignment), Path(folder) / f"{assignment}.ipynb")
        result = grade(Path(folder), "solution", assignment, jail.Limits(seconds=120))
    outputs = (output for cell in result.cells for output in cell["outputs"])
    figures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    return base64.b64decode(figures[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"default: {', '.join(NAMES)}")
    for name in parser.parse_args().names or NAMES:
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{name}.png").write_bytes(picture(name))
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
