from __future__ import annotations

import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner

from facerec.core.distance import squared_distance
from facerec.core.losses import active_fraction, triplet_loss
from facerec.core.miners import (
    MINERS,
    MinerName,
    batch_hard_triplets,
    random_triplets,
    semi_hard_triplets,
)
from facerec.core.samplers import PKSampler

SQUARED = LpDistance(normalize_embeddings=False, p=2, power=2)


def batch(seed: int = 0, spread: float = 0.7) -> tuple[torch.Tensor, torch.Tensor]:
    """Six people with three photos each, and one with a single photo."""
    generator = torch.Generator().manual_seed(seed)
    people = torch.tensor([*range(6)] * 3 + [9])
    centres = torch.randn((10, 128), generator=generator, dtype=torch.float64) * 0.05
    noise = torch.randn((len(people), 128), generator=generator, dtype=torch.float64)
    return centres[people] + noise * 0.05 * spread, people


def line(*places: float) -> torch.Tensor:
    """Encodings on a line, at these places of the first axis."""
    return torch.tensor(places, dtype=torch.float64)[:, None] * torch.eye(128)[:1]


GENERATOR = torch.Generator()


@pytest.mark.parametrize("name", list(MinerName))
def test_every_triplet_is_one(name: MinerName) -> None:
    encodings, people = batch()
    anchor, positive, negative = MINERS[name](encodings, people, GENERATOR.manual_seed(3))
    assert (people[anchor] == people[positive]).all()
    assert (people[anchor] != people[negative]).all()
    assert (anchor != positive).all()
    assert 18 not in anchor  # the single photo is nobody's anchor
    assert len(anchor) == (18 if name == MinerName.BATCH_HARD else 36)


@pytest.mark.parametrize("name", list(MinerName))
@pytest.mark.parametrize("people", [[0, 0, 0], [0, 1, 2], [4]])
def test_a_batch_without_triplets_gives_none(name: MinerName, people: list[int]) -> None:
    triplets = MINERS[name](
        torch.zeros((len(people), 128)), torch.tensor(people, dtype=torch.int64), GENERATOR
    )
    assert [len(side) for side in triplets] == [0, 0, 0]


def test_semi_hard_takes_the_nearest_beyond_the_positive_else_the_farthest() -> None:
    # One person at 0 and 1; others at 0.5 (hard), 1.5 and 3 (beyond).
    places, people = line(0, 1, 0.5, 1.5, 3), torch.tensor([0, 0, 1, 2, 3])
    triplets = semi_hard_triplets(places, people, GENERATOR)
    assert torch.stack(triplets).T.tolist() == [[0, 1, 3], [1, 0, 4]]
    near = semi_hard_triplets(line(0, 1, 0.2, 0.3), torch.tensor([0, 0, 1, 2]), GENERATOR)
    assert torch.stack(near).T.tolist() == [[0, 1, 3], [1, 0, 2]]


def test_batch_hard_takes_the_farthest_positive_and_the_nearest_negative() -> None:
    places, people = line(0, 1, 2, 0.4, 5), torch.tensor([0, 0, 0, 1, 2])
    triplets = batch_hard_triplets(places, people, GENERATOR)
    assert torch.stack(triplets).T.tolist() == [[0, 2, 3], [1, 0, 3], [2, 0, 3]]


@pytest.mark.parametrize("seed", range(5))
def test_batch_hard_agrees_with_pytorch_metric_learning(seed: int) -> None:
    encodings, people = batch(seed)
    ours = batch_hard_triplets(encodings, people, GENERATOR)
    theirs = BatchHardMiner(distance=SQUARED)(encodings, people)
    assert rows(ours) == rows(theirs)


@pytest.mark.parametrize("seed", range(5))
def test_semi_hard_are_among_those_of_pytorch_metric_learning(seed: int) -> None:
    encodings, people = batch(seed)
    margin = 0.2
    theirs = rows(TripletMarginMiner(margin, "semihard", distance=SQUARED)(encodings, people))
    a, p, n = semi_hard_triplets(encodings, people, GENERATOR)
    d_p = squared_distance(encodings[a], encodings[p])
    d_n = squared_distance(encodings[a], encodings[n])
    within = (d_p < d_n) & (d_n < d_p + margin)
    ours = rows((a[within], p[within], n[within]))
    assert ours <= theirs
    # and every pair that they have a negative for has one here
    assert {(a, p) for a, p, _ in ours} == {(a, p) for a, p, _ in theirs}


def rows(triplets: tuple[torch.Tensor, ...]) -> set[tuple[int, ...]]:
    return {tuple(row) for row in torch.stack(tuple(triplets)).T.tolist()}


def test_random_draws_evenly_and_by_its_generator_alone() -> None:
    encodings, people = torch.zeros((5, 128)), torch.tensor([0, 0, 1, 2, 2])
    GENERATOR.manual_seed(1)
    drawn = [random_triplets(encodings, people, GENERATOR) for _ in range(600)]
    negatives = torch.cat([n[(a == 0)] for a, _, n in drawn])
    counts = torch.bincount(negatives, minlength=5)
    assert counts[:2].sum() == 0
    assert ((counts[2:] > 150) & (counts[2:] < 250)).all()
    torch.manual_seed(99)
    again = random_triplets(encodings, people, torch.Generator().manual_seed(1))
    assert rows(again) == rows(drawn[0])


def test_random_triplets_of_people_apart_teach_next_to_nothing_and_hard_ones_do() -> None:
    generator = torch.Generator().manual_seed(0)
    people = torch.arange(40).repeat_interleave(4)
    centres = torch.zeros((40, 128))
    centres[:, :8] = torch.randn((40, 8), generator=generator) * 0.22
    encodings = centres[people] + torch.randn((160, 128), generator=generator) * 0.025
    active = {
        name: active_fraction(
            triplet_loss(*(encodings[i] for i in mine(encodings, people, generator)), 0.2)
        )
        for name, mine in MINERS.items()
    }
    assert active[MinerName.RANDOM] < 0.06
    assert active[MinerName.BATCH_HARD] > 0.3
    assert active[MinerName.SEMI_HARD] > 0.1


PEOPLE = ["a"] * 5 + ["b"] * 2 + ["c"] * 1 + ["d"] * 3


def test_sampler_gives_p_people_with_k_photos_none_twice() -> None:
    sampler = PKSampler(PEOPLE, p=2, k=3, seed=0)
    seen = set()
    for number in range(60):
        drawn = sampler.batch(number).tolist()
        names = [PEOPLE[i] for i in drawn]
        assert len(set(drawn)) == len(drawn)
        assert len(set(names)) == 2
        assert "c" not in names
        assert all(names.count(name) == (2 if name == "b" else 3) for name in names)
        seen |= set(drawn)
    assert seen == {i for i, name in enumerate(PEOPLE) if name != "c"}


def test_sampler_depends_on_seed_and_number_alone() -> None:
    one, other = (PKSampler(PEOPLE, p=2, k=2, seed=7) for _ in range(2))
    one.batch(0)
    assert one.batch(5).tolist() == other.batch(5).tolist()
    batches = {tuple(one.batch(n)) for n in range(20)}
    assert len(batches) > 5


def test_sampler_refuses_what_cannot_be_sampled() -> None:
    with pytest.raises(ValueError, match="two people"):
        PKSampler(["a", "a", "b"], p=2, k=2, seed=0)
    with pytest.raises(ValueError, match="1 x 2"):
        PKSampler(PEOPLE, p=1, k=2, seed=0)
    assert len({PEOPLE[i] for i in PKSampler(PEOPLE, p=50, k=2, seed=0).batch(0)}) == 3
