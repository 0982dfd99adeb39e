"""What the denoiser learns from: patches of photographs, their layouts, and noise over them.

Photographs of the sample in the folds ``KEPT_BACK`` are left out: one fold is for choices, the
other for what is reported (see ``benchmarks.likeness``).
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from sing_core.errors import WeightsUnavailableError
from sing_core.making.data import ImageFolder
from sing_core.maths.folds import fold_of
from sing_core.pictures.inversion.denoiser import SIGMAS
from sing_core.pictures.inversion.layout import CELLS

KEPT_BACK = {"choosing": 1, "reporting": 0}
SIDE = 64
_WHOLE = 128  # the side at which the inversion draws a photograph
_SIDES = (96, 128)


@dataclass(frozen=True, slots=True)
class Share:
    """How much of what goes into training.

    Attributes:
        batch: patches of a step.
        small: share of them from the 64 px photographs, which are patches as they are.
        tiny: how many of these there are.
        views: random windows that are kept of every larger photograph.
        without_layout: share of patches whose layout is left out.
        white: share of patches whose noise is white; the others' has coarse parts.
    """

    batch: int = 32
    small: float = 0.4
    tiny: int = 20_000
    views: int = 6
    without_layout: float = 0.25
    white: float = 0.4


class Patches:
    """Photographs in memory; batches follow from a number alone."""

    def __init__(self, data: Path, share: Share, seed: int = 0) -> None:
        """Decode the photographs under ``data``; about 600 MB with the default share.

        Raises:
            WeightsUnavailableError: the shared images are missing.
        """
        self._share, self._seed = share, seed
        rng = np.random.default_rng([seed, 1])
        tiny = ImageFolder(data).table("tiny")
        rows = rng.permutation(len(tiny))[: share.tiny]
        self._small = np.stack([np.asarray(tiny.image(int(row))) for row in rows])
        photographs = [*_sample(data), *_salient(data)]
        self._large = np.stack(
            [_window(photo, rng) for photo in photographs for _ in range(share.views)]
        )

    def batch(self, step: int) -> "Batch":
        """Return the batch of ``step``."""
        share = self._share
        rng = np.random.default_rng([self._seed, 2, step])
        small = round(share.batch * share.small)
        whole = [
            _tensor(self._small[rng.integers(len(self._small), size=small)]),
            *self._large_parts(rng, share.batch - small),
        ]
        clean, layout = (torch.cat(parts) for parts in zip(*map(_cut(rng), whole), strict=True))
        mirrored = torch.from_numpy(rng.random(len(clean)) < 0.5)[:, None, None, None]
        clean, layout = (torch.where(mirrored, part.flip(3), part) for part in (clean, layout))
        bare = torch.from_numpy(rng.random(len(clean)) < share.without_layout)
        layout = torch.where(bare[:, None, None, None], torch.nan, layout)
        low, high = map(math.log, SIGMAS)
        sigma = torch.from_numpy(np.exp(rng.uniform(low, high, len(clean)))).float()
        white = torch.from_numpy(rng.random(len(clean)) < share.white)
        noise = _noise(torch.Generator().manual_seed(int(rng.integers(2**62))), white)
        return Batch(clean, clean + sigma[:, None, None, None] * noise, sigma, layout)

    def _large_parts(self, rng: np.random.Generator, count: int) -> list[Tensor]:
        """Return windows at each side that the inversion draws, ``count`` in all."""
        found, left = [], count
        for turn, side in enumerate(_SIDES):
            some = left // (len(_SIDES) - turn)
            part = _tensor(self._large[rng.integers(len(self._large), size=some)])
            if side != _WHOLE:
                part = interpolate(part, size=side, mode="bilinear", antialias=True)
            found.append(part)
            left -= some
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """``clean``, ``noisy``, ``layout`` ``(n, 3, s, s)``, a row of NaN without; ``sigma`` (n,)."""

    clean: Tensor
    noisy: Tensor
    sigma: Tensor
    layout: Tensor


def _sample(data: Path) -> list[Image.Image]:
    table = ImageFolder(data).table("sample")
    kept = set(KEPT_BACK.values())
    rows = [row for row in range(len(table)) if fold_of(table.digest(row)) not in kept]
    return [table.image(row) for row in rows]


def _salient(data: Path) -> list[Image.Image]:
    """Return the photographs of ECSSD, which bear no class names."""
    import pyarrow.parquet as pq

    path = data / "ecssd.parquet"
    if not path.is_file():
        raise WeightsUnavailableError(f"The training images {path} are missing.")
    files: list[bytes] = pq.read_table(path, columns=["jpeg"])["jpeg"].to_pylist()
    return [Image.open(io.BytesIO(file)).convert("RGB") for file in files]


def _window(photo: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """Return a square of 70 to 100 % of the photo's shorter side at 128 px, ``(s, s, 3)``."""
    side = min(photo.size) * float(rng.uniform(0.7, 1.0))
    left, top = (float(rng.uniform(0, length - side)) for length in photo.size)
    box = (left, top, left + side, top + side)
    return np.asarray(photo.resize((_WHOLE, _WHOLE), Image.Resampling.BICUBIC, box=box))


def _tensor(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def _layout(pictures: Tensor) -> Tensor:
    """Return the layouts of whole ``pictures (n, 3, s, s)``, as ``layout_prior`` has them."""
    cells = adaptive_avg_pool2d(pictures, CELLS)
    size = pictures.shape[-1]
    return interpolate(cells, size=size, mode="bicubic", align_corners=False).clamp(0, 1)


class _cut:
    """Cuts the same random place out of pictures and their layouts."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def __call__(self, whole: Tensor) -> tuple[Tensor, Tensor]:
        layout, room = _layout(whole), whole.shape[-1] - SIDE
        places = self._rng.integers(room + 1, size=(len(whole), 2)).tolist()
        return tuple(  # type: ignore[return-value]
            torch.stack(
                [
                    row[:, top : top + SIDE, left : left + SIDE]
                    for row, (top, left) in zip(part, places, strict=True)
                ]
            )
            for part in (whole, layout)
        )


def _noise(generator: torch.Generator, white: Tensor) -> Tensor:
    """Return ``(n, 3, 64, 64)`` of deviation 1: white where ``white (n,)``, else with coarse parts.

    Coarse parts are what an inversion leaves behind: blots of any size and colour.
    """
    count = len(white)
    noise = torch.randn(count, 3, SIDE, SIDE, generator=generator)
    total = noise.clone()
    for side in (SIDE // 2, SIDE // 4, SIDE // 8):
        part = torch.randn(count, 3, side, side, generator=generator)
        part = interpolate(part, size=SIDE, mode="bilinear", align_corners=False)
        amount = 2 * torch.rand(count, 1, 1, 1, generator=generator).square()
        total = total * torch.rand(count, 1, 1, 1, generator=generator) + amount * part
    # Some of it is grey, some in colours.
    share = torch.rand(count, 1, 1, 1, generator=generator)
    total = share * total + (1 - share) * total.mean(1, keepdim=True)
    total = total / total.std(dim=(1, 2, 3), keepdim=True)
    return torch.where(white[:, None, None, None], noise, total)
