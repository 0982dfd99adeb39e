"""The verbs of rendering: who draws, what is drawn, and what finished pictures are read as."""

from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.files.images import Photo
from sing_core.maths.translator import Translator
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.models.shelf import Shelf
from sing_core.pictures.audit import PictureAudit, audit_pictures
from sing_core.pictures.catalogue import INVERSION, find_renderer
from sing_core.pictures.frame_cache import FrameCache
from sing_core.pictures.protocol import (
    Frames,
    ProgressCallback,
    RenderedFrames,
    Renderer,
    RenderRequest,
    StopQuestion,
    never_stop,
)
from sing_core.studies.subject import Subject

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench

_PHOTO_SIDE = 512


class Studio:
    """Renderers and the frame cache over one workbench; safe for several threads."""

    def __init__(self, bench: "Workbench") -> None:
        """Load nothing yet."""
        self.bench = bench
        self.cache = FrameCache(bench.store, bench.settings.max_frames_mb * 2**20)
        self._renderers = Shelf(self._load, 4)

    def renderer(
        self,
        name: str,
        model: str,
        reference: str = DEFAULT_REFERENCE,
        *,
        in_proportion: bool = False,
    ) -> Renderer:
        """Return a renderer for the features of ``model``, whose meaning ``reference`` says.

        ``in_proportion``: inversion then lets a short move look short, for a scale.

        Raises:
            UnknownNameError: there is none of this name.
            WeightsUnavailableError: its weights are not here; the message says which and whence.
        """
        if not find_renderer(name).draws_features:
            return self._renderers.get((name,))
        reads = self.bench.translator_state(model, reference)
        recipe = "in proportion" if in_proportion else ""
        return self._renderers.get((name, model, reference, reads, recipe))

    def forget(self, model: str) -> None:
        """Let go of what draws through ``model``, so that its memory can be freed."""
        for known in self._renderers.names():
            if known[:2] == (INVERSION.name, model):
                self._renderers.forget(known)

    def _load(self, wanted: tuple[str, ...]) -> Renderer:
        name, *what = wanted
        if name == INVERSION.name:
            from sing_core.pictures.inversion.eye import Eye
            from sing_core.pictures.inversion.renderer import (
                IN_PROPORTION,
                InversionRecipe,
                InversionRenderer,
            )

            model, reference, _, recipe = what
            backbone = self.bench.pool.backbone(model)
            eye = Eye.of(backbone, fast=backbone.device != "cpu")
            translator = self._translator(model, reference)
            chosen = IN_PROPORTION if recipe else InversionRecipe()
            return cast("Renderer", InversionRenderer(eye, model, chosen, translator))
        from sing_core.pictures.karlo.renderer import KarloRenderer
        from sing_core.pictures.karlo.weights import load_karlo

        return cast("Renderer", KarloRenderer(load_karlo(self.bench.settings)))

    def _translator(self, model: str, reference: str) -> Translator | None:
        """Return the translator; inversion draws without one where there is none."""
        try:
            return self.bench.translator(model, reference)
        except WeightsUnavailableError:
            return None

    def request(
        self, renderer: Renderer, subject: Subject, features: Tensor, *, seed: int, size: int
    ) -> RenderRequest:
        """Return what to draw for ``features (k, m)``: themselves, or their translation.

        Raises:
            TranslatorMismatchError: a renderer of embeddings draws another space.
        """
        if renderer.name == INVERSION.name:
            return RenderRequest(
                features, renderer.space_id, seed, size, photo=_bounded(subject.photo)
            )
        from sing_core.pictures.karlo.renderer import match_norm

        translator = subject.translator
        original = translator.apply(subject.features)
        vectors = match_norm(translator.apply(features), original)
        return RenderRequest(vectors, translator.space_id, seed, size)

    def draw(
        self,
        renderer: Renderer,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Return the pictures, from the cache where they are there.

        Raises:
            SingError: as ``Renderer.render``.
        """
        return self.cache.render(
            renderer, request, on_progress=on_progress, should_stop=should_stop
        )

    def audit(self, subject: Subject, frames: Frames, asked: Tensor) -> tuple[PictureAudit, ...]:
        """Read finished pictures again with the subject's classifier and reference.

        Shapes as in ``audit_pictures``.
        """
        return audit_pictures(
            frames,
            asked,
            subject.features,
            self.bench.pool.backbone(subject.question.model),
            self.bench.pool.reference(subject.question.reference),
            subject.text,
        )


def _bounded(photo: Photo) -> Frames:
    """Return the photo's pixels, its shorter side at most 512: a start needs no more."""
    image = photo.image
    scale = _PHOTO_SIDE / min(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)
