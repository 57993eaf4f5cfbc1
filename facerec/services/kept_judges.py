"""A live check's judge between frames: its bytes in Redis, and itself in the worker's memory."""

from __future__ import annotations

import json
import struct
import threading
import time
from dataclasses import dataclass
from uuid import UUID

from facerec.core.liveness.judge import LivenessJudge

_HEADER = struct.Struct(">I")


@dataclass
class Notes:
    """What is to be known between frames beside what the judge knows.

    encoder: whose encodings the judge compares. connection, number: over which the last frame
    came, and as its how manieth. done: movements seen.
    """

    encoder: str
    connection: int = 0
    number: int = 0
    done: int = 0
    frames: int = 0

    def pack(self, judge: bytes) -> bytes:
        header = json.dumps(vars(self)).encode()
        return _HEADER.pack(len(header)) + header + judge

    @classmethod
    def unpack(cls, data: bytes) -> tuple[Notes, bytes]:
        (length,) = _HEADER.unpack_from(data)
        end = _HEADER.size + length
        return cls(**json.loads(data[_HEADER.size : end])), data[end:]


class JudgesAtHand:
    """The judges that this process had last: to read one takes longer than all of its upkeep.

    One that is taken is gone from here, so no two turns ever have the same. They hold a frame, so
    those of sessions that were broken off go after some seconds.
    """

    MOST = 16
    LIFE = 10.0  # seconds

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._judges: dict[UUID, tuple[float, str, tuple[Notes, LivenessJudge]]] = {}

    def keep(self, session_id: UUID, version: str, judge: tuple[Notes, LivenessJudge]) -> None:
        now = time.monotonic()
        with self._lock:
            self._judges[session_id] = now, version, judge
            recent = list(self._judges.items())[-self.MOST :]
            self._judges = {key: kept for key, kept in recent if now - kept[0] < self.LIFE}

    def take(self, session_id: UUID, version: str | None) -> tuple[Notes, LivenessJudge] | None:
        """The session's judge, if its state is of this version."""
        with self._lock:
            _, kept, judge = self._judges.pop(session_id, (0.0, "", None))
            return judge if kept == version else None


at_hand = JudgesAtHand()
