"""A room, its lamps and its camera; what stands in front of it becomes a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.portraits.canvas import noise
from tests.simulator.camera import Camera, CameraSettings
from tests.simulator.people import (
    BACK,
    BODY_HEIGHT,
    BODY_TEXELS,
    BODY_TOP,
    BODY_WIDTH,
    TEXELS,
    Floats,
    Head,
)
from tests.simulator.rays import Box, Lens, Pose, meet, texels

WIDTH, HEIGHT = 480, 360


@dataclass(frozen=True, slots=True)
class Lamps:
    """One lamp and what the room gives back. direction: from the face to the lamp, in the room's
    axes; key, fill: linear RGB. flicker: depth and frequency of the mains' ripple."""

    direction: tuple[float, float, float]
    key: tuple[float, float, float]
    fill: tuple[float, float, float]
    flicker: tuple[float, float] = (0.0, 100.0)


@dataclass(frozen=True, slots=True)
class Sensor:
    """native: pixels of the sensor to one of the frame, in a row; optics: sigma of the lens's blur
    in them."""

    native: int = 3
    optics: float = 0.4


class Thing(Protocol):
    """What stands before the camera."""

    def draw(self, light: Floats, scene: Scene) -> None:
        """Paint it into linear light (H, W, 3), over what is there."""


@dataclass
class Scene:
    """Where a session takes place, drawn by its seed: room, lamps, lens, camera, connection.

    fps: frames sent a second. latency: seconds from the browser to the server, and back.
    """

    seed: int
    lens: Lens = field(init=False)
    lamps: Lamps = field(init=False)
    camera: Camera = field(init=False)
    sensor: Sensor = field(init=False)
    backdrop: Floats = field(init=False)
    fps: float = field(init=False)
    latency: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, 92])
        u = rng.uniform
        self.lens = Lens(WIDTH, HEIGHT, WIDTH / 2 / np.tan(np.radians(u(60, 70)) / 2))
        warm = u(-0.18, 0.18)
        key = u(0.45, 1.0)
        self.lamps = Lamps(
            direction=(u(-0.8, 0.8), u(-0.9, -0.15), -1.0),
            key=(key * (1 + warm), key, key * (1 - warm)),
            fill=tuple(u(0.3, 0.55) * (1 + d) for d in (-0.3 * warm, 0.0, 0.3 * warm)),
            flicker=(u(0, 0.15) if rng.random() < 0.4 else 0.0, float(rng.choice([100, 120]))),
        )
        dark = max(0.0, u(-2.0, 1.0))  # a third of the rooms are badly lit
        self.camera = Camera(
            CameraSettings(
                blur=u(0.45, 1.0),
                shutter=u(1 / 120, 1 / 40) + dark * u(0, 1 / 60),
                read=u(0.002, 0.006) + 0.012 * dark,
                shot=u(0.008, 0.02) + 0.02 * dark,
                balance=(u(0.92, 1.1), u(0.9, 1.1)),
                sharpen=u(0, 0.8),
                exposure=u(0.36, 0.5) - 0.1 * dark,
                hunting=u(0, 0.05),
                vignette=u(0, 0.3),
                rows=u(1 / 60, 1 / 30),
                quality=u(0.7, 0.9),
            ),
            self.seed,
        )
        self.sensor = Sensor(int(rng.integers(2, 5)), u(0.3, 0.6))
        self.backdrop = _room(self.seed, self.lamps)
        self.fps = u(8, 12)
        self.latency = (u(0.02, 0.1), u(0.01, 0.1))

    def picture(self, things: Sequence[Thing], t: float) -> NDArray[np.uint8]:
        """What the camera makes of these things, painted from the farthest to the nearest."""
        light = self.backdrop.copy()
        for thing in things:
            thing.draw(light, self)
        depth, frequency = self.lamps.flicker
        if depth:
            light *= self.banding(frequency, depth, t)[:, None, None]
        return self.camera.take(light, t)

    def banding(self, frequency: float, depth: float, t: float) -> Floats:
        """The factor of each row under light that pulses: 1 + depth cos, averaged over the row's
        exposure, which starts later from row to row."""
        s = self.camera.settings
        row = np.arange(self.lens.height) / self.lens.height * s.rows
        seen = depth * np.sinc(frequency * s.shutter)
        return (1 + seen * np.cos(2 * np.pi * frequency * (t + row))).astype(np.float32)


@lru_cache(maxsize=16)
def _room(seed: int, lamps: Lamps) -> Floats:
    """A wall with some things before it, out of focus."""
    rng = np.random.default_rng([seed, 93])
    u = rng.uniform
    light = np.array(lamps.key, np.float32) * 0.3 + np.array(lamps.fill, np.float32) * 0.5
    wall = u(0.15, 0.6) * (1 + np.array([u(-0.15, 0.2), 0, u(-0.2, 0.15)]))
    room = np.ones((HEIGHT, WIDTH, 3), np.float32) * (wall * light).astype(np.float32)
    for _ in range(int(rng.integers(3, 12))):
        w, h = int(u(15, 170)), int(u(15, 220))
        x, y = int(u(-40, WIDTH)), int(u(-40, HEIGHT))
        colour = u(0.02, 0.7, 3) * (u(1.5, 3) if rng.random() < 0.08 else 1)
        part = room[max(0, y) : y + h, max(0, x) : x + w]
        part[:] = (colour * light).astype(np.float32)
        if rng.random() < 0.4:  # a row of books
            stripes = np.repeat(u(0.3, 1.2, (1, part.shape[1] // 6 + 1, 3)), 6, 1)
            part *= stripes[:, : part.shape[1]].astype(np.float32)
    room *= 1 + 0.12 * noise(rng, (HEIGHT, WIDTH), 90)[..., None]
    shade = 1 + 0.35 * noise(rng, (HEIGHT, WIDTH), 2)[..., None]
    return cv2.GaussianBlur(np.clip(room * shade, 0.004, None), (0, 0), u(0.8, 3.5))


@dataclass(frozen=True, slots=True)
class Face:
    """What moves in a face, relative to its texture. gaze: texels that the irises have moved;
    lids: 0 open to 1 shut; mouth: texels that the lower lip has moved."""

    gaze: tuple[float, float] = (0.0, 0.0)
    lids: float = 0.0
    mouth: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """A head in a pose, and where it will be: one shutter time later. upright: the pose of the
    body, which does not turn with the head."""

    head: Head
    pose: Pose
    later: Pose
    face: Face = Face()
    gloss: float = 0.12

    def draw(self, light: Floats, scene: Scene) -> None:
        self._draw_body(light, scene)
        rgb, alpha, box = self.seen(scene)
        if not box.empty:
            below = light[box.slices]
            below += alpha[..., None] * (rgb - below)

    def _draw_body(self, light: Floats, scene: Scene) -> None:
        pose = Pose(x=self.pose.x, y=self.pose.y, distance=self.pose.distance)
        corners = np.array([[0, 0], [BODY_WIDTH, 0], [0, BODY_HEIGHT]], np.float32)
        own = np.empty((3, 3), np.float32)
        own[:, 0] = (corners[:, 0] - BODY_WIDTH / 2) / BODY_TEXELS
        own[:, 1] = corners[:, 1] / BODY_TEXELS + BODY_TOP
        own[:, 2] = BACK
        to = scene.lens.project(pose.place(own))
        matrix = cv2.getAffineTransform(corners, to.astype(np.float32))
        size = scene.lens.width, scene.lens.height
        body = cv2.warpAffine(self.head.body, matrix, size, flags=cv2.INTER_LINEAR)
        tone = np.array(scene.lamps.key, np.float32) * 0.6 + np.array(scene.lamps.fill, np.float32)
        light *= 1 - body[..., 3:]
        light += body[..., :3] * tone

    def seen(self, scene: Scene) -> tuple[Floats, Floats, Box]:
        """The head alone: linear light, coverage, and the part of the picture."""
        hits = meet(self.head, self.pose, scene.lens)
        if hits.box.empty:
            return np.zeros((0, 0, 3), np.float32), np.zeros((0, 0), np.float32), hits.box
        at = texels(hits.points)
        albedo = cv2.remap(expressed(self.head, self.face), at, None, cv2.INTER_LINEAR)
        normals = cv2.remap(self.head.normals, at, None, cv2.INTER_LINEAR)
        rgb = albedo * lit(normals, scene.lamps, self.pose)
        rgb += self._shine(normals, scene.lamps)[..., None]
        alpha = cv2.GaussianBlur(hits.hit.astype(np.float32), (0, 0), 0.6)
        if self.later != self.pose:
            before = scene.lens.project(self.pose.place(hits.points))
            flow = scene.lens.project(self.later.place(hits.points)) - before
            rgb, alpha = smeared(rgb, alpha, np.where(hits.hit[..., None], flow, 0))
        return rgb, alpha, hits.box

    def _shine(self, normals: Floats, lamps: Lamps) -> Floats:
        half = _towards_lamp(lamps) + np.array([0, 0, -1])
        half = self.pose.matrix.T @ (half / np.linalg.norm(half))
        gloss = np.clip(normals @ half.astype(np.float32), 0, 1) ** 20
        return self.gloss * lamps.key[1] * gloss


def _towards_lamp(lamps: Lamps) -> NDArray[np.float64]:
    direction = np.array(lamps.direction)
    return direction / np.linalg.norm(direction)


def lit(normals: Floats, lamps: Lamps, pose: Pose) -> Floats:
    """Light on a surface: half-Lambert from the lamp, more from above than from below."""
    lamp = (pose.matrix.T @ _towards_lamp(lamps)).astype(np.float32)
    up = (pose.matrix.T @ np.array([0.0, -1.0, 0.0])).astype(np.float32)
    facing = np.clip((normals @ lamp + 0.2) / 1.2, 0, 1)
    sky = 0.75 + 0.25 * (normals @ up)
    key, fill = np.array(lamps.key, np.float32), np.array(lamps.fill, np.float32)
    return facing[..., None] * key + sky[..., None] * fill


def smeared(rgb: Floats, alpha: Floats, flow: Floats) -> tuple[Floats, Floats]:
    """The mean over the shutter's time of what moves by `flow` pixels in it."""
    most = float(np.abs(flow).max(initial=0))
    if most < 0.5:
        return rgb, alpha
    samples = int(np.clip(2 + most / 2, 3, 9))
    # What is beside the head is crossed by its edge too.
    flow = cv2.blur(flow.astype(np.float32), (7, 7))
    here = _pixels(*alpha.shape)
    layer = cv2.merge([*cv2.split(rgb * alpha[..., None]), alpha])
    total = np.zeros_like(layer)
    for share in np.linspace(-0.5, 0.5, samples, dtype=np.float32):
        total += cv2.remap(layer, here + share * flow, None, cv2.INTER_LINEAR)
    total /= samples
    return total[..., :3] / np.maximum(total[..., 3:], 1e-3), total[..., 3]


@lru_cache(maxsize=4)
def _all_pixels() -> Floats:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return np.dstack([columns, rows])


def _pixels(high: int, wide: int) -> Floats:
    """The coordinates of each pixel (h, w, 2)."""
    if high <= HEIGHT and wide <= WIDTH:
        return _all_pixels()[:high, :wide]
    rows, columns = np.mgrid[0:high, 0:wide].astype(np.float32)
    return np.dstack([columns, rows])


def expressed(head: Head, face: Face) -> Floats:
    """The head's texture with this expression."""
    if face == Face():
        return head.albedo
    texture = head.albedo.copy()
    half_width, half_height = head.eye
    for ex, ey in head.eyes:
        if face.gaze != (0.0, 0.0):
            _shift(texture, head.albedo, (ex, ey), (half_width * 0.8, half_height * 1.2), face.gaze)
        if face.lids > 0:
            _close(texture, (ex, ey), (half_width * 1.15, half_height * 1.5), face.lids)
    if abs(face.mouth) > 0.2:
        mx, my, mw = head.mouth
        _shift(
            texture,
            head.albedo,
            (mx, my + 0.16 * TEXELS),
            (mw * 1.3, 0.22 * TEXELS),
            (0.0, face.mouth),
        )
    return texture


def _patch(
    shape: tuple[int, ...], centre: tuple[float, float], half: tuple[float, float]
) -> tuple[tuple[slice, slice], Floats, Floats]:
    (cx, cy), (w, h) = centre, half
    rows = slice(max(0, int(cy - h)), min(shape[0], int(cy + h) + 1))
    columns = slice(max(0, int(cx - w)), min(shape[1], int(cx + w) + 1))
    y, x = np.mgrid[rows, columns].astype(np.float32)
    return (rows, columns), x, y


def _shift(
    texture: Floats, source: Floats, centre: tuple[float, float], half: tuple[float, float],
    by: tuple[float, float],
) -> None:  # fmt: skip
    """Move what is in the middle of an ellipse, and less towards its edge."""
    where, x, y = _patch(texture.shape, centre, half)
    r = ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2
    weight = np.clip(1 - r, 0, 1)
    texture[where] = cv2.remap(
        source, x - weight * np.float32(by[0]), y - weight * np.float32(by[1]), cv2.INTER_LINEAR
    )


def _close(
    texture: Floats, centre: tuple[float, float], half: tuple[float, float], lids: float
) -> None:
    """Draw the skin above an eye down over it."""
    where, x, y = _patch(texture.shape, centre, half)
    t = (y - centre[1]) / half[1]
    curve = np.clip(1 - ((x - centre[0]) / half[0]) ** 2, 0, 1)
    edge = (-1 + 2 * lids) * 0.8
    covered = np.clip((edge - t) * half[1] + 0.5, 0, 1) * (curve > 0.02)
    skin = texture[max(0, where[0].start - 3)][where[1]].mean(0)
    lash = np.exp(-((((t - edge) * half[1]) / 1.6) ** 2)) * curve
    part = texture[where]
    part += covered[..., None] * (skin * (0.85 + 0.1 * np.cos(t * 3))[..., None] - part)
    part *= 1 - 0.6 * lash[..., None]
