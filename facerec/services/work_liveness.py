"""What the faces worker does with live checks: judge the frames that wait, and give the verdict.

A worker never waits for a camera: it judges what is there and goes. Between frames the judge lies
in Redis, so any worker may go on, and one that was killed loses a frame at most. Each also keeps
the judges that it had last, and needs not read one that nobody else has changed.
"""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import numpy as np
import redis
import structlog
from django.db import close_old_connections
from django.utils import timezone
from PIL import Image

from facerec.core.liveness.challenge import redraw_challenge
from facerec.core.liveness.judge import JUDGE_VERSION, LivenessJudge
from facerec.core.liveness.types import Frame, Progress, Verdict
from facerec.encoders import ActiveEncoder, active
from facerec.models import FacePolicy, LivenessSession, LivenessState, PassiveCues, Purpose
from facerec.runtime import FaceRuntime
from facerec.services import liveness_store as store
from facerec.services.kept_judges import Notes, at_hand
from facerec.services.liveness import HEIGHT, WIDTH, settle_stale
from facerec.services.liveness_store import Superseded, Turn, Waiting
from facerec.services.work import ready_runtime
from webapp.errors import UserFacingError
from webapp.middleware import new_reference
from webapp.uploads import decode_picture, to_lossless

log = structlog.get_logger(__name__)

STATES = {
    Verdict.LIVE: LivenessState.PASSED,
    Verdict.NOT_LIVE: LivenessState.FAILED,
    Verdict.INCONCLUSIVE: LivenessState.INCONCLUSIVE,
}
ASKED_ABOUT = Purpose.VERIFICATION, Purpose.IDENTIFICATION  # what a face is laid down for
SMALLEST = 320, 240
ASPECT_TOLERANCE = 0.03


class FrameUnusable(Exception):  # noqa: N818 - what a client sent, not a fault
    """This is not a frame of a camera as the client was told to send it."""


def judge_waiting(session_id: UUID, token: str) -> None:
    """Judge the frames that wait, as long as the turn is this worker's."""
    close_old_connections()
    try:
        with structlog.contextvars.bound_contextvars(session=str(session_id)):
            _judge_waiting(session_id, Turn(session_id, token))
    finally:
        close_old_connections()


def _judge_waiting(session_id: UUID, turn: Turn) -> None:
    session = LivenessSession.objects.filter(pk=session_id, state=LivenessState.RUNNING).first()
    if session is None:
        store.forget(session_id)
        return
    try:
        with ready_runtime() as here:
            _Sitting(session, turn, here).go_on()
    except Superseded:
        log.info("another worker has this live check")
    except redis.RedisError as error:
        log.warning("Redis is away: a live check stands still", error=type(error).__name__)
    except UserFacingError as error:
        _give_up(session, {"problem": error.code})
    except Exception:
        reference = new_reference()
        log.exception("live check errored", reference=reference)
        _give_up(session, {"problem": "internal_error", "reference": reference})


class _Sitting:
    """One worker's turn at one session."""

    def __init__(self, session: LivenessSession, turn: Turn, here: FaceRuntime) -> None:
        self.session = session
        self.turn = turn
        self.here = here
        self.judge: LivenessJudge
        self.notes: Notes
        self.version = ""  # of what was committed last

    def go_on(self) -> None:
        """Judge until no frame waits.

        Raises:
            Superseded, redis.RedisError
            UserFacingError: the session cannot be judged to its end.
        """
        now, waiting = self.turn.take()
        self._read_judge(active())
        self._note_loss(self.session.resumes)
        if waiting is None:
            self._look_at_the_clock(now)
        while self.judge.verdict is None:
            if waiting is not None:
                self._look_at(waiting, now)
            elif self._rest():
                return
            if self.judge.verdict is None:
                now, waiting = self.turn.take()
        self._conclude()

    def _rest(self) -> bool:
        """Lay the judge down, for whoever has the next turn; False where a frame came meanwhile."""
        at_hand.keep(self.session.pk, self.version, (self.notes, self.judge))
        if self.turn.rest():
            return True
        at_hand.take(self.session.pk, None)
        return False

    def _read_judge(self, encoder: ActiveEncoder) -> None:
        """The judge as it was left.

        Raises:
            UserFacingError: what it knew is lost, or of another encoder.
        """
        eyes = self.here.eyes_of(encoder)
        decides = FacePolicy.current().passive_cues == PassiveCues.DECIDE
        network = self.here.liveness_network
        version = self.turn.read_version()
        if version is None and self.session.begun is None:
            self.notes = Notes(encoder.name)
            self.judge = LivenessJudge(
                self.session.asked, eyes, passive_decides=decides, network=network
            )
            return
        here = at_hand.take(self.session.pk, version)
        if here is not None:
            self.notes, self.judge = here
        elif (kept := self.turn.read_judge()) is not None:
            self.notes, state = Notes.unpack(kept)
            self.judge = LivenessJudge.from_bytes(
                state, eyes, passive_decides=decides, network=network
            )
        else:
            raise _cannot_go_on("interrupted", "The live check was interrupted.")
        if self.notes.encoder != encoder.name:
            raise _cannot_go_on("encoder_changed", "Another encoder was put in use meanwhile.")

    def _look_at(self, waiting: Waiting, now: float) -> None:
        if waiting.connection < self.notes.connection:
            return  # sent before the connection was lost
        self._note_loss(waiting.connection)
        try:
            image = picture_of(waiting.jpeg)
        except FrameUnusable as error:
            log.info("a live check's client sent no frame", why=str(error))
            store.tell(self.session.pk, waiting.connection, {"type": "bad"})
            return
        frame = Frame(image, taken=waiting.taken, arrived=waiting.arrived, judged=now)
        self.notes.frames += 1
        self.notes.number = waiting.number
        extra: dict[str, float] = {}
        if self.session.purpose == Purpose.RECORDING:
            extra = {"arrived": waiting.arrived, "judged": now}
        self._tell(self.judge.see(frame), extra)

    def _look_at_the_clock(self, now: float) -> None:
        self._tell(self.judge.time_out(now), {})

    def _note_loss(self, connection: int) -> None:
        """After a lost connection the steps that are not done are replaced: whoever broke it may
        have been told one."""
        if connection <= self.notes.connection:
            return
        asked = redraw_challenge(self.session.asked, self.notes.done)
        self.session.challenge = asked.as_json()
        self.session.save(update_fields=["challenge"])
        self.judge.interrupted(asked.steps[self.notes.done :])
        self.notes.connection, self.notes.number = connection, 0

    def _tell(self, progress: Progress, extra: dict[str, float]) -> None:
        """Say where the session stands. That a movement is told is noted before it is."""
        self.notes.done = progress.done
        message = {
            "type": "progress",
            "frame": self.notes.number,
            "phase": progress.phase,
            "done": progress.done,
            "steps": progress.steps,
            "movement": progress.movement,
            "share": round(progress.share, 3),
            "hint": progress.hint,
            **extra,
        }
        if self.judge.verdict is not None:
            if extra:  # a recording is not whole without the frame that decided
                store.tell(self.session.pk, self.notes.connection, message)
            return  # else the verdict says it
        if timezone.now() > self.session.expires:
            raise _cannot_go_on("time_over", "The time for the live check is over.")
        if progress.movement is not None and self.session.begun is None:
            self.session.begun = timezone.now()
            self.session.save(update_fields=["begun"])
        state = self.notes.pack(self.judge.to_bytes())
        self.version = self.turn.commit(state, self.notes.connection, message)

    def _conclude(self) -> None:
        verdict, face = self.judge.verdict, self.judge.face_image
        assert verdict is not None
        if verdict is Verdict.LIVE and self.session.purpose in ASKED_ABOUT:
            if face is None:
                raise RuntimeError("a judge says live and shows no face")
            store.lay_face(self.session.pk, to_lossless(Image.fromarray(face)))
        won = _finish(
            self.session,
            state=STATES[verdict],
            grounds=[ground.value for ground in self.judge.grounds],
            scores={name: _plain(value) for name, value in self.judge.scores.items()},
            frames=self.notes.frames,
            judge_version=JUDGE_VERSION,
        )
        if not won:
            store.discard_face(self.session.pk)


def picture_of(jpeg: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A frame's pixels, uint8 RGB (H, W, 3): 4 : 3, at least 320 wide, at most 480.

    Raises:
        FrameUnusable
    """
    try:
        image = decode_picture(jpeg, field="frame", max_side=WIDTH)
    except UserFacingError as error:
        raise FrameUnusable(error.code) from error
    width, height = image.size
    if width < SMALLEST[0] or height < SMALLEST[1]:
        raise FrameUnusable(f"{width} x {height}")
    if not math.isclose(width / height, WIDTH / HEIGHT, rel_tol=ASPECT_TOLERANCE):
        raise FrameUnusable(f"{width} x {height}")
    return np.asarray(image)


def _plain(value: Any) -> Any:
    """A score as JSON has it; what is not finite is none."""
    number = float(value)
    return number if math.isfinite(number) else None


def _cannot_go_on(code: str, message: str) -> UserFacingError:
    return UserFacingError(code, message, "Begin a new live check.", status=503)


def _give_up(session: LivenessSession, scores: dict[str, Any]) -> None:
    """Nothing can be said of this session. That is never taken for a pass."""
    _finish(session, state=LivenessState.INCONCLUSIVE, scores=scores, judge_version=JUDGE_VERSION)


def _finish(session: LivenessSession, **fields: Any) -> bool:
    """Write the verdict, once; False where the session had ended before."""
    row = LivenessSession.objects.filter(pk=session.pk)
    won = bool(row.filter(state=LivenessState.RUNNING).update(finished=timezone.now(), **fields))
    store.forget(session.pk)
    for connection in row.values_list("resumes", flat=True):  # the present one
        store.tell(session.pk, connection, {"type": "over"})
    settle_stale()
    return won
