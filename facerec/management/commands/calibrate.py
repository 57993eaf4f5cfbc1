"""`manage.py calibrate FOLDER`: thresholds and error rates from labelled photos of your own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from facerec import wording
from facerec.core.calibration import OperatingPoints
from facerec.core.cohorts import Cohort, CohortTable, Rate, Spread, cohort_tables
from facerec.core.labelled import encode_set
from facerec.encoders import active, as_active
from facerec.models import Calibration, EncoderVersion, FaceTemplate, Mode
from facerec.photosets import PhotoSet, pictures
from facerec.services.calibration import (
    Measurement,
    check_size,
    choose,
    record_calibration,
    with_calibration,
)
from facerec.services.work import ready_runtime
from facerec.services.work_calibration import encoder_row
from facerec.thresholds import Target
from webapp.accounts.models import User
from webapp.accounts.roles import Role, has_role
from webapp.errors import UserFacingError
from webapp.management.progress import ProgressBar


class Command(BaseCommand):
    help = (
        "Measure error rates on labelled photos: a folder or a ZIP with one folder a person, and "
        "optionally labels.csv (person,<any columns>) for a cohort report. Nothing but the rates "
        "is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder or a ZIP, one folder a person")
        parser.add_argument("--name", default="", help="what the set is called")
        parser.add_argument("--encoder", default="", help="its name; default: the one in use")
        parser.add_argument("--user", default="", help="whose calibration it is")
        parser.add_argument(
            "--use", action="store_true", help="decide faces by it, at the rates chosen now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._calibrate(**options)
        except UserFacingError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error

    def _calibrate(
        self, *, folder: Path, name: str, encoder: str, user: str, use: bool, **_: Any
    ) -> None:
        owner = owner_of(user)
        row = encoder_row(encoder or active().name)
        with PhotoSet.open(folder, name=name or folder.resolve().name) as photoset:
            check_size(photoset.people)
            measurement = self._encoded(photoset, row)
            points = measurement.points(photoset.name)
            cohorts = measurement.cohorts(points, photoset.labels)
        calibration = record_calibration(
            name=photoset.name, row=row, points=points, cohorts=cohorts, by=owner
        )
        verifies_by = points[as_active(row).decision_rule]
        self._report(verifies_by, cohorts)
        if use:
            self._use(calibration, owner)
        else:
            self.stdout.write(
                "\nKept. Choose it on the page Calibration, or run this again with --use."
            )

    def _encoded(self, photoset: PhotoSet, row: EncoderVersion | None) -> Measurement:
        measurement = Measurement(row)
        with ready_runtime() as here:
            bar = ProgressBar(sys.stderr, photoset.total, "photos")
            photos = encode_set(here.pipeline_of(as_active(row)), pictures(photoset.photos()))
            for done, photo in enumerate(photos, start=1):
                measurement.add(photo)
                bar.show(done)
            bar.end()
        return measurement

    def _use(self, calibration: Calibration, by: User) -> None:
        chosen = with_calibration(calibration)
        choose(
            by=by,
            calibration=calibration,
            target=Target(Mode.VERIFICATION, chosen.verification_fmr),
        )
        point = chosen.point(
            Target(Mode.IDENTIFICATION, chosen.identification_fpir, FaceTemplate.current.count())
        )
        self.stdout.write(f"\nIn use. Identification's threshold is {point.threshold:.4f}.")

    def _report(self, points: OperatingPoints, cohorts: list[Cohort]) -> None:
        these = points.calibration_set
        self.stdout.write(
            f"\n{these.name}, for {points.encoder_version}", self.style.MIGRATE_HEADING
        )
        self.stdout.write(
            f"  {these.images:,} photos of {these.people:,} people: {these.person_pairs:,} pairs "
            f"of people, {these.genuine_pairs:,} pairs of photos of one."
        )
        if these.refused:
            reasons = ", ".join(f"{count} {reason}" for reason, count in these.refused.items())
            self.stdout.write(f"  Not used: {reasons}.")
        self.stdout.write(f"  Supports false match rates down to {points.lowest_fmr:.2g}.\n")
        self.stdout.write("  FMR       threshold  FMR, 95 %              FNMR    95 %")
        for fmr in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
            point = points.verification_threshold(fmr)
            if not point.supported:
                lack = points.shortfall(fmr)
                assert lack is not None
                self.stdout.write(
                    f"  {fmr:<8.0e}  not supported: {lack.more_people:,} more people are needed"
                )
                break
            (low, high), (miss_low, miss_high) = point.fpir_interval, point.fnmr_interval
            self.stdout.write(
                f"  {fmr:<8.0e}  {point.threshold:<9.4f}  {f'{low:.2g} to {high:.2g}':<21}  "
                f"{point.fnmr:<6.2%}  {miss_low:.2%} to {miss_high:.2%}"
            )
        wanted = max(1e-3, points.lowest_fmr)
        for table in cohort_tables(cohorts, points, wanted):
            self._cohorts(table, wanted)

    def _cohorts(self, table: CohortTable, fmr: float) -> None:
        self.stdout.write(
            f"\nBy {table.column}, where the whole set has FMR {fmr:.2g}",
            self.style.MIGRATE_HEADING,
        )
        width = max(len(row.value) for row in table.rows)
        for row in table.rows:
            self.stdout.write(
                f"  {row.value:<{width}}  {row.people:>5,} people  "
                f"FMR {_rate(row.fmr)}  FNMR {_rate(row.fnmr)}"
            )
        self.stdout.write(f"  Worst to best: FMR {_spread(table.fmr)}, FNMR {_spread(table.fnmr)}")


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return f"{'-':<28}"
    told = f"{rate.rate:.2g} ({rate.interval.low:.2g} to {rate.interval.high:.2g})"
    return f"{told + ('' if rate.enough else ' !'):<28}"


def _spread(spread: Spread | None) -> str:
    return wording.spread(spread) if spread else "too few people to say"


def owner_of(username: str) -> User:
    """Who is told, or else the first administrator. Raises CommandError."""
    if username:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        return user
    for user in User.objects.filter(is_active=True).order_by("pk"):
        if has_role(user, Role.ADMINISTRATOR):
            return user
    raise CommandError("There is no administrator. Start Likeness once, or name one with --user.")
