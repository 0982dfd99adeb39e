"""Photo files of every kind that a person may drop on the page, made from one small picture."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes


def picture():
    """A part of the coffee cup, 240 x 200, RGB."""
    return decode_image(sample_bytes("coffee")).image.crop((200, 80, 440, 280))


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width, height):
    """A valid PNG that announces a size and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def rotated_by_the_camera():
    """The picture lying on its side, with the EXIF note that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture().transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)


def sixteen_bit(grey):
    """``grey`` as 16-bit PNG with exactly the same shades."""
    return encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "PNG")


def animated():
    other = Image.new("RGB", picture().size, "red")
    return encoded(picture(), "PNG", save_all=True, append_images=[other, other])


def clear_over_white():
    """White with the picture laid in, as RGB, and the same with white made transparent."""
    flat = Image.new("RGB", (300, 300), "white")
    flat.paste(picture(), (30, 50))
    alpha = Image.new("L", flat.size, 0)
    alpha.paste(255, (30, 50, 270, 250))
    loud = Image.new("RGB", flat.size, "magenta")
    loud.paste(picture(), (30, 50))
    loud.putalpha(alpha)
    return encoded(flat, "PNG"), encoded(loud, "PNG")


def same_pixels():
    """Pairs ``(name, file, plain PNG with the same pixels, what the page says)``."""
    plain = encoded(picture(), "PNG")
    grey, palette = picture().convert("L"), picture().quantize(64)
    flat, clear = clear_over_white()
    return [
        ("webp", encoded(picture(), "WEBP", lossless=True), plain, None),
        ("exif", rotated_by_the_camera(), plain, "Turned upright as the camera noted (EXIF)."),
        ("16-bit", sixteen_bit(grey), encoded(grey, "PNG"), "16-bit values were scaled to 8 bits."),
        ("palette", encoded(palette, "PNG"), encoded(palette.convert("RGB"), "PNG"), None),
        ("alpha", clear, flat, "Transparency was laid on white."),
        ("animated", animated(), plain, "The first of 3 frames is used."),
    ]


def other_good_files():
    """Files without a lossless twin: ``(name, file, what the page says)``."""
    pixel = encoded(Image.new("RGB", (1, 1), "teal"), "PNG")
    moving = encoded(picture(), "WEBP", save_all=True, append_images=[picture().rotate(180)])
    return [
        ("jpeg", encoded(picture(), "JPEG"), None),
        ("cmyk", encoded(picture().convert("CMYK"), "JPEG"), None),
        ("animated webp", moving, "The first of 2 frames is used."),
        ("1x1", pixel, "The picture is very small (1 × 1 pixels)"),
    ]


def bad_files():
    """Files that cannot be used: ``(name, file, what the page says)``."""
    jpeg = encoded(picture(), "JPEG")
    return [
        ("empty", b"", "The file is empty."),
        ("zero-byte", b"\0" * 4096, "The file holds nothing but zero bytes."),
        ("truncated", jpeg[: len(jpeg) // 2], "This JPEG file is damaged or incomplete"),
        ("text", b"Dear all, please find attached.", "This file is not a picture we can read"),
        ("gif", encoded(picture(), "GIF"), "This is a GIF file"),
        ("bomb", png_header(100_000, 100_000), "10,000.0 megapixels"),
        ("51 MP", png_header(8_500, 6_000), "51.0 megapixels, and at most 50.0 are read."),
        ("over the limit", jpeg + b"\0" * (20 * 2**20), "This file is larger than 20 MB"),
    ]
