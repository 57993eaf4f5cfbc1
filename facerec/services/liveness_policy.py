"""Where a live check is required: chosen by an administrator, logged with their name."""

from __future__ import annotations

from facerec.models import FacePolicy
from facerec.models.policy import Movements, PassiveCues
from facerec.services.policy import change_policy
from webapp.accounts.models import User

MARK = "Liveness:"
"""With this the changes begin in the log."""


def choose_liveness(
    *,
    verification_liveness: bool,
    identification_liveness: bool,
    liveness_alternative: bool,
    liveness_steps: int,
    passive_cues: str,
    by: User,
) -> bool:
    """From now on it is so; False where it was so before, and nothing is logged."""
    chosen = {
        "verification_liveness": verification_liveness,
        "identification_liveness": identification_liveness,
        "liveness_alternative": liveness_alternative,
        "liveness_steps": Movements(liveness_steps).value,
        "passive_cues": PassiveCues(passive_cues).value,
    }
    now = FacePolicy.current()
    if all(getattr(now, name) == value for name, value in chosen.items()):
        return False
    change_policy(by=by, what=f"{MARK} {describe(FacePolicy(**chosen))}.", **chosen)
    return True


def describe(policy: FacePolicy) -> str:
    """The policy in one sentence, for the log."""
    required = [
        mode
        for mode, wanted in (
            ("verification", policy.verification_liveness),
            ("identification", policy.identification_liveness),
        )
        if wanted
    ]
    parts = [f"required for {' and '.join(required)}" if required else "required nowhere"]
    parts.append("an operator may vouch" if policy.liveness_alternative else "nobody may vouch")
    parts.append(f"{Movements(policy.liveness_steps).label} movements")
    decide = policy.passive_cues == PassiveCues.DECIDE
    parts.append("passive cues refuse" if decide else "passive cues are only logged")
    return "; ".join(parts)
