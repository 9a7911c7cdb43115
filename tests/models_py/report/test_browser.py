"""The page in a real browser: nothing asked for, nothing wrong, legible everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from planted_gold import asked
from report_house import Reported

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
PAPER = {"width": 718, "height": 1047}
"""A4 within its margins of a centimetre, at 96 dots an inch."""

UNFOLD = """{
  document.body.classList.remove("tabbed");
  document.querySelectorAll(".is-folded").forEach((one) => one.classList.remove("is-folded"));
}"""
"""Every tab below the other, as without scripts."""

CHECKS = Path(__file__).with_name("page_checks.js").read_text(encoding="utf-8")


@pytest.fixture
def tab(browser: Any, explained: Reported, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page in a tab of its own; what it says and asks for is kept beside it."""
    options: dict[str, Any] = {"viewport": DESK} | getattr(request, "param", {})
    context = browser.new_context(**options)
    page = context.new_page()
    page.heard, page.asked = [], []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(explained.page.as_uri())
    yield page
    context.close()


@pytest.mark.parametrize("tab", [{}, {"viewport": PHONE}], indirect=True, ids=["desk", "phone"])
def test_nothing_is_wrong_and_nothing_is_asked_for(tab: Any, explained: Reported) -> None:
    tab.mouse.wheel(0, 20_000)
    tab.wait_for_load_state("networkidle")
    assert tab.heard == []
    assert tab.asked == [explained.page.as_uri()]


def test_without_scripts_it_reads_the_same(browser: Any, explained: Reported) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(explained.page.as_uri())
    assert page.locator("figure svg path").count() > 50
    assert page.locator("article.card").count() == 3
    context.close()


@pytest.mark.parametrize(
    "tab", [{"viewport": PHONE}, {"viewport": DESK}], indirect=True, ids=["phone", "desk"]
)
def test_nothing_reaches_over_the_edge(tab: Any) -> None:
    width = tab.viewport_size["width"]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.evaluate(UNFOLD)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("tab", [{"viewport": PHONE}], indirect=True, ids=["phone"])
def test_a_phone_answers_in_a_screen_and_a_half(tab: Any) -> None:
    ends = "document.querySelector('{}').getBoundingClientRect().bottom / innerHeight"
    for part in (".answer", ".todo", ".compared"):
        assert tab.evaluate(ends.format(part)) <= 1.5, part
    row = tab.locator(".compared tbody tr").first
    assert row.locator("th a").is_visible()
    assert row.locator("td").first.is_visible()


@pytest.mark.parametrize("tab", [{"viewport": PHONE}], indirect=True, ids=["phone"])
def test_a_phone_folds_what_is_not_asked_for(tab: Any) -> None:
    screens = "document.documentElement.scrollHeight / innerHeight"
    folded = tab.evaluate(screens)
    card = tab.locator("article.card").first
    assert card.locator(".traits").is_visible()
    assert not card.locator("dl").first.is_visible()
    card.locator(".unfold").click()
    assert card.locator("dl").first.is_visible()
    assert not tab.locator("#figure-profile").is_visible()
    tab.evaluate("location.hash = 'profiles'")
    tab.locator("#figure-profile").wait_for()
    assert tab.locator("#profiles .unfold").get_attribute("aria-expanded") == "true"
    tab.set_viewport_size(DESK)
    tab.locator("#figure-shares").wait_for()
    assert tab.locator(".unfold").count() == 0
    assert card.locator("dl").first.is_visible()
    tab.set_viewport_size(PHONE)
    tab.evaluate(UNFOLD.replace('document.body.classList.remove("tabbed");', ""))
    assert tab.evaluate(screens) > 1.5 * folded


@pytest.mark.parametrize("tab", [{"viewport": PHONE}], indirect=True, ids=["phone"])
def test_what_scrolls_sideways_says_so(tab: Any) -> None:
    tab.evaluate(UNFOLD)
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.wait_for_timeout(200)
    scrolling = tab.evaluate(f"{CHECKS}.scrolling()")
    assert any(is_wider for _, is_wider, _ in scrolling)
    assert [row for row in scrolling if row[1] != row[2]] == []


@pytest.mark.parametrize(
    "tab", [{"viewport": PHONE}, {"viewport": DESK}], indirect=True, ids=["phone", "desk"]
)
def test_every_figure_drew_something(tab: Any) -> None:
    tab.evaluate(UNFOLD)
    figures = tab.evaluate(f"{CHECKS}.figures()")
    assert len(figures) >= 16
    for name, drawn, width, words in figures:
        assert drawn or words, name
        assert width > 200, name


@pytest.mark.parametrize(
    "tab",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}],
    indirect=True,
    ids=["light", "dark"],
)
def test_every_word_can_be_read(tab: Any) -> None:
    tab.evaluate(UNFOLD)
    result = tab.evaluate(f"{CHECKS}.texts()")
    assert len(result) > 300
    assert [row for row in result if row[0] < 4.5] == []
    assert min(tab.evaluate(f"{CHECKS}.marks()")) >= 3.0


def test_the_schemes_differ(browser: Any, explained: Reported) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(explained.page.as_uri())
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert grounds[0] != grounds[1]


@pytest.mark.parametrize("tab", [{"color_scheme": "dark"}], indirect=True)
def test_paper_is_white_and_whole(tab: Any) -> None:
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not tab.locator("nav.toc").is_visible()
    assert tab.locator("article.card").first.is_visible()
    paper = tab.pdf(format="A4")
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", paper)) <= 8


def test_no_heading_is_parted_from_what_it_heads(tab: Any) -> None:
    tab.emulate_media(media="print")
    tab.set_viewport_size(PAPER)
    printed = tab.evaluate(f"{CHECKS}.printed()")
    assert len(printed) >= 4
    for key, inside, tall in printed:
        assert inside == "avoid", key
        assert tall <= PAPER["height"], key


def test_a_segment_can_be_seen_alone(tab: Any) -> None:
    key = tab.locator("[data-only-of='2']")
    shown = "getComputedStyle(document.querySelector('#figure-pca .dots.of-{}')).strokeOpacity"
    key.click()
    tab.wait_for_timeout(300)
    assert key.get_attribute("aria-pressed") == "true"
    assert float(tab.evaluate(shown.format(2))) > 0.8
    assert float(tab.evaluate(shown.format(1))) < 0.2
    key.click()
    assert key.get_attribute("aria-pressed") == "false"


def test_two_segments_are_compared(tab: Any) -> None:
    for segment_id in ("1", "3"):
        tab.locator(f"[data-only-of='{segment_id}']").click()
    assert tab.locator("article.card:visible").count() == 2
    assert tab.locator(".compared tr.is-off").count() == 1
    versus = tab.locator("#versus")
    assert versus.locator("h2").inner_text() == "Segment 1 beside segment 3"
    profile = tab.locator("#figure-profile tbody tr").all()
    head = [row.inner_text().lower() for row in profile]
    first = versus.locator("tbody tr").first.inner_text().lower().split("\t")
    assert any(row.startswith(first[0]) and first[1] in row and first[2] in row for row in head)
    tab.locator(".keys .all").click()
    assert not versus.is_visible()
    assert tab.locator("article.card:visible").count() == 3


def test_flows_follow_the_chosen_segment(tab: Any, explained: Reported) -> None:
    moves = asked(
        explained.warehouse,
        "select from_segment_id, to_segment_id, entities from results.migrations where run_id = ?",
        [explained.run_id],
    )
    off = "document.querySelectorAll('.flow.is-off').length"
    tab.locator("[data-only-of='2']").click()
    assert tab.evaluate(off) == sum(2 not in (source, target) for source, target, _ in moves)
    stayed, came, left = (
        sum(n for source, target, n in moves if fits(source == 2, target == 2))
        for fits in (
            lambda was, now: was and now,
            lambda was, now: now and not was,
            lambda was, now: was and not now,
        )
    )
    words = f"Segment 2: {stayed} stayed, {came} came, {left} left."
    assert tab.locator("#figure-flows .moved").inner_text() == words
    lines = tab.locator("#figure-spending g[data-of]")
    assert [line.is_visible() for line in lines.all()].count(True) == 1
    tab.locator(".keys .all").click()
    assert tab.evaluate(off) == 0
    assert [line.is_visible() for line in lines.all()].count(True) == 3


def test_tabs_show_a_part_at_a_time(tab: Any) -> None:
    assert not tab.locator("#figure-tsne").is_visible()
    tab.locator(".tabs a", has_text="Why these").press("Enter")
    assert tab.locator("#figure-tsne").is_visible()
    assert not tab.locator("article.card").first.is_visible()
    tab.locator(".compared a").first.click()
    assert tab.locator("article.card").first.is_visible()


def test_tables_are_sorted_by_a_column(tab: Any) -> None:
    tab.locator(".tabs a", has_text="Data").click()
    title = tab.locator("#features table th", has_text="importance").first
    figures = tab.locator("#features table").first.locator("tbody td:nth-child(2)")
    title.locator("button").click()
    falling = [float(text) for text in figures.all_inner_texts()]
    title.locator("button").click()
    assert title.get_attribute("aria-sort") == "ascending"
    rising = [float(text) for text in figures.all_inner_texts()]
    assert falling == sorted(falling, reverse=True)
    assert rising == falling[::-1] or rising == sorted(falling)


def test_words_are_sorted_from_a_and_what_is_unknown_stands_last(tab: Any) -> None:
    tab.locator(".tabs a", has_text="Why these").click()
    table = tab.locator("#why .table-block table")
    for title, place in (("candidate", 1), ("stability", -1)):
        head = table.locator("thead th", has_text=title).first
        column = head.evaluate("(one) => one.cellIndex + 1")
        cells = table.locator(f"tbody td:nth-child({column})")
        orders = []
        for _ in range(2):
            head.locator("button").press("Enter")
            texts = [text.strip() for text in cells.all_inner_texts()]
            known = [text for text in texts if text != "\N{EN DASH}"]
            assert texts[: len(known)] == known
            is_text = place > 0
            orders.append([text.casefold() if is_text else float(text) for text in known])
        assert orders[0] == sorted(orders[0], reverse=place < 0)
        assert orders[1] == sorted(orders[1], reverse=place > 0)
    assert "\N{EN DASH}" in texts


def test_maps_zoom_and_come_back(tab: Any) -> None:
    tab.locator(".tabs a", has_text="Why these").click()
    figure = tab.locator("#figure-tsne")
    whole = figure.locator("svg").get_attribute("viewBox")
    figure.get_by_label("zoom in").click()
    assert figure.locator("svg").get_attribute("viewBox") != whole
    figure.get_by_label("show all").click()
    assert figure.locator("svg").get_attribute("viewBox") == whole


def test_pointing_tells_and_copying_copies(tab: Any) -> None:
    tab.locator(".tabs a", has_text="Why these").click()
    tab.locator("#figure-elbow circle.dot").last.hover()
    assert "k = 5" in tab.locator(".tip").inner_text()
    tab.locator(".tabs a", has_text="Segments").click()
    button = tab.locator(".copy").first
    button.click()
    tab.wait_for_timeout(100)
    assert button.inner_text() == "copied"
