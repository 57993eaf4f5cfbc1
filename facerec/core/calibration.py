"""Operating points: which threshold gives which error rate.

The distances of genuine pairs (one person, two photos) and impostor pairs (two people) on a
calibration set, kept as quantiles; no face and no encoding can be had back from them. Terms:
ISO/IEC 19795-1. FMR, FNMR: false (non-)match rate of one comparison. FPIR: how often a stranger
is taken for somebody of the gallery. Free of torch and dlib.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.errors import CalibrationInvalid
from facerec.core.types import Encoding
from facerec.core.versions import ALIGNER_VERSION, ENCODER_VERSION

VERIFICATION_FMR = 1e-3
IDENTIFICATION_FPIR = 1e-2

SHIPPED = "operating_points.json"

_RULE_OF_30 = 30  # Doddington 2000: 30 errors seen give the rate to within 30 %, 9 times of 10
_HIGHEST_FMR = 1e-1
_STEPS_PER_DECADE = 16
_GENUINE_LEVELS = np.linspace(0.005, 0.995, 199)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on squared L2 and what to expect of it.

    fmr: of one comparison at this threshold. fpir: of a whole search through the gallery; for
    verification the same as for the person's own templates. fnmr: how often a person is missed.
    supported: False where the wanted rate is lower than the calibration set can vouch for; the
    threshold then stands at the lowest rate that it can, and fmr and fpir are that threshold's.
    """

    threshold: float
    fmr: float
    fpir: float
    fnmr: float
    supported: bool


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """What the operating points were measured on. Pairs of people weigh alike, however many
    photos they have; person_pairs is their number and so the measure of what is supported."""

    name: str
    people: int
    images: int
    genuine_pairs: int
    impostor_pairs: int
    person_pairs: int
    refused: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """Thresholds for one encoder and aligner.

    impostor_fmr, impostor_distance: rising; the share of impostor comparisons at or below the
    distance. genuine_share, genuine_distance: rising; the same of genuine comparisons.
    """

    encoder_version: str
    aligner_version: str
    calibration_set: CalibrationSet
    impostor_fmr: tuple[float, ...]
    impostor_distance: tuple[float, ...]
    genuine_share: tuple[float, ...]
    genuine_distance: tuple[float, ...]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The points in a file, by default the shipped ones.

        Raises CalibrationInvalid where they cannot be read or belong to another version.
        """
        source = path or resources.files("facerec.core").joinpath(SHIPPED)
        try:
            raw = json.loads(source.read_text(encoding="utf-8"))
            points = cls(
                encoder_version=raw["encoder_version"],
                aligner_version=raw["aligner_version"],
                calibration_set=CalibrationSet(**raw["calibration_set"]),
                **{
                    name: tuple(float(number) for number in raw[name])
                    for name in (
                        "impostor_fmr",
                        "impostor_distance",
                        "genuine_share",
                        "genuine_distance",
                    )
                },
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CalibrationInvalid(f"operating points cannot be read: {error!r}") from error
        points._check()
        return points

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def verification_threshold(
        self, fmr: float = VERIFICATION_FMR, *, templates: int = 1
    ) -> OperatingPoint:
        """For one claimed person with this many templates: a stranger passes with probability
        fmr. The nearest template decides, so each single comparison gets a share of it."""
        return self._for_search(fmr, templates)

    def identification_threshold(
        self,
        gallery_size: int,
        fpir: float = IDENTIFICATION_FPIR,
        *,
        highest_fmr: float = VERIFICATION_FMR,
    ) -> OperatingPoint:
        """For a search through gallery_size templates: a stranger is taken for somebody with
        probability fpir = 1 - (1 - FMR)^K, so FMR = 1 - (1 - fpir)^(1/K). With a handful of
        templates that would be laxer than verification; the FMR stays at highest_fmr then, and
        the point's fpir is lower than asked."""
        comparisons = max(1, gallery_size)
        bound = -np.expm1(comparisons * np.log1p(-highest_fmr))
        return self._for_search(min(fpir, float(bound)), comparisons)

    def fmr_at(self, threshold: float) -> float:
        """The false match rate at a threshold, interpolated in its logarithm. Outside what was
        measured it stays at the nearest measured rate."""
        logarithms = np.log(self.impostor_fmr)
        return float(np.exp(np.interp(threshold, self.impostor_distance, logarithms)))

    def fnmr_at(self, threshold: float) -> float:
        """The false non-match rate at a threshold."""
        share = np.interp(threshold, self.genuine_distance, self.genuine_share, left=0.0, right=1.0)
        return float(1 - share)

    def _for_search(self, wanted: float, comparisons: int) -> OperatingPoint:
        if not 0 < wanted < 1:
            raise ValueError(f"an error rate lies between 0 and 1, not {wanted}")
        comparisons = max(1, comparisons)
        fmr = -np.expm1(np.log1p(-wanted) / comparisons)
        lowest, highest = self.impostor_fmr[0], self.impostor_fmr[-1]
        bounded = min(max(fmr, lowest), highest)
        threshold = float(
            np.interp(np.log(bounded), np.log(self.impostor_fmr), self.impostor_distance)
        )
        return OperatingPoint(
            threshold=threshold,
            fmr=float(bounded),
            fpir=float(-np.expm1(comparisons * np.log1p(-bounded))),
            fnmr=self.fnmr_at(threshold),
            supported=bool(fmr >= lowest),
        )

    def _check(self) -> None:
        made_for = self.encoder_version, self.aligner_version
        if made_for != (ENCODER_VERSION, ALIGNER_VERSION):
            raise CalibrationInvalid(
                f"operating points are for {made_for}, not {ENCODER_VERSION}, {ALIGNER_VERSION}"
            )
        for rate, distance in (
            (self.impostor_fmr, self.impostor_distance),
            (self.genuine_share, self.genuine_distance),
        ):
            if len(rate) != len(distance) or len(rate) < 2:
                raise CalibrationInvalid("operating points have no curve")
            if np.any(np.diff(rate) <= 0) or np.any(np.diff(distance) < 0) or not 0 < rate[0] < 1:
                raise CalibrationInvalid("a curve of the operating points does not rise")


def calibrate(
    name: str, encodings: Encoding, people: list[str], refused: dict[str, int] | None = None
) -> OperatingPoints:
    """Operating points from every pair of a labelled set.

    encodings: (N, 128). people: N names. refused: how many further photos each reason kept out.
    The FMR goes down to 30 / pairs of people. Photos of a person with many would count more than
    others', so a pair's weight is one over the number of photo pairs its two people have.
    Raises ValueError where the set is too small to support an FMR of 0.1.
    """
    labels, person, photos = np.unique(people, return_inverse=True, return_counts=True)
    person_pairs = len(labels) * (len(labels) - 1) // 2
    lowest = _RULE_OF_30 / max(person_pairs, 1)
    genuine, impostor = _all_pairs(encodings, person, 1 / photos)
    if lowest > _HIGHEST_FMR or not len(genuine[0]):
        raise ValueError(f"{len(labels)} people are too few to calibrate on")
    steps = int(np.ceil(np.log10(_HIGHEST_FMR / lowest) * _STEPS_PER_DECADE)) + 1
    fmr = np.geomspace(lowest, _HIGHEST_FMR, steps)
    return OperatingPoints(
        encoder_version=ENCODER_VERSION,
        aligner_version=ALIGNER_VERSION,
        calibration_set=CalibrationSet(
            name=name,
            people=len(labels),
            images=len(encodings),
            genuine_pairs=len(genuine[0]),
            impostor_pairs=len(impostor[0]),
            person_pairs=person_pairs,
            refused=dict(refused or {}),
        ),
        impostor_fmr=_numbers(fmr, 9),
        impostor_distance=_numbers(_weighted_quantiles(*impostor, fmr), 5),
        genuine_share=_numbers(_GENUINE_LEVELS, 4),
        genuine_distance=_numbers(_weighted_quantiles(*genuine, _GENUINE_LEVELS), 5),
    )


Weighted = tuple[NDArray[np.float32], NDArray[np.float32]]


def _all_pairs(
    encodings: Encoding, person: NDArray[np.intp], weight: NDArray[np.float64]
) -> tuple[Weighted, Weighted]:
    """(distances, weights) of all genuine and of all impostor pairs."""
    genuine: list[Weighted] = []
    impostor: list[Weighted] = []
    for i in range(len(encodings) - 1):
        difference = encodings[i + 1 :] - encodings[i]
        distance = np.einsum("kd,kd->k", difference, difference)
        weights = (weight[person[i]] * weight[person[i + 1 :]]).astype(np.float32)
        same = person[i + 1 :] == person[i]
        genuine.append((distance[same], weights[same]))
        impostor.append((distance[~same], weights[~same]))
    return _joined(genuine), _joined(impostor)


def _joined(parts: list[Weighted]) -> Weighted:
    empty = np.empty(0, np.float32)
    return (
        np.concatenate([empty, *(distance for distance, _ in parts)]),
        np.concatenate([empty, *(weights for _, weights in parts)]),
    )


def _weighted_quantiles(
    distance: NDArray[np.float32], weights: NDArray[np.float32], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The largest distances at or below which lies at most each level's share of the weight."""
    order = np.argsort(distance)
    share = np.cumsum(weights[order], dtype=np.float64)
    position = np.searchsorted(share / share[-1], levels, side="right") - 1
    return distance[order][np.maximum(position, 0)].astype(np.float64)


def _numbers(values: NDArray[np.float64], digits: int) -> tuple[float, ...]:
    return tuple(round(float(value), digits) for value in values)
