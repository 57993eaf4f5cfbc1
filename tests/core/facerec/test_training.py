from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facerec.core.adapter import IDENTITY, Adapter, shipped
from facerec.core.encoder import Encoder
from facerec.core.errors import (
    CheckpointMismatch,
    TrainingDiverged,
    TrainingSetTooSmall,
    WeightsCorrupt,
)
from facerec.core.fine_tuned import FineTunedBlocks
from facerec.core.learners import AdapterLearner
from facerec.core.metrics import genuine_impostor, tar_at_far
from facerec.core.splits import check_people, split_people
from facerec.core.training import LabelledFaces, Trainer
from facerec.core.training_config import MinerName, TrainingConfig, TrainingKind


def club(people: int = 120, photos: int = 5, seed: int = 0) -> LabelledFaces:
    """People who differ in 12 of 128 numbers, and photos that differ in 60 others: there is
    something to learn."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((people, 1, 128))
    centres[..., :12] = rng.normal(size=(people, 1, 12)) * 0.2
    noise = rng.normal(size=(people, photos, 128)) * 0.02
    noise[..., 40:100] *= 6
    names = [f"p{i:03d}" for i in range(people) for _ in range(photos)]
    return LabelledFaces((centres + noise).reshape(-1, 128).astype(np.float32), names)


CONFIG = TrainingConfig(steps=60, eval_every=20, people_per_batch=16, far=1e-2, learning_rate=3e-3)


def held_out_tar(trainer: Trainer, faces: LabelledFaces, adapter: Adapter) -> float:
    people = [faces.people[i] for i in trainer.held_out]
    scores = genuine_impostor(adapter(faces.faces[trainer.held_out]), people)
    return tar_at_far(scores.genuine, scores.impostor, 1e-2)


def test_an_adapter_learns_what_tells_people_apart_and_it_holds_for_people_held_out() -> None:
    faces = club()
    trainer = Trainer(faces, CONFIG)
    steps = list(trainer.steps())
    assert [s.step for s in steps] == list(range(1, 61))
    assert steps[-1].loss < 0.7 * steps[0].loss
    assert steps[-1].active_fraction < steps[0].active_fraction
    assert not any(s.collapsed for s in steps)
    assert [s.step for s in steps if s.held_out_tar is not None] == [20, 40, 60]
    adapter = trainer.adapter("club-1")
    assert adapter.encoder_version.endswith("+club-1")
    before = held_out_tar(trainer, faces, IDENTITY)
    assert trainer.tar_at_start == pytest.approx(before)
    assert held_out_tar(trainer, faces, adapter) > before + 0.03
    best = next(s for s in steps if s.step == trainer.best_step)
    assert best.best
    assert held_out_tar(trainer, faces, adapter) == pytest.approx(best.held_out_tar, abs=1e-6)


def test_what_is_trained_is_what_will_be_used() -> None:
    """torch and numpy agree on the shipped adapter, also where its scale is bounded."""
    encodings = np.random.default_rng(0).normal(size=(64, 128)).astype(np.float32) * 0.12
    learner = AdapterLearner(torch.device("cpu"), shipped())
    list(learner.prepare(encodings))
    trained = learner.forward(np.arange(64)).detach().numpy()
    np.testing.assert_allclose(trained, shipped()(encodings), atol=1e-5)


def test_nobody_is_in_two_parts_and_what_is_held_out_changes_no_weight() -> None:
    faces = club(40)
    trainer = Trainer(faces, CONFIG)
    parts = [trainer.taught, trainer.validation, trainer.held_out]
    people = [{faces.people[i] for i in part} for part in parts]
    assert sum(map(len, people)) == len(set().union(*people)) == 40
    assert len(np.concatenate(parts)) == len(faces.people)
    other = faces.faces.copy()
    other[trainer.held_out] = np.random.default_rng(5).normal(size=other[trainer.held_out].shape)
    adapters = []
    for numbers in (faces.faces, other):
        run = Trainer(LabelledFaces(numbers, faces.people), CONFIG)
        list(run.steps())
        adapters.append(run.adapter("x").weight)
    np.testing.assert_array_equal(*adapters)


@pytest.mark.parametrize("miner", list(MinerName))
def test_a_resumed_run_gives_the_numbers_of_an_uninterrupted_one(
    miner: MinerName, tmp_path: Path
) -> None:
    faces, config = club(30), replace(CONFIG, miner=miner, steps=25, eval_every=5)
    whole = Trainer(faces, config)
    expected = list(whole.steps())
    broken = Trainer(faces, config)
    first = []
    for step in broken.steps():
        first.append(step)
        if step.step == 13:
            break
    broken.save(tmp_path / "checkpoint")
    resumed = Trainer(faces, config, resume=tmp_path / "checkpoint")
    assert first + list(resumed.steps()) == expected
    assert resumed.tar_at_start == whole.tar_at_start
    assert resumed.best_step == whole.best_step
    np.testing.assert_array_equal(resumed.adapter("x").weight, whole.adapter("x").weight)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    faces, path = club(20), tmp_path / "checkpoint"
    trainer = Trainer(faces, CONFIG)
    next(trainer.steps())
    trainer.save(path)
    with pytest.raises(CheckpointMismatch):
        Trainer(faces, replace(CONFIG, margin=0.3), resume=path)
    with pytest.raises(CheckpointMismatch):
        Trainer(club(21), CONFIG, resume=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsCorrupt):
        Trainer(faces, CONFIG, resume=path)


def test_collapse_raises_the_alarm() -> None:
    """Weights drawn to zero with every step: all faces become one point, the loss the margin."""
    faces = club(30)
    start = Adapter(np.eye(128) * 1e-4, version="")
    trainer = Trainer(faces, replace(CONFIG, steps=40, learning_rate=1e-7), start=start)
    steps = list(trainer.steps())
    assert abs(steps[-1].loss - CONFIG.margin) < 0.01
    assert steps[-1].active_fraction == 1
    assert steps[-1].collapsed
    assert not steps[10].collapsed  # a moment is no alarm


def test_a_run_that_diverges_says_so() -> None:
    faces = club(30)
    faces.faces[Trainer(faces, CONFIG).taught] *= 1e25
    with pytest.raises(TrainingDiverged):
        list(Trainer(faces, CONFIG).steps())


def test_last_blocks_learn_from_chips_and_resume_exactly(encoder: Encoder, tmp_path: Path) -> None:
    faces = chips_of_made_up_people()
    config = TrainingConfig(
        kind=TrainingKind.LAST_BLOCKS,
        steps=4,
        eval_every=2,
        people_per_batch=4,
        photos_per_person=2,
        margin=1.0,
        learning_rate=1e-4,
        held_out_fraction=0.3,
        validation_fraction=0.3,
    )
    trainer = Trainer(faces, config)
    assert list(trainer.prepare())[-1] == (len(faces.people), len(faces.people))
    everybody = np.arange(len(faces.people))
    # Before the first step it is the shipped encoder.
    np.testing.assert_allclose(
        trainer.encode(everybody), encoder.encode_symmetric(faces.faces), atol=1e-4
    )
    steps = []
    for step in trainer.steps():
        steps.append(step)
        if step.step == 3:
            trainer.save(tmp_path / "checkpoint")
    assert steps[-1].loss < steps[0].loss
    resumed = Trainer(faces, config, resume=tmp_path / "checkpoint")
    assert list(resumed.steps()) == steps[3:]
    sha256 = trainer.blocks("club-net-1").save(tmp_path / "blocks.safetensors")
    tuned = Encoder(blocks=FineTunedBlocks.load(tmp_path / "blocks.safetensors", sha256))
    assert tuned.version == "club-net-1"
    np.testing.assert_allclose(
        tuned.encode_symmetric(faces.faces), trainer.encode(everybody), atol=1e-4
    )
    with pytest.raises(ValueError, match="blocks"):
        trainer.adapter("x")


def test_blocks_are_trained_by_what_the_adapter_makes_of_them(encoder: Encoder) -> None:
    faces = chips_of_made_up_people()
    rng = np.random.default_rng(0)
    through = Adapter(rng.normal(size=(128, 128)) / 8, rng.normal(size=128), version="x", unit=True)
    config = replace(
        CONFIG, kind=TrainingKind.LAST_BLOCKS, steps=2, people_per_batch=4, photos_per_person=2
    )
    trainer = Trainer(faces, config, start=through)
    before = list(trainer.prepare()) and trainer.encode(np.arange(len(faces.people)))
    np.testing.assert_allclose(before, through(encoder.encode_symmetric(faces.faces)), atol=1e-4)
    list(trainer.steps())
    tuned = Encoder(blocks=trainer.blocks("club-net-1"))
    assert trainer.through("club-net-1").backbone == tuned.version
    np.testing.assert_allclose(
        trainer.through("club-net-1")(tuned.encode_symmetric(faces.faces)),
        trainer.encode(np.arange(len(faces.people))),
        atol=1e-4,
    )


def chips_of_made_up_people() -> LabelledFaces:
    """Blotches of colour in place of faces, a pattern a person: they go through the network."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(40, 216, (6, 1, 10, 10, 3)).repeat(15, axis=2).repeat(15, axis=3)
    chips = patterns + rng.integers(-40, 40, (6, 2, 150, 150, 3))
    return LabelledFaces(
        chips.astype(np.uint8).reshape(-1, 150, 150, 3), [f"p{i}" for i in range(6) for _ in "ab"]
    )


@given(
    st.lists(st.integers(1, 4), min_size=6, max_size=30),
    st.floats(0.05, 0.9),
    st.integers(0, 5),
)
def test_split_people(photos: list[int], fraction: float, seed: int) -> None:
    people = [f"p{i}" for i, count in enumerate(photos) for _ in range(count)]
    several = sum(count >= 2 for count in photos)
    if several < 4:
        with pytest.raises(TrainingSetTooSmall):
            split_people(people, fraction, seed)
        return
    kept, out = split_people(people, fraction, seed)
    assert sorted([*kept, *out]) == list(range(len(people)))
    parts = [{people[i] for i in part} for part in (kept, out)]
    assert not parts[0] & parts[1]
    for part in parts:
        assert sum(photos[int(name[1:])] >= 2 for name in part) >= 2
    again = split_people(people, fraction, seed)
    assert [again[0].tolist(), again[1].tolist()] == [kept.tolist(), out.tolist()]


def test_too_few_people_are_refused_with_how_many_are_needed() -> None:
    with pytest.raises(TrainingSetTooSmall) as caught:
        check_people(["a", "a", "b", "b", "c"], CONFIG)
    assert (caught.value.people, caught.value.needed) == (2, 6)
    check_people([name for name in "abcdef" for _ in range(2)], CONFIG)


@pytest.mark.parametrize("wrong", [{"margin": 0}, {"steps": 0}, {"far": 0.9}, {"blocks": 9}])
def test_a_configuration_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} lies between"):
        replace(CONFIG, **wrong)


def test_a_configuration_survives_json() -> None:
    config = replace(CONFIG, kind=TrainingKind.LAST_BLOCKS, miner=MinerName.RANDOM)
    assert TrainingConfig.from_dict(config.as_dict()) == config
    with pytest.raises(ValueError, match="no-miner"):
        TrainingConfig.from_dict({"miner": "no-miner"})
