"""Views for the restoring of the ViT: pictures, what lite2 says of them, tokens of frozen blocks.

The lower blocks stay as the package has them, so a view passes through them once: its tokens lie
on disk, two thousand views a file, and every later pass over the same views costs the upper
blocks only. A file is made when it is first asked for; views follow from their pile's name and
their place in it, so an interrupted run makes the same ones again.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from sing_core.making import transforms
from sing_core.making.data import ImageFolder, random_attribute
from sing_core.making.features import Extractor, load_extractor
from sing_core.models.embedded_reference import REFERENCE_TRUNK
from sing_core.models.focus_vit import SIZE

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.settings import Settings

FOLDS = 5
PHOTO_VIEWS = 16
CHUNK = 2000
_DEV_PER_CLASS = 5
_BATCH = 50
_SEED = 7
# lite2 names more enlarged 64-pixel images rightly at 160 pixels than at its own 260.
_TEACHER_SIZE = {"tiny": 160, "tiny_val": 160, "sample": 260}
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)

Network = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True, slots=True, eq=False)
class Pile:
    """Views that are made and stored together.

    Attributes:
        name: folder of the files, and what the random draws follow from.
        source: key of the shared files.
        rows: ``(n,)`` row of every view in its source.
        variant: number of the draw of augmentations; below 0 for views as they are.
    """

    name: str
    source: str
    rows: np.ndarray
    variant: int

    @property
    def chunks(self) -> int:
        """Number of files."""
        return -(-len(self.rows) // CHUNK)

    def span(self, chunk: int) -> range:
        """Places of the views in file ``chunk``."""
        return range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self.rows)))


class Piles:
    """Every pile of the run: what is trained on, what chooses, what only measures."""

    def __init__(self, folder: ImageFolder, photo_views: int = PHOTO_VIEWS) -> None:
        """Split the rows of the shared files; the images are read when they are drawn."""
        labels = folder.table("tiny").labels
        last = [np.flatnonzero(labels == label)[-_DEV_PER_CLASS:] for label in np.unique(labels)]
        photos = np.arange(len(folder.table("sample")))
        self._photo_views = photo_views
        kept = np.setdiff1d(np.arange(len(labels)), np.concatenate(last))
        # The files list class after class; any part of a pile is to hold all of them.
        self._tiny = np.random.default_rng(_SEED).permutation(kept)
        self._photos = photos[photos % FOLDS != 0]
        self.dev = Pile("dev", "tiny", np.concatenate(last), -1)
        self.held = Pile("held", "sample", photos[photos % FOLDS == 0], -1)
        self.val = Pile("val", "tiny_val", np.arange(len(folder.table("tiny_val"))), -1)
        # lite2 sees each small image once, as it is; each view of a photograph by itself.
        self.whole = Pile("whole", "tiny", self._tiny, -1)

    def tiny(self, variant: int) -> Pile:
        """Return draw ``variant`` of the small images, one view each."""
        return Pile(f"tiny-{variant}", "tiny", self._tiny, variant)

    def photos(self, variant: int) -> Pile:
        """Return draw ``variant`` of the photographs that are trained on, many views each."""
        return Pile(
            f"photos-{variant}", "sample", np.tile(self._photos, self._photo_views), variant
        )


class Views:
    """Tokens and lite2's features of piles, made once and kept under a folder."""

    def __init__(
        self, settings: "Settings", folder: ImageFolder, work: Path, lower: Network
    ) -> None:
        """``lower`` maps ``(n, 3, SIZE, SIZE)`` pictures to ``(n, tokens, 384)``."""
        self._settings = settings
        self._folder = folder
        self._work = work
        self._lower = lower

    def tokens(self, pile: Pile, chunk: int) -> np.ndarray:
        """Return the frozen blocks' output, ``(views, 1 + patches, 384)`` float16, on disk."""
        return self._kept(pile, chunk, f"tokens-{SIZE}", SIZE, self._lower, _normalised)

    def teacher(self, pile: Pile, chunk: int) -> np.ndarray:
        """Return lite2's features, ``(views, 1280)`` float16, on disk."""
        size = _TEACHER_SIZE[pile.source]
        return self._kept(pile, chunk, "teacher", size, self._see, _plus_minus_one)

    def labels(self, pile: Pile) -> np.ndarray:
        """Return the class index of every view, ``(n,)``."""
        return np.asarray(self._folder.table(pile.source).labels[pile.rows])

    @cached_property
    def _lite2(self) -> Extractor:
        return load_extractor(REFERENCE_TRUNK, self._settings)

    def _see(self, pictures: "Tensor") -> "Tensor":
        features: Tensor = self._lite2.features(pictures, fast=True)
        return features

    def _kept(
        self,
        pile: Pile,
        chunk: int,
        kind: str,
        size: int,
        network: Network,
        scaled: Callable[[Image.Image], np.ndarray],
    ) -> np.ndarray:
        import torch

        path = self._work / kind / pile.name / f"{chunk:03d}.npy"
        if not path.is_file():
            span = pile.span(chunk)
            parts = []
            for start in range(span.start, span.stop, _BATCH):
                places = range(start, min(start + _BATCH, span.stop))
                pictures = np.stack([scaled(self._picture(pile, i, size)) for i in places])
                batch = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())
                parts.append(network(batch).half().numpy())
            path.parent.mkdir(parents=True, exist_ok=True)
            # Two processes may make the same file: each its own draft, and the last one stays.
            draft = path.with_suffix(f".{os.getpid()}.tmp")
            with draft.open("wb") as stream:
                np.save(stream, np.concatenate(parts))
            draft.replace(path)
        return np.asarray(np.load(path, mmap_mode="r"))

    def _picture(self, pile: Pile, place: int, size: int) -> Image.Image:
        row = int(pile.rows[place])
        image = self._folder.table(pile.source).image(row)
        if pile.variant < 0:
            return whole(image, size)
        rng = np.random.default_rng([_SEED, pile.variant, place, row])
        return (photo_view if pile.source == "sample" else tiny_view)(image, size, rng)


def whole(image: Image.Image, size: int) -> Image.Image:
    """Return the central square of ``image`` with ``size`` pixels a side."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=box)


def tiny_view(image: Image.Image, size: int, rng: np.random.Generator) -> Image.Image:
    """Return a random crop of a small image: at least half of it, perhaps mirrored."""
    picture = _crop(image, size, rng, 0.5)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(float(rng.uniform(0.75, 1.3)))
    return picture


def photo_view(image: Image.Image, size: int, rng: np.random.Generator) -> Image.Image:
    """Return a random view of a photograph: a crop, with an attribute, or of few pixels."""
    kind = float(rng.random())
    if kind < 0.2:
        group, value = random_attribute(rng)
        image = transforms.apply(image, group, value, rng)
    picture = _crop(image, size if kind < 0.8 else 64, rng, 0.3)
    return picture if picture.width == size else picture.resize((size,) * 2, _BICUBIC)


_BICUBIC = Image.Resampling.BICUBIC


def _crop(image: Image.Image, size: int, rng: np.random.Generator, least: float) -> Image.Image:
    share, ratio = float(rng.uniform(least, 1.0)), float(np.exp(rng.uniform(-0.29, 0.29)))
    area = min(image.size) ** 2 * share
    width = min(image.width, (area * ratio) ** 0.5)
    height = min(image.height, (area / ratio) ** 0.5)
    left = float(rng.uniform(0, image.width - width))
    top = float(rng.uniform(0, image.height - height))
    box = (left, top, left + width, top + height)
    picture = image.resize((size, size), _BICUBIC, box=box)
    return ImageOps.mirror(picture) if rng.random() < 0.5 else picture


def _normalised(picture: Image.Image) -> np.ndarray:
    return (np.asarray(picture, dtype=np.float32) / 255 - _MEAN) / _STD


def _plus_minus_one(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=np.float32) / 127.5 - 1
