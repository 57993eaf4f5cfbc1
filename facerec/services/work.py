"""What every task of faces begins with, in whichever worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from facerec.core.errors import FaceCoreError
from facerec.runtime import DeviceMissing, FaceRuntime, runtime
from webapp.errors import UserFacingError

log = structlog.get_logger(__name__)


@contextmanager
def ready_runtime() -> Iterator[FaceRuntime]:
    """The runtime; its errors become a sentence (the log has them whole)."""
    try:
        yield runtime()
    except (DeviceMissing, FaceCoreError) as error:
        log.exception("the face runtime does not work")
        raise UserFacingError(
            "faces_unavailable",
            "Faces cannot be compared now: the models or the device are not usable.",
            "An administrator finds the reason on the status page.",
            status=503,
        ) from error
