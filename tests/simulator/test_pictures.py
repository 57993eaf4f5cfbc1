"""What the simulated camera sees: patterns, people, sessions, files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facerec.core.detector import HogDetector
from facerec.core.liveness.challenge import draw_challenge
from facerec.core.liveness.types import Movement, Phase, Progress
from tests.faces import draw_face
from tests.simulator.actor import Actor, willing
from tests.simulator.attacks import SPECIES
from tests.simulator.camera import Camera, CameraSettings, linear, srgb
from tests.simulator.cast import EVEN, ODD
from tests.simulator.objects import Panel, Raster, Sheet, ripple
from tests.simulator.people import cast, head
from tests.simulator.photos import head_from_photo
from tests.simulator.rays import Pose
from tests.simulator.scene import Face, Person, Scene, Sensor, expressed
from tests.simulator.session import Prompter, run
from tests.simulator.y4m import FakeCamera, header, i420, write_y4m

CHALLENGE = draw_challenge(chance=Random(5))


def spectrum_peak(picture: NDArray[np.uint8]) -> float:
    """How far the strongest frequency of the middle stands out over the median one."""
    grey = picture[80:280, 140:340].mean(2)
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * np.outer(np.hanning(200), np.hanning(200))))
    power[:4, :4] = power[-4:, :4] = 0
    return float(power.max() / np.median(power))


def plain(scene: Scene, thing: Sheet) -> NDArray[np.uint8]:
    scene.backdrop[:] = 0.2
    scene.camera.settings = replace(scene.camera.settings, read=0.001, shot=0.002, sharpen=0.0)
    return scene.picture([thing], 0.0)


def test_moire_is_on_a_screens_grid_and_not_on_paper() -> None:
    grey = np.full((64, 64, 3), 0.4, np.float32)
    scene = Scene(0)
    scene.sensor = Sensor(2, 0.3)
    # Each of the sensor's pixels sees about one of the screen's.
    distance = 0.5
    pitch = distance / scene.lens.focal / scene.sensor.native * 1.04
    sheet = Sheet(grey, (0.4, 0.3), Pose(roll=0.02, distance=distance))
    screen = replace(sheet, panel=Panel(pitch, 1.0, gloss=0.0))
    assert spectrum_peak(plain(scene, screen)) > 5 * spectrum_peak(plain(Scene(0), sheet))


def test_a_halftone_shows_where_it_is_coarse_and_not_where_it_is_fine() -> None:
    grey = np.full((64, 64, 3), 0.4, np.float32)
    sheet = Sheet(grey, (0.4, 0.3), Pose(distance=0.45))
    coarse = replace(sheet, raster=Raster(20 / 0.0254))
    fine = replace(sheet, raster=Raster(150 / 0.0254))
    peaks = [spectrum_peak(plain(Scene(0), s)) for s in (coarse, fine, sheet)]
    assert peaks[0] > 4 * peaks[2]
    assert peaks[1] < 2 * peaks[2]


def test_a_pattern_is_integrated_as_many_samples_would_be() -> None:
    """The factor of a cosine against the same by brute force: 16 samples for each sensor pixel."""
    scene = Scene(0)
    scene.sensor = Sensor(2, 0.0)
    slope = 0.9  # periods from pixel to pixel of the frame
    phase = np.broadcast_to((np.arange(160) * slope).astype(np.float32), (160, 160))
    fine = (np.arange(160)[:, None] - 0.5 + (np.arange(32) + 0.5) / 32) * slope
    brute = np.cos(2 * np.pi * fine).mean(1)
    np.testing.assert_allclose(ripple(phase, scene)[80], brute, atol=2e-3)


def test_the_curve_is_srgbs() -> None:
    light = np.array([0.0, 0.0031308, 0.2140, 1.0, 4.0], np.float32)
    assert srgb(light).tolist() == [0, 10, 127, 255, 255]
    assert linear(np.array([128], np.uint8))[0] == pytest.approx(0.2159, abs=1e-3)


def test_noise_grows_with_light_as_the_formula_says() -> None:
    settings = CameraSettings(
        blur=0.01, read=0.01, shot=0.05, sharpen=0, hunting=0, vignette=0, exposure=0.5
    )
    light = np.full((360, 480, 3), 0.3, np.float32)
    seen = linear(Camera(settings, 1).take(light, 0.0))
    level = 0.5**2.2
    assert seen.std() == pytest.approx(np.sqrt(0.01**2 + 0.05**2 * level), rel=0.05)


def test_light_that_pulses_shows_as_bands_unless_the_shutter_takes_whole_pulses() -> None:
    scene = Scene(0)
    for shutter, depth in ((1 / 100, 0.0), (1 / 1000, 0.29)):
        scene.camera.settings = replace(scene.camera.settings, shutter=shutter)
        rows = scene.banding(100, 0.3, 0.0)
        assert float(np.ptp(rows)) / 2 == pytest.approx(depth, abs=0.01)


def shown(species: str) -> list[NDArray[np.uint8]]:
    presentation = SPECIES[species](2)
    presentation.begin(CHALLENGE)
    move = Progress(Phase.MOVE, 0, 4, Movement.TURN_LEFT)
    return [presentation.picture(0.0, None), presentation.picture(0.1, move)]


@pytest.mark.parametrize("species", SPECIES)
def test_a_species_shows_a_face(species: str) -> None:
    first, second = shown(species)
    assert first.shape == second.shape == (360, 480, 3)
    assert first.dtype == np.uint8
    assert HogDetector().detect(Image.fromarray(first))


def test_a_seed_is_the_same_presentation_again() -> None:
    for species in ("bent_print", "phone_replay"):
        assert all((a == b).all() for a, b in zip(shown(species), shown(species), strict=True))


def test_seeds_differ_and_the_halves_share_nobody() -> None:
    assert not set(EVEN) & set(ODD)
    assert min(len(EVEN), len(ODD)) >= 60
    assert all(lot % 2 == 0 for lot in EVEN)
    assert head(0) is not head(1)
    assert (Scene(0).backdrop != Scene(2).backdrop).any()


def test_heads_that_are_given_play_the_parts_until_they_are_taken_back() -> None:
    drawn = head(0), head(1)
    cast([drawn[1], drawn[0]])
    try:
        assert (head(0), head(1), head(2)) == (drawn[1], drawn[0], drawn[1])
    finally:
        cast([])
    assert head(0) is drawn[0]


@pytest.mark.parametrize("movement", Movement)
def test_somebody_willing_does_what_is_asked_after_a_while_and_comes_back(
    movement: Movement,
) -> None:
    actor = Actor(4, replace(willing(4), sway=0.0, late=0.0, slip=0.0))
    home = actor.at(0.0)[0]
    actor.hear(0.0, Progress(Phase.HOLD, 0, 4))
    actor.hear(1.0, Progress(Phase.MOVE, 0, 4, movement))
    assert actor.at(1.1)[0] == home  # nobody reacts at once
    away = actor.at(3.5)[0]
    change = {
        Movement.TURN_LEFT: away.yaw - home.yaw,
        Movement.TURN_RIGHT: home.yaw - away.yaw,
        Movement.LOOK_DOWN: away.pitch - home.pitch,
        Movement.LOOK_UP: home.pitch - away.pitch,
        Movement.COME_CLOSER: (home.distance - away.distance) / home.distance,
    }
    assert change[movement] > 0.15
    actor.hear(4.0, Progress(Phase.RETURN, 0, 4))
    back = actor.at(8.0)[0]
    assert (back.yaw, back.pitch, back.distance) == pytest.approx(
        (home.yaw, home.pitch, home.distance)
    )


def test_a_blink_and_a_glance_change_the_eyes_alone() -> None:
    person = head(0)
    for face in (Face(lids=1.0), Face(gaze=(6.0, 0.0))):
        changed = np.abs(expressed(person, face) - person.albedo).max(2) > 1e-4
        rows, columns = np.nonzero(changed)
        assert changed.sum() > 200
        x, y = person.eyes[1]
        assert np.abs(rows - y).max() < 3 * person.eye[1]
        assert np.abs(columns - 240).max() < x - 240 + 1.3 * person.eye[0]


def test_a_session_runs_to_its_end_and_replays_as_it_was() -> None:
    result = run(SPECIES["bona_fide"](0), Prompter, CHALLENGE, limit=1.5, keep=True)
    again = run(SPECIES["bona_fide"](0), Prompter, CHALLENGE, limit=1.5, keep=True)
    assert result.frames == len(result.sent) >= 8
    assert [s.jpeg for s in result.sent] == [s.jpeg for s in again.sent]
    assert all(s.taken < s.arrived < s.judged for s in result.sent)
    assert all(len(s.jpeg) < 60_000 for s in result.sent)


@pytest.mark.parametrize("species", ["phone_replay", "replay_right_order"])
def test_a_replays_order_is_another_unless_it_has_luck(
    species: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [step.movement for step in CHALLENGE.steps]
    seen: list[list[Movement]] = []

    class Seen(Prompter):
        def __init__(self, challenge, *times) -> None:  # type: ignore[no-untyped-def]
            super().__init__(challenge, *times)
            seen.append([step.movement for step in challenge.steps])

    monkeypatch.setattr("tests.simulator.screens.Prompter", Seen)
    for seed in (2, 4):
        SPECIES[species](seed).begin(CHALLENGE)
    assert [order == asked for order in seen] == [species == "replay_right_order"] * 2


def test_a_head_is_made_of_a_photo() -> None:
    from facerec.core.alignment import FivePointAligner

    photo = np.asarray(draw_face(0))
    found = HogDetector().detect(Image.fromarray(photo))
    face = FivePointAligner().align(photo, found[0]).face
    made = head_from_photo(photo, face.landmarks)
    scene, pose = Scene(0), Pose(y=0.05, distance=0.45)
    assert HogDetector().detect(Image.fromarray(scene.picture([Person(made, pose, pose)], 0.0)))
    with pytest.raises(ValueError, match="too few pixels"):
        head_from_photo(photo, [(x / 20, y / 20) for x, y in face.landmarks])


def test_a_video_has_its_header_and_all_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.y4m"
    pictures = [np.full((360, 480, 3), value, np.uint8) for value in (0, 255)]
    assert write_y4m(path, pictures) == 2
    data = path.read_bytes()
    assert data.startswith(b"YUV4MPEG2 W480 H360 F15:1 ")
    frame = len(b"FRAME\n") + 480 * 360 * 3 // 2
    head_ = len(header(480, 360, 15))
    assert len(data) == head_ + 2 * frame
    assert data[head_ + 6] == 16  # studio black
    assert data[head_ + frame + 6] == 235
    with pytest.raises(ValueError, match="needs a picture"):
        write_y4m(path, [])


def test_a_fake_camera_is_rewritten_in_place(tmp_path: Path) -> None:
    camera = FakeCamera(tmp_path / "camera.y4m")
    size, node = camera.path.stat().st_size, camera.path.stat().st_ino
    picture = cv2.resize(np.asarray(draw_face(1)), (480, 360))
    camera.show(picture)
    camera.close()
    assert (camera.path.stat().st_size, camera.path.stat().st_ino) == (size, node)
    assert camera.path.read_bytes().endswith(b"FRAME\n" + i420(picture))
    assert camera.flags == [f"--use-file-for-fake-video-capture={os.fspath(camera.path)}"]
