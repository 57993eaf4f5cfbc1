from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from facerec.core.adapter import IDENTITY, Adapter, LocalScale
from facerec.core.distance import squared_distance
from facerec.core.errors import WeightsCorrupt, WeightsNotFound
from facerec.core.versions import BACKBONE_VERSION


@pytest.fixture
def encodings() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(7, 128)).astype(np.float32)


@pytest.fixture
def adapter() -> Adapter:
    rng = np.random.default_rng(1)
    weight = np.eye(128) + rng.normal(size=(128, 128)) / 50
    return Adapter(weight, rng.normal(size=128), version="club-1")


@pytest.fixture
def scale() -> LocalScale:
    rng = np.random.default_rng(2)
    hidden, shift, out = rng.normal(size=(4, 128)), rng.normal(size=4), rng.normal(size=4) / 50
    return LocalScale(*(np.float32(part) for part in (hidden, shift, out, [0.01])))


def test_the_identity_changes_nothing(encodings: np.ndarray) -> None:
    assert IDENTITY(encodings) is encodings
    assert IDENTITY.encoder_version == BACKBONE_VERSION


def test_it_is_w_x_plus_b(adapter: Adapter, encodings: np.ndarray) -> None:
    adapted = adapter(encodings)
    expected = [adapter.weight.astype(float) @ x + adapter.bias for x in encodings]
    np.testing.assert_allclose(adapted, expected, atol=1e-5)
    assert adapted.dtype == np.float32
    np.testing.assert_allclose(adapter(encodings[0]), adapted[0], atol=1e-6)


def test_the_bias_cancels_in_the_distance(adapter: Adapter, encodings: np.ndarray) -> None:
    a, b = adapter(encodings[:2])
    difference = adapter.weight @ (encodings[0] - encodings[1])
    assert squared_distance(a, b) == pytest.approx(float(difference @ difference), rel=1e-4)


def test_at_unit_length_the_distance_is_two_minus_two_cosines(encodings: np.ndarray) -> None:
    adapter = Adapter(np.diag(np.arange(1, 129)), version="unit", unit=True)
    a, b = adapter(encodings[:2])
    assert np.linalg.norm(a) == pytest.approx(1, abs=1e-6)
    assert squared_distance(a, b) == pytest.approx(2 - 2 * float(a @ b), abs=1e-5)
    assert np.isfinite(adapter(np.zeros((1, 128), np.float32))).all()


def test_a_local_scale_stretches_without_turning(encodings: np.ndarray, scale: LocalScale) -> None:
    adapted = Adapter(np.eye(128), version="s", unit=True, scale=scale)(encodings)
    for x, y in zip(encodings, adapted, strict=True):
        u = x.astype(float) / np.linalg.norm(x)
        z = scale.hidden.astype(float) @ u + scale.shift
        h = (z / (1 + np.exp(-z))) @ scale.out + 0.01
        np.testing.assert_allclose(y, u * np.exp(h), atol=1e-6)
    np.testing.assert_allclose(
        Adapter(np.eye(128), version="s", unit=True, scale=scale)(encodings[0]),
        adapted[0],
        atol=1e-6,
    )


@pytest.mark.parametrize("side", [-1, 1])
def test_a_local_scale_guesses_nothing_beyond_what_was_seen(
    encodings: np.ndarray, scale: LocalScale, side: int
) -> None:
    far = LocalScale(scale.hidden, scale.shift, scale.out, np.full(1, side * 9, np.float32))
    adapted = Adapter(np.eye(128), version="s", unit=True, scale=far)(encodings)
    np.testing.assert_allclose(np.linalg.norm(adapted, axis=1), np.exp(side * 0.2), rtol=1e-5)


def test_a_local_scale_needs_unit_length(scale: LocalScale) -> None:
    with pytest.raises(ValueError, match="unit length"):
        Adapter(np.eye(128), version="s", scale=scale)
    with pytest.raises(ValueError, match="shape"):
        LocalScale(scale.hidden, scale.shift[:2], scale.out, scale.offset)


def test_another_map_before_the_same_rest(scale: LocalScale, encodings: np.ndarray) -> None:
    before = Adapter(np.eye(128), version="s", unit=True, scale=scale, backbone="b")
    after = before.with_map(2 * np.eye(128), np.zeros(128), "club-1")
    np.testing.assert_allclose(after(encodings), before(encodings), atol=1e-6)  # unit length
    assert (after.version, after.backbone) == ("club-1", "b")


def test_none_at_all_may_be_adapted(adapter: Adapter) -> None:
    assert adapter(np.empty((0, 128), np.float32)).shape == (0, 128)


def test_its_name_joins_the_backbones(adapter: Adapter) -> None:
    assert adapter.encoder_version == f"{BACKBONE_VERSION}+club-1"


@pytest.mark.parametrize(("unit", "scaled"), [(False, False), (True, False), (True, True)])
def test_it_is_the_same_after_saving(
    tmp_path: Path,
    adapter: Adapter,
    scale: LocalScale,
    encodings: np.ndarray,
    unit: bool,
    scaled: bool,
) -> None:
    path = tmp_path / "club.safetensors"
    rest = {"unit": unit, "scale": scale if scaled else None, "backbone": "other"}
    kept = Adapter(adapter.weight, adapter.bias, version="club-1", **rest)
    sha256 = kept.save(path)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    again = Adapter.load(path, sha256)
    np.testing.assert_array_equal(again(encodings), kept(encodings))
    assert (again.version, again.unit, again.backbone) == ("club-1", unit, "other")


def test_a_changed_file_is_refused(tmp_path: Path, adapter: Adapter) -> None:
    path = tmp_path / "club.safetensors"
    sha256 = adapter.save(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsCorrupt, match="SHA-256"):
        Adapter.load(path, sha256)


def test_a_file_that_is_no_adapter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(WeightsNotFound):
        Adapter.load(path)
    for content in (b"", b"\x80\x04K\x01.", b"\xff" * 64, b"\x02" + bytes(7) + b"{}"):
        path.write_bytes(content)
        with pytest.raises(WeightsCorrupt):
            Adapter.load(path)


@pytest.mark.parametrize("weight", [np.eye(127), np.full((128, 128), np.nan)])
def test_wrong_numbers_are_refused(tmp_path: Path, weight: np.ndarray) -> None:
    with pytest.raises(ValueError, match="weight"):
        Adapter(weight, version="x")
    path = tmp_path / "a.safetensors"
    about = {"format": "likeness-adapter-1", "version": "x", "backbone": "b", "unit": "false"}
    save_file({"weight": weight, "bias": np.zeros(128)}, path, metadata=about)
    with pytest.raises(WeightsCorrupt):
        Adapter.load(path)


def test_it_loads_no_torch() -> None:
    code = "import sys, facerec.core.adapter, facerec.core.metrics; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
