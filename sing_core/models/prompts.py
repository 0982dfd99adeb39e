"""Prompts and the concept vocabulary: a person's text made safe to embed and to show."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sing_core.errors import PromptError, WeightsUnavailableError
from sing_core.files.digests import content_key
from sing_core.files.store import Store
from sing_core.models.imagenet import imagenet_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from sing_core.models.centred_reference import CentredReference
    from sing_core.models.references import Reference
    from sing_core.settings import Settings

# Raise when class labels change: older vocabularies are then not found.
_VERSION = "2"
CLASS_TEMPLATE = "an image of a {}"  # the paper's own
_ARTICLES = ("a ", "an ", "the ")
# Words that sound otherwise than their first letter looks: an hourglass, a unicycle.
_OPEN = ("hour", "heir", "honest", "honour", "x-ray")
_SHUT = ("uni", "eu", "use", "ukulele", "one-", "one ")
_ARTICLE_AT_END = re.compile(r"\b(?:a|an|the)\s+$", re.IGNORECASE)
_ATTRIBUTE_TEMPLATE = "a photo, {}"


def clean_prompt(text: str, *, max_chars: int = 300) -> str:
    """Return ``text`` without control characters and with single spaces.

    Raises:
        PromptError: nothing readable is left, or it is longer than ``max_chars``.
    """
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 20 * max_chars])
    prompt = " ".join(kept.split())
    if len(text) > 20 * max_chars or len(prompt) > max_chars:
        raise PromptError(
            f"This prompt has {len(text):,} characters; up to {max_chars} can be used."
        )
    if not prompt:
        raise PromptError("Type a prompt, for example “an image of a jellyfish”.")
    if not any(c.isalnum() for c in prompt):
        raise PromptError("This prompt has no letters or digits, so it has no meaning to measure.")
    return prompt


def class_prompt(label: str) -> str:
    """Return the paper's prompt for a class, ``an image of a <class>``."""
    return CLASS_TEMPLATE.format(label)


def filled(template: str, label: str) -> str:
    """Return ``template`` with ``label`` for its ``{}``; of two articles in a row, the label's."""
    before, after = template.split("{}")
    if label.lower().startswith(_ARTICLES):
        before = _ARTICLE_AT_END.sub("", before)
    return f"{before}{label}{after}"


def spoken_prompt(label: str) -> str:
    """Return the prompt of a class as a person writes it: ``an image of an espresso``.

    The vocabulary embeds ``class_prompt``, as the paper does; where the two are the same words a
    choice from the list costs no embedding.
    """
    return f"an image of {with_article(label)}"


def with_article(label: str) -> str:
    """Return ``label`` with "a" or "an" as it is spoken; one that has its article keeps it."""
    if label.lower().startswith(_ARTICLES):
        return label
    first = label.lower()
    sounds_open = first.startswith(_OPEN) or (first[:1] in "aeiou" and not first.startswith(_SHUT))
    return f"{'an' if sounds_open else 'a'} {label}"


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The concepts that pages rank: 1,000 classes, then plain attributes.

    Attributes:
        labels: what is shown, distinct.
        prompts: what was embedded, one per label.
        n_classes: the first ``n_classes`` labels are the classes in ImageNet-1k order.
        embeddings: ``(k, d)`` raw text embeddings.
        space_id: the space they live in.
    """

    labels: tuple[str, ...]
    prompts: tuple[str, ...]
    n_classes: int
    embeddings: Tensor
    space_id: str

    def embedding_of(self, prompt: str) -> Tensor | None:
        """Return the ``(d,)`` embedding of a prompt of the vocabulary, else None."""
        if prompt not in self.prompts:
            return None
        return self.embeddings[self.prompts.index(prompt)]

    def kind(self, index: int) -> str:
        """Return ``class`` or ``attribute``."""
        return "class" if index < self.n_classes else "attribute"


def attributes(settings: "Settings") -> list[str]:
    """Return the plain attributes that stand beside the classes in the vocabulary.

    Raises:
        WeightsUnavailableError: their list is missing.
    """
    path = settings.assets_dir / "vocabulary" / "attributes.txt"
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise WeightsUnavailableError(
            f"The list of attributes is missing: {path.name} was looked for in assets/vocabulary."
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def load_vocabulary(
    settings: "Settings",
    store: Store,
    space: str,
    reference: "Callable[[], Reference | CentredReference]",
) -> Vocabulary:
    """Return the vocabulary in ``space``, embedding it once and keeping it on disk.

    ``reference`` is called only when the embeddings are not stored yet.

    Raises:
        WeightsUnavailableError: the list of attributes is missing.
    """
    plain = attributes(settings)

    def compute() -> dict[str, Tensor]:
        classes = imagenet_labels()
        extra = [label for label in plain if label not in classes]
        prompts = [class_prompt(c) for c in classes]
        prompts += [_ATTRIBUTE_TEMPLATE.format(label) for label in extra]
        listing = json.dumps({"labels": classes + extra, "prompts": prompts}).encode()
        return {
            "embeddings": reference().embed_texts(prompts),
            "listing": torch.tensor(list(listing), dtype=torch.uint8),
        }

    key = content_key(_VERSION, space, CLASS_TEMPLATE, _ATTRIBUTE_TEMPLATE, *plain)
    found = store.get_or_compute("vocabulary", key, compute, meta={"space_id": space})
    listing = json.loads(bytes(found["listing"].tolist()))
    labels, prompts = tuple(listing["labels"]), tuple(listing["prompts"])
    return Vocabulary(labels, prompts, 1000, found["embeddings"], space)
