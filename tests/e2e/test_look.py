"""The house in a real browser: theme, focus, errors, widths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, expect

from tests.e2e.house import Show, stage
from tests.e2e.test_drop_zone import ZONES


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    yield from stage(browser)


def test_the_theme_follows_the_system_until_told_otherwise(show: Show) -> None:
    page = show("<p>words</p>")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert light != dark
    page.get_by_role("button", name="Change between light and dark").click()
    assert page.evaluate(paper) == light
    page.reload()
    assert page.evaluate(paper) == light  # kept
    page.get_by_role("button", name="Change between light and dark").click()
    assert page.evaluate(paper) == dark
    page.emulate_media(color_scheme="light")
    assert page.evaluate(paper) == light  # both agreed: it follows the system again


ERRORS = [{"field": "name", "message": "Enter a name.", "hint": ""}]
NAMED = """{% include "components/error_summary.html" %}<label for="id_name">Name</label>
<input id="id_name" name="name">"""


def test_the_focus_goes_to_the_errors_and_on_to_the_field(show: Show) -> None:
    page = show(NAMED, errors=ERRORS)
    expect(page.get_by_role("alert")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#id_name")).to_be_focused()


POST = """<form hx-post="/answer" hx-target="#said"><div id="said"></div>
<label for="id_name">Name</label><input id="id_name" name="name" value="kept">
<button>Send</button></form>"""


def test_htmx_shows_errors_in_place_and_pages_as_a_sentence(show: Show) -> None:
    page = show(POST)
    summary = render_to_string("components/error_summary.html", {"errors": ERRORS})
    page.route("**/answer", lambda route: route.fulfill(status=422, body=summary))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert page.locator("#id_name").input_value() == "kept"
    whole = render_to_string("413.html")
    page.route("**/answer", lambda route: route.fulfill(status=413, body=whole))
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#toasts")).to_contain_text("That is too large to send.")
    expect(page.locator("main")).to_have_count(1)
    page.route("**/answer", lambda route: route.abort())
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#toasts")).to_contain_text("The server cannot be reached.")


RULER = '{% include "components/ruler.html" with distance=0.9 threshold=0.1 max=0.8 %}'


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_is_wider_than_its_window(show: Show, width: int) -> None:
    page = show(ZONES + RULER, 'import "/static/js/lib/drop-zone.js";')
    page.set_viewport_size({"width": width, "height": 800})
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0  # below 0 where a scrollbar's place is kept
