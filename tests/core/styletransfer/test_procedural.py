from __future__ import annotations

import numpy as np
import pytest

from styletransfer.core.procedural import STARTERS, Starter

SIZE = 96


@pytest.mark.parametrize("starter", STARTERS, ids=lambda s: s.slug)
def test_a_starter_is_a_function_of_its_seed(starter: Starter) -> None:
    picture = np.asarray(starter.render(SIZE))
    assert picture.shape == (SIZE * (3 if starter.kind == "content" else 4) // 4, SIZE, 3)
    assert picture.std() > 20
    assert np.array_equal(picture, np.asarray(starter.render(SIZE)))
    assert not np.array_equal(picture, np.asarray(starter.draw(starter.seed + 1, SIZE)))


def test_there_are_enough_of_both_kinds_under_names_of_their_own() -> None:
    kinds = [s.kind for s in STARTERS]
    assert kinds.count("style") >= 6
    assert kinds.count("content") >= 2
    assert len({s.slug for s in STARTERS}) == len({s.title for s in STARTERS}) == len(STARTERS)
