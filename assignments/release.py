"""Make what students get: the notebooks without solutions, the checks, a zip of everything.

python -m assignments.release [NAME …] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import shutil
import zipfile
from pathlib import Path

from attnlstm_ref._files import replacing

from .gradebook import alembic_on_path, course, succeeded
from .question import HERE, examples, seed
from .questions import NAMES, questions
from .submission import handed_out

STUDENTS = """\
# Assignments: Attention-LSTM models, step by step

Each folder holds one assignment: a notebook, and the checks it uses. Set up the book once (its README tells how),
put these folders into its `notebooks`, start `make lab`, open a notebook and read it from the top. Work in it, run the
checks as often as you like, and hand in the notebook alone, under the name it has.

The notebooks need the book's environment: `attnlstm_ref` for data, and PyTorch or Keras, whichever you choose.
"""


def release(assignment: str, out: Path) -> Path:
    """Write the folder of `assignment` for students into `out`/release and return it."""
    out.mkdir(parents=True, exist_ok=True)
    with alembic_on_path():
        succeeded(course(out).generate_assignment(assignment, force=True, create=True))
    folder = out / "release" / assignment
    for file in handed_out(assignment):
        shutil.copy(file, folder)
    checks = examples(questions(assignment), seed("visible"))
    (folder / "checks.json").write_text(json.dumps(checks), "utf-8")
    return folder


def pack(folders: list[Path], target: Path) -> Path:
    """One zip of `folders` at `target`, the same bytes for the same contents."""
    texts = {"README.md": STUDENTS.encode()}
    texts |= {f"{folder.name}/{file.name}": file.read_bytes() for folder in folders for file in folder.iterdir()}
    with replacing(target) as part, zipfile.ZipFile(part, "w") as zipped:
        for name, text in sorted(texts.items()):
            about = zipfile.ZipInfo(f"{target.stem}/{name}", (1980, 1, 1, 0, 0, 0))
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            zipped.writestr(about, text)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"default: {', '.join(NAMES)}")
    parser.add_argument("--out", type=Path, default=HERE, help="default: %(default)s")
    options = parser.parse_args()
    out = options.out.resolve()
    folders = [release(name, out) for name in options.names or NAMES]
    for folder in folders:
        print(pack([folder], folder.with_suffix(".zip")))
    if not options.names:
        print(f"{pack(folders, out / 'assignments.zip')}: all of them, to hand out")


if __name__ == "__main__":
    main()
