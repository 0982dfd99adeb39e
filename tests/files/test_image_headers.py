"""What a file says about itself: sizes without decoding, and a body with nothing but pixels."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from sing_core.files.image_headers import HEADER_READERS, PNG_SIGNATURE, exif_orientation

# Everything that a reader may raise on bytes that are no such file; `decode_image` knows these.
READER_ERRORS = (struct.error, ValueError, IndexError, EOFError)
sides = st.integers(1, 300)
KINDS = {
    "JPEG": ({}, {"progressive": True}, {"optimize": True, "quality": 30}),
    "PNG": ({}, {"optimize": True}),
    "WebP": ({}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
}


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width, height, mode="RGB"):
    shape = (height, width, len(mode))
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), mode)


@pytest.mark.slow
@given(width=sides, height=sides, kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_the_size_is_read_and_the_body_has_the_same_pixels(width, height, kind, data):
    payload = encode(noise(width, height), kind, **data.draw(st.sampled_from(KINDS[kind])))
    header = HEADER_READERS[kind](payload)
    assert (header.kind, header.width, header.height) == (kind, width, height)
    with Image.open(io.BytesIO(payload)) as whole, Image.open(io.BytesIO(header.body)) as body:
        np.testing.assert_array_equal(np.asarray(body), np.asarray(whole))


@pytest.mark.parametrize("size", [(16_383, 1), (1, 16_383)], ids=["wide", "tall"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_longest_pictures_say_their_size(kind, size):
    for options in KINDS[kind]:
        header = HEADER_READERS[kind](encode(Image.new("RGB", size), kind, **options))
        assert (header.width, header.height) == size


def test_webp_with_alpha_says_its_size_too():
    header = HEADER_READERS["WebP"](encode(noise(130, 77, "RGBA"), "WebP"))
    assert (header.width, header.height) == (130, 77)


def test_nothing_but_pixels_is_handed_on():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "the camera"
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "a secret", zip=False)
    texts.add_itxt("XML:com.adobe.xmp", "a secret")
    png = encode(noise(9, 5), "PNG", pnginfo=texts, exif=exif, dpi=(300, 300))
    jpeg = encode(noise(9, 5), "JPEG", exif=exif, comment="a secret", xmp=b"a secret")
    for kind, payload in (("PNG", png), ("JPEG", jpeg)):
        assert b"a secret" in payload
        header = HEADER_READERS[kind](payload)
        assert exif_orientation(header.exif) == 6
        for words in (b"a secret", b"the camera", b"pHYs"):
            assert words not in header.body
        with Image.open(io.BytesIO(header.body)) as image:
            image.load()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_beginning_of_a_file_gives_a_header_or_a_known_error(kind):
    payload = encode(noise(11, 7), kind)
    read = HEADER_READERS[kind]
    for end in range(16, len(payload)):
        try:
            header = read(payload[:end])
        except READER_ERRORS:
            continue
        assert (header.width, header.height) == (11, 7)


@pytest.mark.slow
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_a_changed_byte_gives_a_header_or_a_known_error(kind, data):
    payload = bytearray(encode(noise(11, 7), kind))
    place = data.draw(st.integers(12, len(payload) - 1))
    payload[place] = data.draw(st.integers(0, 255))
    try:
        header = HEADER_READERS[kind](bytes(payload))
    except READER_ERRORS:
        return
    assert header.width >= 0
    assert header.height >= 0


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(*chunks, width=3, height=2, bits=8, colour=2):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return PNG_SIGNATURE + header + b"".join(chunks) + chunk(b"IEND", b"")


def test_an_animation_says_how_many_frames_it_has_and_hands_on_the_first():
    first, other = noise(20, 10), Image.new("RGB", (20, 10), "red")
    header = HEADER_READERS["PNG"](encode(first, "PNG", save_all=True, append_images=[other] * 3))
    assert header.frames == 4
    for name in (b"acTL", b"fcTL", b"fdAT"):
        assert name not in header.body
    with Image.open(io.BytesIO(header.body)) as body:
        np.testing.assert_array_equal(np.asarray(body), np.asarray(first))


@given(profile=st.binary(max_size=2_000))
def test_a_profile_comes_out_as_it_went_in(profile):
    packed = chunk(b"iCCP", b"name\0\0" + zlib.compress(profile))
    assert HEADER_READERS["PNG"](png_with(packed)).icc == profile


@pytest.mark.slow
def test_a_profile_that_swells_is_cut():
    packed = chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(64 * 2**20)))
    assert len(packed) < 100_000
    assert len(HEADER_READERS["PNG"](png_with(packed)).icc) == 16 * 2**20


def test_two_headers_are_one_too_many():
    again = chunk(b"IHDR", struct.pack(">IIBBBBB", 99, 99, 8, 2, 0, 0, 0))
    with pytest.raises(ValueError, match="one header"):
        HEADER_READERS["PNG"](png_with(again))


@pytest.mark.parametrize(("bits", "shade"), [(1, 255), (2, 85), (4, 17), (8, 1), (16, 1)])
def test_a_clear_grey_is_given_in_the_shades_that_pillow_makes_of_it(bits, shade):
    payload = png_with(chunk(b"tRNS", struct.pack(">H", 1)), bits=bits, colour=0)
    header = HEADER_READERS["PNG"](payload)
    assert (header.clear_colour, header.bits) == ((shade,), bits)


def tiff(order, *entries, start=8):
    """An EXIF block: the header, then one folder of ``(tag, type, count, value)``."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    folder = struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        folder += struct.pack(f"{order}HHIHH", tag, kind, count, value, 0)
    return mark + struct.pack(f"{order}I", start) + bytes(start - 8) + folder + bytes(4)


@given(
    order=st.sampled_from("<>"),
    orientation=st.integers(0, 65_535),
    others=st.lists(st.integers(0x0100, 0x0111), max_size=4),
    start=st.integers(8, 40),
    prefix=st.sampled_from([b"", b"Exif\0\0"]),
)
def test_the_orientation_is_found_in_either_byte_order(order, orientation, others, start, prefix):
    entries = [*((tag, 3, 1, 7) for tag in others), (0x0112, 3, 1, orientation)]
    found = exif_orientation(prefix + tiff(order, *entries, start=start))
    assert found == (orientation if 1 <= orientation <= 8 else 1)


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_beginning_of_an_exif_block_gives_upright_until_the_entry_is_there(order):
    whole = tiff(order, (0x0100, 3, 1, 7), (0x0112, 3, 1, 6))
    found = [exif_orientation(whole[:end]) for end in range(len(whole) + 1)]
    complete = 8 + 2 + 2 * 12
    assert found == [1] * complete + [6] * (len(whole) + 1 - complete)


@given(rest=st.binary(max_size=80), start=st.sampled_from([b"", b"II*\0", b"MM\0*", b"Exif\0\0II"]))
def test_whatever_the_bytes_the_orientation_is_one_of_eight(rest, start):
    assert exif_orientation(start + rest) in range(1, 9)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "code", "size"), [(1, "B", 1), (3, "H", 2), (4, "I", 4)])
def test_an_orientation_may_be_any_kind_of_whole_number(order, kind, code, size):
    whole = bytearray(tiff(order, (0x0112, kind, 1, 0)))
    whole[8 + 2 + 8 : 8 + 2 + 8 + size] = struct.pack(order + code, 6)
    assert exif_orientation(bytes(whole)) == 6
    whole[8 + 2 + 8 : 8 + 2 + 8 + size] = struct.pack(order + code, 9)
    assert exif_orientation(bytes(whole)) == 1
