"""What a JPEG, PNG or WebP file says about itself before a pixel is decoded.

The containers are walked here, so that sizes are known while no pixel exists, and only the parts
that make pixels are handed on: text chunks, animation tables and camera tags, which Pillow would
parse with warnings, never reach it, and no global limit or filter has to be changed.

The whole file is walked, to its end marker: how often a picture is painted over, and of how many
parts its file is made, decides how long it takes, and not how many bytes it has.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_MAX_ICC_BYTES = 16 * 2**20
# A camera's file has some dozens of parts, an editor's some hundreds; a PNG may be cut into chunks
# of a few hundred bytes.
MOST_PARTS = {"JPEG": 5_000, "PNG": 60_000, "WebP": 10_000}
# Markers with a length behind them: no stuffing, no padding, none that stands alone.
_SEGMENT = re.compile(rb"\xff[\x02-\xcf\xda-\xfe]")
_SEGMENT_OR_END = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
# Kinds of whole numbers in EXIF: of 16 bits, as the standard has the orientation, and of 8 or 32.
_WHOLE = {1: "B", 3: "H", 4: "I"}


class TooManyPartsError(ValueError):
    """The file is made of more parts than any picture needs."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the container says before a pixel is decoded; ``body`` is what Pillow gets to see.

    ``scans`` is how often the decoder goes over the whole picture.
    """

    kind: str
    width: int
    height: int
    body: bytes
    exif: bytes = b""
    icc: bytes | None = None
    frames: int = 1
    bits: int = 8
    scans: int = 1
    clear_colour: tuple[int, ...] | None = None


def _png_chunks(payload: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the name, the data and the whole of every chunk up to the end chunk."""
    position, name, left = 8, b"", MOST_PARTS["PNG"]
    while name != b"IEND":
        left = _one_less(left)
        length, name = struct.unpack_from(">I4s", payload, position)
        end = position + 12 + length
        if end > len(payload):
            raise EOFError("a chunk reaches beyond the end of the file")
        yield name, payload[position + 8 : end - 4], payload[position:end]
        position = end


def _png_header(payload: bytes) -> Header:
    chunks = list(_png_chunks(payload))
    if chunks[0][0] != b"IHDR" or sum(name == b"IHDR" for name, _, _ in chunks) != 1:
        raise ValueError("a PNG has one header, and it comes first")
    width, height, bits, colour = struct.unpack_from(">IIBB", chunks[0][1])
    found = {name: data for name, data, _ in reversed(chunks)}
    clear = None
    if b"tRNS" in found and colour in (0, 2):
        keys = struct.unpack_from(">H" if colour == 0 else ">HHH", found[b"tRNS"])
        # Pillow widens 1, 2 and 4 bits to 8, keeps 16-bit grey, and cuts 16-bit colours to 8.
        widen = {1: 255, 2: 85, 4: 17}.get(bits, 1)
        clear = tuple(key >> 8 if bits == 16 and colour == 2 else key * widen for key in keys)
    keep = (*_PNG_PIXEL_CHUNKS, b"tRNS") if colour == 3 else _PNG_PIXEL_CHUNKS
    frames = struct.unpack_from(">I", found[b"acTL"])[0] if b"acTL" in found else 1
    return Header(
        "PNG",
        width,
        height,
        PNG_SIGNATURE + b"".join(whole for name, _, whole in chunks if name in keep),
        exif=found.get(b"eXIf", b""),
        icc=_inflate(found[b"iCCP"]) if b"iCCP" in found else None,
        frames=frames,
        bits=bits,
        clear_colour=clear,
    )


def _inflate(chunk: bytes) -> bytes:
    """Return the profile inside an iCCP chunk, or no bytes (which is no profile) if damaged."""
    compressed = chunk.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(compressed, _MAX_ICC_BYTES)
    except zlib.error:
        return b""


def _one_less(left: int) -> int:
    if left < 1:
        raise TooManyPartsError("more parts than any picture needs")
    return left - 1


def _jpeg_header(payload: bytes) -> Header:
    size, exif, parts, position = None, b"", [payload[:2]], 2
    for position, code, segment in _jpeg_segments(payload):  # noqa: B007 - where the first scan is
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            size = struct.unpack_from(">HH", segment, 5)
        if code == 0xE1 and segment[4:10] == b"Exif\0\0":
            exif = exif or segment[4:]
        if code == 0xDA:
            break
        length = len(segment) - 2
        profile = code == 0xE2 and segment[4:16] == b"ICC_PROFILE\0" and length > 18
        adobe = code == 0xEE and segment[4:9] == b"Adobe" and length >= 14
        jfif = code == 0xE0 and segment[4:9] == b"JFIF\0" and length >= 16
        if not (0xE0 <= code <= 0xEF or code == 0xFE) or profile or adobe or jfif:
            parts.append(segment)
    if size is None:
        raise ValueError("no frame header before the scan")
    height, width = size
    scans, end = _jpeg_scans(payload, position)
    parts.append(payload[position:end])
    return Header("JPEG", width, height, b"".join(parts), exif=exif, scans=scans)


def _jpeg_segments(payload: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the place, the code and the whole of every segment up to the first scan's header."""
    position, code, left = 2, 0, MOST_PARTS["JPEG"]
    while code != 0xDA:
        left = _one_less(left)
        found = _SEGMENT.search(payload, position)
        if found is None:
            raise EOFError("the file ends before its first scan")
        position, code = found.start(), payload[found.start() + 1]
        (length,) = struct.unpack_from(">H", payload, position + 2)
        yield position, code, payload[position : position + 2 + length]
        position += 2 + length


def _jpeg_scans(payload: bytes, position: int) -> tuple[int, int]:
    """Return how many scans follow from ``position``, and where the picture's end marker ends."""
    scans, left = 0, MOST_PARTS["JPEG"]
    while (found := _SEGMENT_OR_END.search(payload, position)) is not None:
        left = _one_less(left)
        position, code = found.start(), payload[found.start() + 1]
        if code == 0xD9:
            return scans, position + 2
        if position + 4 > len(payload):
            break
        (length,) = struct.unpack_from(">H", payload, position + 2)
        scans += code == 0xDA
        position += 2 + length
    return scans, len(payload)


def _webp_header(payload: bytes) -> Header:
    """Read the size; libwebp itself reads the rest without a warning."""
    position, left = 12, MOST_PARTS["WebP"]
    while position + 8 <= len(payload):
        left = _one_less(left)
        (length,) = struct.unpack_from("<I", payload, position + 4)
        position += 8 + length + length % 2
    name = payload[12:16]
    if name == b"VP8X":
        width, height = (1 + int.from_bytes(payload[at : at + 3], "little") for at in (24, 27))
    elif name == b"VP8L":
        (packed,) = struct.unpack_from("<I", payload, 21)
        width, height = 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    elif name == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", payload, 26))
    else:
        raise ValueError("unknown kind of WebP")
    return Header("WebP", width, height, payload)


HEADER_READERS = {"JPEG": _jpeg_header, "PNG": _png_header, "WebP": _webp_header}


def exif_orientation(exif: bytes) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) when it is missing or unreadable."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for position in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, position)
        if tag == 0x0112 and kind in _WHOLE:
            (value,) = struct.unpack_from(order + _WHOLE[kind], tiff, position + 8)
            return int(value) if 1 <= value <= 8 else 1
    return 1
