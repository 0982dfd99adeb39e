"""What a question about a photo is resolved on: any bench, and the classifier it answers with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from sing_core.files.images import Photo
from sing_core.maths.head_variants import HeadVariant
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.translator import Translator
from sing_core.models.prompts import Vocabulary
from sing_core.models.registry import ModelEntry

if TYPE_CHECKING:
    from sing_core.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A classifier as far as its last layer goes.

    Attributes:
        entry: what is known of it.
        linear: its last layer, or the part of it that decides.
        labels: names of all classes that came with the weights; () where they brought none.
        classes: indices of the deciding classes, the rows of the weight; () for all.
    """

    entry: ModelEntry
    linear: LinearHead
    labels: tuple[str, ...] = ()
    classes: tuple[int, ...] = ()


class Bench(Protocol):
    """Heads, features, translators and texts by name, whoever keeps them.

    Every method raises a ``SingError`` where a name is unknown or what it needs cannot be had.
    """

    @property
    def settings(self) -> "Settings":
        """Limits and folders."""

    def deciding(self, model: str, variant: HeadVariant) -> Classifier:
        """Return the part of the head that decides under ``variant``, and its split."""

    def features(self, model: str, photo: Photo) -> Tensor:
        """Return the ``(m,)`` float32 feature of a photo."""

    def translator(self, model: str, reference: str) -> Translator:
        """Return the translator of ``model`` into ``reference``."""

    def vocabulary(self, reference: str) -> Vocabulary:
        """Return the concepts with their embeddings."""

    def text_embedding(self, reference: str, prompt: str, vocabulary: Vocabulary) -> Tensor:
        """Return the ``(d,)`` raw embedding of a prompt."""

    def prompt_note(self, reference: str, prompt: str, vocabulary: Vocabulary) -> str:
        """Return which words of a prompt are not read, in a sentence; "" where all are."""
