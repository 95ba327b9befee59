"""The ledger of claims in a browser: whole without scripts, and narrowed by keyboard with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from watch import settle

LEDGER = "book/ledger.html"
CLAIMS = 23


@pytest.fixture
def ledger(page: Page, server: str) -> Page:
    page.goto(server + LEDGER)
    settle(page)
    return page


def shown(page: Page) -> int:
    return page.locator(".ledger-head:visible").count()


def test_whole_without_scripts(browser: Browser, server: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + LEDGER)
    assert shown(page) == CLAIMS
    assert page.locator(".ledger-filter").count() == 0  # no control that does nothing
    context.close()


def test_counts_at_the_top_are_those_of_the_rows(ledger: Page) -> None:
    counted = dict(
        zip(
            ledger.locator("table .ledger-badge").all_inner_texts(),
            map(int, ledger.locator("table tr td:nth-child(2)").all_inner_texts()),
            strict=True,
        )
    )
    rows = ledger.locator(".ledger-head .ledger-badge").all_inner_texts()
    assert sum(counted.values()) == len(rows) == CLAIMS
    assert {verdict: rows.count(verdict) for verdict in counted} == counted


def test_narrowed_by_keyboard_and_said_aloud(ledger: Page) -> None:
    said = ledger.get_by_role("status")
    expect(said).to_have_text(f"{CLAIMS} of {CLAIMS} claims")
    assert said.get_attribute("aria-live") == "polite"

    verdict, chapter = ledger.get_by_label("Verdict"), ledger.get_by_label("Chapter", exact=True)
    verdict.focus()
    ledger.keyboard.press("ArrowDown")
    chosen = verdict.evaluate("select => select.value")
    some = ledger.locator(f".ledger-head.verdict-{chosen}").count()
    assert chosen and shown(ledger) == some
    expect(said).to_have_text(f"{some} of {CLAIMS} claims")
    assert f"verdict={chosen}" in ledger.url

    ledger.keyboard.press("Tab")
    assert chapter.evaluate("select => select === document.activeElement")
    verdict.select_option("")
    chapter.select_option("7")
    assert shown(ledger) == 2 and "verdict=" not in ledger.url
    assert all(ledger.locator(".ledger-head.chapter-7").nth(i).is_visible() for i in range(2))

    ledger.get_by_role("button", name="Show all").press("Enter")
    assert shown(ledger) == CLAIMS and "?" not in ledger.url


def test_an_address_narrows_it_and_a_link_to_a_claim_widens_it(page: Page, server: str) -> None:
    page.goto(f"{server}{LEDGER}?chapter=7&verdict=nonsense")
    settle(page)
    assert shown(page) == 2
    page.evaluate("location.hash = '#claim-distributed'")
    expect(page.locator(".ledger-head.chapter-19")).to_be_in_viewport()
    assert shown(page) == CLAIMS
    page.goto(f"{server}{LEDGER}?chapter=7#claim-distributed")
    settle(page)
    assert shown(page) == CLAIMS


def test_a_verdict_is_a_word_and_its_sign_is_drawn(ledger: Page) -> None:
    for badge in ledger.locator(".ledger-badge").all():
        assert badge.inner_text().strip()
        mask = badge.evaluate("node => getComputedStyle(node, '::before').maskImage")
        assert mask.startswith('url("data:image/svg+xml')


def test_every_figure_has_words_and_letters_of_a_size_to_read(browser: Browser, server: str, site: Path) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 667}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server + LEDGER)
    settle(page)
    figures = page.locator("svg.ledger-figure")
    tested = len(re.findall(r"verdict-(?!not-yet-tested)\S+ chapter-", (site / LEDGER).read_text(encoding="utf-8")))
    assert figures.count() == tested > 0
    for figure in figures.all():
        assert len(figure.get_attribute("aria-label") or "") > 100
        over = figure.evaluate("""svg => {
            const edge = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()])
                .filter(([, box]) => box.right > edge.right + 1 || box.left < edge.left - 1 || box.height < 12)
                .map(([words]) => words);
        }""")
        assert not over, f"cut off or too small: {over}"
    context.close()
