"""What the network sees, in a real browser: from an empty page to a unit's nine patches, a photo
tried on it, and the picture that is made for it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack
from tests.pictures import image_bytes, photo
from tests.web.styletransfer.minings import holiday, packed

PATIENCE = 120_000  # ms; the machine may be busy


def test_from_an_empty_page_to_a_unit(
    stack: Stack, page: Page, sign_in: Callable[[Page, str, str], None]
) -> None:
    password = stack.create_user("nora", "painter")
    sign_in(page, "nora", password)
    page.get_by_role("link", name="Learn").click()
    expect(page.get_by_role("button", name="Show it the house’s pictures").first).to_be_visible()
    file = {"name": "holiday.zip", "mimeType": "application/zip", "buffer": packed(holiday(10))}
    page.set_input_files("#id_archive", file)
    expect(page.locator("archive-upload")).to_contain_text("arrived")
    page.get_by_role("button", name="Show them to the network").click()
    page.wait_for_url("**/see/lite/?in=*")
    # The page comes anew by itself when the wall hangs.
    expect(page.locator(".samples .sprite").first).to_be_visible(timeout=PATIENCE)

    page.get_by_role("link", name="relu2_1").click()
    page.wait_for_url("**/see/lite/relu2_1/?in=*")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(32)
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/see/lite/relu2_1/*/?in=*")

    patches = page.locator(".patch")
    expect(patches).to_have_count(9)
    patches.first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Place 1 of 9")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("Place 2 of 9")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(patches.nth(1)).to_be_focused()

    upload = {"name": "me.png", "mimeType": "image/png", "buffer": image_bytes(photo(3))}
    page.set_input_files("#id_photo", upload)
    expect(page.locator("#heat-says")).to_contain_text("Unit", timeout=PATIENCE)
    assert page.locator("#heat-over").get_attribute("src").startswith("data:image/png")
    page.get_by_role("button", name="Have it made").click()
    expect(page.locator("#made-says")).to_contain_text("Begun from noise", timeout=PATIENCE)

    page.evaluate("window.here = true")
    before = page.url
    page.get_by_role("link", name="Next").click()
    page.wait_for_url(lambda url: url != before)
    number = page.url.partition("/?")[0].rpartition("/")[2]
    expect(page.locator("h1")).to_contain_text(f"Unit {number}")
    expect(page.locator("#heat-says")).to_contain_text(f"Unit {number} ", timeout=PATIENCE)
    assert page.evaluate("window.here")  # the page stayed, and so did the photo

    page.go_back()  # to the unit that a picture was made for: it is kept
    page.wait_for_url(before)
    expect(page.locator("#made img")).to_be_visible()
