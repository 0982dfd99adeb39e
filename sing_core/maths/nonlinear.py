"""Non-linear translators: 3- and 4-layer MLP and residual MLP (supplement 1.1).

They exist to be compared with the linear one (Table 2). Scores along a step have no closed form
through them, so the Explore page keeps to ``Translator``.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils import skip_init

from sing_core.errors import ShapeError, StaleArtefactError, UnknownNameError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import tensor_digest
from sing_core.files.seals import facts_are_whole, sealed_facts
from sing_core.maths.feature_map import gradient_by_autograd

ARCHITECTURES = ("mlp3", "mlp4", "residual")
# The width that the metadata of the authors' published files names.
HIDDEN = 1024
_DROPOUT = 0.1
_FORMAT = "sing-nonlinear-translator-1"


class _Dropout(nn.Module):
    """``nn.Dropout`` that draws from a generator of its own: other threads draw from torch's."""

    def __init__(self, chance: torch.Generator) -> None:
        super().__init__()
        self.chance = chance

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - _DROPOUT, generator=self.chance)
        return x * kept.div_(1 - _DROPOUT)


def _linear(wide: int, out: int, chance: torch.Generator) -> nn.Linear:
    """Return ``nn.Linear`` with the same initial weights, drawn from ``chance``."""
    layer: nn.Linear = skip_init(nn.Linear, wide, out)  # type: ignore[no-untyped-call]
    nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=chance)
    nn.init.uniform_(layer.bias, -(wide**-0.5), wide**-0.5, generator=chance)
    return layer


def _block(wide: int, out: int, chance: torch.Generator) -> nn.Sequential:
    """Return the paper's block, LayerNorm-GELU-Dropout-FC."""
    return nn.Sequential(
        nn.LayerNorm(wide), nn.GELU(), _Dropout(chance), _linear(wide, out, chance)
    )


class _Residual(nn.Module):
    """``x + block(x)`` at constant width."""

    def __init__(self, wide: int, chance: torch.Generator) -> None:
        super().__init__()
        self.block = _block(wide, wide, chance)

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.block(x))


class TranslatorNetwork(nn.Module):
    """One of ``ARCHITECTURES`` between a fixed standardisation of its inputs and outputs.

    ``x = (f - feature_mean) / feature_scale`` and ``z = embedding_mean + embedding_scale y``: one
    mean vector and one scale each, so that a learning rate means the same for every classifier.
    """

    def __init__(
        self, architecture: str, features: int, dim: int, hidden: int = HIDDEN, seed: int = 0
    ) -> None:
        """Build for ``features`` inputs and ``dim`` outputs; the standardisation is the identity.

        ``seed`` decides initial weights, dropout, and whatever else draws from ``chance``.

        Raises:
            UnknownNameError: there is no such architecture.
        """
        super().__init__()
        if architecture not in ARCHITECTURES:
            raise UnknownNameError(
                f"No translator architecture is called “{architecture[:80]}”. There are: linear, "
                f"{', '.join(ARCHITECTURES)}."
            )
        self.chance = chance = torch.Generator().manual_seed(seed)
        parts: list[nn.Module]
        if architecture == "residual":
            parts = [_Residual(features, chance), _linear(features, dim, chance)]
        else:
            parts = [_linear(features, hidden, chance)]
            parts += [_block(hidden, hidden, chance) for _ in range(int(architecture[-1]) - 2)]
            parts += [_block(hidden, dim, chance)]
        self.layers = nn.Sequential(*parts)
        self.register_buffer("feature_mean", torch.zeros(features))
        self.register_buffer("feature_scale", torch.ones(()))
        self.register_buffer("embedding_mean", torch.zeros(dim))
        self.register_buffer("embedding_scale", torch.ones(()))

    def standardise(self, features: Tensor, embeddings: Tensor) -> None:
        """Take mean and overall spread of ``features`` ``(n, m)`` and ``embeddings`` ``(n, d)``."""
        for name, rows in (("feature", features), ("embedding", embeddings)):
            mean = rows.mean(dim=0)
            getattr(self, f"{name}_mean").copy_(mean)
            getattr(self, f"{name}_scale").copy_((rows - mean).square().mean().sqrt())

    def forward(self, features: Tensor) -> Tensor:
        """Return ``T(f)`` ``(n, d)`` for ``features`` ``(n, m)``."""
        own = dict(self.named_buffers())
        x = (features - own["feature_mean"]) / own["feature_scale"]
        y = cast(Tensor, self.layers(x))
        return own["embedding_mean"] + own["embedding_scale"] * y


@dataclass(frozen=True, slots=True, eq=False)
class NonlinearTranslator:
    """A fitted non-linear map from ``m`` features to ``d`` embedding dimensions.

    Attributes:
        architecture: one of ``ARCHITECTURES``.
        network: its network in float64, eval mode, without gradients of its own.
        model: name of the classifier; ``model_digest`` the digest of its weights.
        space_id: the image-text space it leads into.
        details: further facts for the card, as text.
    """

    architecture: str
    network: TranslatorNetwork
    model: str = ""
    model_digest: str = ""
    space_id: str = ""
    details: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, architecture: str, network: TranslatorNetwork) -> Self:
        """Freeze a trained network: a float64 copy that takes no more gradients."""
        state = {name: value.detach().double() for name, value in network.state_dict().items()}
        return cls(architecture, rebuilt(architecture, state))

    def named(self, *, model: str, model_digest: str, space_id: str, **details: str) -> Self:
        """Return the same map with what it was fitted for, and further facts."""
        return replace(
            self,
            model=model,
            model_digest=model_digest,
            space_id=space_id,
            details={**self.details, **details},
        )

    @property
    def width(self) -> int:
        """Number m of features it takes."""
        return len(self.network.get_buffer("feature_mean"))

    def apply(self, features: Tensor) -> Tensor:
        """Return ``T(f)`` of shape ``(..., d)`` in float64 for ``features`` ``(..., m)``.

        Raises:
            ShapeError: the last dimension is not m.
        """
        if features.ndim == 0 or features.shape[-1] != self.width:
            raise ShapeError(
                f"This translator takes {self.width} features, got {tuple(features.shape)}."
            )
        return cast(Tensor, self.network(features.double()))

    def similarity_gradient(self, features: Tensor, text: Tensor) -> Tensor:
        """Return the gradient ``(..., m)`` of ``cos(T(f), text)`` (eqs. 10 and 11), by autograd.

        Raises:
            ShapeError: widths do not agree.
            ZeroVectorError: ``T(f)`` or ``text`` is zero.
        """
        return gradient_by_autograd(self, features, text)

    def save(self, path: Path) -> None:
        """Write the translator as one safetensors file (float32) with its facts as metadata."""
        state = self.network.state_dict()
        tensors = {name: value.float().contiguous() for name, value in state.items()}
        facts = {"format": _FORMAT, "architecture": self.architecture, "model": self.model}
        facts |= {"model_digest": self.model_digest, "space_id": self.space_id}
        facts |= {f"detail.{k}": v for k, v in self.details.items()}
        facts |= {"sha256": tensor_digest(tensors)}
        write_atomically(path, save(tensors, sealed_facts(facts)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            StaleArtefactError: there is no such file, or it is damaged, changed or another kind.
        """
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise StaleArtefactError(f"The translator file {path.name} cannot be read.") from error
        if facts.get("format") != _FORMAT:
            raise StaleArtefactError(f"{path.name} is not a translator of format {_FORMAT}.")
        if not facts_are_whole(facts):
            raise StaleArtefactError(f"What {path.name} says of itself is not what was saved.")
        if facts.get("sha256") != tensor_digest(tensors):
            raise StaleArtefactError(f"The numbers in {path.name} are not those that were saved.")
        details = {
            k.removeprefix("detail."): v for k, v in facts.items() if k.startswith("detail.")
        }
        state = {name: value.double() for name, value in tensors.items()}
        try:
            network = rebuilt(facts["architecture"], state)
        except (KeyError, RuntimeError) as error:
            raise StaleArtefactError(
                f"The layers in {path.name} are not those of its architecture."
            ) from error
        return cls(
            facts["architecture"],
            network,
            facts["model"],
            facts["model_digest"],
            facts["space_id"],
            details,
        )


def rebuilt(architecture: str, state: dict[str, Tensor]) -> TranslatorNetwork:
    """Return the network with the tensors ``state``, in their precision, without gradients.

    Raises:
        KeyError: one is missing.
        RuntimeError: they are not the layers of this architecture.
        UnknownNameError: there is no such architecture.
    """
    features, dim = len(state["feature_mean"]), len(state["embedding_mean"])
    hidden = HIDDEN if architecture == "residual" else len(state["layers.0.bias"])
    network = TranslatorNetwork(architecture, features, dim, hidden)
    network.to(state["feature_mean"].dtype)
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)
