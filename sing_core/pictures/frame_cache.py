"""Pictures on disk by what decided them: shared between users, bounded, checked on reading.

A frame lies in the store as lossless WebP with its facts; a file that was cut short or changed is
noticed by the store's checksum, dropped and drawn again, never shown. Pictures that were drawn
together know of each other: where a process was killed before it had kept them all, the same
request draws the same ones together again, and ends with the same bytes.
"""

import io
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from sing_core.errors import StaleArtefactError
from sing_core.pictures.protocol import (
    Frames,
    GroupRenderer,
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
    from torch import Tensor

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
        found = self._load(key)
        return None if found is None else decode_webp(found["webp"].numpy().tobytes())

    def _load(self, key: str) -> "dict[str, Tensor] | None":
        path = self.store.path(_KIND, key)
        try:
            found = self.store.load(_KIND, key, expect={"key": key})  # not under another's name
        except StaleArtefactError as error:
            _log.warning("%s It is dropped and drawn again.", error)
            with suppress(OSError):
                path.unlink()
            return None
        if found is not None:
            with suppress(OSError):  # a read-only cache still answers
                path.touch()
        return found

    def put(
        self,
        key: str,
        frame: Frames,
        facts: Mapping[str, str | int | float],
        company: Sequence[str] = (),
    ) -> bool:
        """Keep one frame, drawn together with those of ``company``; return whether it was kept."""
        parts = {"webp": encode_webp(frame), "company": " ".join(company).encode()}
        tensors = {
            name: torch.from_numpy(np.frombuffer(part, dtype=np.uint8).copy())
            for name, part in parts.items()
            if part
        }
        meta = {name: str(value) for name, value in facts.items()} | {"key": key}
        return self.store.try_save(_KIND, key, tensors, meta, max_bytes=self.max_bytes)

    def _recall(self, keys: Sequence[str]) -> list[Frames | None]:
        """Return the frame of each key, None where it must be drawn.

        A frame that was drawn together with one that is missing among ``keys`` is drawn again too:
        in other company it would differ in detail.
        """
        found = [self._load(key) for key in keys]
        absent = {key for key, one in zip(keys, found, strict=True) if one is None}
        return [
            decode_webp(one["webp"].numpy().tobytes())
            if one is not None and absent.isdisjoint(_company(one))
            else None
            for one in found
        ]

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
        frames = self._recall(keys)
        missing = [row for row, frame in enumerate(frames) if frame is None]
        if missing and not renderer.rows_are_independent:
            missing = list(range(len(keys)))
        facts: Mapping[str, str | int | float] = {}
        if missing:
            part = replace(request, vectors=request.vectors[missing])
            drawn = renderer.render(
                part, on_progress=_renamed(on_progress, missing), should_stop=should_stop
            )
            facts, company = drawn.facts, [keys[row] for row in missing]
            for row, frame in zip(missing, drawn.frames, strict=True):
                frames[row] = frame
                self.put(keys[row], frame, facts, company)
        return RenderedFrames(np.stack([f for f in frames if f is not None]), facts)

    def render_together(
        self, renderer: GroupRenderer, requests: Sequence[RenderRequest]
    ) -> tuple[Frames, ...]:
        """Return the frames ``(n, h, w, 3)`` of each request; what is not here is drawn together.

        Raises:
            SingError: as ``renderer.render_together``.
        """
        keys = [
            [picture_key(renderer, request, row) for row in range(len(request.vectors))]
            for request in requests
        ]
        recalled = iter(self._recall([key for of_request in keys for key in of_request]))
        frames = [[next(recalled) for _ in of_request] for of_request in keys]
        missing = {
            at: [row for row, frame in enumerate(found) if frame is None]
            for at, found in enumerate(frames)
            if any(frame is None for frame in found)
        }
        parts = [
            replace(requests[at], vectors=requests[at].vectors[rows])
            for at, rows in missing.items()
        ]
        company = [keys[at][row] for at, rows in missing.items() for row in rows]
        for (at, rows), drawn in zip(
            missing.items(), renderer.render_together(parts) if parts else (), strict=True
        ):
            for row, frame in zip(rows, drawn.frames, strict=True):
                frames[at][row] = frame
                self.put(keys[at][row], frame, drawn.facts, company)
        return tuple(np.stack([one for one in found if one is not None]) for found in frames)


def _renamed(listener: ProgressCallback | None, rows: list[int]) -> ProgressCallback | None:
    if listener is None:
        return None

    def tell(progress: RenderProgress) -> None:
        listener(replace(progress, rows=tuple(rows[row] for row in progress.rows)))

    return tell


def _company(found: "Mapping[str, Tensor]") -> list[str]:
    """Return the keys of the frames that were drawn together with this one."""
    return found["company"].numpy().tobytes().decode().split() if "company" in found else []


def encode_webp(frame: Frames) -> bytes:
    """Return ``frame (h, w, 3)`` as lossless WebP."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "WEBP", lossless=True, quality=40, method=2)
    return buffer.getvalue()


def decode_webp(payload: bytes) -> Frames:
    """Return the picture ``(h, w, 3)`` of a lossless WebP."""
    with Image.open(io.BytesIO(payload), formats=["WEBP"]) as picture:
        return np.asarray(picture.convert("RGB"))
