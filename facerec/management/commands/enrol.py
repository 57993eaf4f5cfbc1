"""`manage.py enrol FOLDER`: many people at once, from a folder or a ZIP of this machine."""

from __future__ import annotations

import csv
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from facerec.core.labelled import EncodedPhoto, encode_set
from facerec.core.quality import Use
from facerec.models import BulkEnrolment, BulkStatus, Existing, Subject
from facerec.photosets import PhotoSet, pictures
from facerec.services.bulk import REPORT_COLUMNS, create_bulk, people_of, report_rows
from facerec.services.work import ready_runtime
from facerec.services.work_bulk import run_bulk
from webapp import archives
from webapp.accounts.models import User
from webapp.accounts.roles import Role, has_role
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.runner import Run, Stopped, run_job
from webapp.management.house import redis_at_hand
from webapp.management.progress import ProgressBar

LOOK_EVERY = 0.5  # seconds, where a worker of the house does it


class Command(BaseCommand):
    help = (
        "Enrol many people: a folder or a ZIP with one folder a person, and optionally labels.csv "
        "(person,name,external_id). Ctrl-C pauses; --resume goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("photos", type=Path, nargs="?", help="a folder or a ZIP")
        parser.add_argument(
            "--consent-by",
            default="",
            metavar="USER",
            help="the administrator who vouches that each of these people agreed",
        )
        parser.add_argument(
            "--existing",
            choices=[*Existing],
            default=Existing.ADD,
            help="who is enrolled already gets the photos added (default) or is skipped",
        )
        parser.add_argument("--dry-run", action="store_true", help="look, and enrol nobody")
        parser.add_argument("--resume", type=UUID, metavar="ID", help="a run that was cut off")
        parser.add_argument("--report", type=Path, help="also write the report of every photo here")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["dry_run"]:
                self._look(options["photos"])
                return
            with redis_at_hand() as house_runs:
                job = self._resumed(options["resume"]) or self._begun(**options)
                self._work(job, house_runs)
        except UserFacingError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error
        if options["report"]:
            write_report(job, options["report"])
        self._tell(job)

    # --- which run ---------------------------------------------------------------------------
    def _begun(
        self, *, photos: Path | None, consent_by: str, existing: str, **_: Any
    ) -> BulkEnrolment:
        with opened(photos) as photoset:
            return create_bulk(
                photoset=photoset,
                folder=photoset_path(photos),
                existing=Existing(existing),
                consent=True,
                by=voucher(consent_by),
            )

    def _resumed(self, run_id: UUID | None) -> BulkEnrolment | None:
        if run_id is None:
            return None
        paused = BulkEnrolment.objects.filter(pk=run_id, status=Status.PAUSED)
        paused.update(status=Status.QUEUED, requested="", crashes=0)  # for us, not for a worker
        job = BulkEnrolment.objects.filter(pk=run_id).first()
        if job is None or job.is_final:
            raise CommandError("There is no run with this id that could go on.")
        return job

    # --- the work ----------------------------------------------------------------------------
    def _work(self, job: BulkEnrolment, house_runs: bool) -> None:
        """Here; or, where a worker of the house was quicker, by watching that."""
        bar = _Bar(job.total)
        asked_to_stop = False

        def stop(*_: Any) -> None:
            nonlocal asked_to_stop
            asked_to_stop = True
            signal.signal(signal.SIGINT, before)  # a second Ctrl-C ends it at once

        def work(run: Run[BulkEnrolment]) -> None:
            def tell() -> None:
                bar.show(run.job.done)
                if asked_to_stop:
                    raise Stopped(Status.PAUSED)

            run_bulk(run, tell)

        if house_runs:
            self.stderr.write(f"To be watched on the page {job.get_absolute_url()}, too.")
        before = signal.signal(signal.SIGINT, stop)
        try:
            run_job(BulkEnrolment, str(job.pk), work)
            job.refresh_from_db()
            while house_runs and job.status in (Status.QUEUED, Status.RUNNING):
                bar.show(job.done)
                time.sleep(LOOK_EVERY)
                job.refresh_from_db()
        finally:
            signal.signal(signal.SIGINT, before)
            bar.end()
        archives.discard_leftovers()

    def _look(self, photos: Path | None) -> None:
        """What would come of it, but for who looks like whom."""
        with opened(photos) as photoset, ready_runtime() as here:
            people = people_of(photoset)
            ids = [person.external_id for person in people.values()]
            known = sum(
                Subject.objects.filter(external_id__in=ids[start : start + 500]).count()
                for start in range(0, len(ids), 500)
            )
            bar = _Bar(photoset.total)
            rest = list(photoset.photos())
            counts: Counter[str] = Counter()
            refused: list[tuple[str, str]] = []
            encoded: Iterable[EncodedPhoto] = encode_set(
                here.pipeline, pictures(rest), use=Use.ENROLMENT, threads=here.threads
            )
            for done, (photo, face) in enumerate(zip(rest, encoded, strict=True), start=1):
                bar.show(done)
                counts["refused" if face.refusal else "usable"] += 1
                if face.refusal:
                    refused.append((photo.path, face.refusal.sentence))
            bar.end()
        self._list("Could not be used", refused)
        self.stdout.write(
            f"{len(people):,} people, of whom {known:,} are enrolled already. "
            f"{counts['usable']:,} photos can be used, {counts['refused']:,} not. "
            "Nobody was enrolled."
        )

    # --- what came of it -----------------------------------------------------------------------
    def _tell(self, job: BulkEnrolment) -> None:
        if job.error:
            raise CommandError(f"{job.error['message']} {job.error['hint']}".strip())
        lines = job.photos.order_by("person", "path").select_related("photo__looks_like")
        for status, title in (
            (BulkStatus.REFUSED, "Could not be used"),
            (BulkStatus.SKIPPED, "Skipped"),
            (BulkStatus.CONFIRM, "Need a look, on the run's page or in the quarantine"),
        ):
            of_kind = lines.filter(status=status)
            self._list(title, [(line.path, line.sentence) for line in of_kind])
        counts = job.counts()
        self.stdout.write(
            f"{counts['enrolled']:,} photos enrolled, {counts['refused']:,} not used, "
            f"{counts['confirm']:,} need a look, {counts['skipped']:,} skipped; "
            f"{job.rate:.1f} photos a second."
        )
        if job.status == Status.DONE:
            self.stdout.write(self.style.SUCCESS(f"Done: {job.people:,} people."))
        elif job.status == Status.CANCELLED:
            self.stdout.write(self.style.WARNING("Cancelled."))
        else:
            self.stdout.write(
                self.style.WARNING(
                    f"Paused at {job.done:,} of {job.total:,}. "
                    f"Go on with: manage.py enrol --resume {job.pk}"
                )
            )

    def _list(self, title: str, lines: list[tuple[str, str]]) -> None:
        if not lines:
            return
        self.stdout.write(self.style.MIGRATE_HEADING(f"{title}:"))
        for path, sentence in lines:
            self.stdout.write(f"  {path}\n      {sentence}")


class _Bar:
    """A progress bar that begins with the first photo, when the models are loaded."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._bar: ProgressBar | None = None

    def show(self, done: int) -> None:
        self._bar = self._bar or ProgressBar(sys.stderr, self._total, "photos")
        self._bar.show(done)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.end()


def photoset_path(photos: Path | None) -> Path:
    if photos is None:
        raise CommandError("Name a folder or a ZIP, or a run to go on with by --resume.")
    return photos


def opened(photos: Path | None) -> PhotoSet:
    path = photoset_path(photos)
    return PhotoSet.open(path, name=path.resolve().name)


def voucher(username: str) -> User:
    """The administrator who answers for the consent."""
    user = User.objects.filter(username=username).first()
    if user is None or not has_role(user, Role.ADMINISTRATOR):
        raise CommandError(
            "Nobody is enrolled without their consent. Name the administrator who vouches that "
            "each of these people agreed: --consent-by USER"
        )
    return user


def write_report(job: BulkEnrolment, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(REPORT_COLUMNS)
        writer.writerows(report_rows(job))
