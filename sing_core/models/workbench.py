"""What an analysis needs to have at hand: heads, features, translators, texts; disk before network.

Everything here is content-addressed on disk, so that a second start can show numbers before a
single network has been loaded.
"""

import os
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import content_key
from sing_core.files.images import Photo
from sing_core.files.store import Store, evict_oldest
from sing_core.maths.head import HeadDecomposition, check_reads
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant, deciding_part
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.translator import Translator
from sing_core.models import registry
from sing_core.models.bench import Classifier
from sing_core.models.names import file_state
from sing_core.models.prompts import Vocabulary, load_vocabulary
from sing_core.models.readings import find_centre
from sing_core.models.references import space_id
from sing_core.models.shelf import Shelf

if TYPE_CHECKING:
    from sing_core.models.pool import ModelPool
    from sing_core.settings import Settings

# Raise when preprocessing or feature extraction changes: older features are then not found.
_FEATURE_VERSION = "1"
# Raise when the rank cut of a head changes.
_CUT_VERSION = "2"
# A feature takes some 8 kB: between two looks at the folder it grows by half a megabyte at most.
_USES_BETWEEN_LOOKS = 64
# A classifier, and the state of its files: class names beside them may change alone.
_Asked = tuple[registry.ModelEntry, str]


def fitted_path(settings: "Settings", model: str, reference: str) -> Path:
    """Return where a translator that a user fitted or imported is kept and found again.

    It is the raw one: whatever reading ``reference`` is asked in is a shift of that.
    """
    into = registry.file_stem(registry.base_of(reference))
    name = f"{registry.file_stem(model)}--{into}.safetensors"
    return settings.cache_dir / "translators" / name


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
        self._deciding = Shelf(self._split_variant, 8)
        self._translators: Shelf[tuple[Path, int, int, int], Translator] = Shelf(
            lambda file: Translator.load(file[0]), 8
        )
        self._vocabularies = Shelf(self._load_vocabulary, 4)
        self._texts = Shelf(self._embed_text, 512)
        self._uses = count()
        self._notes: Shelf[tuple[str, str, str], str] = Shelf(
            lambda asked: self.pool.reference(asked[0]).note_on(asked[2]), 512
        )

    def entry(self, model: str) -> registry.ModelEntry:
        """Return what is known of a classifier, the digest of its weights included.

        What does not ship is loaded to know it.

        Raises:
            UnknownNameError: there is none of this name.
            WeightsUnavailableError: it does not ship and cannot be loaded.
            HeadError: its head cannot be analysed.
        """
        entry = registry.find_model(model, self.settings)
        if entry is not None and entry.ships:
            return entry
        from sing_core.models.networks import check_known

        check_known(model, self.settings)
        backbone = self.pool.backbone(model)
        digest, (classes, width) = backbone.weights_digest, backbone.weight.shape
        twin = self._twin(digest)
        return replace(
            entry or registry.typed_entry(model),
            feature_dim=width,
            nullity=max(0, width - classes),
            classes=classes,
            weights_digest=digest,
            shares_tower_with=twin.shares_tower_with if twin else "",
        )

    def notes_on(self, model: str) -> tuple[str, ...]:
        """Return sentences about how the weights of a classifier were read, once it is loaded."""
        entry = registry.find_model(model, self.settings)
        if (entry is not None and entry.ships) or model not in self.pool.classifiers:
            return ()
        return self.pool.backbone(model).notes

    def _twin(self, digest: str) -> registry.ModelEntry | None:
        """Return the shipped classifier with the very same weights, None where there is none."""
        rows = registry.models(self.settings)
        return next((row for row in rows if row.weights_digest == digest), None)

    def classifier(self, model: str) -> Classifier:
        """Return the head and its split; the split is computed once and kept on disk.

        Raises:
            UnknownNameError: there is no such classifier.
            WeightsUnavailableError: its weights are missing or not the pinned ones.
        """
        return self._classifiers.get((self.entry(model), file_state(model)))

    def deciding(self, model: str, variant: HeadVariant) -> Classifier:
        """Return the part of the head that decides under ``variant``, and its split.

        Raises:
            UnknownNameError: there is no such classifier.
            WeightsUnavailableError: its weights are missing or not the pinned ones.
            HeadError: the head has no such variant.
        """
        if variant == WHOLE_HEAD:
            return self.classifier(model)
        return self._deciding.get(((self.entry(model), file_state(model)), variant))

    def _load_classifier(self, asked: _Asked) -> Classifier:
        entry = asked[0]

        def compute() -> dict[str, Tensor]:
            backbone = self.pool.backbone(entry.name)
            head = HeadDecomposition.from_weight(backbone.weight)
            check_reads(head, entry.name)
            return {
                "weight": backbone.weight,
                "bias": backbone.bias,
                "principal_basis": head.principal_basis,
                "singular_values": head.singular_values,
                "cut": torch.tensor([head.rtol, head.rounding], dtype=torch.float64),
            }

        meta = {"weights_digest": entry.weights_digest}
        key = content_key(entry.weights_digest, _CUT_VERSION)
        found = self.store.get_or_compute("head", key, compute, meta=meta)
        split = found["principal_basis"], found["singular_values"]
        head = HeadDecomposition(*split, *found["cut"].tolist())
        labels = () if entry.ships else self.pool.backbone(entry.name).labels
        linear = LinearHead(found["weight"], found["bias"], head)
        return Classifier(replace(entry, nullity=head.nullity), linear, labels)

    def _split_variant(self, wanted: tuple[_Asked, HeadVariant]) -> Classifier:
        asked, variant = wanted
        whole = self._classifiers.get(asked)
        linear = deciding_part(whole.linear, variant)
        return Classifier(asked[0], linear, whole.labels, variant.classes)

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
        meta = {"image": photo.digest}
        found = self.store.get_or_compute("features", key, compute, meta=meta)["features"]
        self._bound_features(self.store.path("features", key))
        return found

    def _bound_features(self, used: Path) -> None:
        """Note that a feature was used; now and then, delete those that were not for longest."""
        with suppress(OSError):  # a cache that cannot be written does not grow either
            os.utime(used)
            if next(self._uses) % _USES_BETWEEN_LOOKS == 0:
                evict_oldest(used, None, self.settings.max_features_mb * 2**20)

    def translator(self, model: str, reference: str) -> Translator:
        """Return the translator of ``model`` into ``reference``: the user's own, else the shipped.

        In the reading that the reference's name says.

        Raises:
            UnknownNameError: there is no such classifier or reference.
            WeightsUnavailableError: there is none for the two, or no centre.
            TranslatorMismatchError: it was fitted for other weights or another space.
        """
        path = self.translator_path(model, reference)
        if not path.is_file():
            raise WeightsUnavailableError(
                f"There is no translator from {model} to {reference}: {path.name} was looked for "
                "among those that ship and under translators in the cache folder. Fit one from a "
                "folder of images, in the Library or with `fit-translator`."
            )
        entry, base = self.entry(model), registry.base_of(reference)
        space, state = space_id(base, self.settings), path.stat()
        translator = self._translators.get((path, state.st_ino, state.st_mtime_ns, state.st_size))
        translator.check_belongs(
            model=self._owner(entry).name,
            model_digest=entry.weights_digest,
            space_id=space,
        )
        if not registry.is_centred(reference):
            return translator
        return find_centre(base, space, self.settings).translator(translator)

    def _owner(self, entry: registry.ModelEntry) -> registry.ModelEntry:
        """Return whose translators fit: the shipped classifier with the same weights, else it."""
        return self._twin(entry.weights_digest) or entry

    def is_own(self, model: str, reference: str) -> bool:
        """Return whether the user's own translator stands in for the one of the product."""
        return self.translator_path(model, reference).parent != self._shipped_translators

    def translator_state(self, model: str, reference: str) -> str:
        """Return what changes when a classifier gets another translator: results follow it.

        Raises:
            SingError: there is no such classifier, or it cannot be loaded.
        """
        path = self.translator_path(model, reference)
        if not path.is_file():
            return ""
        read = space_id(reference, self.settings) if registry.is_centred(reference) else ""
        return f"{path} {path.stat().st_mtime_ns} {read}".rstrip()

    @property
    def _shipped_translators(self) -> Path:
        return self.settings.assets_dir / "translators"

    def translator_path(self, model: str, reference: str) -> Path:
        """Return where the translator of two known names lies: the user's own, or the shipped."""
        own = fitted_path(self.settings, self._owner(self.entry(model)).name, reference)
        return own if own.is_file() else self._shipped_translators / own.name

    def vocabulary(self, reference: str) -> Vocabulary:
        """Return the concept vocabulary, embedded once and kept on disk as it is read raw.

        Raises:
            UnknownNameError: there is no such reference.
            WeightsUnavailableError: the reading that is asked needs a centre, and there is none.
        """
        return self._vocabularies.get((reference, space_id(reference, self.settings)))

    def _load_vocabulary(self, wanted: tuple[str, str]) -> Vocabulary:
        reference, space = wanted
        if registry.is_centred(reference):
            raw = self.vocabulary(registry.base_of(reference))
            centre = find_centre(registry.base_of(reference), raw.space_id, self.settings)
            return replace(raw, embeddings=centre.texts(raw.embeddings), space_id=space)
        return load_vocabulary(
            self.settings, self.store, space, lambda: self.pool.reference(reference)
        )

    def text_embedding(self, reference: str, prompt: str, vocabulary: Vocabulary) -> Tensor:
        """Return the ``(d,)`` raw embedding of a prompt; one of the vocabulary needs no network."""
        known = vocabulary.embedding_of(prompt)
        if known is not None:
            return known
        return self._texts.get((reference, vocabulary.space_id, prompt))

    def prompt_note(self, reference: str, prompt: str, vocabulary: Vocabulary) -> str:
        """Return what of a prompt is not read, in sentences; "" where all is."""
        if vocabulary.embedding_of(prompt) is not None:
            return ""
        return self._notes.get((reference, vocabulary.space_id, prompt))

    def _embed_text(self, wanted: tuple[str, str, str]) -> Tensor:
        reference, _, prompt = wanted
        return self.pool.reference(reference).embed_texts([prompt])[0]
