"""Small repairs to what the theme and other extensions write, so that every page passes WCAG 2.2 AA.

They are made in the finished pages: each is a fixed piece of text and what it should have been. A repair that
no page needs any more is reported, so that the list shrinks when the libraries are mended.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

REPAIRS = [
    # sphinx: a role that ARIA 1.3 withdrew; inside role="list" an entry is a listitem
    ('role="doc-biblioentry"', 'role="listitem"'),
    # myst-nb: a spoken name that differs from the words on the button
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    # pydata theme: the arrow that unfolds pages below a page has no name
    ('<summary><span class="toctree-toggle"', '<summary aria-label="Pages below this"><span class="toctree-toggle"'),
    # pydata theme: without scripts no rule of the style sheet matches "auto", and colours would be missing
    ('data-theme="auto"', 'data-theme="light"'),
    # pydata theme: the side bar with logo and search stands outside every landmark
    ('<div id="pst-primary-sidebar" class', '<div id="pst-primary-sidebar" role="navigation" aria-label="Book" class'),
]


def repair(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    needless = dict(REPAIRS)
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for found, wanted in REPAIRS:
            if found in text:
                needless.pop(found, None)
                text = text.replace(found, wanted)
        path.write_text(text, encoding="utf-8")
    for found in needless:
        logger.info("accessible: no page needs the repair of %s", found)


def first_page(app: Sphinx, exception: Exception | None) -> None:
    """The page that only sends on to the first one gets a language, a title and a link for whoever is not sent."""
    if exception is not None or app.builder.format != "html" or app.config.root_doc == "index":
        return
    target, title = f"{app.config.root_doc}.html", escape(app.config.project)
    Path(app.outdir, "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="{app.config.language}">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n<p><a href="{target}">{title}</a></p>\n</html>\n',
        encoding="utf-8",
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", repair, priority=700)
    app.connect("build-finished", first_page, priority=701)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
