"""An answer was wrong: it is remembered, judged by an administrator, and then used.

“This is NAME” becomes a template of NAME; “not this person” becomes a counter-example, by which a
like face is from then on not decided on (`facerec.core.veto`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from facerec.core.distance import squared_distance
from facerec.core.types import Encoding, Outcome
from facerec.core.veto import is_disputed
from facerec.encoders import ActiveEncoder, active, adapter_of
from facerec.models import (
    Attempt,
    AttemptFace,
    Correction,
    FaceTemplate,
    GalleryVersion,
    Mode,
    Subject,
)
from facerec.services.admission import distances_to
from facerec.services.remembered import recall
from facerec.thresholds import outlier_point
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.models import Status

log = structlog.get_logger(__name__)

UNJUDGED_LIFE = timedelta(days=14)  # then the face is forgotten; what was said of it stays
Kind, State = Correction.Kind, Correction.State


def correct(
    *,
    attempt: Attempt,
    kind: str,
    by: User,
    face: int | None = None,
    subject: Subject | None = None,
) -> Correction:
    """Note that an answer was wrong. Said twice, it is noted once.

    Args:
        kind: NOT_THIS_PERSON takes back a match; THIS_IS says who it was.
        face: its position, on a photo of several.
        subject: who it was; by default, in a verification, the person who was claimed.

    Where the face matched somebody else, THIS_IS says NOT_THIS_PERSON of that one too. The face's
    encoding comes along if the attempt is no older than a quarter of an hour.

    Raises:
        UserFacingError: `nothing_to_correct` (409), `unknown_face` (404), `subject_missing`.
        redis.RedisError
    """
    asked = _asked_about(attempt, face)
    matched = asked.subject if asked.outcome == Outcome.MATCH else None
    if kind == Kind.NOT_THIS_PERSON:
        if matched is None:
            raise _nothing_to_correct("There is no match to take back in this answer.")
        return _note(attempt, asked, kind, matched, by)
    if subject is None and attempt.mode == Mode.VERIFICATION:
        subject = attempt.subject
    if subject is None:
        raise UserFacingError(
            "subject_missing",
            "It is not said who this is.",
            "Give a name or an external id.",
            status=422,
            field="subject",
        )
    if subject == matched:
        raise _nothing_to_correct(f"The answer is already that this is {subject.name}.")
    if matched is not None:
        _note(attempt, asked, Kind.NOT_THIS_PERSON, matched, by)
    return _note(attempt, asked, kind, subject, by)


@dataclass(frozen=True)
class _Asked:
    """The face that is spoken of, in either mode: how it was decided on, and its position, as
    AttemptFace has it (0 in a verification)."""

    position: int
    outcome: str
    distance: float | None
    subject: Subject | None


def _asked_about(attempt: Attempt, position: int | None) -> _Asked:
    decided = attempt if attempt.mode == Mode.VERIFICATION else _face_of(attempt, position)
    if attempt.status != Status.DONE or decided.distance is None:
        raise _nothing_to_correct("This face was not compared with anybody.")
    place = decided.position if isinstance(decided, AttemptFace) else 0
    return _Asked(place, decided.outcome, decided.distance, decided.subject)


def _face_of(attempt: Attempt, position: int | None) -> AttemptFace:
    faces = list(attempt.faces.select_related("subject"))
    if position is None and len(faces) == 1:
        return faces[0]
    found = next((face for face in faces if face.position == position), None)
    if found is None:
        raise UserFacingError(
            "unknown_face",
            "It is not said which of the photo's faces this is about.",
            "Give its number, counted from 0, the largest first.",
            status=404,
            field="face",
        )
    return found


def _nothing_to_correct(message: str) -> UserFacingError:
    return UserFacingError("nothing_to_correct", message, "Nothing was noted.", status=409)


@transaction.atomic
def _note(attempt: Attempt, asked: _Asked, kind: str, subject: Subject, by: User) -> Correction:
    Attempt.objects.select_for_update().get(pk=attempt.pk)  # one at a time
    said = Correction.objects.filter(
        attempt=attempt, face=asked.position, kind=kind, subject=subject
    ).first()
    if said is not None:
        return said
    remembered = recall(attempt.pk, asked.position) or {}
    return Correction.objects.create(
        kind=kind, attempt=attempt, face=asked.position, subject=subject, said_by=by, **remembered
    )


# --- the administrator's word ------------------------------------------------------------------
@transaction.atomic
def accept(*, correction: Correction, by: User, sure: bool = False) -> Correction:
    """Use what was said: THIS_IS makes a template, NOT_THIS_PERSON a counter-example. One that was
    said without a face is only noted as right.

    sure: make a template even of a face that is far from all of the person's others.

    Raises:
        UserFacingError: `already_judged` (409), `far_from_person`, `other_version` (422).
        FaceCoreError
    """
    held = _quarantined(correction)
    if held.kind == Kind.THIS_IS and held.encoding is not None:
        if not is_comparable(held, active()):
            raise UserFacingError(
                "other_version",
                "This face was made by another version of the encoder and cannot be compared.",
                "Dismiss it, and enrol the person again from a photo.",
                status=422,
            )
        distances = distances_of(held)
        if distances and min(distances) > outlier_point().threshold and not sure:
            raise UserFacingError(
                "far_from_person",
                f"This face does not look like {held.subject.name}.",
                "Whoever shows it would be taken for this person. Say that you are sure, or "
                "dismiss it.",
                status=422,
                field="sure",
            )
        held.template = FaceTemplate.objects.create(
            subject=held.subject,
            encoding=held.encoding,
            encoder_version=held.encoder_version,
            aligner_version=held.aligner_version,
            quality=held.quality,
        )
        held.encoding = None
    return _judged(held, State.ACCEPTED, by)


@transaction.atomic
def dismiss(*, correction: Correction, by: User) -> Correction:
    """Do not use what was said, and forget the face. Raises UserFacingError `already_judged`."""
    held = _quarantined(correction)
    held.encoding = None
    return _judged(held, State.DISMISSED, by)


@transaction.atomic
def withdraw(*, correction: Correction, by: User) -> Correction:
    """Use a counter-example no more, and forget the face; without error if it is none."""
    held = Correction.objects.select_for_update(of=("self",)).get(pk=correction.pk)
    held.encoding = None
    return _judged(held, State.DISMISSED, by)


def _quarantined(correction: Correction) -> Correction:
    GalleryVersion.lock()
    held = (
        Correction.objects.select_for_update(of=("self",))
        .select_related("subject")
        .filter(pk=correction.pk, state=State.QUARANTINED)
        .first()
    )
    if held is None:
        raise UserFacingError(
            "already_judged",
            "Somebody has already judged this.",
            "Reload the page.",
            status=409,
        )
    return held


def _judged(held: Correction, state: str, by: User) -> Correction:
    held.state, held.judged, held.judged_by = state, timezone.now(), by
    held.save()
    log.info("correction judged", correction=held.pk, state=str(state), by=by.get_username())
    return held


def forget_unjudged() -> None:
    """Forget the faces of corrections that nobody has judged in UNJUDGED_LIFE."""
    old = timezone.now() - UNJUDGED_LIFE
    waiting = Correction.objects.filter(state=State.QUARANTINED, created__lt=old)
    waiting.exclude(encoding=None).update(encoding=None)


# --- how far apart, and what is disputed --------------------------------------------------------
def is_comparable(correction: Correction, encoder: ActiveEncoder) -> bool:
    made_by = (correction.encoder_version, correction.aligner_version)
    return made_by == (encoder.backbone, encoder.aligner)


def distances_of(correction: Correction) -> list[float]:
    """Squared L2 of the face to each of the person's comparable templates; empty where there is
    nothing to compare. Raises FaceCoreError."""
    if correction.encoding is None or not is_comparable(correction, active()):
        return []
    [encoding] = FaceTemplate.unpack([correction.encoding])
    return distances_to(correction.subject_id, encoding)


Compare = Callable[[Encoding, Encoding], Encoding]
"""(probe (128,), templates (M, 128)), both adapted -> dissimilarities (M,)."""


def is_vetoed(
    *,
    encoder: ActiveEncoder,
    subject_id: int,
    encoding: Encoding,
    distance: float,
    compare: Compare = squared_distance,
) -> bool:
    """Whether a match with this person must not stand, since the face is nearer to one that is
    known not to be this person.

    encoding: (128,), the probe's by the backbone. distance: to the nearest of the person's
    templates, as `compare` has it. Raises FaceCoreError.
    """
    rows = Correction.objects.filter(
        subject=subject_id,
        kind=Kind.NOT_THIS_PERSON,
        state=State.ACCEPTED,
        encoder_version=encoder.backbone,
        aligner_version=encoder.aligner,
    )
    adapt = adapter_of(encoder)
    counter_examples = FaceTemplate.unpack(
        kept for kept in rows.values_list("encoding", flat=True) if kept is not None
    )
    if not len(counter_examples):
        return False
    return is_disputed(distance, compare(adapt(encoding), adapt(counter_examples)))
