"""Minings for tests: archives of small pictures, and one that has found something already."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from styletransfer.core.visualise.findings import Hit
from styletransfer.core.visualise.layers import network_layers
from styletransfer.mining_files import MiningFolder, Source
from styletransfer.models import Corpus, Mining
from tests.pictures import image_bytes, photo
from webapp import archives
from webapp.accounts.models import User
from webapp.jobs.models import Status
from webapp.jobs.runner import run_job


def packed(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def holiday(count: int = 3) -> dict[str, bytes]:
    return {f"holiday/{n}.png": image_bytes(photo(n)) for n in range(count)}


def staged(by: User, files: Mapping[str, bytes] | bytes) -> tuple[UUID, str]:
    """An archive that has arrived: its id and its receipt."""
    archive, receipt = archives.receipt_for(by=by)
    data = files if isinstance(files, bytes) else packed(files)
    archives.path_of(archive).write_bytes(data)
    return archive, receipt


def found(owner: User, corpus: Corpus = Corpus.HOUSE, **fields: Any) -> Mining:
    """A mining of lite that found two pictures; unit 3 of each layer answered to nothing."""
    defaults = {
        "network": "lite",
        "version": "0" * 64,
        "status": Status.DONE,
        "found": True,
        "done": 2,
        "total": 2,
    }
    mining = Mining.objects.create(owner=owner, corpus=corpus, **{**defaults, **fields})
    folder = MiningFolder(mining.pk)
    folder.begin({"network": "lite", "version": "0" * 64, "corpus": corpus})
    for key in "01":
        folder.write_source(key, photo(int(key)))
    sources = {key: Source(f"Picture {key} of {owner.username}", 96, 64) for key in "01"}
    folder.keep_sources(sources)
    for info in network_layers("lite"):
        hits = [
            [] if unit == 3 else [Hit(2.0 + unit, "0", 1, 2), Hit(1.5, "1", 0, 0)]
            for unit in range(info.units)
        ]
        folder.write_layer(info.name, hits)
        folder.write_sheet(info.name, 0, [photo(0, (16, 16))] * min(64, info.units))
    folder.write("filters/0.png", image_bytes(photo(0, (16, 16))))
    return mining


def run(mining: Mining) -> Mining:
    """What the worker of long work does with the mining's message."""
    from styletransfer.services.work_minings import run_mining

    run_job(Mining, str(mining.pk), run_mining)
    mining.refresh_from_db()
    return mining
