"""The worker's side of a mining: see every picture once, keep what excites, be ready to stop."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache

import structlog
from PIL import Image

from styletransfer import runtime
from styletransfer.core.errors import CheckpointError
from styletransfer.core.visualise.filters import first_layer
from styletransfer.core.visualise.findings import Findings, Hit
from styletransfer.core.visualise.layers import LayerInfo
from styletransfer.core.visualise.mining import MiningProgress, mine
from styletransfer.core.visualise.networks import SeenNetwork
from styletransfer.core.visualise.patches import crop, patch_box, sprite
from styletransfer.mining_files import GAP, PATCH_SIDE, SHEET_UNITS, MiningFolder, Source
from styletransfer.models import Corpus, Mining
from styletransfer.services.excited import ExcitedFolder
from styletransfer.services.mining_pictures import MinedPicture, pictures_of, read
from styletransfer.services.minings import delete_mining, discard_mining
from webapp import archives
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.runner import Run, Stopped

log = structlog.get_logger(__name__)

TELL_EVERY = 0.4  # seconds between looks that watchers get
KEEP_EVERY = 5.0  # seconds of work that a killed worker loses at most
GROUND = "#808080"  # between patches, and where one is missing
PICTURES_AT_ONCE = 256  # decoded, while patches are cut: 50 MB


def run_mining(run: Run[Mining]) -> None:
    """Mine the job's pictures, from its checkpoint where it has one.

    Raises:
        UserFacingError: with a sentence for whoever asked.
        Stopped: cancelled, paused, or this worker leaves; what was found is kept but for the first.
    """
    job = run.job
    try:
        _run(run)
    except Stopped as stop:
        gone = stop.status is None and not Mining.objects.filter(pk=job.pk).exists()
        if stop.status == Status.CANCELLED or gone:
            discard_mining(job)
        raise
    except Exception:
        discard_mining(job)
        raise
    if job.archive is not None:
        archives.discard(job.archive)
    if job.corpus == Corpus.HOUSE:  # what everybody sees is the newest alone
        older = Mining.objects.filter(network=job.network, corpus=Corpus.HOUSE, found=True)
        for mining in older.exclude(pk=job.pk):
            delete_mining(mining=mining)


def _run(run: Run[Mining]) -> None:
    job = run.job
    run.update(note="Loading the network")
    run.publish()
    runtime.set_threads()
    network = runtime.seen_network(job.network)
    ExcitedFolder(job.network).belong_to(network.version)
    with pictures_of(job) as pictures:
        run.update(total=len(pictures), version=network.version[:64], note="")
        run.publish()
        findings = _look(run, network, pictures)
        if not findings.kept():
            raise _nothing_found(job)
        titles = {str(number): picture.title for number, picture in enumerate(pictures)}
    run.update(note="Cutting out the patches")
    run.publish()
    Wall(run, network, findings).hang(titles)
    run.update(found=True, note="")
    job.checkpoint_path.unlink(missing_ok=True)


def _look(run: Run[Mining], network: SeenNetwork, pictures: Sequence[MinedPicture]) -> Findings:
    """One pass over what is left of the pictures."""
    findings = _kept_findings(run.job, network)
    done = findings.done if findings else 0
    left = ((str(number), read(pictures[number])) for number in range(done, len(pictures)))
    course = Course(run, network)
    for progress in mine(network, left, state=findings):
        findings = progress.findings
        course.saw(progress)
        if findings.done < len(pictures) and (status := run.stop_requested()) is not None:
            if status != Status.CANCELLED:
                course.keep(findings)
            raise Stopped(status)
    course.keep(findings or Findings.begin(network))
    return findings or Findings.begin(network)


def _kept_findings(job: Mining, network: SeenNetwork) -> Findings | None:
    """What a former run had found, if it can be gone on from."""
    checkpoint = job.checkpoint_path
    if not checkpoint.exists():
        return None
    try:
        findings = Findings.load(checkpoint)
    except CheckpointError as error:
        log.warning("mining begins anew", reason=str(error))
        return None
    return findings if findings.fits(network) else None


class Course:
    """One run's share of a mining: what is written down of it when."""

    def __init__(self, run: Run[Mining], network: SeenNetwork) -> None:
        self.run = run
        self.folder = MiningFolder(run.job.pk)
        self.seconds_before = run.job.seconds
        self.began = self.told = self.kept = time.monotonic()
        self.folder.begin(
            {"network": network.name, "version": network.version, "corpus": run.job.corpus}
        )

    def saw(self, progress: MiningProgress) -> None:
        for key, view in progress.entered.items():
            self.folder.write_source(key, view)
        now = time.monotonic()
        if now - self.told >= TELL_EVERY:
            self.told = now
            self.run.update(**self._row(progress.findings))
            self.run.publish()
        if now - self.kept >= KEEP_EVERY:
            self.keep(progress.findings)

    def keep(self, findings: Findings) -> None:
        """What a later run needs; the sources have been written already."""
        checkpoint = self.run.job.checkpoint_path
        partial = checkpoint.with_suffix(".part")
        partial.write_bytes(findings.to_bytes())
        partial.rename(checkpoint)
        self.run.progressed(**self._row(findings))
        self.kept = time.monotonic()

    def _row(self, findings: Findings) -> dict[str, float]:
        return {
            "done": findings.done,
            "unreadable": findings.unreadable + findings.faceless,
            "seconds": self.seconds_before + time.monotonic() - self.began,
        }


class Wall:
    """What the pages show of the findings."""

    def __init__(self, run: Run[Mining], network: SeenNetwork, findings: Findings) -> None:
        self.run, self.network, self.findings = run, network, findings
        self.folder = MiningFolder(run.job.pk)
        self._picture = lru_cache(PICTURES_AT_ONCE)(self.folder.source_picture)

    def hang(self, titles: dict[str, str]) -> None:
        """Write sources, layers, sheets and filters. Raises Stopped."""
        sources = {}
        for key in self.findings.kept():
            picture = self._picture(key)
            number, _, face = key.partition(".")
            title = titles.get(number, "") + (f", face {int(face) + 1}" if int(face or 0) else "")
            sources[key] = Source(title, *picture.size)
        self.folder.keep_sources(sources)
        for info in self.network.layers:
            best = self.findings.best(info.name)
            self.folder.write_layer(info.name, best)
            for sheet, start in enumerate(range(0, info.units, SHEET_UNITS)):
                some = best[start : start + SHEET_UNITS]
                self.folder.write_sheet(info.name, sheet, list(self._sprites(info, some)))
                if (status := self.run.stop_requested()) is not None:
                    raise Stopped(status)
        for unit, picture in enumerate(first_layer(self.network)):
            buffer = io.BytesIO()
            picture.save(buffer, "PNG")
            self.folder.write(f"filters/{unit}.png", buffer.getvalue())

    def _sprites(self, info: LayerInfo, units: Sequence[Sequence[Hit]]) -> Iterator[Image.Image]:
        for hits in units:
            patches = []
            for hit in hits:
                view = self._picture(hit.key)
                box = patch_box(info, hit.row, hit.column, view.size)
                patches.append(crop(view, box, PATCH_SIDE, self.network.padding))
            yield sprite(patches, PATCH_SIDE, GAP, GROUND)


def _nothing_found(job: Mining) -> UserFacingError:
    if job.network == "face":
        return UserFacingError(
            "no_face",
            "No face was found in any of these pictures.",
            "Send photos with faces in them, or choose another network.",
        )
    return UserFacingError(
        "nothing_found",
        "None of these pictures could be read.",
        "Send JPEG, PNG or WebP files.",
    )
