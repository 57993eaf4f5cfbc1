"""What the long worker does with a calibration: encode the set's photos, measure, forget them."""

from __future__ import annotations

import time

import structlog

from facerec.core.labelled import encode_set
from facerec.encoders import SHIPPED, as_active
from facerec.models import Calibration, EncoderVersion
from facerec.photosets import pictures
from facerec.services.archives import opened
from facerec.services.calibration import Measurement, check_size
from facerec.services.work import ready_runtime
from webapp.errors import UserFacingError
from webapp.jobs.runner import Run, Stopped

log = structlog.get_logger(__name__)

TELL_EVERY = 0.4  # seconds between looks that watchers get


def run_calibration(run: Run[Calibration]) -> None:
    """From photos to operating points. Encodings are in memory only, so a killed worker's
    successor begins anew.

    Raises:
        UserFacingError: with a sentence for the administrator.
        Stopped: cancelled, or this worker leaves.
    """
    job = run.job
    row = encoder_row(job.encoder)
    if job.archive is None:
        raise ValueError("a calibration that is measured here has an archive")
    with ready_runtime() as here, opened(job.archive, name=job.name) as photoset:
        check_size(photoset.people)
        measurement = Measurement(row)
        run.update(done=0, total=photoset.total)
        told = 0.0
        photos = encode_set(here.pipeline_of(as_active(row)), pictures(photoset.photos()))
        for done, photo in enumerate(photos, start=1):
            measurement.add(photo)
            if (status := run.stop_requested()) is not None:
                raise Stopped(status)
            if time.monotonic() - told >= TELL_EVERY or done == photoset.total:
                told = time.monotonic()
                run.update(done=done)
                run.publish()
        points = measurement.points(job.name)
        cohorts = measurement.cohorts(points, photoset.labels)
    run.update(
        points={rule: these.as_dict() for rule, these in points.items()},
        cohorts=[cohort.as_dict() for cohort in cohorts],
    )
    log.info("calibrated", encoder=job.encoder, people=points["distance"].calibration_set.people)


def encoder_row(name: str) -> EncoderVersion | None:
    """The encoder of this name; None for the shipped one. Raises UserFacingError `encoder_gone`."""
    if name == SHIPPED.name:
        return None
    row = EncoderVersion.objects.filter(name=name).first()
    if row is None:
        raise UserFacingError(
            "encoder_gone",
            f"There is no encoder {name}.",
            "Look at the page Encoders for those that there are.",
            status=404,
            field="encoder",
        )
    return row
