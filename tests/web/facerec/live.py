"""Live checks as they are after a judge's verdict, without one having looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from PIL import Image

from facerec.models import FacePolicy, LivenessSession, LivenessState, Purpose
from facerec.services import liveness_store as store
from webapp.accounts.models import User
from webapp.uploads import to_lossless


def ended(
    by: User,
    *,
    state: str = LivenessState.PASSED,
    face: Image.Image | None = None,
    purpose: str = Purpose.VERIFICATION,
    ago: float = 5.0,
    **fields: Any,
) -> LivenessSession:
    """A session that ended `ago` seconds ago; one that passed lays its face down."""
    finished = timezone.now() - timedelta(seconds=ago)
    given = {
        "begun": finished - timedelta(seconds=9),
        "finished": finished,
        "expires": finished + timedelta(seconds=30),
        "challenge": [{"movement": "turn_left", "hold": 0.5}],
        "nonce_sha256": "0" * 64,
    }
    session = LivenessSession.objects.create(
        owner=by, operator=by.get_username(), purpose=purpose, state=state, **(given | fields)
    )
    if state == LivenessState.PASSED:
        store.lay_face(session.pk, to_lossless(face or Image.new("RGB", (480, 360))))
    return session


def frame_of(*photos: Image.Image) -> Image.Image:
    """What a webcam sees of these people side by side: 480 x 360, each smaller than the last."""
    frame, left = Image.new("RGB", (480, 360), (120, 130, 140)), 0
    for number, photo in enumerate(photos):
        height = 340 if len(photos) == 1 else 320 - 90 * number
        small = photo.resize((round(photo.width * height / photo.height), height))
        frame.paste(small, (left, 10))
        left += small.width
    assert left <= 480
    return frame


def require(**fields: bool) -> None:
    """Set the policy: `verification=True, alternative=True`."""
    named = {f"{name}_liveness": value for name, value in fields.items() if name != "alternative"}
    if "alternative" in fields:
        named["liveness_alternative"] = fields["alternative"]
    FacePolicy.objects.update_or_create(pk=1, defaults=named)
