"""Files that are no pictures, lie, or would not end: a sentence, never anything else."""

import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from sing_core.errors import UnsupportedImageError
from sing_core.files.images import decode_image
from tests.files.pictures import chunk, corners, encode, exif_with, noise, raw_png, swapping_profile


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
