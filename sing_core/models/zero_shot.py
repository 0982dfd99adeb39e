"""A reference as its own classifier: text embeddings as head, the identity as translator.

The feature is the unit image embedding, ``W`` has one row per class, its unit text embedding times
a scale, so that ``W f`` are CLIP's zero-shot logits. Nothing is lost in translation, and every
question about a photo can be asked on ``ZeroShotBench`` as on any bench. ``c`` classes leave a null
space of at least ``d - c`` dimensions: as many classes as dimensions leave none.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sing_core.errors import PromptError
from sing_core.files.digests import content_key
from sing_core.files.images import Photo
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant, deciding_part
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.translator import Translator
from sing_core.models import registry
from sing_core.models.bench import Classifier
from sing_core.models.prompts import Vocabulary, class_prompt, clean_prompt

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.settings import Settings

SCALE = 100.0  # CLIP's own: the largest that its training allows
NAME = "zero-shot"


class ZeroShotBench:
    """A bench with one classifier: the text head of one reference.

    Attributes:
        reference: its name.
        classes: the class list, distinct.
    """

    def __init__(
        self, bench: "Workbench", reference: str, classes: Sequence[str], *, scale: float = SCALE
    ) -> None:
        """Ask ``bench`` for the reference and its vocabulary; nothing is embedded yet.

        Raises:
            PromptError: a class cannot be a prompt, two are the same, or there are fewer than two.
        """
        limit = bench.settings.max_prompt_chars
        cleaned = [clean_prompt(name, max_chars=limit) for name in classes]
        if len(cleaned) < 2 or len(set(cleaned)) != len(cleaned):
            raise PromptError("A class list needs at least two names, no two of them the same.")
        self._bench, self._scale = bench, scale
        self.reference, self.classes = reference, tuple(cleaned)

    @property
    def settings(self) -> "Settings":
        """Limits and folders, those of the bench behind."""
        return self._bench.settings

    @cached_property
    def linear(self) -> LinearHead:
        """``(c, d)`` unit text embeddings of ``an image of a <class>`` times the scale, no bias."""
        texts = self._bench.pool.reference(self.reference).embed_texts(self._prompts)
        return LinearHead.from_weight(self._scale * normalize(texts.float(), dim=-1))

    @property
    def _prompts(self) -> list[str]:
        return [class_prompt(name) for name in self.classes]

    @cached_property
    def entry(self) -> registry.ModelEntry:
        """What is known of the text head."""
        row = registry.find_reference(self.reference, self.settings)
        return registry.ModelEntry(
            name=NAME,
            title=f"{self.reference} with {len(self.classes)} classes of its own",
            architecture="text head",
            source=row.source if row else self.reference,
            licence=row.licence if row else "that of the reference",
            weights_digest=content_key(self._space_id, repr(self._scale), *self.classes),
            feature_dim=self.linear.weight.shape[1],
            nullity=self.linear.head.nullity,
            classes=len(self.classes),
        )

    @property
    def _space_id(self) -> str:
        return self._bench.pool.reference(self.reference).space_id

    def deciding(self, model: str, variant: HeadVariant) -> Classifier:
        """Return the text head, or the part of it that decides, whatever ``model`` is called.

        Raises:
            HeadError: the head has no such variant.
        """
        exact = self.linear if variant == WHOLE_HEAD else deciding_part(self.linear, variant)
        return Classifier(self.entry, exact, self.classes, variant.classes)

    def features(self, model: str, photo: Photo) -> Tensor:
        """Return the ``(d,)`` float32 unit image embedding of a photo."""
        embedded = self._bench.pool.reference(self.reference).embed_images([photo.image])[0]
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
        dim = self.entry.feature_dim
        digest = self.entry.weights_digest
        return Translator(torch.eye(dim), torch.zeros(dim), NAME, digest, self._space_id)

    def vocabulary(self, reference: str) -> Vocabulary:
        """Return this class list, then all other concepts of the reference's vocabulary."""
        base = self._bench.vocabulary(reference)
        rest = [i for i, label in enumerate(base.labels) if label not in self.classes]
        own = self.linear.weight.to(base.embeddings.dtype)
        return Vocabulary(
            (*self.classes, *(base.labels[i] for i in rest)),
            (*self._prompts, *(base.prompts[i] for i in rest)),
            len(self.classes),
            torch.cat([own, base.embeddings[rest]]),
            base.space_id,
        )

    def text_embedding(self, reference: str, prompt: str, vocabulary: Vocabulary) -> Tensor:
        """Return the ``(d,)`` raw embedding of a prompt; one of the vocabulary needs no network."""
        return self._bench.text_embedding(reference, prompt, vocabulary)

    def prompt_note(self, reference: str, prompt: str, vocabulary: Vocabulary) -> str:
        """Return which words of a prompt are not read, in a sentence; "" where all are."""
        return self._bench.prompt_note(reference, prompt, vocabulary)
