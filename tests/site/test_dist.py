"""The book to take away: bound in order, with both frameworks and every link inside it, and a zip that is the site."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser
from pypdf import PdfWriter

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dist() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_dist", ROOT / "book" / "make_dist.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reading_order(dist: ModuleType, browser: Browser, site: Path, chapters: list[str]) -> None:
    order = dist.order(browser, site)
    assert order[0] == "book/index.html"
    assert [path for path in order if path in chapters] == sorted(chapters)
    assert len(order) == len(set(order)) and all((site / path).is_file() for path in order)


def test_pages_on_paper(dist: ModuleType, browser: Browser, site: Path, chapters: list[str]) -> None:
    """Two pages that link to each other, printed and bound as the whole book is."""
    book, starts = PdfWriter(), {}
    for path in ("book/index.html", chapters[-1]):
        starts[path] = len(book.pages)
        title, sheets = dist.printed(browser, site / path, len(book.pages) + 1)
        book.append(sheets, outline_item=title, import_outline=False)
    dist.link_inside(book, site, starts)

    assert next(entry.title for entry in book.outline) == "Attention-LSTM, step by step"
    notes = [note.get_object() for sheet in book.pages for note in sheet.get("/Annots", [])]
    assert not [note for note in notes if "file:" in str(note.get("/A", ""))]
    led = [note["/Dest"][0].get_object() for note in notes if "/Dest" in note and isinstance(note["/Dest"], list)]
    assert book.pages[starts[chapters[-1]]] in led, "the map of chapters does not lead to the chapter"
    text = "".join(sheet.extract_text() for sheet in book.pages)
    assert "# PyTorch" in text and "# Keras" in text, "a tab is missing on paper"


def test_zip_is_the_site(dist: ModuleType, site: Path, tmp_path: Path) -> None:
    dist.write_zip(site, tmp_path / "book.zip")
    with zipfile.ZipFile(tmp_path / "book.zip") as archive:
        assert archive.testzip() is None
        names = {name.split("/", 1)[1] for name in archive.namelist()}
    assert names == {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert list(tmp_path.iterdir()) == [tmp_path / "book.zip"], "something half-written was left behind"


def test_without_a_book_it_says_so(dist: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make_dist.py", "--html", str(tmp_path)])
    with pytest.raises(SystemExit, match="run `make book` first"):
        dist.main()
