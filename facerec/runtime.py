"""What the faces worker runs on: built from the settings, once per process.

Only workers (and `manage.py doctor`) call this: it loads torch and dlib.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import structlog
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from facerec.core.errors import FaceCoreError
from facerec.core.types import Encoding
from facerec.core.versions import (
    ALIGNER_VERSION,
    ENCODER_SHA256,
    ENCODER_VERSION,
    LANDMARK_SHA256,
)
from facerec.encoders import ActiveEncoder, active, adapter_of
from facerec.models import FaceTemplate, GalleryVersion
from facerec.thresholds import verification_point
from webapp.supervisor.plan import cores, shares

if TYPE_CHECKING:
    from facerec.core.encoder import Encoder
    from facerec.core.pipeline import FacePipeline

log = structlog.get_logger(__name__)


class DeviceMissing(Exception):  # noqa: N818
    """The settings ask for a device that this machine or this torch does not have."""


@dataclass(frozen=True)
class Gallery:
    """Every comparable template, adapted. encodings: (K, 128); subjects: (K,) primary keys.
    encoder: whose numbers they are; probes are compared after `adapt`."""

    version: UUID | None
    encoder: ActiveEncoder
    encodings: Encoding
    subjects: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.subjects)

    def adapt(self, encodings: Encoding) -> Encoding:
        """The backbone's encodings as this gallery's encoder has them."""
        return adapter_of(self.encoder)(encodings)


class FaceRuntime:
    """The pipeline and the gallery, shared by a worker's threads."""

    def __init__(self) -> None:
        """Raises DeviceMissing, FaceCoreError."""
        import torch

        from facerec.core.alignment import FivePointAligner
        from facerec.core.detector import HogDetector
        from facerec.core.encoder import Encoder
        from facerec.core.pipeline import FacePipeline

        if settings.TORCH_THREADS:
            torch.set_num_threads(settings.TORCH_THREADS)
        self.device = choose_device(settings.DEVICE)
        self.threads: int = torch.get_num_threads()
        self.torch_version = str(torch.__version__)
        weights = Path(settings.FACE_ENCODER_WEIGHTS) if settings.FACE_ENCODER_WEIGHTS else None
        detector, aligner = HogDetector(), FivePointAligner()
        encoder = Encoder(self.device, weights)
        self.pipeline: FacePipeline = FacePipeline(detector, aligner, encoder)
        verification_point()  # thresholds that do not fit the encoder are found now, not later
        self._gallery: Gallery | None = None
        self._gallery_lock = threading.Lock()
        at_once = shares(cores())["faces"].concurrency
        detector.prepare(at_once)
        aligner.prepare(at_once)
        self._warm_up(encoder)

    def gallery(self) -> Gallery:
        """The gallery as the database has it now; read anew only when it has changed."""
        version = GalleryVersion.current()
        with self._gallery_lock:
            if self._gallery is None or self._gallery.version != version:
                self._gallery = _read_gallery(version)
            return self._gallery

    def _warm_up(self, encoder: Encoder) -> None:
        """The first pass through the net and the detector costs a second; not a person's second."""
        self.pipeline.analyse(Image.new("RGB", (320, 240), "grey"))
        encoder.encode(np.zeros((1, encoder.chip_size, encoder.chip_size, 3), np.uint8))


def _read_gallery(version: UUID | None) -> Gallery:
    # The version was read first: a change in between makes the next look read again, no harm.
    encoder = active()
    rows = FaceTemplate.current.order_by("id").values_list("encoding", "subject_id")
    encodings, subjects = zip(*rows, strict=True) if rows else ((), ())
    log.info("gallery read", templates=len(subjects), encoder=encoder.name)
    adapted = adapter_of(encoder)(FaceTemplate.unpack(encodings))
    return Gallery(version, encoder, adapted, np.array(subjects, np.int64))


def choose_device(wanted: str) -> str:
    """torch's name of the device to run on.

    Args:
        wanted: `auto` (a CUDA GPU where there is one, else the CPU) or a device's name.

    Raises:
        DeviceMissing: it was asked for by name and is not there. Nothing falls back silently.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise DeviceMissing(f"DEVICE={wanted}, but torch cannot use it here: {error}") from error
    return wanted


_built: FaceRuntime | None = None
_build_lock = threading.Lock()


def runtime() -> FaceRuntime:
    """This process's runtime, built on first use. Raises DeviceMissing, FaceCoreError."""
    global _built
    with _build_lock:
        if _built is None:
            _built = FaceRuntime()
        return _built


def is_loaded() -> bool:
    """Whether this process has built its runtime."""
    return _built is not None


def describe() -> dict[str, Any]:
    """{device, torch, threads, models: [{name, version, sha256, status}]} or {problem}.

    Builds the runtime, so that a worker which has told its facts is warm.
    """
    try:
        here = runtime()
    except (DeviceMissing, FaceCoreError) as error:
        log.exception("the face runtime cannot be built")
        return {"problem": str(error).splitlines()[0]}
    return {
        "device": here.device,
        "torch": here.torch_version,
        "threads": here.threads,
        "models": [
            {
                "name": "encoder",
                "version": ENCODER_VERSION,
                "sha256": ENCODER_SHA256,
                "status": "ready",
            },
            {
                "name": "aligner",
                "version": ALIGNER_VERSION,
                "sha256": LANDMARK_SHA256,
                "status": "ready",
            },
        ],
    }
