"""The commands ``head-atlas`` and ``completeness``: which units decide, and what texts keep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Json, Ref, app, name_problems, open_bench, show, tell
from sing_core.cli.unit_words import Texts, pool_of
from sing_core.cli.units import REFERENCE, Own
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.units.inside import Inside
    from sing_core.units.recorded import Recorded

Set = Annotated[Path, typer.Option("--images", help="Class folders, Parquet, zip or tar.")]


@app.command()
def head_atlas(
    images: Set, reference: Ref = REFERENCE, model: Own = "", json_: Json = False
) -> None:
    """Print the accuracy left when MLPs, or attention up to a layer, are replaced by their mean.

    Direct effects: the last norm's sigma stays that of the image. Intervals are over classes.
    """
    from sing_core.units.atlas import direct_effects, sentence

    _, inside, recorded = _recorded(images, reference, model, quiet=json_)
    found = direct_effects(inside, recorded)
    show([effect.as_row() for effect in found], json_)
    tell(sentence(found))


@app.command()
def completeness(
    images: Set,
    texts: Texts = "general",
    size: Annotated[list[int] | None, typer.Option(help="Texts a head; repeatable.")] = None,
    reference: Ref = REFERENCE,
    model: Own = "",
    json_: Json = False,
) -> None:
    """Print the accuracy left when texts stand for the heads of the last four layers.

    Attention of earlier layers has its mean, MLPs stay as they are.
    """
    from sing_core.units.atlas import completeness as ask

    bench, inside, recorded = _recorded(images, reference, model, quiet=json_)
    _, embeddings = pool_of(bench, inside.reference, texts)
    if model:
        embeddings = embeddings.float() @ inside.translator.weight.float()
    show([effect.as_row() for effect in ask(inside, recorded, embeddings, size or [10, 60])], json_)


def _recorded(
    images: Path, reference: str, model: str, *, quiet: bool
) -> "tuple[Workbench, Inside, Recorded]":
    from rich.console import Console

    from sing_core.cli.sets import progress_bar
    from sing_core.units.inside import open_inside
    from sing_core.units.recorded import record

    bench = open_bench(Settings())
    inside = open_inside(bench, reference, model)
    with progress_bar(Console(stderr=True), quiet=quiet) as report:
        found = record(bench, inside, images, report)
    name_problems(found.problems)
    return bench, inside, found
