"""Photos and prompts that say whose they are, so that a stranger's is known at sight."""

import base64
import io
import re
from functools import lru_cache

import numpy as np
from PIL import Image

from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.models.imagenet import imagenet_labels
from sing_core.models.prompts import spoken_prompt

_CELLS = (
    4  # a grid of bright and dark squares: 16 bits, and as many again turned round would be seen
)
_NUMBERS = 512
_PHONE = (1600, 1200)
_LARGE = (8640, 5760)  # 49.8 megapixels
_NAMED = re.compile(rb"guest(\d\d)\b")
_THINGS = ("heron", "teapot", "lighthouse", "scooter", "cactus", "violin", "igloo", "pretzel")


def photo(owner: int, number: int, *, large: bool = False) -> bytes:
    """Return a photo as a phone would send it; its squares say who owns it and which it is."""
    size = _LARGE if large else _PHONE
    value = owner * _NUMBERS + number % _NUMBERS
    bits = [(value >> place) & 1 for place in range(_CELLS**2)]
    grid = np.array([40 + 175 * bit for bit in bits], np.uint8).reshape(_CELLS, _CELLS)
    marks = Image.fromarray(grid).resize((size[1], size[1]), Image.Resampling.NEAREST)
    picture = _cup().resize(size, Image.Resampling.BILINEAR)
    left = (size[0] - size[1]) // 2
    square = picture.crop((left, 0, left + size[1], size[1]))
    picture.paste(Image.blend(square, marks.convert("RGB"), 0.7), (left, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


@lru_cache
def _large(owner: int) -> bytes:
    return photo(owner, 0, large=True)


def large_photo(owner: int, number: int) -> bytes:
    """Return a file of 50 megapixels that no server has seen, at no cost but that of its bytes.

    Whoever sends such files has them: making one takes seconds of a core, which would be the
    server's. They differ in a comment, and are decoded anew each.
    """
    picture, comment = _large(owner), f"number {number}".encode()
    return picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + picture[2:]


def owner_of(url: str) -> tuple[int, int]:
    """Return whose photo a square of the page shows, and which of theirs; it is a data URL."""
    with Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))) as shown:
        grey = np.asarray(shown.convert("L").resize((_CELLS * 8, _CELLS * 8), Image.Resampling.BOX))
    cells = grey.reshape(_CELLS, 8, _CELLS, 8)[:, 2:6, :, 2:6].mean((1, 3)).ravel()
    value = sum(1 << place for place, cell in enumerate(cells) if cell > 127)
    return divmod(value, _NUMBERS)


def prompt(owner: int, number: int, guests: int) -> str:
    """Return a prompt that nobody else asks: a class of one's own, or words with one's name."""
    share = len(_labels()) // guests
    if number % 2:
        return spoken_prompt(_labels()[owner * share + number % share])
    return f"a small wet {_THINGS[number // 2 % len(_THINGS)]} of guest{owner:02d}, turn {number}"


def strangers(words: bytes, owner: int) -> set[int]:
    """Return who else is named in a message to ``owner``."""
    return {int(found) for found in _NAMED.findall(words)} - {owner}


def scan_bomb() -> bytes:
    """Return a small progressive JPEG that goes over its 49 megapixels three thousand times."""
    buffer = io.BytesIO()
    Image.new("RGB", (7_000, 7_000), "navy").save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * 3_000 + whole[-2:]


@lru_cache
def _labels() -> tuple[str, ...]:
    return tuple(imagenet_labels())


@lru_cache
def _cup() -> Image.Image:
    return decode_image(sample_bytes("coffee")).image
