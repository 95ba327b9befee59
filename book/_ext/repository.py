"""Where the book lives: one value, from the environment.

`BOOK_REPOSITORY=owner/name` (and, if it is not `main`, `BOOK_BRANCH`) is set by the workflow that
publishes the site. Unset, no page carries a link to a repository: no button is better than a dead one.
"""

from __future__ import annotations

import os
import re

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

GITHUB = "https://github.com"


def read_address(app: Sphinx, config: Config) -> None:
    repository = os.environ.get("BOOK_REPOSITORY", "").strip()
    if repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ConfigError(f"BOOK_REPOSITORY: got {repository!r}, wanted owner/name")
    config.book_repository = repository
    config.book_branch = os.environ.get("BOOK_BRANCH", "").strip() or "main"
    # Jupyter Book's default is its own repository, and the theme makes buttons of it.
    config.html_theme_options["repository_url"] = f"{GITHUB}/{repository}" if repository else ""
    config.html_theme_options["repository_branch"] = config.book_branch
    config.html_theme_options["use_repository_button"] = bool(repository)
    config.html_theme_options["use_edit_page_button"] = bool(repository)


def links(config: Config, source: str) -> list[tuple[str, str]]:
    """(text, address) of what can be done with a source file of the repository; nothing when it has no address."""
    if not config.book_repository:
        return []
    at = f"{config.book_repository}/{{}}/{config.book_branch}/{source}"
    edit = ("Edit this page", f"{GITHUB}/{at.format('edit')}")
    if not source.endswith(".ipynb"):
        return [edit]
    colab = f"https://colab.research.google.com/github/{at.format('blob')}"
    binder = f"https://mybinder.org/v2/gh/{config.book_repository}/{config.book_branch}?labpath={source}"
    return [("Open in Colab", colab), ("Open in Binder", binder), edit]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("book_repository", "", "env")
    app.add_config_value("book_branch", "main", "env")
    app.connect("config-inited", read_address, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
