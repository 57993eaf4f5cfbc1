"""Verification (1:1) and identification (1:N): distances become decisions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facerec.core.distance import pairwise_squared_distance, squared_distance
from facerec.core.types import (
    Encoding,
    IdentificationDecision,
    Outcome,
    Reason,
    VerificationDecision,
)


def verify(probe: Encoding, templates: Encoding, threshold: float) -> VerificationDecision:
    """Is the probe the person of these templates? MATCH where d <= threshold.

    probe: (128,). templates: (M, 128), all of one person; d is the distance to the nearest, as
    one good likeness suffices. M = 0 cannot be decided: NOT_ENROLLED.
    """
    if not len(templates):
        return VerificationDecision(Outcome.CANNOT_DECIDE, None, threshold, Reason.NOT_ENROLLED)
    distance = float(squared_distance(templates, probe).min())
    outcome = Outcome.MATCH if distance <= threshold else Outcome.NO_MATCH
    return VerificationDecision(outcome, distance, threshold)


def identify(
    probes: Encoding,
    gallery: Encoding,
    subject_index: NDArray[np.integer] | Sequence[int],
    threshold: float,
    refusals: Sequence[Reason | None] | None = None,
) -> list[IdentificationDecision]:
    """Who is each probe? The nearest template's subject, if it lies within the threshold.

    probes: (P, 128). gallery: (K, 128), one row a template. subject_index: (K,), whose template
    each row is, handed back as `index`. refusals: P reasons, where a probe's `EncodedFace` has
    one: such a probe is not compared. Every template is compared; K = 0 gives EMPTY_GALLERY.
    """
    refusals = refusals or [None] * len(probes)
    if not len(gallery):
        refusals = [refusal or Reason.EMPTY_GALLERY for refusal in refusals]
    fit = [position for position, refusal in enumerate(refusals) if refusal is None]
    distances = pairwise_squared_distance(probes[fit], gallery) if fit else np.empty((0, 0))
    decided = {
        position: _nearest(row, subject_index, threshold)
        for position, row in zip(fit, distances, strict=True)
    }
    return [
        IdentificationDecision(Outcome.CANNOT_DECIDE, None, None, threshold, refusal)
        if refusal is not None
        else decided[position]
        for position, refusal in enumerate(refusals)
    ]


def _nearest(
    distances: NDArray[np.float32],
    subject_index: NDArray[np.integer] | Sequence[int],
    threshold: float,
) -> IdentificationDecision:
    nearest = int(distances.argmin())
    distance = float(distances[nearest])
    if distance <= threshold:
        index = int(subject_index[nearest])
        return IdentificationDecision(Outcome.MATCH, index, distance, threshold)
    return IdentificationDecision(Outcome.NOT_RECOGNIZED, None, distance, threshold)
