"""Make the slides of a lecture from its chapter: nbconvert, reveal.js, and the outputs the chapter has stored.

python -m assignments.slides [NAME …] [--out FOLDER]

slides/NAME.yml says which cells of the chapter stand on which slide, whole or in part, and adds what only a lecture
has: titles, questions, notes for the speaker. Nothing is executed, and the slides fetch nothing from elsewhere.
"""

from __future__ import annotations

import argparse
import re
import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode

from .question import HERE

PLANS = HERE / "slides"
NAMES = sorted(path.stem for path in PLANS.glob("*.yml"))

# folder beside the slides -> the package that has it (of sphinx-revealjs nothing else is used), and where
BESIDE = {
    "reveal": ("sphinx-revealjs", "sphinx_revealjs/_static/revealjs"),
    "mathjax": ("sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax"),
}
FILES = {
    "reveal": "LICENSE dist/reveal.css dist/reveal.js dist/theme/white.css dist/theme/fonts plugin/notes/notes.js",
    "mathjax": "tex-mml-chtml.js output/chtml/fonts/woff-v2",
}
# with the template's margin a page of 1280 by 720
LOOK = {"theme": "lecture", "transition": "none", "number": "c/t", "width": "1184", "height": "666"}


def part(source: str, begin: str, end: str = "") -> str:
    """What stands from the words `begin` to the words `end`, or to the end of their paragraph."""
    begin, end = (r"\s+".join(map(re.escape, words.split())) for words in (begin, end))
    found = re.search(begin + ".*?" + (end or r"(?=\n\s*\n|\Z)"), source, re.DOTALL)
    if not found:
        raise ValueError(f"not in the chapter any more: {begin} … {end}")
    return found[0]


def cell_of(item: dict[str, Any], chapter: dict[str, NotebookNode]) -> NotebookNode:
    """One thing on a slide: words of the lecture (`say`, `ask`), or what `item` takes of a cell of the chapter."""
    if "cell" not in item:
        cell = nbformat.v4.new_markdown_cell(item.get("ask") or item["say"])
    else:
        theirs = chapter[item["cell"]]
        source = part(theirs.source, item["from"], item.get("to", "")) if "from" in item else theirs.source
        if theirs.cell_type == "markdown":
            cell = nbformat.v4.new_markdown_cell(re.sub(r"\s*\{cite:\w\}`.*?`", "", source))
        else:
            outputs = [] if item.get("only") == "code" else [nbformat.from_dict(each) for each in theirs.outputs]
            for picture in (each for each in outputs if "data" in each):
                picture.metadata = {"alt": item["alt"]}
            cell = nbformat.v4.new_code_cell(source, outputs=outputs)
            cell.metadata.transient = {"remove_source": item.get("only") == "output"}
    cell.metadata.tags = [tag for tag in ("ask", "side", "small", "below") if item.get(tag)]
    cell.metadata.fragment = item.get("fragment", False)
    return cell


def cells_of(slide: dict[str, Any], chapter: dict[str, NotebookNode]) -> list[NotebookNode]:
    """The cells of one slide, the notes last."""
    shown = [{"say": f"## {slide['title']}"}] if "title" in slide else []
    cells = [cell_of(item, chapter) for item in shown + slide["show"]]
    pace = {"timing": str(60 * slide["minutes"])}  # seconds, for the speaker view
    cells[0].metadata.slideshow = {"slide_type": slide.get("type", "slide"), "data": pace}
    notes = nbformat.v4.new_markdown_cell(f"*{slide['minutes']} min.* {slide['notes']}")
    notes.metadata.slideshow = {"slide_type": "notes"}
    return [*cells, notes]


def build(name: str, out: Path) -> Path:
    """Write the slides `name` and what they need into `out` and return the page to open."""
    plan = yaml.safe_load((PLANS / f"{name}.yml").read_text("utf-8"))
    chapter = {cell.id: cell for cell in nbformat.read(HERE.parent / plan["chapter"], as_version=4).cells}
    deck = nbformat.v4.new_notebook(metadata={"language_info": {"name": "python"}, "title": plan["title"]})
    deck.cells = [cell for slide in plan["slides"] for cell in cells_of(slide, chapter)]
    exporter = SlidesExporter(
        extra_template_basedirs=[str(HERE / "templates")],
        template_name="slides_offline",
        reveal_url_prefix="_static/reveal",
        mathjax_url="_static/mathjax/tex-mml-chtml.js",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        **{f"reveal_{each}": value for each, value in LOOK.items()},
    )
    for folder, (package, place) in BESIDE.items():
        for file in FILES[folder].split():
            theirs, target = Path(str(distribution(package).locate_file(place)), file), out / "_static" / folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(theirs, target, dirs_exist_ok=True) if theirs.is_dir() else shutil.copyfile(theirs, target)
    shutil.copyfile(PLANS / "theme.css", out / "_static/reveal/dist/theme/lecture.css")
    page = out / f"{name}.html"
    page.write_text(exporter.from_notebook_node(deck)[0], "utf-8")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=NAMES, help=f"default: {', '.join(NAMES)}")
    parser.add_argument("--out", type=Path, default=HERE.parent / "_build" / "slides", help="default: %(default)s")
    options = parser.parse_args()
    for name in options.names:
        print(f"{build(name, options.out.resolve())}: open it in a browser; S shows the notes, ?print-pdf prints")


if __name__ == "__main__":
    main()
