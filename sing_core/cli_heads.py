"""The command ``validate-heads``: the 0.972 protocol on images or on a prepared set."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli import Json, Ref, app, open_bench, show
from sing_core.cli_translators import AtMost
from sing_core.errors import SingError
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.head_transfer import Transfer
    from sing_core.workbench import Workbench


@app.command()
def validate_heads(
    model: Annotated[list[str], typer.Option(help="Classifier; repeatable.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of images, or Parquet file with `jpeg`.")
    ] = None,
    set_: Annotated[str, typer.Option("--set", help="Prepared set, instead of images.")] = "",
    reference: Ref = "mini",
    limit: AtMost = 100_000,
    json_: Json = False,
) -> None:
    """Train heads on principal features before and after translation; correlate over models."""
    from sing_core.head_transfer import pearson

    if (images is None) == (not set_):
        raise SingError("Give either --images or --set.")
    bench = open_bench(Settings())
    if images is None:
        found = list(_of_set(bench, set_, model, reference))
    else:
        found = list(_of_images(bench, images, limit, model, reference))
    correlation = pearson(found)
    show(
        [
            {
                "model": row.model, "accuracy_before": row.before, "accuracy_after": row.after,
                "images": row.n, "images_test": row.n_test, "classes": row.classes,
                "pearson": correlation,
            }
            for row in found
        ],
        json_,
    )  # fmt: skip


def _of_set(
    bench: "Workbench", name: str, models: list[str], reference: str
) -> "Iterator[Transfer]":
    from sing_core.leakage.library import open_set
    from sing_core.leakage.transfers import set_transfer

    for model in models:
        yield set_transfer(open_set(bench, model, images=name, reference=reference))


def _of_images(
    bench: "Workbench", images: Path, limit: int, models: list[str], reference: str
) -> "Iterator[Transfer]":
    import torch

    from sing_core.head_transfer import transfer
    from sing_core.image_sets import open_image_set

    chosen = open_image_set(images).at_most(limit)
    if not all(chosen.labels):
        raise SingError("Heads need classes: class folders, or a column `wnid` or `label`.")
    for model in models:
        pictures = (photo.image for photo in chosen.photos(max_pixels=bench.settings.max_pixels))
        features = torch.cat(list(bench.pool.backbone(model).extract(pictures)))
        head, translator = bench.classifier(model).head, bench.translator(model, reference)
        yield transfer(model, features, chosen.labels, head, translator)
