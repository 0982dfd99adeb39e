"""What an analysis needs to have at hand: heads, features, translators, texts; disk before network.

Everything here is content-addressed on disk, so that a second start can show numbers before a
single network has been loaded.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sing_core import registry
from sing_core.clip_space import space_id
from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.head import HeadDecomposition
from sing_core.images import Photo
from sing_core.manifest import content_key
from sing_core.prompts import Vocabulary, load_vocabulary
from sing_core.shelf import Shelf
from sing_core.store import Store
from sing_core.translator import Translator

if TYPE_CHECKING:
    from sing_core.pool import ModelPool
    from sing_core.settings import Settings

# Raise when preprocessing or feature extraction changes: older features are then not found.
_FEATURE_VERSION = "1"
# What a file name should not have: names of models and references may hold slashes and colons.
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A classifier as far as its last layer goes.

    Attributes:
        entry: its row of the registry.
        weight: ``(c, m)`` float32; ``bias`` ``(c,)`` float32.
        head: principal/null split of ``weight``.
    """

    entry: registry.ModelEntry
    weight: Tensor
    bias: Tensor
    head: HeadDecomposition

    def logits(self, features: Tensor) -> Tensor:
        """Return ``W f + b`` ``(..., c)`` in the head's own float32 arithmetic."""
        return features.float() @ self.weight.mT + self.bias


def fitted_path(settings: "Settings", model: str, reference: str) -> Path:
    """Return where a translator that a user fitted or imported is kept and found again."""
    name = _UNFIT.sub("_", f"{model}--{reference}")
    return settings.cache_dir / "translators" / f"{name}.safetensors"


class Workbench:
    """Answers from disk where it can, from the pool's networks where it must.

    Attributes:
        settings: limits and folders.
        pool: loaded networks; its owner decides how long they live.
        store: artefacts under the cache folder.
    """

    def __init__(self, settings: "Settings", pool: "ModelPool", store: Store) -> None:
        """Keep the three; nothing is loaded."""
        self.settings, self.pool, self.store = settings, pool, store
        self._classifiers = Shelf(self._load_classifier, 8)
        self._vocabularies = Shelf(self._load_vocabulary, 2)
        self._texts = Shelf(self._embed_text, 512)

    def entry(self, model: str) -> registry.ModelEntry:
        """Return a classifier's row of the registry.

        Raises:
            UnknownNameError: there is none of this name.
        """
        entry = registry.find_model(model, self.settings)
        if entry is None:
            known = ", ".join(row.name for row in registry.models(self.settings))
            raise UnknownNameError(f"No classifier is called “{model[:80]}”. There are: {known}.")
        return entry

    def classifier(self, model: str) -> Classifier:
        """Return the head and its split; the split is computed once and kept on disk.

        Raises:
            UnknownNameError: there is no such classifier.
            WeightsUnavailableError: its weights are missing or not the pinned ones.
        """
        return self._classifiers.get(self.entry(model).name)

    def _load_classifier(self, model: str) -> Classifier:
        entry = self.entry(model)

        def compute() -> dict[str, Tensor]:
            backbone = self.pool.backbone(model)
            head = HeadDecomposition.from_weight(backbone.weight)
            return {
                "weight": backbone.weight,
                "bias": backbone.bias,
                "principal_basis": head.principal_basis,
                "singular_values": head.singular_values,
                "rtol": torch.tensor([head.rtol], dtype=torch.float64),
            }

        meta = {"model": model, "weights_digest": entry.weights_digest}
        found = self.store.get_or_compute("head", entry.weights_digest, compute, meta=meta)
        head = HeadDecomposition(
            found["principal_basis"], found["singular_values"], float(found["rtol"])
        )
        return Classifier(entry, found["weight"], found["bias"], head)

    def features(self, model: str, photo: Photo) -> Tensor:
        """Return the ``(m,)`` float32 feature of a photo, kept on disk by content.

        Raises:
            UnknownNameError: there is no such classifier.
            WeightsUnavailableError: its weights are missing or not the pinned ones.
        """
        digest = self.entry(model).weights_digest

        def compute() -> dict[str, Tensor]:
            backbone = self.pool.backbone(model)
            return {"features": backbone.features(backbone.preprocess(photo.image)[None])[0]}

        key = content_key(digest, photo.digest, _FEATURE_VERSION)
        meta = {"model": model, "image": photo.digest}
        return self.store.get_or_compute("features", key, compute, meta=meta)["features"]

    def translator(self, model: str, reference: str) -> Translator:
        """Return the translator of ``model`` into ``reference``: the user's own, else the shipped.

        Raises:
            UnknownNameError: there is no such classifier or reference.
            WeightsUnavailableError: there is none for the two.
            TranslatorMismatchError: it was fitted for other weights or another space.
        """
        path = self.translator_path(model, reference)
        if not path.is_file():
            raise WeightsUnavailableError(
                f"There is no translator from {model} to {reference}: {path.name} was looked for "
                "under assets/translators and cache/translators. Fit one from a folder of images "
                "with `fit-translator`."
            )
        translator = Translator.load(path)
        translator.check_belongs(
            model=model,
            model_digest=self.entry(model).weights_digest,
            space_id=space_id(reference, self.settings),
        )
        return translator

    def translator_path(self, model: str, reference: str) -> Path:
        """Return where the translator of two known names lies: the user's own, or the shipped."""
        own = fitted_path(self.settings, self.entry(model).name, reference)
        return own if own.is_file() else self.settings.assets_dir / "translators" / own.name

    def vocabulary(self, reference: str) -> Vocabulary:
        """Return the concept vocabulary, embedded once and kept on disk.

        Raises:
            UnknownNameError: there is no such reference.
        """
        return self._vocabularies.get(reference)

    def _load_vocabulary(self, reference: str) -> Vocabulary:
        space = space_id(reference, self.settings)
        return load_vocabulary(
            self.settings, self.store, space, lambda: self.pool.reference(reference)
        )

    def text_embedding(self, reference: str, prompt: str, vocabulary: Vocabulary) -> Tensor:
        """Return the ``(d,)`` raw embedding of a prompt; one of the vocabulary needs no network."""
        known = vocabulary.embedding_of(prompt)
        if known is not None:
            return known
        return self._texts.get((reference, prompt))

    def _embed_text(self, wanted: tuple[str, str]) -> Tensor:
        reference, prompt = wanted
        return self.pool.reference(reference).embed_texts([prompt])[0]
