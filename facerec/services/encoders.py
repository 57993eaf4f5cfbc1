"""Which encoder is in use: looked at, promoted and rolled back by an administrator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from facerec.core.adapter import Adapter
from facerec.core.errors import FaceCoreError
from facerec.core.heads import Head
from facerec.core.versions import ALIGNER_VERSION
from facerec.encoders import DISTANCE, ActiveEncoder, active, as_active, check_usable
from facerec.models import (
    Calibration,
    EncoderVersion,
    FaceTemplate,
    GalleryVersion,
    KeptCrop,
    Promotion,
    Reencoding,
    Subject,
)
from facerec.services.policy import change_policy
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import enqueue
from webapp.jobs.models import ACTIVE, Status


@dataclass(frozen=True, slots=True)
class Consequences:
    """What putting an encoder in use means for the people who are enrolled.

    comparable: people with a template of its backbone. from_crops: further people for whom one can
    be made from a kept crop. lost: people who have to be enrolled anew.
    """

    templates: int
    comparable: int
    from_crops: int
    lost: int

    @property
    def all_stay(self) -> bool:
        return not self.from_crops and not self.lost


def consequences(encoder: ActiveEncoder) -> Consequences:
    without = people_without_templates(encoder.backbone)
    crops = KeptCrop.objects.filter(template__subject=OuterRef("pk"), **_by_our_aligner("template"))
    from_crops = without.filter(Exists(crops)).count()
    templates = _templates(encoder.backbone)
    return Consequences(
        templates=templates.count(),
        comparable=templates.values("subject").distinct().count(),
        from_crops=from_crops,
        lost=without.count() - from_crops,
    )


def people_without_templates(backbone: str) -> QuerySet[Subject]:
    """Enrolled people whom this backbone cannot compare, and who were enrolled by another."""
    comparable = _templates(backbone).filter(subject=OuterRef("pk"))
    made = FaceTemplate.objects.filter(subject=OuterRef("pk"))
    return Subject.objects.filter(Exists(made), ~Exists(comparable))


def crops_to_encode(backbone: str) -> QuerySet[KeptCrop]:
    """Crops of the people whom the backbone cannot compare yet."""
    people = people_without_templates(backbone)
    crops = KeptCrop.objects.filter(template__subject__in=people, **_by_our_aligner("template"))
    return crops.order_by("pk")


def _templates(backbone: str) -> QuerySet[FaceTemplate]:
    return FaceTemplate.objects.filter(encoder_version=backbone, aligner_version=ALIGNER_VERSION)


def _by_our_aligner(path: str) -> dict[str, str]:
    return {f"{path}__aligner_version": ALIGNER_VERSION}


def calibration_of(encoder: ActiveEncoder, rule: str = DISTANCE) -> Calibration | None:
    """The newest calibration of an encoder that has thresholds for plain d and for the rule."""
    done = Calibration.objects.filter(
        status=Status.DONE,
        encoder=encoder.name,
        aligner=encoder.aligner,
        points__has_keys=[DISTANCE, rule],
    )
    return done.order_by("-created").first()


def rules_of(row: EncoderVersion | None) -> list[str]:
    """The decision rules that an encoder has; plain d comes first."""
    return [DISTANCE, *sorted(row.heads if row else ())]


def former() -> Promotion | None:
    """What a rollback goes back to: the promotion before the last; None without a history. The
    shipped encoder, in use before any promotion, counts as one that was not saved."""
    history = list(Promotion.objects.select_related("encoder")[:2])
    if not history:
        return None
    return history[1] if len(history) > 1 else Promotion(encoder=None)


def promote(*, row: EncoderVersion | None, rule: str = DISTANCE, by: User) -> Reencoding | None:
    """Put an encoder in use; None is the shipped one.

    Where people's templates have to be made from kept crops first, the job that does so is given
    back, and it promotes at its end: until then the old encoder decides.

    Raises:
        UserFacingError: `encoder_unusable`, `rule_unknown`, `not_calibrated`, `already_in_use`,
            `already_preparing`.
    """
    encoder = as_active(row)
    check_promotable(row, rule)
    now = active()
    if (now.pk, now.decision_rule) == (encoder.pk, rule):
        raise UserFacingError("already_in_use", f"{encoder.name} is in use already.", status=409)
    if Reencoding.objects.filter(promote=True, status__in=[*ACTIVE, Status.PAUSED]).exists():
        raise UserFacingError(
            "already_preparing",
            "Another encoder is being prepared.",
            "Wait until its templates are made, or cancel that.",
            status=409,
        )
    if encoder.backbone != now.backbone and crops_to_encode(encoder.backbone).exists():
        return _prepare(row, rule, by)
    put_in_use(row=row, rule=rule, by=by)
    return None


def roll_back(*, by: User) -> str:
    """Put the former encoder in use again, at once; gives back its name.

    Raises:
        UserFacingError: `nothing_to_roll_back`, and as `promote`.
    """
    before = former()
    if before is None:
        raise UserFacingError(
            "nothing_to_roll_back", "No other encoder was in use before.", status=409
        )
    check_promotable(before.encoder, before.decision_rule)
    put_in_use(row=before.encoder, rule=before.decision_rule, by=by, verb="Rolled back to")
    return as_active(before.encoder).name


@transaction.atomic
def put_in_use(
    *, row: EncoderVersion | None, rule: str, by: User, verb: str = "Put in use:"
) -> None:
    """Policy, history, log and gallery in one transaction: workers see all of it or nothing."""
    encoder = as_active(row)
    if row is not None and row.decision_rule != rule:
        row.decision_rule = rule
        row.save(update_fields=["decision_rule"])
    what = f"{verb} encoder {encoder.name}, rule {rule}."
    change_policy(by=by, what=what, encoder=row, calibration=calibration_of(encoder, rule))
    Promotion.objects.create(encoder=row, decision_rule=rule, by=by)
    GalleryVersion.change()


def check_promotable(row: EncoderVersion | None, rule: str) -> None:
    """Raises UserFacingError (see `promote`) where an encoder cannot be put in use."""
    encoder = as_active(row)
    if row is None:
        if rule != DISTANCE:
            raise _no_such_rule(encoder.name, rule)
        return
    _check_files(row)
    if rule not in rules_of(row):
        raise _no_such_rule(encoder.name, rule)
    if calibration_of(encoder, rule) is None:
        raise UserFacingError(
            "not_calibrated",
            f"{encoder.name} has no thresholds for this decision rule.",
            "Calibrate it first, with photos of people whom it did not learn from: another "
            "encoder's thresholds mean nothing for it.",
            status=409,
        )


def _check_files(row: EncoderVersion) -> None:
    encoder = as_active(row)
    try:
        check_usable(encoder)
        if encoder.adapter is not None:
            Adapter.load(encoder.adapter.path, encoder.adapter.sha256)
        for head in row.heads.values():
            Head.load(Path(settings.ENCODERS_DIR) / head["weights"], head["sha256"])
    except FaceCoreError as error:
        raise UserFacingError(
            "encoder_unusable",
            f"{row.name} cannot be used: its file is missing or changed, or it was made for "
            "another release.",
            "Bring the file back from a backup, or train anew.",
            status=409,
        ) from error


def _no_such_rule(name: str, rule: str) -> UserFacingError:
    return UserFacingError("rule_unknown", f"{name} has no decision rule “{rule}”.", status=422)


@transaction.atomic
def _prepare(row: EncoderVersion | None, rule: str, by: User) -> Reencoding:
    if row is not None and row.decision_rule != rule:
        row.decision_rule = rule
        row.save(update_fields=["decision_rule"])
    return _start_reencoding(row, by, promote=True)


def reencode(*, by: User) -> Reencoding:
    """Make templates for the encoder in use from the crops of people whom it cannot compare.

    Raises:
        UserFacingError: `nothing_to_encode`.
    """
    encoder = active()
    if not crops_to_encode(encoder.backbone).exists():
        raise UserFacingError("nothing_to_encode", "There is no crop to encode.", status=409)
    row = EncoderVersion.objects.get(pk=encoder.pk) if encoder.pk else None
    return _start_reencoding(row, by, promote=False)


def _start_reencoding(row: EncoderVersion | None, by: User, *, promote: bool) -> Reencoding:
    total = crops_to_encode(as_active(row).backbone).count()
    job = Reencoding.objects.create(encoder=row, owner=by, promote=promote, total=total)
    enqueue(job)
    return job


def delete_encoder(*, row: EncoderVersion) -> None:
    """Raises UserFacingError where it is, or was, in use: the history must stay readable."""
    if row.promotions.exists():
        raise UserFacingError(
            "encoder_in_history",
            f"{row.name} was in use, so decisions in the log refer to it.",
            "It stays listed.",
            status=409,
        )
    files = [row.weights, row.net, *(head["weights"] for head in row.heads.values())]
    with transaction.atomic():
        Calibration.objects.filter(encoder=row.name).delete()
        row.delete()
        transaction.on_commit(lambda: _unlink(files))


def _unlink(names: Iterable[str]) -> None:
    for name in filter(None, names):
        (Path(settings.ENCODERS_DIR) / name).unlink(missing_ok=True)
