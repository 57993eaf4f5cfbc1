"""Who comes into the gallery: the rule that single and bulk enrolment share.

A face that is near to somebody else's template, or far from the person's own, is not taken in
unasked: a person says what is to be done with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from facerec.core.distance import squared_distance
from facerec.core.quality import overall
from facerec.core.types import EncodedFace, Encoding
from facerec.encoders import active, adapter_of
from facerec.models import EnrolmentPhoto, FaceTemplate, PhotoStatus, Subject
from facerec.reasons import DUPLICATE, OUTLIER
from facerec.runtime import FaceRuntime
from facerec.thresholds import duplicate_point, outlier_point


@dataclass(frozen=True)
class Doubt:
    """Why a face waits for a person's word.

    reason: DUPLICATE or OUTLIER. distance: squared L2 to the nearest template of `looks_like`,
    another person's key (duplicate), or of the person (outlier); threshold: what it was held to.
    """

    reason: str
    distance: float
    threshold: float
    looks_like: int | None = None


def doubt_about(here: FaceRuntime, encoding: Encoding, subject_id: int) -> Doubt | None:
    """Whether a face may be taken in as this person's without asking: None if it may.

    encoding: (128,), the backbone's. A probable duplicate comes before an outlier, since it tells
    more. A person's first photo cannot be an outlier.
    """
    gallery = here.gallery()
    [nearest] = gallery.search(encoding[None], k=2)
    near = duplicate_point(len(gallery)).threshold
    for other in nearest:
        if other.subject != subject_id and other.distance <= near:
            return Doubt(DUPLICATE, other.distance, near, looks_like=other.subject)
    own, far = distances_to(subject_id, encoding), outlier_point().threshold
    if own and min(own) > far:
        return Doubt(OUTLIER, min(own), far)
    return None


def distances_to(subject_id: int, encoding: Encoding) -> list[float]:
    """Squared L2 of a face to each comparable template of a person, as the encoder in use has
    them, in the templates' order. encoding: (128,), the backbone's in use."""
    rows = FaceTemplate.current.filter(subject=subject_id).values_list("encoding", flat=True)
    adapt = adapter_of(active())
    templates = adapt(FaceTemplate.unpack(rows))
    return [float(d) for d in squared_distance(templates, adapt(encoding))]


def stored_form(here: FaceRuntime, face: EncodedFace) -> dict[str, Any]:
    """A face as the rows have it that keep one: the fields that FaceTemplate and a photo that is
    to be confirmed share."""
    return {
        "encoding": FaceTemplate.pack(face.encoding),
        "encoder_version": face.encoder_version,
        "aligner_version": here.pipeline.aligner_version,
        "quality": {**face.quality.as_dict(), "overall": overall(face.quality)},
    }


def hold(photo: EnrolmentPhoto, doubt: Doubt, stored: dict[str, Any]) -> bool:
    """Let a waiting photo's face wait for a person's word; False if the photo waits no more."""
    waiting = EnrolmentPhoto.objects.filter(pk=photo.pk, status=PhotoStatus.WAITING)
    there = Subject.objects.filter(pk=doubt.looks_like or 0).values_list("pk", flat=True).first()
    return bool(
        waiting.update(
            status=PhotoStatus.CONFIRM,
            reason=doubt.reason,
            distance=doubt.distance,
            threshold=doubt.threshold,
            looks_like=there,
            **stored,
        )
    )
