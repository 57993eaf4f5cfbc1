"""Every number that the judge decides by, with a name, a unit and a sentence."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any, Self


def _limit(value: float, unit: str, sentence: str) -> Any:
    return field(default=value, metadata={"unit": unit, "sentence": sentence})


@dataclass(frozen=True, slots=True)
class Limits:
    """Lengths on a face are in eye distances: pixels over those between the two eyes' centres."""

    # a face to begin with
    eyes_least: float = _limit(30, "px", "Eyes nearer to each other than this: come closer.")
    eyes_most: float = _limit(92, "px", "Eyes farther apart: go back, there is more to come.")
    frontal: float = _limit(14, "degrees", "A face from the front is turned by less.")
    upright: float = _limit(24, "degrees", "It nods and leans by less; noses differ in length.")
    still_seconds: float = _limit(0.4, "s", "For so long a face must be still to be found.")
    still_growth: float = _limit(0.12, "share", "It comes closer or goes away by less.")
    still_shift: float = _limit(0.18, "eye distances", "A still face moves by less.")
    find_seconds: float = _limit(8, "s", "Within this a still face must have been found.")
    # movements
    turn: float = _limit(15, "degrees", "A turn aside that was clearly done.")
    up: float = _limit(10, "degrees", "A look up that was clearly done.")
    down: float = _limit(10, "degrees", "A look down that was clearly done.")
    closer: float = _limit(1.2, "times", "So much larger a face that came closer is.")
    back: float = _limit(0.4, "share", "A face that came back has less left of any movement.")
    settled: float = _limit(0.75, "share", "Who rests nearer than this has found a new neutral.")
    settle_seconds: float = _limit(1.5, "s", "After so long without coming all the way back.")
    moved: float = _limit(0.6, "share", "More than this in a hold is a movement that came early.")
    wrong: float = _limit(1.0, "share", "Another movement than the asked one, clearly done.")
    slips: float = _limit(1, "times", "A wrong movement that was corrected, in a session.")
    early: float = _limit(2, "times", "A hold may start anew so often.")
    reaction_seconds: float = _limit(0.15, "s", "Nobody reacts faster.")
    move_seconds: float = _limit(5, "s", "Within this the movement must be done.")
    return_seconds: float = _limit(5, "s", "Within this the face must be back.")
    # one unbroken picture
    points_least: float = _limit(24, "points", "Fewer points in the face tell nothing.")
    survivors: float = _limit(0.45, "share", "Of the points, from a frame to the next.")
    jump: float = _limit(0.6, "eye distances", "Between the landmarks and where they were tracked.")
    speed: float = _limit(220, "degrees per second", "Heads that are asked to turn do it slower.")
    misfit: float = _limit(0.15, "eye distances", "Of the points from a head's, on average.")
    gap_seconds: float = _limit(0.7, "s", "Between frames; points cannot be followed for longer.")
    lost_seconds: float = _limit(2, "s", "A turned face need not be found while it is followed.")
    retries: float = _limit(2, "times", "So often a broken track may start anew.")
    blurred: float = _limit(0.5, "share", "Less of its sharpness left explains a broken track.")
    # three dimensions
    relief_least: float = _limit(
        0.55, "share", "Of a usual head's depth that the turns show, taken together."
    )
    relief_each: float = _limit(0.2, "share", "The same of each turn for itself.")
    shape_least: float = _limit(
        0.4, "cosine", "Between what the turns leave and what a usual head's would."
    )
    parallax_least: float = _limit(
        0.012, "eye distances", "What the best homography leaves unexplained, taken together."
    )
    depth_from: float = _limit(0.7, "share", "Of the movement, from which residuals are taken.")
    # one person
    same_frontal: float = _limit(0.12, "squared L2", "From the session's first frames, frontal.")
    same_turned: float = _limit(0.25, "squared L2", "The same while turned.")
    # times
    ahead_seconds: float = _limit(0.3, "s", "By which a picture may be younger than it claims.")
    lag_seconds: float = _limit(2, "s", "By which it may come late.")
    frames_least: float = _limit(5, "frames per second", "While moving.")
    # cues and nets that decide only where they are told to
    passive_most: float = _limit(0.5, "score", "Of the passive cues; more is a screen or a print.")
    network_least: float = _limit(0.5, "share", "Of a network's certainty; less is no person.")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Those of a JSON file, {"limits": {name: value}}; what it does not name stays. The rest of
        the file says how they were chosen.

        Raises ValueError for a name that there is not, or a value that is no finite number.
        """
        told = json.loads(path.read_text(encoding="utf-8"))
        values = told.get("limits", {}) if isinstance(told, dict) else None
        if not isinstance(values, dict):
            raise ValueError(f"{path.name} names no limits")
        names = {f.name for f in fields(cls)}
        for name, value in values.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if name not in names or not number or not isfinite(value):
                raise ValueError(f"{path.name}: {name} = {value!r} is no limit")
        return cls(**values)

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def sentences() -> dict[str, tuple[str, str]]:
    """Each limit's unit and sentence."""
    return {f.name: (f.metadata["unit"], f.metadata["sentence"]) for f in fields(Limits)}


SHIPPED = Limits.load(Path(__file__).with_name("limits.json"))
