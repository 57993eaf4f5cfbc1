"""Measure one gallery: `python -m tests.bench.gallery memory|postgres TEMPLATES`, told as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import numpy as np

from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION

MADE_BY = {"encoder_version": BACKBONE_VERSION, "aligner_version": ALIGNER_VERSION}
CHUNK = 20_000


def main() -> None:
    kind, size = sys.argv[1], int(sys.argv[2])
    if kind == "postgres":
        from tests.bench.gallery.postgres import measured
    else:
        django.setup()
        measured = in_memory
    print(json.dumps(measured(size)))


def encodings(count: int, seed: int) -> np.ndarray:
    """As long as faces' (about 1.4) and, where they are two people's, about 0.8 apart; with the
    unequal axes that faces' have."""
    axes = np.arange(1, 129) ** -0.5
    axes *= np.sqrt(0.4 / (axes**2).sum())
    mean = np.random.default_rng(0).normal(size=128)
    mean *= 1.25 / np.linalg.norm(mean)
    noise = np.random.default_rng(seed).normal(size=(count, 128))
    return (mean + axes * noise).astype(np.float32)


def people(size: int) -> Iterator[np.ndarray]:
    """Two templates a person, a chunk at a time: (CHUNK, 128), neighbours are one person's."""
    for start in range(0, size, CHUNK):
        count = min(CHUNK, size - start)
        faces = np.repeat(encodings((count + 1) // 2, start + 1), 2, axis=0)[:count]
        yield faces + photo_noise(count, start + 2)


def photo_noise(count: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(scale=0.025, size=(count, 128))
    return noise.astype(np.float32)


def probes_of(size: int, count: int) -> np.ndarray:
    """Every other one is of somebody enrolled."""
    chunk = next(people(size))
    probes = encodings(count, 99)
    known = chunk[np.random.default_rng(5).integers(0, len(chunk), (count + 1) // 2)]
    probes[::2] = known + photo_noise(len(known), 98)
    return probes


def fill(size: int) -> None:
    """Enrol two templates a person, by SQL: a million through the ORM takes minutes."""
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.utils import timezone

    from facerec.models import FaceTemplate, GalleryVersion

    call_command("migrate", verbosity=0)
    now = str(timezone.now())
    made_by = (BACKBONE_VERSION, ALIGNER_VERSION, "{}", now)
    template = (
        "INSERT INTO facerec_facetemplate (subject_id, encoding, encoder_version, aligner_version,"
        " quality, created) VALUES (%s, %s, %s, %s, %s, %s)"
    )
    subject = (
        "INSERT INTO facerec_subject (id, name, external_id, consent_given_at, created)"
        " VALUES (%s, %s, %s, %s, %s)"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        key = 0
        for chunk in people(size):
            ids = [key + i // 2 + 1 for i in range(len(chunk))]
            cursor.executemany(subject, [(i, f"p{i}", f"p{i}", now, now) for i in sorted({*ids})])
            rows = zip(ids, map(FaceTemplate.pack, chunk), strict=True)
            cursor.executemany(template, [(i, packed, *made_by) for i, packed in rows])
            key = ids[-1]
        GalleryVersion.change()


def in_memory(size: int) -> dict[str, Any]:
    from facerec.gallery.live import LiveGallery
    from facerec.models import FaceTemplate, Subject
    from tests.bench.bench_gallery import BATCH, timings

    fill(size)
    live = LiveGallery()
    before = resident()
    started = time.perf_counter()
    gallery = live.now().templates
    load = time.perf_counter() - started
    taken = resident() - before

    probes = probes_of(size, 400)
    gallery.search(probes[:BATCH])
    times = 200 if size <= 100_000 else 60
    one = timings(lambda turn: gallery.search(probes[turn : turn + 1]), times)
    many = timings(lambda turn: gallery.search(probes[turn : turn + BATCH]), times // 4)
    stream = timings(lambda _: [block.columns.max() for block in gallery._blocks], times)

    known = FaceTemplate.objects.get(pk=1)
    newcomer = Subject.objects.create(
        name="new", external_id="new", consent_given_at=known.subject.consent_given_at
    )

    held = []
    for _ in range(20):
        comes = FaceTemplate(subject=newcomer, encoding=known.encoding, **MADE_BY)
        FaceTemplate.objects.bulk_create([comes])
        held.append(timings(lambda _: live.now(), 1)["p50_ms"])
    return {
        "templates": size,
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "megabytes": gallery.nbytes / 1e6,
        "resident_megabytes": taken / 1e6,
        "peak_resident_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "load_s": load,
        "follow_ms": sorted(held)[len(held) // 2],
        "stream_ms": stream["p50_ms"],
        "one": one,
        "batch": many,
    }


def resident() -> int:
    """Bytes of memory that this process has in use (Linux; elsewhere its peak)."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
