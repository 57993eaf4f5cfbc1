"""An administrator measures a set, reads the curve, and decides faces by it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack
from tests.faces import draw_face
from tests.people import as_jpeg

PEOPLE = 9


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for seed in range(PEOPLE):
            for variation in range(2):
                photo = as_jpeg(draw_face(seed, variation, size=(240, 300)))
                zipped.writestr(f"person {seed}/{variation}.jpg", photo)
        doors = [f"person {seed},{'left' if seed < 5 else 'right'}" for seed in range(PEOPLE)]
        zipped.writestr("labels.csv", "\n".join(["person,door", *doors]))
    return buffer.getvalue()


def test_measure_choose_and_take_back(
    page: Page, stack: Stack, sign_in: Callable[[Page, str, str], None]
) -> None:
    sign_in(page, stack.username, stack.password)
    page.goto("/calibration/")
    page.fill("#id_name", "Front door")
    page.set_input_files(
        "archive-upload input[type=file]",
        {"name": "doors.zip", "mimeType": "application/zip", "buffer": archive()},
    )
    expect(page.locator(".drop-archive")).to_contain_text("arrived")
    page.get_by_role("button", name="Measure").click()
    measured = page.locator(".set", has_text="Front door")
    expect(measured).to_contain_text("9 people, 18 photos, 36 pairs of people", timeout=90_000)

    # The shipped set vouches for one in 1,000, the little one for one in 12 at best.
    expect(page.locator("#choice")).to_contain_text("one in 1,000")
    page.reload()
    page.select_option("#id_set", label="Front door")
    expect(page.locator("#choice")).to_contain_text("This set cannot vouch for that")
    expect(page.locator("#choice")).to_contain_text("69 more")  # 78 people in all
    expect(page.get_by_role("button", name="Use this")).to_have_count(0)

    # A point of the curve, taken by keyboard, is a target that the set supports.
    page.fill("#id_one_in", "10")
    expect(page.get_by_role("button", name="Use this")).to_be_visible()
    expect(page.locator("#choice")).to_contain_text("By door")
    plot = page.locator("[data-det]")
    plot.focus()
    plot.press("ArrowRight")
    expect(page.locator(".det-reading")).to_contain_text("missed")
    one_in = float(page.input_value("#id_one_in"))
    plot.press("ArrowLeft")
    plot.press("ArrowLeft")
    plot.press("Enter")
    expect(page).to_have_url(re.compile("one_in=1[1-9]"))
    assert float(page.input_value("#id_one_in")) > one_in
    expect(page.locator("[data-det]")).to_be_focused()  # whoever steers by keys stays there
    expect(page.locator("#choice.htmx-request")).to_have_count(0)
    page.get_by_role("button", name="Use this").click()
    expect(page.locator("main")).to_contain_text("From now on, faces are decided by this.")
    expect(page.locator(".now .figures")).to_contain_text("Front door")

    page.get_by_role("button", name="Back to the shipped").click()
    expect(page.locator(".now .figures")).not_to_contain_text("Front door")
    expect(page.locator(".now")).to_contain_text("Chosen by admin")


def test_a_click_on_the_curve_is_a_target(
    page: Page, stack: Stack, sign_in: Callable[[Page, str, str], None]
) -> None:
    sign_in(page, stack.username, stack.password)
    page.goto("/calibration/")
    page.locator("[data-det]").click(position={"x": 120, "y": 100})
    expect(page.locator("#id_one_in")).not_to_have_value("1000")
    expect(page.locator("#choice")).to_contain_text("A threshold of")
    expect(page).to_have_url(re.compile("one_in=(?!1000&)"))
