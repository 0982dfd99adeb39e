"""What several tests of units take apart: mini-vit, and crops of one photo recorded inside it."""

from collections.abc import Callable, Sequence

import pytest
import torch

from sing_core.sets.chunks import ImageRow
from sing_core.units.inside import Inside, open_inside
from sing_core.units.recorded import Recorded
from sing_core.units.residual import Sums, sliced, sums_of
from tests.units.photos import photo

CROPS = 24


@pytest.fixture(scope="session")
def inside(real_bench) -> Inside:
    return open_inside(real_bench, "mini-vit")


@pytest.fixture(scope="session")
def crops(inside: Inside) -> torch.Tensor:
    """The crops of the photo as the network takes them, ``(n, 3, h, w)``."""
    whole = photo()
    boxes = [(7 * k, 4 * k, 7 * k + 170, 4 * k + 170) for k in range(CROPS)]
    return torch.stack([inside.prepare(whole.crop(box)) for box in boxes])


@pytest.fixture(scope="session")
def sums(inside: Inside) -> Sums:
    """Units of forty other crops of the photo."""
    whole = photo()
    crops = [whole.crop((5 * k, 3 * k, 5 * k + 180, 3 * k + 180)) for k in range(40)]
    return sums_of(inside.tower, torch.stack([inside.prepare(crop) for crop in crops]))


@pytest.fixture(scope="session")
def record(inside: Inside, crops: torch.Tensor) -> Callable[[Sequence[str]], Recorded]:
    """Return what records as many crops of the photo as it is given classes of."""
    sums = sums_of(inside.tower, crops)

    def of(classes: Sequence[str]) -> Recorded:
        rows = tuple(ImageRow(k, f"{k}", wnid, f"{k}") for k, wnid in enumerate(classes))
        return Recorded(sliced(sums, slice(len(rows))), rows, ())

    return of
