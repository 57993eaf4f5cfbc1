"""Many people at once in a real browser: an archive travels, is worked on, and is reported on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.house import Show, stage
from tests.e2e.stack import Stack
from tests.people import ADA, BOB, nobody, portrait
from tests.web.facerec.test_bulk import packed

pytestmark = pytest.mark.usefixtures("people")

PATIENCE = 60_000  # ms; the machine may be busy


def test_an_archive_is_sent_worked_on_and_reported_on(
    page: Page, stack: Stack, sign_in: Callable[[Page, str, str], None], tmp_path: Path
) -> None:
    archive = tmp_path / "club.zip"
    archive.write_bytes(
        packed(
            {
                "Bulk Ada/1.jpg": portrait(ADA, 2),
                "Bulk Ada/2.jpg": portrait(ADA, 3),
                "Bulk Ada/desk.jpg": nobody(),
                "Bulk Twin/1.jpg": portrait(ADA, 4),
                "Bulk Uwe/1.jpg": portrait(BOB, 5),
            }
        )
    )
    sign_in(page, stack.username, stack.password)
    page.goto("/enrol/")
    page.set_input_files("#id_archive", archive)
    expect(page.locator("archive-upload")).to_contain_text("arrived")
    [staged] = (stack.data_dir / "staging").iterdir()
    assert staged.stat().st_mode & 0o777 == 0o600
    page.get_by_role("button", name="Enrol them").click()
    expect(page.locator(".error-summary")).to_contain_text("without their consent")
    page.get_by_label("Each of these people agreed").check()
    page.get_by_role("button", name="Enrol them").click()
    page.wait_for_url(re.compile("/enrol/[0-9a-f-]{36}/"))
    expect(page.locator("[data-status=done]")).to_be_visible(timeout=PATIENCE)
    assert not list((stack.data_dir / "staging").iterdir())
    refused = page.get_by_role("region", name="Photos that could not be used")
    expect(refused).to_contain_text("Bulk Ada/desk.jpg")
    expect(refused).to_contain_text("No face was found.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Report of every photo").click()
    assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 6
    # Somebody who looks like Ada waits for a word; it is given here.
    twin = page.locator(".held", has_text="Bulk Twin")
    before = int(page.locator("[data-figure=enrolled]").inner_text())
    twin.get_by_role("button", name="The same person").click()
    expect(page.locator("[data-figure=enrolled]")).to_have_text(str(before + 1))
    expect(page.locator(".held-list")).to_contain_text("Added to the other person")


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    yield from stage(browser)


FIELD = """<form>{% include "components/archive_field.html" %}<button>Send</button></form>"""
SCRIPT = """import "/static/js/lib/archive-upload.js";
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  window.sent = Object.fromEntries(new FormData(event.target));
});"""


def choose(page: Page, name: str, data: bytes) -> None:
    file = {"name": name, "mimeType": "application/zip", "buffer": data}
    page.locator("#id_archive").set_input_files(file)  # type: ignore[arg-type]


def test_what_cannot_be_sent_is_refused_at_once(show: Show) -> None:
    page = show(FIELD, SCRIPT)
    for name, data, says in (
        ("photo.jpg", b"x", "photo.jpg is not a ZIP."),
        ("a.zip", b"", "a.zip is empty."),
        ("b.zip", bytes(2 * 1024**2), "b.zip has 2.0 MB; at most 1 MB can be sent."),
    ):
        choose(page, name, data)
        expect(page.locator("#archive-error")).to_contain_text(says)
        expect(page.locator("#id_archive")).to_have_attribute("aria-invalid", "true")


def test_what_did_not_arrive_can_be_sent_again_and_taken_away(show: Show) -> None:
    page = show(FIELD, SCRIPT)
    choose(page, "a.zip", b"PK")  # this page has nobody who would take it: 404
    expect(page.locator("#archive-error")).to_contain_text("The server did not take it.")
    page.route("**/archives/", lambda route: route.fulfill(status=201, json={"archive": "r3ceipt"}))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("archive-upload")).to_contain_text("arrived")
    expect(page.locator("#archive-error")).to_have_text("")
    page.get_by_role("button", name="Send").click()
    assert page.evaluate("() => sent") == {"archive": "r3ceipt", "archive_name": "a.zip"}
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Send").click()
    assert page.evaluate("() => sent") == {"archive": "", "archive_name": ""}


def test_a_form_that_is_sent_too_early_waits_for_the_archive(show: Show) -> None:
    page = show(FIELD, SCRIPT)
    held = []
    page.route("**/archives/", lambda route: held.append(route))
    choose(page, "a.zip", b"PK")
    page.get_by_role("button", name="Send").click()
    assert page.evaluate("() => window.sent") is None
    held[0].fulfill(status=201, json={"archive": "r3ceipt"})
    expect(page.locator("archive-upload")).to_contain_text("arrived")
    assert page.evaluate("() => sent.archive") == "r3ceipt"
