"""Translators: affine maps from classifier features to image-text embeddings (eq. 4).

``T(f) = A f + b``; ``sing_core.maths.ridge`` fits it. Embeddings are raw, never normalised: a
translator keeps their length as well as their direction.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sing_core.errors import ShapeError, StaleArtefactError, TranslatorMismatchError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import nameless_digest, tensor_digest
from sing_core.files.seals import facts_are_whole, sealed_facts
from sing_core.maths.feature_map import cosine_to
from sing_core.maths.folds import Folds
from sing_core.maths.row_steps import half_if_exact, widened

_FORMAT = "sing-translator-1"


@dataclass(frozen=True, slots=True, eq=False)
class Translator:
    """Affine map ``T(f) = f @ weight.T + bias`` from ``m`` features to ``d`` embedding dimensions.

    Attributes:
        weight: ``(d, m)``; the linear part, by which shifts and gradients travel.
        bias: ``(d,)``.
        model: name of the classifier whose features it takes.
        model_digest: digest of that classifier's weights (``Backbone.weights_digest``); "" where
            an imported file does not say.
        space_id: the image-text space it leads into; dimensions alone never decide.
        details: further facts for the card (lambda, data, measures), as text.
        folds: its stand-ins for the images that it was fitted from; None where it has none.
    """

    weight: Tensor
    bias: Tensor
    model: str = ""
    model_digest: str = ""
    space_id: str = ""
    details: dict[str, str] = field(default_factory=dict)
    folds: Folds | None = None

    def __post_init__(self) -> None:
        """Check the shapes once, at the boundary.

        Raises:
            ShapeError: ``weight``, ``bias`` and stand-ins do not belong together.
        """
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1]:
            raise ShapeError(
                f"A translator is weight (d, m) and bias (d,), got {tuple(self.weight.shape)} "
                f"and {tuple(self.bias.shape)}."
            )
        if self.folds is not None and self.folds.steps.shape[1:] != self.weight.shape:
            raise ShapeError("A translator and its stand-ins lead from and to the same widths.")

    @property
    def digests(self) -> tuple[str, str]:
        """The digest by which files know these numbers, and the one that older files noted."""
        return tensor_digest(self._tensors), nameless_digest(*self._tensors.values())

    @property
    def _tensors(self) -> dict[str, Tensor]:
        named = {"weight": self.weight.contiguous(), "bias": self.bias.contiguous()}
        if self.folds is not None:
            named |= {f"folds.{name}": getattr(self.folds, name) for name in Folds.__slots__}
        return {name: widened(value) for name, value in named.items()}

    def apply(self, features: Tensor) -> Tensor:
        """Return ``T(f)`` of shape ``(..., d)`` in float64 for ``features`` ``(..., m)``.

        Raises:
            ShapeError: the last dimension is not m.
        """
        return self.linear(features) + self.bias.double()

    def linear(self, shifts: Tensor) -> Tensor:
        """Return ``A v`` of shape ``(..., d)`` in float64: what ``T(f + v) - T(f)`` is.

        Raises:
            ShapeError: the last dimension is not m.
        """
        if shifts.ndim == 0 or shifts.shape[-1] != self.weight.shape[1]:
            raise ShapeError(
                f"This translator takes {self.weight.shape[1]} features, got {tuple(shifts.shape)}."
            )
        return shifts.double() @ self.weight.double().mT

    def similarity_gradient(self, features: Tensor, text: Tensor) -> Tensor:
        """Return the gradient of ``cos(T(f), text)`` (eqs. 10 and 11) in closed form.

        ``features`` ``(..., m)``, ``text`` ``(d,)``; result ``(..., m)`` float64:
        ``A^T (t - s z_hat) / |z|`` with ``z = T(f)`` and unit vectors ``t`` and ``z_hat``.

        Raises:
            ShapeError: widths do not agree.
            ZeroVectorError: ``T(f)`` or ``text`` is zero.
        """
        z = self.apply(features)
        s = cosine_to(z, text)[..., None]
        length = torch.linalg.vector_norm(z, dim=-1, keepdim=True)
        t_hat = text.double() / torch.linalg.vector_norm(text.double())
        gradient: Tensor = ((t_hat - s * z / length) / length) @ self.weight.double()
        return gradient

    def check_belongs(self, *, model: str, model_digest: str, space_id: str) -> None:
        """Refuse to serve another model, other weights (where they are known) or another space.

        Raises:
            TranslatorMismatchError: one of the three differs; the message says which.
        """
        pairs = (
            ("model", self.model, model),
            ("weights", self.model_digest or model_digest, model_digest),
            ("image-text space", self.space_id, space_id),
        )
        for what, own, asked in pairs:
            if own != asked:
                raise TranslatorMismatchError(
                    f"This translator was fitted for the {what} “{own}”, not for “{asked}”."
                )

    def save(self, path: Path) -> None:
        """Write the translator as one safetensors file with its facts as metadata.

        What half precision holds exactly is written in half precision, and read back as it was.

        Raises:
            OSError: the disk refuses; an older file is untouched.
        """
        facts = {"format": _FORMAT, "model": self.model, "model_digest": self.model_digest}
        facts |= {"space_id": self.space_id, **{f"detail.{k}": v for k, v in self.details.items()}}
        kept = {name: half_if_exact(value) for name, value in self._tensors.items()}
        write_atomically(path, save(kept, sealed_facts({**facts, "sha256": self.digests[0]})))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            StaleArtefactError: there is no such file, it is damaged, changed or no translator.
            ShapeError: its tensors do not belong together.
        """
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {key: widened(file.get_tensor(key)) for key in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise StaleArtefactError(
                f"The translator file {path.name} cannot be read: fit it again, or restore it."
            ) from error
        if facts.get("format") != _FORMAT:
            raise StaleArtefactError(f"{path.name} is not a translator of format {_FORMAT}.")
        if not facts_are_whole(facts):
            raise StaleArtefactError(f"What {path.name} says of itself is not what was saved.")
        details = {
            k.removeprefix("detail."): v for k, v in facts.items() if k.startswith("detail.")
        }
        found = cls(
            **_named(path, tensors, ("weight", "bias")),
            folds=_folds(path, tensors),
            model=facts.get("model", ""),
            model_digest=facts.get("model_digest", ""),
            space_id=facts.get("space_id", ""),
            details=details,
        )
        if "sha256" in facts and facts["sha256"] not in found.digests:
            raise StaleArtefactError(
                f"The numbers in {path.name} are not those that were saved: "
                "fit the translator again, or restore the file."
            )
        return found


def _named(path: Path, tensors: dict[str, Tensor], names: tuple[str, ...]) -> dict[str, Tensor]:
    if not tensors.keys() >= set(names):
        raise StaleArtefactError(f"{path.name} cannot be read: it lacks a tensor.")
    return {name.removeprefix("folds."): tensors[name] for name in names}


def _folds(path: Path, tensors: dict[str, Tensor]) -> Folds | None:
    """Return the stand-ins in a file; older files, and imported ones, have none."""
    if "folds.steps" not in tensors:
        return None
    return Folds(**_named(path, tensors, tuple(f"folds.{name}" for name in Folds.__slots__)))
