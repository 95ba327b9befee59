"""Open a page, wait until it has settled, and note what it asked for and what it complained about."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page, Request


class Watch:
    """Requests that leave the site, answers that failed, and every word on the console."""

    def __init__(self, page: Page, home: str) -> None:
        self.page, self.home = page, home
        self.complaints: list[str] = []
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", lambda answer: answer.status >= 400 and self.complaints.append(f"missing: {answer.url}"))
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.complaints.append(f"outside: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the browser itself gave up, on the way to the next page
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def _console(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"console: {message.text}")

    def open(self, path: str) -> None:
        self.page.goto(self.home + path, wait_until="load")
        settle(self.page)


def settle(page: Page) -> None:
    """Wait for the formulas, where there are any, and for the fonts."""
    page.evaluate("() => window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => {}) : null")
    page.evaluate("() => document.fonts.ready.then(() => {})")
