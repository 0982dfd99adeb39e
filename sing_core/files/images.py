"""Bytes that somebody uploads -> one upright RGB picture, or one clear sentence.

The header is checked before a pixel is decoded (``image_headers``); then the picture is turned
upright, its colours become 8-bit sRGB over white, and every step leaves a sentence.
"""

import base64
import io
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sing_core.errors import UnsupportedImageError
from sing_core.files.digests import sha256_of_bytes
from sing_core.files.image_colours import to_rgb
from sing_core.files.image_headers import (
    HEADER_READERS,
    PNG_SIGNATURE,
    Header,
    TooManyPartsError,
    exif_orientation,
)

_READERS: dict[str, type[ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
}
_OTHER_KINDS = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
)
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# A progressive JPEG has about ten scans. An empty one takes 75 bytes, and a core as long as any
# other: 2 ns a pixel.
_SCANS_OF_THE_LARGEST = 20
# Of a core, not of the clock: a busy machine refuses nothing. 50 megapixels take about two.
_LONGEST_S = 20.0
_MAX_ASPECT = 40
_SMALL_SIDE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded picture.

    Attributes:
        digest: SHA-256 of the bytes it came from, 64 hexadecimal digits.
        size: pixels from left to right, and from top to bottom.
        notes: whole sentences about everything that was changed on the way.
        pixels: returns the picture; who keeps many photos decodes them anew there.
    """

    digest: str
    size: tuple[int, int]
    notes: tuple[str, ...]
    pixels: Callable[[], Image.Image]

    @classmethod
    def of(cls, digest: str, image: Image.Image, notes: tuple[str, ...] = ()) -> Self:
        """Return the photo of a picture in memory."""
        return cls(digest, image.size, notes, lambda: image)

    @property
    def image(self) -> Image.Image:
        """The picture: upright, 8-bit sRGB, without transparency or metadata."""
        return self.pixels()

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.size[0]

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.size[1]


class _TooSlowError(Exception):
    """A decoder has worked for longer than any picture that is read needs."""


class _Watched(io.BytesIO):
    """Bytes whose reader is asked, again and again, whether to go on, and may not work for ever.

    A WebP's reader takes the file whole and cannot be ended. It paints each pixel once, in 0.12 µs
    of a core at most, so that the limit on pixels bounds its time: to some six seconds.
    """

    def __init__(self, payload: bytes, go_on: Callable[[], object]) -> None:
        super().__init__(payload)
        self._go_on = go_on
        self._until = time.thread_time() + _LONGEST_S

    def read(self, size: int | None = -1, /) -> bytes:
        self._go_on()
        if time.thread_time() > self._until:
            raise _TooSlowError
        return super().read(size)


def _no_matter() -> None:
    """Go on: nobody waits, or leaves."""


def decode_image(
    payload: bytes,
    *,
    max_pixels: int = 50_000_000,
    least_side: int | None = None,
    go_on: Callable[[], object] = _no_matter,
) -> Photo:
    """Decode a JPEG, PNG or WebP, told by its content and never by a name.

    Who needs but a small copy says so by ``least_side``: a JPEG is then decoded at a half, a
    quarter or an eighth, both sides being at least as long, which is several times as fast.

    ``go_on`` is called before every 64 kB that a JPEG's or PNG's decoder takes: what it raises ends
    the work (see ``_Watched``).

    Raises:
        UnsupportedImageError: the bytes are empty, of another kind, damaged, incomplete, or the
            header announces more than ``max_pixels`` pixels, or more work than any picture of that
            size needs (both found before decoding); or decoding took 20 seconds of a core.
    """
    header = _read_header(payload)
    _refuse_size(header, max_pixels)
    try:
        image, notes, exif = _decode(header, least_side, go_on)
    except _TooSlowError as error:
        raise UnsupportedImageError(
            f"This {header.kind} file kept a core busy for {_LONGEST_S:g} seconds and was not read "
            "to its end. Please save it anew with another program."
        ) from error
    except _DECODER_ERRORS as error:
        raise UnsupportedImageError(_damaged(header.kind)) from error
    orientation = exif_orientation(exif)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
        notes.append("Turned upright as the camera noted (EXIF).")
    image = _bound_shape(image, notes)
    image.info = {}
    return Photo.of(sha256_of_bytes(payload), image, tuple(notes))


def pixels_in(payload: bytes) -> int:
    """Return how many pixels the header of a JPEG, PNG or WebP announces.

    Raises:
        UnsupportedImageError: the bytes are empty, of another kind, damaged or incomplete.
    """
    header = _read_header(payload)
    return header.width * header.height


def _read_header(payload: bytes) -> Header:
    kind = _kind(payload)
    try:
        return HEADER_READERS[kind](payload)
    except TooManyPartsError as error:
        raise UnsupportedImageError(_too_many(kind, "parts")) from error
    except _DECODER_ERRORS as error:
        raise UnsupportedImageError(_damaged(kind)) from error


def _damaged(kind: str) -> str:
    return f"This {kind} file is damaged or incomplete and cannot be read."


def _decode(
    header: Header, least_side: int | None, go_on: Callable[[], object]
) -> tuple[Image.Image, list[str], bytes]:
    """Return the picture as it lies in the file, sentences about its colours, and its EXIF."""
    with _READERS[header.kind](_Watched(header.body, go_on)) as source:
        if source.size != (header.width, header.height):
            raise ValueError("the frame is not of the size that the header says")
        if least_side is not None:
            source.draft(source.mode, (least_side, least_side))
        source.load()
        image, notes = to_rgb(source, header)
        return image, notes, header.exif or source.info.get("exif", b"")


def picture_url(image: Image.Image, *, quality: int = 92) -> str:
    """Return ``image`` as a data URL (JPEG): who shows it need not ask a server for it again."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def thumbnail(image: Image.Image, side: int) -> Image.Image:
    """Return a copy of ``image`` whose longer side is at most ``side`` pixels."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def _kind(payload: bytes) -> str:
    if not payload:
        raise UnsupportedImageError("The file is empty.")
    if payload.startswith(PNG_SIGNATURE):
        return "PNG"
    if payload.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if payload.startswith(b"RIFF") and payload[8:12] == b"WEBP":
        return "WebP"
    if not payload.strip(b"\0"):
        raise UnsupportedImageError("The file holds nothing but zero bytes.")
    names = [name for magic, name in _OTHER_KINDS if payload.startswith(magic)]
    if payload[4:8] == b"ftyp":
        names = ["HEIC, AVIF or video"]
    what = f"This is a {names[0]} file" if names else "This file is not a picture we can read"
    raise UnsupportedImageError(f"{what}; please choose a JPEG, PNG or WebP picture.")


def _refuse_size(header: Header, max_pixels: int) -> None:
    width, height = header.width, header.height
    if width < 1 or height < 1:
        raise UnsupportedImageError(f"This {header.kind} file says that it has no pixels.")
    if width * height > max_pixels:
        raise UnsupportedImageError(
            f"The picture is too large: {width:,} × {height:,} pixels are "
            f"{width * height / 1e6:,.1f} megapixels, and at most {max_pixels / 1e6:,.1f} are read."
        )
    if header.scans * width * height > _SCANS_OF_THE_LARGEST * max_pixels:
        raise UnsupportedImageError(_too_many(header.kind, f"scans ({header.scans:,})"))


def _too_many(kind: str, what: str) -> str:
    return (
        f"This {kind} file is made of more {what} than a picture of its size needs, and would take "
        "too long to read. Please save it anew with another program."
    )


def _bound_shape(image: Image.Image, notes: list[str]) -> Image.Image:
    """Cut the ends off extreme strips: a network that enlarges their short side would explode."""
    given = f"{image.width} × {image.height}"
    short, long = min(image.size), max(image.size)
    if long > _MAX_ASPECT * short:
        longer, other = ("wide", "high") if image.width == long else ("high", "wide")
        notes.append(
            f"The picture is {long / short:,.0f} times as {longer} as it is {other}; a network "
            f"sees only a square in its middle, at most about 1/{long / short:,.0f} of it."
        )
        width = min(image.width, _MAX_ASPECT * short)
        height = min(image.height, _MAX_ASPECT * short)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    if short < _SMALL_SIDE:
        notes.append(f"The picture is very small ({given} pixels) and is enlarged for the network.")
    return image
