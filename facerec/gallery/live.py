"""The gallery as the database has it at this moment, kept up to date by what changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

import structlog
from django.conf import settings
from django.db.models import QuerySet

from facerec.core.gallery import BLOCK, Gallery, Rows, Searchable
from facerec.core.types import Encoding, Neighbour
from facerec.encoders import ActiveEncoder, active, adapter_of
from facerec.models import FaceTemplate, GalleryChange, GalleryState, GalleryVersion

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AdaptedGallery:
    """Every template that is comparable under one encoder, at one moment.

    Searched with the backbone's encodings: what its templates went through, a probe goes through.
    """

    state: GalleryState
    encoder: ActiveEncoder
    templates: Searchable

    def __len__(self) -> int:
        return len(self.templates)

    def adapt(self, encodings: Encoding) -> Encoding:
        """The backbone's encodings as this gallery's encoder has them."""
        return adapter_of(self.encoder)(encodings)

    def search(self, probes: Encoding, k: int = 2) -> list[list[Neighbour]]:
        """As `core.gallery.Gallery.search`, for (P, 128) of the backbone."""
        return self.templates.search(self.adapt(probes), k)


class GalleryHolder(Protocol):
    """Wherever the templates lie."""

    def now(self) -> AdaptedGallery: ...


def open_gallery() -> GalleryHolder:
    """As GALLERY_SEARCH says: `memory`, `pgvector` or `pgvector-hnsw`. Raises
    GalleryUnavailable."""
    from facerec.gallery.pgvector import GalleryUnavailable, VectorGallery

    wanted = settings.GALLERY_SEARCH
    if wanted == "memory":
        return LiveGallery()
    if wanted in ("pgvector", "pgvector-hnsw"):
        return VectorGallery(approximate=wanted == "pgvector-hnsw")
    raise GalleryUnavailable(
        f"GALLERY_SEARCH={wanted}, but it is one of memory, pgvector, pgvector-hnsw"
    )


class LiveGallery:
    """In memory. Shared by a worker's threads; each gets a state that nobody changes under it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: AdaptedGallery | None = None

    def now(self) -> AdaptedGallery:
        """The gallery with every change that was committed before this call, from whichever
        process: one small query, and then only what changed is read.

        Raises FaceCoreError where the encoder in use cannot be run.
        """
        with self._lock:
            state = GalleryVersion.current()
            if self._held is None or self._held.state != state:
                self._held = self._follow(self._held, state) or _read(state)
            return self._held

    def _follow(self, held: AdaptedGallery | None, state: GalleryState) -> AdaptedGallery | None:
        touched = GalleryChange.between(held.state, state) if held else None
        if held is None or touched is None or not isinstance(held.templates, Gallery):
            return None
        templates = held.templates
        for start in range(0, len(touched), BLOCK):
            keys = touched[start : start + BLOCK]
            come = adapted_rows(held.encoder, comparable(held.encoder).filter(pk__in=keys))
            templates = templates.changed(gone=keys, come=next(come, None))
        return replace(held, state=state, templates=templates)


def comparable(encoder: ActiveEncoder) -> QuerySet[FaceTemplate]:
    """The templates that this encoder can compare."""
    made_by = {"encoder_version": encoder.backbone, "aligner_version": encoder.aligner}
    return FaceTemplate.objects.filter(**made_by)


def _read(state: GalleryState) -> AdaptedGallery:
    # The state was read before the rows: what changes in between is read once more, no harm.
    encoder = active()
    started = time.monotonic()
    gallery = Gallery.from_chunks(adapted_rows(encoder, comparable(encoder)))
    took = round(time.monotonic() - started, 2)
    log.info("gallery read", templates=len(gallery), encoder=encoder.name, seconds=took)
    return AdaptedGallery(state, encoder, gallery)


def adapted_rows(encoder: ActiveEncoder, templates: QuerySet[FaceTemplate]) -> Iterator[Rows]:
    """Adapted encodings, subjects and keys, a block at a time."""
    adapt = adapter_of(encoder)
    columns = templates.order_by("pk").values_list("encoding", "subject_id", "pk")
    rows = columns.iterator(chunk_size=BLOCK)
    while some := list(islice(rows, BLOCK)):
        encodings, subjects, keys = zip(*some, strict=True)
        yield adapt(FaceTemplate.unpack(encodings)), subjects, keys
