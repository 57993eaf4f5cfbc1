"""What the page Liveness shows: the policy, the figures it rests on, the last live checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import facerec.core.liveness
from facerec.core.liveness.types import Ground
from facerec.forms.liveness import SPECIES
from facerec.models import LivenessSession, LivenessState
from facerec.services.liveness_policy import MARK
from facerec.services.policy import policy_changes
from facerec.wording import percent

FIGURES = Path(facerec.core.liveness.__file__).with_name("figures.json")
LATEST = 20

GROUNDS = {
    Ground.WRONG_MOVEMENT: "another movement than the one asked",
    Ground.TOO_EARLY: "moved before it was asked",
    Ground.NOT_IN_TIME: "not in time",
    Ground.FLAT: "moved as something flat does",
    Ground.OTHER_PERSON: "not one person throughout",
    Ground.NOT_CONTINUOUS: "a jump between two pictures",
    Ground.FALSE_TIMES: "times that cannot be",
    Ground.SCREEN_OR_PRINT: "looks like a screen or a print",
    Ground.NETWORK: "refused by the network",
    Ground.NO_FACE: "no face",
    Ground.SEVERAL_FACES: "several faces",
    Ground.POOR_PICTURE: "too dark or too blurred",
    Ground.TOO_LITTLE_MOTION: "too little motion to tell",
    Ground.TOO_FEW_FRAMES: "too few pictures",
}

_STAMPS = {
    LivenessState.WAITING: ("waiting", "Not begun"),
    LivenessState.RUNNING: ("painting", "Running"),
    LivenessState.PASSED: ("match", "Passed"),
    LivenessState.FAILED: ("no", "Not passed"),
    LivenessState.INCONCLUSIVE: ("unsure", "Could not tell"),
    LivenessState.ABANDONED: ("over", "Broken off"),
}


def policy_history() -> list[dict[str, Any]]:
    """Who chose what and when, newest first."""
    return [
        {
            "by": change.user.get_username(),
            "at": change.action_time,
            "what": change.change_message.removeprefix(MARK).strip(),
        }
        for change in policy_changes(containing=MARK)
    ]


def figures(*, passive: bool, path: Path = FIGURES) -> dict[str, Any] | None:
    """The shipped error rates per species in words; None where there is no file of them.

    passive: those with the passive cues deciding, too.
    """
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    living = told["bona_fide"]
    return {
        "species": [_attack(row, passive) for row in told["species"]],
        "living": living and _living(living, passive),
        "judged_by": told["judged_by"],
    }


def _attack(row: dict[str, Any], passive: bool) -> dict[str, Any]:
    counted = row["with_passive_cues"] if passive else row
    return {
        "name": dict(SPECIES).get(row["species"]) or row["species"].replace("_", " ").capitalize(),
        "n": row["n"],
        "accepted": counted["accepted"],
        "rate": percent(counted["apcer"]),
        "interval": f"{percent(counted['low'])} to {percent(counted['high'])}",
    }


def _living(row: dict[str, Any], passive: bool) -> dict[str, Any]:
    counted = row["with_passive_cues"] if passive else row
    return {
        "n": row["n"],
        "refused": percent(counted["bpcer"]),
        "interval": f"{percent(counted['low'])} to {percent(counted['high'])}",
        "inconclusive": percent(counted["inconclusive"] / row["n"]) if row["n"] else "",
        "seconds": row["seconds"],
    }


def latest() -> list[dict[str, Any]]:
    """The last sessions of everybody; why they ended so, in words."""
    rows = LivenessSession.objects.exclude(state=LivenessState.WAITING)
    return [
        {
            "session": row,
            "stamp": _STAMPS[LivenessState(row.state)],
            "why": _why(row),
            "seconds": (row.finished - row.begun).total_seconds()
            if row.finished and row.begun
            else None,
        }
        for row in rows[:LATEST]
    ]


def _why(session: LivenessSession) -> str:
    if "problem" in session.scores:
        reference = session.scores.get("reference")
        return f"the judge failed, reference {reference}" if reference else "the judge failed"
    return ", ".join(GROUNDS[Ground(ground)] for ground in session.grounds)
