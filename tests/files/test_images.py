"""Uploads: every kind of file becomes the right pixels, or one clear sentence."""

import base64
import hashlib
import io
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from sing_core.errors import UnsupportedImageError
from sing_core.files.images import Photo, decode_image, picture_url, thumbnail

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(
    rows: list[bytes], width: int, bits: int, colour: int, extra: tuple[bytes, ...] = ()
) -> bytes:
    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *extra,
            chunk(b"IDAT", pixels),
            chunk(b"IEND", b""),
        ]
    )


def pixels(payload: bytes) -> np.ndarray:
    photo = decode_image(payload)
    assert photo.image.mode == "RGB"
    assert (photo.width, photo.height) == photo.image.size
    return np.asarray(photo.image)


def corners(side: int = 64) -> Image.Image:
    """Red, green above blue, white: four quarters, so that every turn is told apart."""
    image = Image.new("RGB", (side + side // 2, side), WHITE)
    half = (image.width // 2, image.height // 2)
    image.paste(RED, (0, 0, *half))
    image.paste(GREEN, (half[0], 0, image.width, half[1]))
    image.paste(BLUE, (0, half[1], half[0], image.height))
    return image


def noise(mode: str, size: tuple[int, int] = (40, 36), seed: int = 7) -> Image.Image:
    rng = np.random.default_rng(seed)
    bands = len(Image.new(mode, (1, 1)).getbands())
    array = rng.integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    return Image.merge(mode, [Image.fromarray(array[..., band]) for band in range(bands)])


def exif_with(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A camera"
    return exif.tobytes()


def swapping_profile() -> bytes:
    """An RGB profile whose red primary is sRGB's green and the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {}
    for index in range(struct.unpack_from(">I", profile, 128)[0]):
        position = 132 + 12 * index
        tags[bytes(profile[position : position + 4])] = position
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    start, length = struct.unpack_from(">II", profile, tags[b"desc"] + 4)
    name = profile[start : start + length]
    profile[start : start + length] = name.replace("s".encode("utf-16-be"), "x".encode("utf-16-be"))
    return bytes(profile)


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


def test_a_gif_and_other_kinds_are_refused_by_their_content() -> None:
    with pytest.raises(UnsupportedImageError, match="a GIF file; please choose a JPEG, PNG or"):
        decode_image(encode(corners(), "GIF"))
    for kind in ("BMP", "TIFF"):
        with pytest.raises(UnsupportedImageError, match=f"a {kind} file"):
            decode_image(encode(corners(), kind))
    with pytest.raises(UnsupportedImageError, match="HEIC, AVIF or video"):
        decode_image(b"\0\0\0\x20ftypavif" + b"\0" * 64)
    with pytest.raises(UnsupportedImageError, match="not a picture"):
        decode_image(b"Dear reader,\n this is a letter.")


def test_empty_zeroed_and_pixelless_files_are_refused() -> None:
    with pytest.raises(UnsupportedImageError, match=r"^The file is empty\.$"):
        decode_image(b"")
    with pytest.raises(UnsupportedImageError, match="nothing but zero bytes"):
        decode_image(b"\0" * 4096)
    with pytest.raises(UnsupportedImageError, match="has no pixels"):
        decode_image(raw_png([], 10, 8, 2))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_a_file_is_refused(kind: str) -> None:
    payload = encode(noise("RGB"), kind)
    with pytest.raises(UnsupportedImageError, match="damaged or incomplete"):
        decode_image(payload[: len(payload) // 2])


def bombs() -> list[bytes]:
    png = raw_png([b""], 100_000, 8, 2)
    png = png[:16] + struct.pack(">II", 100_000, 100_000) + png[24:]
    jpeg = bytearray(encode(corners(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    extended = bytearray(encode(corners().convert("RGBA"), "WEBP", exif=exif_with(1)))
    assert extended[12:16] == b"VP8X"
    extended[24:30] = (16_000).to_bytes(3, "little") * 2
    lossless = bytearray(encode(corners(), "WEBP", lossless=True))
    lossless[21:25] = struct.pack("<I", 16_000 | 16_000 << 14)
    lossy = bytearray(encode(corners(), "WEBP"))
    assert lossy[12:16] == b"VP8 "
    lossy[26:30] = struct.pack("<HH", 16_000, 16_000)
    return [png, bytes(jpeg), bytes(extended), bytes(lossless), bytes(lossy)]


@pytest.mark.parametrize("payload", bombs(), ids=["png", "jpeg", "vp8x", "vp8l", "vp8"])
def test_a_bomb_is_refused_from_its_header(payload: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(UnsupportedImageError, match=r"too large: .* megapixels, and at most 50\.0"):
        decode_image(payload)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_the_pixel_limit_is_exact_and_ours_alone() -> None:
    payload = encode(Image.new("RGB", (50, 40)))
    assert decode_image(payload, max_pixels=2000).width == 50
    with pytest.raises(UnsupportedImageError, match="50 × 40"):
        decode_image(payload, max_pixels=1999)
    assert Image.MAX_IMAGE_PIXELS == 89_478_485


@pytest.mark.slow
def test_a_size_beyond_pillows_warning_is_allowed_when_asked_for() -> None:
    payload = encode(Image.new("1", (12_000, 8_000)))
    assert decode_image(payload, max_pixels=10**8).width == 12_000


def test_a_header_that_disagrees_with_its_frame_is_refused() -> None:
    payload = bytearray(encode(corners(), "WEBP", exif=exif_with(1)))
    assert payload[12:16] == b"VP8X"
    payload[24:27] = (20).to_bytes(3, "little")
    with pytest.raises(UnsupportedImageError, match="damaged"):
        decode_image(bytes(payload))


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
    assert photo.notes[0] == (
        "The picture is 2,000 times longer than wide; only its middle is used (40 to 1)."
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


def seeds_of_the_fuzzer() -> dict[str, bytes]:
    rgb, rgba = noise("RGB"), noise("RGBA")
    frames = [noise("RGBA", seed=seed) for seed in (1, 2)]
    exif, icc = exif_with(6), swapping_profile()
    deep = [bytes(row) for row in np.random.default_rng(0).integers(0, 256, (9, 54), np.uint8)]
    clear = chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))
    return {
        "jpeg": encode(rgb, "JPEG", exif=exif, icc_profile=icc, comment=b"hello"),
        "progressive": encode(rgb, "JPEG", progressive=True, dpi=(72, 72)),
        "grey": encode(noise("L"), "JPEG"),
        "cmyk": encode(noise("CMYK"), "JPEG"),
        "png": encode(rgb, exif=exif, icc_profile=icc),
        "palette": encode(rgb.quantize(16), transparency=bytes(range(16))),
        "apng": encode(frames[0], save_all=True, append_images=frames[1:]),
        "deep": raw_png(deep, 9, 16, 2, (clear,)),
        "deep grey": raw_png(deep, 27, 16, 0, (chunk(b"tRNS", b"\1\2"),)),
        "webp": encode(rgb, "WEBP", exif=exif, icc_profile=icc),
        "lossless": encode(rgba, "WEBP", lossless=True),
        "animated": encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
    }


def sentence_or_none(payload: bytes) -> str | None:
    try:
        decode_image(payload, max_pixels=1_000_000)
    except UnsupportedImageError as error:
        return str(error)
    return None


def repair(payload: bytearray) -> bytes:
    """Give every PNG chunk its right checksum again, so that the fuzz reaches what is inside."""
    position = 8
    while payload[1:4] == b"PNG" and position + 12 <= len(payload):
        (length,) = struct.unpack_from(">I", payload, position)
        end = position + 8 + length
        if end + 4 > len(payload):
            break
        struct.pack_into(">I", payload, end, zlib.crc32(payload[position + 4 : end]))
        position = end + 4
    return bytes(payload)


@pytest.mark.slow
@pytest.mark.parametrize("name", seeds_of_the_fuzzer())
def test_damage_gives_a_picture_or_a_sentence_and_nothing_else(name: str) -> None:
    payload = seeds_of_the_fuzzer()[name]
    rng = random.Random(name)
    assert decode_image(payload).width > 0
    variants = [payload[:length] for length in range(0, len(payload), 50)]
    for turn in range(400):
        damaged = bytearray(payload)
        for _ in range(rng.choice((1, 1, 2, 8, 40))):
            damaged[rng.randrange(min(len(damaged), rng.choice((64, 600, 10**9))))] = rng.choice(
                (0, 1, 255, rng.randrange(256))
            )
        variants.append(repair(damaged) if turn % 2 else bytes(damaged))
    sentences = [sentence_or_none(variant) for variant in variants]
    assert sum(sentence is not None for sentence in sentences) > 10
    assert all(sentence is None or sentence.endswith(".") for sentence in sentences)
