"""Commands that check the method: perturbations of one norm, heads trained before and after."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sing_core.cli.app import (
    AtMost,
    Json,
    ModelName,
    Ref,
    Set,
    SeveralModels,
    app,
    name_problems,
    open_bench,
    open_photo,
    show,
    tell,
    there,
)
from sing_core.errors import SingError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from sing_core.maths.head_transfer import Transfer
    from sing_core.models.workbench import Workbench
    from sing_core.sets.chunks import Problem
    from sing_core.sets.image_sets import ImageSet
    from sing_core.studies.moved import Moved
    from sing_core.studies.validation import Validation


@app.command()
def validate_heads(
    model: SeveralModels,
    images: Annotated[Path | None, typer.Option(help="Class folders, Parquet, zip or tar.")] = None,
    set_: Annotated[str, typer.Option("--set", help="Prepared set, instead of images.")] = "",
    reference: Ref = DEFAULT_REFERENCE,
    limit: AtMost = 100_000,
    json_: Json = False,
) -> None:
    """Train heads on principal features before and after translation; correlate over models."""
    from sing_core.maths.head_transfer import pearson

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
    from sing_core.leakage.scored_sets import open_set
    from sing_core.leakage.transfers import set_transfer

    for model in models:
        yield set_transfer(open_set(bench, model, images=name, reference=reference))


def _of_images(
    bench: "Workbench", images: Path, limit: int, models: list[str], reference: str
) -> "Iterator[Transfer]":
    import torch

    from sing_core.maths.head_transfer import transfer
    from sing_core.maths.unseen import Unseen
    from sing_core.sets.image_sets import open_image_set

    chosen = open_image_set(images).at_most(limit)
    for note in chosen.source.notes:
        tell(note)
    if not all(chosen.labels):
        unnamed = sum(not label for label in chosen.labels)
        raise SingError(
            f"{unnamed:,} of the {len(chosen):,} images have no class, and heads need classes: "
            "class folders, or a column `wnid` or `label`."
        )
    for model in models:
        digests: list[str] = []
        labels: list[str] = []
        pictures = _pictures(chosen, bench.settings.max_pixels, digests, labels)
        features = torch.cat(list(bench.pool.backbone(model).extract(pictures)))
        head, translator = bench.classifier(model).linear.head, bench.translator(model, reference)
        yield transfer(model, features, labels, head, Unseen.of(translator, digests))


def _pictures(
    chosen: "ImageSet", max_pixels: int, digests: list[str], labels: list[str]
) -> "Iterator[Image]":
    """Yield the pictures that can be used; add what each is, and name the others at the end."""
    problems: list[Problem] = []
    for place, photo in chosen.photos(problems, max_pixels=max_pixels):
        digests.append(photo.digest)
        labels.append(chosen.labels[place])
        yield photo.image
    name_problems(problems)


@app.command()
def validate(
    model: ModelName,
    images: Annotated[
        list[Path] | None, typer.Argument(help="JPEG, PNG or WebP files.", callback=there)
    ] = None,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    seed: Annotated[int, typer.Option(min=0, help="Of the random directions.")] = 0,
    json_: Json = False,
) -> None:
    """Compare null, random and class-row perturbations of one norm (Fig. 9) on images or a set."""
    from sing_core.leakage.scored_sets import open_set
    from sing_core.studies.validation import validate as of_photos
    from sing_core.studies.validation import validate_set

    if bool(images) == bool(set_):
        raise typer.TyperException("Give image files or --set, one of the two.")
    bench = open_bench(Settings())
    if set_:
        scored = open_set(bench, model, images=set_, reference=reference)
        parts = scored.features(scored.ask("SELECT row FROM images")["row"].to_pylist())
        kind_of = scored.folder.facts.stratum
        found = validate_set(
            bench, parts, model=model, reference=reference, seed=seed, kind_of=kind_of
        )
    else:
        photos = [(path.name, open_photo(path, bench.settings)) for path in images or ()]
        found = of_photos(bench, photos, model=model, reference=reference, seed=seed)
    show([_medians(found) | (_by_kind(found) if json_ else {})], json_)
    for kind in found.counted if len(found.counted) > 1 else ():
        tell(_said_of_kind(found, kind))


def _by_kind(found: "Validation") -> dict[str, Any]:
    """Return the medians of each kind of images, where several are pooled."""
    from sing_core.studies.validation import KINDS

    several = found.counted if len(found.counted) > 1 else {}
    rows = [
        {"kind": kind, "images": many}
        | _changes({step: found.of_kind(kind, step) for step in KINDS})
        for kind, many in several.items()
    ]
    return {"by_kind": rows}


def _said_of_kind(found: "Validation", kind: str) -> str:
    """Return what the steps change in images of one kind, in a sentence."""
    null, seen = (found.of_kind(kind, step) for step in ("null", "class_row"))
    counted = f"{found.counted[kind]:,} images of the kind “{kind}”"
    if not null.relative:
        return f"{counted}: there are no perturbations to take a median of."
    return (
        f"Of {counted} the medians are {null.median():.1g} for a null step and "
        f"{seen.median():.2g} for one along the class’s row."
    )


def _medians(found: "Validation") -> dict[str, Any]:
    from sing_core.sets.kinds import pooled
    from sing_core.studies.validation import KINDS

    moved = found.perturbations
    row: dict[str, Any] = {
        "model": found.model,
        "reference": found.reference,
        "rank": found.spectrum.rank,
        "nullity": found.spectrum.nullity,
        "images": len(moved.names),
        "kinds": pooled(found.counted),
        "cosine": sum(found.cosine) / len(found.cosine) if found.cosine else None,
    }
    return row | _changes({step: moved.of(step) for step in KINDS})


def _changes(moved: "Mapping[str, Moved]") -> dict[str, float | None]:
    """Return the medians of the steps of each kind; None where there are none."""
    found: dict[str, float | None] = {}
    for step, of in moved.items():
        found[f"{step}_relative_change"] = of.median() if of.relative else None
        found[f"{step}_absolute_change"] = of.median("absolute") if of.absolute else None
        found[f"{step}_degrees"] = of.median("degrees") if of.degrees else None
    return found
