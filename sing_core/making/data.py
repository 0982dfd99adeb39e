"""The shared training images and the list of views (crops, attributes) that training looks at."""

import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import sha256_of_bytes
from sing_core.making import transforms
from sing_core.making.captions import GROUPS

FILES = {
    "sample": "imagenet_sample.parquet",
    "tiny": "tiny_imagenet_train.parquet",
    "tiny_val": "tiny_imagenet_val.parquet",
}
_GROUP_NAMES = ("grey", "blur", "light", "distance", "tint", "style")
_GROUP_SHARES = (0.12, 0.15, 0.15, 0.15, 0.31, 0.12)


@dataclass(frozen=True, slots=True)
class View:
    """One picture to extract features from, reproducible from these fields alone.

    Attributes:
        source: key of ``FILES``.
        row: row of that file.
        kind: ``plain``, ``flip``, ``crop``, ``lowres`` or an attribute group.
        value: the attribute's value; empty for kinds that are no group.
        seed: of the generator that draws the transform.
    """

    source: str
    row: int
    kind: str
    value: str
    seed: int

    def key(self) -> str:
        """Return a text that names this view, for content addresses."""
        return "|".join(str(field) for field in astuple(self))


class ImageTable:
    """One Parquet file of JPEGs with their class index in ImageNet-1k order.

    Attributes:
        labels: ``(n,)`` class indices.
    """

    def __init__(self, path: Path) -> None:
        """Read ``path`` (columns ``jpeg`` and ``wnid``) into memory, still compressed.

        Raises:
            WeightsUnavailableError: the file is not there.
        """
        import pyarrow.parquet as pq
        from timm.data import ImageNetInfo

        names: list[str] = ImageNetInfo().label_names()  # type: ignore[no-untyped-call]
        if not path.is_file():
            raise WeightsUnavailableError(f"The training images {path} are missing.")
        table = pq.read_table(path, columns=["jpeg", "wnid"])
        index = {wnid: i for i, wnid in enumerate(names)}
        self.labels = np.array([index[w] for w in table["wnid"].to_pylist()])
        self._jpegs: list[bytes] = table["jpeg"].to_pylist()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._jpegs)

    def digest(self, row: int) -> str:
        """Return the SHA-256 of the file of image ``row``."""
        return sha256_of_bytes(self._jpegs[row])

    def image(self, row: int) -> Image.Image:
        """Decode image ``row`` as RGB."""
        return Image.open(io.BytesIO(self._jpegs[row])).convert("RGB")


class ImageFolder:
    """The three shared files under one folder, opened on first use."""

    def __init__(self, folder: Path) -> None:
        """Remember ``folder``; nothing is read yet."""
        self._folder = folder
        self._tables: dict[str, ImageTable] = {}

    def table(self, source: str) -> ImageTable:
        """Return the table of ``source``, a key of ``FILES``."""
        if source not in self._tables:
            self._tables[source] = ImageTable(self._folder / FILES[source])
        return self._tables[source]

    def render(self, view: View) -> Image.Image:
        """Return the picture that ``view`` describes."""
        image = self.table(view.source).image(view.row)
        return transform(image, view)

    def digests(self, views: Sequence[View]) -> list[str]:
        """Return the digest of the photograph's file of every view."""
        known = {
            (source, row): self.table(source).digest(row)
            for source, row in {(view.source, view.row) for view in views}
        }
        return [known[view.source, view.row] for view in views]

    def labels(self, views: Sequence[View]) -> np.ndarray:
        """Return the class index of every view, ``(n,)``."""
        return np.array([self.table(v.source).labels[v.row] for v in views])


def transform(image: Image.Image, view: View) -> Image.Image:
    """Apply the transform of ``view`` to ``image``; attribute views are also flipped at random."""
    rng = np.random.default_rng(view.seed)
    if view.kind == "plain":
        return image
    if view.kind == "flip":
        return ImageOps.mirror(image)
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    if view.kind == "crop":
        return _random_crop(image, rng)
    if view.kind == "lowres":
        return image.resize((64, 64), Image.Resampling.BICUBIC)
    return transforms.apply(image, view.kind, view.value, rng)


def _random_crop(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    share, ratio = float(rng.uniform(0.45, 1.0)), float(np.exp(rng.uniform(-0.29, 0.29)))
    area = image.width * image.height * share
    width = min(image.width, (area * ratio) ** 0.5)
    height = min(image.height, (area / ratio) ** 0.5)
    left = float(rng.uniform(0, image.width - width))
    top = float(rng.uniform(0, image.height - height))
    size = (max(1, round(width)), max(1, round(height)))
    return image.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))


def random_attribute(rng: np.random.Generator) -> tuple[str, str]:
    """Draw an attribute group and one of its values."""
    group = str(rng.choice(_GROUP_NAMES, p=_GROUP_SHARES))
    values = GROUPS[group]
    return group, values[int(rng.integers(len(values)))].name


def plan_views(
    folder: ImageFolder, *, crops: int, attributes: int, tiny: int, tiny_attributes: int, seed: int
) -> list[View]:
    """List the training views; the same ``seed`` gives the same views however many are asked.

    Every sample photo gives a plain, a flipped and a low-resolution view, ``crops`` crops and
    ``attributes`` attribute views; every Tiny-ImageNet class gives ``tiny`` plain or flipped
    views of as many images and ``tiny_attributes`` attribute views of other ones.
    """
    rows = range(len(folder.table("sample")))
    views: list[View] = []
    for turn, kind in enumerate(("plain", "flip", "lowres", *["crop"] * crops)):
        views += [_view("sample", row, kind, [seed, 0, row, turn]) for row in rows]
    for turn in range(attributes):
        views += [_view("sample", row, None, [seed, 1, row, turn]) for row in rows]
    labels = folder.table("tiny").labels
    order = np.random.default_rng(seed).permutation(len(labels))
    chosen = [order[labels[order] == label] for label in np.unique(labels)]
    for turn in range(tiny):
        kind = ("plain", "flip")[turn % 2]
        views += [_view("tiny", int(c[turn]), kind, [seed, 2, int(c[turn])]) for c in chosen]
    for turn in range(tiny_attributes):
        views += [_view("tiny", int(c[-1 - turn]), None, [seed, 3, int(c[turn])]) for c in chosen]
    return views


def _view(source: str, row: int, kind: str | None, entropy: list[int]) -> View:
    rng = np.random.default_rng(entropy)
    value = ""
    if kind is None:
        kind, value = random_attribute(rng)
    return View(source, row, kind, value, int(rng.integers(2**31)))
