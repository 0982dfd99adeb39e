"""The embedded image set: 4,000 shared images of all 1,000 classes as features and scores alone.

One photograph of each of 800 classes, and sixteen small (64 x 64) ones of each of the other 200:
those that no translator was fitted on, where there are so many. The two kinds are marked as strata.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sing_core.files.store import Store
from sing_core.leakage.prepare import prepare
from sing_core.making.data import FILES
from sing_core.models import registry
from sing_core.models.device import prepare_torch
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench

if TYPE_CHECKING:
    from rich.progress import Progress

    from sing_core.sets.extract import Progress as Done
    from sing_core.settings import Settings

NAME = "embedded"
STRATA = {
    FILES["sample"]: "full photograph",
    FILES["tiny_val"]: "64-pixel image",
    FILES["tiny"]: "64-pixel image",
}
_PER_TINY_CLASS = 16
_SEED = 20_260_314


def make_embedded_set(settings: "Settings", data: Path, bar: "Progress") -> Iterator[str]:
    """Collect the images from the shared files under ``data`` and prepare them; yield a line each.

    Raises:
        SingError: a file is missing or cannot be used.
    """
    prepare_torch(settings)
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    images = settings.cache_dir / "embedded-set.parquet"
    yield f"Collected {collect_images(data, images):,} images."
    task = bar.add_task("Preparing the embedded set", total=None)

    def report(done: "Done") -> None:
        bar.update(task, completed=done.done, total=done.total)

    for reference in registry.references(settings):
        made = prepare(
            bench,
            images,
            models=tuple(entry.name for entry in registry.models(settings)),
            reference=reference.name,
            name=NAME,
            precision="float16",
            root=settings.assets_dir / "prepared",
            strata=STRATA,
            embed=reference.name == registry.DEFAULT_REFERENCE,  # no stored features give them
            report=report,
        )
        for found in made:
            yield (
                f"{found.model} in {found.reference}: {found.scored:,} images scored, "
                f"{len(found.problems)} could not be."
            )


def collect_images(data: Path, out: Path) -> int:
    """Write the chosen images of the shared files to ``out``; return their number.

    Raises:
        SingError: a shared file is not there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[dict[str, object]] = []
    chosen: dict[str, list[int] | None] = {"sample": None, **_choose_tiny(data)}
    for source, wanted in chosen.items():
        table = pq.read_table(data / FILES[source], columns=["jpeg", "wnid"])
        places = range(len(table)) if wanted is None else wanted
        rows += [
            {
                "jpeg": table["jpeg"][place].as_py(),
                "wnid": table["wnid"][place].as_py(),
                "file": f"{FILES[source]}#{place}",
            }
            for place in places
        ]
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=512)
    return len(rows)


def _choose_tiny(data: Path) -> dict[str, list[int]]:
    """Return the rows of the two Tiny-ImageNet files: validation images first."""
    import pyarrow.parquet as pq

    chosen: dict[str, list[int]] = {"tiny_val": [], "tiny": []}
    taken: dict[str, int] = defaultdict(int)
    for source, rows in chosen.items():
        wnids = pq.read_table(data / FILES[source], columns=["wnid"])["wnid"].to_pylist()
        for place in np.random.default_rng(_SEED).permutation(len(wnids)).tolist():
            if taken[wnids[place]] < _PER_TINY_CLASS:
                taken[wnids[place]] += 1
                rows.append(place)
        rows.sort()
    return chosen
