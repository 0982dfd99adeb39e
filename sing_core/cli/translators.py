"""Commands on translators: import the authors' own, fit one from images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from sing_core.cli.app import (
    AtMost,
    Json,
    ModelName,
    Ref,
    app,
    name_problems,
    open_bench,
    show,
    tell,
)
from sing_core.models.registry import DEFAULT_REFERENCE, base_of
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.maths.fitting import Fit, PairedRows
    from sing_core.models.workbench import Workbench
    from sing_core.sets.chunks import Problem
    from sing_core.sets.image_sets import ImageSet

ImageSource = Annotated[
    Path, typer.Option("--images", help="Folder of images, Parquet, zip or tar.")
]
MaybeOut = Annotated[
    Path | None,
    typer.Option("--out", help="File to write; left out, the place where it is found again."),
]
Architecture = Annotated[str, typer.Option(help="One of linear, mlp3, mlp4 and residual.")]
Loss = Annotated[str, typer.Option(help="Of a network: mse, cosine or both.")]


@app.command()
def import_translator(
    folder: Annotated[Path, typer.Argument(help="Holds metadata.yaml and its checkpoint.")],
    model: Annotated[str, typer.Option(help="Our name of the classifier it belongs to.")] = "",
    out: MaybeOut = None,
    json_: Json = False,
) -> None:
    """Take over a translator that the method's authors published."""
    from sing_core.files.digests import tensor_digest
    from sing_core.models import registry
    from sing_core.models.published_translators import read_published
    from sing_core.models.workbench import fitted_path

    settings = Settings()
    entry = registry.find_model(model, settings) if model else None
    digest = entry.weights_digest if entry else ""
    found = read_published(folder, model=model, model_digest=digest)
    reference = found.details["reference"]
    target = out or fitted_path(settings, found.model, reference)
    found.save(target)
    row = {
        "model": found.model,
        "model_digest": found.model_digest,  # empty: their file does not say which weights
        "reference": reference,
        "space_id": found.space_id,
        "digest": tensor_digest({"weight": found.weight, "bias": found.bias}),
        "features": found.weight.shape[1],
        "dim": found.weight.shape[0],
        "out": str(target),
    }
    show([row], json_)


def _see(
    bench: "Workbench", images: "ImageSet", model: str, reference: str, *, quiet: bool
) -> "PairedRows":
    """Show the images to both networks, with a progress bar unless a program reads along.

    What could not be used is named.
    """
    from rich.progress import Progress

    from sing_core.sets.paired_rows import see

    with Progress(console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task(f"Showing the images to {model} and {reference}", total=len(images))

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        problems: list[Problem] = []
        found = see(
            bench, images, model=model, reference=reference, problems=problems, progress=progress
        )
    for note in images.source.notes:
        tell(note)
    name_problems(problems)
    return found


@app.command()
def fit_translator(
    model: ModelName,
    images: ImageSource,
    reference: Ref = DEFAULT_REFERENCE,
    out: MaybeOut = None,
    architecture: Architecture = "linear",
    loss: Loss = "mse",
    limit: AtMost = 100_000,
    json_: Json = False,
) -> None:
    """Fit a translator from a classifier's features to a reference's embeddings (eq. 4).

    One translator serves both readings of a reference: it is fitted in the raw one.
    """
    from sing_core.maths.fitting import check_fit, fit
    from sing_core.models.workbench import fitted_path
    from sing_core.sets.centring import keep_centre
    from sing_core.sets.chunks import Stored
    from sing_core.sets.image_sets import open_image_set

    reference = base_of(reference)
    settings, chosen = Settings(), open_image_set(images).at_most(limit)
    check_fit(len(chosen), architecture, loss)
    bench = open_bench(settings)
    rows = _see(bench, chosen, model, reference, quiet=json_)
    found = fit(rows, model=model, architecture=architecture, loss=loss)
    target = out or fitted_path(settings, model, _place(reference, architecture))
    found.translator.save(target)
    if out is None:
        keep_centre(bench, Stored(reference, rows.space_id), [rows.embeddings], rows.data_digest)
    row = _row(model, reference, rows, found)
    show([row | {"architecture": architecture, "out": str(target)}], json_)


def _row(model: str, reference: str, rows: "PairedRows", found: "Fit") -> dict[str, Any]:
    """Return what is printed of a fit."""
    return {
        "model": model,
        "model_digest": rows.model_digest,
        "reference": reference,
        "space_id": rows.space_id,
        "lambda": found.translator.details.get("lambda"),
        "data_digest": rows.data_digest,
        "images": list(found.n),
        "cosine": found.cosine.estimate,
        "cosine_low": found.cosine.low,
        "cosine_high": found.cosine.high,
        "mse": found.mse.estimate,
        "r2": found.r2,
    }


def _place(reference: str, architecture: str) -> str:
    """Return whose translator it is found as: scores need a linear one and look for no other."""
    from sing_core.maths.translator_quality import LINEAR

    return reference if architecture == LINEAR else f"{reference}--{architecture}"
