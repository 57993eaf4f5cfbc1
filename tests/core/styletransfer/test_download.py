from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from styletransfer.core.download import fetch
from styletransfer.core.errors import WeightsError

CONTENT = bytes(range(256)) * 9000  # over two megabytes: several pieces
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def url(tmp_path: Path) -> str:
    source = tmp_path / "server" / f"net-{DIGEST[:8]}.pth"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    return source.as_uri()


def test_downloads_once_and_reports(url: str, tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []
    path = fetch(url, tmp_path / "cache", lambda done, total: reports.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert len(reports) > 1
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    (tmp_path / "server" / path.name).unlink()
    assert fetch(url, tmp_path / "cache") == path


def test_a_damaged_file_in_the_cache_is_fetched_again(url: str, tmp_path: Path) -> None:
    path = fetch(url, tmp_path / "cache")
    path.write_bytes(CONTENT[:100])
    assert fetch(url, tmp_path / "cache").read_bytes() == CONTENT


def test_a_damaged_download_is_refused_and_leaves_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "server" / url.rpartition("/")[2]).write_bytes(CONTENT + b"!")
    with pytest.raises(WeightsError, match="checksum"):
        fetch(url, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_server_is_a_clear_error(url: str, tmp_path: Path) -> None:
    (tmp_path / "server" / url.rpartition("/")[2]).unlink()
    with pytest.raises(WeightsError, match="by hand"):
        fetch(url, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_name_without_a_checksum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="checksum"):
        fetch("file:///net.pth", tmp_path)
