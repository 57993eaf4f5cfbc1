"""`manage.py train FOLDER`: an encoder learns from labelled photos on this machine."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from redis import RedisError

from facerec.core.training_config import MinerName, TrainingConfig, TrainingKind
from facerec.forms.training import TrainingForm, initial_of
from facerec.management.commands.calibrate import owner_of
from facerec.models import Stage, TrainingRun
from facerec.photosets import PhotoSet
from facerec.presenting.training import comparison_table, verdict
from facerec.services.training import ask_run, create_run, discard_leftovers
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import resume
from webapp.jobs.models import Request, Status
from webapp.jobs.redis import client
from webapp.jobs.runner import run_job
from webapp.management.progress import ProgressBar

LOOK_EVERY = 0.3  # seconds


class Command(BaseCommand):
    help = (
        "Train an encoder on labelled photos: a folder or a ZIP with one folder a person. It is "
        "compared with the one in use on people held out; put it in use on the page Encoders. "
        "Ctrl-C pauses; --resume goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        default = TrainingConfig()
        parser.add_argument("folder", type=Path, nargs="?", help="one folder a person")
        parser.add_argument("--name", default="own", help="the encoder's, with a number")
        parser.add_argument("--kind", choices=[*TrainingKind], default=default.kind)
        parser.add_argument("--miner", choices=[*MinerName], default=default.miner)
        parser.add_argument("--steps", type=int, default=default.steps)
        parser.add_argument("--margin", type=float, default=default.margin)
        parser.add_argument("--people-per-batch", type=int, default=default.people_per_batch)
        parser.add_argument("--photos-per-person", type=int, default=default.photos_per_person)
        parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
        parser.add_argument("--weight-decay", type=float, default=default.weight_decay)
        parser.add_argument("--held-out", type=int, default=25, help="per cent of the people")
        parser.add_argument("--blocks", type=int, default=default.blocks)
        parser.add_argument("--seed", type=int, default=default.seed)
        parser.add_argument("--user", default="", help="whose run it is")
        parser.add_argument("--resume", default="", help="the id of a paused run, with no folder")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            client().ping()
        except (RedisError, OSError, ValueError) as error:
            raise CommandError(
                "Likeness does not run: start it first (make run). The run can then be watched "
                "on its page, too."
            ) from error
        try:
            run = self._paused(options) if options["resume"] else self._begun(options)
        except UserFacingError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error
        self._work(run)
        self._report(run)

    def _begun(self, options: dict[str, Any]) -> TrainingRun:
        if options["folder"] is None:
            raise CommandError("Name a folder, or a paused run with --resume.")
        form = TrainingForm({**initial_of(TrainingConfig()), **options})
        if not form.is_valid():
            field, errors = next(iter(form.errors.items()))
            raise CommandError(f"--{field.replace('_', '-')}: {' '.join(map(str, errors))}")
        folder: Path = options["folder"]
        with PhotoSet.open(folder) as photoset:  # so that a wrong path is told now
            source = photoset.name
        by = owner_of(options["user"])
        return create_run(
            name=options["name"], config=form.config, by=by, source=source, folder=folder
        )

    def _paused(self, options: dict[str, Any]) -> TrainingRun:
        run = TrainingRun.objects.filter(pk=options["resume"], status=Status.PAUSED).first()
        if run is None:
            raise CommandError("There is no paused run with this id.")
        resume(run)
        return run

    def _work(self, run: TrainingRun) -> None:
        """In this process, while another thread shows how far it is."""
        from facerec.services.work_training import run_training

        before = signal.signal(signal.SIGINT, lambda *_: ask_run(run=run, request=Request.PAUSE))
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(run, over))
        watcher.start()
        try:
            run_job(TrainingRun, str(run.pk), run_training)
        finally:
            over.set()
            watcher.join()
            signal.signal(signal.SIGINT, before)
            discard_leftovers()
        run.refresh_from_db()

    def _watch(self, run: TrainingRun, over: threading.Event) -> None:
        stage, bar, shown = "", None, -1
        try:
            while not over.wait(LOOK_EVERY):
                now = TrainingRun.objects.get(pk=run.pk)
                if now.stage != stage:
                    if bar is not None:
                        bar.end()
                    stage = now.stage
                    sys.stderr.write(f"{Stage(stage).label.capitalize()}\n")
                    unit = "steps" if stage == Stage.TRAINING else "photos"
                    bar = ProgressBar(sys.stderr, now.total, unit) if now.total else None
                if bar is not None and now.done != shown:
                    shown = now.done
                    bar.show(now.done, _note(now))
            if bar is not None:
                bar.end()
        finally:
            connection.close()

    def _report(self, run: TrainingRun) -> None:
        if run.status == Status.PAUSED:
            self.stdout.write(f"Paused. Go on with: manage.py train --resume {run.pk}")
            return
        if run.error:
            raise CommandError(f"{run.error['message']} {run.error['hint']}".strip())
        if run.status != Status.DONE:
            self.stdout.write(f"The run is {run.get_status_display().lower()}.")
            return
        told = verdict(run.report)
        self._table(run)
        style = {"match": self.style.SUCCESS, "no": self.style.ERROR}.get(
            told.kind, self.style.WARNING
        )
        self.stdout.write(style(f"\n{told.sentence}"))
        self.stdout.write(told.more)
        if run.collapsed:
            self.stdout.write(self.style.ERROR("It collapsed. Do not use this encoder."))
        self.stdout.write(f"Put it in use on the page Encoders: {run.report['new']}")

    def _table(self, run: TrainingRun) -> None:
        table = comparison_table(run.report)
        heads = [*(f"TAR {far}" for far in table["fars"]), "EER", "accuracy", "gain in TAR"]
        self.stdout.write(f"\n{'':<52}" + "".join(f"{head:>26}" for head in heads))
        for row in table["rows"]:
            cells = [f"{c[0]} ({c[1]})" if c else "too few" for c in row["cells"]]
            gain = row["gain"]
            cells.append(f"{gain['value']} ({gain['interval']})" if gain else "-")
            who = f"{row['encoder']}, {row['rule']}"
            self.stdout.write(f"{who:<52}" + "".join(f"{cell:>26}" for cell in cells))
        self.stdout.write(table["foot"])


def _note(run: TrainingRun) -> str:
    if run.stage != Stage.TRAINING or len(run.curve) < 2:
        return ""
    looked = [point["held_out"] for point in run.curve if "held_out" in point]
    parts = [f"loss {run.curve[-1].get('loss', 0):.3f}"]
    if looked:
        parts.append(f"held-out TAR {looked[-1]:.1%}")
    if run.collapsed:
        parts.append("COLLAPSED")
    return ", ".join(parts)
