"""Bytes that somebody uploads -> one upright RGB picture, or one clear sentence.

The header is checked before a pixel is decoded (``image_headers``); then the picture is turned
upright, its colours become 8-bit sRGB over white, and every step leaves a sentence.
"""

import base64
import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sing_core.errors import UnsupportedImageError
from sing_core.files.digests import sha256_of_bytes
from sing_core.files.image_headers import HEADER_READERS, PNG_SIGNATURE, Header, exif_orientation

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
_MAX_ASPECT = 40
_SMALL_SIDE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded picture.

    Attributes:
        digest: SHA-256 of the bytes it came from, 64 hexadecimal digits.
        image: upright, 8-bit sRGB, without transparency or metadata.
        notes: whole sentences about everything that was changed on the way.
    """

    digest: str
    image: Image.Image
    notes: tuple[str, ...]

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.image.width

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.image.height


def decode_image(payload: bytes, *, max_pixels: int = 50_000_000) -> Photo:
    """Decode a JPEG, PNG or WebP, told by its content and never by a name.

    Raises:
        UnsupportedImageError: the bytes are empty, of another kind, damaged, incomplete, or the
            header announces more than ``max_pixels`` pixels (found before decoding).
    """
    kind = _kind(payload)
    damaged = f"This {kind} file is damaged or incomplete and cannot be read."
    try:
        header = HEADER_READERS[kind](payload)
    except _DECODER_ERRORS as error:
        raise UnsupportedImageError(damaged) from error
    _refuse_size(header, max_pixels)
    try:
        with _READERS[kind](io.BytesIO(header.body)) as source:
            if source.size != (header.width, header.height):
                raise UnsupportedImageError(damaged)
            source.load()
            image, notes = _to_rgb(source, header)
            exif = header.exif or source.info.get("exif", b"")
    except _DECODER_ERRORS as error:
        raise UnsupportedImageError(damaged) from error
    orientation = exif_orientation(exif)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
        notes.append("Turned upright as the camera noted (EXIF).")
    image = _bound_shape(image, notes)
    image.info = {}
    return Photo(sha256_of_bytes(payload), image, tuple(notes))


def picture_url(image: Image.Image) -> str:
    """Return ``image`` as a data URL (JPEG): who shows it need not ask a server for it again."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
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


def _to_rgb(source: ImageFile, header: Header) -> tuple[Image.Image, list[str]]:
    """Flatten a loaded picture to sRGB over white, with a sentence for every step taken."""
    notes = []
    frames = max(header.frames, getattr(source, "n_frames", 1))
    if frames > 1:
        notes.append(f"The first of {frames} frames is used.")
    colours, alpha = _split_alpha(source, header)
    if header.bits == 16:
        notes.append("16-bit values were scaled to 8 bits.")
    image = _apply_profile(colours, header.icc, source, notes)
    if alpha is not None and alpha.getextrema() != (255, 255):
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
        notes.append("Transparency was laid on white.")
    return image, notes


def _split_alpha(source: ImageFile, header: Header) -> tuple[Image.Image, Image.Image | None]:
    """Return 8-bit colours (grey, RGB or CMYK) and the alpha channel, if there is one."""
    image: Image.Image = source
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode in ("LA", "RGBA"):
        return image.convert(image.mode[:-1]), image.getchannel("A")
    if image.mode == "1":
        image = image.convert("L")
    alpha = None
    if header.clear_colour is not None:
        clear = (np.atleast_3d(np.asarray(image)) == header.clear_colour).all(axis=-1)
        alpha = Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
    if image.mode == "I;16":
        wide = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
    return image, alpha


def _apply_profile(
    image: Image.Image, icc: bytes | None, source: ImageFile, notes: list[str]
) -> Image.Image:
    """Convert to sRGB by the embedded colour profile, or plainly when there is none to trust."""
    icc = source.info.get("icc_profile") if icc is None else icc
    if icc is None:
        return image.convert("RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        converted = None
    if converted is None:
        notes.append("The embedded colour profile is damaged or does not fit, and was ignored.")
        return image.convert("RGB")
    notes.append("Colours were converted to sRGB by the embedded profile.")
    return converted


def _bound_shape(image: Image.Image, notes: list[str]) -> Image.Image:
    """Cut the ends off extreme strips: a network that enlarges their short side would explode."""
    short, long = min(image.size), max(image.size)
    if long > _MAX_ASPECT * short:
        notes.append(
            f"The picture is {long / short:,.0f} times longer than wide; "
            f"only its middle is used ({_MAX_ASPECT} to 1)."
        )
        width = min(image.width, _MAX_ASPECT * short)
        height = min(image.height, _MAX_ASPECT * short)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    if short < _SMALL_SIDE:
        notes.append(
            f"The picture is very small ({image.width} × {image.height} pixels) "
            "and is enlarged for the network."
        )
    return image
