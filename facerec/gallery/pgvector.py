"""The gallery as a table of vectors in PostgreSQL, by the extension pgvector.

For houses whose gallery is not to be in every worker's memory. The table is a copy of the
templates as the encoder in use has them, and follows the gallery's log as a worker's matrix does.
It is made on first use, since only whoever chose it need have the extension.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from django.db import DatabaseError, connection, transaction

from facerec.core.errors import FaceCoreError
from facerec.core.gallery import Rows, nearest_subjects
from facerec.core.types import ENCODING_SIZE, Encoding, Neighbour
from facerec.encoders import ActiveEncoder, active, as_active
from facerec.gallery.live import AdaptedGallery, adapted_rows, comparable
from facerec.models import EncoderVersion, GalleryChange, GalleryState, GalleryVersion

log = structlog.get_logger(__name__)

EF_SEARCH = 200  # candidates that HNSW keeps; more find more, and take longer
_ROUNDING = 1e-4  # of a distance: more than the server's float32 sum and ours can differ by

_COPY = np.dtype(  # one row in PostgreSQL's binary COPY: fields with their lengths, big-endian
    [
        *(("fields", ">i2"), ("template_length", ">i4"), ("template", ">i8")),
        *(("subject_length", ">i4"), ("subject", ">i8"), ("vector_length", ">i4")),
        *(("size", ">i2"), ("unused", ">i2"), ("encoding", ">f4", ENCODING_SIZE)),
    ]
)


class GalleryUnavailable(FaceCoreError):  # noqa: N818
    """The settings ask for a search that this database cannot do."""


class VectorGallery:
    """Shared by a worker's threads, as `live.LiveGallery`.

    Exact, or by an HNSW index (Malkov and Yashunin 2018), which now and then misses the nearest.
    """

    def __init__(self, *, approximate: bool) -> None:
        """Raises GalleryUnavailable."""
        if connection.vendor != "postgresql":
            raise GalleryUnavailable("GALLERY_SEARCH=pgvector needs PostgreSQL: set DATABASE_URL")
        self._approximate = approximate
        self._lock = threading.Lock()
        self._held: AdaptedGallery | None = None
        self._is_prepared = False

    def now(self) -> AdaptedGallery:
        """The gallery with every change that was committed before this call. Raises
        GalleryUnavailable, and FaceCoreError where the encoder in use cannot be run."""
        with self._lock:
            if not self._is_prepared:
                _prepare(approximate=self._approximate)
                self._is_prepared = True
            if self._held is None or self._held.state != GalleryVersion.current():
                self._held = self._brought_up_to_date()
            return self._held

    @transaction.atomic
    def _brought_up_to_date(self) -> AdaptedGallery:
        # Under this lock nobody deletes a template whose vector is being written.
        GalleryVersion.lock()
        state = GalleryVersion.current()
        with connection.cursor() as cursor:
            cursor.execute("SELECT sequence, token, encoder, size FROM facerec_vectorstate")
            row = cursor.fetchone()
        former = GalleryState(*row[:2]) if row else None
        if former == state:
            return self._gallery(state, row[2], row[3])
        touched = GalleryChange.between(former, state) if former else None
        if touched is None:
            encoder = active()
            _execute("DELETE FROM facerec_vector")
            _copy(adapted_rows(encoder, comparable(encoder)))
            log.info("vectors written anew", encoder=encoder.name)
        else:
            encoder = _encoder(row[2])
            _execute("DELETE FROM facerec_vector WHERE template = ANY(%s)", [touched])
            _copy(adapted_rows(encoder, comparable(encoder).filter(pk__in=touched)))
        size = _execute("SELECT count(*) FROM facerec_vector")
        _execute("DELETE FROM facerec_vectorstate")
        values = [state.sequence, state.token, encoder.pk, size]
        _execute("INSERT INTO facerec_vectorstate VALUES (%s, %s, %s, %s)", values)
        return self._gallery(state, encoder.pk, size)

    def _gallery(self, state: GalleryState, encoder: int | None, size: int) -> AdaptedGallery:
        return AdaptedGallery(state, _encoder(encoder), _Vectors(size, self._approximate))


@dataclass(frozen=True)
class _Vectors:
    """What identification searches: the table."""

    size: int
    approximate: bool

    def __len__(self) -> int:
        return self.size

    def search(self, probes: Encoding, k: int = 2) -> list[list[Neighbour]]:
        """As `core.gallery.Gallery.search`: the server chooses candidates, and our own distances
        decide, so that an exact search answers the same to the last bit."""
        return [self._nearest(probe, k) for probe in probes]

    def _nearest(self, probe: Encoding, k: int) -> list[Neighbour]:
        limit = 16 * k
        while True:
            rows = self._candidates(probe, limit)
            if not rows:
                return []
            subjects, templates, packed = zip(*rows, strict=True)
            encodings = np.stack([_unpacked(vector) for vector in packed])
            found = nearest_subjects(probe, encodings, np.array(subjects), np.array(templates), k)
            farthest = float(((encodings[-1] - probe) ** 2).sum())
            is_whole = len(found) == k and farthest > found[-1].distance * (1 + _ROUNDING)
            if is_whole or len(rows) < limit:
                return found
            limit *= 8  # one person's many templates, or ties

    @transaction.atomic
    def _candidates(self, probe: Encoding, limit: int) -> list[tuple[int, int, bytes]]:
        with connection.cursor() as cursor:
            if self.approximate:
                cursor.execute(f"SET LOCAL hnsw.ef_search = {EF_SEARCH}")
                cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            else:
                cursor.execute("SET LOCAL enable_indexscan = off")
            cursor.execute(
                "SELECT subject, template, vector_send(encoding) FROM facerec_vector"
                " ORDER BY encoding <-> %s::vector LIMIT %s",
                ["[" + ",".join(f"{x:.9g}" for x in probe) + "]", limit],
            )
            return list(cursor.fetchall())


def _prepare(*, approximate: bool) -> None:
    """Extension, tables and, if wanted, the index."""
    try:
        with transaction.atomic():
            GalleryVersion.lock()
            _execute("CREATE EXTENSION IF NOT EXISTS vector")
            _execute(
                "CREATE TABLE IF NOT EXISTS facerec_vector (template bigint PRIMARY KEY REFERENCES"
                " facerec_facetemplate ON DELETE CASCADE, subject bigint NOT NULL,"
                f" encoding vector({ENCODING_SIZE}) NOT NULL)"
            )
            _execute(
                "CREATE TABLE IF NOT EXISTS facerec_vectorstate"
                " (sequence bigint, token uuid, encoder bigint,"
                " size bigint)"
            )
            if approximate:
                _execute(
                    "CREATE INDEX IF NOT EXISTS facerec_vector_hnsw ON facerec_vector"
                    " USING hnsw (encoding vector_l2_ops)"
                )
            else:
                _execute("DROP INDEX IF EXISTS facerec_vector_hnsw")
    except DatabaseError as error:
        log.exception("pgvector cannot be used")
        raise GalleryUnavailable(
            "this PostgreSQL has no pgvector, or its user may not create it: "
            "let its administrator run CREATE EXTENSION vector"
        ) from error


def _execute(statement: str, values: Iterable[Any] = ()) -> Any:
    """The first column of the first row, if there are rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def _copy(chunks: Iterable[Rows]) -> None:
    """Write many rows as the server reads them, without a text between."""
    statement = "COPY facerec_vector (template, subject, encoding) FROM STDIN (FORMAT BINARY)"
    for chunk in chunks:  # a chunk at a time: the connection cannot read them meanwhile
        with connection.cursor() as cursor, cursor.copy(statement) as to:
            to.write(_binary(chunk))


def _binary(chunk: Rows) -> bytes:
    encodings, subjects, templates = chunk
    rows = np.zeros(len(encodings), _COPY)
    rows["fields"] = 3
    rows["template_length"] = rows["subject_length"] = 8
    rows["vector_length"], rows["size"] = 4 + 4 * ENCODING_SIZE, ENCODING_SIZE
    rows["template"], rows["subject"], rows["encoding"] = templates, subjects, encodings
    return b"PGCOPY\n\xff\r\n\x00" + bytes(8) + rows.tobytes() + b"\xff\xff"


def _unpacked(vector: bytes) -> Encoding:
    """float32 (128,) of what `vector_send` gives: size, unused, then the numbers, big-endian."""
    return np.frombuffer(vector, ">f4", offset=4).astype(np.float32)


def _encoder(pk: int | None) -> ActiveEncoder:
    return as_active(EncoderVersion.objects.get(pk=pk) if pk is not None else None)
