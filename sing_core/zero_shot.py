"""A reference as its own classifier: text embeddings as head, the identity as translator.

The feature is the unit image embedding, ``W`` has one row per class, its unit text embedding times
a scale, so that ``W f`` are CLIP's zero-shot logits. Nothing is lost in translation, and every
verb runs on ``ZeroShotBench`` as it does on any classifier. ``c`` classes leave a null space of at
least ``d - c`` dimensions: as many classes as dimensions leave none.
"""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sing_core import registry
from sing_core.errors import PromptError
from sing_core.head import HeadDecomposition
from sing_core.images import Photo
from sing_core.manifest import content_key
from sing_core.prompts import Vocabulary, class_prompt, clean_prompt
from sing_core.translator import Translator
from sing_core.workbench import Classifier, Workbench

SCALE = 100.0  # CLIP's own: the largest that its training allows
NAME = "zero-shot"


class ZeroShotBench(Workbench):
    """A workbench on which every classifier is the text head of one reference.

    Attributes:
        reference: its name.
        classes: the class list, distinct.
    """

    def __init__(
        self, bench: Workbench, reference: str, classes: Sequence[str], *, scale: float = SCALE
    ) -> None:
        """Share pool, store and settings with ``bench``; nothing is embedded yet.

        Raises:
            PromptError: a class cannot be a prompt, two are the same, or there are fewer than two.
        """
        super().__init__(bench.settings, bench.pool, bench.store)
        limit = bench.settings.max_prompt_chars
        cleaned = [clean_prompt(name, max_chars=limit) for name in classes]
        if len(cleaned) < 2 or len(set(cleaned)) != len(cleaned):
            raise PromptError("A class list needs at least two names, no two of them the same.")
        self.reference, self.classes, self._scale = reference, tuple(cleaned), scale

    @cached_property
    def head(self) -> Tensor:
        """``(c, d)`` float32: unit text embeddings of ``an image of a <class>`` times the scale."""
        texts = self.pool.reference(self.reference).embed_texts(self._prompts)
        return self._scale * normalize(texts.float(), dim=-1)

    @property
    def _prompts(self) -> list[str]:
        return [class_prompt(name) for name in self.classes]

    def entry(self, model: str) -> registry.ModelEntry:
        """Return what is known of the text head, whatever ``model`` is called."""
        row = registry.find_reference(self.reference, self.settings)
        weight = self.head
        return registry.ModelEntry(
            name=NAME,
            title=f"{self.reference} with {len(self.classes)} classes of its own",
            architecture="text head",
            source=row.source if row else self.reference,
            licence=row.licence if row else "that of the reference",
            weights_digest=self._digest,
            feature_dim=weight.shape[1],
            nullity=self._decomposition.nullity,
        )

    @property
    def _digest(self) -> str:
        space = self.pool.reference(self.reference).space_id
        return content_key(space, repr(self._scale), *self.classes)

    @cached_property
    def _decomposition(self) -> HeadDecomposition:
        return HeadDecomposition.from_weight(self.head)

    def classifier(self, model: str) -> Classifier:
        """Return the text head and its split; it has no bias."""
        weight = self.head
        return Classifier(self.entry(model), weight, torch.zeros(len(weight)), self._decomposition)

    def features(self, model: str, photo: Photo) -> Tensor:
        """Return the ``(d,)`` float32 unit image embedding of a photo."""
        embedded = self.pool.reference(self.reference).embed_images([photo.image])[0]
        return normalize(embedded.float(), dim=-1)

    def translator(self, model: str, reference: str) -> Translator:
        """Return the identity, which leads into the reference's own space.

        Raises:
            PromptError: another reference is asked for: this classifier is in one space already.
        """
        if reference != self.reference:
            raise PromptError(
                f"A text head of {self.reference} is measured in {self.reference} itself."
            )
        space, dim = self.pool.reference(reference).space_id, self.head.shape[1]
        return Translator(torch.eye(dim), torch.zeros(dim), NAME, self._digest, space)

    def vocabulary(self, reference: str) -> Vocabulary:
        """Return this class list, then all other concepts of the reference's vocabulary."""
        base = super().vocabulary(reference)
        rest = [i for i, label in enumerate(base.labels) if label not in self.classes]
        return Vocabulary(
            (*self.classes, *(base.labels[i] for i in rest)),
            (*self._prompts, *(base.prompts[i] for i in rest)),
            len(self.classes),
            torch.cat([self.head.to(base.embeddings.dtype), base.embeddings[rest]]),
            base.space_id,
        )
