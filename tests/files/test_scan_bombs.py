"""Small files that would keep a core busy for minutes: refused from their headers, in no time."""

import struct
import time

import pytest
from PIL import Image

from sing_core.errors import UnsupportedImageError
from sing_core.files import images
from sing_core.files.image_headers import HEADER_READERS
from sing_core.files.images import decode_image
from tests.files.pictures import chunk, encode, noise, raw_png

SECONDS = 1.0
END = b"\xff\xd9"


def progressive(side):
    return encode(Image.new("RGB", (side, side), "navy"), "JPEG", progressive=True)


def with_more_scans(payload, count):
    """Repeat the last scan: 75 bytes that go over the whole picture once more."""
    assert payload.endswith(END)
    return payload[:-2] + payload[payload.rindex(b"\xff\xda") : -2] * count + END


def refused(payload, words):
    started = time.process_time()
    with pytest.raises(UnsupportedImageError, match=words) as caught:
        decode_image(payload)
    assert time.process_time() - started < SECONDS
    assert str(caught.value).endswith("Please save it anew with another program.")


@pytest.fixture(scope="module")
def large():
    return progressive(7_000)


@pytest.mark.slow
@pytest.mark.parametrize("scans", [30, 3_000, 200_000])
def test_a_scan_bomb_is_refused_before_a_pixel_is_decoded(large, scans):
    refused(with_more_scans(large, scans), r"made of more (scans \([\d,]+\)|parts) than a")


def test_the_work_is_what_counts_so_a_small_picture_may_have_many_scans():
    payload = with_more_scans(progressive(200), 500)
    assert HEADER_READERS["JPEG"](payload).scans == 510
    assert decode_image(payload).width == 200
    with pytest.raises(UnsupportedImageError, match=r"more scans \(510\)"):
        decode_image(payload, max_pixels=200 * 200)


def test_scans_behind_the_picture_are_none_of_it_and_are_not_handed_on():
    payload = encode(noise("RGB"), "JPEG", progressive=True)
    header = HEADER_READERS["JPEG"](payload + payload * 50)
    assert (header.scans, header.body[-2:]) == (10, END)
    assert header.body == HEADER_READERS["JPEG"](payload).body


def test_an_ordinary_picture_has_as_many_scans_as_libjpeg_writes():
    assert HEADER_READERS["JPEG"](encode(noise("RGB"), "JPEG")).scans == 1
    assert HEADER_READERS["JPEG"](encode(noise("L"), "JPEG", progressive=True)).scans == 6
    assert HEADER_READERS["JPEG"](encode(noise("RGB"), "JPEG", restart_marker_blocks=1)).scans == 1


@pytest.mark.slow
def test_padding_and_lone_markers_are_walked_over_quickly():
    payload = encode(noise("RGB"), "JPEG")
    for filling in (b"\xff" * 20_000_000, b"\xff\xd0" * 10_000_000, bytes(20_000_000)):
        started = time.process_time()
        assert HEADER_READERS["JPEG"](payload[:2] + filling + payload[2:]).width == 40
        assert time.process_time() - started < 2 * SECONDS


def test_a_file_of_a_million_parts_is_refused_whatever_its_kind():
    jpeg, png = encode(noise("RGB"), "JPEG"), raw_png([bytes(30)] * 10, 10, 8, 2)
    webp = encode(noise("RGB"), "WEBP")
    refused(jpeg[:2] + b"\xff\xe5\0\2" * 10**6 + jpeg[2:], "more parts")
    refused(png[:33] + chunk(b"teXt", b"") * 10**6 + png[33:], "more parts")
    refused(webp + struct.pack("<4sI", b"ANMF", 0) * 10**6, "more parts")


def test_a_png_in_chunks_of_a_few_hundred_bytes_is_read():
    (width, height), rows = (1_000, 800), [bytes(noise("L", (3_000, 1)).tobytes())] * 800
    whole = raw_png(rows, width, 8, 2)
    start, stop = whole.index(b"IDAT") + 4, whole.index(b"IEND") - 8
    pieces = [chunk(b"IDAT", whole[at : min(at + 256, stop)]) for at in range(start, stop, 256)]
    assert len(pieces) > 20
    photo = decode_image(whole[: start - 8] + b"".join(pieces) + whole[stop + 4 :])
    assert photo.size == (width, height)


def test_what_go_on_raises_ends_the_decoding_midway():
    payload, asked = encode(noise("RGB", (1_500, 1_500)), "JPEG", quality=95), []
    assert len(payload) > 10 * 65_536

    def leave():
        asked.append(None)
        if len(asked) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode_image(payload, go_on=leave)
    assert len(asked) == 5


@pytest.mark.slow
def test_a_decoder_that_keeps_a_core_busy_for_too_long_is_ended(monkeypatch):
    payload = encode(noise("RGB", (1_500, 1_500)), "JPEG", quality=95, progressive=True)
    assert decode_image(payload).size == (1_500, 1_500)
    monkeypatch.setattr(images, "_LONGEST_S", 0.01)
    before = time.thread_time()
    with pytest.raises(UnsupportedImageError, match=r"kept a core busy for 0\.01 seconds"):
        decode_image(payload)
    ended = time.thread_time() - before
    monkeypatch.undo()
    before = time.thread_time()
    decode_image(payload)
    assert ended < time.thread_time() - before
