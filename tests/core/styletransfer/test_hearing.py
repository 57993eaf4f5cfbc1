"""What of a sound is compared, from the waveform on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from styletransfer.core.features import NetworkExtractor
from styletransfer.core.hearing import (
    BANDS,
    HOP,
    OUTLINE,
    WINDOW,
    Hearing,
    Looking,
    MelSpectrogram,
    Scale,
)
from styletransfer.core.texture import TextureObjective

RATE = 22_050
SCALES = (Scale("short", 9), Scale("long", 5, shrink=4))


def noise(samples: int = 40_000, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(seed))


def tone(hertz: float, level: float = 0.5, samples: int = 20_000) -> Tensor:
    return level * torch.sin(2 * torch.pi * hertz * torch.arange(samples) / RATE)[None, None]


def hearing(wave: Tensor) -> Hearing:
    return Hearing(MelSpectrogram(RATE, wave), wave, SCALES)


def test_the_loudest_band_of_a_tone_is_its_own_and_has_level_one() -> None:
    wave = tone(40 * RATE / WINDOW)
    levels = MelSpectrogram(RATE, wave)(wave)
    assert levels.shape == (1, BANDS, (20_000 - WINDOW) // HOP + 1)
    assert levels.max() == pytest.approx(1 - 1e-5**0.25, abs=1e-3)
    expected = 2595 * torch.log10(torch.tensor(1 + 40 * RATE / WINDOW / 700))
    highest = 2595 * torch.log10(torch.tensor(1 + RATE / 2 / 700))
    band = float(expected / highest * (BANDS + 1)) - 1
    assert levels.mean(2).argmax() == pytest.approx(band, abs=1)


def test_half_the_amplitude_has_the_root_of_half_the_level() -> None:
    wave = tone(1000)
    spectrogram = MelSpectrogram(RATE, wave)
    whole, half = (spectrogram(a * wave).max() + 1e-5**0.25 for a in (1, 0.5))
    assert half / whole == pytest.approx(0.5**0.5, rel=1e-3)


def test_silence_is_zero_and_has_a_gradient() -> None:
    silence = torch.zeros(1, 1, 8000, requires_grad=True)
    levels = MelSpectrogram(RATE, noise())(silence)
    assert levels.abs().max() == 0
    (gradient,) = torch.autograd.grad(levels.sum(), silence)
    assert gradient.isfinite().all()


def test_layers_are_the_scales_and_the_outline() -> None:
    wave = noise()
    heard = hearing(wave)
    assert heard.layers == ("short", "long", OUTLINE)
    features = heard(wave, heard.layers)
    frames = (40_000 - WINDOW) // HOP + 1
    assert features["short"].shape == (1, 31 * 16, frames - 8)
    assert features["long"].shape == (1, 31 * 16, frames // 4 - 4)
    assert features[OUTLINE].shape == (1, BANDS, frames)
    assert (features["short"] >= 0).all()
    assert features[OUTLINE].mean(2).abs().max() < 1e-4


def test_a_filter_hears_its_own_range_alone() -> None:
    """White noise with a low tone added: filters of high ranges give what they gave."""
    wave = noise()
    heard = hearing(wave)
    with_tone = wave + tone(200, 0.2, wave.shape[-1])
    before, after = (heard(x, ["short"])["short"].view(31, 16, -1) for x in (wave, with_tone))
    changed = (before - after).abs().amax((1, 2))
    assert changed[1] > 10
    assert changed[12:].max() < 1e-3 * changed[1]


def test_the_seed_alone_decides_the_filters() -> None:
    wave = noise()
    spectrogram = MelSpectrogram(RATE, wave)
    one, same, other = (Hearing(spectrogram, wave, SCALES, seed=s) for s in (1, 1, 2))
    assert torch.equal(one(wave, ["short"])["short"], same(wave, ["short"])["short"])
    assert not torch.equal(one(wave, ["short"])["short"], other(wave, ["short"])["short"])
    assert one.version == same.version != other.version


def test_an_unknown_layer_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        hearing(noise())(noise(), ["loud"])


@pytest.mark.parametrize("layer", ["short", "long", OUTLINE])
def test_a_layers_field_is_what_its_gradient_reaches(layer: str) -> None:
    wave = noise(60_000).requires_grad_()
    heard = hearing(wave.detach())
    position = 7
    value = heard(wave, [layer])[layer][:, :, position].square().sum()
    (gradient,) = torch.autograd.grad(value, wave)
    reached = gradient[0, 0].nonzero()
    field = heard.field(layer)
    first = field.start + position * field.stride
    assert first <= int(reached[0]) <= first + 2  # the window's first sample has weight 0
    assert first + field.size - 3 <= int(reached[-1]) < first + field.size


def evaluate(
    extractor: Hearing | Looking, layers: list[str], tile: int | None
) -> tuple[float, Tensor]:
    objective = TextureObjective(
        extractor,
        noise(40_000, 1) * torch.linspace(0, 1, 40_000),
        noise(60_000, 2),
        layer_weights=dict.fromkeys(layers, 1.0),
        content=noise(60_000, 3),
        content_layer=OUTLINE,
        tile=tile,
    )
    found = objective.evaluate(noise(60_000, 4))
    return found.value, found.gradient


@pytest.mark.parametrize("tile", [20_000, 33_333])
def test_a_long_sound_in_tiles_is_the_same_sound(tile: int) -> None:
    heard = hearing(noise())
    whole, tiled = (evaluate(heard, ["short", "long"], t) for t in (None, tile))
    assert tiled[0] == pytest.approx(whole[0], rel=1e-5)
    assert (tiled[1] - whole[1]).norm() < 1e-4 * whole[1].norm()


def test_lite_sees_the_spectrogram_as_a_picture(lite: NetworkExtractor) -> None:
    wave = noise()
    looking = Looking(MelSpectrogram(RATE, wave), lite)
    features = looking(wave, ["relu1_1", "relu2_1", OUTLINE])
    frames = (40_000 - WINDOW) // HOP + 1
    assert features["relu1_1"].shape == (1, 16, frames, BANDS)
    assert features["relu2_1"].shape == (1, 32, frames // 2, BANDS // 2)
    assert features[OUTLINE].shape == (1, BANDS, frames)
    assert looking.layers == (*lite.layers, OUTLINE)


def test_lite_in_tiles_is_lite(lite: NetworkExtractor) -> None:
    looking = Looking(MelSpectrogram(RATE, noise()), lite)
    whole, tiled = (evaluate(looking, ["relu1_1", "relu3_1"], t) for t in (None, 20_000))
    assert tiled[0] == pytest.approx(whole[0], rel=1e-5)
    assert (tiled[1] - whole[1]).norm() < 1e-3 * whole[1].norm()
