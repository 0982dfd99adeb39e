"""Nuisances planted in photographs: named changes of a picture, in doses from 0 to 1.

A nuisance leaves what is photographed as it is, and its name is known: whoever plants it knows what
the null part ought to say. Doses, words and the largest dose of each were fixed before anything was
measured with them. Pictures are planted at the size that the classifier is shown, so that a dose
means the same for large and small photographs.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageChops, ImageFilter, ImageOps
from torch import Tensor

from sing_core.leakage.photographs import Photograph

if TYPE_CHECKING:
    from sing_core.models.backbones import Backbone, Sight

DOSES = (0.2, 0.4, 0.6, 0.8, 1.0)
FULL = 1.0
_BLUR = 0.03  # standard deviation at the full dose, as a share of the picture's side
_RED = (255, 60, 60)
_DARKENED = 0.8  # of the light is taken away
_CUT = 0.7  # of the side is cut off
_NOISE = 60.0  # standard deviation in levels of 256

Plant = Callable[[Image.Image, float], Image.Image]


@dataclass(frozen=True, slots=True)
class Nuisance:
    """A change of a picture that has a name.

    Attributes:
        name: of the nuisance, short.
        words: what a picture with it is called; each counts alike.
        plant: RGB picture and dose in [0, 1] to the RGB picture with it, of the same size. Dose 0
            changes nothing.
        whole: there is no half of it: every dose above 0 is the whole change.
        control: a change that classifiers are trained to overlook: nothing is expected of it.
    """

    name: str
    words: tuple[str, ...]
    plant: Plant
    whole: bool = False
    control: bool = False

    def doses(self, asked: Sequence[float]) -> tuple[float, ...]:
        """Return which of the ``asked`` doses are different pictures."""
        return tuple(dose for dose in asked if not self.whole or dose in (0.0, FULL))


def grey(image: Image.Image, dose: float) -> Image.Image:
    """Take the colour away."""
    return Image.blend(image, image.convert("L").convert("RGB"), dose)


def blur(image: Image.Image, dose: float) -> Image.Image:
    """Blur by a Gaussian whose width grows with the dose."""
    return image.filter(ImageFilter.GaussianBlur(_BLUR * dose * min(image.size)))


def red_tint(image: Image.Image, dose: float) -> Image.Image:
    """Look through red glass."""
    flat = Image.new("RGB", image.size, _RED)
    return Image.blend(image, ImageChops.multiply(image, flat), dose)


def dark(image: Image.Image, dose: float) -> Image.Image:
    """Take light away."""
    return image.point([round(level * (1 - _DARKENED * dose)) for level in range(256)] * 3)


def close_up(image: Image.Image, dose: float) -> Image.Image:
    """Cut the middle out and enlarge it."""
    width, height = image.size
    left, top = _CUT * dose * width / 2, _CUT * dose * height / 2
    box = (left, top, width - left, height - top)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def noise(image: Image.Image, dose: float) -> Image.Image:
    """Add the picture's own Gaussian noise, the same in every dose but for its strength."""
    values = np.asarray(image, dtype=np.float64)
    drawn = np.random.default_rng(zlib.crc32(image.tobytes())).standard_normal(values.shape)
    noisy = np.clip(values + _NOISE * dose * drawn, 0, 255).round().astype(np.uint8)
    return Image.fromarray(noisy)


def upside_down(image: Image.Image, dose: float) -> Image.Image:
    """Turn the picture upside down."""
    return image.transpose(Image.Transpose.ROTATE_180) if dose > 0 else image


def mirror(image: Image.Image, dose: float) -> Image.Image:
    """Swap left and right."""
    return ImageOps.mirror(image) if dose > 0 else image


NUISANCES = (
    Nuisance("grey", ("a black and white photo", "a greyscale photo"), grey),
    Nuisance("blur", ("a blurry photo", "a photo that is out of focus"), blur),
    Nuisance("red tint", ("a photo with a red tint", "a reddish photo"), red_tint),
    Nuisance("dark", ("a dark photo", "an underexposed photo"), dark),
    Nuisance("close-up", ("a close-up photo", "a cropped photo"), close_up),
    Nuisance("noise", ("a noisy photo", "a grainy photo"), noise),
    Nuisance(
        "upside down", ("a photo that is upside down", "a photo turned on its head"), upside_down,
        whole=True,
    ),
    Nuisance(
        "mirror", ("a mirrored photo", "a photo flipped from left to right"), mirror, whole=True,
        control=True,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """What a classifier makes of a photograph with each of ``k`` nuisances and doses in it.

    Attributes:
        digest: of the photograph; ``kin`` see ``Photograph``.
        steps: ``k`` names of nuisances with doses.
        features: ``(m,)`` without any; ``moved`` ``(k, m)`` with each, float32.
        changed: ``(k,)`` whether a pixel differs: a grey photograph has no colour to lose.
    """

    digest: str
    kin: str
    steps: tuple[tuple[str, float], ...]
    features: Tensor
    moved: Tensor
    changed: Tensor


def plant(
    backbone: "Backbone",
    photograph: Photograph,
    nuisances: Sequence[Nuisance] = NUISANCES,
    doses: Sequence[float] = DOSES,
) -> Planted:
    """Return the features of a photograph with every one of ``nuisances`` in every dose in it.

    Raises:
        SingError: the photograph cannot be read.
    """
    image = as_shown(photograph.picture(), backbone.sight)
    asked = [(one, dose) for one in nuisances for dose in one.doses(doses)]
    own = image.tobytes()
    changed: list[bool] = []

    def pictures() -> Iterator[Image.Image]:
        yield image
        for nuisance, dose in asked:
            picture = nuisance.plant(image, dose)
            changed.append(picture.tobytes() != own)
            if changed[-1]:
                yield picture

    seen = torch.cat(list(backbone.extract(pictures())))
    moves = torch.tensor(changed, dtype=torch.bool)
    moved = seen[:1].repeat(len(asked), 1)
    moved[moves] = seen[1:]
    steps = tuple((nuisance.name, dose) for nuisance, dose in asked)
    return Planted(photograph.digest, photograph.kin, steps, seen[0].clone(), moved, moves)


def as_shown(image: Image.Image, sight: "Sight") -> Image.Image:
    """Return the middle square of a photograph, so large that a classifier need not scale it."""
    side, own = int(sight.side / sight.crop), min(image.size)
    left, top = (image.width - own) / 2, (image.height - own) / 2
    box = (left, top, left + own, top + own)
    return image.resize((side, side), Image.Resampling.BICUBIC, box=box)
