"""The page that teaches the triplet loss, before the real stack."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page, expect

from facerec.core.losses import hinge
from tests.e2e.stack import Stack
from tests.people import BOB, as_jpeg, nobody, portrait

PASSWORD = "correct horse staple"
PATIENCE = 60_000  # ms; the machine may be busy


def number(page: Page, selector: str) -> float:
    text = page.locator(selector).text_content() or ""
    return float(text.replace("−", "-"))


def shown(page: Page) -> tuple[float, float, float, float]:
    """(d(A,P), d(A,N), margin, loss) as the page has them."""
    return tuple(number(page, selector) for selector in ("#in-p", "#in-n", "#in-m", "#loss"))  # type: ignore[return-value]


def agrees(page: Page) -> None:
    d_positive, d_negative, margin, loss = shown(page)
    expected = hinge(np.float64(d_positive), np.float64(d_negative), margin)
    assert abs(loss - expected) < 1e-9  # whoever reckons along gets the same


def test_a_triplet_is_looked_at_from_all_sides(
    page: Page, stack: Stack, sign_in: Callable[[Page, str, str], None]
) -> None:
    stack.create_user("theo", "operator", PASSWORD)
    page.set_default_timeout(PATIENCE)
    sign_in(page, "theo", PASSWORD)
    page.goto("/learn/triplet/")

    # The drawn people are there at once, and make a semi-hard triplet.
    ready = page.locator("#triplet[data-ready]")
    expect(ready).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#kind")).to_have_text("Semi-hard")
    agrees(page)
    for strip in page.locator(".strip").all():
        assert strip.locator(".bars").get_attribute("d").count("M") == 128  # type: ignore[union-attr]

    # The margin, by keyboard: with none the triplet is easy and costs nothing.
    page.locator("#id_margin").focus()
    page.keyboard.press("Home")
    expect(page.locator("#kind")).to_have_text("Easy")
    assert shown(page)[2:] == (0, 0)
    page.keyboard.press("End")
    agrees(page)
    assert shown(page)[2] == 1

    # Positive and negative change places: now it is hard, and nobody was asked again.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before = shown(page)
    page.get_by_role("button", name="Swap positive and negative").click()
    expect(page.locator("#kind")).to_have_text("Hard")
    assert shown(page)[:2] == before[1::-1]
    agrees(page)
    assert not [url for url in asked if "/learn/" in url and not url.endswith(".jpg")]

    # By drag, back again.
    page.locator(".role[data-role=N] .role-head").drag_to(page.locator(".role[data-role=P]"))
    expect(page.locator("#kind")).to_have_text("Semi-hard")

    # A photo of one's own, and one that shows nobody.
    negative = page.locator(".role[data-role=N] input[type=file]")
    negative.set_input_files(jpeg(as_jpeg(portrait(BOB)), "bob.jpg"))
    expect(page.locator(".role[data-role=N] figcaption")).to_contain_text("bob.jpg")
    expect(ready).to_be_visible(timeout=PATIENCE)
    assert shown(page)[1] != before[1]
    agrees(page)
    negative.set_input_files(jpeg(as_jpeg(nobody()), "nobody.jpg"))
    expect(page.locator(".role[data-role=N] .field-error")).to_contain_text(
        re.compile("No face was found"), timeout=PATIENCE
    )
    expect(page.locator("#loss")).to_have_text("–")

    # A drawn one instead.
    page.get_by_text("Take drawn people instead").click()
    page.get_by_role("button", name="Olga, from the front, as negative").click()
    expect(ready).to_be_visible(timeout=PATIENCE)
    agrees(page)

    # One number in all rows.
    page.locator("#id_number").fill("37")
    expect(page.locator("#number-meaning")).to_have_text("No 37 of 128")
    rows = [number(page, f".strip >> nth={row} >> output") for row in range(5)]
    assert abs((rows[0] - rows[1]) ** 2 - rows[3]) < 2e-3


def jpeg(data: bytes, name: str) -> dict[str, object]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}
