"""Operating points: which threshold gives which error rate, for one encoder and decision rule.

A labelled set is measured once (`calibrate`); what remains are error rates at thresholds, from
which no face and no encoding can be had back. Terms: ISO/IEC 19795-1. FMR, FNMR: false (non-)match
rate of one comparison. FPIR: how often a stranger is taken for somebody of the gallery. Free of
torch and dlib.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib import resources
from math import ceil, expm1, isqrt, log1p
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.error_rates import LabelledSet, error_rates, thresholds_at
from facerec.core.errors import CalibrationInvalid
from facerec.core.versions import ALIGNER_VERSION, ENCODER_VERSION

VERIFICATION_FMR = 1e-3
IDENTIFICATION_FPIR = 1e-2
DISTANCE = "distance"

SHIPPED = "operating_points.json"

RULE_OF_THREE = 3  # none seen in n trials: the rate is below 3/n (95 %). Hanley 1983
RULE_OF_30 = 30  # 30 errors seen give the rate to within 30 %, 9 times of 10. Doddington 2000
_HIGHEST_FMR = 1e-1
_STEPS_PER_DECADE = 16


class Interval(NamedTuple):
    """95 %, see `error_rates`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on the dissimilarity (for plain d: squared L2) and what to expect of it.

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
    fpir_interval: Interval
    fnmr_interval: Interval


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """What the operating points were measured on. Pairs of people weigh alike, however many
    photos they have; person_pairs is their number and so the measure of what is supported.
    genuine_people: with two photos or more, from whom the FNMR comes."""

    name: str
    people: int
    genuine_people: int
    images: int
    genuine_pairs: int
    impostor_pairs: int
    person_pairs: int
    refused: dict[str, int] = field(default_factory=dict)


class Shortfall(NamedTuple):
    """What a set lacks to vouch for a false match rate."""

    fmr: float
    pairs: int  # of people, needed in all
    more_pairs: int
    people: int  # needed in all
    more_people: int


CURVES = ("threshold", "fmr", "fmr_low", "fmr_high", "fnmr", "fnmr_low", "fnmr_high")


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """Thresholds for one encoder, aligner and decision rule.

    threshold: (T,), not falling; fmr: rising, the share of impostor comparisons that are at most
    accepted there; fnmr: the share of genuine ones that are not, not rising. _low, _high: 95 %.
    """

    encoder_version: str
    aligner_version: str
    calibration_set: CalibrationSet
    threshold: tuple[float, ...]
    fmr: tuple[float, ...]
    fmr_low: tuple[float, ...]
    fmr_high: tuple[float, ...]
    fnmr: tuple[float, ...]
    fnmr_low: tuple[float, ...]
    fnmr_high: tuple[float, ...]
    decision_rule: str = DISTANCE

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The points in a file, by default the shipped ones. Raises CalibrationInvalid."""
        source = path or resources.files("facerec.core").joinpath(SHIPPED)
        try:
            raw = json.loads(source.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CalibrationInvalid(f"operating points cannot be read: {error!r}") from error
        return cls.from_dict(raw)

    @classmethod
    def from_dict(cls, raw: Any) -> Self:
        """What `as_dict` gave. Raises CalibrationInvalid where it is not that."""
        try:
            points = cls(
                encoder_version=raw["encoder_version"],
                aligner_version=raw["aligner_version"],
                decision_rule=raw["decision_rule"],
                calibration_set=CalibrationSet(**raw["calibration_set"]),
                **{name: tuple(float(number) for number in raw[name]) for name in CURVES},
            )
        except (ValueError, KeyError, TypeError) as error:
            raise CalibrationInvalid(f"operating points cannot be read: {error!r}") from error
        points._check()
        return points

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")

    def fits(self, encoder: str, aligner: str = ALIGNER_VERSION, rule: str = DISTANCE) -> bool:
        """Whether they hold for this encoder: a threshold of another one means nothing."""
        mine = self.encoder_version, self.aligner_version, self.decision_rule
        return mine == (encoder, aligner, rule)

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
        bound = _of_any(highest_fmr, comparisons)
        return self._for_search(min(fpir, bound), comparisons)

    def fmr_at(self, threshold: float) -> float:
        """The false match rate at a threshold, interpolated in its logarithm. Outside what was
        measured it stays at the nearest measured rate."""
        return float(np.exp(np.interp(threshold, self.threshold, np.log(self.fmr))))

    def fnmr_at(self, threshold: float) -> float:
        """The false non-match rate at a threshold; outside what was measured, the nearest."""
        return float(np.interp(threshold, self.threshold, self.fnmr))

    @property
    def lowest_fmr(self) -> float:
        """The lowest that the set can vouch for: three over its pairs of people."""
        return self.fmr[0]

    def shortfall(self, fmr: float) -> Shortfall | None:
        """What the set lacks to vouch for this FMR by the rule of three; None if nothing."""
        these, pairs, people = self.calibration_set, pairs_needed(fmr), people_needed(fmr)
        if pairs <= these.person_pairs:
            return None
        return Shortfall(
            fmr, pairs, pairs - these.person_pairs, people, max(1, people - these.people)
        )

    def _for_search(self, wanted: float, comparisons: int) -> OperatingPoint:
        if not 0 < wanted < 1:
            raise ValueError(f"an error rate lies between 0 and 1, not {wanted}")
        comparisons = max(1, comparisons)
        fmr = of_each(wanted, comparisons)
        lowest, highest = self.fmr[0], self.fmr[-1]
        bounded = min(max(fmr, lowest), highest)
        threshold, low, high, fnmr, fnmr_low, fnmr_high = (
            float(np.interp(np.log(bounded), np.log(self.fmr), curve))
            for curve in (
                self.threshold, self.fmr_low, self.fmr_high,
                self.fnmr, self.fnmr_low, self.fnmr_high,
            )
        )  # fmt: skip
        return OperatingPoint(
            threshold=threshold,
            fmr=float(bounded),
            fpir=_of_any(bounded, comparisons),
            fnmr=fnmr,
            supported=self.shortfall(fmr) is None,
            fpir_interval=Interval(_of_any(low, comparisons), _of_any(high, comparisons)),
            fnmr_interval=Interval(fnmr_low, fnmr_high),
        )

    def _check(self) -> None:
        if len({len(getattr(self, name)) for name in CURVES}) != 1 or len(self.fmr) < 2:
            raise CalibrationInvalid("operating points have no curve")
        rising = np.all(np.diff(self.fmr) > 0) and np.all(np.diff(self.threshold) >= 0)
        if not rising or not 0 < self.fmr[0] < 1 or np.any(np.diff(self.fnmr) > 0):
            raise CalibrationInvalid("a curve of the operating points does not rise")


def of_each(wanted: float, comparisons: int) -> float:
    """The error rate of each of so many comparisons, if any of them errs as often as wanted."""
    return float(-expm1(log1p(-wanted) / max(1, comparisons)))


def _of_any(fmr: float, comparisons: int) -> float:
    return float(-expm1(comparisons * log1p(-fmr)))


def pairs_needed(fmr: float) -> int:
    """How many pairs of people vouch for an FMR, by the rule of three: 3 / FMR."""
    return ceil(RULE_OF_THREE / fmr * (1 - 1e-9))


def people_needed(fmr: float) -> int:
    """The fewest people who make that many pairs: P (P - 1) / 2."""
    pairs = pairs_needed(fmr)
    people = (1 + isqrt(8 * pairs + 1)) // 2
    return people if people * (people - 1) // 2 >= pairs else people + 1


def calibrate(
    name: str,
    labelled: LabelledSet,
    refused: dict[str, int] | None = None,
    *,
    encoder_version: str = ENCODER_VERSION,
    aligner_version: str = ALIGNER_VERSION,
    decision_rule: str = DISTANCE,
) -> OperatingPoints:
    """Operating points from every pair of a labelled set, whose encodings are that encoder's (its
    adapter applied) and whose dissimilarity is that rule's.

    refused: how many further photos each reason kept out. The FMR goes down to 3 / pairs of
    people. Raises ValueError where the set is too small to support an FMR of 0.1, or where nobody
    has two photos.
    """
    lowest = RULE_OF_THREE / max(labelled.person_pairs, 1)
    if lowest > _HIGHEST_FMR or not labelled.genuine_people:
        raise ValueError(f"{len(labelled.names)} people are too few to calibrate on")
    steps = int(np.ceil(np.log10(_HIGHEST_FMR / lowest) * _STEPS_PER_DECADE)) + 2
    levels = np.geomspace(lowest, _HIGHEST_FMR, steps)
    thresholds = thresholds_at(labelled, levels)
    fmr, fnmr = error_rates(labelled, thresholds)
    return OperatingPoints(
        encoder_version=encoder_version,
        aligner_version=aligner_version,
        decision_rule=decision_rule,
        calibration_set=CalibrationSet(
            name=name,
            people=len(labelled.names),
            genuine_people=labelled.genuine_people,
            images=len(labelled.person),
            genuine_pairs=labelled.genuine_pairs,
            impostor_pairs=labelled.impostor_pairs,
            person_pairs=labelled.person_pairs,
            refused=dict(refused or {}),
        ),
        threshold=numbers(thresholds),
        # The level, not the rate that was counted: at most a step above it, and it always rises.
        fmr=numbers(levels, digits=12),
        fmr_low=numbers(np.minimum(fmr.low, levels)),
        fmr_high=numbers(np.maximum(fmr.high, levels)),
        fnmr=numbers(fnmr.rate),
        fnmr_low=numbers(fnmr.low),
        fnmr_high=numbers(fnmr.high),
    )


def numbers(values: NDArray[np.float64] | Sequence[float], digits: int = 6) -> tuple[float, ...]:
    """As they are stored: six significant digits are more than was measured."""
    return tuple(float(f"{value:.{digits}g}") for value in values)
