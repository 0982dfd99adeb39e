"""Commands on image sets: prepare one, list them."""

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import (
    Json,
    Models,
    Ref,
    Row,
    app,
    name_problems,
    open_bench,
    show,
    tell,
)
from sing_core.models import registry
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from sing_core.models.workbench import Workbench
    from sing_core.sets.extract import Progress


class Engine(StrEnum):
    """Who shows the images to the networks."""

    local = "local"
    ray = "ray"


Source = Annotated[Path, typer.Option(help="Class folders, Parquet, zip or tar.")]
SetName = Annotated[str, typer.Option(help="Name of the set; the path's own.")]
Half = Annotated[bool, typer.Option(help="Store features at half the size.")]
Embed = Annotated[bool, typer.Option(help="Keep the reference's own embeddings too.")]
Fit = Annotated[
    bool, typer.Option(help="Fit a translator from this set where a classifier has none.")
]
Mapping = Annotated[
    Path | None,
    typer.Option(help="Of a head's own classes: lines of an ImageNet-1k class, a tab, the head's."),
]
By = Annotated[Engine, typer.Option(help="`ray`: the workers of a Ray cluster (RAY_ADDRESS).")]
Workers = Annotated[int | None, typer.Option(min=1, help="Of `ray`; one per GPU or machine.")]


@app.command()
def prepare(
    images: Source,
    model: Models = None,
    reference: Ref = DEFAULT_REFERENCE,
    name: SetName = "",
    float16: Half = False,
    embed: Embed = False,
    fit: Fit = False,
    engine: By = Engine.local,
    workers: Workers = None,
    mapping: Mapping = None,
    json_: Json = False,
) -> None:
    """Turn a set of images into features and scores; started again, it goes on where it was."""
    from rich.console import Console

    from sing_core.leakage.prepare import prepare as prepare_set

    settings = Settings()
    models = tuple(model or [registry.models(settings)[0].name])
    console, bench = Console(stderr=True), open_bench(settings)
    _keep_mapping(bench, models, mapping)
    with progress_bar(console, quiet=json_) as report:
        made = prepare_set(
            bench, images, models=models, reference=reference, name=name or None,
            precision="float16" if float16 else "float32", embed=embed, fit=fit,
            engine=engine.value, workers=workers, report=report, say=tell,
        )  # fmt: skip
    name_problems(made[0].problems)
    rows: list[Row] = [
        {
            "set": found.name, "model": found.model, "reference": found.reference,
            "listed": found.listed, "scored": found.scored, "duplicates": found.duplicates,
            "unusable": len(found.problems), "images_per_s": round(found.rate, 2),
            "folder": str(found.folder),
        }
        for found in made
    ]  # fmt: skip
    show(rows, json_)


def _keep_mapping(bench: "Workbench", models: "Sequence[str]", mapping: Path | None) -> None:
    """Keep what a file says of the heads' own classes."""
    from sing_core.files.text_lists import text_of
    from sing_core.models.head_classes import keep_mapping

    if mapping is None:
        return
    text, notes = text_of(mapping)
    for note in notes:
        tell(note)
    for model in models:
        count = keep_mapping(bench.settings, bench.classifier(model), text, mapping.name)
        tell(f"{mapping.name} says what {count:,} classes of ImageNet-1k are to {model}.")


@contextmanager
def progress_bar(console: "Console", *, quiet: bool) -> "Iterator[Callable[[Progress], None]]":
    """Show a progress bar unless ``quiet``; yield what moves it."""
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn

    words = (*Bar.get_default_columns(), TextColumn("{task.fields[rate]}"))
    with Bar(*words, console=console, disable=quiet) as bar:
        task = bar.add_task("Extracting", total=None, rate="")

        def report(done: "Progress") -> None:
            left = "" if done.left_s is None else f", {done.left_s:,.0f} s left"
            said = f"{done.rate:.1f} images/s{left}, {done.bad} unusable"
            bar.update(task, completed=done.done, total=done.total, rate=said)

        yield report


@app.command()
def image_sets(reference: Ref = DEFAULT_REFERENCE, json_: Json = False) -> None:
    """List the prepared sets."""
    from sing_core.leakage.scored_sets import scored_models
    from sing_core.sets.catalogue import image_sets as prepared_sets

    bench = open_bench(Settings())
    rows: list[Row] = [
        {
            "name": folder.facts.name,
            "images": folder.facts.total,
            "models": list(scored_models(bench, folder, reference)),
            "precision": folder.facts.precision,
        }
        for folder in prepared_sets(bench.settings)
    ]
    show(rows, json_)
