"""What the faces worker does with probes: answer questions about them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
from django.db import transaction
from PIL import Image

from facerec.core import matcher
from facerec.core.calibration import OperatingPoint
from facerec.core.errors import FaceRefused
from facerec.core.types import Box, EncodedFace, IdentificationDecision, Outcome, Reason
from facerec.core.versions import ALIGNER_VERSION
from facerec.encoders import ActiveEncoder, adapter_of, rule_of, shown
from facerec.gallery.live import AdaptedGallery, comparable
from facerec.models import (
    Attempt,
    AttemptFace,
    FacePolicy,
    FaceTemplate,
    Liveness,
    Mode,
    Subject,
)
from facerec.reasons import INTERRUPTED
from facerec.runtime import FaceRuntime
from facerec.services.admission import stored_form
from facerec.services.corrections import is_vetoed
from facerec.services.photos import discard_probe, read_probe
from facerec.services.presence import is_enough
from facerec.services.remembered import remember
from facerec.services.work import ready_runtime
from facerec.thresholds import identification_point, in_use
from webapp.jobs.runner import Run


def run_attempt(run: Run[Attempt]) -> None:
    """Answer the attempt's question and forget its probe."""
    try:
        if run.job.outcome:
            return  # a former run answered and was cut off before it could say so
        probe = read_probe(run.job.pk)
        if probe is None:
            run.update(outcome=Outcome.CANNOT_DECIDE, reason=INTERRUPTED)
            return
        if not is_enough(run.job):  # it became required after the question was asked
            run.update(
                outcome=Outcome.CANNOT_DECIDE,
                reason=Reason.LIVENESS_MISSING,
                liveness=Liveness.MISSING,
            )
            return
        if not run.job.width:  # a live check's frame: its size was not known before
            run.update(width=probe.width, height=probe.height)
        with ready_runtime() as here:
            if run.job.mode == Mode.VERIFICATION:
                _verify(here, run, probe)
            else:
                _identify(here, run, probe)
    finally:
        discard_probe(run.job.pk)


def _verify(here: FaceRuntime, run: Run[Attempt], probe: Image.Image) -> None:
    chosen = in_use()
    encoder = chosen.encoder
    adapt, rule = adapter_of(encoder), rule_of(encoder)
    rows = comparable(encoder).filter(subject__attempts=run.job)
    templates = adapt(FaceTemplate.unpack(rows.values_list("encoding", flat=True)))
    point = chosen.verification.verification_threshold(
        chosen.verification_fmr, templates=len(templates)
    )
    reason: Reason | None = None
    distance = None
    if not len(templates):
        outcome = Outcome.CANNOT_DECIDE
        made = FaceTemplate.objects.filter(subject__attempts=run.job).exists()
        reason = Reason.OTHER_VERSION if made else Reason.NOT_ENROLLED
    else:
        try:
            face = here.pipeline_of(encoder).one_face(probe)
        except FaceRefused as refused:
            outcome, reason = Outcome.CANNOT_DECIDE, refused.reason
        else:
            decision = matcher.verify(adapt(face.encoding), templates, point.threshold, rule)
            outcome, distance = decision.outcome, decision.distance
            if outcome == Outcome.MATCH and is_vetoed(
                encoder=encoder,
                subject_id=run.job.subject_id or 0,
                encoding=face.encoding,
                distance=distance or 0.0,
                compare=rule,
            ):
                outcome, reason = Outcome.CANNOT_DECIDE, Reason.DISPUTED
            remember(run.job.pk, {0: stored_form(here, face)})
    run.update(
        outcome=outcome,
        reason=reason or "",
        **_conditions(point, len(templates), encoder)
        | {
            "distance": None if distance is None else shown(distance, encoder.decision_rule),
            "threshold": shown(point.threshold, encoder.decision_rule),
            "decision_rule": encoder.decision_rule,
        },
    )


def _identify(here: FaceRuntime, run: Run[Attempt], probe: Image.Image) -> None:
    gallery = here.gallery()
    point = identification_point(len(gallery))
    faces = here.pipeline_of(gallery.encoder).analyse(probe)
    if run.job.liveness == Liveness.PASSED:
        faces = faces[:1]  # the largest is the one that was judged; nobody else is answered for
    margin = FacePolicy.current().least_margin(point.threshold)
    decisions = _decide(faces, gallery, point.threshold, margin)
    decisions = [_checked(*pair, gallery) for pair in zip(decisions, faces, strict=True)]
    nearest = min((d.distance for d in decisions if d.distance is not None), default=None)
    outcome, reason = _summary(decisions)
    fit = enumerate(faces)
    remember(run.job.pk, {i: stored_form(here, face) for i, face in fit if face.refusal is None})
    with transaction.atomic():
        _keep_faces(run.job, faces, decisions, scale=run.job.width / probe.width)
        run.update(
            outcome=outcome,
            reason=reason or "",
            distance=nearest,
            **_conditions(point, len(gallery), gallery.encoder),
        )


def _decide(
    faces: list[EncodedFace], gallery: AdaptedGallery, threshold: float, minimum_margin: float
) -> list[IdentificationDecision]:
    if not faces:
        return []
    return matcher.identify(
        np.stack([face.encoding for face in faces]),
        gallery,
        threshold,
        minimum_margin=minimum_margin,
        refusals=[face.refusal for face in faces],
    )


def _checked(
    decision: IdentificationDecision, face: EncodedFace, gallery: AdaptedGallery
) -> IdentificationDecision:
    """The decision, or that it is disputed: the face is nearer to a counter-example."""
    if decision.subject is None or not is_vetoed(
        encoder=gallery.encoder,
        subject_id=decision.subject,
        encoding=face.encoding,
        distance=decision.distance or 0.0,
    ):
        return decision
    return replace(decision, outcome=Outcome.CANNOT_DECIDE, reason=Reason.DISPUTED)


def _summary(decisions: list[IdentificationDecision]) -> tuple[Outcome, Reason | None]:
    """The whole photo's outcome: the best that a face of it came to."""
    if not decisions:
        return Outcome.CANNOT_DECIDE, Reason.NO_FACE
    outcomes = {decision.outcome for decision in decisions}
    for outcome in (Outcome.MATCH, Outcome.NOT_RECOGNIZED):
        if outcome in outcomes:
            return outcome, None
    return Outcome.CANNOT_DECIDE, decisions[0].reason


def _keep_faces(
    attempt: Attempt,
    faces: list[EncodedFace],
    decisions: list[IdentificationDecision],
    *,
    scale: float,
) -> None:
    """Write one row a face, its box in pixels of the photo as it was sent.

    The runner-up is named only where the nearest lies within the threshold: of somebody who was
    not recognized it is not told whom they resemble.
    """
    named = {
        neighbour.subject
        for decision in decisions
        if _is_within(decision)
        for neighbour in (decision.nearest, decision.runner_up)
        if neighbour is not None
    }
    there = set(
        Subject.objects.select_for_update().filter(pk__in=named).values_list("pk", flat=True)
    )
    rows = []
    for position, (face, decision) in enumerate(zip(faces, decisions, strict=True)):
        within = _is_within(decision)
        nearest = decision.nearest.subject if within and decision.nearest else None
        runner_up = decision.runner_up.subject if within and decision.runner_up else None
        rows.append(
            AttemptFace(
                attempt=attempt,
                position=position,
                **asdict(_scaled(face.face.box, scale)),
                outcome=decision.outcome,
                reason=decision.reason or "",
                subject_id=nearest if nearest in there else None,
                distance=decision.distance,
                runner_up_id=runner_up if runner_up in there else None,
                margin=decision.margin,
            )
        )
    AttemptFace.objects.bulk_create(rows)


def _is_within(decision: IdentificationDecision) -> bool:
    """Whether the nearest is near enough to be told: a match, or one of two that are too close."""
    return decision.distance is not None and decision.distance <= decision.threshold


def _scaled(box: Box, scale: float) -> Box:
    return Box(*(round(value * scale) for value in (box.x, box.y, box.w, box.h)))


def _conditions(point: OperatingPoint, size: int, encoder: ActiveEncoder) -> dict[str, Any]:
    """Under which conditions an attempt was decided, for the log and for the page."""
    meaning = asdict(point)
    del meaning["threshold"]
    return {
        "threshold": point.threshold,
        "operating_point": meaning,
        "gallery_size": size,
        "encoder_version": encoder.name,
        "aligner_version": ALIGNER_VERSION,
    }
