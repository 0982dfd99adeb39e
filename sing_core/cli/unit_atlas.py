"""Units over a set of images: ``head-atlas``, ``completeness``, ``ablate``, ``head-images``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import (
    Json,
    Ref,
    app,
    name_problems,
    open_bench,
    open_photo,
    show,
    tell,
    there,
)
from sing_core.cli.unit_words import Texts, pool_of
from sing_core.cli.units import REFERENCE, Own
from sing_core.errors import ImageSetError
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

    bench, inside = _opened(reference, model)
    recorded = _recorded(bench, inside, images, quiet=json_)
    found = direct_effects(inside, recorded)
    show([effect.as_row() for effect in found], json_)
    tell(sentence(found))


@app.command()
def completeness(
    images: Set,
    texts: Texts = "general",
    size: Annotated[list[int] | None, typer.Option(min=1, help="Texts a head; repeatable.")] = None,
    reference: Ref = REFERENCE,
    model: Own = "",
    json_: Json = False,
) -> None:
    """Print the accuracy left when texts stand for the heads of the last four layers.

    Attention of earlier layers has its mean, MLPs stay as they are.
    """
    from sing_core.units.atlas import completeness as ask

    bench, inside = _opened(reference, model)
    recorded = _recorded(bench, inside, images, quiet=json_)
    _, embeddings = pool_of(bench, inside.reference, texts, quiet=json_)
    if model:
        embeddings = embeddings.float() @ inside.translator.weight.float()
    show([effect.as_row() for effect in ask(inside, recorded, embeddings, size or [10, 60])], json_)


class Instead(StrEnum):
    """What stands for a unit that is taken away."""

    mean = "mean"
    zero = "zero"


@app.command()
def ablate(
    images: Set,
    unit: Annotated[
        list[str], typer.Option(help="Such as L10.H3, L11.MLP or embedding; repeatable.")
    ],
    how: Annotated[
        Instead, typer.Option(help="Its mean over the images, or nothing.")
    ] = Instead.mean,
    reference: Ref = REFERENCE,
    model: Own = "",
    json_: Json = False,
) -> None:
    """Print the accuracy without some units, and that of the class that is read worst.

    The first row is of the network as it is. Direct effects: the last norm's sigma stays that of
    the image. Intervals are over classes; that of the worst class is over its images.
    """
    from sing_core.units.ablation import How, ablated, ablation_sentence
    from sing_core.units.inside import unit_index

    bench, inside = _opened(reference, model)
    for name in unit:
        unit_index(inside, name)  # a wrong name is refused before images are looked at
    recorded = _recorded(bench, inside, images, quiet=json_)
    instead: How = "zero" if how is Instead.zero else "mean"
    base, found = (ablated(inside, recorded, names, instead) for names in ([], unit))
    show([base.as_row(), found.as_row()], json_)
    tell(ablation_sentence(base, found))


@app.command()
def head_images(
    images: Set,
    layer: Annotated[int, typer.Option(min=0, help="Layer, from 0.")],
    head: Annotated[int, typer.Option(min=0, help="Head of that layer, from 0.")],
    text: Annotated[str, typer.Option(help="The images that show it most.")] = "",
    like: Annotated[str, typer.Option(help="An image by its name: those that are like it.")] = "",
    photo: Annotated[
        Path | None,
        typer.Option(help="A file outside the set: those that are like it.", callback=there),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many images.")] = 12,
    reference: Ref = REFERENCE,
    model: Own = "",
    json_: Json = False,
) -> None:
    """Rank images by one head: by a text, or by how alike the head finds them to an image."""
    from sing_core.models.prompts import clean_prompt
    from sing_core.units.inside import check_head
    from sing_core.units.retrieval import images_like, images_like_photo, images_of_text
    from sing_core.units.tokens import look_inside, pulled_back

    if sum(map(bool, (text, like, photo))) != 1:
        raise typer.TyperException("Give one of --text, --like and --photo.")
    bench, inside = _opened(reference, model)
    check_head(inside, layer, head)
    prompt = clean_prompt(text, max_chars=bench.settings.max_prompt_chars) if text else ""
    recorded = _recorded(bench, inside, images, quiet=json_)
    if text:
        embedding = bench.text_embedding(inside.reference, prompt, inside.vocabulary)
        direction = pulled_back(inside, embedding, "full", None)
        hits = images_of_text(inside, recorded, layer, head, direction, top)
    elif photo is not None:
        seen = look_inside(inside, open_photo(photo, bench.settings).image).parts.sums
        hits = images_like_photo(inside, recorded, layer, head, seen, top)
    else:
        names = [row.name for row in recorded.images]
        if like not in names:
            raise ImageSetError(f"No image of this set is called “{like[:80]}”.")
        hits = images_like(inside, recorded, layer, head, names.index(like), top)
    show([hit.as_row() for hit in hits], json_)


def _opened(reference: str, model: str) -> "tuple[Workbench, Inside]":
    from sing_core.units.inside import open_inside

    bench = open_bench(Settings())
    return bench, open_inside(bench, reference, model)


def _recorded(bench: "Workbench", inside: "Inside", images: Path, *, quiet: bool) -> "Recorded":
    from rich.console import Console

    from sing_core.cli.sets import progress_bar
    from sing_core.units.recorded import record

    with progress_bar(Console(stderr=True), quiet=quiet) as report:
        found = record(bench, inside, images, report)
    name_problems(found.problems)
    return found
