"""Blobs by digest: kept within bounds, the oldest go first."""

import os
from pathlib import Path

import pytest

from sing_core.errors import StaleArtefactError
from sing_core.files.store import Store
from tests.files.artefacts import digest, kept


def test_a_blob_comes_back_under_its_digest(tmp_path: Path) -> None:
    store, payload = Store(tmp_path), b"\xff\xd8 a photo"
    key = digest(payload)
    assert store.load_blob("photos", key) is None
    assert store.save_blob("photos", key, payload, max_files=9, max_bytes=99)
    assert store.load_blob("photos", key) == payload
    with pytest.raises(ValueError, match="SHA-256"):
        store.save_blob("photos", "0" * 64, payload, max_files=9, max_bytes=99)


def test_a_changed_blob_is_refused(tmp_path: Path) -> None:
    store, payload = Store(tmp_path), b"a photo"
    key = digest(payload)
    store.save_blob("photos", key, payload, max_files=9, max_bytes=99)
    (path,) = (tmp_path / "photos").glob("*.blob")
    path.write_bytes(b"a phot0")
    with pytest.raises(StaleArtefactError, match="damaged"):
        store.load_blob("photos", key)


@pytest.mark.parametrize("key", ["", "../secret", "A" * 64, "0" * 63, "0" * 64 + "\n", "/etc/x"])
def test_a_key_that_is_no_digest_names_nothing(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.blob").write_bytes(b"hidden")
    (tmp_path / "photos").mkdir()
    assert Store(tmp_path).load_blob("photos", key) is None


def save_photos(store: Store, photos: list[bytes], *, max_files: int, max_bytes: int) -> None:
    for age, photo in enumerate(photos):
        key = digest(photo)
        assert store.save_blob("photos", key, photo, max_files=max_files, max_bytes=max_bytes)
        os.utime(store.root / "photos" / f"{key}.blob", (1000 + age, 1000 + age))


def test_the_oldest_blobs_go_beyond_the_number_of_files(tmp_path: Path) -> None:
    store, photos = Store(tmp_path), [bytes([index]) * 10 for index in range(5)]
    save_photos(store, photos, max_files=3, max_bytes=10_000)
    assert kept(store, photos) == [False, False, True, True, True]


def test_the_oldest_blobs_go_beyond_the_number_of_bytes(tmp_path: Path) -> None:
    store, photos = Store(tmp_path), [bytes([index]) * 10 for index in range(5)]
    save_photos(store, photos, max_files=99, max_bytes=25)
    assert kept(store, photos) == [False, False, False, True, True]


def test_a_blob_seen_again_counts_as_new(tmp_path: Path) -> None:
    store, photos = Store(tmp_path), [bytes([index]) * 10 for index in range(3)]
    save_photos(store, photos, max_files=3, max_bytes=10_000)
    store.save_blob("photos", digest(photos[0]), photos[0], max_files=2, max_bytes=10_000)
    assert kept(store, photos) == [True, False, True]


def test_a_blob_beyond_the_bounds_is_not_kept(tmp_path: Path) -> None:
    store, payload = Store(tmp_path), b"x" * 100
    assert not store.save_blob("photos", digest(payload), payload, max_files=9, max_bytes=99)
    assert not store.save_blob("photos", digest(payload), payload, max_files=0, max_bytes=999)
    assert store.problem is None
    assert not any(tmp_path.rglob("*.blob"))
