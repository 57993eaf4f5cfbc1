"""What a piece is looked at with: traces, slices, a turning projection."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.house import Show, stage


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    yield from stage(browser)


def waveform(seconds: float, *channels: tuple[str, str]) -> dict[str, Any]:
    """Channels that rise from -1 to 1 in eleven stretches."""
    peaks = [[-1 + k / 5, -1 + k / 5] for k in range(11)]
    told = [{"name": n, "unit": u, "low": -1, "high": 1, "peaks": peaks} for n, u in channels]
    return {"seconds": seconds, "rate": 100, "channels": told}


def sheet_file(first: int) -> bytes:
    """Six pictures of 16 × 12 in rows of four; picture k has the brightness first + 10 k."""
    sheet = Image.new("L", (64, 24))
    for k in range(6):
        sheet.paste(
            first + 10 * k, (16 * (k % 4), 12 * (k // 4), 16 * (k % 4) + 16, 12 * (k // 4) + 12)
        )
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def view(file: str, label: str) -> dict[str, Any]:
    return {"file": file, "count": 6, "columns": 4, "width": 16, "height": 12, "label": label}


VIEWS = {
    "z": view("z.jpg", "Axial slices"),
    "y": view("y.jpg", "Coronal slices"),
    "orbit": view("orbit.jpg", "Brightest values"),
}
FIRST = {"one/z.jpg": 10, "one/y.jpg": 90, "one/orbit.jpg": 10, "two/z.jpg": 150}
CANVAS = """(selector) => {
  const canvas = document.querySelector(`${selector} canvas`);
  return canvas.getContext("2d").getImageData(8, 6, 1, 1).data[0];
}"""


def sheets(page: Page) -> None:
    def answer(route: Route) -> None:
        first = FIRST.get("/".join(route.request.url.split("/")[-2:]))
        if first is None:
            route.fulfill(status=404, body="")
        else:
            route.fulfill(body=sheet_file(first), content_type="image/png")

    page.route("**/sheets/**", answer)


LINK = '<link rel="stylesheet" href="/static/css/viewers.css">'
WAVES = LINK + '<wave-view id="view" label="{}"{}></wave-view>'
WAVE_SCRIPT = """import "/static/js/lib/wave-view.js";
window.draw = (waveform) => document.querySelector("#view").show(waveform);"""


def test_a_signal_is_drawn_and_read_off_by_keys(show: Show) -> None:
    page = show(WAVES.format("Heartbeat", ""), WAVE_SCRIPT)
    slider = page.get_by_role("slider", name="Position in: Heartbeat")
    expect(slider).to_be_disabled()
    told = waveform(10, ("ECG", "mV"), ("Resp", ""))
    page.evaluate("draw", told)
    drawn = page.get_by_role("img", name="Heartbeat: waveform, 10.0 s, ECG, Resp")
    expect(drawn.locator("path.wave-trace")).to_have_count(2)
    expect(drawn).to_contain_text("−1 mV")
    slider.focus()
    expect(slider).to_have_attribute("aria-valuetext", "0.00 s of 10.0 s, ECG −1 mV, Resp −1")
    for _ in range(5):
        page.keyboard.press("PageUp")
    expect(slider).to_have_attribute("aria-valuetext", "5.00 s of 10.0 s, ECG 0 mV, Resp 0")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".wave-reading")).to_have_text("4.80 s: ECG 0 mV, Resp 0")
    told["channels"][0]["peaks"] = [[0.5, 0.5]] * 11  # a newer one: the cursor stays
    page.evaluate("draw", told)
    expect(page.locator(".wave-reading")).to_have_text("4.80 s: ECG 0.5 mV, Resp 0")


def test_a_click_on_the_traces_is_where_it_points(show: Show) -> None:
    page = show(WAVES.format("x", ""), WAVE_SCRIPT)
    page.evaluate("draw", waveform(100, ("x", "")))
    box = page.locator(".wave-plot").bounding_box()
    assert box
    for share in (0.02, 0.25, 0.98):
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 20)
        time = page.evaluate("document.querySelector('#view').time")
        assert time == pytest.approx(100 * share, abs=0.4)
        cursor = page.locator(".wave-cursor").bounding_box()
        assert cursor
        assert cursor["x"] + 1 - box["x"] == pytest.approx(share * box["width"], abs=3)
    expect(page.locator(".wave-axis")).to_contain_text("1:40")


def test_a_sound_is_sought_by_its_waveform_and_followed(show: Show) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as silence:
        silence.setparams((1, 2, 8000, 0, "NONE", ""))
        silence.writeframes(bytes(2 * 8000 * 4))
    audio = '<audio id="sound" src="/sound.wav" controls></audio>'
    page = show(audio + WAVES.format("Rain", ' for="sound"'), WAVE_SCRIPT)
    answer = {"content_type": "audio/wav", "headers": {"Accept-Ranges": "bytes"}}
    page.route("**/sound.wav", lambda route: route.fulfill(body=file.getvalue(), **answer))
    page.evaluate("() => document.querySelector('#sound').load()")
    page.wait_for_function("() => document.querySelector('#sound').readyState > 0")
    page.evaluate("draw", waveform(4, ("", "")))
    slider = page.get_by_role("slider", name="Position in: Rain")
    slider.focus()
    page.keyboard.press("PageUp")
    page.wait_for_function(
        "() => Math.abs(document.querySelector('#sound').currentTime - 0.4) < 0.05"
    )
    expect(slider).to_have_attribute("aria-valuetext", "0.40 s of 4.00 s")
    page.evaluate("document.querySelector('#sound').currentTime = 2")
    expect(slider).to_have_attribute("aria-valuetext", "2.00 s of 4.00 s")
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('#view').time > 2.1")
    page.keyboard.press(" ")
    assert page.evaluate("document.querySelector('#sound').paused")


SHEETS = LINK + '<sheet-view label="The result"></sheet-view><orbit-view></orbit-view>'
SHEET_SCRIPT = f"""import "/static/js/lib/sheet-view.js";
window.views = {json.dumps(VIEWS)};
window.draw = (selector, moment) =>
  document.querySelector(selector).show({{views}}, `/sheets/${{moment}}/`);"""


def test_slices_are_turned_over_by_keys_on_each_axis(show: Show) -> None:
    page = show(SHEETS, SHEET_SCRIPT)
    sheets(page)
    page.evaluate("draw('sheet-view', 'one')")
    group = page.get_by_role("group", name="The result")
    slider = group.get_by_role("slider", name="Axial slices")
    expect(slider).to_have_attribute("aria-valuetext", "4 of 6")  # the middle
    assert page.evaluate(CANVAS, "sheet-view") == 40
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("img", name="Axial slices, 6 of 6")).to_be_visible()
    assert page.evaluate(CANVAS, "sheet-view") == 60
    page.get_by_role("radio", name="Coronal slices").check()
    expect(page.get_by_role("slider", name="Coronal slices")).to_be_visible()
    assert page.evaluate(CANVAS, "sheet-view") == 120
    page.get_by_role("radio", name="Axial slices").check()
    expect(page.get_by_role("img", name="Axial slices, 6 of 6")).to_be_visible()  # kept
    page.evaluate("draw('sheet-view', 'two')")  # another moment: axis and place stay
    page.wait_for_function(f"() => ({CANVAS})('sheet-view') === 200")
    expect(slider).to_have_attribute("aria-valuetext", "6 of 6")


def test_slices_are_turned_over_by_dragging(show: Show) -> None:
    page = show(SHEETS, SHEET_SCRIPT)
    sheets(page)
    page.evaluate("draw('sheet-view', 'one')")
    box = page.locator("sheet-view .sheet-stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"], box["y"] + 50, steps=4)
    page.mouse.up()
    expect(page.get_by_role("img", name="Axial slices, 1 of 6")).to_be_visible()


def test_sheets_that_do_not_come_are_said_so(show: Show) -> None:
    page = show(SHEETS, SHEET_SCRIPT)
    sheets(page)
    page.evaluate("draw('sheet-view', 'three')")
    stage = page.locator("sheet-view .sheet-stage")
    expect(stage).to_have_attribute("data-said", "These pictures could not be loaded.")
    expect(page.locator("sheet-view input[type=range]")).to_be_disabled()


def test_a_projection_turns_until_it_is_touched(show: Show) -> None:
    page = show(SHEETS, SHEET_SCRIPT)
    sheets(page)
    page.evaluate("draw('orbit-view', 'one')")
    slider = page.get_by_role("slider", name="Turned by")
    page.wait_for_function("() => document.querySelector('orbit-view input').value > 0.05")
    page.get_by_role("button", name="Pause").click()
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0 degrees")
    page.keyboard.press("ArrowLeft")  # round the corner
    expect(slider).to_have_attribute("aria-valuetext", "300 degrees")
    assert page.evaluate(CANVAS, "orbit-view") == 60
    expect(page.get_by_role("img", name="Brightest values")).to_be_visible()
    expect(page.get_by_role("button", name="Turn slowly")).to_be_visible()


def test_nothing_turns_by_itself_where_motion_is_unwelcome(show: Show) -> None:
    page = show("<p></p>")
    page.emulate_media(reduced_motion="reduce")
    page = show(SHEETS, SHEET_SCRIPT)
    sheets(page)
    page.evaluate("draw('orbit-view', 'one')")
    expect(page.get_by_role("button", name="Turn slowly")).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('orbit-view input').value") == "0"


@pytest.mark.parametrize("width", [320, 1280])
def test_no_viewer_is_wider_than_its_window(show: Show, width: int) -> None:
    page = show(WAVES.format("x", "") + SHEETS, WAVE_SCRIPT)
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("draw", waveform(3600, ("a long name of a channel", "mmHg")))
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0
