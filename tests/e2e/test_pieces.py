"""A sound and a volume are made before a person's eyes and ears, in a real browser on the real
stack."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack
from tests.e2e.test_paint import PASSWORD, PATIENCE, stamp, step_of, wait_for_step

RATE = 22_050


@pytest.fixture(scope="module")
def maker(stack: Stack) -> str:
    stack.create_user("mia", "painter", PASSWORD)
    return "mia"


@pytest.fixture(scope="module")
def whistle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sounds") / "a whistle.wav"
    t = np.arange(2 * RATE) / RATE
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * (700 * t + 90 * np.sin(5 * t))), RATE)
    return path


def steps_kept(page: Page) -> list[int]:
    return [int(text) for text in page.locator("#steps span").all_inner_texts()]


def test_a_sound_from_the_form_to_the_ear(page: Page, maker: str, whistle: Path, sign_in) -> None:
    sign_in(page, maker, PASSWORD)
    page.goto("/paint/")
    page.get_by_role("link", name="Sound", exact=True).click()
    page.wait_for_url("**/make/sound/")
    page.wait_for_selector("drop-zone .drop")  # the page’s script has come
    listen = page.get_by_role("button", name="Listen to").first
    listen.click()
    expect(listen).to_have_attribute("aria-pressed", "true")
    listen.click()
    expect(listen).to_have_attribute("aria-pressed", "false")

    page.set_input_files("#id_content", whistle)
    expect(page.locator("drop-zone audio")).to_be_visible()
    page.fill("#id_seconds", "0")
    page.get_by_role("button", name="Make it").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(page.locator("#seconds-error")).to_contain_text("between 1 and 60")
    expect(page.locator("#style-error")).to_contain_text("no sound yet")
    assert page.evaluate("document.querySelector('#id_content').files[0].name") == "a whistle.wav"

    starter = page.locator("input[name=style_starter]").first
    starter.check(force=True)
    page.fill("#id_seconds", "2")
    page.fill("#id_steps", "150")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url(re.compile(r"/pieces/[0-9a-f-]{36}/$"))
    page.wait_for_selector("live-picture[data-painted]", timeout=PATIENCE)
    wait_for_step(page, 15)
    page.get_by_role("button", name="Pause").click()
    stamp(page, "Paused")
    page.wait_for_timeout(500)
    paused_at = step_of(page)
    kept = steps_kept(page)
    assert (kept[0], kept[-1]) == (0, paused_at)

    # One listens at a shown step, and at another.
    audio = page.locator("#moment audio")
    page.locator("#steps label").first.click()
    expect(audio).to_have_attribute("src", re.compile(r"/moments/0/sound\.flac$"))
    audio.evaluate("async (audio) => { audio.muted = true; await audio.play(); }")
    page.wait_for_function("() => document.querySelector('#moment audio').currentTime > 0.1")
    audio.evaluate("(audio) => { audio.pause(); audio.currentTime = 1.5; }")
    page.wait_for_function(
        "Math.abs(document.querySelector('#moment audio').currentTime - 1.5) < .1"
    )
    assert audio.evaluate("(audio) => audio.duration") == pytest.approx(2, abs=0.1)

    page.reload()
    page.wait_for_selector("#steps input:checked", state="attached")
    assert steps_kept(page) == kept
    page.get_by_role("button", name="Go on").click()
    wait_for_step(page, paused_at + 2)
    page.get_by_role("link", name="Download").first.wait_for(timeout=PATIENCE)
    stamp(page, "Done")
    page.wait_for_function("() => document.querySelectorAll('#steps label').length === 12")
    kept = steps_kept(page)
    assert (kept[0], kept[-1]) == (0, 150)
    expect(page.locator("#moment audio")).to_have_attribute("src", re.compile(r"/moments/150/"))
    expect(page.get_by_role("heading", name="What no cost asked for")).to_be_visible()
    assert page.evaluate("document.querySelector('loss-curve').points") == 151
    with page.expect_download() as download:
        page.get_by_role("link", name="Download FLAC").click()
    assert download.value.suggested_filename.startswith("a-whistle-as-")
    samples, rate = soundfile.read(io.BytesIO(download.value.path().read_bytes()))
    assert (len(samples) / rate, rate) == (pytest.approx(2, abs=0.05), RATE)

    page.goto("/pictures/")
    page.get_by_role("link", name="Sounds, signals, volumes and clips").click()
    page.get_by_role("link", name=re.compile("A whistle, as")).click()
    expect(page.locator("#moment audio")).to_have_attribute("src", re.compile(r"/moments/150/"))


def test_a_volume_is_cut_and_turned(page: Page, maker: str, sign_in) -> None:
    sign_in(page, maker, PASSWORD)
    page.goto("/make/volume/")
    page.locator("input[name=style_starter]").first.check(force=True)
    page.fill("#id_size", "16")
    page.fill("#id_steps", "3")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url(re.compile(r"/pieces/[0-9a-f-]{36}/$"))
    page.get_by_role("link", name="Download NII.GZ").wait_for(timeout=PATIENCE)
    sheet = page.locator("#moment sheet-view")
    slider = sheet.get_by_role("slider")
    before = slider.get_attribute("aria-valuetext")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuetext", before or "")
    expect(page.locator("#moment orbit-view")).to_be_visible()
    page.get_by_role("link", name="Make again").click()
    assert page.input_value("#id_size") == "16"
    expect(page.get_by_text("Leave this empty to use")).to_be_visible()
