"""What a reader can take away: the whole book as one PDF, and the site as a zip that opens without a network.

    python book/make_dist.py [--html _build/html] [--out dist]

The PDF is printed by Chromium page by page, in the order of the side bar, and bound with bookmarks: every tab and
every solution is on paper.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urljoin

from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject

NAME = "attention-lstm-step-by-step"
LEFT_OUT = {"search.html", "genindex.html", "py-modindex.html"}  # of no use on paper


def chromium() -> str | None:
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return os.environ.get("BOOK_BROWSER") or next(filter(None, map(shutil.which, names)), None)


def order(browser: Browser, html: Path) -> list[str]:
    """The pages in reading order: the first one, then the links of its side bar."""
    page = browser.new_page()
    page.goto((html / "book" / "index.html").as_uri())
    found = page.eval_on_selector_all("nav.bd-links a.internal", "links => links.map(a => a.getAttribute('href'))")
    page.close()
    paths = [urljoin("book/index.html", each.split("#")[0]) for each in found]
    return [path for path in dict.fromkeys(["book/index.html", *paths]) if path not in LEFT_OUT]


def printed(browser: Browser, file: Path, first: int) -> tuple[str, PdfReader]:
    """A page's title, and the page on paper, its sheets numbered from `first`."""
    page = browser.new_page(color_scheme="light")
    page.goto(file.as_uri())
    page.evaluate("() => window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => {}) : null")
    page.evaluate("() => { document.querySelectorAll('details').forEach(each => { each.open = true }) }")
    page.evaluate("() => document.querySelectorAll('.headerlink').forEach(each => each.remove())")
    page.evaluate("() => document.getAnimations().forEach(each => each.finish())")
    page.evaluate("() => document.fonts.ready.then(() => {})")
    # The style sheet prints the number; the counter is raised once before the first sheet shows it.
    page.add_style_tag(content=f"html {{ counter-reset: page {first - 1}; }}")
    title = page.locator("article h1").first.inner_text()
    sheets = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
    page.close()
    return title.strip(), PdfReader(io.BytesIO(sheets))


def link_inside(book: PdfWriter, html: Path, starts: dict[str, int]) -> None:
    """Make links from page to page lead to their sheets; one to a file that is not in the PDF is taken out."""
    home = html.as_uri() + "/"
    for sheet in book.pages:
        kept = ArrayObject()
        for reference in sheet.get("/Annots", ArrayObject()):
            note = reference.get_object()
            address = str(note.get("/A", {}).get("/URI", ""))
            if address.startswith("file:"):
                path = unquote(address.removeprefix(home).split("#")[0].split("?")[0])
                if path not in starts:
                    continue
                del note["/A"]
                target = book.pages[starts[path]].indirect_reference
                note[NameObject("/Dest")] = ArrayObject([target, NameObject("/Fit")])
            kept.append(reference)
        if "/Annots" in sheet:
            sheet[NameObject("/Annots")] = kept


def write_pdf(html: Path, target: Path) -> int:
    """Print and bind; returns the number of sheets."""
    with sync_playwright() as playwright:
        path = chromium() or playwright.chromium.executable_path
        if not Path(path).exists():
            sys.exit("No Chromium: install it (apt-get install chromium, or playwright install chromium).")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        book, starts = PdfWriter(), dict[str, int]()
        paths = order(browser, html)
        for number, path in enumerate(paths, 1):
            print(f"[{number}/{len(paths)}] {path}", flush=True)
            starts[path] = len(book.pages)
            title, sheets = printed(browser, html / path, len(book.pages) + 1)
            book.append(sheets, outline_item=title, import_outline=False)
        browser.close()
    link_inside(book, html, starts)
    book.add_metadata({"/Title": "Attention-LSTM, step by step"})
    book.compress_identical_objects()
    atomically(target, lambda temporary: book.write(temporary))
    return len(book.pages)


def write_zip(html: Path, target: Path) -> None:
    """The site in one folder, the page to open first on top."""

    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(path for path in html.rglob("*") if path.is_file()):
                archive.write(file, Path(NAME) / file.relative_to(html))

    atomically(target, write)


def atomically(target: Path, write: Callable[[Path], object]) -> None:
    """Nothing half-written: the file appears under its name when it is whole."""
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=target.suffix, delete=False) as file:
        temporary = Path(file.name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=Path("_build/html"), help="the built site (default: _build/html)")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="where to put both (default: dist)")
    options = parser.parse_args()
    html = options.html.resolve()
    if not (html / "book" / "index.html").is_file():
        sys.exit(f"No built book in {options.html}: run `make book` first.")
    options.out.mkdir(parents=True, exist_ok=True)
    pdf, archive = options.out / f"{NAME}.pdf", options.out / f"{NAME}.zip"
    sheets = write_pdf(html, pdf)
    write_zip(html, archive)
    for path, note in [(pdf, f"{sheets} pages"), (archive, "unpack, open index.html")]:
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB, {note}")


if __name__ == "__main__":
    main()
