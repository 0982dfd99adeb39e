"""Pictures on disk by what decided them: shared between users, bounded, checked on reading.

A frame lies in the store as lossless WebP with its facts; a file that was cut short or changed is
noticed by the store's checksum, dropped and drawn again, never shown.
"""

import io
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from sing_core.errors import StaleArtefactError
from sing_core.pictures.protocol import (
    Frames,
    ProgressCallback,
    RenderedFrames,
    Renderer,
    RenderProgress,
    RenderRequest,
    StopQuestion,
    never_stop,
    picture_key,
)

if TYPE_CHECKING:
    from sing_core.files.store import Store

_KIND = "frames"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FrameCache:
    """Finished frames under the cache folder.

    Attributes:
        store: where they lie; its ``problem`` says why frames are not kept, if they are not.
        max_bytes: the least recently used frames go when all together take more.
    """

    store: "Store"
    max_bytes: int

    def get(self, key: str) -> Frames | None:
        """Return the frame ``(h, w, 3)`` of a picture key, or None when it must be drawn."""
        path = self.store.path(_KIND, key)
        try:
            found = self.store.load(_KIND, key, expect={"key": key})  # not under another's name
        except StaleArtefactError as error:
            _log.warning("%s It is dropped and drawn again.", error)
            with suppress(OSError):
                path.unlink()
            return None
        if found is None:
            return None
        with suppress(OSError):  # a read-only cache still answers
            path.touch()
        return decode_webp(found["webp"].numpy().tobytes())

    def put(self, key: str, frame: Frames, facts: Mapping[str, str | int | float]) -> bool:
        """Keep one frame; return whether it could be kept."""
        payload = np.frombuffer(encode_webp(frame), dtype=np.uint8).copy()
        meta = {name: str(value) for name, value in facts.items()} | {"key": key}
        return self.store.try_save(
            _KIND, key, {"webp": torch.from_numpy(payload)}, meta, max_bytes=self.max_bytes
        )

    def find(self, renderer: Renderer, request: RenderRequest, row: int) -> Frames | None:
        """Return the frame ``(h, w, 3)`` of a request's ``row``, or None."""
        return self.get(picture_key(renderer, request, row))

    def render(
        self,
        renderer: Renderer,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Return the request's frames, drawing only what is not here.

        Rows that depend on each other are drawn together. ``on_progress`` names rows of
        ``request``.

        Raises:
            SingError: as ``renderer.render``.
        """
        keys = [picture_key(renderer, request, row) for row in range(len(request.vectors))]
        frames = [self.get(key) for key in keys]
        missing = [row for row, frame in enumerate(frames) if frame is None]
        if missing and not renderer.rows_are_independent:
            missing = list(range(len(keys)))
        facts: Mapping[str, str | int | float] = {}
        if missing:
            part = replace(request, vectors=request.vectors[missing])
            drawn = renderer.render(
                part, on_progress=_renamed(on_progress, missing), should_stop=should_stop
            )
            facts = drawn.facts
            for row, frame in zip(missing, drawn.frames, strict=True):
                frames[row] = frame
                self.put(keys[row], frame, facts)
        return RenderedFrames(np.stack([f for f in frames if f is not None]), facts)


def _renamed(listener: ProgressCallback | None, rows: list[int]) -> ProgressCallback | None:
    if listener is None:
        return None

    def tell(progress: RenderProgress) -> None:
        listener(replace(progress, rows=tuple(rows[row] for row in progress.rows)))

    return tell


def encode_webp(frame: Frames) -> bytes:
    """Return ``frame (h, w, 3)`` as lossless WebP."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "WEBP", lossless=True, quality=40, method=2)
    return buffer.getvalue()


def decode_webp(payload: bytes) -> Frames:
    """Return the picture ``(h, w, 3)`` of a lossless WebP."""
    with Image.open(io.BytesIO(payload), formats=["WEBP"]) as picture:
        return np.asarray(picture.convert("RGB"))
