"""The commands ``classes`` and ``concepts``: a prepared set class by class, concept by concept."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Json, Ref, Row, Set, app, lead, open_bench, show
from sing_core.cli.scored import (
    ConceptFile,
    Concepts,
    ImageScore,
    OfSet,
    Stratum,
    Template,
    concepts_asked,
    open_scored,
)
from sing_core.errors import SingError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sing_core.leakage.class_filter import ClassFilter
    from sing_core.leakage.scored_sets import ScoredSet


class Order(StrEnum):
    """Which class is printed first."""

    imagenet = "imagenet"
    decided = "decided"


InOrder = Annotated[Order, typer.Option(help="`decided`: as on the page, by size of the contrast.")]
Versus = Annotated[
    str, typer.Option(help="A second classifier: print how far the two agree instead.")
]
Bound = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        max=180,
        help="What is as good as 0, degrees; without it a fifth of the spread of AS over the "
        "reference's vocabulary.",
    ),
]


@app.command()
def classes(
    model: OfSet,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    images: Annotated[str, typer.Option(help="A class: print its images' scores instead.")] = "",
    steer: Annotated[str, typer.Option(help="A class: steer it towards all others instead.")] = "",
    image_score: ImageScore = 40.0,
    search: Annotated[str, typer.Option(help="Only classes with this in the name; a wnid.")] = "",
    group: Annotated[str, typer.Option(help="Only this group; a wrong name lists them.")] = "",
    least: Annotated[int, typer.Option(min=1, help="Only classes with as many images.")] = 1,
    order: InOrder = Order.imagenet,
    stratum: Stratum = "all",
    versus: Versus = "",
    json_: Json = False,
) -> None:
    """Print null removal class by class: AS with interval, IS, and the corrected tests.

    The verdict is of `contrast_mean`: the own name beside the names of all classes.
    `foreign_decided` is its control: the share of other classes' names that would be decided in
    its place. The tests are corrected over all classes of the set, whatever --search, --group and
    --least keep.
    """
    from sing_core.leakage.class_filter import ClassFilter
    from sing_core.leakage.strata import split

    only = ClassFilter(search, group, least)
    if (steer or images or versus) and (only != ClassFilter() or order is not Order.imagenet):
        raise typer.TyperException("--images, --steer, --versus print no table to narrow.")
    _check_second(model, versus)
    bench = open_bench(Settings())
    parts = split(open_scored(bench, model, set_, reference), stratum)
    if versus:
        others = split(open_scored(bench, versus, set_, reference), stratum)
        found = _agreement(zip(parts, others, strict=True), said=not json_)
    elif steer or images:
        found = _of_class(parts[-1], steer, images, image_score)
    else:
        found = _table(parts, only, order, said=not json_)
    if found:
        show(found, json_)


def _check_second(model: str, versus: str) -> None:
    if versus == model:
        raise SingError(f"--versus names a second classifier: {model} is the first one itself.")


def _agreement(pairs: "Iterable[tuple[ScoredSet, ScoredSet]]", *, said: bool) -> list[Row]:
    from sing_core.leakage.agreement import agreement_rows
    from sing_core.leakage.classes_answer import agreement

    found = [agreement_rows(*pair) for pair in pairs]
    if said:
        lead(agreement(found[-1], (found[-1][0].first, found[-1][0].second)))
    return [row.as_row() for rows in found for row in rows]


def _of_class(scored: "ScoredSet", steer: str, images: str, image_score: float) -> list[Row]:
    """Return the class ``steer`` towards all others, or the scores of the images of a class."""
    from sing_core.leakage.classes import class_images, find_class
    from sing_core.leakage.targets import target_rows

    if not steer:
        return [*class_images(scored, find_class(scored, images))]
    found = target_rows(scored, find_class(scored, steer), image_score)
    return [row.as_row() for row in found]


def _table(
    parts: "Sequence[ScoredSet]", only: "ClassFilter", order: Order, *, said: bool
) -> list[Row]:
    """Return the rows of the classes that the filter keeps; say so where it keeps none."""
    from sing_core.leakage.class_filter import NOTHING_LEFT, decided_first
    from sing_core.leakage.classes import class_table
    from sing_core.leakage.classes_answer import summary
    from sing_core.leakage.name_control import name_control

    tables = [class_table(part) for part in parts]
    kept = only.kept([row for table in tables for row in table])
    if not kept:
        typer.echo(NOTHING_LEFT, err=True)
    elif said:
        lead(summary(tables[-1], name_control(parts[-1])))
    ordered = decided_first(kept) if order is Order.decided else kept
    return [row.as_row() for row in ordered]


@app.command()
def concepts(
    model: OfSet,
    list_: ConceptFile = None,
    concept: Concepts = None,
    class_: Annotated[str, typer.Option("--class", help="Label or wnid; all classes.")] = "",
    template: Template = "",
    bound: Bound = None,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    stratum: Stratum = "all",
    json_: Json = False,
) -> None:
    """Print a class, or the whole set, against concepts: angles, AS, and two tests."""
    from sing_core.leakage.classes import find_class
    from sing_core.leakage.concepts import concept_table
    from sing_core.leakage.concepts_answer import summary
    from sing_core.leakage.strata import split

    if (list_ is None) == (not concept):
        raise typer.TyperException("Give --list or --concept, one of the two.")
    settings = Settings()
    scored = open_scored(open_bench(settings), model, set_, reference)
    wanted = concepts_asked(settings, list_, concept, template)
    label = find_class(scored, class_) if class_ else None
    tables = [
        concept_table(part, wanted, label=label, bound_deg=bound) for part in split(scored, stratum)
    ]
    if not json_:
        lead(summary(tables[-1], whole=label is None))
    show([row.as_row() for table in tables for row in table], json_)
