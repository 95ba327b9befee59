"""The cheat sheet is one sheet, and readable without scrolling sideways."""

from __future__ import annotations

import io

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PdfReader
from watch import settle

PATH = "book/cheat_sheet.html"


def test_it_prints_on_one_sheet_lying_down(page: Page, server: str) -> None:
    page.goto(server + PATH)
    settle(page)
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert len(sheets) == 1
    assert sheets[0].mediabox.width > sheets[0].mediabox.height
    text = sheets[0].extract_text()
    assert "The scores on one page" in text and "Nothing to attend to" in text


@pytest.mark.parametrize("width", [375, 1280])
def test_no_part_of_the_table_is_cut_off(browser: Browser, server: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(server + PATH)
    settle(page)
    cells = page.locator(".cheat-sheet table td").evaluate_all(
        "cells => cells.map(cell => [cell.getBoundingClientRect().right, cell.scrollWidth - cell.clientWidth])"
    )
    assert len(cells) > 50
    assert all(right <= width and over <= 1 for right, over in cells)
    context.close()
