"""The verbs of rendering: which features a strip shows, its pictures, and what they are seen as."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sing_core.equivalents import NullLine
from sing_core.errors import SingError, UnknownNameError
from sing_core.feasible import nearly_feasible
from sing_core.images import Photo
from sing_core.render.audit import PictureAudit, audit_pictures
from sing_core.render.frame_cache import FrameCache
from sing_core.render.protocol import (
    Frames,
    ProgressCallback,
    RenderedFrames,
    Renderer,
    RenderRequest,
    StopQuestion,
    never_stop,
)
from sing_core.reports import ImageReport
from sing_core.shelf import Shelf
from sing_core.steering import steer

if TYPE_CHECKING:
    from sing_core.workbench import Classifier, Workbench

RENDERERS = ("inversion", "karlo")
KEY_FRAMES = 9
# The largest logit may move by this share in a step that is cut to what a network can produce.
FEASIBLE_BUDGET = 0.03
_PHOTO_SIDE = 512


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Features along one sweep that are to be drawn.

    Attributes:
        indices: ``k`` positions in the sweep, ascending, the first being 0.
        features: ``(k, m)`` float32, what is asked for.
        infeasible_share: ``(k,)`` share of each step that was cut off; None when nothing was.
        max_logit_drift: ``(k,)`` feature-level drift of what is asked for.
        text: ``(d,)`` embedding of the prompt.
    """

    indices: tuple[int, ...]
    features: Tensor
    infeasible_share: tuple[float, ...] | None
    max_logit_drift: tuple[float, ...]
    text: Tensor

    def row_of(self, index: int) -> int:
        """Return the row drawn for the sweep position nearest to ``index``."""
        return min(range(len(self.indices)), key=lambda row: abs(self.indices[row] - index))


class Studio:
    """Renderers and the frame cache over one workbench; safe for several threads."""

    def __init__(self, bench: "Workbench") -> None:
        """Load nothing yet."""
        self.bench = bench
        self.cache = FrameCache(bench.store, bench.settings.max_frames_mb * 2**20)
        self._renderers = Shelf(self._load, 4)

    def renderer(self, name: str, model: str) -> Renderer:
        """Return a renderer for the features of ``model``.

        Raises:
            UnknownNameError: there is none of this name.
            WeightsUnavailableError: its weights are not here; the message says which and whence.
        """
        return self._renderers.get((name, model if name == "inversion" else ""))

    def _load(self, wanted: tuple[str, str]) -> Renderer:
        name, model = wanted
        if name == "inversion":
            from sing_core.mini.features import bfloat16_is_fast
            from sing_core.render.eye import Eye
            from sing_core.render.inversion import InversionRenderer

            backbone = self.bench.pool.backbone(model)
            fast = backbone.device != "cpu" or bfloat16_is_fast()
            return cast("Renderer", InversionRenderer(Eye.of(backbone, fast=fast), model))
        if name == "karlo":
            from sing_core.render.karlo import KarloRenderer
            from sing_core.render.karlo_weights import load_karlo

            return cast("Renderer", KarloRenderer(load_karlo(self.bench.settings)))
        known = ", ".join(RENDERERS)
        raise UnknownNameError(f"No renderer is called “{name[:80]}”. There are: {known}.")

    def strip(
        self, photo: Photo, report: ImageReport, *, frames: int = KEY_FRAMES, feasible: bool = False
    ) -> Strip:
        """Return the features at ``frames`` even positions of the sweep and at the chosen one.

        ``feasible`` cuts every step to what the network can produce while no logit moves by more
        than 3 % of the largest.

        Raises:
            SingError: the report has no sweep, or something it names cannot be loaded.
        """
        if report.sweep is None:
            raise SingError(report.no_sweep_reason)
        last = len(report.sweep.epsilon) - 1
        even = np.linspace(0, last, frames).round().astype(int).tolist()
        indices = sorted({*even, report.index})
        epsilon = torch.tensor([report.sweep.epsilon[i] for i in indices], dtype=torch.float64)
        return replace(
            self.steps(photo, report, epsilon, feasible=feasible), indices=tuple(indices)
        )

    def steps(
        self, photo: Photo, report: ImageReport, epsilon: Tensor, *, feasible: bool = False
    ) -> Strip:
        """Return the features at the steps ``epsilon (k,)`` of the report's line, as ``strip``.

        Raises:
            LogitDriftError: a step is so long that rounding moves the logits.
            SingError: something the report names cannot be loaded.
        """
        classifier = self.bench.classifier(report.model)
        features = self.bench.features(report.model, photo)
        line, text = self._line(photo, report, classifier)
        walk = line.walk(classifier, epsilon)
        asked, drift, share = walk.features, walk.max_logit_drift, None
        if feasible:
            budget = FEASIBLE_BUDGET * float(walk.original_logits.abs().max())
            exact = steer(features, line.direction, epsilon)
            cut = nearly_feasible(features, exact, classifier.weight, budget=budget)
            asked, drift = cut.features.float(), cut.max_logit_drift
            share = tuple(cut.infeasible_share.tolist())
        rows = tuple(range(len(epsilon)))
        return Strip(rows, asked, share, tuple(drift.tolist()), text)

    def _line(
        self, photo: Photo, report: ImageReport, classifier: "Classifier"
    ) -> tuple[NullLine, Tensor]:
        bench = self.bench
        features = bench.features(report.model, photo)
        translator = bench.translator(report.model, report.reference)
        vocabulary = bench.vocabulary(report.reference)
        text = bench.text_embedding(report.reference, report.prompt, vocabulary)
        if report.mode == "remove":
            return NullLine.removing(features, classifier, translator), text
        return NullLine.towards(text, features, classifier, translator), text

    def request(
        self, renderer: Renderer, photo: Photo, report: ImageReport, features: Tensor,
        *, seed: int, size: int,
    ) -> RenderRequest:  # fmt: skip
        """Return what to draw for ``features (k, m)``: themselves, or their translation.

        Raises:
            TranslatorMismatchError: a renderer of embeddings draws another space than the report's.
        """
        if renderer.name == "inversion":
            return RenderRequest(features, renderer.space_id, seed, size, photo=_bounded(photo))
        from sing_core.render.karlo import match_norm

        translator = self.bench.translator(report.model, report.reference)
        original = translator.apply(self.bench.features(report.model, photo))
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

    def audit(
        self, photo: Photo, report: ImageReport, frames: Frames, asked: Tensor, text: Tensor
    ) -> tuple[PictureAudit, ...]:
        """Read finished pictures again with the report's classifier and reference."""
        return audit_pictures(
            frames,
            asked,
            self.bench.features(report.model, photo),
            self.bench.pool.backbone(report.model),
            self.bench.pool.reference(report.reference),
            text,
        )


def perturbations(classifier: "Classifier", features: Tensor, null: Tensor, seed: int) -> Tensor:
    """Return ``(4, m)``: ``features (m,)``, and steps of the length of ``null - features``.

    In order: unchanged, inside the null space (``null`` itself), in a random direction, and in a
    random principal direction, which the head does read (Fig. 13).
    """
    origin = features.double()
    length = torch.linalg.vector_norm(null.double() - origin)
    noise = torch.randn(2, len(origin), generator=torch.Generator().manual_seed(seed)).double()
    noise[1] = classifier.head.principal_part(noise[1])
    steps = length * noise / torch.linalg.vector_norm(noise, dim=1, keepdim=True)
    return torch.stack([origin, null.double(), *(origin + steps)]).float()


def _bounded(photo: Photo) -> Frames:
    """Return the photo's pixels, its shorter side at most 512: a start needs no more."""
    image = photo.image
    scale = _PHOTO_SIDE / min(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)
