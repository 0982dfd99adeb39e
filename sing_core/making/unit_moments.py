"""Heads of the embedded transformer over the embedded set: the moments that TextSpan reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.files.store import Store
from sing_core.making.embedded_set import NAME, collect_images
from sing_core.models.device import prepare_torch
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.units.inside import open_inside
from sing_core.units.moments import HeadMoments, shipped_path
from sing_core.units.recorded import record

if TYPE_CHECKING:
    from rich.progress import Progress

    from sing_core.sets.extract import Progress as Done
    from sing_core.settings import Settings

REFERENCE = "mini-vit"


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
    details = {"set": NAME, "images": f"{len(found.images)}"}
    path = shipped_path(settings, REFERENCE)
    path.parent.mkdir(parents=True, exist_ok=True)
    HeadMoments.of(found.sums, inside.tower.identity, details).save(path)
    yield f"{len(found.images):,} images in {path.stat().st_size / 2**20:.1f} MB."
