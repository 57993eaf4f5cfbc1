from __future__ import annotations

import contextlib
import gzip
import io
import pickle
import struct
import warnings
import zipfile
import zlib

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.types import MediumError, Volume, pack, unpack
from styletransfer.core.media.volume import stack
from styletransfer.core.media.volume.files import MOST_VOXELS, read
from styletransfer.core.media.volume.starters import STARTERS


def ramp(*shape: int) -> np.ndarray:
    """0, 1, 2 … along all axes."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def nifti(array: np.ndarray, affine: np.ndarray | None = None) -> nib.Nifti1Image:
    return nib.Nifti1Image(array, np.diag([-1, -1, 1, 1]) if affine is None else affine)


def zipped(pictures: dict[str, np.ndarray], kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, pixels in pictures.items():
            held = io.BytesIO()
            Image.fromarray(pixels).save(held, kind)
            archive.writestr(name, held.getvalue())
    return buffer.getvalue()


def grey_slices(count: int = 9, height: int = 10, width: int = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width), np.uint8) for _ in range(count)]


def refusal(data: bytes, name: str = "file") -> str:
    with pytest.raises(MediumError) as raised:
        read(data, name)
    assert raised.value.message.endswith(".")
    assert raised.value.hint
    return raised.value.code


class TestNumpy:
    @pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64", "bool"])
    def test_an_array_keeps_its_order(self, dtype: str) -> None:
        array = (ramp(8, 9, 10) % 2 if dtype == "bool" else ramp(8, 9, 10) % 200).astype(dtype)
        volume = read(npy(array), "a.npy")
        assert volume.values.shape == (1, 8, 9, 10)
        assert volume.values.dtype == np.float32
        low, high = volume.window
        back = low + (high - low) * volume.values[0]
        inside = (array > low) & (array < high)
        assert np.allclose(back[inside], array[inside].astype(float), atol=1e-3)
        assert volume.values.min() == 0
        assert volume.values.max() == 1

    def test_columns_first_is_the_same(self) -> None:
        array = ramp(8, 9, 10)
        assert np.array_equal(
            read(npy(array), "").values, read(npy(np.asfortranarray(array)), "").values
        )

    def test_a_fourth_axis_of_three_is_colours(self) -> None:
        array = np.random.default_rng(0).integers(0, 256, (8, 9, 10, 3), np.uint8)
        volume = read(npy(array), "a.npy")
        assert volume.values.shape == (3, 8, 9, 10)
        assert volume.window == (0, 255)
        assert np.allclose(volume.values[2, 3, 4, 5] * 255, array[3, 4, 5, 2], atol=1e-3)

    def test_axes_of_length_one_are_left_out(self) -> None:
        assert read(npy(ramp(1, 8, 9, 10, 1)), "").values.shape == (1, 8, 9, 10)

    def test_the_window_leaves_outliers_out(self) -> None:
        array = np.random.default_rng(0).uniform(0, 1, (16, 16, 16))
        array[0, 0, 0] = 1e6
        low, high = read(npy(array), "").window
        assert -0.01 < low < 0.02
        assert 0.98 < high < 1.01

    def test_a_rare_phase_is_not_cut_away(self) -> None:
        array = np.zeros((16, 16, 16))
        array[8, 8, 8] = 7
        volume = read(npy(array), "")
        assert volume.window == (0, 7)
        assert volume.values.sum() == 1

    def test_an_npz_of_one_array(self) -> None:
        array = ramp(8, 9, 10)
        assert np.array_equal(read(npz(a=array), "").values, read(npy(array), "").values)
        assert refusal(npz(a=array, b=array)) == "not_one_array"

    @pytest.mark.parametrize(
        ("array", "code"),
        [
            (np.zeros((0, 8, 8)), "volume_empty"),
            (ramp(9, 10), "not_three_axes"),
            (np.float32(3), "not_three_axes"),
            (ramp(8, 8, 8, 4), "not_three_axes"),
            (ramp(2, 8, 8, 8, 3), "not_three_axes"),
            (ramp(4, 16, 16), "volume_too_small"),
            (np.zeros((513, 8, 8), np.uint8), "volume_too_large"),
            (np.full((8, 8, 8), 0.1), "constant"),
            (ramp(8, 8, 8) + 1j, "complex_numbers"),
            (np.full((8, 8, 8), "a"), "not_numbers"),
            (np.full((8, 8, 8), np.inf), "not_finite"),
        ],
    )
    def test_what_is_no_volume_is_told_so(self, array: np.ndarray, code: str) -> None:
        assert refusal(npy(array)) == code

    def test_one_nan_is_enough(self) -> None:
        array = ramp(8, 8, 8)
        array[3, 4, 5] = np.nan
        assert refusal(npy(array)) == "not_finite"

    def test_objects_are_never_opened(self) -> None:
        class Trap:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return (pytest.fail, ("a pickle was opened",))

        array = np.empty((8, 8, 8), object)
        array[:] = Trap()
        assert refusal(npy(array)) == "pickled"
        assert refusal(npz(a=array)) == "pickled"
        assert refusal(pickle.dumps([1, 2])) == "not_a_volume"

    def test_a_header_that_promises_more_than_there_is(self) -> None:
        assert refusal(npy(ramp(8, 9, 10))[:-1]) == "volume_damaged"
        assert refusal(npy(ramp(8, 9, 10))[:20]) == "volume_damaged"
        assert (
            refusal(npy(ramp(8, 9, 10)).replace(b"(8, 9, 10)", b"(8, 9, 10(")) == "volume_damaged"
        )

    def test_a_bomb_is_judged_by_its_header(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stack, "MOST_BYTES", 100_000)
        bomb = npz(a=np.zeros((60, 60, 60), np.float64))
        assert len(bomb) < 10_000
        assert refusal(bomb) == "volume_too_large"
        lies = bytearray(bomb)  # the header in it is small, the directory promises much
        at = lies.rfind(b"PK\x01\x02") + 24
        lies[at : at + 4] = struct.pack("<I", 2**31)
        assert refusal(bytes(lies)) == "volume_too_large"


class TestNifti:
    @pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
    def test_axes_grow_down_back_and_left(self, ending: str) -> None:
        """NIfTI's x grows to the right and its y to the front, where the affine says so (RAS)."""
        array = ramp(8, 9, 10)
        raw = nifti(array, np.diag([0.5, 0.6, 2.0, 1])).to_bytes()
        volume = read(gzip.compress(raw) if ending == ".nii.gz" else raw, "a" + ending)
        assert volume.values.shape == (1, 10, 9, 8)
        assert np.allclose(volume.spacing, (2.0, 0.6, 0.5))
        low, high = volume.window
        expected = np.clip((array.T[::-1, ::-1, ::-1] - low) / (high - low), 0, 1)
        assert np.allclose(volume.values[0], expected, atol=1e-5)

    def test_a_turned_one_is_turned_back(self) -> None:
        array = ramp(8, 9, 10)
        upright = read(nifti(array).to_bytes(), "")
        sagittal = np.zeros((4, 4))  # the file's first axis grows down, its second to the left
        sagittal[2, 0], sagittal[0, 1], sagittal[1, 2], sagittal[3, 3] = -1, -1, -1, 1
        turned = read(nifti(array.transpose(2, 0, 1)[::-1], sagittal).to_bytes(), "")
        assert np.array_equal(upright.values, turned.values)

    def test_slope_and_intercept_count(self) -> None:
        image = nifti(ramp(8, 8, 8).astype(np.int16) % 100)
        image.header.set_slope_inter(2.0, -50.0)
        raw = bytearray(image.to_bytes())
        raw[112:120] = np.array([2.0, -50.0], "<f4").tobytes()
        low, high = read(bytes(raw), "").window
        assert (low, high) == pytest.approx((-50, 148), abs=2.5)

    def test_microns_become_millimetres(self) -> None:
        image = nifti(ramp(8, 8, 8), np.diag([-20.0, -20.0, 40.0, 1]))
        image.header.set_xyzt_units("micron")
        assert np.allclose(read(image.to_bytes(), "").spacing, (0.04, 0.02, 0.02))

    def test_nifti_2_and_a_series_of_one(self) -> None:
        array = ramp(8, 9, 10)
        two = nib.Nifti2Image(array[..., None], np.diag([-1, -1, 1, 1])).to_bytes()
        assert np.array_equal(read(two, "").values, read(nifti(array).to_bytes(), "").values)

    def test_what_is_no_volume_is_told_so(self) -> None:
        assert refusal(nifti(ramp(8, 8, 8, 5)).to_bytes()) == "not_three_axes"
        assert refusal(nifti(ramp(8, 8, 8).astype(np.complex64)).to_bytes()) == "complex_numbers"
        assert refusal(nifti(ramp(8, 8, 8)).to_bytes()[:-1]) == "volume_damaged"
        assert refusal(gzip.compress(nifti(ramp(8, 8, 8)).to_bytes())[:200]) == "volume_damaged"
        assert refusal(gzip.compress(b"words")) == "not_a_volume"
        assert refusal(b"\x1f\x8bwords") == "volume_damaged"

    def test_a_bomb_is_read_as_far_as_its_header_promises(self) -> None:
        """1 GB of zeros after a small volume stays packed; a promise of as much is refused."""
        small = nifti(ramp(8, 8, 8)).to_bytes()
        zeros = gzip.compress(bytes(64 * 1024**2), 9) * 16
        assert read(gzip.compress(small) + zeros, "").values.shape == (1, 8, 8, 8)
        header = bytearray(small[:352])
        header[40:56] = np.array([3, 512, 512, 512, 1, 1, 1, 1], "<i2").tobytes()
        header[70:74] = np.array([64, 64], "<i2").tobytes()  # float64
        assert refusal(gzip.compress(bytes(header)) + zeros) == "volume_too_large"
        far = bytearray(small)
        far[108:112] = np.array([1e12], "<f4").tobytes()  # vox_offset
        assert refusal(gzip.compress(bytes(far)) + zeros) == "volume_damaged"

    @given(at=st.integers(0, 351), byte=st.integers(0, 255))
    @settings(max_examples=60, deadline=None)
    def test_a_damaged_header_is_refused_or_read(self, at: int, byte: int) -> None:
        raw = bytearray(nifti(ramp(8, 8, 8).astype(np.int16)).to_bytes())
        raw[at] = byte
        try:
            volume = read(bytes(raw), "")
        except MediumError:
            return
        assert volume.values.min() >= 0
        assert np.isfinite(volume.spacing).all()


class TestStacks:
    @given(seed=st.integers(0, 999))
    @settings(max_examples=40, deadline=None)
    def test_a_damaged_stack_is_refused_or_read(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        kind = ("PNG", "TIFF", "BMP", "WEBP", "GIF")[seed % 5]
        slices = {f"{k}.x": s for k, s in enumerate(grey_slices(8, 9, 9))}
        raw = bytearray(zipped(slices, kind))
        for at in rng.integers(0, len(raw), 4):
            raw[at] = rng.integers(0, 256)
        with warnings.catch_warnings(action="ignore"), contextlib.suppress(MediumError):
            read(bytes(raw), "")

    def test_a_zip_in_the_order_of_numbers(self) -> None:
        slices = grey_slices(12)
        names = [f"scan/slice{k}.png" for k in range(12)]
        litter = {"__MACOSX/._slice0.png": slices[0]}
        data = zipped(dict(zip(names[::-1], slices[::-1], strict=True)) | litter)
        volume = read(data, "s.zip")
        assert volume.values.shape == (1, 12, 10, 12)
        assert np.array_equal(volume.values, read(npy(np.stack(slices)), "").values)

    def test_colours_and_grey_saved_as_colours(self) -> None:
        rng = np.random.default_rng(0)
        colours = [rng.integers(0, 256, (9, 9, 3), np.uint8) for _ in range(8)]
        volume = read(zipped({f"{k}.png": c for k, c in enumerate(colours)}), "")
        assert np.allclose(volume.values * 255, np.stack(colours).transpose(3, 0, 1, 2), atol=1e-3)
        grey = [np.repeat(c[..., :1], 3, -1) for c in colours]
        assert read(zipped({f"{k}.png": g for k, g in enumerate(grey)}), "").values.shape[0] == 1

    def test_the_pages_of_a_tiff(self) -> None:
        pages = [p.astype(np.uint16) * 257 for p in grey_slices()]
        held = io.BytesIO()
        first, *rest = (Image.fromarray(p) for p in pages)
        first.save(held, "TIFF", save_all=True, append_images=rest)
        volume = read(held.getvalue(), "")
        assert np.array_equal(volume.values, read(npy(np.stack(pages)), "").values)
        with warnings.catch_warnings(action="ignore"):
            assert refusal(held.getvalue()[:900]) == "volume_damaged"

    def test_what_is_no_stack_is_told_so(self) -> None:
        few = {f"{k}.png": s for k, s in enumerate(grey_slices(5))}
        assert refusal(zipped(few)) == "volume_too_small"
        assert refusal(zipped({})) == "volume_empty"
        unequal = {f"{k}.png": s for k, s in enumerate(grey_slices(8))}
        unequal["8.png"] = np.zeros((11, 12), np.uint8)
        assert refusal(zipped(unequal)) == "unequal_pictures"
        wide = {f"{k}.png": np.zeros((8, 600), np.uint8) for k in range(8)}
        assert refusal(zipped(wide)) == "volume_too_large"
        many = {f"{k}.png": np.zeros((8, 8), np.uint8) for k in range(513)}
        assert refusal(zipped(many)) == "volume_too_large"
        text = io.BytesIO()
        with zipfile.ZipFile(text, "w") as archive:
            for k in range(9):
                archive.writestr(f"{k}.txt", "words")
        assert refusal(text.getvalue()) == "not_a_picture"
        assert refusal(zipped(few)[:-30]) == "volume_damaged"

    def test_a_page_as_wide_as_a_bomb_is_not_decoded(self) -> None:
        side = struct.pack(">I", 30_000)
        header = b"IHDR" + side + side + bytes([1, 0, 0, 0, 0])
        bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
        bomb += struct.pack(">I", zlib.crc32(header)) + struct.pack(">I", 0) + b"IDAT"
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            for k in range(9):
                archive.writestr(f"{k}.png", bomb)
        assert refusal(held.getvalue()) == "volume_too_large"

    def test_a_long_directory_is_not_read(self) -> None:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            for k in range(4000):
                archive.writestr(f"{k:0300}.png", b"")
        assert refusal(held.getvalue()) == "too_many_files"


def test_files_of_no_kind() -> None:
    assert refusal(b"") == "empty_file"
    assert refusal(b"words") == "not_a_volume"
    picture = io.BytesIO()
    Image.new("L", (9, 9)).save(picture, "PNG")
    assert refusal(picture.getvalue()) == "not_a_volume"


def test_a_large_volume_is_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.random.default_rng(0).uniform(0, 1, (200, 125, 125)).astype(np.float32)
    volume = read(npy(array), "")
    _, *shape = volume.values.shape
    assert np.prod(shape) == pytest.approx(MOST_VOXELS, rel=0.03)
    assert shape[0] / shape[1] == pytest.approx(1.6, rel=0.02)
    assert volume.spacing[0] == pytest.approx(200 / shape[0])
    low, high = volume.window
    assert low + (high - low) * volume.values.mean() == pytest.approx(array.mean(), abs=0.002)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_delivered_can_be_read_again(channels: int) -> None:
    values = np.random.default_rng(0).uniform(0, 1, (channels, 8, 9, 10)).astype(np.float32)
    values.flat[::7], values.flat[::11] = 0, 1
    window = (-1000.0, 2000.0) if channels == 1 else (0.0, 255.0)
    volume = Volume(values, (2.0, 0.5, 0.7), window)
    files = registry.deliver(volume)
    assert list(files) == ["volume.nii.gz", "volume.npy"]
    again = read(files["volume.nii.gz"], "volume.nii.gz")
    assert np.allclose(again.values, values, atol=0.003)
    assert np.allclose(again.spacing, volume.spacing)
    assert np.allclose(again.window, window)
    array = np.load(io.BytesIO(files["volume.npy"]))
    assert array.shape == ((8, 9, 10) if channels == 1 else (8, 9, 10, 3))
    assert np.array_equal(array.reshape(8, 9, 10, channels).transpose(3, 0, 1, 2), values)
    kept = unpack(pack(volume))
    assert isinstance(kept, Volume)
    assert kept.window == window


@pytest.mark.parametrize("starter", STARTERS, ids=lambda s: s.name)
def test_starters_are_volumes_with_structure(starter: registry.Starter) -> None:
    volume = starter.make()
    assert isinstance(volume, Volume)
    assert volume.values.shape == (1, 64, 64, 64)
    assert volume.values.dtype == np.float32
    assert volume.values.min() >= 0
    assert volume.values.max() <= 1
    assert volume.values.std() > 0.15
