"""Pages of the house in a real browser without the stack behind them: every request is answered
from the files, under the policy of the settings."""

from __future__ import annotations

import io
import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

from django.conf import settings
from django.template import Context, Template
from PIL import Image
from playwright.sync_api import Browser, Page, Route

ROOT = Path(settings.BASE_DIR)
ORIGIN = "https://likeness.test"  # never asked for
LIMITS = {"upload_mb": 1, "megapixels": 2, "files": 3, "archive_mb": 1}
Show = Callable[..., Page]


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", quality=95)
    return file.getvalue()


RED, BLUE = picture((200, 20, 20)), picture((20, 20, 200))


def html(body: str, module: str = "", **context: object) -> str:
    """A page of the house with `body` as its main part and `module` as its script."""
    text = '{% extends "base.html" %}{% block main %}' + body + "{% endblock %}{% block scripts %}"
    text += '<script type="module" src="/page.js"></script>' * bool(module) + "{% endblock %}"
    return Template(text).render(Context({"house": {"limits": LIMITS}, **context}))


def stage(browser: Browser) -> Iterator[Show]:
    """`show(body, module)` opens such a page; an error in its console fails the test."""
    context = browser.new_context(permissions=["camera"], viewport={"width": 1000, "height": 800})
    context.set_default_timeout(5000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if "Content Security" in m.text else None)

    def show(body: str, module: str = "", **more: object) -> Page:
        answers = {"/page.js": (module, "text/javascript"), "/red.jpg": (RED, "image/jpeg")}
        answers["/"] = (html(body, module, **more), "text/html")

        def answer(route: Route) -> None:
            path = urlparse(route.request.url).path
            if path in answers:
                text, kind = answers[path]
                route.fulfill(body=text, content_type=kind, headers=POLICY)
            elif path.startswith("/static/") and (ROOT / path[1:]).is_file():
                kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
                route.fulfill(body=(ROOT / path[1:]).read_bytes(), content_type=kind)
            else:
                route.fulfill(status=404, body="")

        page.route("**/*", answer)
        page.goto(f"{ORIGIN}/")
        return page

    yield show
    context.close()
    assert not errors, errors


def policy() -> dict[str, str]:
    """The Content-Security-Policy of the settings, so that what it forbids fails here."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    text = "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())
    return {"Content-Security-Policy": text}


POLICY = policy()
