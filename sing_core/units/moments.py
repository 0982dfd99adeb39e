"""What TextSpan needs of a head over many images: mean and covariance, in as many folds.

A head's output is linear in ``e + 2`` numbers: its values under attention, and the image's mean and
1 / sigma of the last norm. Their first and second moments stand for any number of images, and are
small enough to ship.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sing_core.errors import StaleArtefactError, UnitsError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import tensor_digest
from sing_core.files.seals import facts_are_whole, sealed_facts
from sing_core.models.registry import base_of, file_stem
from sing_core.units.inside import Inside
from sing_core.units.residual import Sums

if TYPE_CHECKING:
    from sing_core.settings import Settings

FOLDS = 8
_FORMAT = "sing-unit-moments-2"
SHARED = "shared."
_NAMES = ("counts", "first", "spread", "alike")


@dataclass(frozen=True, slots=True, eq=False)
class HeadMoments:
    """Moments of every head in ``F`` folds of images; ``x`` is a head's values, then mean, scale.

    Attributes:
        counts: ``(F,)`` images of each fold.
        first: ``(F, L, H, e + 2)`` mean of ``x``, float32.
        spread: ``(F, L, H, e + 2)`` standard deviation of ``x`` inside the fold, float32.
        alike: ``(F, L, H, (e + 2) (e + 3) / 2)`` its correlations, the upper triangle row by row,
            float16: what ships is a quarter as large.
        identity: of the tower whose heads these are.
        details: which images, as text; ``shared.NAME`` is the identity of another network that has
            the same tower under a head of its own.
    """

    counts: Tensor
    first: Tensor
    spread: Tensor
    alike: Tensor
    identity: str
    details: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, sums: Sums, identity: str, details: dict[str, str] | None = None) -> Self:
        """Return the moments of ``n`` images in eight folds, every eighth image in one."""
        n = len(sums)
        layers, heads = sums.heads.shape[1:3]
        common = torch.stack([sums.mean, sums.scale], dim=1)[:, None, None]
        x = torch.cat([sums.heads, common.expand(n, layers, heads, 2)], dim=-1).double()
        folds = [x[start::FOLDS] for start in range(min(FOLDS, n))]
        means = torch.stack([fold.mean(dim=0) for fold in folds])
        second = torch.stack(
            [
                torch.einsum("nlhi,nlhj->lhij", fold - mean, fold - mean) / len(fold)
                for fold, mean in zip(folds, means, strict=True)
            ]
        )
        spread = second.diagonal(dim1=-2, dim2=-1).clamp_min(1e-300).sqrt()
        whole = second / (spread[..., :, None] * spread[..., None, :])
        alike = whole[(..., *_triangle(whole.shape[-1]))].half()
        counts = torch.tensor([len(fold) for fold in folds], dtype=torch.float64)
        return cls(counts, means.float(), spread.float(), alike, identity, details or {})

    @property
    def prepared(self) -> str:
        """Name of the prepared set that they are of; "" of images that a person showed."""
        return "" if "digest" in self.details else self.details.get("set", "")

    @property
    def images(self) -> int:
        """How many images they are of."""
        return int(self.counts.sum())

    def are_of(self, identity: str) -> bool:
        """Whether these are of the tower ``identity``, or of one that is the same."""
        shared = (value for key, value in self.details.items() if key.startswith(SHARED))
        return identity in (self.identity, *shared)

    def stand_ins(self, inside: Inside, layer: int, head: int, folds: list[int]) -> Tensor:
        """Return rows ``(2 (e + 2), d)`` with mean and covariance of a head's outputs, float64.

        ``d`` is the reference's space; ``folds`` are those that count. TextSpan cannot tell these
        rows from the images' own, as it takes their first two moments alone.
        """
        weight = self.counts[folds] / self.counts[folds].sum()
        means = self.first[folds, layer, head].double()
        mean = weight @ means
        shift = means - mean
        wide = self.spread[folds, layer, head].double()
        alike = wide.new_zeros(len(folds), wide.shape[1], wide.shape[1])
        alike[(slice(None), *_triangle(wide.shape[1]))] = self.alike[folds, layer, head].double()
        alike = alike + alike.mT - torch.diag_embed(alike.diagonal(dim1=1, dim2=2))
        second = torch.einsum("f,fij->ij", weight, alike * wide[:, :, None] * wide[:, None])
        second = second + torch.einsum("f,fi,fj->ij", weight, shift, shift)
        power, vectors = torch.linalg.eigh(second)
        steps = vectors * (len(power) * power.clamp_min(0)).sqrt()  # columns
        x = torch.cat([mean + steps.mT, mean - steps.mT])
        into, constant = into_space(inside, layer, head)
        return x @ into.mT + constant

    @property
    def _tensors(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in _NAMES}

    def save(self, path: Path) -> None:
        """Write the moments as one safetensors file with their facts as metadata.

        Raises:
            OSError: the disk refuses; an older file is untouched.
        """
        tensors = {name: value.contiguous() for name, value in self._tensors.items()}
        facts = {"format": _FORMAT, "identity": self.identity, "sha256": tensor_digest(tensors)}
        facts |= {f"detail.{key}": value for key, value in self.details.items()}
        write_atomically(path, save(tensors, sealed_facts(facts)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            StaleArtefactError: there is no such file, or it is damaged or changed.
        """
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise StaleArtefactError(f"The moments {path.name} cannot be read.") from error
        if facts.get("format") != _FORMAT or not facts_are_whole(facts):
            raise StaleArtefactError(f"{path.name} does not hold moments of format {_FORMAT}.")
        if tensors.keys() != set(_NAMES) or facts.get("sha256") != tensor_digest(tensors):
            raise StaleArtefactError(f"The numbers in {path.name} are not those that were saved.")
        details = {
            k.removeprefix("detail."): v for k, v in facts.items() if k.startswith("detail.")
        }
        return cls(**tensors, identity=facts["identity"], details=details)


def _triangle(size: int) -> tuple[Tensor, Tensor]:
    rows, columns = torch.triu_indices(size, size)
    return rows, columns


def shipped_path(settings: "Settings", name: str) -> Path:
    """Return where the moments of a network that ships lie: those over the embedded set."""
    return settings.assets_dir / "units" / f"{file_stem(base_of(name))}.safetensors"


def kept_path(settings: "Settings", inside: Inside) -> Path:
    """Return where the moments of a set that a person showed to a network are kept."""
    tower = inside.tower
    name = f"{file_stem(tower.name)}-{tower.identity[:16]}.safetensors"
    return settings.cache_dir / "units" / "moments" / name


def keep_moments(found: HeadMoments, inside: Inside, settings: "Settings") -> bool:
    """Keep the moments of a set, in place of an earlier set's; return whether they will be read.

    They are not where moments of the network ship: its words stay those of the embedded set.

    Raises:
        OSError: the disk refuses.
    """
    found.save(kept_path(settings, inside))
    return shipped_moments(inside, settings).details == found.details


def shipped_moments(inside: Inside, settings: "Settings") -> HeadMoments:
    """Return the moments of a network's heads over the embedded set, or the set shown to it last.

    Raises:
        UnitsError: none ship of this network as it is now, and no set was shown to it.
        StaleArtefactError: the file is damaged.
    """
    shipped = sorted((settings.assets_dir / "units").glob("*.safetensors"))
    for path in (*shipped, kept_path(settings, inside)):
        if path.is_file() and (found := HeadMoments.load(path)).are_of(inside.tower.identity):
            return found
    raise UnitsError(
        f"No set of images was recorded inside {inside.tower.name} as it is now: name one by "
        "--images (class folders, Parquet, zip or tar)."
    )


def into_space(inside: Inside, layer: int, head: int) -> tuple[Tensor, Tensor]:
    """Return ``(d, e + 2)`` and ``(d,)``, float64: from ``x`` to a head's part of ``T(f)``."""
    shares, tower = inside.shares, inside.tower
    count = shares.units * tower.heads
    mean = shares.mean_map * (-1 / count if shares.variant == "shared" else 0)
    columns = [
        shares.head_maps[layer, head].mT,
        mean[None],
        shares.head_bias[layer][None] / tower.heads,
    ]
    linear = inside.translator.weight.double()
    return linear @ torch.cat(columns).double().mT, linear @ (shares.constant / count).double()
