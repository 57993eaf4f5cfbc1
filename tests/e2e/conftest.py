"""A real browser before the real stack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.stack import Stack

CHROMIUM = [
    "--no-sandbox",  # as root, in a container
    "--disable-dev-shm-usage",
    # It must not reach for the network.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    # A camera that shows a test pattern, and says yes when asked.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One Likeness for all browser tests. Who breaks it starts one of their own."""
    stack = Stack(tmp_path_factory.mktemp("data"), extra={"TORCH_THREADS": "1"})
    try:
        yield stack.start()
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[None]:
    """For tests that enrol: nobody whom they leave is a duplicate in the next module."""
    yield
    stack.manage(
        "shell",
        "-c",
        "from facerec.models import Subject\n"
        "from facerec.services.enrolment import delete_subject\n"
        "for subject in Subject.objects.all(): delete_subject(subject=subject)",
    )


def chromium_path() -> str | None:
    """Chromium on the PATH; None for the one that playwright may have installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for all tests."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's loop runs in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A fresh page of a fresh session; an error in its console fails the test."""
    context = browser.new_context(base_url=stack.url, permissions=["camera"])
    context.set_default_timeout(15_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


@pytest.fixture
def sign_in() -> Callable[[Page, str, str], None]:
    """`sign_in(page, username, password)` through the form, as a person does."""

    def sign_in(page: Page, username: str, password: str) -> None:
        page.goto("/sign-in/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", password)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/sign-in/" not in url)

    return sign_in
