"""Counter-examples: faces of which it was said that they are not a certain person."""

from __future__ import annotations

from facerec.core.distance import squared_distance
from facerec.core.types import Encoding


def is_disputed(probe: Encoding, distance: float, counter_examples: Encoding) -> bool:
    """Whether a match must not stand: the probe is nearer to a face that is known not to be this
    person than to the person's templates.

    probe: (128,). distance: squared L2 to the nearest of the person's templates, within the
    threshold. counter_examples: (C, 128) of the same person and encoder; C = 0 disputes nothing.
    A counter-example that counts thus lies within the threshold too: one person's look-alike does
    not bar others.
    """
    if not len(counter_examples):
        return False
    return bool(squared_distance(counter_examples, probe).min() < distance)
