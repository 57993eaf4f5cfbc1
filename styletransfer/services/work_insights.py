"""A finished picture, looked into: the worker's side."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

import structlog
from PIL import Image

from styletransfer import runtime
from styletransfer.core.images import Pixels, luma, to_tensor
from styletransfer.core.optimise import as_compared
from styletransfer.core.types import LAYERS, STYLE_LAYERS, Recipe
from styletransfer.core.visualise.gram_picture import (
    difference_picture,
    gram_pictures,
    strongest_pairs,
    together,
)
from styletransfer.core.visualise.remaining import LayerInsight, look_into
from styletransfer.files import CONTENT, RESULT, STYLE, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services.insights import PROGRESS_LIFE, progress_key, store, stored
from styletransfer.services.leftovers import discard
from webapp.errors import UserFacingError
from webapp.jobs.redis import client
from webapp.jobs.runner import bug
from webapp.middleware import new_reference

log = structlog.get_logger(__name__)

PAIRS = 6


def give_insight(job_id: UUID) -> None:
    """Look into the job's picture, if it is finished and was not looked into yet."""
    job = StyleJob.objects.filter(pk=job_id).first()
    if job is None or not (job.is_final and job.has_picture):
        return
    try:
        if not stored(job):
            _look(job)
        client().delete(progress_key(job))
    except UserFacingError as error:
        _tell(job, error.as_dict())
    except Exception:
        reference = new_reference()
        log.exception("could not look into a picture", reference=reference)
        _tell(job, bug(reference))
    if not StyleJob.objects.filter(pk=job_id).exists():
        discard(job_id)  # deleted while it was looked into


def _look(job: StyleJob) -> None:
    runtime.set_threads()
    recipe = job.cooked
    extractor = runtime.extractor(recipe.extractor)
    folder = PictureFolder(job.pk)
    content, style, result = (folder.picture(name) for name in (CONTENT, STYLE, RESULT))
    layers = _layers(recipe)
    _tell(job, {"done": 0, "of": len(layers)})
    c, s = as_compared(content, style, extractor, recipe)
    g = to_tensor(result, extractor.device)
    if recipe.keep_colours:
        g = luma(g).expand_as(g)
    rows: list[dict[str, Any]] = []
    pictures: dict[tuple[str, str], bytes] = {}
    for seen in look_into(extractor, c, s, g, layers):
        rows.append(_row(seen))
        shown = {"difference": difference_picture(seen.of_style, seen.of_picture)}
        shown["style"], shown["picture"] = gram_pictures(seen.of_style, seen.of_picture)
        pictures |= {(seen.layer, which): _png(pixels) for which, pixels in shown.items()}
        _tell(job, {"done": len(rows), "of": len(layers)})
    facts = {"extractor": extractor.name, "version": extractor.version, "step": job.kept_step}
    store(job, {**facts, "layers": rows}, pictures)


def _layers(recipe: Recipe) -> list[str]:
    """The five of the notes, and what else the recipe compares."""
    wanted = {*STYLE_LAYERS, recipe.content_layer}
    wanted |= {name for name, weight in recipe.layer_weights.items() if weight}
    return [name for name in LAYERS[recipe.extractor] if name in wanted]


def _row(seen: LayerInsight) -> dict[str, Any]:
    pairs = [
        {
            "units": list(pair),
            "style": round(together(seen.of_style, pair), 4),
            "picture": round(together(seen.of_picture, pair), 4),
        }
        for pair in strongest_pairs(seen.of_style, PAIRS)
    ]
    return {
        "name": seen.layer,
        "units": len(seen.of_style),
        "content": round(seen.content, 5),
        "style": round(seen.style, 5),
        "pairs": pairs,
    }


def _tell(job: StyleJob, what: dict[str, Any]) -> None:
    client().set(progress_key(job), json.dumps(what), ex=PROGRESS_LIFE)


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
