"""The slides are made from the chapter as it stands, fetch nothing from elsewhere, and fill an hour."""

from __future__ import annotations

import re

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from assignments import slides

PLAN = {name: yaml.safe_load((slides.PLANS / f"{name}.yml").read_text("utf-8")) for name in slides.NAMES}
FOREIGN = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^)"']+""")


@pytest.fixture(scope="module", params=slides.NAMES)
def made(request, tmp_path_factory):
    page = slides.build(request.param, tmp_path_factory.mktemp("slides"))
    return PLAN[request.param], page, BeautifulSoup(page.read_text("utf-8"), "html.parser")


def test_nothing_comes_from_another_host(made):
    _, page, deck = made
    assert page.exists() and "require(" not in page.read_text("utf-8")
    for tag in deck.select("[src], [href]"):
        address = tag.get("src") or tag.get("href") or ""
        assert not re.match(r"(?:https?:)?//", address), tag
        if tag.name in ("script", "link"):
            assert (page.parent / address).is_file(), f"{address} is not beside the slides"
    for text in [page, *page.parent.rglob("*.css")]:
        assert not FOREIGN.findall(text.read_text("utf-8"))


def test_every_slide_stands_and_has_notes(made):
    plan, _, deck = made
    found = deck.select(".slides > section > section")
    assert len(found) == len(plan["slides"]) and 18 <= len(found) <= 26
    for slide, section in zip(plan["slides"], found, strict=True):
        heading = section.find(["h1", "h2"])
        assert heading and slide.get("title", plan["title"]) in heading.text
        assert len(section.select("aside.notes")) == 1 and len(section.find("aside").text.split()) > 15
        assert section["data-timing"] == str(60 * slide["minutes"])
    assert 45 <= sum(slide["minutes"] for slide in plan["slides"]) <= 60


def test_what_is_shown_is_the_chapters_and_fits(made):
    plan, _, deck = made
    chapter = {cell.id: cell for cell in nbformat.read(slides.HERE.parent / plan["chapter"], as_version=4).cells}
    for slide in plan["slides"]:
        for item in slide["show"]:
            assert ("cell" in item) == ("say" not in item and item.get("ask", True) is True)
            if "cell" in item:
                assert slides.cell_of(item, chapter).source
    for code in deck.select(".jp-InputArea-editor pre"):
        lines = code.text.strip("\n").split("\n")
        assert len(lines) <= 14 and max(map(len, lines)) <= 92, code.text
    for picture in deck.select("img"):
        assert len(picture["alt"].split()) > 10
    shown = deck.select_one(".slides").text
    assert not re.search(r"\{cite|\.ipynb|assert ", shown), "a reference or a test that means nothing on a slide"


def test_words_that_left_the_chapter_are_missed():
    assert slides.part("One two\nthree. Four.\n\nFive.", "two three") == "two\nthree. Four."
    assert slides.part("One two\nthree. Four.\n\nFive.", "One", "three.") == "One two\nthree."
    with pytest.raises(ValueError, match="not in the chapter"):
        slides.part("One two", "three")
