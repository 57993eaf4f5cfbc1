from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from facerec.core.dlib_weights import (
    find_model_file,
    load_face_net,
    parse_face_net,
    read_verified,
)
from facerec.core.errors import WeightsCorrupt, WeightsNotFound
from facerec.core.versions import ENCODER_SHA256, ENCODER_WEIGHTS


@pytest.fixture(scope="module")
def published() -> bytes:
    return find_model_file(ENCODER_WEIGHTS).read_bytes()


def test_the_published_network() -> None:
    weights = load_face_net()
    np.testing.assert_allclose(weights.mean, [122.782, 117.001, 104.298], rtol=1e-6)
    assert weights.chip_size == 150
    assert weights.convolutions[0].weight.shape == (32, 3, 7, 7)
    assert weights.convolutions[-1].weight.shape == (256, 256, 3, 3)
    assert [c.stride for c in weights.convolutions].count(2) == 5
    assert weights.projection.shape == (256, 128)


def test_finding_the_file_does_not_import_its_package() -> None:
    assert find_model_file(ENCODER_WEIGHTS).name == ENCODER_WEIGHTS
    assert "face_recognition_models" not in sys.modules


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=str(tmp_path)):
        find_model_file(ENCODER_WEIGHTS, tmp_path)
    with pytest.raises(WeightsNotFound):
        load_face_net(tmp_path / "nowhere.dat")


def test_one_changed_bit_is_refused(tmp_path: Path, published: bytes) -> None:
    changed = bytearray(published)
    changed[len(changed) // 2] ^= 1
    path = tmp_path / "changed.dat"
    path.write_bytes(changed)
    with pytest.raises(WeightsCorrupt, match="sha256"):
        load_face_net(path)


@pytest.mark.parametrize("kept", [0, 10, 300, 5_000, 1_000_000, -1])
def test_a_truncated_file_is_refused_even_unchecked(
    tmp_path: Path, published: bytes, kept: int
) -> None:
    path = tmp_path / "truncated.dat"
    path.write_bytes(published[:kept])
    with pytest.raises(WeightsCorrupt):
        load_face_net(path, sha256=None)


def test_what_is_no_network_is_refused(published: bytes) -> None:
    with pytest.raises(ValueError, match="not a dlib"):
        parse_face_net(b"\x89PNG" * 1000)
    with pytest.raises(ValueError, match="goes on"):
        parse_face_net(published + b"\0")
    for layer in (b"con_4", b"affine_", b"relu_"):
        with pytest.raises(ValueError):
            parse_face_net(published.replace(layer, b"x" * len(layer), 1))


def test_a_weight_that_is_not_finite_is_refused(published: bytes) -> None:
    first = load_face_net().convolutions[0].weight.tobytes()[:64]
    at = published.index(first)
    with pytest.raises(ValueError, match="finite"):
        parse_face_net(published[:at] + np.float32(np.nan).tobytes() + published[at + 4 :])


def test_read_verified_hands_back_the_bytes(published: bytes) -> None:
    assert read_verified(find_model_file(ENCODER_WEIGHTS), ENCODER_SHA256) == published
