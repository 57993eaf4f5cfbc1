"""The same search in PostgreSQL: exact, and by HNSW with its recall."""

from __future__ import annotations

import os
import time
from typing import Any

import django


def measured(size: int) -> dict[str, Any]:
    from tests.postgres.server import NoPostgres, postgres

    try:
        with postgres() as url:
            os.environ["DATABASE_URL"] = url
            django.setup()
            return _measured(size)
    except NoPostgres as reason:
        return {"skipped": str(reason)}


def _measured(size: int) -> dict[str, Any]:
    from django.db import connection

    from facerec.gallery.live import LiveGallery
    from facerec.gallery.pgvector import VectorGallery
    from tests.bench.bench_gallery import timings
    from tests.bench.gallery.__main__ import fill, probes_of

    fill(size)
    probes = probes_of(size, 200)
    result: dict[str, Any] = {"templates": size}
    right: list[int] = []
    for kind, holder in (
        ("memory", LiveGallery()),
        ("pgvector", VectorGallery(approximate=False)),
        ("pgvector-hnsw", VectorGallery(approximate=True)),
    ):
        started = time.perf_counter()
        gallery = holder.now()
        ready = time.perf_counter() - started
        found = [neighbours[0].subject for neighbours in gallery.search(probes, 1)]
        right = right or found
        times = timings(lambda turn, g=gallery: g.search(probes[turn : turn + 1]), 100)
        agree = sum(one == other for one, other in zip(found, right, strict=True))
        result[kind] = {**times, "ready_s": ready, "recall": agree / len(right)}
    connection.close()
    return result
