"""A doubtful photo waits for a person's word, and a wrong answer is put right: in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack
from tests.people import as_jpeg, portrait

pytestmark = pytest.mark.usefixtures("people")

DORA, EMIL = 5, 2  # nobody else's faces in these tests
PATIENCE = 60_000  # ms; the machine may be busy
SignIn = Callable[[Page, str, str], None]


def photo(person: int, variation: int, name: str) -> dict[str, object]:
    image = as_jpeg(portrait(person, variation))
    return {"name": name, "mimeType": "image/jpeg", "buffer": image}


@pytest.fixture
def admin(page: Page, stack: Stack, sign_in: SignIn) -> Iterator[Page]:
    """The administrator's page; whom the test enrolled goes again."""
    page.set_default_timeout(PATIENCE)
    sign_in(page, stack.username, stack.password)
    yield page
    gone = "Subject.objects.filter(external_id__startswith='Q-').delete()"
    stack.manage("shell", "-c", f"from facerec.models import Subject; {gone}")


def enrol(page: Page, name: str, external_id: str, *photos: dict[str, object]) -> None:
    page.goto("/admin/facerec/subject/add/")
    page.fill("input[name=name]", name)
    page.fill("input[name=external_id]", external_id)
    page.check("input[name=consent]")
    page.set_input_files("drop-zone input[type=file]", list(photos))
    expect(page.locator("drop-zone .drop-one")).to_have_count(len(photos))
    page.click("button[name=_save]")
    page.wait_for_url(re.compile(r"/admin/facerec/subject/\d+/change/"))


def verify(page: Page, claim: str, *, person: int, variation: int, outcome: str) -> None:
    page.goto("/verify/")
    page.fill("input[name=subject]", claim)
    page.set_input_files("main input[type=file]", photo(person, variation, "door.jpg"))
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator(f"[data-outcome={outcome}]")).to_be_visible(timeout=PATIENCE)


def test_from_a_doubtful_photo_to_a_disputed_answer(admin: Page) -> None:
    page = admin
    enrol(page, "Dora Example", "Q-1", photo(DORA, 0, "dora.jpg"))
    expect(page.locator("#enrolments")).to_contain_text("1 template", timeout=PATIENCE)
    page.locator(".quality summary").click()
    expect(page.locator(".quality-list li")).to_have_count(7)

    enrol(page, "Doris Double", "Q-2", photo(DORA, 1, "doris.jpg"))
    held = page.locator("#held")
    expect(held).to_contain_text("Looks like Dora Example", timeout=PATIENCE)
    expect(held.get_by_role("img", name=re.compile("^Distance 0"))).to_be_visible()
    held.get_by_role("button", name="The same person: add to Dora Example").click()
    expect(page.locator("#held")).to_have_count(0)
    expect(page.locator("#enrolments")).to_contain_text("Added to Dora Example")

    verify(page, "Q-1", person=DORA, variation=2, outcome="match")
    answer = page.locator("#answer")
    answer.get_by_text("That is wrong").click()
    answer.get_by_role("button", name="It is not Dora Example").click()
    expect(answer.locator(".correct-said")).to_be_focused()
    expect(answer).to_contain_text("An administrator judges it")

    verify(page, "Q-1", person=EMIL, variation=1, outcome="no_match")
    answer.get_by_text("That is wrong").click()
    answer.get_by_role("button", name="It is Dora Example after all").click()
    expect(answer).to_contain_text("Noted")

    page.goto("/quarantine/")
    wrong = page.locator(".held", has_text="“This is not Dora Example”")
    wrong.get_by_role("button", name="Accept").click()
    expect(page.locator(".is-settled")).to_be_focused()
    slipped = page.locator(".held", has_text="“This is Dora Example”")
    slipped.get_by_role("button", name="Accept").click()
    expect(slipped.locator(".field-error")).to_contain_text("does not look like Dora Example")
    slipped.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".is-settled")).to_have_count(2)

    # The very face that was said not to be hers is not decided on any more.
    verify(page, "Q-1", person=DORA, variation=2, outcome="cannot_decide")
    expect(answer).to_contain_text("it was said that it is not this person")

    page.goto("/admin/facerec/subject/?q=Q-1")
    page.locator("#result_list").get_by_role("link", name="Dora Example").click()
    kept_apart = page.locator(".enrol-panel", has_text="Known not to be Dora Example")
    kept_apart.get_by_role("button", name="Remove").click()
    expect(kept_apart).to_have_count(0)
    verify(page, "Q-1", person=DORA, variation=2, outcome="match")
