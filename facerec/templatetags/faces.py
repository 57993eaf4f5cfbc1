"""What the templates of faces show of stored measurements."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from django import template

from facerec.core.quality import MEASURES, Use, overall
from facerec.core.types import Quality

register = template.Library()

LABELS = {
    "size": "Size",
    "sharpness": "Sharpness",
    "light": "Light",
    "highlights": "Glare",
    "contrast": "Contrast",
    "pose": "Pose",
    "visibility": "Visibility",
}


@dataclass(frozen=True)
class Meter:
    """One measure of a face as a bar: score in [0, 1], and the same as a word."""

    name: str
    score: float
    word: str
    advice: str  # a sentence, where an enrolled face would be refused for it


@register.inclusion_tag("facerec/_quality.html")
def quality_meters(stored: dict[str, Any]) -> dict[str, Any]:
    """The quality of a face as it was stored; an old template may lack some measures."""
    known = {field.name: stored[field.name] for field in fields(Quality) if field.name in stored}
    required = {"face_width", "eye_distance", "sharpness", "brightness", "contrast"}
    if not required <= known.keys():
        return {"meters": []}
    quality = Quality(**known)
    meters = [
        Meter(
            LABELS[m.name],
            m.score(quality),
            _word(m.score(quality)),
            "" if m.passes(quality, Use.ENROLMENT) else m.reason.sentence,
        )
        for m in MEASURES
    ]
    weakest = min(meters, key=lambda meter: meter.score)
    total = overall(quality)
    return {
        "meters": meters,
        "overall": total,
        "word": _word(total),
        "held_back": weakest.name.lower() if total < 0.66 else "",
    }


def _word(score: float) -> str:
    return "good" if score >= 0.66 else "fair" if score >= 0.33 else "poor"
