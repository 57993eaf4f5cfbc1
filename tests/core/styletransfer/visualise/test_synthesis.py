"""A made picture excites its unit, also one that was silent; the same seed makes the same one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from styletransfer.core.visualise.layers import layer_info
from styletransfer.core.visualise.mining import mine
from styletransfer.core.visualise.synthesis import _before_the_relu, canvas_side, excite


def test_a_made_picture_excites_its_unit_about_as_much_as_the_best_patch(seen, corpus):
    *_, progress = mine(seen, corpus)
    hits = progress.findings.best("relu2_2")
    beaten = 0
    units = [unit for unit, found in enumerate(hits) if found][:6]
    for unit in units:
        *_, last = excite(seen, "relu2_2", unit, steps=40)
        beaten += last.activation > 0.7 * hits[unit][0].activation
    assert beaten >= 5


def test_a_unit_that_noise_leaves_silent_is_woken(seen):
    for unit in range(32):
        first, *_, last = excite(seen, "relu2_2", unit, steps=40, every=40)
        if first.activation == 0 and last.activation > 1:
            return
    pytest.fail("no unit was silent and woke")


def test_what_goes_into_the_relu_comes_out_of_it(seen, corpus):
    picture = seen.prepare(seen.views(corpus[0][1])[0])
    before = _before_the_relu(seen, picture, "relu3_2")
    assert (before < 0).any()
    assert torch.equal(before.relu(), seen(picture, ["relu3_2"])["relu3_2"])


def test_the_same_seed_makes_the_same_picture(seen):
    def made(seed):
        *_, last = excite(seen, "relu1_2", 3, steps=5, seed=seed)
        return np.asarray(last.picture())

    assert np.array_equal(made(1), made(1))
    assert not np.array_equal(made(1), made(2))


def test_steps_are_yielded_from_the_start_to_the_last(seen):
    steps = [e.step for e in excite(seen, "relu1_1", 0, steps=20, every=8)]
    assert steps == [0, 8, 16, 20]
    side = canvas_side("lite", layer_info("lite", "relu1_1"))
    assert next(excite(seen, "relu1_1", 0)).picture().size == (side, side) == (32, 32)


def test_unknown_layers_and_units_are_refused(seen):
    with pytest.raises(KeyError):
        next(excite(seen, "relu9_1", 0))
    with pytest.raises(IndexError):
        next(excite(seen, "relu1_1", 16))
