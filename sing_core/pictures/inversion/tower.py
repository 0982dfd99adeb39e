"""The reference's image tower as a picture sees it: differentiable, never changed."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.nn.functional import interpolate

from sing_core.maths.centre import Centre
from sing_core.models.centred_reference import CentredReference

if TYPE_CHECKING:
    from sing_core.models.references import Reference


@dataclass(frozen=True, slots=True, eq=False)
class Tower:
    """Pictures in [0, 1] -> embeddings of the reference, with gradients.

    Attributes:
        model: the open_clip model.
        side: of the pictures that it looks at.
        mean: ``(3, 1, 1)`` and ``std`` ``(3, 1, 1)``: the normalisation that its weights expect.
        space_id: of the embeddings.
        centre: what the centred reading takes away; None for the raw one.
    """

    model: Any
    side: int
    mean: Tensor
    std: Tensor
    space_id: str
    centre: Centre | None = None

    @classmethod
    def of(cls, reference: "Reference | CentredReference") -> "Tower":
        """Look through ``reference``; its own preparation of photos says how."""
        if isinstance(reference, CentredReference):
            inner = cls.of(reference.raw)
            return replace(inner, space_id=reference.space_id, centre=reference.centre)
        grey, white = (
            reference.preprocess(_plain(value)).to(reference.device) for value in (0, 255)
        )
        # What black and white pixels become gives the normalisation, whoever wrote it.
        low, high = (one.mean((1, 2)).view(3, 1, 1) for one in (grey, white))
        std = 1 / (high - low)
        return cls(reference.model, grey.shape[-1], -low * std, std, reference.space_id)

    def embed(self, pictures: Tensor) -> Tensor:
        """Return ``(n, d)`` raw embeddings of ``pictures (n, 3, s, s)``; gradients flow."""
        shown = interpolate(
            pictures, size=self.side, mode="bicubic", align_corners=False, antialias=True
        )
        found: Tensor = self.model.encode_image((shown - self.mean) / self.std)
        return found.float() if self.centre is None else self.centre.images(found.float())


def _plain(value: int) -> Any:  # noqa: ANN401 - a PIL picture, imported where it is needed
    from PIL import Image

    return Image.new("RGB", (64, 64), (value,) * 3)
