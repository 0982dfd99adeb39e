"""What a question is about, resolved once: head, feature, translator, text and line."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import WeightsUnavailableError, ZeroVectorError
from sing_core.files.images import Photo
from sing_core.maths.equivalents import NullLine
from sing_core.maths.head_variants import nothing_hidden
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import unseen_by
from sing_core.models.bench import Bench, Classifier
from sing_core.models.prompts import Vocabulary, clean_prompt
from sing_core.models.registry import ModelEntry
from sing_core.sets.stored import StoredImage
from sing_core.studies.question import Question


@dataclass(frozen=True, eq=False)
class Subject:
    """A question with everything it names at hand.

    ``m`` features, ``d`` embedding dimensions.

    Attributes:
        question: what is asked; its prompt is clean.
        photo: whose feature, or what a set holds of it.
        classifier: the part of the head that decides under the question's variant.
        features: ``(m,)`` float32.
        translator: of the classifier into the reference; the fit that did not see the photo.
        vocabulary: the reference's concepts.
        text: ``(d,)`` embedding of the prompt.
        prompt_note: which words of it the reference does not read, in a sentence; else "".
    """

    question: Question
    photo: Photo | StoredImage
    classifier: Classifier
    features: Tensor
    translator: Translator
    vocabulary: Vocabulary
    text: Tensor
    prompt_note: str

    @classmethod
    def of(cls, bench: Bench, photo: Photo | StoredImage, question: Question) -> Self:
        """Resolve ``question`` on ``bench``.

        Raises:
            SingError: something named does not exist, cannot be loaded or does not fit; or the
                prompt is not usable.
        """
        prompt = clean_prompt(question.prompt, max_chars=bench.settings.max_prompt_chars)
        classifier = bench.deciding(question.model, question.variant)
        features = _features(bench, photo, question.model, classifier.entry)
        vocabulary = bench.vocabulary(question.reference)
        translator = unseen_by(_translator(bench, classifier, question), photo.digest)
        text = bench.text_embedding(question.reference, prompt, vocabulary)
        note = bench.prompt_note(question.reference, prompt, vocabulary)
        asked = replace(question, prompt=prompt)
        return cls(asked, photo, classifier, features, translator, vocabulary, text, note)

    @cached_property
    def line(self) -> NullLine:
        """The line of the question's mode inside the null space.

        Raises:
            ZeroVectorError: there is no direction to step along.
        """
        linear = self.classifier.linear
        try:
            if self.question.mode == "remove":
                return NullLine.removing(self.features, linear, self.translator)
            return NullLine.towards(self.text, self.features, linear, self.translator)
        except ZeroVectorError as error:
            raise ZeroVectorError(_no_direction(self.classifier, str(error))) from error


def null_energy(classifier: Classifier, features: Tensor) -> float:
    """Return ``|Pi_n f| / |f|`` of a feature ``(m,)``, between 0 and 1."""
    inside = torch.linalg.vector_norm(classifier.linear.head.null_part(features))
    return float(inside / torch.linalg.vector_norm(features.double()).clamp_min(1e-300))


def _features(bench: Bench, photo: Photo | StoredImage, model: str, entry: ModelEntry) -> Tensor:
    if isinstance(photo, StoredImage):
        return photo.feature(entry.name, entry.weights_digest)
    return bench.features(model, photo)


def _no_direction(classifier: Classifier, message: str) -> str:
    """Return why there is nothing to step along: no null space at all, else ``message``."""
    if classifier.linear.head.nullity == 0:
        return nothing_hidden(classifier.entry.title, classifier.entry.feature_dim)
    return message


def _translator(bench: Bench, classifier: Classifier, question: Question) -> Translator:
    try:
        return bench.translator(question.model, question.reference)
    except WeightsUnavailableError as error:  # where nothing is hidden, none would help
        raise WeightsUnavailableError(_no_direction(classifier, str(error))) from error
