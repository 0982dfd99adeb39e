"""The nearest real photographs: of a prepared set, by the meaning that is read from features.

What is shown is always natural and always true: a photograph whose translated feature points
nearest to the asked one. It is not the asked feature, and says how far away it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from sing_core.errors import RenderCancelledError, RenderError, ShapeError, WeightsUnavailableError
from sing_core.files.digests import content_key
from sing_core.files.images import decode_image
from sing_core.maths.scores import angle_deg
from sing_core.pictures.catalogue import NEIGHBOURS
from sing_core.pictures.protocol import (
    Frames,
    ProgressCallback,
    RenderedFrames,
    RenderProgress,
    RenderRequest,
    StopQuestion,
    check_space,
    never_stop,
)
from sing_core.sets.catalogue import image_sets
from sing_core.sets.chunks import ImageRow, SetFolder
from sing_core.sets.originals import are_here, original

if TYPE_CHECKING:
    from sing_core.maths.translator import Translator
    from sing_core.models.backbones import Backbone
    from sing_core.settings import Settings

_SIDE = 128


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """Photographs of one prepared set and what is read from their features.

    Attributes:
        folder: the set.
        images: the ``n`` usable ones.
        embeddings: ``(n, d)`` translated features, of length 1.
    """

    folder: SetFolder
    images: tuple[ImageRow, ...]
    embeddings: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class NeighboursRenderer:
    """Shows real photographs for embeddings; satisfies ``Renderer``.

    Attributes:
        settings: say where the sets and their images lie.
        shelves: the sets whose images are on this machine.
        space_id: the space of the embeddings.
        name: short name of the renderer.
        sizes: the side in pixels; ``strip_size``: the same.
        rows_are_independent: True: no row enters another.
    """

    settings: "Settings"
    shelves: tuple[Shelf, ...]
    space_id: str
    name: str = NEIGHBOURS.name
    sizes: tuple[int, ...] = (_SIDE,)
    strip_size: int = _SIDE
    rows_are_independent: bool = field(default=True)

    @classmethod
    def of(
        cls, settings: "Settings", backbone: "Backbone", model: str, translator: "Translator"
    ) -> "NeighboursRenderer":
        """Read the features of ``model`` in every set whose images are on this machine.

        Raises:
            WeightsUnavailableError: there is none with features of this classifier.
        """
        shelves = tuple(_shelves(settings, model, backbone.weights_digest, translator))
        if not shelves:
            raise WeightsUnavailableError(
                f"No prepared set with features of {model} has its images on this machine; "
                "prepare one from images that are here."
            )
        return cls(settings, shelves, translator.space_id)

    @property
    def identity(self) -> str:
        """Digest of the sets and of what was read from them."""
        parts = (shelf.embeddings.numpy().tobytes() for shelf in self.shelves)
        keys = (shelf.folder.facts.key for shelf in self.shelves)
        return content_key(self.name, *keys, *parts)

    def render(
        self,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Return the photograph nearest to each row; ties go to the earlier one.

        Raises:
            TranslatorMismatchError: the embeddings lie in another space.
            ShapeError: they have another width.
            RenderError: a size or steps that it does not have.
            RenderCancelledError: ``should_stop`` said yes.
            ImageSetError: a photograph is no longer where the set was prepared from.
        """
        self._check(request)
        frames, facts = [], {"renderer": self.name, "space_id": self.space_id}
        for row, vector in enumerate(request.vectors.detach().cpu().float()):
            if should_stop():
                raise RenderCancelledError(f"Stopped after {row} of {len(request.vectors)}.")
            shelf, image, angle = self.nearest(vector)
            file = original(shelf.folder, image.row, image.digest, self.settings)
            frames.append(_square(decode_image(file).image))
            facts[f"row {row}"] = f"{shelf.folder.facts.name}: {image.name}, {angle:.1f} degrees"
            if on_progress is not None:
                on_progress(RenderProgress((row,), row + 1, len(request.vectors), frames[-1][None]))
        return RenderedFrames(np.stack(frames), facts)

    def nearest(self, vector: Tensor) -> tuple[Shelf, ImageRow, float]:
        """Return where the photograph nearest to ``vector (d,)`` is, and the angle in degrees."""
        unit = normalize(vector.float(), dim=0)
        best = [int((shelf.embeddings @ unit).argmax()) for shelf in self.shelves]
        angles = [
            float(angle_deg(shelf.embeddings[at], vector))
            for shelf, at in zip(self.shelves, best, strict=True)
        ]
        first = angles.index(min(angles))
        shelf = self.shelves[first]
        return shelf, shelf.images[best[first]], angles[first]

    def _check(self, request: RenderRequest) -> None:
        check_space(self, request)
        width = self.shelves[0].embeddings.shape[1]
        if request.vectors.shape[1] != width:
            raise ShapeError(f"Embeddings here are {width} long, got {request.vectors.shape[1]}.")
        if request.size not in self.sizes or request.steps:
            raise RenderError(f"Neighbours are shown at {self.sizes} px, and take no steps.")


def _shelves(
    settings: "Settings", model: str, digest: str, translator: "Translator"
) -> Iterator[Shelf]:
    for folder in image_sets(settings):
        parts = range(folder.facts.chunks)
        if not are_here(folder, settings) or not all(folder.has(model, digest, i) for i in parts):
            continue
        chunks = [folder.chunk(model, digest, index) for index in parts]
        features = torch.cat([chunk.features.float() for chunk in chunks])
        embeddings = normalize(translator.apply(features).float(), dim=1)
        images = tuple(image for chunk in chunks for image in chunk.images)
        if images:
            yield Shelf(folder, images, embeddings)


def _square(photo: Image.Image) -> Frames:
    side = min(photo.size)
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(
        photo.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, box=box)
    )
