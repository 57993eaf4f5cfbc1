"""What a live check has in Redis while it runs: no part of it reaches a disk.

Of each session, under `liveness:{id}:…`:

holder   the socket that shows its frames. Alone, until it lets go or sends none for three seconds.
seen     when it was last heard of.
frames   those that wait to be judged.
turn     the token of the worker that judges them. Whoever finds another there writes nothing.
judge    what the judge knows, between frames; and as `version` a token of that state.
last     the last progress that was told.
told:n   what the n-th connection's socket is to pass on.
face     after a pass: the frame that may be compared, once.

All times are Redis's own, so that it is one clock that says when a frame arrived and when it was
judged, whichever machines the web server and the worker run on.
"""

from __future__ import annotations

import json
import struct
import uuid
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import redis.asyncio

from webapp.jobs.redis import client

LIFE = 90  # seconds: longer than a session runs
HOLDER_MS = 3_000
TURN_MS = 4_000  # a worker that was killed is replaced after this
FACE_LIFE = 120

# What the client sent: a big-endian float64; then its frame's number and its connection's.
_ENTRY = struct.Struct(">ddII")

# The holder may find its lease run out (a slow camera); it takes it back unless another has it.
_SUBMIT = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return -1 end
local t = redis.call('TIME')
local now = t[1] + t[2] / 1e6
redis.call('SET', KEYS[2], string.format('%.6f', now), 'EX', ARGV[5])
if ARGV[4] ~= '' then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[6])
  redis.call('RPUSH', KEYS[3], struct.pack('>d', now) .. ARGV[4])
  redis.call('EXPIRE', KEYS[3], ARGV[5])
end
if ARGV[2] ~= '' and redis.call('SET', KEYS[4], ARGV[2], 'NX', 'PX', ARGV[3]) then return 1 end
return 0
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local t = redis.call('TIME')
redis.call('SET', KEYS[2], string.format('%.6f', t[1] + t[2] / 1e6), 'EX', ARGV[2])
return redis.call('DEL', KEYS[1])
"""
_TAKE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local t = redis.call('TIME')
return struct.pack('>d', t[1] + t[2] / 1e6) .. (redis.call('LPOP', KEYS[2]) or '')
"""
_COMMIT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[4], 'EX', ARGV[3])
redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[3])
redis.call('SET', KEYS[4], ARGV[6], 'EX', ARGV[3])
redis.call('RPUSH', KEYS[5], ARGV[6])
redis.call('EXPIRE', KEYS[5], ARGV[3])
return 1
"""
_REST = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 1 end
if redis.call('LLEN', KEYS[2]) > 0 then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""


class Superseded(Exception):  # noqa: N818 - not an error: another worker has the session
    """The turn is another worker's by now; this one writes nothing more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A frame that waits. Times in seconds: `taken` by the browser's clock, `arrived` by Redis's.

    connection, number: which of the session's connections it came over, and as its how manieth.
    """

    arrived: float
    taken: float
    number: int
    connection: int
    jpeg: bytes


def key_of(session_id: UUID, what: str) -> str:
    return f"liveness:{session_id}:{what}"


def told_key(session_id: UUID, connection: int) -> str:
    return key_of(session_id, f"told:{connection}")


# --- the web's side: the socket that holds a session -------------------------------------------
def hold(session_id: UUID, holder: str) -> bool:
    """Become the session's one socket; False while another is. Raises redis.RedisError, as all
    of this module."""
    return bool(client().set(key_of(session_id, "holder"), holder, nx=True, px=HOLDER_MS))


def release(session_id: UUID, holder: str) -> None:
    """Let go, if this socket holds the session."""
    keys = [key_of(session_id, what) for what in ("holder", "seen")]
    client().eval(_RELEASE, 2, *keys, holder, str(LIFE))


def silent_for(session_id: UUID) -> float | None:
    """Seconds since the session's socket was last heard of; None where Redis knows of none."""
    seen = client().get(key_of(session_id, "seen"))
    if not isinstance(seen, bytes):
        return None
    return _now() - float(seen)


def note_seen(session_id: UUID) -> None:
    client().set(key_of(session_id, "seen"), f"{_now():.6f}", ex=LIFE)


def _now() -> float:
    seconds, microseconds = client().time()
    return seconds + microseconds / 1e6


def drop_frames(session_id: UUID) -> None:
    """Forget frames of a connection that was lost."""
    client().delete(key_of(session_id, "frames"))


def count_wrong_nonce(session_id: UUID) -> int:
    """How many wrong nonces were tried on this session, this one included."""
    key = key_of(session_id, "wrong")
    with client().pipeline() as pipe:
        pipe.incr(key)
        pipe.expire(key, 600)
        return int(pipe.execute()[0])


def last_progress(session_id: UUID) -> dict[str, Any]:
    """What was told last; empty before the first frame."""
    last = client().get(key_of(session_id, "last"))
    return dict(json.loads(last)) if isinstance(last, bytes) else {}


async def submit(
    redis_client: redis.asyncio.Redis,
    session_id: UUID,
    holder: str,
    *,
    frame: tuple[float, int, int, bytes] | None = None,
    wake: bool = True,
) -> str | None:
    """Lay a frame (taken, number, connection, JPEG) down for the worker, or just be heard of.

    Returns: the token with which a worker is to be woken; None where one is awake, or none wanted.

    Raises:
        Superseded: another socket holds the session.
    """
    data = b"" if frame is None else _ENTRY.pack(0.0, *frame[:3])[8:] + frame[3]
    token = uuid.uuid4().hex if wake else ""
    keys = [key_of(session_id, what) for what in ("holder", "seen", "frames", "turn")]
    args = [holder, token, str(TURN_MS), data, str(LIFE), str(HOLDER_MS)]
    said = await cast(Any, redis_client.eval(_SUBMIT, 4, *keys, *cast(Any, args)))
    if said == -1:
        raise Superseded
    return token if said else None


async def next_told(
    redis_client: redis.asyncio.Redis, session_id: UUID, connection: int, *, wait: float
) -> dict[str, Any] | None:
    """What the worker has to say to this connection; None where it said nothing for `wait` s."""
    key = told_key(session_id, connection)
    said = await cast(Any, redis_client.blpop([key], timeout=wait))
    return dict(json.loads(said[1])) if said else None


# --- the worker's side: the turn ----------------------------------------------------------------
class Turn:
    """A worker's right to judge a session's frames, for as long as its token stands in Redis."""

    def __init__(self, session_id: UUID, token: str) -> None:
        self.session_id = session_id
        self.token = token

    def take(self) -> tuple[float, Waiting | None]:
        """The present time (s), and the frame that waits longest, if one does.

        Raises:
            Superseded
        """
        data = self._eval(_TAKE, ("turn", "frames"), str(TURN_MS))
        if not data:
            raise Superseded
        (now,) = struct.unpack_from(">d", data)
        if len(data) == struct.calcsize(">d"):
            return now, None
        entry = data[8:]
        arrived, taken, number, connection = _ENTRY.unpack_from(entry)
        return now, Waiting(arrived, taken, number, connection, entry[_ENTRY.size :])

    def read_version(self) -> str | None:
        """The token of the state that `read_judge` has; None where there is none."""
        version = client().get(key_of(self.session_id, "version"))
        return version.decode() if isinstance(version, bytes) else None

    def read_judge(self) -> bytes | None:
        data = client().get(key_of(self.session_id, "judge"))
        return data if isinstance(data, bytes) else None

    def commit(self, judge: bytes, connection: int, message: dict[str, Any]) -> str:
        """Keep what the judge knows and tell the socket, both or neither. Returns the new version.

        Raises:
            Superseded
        """
        version = uuid.uuid4().hex
        keys = ("turn", "judge", "version", "last", f"told:{connection}")
        values = (judge, version, json.dumps(message))
        if not self._eval(_COMMIT, keys, str(TURN_MS), str(LIFE), *values):
            raise Superseded
        return version

    def rest(self) -> bool:
        """Give the turn back; False where a frame came in the meantime."""
        return bool(self._eval(_REST, ("turn", "frames")))

    def _eval(self, script: str, keys: tuple[str, ...], *args: Any) -> Any:
        names = [key_of(self.session_id, key) for key in keys]
        return client().eval(script, len(names), *names, self.token, *args)


def tell(session_id: UUID, connection: int, message: dict[str, Any]) -> None:
    """Say something to a connection without keeping it."""
    key = told_key(session_id, connection)
    with client().pipeline() as pipe:
        pipe.rpush(key, json.dumps(message))
        pipe.expire(key, LIFE)
        pipe.execute()


def forget(session_id: UUID) -> None:
    """Nothing of the session's frames is left, nor of what its judge knew."""
    kept = ("frames", "judge", "version", "turn", "last")
    client().delete(*(key_of(session_id, what) for what in kept))


# --- the frame that may be compared --------------------------------------------------------------
def lay_face(session_id: UUID, data: bytes) -> None:
    client().set(key_of(session_id, "face"), data, ex=FACE_LIFE)


def discard_face(session_id: UUID) -> None:
    client().delete(key_of(session_id, "face"))


def take_face(session_id: UUID, destination: str, *, life: int) -> bool:
    """Move the face to another key, where it lives for `life` seconds. Of several who ask at once,
    and ever after, one gets it; False for the others, and where it is too old."""
    try:
        client().rename(key_of(session_id, "face"), destination)
    except redis.ResponseError:  # no such key
        return False
    client().expire(destination, life)
    return True
