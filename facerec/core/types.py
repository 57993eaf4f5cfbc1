"""What the face core hands out: plain values, free of torch, dlib and Django.

Lengths are pixels of the upright image, x to the right and y down. Distances are squared L2.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

ENCODING_SIZE = 128
"""Numbers in an encoding, f(x) in R^128."""

Encoding = NDArray[np.float32]
"""One encoding (128,) or several (..., 128)."""

Point = tuple[float, float]


class Outcome(StrEnum):
    """What a comparison came to. MATCH and CANNOT_DECIDE are shared; the other two are the
    negative answers of verification (1:1) and of identification (1:N)."""

    MATCH = "match"
    NO_MATCH = "no_match"
    NOT_RECOGNIZED = "not_recognized"
    CANNOT_DECIDE = "cannot_decide"


class Reason(StrEnum):
    """Why no decision can be made, with a sentence that tells a person what to do."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_FLAT = "too_flat"
    TURNED_AWAY = "turned_away"
    COVERED = "covered"
    NOT_ENROLLED = "not_enrolled"
    EMPTY_GALLERY = "empty_gallery"
    OTHER_VERSION = "other_version"
    DISPUTED = "disputed"
    TOO_CLOSE = "too_close"
    UNKNOWN_PERSON = "unknown_person"
    LIVENESS_MISSING = "liveness_missing"
    NOT_LIVE = "not_live"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NO_FACE: "No face was found. Use a photo that shows one face from the front, upright, "
    "uncovered and well lit.",
    Reason.SEVERAL_FACES: "There is more than one face. Use a photo that shows only the person "
    "in question, or crop it to that person.",
    Reason.TOO_SMALL: "The face is too small to compare. Come closer, or use a photo with more "
    "pixels.",
    Reason.TOO_BLURRED: "The face is too blurred to compare. Hold still, clean the lens, or use "
    "a sharper photo.",
    Reason.TOO_DARK: "The face is too dark. Turn on a light, or face the window.",
    Reason.TOO_BRIGHT: "The face is too bright, and parts of it are white. Step out of the sun, or "
    "turn down the lamp or the flash.",
    Reason.TOO_FLAT: "The face stands out too little from haze or backlight. Use even light from "
    "the front and clean the lens.",
    Reason.TURNED_AWAY: "The face is turned too far away. Look straight into the camera.",
    Reason.COVERED: "The face is hardly recognised as one: it may be partly covered, turned away "
    "or cut off. Show all of it: no hand, mask or dark glasses.",
    Reason.NOT_ENROLLED: "This person has no enrolled face yet. Enrol a photo first.",
    Reason.EMPTY_GALLERY: "Nobody is enrolled yet, so there is nobody to compare with. Enrol "
    "someone first.",
    Reason.OTHER_VERSION: "The enrolled face was made by another version of the encoder and "
    "cannot be compared. Enrol this person again from a photo.",
    Reason.DISPUTED: "This face is nearer to one of which it was said that it is not this person. "
    "Ask the person for another proof of who they are.",
    Reason.TOO_CLOSE: "Two enrolled people are about equally near to this face. Use another photo, "
    "from the front and in good light, or ask who it is and verify that.",
    Reason.UNKNOWN_PERSON: "Nobody was enrolled under the name or external id that was claimed. "
    "Check it, or enrol the person first.",
    Reason.LIVENESS_MISSING: "A live check is required here, and a photo alone cannot show that "
    "the person is there. Do the live check with a camera.",
    Reason.NOT_LIVE: "The live check was not passed, so this face is not compared. Repeat it, in "
    "even light and looking straight into the camera.",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright image; it may reach past the image's edge."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h

    @property
    def area(self) -> int:
        return self.w * self.h


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A face found in an image.

    landmarks: dlib's five points, in its order: outer and inner corner of the eye on the
    image's right, outer and inner corner of the eye on the image's left, base of the nose.
    score: the detector's confidence; larger is surer, not a probability. Above 0, or above -0.4
    in a close-up that is hard to make out.
    """

    box: Box
    landmarks: tuple[Point, Point, Point, Point, Point]
    score: float

    @property
    def eye_distance(self) -> float:
        """Pixels between the centres of the two eyes."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy), _ = self.landmarks
        return float(np.hypot(ax + bx - cx - dx, ay + by - cy - dy)) / 2


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured on one face.

    face_width, eye_distance: pixels in the upright image.
    sharpness: detail in the aligned face, see `quality.sharpness`; 0 is featureless.
    brightness, contrast: mean and standard deviation of the aligned face's luma, in [0, 1].
    highlights: the share of it that is white.
    yaw, pitch, roll: where the face looks, in degrees, see `quality.pose`.
    confidence: the detector's, see `DetectedFace.score`.
    """

    face_width: float
    eye_distance: float
    sharpness: float
    brightness: float
    contrast: float
    highlights: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    confidence: float = 1.0

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFace:
    """A face with its encoding f(x), float32 (128,).

    encoder_version: the backbone that encoded it. chip: what was encoded, uint8 RGB (S, S, 3).
    refusal: why this face must not be decided on, or None where its quality suffices.
    """

    face: DetectedFace
    quality: Quality
    encoding: Encoding
    encoder_version: str
    chip: NDArray[np.uint8]
    refusal: Reason | None = None


@dataclass(frozen=True, slots=True)
class VerificationDecision:
    """Is the probe the claimed person? MATCH, NO_MATCH or CANNOT_DECIDE.

    distance: squared L2 to the nearest of the person's templates; None if there is no decision.
    """

    outcome: Outcome
    distance: float | None
    threshold: float
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A subject of the gallery, as near to a probe as the nearest of its templates.

    distance: squared L2 to that template.
    """

    subject: int
    template: int
    distance: float


@dataclass(frozen=True, slots=True)
class IdentificationDecision:
    """Who of the gallery is the probe? MATCH, NOT_RECOGNIZED or CANNOT_DECIDE.

    nearest, runner_up: the nearest subject and the nearest other one, whatever the outcome; None
    where there is none or nothing was compared.
    """

    outcome: Outcome
    threshold: float
    reason: Reason | None = None
    nearest: Neighbour | None = None
    runner_up: Neighbour | None = None

    @property
    def subject(self) -> int | None:
        """Who it is; None unless the outcome is MATCH."""
        return self.nearest.subject if self.nearest and self.outcome is Outcome.MATCH else None

    @property
    def distance(self) -> float | None:
        """Squared L2 to the nearest template of the gallery."""
        return self.nearest.distance if self.nearest else None

    @property
    def margin(self) -> float | None:
        """By how much the runner-up is farther, in squared L2; 0 or more."""
        if self.nearest is None or self.runner_up is None:
            return None
        return self.runner_up.distance - self.nearest.distance
