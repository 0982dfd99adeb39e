"""The commands ``models``, ``fetch`` and ``head``: classifiers, weights, null spaces."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from sing_core.cli.app import Json, Row, app, open_bench, show, tell
from sing_core.cli.variants import Centred, Classes, Threshold, chosen_variant
from sing_core.models import registry
from sing_core.settings import Settings

Name = Annotated[
    str,
    typer.Argument(
        help="A row of `models`, a timm name with its tag, hf-hub:owner/name, or "
        "architecture@/path/to/file.safetensors."
    ),
]


@app.command()
def models(json_: Json = False) -> None:
    """List the classifiers: what ships first, then what can be fetched."""
    from sing_core.models.library import is_here

    settings = Settings()
    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "source": entry.source,
            "available": is_here(entry, settings),
            "licence": entry.licence,
            "feature_dim": entry.feature_dim,
            "nullity": entry.nullity,
            "classes": entry.classes,
            "top1_percent": entry.top1_percent,
            "non_commercial": entry.non_commercial,
        }
        for entry in registry.catalogue(settings)
    ]
    notes = {entry.name: entry.note for entry in registry.catalogue(settings)}
    if json_:
        rows = [row | {"note": notes[row["name"]]} for row in rows]
    show(rows, json_)
    for name, note in notes.items():
        if note and not json_:  # as a column it would take the table apart
            tell(f"{name}: {note}")


@app.command()
def fetch(model: Name, json_: Json = False) -> None:
    """Bring the weights of a classifier onto this machine and check that they can be analysed."""
    backbone = open_bench(Settings()).pool.backbone(model)
    row = {
        "name": model,
        "weights_digest": backbone.weights_digest,
        "feature_dim": backbone.feature_dim,
        "classes": len(backbone.weight),
        "input_px": backbone.sight.side,
        "head_error": backbone.head_error,
        "memory_mb": backbone.memory_bytes / 2**20,
    }
    show([row], json_)


@app.command()
def fetch_reference(
    reference: Annotated[
        str,
        typer.Argument(
            help="A row of `references`, open_clip's <architecture>/<weights>, hf-hub:owner/name, "
            "or local-dir:/path/to/folder."
        ),
    ],
    json_: Json = False,
) -> None:
    """Bring the weights of an image-text reference onto this machine and load them once."""
    found = open_bench(Settings()).pool.reference(reference)
    dim = found.embed_texts(["a photo"]).shape[1]
    row = {"name": reference, "space_id": found.space_id, "dim": dim}
    show([row | {"memory_mb": found.memory_bytes / 2**20}], json_)


@app.command()
def head(
    model: Name,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    costs: Annotated[bool, typer.Option(help="A table of thresholds instead.")] = False,
    json_: Json = False,
) -> None:
    """Say how large the null space of a head is, of the whole head or of what decides."""
    from sing_core.studies.heads import describe_head, threshold_costs

    bench = open_bench(Settings())
    variant = chosen_variant(bench, model, classes, centred, threshold)
    if costs:
        show([asdict(cost) for cost in threshold_costs(bench, model, variant)], json_)
    else:
        show([asdict(describe_head(bench, model, variant))], json_)


@app.command()
def references(json_: Json = False) -> None:
    """List the image-text references: what ships first, then what can be fetched.

    Each has two readings, by its name and by `centred:` in front of it (any other name too): there
    the mean embedding is taken away first. `readings` says which can be had on this machine.
    """
    from sing_core.models.library import readings_here, reference_is_here

    settings = Settings()
    rows: list[Row] = [
        {
            "name": entry.name,
            "source": entry.source,
            "available": reference_is_here(entry, settings),
            "licence": entry.licence,
            "dim": entry.dim,
            "readings": list(readings_here(entry.name, settings)),
        }
        for entry in registry.all_references(settings)
    ]
    show(rows, json_)
