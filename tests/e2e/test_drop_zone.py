"""The drop zone: choose, drop, paste, the camera; what it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.house import BLUE, RED, Show, picture, stage


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    yield from stage(browser)


ZONES = """<form>{% include "components/drop_zone.html" with name="content" label="Content" %}
{% include "components/drop_zone.html" with name="style" label="Style" capture=True %}
{% include "components/drop_zone.html" with name="many" label="Many" multiple=True %}</form>"""
ZONE_SCRIPT = """import "/static/js/lib/drop-zone.js";
window.changes = [];
document.addEventListener("change", ({target}) => changes.push(target.name));
// The zones' own form: the camera's dialog brings one of its own.
window.sent = (name) => new FormData(document.querySelector("drop-zone").closest("form"))
  .getAll(name).map((file) => [file.name, file.size]);
window.give = async (type, selector, url, name) => {
  const blob = await (await fetch(url)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], name, {type: blob.type}));
  const init = {bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer};
  const event = type === "paste" ? new ClipboardEvent(type, init) : new DragEvent(type, init);
  document.querySelector(selector).dispatchEvent(event);
};"""


def choose(page: Page, name: str, *files: tuple[str, str, bytes]) -> None:
    given = [{"name": n, "mimeType": kind, "buffer": data} for n, kind, data in files]
    page.locator(f"input[name={name}]").set_input_files(given)  # type: ignore[arg-type]


def test_a_chosen_photo_is_shown_sent_and_removed(show: Show) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    choose(page, "content", ("a.jpg", "image/jpeg", RED))
    content = page.locator("drop-zone[name=content]")
    expect(content.locator("img")).to_have_js_property("naturalWidth", 64)
    expect(content).to_contain_text("a.jpg")
    assert page.evaluate("sent('content')") == [["a.jpg", len(RED)]]
    assert page.evaluate("changes") == ["content"]
    content.get_by_role("button", name="Remove a.jpg").click()
    expect(content.locator("img")).to_have_count(0)
    assert page.evaluate("sent('content')") == [["", 0]]
    expect(page.locator("input[name=content]")).to_be_focused()
    assert page.evaluate("changes") == ["content", "content"]


def test_a_photo_can_be_dropped_and_pasted(show: Show) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    page.evaluate("give('drop', 'drop-zone[name=style] .drop', '/red.jpg', 'dropped.jpg')")
    page.wait_for_function("() => sent('style')[0][0] === 'dropped.jpg'")
    # Nothing has the focus: the first empty zone takes what is pasted.
    page.evaluate("give('paste', 'body', '/red.jpg', 'pasted.jpg')")
    page.wait_for_function("() => sent('content')[0][0] === 'pasted.jpg'")
    page.locator("input[name=style]").focus()
    page.evaluate("give('paste', 'body', '/red.jpg', 'again.jpg')")
    page.wait_for_function("() => sent('style')[0][0] === 'again.jpg'")
    assert page.evaluate("sent('content')[0][0]") == "pasted.jpg"


@pytest.mark.parametrize(
    ("name", "kind", "data", "says"),
    [
        ("notes.txt", "text/plain", b"hello", "notes.txt is not a picture."),
        ("void.jpg", "image/jpeg", b"", "void.jpg is empty."),
        ("big.jpg", "image/jpeg", RED + bytes(1_500_000), "big.jpg is 1.4 MB; at most 1 MB"),
        ("wide.jpg", "image/jpeg", picture((0, 0, 0), (2000, 1500)), "wide.jpg has 3 megapixels"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence(
    show: Show, name: str, kind: str, data: bytes, says: str
) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    choose(page, "content", (name, kind, data))
    error = page.locator("#content-error")
    expect(error).to_contain_text(says)
    assert page.evaluate("sent('content')") == [["", 0]]
    expect(page.locator("input[name=content]")).to_have_attribute("aria-invalid", "true")
    choose(page, "content", ("a.jpg", "image/jpeg", RED))
    expect(error).to_be_empty()
    assert page.evaluate("sent('content')") == [["a.jpg", len(RED)]]


def test_a_refused_file_leaves_the_one_before(show: Show) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    choose(page, "content", ("a.jpg", "image/jpeg", RED))
    choose(page, "content", ("notes.txt", "text/plain", b"hello"))
    expect(page.locator("#content-error")).to_contain_text("not a picture")
    assert page.evaluate("sent('content')") == [["a.jpg", len(RED)]]


def test_several_photos_add_up_to_the_limit(show: Show) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    choose(page, "many", ("a.jpg", "image/jpeg", RED), ("b.jpg", "image/jpeg", BLUE))
    choose(page, "many", ("c.jpg", "image/jpeg", RED))
    assert [n for n, _ in page.evaluate("sent('many')")] == ["a.jpg", "b.jpg", "c.jpg"]
    choose(page, "many", ("d.jpg", "image/jpeg", RED))
    expect(page.locator("#many-error")).to_contain_text("At most 3 photos")
    page.get_by_role("button", name="Remove b.jpg").click()
    assert [n for n, _ in page.evaluate("sent('many')")] == ["a.jpg", "c.jpg"]


def test_a_starter_picture_comes_from_its_url_and_a_reset_empties(show: Show) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    page.evaluate("document.querySelector('drop-zone[name=style]').setFromUrl('/red.jpg')")
    page.wait_for_function("() => sent('style')[0][0] === 'red.jpg'")
    page.evaluate("document.forms[document.forms.length - 1].reset()")
    assert page.evaluate("sent('style')") == [["", 0]]
    page.evaluate("document.querySelector('drop-zone[name=style]').setFromUrl('/gone.jpg')")
    expect(page.locator("#style-error")).to_contain_text("could not be loaded")


def test_the_camera_takes_a_photo_and_stops(show: Show) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    page.evaluate("""() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (c) => (window.stream = await ask(c));
    }""")
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    page.wait_for_function("() => sent('style')[0][0] === 'camera.jpg'")
    assert page.evaluate("stream.getTracks().every((t) => t.readyState === 'ended')")
    expect(page.locator("dialog")).to_have_count(0)
    # Closed without a photo: the camera stops as well, and nothing changes.
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("button", name="Take the photo")).to_be_enabled()
    page.keyboard.press("Escape")
    page.wait_for_function("() => stream.getTracks().every((t) => t.readyState === 'ended')")
    assert page.evaluate("sent('style').length") == 1
    expect(page.get_by_role("button", name="Use the camera")).to_be_focused()


@pytest.mark.parametrize(
    ("error", "says"),
    [("NotAllowedError", "may not use the camera"), ("NotFoundError", "No camera was found")],
)
def test_a_camera_that_is_refused_says_what_to_do(show: Show, error: str, says: str) -> None:
    page = show(ZONES, ZONE_SCRIPT)
    page.evaluate(f"""() => {{ navigator.mediaDevices.getUserMedia =
      () => Promise.reject(new DOMException('', '{error}')) }}""")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("dialog [role=status]")).to_contain_text(says)
    expect(page.get_by_role("button", name="Take the photo")).to_be_disabled()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("dialog")).to_have_count(0)


def test_an_archive_that_was_chosen_before_the_script_came_is_taken(show: Show) -> None:
    field = '{% include "components/archive_field.html" with label="People" hint="A ZIP." %}'
    page = show(f"<form>{field}</form>")
    chosen = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no archive"}
    page.set_input_files("archive-upload input[type=file]", chosen)
    page.evaluate("import('/static/js/lib/archive-upload.js')")
    expect(page.locator("#archive-error")).to_contain_text("notes.txt is not a ZIP")
