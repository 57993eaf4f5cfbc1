"""Sheets of paper and screens: flat, or bent about an axis, with the pattern that they are made of.

A pattern too fine for the camera is not drawn but integrated: each of its harmonics is a cosine of
the place, and what a sensor's pixel, the lens and the scaling to the frame make of a cosine is a
factor that is known. What is left over is moiré where it falls near zero frequency, as in life.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.simulator.people import Floats
from tests.simulator.rays import Box, Lens, Pose
from tests.simulator.scene import Scene, lit, smeared


@dataclass(frozen=True, slots=True)
class Bend:
    """A sheet as part of a cylinder. curvature: 1 / radius in metres, above 0 with the middle
    nearest to the viewer; axis: radians from the vertical, in the sheet."""

    curvature: float = 0.0
    axis: float = 0.0

    def points(self, st: NDArray[np.floating]) -> NDArray[np.floating]:
        """Places on the sheet, metres from its middle (..., 2) -> own axes (..., 3)."""
        if abs(self.curvature) < 1e-6:
            return np.concatenate([st, np.zeros_like(st[..., :1])], -1)
        c, s = np.cos(self.axis), np.sin(self.axis)
        k = self.curvature
        across, along = st[..., 0] * c + st[..., 1] * s, -st[..., 0] * s + st[..., 1] * c
        x, z = np.sin(across * k) / k, (np.cos(across * k) - 1) / k
        return np.stack([x * c - along * s, x * s + along * c, z], -1).astype(st.dtype)


@dataclass(frozen=True, slots=True)
class Raster:
    """A halftone: lines in a metre, angle, and how deep it goes in the middle tones."""

    lines: float
    angle: float = 0.785
    depth: float = 0.9


@dataclass(frozen=True, slots=True)
class Panel:
    """A screen. pitch: metres from pixel to pixel; brightness: of its white, in the room's scale;
    black: what black gives; gloss: how much of the room it mirrors; flicker: depth and frequency
    of its backlight."""

    pitch: float
    brightness: float
    black: float = 0.01
    gloss: float = 0.03
    flicker: tuple[float, float] = (0.0, 240.0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture on something flat or bent. texture: linear (H, W, 3 or 4 with coverage); size:
    metres. later, later_bend: one shutter time on."""

    texture: Floats
    size: tuple[float, float]
    pose: Pose
    later: Pose | None = None
    bend: Bend = Bend()
    later_bend: Bend | None = None
    raster: Raster | None = None
    panel: Panel | None = None
    time: float = 0.0

    def draw(self, light: Floats, scene: Scene) -> None:
        st, normals, hit, box = meet_sheet(self.size, self.bend, self.pose, scene.lens)
        if box.empty:
            return
        high, wide = self.texture.shape[:2]
        scale = np.array([wide / self.size[0], high / self.size[1]], np.float32)
        at = st * scale + np.array([wide / 2 - 0.5, high / 2 - 0.5], np.float32)
        rgb = cv2.remap(self.texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.GaussianBlur(hit.astype(np.float32), (0, 0), 0.6)
        if rgb.shape[2] == 4:
            alpha, rgb = alpha * rgb[..., 3], rgb[..., :3]
        if self.panel is not None:
            rgb = self._shining(self.panel, rgb, st, box, scene)
        else:
            rgb = self._lit(rgb, st, normals, scene)
        flow = self._flow(st, scene.lens)
        if flow is not None:
            flow[~hit] = 0
            rgb, alpha = smeared(rgb, alpha, flow)
        below = light[box.slices]
        below += alpha[..., None] * (rgb - below)

    def _lit(self, rgb: Floats, st: Floats, normals: Floats, scene: Scene) -> Floats:
        if self.raster is not None:
            r = self.raster
            c, s = float(np.cos(r.angle)), float(np.sin(r.angle))
            dots = ripple((st[..., 0] * c + st[..., 1] * s) * r.lines, scene)
            dots *= ripple((st[..., 1] * c - st[..., 0] * s) * r.lines, scene)
            middle = 4 * rgb * (1 - rgb)
            rgb = np.clip(rgb + 0.5 * r.depth * middle * dots[..., None], 0, 1)
        return rgb * lit(normals, scene.lamps, self.pose)

    def _shining(self, panel: Panel, rgb: Floats, st: Floats, box: Box, scene: Scene) -> Floats:
        columns, rows = st[..., 0] / panel.pitch, st[..., 1] / panel.pitch
        out = np.empty_like(rgb)
        lines = 1 + 2 * _share(0.9, 1) * ripple(rows, scene)
        for channel in range(3):  # red, green and blue stripes, each a third of a pixel wide
            place = columns + np.float32(channel / 3)
            stripes = 1 + 2 * _share(0.3, 1) * ripple(place, scene)
            stripes += 2 * _share(0.3, 2) * ripple(2 * place, scene)
            out[..., channel] = rgb[..., channel] * stripes * lines
        out = (out + panel.black) * panel.brightness
        depth, frequency = panel.flicker
        if depth:
            band = scene.banding(frequency, depth, self.time)[box.top : box.bottom]
            out *= band[:, None, None]
        return out + panel.gloss * _mirrored(self.pose, box, scene)

    def _flow(self, st: Floats, lens: Lens) -> Floats | None:
        later, bend = self.later or self.pose, self.later_bend or self.bend
        if later == self.pose and bend == self.bend:
            return None
        coarse = st[::4, ::4]  # it changes slowly
        before = lens.project(self.pose.place(self.bend.points(coarse), 1.0, (0.0, 0.0, 0.0)))
        after = lens.project(later.place(bend.points(coarse), 1.0, (0.0, 0.0, 0.0)))
        return cv2.resize((after - before).astype(np.float32), st.shape[1::-1])


def meet_sheet(
    size: tuple[float, float], bend: Bend, pose: Pose, lens: Lens
) -> tuple[Floats, Floats, NDArray[np.bool_], Box]:
    """Where the camera's rays meet a sheet: places on it (h, w, 2), its normals there in its own
    axes (h, w, 3), or (1, 1, 3) if all are alike, whether they do, and the part of the picture."""
    w, h = size
    grid = np.stack(np.meshgrid(np.linspace(-w / 2, w / 2, 9), np.linspace(-h / 2, h / 2, 9)), -1)
    edge = pose.place(bend.points(grid), 1.0, (0.0, 0.0, 0.0)).reshape(-1, 3)
    edge[:, 2] = np.maximum(edge[:, 2], 0.02)
    box = Box.around(lens.project(edge), lens)
    if box.empty:
        empty = np.zeros((0, 0, 3), np.float32)
        return empty[..., :2], empty, np.zeros((0, 0), bool), box
    matrix = pose.matrix
    eye = (-matrix.T @ pose.position).astype(np.float32)
    rays = lens.rays(box, pose)
    if abs(bend.curvature) < 1e-6:
        t = -eye[2] / rays[2]
        st = cv2.merge([eye[0] + t * rays[0], eye[1] + t * rays[1]])
        normals = np.array([[[0, 0, 1]]], np.float32)  # everywhere the same
        hit = t > 0
    else:
        st, normals, hit = _meet_cylinder(size, bend, eye, rays)
    hit &= (np.abs(st[..., 0]) <= w / 2) & (np.abs(st[..., 1]) <= h / 2)
    return st.astype(np.float32), normals, hit, box


def _meet_cylinder(
    size: tuple[float, float], bend: Bend, eye: Floats, rays: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The nearest of both crossings that lies on the sheet."""
    c, s = float(np.cos(bend.axis)), float(np.sin(bend.axis))
    radius = float(1 / bend.curvature)
    ox, oy, oz = eye[0] * c + eye[1] * s, -eye[0] * s + eye[1] * c, eye[2] + radius
    dx, dy, dz = rays[0] * c + rays[1] * s, rays[1] * c - rays[0] * s, rays[2]
    a, b, q = dx * dx + dz * dz, ox * dx + oz * dz, ox * ox + oz * oz - radius * radius
    root = b * b - a * q
    real = root >= 0
    root = np.sqrt(np.maximum(root, 0))
    st = np.zeros((*a.shape, 2), np.float32)
    normals = np.zeros((*a.shape, 3), np.float32)
    hit = np.zeros(a.shape, bool)
    for sign in (-1, 1):
        t = (-b + sign * root) / a
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        turned = np.arctan2(x * np.sign(radius), z * np.sign(radius))
        across = turned * radius
        place = np.stack([across * c - y * s, across * s + y * c], -1)
        on = real & (t > 0) & (np.abs(turned) < 1.5)
        on &= (np.abs(place[..., 0]) <= size[0] / 2) & (np.abs(place[..., 1]) <= size[1] / 2)
        new = on & ~hit
        st[new] = place[new]
        nx, nz = x / radius, z / radius
        normals[new] = np.stack([nx * c, nx * s, nz], -1)[new]
        hit |= on
    return st, normals, hit


def ripple(phase: Floats, scene: Scene) -> Floats:
    """What the frame shows of cos(2 pi phase), phase in periods at each pixel of the frame.

    The sensor has `native` pixels to one of the frame. Its pixels are squares without gaps (sinc),
    the lens blurs by a Gaussian, and the scaling takes the mean of two neighbours, as a browser's
    does, whatever the factor.
    """
    if min(phase.shape) < 2 * _COARSE:
        return np.zeros_like(phase)
    sensor = scene.sensor
    # How fast the phase runs changes slowly: looked at on a coarse grid.
    coarse = np.ascontiguousarray(phase[::_COARSE, ::_COARSE])
    dy, dx = (d / np.float32(sensor.native * _COARSE) for d in np.gradient(coarse))
    factor = np.sinc(dx) * np.sinc(dy)
    factor *= np.exp(-2 * (np.pi * sensor.optics) ** 2 * (dx * dx + dy * dy))
    if sensor.native > 1:
        factor *= np.cos(np.pi * dx) * np.cos(np.pi * dy)
    if float(np.abs(factor).max()) < 1e-3:
        return np.zeros_like(phase)
    return cv2.resize(factor, phase.shape[::-1]) * _cosine(phase)


def _cosine(phase: Floats) -> Floats:
    """cos(2 pi phase), from a table."""
    return _TABLE[(phase * np.float32(_FINE)).astype(np.int32) & (_FINE - 1)]


_COARSE = 16
_FINE = 4096
_TABLE = np.cos(2 * np.pi * (np.arange(_FINE) + 0.5) / _FINE).astype(np.float32)


def _share(duty: float, harmonic: int) -> float:
    """A harmonic of a pulse that is on for this share of its period, over its mean."""
    return float(np.sinc(duty * harmonic))


def _mirrored(pose: Pose, box: Box, scene: Scene) -> Floats:
    """The room before the screen, out of focus: it wanders with the screen's tilt."""
    x = np.arange(box.left, box.right, dtype=np.float32)
    y = np.arange(box.top, box.bottom, dtype=np.float32)
    cx = float(scene.lens.width * (0.3 + 1.2 * pose.yaw) + 60 * scene.lamps.direction[0])
    cy = float(scene.lens.height * (0.25 + 1.2 * pose.pitch))
    lamp = np.outer(np.exp(-(((y - cy) / 45) ** 2)), np.exp(-(((x - cx) / 55) ** 2)))
    glow = 0.5 + 6 * lamp[..., None]
    return glow * np.array(scene.lamps.key, np.float32)
