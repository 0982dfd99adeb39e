"""What loaders keep behind the widgets: uploads by digest, bounded, never trusted by name."""

import base64
import hashlib
import io

import pytest
from PIL import Image

from pages._view import loaders
from sing_core.errors import UnsupportedImageError
from sing_core.files.samples import SAMPLES, sample_bytes
from tests.pages import photo_files


def test_a_sample_is_found_by_its_name():
    assert loaders.photo_bytes("chelsea") == sample_bytes("chelsea")


def test_an_upload_is_found_by_its_digest_and_by_nothing_else():
    payload = photo_files.encoded(photo_files.picture(), "PNG")
    digest = hashlib.sha256(payload).hexdigest()
    assert loaders.photo_bytes(digest) in (None, payload)
    assert loaders.keep_upload(payload, digest)
    assert loaders.photo_bytes(digest) == payload
    for name in (digest[:-1], digest.upper(), f"../uploads/{digest}", f"{digest}.blob", ""):
        assert loaders.photo_bytes(name) is None


def test_a_picture_is_decoded_once_per_digest():
    payload = sample_bytes("coffee")
    digest = hashlib.sha256(payload).hexdigest()
    first = loaders.decoded(digest, payload)
    again = loaders.decoded(digest, b"not looked at again")
    assert (again.size, again.notes) == (first.size, first.notes)
    assert again.image is first.image


def test_a_bad_file_is_refused_each_time():
    for _ in range(2):
        with pytest.raises(UnsupportedImageError):
            loaders.decoded("0" * 64, b"not a picture")


def test_a_thumbnail_is_small(chelsea):
    data = loaders.photo_url(chelsea.digest, chelsea).partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert max(image.size) <= 480


def test_every_sample_has_a_short_name_and_a_title():
    names = [sample.name for sample in SAMPLES]
    assert len(set(names)) == len(names) >= 5
    assert all(name.isalnum() and sample.title for name, sample in zip(names, SAMPLES, strict=True))


def test_the_classifiers_come_in_the_registrys_order():
    assert list(loaders.models()) == ["lite0", "lite1", "lite2", "vits"]
    assert len(loaders.class_labels()) == 1000
