"""Run chapters top to bottom and store their outputs; `make notebooks` calls this.

The run time goes into the notebook's metadata, from where the site shows it. A notebook that fails is
left as it was.
"""

import os
import pathlib
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def run(path: pathlib.Path) -> float:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=1800,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": path.parent}},
    )
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    notebook.metadata["attnlstm"] = {"run_seconds": round(seconds)}
    # What the kernel says of itself differs between machines and teaches nobody.
    notebook.metadata.get("language_info", {}).pop("version", None)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
        nbformat.write(notebook, file)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    return seconds


def main(paths: list[str]) -> int:
    if not paths:
        print("run_notebooks: name the notebooks to run, for example notebooks/05_dot_product.ipynb", file=sys.stderr)
        return 2
    missing = [path for path in paths if not pathlib.Path(path).is_file()]
    if missing:
        print(f"run_notebooks: no such notebook: {', '.join(missing)}", file=sys.stderr)
        return 2
    for number, path in enumerate(map(pathlib.Path, paths), 1):
        print(f"[{number}/{len(paths)}] {path} …", end=" ", flush=True)
        try:
            print(f"{run(path):.0f} s", flush=True)
        except CellExecutionError as error:
            print(f"failed; the file is unchanged\n{error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
