"""What a reader does with the pages: choose a framework, search, print, run nothing, play with what moves."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from watch import Watch, settle

from attnlstm_ref.numpy import attend, effective_length, entropy, softmax


def with_tabs(chapters: list[str], site: Path) -> list[str]:
    """Chapters that offer both frameworks."""
    text = {path: (site / path).read_text(encoding="utf-8") for path in chapters}
    found = [path for path in chapters if all(f'data-sync-id="{name}"' in text[path] for name in ("torch", "keras"))]
    assert len(found) >= 2, "fewer than two chapters with framework tabs"
    return found


def chosen(page: Page) -> set[str]:
    """The frameworks whose tabs are open, one name if all sets agree."""
    return set(
        page.evaluate("""() => [...document.querySelectorAll('.framework-tabs')]
        .filter(set => set.querySelector('[data-sync-id=torch]') && set.querySelector('[data-sync-id=keras]'))
        .map(set => set.querySelector('input:checked + label').dataset.syncId)""")
    )


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_tabs_switch_together_and_are_remembered(
    page: Page, chapters: list[str], site: Path, server: str, scheme: str
) -> None:
    first, second = with_tabs(chapters, site)[:2]
    home = server if scheme == "http" else site.as_uri() + "/"
    page.goto(home + first)
    for name in ("keras", "torch", "keras"):
        page.locator(f'.framework-tabs label[data-sync-id="{name}"]').first.click()
        assert chosen(page) == {name}
        shown = page.locator(f'.framework-tabs label[data-sync-id="{name}"] + .sd-tab-content').first
        expect(shown).to_be_visible()
    page.goto(home + second)
    assert chosen(page) == {"keras"}


def test_tabs_by_keyboard_and_by_address(page: Page, chapters: list[str], site: Path, server: str) -> None:
    path = with_tabs(chapters, site)[0]
    page.goto(f"{server}{path}?framework=keras")
    assert chosen(page) == {"keras"}
    page.locator('.framework-tabs:has(label[data-sync-id="keras"]) input:checked').first.focus()
    page.keyboard.press("ArrowLeft")
    assert chosen(page) == {"torch"}
    page.keyboard.press("ArrowRight")
    assert chosen(page) == {"keras"}


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_additive(page: Page, chapters: list[str], site: Path, server: str, scheme: str) -> None:
    watch = Watch(page, server if scheme == "http" else site.as_uri() + "/")
    watch.open("search.html?q=additive")
    results = page.locator("#search-results li a")
    expect(results.first).to_be_visible()
    page.wait_for_function("document.querySelector('#search-results p.search-summary')?.textContent.includes('found')")
    assert any("06_additive" in (each.get_attribute("href") or "") for each in results.all())
    assert not watch.complaints, watch.complaints


def test_paper_shows_both_tabs_and_what_is_folded(page: Page, chapters: list[str], site: Path, server: str) -> None:
    page.goto(server + with_tabs(chapters, site)[0])
    settle(page)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for content in page.locator(".framework-tabs .sd-tab-content").all():
        expect(content).to_be_visible()
    folded = page.locator("article details")
    assert folded.count() > 0
    for each in folded.all():
        assert each.evaluate("node => node.open"), each.inner_text()[:80]
    expect(page.locator(".bd-sidebar-primary")).to_be_hidden()


def test_readable_without_scripts(browser: Browser, chapters: list[str], server: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + chapters[0])
    expect(page.locator("article h1")).to_be_visible()
    assert len(page.locator("article").inner_text().split()) > 200
    context.close()


def test_the_line_under_the_title(chapters: list[str], site: Path) -> None:
    """Times and a download that is there; links to a repository only where its address is known."""
    repository = os.environ.get("BOOK_REPOSITORY", "").strip()
    for path in chapters:
        text = (site / path).read_text(encoding="utf-8")
        line = re.search(r'<p class="chapter-info">(.*?)</p>', text, re.DOTALL)
        assert line, f"{path}: no line under the title"
        assert re.search(r"\d+ min to read", line[1])
        download = re.search(r'href="([^"]+\.ipynb)" download', line[1])
        assert download and ((site / path).parent / download[1]).is_file()
        assert json.loads(((site / path).parent / download[1]).read_text(encoding="utf-8"))["cells"]
        hosts = set(re.findall(r"colab\.research\.google\.com|mybinder\.org|github\.com/[\w.-]+/[\w.-]+", line[1]))
        assert (len(hosts) >= 3 and all(repository in h for h in hosts if "/" in h)) if repository else not hosts


def test_no_dead_button_without_an_address(pages: list[str], site: Path) -> None:
    if os.environ.get("BOOK_REPOSITORY", "").strip():
        pytest.skip("BOOK_REPOSITORY is set: the buttons are alive")
    for path in pages:
        text = (site / path).read_text(encoding="utf-8")
        bar = text[text.find('class="bd-header-article') : text.find("<article")]
        assert "github" not in bar.lower() and "thebe" not in text.lower(), path
        assert not re.search(r'href="https?://(github\.com/executablebooks|mybinder|colab)', text), path


# --- the soft dictionary of chapter 4 ---------------------------------------------------------------------------


@pytest.fixture
def widget(page: Page, chapters: list[str], site: Path, server: str) -> Page:
    path = next((each for each in chapters if "soft_dictionary" in each), None)
    assert path is not None, "chapter 4 is not a page"
    page.goto(server + path)
    settle(page)
    assert page.locator(".soft-dictionary.sd-ready").count() == 1, "chapter 4 has no soft dictionary"
    return page


def test_widget_computes_what_the_package_computes(widget: Page) -> None:
    rng = np.random.default_rng(0)
    for temperature in (0.05, 0.5, 1.0, 5.0):
        scores = rng.normal(scale=4.0, size=7)
        got = widget.evaluate("([s, t]) => softDictionary.softmax(s, t)", [scores.tolist(), temperature])
        np.testing.assert_allclose(got, softmax(scores, temperature=temperature), atol=1e-6)
    assert widget.evaluate("softDictionary.softmax([1000, 0])") == [1, 0]


def test_widget_shows_what_the_package_computes(widget: Page) -> None:
    host = widget.locator(".soft-dictionary")
    keys, values = (np.array(widget.evaluate(f"softDictionary.{name}")) for name in ("keys", "values"))

    def check() -> tuple[np.ndarray, np.ndarray]:
        query = np.array(json.loads(host.get_attribute("data-query") or ""))
        temperature = np.exp(float(widget.locator(".soft-dictionary input[type=range]").input_value()))
        weights = softmax(keys @ query, temperature=temperature)
        np.testing.assert_allclose(json.loads(host.get_attribute("data-weights") or ""), weights, atol=1e-6)
        shown = widget.locator(".soft-dictionary li .sd-number").all_inner_texts()
        np.testing.assert_allclose([float(each) for each in shown], weights, atol=0.0051)
        context, _ = attend(
            query[None], keys, values, temperature=temperature, score=lambda query, keys: query @ keys.T
        )
        dot = widget.locator(".soft-dictionary .sd-context")
        at = [float(dot.get_attribute("cx") or ""), -float(dot.get_attribute("cy") or "")]
        np.testing.assert_allclose(at, 100 * context[0], atol=0.006)
        return query, weights

    start, _ = check()

    widget.locator(".soft-dictionary .sd-handle").focus()  # the keyboard
    widget.keyboard.press("ArrowRight")
    widget.keyboard.press("Shift+ArrowDown")
    by_keys, before = check()
    np.testing.assert_allclose(by_keys - start, [0.05, -0.25], atol=1e-9)

    slider = widget.locator(".soft-dictionary input[type=range]")  # the temperature
    slider.fill("-3")
    _, sharp = check()
    assert sharp.max() > before.max()

    box = widget.locator(".soft-dictionary .sd-stage").bounding_box()  # the mouse
    assert box is not None
    widget.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"])
    widget.mouse.down()
    widget.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.6 * box["height"])
    widget.mouse.up()
    by_mouse, _ = check()
    assert by_mouse[0] < 0 and by_mouse[1] < 0


def test_widget_by_touch(browser: Browser, chapters: list[str], server: str) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 667}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server + next(each for each in chapters if "soft_dictionary" in each))
    settle(page)
    stage = page.locator(".soft-dictionary .sd-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None and box["width"] >= 120
    page.touchscreen.tap(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    query = json.loads(page.locator(".soft-dictionary").get_attribute("data-query") or "")
    assert query[0] < 0 < query[1]
    context.close()


def test_widget_leaves_words_where_it_cannot_run(browser: Browser, chapters: list[str], server: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + next(each for each in chapters if "soft_dictionary" in each))
    assert page.locator(".soft-dictionary").inner_text().strip()
    context.close()


# --- the temperature slider of chapter 7 ------------------------------------------------------------------------


def slider_chapter(chapters: list[str]) -> str:
    path = next((each for each in chapters if "temperature" in each), None)
    assert path is not None, "chapter 7 is not a page"
    return path


@pytest.fixture
def slider(page: Page, chapters: list[str], server: str) -> Page:
    page.goto(server + slider_chapter(chapters))
    settle(page)
    assert page.locator(".temperature-slider.ts-ready").count() == 1, "chapter 7 has no slider"
    return page


def test_slider_computes_what_the_package_computes(slider: Page) -> None:
    rng = np.random.default_rng(0)
    for temperature in (0.05, 0.5, 1.0, 5.0, 20.0):
        scores = rng.normal(scale=3.0, size=9)
        weights = softmax(scores, temperature=temperature)
        got = slider.evaluate(
            """([scores, t]) => { const s = temperatureSlider, w = s.softmax(scores, t);
            return [w, s.entropy(w), s.effectiveLength(w), s.passes(w, t)] }""",
            [scores.tolist(), temperature],
        )
        np.testing.assert_allclose(got[0], weights, atol=1e-6)
        np.testing.assert_allclose(got[1], entropy(weights), atol=1e-6)
        np.testing.assert_allclose(got[2], effective_length(weights), atol=1e-6)
        jacobian = weights[:, None] * (np.eye(9) - weights) / temperature
        np.testing.assert_allclose(got[3], np.linalg.norm(jacobian), atol=1e-6)
    assert slider.evaluate("temperatureSlider.softmax([1000, 0])") == [1, 0]
    assert slider.evaluate("temperatureSlider.entropy([1, 0])") == 0
    assert slider.evaluate("temperatureSlider.effectiveLength([0, 0])") == 0


def test_slider_shows_what_the_package_computes(slider: Page) -> None:
    host = slider.locator(".temperature-slider")

    def check() -> tuple[float, np.ndarray, np.ndarray]:
        data = {
            key: json.loads(host.get_attribute(f"data-{key}") or "") for key in ("scores", "weights", "temperature")
        }
        weights = softmax(np.array(data["scores"], dtype=float), temperature=float(data["temperature"]))
        np.testing.assert_allclose(data["weights"], weights, atol=1e-6)
        shown = host.locator(".ts-weight").all_inner_texts()
        np.testing.assert_allclose([float(each) for each in shown], weights, atol=0.0051)
        h, n, _ = host.locator("dd").all_inner_texts()
        np.testing.assert_allclose([float(h), float(n)], [entropy(weights), effective_length(weights)], atol=0.0051)
        said = [each.get_attribute("aria-valuetext") or "" for each in host.locator("input").all()]
        heard = [float(re.findall(r"[\d.]+", text)[-2 if i == 0 else -1]) for i, text in enumerate(said)]
        np.testing.assert_allclose(heard[0], effective_length(weights), atol=0.051)
        np.testing.assert_allclose(heard[1:], weights, atol=0.0051)
        return data["temperature"], np.array(data["scores"]), weights

    start, scores, before = check()
    assert start == 1.0

    slider.get_by_label("Temperature τ").focus()  # the keyboard
    for _ in range(5):
        slider.keyboard.press("ArrowLeft")
    colder, _, sharp = check()
    assert 0.6 < colder < 0.65 and sharp.max() > before.max()
    slider.keyboard.press("Home")
    assert abs(check()[0] - 0.05) < 1e-6
    slider.keyboard.press("End")
    assert abs(check()[0] - 20) < 1e-3

    slider.get_by_label("Score of “the”").focus()
    slider.keyboard.press("ArrowRight")
    np.testing.assert_allclose(check()[1] - scores, [0, 0, 0, 0, 0.1, 0, 0, 0], atol=1e-9)

    slider.get_by_role("button", name="Level the scores").press("Enter")
    np.testing.assert_allclose(check()[2], 1 / 8, atol=1e-12)
    slider.get_by_role("button", name="Back to the start").click()
    again, as_before, _ = check()
    assert again == 1.0 and (as_before == scores).all()


def test_slider_is_not_chatty(slider: Page) -> None:
    """What is read out waits until the reader stops."""
    said = slider.locator(".temperature-slider [aria-live]")
    assert said.count() == 1
    expect(said).to_contain_text("At τ = 1.0")
    slider.evaluate("""() => { window.changes = 0; new MutationObserver(() => window.changes++)
        .observe(document.querySelector('.ts-said'), {childList: true, characterData: true, subtree: true}) }""")
    slider.get_by_label("Temperature τ").focus()
    for _ in range(12):
        slider.keyboard.press("ArrowRight")
    expect(said).to_contain_text("At τ = 3.1")
    assert slider.evaluate("window.changes") <= 2


def test_slider_gives_way_to_its_still(browser: Browser, slider: Page, chapters: list[str], server: str) -> None:
    still = ".tag_temperature-still img"
    expect(slider.locator(still)).to_be_hidden()
    expect(slider.locator(".ts-live")).to_be_visible()
    slider.emulate_media(media="print")
    expect(slider.locator(still)).to_be_visible()
    expect(slider.locator(".ts-live")).to_be_hidden()

    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server + slider_chapter(chapters))
    expect(page.locator(still)).to_be_visible()
    assert len(page.locator(still).get_attribute("alt") or "") > 100
    assert page.locator(".temperature-slider").inner_text().strip()
    context.close()


def test_slider_on_a_phone(browser: Browser, chapters: list[str], server: str) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 667}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server + slider_chapter(chapters))
    settle(page)
    for each in page.locator(".temperature-slider :is(input, button)").all():
        box = each.bounding_box()
        assert box is not None and box["height"] >= 24 and box["x"] >= 0 and box["x"] + box["width"] <= 375
    tau = page.get_by_label("Temperature τ")
    tau.scroll_into_view_if_needed()
    box = tau.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 0.1 * box["width"], box["y"] + 0.5 * box["height"])
    assert float(page.locator(".temperature-slider").get_attribute("data-temperature") or "") < 0.2
    context.close()


def test_slider_stays_on_its_page(page: Page, chapters: list[str], server: str) -> None:
    page.goto(server + next(each for each in chapters if "soft_dictionary" in each))
    settle(page)
    assert page.locator(".ts-live, .ts-replaced").count() == 0


# --- the switches of chapter 11 ----------------------------------------------------------------------------------


def leaks_chapter(chapters: list[str]) -> str:
    path = next((each for each in chapters if "forecasting" in each), None)
    assert path is not None, "chapter 11 is not a page"
    return path


def test_leak_switches_show_what_the_chapter_computed(page: Page, chapters: list[str], server: str) -> None:
    page.goto(server + leaks_chapter(chapters))
    settle(page)
    host = page.locator(".leak-switches.ls-ready")
    assert host.count() == 1, "chapter 11 has no switches"
    scores = json.loads(host.get_attribute("data-scores") or "")
    assert len(scores) == 64
    boxes = host.locator("input[type=checkbox]")
    on: list[str] = []
    for model in ("ridge", "neighbours"):
        host.locator(f"input[value={model}]").check()
        for box in boxes.all():
            box.check()
            on = [each.get_attribute("value") or "" for each in boxes.all() if each.is_checked()]
            skill, right = host.locator("dd").all_inner_texts()
            wanted = scores["|".join([model, *on])]
            np.testing.assert_allclose(float(skill.replace("−", "-")), wanted[0], atol=0.0051)
            np.testing.assert_allclose(float(right.split()[0]), 100 * wanted[1], atol=0.51)
        assert len(on) == 5
        host.get_by_role("button", name="All switches off").click()
        assert not any(box.is_checked() for box in boxes.all())
    expect(page.locator(".ls-said")).to_contain_text("no leak")


def test_leak_switches_give_way_to_their_still(browser: Browser, page: Page, chapters: list[str], server: str) -> None:
    page.goto(server + leaks_chapter(chapters))
    settle(page)
    still = ".tag_leaks-still img"
    expect(page.locator(still)).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator(still)).to_be_visible()
    expect(page.locator(".ls-live")).to_be_hidden()

    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(server + leaks_chapter(chapters))
    expect(plain.locator(still)).to_be_visible()
    assert plain.locator(".leak-switches").inner_text().strip()
    context.close()
