"""Photos of visitors: decoded a few at a time, their pixels kept while there is room.

What a page needs of a photo that it has analysed before (its size, its notes, what tells it from
others) takes no room, so a moved slider decodes nothing, however many people have photos meanwhile.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from PIL import Image

from sing_core.files.decoding_turns import DecodingTurns
from sing_core.files.images import Photo, decode_image, pixels_in

_FACTS = 4096
_BYTES_PER_PIXEL = 4  # Pillow keeps red, green and blue in 32 bits


class PhotoDesk:
    """Photos by the digest of their files; safe for several threads at once."""

    def __init__(self, max_pixels: int, budget_bytes: int) -> None:
        """Keep pixels of at most ``budget_bytes`` together; the photo seen last stays anyway."""
        self._max_pixels, self._budget = max_pixels, budget_bytes
        self._turns, self._guard = DecodingTurns(), threading.Lock()
        self._facts = OrderedDict[str, tuple[tuple[int, int], tuple[str, ...]]]()
        self._pictures = OrderedDict[str, Image.Image]()

    def photo(self, digest: str, payload: bytes, go_on: Callable[[], object]) -> Photo:
        """Return the photo whose file has this digest; one known before is not decoded now.

        ``go_on`` is called now and then while it waits and works; what it raises ends both.

        Raises:
            UnsupportedImageError: the file cannot be used.
        """
        with self._guard:
            facts = self._facts.get(digest)
        if facts is None:
            return self._decode(digest, payload, go_on)
        return Photo(digest, *facts, partial(self._picture, digest, payload, go_on))

    @property
    def kept(self) -> tuple[str, ...]:
        """Digests of the photos whose pixels are kept, least recently used first."""
        with self._guard:
            return tuple(self._pictures)

    def _picture(self, digest: str, payload: bytes, go_on: Callable[[], object]) -> Image.Image:
        with self._guard:
            if digest in self._pictures:
                self._pictures.move_to_end(digest)
                return self._pictures[digest]
        return self._decode(digest, payload, go_on).image

    def _decode(self, digest: str, payload: bytes, go_on: Callable[[], object]) -> Photo:
        photo = self._turns.run(
            pixels_in(payload),
            lambda check: decode_image(payload, max_pixels=self._max_pixels, go_on=check),
            go_on,
        )
        with self._guard:
            self._facts[digest] = photo.size, photo.notes
            if len(self._facts) > _FACTS:
                self._facts.popitem(last=False)
            self._pictures[digest] = photo.image
            while len(self._pictures) > 1 and self._bytes() > self._budget:
                self._pictures.popitem(last=False)
        return photo

    def _bytes(self) -> int:
        return sum(_BYTES_PER_PIXEL * one.width * one.height for one in self._pictures.values())
