"""The built book, and a real browser to look at it with."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built pages: `BOOK_HTML`, or where `make book` puts them."""
    folder = Path(os.environ.get("BOOK_HTML") or ROOT / "_build" / "html").resolve()
    if not (folder / "book" / "index.html").is_file():
        pytest.fail(f"No built book in {folder}: run `make book` first, or set BOOK_HTML.", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> list[str]:
    """Every page, as a path inside the site. The first `index.html` only sends on to book/index.html."""
    found = [path.relative_to(site) for path in sorted(site.rglob("*.html"))]
    return [path.as_posix() for path in found if path.parts[0] not in ("_static", "_sources", "index.html")]


@pytest.fixture(scope="session")
def chapters(pages: list[str]) -> list[str]:
    return [page for page in pages if page.startswith("notebooks/")]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """The site over http, as a reader's browser would get it. Yields its address, ending in a slash."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def executable() -> str | None:
    named = os.environ.get("BOOK_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return named if named and Path(named).exists() else None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: the one named by `BOOK_BROWSER`, the system's, or playwright's own."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = executable() or (own if Path(own).exists() else None)
        if path is None:
            pytest.fail(
                "No Chromium: install it (`apt-get install chromium`, or `playwright install chromium`), "
                "or name one in BOOK_BROWSER.",
                pytrace=False,
            )
        running = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of a browser that remembers nothing, on a laptop's screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()
