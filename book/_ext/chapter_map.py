"""`{chapter-map}`: the whole book on one page, written chapters linked, planned ones marked as planned.

The list is book/chapters.yml. A chapter counts as written when it is a page of the site, so the map cannot
promise what is not there. A chapter's number stands there and nowhere else: it is put before the title of its page.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from chapter_info import times
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class chapter_map(nodes.General, nodes.Element):
    """Stands for the map until all pages have been read."""


def parts(srcdir: str | Path) -> list[dict]:
    return yaml.safe_load(Path(srcdir, "book", "chapters.yml").read_text(encoding="utf-8"))


class NumberTitle(SphinxTransform):
    """`# A soft dictionary` becomes "4 · A soft dictionary", in the page, the side bar and the search alike."""

    default_priority = 200  # before titles are collected

    def apply(self, **kwargs: object) -> None:
        chapters = [chapter for part in parts(self.app.srcdir) for chapter in part["chapters"]]
        number = {f"notebooks/{each.get('file')}": each["number"] for each in chapters}.get(self.env.docname)
        title = next(iter(self.document.findall(nodes.title)), None)
        if number is not None and title is not None and not title.astext()[:1].isdigit():
            title.insert(0, nodes.Text(f"{number} · "))


class ChapterMap(Directive):
    def run(self) -> list[nodes.Node]:
        return [chapter_map("")]


def entry(app: Sphinx, chapter: dict, fromdoc: str) -> nodes.list_item:
    docname = f"notebooks/{chapter.get('file')}"
    written = docname in app.env.found_docs
    title = f"{chapter['number']} · {chapter['title']}"
    name: nodes.Node = nodes.inline("", title, classes=["chapter-name"])
    note = "planned"
    if written:
        address = app.builder.get_relative_uri(fromdoc, docname)
        name = nodes.reference("", title, refuri=address, internal=True, classes=["chapter-name"])
        note = " · ".join(times(app.env, docname))
    head = nodes.paragraph("", "", name, nodes.Text(" "), nodes.inline("", note, classes=["chapter-time"]))
    kind = "chapter-written" if written else "chapter-planned"
    return nodes.list_item("", head, nodes.paragraph("", chapter["promise"]), classes=[kind])


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for place in list(doctree.findall(chapter_map)):
        shown: list[nodes.Node] = []
        for part in parts(app.srcdir):
            items = [entry(app, chapter, docname) for chapter in part["chapters"]]
            shown.append(nodes.paragraph("", part["part"], classes=["chapter-part"]))
            shown.append(nodes.bullet_list("", *items, classes=["chapter-list"]))
        place.replace_self(nodes.container("", *shown, classes=["chapter-map"]))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(chapter_map)
    app.add_directive("chapter-map", ChapterMap)
    app.add_transform(NumberTitle)
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
