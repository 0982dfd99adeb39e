"""A reference with its centre taken away: the same network, other angles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sing_core.maths.centre import Centre
from sing_core.models.references import Reference

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class CentredReference:
    """A reference in its centred reading; the network is that of the raw one.

    Attributes:
        name: with the reading in front.
        raw: the reference as it is loaded.
        centre: what is taken away.
    """

    name: str
    raw: Reference
    centre: Centre

    @property
    def space_id(self) -> str:
        """Identifies the centred space."""
        return self.centre.space_id

    @property
    def memory_bytes(self) -> int:
        """What the weights take in memory, shared with the raw reading."""
        return self.raw.memory_bytes

    @property
    def preprocess(self) -> Callable[["Image.Image"], "Tensor"]:
        """Return the function from a photo to ``(3, h, w)``."""
        return self.raw.preprocess

    def embed_images(self, images: Sequence["Image.Image"]) -> "Tensor":
        """Return centred image embeddings ``(n, d)``, float32 on the CPU, for RGB photos."""
        return self.centre.images(self.raw.embed_images(images))

    def embed_batch(self, batch: "Tensor") -> "Tensor":
        """Return centred image embeddings ``(n, d)``, float32, of preprocessed ``(n, 3, h, w)``."""
        return self.centre.images(self.raw.embed_batch(batch))

    def embed_texts(
        self, prompts: Sequence[str], report: "Callable[[int, int], object] | None" = None
    ) -> "Tensor":
        """Return centred text embeddings ``(n, d)``, float32 on the CPU.

        Raises:
            PromptError: two prompts say something else and are read the same.
        """
        return self.centre.texts(self.raw.embed_texts(prompts, report))

    def note_on(self, prompt: str) -> str:
        """Return what of a prompt is not read, in sentences; "" where all is."""
        return self.raw.note_on(prompt)
