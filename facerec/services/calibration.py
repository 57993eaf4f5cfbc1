"""Calibrations: how they are measured, chosen and taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from facerec.core.calibration import DISTANCE, OperatingPoints, calibrate
from facerec.core.cohorts import Cohort, measure_cohorts
from facerec.core.distance import squared_distance
from facerec.core.error_rates import Dissimilarity, LabelledSet
from facerec.core.heads import Head
from facerec.core.labelled import EncodedPhoto
from facerec.core.types import Encoding
from facerec.encoders import adapter_of, as_active
from facerec.models import Calibration, EncoderVersion, FacePolicy, Mode
from facerec.services.policy import change_policy
from facerec.thresholds import InUse, Target, decided_by, in_use
from webapp import archives
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import ask, enqueue
from webapp.jobs.models import ACTIVE, Request, Status

FEWEST_PEOPLE = 9  # 3 / 0.1 = 30 pairs of people: an FMR of one in ten


def dissimilarities(row: EncoderVersion | None) -> dict[str, Dissimilarity]:
    """The rules by which an encoder can decide. Raises WeightsNotFound, WeightsCorrupt."""
    rules: dict[str, Dissimilarity] = {DISTANCE: squared_distance}
    for rule, head in (row.heads if row else {}).items():
        rules[rule] = Head.load(Path(settings.ENCODERS_DIR) / head["weights"], head["sha256"])
    return rules


class Measurement:
    """What becomes of a labelled set: encodings, in memory only, until the rates are known."""

    def __init__(self, row: EncoderVersion | None) -> None:
        """row: whose thresholds are sought; None for the shipped encoder."""
        self._row = row
        self._encodings: list[Encoding] = []
        self._people: list[str] = []
        self._refused: Counter[str] = Counter()

    def add(self, photo: EncodedPhoto) -> None:
        if photo.encoding is None:
            self._refused[photo.refusal.code if photo.refusal else "unreadable"] += 1
        else:
            self._encodings.append(photo.encoding)
            self._people.append(photo.person)

    def points(self, name: str) -> dict[str, OperatingPoints]:
        """For each rule of the encoder. Raises UserFacingError `set_too_small`."""
        encoder = as_active(self._row)
        try:
            return {
                rule: calibrate(
                    name,
                    self._labelled(dissimilarity),
                    dict(sorted(self._refused.items())),
                    encoder_version=encoder.name,
                    aligner_version=encoder.aligner,
                    decision_rule=rule,
                )
                for rule, dissimilarity in dissimilarities(self._row).items()
            }
        except ValueError as error:
            raise too_small(len(set(self._people))) from error

    def cohorts(
        self, points: dict[str, OperatingPoints], labels: Mapping[str, Mapping[str, str]]
    ) -> list[Cohort]:
        """By the rule that the encoder verifies by."""
        rule = as_active(self._row).decision_rule
        labelled = self._labelled(dissimilarities(self._row)[rule])
        return list(measure_cohorts(labelled, labels, points[rule]))

    def _labelled(self, dissimilarity: Dissimilarity) -> LabelledSet:
        adapt = adapter_of(as_active(self._row))
        encodings = np.stack(self._encodings) if self._encodings else np.empty((0, 128), np.float32)
        return LabelledSet.of(adapt(encodings), self._people, dissimilarity=dissimilarity)


def check_size(people: Mapping[str, list[Any]]) -> None:
    """Before an hour is spent on it. Raises UserFacingError `set_too_small`."""
    if len(people) < FEWEST_PEOPLE or all(len(photos) < 2 for photos in people.values()):
        raise too_small(len(people))


def too_small(people: int) -> UserFacingError:
    return UserFacingError(
        "set_too_small",
        f"{people} {'person is' if people == 1 else 'people are'} too few to measure error rates "
        "on.",
        f"Take at least {FEWEST_PEOPLE} people whose photos can be used, some of them with two "
        "photos or more. One in a thousand takes 78 people, one in a hundred thousand 776.",
        status=422,
        field="archive",
    )


# --- the rows ------------------------------------------------------------------------------------
@transaction.atomic
def start_calibration(
    *, name: str, archive: UUID, row: EncoderVersion | None, by: User
) -> Calibration:
    """Measure an uploaded set on the long queue."""
    calibration = _new(name, row, by, archive=archive)
    enqueue(calibration)
    return calibration


def record_calibration(
    *,
    name: str,
    row: EncoderVersion | None,
    points: dict[str, OperatingPoints],
    by: User,
    cohorts: list[Cohort] | None = None,
) -> Calibration:
    """Keep a calibration that was measured elsewhere: by the command, or by a training run."""
    calibration = _new(name, row, by, status=Status.DONE, finished=timezone.now())
    calibration.points = {rule: these.as_dict() for rule, these in points.items()}
    calibration.cohorts = [cohort.as_dict() for cohort in cohorts or []]
    calibration.save(update_fields=["points", "cohorts"])
    return calibration


def _new(name: str, row: EncoderVersion | None, by: User, **fields: Any) -> Calibration:
    encoder = as_active(row)
    return Calibration.objects.create(
        owner=by, name=name, encoder=encoder.name, aligner=encoder.aligner, **fields
    )


def cancel_calibration(*, calibration: Calibration) -> None:
    """The archive goes with it, by the worker or, if it still waits, here."""
    ask(calibration, Request.CANCEL)
    if calibration.is_final and calibration.archive is not None:
        archives.discard(calibration.archive)


def delete_calibration(*, calibration: Calibration) -> None:
    """Raises UserFacingError: `calibration_in_use`, `calibration_running`."""
    if calibration.status in ACTIVE:
        raise UserFacingError(
            "calibration_running", "It is still being measured.", "Cancel it first.", status=409
        )
    try:
        calibration.delete()
    except ProtectedError as error:
        raise UserFacingError(
            "calibration_in_use",
            "Faces are decided by this calibration.",
            "Choose another one first.",
            status=409,
        ) from error


# --- the choice ----------------------------------------------------------------------------------
def choose(*, by: User, calibration: Calibration | None, target: Target) -> None:
    """Decide faces by this calibration (None: the shipped one) and, in the target's mode, with its
    error rate from now on.

    Raises:
        UserFacingError: `another_encoder`, `target_not_supported`.
    """
    chosen = with_calibration(calibration)
    check_supported(chosen.points(target.mode), target)
    if target.mode == Mode.VERIFICATION:
        field = "verification_fmr"
    else:
        # The other promise goes on with the new set, so that must be able to keep it, too.
        field = "identification_fpir"
        check_supported(chosen.verification, Target(Mode.VERIFICATION, chosen.verification_fmr))
    among = f" among {target.comparisons:,}" if field == "identification_fpir" else ""
    change_policy(
        by=by,
        what=f"Calibration: {target.mode.value}{among} at {target.rate:.3g}, threshold "
        f"{chosen.shown_threshold(target):.4f}, measured on "
        f"“{chosen.distance.calibration_set.name}” for {chosen.encoder.name}.",
        calibration=calibration,
        **{field: target.rate},
    )


def reset(*, by: User) -> None:
    """Back to the shipped calibration and the environment's error rates.

    Raises:
        UserFacingError: `another_encoder`: the encoder in use is not the shipped one.
    """
    with_calibration(None)
    change_policy(
        by=by,
        what="Calibration: back to the shipped one.",
        calibration=None,
        verification_fmr=None,
        identification_fpir=None,
    )


def choose_margin(*, by: User, share: float) -> None:
    """How near two people must be for identification to name neither: a share of the threshold,
    in [0, 1]."""
    change_policy(by=by, what=f"Margin: {share:.3g} of the threshold.", margin_share=share)


def check_supported(points: OperatingPoints, target: Target) -> None:
    """Raises UserFacingError `target_not_supported` with what the set lacks."""
    lack = points.shortfall(target.fmr)
    if lack is None:
        return
    these = points.calibration_set
    raise UserFacingError(
        "target_not_supported",
        f"“{these.name}” cannot vouch for that: {these.person_pairs:,} pairs of people are too few "
        f"for one false match in {float(f'{1 / target.fmr:.3g}'):,.0f} comparisons.",
        f"By the rule of three it takes {lack.pairs:,} pairs, {lack.more_pairs:,} more than there "
        f"are: {lack.people:,} people, {lack.more_people:,} more. More photos of the same people "
        "do not help.",
        status=422,
        field="one_in",
        details={**lack._asdict(), "lowest_fmr": points.lowest_fmr},
    )


def with_calibration(calibration: Calibration | None) -> InUse:
    """What faces would be decided by with it. Raises UserFacingError `another_encoder`."""
    policy = FacePolicy.current()
    encoder = as_active(policy.encoder)
    found = decided_by(calibration.pk if calibration else None, encoder, policy)
    if found is None:
        raise UserFacingError(
            "another_encoder",
            f"This calibration was measured on another encoder than the one in use, "
            f"{encoder.name}.",
            "Choose one that was measured on it, or measure one.",
            status=409,
        )
    return found


def offered() -> list[Calibration | None]:
    """What can be chosen for the encoder in use: None is the shipped one, then the newest."""
    policy = FacePolicy.current()
    encoder = as_active(policy.encoder)
    rows = Calibration.objects.filter(encoder=encoder.name, status=Status.DONE).defer("cohorts")
    return [
        row
        for row in (None, *rows)
        if decided_by(row.pk if row else None, encoder, policy) is not None
    ]


def describe_in_use() -> tuple[bool, str, str]:
    """(well, what, hint) for the status page and the doctor."""
    try:
        chosen = in_use()
    except UserFacingError as error:
        return False, error.message, error.hint
    these = chosen.distance.calibration_set
    where = "chosen" if chosen.calibration else "shipped"
    return True, f"{these.name} ({where}), for {chosen.encoder.name}", ""
