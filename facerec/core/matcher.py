"""Verification (1:1) and identification (1:N): distances become decisions."""

from __future__ import annotations

from collections.abc import Sequence

from facerec.core.distance import squared_distance
from facerec.core.error_rates import Dissimilarity
from facerec.core.gallery import Searchable
from facerec.core.types import (
    Encoding,
    IdentificationDecision,
    Neighbour,
    Outcome,
    Reason,
    VerificationDecision,
)

MARGIN_SHARE = 0.1
"""Of the threshold: where two people lie within it and differ by less, they are too close to tell
apart. A share, since the distances of different encoders have different scales."""


def verify(
    probe: Encoding,
    templates: Encoding,
    threshold: float,
    rule: Dissimilarity = squared_distance,
) -> VerificationDecision:
    """Is the probe the person of these templates? MATCH where d <= threshold.

    probe: (128,). templates: (M, 128), all of one person; d is the distance to the nearest, as
    one good likeness suffices. M = 0 cannot be decided: NOT_ENROLLED. rule: what stands for d,
    with a threshold of its own.
    """
    if not len(templates):
        return VerificationDecision(Outcome.CANNOT_DECIDE, None, threshold, Reason.NOT_ENROLLED)
    distance = float(rule(probe, templates).min())
    outcome = Outcome.MATCH if distance <= threshold else Outcome.NO_MATCH
    return VerificationDecision(outcome, distance, threshold)


def identify(
    probes: Encoding,
    gallery: Searchable,
    threshold: float,
    *,
    minimum_margin: float = 0.0,
    refusals: Sequence[Reason | None] | None = None,
) -> list[IdentificationDecision]:
    """Who is each probe? The nearest template's subject, if it lies within the threshold.

    probes: (P, 128). minimum_margin: squared L2; where the nearest other subject lies within the
    threshold too and is farther by less than this, it is TOO_CLOSE to decide. refusals: P
    reasons, where a probe's `EncodedFace` has one: such a probe is not compared. An empty
    gallery gives EMPTY_GALLERY.
    """
    refusals = refusals or [None] * len(probes)
    if not len(gallery):
        refusals = [refusal or Reason.EMPTY_GALLERY for refusal in refusals]
    fit = [position for position, refusal in enumerate(refusals) if refusal is None]
    found = dict(zip(fit, gallery.search(probes[fit], k=2), strict=True)) if fit else {}
    return [
        IdentificationDecision(Outcome.CANNOT_DECIDE, threshold, refusal)
        if refusal is not None
        else decide(found[position], threshold, minimum_margin)
        for position, refusal in enumerate(refusals)
    ]


def decide(
    neighbours: Sequence[Neighbour], threshold: float, minimum_margin: float = 0.0
) -> IdentificationDecision:
    """The decision that the nearest subjects of a gallery make, nearest first."""
    if not neighbours:
        return IdentificationDecision(Outcome.CANNOT_DECIDE, threshold, Reason.EMPTY_GALLERY)
    nearest, runner_up = neighbours[0], neighbours[1] if len(neighbours) > 1 else None
    if not nearest.distance <= threshold:
        outcome, reason = Outcome.NOT_RECOGNIZED, None
    elif (
        runner_up is not None
        and runner_up.distance <= threshold
        and runner_up.distance - nearest.distance < minimum_margin
    ):
        outcome, reason = Outcome.CANNOT_DECIDE, Reason.TOO_CLOSE
    else:
        outcome, reason = Outcome.MATCH, None
    return IdentificationDecision(outcome, threshold, reason, nearest, runner_up)
