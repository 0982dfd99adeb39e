"""One image of a prepared set whose photo is not on this machine: its stored feature is.

It stands where a photo would: a digest says which one it is, and what a classifier makes of it
is read from the set.
"""

import re
from dataclasses import dataclass

from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.sets.catalogue import image_sets
from sing_core.sets.chunks import SetFolder
from sing_core.settings import Settings

_ADDRESS = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,63})/(\d{1,9})/([0-9a-f]{64})")


def is_address(text: str) -> bool:
    """Return whether ``text`` names an image of a set, whether or not there is such a set."""
    return _ADDRESS.fullmatch(text) is not None


def digest_of(text: str) -> str:
    """Return the SHA-256 of the file that an address names; any other text as it is."""
    parts = _ADDRESS.fullmatch(text)
    return text if parts is None else parts[3]


@dataclass(frozen=True, slots=True, eq=False)
class StoredImage:
    """An image of a set by its row and the SHA-256 of its file.

    Attributes:
        folder: the set.
        row: its row there.
        digest: SHA-256 of the file whose features the set holds.
    """

    folder: SetFolder
    row: int
    digest: str

    @classmethod
    def find(cls, text: str, settings: Settings) -> "StoredImage":
        """Return the image that an address names.

        Raises:
            ImageSetError: it is no address, no set is called so, or the set has fewer rows.
            SingError: the folder of a set is damaged.
        """
        parts = _ADDRESS.fullmatch(text)
        if parts is None:
            raise ImageSetError("This link names no image of a prepared set.")
        name, row, digest = parts[1], int(parts[2]), parts[3]
        sets = {folder.facts.name: folder for folder in reversed(image_sets(settings))}
        if name not in sets:
            raise ImageSetError(
                f"This link names an image of the set {name}, which is not on this machine. "
                "Choose a sample, or upload a photo."
            )
        if row >= sets[name].facts.total:
            raise ImageSetError(_others(name))
        return cls(sets[name], row, digest)

    @property
    def address(self) -> str:
        """What names this image in a link."""
        return f"{self.folder.facts.name}/{self.row}/{self.digest}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Whole sentences about what stands in for the photo."""
        facts = self.folder.facts
        return (
            f"The photo is not on this machine: this is image {self.row:,} of the set "
            f"{facts.name}, by the feature that the set holds of it ({facts.precision}).",
        )

    def feature(self, model: str, weights_digest: str) -> Tensor:
        """Return the ``(m,)`` float32 feature under a classifier with these weights.

        Raises:
            ImageSetError: the set holds none of this image.
            StaleArtefactError: the stored features are damaged or of other weights.
        """
        name = self.folder.facts.name
        chunk = self.folder.load(model, weights_digest, self.row // self.folder.facts.chunk_rows)
        if chunk is None:
            raise ImageSetError(
                f"The set {name} holds no feature of this image under {model}: choose another "
                "classifier, or prepare the set for this one."
            )
        for place, image in enumerate(chunk.images):
            if image.row == self.row and image.digest == self.digest:
                return chunk.features[place].float()
        raise ImageSetError(_others(name))


def _others(name: str) -> str:
    return (
        f"This link names an image that the set {name} of this machine does not have: sets of "
        "the same name can hold other images."
    )
