"""Core objects from the settings, built once a worker process. Loads torch: workers only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from django.conf import settings

from facerec.seam import sight
from styletransfer.core.errors import WeightsError
from styletransfer.core.features import (
    LITE_SHA256,
    LITE_WEIGHTS,
    NetworkExtractor,
    build_extractor,
)
from styletransfer.core.visualise.networks import SeenNetwork, build_network
from webapp.errors import UserFacingError

_building = threading.Lock()
_extractors: dict[str, NetworkExtractor] = {}


@cache
def device() -> torch.device:
    """What to compute on.

    Raises:
        UserFacingError: `device_missing`, where settings.DEVICE asks for what is not there.
    """
    asked = settings.DEVICE
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        wanted = torch.device(asked)
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserFacingError(
            "device_missing",
            f"This server is set to compute on “{asked}”, which it does not have.",
            "An administrator can change DEVICE (auto, cpu, cuda, mps).",
            status=503,
        ) from error
    return wanted


def set_threads() -> int:
    """Give torch its share of the cores, in the calling thread too; returns how many."""
    if settings.TORCH_THREADS:
        torch.set_num_threads(settings.TORCH_THREADS)
    return torch.get_num_threads()


def extractor(name: str, on_progress: Callable[[int, int], None] | None = None) -> NetworkExtractor:
    """The extractor of that name, kept for the next painting.

    Raises:
        UserFacingError: `device_missing`, or `vgg19_unavailable` / `extractor_broken`.
    """
    with _building:
        if name not in _extractors:
            given = settings.VGG19_WEIGHTS if name == "vgg19" else ""
            try:
                _extractors[name] = build_extractor(
                    name,
                    device=device(),
                    weights_path=Path(given) if given else None,
                    cache_dir=settings.CACHE_DIR,
                    on_progress=on_progress,
                )
            except WeightsError as error:
                raise _unavailable(name) from error
        return _extractors[name]


def seen_network(name: str, on_progress: Callable[[int, int], None] | None = None) -> SeenNetwork:
    """`lite`, `vgg19` or `face`, to be looked into; it shares the weights that the worker has.

    Raises:
        UserFacingError: as `extractor` does; `faces_unavailable`.
    """
    return build_network(sight() if name == "face" else extractor(name, on_progress))


def _unavailable(name: str) -> UserFacingError:
    if name != "vgg19":
        return UserFacingError(
            "extractor_broken",
            "The weights of the extractor “lite” are damaged or missing.",
            "An administrator should install Likeness again.",
            status=503,
        )
    return UserFacingError(
        "vgg19_unavailable",
        "VGG-19’s weights are not on this server and could not be fetched.",
        "Choose the extractor “lite”; or an administrator sets VGG19_WEIGHTS to the file "
        "(vgg19-dcbb9e9d.pth from torchvision), or puts it into the cache folder.",
        status=503,
    )


def describe() -> dict[str, Any]:
    """For the heartbeat and `doctor`: {device, torch, threads, models}."""
    try:
        where = device()
    except UserFacingError as error:
        return {"problem": error.message}
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else ""
    return {
        "device": f"{where} ({name})" if name else str(where),
        "torch": torch.__version__,
        "threads": set_threads(),
        "models": [_describe_lite(), _describe_vgg19()],
    }


def _describe_lite() -> dict[str, str]:
    loaded = _extractors.get("lite")
    try:
        checksum = loaded.version if loaded else LITE_SHA256.read_text().strip()
    except OSError:
        checksum = ""
    there = LITE_WEIGHTS.exists() and bool(checksum)
    status = "loaded" if loaded else "available" if there else "missing"
    return {"name": "lite", "version": "", "sha256": checksum[:12], "status": status}


def _describe_vgg19() -> dict[str, str]:
    facts = {"name": "vgg19", "version": "ImageNet", "status": "not downloaded"}
    given = settings.VGG19_WEIGHTS
    if loaded := _extractors.get("vgg19"):
        return {**facts, "sha256": loaded.version[:12], "status": "loaded"}
    if given:
        there = Path(given).is_file()
        hint = f"VGG19_WEIGHTS={given} is no file."
        return {**facts, "status": "available" if there else "missing", "hint": hint}
    if any(settings.CACHE_DIR.glob("vgg19-*.pth")):
        return {**facts, "status": "available"}
    return facts
