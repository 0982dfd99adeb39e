"""The prior of the inversion: what the denoiser would change counts against a picture.

Plug and play (Venkatakrishnan et al. 2013): the gradient of ``w |x - D(x)|^2``, with ``D(x)`` held
still, moves a picture towards what the denoiser, which has seen photographs, makes of it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import sha256_of
from sing_core.pictures.inversion.denoiser import Denoiser
from sing_core.pictures.inversion.recipe import Pull

if TYPE_CHECKING:
    from sing_core.settings import Settings

# Of assets/denoiser/denoiser.safetensors.
DIGEST = "1bc0c3c7c29954c20cbe9971eefceff4a6f98e9f1a4e00f0d4c9e0670af803a2"


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """A trained denoiser.

    Attributes:
        network: in evaluation mode, without gradients.
        digest: of its file.
    """

    network: Denoiser
    digest: str

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> "Prior":
        """Read the weights at ``path``."""
        from safetensors.torch import load_file

        network = Denoiser()
        state = load_file(path)
        network.load_state_dict({name: value.float() for name, value in state.items()})
        network = network.eval().requires_grad_(False).to(device)
        return cls(network.to(memory_format=torch.channels_last), sha256_of(path))

    def loss(
        self,
        pictures: Tensor,
        layouts: Tensor,
        pull: Pull,
        share: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the losses ``(n,)`` of ``pictures (n, 3, s, s)`` over their ``layouts``, alike.

        ``share`` of the schedule is done. The same noise is laid over every row.
        """
        sigma = pull.sigma(share)
        with torch.no_grad():
            seen = pictures.detach()
            if pull.fresh:
                noise = torch.randn(seen.shape[1:], generator=generator).to(seen.device)
                seen = seen + pull.fresh * sigma * noise
            levels = torch.full((len(seen),), sigma, device=seen.device)
            shown = layouts if pull.layout else None
            goal = self.network(seen, levels, shown)
        loss: Tensor = pull.weight * (pictures - goal).square().mean((1, 2, 3))
        return loss


def denoiser_path(settings: "Settings") -> Path:
    """Return where the trained denoiser ships."""
    return settings.assets_dir / "denoiser" / "denoiser.safetensors"


def shipped_prior(settings: "Settings", device: str) -> Prior:
    """Return the prior that ships.

    Raises:
        WeightsUnavailableError: its file is missing, or is another.
    """
    path = denoiser_path(settings)
    if not path.is_file() or sha256_of(path) != DIGEST:
        raise WeightsUnavailableError(
            f"The denoiser {path} is missing or damaged; restore it from the repository."
        )
    return Prior.load(path, device)
