"""The end of a training run: old against new on people held out, and an encoder that waits for a
person to put it in use."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import structlog
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from facerec.core.adapter import IDENTITY, Adapter
from facerec.core.calibration import OperatingPoints, calibrate
from facerec.core.comparison import Candidate, Comparison, compare
from facerec.core.error_rates import LabelledSet
from facerec.core.heads import RuleName, rule_of
from facerec.core.training import Trainer
from facerec.core.training_config import TrainingKind
from facerec.core.versions import ALIGNER_VERSION
from facerec.encoders import active, adapter_of
from facerec.models import EncoderVersion, TrainingRun
from facerec.photosets.encoded import EncodedPhotos
from facerec.runtime import FaceRuntime
from facerec.services.calibration import record_calibration
from webapp.jobs.runner import Run

log = structlog.get_logger(__name__)

MOST_JUDGED = 2000
"""Held-out photos in the report and the thresholds: two million pairs, some seconds a row."""

MOST_OF_ONE = 10
"""Photos of a person that the heads are fitted on: a person's pairs grow with the square."""

Indices = NDArray[np.int64]


class Naming(NamedTuple):
    """An encoder's names: its own, its backbone's, and its adapter's (empty without one)."""

    name: str
    backbone: str
    adapter: str


def judge(
    run: Run[TrainingRun], here: FaceRuntime, photos: EncodedPhotos, trainer: Trainer
) -> None:
    """Compare on people held out, write the report, the encoder's files and row, and thresholds
    for it from these people where they suffice."""
    if run.job.encoders.exists():
        return  # a former run was ended between this and its last line
    people = np.array([str(person) for person in photos.people()])
    taught = few_of_each(trainer.taught, people, MOST_OF_ONE)
    held_out = whole_people(trainer.held_out, people, MOST_JUDGED)
    naming = _naming(run.job, here.pipeline.encoder_version, trainer.config.kind)
    base = photos.encodings()
    parent, adapt = _parent(here.pipeline.encoder_version)
    old = Candidate(parent, adapt(base[taught]), adapt(base[held_out]))
    new = Candidate(naming.name, trainer.encode(taught), trainer.encode(held_out))
    names = list(people[held_out])
    comparison = compare([old, new], list(people[taught]), names)
    report = _report(comparison, trainer, old.name, new.name)
    measured_on = f"people held out of {run.job.source or run.job.name}"
    points = _thresholds(measured_on, comparison, new, names)
    weights = _write(naming, trainer, comparison)
    with transaction.atomic():
        row = EncoderVersion.objects.create(
            name=naming.name,
            backbone=naming.backbone,
            aligner=ALIGNER_VERSION,
            comparison=report,
            parent=parent,
            run=run.job,
            **weights,
        )
        if points and run.job.owner is not None:
            record_calibration(name=measured_on[:120], row=row, points=points, by=run.job.owner)
        run.update(report=report)
    log.info("encoder trained", encoder=row.name, photos=photos.used)


def few_of_each(indices: Indices, people: NDArray[np.str_], most: int) -> Indices:
    """At most so many photos of each person, the first ones."""
    seen: dict[str, int] = {}
    kept = []
    for index in indices:
        name = str(people[index])
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= most:
            kept.append(index)
    return np.array(kept, np.int64)


def whole_people(indices: Indices, people: NDArray[np.str_], most: int) -> Indices:
    """At most so many photos, of whole people; those with a pair and few photos come first, since
    they give most people."""
    if len(indices) <= most:
        return indices
    names, place, counts = np.unique(people[indices], return_inverse=True, return_counts=True)
    order = np.lexsort((np.arange(len(names)), counts, counts < 2))
    taken = order[np.cumsum(counts[order]) <= most]
    return indices[np.isin(place, taken)]


def _parent(backbone: str) -> tuple[str, Adapter]:
    """What is in use, to be compared with; the bare backbone where another was promoted while
    this run encoded its photos."""
    now = active()
    return (now.name, adapter_of(now)) if now.backbone == backbone else (backbone, IDENTITY)


def _naming(job: TrainingRun, backbone: str, kind: TrainingKind) -> Naming:
    """The first number that is free after the run's name."""
    number = 1
    while EncoderVersion.objects.filter(name__endswith=f"+{job.name}-{number}").exists() or (
        EncoderVersion.objects.filter(name=f"{job.name}-{number}-net").exists()
    ):
        number += 1
    if kind == TrainingKind.LAST_BLOCKS:
        name = f"{job.name}-{number}-net"
        return Naming(name, name, "")
    adapter = f"{job.name}-{number}"
    return Naming(f"{backbone}+{adapter}", backbone, adapter)


def _write(naming: Naming, trainer: Trainer, comparison: Comparison) -> dict[str, Any]:
    """The encoder's files; gives back the fields that name them."""
    folder = Path(settings.ENCODERS_DIR)
    stem = naming.adapter or naming.name
    fields: dict[str, Any] = {"heads": {}}
    file = f"{stem}.safetensors"
    if naming.adapter:
        sha256 = trainer.adapter(naming.adapter).save(folder / file)
        fields |= {"weights": file, "sha256": sha256}
    else:
        sha256 = trainer.blocks(naming.backbone).save(folder / file)
        fields |= {"net": file, "net_sha256": sha256}
        file = f"{stem}-adapter.safetensors"  # the one that the blocks were trained through
        sha256 = trainer.through(naming.backbone).save(folder / file)
        fields |= {"weights": file, "sha256": sha256}
    for (encoder, rule), head in comparison.heads.items():
        if encoder == naming.name:
            file = f"{stem}-{rule.value}.safetensors"
            fields["heads"][rule.value] = {"weights": file, "sha256": head.save(folder / file)}
    return fields


def _report(comparison: Comparison, trainer: Trainer, old: str, new: str) -> dict[str, Any]:
    report = {
        **comparison.as_dict(),
        "old": old,
        "new": new,
        "best_step": trainer.best_step,
        "steps": trainer.config.steps,
    }
    return {name: _without_nan(value) for name, value in report.items()}


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what could not be measured is null."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _thresholds(
    name: str, comparison: Comparison, new: Candidate, people: list[str]
) -> dict[str, OperatingPoints]:
    """By rule; empty where the people held out are too few."""
    points = {}
    for rule in RuleName:
        dissimilarity = rule_of(rule, comparison.heads.get((new.name, rule)))
        labelled = LabelledSet.of(new.held_out, people, dissimilarity=dissimilarity)
        try:
            points[rule.value] = calibrate(
                name, labelled, encoder_version=new.name, decision_rule=rule.value
            )
        except ValueError as error:
            log.info("not calibrated", reason=str(error))
            return {}
    return points
