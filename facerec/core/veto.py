"""Counter-examples: faces of which it was said that they are not a certain person."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def is_disputed(distance: float, to_counter_examples: ArrayLike) -> bool:
    """Whether a match must not stand: the probe is nearer to a face that is known not to be this
    person than to any of the person's templates.

    distance: to the nearest of the person's templates, within the threshold. to_counter_examples:
    (C,), by the same measure; C = 0 disputes nothing. One that counts thus lies within the
    threshold too: one person's look-alike does not bar everybody who resembles neither.
    """
    return bool(np.min(to_counter_examples, initial=np.inf) < distance)
