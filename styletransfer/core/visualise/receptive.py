"""Receptive fields: which pixels of the picture a unit sees, by arithmetic from the layers.

A layer is a chain of `Step`s, alike along both axes. Of a chain that begins at pixels, a unit at
position p sees `size` pixels from `start + p * stride` on. For one more window of kernel k, stride
s, padding q and dilation d:

    size'   = size + (k - 1) d · stride
    start'  = start - q · stride
    stride' = s · stride

Where two branches are added, a unit sees the union of both. Source: Araujo, Norris and Sim,
"Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019). No torch here: the
web process reads it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

Extent = tuple[int, int]
"""(width, height) of a picture or of a layer's map."""


class Box(NamedTuple):
    """A rectangle in pixels, right and bottom exclusive. It may reach beyond the picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def within(self, extent: Extent) -> Box:
        """The part of it that lies in the picture."""
        width, height = extent
        return Box(
            max(0, self.left), max(0, self.top), min(width, self.right), min(height, self.bottom)
        )

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    @property
    def is_empty(self) -> bool:
        return self.right <= self.left or self.bottom <= self.top


@dataclass(frozen=True)
class Window:
    """A convolution or a pooling: it looks through a window that moves over its input."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Positions from the window's first to its last, exclusive."""
        return (self.kernel - 1) * self.dilation + 1


@dataclass(frozen=True)
class Residual:
    """Two ways from one input, added: a branch and its shortcut (empty: the identity).

    Where their maps differ in size, the smaller one lies at the top left.
    """

    branch: tuple[Step, ...]
    shortcut: tuple[Step, ...] = ()


Step = Window | Residual


@dataclass(frozen=True)
class Receptive:
    """What the units of one layer see of the picture, in pixels along either axis.

    size: pixels that a unit sees. stride: pixels from one unit to the next. start: the first pixel
    of the first unit; negative where the network pads.
    """

    size: int = 1
    stride: int = 1
    start: int = 0

    def box_of(self, row: int, column: int) -> Box:
        """What the unit at that position of its map sees; it may reach beyond the picture."""
        left, top = self.start + column * self.stride, self.start + row * self.stride
        return Box(left, top, left + self.size, top + self.size)

    def centre_of(self, position: float) -> float:
        """The middle of what it sees, along one axis; 0 is the first pixel's own middle."""
        return self.start + position * self.stride + (self.size - 1) / 2

    def after(self, step: Step) -> Receptive:
        """Of the layer that looks at this one through `step`."""
        if isinstance(step, Window):
            return Receptive(
                self.size + (step.reach - 1) * self.stride,
                self.stride * step.stride,
                self.start - step.padding * self.stride,
            )
        ways = [receptive_field(way, self) for way in (step.branch, step.shortcut)]
        if ways[0].stride != ways[1].stride:
            raise ValueError("a branch and its shortcut go different ways")
        start = min(way.start for way in ways)
        end = max(way.start + way.size for way in ways)
        return Receptive(end - start, ways[0].stride, start)


PIXELS = Receptive()
"""The picture's own: a pixel sees itself."""


def receptive_field(steps: Iterable[Step], of: Receptive = PIXELS) -> Receptive:
    """Of the layer at the end of the chain. Raises ValueError where branches do not fit."""
    for step in steps:
        of = of.after(step)
    return of


def map_extent(steps: Iterable[Step], extent: Extent) -> Extent:
    """(width, height) of the map at the end of the chain, for a picture of that extent.

    0 along an axis where the picture is too small for the chain.
    """
    for step in steps:
        if isinstance(step, Window):
            width, height = (
                max(0, (side + 2 * step.padding - step.reach) // step.stride + 1) for side in extent
            )
            extent = width, height
        else:
            ways = [map_extent(way, extent) for way in (step.branch, step.shortcut)]
            extent = max(w for w, _ in ways), max(h for _, h in ways)
    return extent


def seen_box(steps: tuple[Step, ...], extent: Extent, row: int, column: int) -> Box:
    """The pixels that a unit depends on, in a picture of that extent.

    Inside the picture this is the unit's receptive field. Near its edges it is what is left of it:
    padding is no pixel, an odd row that a pooling leaves over is not seen, and a unit beyond the
    smaller of two branches has the other alone.
    """
    return _pulled_back(Box(column, row, column + 1, row + 1), steps, extent)


def _pulled_back(box: Box, steps: tuple[Step, ...], extent: Extent) -> Box:
    """From positions of the map behind the steps to positions before them."""
    if not steps:
        return box.within(extent)
    *before, last = steps
    around = map_extent(before, extent)
    if isinstance(last, Window):
        moved = Box(
            box.left * last.stride - last.padding,
            box.top * last.stride - last.padding,
            (box.right - 1) * last.stride - last.padding + last.reach,
            (box.bottom - 1) * last.stride - last.padding + last.reach,
        ).within(around)
    else:
        ways = (_way_back(box, way, around) for way in (last.branch, last.shortcut))
        seen = [way for way in ways if not way.is_empty]
        moved = seen[0].union(seen[-1])
    return _pulled_back(moved, tuple(before), extent)


def _way_back(box: Box, way: tuple[Step, ...], extent: Extent) -> Box:
    there = box.within(map_extent(way, extent))
    return there if there.is_empty else _pulled_back(there, way, extent)
