"""Pictures as bytes, good and strange, for the tests of image files."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

from sing_core.files.images import decode_image

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
