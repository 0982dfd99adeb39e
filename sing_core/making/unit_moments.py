"""Heads of the embedded transformer over the embedded set: the moments that TextSpan reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sing_core.errors import UnitsError
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.files.store import Store
from sing_core.making.embedded_set import NAME, collect_images
from sing_core.models.device import prepare_torch
from sing_core.models.pool import ModelPool
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.models.workbench import Workbench
from sing_core.units.inside import Inside, open_inside
from sing_core.units.moments import SHARED, HeadMoments, shipped_path
from sing_core.units.recorded import record
from sing_core.units.residual import parts_of

if TYPE_CHECKING:
    from rich.progress import Progress

    from sing_core.sets.extract import Progress as Done
    from sing_core.settings import Settings

REFERENCE = "mini-vit"
SAME_TOWER = "vits"  # the classifier that the reference's image side was built on
_ROUNDING = 1e-5  # two packages run the same weights, each in its own order of sums


def check_same(one: Inside, other: Inside) -> None:
    """Check on the sample photos that two networks write the same in every head, up to rounding.

    Raises:
        UnitsError: they do not.
    """
    for sample in SAMPLES:
        photo = decode_image(sample_bytes(sample.name)).image
        first, second = (
            parts_of(inside.tower, inside.prepare(photo)[None]).sums for inside in (one, other)
        )
        for mine, theirs in (
            (first.heads, second.heads), (first.mean, second.mean), (first.scale, second.scale),
        ):  # fmt: skip
            if not torch.allclose(mine, theirs, rtol=_ROUNDING, atol=_ROUNDING):
                raise UnitsError(f"{other.tower.name} has not the tower of {one.tower.name}.")


def make_unit_moments(settings: "Settings", data: Path, bar: "Progress") -> Iterator[str]:
    """Show the embedded set's images, from the shared files under ``data``, and keep the moments.

    Raises:
        SingError: a file is missing or cannot be used.
    """
    prepare_torch(settings)
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    images = settings.cache_dir / "embedded-set.parquet"
    yield f"Collected {collect_images(data, images):,} images."
    inside = open_inside(bench, REFERENCE)
    task = bar.add_task(f"Taking apart inside {REFERENCE}", total=None)

    def report(done: "Done") -> None:
        bar.update(task, completed=done.done, total=done.total)

    found = record(bench, inside, images, report)
    other = open_inside(bench, DEFAULT_REFERENCE, SAME_TOWER)
    check_same(inside, other)
    details = {
        "set": NAME,
        "images": f"{len(found.images)}",
        f"{SHARED}{SAME_TOWER}": other.tower.identity,
    }
    path = shipped_path(settings, REFERENCE)
    path.parent.mkdir(parents=True, exist_ok=True)
    HeadMoments.of(found.sums, inside.tower.identity, details).save(path)
    yield f"{len(found.images):,} images in {path.stat().st_size / 2**20:.1f} MB."
