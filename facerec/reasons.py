"""Why there is no decision: the core's reasons, and those that only a house with workers has."""

from __future__ import annotations

from facerec.core.types import Reason

INTERRUPTED = "interrupted"
DUPLICATE = "duplicate"
OUTLIER = "outlier"
_OURS = {
    INTERRUPTED: "The work was interrupted before this photo was looked at. Send it again.",
    DUPLICATE: "This face looks like somebody else who is already enrolled.",
    OUTLIER: "This face does not look like the person's other photos.",
}


def sentence_of(reason: str) -> str:
    """What a person is told for a stored reason; empty for none."""
    if not reason:
        return ""
    return _OURS.get(reason) or Reason(reason).sentence
