"""Nothing a page shows comes from another host.

MathJax is copied from an installed package, thebe (which fetches itself and a kernel) is left out, and the
build warns, which `-W` makes an error, about any script, style, font, image or frame a page would fetch from elsewhere.
"""

from __future__ import annotations

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Of the package's 15 MB: TeX and MathML in, HTML out, and its fonts.
MATHJAX = ["tex-mml-chtml.js", "output/chtml/fonts/woff-v2"]
FETCHES = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|link(?![^>]*rel="(?:canonical|license|prev|next)"))\b"""
    r"""[^>]*?\s(?:src|href|srcset)=["']?((?:https?:)?//[^"'\s>]+)"""
)
STYLE_FETCHES = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


def self_host_mathjax(app: Sphinx, config: Config) -> None:
    config.mathjax_path = "mathjax/tex-mml-chtml.js"


def copy_mathjax(app: Sphinx) -> None:
    source = Path(str(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax")))
    for part in MATHJAX:
        target = Path(app.outdir, "_static", "mathjax", part)
        target.parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / part, target)


def drop_thebe(app: Sphinx) -> None:
    """Jupyter Book loads sphinx-thebe unasked; take its hands off every page."""
    for listeners in app.events.listeners.values():
        listeners[:] = [each for each in listeners if not each.handler.__module__.startswith("sphinx_thebe")]
    app.registry.css_files[:] = [each for each in app.registry.css_files if each[0] != "sphinx-thebe.css"]


def warn_of_other_hosts(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    for path in sorted(Path(app.outdir).rglob("*.html")) + sorted(Path(app.outdir).rglob("*.css")):
        text = path.read_text(encoding="utf-8", errors="replace")
        found = STYLE_FETCHES.findall(text) + (FETCHES.findall(text) if path.suffix == ".html" else [])
        for address in sorted(set(found)):
            logger.warning("%s: fetched from another host: %s", path.relative_to(app.outdir), address)


def setup(app: Sphinx) -> dict[str, Any]:
    drop_thebe(app)
    app.connect("config-inited", self_host_mathjax)
    app.connect("builder-inited", lambda app: copy_mathjax(app) if app.builder.format == "html" else None)
    app.connect("build-finished", warn_of_other_hosts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
