"""Uploads: every kind of file becomes the right pixels, or one clear sentence."""

import base64
import hashlib
import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from sing_core.files.images import Photo, decode_image, picture_url, thumbnail
from tests.files.pictures import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    chunk,
    corners,
    encode,
    exif_with,
    noise,
    pixels,
    raw_png,
    swapping_profile,
)


def test_plain_pictures_keep_every_pixel() -> None:
    image = noise("RGB")
    for payload in (encode(image), encode(image, "WEBP", lossless=True)):
        np.testing.assert_array_equal(pixels(payload), np.asarray(image))
        assert decode_image(payload).notes == ()
        assert decode_image(payload).digest == hashlib.sha256(payload).hexdigest()


def test_a_jpeg_is_read_as_pillow_reads_it() -> None:
    payload = encode(corners(), "JPEG", quality=90)
    np.testing.assert_array_equal(pixels(payload), np.asarray(Image.open(io.BytesIO(payload))))
    assert decode_image(payload).notes == ()


def test_the_result_carries_no_metadata() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    payload = encode(corners(), exif=exif_with(1), icc_profile=srgb, dpi=(300, 300))
    assert decode_image(payload).image.info == {}
    assert decode_image(payload).notes == ()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    payload = encode(corners(), kind, exif=exif_with(orientation), quality=95)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(payload))).convert("RGB"))
    np.testing.assert_array_equal(pixels(payload), expected)
    if orientation == 1:
        assert decode_image(payload).notes == ()
    else:
        assert decode_image(payload).notes == ("Turned upright as the camera noted (EXIF).",)


def test_orientation_6_puts_the_left_edge_on_top() -> None:
    turned = pixels(encode(corners(), exif=exif_with(6)))
    assert turned.shape == (96, 64, 3)
    assert tuple(turned[2, 2]) == BLUE
    assert tuple(turned[2, -2]) == RED


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_out_of_range_is_ignored(orientation: int) -> None:
    payload = encode(corners(), "JPEG", exif=exif_with(orientation))
    assert decode_image(payload).notes == ()


def test_broken_exif_neither_warns_nor_refuses_the_picture() -> None:
    exif = exif_with(6)
    for cut in range(6, len(exif)):
        assert decode_image(encode(corners(16), "JPEG", exif=exif[:cut])).width in (16, 24)


def test_16_bit_grey_is_scaled_and_not_cut() -> None:
    values = np.array([[0, 128, 257, 32768, 65534, 65535]], dtype=">u2")
    payload = raw_png([values.tobytes()], 6, 16, 0)
    np.testing.assert_array_equal(pixels(payload)[0, :, 0], [0, 0, 1, 128, 255, 255])
    assert "16-bit values were scaled to 8 bits." in decode_image(payload).notes


def test_16_bit_colours_are_scaled() -> None:
    row = struct.pack(">6H", 65535, 32896, 0, 257, 514, 65535)
    np.testing.assert_array_equal(pixels(raw_png([row], 2, 16, 2))[0], [[255, 128, 0], [1, 2, 255]])
    row = struct.pack(">4H", 65535, 0, 0, 0)  # red, wholly transparent
    photo = decode_image(raw_png([row], 1, 16, 6))
    assert photo.image.getpixel((0, 0)) == WHITE
    assert "16-bit values were scaled to 8 bits." in photo.notes


@pytest.mark.parametrize(
    ("bits", "colour", "row", "key"),
    [
        (1, 0, bytes([0b01000000]), (0,)),
        (2, 0, bytes([0b01100000]), (1,)),
        (4, 0, bytes([0x12]), (1,)),
        (8, 0, bytes([100, 101]), (100,)),
        (16, 0, struct.pack(">2H", 25700, 25701), (25700,)),
        (8, 2, bytes([9, 8, 7, 9, 8, 6]), (9, 8, 7)),
        (16, 2, struct.pack(">6H", 257, 514, 771, 257, 514, 60000), (257, 514, 771)),
    ],
)
def test_a_transparent_colour_becomes_white(
    bits: int, colour: int, row: bytes, key: tuple[int, ...]
) -> None:
    clear = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    photo = decode_image(raw_png([row], 2, bits, colour, (clear,)))
    opaque = pixels(raw_png([row], 2, bits, colour))
    assert photo.image.getpixel((0, 0)) == WHITE
    assert photo.image.getpixel((1, 0)) == tuple(opaque[0, 1])
    assert "Transparency was laid on white." in photo.notes


def test_palettes_with_and_without_transparency() -> None:
    image = corners().quantize(4)
    np.testing.assert_array_equal(pixels(encode(image)), np.asarray(corners()))
    red = image.getpixel((0, 0))
    photo = decode_image(encode(image, transparency=red))
    assert photo.image.getpixel((0, 0)) == WHITE
    assert photo.image.getpixel((90, 0)) == GREEN
    assert photo.notes == ("Transparency was laid on white.",)
    half = bytes(128 if index == red else 255 for index in range(4))
    assert decode_image(encode(image, transparency=half)).image.getpixel((0, 0)) == (255, 127, 127)


def test_alpha_is_laid_on_white() -> None:
    rgba = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    rgba.paste((0, 0, 255, 51), (0, 0, 20, 40))
    for payload in (encode(rgba), encode(rgba, "WEBP", lossless=True, exact=True)):
        photo = decode_image(payload)
        assert photo.image.getpixel((5, 5)) == (204, 204, 255)
        assert photo.image.getpixel((30, 5)) == WHITE
        assert photo.notes == ("Transparency was laid on white.",)
    grey = Image.new("LA", (40, 40), (0, 51))
    assert decode_image(encode(grey)).image.getpixel((0, 0)) == (204, 204, 204)


def test_an_opaque_alpha_channel_is_not_worth_a_note() -> None:
    image = noise("RGB").convert("RGBA")
    assert decode_image(encode(image)).notes == ()
    np.testing.assert_array_equal(pixels(encode(image)), np.asarray(image)[..., :3])


def test_grey_and_black_and_white_become_rgb() -> None:
    grey = noise("L")
    np.testing.assert_array_equal(pixels(encode(grey))[..., 2], np.asarray(grey))
    bilevel = grey.convert("1")
    np.testing.assert_array_equal(pixels(encode(bilevel))[..., 1], np.asarray(bilevel) * 255)
    jpeg = encode(Image.new("L", (40, 40), 77), "JPEG")
    assert decode_image(jpeg).image.getpixel((3, 3)) == (77, 77, 77)


def test_cmyk_jpegs_have_the_right_colours() -> None:
    cmyk = Image.new("CMYK", (64, 64), (0, 255, 255, 0))  # red
    cmyk.paste((255, 0, 0, 0), (32, 0, 64, 64))  # cyan
    cmyk.paste((0, 0, 0, 255), (0, 32, 64, 64))  # black
    adobe = encode(cmyk, "JPEG", quality=95)
    assert b"Adobe" in adobe
    position = adobe.index(b"\xff\xee")
    bare = adobe[:position] + adobe[position + 16 :]
    assert b"Adobe" not in bare
    for payload in (adobe, bare):  # without the marker, Adobe's inverted values are assumed
        array = pixels(payload).astype(int)
        assert abs(array[8, 8] - RED).max() <= 3
        assert abs(array[8, 56] - (0, 255, 255)).max() <= 3
        assert array[56, 8].max() <= 3


def test_the_first_frame_of_an_animation_is_used() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, GREEN, BLUE)]
    for kind in ("PNG", "WEBP"):
        payload = encode(
            frames[0], kind, save_all=True, append_images=frames[1:], lossless=True, duration=50
        )
        photo = decode_image(payload)
        assert photo.image.getpixel((20, 20)) == RED
        assert photo.notes == ("The first of 3 frames is used.",)


def test_one_pixel_is_a_picture_with_a_note() -> None:
    photo = decode_image(encode(Image.new("RGB", (1, 1), GREEN)))
    assert photo.image.getpixel((0, 0)) == GREEN
    assert photo.notes == (
        "The picture is very small (1 × 1 pixels) and is enlarged for the network.",
    )


@pytest.mark.parametrize("size", [(6001, 3), (3, 6001)])
def test_a_strip_is_cut_to_its_middle(size: tuple[int, int]) -> None:
    image = noise("RGB", size)
    photo = decode_image(encode(image))
    assert max(photo.image.size) == 120
    axis = 1 if size[0] > size[1] else 0
    expected = np.asarray(image).take(range(2940, 3060), axis=axis)
    np.testing.assert_array_equal(np.asarray(photo.image), expected)
    shape = "wide as it is high" if axis else "high as it is wide"
    assert photo.notes[0] == (
        f"The picture is 2,000 times as {shape}; a network sees only a square in its middle, at "
        "most about 1/2,000 of it."
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_embedded_profile_is_applied(kind: str) -> None:
    image = Image.new("RGB", (40, 40), (250, 10, 10))
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95}
    payload = encode(image, kind, icc_profile=swapping_profile(), **options)
    photo = decode_image(payload)
    assert np.abs(np.array(photo.image.getpixel((9, 9))) - (10, 250, 10)).max() <= 6
    assert photo.notes == ("Colours were converted to sRGB by the embedded profile.",)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_or_foreign_profile_is_ignored(kind: str) -> None:
    image = Image.new("RGB", (40, 40), (200, 100, 50))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain = pixels(encode(image, kind))
    for profile in (b"no profile at all, just words", swapping_profile()[:200], lab):
        photo = decode_image(encode(image, kind, icc_profile=profile))
        np.testing.assert_array_equal(np.asarray(photo.image), plain)
        assert photo.notes == (
            "The embedded colour profile is damaged or does not fit, and was ignored.",
        )


def test_a_profile_that_does_not_inflate_is_ignored() -> None:
    broken = chunk(b"iCCP", b"name\0\0" + b"this is not a zlib stream")
    photo = decode_image(raw_png([bytes([1, 2, 3])], 1, 8, 2, (broken,)))
    assert photo.image.getpixel((0, 0)) == (1, 2, 3)
    assert photo.notes[0].startswith("The embedded colour profile is damaged")


def test_a_lying_animation_table_does_not_warn() -> None:
    control = chunk(b"acTL", struct.pack(">II", 0, 0))
    image = raw_png([bytes([1, 2, 3])], 1, 8, 2, (control, control))
    assert decode_image(image).image.getpixel((0, 0)) == (1, 2, 3)


def test_a_thumbnail_is_bounded_and_a_url_holds_the_picture(chelsea: Photo) -> None:
    image = noise("RGB", (300, 200))
    assert thumbnail(image, 64).size == (64, 43)
    assert thumbnail(image, 1000).size == (300, 200)
    assert image.size == (300, 200)
    kind, _, text = picture_url(chelsea.image).partition(",")
    assert kind == "data:image/jpeg;base64"
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))), dtype=float)
    assert np.abs(shown - np.asarray(chelsea.image)).mean() < 4
