"""What the judge knows between two frames, and its way to bytes and back: JSON for what is plain,
npz for arrays, no pickle."""

from __future__ import annotations

import io
import json
import types
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import Step
from facerec.core.liveness.depth import Parallax
from facerec.core.liveness.head import Placed
from facerec.core.liveness.homography import Points
from facerec.core.liveness.movements import Landmarks, Pose, Turn
from facerec.core.liveness.same_person import SamePerson
from facerec.core.liveness.times import Times
from facerec.core.liveness.tracking import Grey
from facerec.core.liveness.types import Ground, Hint, Movement, Phase, Verdict
from facerec.core.types import Box

T = TypeVar("T")


class Sighting(NamedTuple):
    """A pose and when it was taken."""

    taken: float
    pose: Pose


@dataclass
class Track:
    """Points that are followed from a reference, the picture in which the present movement begins.

    neutral: the pose in the reference. sharpness: of the face there. start: the points in it,
    (N, 2). picture, taken: the last frame and its time. now: the points in it, (N, 2), where
    `alive`, (N,). extra: points that came later, for continuity alone, (M, 2). landmarks: in the
    last frame with a face. tried: whether they have been followed once. placed: where the head is;
    turns: the last few of it.
    """

    reference: Grey
    neutral: Pose
    sharpness: float
    start: Points
    picture: Grey
    taken: float
    now: Points
    alive: NDArray[np.bool_]
    extra: Points
    landmarks: Landmarks
    tried: bool = False
    placed: Placed = field(default_factory=Placed)
    turns: list[Turn] = field(default_factory=list)


@dataclass
class Portrait:
    """A frontal frame that may become the one to compare. jpeg: its bytes. distance: to the
    anchor."""

    jpeg: NDArray[np.uint8]
    distance: float


@dataclass
class Proof:
    """What one turn showed: the medians over its frames, see `Parallax`."""

    movement: Movement
    parallax: float
    relief: float
    shape: float
    frames: int


@dataclass
class Strain:
    """How near the tracks came to breaking, see `Limits`: the least share of survivors; the most
    of the others."""

    survivors: float = 1.0
    jump: float = 0.0
    speed: float = 0.0
    misfit: float = 0.0


@dataclass
class State:
    steps: list[Step]
    done: int = 0
    phase: Phase = Phase.FIND
    since: float | None = None  # the server's time when the phase began; None before a frame
    hint: Hint | None = Hint.SHOW_FACE
    share: float = 0.0
    verdict: Verdict | None = None
    grounds: list[Ground] = field(default_factory=list)
    frames: int = 0
    last_arrived: float = 0.0
    # the face
    box: Box | None = None
    seen: float = 0.0  # `taken` of the last frame with a face
    crowded: int = 0  # looks in a row that showed another face
    recent: list[Sighting] = field(default_factory=list)
    track: Track | None = None
    strain: Strain = field(default_factory=Strain)
    # how often patience was needed
    early: int = 0
    slips: int = 0
    astray: float | None = None  # when a movement that was not asked began, until it is over
    retries: int = 0
    blurs: int = 0
    # evidence
    times: Times = field(default_factory=Times)
    same: SamePerson = field(default_factory=SamePerson)
    first: list[NDArray[np.float32]] = field(default_factory=list)  # encodings of still frames
    parallax: list[Parallax] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    portrait: Portrait | None = None
    best: Portrait | None = None
    passive: dict[str, Any] | None = None  # `PassiveEvidence` as JSON
    watched: int = 0  # frames whose passive cues were taken
    network: list[float] = field(default_factory=list)


def to_bytes(value: Any) -> bytes:
    """A dataclass of plain values, tuples, lists, enums and arrays -> bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    plain = _plain(value, arrays)
    text = np.frombuffer(json.dumps(plain).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, plain=text, **arrays)
    return buffer.getvalue()


def from_bytes(kind: type[T], data: bytes) -> T:
    """And back. Raises ValueError for anything else than what `to_bytes` made of that class."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            plain = json.loads(arrays["plain"].tobytes())
            made: T = _made(kind, plain, arrays)
    except (OSError, EOFError, KeyError, TypeError, AttributeError, BadZipFile) as error:
        raise ValueError(f"not a {kind.__name__}: {error!r}") from error
    return made


def _plain(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return name
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name), arrays) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [_plain(item, arrays) for item in value]
    return value


def _made(kind: Any, plain: Any, arrays: Any) -> Any:
    """`plain` as the annotated kind."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return None if plain is None else _made(args[0], plain, arrays)
    if origin is np.ndarray:
        return arrays[plain]
    if origin is list:
        return [_made(args[0], item, arrays) for item in plain]
    if origin is not None or kind is Any:
        return plain
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        values = plain if isinstance(plain, dict) else dict(zip(hints, plain, strict=True))
        return kind(**{name: _made(hints[name], item, arrays) for name, item in values.items()})
    return kind(plain) if issubclass(kind, Enum) else plain
