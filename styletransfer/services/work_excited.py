"""A picture that excites a unit most: the worker's side."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import structlog

from styletransfer import runtime
from styletransfer.core.visualise.synthesis import excite
from styletransfer.services.excited import PROGRESS_LIFE, ExcitedFolder, progress_key
from webapp.errors import UserFacingError
from webapp.jobs.redis import client
from webapp.jobs.runner import bug
from webapp.middleware import new_reference
from webapp.uploads import to_jpeg

log = structlog.get_logger(__name__)

TELL_EVERY = 0.3  # seconds


def make_exciting(network: str, layer: str, unit: int) -> None:
    """Make the picture, tell how far it is, keep it."""
    key = progress_key(network, layer, unit)

    def tell(what: dict[str, Any]) -> None:
        client().set(key, json.dumps(what), ex=PROGRESS_LIFE)

    try:
        _make(network, layer, unit, tell)
        client().delete(key)
    except UserFacingError as error:
        tell(error.as_dict())
    except Exception:
        reference = new_reference()
        log.exception("could not excite a unit", reference=reference)
        tell(bug(reference))


def _make(name: str, layer: str, unit: int, tell: Any) -> None:
    began = told = time.monotonic()
    tell({"step": 0, "steps": 0})
    runtime.set_threads()
    network = runtime.seen_network(name)
    folder = ExcitedFolder(name)
    folder.belong_to(network.version)
    for iterate in excite(network, layer, unit):
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            picture = base64.b64encode(to_jpeg(iterate.picture(), quality=80)).decode()
            tell({"step": iterate.step, "steps": iterate.steps, "picture": picture})
    folder.write(f"{layer}/{unit}.jpg", to_jpeg(iterate.picture(), quality=92))
    facts = {
        "activation": round(float(iterate.activation), 5),
        "seconds": round(time.monotonic() - began, 2),
    }
    folder.write(f"{layer}/{unit}.json", json.dumps(facts).encode())
