"""What the long worker does with kept crops: templates for another backbone."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import structlog
from django.db import transaction
from numpy.typing import NDArray

from facerec.core.types import Encoding
from facerec.core.versions import ALIGNER_VERSION
from facerec.crops import CropUnreadable, unseal
from facerec.encoders import as_active
from facerec.models import FaceTemplate, GalleryVersion, KeptCrop, Reencoding, Subject
from facerec.services.encoders import check_promotable, crops_to_encode, put_in_use
from facerec.services.work import ready_runtime
from webapp.jobs.runner import Run, Stopped

log = structlog.get_logger(__name__)

TELL_EVERY = 0.4  # seconds

Encode = Callable[[NDArray[np.uint8]], Encoding]


def run_reencoding(run: Run[Reencoding]) -> None:
    """A template of the encoder's backbone from each crop of the people who have none; then the
    encoder is put in use, if that is what it was for. The old templates stay, so that the way back
    is open. A later run goes on with whoever has none yet.

    Raises:
        UserFacingError: the encoder cannot be run, or not be put in use.
        Stopped: cancelled, or this worker leaves.
    """
    job = run.job
    encoder = as_active(job.encoder)
    with ready_runtime() as here:
        encode = here.pipeline_of(encoder).encode
        people = defaultdict(list)
        for crop, subject in crops_to_encode(encoder.backbone).values_list(
            "pk", "template__subject"
        ):
            people[subject].append(crop)
        left = sum(map(len, people.values()))
        done = max(0, job.total - left)
        told = time.monotonic()
        run.update(done=done, total=done + left)
        for subject, crops in people.items():
            if (status := run.stop_requested()) is not None:
                raise Stopped(status)
            _encode_person(subject, crops, encode, encoder.backbone)
            done += len(crops)
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                run.progressed(done=done)
                run.publish()
    run.progressed(done=done)
    if job.promote:
        check_promotable(job.encoder, encoder.decision_rule)
        put_in_use(row=job.encoder, rule=encoder.decision_rule, by=job.owner)


def _encode_person(subject: int, keys: list[int], encode: Encode, backbone: str) -> None:
    """All of a person's crops or none, so that a person with a template has all of theirs."""
    rows = list(KeptCrop.objects.filter(pk__in=keys).select_related("template"))
    # A template made from a crop has a copy of it: the same photo counts once.
    crops = {bytes(row.sealed): row for row in rows}
    chips, readable = [], []
    for row in crops.values():
        try:
            chips.append(unseal(row.sealed))
            readable.append(row)
        except CropUnreadable:
            log.warning("a crop cannot be opened with this key", crop=row.pk)
    if not chips:
        return
    encodings = encode(np.stack(chips))
    with transaction.atomic():
        GalleryVersion.lock()
        if not Subject.objects.select_for_update().filter(pk=subject).exists():
            return  # deleted meanwhile
        for row, encoding in zip(readable, encodings, strict=True):
            template = FaceTemplate.objects.create(
                subject_id=subject,
                encoding=FaceTemplate.pack(encoding),
                encoder_version=backbone,
                aligner_version=ALIGNER_VERSION,
                quality=row.template.quality,
            )
            KeptCrop.objects.create(template=template, sealed=bytes(row.sealed))
