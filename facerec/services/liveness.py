"""Live checks, the web's side: sessions are opened, begun, resumed, and end.

The rows are the truth. What a running session has in Redis (`liveness_store`) may vanish; then the
session ends, and nobody is taken for live by it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from facerec.core.liveness.challenge import draw_challenge
from facerec.models import FacePolicy, LivenessSession, LivenessState, Purpose
from facerec.services import liveness_store as store
from facerec.services.liveness_lock import check_lock
from webapp.accounts.models import ApiKey, User
from webapp.accounts.roles import Role, has_role
from webapp.celery import app
from webapp.errors import UserFacingError

log = structlog.get_logger(__name__)

TASK = "facerec.tasks.judge_liveness"
QUEUE = "faces"

# What a client is told of the frames that it may send.
WIDTH, HEIGHT = 480, 360
FPS = 10
CREDITS = 3
MAX_BYTES = 100_000

TIME_TO_BEGIN = timedelta(minutes=2)
TIME_TO_PASS = timedelta(seconds=60)  # from its beginning
GRACE = timedelta(seconds=3)  # for the judge to say that the time is over
RESUME_WITHIN = 10.0  # seconds
MAX_RESUMES = 2
MAX_WRONG_NONCES = 5
OPEN_AT_ONCE = 4

OPEN = (LivenessState.WAITING, LivenessState.RUNNING)
JUDGED = (LivenessState.PASSED, LivenessState.FAILED, LivenessState.INCONCLUSIVE)


class Refusal(StrEnum):
    """Why a session is not begun or resumed."""

    WRONG_NONCE = "wrong_nonce"
    IN_USE = "in_use"
    OVER = "over"


class NotBegun(Exception):  # noqa: N818 - the client's doing, not a fault
    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Opened:
    """A session, and the secret by which its client begins it; it is told this once."""

    session: LivenessSession
    nonce: str

    def as_dict(self) -> dict[str, Any]:
        """What the client is told. The challenge is not, but for a recording: that verifies
        nobody, and its steps are written into the file."""
        session = self.session
        said = {
            "id": str(session.pk),
            "nonce": self.nonce,
            "socket": f"/ws/liveness/{session.pk}/",
            "expires_in": TIME_TO_BEGIN.total_seconds(),
            "steps": len(session.challenge),
            "width": WIDTH,
            "height": HEIGHT,
            "fps": FPS,
            "credits": CREDITS,
            "max_bytes": MAX_BYTES,
        }
        if session.purpose == Purpose.RECORDING:
            said["challenge"] = session.challenge
        return said


@dataclass(frozen=True)
class Begun:
    """connection: 0 for the first, counted up. done: movements seen on earlier ones."""

    session: LivenessSession
    connection: int
    done: int


def open_session(*, purpose: str, by: User, api_key: ApiKey | None = None) -> Opened:
    """A new session, with a challenge of its own.

    A person's page has one session that waits: a new one ends the one before, which a page that
    was left or loaded anew will never begin. One that runs is left alone, whoever asks.

    Raises:
        UserFacingError: `unknown_purpose` (422), `not_allowed` (403), `liveness_locked` (429; its
            details have the seconds), `liveness_busy` (429).
    """
    _check_purpose(purpose, by)
    nonce = secrets.token_urlsafe(32)
    settle_stale(LivenessSession.objects.filter(owner=by))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)  # one at a time, so that the counts hold
        check_lock(by)
        own = LivenessSession.objects.filter(owner=by, api_key=api_key)
        if api_key is None:
            _end(own.filter(state=LivenessState.WAITING), timezone.now())
        if own.filter(state__in=OPEN).count() >= OPEN_AT_ONCE:
            raise UserFacingError(
                "liveness_busy",
                f"There are {OPEN_AT_ONCE} live checks open already.",
                "Finish one of them, or wait until one has run out.",
                status=429,
            )
        session = LivenessSession.objects.create(
            owner=by,
            operator=by.get_username(),
            api_key=api_key,
            purpose=purpose,
            nonce_sha256=_digest(nonce),
            challenge=draw_challenge(FacePolicy.current().liveness_steps).as_json(),
            expires=timezone.now() + TIME_TO_BEGIN,
        )
    return Opened(session, nonce)


def find_session(*, session_id: UUID, by: User) -> LivenessSession:
    """A session of this person, settled where its time is over.

    Raises:
        UserFacingError: `unknown_session` (404).
    """
    session = LivenessSession.objects.select_related("owner").filter(pk=session_id).first()
    if session is None or not session.visible_to(by):
        raise unknown_session()
    return settle(session)


def unknown_session() -> UserFacingError:
    return UserFacingError(
        "unknown_session",
        "There is no such live check, or it is not yours.",
        "Begin a new one.",
        status=404,
        field="liveness_session",
    )


def begin(*, session: LivenessSession, nonce: str, holder: str) -> Begun:
    """The socket `holder` becomes the session's, for the first time or after a lost connection.

    Raises:
        NotBegun
        redis.RedisError
    """
    if not hmac.compare_digest(_digest(nonce), session.nonce_sha256):
        if store.count_wrong_nonce(session.pk) >= MAX_WRONG_NONCES:
            log.warning("wrong nonces end a live check", session=str(session.pk))
            abandon(session)
        raise NotBegun(Refusal.WRONG_NONCE)
    session = settle(session)
    if session.is_final:
        raise NotBegun(Refusal.OVER)
    if not store.hold(session.pk, holder):
        raise NotBegun(Refusal.IN_USE)
    try:
        return _begin_first(session) if _is_waiting(session) else _resume(session)
    except BaseException:
        store.release(session.pk, holder)
        raise


def _is_waiting(session: LivenessSession) -> bool:
    session.refresh_from_db()
    return session.state == LivenessState.WAITING


def _begin_first(session: LivenessSession) -> Begun:
    store.note_seen(session.pk)
    try:
        check_lock(session.owner)
    except UserFacingError as error:
        abandon(session)
        raise NotBegun(Refusal.OVER) from error
    rows = LivenessSession.objects.filter(pk=session.pk, state=LivenessState.WAITING)
    if not rows.update(state=LivenessState.RUNNING, expires=timezone.now() + TIME_TO_PASS):
        raise NotBegun(Refusal.OVER)
    session.refresh_from_db()
    return Begun(session, 0, 0)


def _resume(session: LivenessSession) -> Begun:
    """After a loss. A recording is of one piece, so it is not resumed."""
    may = session.resumes < MAX_RESUMES and session.purpose != Purpose.RECORDING
    rows = LivenessSession.objects.filter(
        pk=session.pk, state=LivenessState.RUNNING, resumes=session.resumes
    )
    if not may or not rows.update(resumes=session.resumes + 1):
        abandon(session)
        raise NotBegun(Refusal.OVER)
    session.refresh_from_db()
    store.drop_frames(session.pk)
    store.note_seen(session.pk)
    return Begun(session, session.resumes, int(store.last_progress(session.pk).get("done", 0)))


def wake_worker(session_id: UUID, token: str) -> None:
    """Send a worker to the frames that wait, by the turn's token.

    Raises:
        kombu.exceptions.OperationalError
    """
    life = store.TURN_MS / 1000  # later another token stands there
    app.send_task(
        TASK,
        args=[str(session_id), token],
        queue=QUEUE,
        expires=life,
        retry=False,
        ignore_result=True,
    )


# --- how a session ends without a verdict --------------------------------------------------------
def abandon(session: LivenessSession) -> LivenessSession:
    """Broken off, by its client or because it cannot be gone on with."""
    _end(LivenessSession.objects.filter(pk=session.pk), timezone.now())
    session.refresh_from_db()
    return session


def give_up(session: LivenessSession, problem: str) -> None:
    """Nobody can judge this session: said so, and never taken for a pass."""
    log.warning("a live check is not judged", session=str(session.pk), problem=problem)
    rows = LivenessSession.objects.filter(pk=session.pk, state=LivenessState.RUNNING)
    rows.update(
        state=LivenessState.INCONCLUSIVE, finished=timezone.now(), scores={"problem": problem}
    )
    store.forget(session.pk)


def settle(session: LivenessSession) -> LivenessSession:
    """End the session if its time is over, or if its connection was lost for too long.

    Raises:
        redis.RedisError
    """
    if session.is_final:
        return session
    now = timezone.now()
    running = session.state == LivenessState.RUNNING
    if now > session.expires + (GRACE if running else timedelta(0)):
        _end(LivenessSession.objects.filter(pk=session.pk, expires__lt=now), session.expires)
    elif running:
        silent = store.silent_for(session.pk)
        if silent is None or silent > RESUME_WITHIN:
            _end(LivenessSession.objects.filter(pk=session.pk, resumes=session.resumes), now)
    session.refresh_from_db()
    return session


def settle_stale(sessions: QuerySet[LivenessSession] | None = None) -> None:
    """`settle` whichever of these sessions (by default all) are open. Raises redis.RedisError."""
    sessions = LivenessSession.objects.all() if sessions is None else sessions
    for session in sessions.filter(state__in=OPEN):
        settle(session)


def _end(sessions: QuerySet[LivenessSession], at: datetime) -> None:
    """Break off those that are open still; a verdict that came first stays."""
    for session in sessions.filter(state__in=OPEN):
        rows = LivenessSession.objects.filter(pk=session.pk, state=session.state)
        if rows.update(state=LivenessState.ABANDONED, finished=at):
            store.forget(session.pk)


# --- who may ------------------------------------------------------------------------------------
def _check_purpose(purpose: str, by: User) -> None:
    if purpose not in Purpose.values:
        raise UserFacingError(
            "unknown_purpose",
            "It is not said what the live check is for.",
            f"Give a purpose: {', '.join(Purpose.values)}.",
            status=422,
            field="purpose",
        )
    if purpose in (Purpose.TRIAL, Purpose.RECORDING) and not has_role(by, Role.ADMINISTRATOR):
        raise UserFacingError(
            "not_allowed",
            "Trials and recordings are for administrators.",
            "Give verification or identification as the purpose.",
            status=403,
            field="purpose",
        )


def _digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode(errors="replace")).hexdigest()
