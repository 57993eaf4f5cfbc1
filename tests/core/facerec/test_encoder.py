from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from facerec.core.alignment import FivePointAligner
from facerec.core.detector import HogDetector
from facerec.core.dlib_weights import ConvAffine, find_model_file, load_face_net
from facerec.core.encoder import VIEWS, Encoder, FaceNet, fold_affine, views
from facerec.core.versions import ENCODER_WEIGHTS
from tests.core.facerec.conftest import portrait


@pytest.fixture(scope="module")
def dlib_encoder():
    return dlib.face_recognition_model_v1(str(find_model_file(ENCODER_WEIGHTS)))


@pytest.fixture(scope="module")
def chips() -> np.ndarray:
    """Noise, flat and stepped chips, and two drawn faces: uint8 (6, 150, 150, 3)."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 150).astype(np.uint8)
    drawn = [
        np.asarray(portrait(seed).resize((150, 150), box=(100, 130, 380, 410))) for seed in (0, 1)
    ]
    return np.stack(
        [
            rng.integers(0, 256, (150, 150, 3), dtype=np.uint8),
            np.zeros((150, 150, 3), np.uint8),
            np.full((150, 150, 3), 255, np.uint8),
            np.broadcast_to(ramp[:, None, None], (150, 150, 3)).copy(),
            *drawn,
        ]
    )


def by_dlib(model, chips) -> np.ndarray:
    return np.array([np.array(model.compute_face_descriptor(chip)) for chip in chips])


def test_agrees_with_dlib(encoder: Encoder, dlib_encoder, chips: np.ndarray) -> None:
    assert np.abs(encoder.encode(chips) - by_dlib(dlib_encoder, chips)).max() < 1e-5


def test_agrees_with_dlib_on_real_faces(encoder: Encoder, dlib_encoder, real_faces: Path) -> None:
    detector, aligner = HogDetector(), FivePointAligner()
    chips = []
    for path in sorted(real_faces.glob("*.jpg")):
        image = Image.open(path).convert("RGB")
        chips += [aligner.align(np.asarray(image), found).chip for found in detector.detect(image)]
    assert len(chips) >= 5
    assert np.abs(encoder.encode(np.stack(chips)) - by_dlib(dlib_encoder, chips)).max() < 1e-5


def test_a_chip_is_encoded_alike_alone_and_in_any_batch(chips: np.ndarray) -> None:
    small = Encoder(batch_size=4)
    together = small.encode(chips)
    alone = np.concatenate([small.encode(chip[None]) for chip in chips])
    assert together.shape == (6, 128)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_no_chips_give_no_encodings(encoder: Encoder) -> None:
    assert encoder.encode(np.empty((0, 150, 150, 3), np.uint8)).shape == (0, 128)
    assert encoder.encode_symmetric(np.empty((0, 150, 150, 3), np.uint8)).shape == (0, 128)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 150, 150, 3), np.float32),
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((1, 3, 150, 150), np.uint8),
    ],
    ids=["float", "no batch axis", "channels first"],
)
def test_wrong_chips_are_refused(encoder: Encoder, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="chips must be"):
        encoder.encode(wrong)


def test_views_are_nearer_and_farther_and_mirrored() -> None:
    ramp = torch.arange(150.0).expand(1, 3, 150, 150)
    nearer, mirrored, farther, _ = views(ramp)[0]
    row = nearer[0, 75]
    assert row[75] - row[74] == pytest.approx(1.4 / 1.5, abs=1e-4)
    assert (row[74] + row[75]) / 2 == pytest.approx(74.5, abs=1e-3)  # about the centre
    torch.testing.assert_close(mirrored, nearer.flip(2))
    row = farther[0, 75]
    assert row[75] - row[74] == pytest.approx(1.6 / 1.5, abs=1e-4)
    assert row[0] == row[1] == 0  # the edge goes on


def test_the_symmetric_encoding_is_the_mean_over_the_views(
    encoder: Encoder, chips: np.ndarray
) -> None:
    some = torch.from_numpy(chips[:2]).permute(0, 3, 1, 2).float()
    looks = views(some).flatten(0, 1)
    with torch.inference_mode():
        each = FaceNet(load_face_net()).eval()(looks).view(2, VIEWS, 128)
    mean = each.mean(dim=1).numpy()
    np.testing.assert_allclose(encoder.encode_symmetric(chips[:2]), mean, atol=1e-5)
    mirrored = np.ascontiguousarray(chips[:2, :, ::-1])
    np.testing.assert_allclose(encoder.encode_symmetric(mirrored), mean, atol=1e-4)


class _Affine(nn.Module):
    def __init__(self, layer: ConvAffine) -> None:
        super().__init__()
        self.gamma = torch.from_numpy(layer.gamma).view(1, -1, 1, 1)
        self.beta = torch.from_numpy(layer.beta).view(1, -1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.gamma * x + self.beta


def _unfolded(layer: ConvAffine) -> nn.Module:
    filters, channels, rows, columns = layer.weight.shape
    conv = nn.Conv2d(channels, filters, (rows, columns), layer.stride, layer.padding)
    conv.weight.data = torch.from_numpy(layer.weight)
    conv.bias.data = torch.from_numpy(layer.bias)
    return nn.Sequential(conv, _Affine(layer))


def test_folding_leaves_the_network_as_it_was(chips: np.ndarray) -> None:
    weights = load_face_net()
    folded, unfolded = FaceNet(weights).eval(), FaceNet(weights).eval()
    layers = iter(weights.convolutions)
    unfolded.stem = _unfolded(next(layers))
    for block in unfolded.blocks:
        block.first, block.second = _unfolded(next(layers)), _unfolded(next(layers))
    x = torch.from_numpy(chips).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        torch.testing.assert_close(folded(x), unfolded(x), atol=1e-5, rtol=0)


def test_folding_known_values() -> None:
    layer = ConvAffine(
        weight=np.full((1, 1, 1, 1), 3, np.float32),
        bias=np.array([5], np.float32),
        gamma=np.array([2], np.float32),
        beta=np.array([7], np.float32),
        stride=1,
        padding=0,
    )
    weight, bias = fold_affine(layer)
    assert weight.item() == 6  # 2 * 3
    assert bias.item() == 17  # 2 * 5 + 7
