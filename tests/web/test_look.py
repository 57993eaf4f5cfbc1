"""The look: what can be known without a browser (the rest is in tests/e2e/test_look.py)."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

CSS = Path(settings.BASE_DIR) / "static" / "css"
TOKENS = (CSS / "tokens.css").read_text()
PAIRS = dict(re.findall(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", TOKENS))
TEXT = ("ink", "ink-2", "paint", "know", "doubt", "refuse")
GROUNDS = ("paper", "sheet", "sunk")


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def colours(name: str, mode: int) -> str:
    return PAIRS[name].split(", ")[mode]


def test_contrast_of_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_text_has_aa_contrast_and_controls_have_edges(mode: int) -> None:
    for ground in GROUNDS:
        for text in TEXT:
            ratio = contrast(colours(text, mode), colours(ground, mode))
            assert ratio >= 4.5, (text, ground, ratio)
    for ground in ("paper", "sheet"):
        assert contrast(colours("edge", mode), colours(ground, mode)) >= 3, ground
    for tone in ("paint", "know", "doubt", "refuse"):
        assert contrast(colours("on-accent", mode), colours(tone, mode)) >= 4.5, tone


def test_every_token_that_is_used_is_defined() -> None:
    sheets = " ".join(path.read_text() for path in CSS.glob("*.css"))
    sheets += " ".join(
        path.read_text() for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html")
    )
    defined = set(re.findall(r"(--[\w-]+)\s*:", sheets))
    scripts = Path(settings.BASE_DIR) / "static" / "js"
    for path in scripts.rglob("*.js"):
        defined |= set(re.findall(r'"(--[\w-]+)"', path.read_text()))
    used = set(re.findall(r"var\((--[\w-]+)\)", sheets))
    assert used - {"--x", "--y", "--w", "--h"} <= defined  # a face's place, set per element


class Elements(HTMLParser):
    """All elements as (tag, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def first(self, tag: str, **wanted: str) -> dict[str, str | None]:
        return next(
            attributes
            for name, attributes in self.found
            if name == tag and all(attributes.get(k) == v for k, v in wanted.items())
        )


@pytest.mark.parametrize(
    ("distance", "says"),
    [
        (0.151, "Distance 0.151, threshold 0.276: within the threshold, so the same face."),
        (0.583, "Distance 0.583, threshold 0.276: beyond the threshold, so a different face."),
        (None, "No distance was measured; the threshold is 0.276."),
    ],
)
def test_the_ruler_says_what_it_shows(distance: float | None, says: str) -> None:
    html = render_to_string(
        "components/ruler.html", {"distance": distance, "threshold": 0.276, "max": 0.8}
    )
    ruler = Elements(html).first("div", role="img")
    assert ruler["aria-label"] == says
    assert "--tau: 0.2760; --max: 0.8000" in str(ruler["style"])
    assert ("d = " in html) is (distance is not None)


def test_the_drop_zone_works_without_a_script() -> None:
    limits = {"upload_mb": 15, "megapixels": 50, "files": 10}
    html = render_to_string(
        "components/drop_zone.html",
        {"house": {"limits": limits}, "name": "photo", "label": "A photo", "capture": True},
    )
    elements = Elements(html)
    native = elements.first("input", type="file")
    assert native["name"] == "photo"
    assert elements.first("label", **{"for": "id_photo"})
    assert elements.first("p", id="photo-error")
    zone = elements.first("drop-zone")
    assert zone["max-mb"] == "15"
    assert "capture" in zone


def test_the_error_summary_links_to_its_fields_and_escapes() -> None:
    errors = [
        {"field": "photo", "message": "Choose <b>a</b> photo.", "hint": "A JPEG."},
        {"field": "", "message": "Try again.", "hint": ""},
    ]
    html = render_to_string("components/error_summary.html", {"errors": errors})
    summary = Elements(html)
    assert summary.first("div", role="alert")["tabindex"] == "-1"
    assert summary.first("a")["href"] == "#id_photo"
    assert "2 things need a look" in html
    assert "&lt;b&gt;" in html
    assert render_to_string("components/error_summary.html", {"errors": []}).strip() == ""


@pytest.mark.parametrize("status", ["queued", "running", "paused", "done", "cancelled", "failed"])
def test_every_status_has_a_shape_and_a_word(status: str) -> None:
    html = render_to_string("components/job_stamp.html", {"status": status})
    assert re.search(r'<span class="stamp \w+">\w+</span>', html)


@pytest.mark.parametrize("page", ["400", "403", "403_csrf", "404", "413", "429", "500"])
def test_error_pages_stand_without_a_request(page: str) -> None:
    html = render_to_string(f"{page}.html")
    assert "data-error-sentence" in html
    assert re.search(r"<h1>[A-Z].+</h1>", html)


def test_a_server_error_names_its_reference() -> None:
    assert "3f9a1c02" in render_to_string("errors/500.html", {"reference": "3f9a1c02"})
