"""What the faces worker runs on: built from the settings, once per process.

Only workers (and `manage.py doctor`) call this: it loads torch and dlib.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from django.conf import settings
from PIL import Image

from facerec.core.errors import EncoderUnusable, FaceCoreError
from facerec.core.versions import (
    ALIGNER_VERSION,
    ENCODER_SHA256,
    ENCODER_VERSION,
    LANDMARK_SHA256,
)
from facerec.encoders import ActiveEncoder, Weights, active, adapter_of, check_usable
from facerec.gallery.live import AdaptedGallery, open_gallery
from webapp.supervisor.plan import cores, shares

if TYPE_CHECKING:
    from facerec.core.encoder import Encoder
    from facerec.core.liveness.eyes import FaceEyes
    from facerec.core.liveness.network import LivenessNetwork
    from facerec.core.pipeline import FacePipeline

log = structlog.get_logger(__name__)


class DeviceMissing(Exception):  # noqa: N818
    """The settings ask for a device that this machine or this torch does not have."""


class FaceRuntime:
    """The pipeline and the gallery, shared by a worker's threads."""

    def __init__(self) -> None:
        """Raises DeviceMissing, FaceCoreError."""
        import torch

        from facerec.core.alignment import FivePointAligner
        from facerec.core.batching import BatchingEncoder
        from facerec.core.detector import HogDetector
        from facerec.core.encoder import Encoder
        from facerec.core.pipeline import FacePipeline

        if settings.TORCH_THREADS:
            torch.set_num_threads(settings.TORCH_THREADS)
        self.device = choose_device(settings.DEVICE)
        self.threads: int = torch.get_num_threads()
        self.torch_version = str(torch.__version__)
        own = settings.FACE_ENCODER_WEIGHTS
        self._weights = Path(own) if own else None
        detector, aligner = HogDetector(), FivePointAligner()
        encoder = Encoder(self.device, self._weights)
        self._shipped: FacePipeline = FacePipeline(detector, aligner, BatchingEncoder(encoder))
        self._shipped_encoder = encoder
        self._fine_tuned: tuple[Weights, FacePipeline, Encoder] | None = None
        self._fine_tuned_lock = threading.Lock()
        self.liveness_network = _liveness_network(self.device)
        self._eyes: tuple[ActiveEncoder, FaceEyes] | None = None
        self._eyes_lock = threading.Lock()
        self._gallery = open_gallery()
        at_once = shares(cores())["faces"].concurrency
        detector.prepare(at_once)
        aligner.prepare(at_once)
        self._warm_up(encoder)

    @property
    def pipeline(self) -> FacePipeline:
        """With the backbone in use. Raises FaceCoreError. One query: who uses it twice keeps it."""
        return self.pipeline_of(active())

    def pipeline_of(self, encoder: ActiveEncoder) -> FacePipeline:
        """With that encoder's backbone. One that was fine-tuned here is loaded when it is first
        asked for, a second or so; the last one is kept. Raises FaceCoreError."""
        return self._parts_of(encoder)[0]

    def encoder_of(self, encoder: ActiveEncoder) -> Encoder:
        """That encoder's backbone, the very one that its pipeline encodes with.
        Raises FaceCoreError."""
        return self._parts_of(encoder)[1]

    def _parts_of(self, encoder: ActiveEncoder) -> tuple[FacePipeline, Encoder]:
        from facerec.core.batching import BatchingEncoder
        from facerec.core.encoder import Encoder
        from facerec.core.fine_tuned import FineTunedBlocks

        check_usable(encoder)
        if encoder.net is None:
            return self._shipped, self._shipped_encoder
        with self._fine_tuned_lock:
            if self._fine_tuned is None or self._fine_tuned[0] != encoder.net:
                blocks = FineTunedBlocks.load(encoder.net.path, encoder.net.sha256)
                if blocks.version != encoder.backbone:
                    raise EncoderUnusable(f"{encoder.name}: its net is {blocks.version}")
                net = Encoder(self.device, self._weights, blocks=blocks)
                pipeline = self._shipped.with_encoder(BatchingEncoder(net))
                self._fine_tuned = encoder.net, pipeline, net
            return self._fine_tuned[1:]

    def eyes_of(self, encoder: ActiveEncoder) -> FaceEyes:
        """What live checks are judged with: that encoder's pipeline and adapter. The last ones are
        kept. Raises FaceCoreError."""
        from facerec.core.liveness.eyes import FaceEyes

        pipeline = self.pipeline_of(encoder)
        with self._eyes_lock:
            if self._eyes is None or self._eyes[0] != encoder:
                self._eyes = encoder, FaceEyes(pipeline, adapter_of(encoder))
            return self._eyes[1]

    def gallery(self) -> AdaptedGallery:
        """The gallery as the database has it now. Raises FaceCoreError."""
        return self._gallery.now()

    def _warm_up(self, encoder: Encoder) -> None:
        """The first pass through the net and the detector costs a second; not a person's second."""
        self._shipped.analyse(Image.new("RGB", (320, 240), "grey"))
        encoder.encode(np.zeros((1, encoder.chip_size, encoder.chip_size, 3), np.uint8))


def _liveness_network(device: str) -> LivenessNetwork | None:
    """The network that the settings name; None where they name none. One that is named and cannot
    be used is an error, never gone without: a house that counts on it would not notice.

    Raises WeightsNotFound, WeightsCorrupt.
    """
    if not settings.LIVENESS_NETWORK:
        return None
    from facerec.core.liveness.network import LivenessNetwork

    return LivenessNetwork(
        Path(settings.LIVENESS_NETWORK), settings.LIVENESS_NETWORK_SHA256, device
    )


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
    models = [
        ("encoder", ENCODER_VERSION, ENCODER_SHA256),
        ("aligner", ALIGNER_VERSION, LANDMARK_SHA256),
    ]
    if (network := here.liveness_network) is not None:
        models.append(("liveness network", network.version, network.sha256))
    return {
        "device": here.device,
        "torch": here.torch_version,
        "threads": here.threads,
        "models": [
            {"name": name, "version": version, "sha256": sha256, "status": "ready"}
            for name, version, sha256 in models
        ],
    }
