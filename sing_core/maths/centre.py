"""The centred reading of an image-text space: what all embeddings share is taken away.

Embeddings of one tower lie in a narrow cone, those of the two towers in two of them: raw angles are
then all alike, whatever the words. Taking the mean embedding away, from images and from texts each
its own, leaves what tells embeddings apart. It is a shift, so a translator stays affine: only its
offset changes, and every closed form along a step holds as before.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sing_core.errors import ShapeError, StaleArtefactError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import tensor_digest
from sing_core.files.seals import facts_are_whole, sealed_facts
from sing_core.maths.translator import Translator

_FORMAT = "sing-centre-1"


@dataclass(frozen=True, slots=True, eq=False)
class Centre:
    """What is taken away in the centred reading of one space.

    Attributes:
        image: ``(d,)`` float32 mean of raw image embeddings.
        text: ``(d,)`` float32 mean of text embeddings of length 1.
        raw_space_id: the space whose centre it is.
        details: what the means were taken over, as text.
    """

    image: Tensor
    text: Tensor
    raw_space_id: str
    details: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the shapes once.

        Raises:
            ShapeError: the two are not vectors of one width.
        """
        if self.image.ndim != 1 or self.image.shape != self.text.shape:
            raise ShapeError(
                f"A centre is two vectors (d,), got {tuple(self.image.shape)} and "
                f"{tuple(self.text.shape)}."
            )

    @property
    def space_id(self) -> str:
        """The id of the centred space: another one for another space, or another centre of it."""
        return f"{self.raw_space_id}-centred-{self.digest[:16]}"

    @property
    def digest(self) -> str:
        """SHA-256 over both means."""
        return tensor_digest(self._tensors)

    @property
    def _tensors(self) -> dict[str, Tensor]:
        return {"image": self.image.contiguous(), "text": self.text.contiguous()}

    def images(self, embeddings: Tensor) -> Tensor:
        """Return ``z - mean`` ``(..., d)`` float32 of raw image ``embeddings`` ``(..., d)``."""
        return (embeddings.double() - self.image.double()).float()

    def texts(self, embeddings: Tensor) -> Tensor:
        """Return ``t / |t| - mean`` ``(..., d)`` float32 of raw text ``embeddings`` ``(..., d)``.

        Only a text's direction has a meaning, and a shift is not the same for another length.
        """
        unit = torch.nn.functional.normalize(embeddings.double(), dim=-1)
        return (unit - self.text.double()).float()

    def translator(self, raw: Translator) -> Translator:
        """Return ``T(f) - mean``: the same linear part, and every stand-in shifted as well."""
        folds = raw.folds and replace(raw.folds, biases=raw.folds.biases - self.image)
        bias = (raw.bias.double() - self.image.double()).to(raw.bias.dtype)
        return replace(raw, bias=bias, folds=folds, space_id=self.space_id)

    def save(self, path: Path) -> None:
        """Write the centre as one safetensors file with its facts as metadata.

        Raises:
            OSError: the disk refuses; an older file is untouched.
        """
        facts = {"format": _FORMAT, "raw_space_id": self.raw_space_id, "sha256": self.digest}
        facts |= {f"detail.{key}": value for key, value in self.details.items()}
        write_atomically(path, save(self._tensors, sealed_facts(facts)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            StaleArtefactError: there is no such file, it is damaged, changed or no centre.
            ShapeError: its tensors do not belong together.
        """
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise StaleArtefactError(f"The centre {path.name} cannot be read.") from error
        if facts.get("format") != _FORMAT or tensors.keys() != {"image", "text"}:
            raise StaleArtefactError(f"{path.name} is not a centre of format {_FORMAT}.")
        if not facts_are_whole(facts):
            raise StaleArtefactError(f"What {path.name} says of itself is not what was saved.")
        details = {
            k.removeprefix("detail."): v for k, v in facts.items() if k.startswith("detail.")
        }
        found = cls(**tensors, raw_space_id=facts.get("raw_space_id", ""), details=details)
        if facts.get("sha256") != found.digest:
            raise StaleArtefactError(f"The numbers in {path.name} are not those that were saved.")
        return found


def centre_of(images: Tensor, texts: Tensor, raw_space_id: str, details: dict[str, str]) -> Centre:
    """Return the centre of a space from raw embeddings ``(n, d)`` of images and of texts."""
    unit = torch.nn.functional.normalize(texts.double(), dim=-1)
    means = images.double().mean(dim=0).float(), unit.mean(dim=0).float()
    return Centre(*means, raw_space_id, details)
