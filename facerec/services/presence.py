"""Is the person there whose face is asked about? What the policy wants, and what was shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from facerec.core.types import Reason
from facerec.models import Attempt, FacePolicy, Liveness, LivenessSession, LivenessState
from facerec.services import liveness_store as store
from facerec.services.liveness import find_session, unknown_session
from facerec.services.photos import PROBE_LIFE, probe_key
from webapp.accounts.models import User
from webapp.errors import UserFacingError

MAX_VOUCHED = 200
ENOUGH = (Liveness.PASSED, Liveness.VOUCHED)


@dataclass(frozen=True)
class Presence:
    """What is known of the person's being there when a question is asked.

    session: whose frame is compared, instead of a photo. reason: why nothing is compared.
    """

    liveness: Liveness = Liveness.UNASKED
    session: LivenessSession | None = None
    vouched: str = ""
    reason: Reason | None = None

    @property
    def needs_photo(self) -> bool:
        return self.session is None and self.reason is None

    def as_fields(self) -> dict[str, Any]:
        """As an attempt's row has it."""
        return {
            "liveness": self.liveness,
            "liveness_session": self.session,
            "vouched": self.vouched,
        }


def read_session_id(text: str) -> UUID | None:
    """A live check's id as a form has it; None where the field is empty. Raises UserFacingError."""
    try:
        return UUID(text.strip()) if text.strip() else None
    except ValueError as error:
        raise unknown_session() from error


def presence_of(
    *, mode: str, by: User, session: UUID | None = None, vouched: str = "", has_photo: bool = True
) -> Presence:
    """What is to be made of what somebody sends along with a question, under the policy.

    Args:
        mode: a `Mode`.
        session: a live check's id.
        vouched: how the operator knows that the person is there, where the policy lets them say.
        has_photo: whether a photo comes, too.

    A live check that was not passed, or none where one is required, is no error: the answer is
    *cannot decide*, and stands in the log.

    Raises:
        UserFacingError: `photo_and_session`, `vouched_too_long` (422), `unknown_session` (404),
            `liveness_purpose`, `liveness_not_finished`, `liveness_spent` (409),
            `vouching_not_allowed` (403).
        redis.RedisError
    """
    vouched = vouched.strip()
    if session is not None:
        if has_photo or vouched:
            raise _refused(
                422,
                "photo_and_session",
                "A live check brings its own picture; nothing may be sent beside it.",
                "Send the live check alone, or a photo alone.",
            )
        return _shown(find_session(session_id=session, by=by), mode)
    policy = FacePolicy.current()
    if vouched:
        return _vouched(policy, vouched)
    if policy.requires_liveness(mode):
        return Presence(Liveness.MISSING, reason=Reason.LIVENESS_MISSING)
    return Presence()


def _shown(session: LivenessSession, mode: str) -> Presence:
    if session.purpose != mode:
        raise _refused(
            409,
            "liveness_purpose",
            f"This live check was made for something else ({session.get_purpose_display()}).",
            "Do one for this question.",
        )
    if not session.is_final:
        raise _refused(
            409,
            "liveness_not_finished",
            "This live check is not finished.",
            "Finish it first.",
        )
    if Attempt.objects.filter(liveness_session=session).exists():
        raise spent()
    if session.state != LivenessState.PASSED:
        return Presence(Liveness.FAILED, session, reason=Reason.NOT_LIVE)
    return Presence(Liveness.PASSED, session)


def _vouched(policy: FacePolicy, vouched: str) -> Presence:
    if not policy.liveness_alternative:
        raise _refused(
            403,
            "vouching_not_allowed",
            "Nobody may vouch for a person instead of a live check here.",
            "Do the live check, or ask an administrator to allow the alternative.",
            field="vouched",
        )
    if len(vouched) > MAX_VOUCHED:
        raise _refused(
            422,
            "vouched_too_long",
            f"How you know the person is longer than {MAX_VOUCHED} letters.",
            "Say it in fewer words.",
            field="vouched",
        )
    return Presence(Liveness.VOUCHED, vouched=vouched)


def take_face(session: LivenessSession, attempt_id: UUID) -> None:
    """Make the frame of a passed live check this attempt's probe. It can be done once.

    Raises:
        UserFacingError: `liveness_spent` (409).
        redis.RedisError
    """
    if not store.take_face(session.pk, probe_key(attempt_id), life=PROBE_LIFE):
        raise spent()


def is_enough(attempt: Attempt) -> bool:
    """Whether the policy lets this attempt be decided: looked at once more by the worker."""
    return attempt.liveness in ENOUGH or not FacePolicy.current().requires_liveness(attempt.mode)


def spent() -> UserFacingError:
    return _refused(
        409,
        "liveness_spent",
        "This live check was used already, or is older than two minutes.",
        "Do a new one.",
    )


def _refused(
    status: int, code: str, message: str, hint: str, field: str = "liveness_session"
) -> UserFacingError:
    return UserFacingError(code, message, hint, status=status, field=field)
