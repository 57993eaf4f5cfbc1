"""The encoder in use: which backbone, which adapter over it, and by what rule it verifies.

Free of torch, so that the web process can ask; every question goes to the database, so that what
an administrator puts in use holds for the very next photo, in whichever process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp
from pathlib import Path

from django.conf import settings

from facerec.core import adapter as adapters
from facerec.core.adapter import IDENTITY, Adapter
from facerec.core.distance import squared_distance
from facerec.core.error_rates import Dissimilarity
from facerec.core.errors import EncoderUnusable
from facerec.core.heads import Head
from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION, ENCODER_VERSION
from facerec.models import EncoderVersion, FacePolicy

DISTANCE = "distance"


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights and what it must hash to."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class ActiveEncoder:
    """An encoder as it is to be run.

    name: what thresholds and decisions hold for. backbone: what `FaceTemplate.encoder_version`
    must be for a template to be comparable. net: the backbone's own weights, where it was
    fine-tuned here. adapter: over its numbers, where there is one. decision_rule, head: how
    verification decides. pk: the row's, None for the shipped one.
    """

    name: str
    backbone: str
    aligner: str
    net: Weights | None = None
    adapter: Weights | None = None
    decision_rule: str = DISTANCE
    head: Weights | None = None
    pk: int | None = None


SHIPPED = ActiveEncoder(ENCODER_VERSION, BACKBONE_VERSION, ALIGNER_VERSION)


def active() -> ActiveEncoder:
    """The encoder that the policy names, else the shipped one. One query."""
    policy = FacePolicy.objects.filter(pk=1).select_related("encoder").first()
    return as_active(policy.encoder if policy else None)


def as_active(row: EncoderVersion | None) -> ActiveEncoder:
    """A row as an encoder to run; None is the shipped one."""
    if row is None:
        return SHIPPED
    head = row.heads.get(row.decision_rule)
    return ActiveEncoder(
        name=row.name,
        backbone=row.backbone,
        aligner=row.aligner,
        net=_weights(row.net, row.net_sha256),
        adapter=_weights(row.weights, row.sha256),
        decision_rule=row.decision_rule,
        head=_weights(head["weights"], head["sha256"]) if head else None,
        pk=row.pk,
    )


def _weights(name: str, sha256: str) -> Weights | None:
    return Weights(Path(settings.ENCODERS_DIR) / name, sha256) if name else None


def adapter_of(encoder: ActiveEncoder) -> Adapter:
    """What stored encodings and probes pass through before they are compared; read once.

    Raises WeightsNotFound, WeightsCorrupt, EncoderUnusable.
    """
    if encoder.pk is None:
        return adapters.shipped()
    check_usable(encoder)
    if encoder.adapter is None:
        return IDENTITY
    adapter = _load(encoder.adapter)
    if adapter.backbone != encoder.backbone:
        raise EncoderUnusable(f"{encoder.name}: its adapter is for {adapter.backbone}")
    return adapter


def rule_of(encoder: ActiveEncoder) -> Dissimilarity:
    """What verification compares adapted encodings by: plain d, or the encoder's head.

    Raises WeightsNotFound, WeightsCorrupt, EncoderUnusable.
    """
    if encoder.decision_rule == DISTANCE:
        return squared_distance
    if encoder.head is None:
        raise EncoderUnusable(f"{encoder.name} has no head for {encoder.decision_rule}")
    head = _load_head(encoder.head)
    if head.rule != encoder.decision_rule:
        raise EncoderUnusable(f"{encoder.name}: its head is for {head.rule}")
    return head


def shown(dissimilarity: float, rule: str) -> float:
    """A dissimilarity, or its threshold, as people and the log get it: d as it is; a head's
    negative log-odds as 1 - y in [0, 1], the chance that these are two people."""
    if rule == DISTANCE:
        return dissimilarity
    return 1 / (1 + exp(-min(max(dissimilarity, -700.0), 700.0)))


def check_usable(encoder: ActiveEncoder) -> None:
    """Raises EncoderUnusable where this release has neither its backbone nor its aligner."""
    has_backbone = encoder.net is not None or encoder.backbone == BACKBONE_VERSION
    if not has_backbone or encoder.aligner != ALIGNER_VERSION:
        raise EncoderUnusable(
            f"{encoder.name} was made for {encoder.backbone} and {encoder.aligner}; "
            f"this release has {BACKBONE_VERSION} and {ALIGNER_VERSION}"
        )


@lru_cache(maxsize=8)
def _load_head(weights: Weights) -> Head:
    return Head.load(weights.path, weights.sha256)


@lru_cache(maxsize=8)
def _load(weights: Weights) -> Adapter:
    return Adapter.load(weights.path, weights.sha256)
