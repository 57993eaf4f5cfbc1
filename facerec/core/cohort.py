"""An adapter from a cohort: many people, few photos each.

Two things are learnt, both too small to learn anybody by heart: which directions vary between
photos of one person (WCCN), and where strangers crowd (the local scale). How they were chosen, and
what else was tried, stands in docs/faces.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from facerec.core.adapter import Adapter, LocalScale
from facerec.core.types import ENCODING_SIZE, Encoding
from facerec.core.versions import BACKBONE_VERSION

SHRINKAGE = 0.9
"""How far the within-person covariance is drawn towards the identity's multiple: 1,400 people with
two photos or more tell little about its 8,256 numbers."""

NEIGHBOURS = 10
STRENGTH = 8.0
"""h(u) = 8 times (the mean cosine of u and its 10 nearest strangers, less its median)."""

_NETS, _UNITS, _STEPS, _BATCH = 4, 32, 400, 512
_NOISE = 0.2  # added to standardised inputs, so that no net learns single photos

Doubles = NDArray[np.float64]


def fit_adapter(
    encodings: Encoding,
    people: Sequence[str],
    *,
    version: str,
    backbone: str = BACKBONE_VERSION,
    seed: int = 0,
) -> Adapter:
    """encodings: the backbone's, (N, 128). people: N names. Takes seconds.

    Raises ValueError for fewer than 100 people, or none with two photos.
    """
    names, person = np.unique(np.asarray(people), return_inverse=True)
    if len(names) < 100:
        raise ValueError(f"{len(names)} people are no cohort: 100 are needed")
    weight = whitening(_unit(np.asarray(encodings, np.float64)), person)
    units = _unit(np.asarray(encodings, np.float64) @ weight.T)
    crowding = nearness_of_strangers(units, person)
    scale = _fit_scale(units, STRENGTH * (crowding - np.median(crowding)), seed)
    return Adapter(weight, version=version, unit=True, scale=scale, backbone=backbone)


def whitening(encodings: Doubles, person: NDArray[np.integer[Any]]) -> Doubles:
    """W = S^(-1/2) with S the within-person covariance, shrunk, of trace 128. Each person counts
    alike. person: (N,) indices from 0. Source: Hatch et al. 2006 (WCCN); Ledoit and Wolf 2004."""
    photos = np.bincount(person)
    means = np.zeros((len(photos), ENCODING_SIZE))
    np.add.at(means, person, encodings)
    means /= np.maximum(photos, 1)[:, None]
    several = photos[person] > 1
    if not several.any():
        raise ValueError("nobody has two photos")
    rest = (encodings - means[person])[several]
    within = (rest / (photos[person][several] - 1)[:, None]).T @ rest
    within *= ENCODING_SIZE / np.trace(within)
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * within + SHRINKAGE * np.eye(ENCODING_SIZE))
    return np.asarray((vectors * values**-0.5) @ vectors.T)


def nearness_of_strangers(units: Doubles, person: NDArray[np.integer[Any]]) -> Doubles:
    """The mean cosine of each photo and its nearest other people, one photo of each: (N,)."""
    people, first = np.unique(person, return_index=True)
    near = np.empty(len(units))
    for rows in np.array_split(np.arange(len(units)), max(1, len(units) // 500)):
        cosines = units[rows] @ units[first].T
        cosines[person[rows, None] == people] = -1
        near[rows] = np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    return near


def cross_fitted(
    encodings: Encoding, people: Sequence[str], fold: NDArray[np.integer[Any]], *, seed: int = 0
) -> Iterator[tuple[NDArray[np.bool_], Adapter]]:
    """For each fold, its photos (a mask) and the adapter fitted to the other folds: no person may
    be in two. What is measured so is measured on people whom the adapter has not seen."""
    for one in np.unique(fold):
        inside = np.asarray(fold) == one
        others = np.asarray(people)[~inside]
        yield (
            inside,
            fit_adapter(encodings[~inside], others.tolist(), version=f"without-{one}", seed=seed),
        )


def _unit(vectors: Doubles) -> Doubles:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _fit_scale(units: Doubles, target: Doubles, seed: int) -> LocalScale:
    """The mean of a few small nets, which is one net with all their hidden units."""
    generator = torch.Generator().manual_seed(seed)
    mean, deviation = units.mean(axis=0), units.std()
    centre, spread = target.mean(), target.std()
    x = torch.from_numpy((units - mean) / deviation).float()
    y = torch.from_numpy((target - centre) / spread).float()
    nets = [_fit_net(x, y, generator) for _ in range(_NETS)]
    hidden = np.concatenate([net[0] for net in nets]) / deviation
    shift = np.concatenate([net[1] for net in nets]) - hidden @ mean
    out = np.concatenate([net[2] for net in nets]) * spread / _NETS
    offset = np.mean([net[3] for net in nets], axis=0) * spread + centre
    return LocalScale(
        hidden=hidden.astype(np.float32),
        shift=shift.astype(np.float32),
        out=out.astype(np.float32),
        offset=offset.astype(np.float32),
    )


def _fit_net(x: torch.Tensor, y: torch.Tensor, generator: torch.Generator) -> tuple[Doubles, ...]:
    """A (H, 128), a (H,), v (H,) and c (1,) of the net that fits y (N,) to x (N, 128) best."""

    def drawn(*shape: int) -> torch.Tensor:
        bound = shape[-1] ** -0.5
        values: torch.Tensor = (torch.rand(shape, generator=generator) * 2 - 1) * bound
        return values.requires_grad_()

    hidden, out = drawn(_UNITS, ENCODING_SIZE), drawn(1, _UNITS)
    shift, offset = torch.zeros(_UNITS, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.AdamW([hidden, shift, out, offset], lr=5e-3, weight_decay=1e-2)
    for _ in range(_STEPS):
        rows = torch.randint(len(x), (_BATCH,), generator=generator)
        noisy = x[rows] + _NOISE * torch.randn(_BATCH, ENCODING_SIZE, generator=generator)
        predicted = nn.functional.silu(noisy @ hidden.T + shift) @ out[0] + offset
        loss = (predicted - y[rows]).square().mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    parts = hidden, shift, out[0], offset
    return tuple(part.detach().double().numpy() for part in parts)
