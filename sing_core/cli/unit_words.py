"""The commands ``text-span`` and ``null-words``: heads, and what is hidden, in words."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Json, Model, Ref, app, name_problems, open_bench, show, tell
from sing_core.cli.units import REFERENCE, Own
from sing_core.cli.variants import Centred, Classes, Threshold, chosen_variant
from sing_core.errors import ImageSetError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.models.workbench import Workbench
    from sing_core.units.inside import Inside
    from sing_core.units.moments import HeadMoments

OneClass = Annotated[
    str, typer.Option("--class", help="One class of the set; else all its images.")
]
Prepared = Annotated[str, typer.Option("--set", help="Prepared set, see `image-sets`.")]
Size = Annotated[int, typer.Option(min=1, max=60, help="How many texts.")]
Over = Annotated[
    Path | None, typer.Option("--images", help="Images to describe it over; else the embedded set.")
]
Texts = Annotated[
    str, typer.Option(help="Pool of texts (general, words, classes), or a file with one a line.")
]


class Rule(StrEnum):
    """Which text is taken next."""

    variance = "variance"
    gain = "gain"


@app.command()
def text_span(
    layer: Annotated[int, typer.Option(min=0, help="Layer, from 0.")],
    head: Annotated[int, typer.Option(min=0, help="Head of that layer, from 0.")],
    reference: Ref = REFERENCE,
    model: Own = "",
    images: Over = None,
    texts: Texts = "general",
    size: Size = 10,
    rule: Annotated[Rule, typer.Option(help="The seed’s, or the largest gain.")] = Rule.variance,
    json_: Json = False,
) -> None:
    """Describe one head by texts (TextSpan), with how often half the images choose each again.

    `explained` is the share of what the head varies in that all texts carry together, `shuffled`
    the most that texts with shuffled embeddings do in 19 draws, `bound` that of as many principal
    components.
    """
    from sing_core.leakage.strata import pooled_in
    from sing_core.units.heads import head_words
    from sing_core.units.inside import check_head, open_inside

    bench = open_bench(Settings())
    inside = open_inside(bench, reference, model)
    check_head(inside, layer, head)
    moments = _moments(bench, inside, images, quiet=json_)
    pool, embeddings = pool_of(bench, reference, texts, quiet=json_)
    found = head_words(inside, moments, pool, embeddings, layer, head, size=size, rule=rule.value)
    kinds = pooled_in(bench, moments.prepared)
    show([row | {"images": found.images, "kinds": kinds} for row in found.as_rows()], json_)
    of = f" ({kinds})" if kinds else ""
    tell(f"{found.sentence} Over {found.images:,} images{of}, out of {len(pool):,} texts.")


@app.command()
def head_properties(
    layer: Annotated[int, typer.Option(min=0, help="Layer, from 0.")],
    head: Annotated[
        int | None, typer.Option(min=0, help="One head of that layer, from 0; else all.")
    ] = None,
    reference: Ref = REFERENCE,
    model: Own = "",
    images: Over = None,
    json_: Json = False,
) -> None:
    """Say which property each head of a layer is about, beside random heads of its spectrum.

    `share` is that of `subject` in what the head's texts explain, `low` and `high` hold 95 % of
    random halves of the images; `place` is the head's among itself and the random heads.
    """
    from sing_core.models.text_pools import general_properties
    from sing_core.units.inside import check_head, open_inside
    from sing_core.units.properties import specialisation

    bench = open_bench(Settings())
    inside = open_inside(bench, reference, model)
    check_head(inside, layer, head or 0)
    moments = _moments(bench, inside, images, quiet=json_)
    _, embeddings = pool_of(bench, reference, "general", quiet=json_)
    about = general_properties(bench.settings)
    heads = range(inside.tower.heads) if head is None else (head,)
    found = [specialisation(inside, moments, embeddings, about, layer, one) for one in heads]
    show([one.as_row() for one in found], json_)
    for one in found:
        tell(one.sentence)


@app.command()
def null_words(
    model: Model = "lite0",
    class_: OneClass = "",
    set_: Prepared = "embedded",
    reference: Ref = DEFAULT_REFERENCE,
    texts: Texts = "general",
    size: Size = 10,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Say in words what varies in the part of a class, or of a set, that a head cannot see.

    Beside it what decides, and random directions, as many. `gain` is the share of that part's
    variance that a text explains, `stability` how often half the images choose it again.
    """
    from sing_core.units.set_part import part_of_set
    from sing_core.units.set_words import words_of_set

    bench = open_bench(Settings())
    variant = chosen_variant(bench, model, classes, centred, threshold)
    part_of_set(bench, set_, model, class_)  # a wrong name is refused before texts are read
    pool, embeddings = pool_of(bench, reference, texts, quiet=json_)
    found, said = words_of_set(
        bench, set_, model, reference, variant, pool, embeddings, class_name=class_, size=size
    )
    show([row for part in found for row in part.as_rows()], json_)
    tell(said)


def pool_of(
    bench: "Workbench", reference: str, texts: str, *, quiet: bool
) -> "tuple[tuple[str, ...], Tensor]":
    """Return the texts of a pool, or of a person's file, and their embeddings.

    The first time they are read, which shows a progress bar unless ``quiet``.
    """
    from rich.console import Console
    from rich.progress import Progress

    from sing_core.models.text_pools import POOLS, own_pool, pool_embeddings, text_pool

    if texts in POOLS or not Path(texts).is_file():
        pool = text_pool(texts, bench.settings)
    else:
        own = own_pool(Path(texts), bench.settings)
        for note in own.notes:
            tell(note)
        pool = tuple(own.lines)
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("Reading texts", total=None, visible=False)
        embeddings = pool_embeddings(
            bench,
            reference,
            pool,
            lambda done, total: bar.update(task, completed=done, total=total, visible=True),
        )
    return pool, embeddings


def _moments(
    bench: "Workbench", inside: "Inside", images: Path | None, *, quiet: bool
) -> "HeadMoments":
    from rich.console import Console

    from sing_core.cli.sets import progress_bar
    from sing_core.files.digests import content_key
    from sing_core.units.moments import HeadMoments, keep_moments, shipped_moments
    from sing_core.units.recorded import record

    if images is None:
        return shipped_moments(inside, bench.settings)
    with progress_bar(Console(stderr=True), quiet=quiet) as report:
        found = record(bench, inside, images, report)
    name_problems(found.problems)
    if not found.images:
        raise ImageSetError(f"None of the images of {images.name} can be used.")
    digest = content_key(*(row.digest for row in found.images))
    count = f"{len(found.images)}"
    details = {"set": images.resolve().name, "images": count, "digest": digest}
    moments = HeadMoments.of(found.sums, inside.tower.identity, details)
    if keep_moments(moments, inside, bench.settings):
        tell(f"The Units page describes the heads of {inside.tower.name} over these images now.")
    return moments
