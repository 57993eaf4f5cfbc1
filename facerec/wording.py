"""Outcomes and error rates in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

from facerec.core.calibration import OperatingPoint
from facerec.core.cohorts import Spread
from facerec.core.liveness.types import Ground
from facerec.core.types import Outcome, Reason
from facerec.models import Attempt, AttemptFace, Liveness, LivenessSession, LivenessState, Mode
from facerec.thresholds import calibration_set, in_use
from webapp.errors import UserFacingError

RULER_END = 1.65  # times the distance within which one stranger in ten lies


@dataclass(frozen=True)
class Verdict:
    """How an outcome is shown: the stamp's kind and words, a sentence, what may help."""

    stamp: str
    title: str
    sentence: str
    hint: str = ""


def one_in(rate: float) -> str:
    """0.001 -> `one in 1,000`."""
    if rate <= 0:
        return "none"
    return f"one in {_rounded(1 / rate):,}"


def interval_in(low: float, high: float) -> str:
    """An interval of rates: (0.0008, 0.0013) -> `one in 770 to 1,200`."""
    if low <= 0:
        return f"at most {one_in(high)}"
    return f"{one_in(high)} to {_rounded(1 / low):,}"


def of_hundred(share: float) -> str:
    """0.073 -> `7 in 100`; below one per cent, of a thousand."""
    if share < 0.0095:
        return f"{max(1, round(share * 1000))} in 1,000"
    return f"{round(share * 100)} in 100"


def percent(share: float) -> str:
    """0.0623 -> `6.2 %`, 0.00012 -> `0.012 %`."""
    value = 100 * share
    if value == 0:
        return "0 %"
    digits = max(0, 1 - floor(log10(abs(value))))
    return f"{round(value, digits):.{digits}f} %"


def _rounded(value: float) -> int:
    """Two significant figures: more would claim what was never measured."""
    digits = len(str(int(value))) - 2
    return round(value) if digits <= 0 else round(round(value), -digits)


def meaning_of_verification(fmr: float, fnmr: float) -> str:
    return (
        f"At this threshold {one_in(fmr)} strangers would pass for the person they claim to be, "
        f"and {of_hundred(fnmr)} of the right people are turned away and try again."
    )


def meaning_of_identification(fpir: float, fnmr: float, gallery_size: int) -> str:
    of = "one enrolled face" if gallery_size == 1 else f"{gallery_size:,} enrolled faces"
    return (
        f"Among {of}, {one_in(fpir)} strangers would be taken for somebody, and {of_hundred(fnmr)} "
        "of the enrolled people are not recognized. The more are enrolled, the stricter the "
        "threshold becomes."
    )


def measured_on() -> str:
    """Where the error rates come from."""
    these = calibration_set()
    return (
        f"Measured on {these.images:,} photos of {these.people:,} people ({these.name}); your "
        "cameras may do better or worse."
    )


_RULES = {
    "distance": "the distance d",
    "absolute": "a head over |f(x₁) − f(x₂)|",
    "chi2": "a head over χ²",
}


def rule(name: str) -> str:
    """What a decision rule compares."""
    return _RULES.get(name, name)


def spread(spread: Spread) -> str:
    """How much worse the worst cohort fares than the best."""
    if spread.ratio == float("inf"):
        return f"{spread.worst} worst, none seen for {spread.best}"
    return f"{spread.ratio:.1f} : 1, {spread.worst} worst, {spread.best} best"


def refused(counts: dict[str, int]) -> str:
    """How many photos of a set were not used, and why: `13 too blurred, 54 no face`."""
    return ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in counts.items())


def expectation(mode: Mode, point: OperatingPoint, gallery_size: int) -> str:
    """What an operating point means, before anything was asked."""
    if mode == Mode.VERIFICATION:
        return meaning_of_verification(point.fpir, point.fnmr)
    return meaning_of_identification(point.fpir, point.fnmr, gallery_size)


def meaning(attempt: Attempt) -> str:
    """What the threshold of an answered attempt means; empty where none was used."""
    point = attempt.operating_point
    if not point or attempt.distance is None:
        return ""
    if attempt.mode == Mode.VERIFICATION:
        return meaning_of_verification(point["fpir"], point["fnmr"])
    return meaning_of_identification(point["fpir"], point["fnmr"], attempt.gallery_size or 0)


def verdict(attempt: Attempt) -> Verdict:
    """A verification's answer."""
    who = attempt.subject.name if attempt.subject else "the person they claimed to be"
    if attempt.outcome == Outcome.MATCH:
        return Verdict("match", f"It is {who}", _closeness(attempt.distance, attempt.threshold))
    if attempt.outcome == Outcome.NO_MATCH:
        hint = "Another photo, from the front and in good light, may tell more."
        return Verdict(
            "no", f"It is not {who}", _closeness(attempt.distance, attempt.threshold), hint
        )
    return Verdict("unsure", "Cannot decide", attempt.sentence)


def verdict_on_face(face: AttemptFace, threshold: float | None) -> Verdict:
    """The answer for one face of an identification."""
    if face.outcome == Outcome.MATCH:
        who = face.subject.name if face.subject else "Somebody who was deleted since"
        return Verdict("match", who, _closeness(face.distance, threshold))
    if face.outcome == Outcome.NOT_RECOGNIZED:
        return Verdict("no", "Not recognized", _closeness(face.distance, threshold))
    return Verdict("unsure", "Cannot decide", face.sentence)


def runner_up(face: AttemptFace, *, by_name: bool) -> str:
    """Who came next and by how much; empty where nobody did or nobody was recognized.

    by_name: whoever reads this may see who is enrolled.
    """
    if face.margin is None:
        return ""
    names = [str(person) for person in (face.subject, face.runner_up) if person is not None]
    if face.outcome == Outcome.MATCH:
        who = str(face.runner_up) if by_name and face.runner_up else "another person"
        return f"Next nearest: {who}, {face.margin:.3f} farther."
    if face.reason == Reason.TOO_CLOSE:
        who = " and ".join(names) if by_name and len(names) == 2 else "The two people"
        return f"{who} differ by {face.margin:.3f} in their distance to this face."
    return ""


def live_check(attempt: Attempt) -> str:
    """What was known of the person's being there; empty where it was not asked for."""
    if attempt.liveness == Liveness.VOUCHED:
        return f"No live check: {attempt.operator} vouched for the person ({attempt.vouched})"
    return {
        Liveness.PASSED: "Live check passed",
        Liveness.FAILED: "Live check not passed",
        Liveness.MISSING: "Live check required, but not done",
    }.get(Liveness(attempt.liveness), "")


_LIGHT = "Face a window or a lamp, without a light behind you, and clean the lens."
_INCONCLUSIVE = {
    Ground.NO_FACE: "Hold the camera so that your whole face is in the oval, and stay in it.",
    Ground.SEVERAL_FACES: "Only one person may be in the picture.",
    Ground.POOR_PICTURE: _LIGHT,
    Ground.TOO_LITTLE_MOTION: "Make each movement a little larger, without haste.",
    Ground.TOO_FEW_FRAMES: "Too few pictures arrived: close other programs, or come nearer to "
    "the wireless network.",
}


def live_check_result(session: LivenessSession) -> Verdict:
    """What a person is told of their live check. Why it failed is not said, as it would teach how
    to pass; why it could not be judged is, since that helps them alone."""
    if session.state == LivenessState.PASSED:
        return Verdict("match", "Live check passed", "")
    if session.state == LivenessState.FAILED:
        return Verdict(
            "no",
            "Live check not passed",
            "Do what is asked when it is asked, and look straight into the camera in between. "
            + _LIGHT,
        )
    if "problem" in session.scores:
        reference = session.scores.get("reference")
        told = f" Tell an administrator the reference {reference}." if reference else ""
        return Verdict(
            "unsure",
            "The live check could not be judged",
            f"That was not your doing. Try it again; if it stays, ask an administrator.{told}",
        )
    advice = [_INCONCLUSIVE[Ground(g)] for g in session.grounds if g in _INCONCLUSIVE]
    return Verdict(
        "unsure", "The live check could not tell", " ".join(advice or [_LIGHT]) + " Try it again."
    )


def _closeness(distance: float | None, threshold: float | None) -> str:
    """How far from the threshold it was, since a close call deserves a second photo."""
    if distance is None or not threshold:
        return ""
    ratio = distance / threshold
    if ratio <= 0.7:
        return "The faces are well within the threshold of each other."
    if ratio <= 0.93:
        return "The faces are within the threshold of each other."
    if ratio <= 1:
        return "The faces are only just within the threshold of each other."
    if ratio <= 1.1:
        return "The nearest enrolled face is only just beyond the threshold."
    return "The nearest enrolled face is beyond the threshold."


def ruler_max(distance: float | None = None) -> float:
    """The far end of the ruler: beyond where most strangers lie, for the encoder in use."""
    try:
        one_in_ten = in_use().distance.threshold[-1]
    except UserFacingError:  # uncalibrated: then the one distance is all there is to show
        one_in_ten = 0.0
    return max(RULER_END * one_in_ten, 1.1 * (distance or 0)) or 1.0
