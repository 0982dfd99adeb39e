"""A loaded picture of any kind -> 8-bit sRGB over white, with a sentence for every step taken.

It is gone through strip by strip: each step makes a copy, and five copies of 50 megapixels are a
gigabyte.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from sing_core.files.image_headers import Header

_STRIP_PIXELS = 250_000
_PROFILE_ERRORS = (OSError, ValueError, TypeError, ImageCms.PyCMSError)
_IGNORED = "The embedded colour profile is damaged or does not fit, and was ignored."
_CONVERTED = "Colours were converted to sRGB by the embedded profile."


def to_rgb(source: ImageFile, header: Header) -> tuple[Image.Image, list[str]]:
    """Flatten a loaded picture to sRGB over white, with a sentence for every step taken."""
    notes = []
    frames = max(header.frames, getattr(source, "n_frames", 1))
    if frames > 1:
        notes.append(f"The first of {frames} frames is used.")
    if header.bits == 16:
        notes.append("16-bit values were scaled to 8 bits.")
    icc = source.info.get("icc_profile") if header.icc is None else header.icc
    first, _ = _split_alpha(source.crop((0, 0, 1, 1)), header)
    to_srgb = _by_profile(icc, first, notes)
    flat, opaque = Image.new("RGB", source.size, "white"), True
    rows = max(1, _STRIP_PIXELS // source.width)
    for top in range(0, source.height, rows):
        box = (0, top, source.width, min(top + rows, source.height))
        colours, alpha = _split_alpha(source.crop(box), header)
        flat.paste(to_srgb(colours), box, mask=alpha)
        opaque &= alpha is None or alpha.getextrema() == (255, 255)
    if not opaque:
        notes.append("Transparency was laid on white.")
    return flat, notes


def _split_alpha(image: Image.Image, header: Header) -> tuple[Image.Image, Image.Image | None]:
    """Return 8-bit colours (grey, RGB or CMYK) and the alpha channel, if there is one."""
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


def _by_profile(
    icc: bytes | None, pixel: Image.Image, notes: list[str]
) -> Callable[[Image.Image], Image.Image]:
    """Return the way to sRGB by the embedded profile, or plainly when there is none to trust.

    ``pixel`` is one of the picture's: a profile of another kind of colours fails on it.
    """
    if icc is None:
        return _plainly
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return _plainly
        way = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), pixel.mode, "RGB")
        ImageCms.applyTransform(pixel, way)
    except _PROFILE_ERRORS:
        notes.append(_IGNORED)
        return _plainly
    notes.append(_CONVERTED)
    return lambda image: ImageCms.applyTransform(image, way) or image


def _plainly(image: Image.Image) -> Image.Image:
    return image.convert("RGB")
