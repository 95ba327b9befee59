"""codespell over the prose and code, and over the notebooks' sources (their pictures trip it over)."""

import pathlib
import subprocess
import sys
import tempfile

import nbformat

ROOT = pathlib.Path(__file__).parents[1]
KEEP = {".md", ".py", ".toml", ".yml", ".css", ".js", ".in", ".bib", ".cff", ".html"}
SKIP = ("book/_static/fonts/", "book/_static/vendor/")


def main() -> int:
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name in filter(None, names):
            path = ROOT / name
            if not path.exists() or name.startswith(SKIP):
                continue
            if path.suffix == ".ipynb":
                text = pathlib.Path(folder) / name.replace("/", "_")
                cells = nbformat.read(path, as_version=4).cells
                text.with_suffix(".txt").write_text("\n\n".join(cell.source for cell in cells))
                files.append(text.with_suffix(".txt"))
            elif path.suffix in KEEP:
                files.append(path)
        words = "tau,nd,fo,ans,te,ba,doubleclick,pinter,teh,juni,februar"
        run = subprocess.run(
            [sys.executable, "-m", "codespell_lib", "--ignore-words-list", words, *map(str, files)], check=False
        )
    print(f"{len(files)} files read")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
