"""A training run, from an archive to its verdict, in a real browser before the real stack."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack
from tests.people import as_jpeg, portrait

PEOPLE = 7
SignIn = Callable[[Page, str, str], None]


@pytest.fixture(scope="module")
def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for person in range(PEOPLE):
            for variation in range(2):
                name = f"person-{person}/{variation}.jpg"
                file.writestr(name, as_jpeg(portrait(person, variation)))
    return buffer.getvalue()


def test_from_an_archive_to_a_verdict(
    page: Page, stack: Stack, sign_in: SignIn, archive: bytes
) -> None:
    sign_in(page, stack.username, stack.password)
    page.goto("/training/")
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_role("alert")).to_contain_text("Name")
    file = {"name": "club.zip", "mimeType": "application/zip", "buffer": archive}
    page.set_input_files("#id_archive", file)
    page.get_by_label("Name").fill("club")
    page.get_by_label("Steps").fill("40")
    page.get_by_role("button", name="Train").click()
    page.wait_for_url(re.compile(r"/training/[0-9a-f-]{36}/"))
    verdict = page.locator(".verdict .stamp")
    expect(verdict).to_be_visible(timeout=90_000)  # the long worker loads torch first
    # The curves came by the socket, without a reload.
    plot = page.locator("#chart-loss .plot")
    expect(plot).to_have_attribute("aria-label", re.compile(r"triplet loss went from [\d.]+ to"))
    expect(page.locator("#chart-tar path.dot")).not_to_have_count(0)
    expect(page.locator(".comparison tbody tr")).to_have_count(6)
    page.get_by_role("link", name=re.compile("Look at the encoder")).click()
    expect(page.locator("main")).to_contain_text("No thresholds")  # two people are too few
    expect(page.get_by_role("button", name="Put it in use")).to_have_count(0)
    page.get_by_role("link", name="All encoders").click()
    expect(page.locator(".encoders > li")).to_have_count(2)
    expect(page.locator(".encoders > li.active")).to_contain_text("Comes with Likeness")
