"""The quiet line under a chapter's title: how long to read, how long to run, where to get it.

Reading time is counted from the words of the page. Run time is measured, never typed: `make notebooks`
writes it into the notebook's metadata as `attnlstm.run_seconds`.
"""

from __future__ import annotations

import html
import json
import math

from docutils import nodes
from repository import GITHUB, links
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

WORDS_A_MINUTE = 200  # unhurried; a line of code counts by its words too


def minutes_to_read(doctree: nodes.document) -> int:
    """The words a reader reads: prose and code, not what the code printed."""

    def is_read(text: nodes.Text) -> bool:
        parent = text.parent
        while parent is not None:
            if isinstance(parent, nodes.raw | nodes.comment) or "cell_output" in parent.get("classes", []):
                return False
            parent = parent.parent
        return True

    words = sum(len(text.split()) for text in doctree.findall(nodes.Text) if is_read(text))
    return max(1, math.ceil(words / WORDS_A_MINUTE))


def in_words(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def run_seconds(env: BuildEnvironment, docname: str) -> float | None:
    metadata = env.metadata.get(docname, {}).get("attnlstm", {})
    metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
    return metadata.get("run_seconds")


def collect(app: Sphinx, doctree: nodes.document) -> None:
    app.env.metadata[app.env.docname]["read_minutes"] = minutes_to_read(doctree)


def times(env: BuildEnvironment, docname: str) -> list[str]:
    """`["25 min to read", "41 s to run"]`; the second only where it was measured."""
    said = [f"{env.metadata[docname].get('read_minutes', 1)} min to read"]
    seconds = run_seconds(env, docname)
    return said + ([f"{in_words(seconds)} to run"] if seconds is not None else [])


def line(app: Sphinx, docname: str) -> str:
    source = str(app.env.doc2path(docname, base=False))
    up = "../" * docname.count("/")
    download = f'<a href="{up}_sources/{source}" download>Download the notebook</a>'
    others = [f'<a href="{html.escape(address)}">{text}</a>' for text, address in links(app.config, source)]
    spans = [f"<span>{text}</span>" for text in times(app.env, docname)]
    said = f'<p class="chapter-info">{" ".join([*spans, download, *others])}</p>'
    if app.config.book_repository:
        package = f'"attnlstm-ref[torch,keras,data,measure] @ git+{GITHUB}/{app.config.book_repository}"'
        said += f'<p class="chapter-info">In Colab, run first: <code>%pip install -q {html.escape(package)}</code></p>'
    return said


def insert(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.format != "html" or not docname.startswith("notebooks/"):
        return
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is not None:
        title.parent.insert(title.parent.index(title) + 1, nodes.raw("", line(app, docname), format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
