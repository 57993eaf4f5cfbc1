"""A folder or an archive becomes people with photos, or says what is wrong with it."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facerec.photosets import PhotoSet, pictures
from facerec.photosets.labels import read_labels
from webapp.archives import sources
from webapp.errors import UserFacingError

Files = dict[str, bytes]


def jpeg(size: tuple[int, int] = (40, 30), colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


PHOTO = jpeg()


def folder(root: Path, files: Files) -> Path:
    for name, data in files.items():
        path = root / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root / "set"


def archive(root: Path, files: Files, **options: int) -> Path:
    path = root / "set.zip"
    with zipfile.ZipFile(path, "w", **options) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return path


both = pytest.mark.parametrize("pack", [folder, archive])


def refusal_of(path: Path) -> UserFacingError:
    with pytest.raises(UserFacingError) as caught:
        PhotoSet.open(path)
    assert caught.value.field == "archive"
    return caught.value


@both
def test_a_folder_a_person(tmp_path: Path, pack: Callable[..., Path]) -> None:
    files = {"Bob/b.PNG": PHOTO, "Ada Example/2.jpg": jpeg((64, 48)), "Ada Example/1.jpg": PHOTO}
    with PhotoSet.open(pack(tmp_path, files)) as photos:
        assert list(photos.people) == ["Ada Example", "Bob"]
        assert [photo.name for photo in photos.people["Ada Example"]] == ["1.jpg", "2.jpg"]
        assert photos.total == 3
        assert [photo.read().size for photo in photos.photos()] == [(40, 30), (64, 48), (40, 30)]


@both
def test_as_lfw_with_labels_and_what_is_no_photo(tmp_path: Path, pack: Callable[..., Path]) -> None:
    files = {
        "lfw/images/Ada_A/Ada_A_0001.jpg": PHOTO,
        "lfw/images/Bob_B/Bob_B_0001.jpg": PHOTO,
        "lfw/images/Bob_B/.hidden.jpg": PHOTO,
        "lfw/pairs.txt": b"1 1",
        "lfw/labels.csv": "Person;Age group\nAda_A;30\nBob_B;\n".encode("utf-8-sig"),
    }
    with PhotoSet.open(pack(tmp_path, files)) as photos:
        assert (list(photos.people), photos.total) == (["Ada_A", "Bob_B"], 2)
        assert photos.labels == {"Ada_A": {"age_group": "30"}, "Bob_B": {"age_group": ""}}
        assert photos.ignored == 1


@both
@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"notes.txt": b"x"}, "no_photos"),
        ({"1.jpg": PHOTO}, "photos_not_in_folders"),
        ({"Ada/1.jpg": PHOTO, "Bob/1.jpg": PHOTO, "Bob/old/2.jpg": PHOTO}, "photos_not_in_folders"),
        ({"Ada/1.jpg": PHOTO, "labels.csv": b"name\nAda\n"}, "labels_invalid"),
        ({"Ada/1.jpg": PHOTO, "labels.csv": b"person\n", "x/people.csv": b""}, "labels_invalid"),
    ],
)
def test_a_layout_that_would_mislabel_is_refused(
    tmp_path: Path, pack: Callable[..., Path], files: Files, code: str
) -> None:
    assert refusal_of(pack(tmp_path, files)).code == code


def test_the_photo_out_of_place_is_named(tmp_path: Path) -> None:
    files = {"Ada/1.jpg": PHOTO, "Bob/1.jpg": PHOTO, "Bob/old/2.jpg": PHOTO}
    assert "“Bob/old/2.jpg”" in refusal_of(folder(tmp_path, files)).message


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    root = folder(tmp_path, {"Ada/1.jpg": PHOTO})
    (root / "Ada" / "2.jpg").symlink_to("/etc/hostname")
    (root / "Bob").symlink_to(root / "Ada")
    with PhotoSet.open(root) as photos:
        assert (list(photos.people), photos.total) == (["Ada"], 1)


def test_nothing_is_there(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "gone").code == "photoset_missing"


class TestArchive:
    def test_that_is_none_or_cut_off(self, tmp_path: Path) -> None:
        whole = archive(tmp_path, {"Ada/1.jpg": PHOTO}).read_bytes()
        for data in (b"", b"PK\x03\x04 and nothing else", PHOTO, whole[:-30]):
            (tmp_path / "x.zip").write_bytes(data)
            assert refusal_of(tmp_path / "x.zip").code == "not_an_archive"

    @given(st.data())
    def test_that_is_damaged_anywhere_ends_in_a_sentence(self, data: st.DataObject) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr("Ada/1.jpg", PHOTO)
        content = bytearray(buffer.getvalue())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = Path(os.environ["DATA_DIR"]) / "damaged.zip"
        path.write_bytes(content)
        with suppress(UserFacingError), PhotoSet.open(path) as photos:  # and no other error
            list(pictures(photos.photos()))

    @pytest.mark.parametrize("name", ["../Ada/1.jpg", "/Ada/1.jpg", "C:/Ada/1.jpg", "..\\A\\1.jpg"])
    def test_with_a_path_out_of_it(self, tmp_path: Path, name: str) -> None:
        assert refusal_of(archive(tmp_path, {name: PHOTO})).code == "archive_unsafe"

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_with_a_name_twice(self, tmp_path: Path) -> None:
        path = archive(tmp_path, {"Ada/1.jpg": PHOTO})
        with zipfile.ZipFile(path, "a") as target:
            target.writestr("Ada/1.jpg", PHOTO)
        assert refusal_of(path).code == "archive_unsafe"

    def test_that_is_a_bomb(self, tmp_path: Path) -> None:
        zeros = {"Ada/1.bmp": bytes(4 * 1024**2)}
        path = archive(tmp_path, zeros, compression=zipfile.ZIP_DEFLATED)
        assert refusal_of(path).code == "archive_unsafe"

    def test_that_promises_too_much(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(sources, "MAX_UNPACKED_BYTES", 2 * len(PHOTO) - 1)
        path = archive(tmp_path, {"Ada/1.jpg": PHOTO, "Ada/2.jpg": PHOTO})
        assert refusal_of(path).code == "too_many_photos"

    def test_whose_directory_would_fill_the_memory(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(sources, "MAX_DIRECTORY_BYTES", 70_000)
        path = archive(tmp_path, {f"Ada/{i}.jpg": b"" for i in range(2000)})
        assert refusal_of(path).code == "too_many_photos"

    def test_that_is_locked(self, tmp_path: Path) -> None:
        path = archive(tmp_path, {"Ada/1.jpg": PHOTO})
        data = bytearray(path.read_bytes())
        directory = data.index(b"PK\x01\x02")
        struct.pack_into("<H", data, directory + 8, 1)
        path.write_bytes(data)
        assert refusal_of(path).code == "archive_encrypted"

    def test_compressed_strangely(self, tmp_path: Path) -> None:
        path = archive(tmp_path, {"Ada/1.jpg": PHOTO}, compression=zipfile.ZIP_LZMA)
        assert refusal_of(path).code == "archive_unsupported"

    def test_links_in_it_are_left_aside(self, tmp_path: Path) -> None:
        path = archive(tmp_path, {"Ada/1.jpg": PHOTO})
        link = zipfile.ZipInfo("Ada/2.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(path, "a") as target:
            target.writestr(link, "/etc/hostname")
        with PhotoSet.open(path) as photos:
            assert photos.total == 1

    def test_made_on_a_mac_or_by_a_program_that_does_not_say_utf8(self, tmp_path: Path) -> None:
        path = archive(tmp_path, {"Jose/1.jpg": PHOTO, "__MACOSX/Jose/._1.jpg": b"x"})
        name = "José/1.jpg".encode().decode("cp437")
        data = path.read_bytes().replace(b"Jose/1.jpg", b"J\x82se/1.jpg")  # é in cp437
        path.write_bytes(data)
        with PhotoSet.open(path) as photos:
            assert list(photos.people) == ["Jése"]
        with zipfile.ZipFile(path, "w") as target:
            info = zipfile.ZipInfo("x" * len(name))
            target.writestr(info, PHOTO)
        raw = "José/1.jpg".encode()
        path.write_bytes(path.read_bytes().replace(b"x" * len(name), raw))
        with PhotoSet.open(path) as photos:
            assert list(photos.people) == ["José"]


@both
def test_a_photo_that_cannot_be_read_says_why(tmp_path: Path, pack, settings) -> None:
    settings.MAX_UPLOAD_MB = 1
    files = {"Ada/1.jpg": b"no picture", "Ada/2.jpg": b"", "Ada/3.jpg": PHOTO[:200]}
    files |= {"Ada/4.jpg": PHOTO + os.urandom(1024**2), "Ada/5.jpg": PHOTO}
    with PhotoSet.open(pack(tmp_path, files)) as photos:
        images = [picture.image for picture in pictures(photos.photos())]
    codes = [getattr(image, "code", "") for image in images]
    assert codes == ["not_an_image", "empty_file", "image_broken", "file_too_large", ""]
    assert images[0].sentence.endswith("file.")  # what happened, and what to do


def test_a_photo_that_is_gone_meanwhile(tmp_path: Path) -> None:
    root = folder(tmp_path, {"Ada/1.jpg": PHOTO})
    with PhotoSet.open(root) as photos:
        (root / "Ada" / "1.jpg").unlink()
        [picture] = pictures(photos.photos())
    assert picture.image.code == "file_unreadable"


class TestLabels:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_parted_by(self, delimiter: str) -> None:
        text = "folder|Name|External id\n\nada|Ada, or|E-1\n".replace("|", delimiter)
        text = text.replace("Ada, or", '"Ada, or"')
        expected = {"ada": {"name": "Ada, or", "external_id": "E-1"}}
        assert read_labels(text.encode(), "people.csv") == expected

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (b"", "first column"),
            (b"name,person\n", "first column"),
            (b"person,a,a\n", "same name"),
            (b"person,a\nada\n", "line 2 has 1 values"),
            (b"person,a\nada,1\nada,2\n", "line 3 has a second row for"),
            (b"person,a\n,1\n", "line 2 has no person"),
            (b'person,a\n"ada,1\n', "cannot be read"),
            ("person\nJosé\n".encode("latin-1"), "not UTF-8"),
        ],
    )
    def test_that_cannot_be_used(self, text: bytes, says: str) -> None:
        with pytest.raises(UserFacingError) as caught:
            read_labels(text, "labels.csv")
        assert says in caught.value.message
        assert caught.value.code == "labels_invalid"
