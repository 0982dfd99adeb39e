"""Photos of many visitors: pixels are bounded, and who left is not worked for."""

import hashlib
import threading
import time

import numpy as np
import pytest
from PIL import Image

from pages._view.photo_desk import PhotoDesk
from sing_core.errors import UnsupportedImageError
from tests.files.pictures import encode, noise


class Left(BaseException):
    """As Streamlit's own, which no `except Exception` catches."""


def leave():
    raise Left


def stay():
    pass


def files(count):
    payloads = [encode(noise("RGB", (100, 100), seed)) for seed in range(count)]
    return [(hashlib.sha256(payload).hexdigest(), payload) for payload in payloads]


def test_pixels_are_kept_while_there_is_room_and_made_again_where_there_is_none():
    desk = PhotoDesk(50_000_000, 3 * 40_000)
    sent = files(5)
    shown = [np.asarray(desk.photo(*one, stay).image) for one in sent]
    assert desk.kept == tuple(digest for digest, _ in sent[2:])
    for one, pixels in zip(sent, shown, strict=True):
        np.testing.assert_array_equal(np.asarray(desk.photo(*one, stay).image), pixels)


def test_what_is_known_of_a_photo_needs_no_decoding_though_its_pixels_left():
    desk = PhotoDesk(50_000_000, 1)
    first, second = files(2)
    size = desk.photo(*first, stay).size
    desk.photo(*second, stay)
    assert desk.kept == (second[0],)
    assert desk.photo(first[0], b"no picture", leave).size == size == (100, 100)
    assert desk.kept == (second[0],)


def test_who_left_ends_the_decoding_and_gives_the_turn_back():
    desk = PhotoDesk(50_000_000, 10**9)
    (one,) = files(1)
    for _ in range(5):
        with pytest.raises(Left):
            desk.photo(*one, leave)
    assert desk.kept == ()
    assert desk.photo(*one, stay).width == 100


def test_who_left_does_not_wait_for_a_turn():
    desk = PhotoDesk(50_000_000, 10**9)
    large = encode(Image.new("1", (5_000, 4_000)))
    begun, ends = threading.Event(), threading.Event()

    def hold():
        begun.set()
        ends.wait(60)

    holder = threading.Thread(target=desk.photo, args=("0" * 64, large, hold))
    holder.start()
    try:
        assert begun.wait(60)
        with pytest.raises(Left):
            desk.photo("1" * 64, large, leave)
        start = time.monotonic()
        assert desk.photo(*files(1)[0], stay).width == 100  # a small one passes by
        assert time.monotonic() - start < 30
        assert holder.is_alive()
    finally:
        ends.set()
        holder.join()


def test_a_file_that_is_no_picture_is_refused_each_time():
    desk = PhotoDesk(50_000_000, 10**9)
    for _ in range(2):
        with pytest.raises(UnsupportedImageError):
            desk.photo("0" * 64, b"not a picture", stay)
