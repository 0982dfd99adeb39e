"""The commands ``prepare``, ``image-sets``, ``classes``, ``compare`` and ``concepts``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Json, Models, Ref, Row, Set, app, open_bench, show, tell
from sing_core.cli.variants import Centred
from sing_core.errors import SingError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sing_core.leakage.class_filter import ClassFilter
    from sing_core.leakage.concept_lists import ConceptList
    from sing_core.leakage.scored_sets import ScoredSet
    from sing_core.models.workbench import Workbench


Stratum = Annotated[
    str,
    typer.Option(help="Kind of images: its name, `all` (pooled), or `each` and pooled."),
]


class Order(StrEnum):
    """Which class is printed first."""

    imagenet = "imagenet"
    decided = "decided"


ImageScore = Annotated[float, typer.Option(min=0, max=179, help="IS, degrees.")]
Deciding = Annotated[
    str,
    typer.Option(help="Classes that decide: “0-199, fig”, or “several”: with several images."),
]
Dimension = Annotated[
    int | None, typer.Option(min=1, help="Cut larger null spaces to as many dimensions.")
]
InOrder = Annotated[Order, typer.Option(help="`decided`: as on the page, by size of the contrast.")]
Versus = Annotated[
    str, typer.Option(help="A second classifier: print how far the two agree instead.")
]
Bound = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        help="What is as good as 0, degrees; without it a fifth of the spread of AS over the "
        "reference's vocabulary.",
    ),
]


ConceptFile = Annotated[Path | None, typer.Option("--list", help="Text file of concepts.")]
Concepts = Annotated[list[str] | None, typer.Option("--concept", help="Concept; repeatable.")]
Template = Annotated[str, typer.Option(help="Sentence with {} for the concept.")]

# A set may hold a classifier that nothing else here knows: the set says which it has.
OfSet = Annotated[str, typer.Option(help="Classifier, see `models`.")]


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
    bench = open_bench(Settings())
    parts = split(open_scored(bench, model, set_, reference), stratum)
    if versus:
        others = split(open_scored(bench, versus, set_, reference), stratum)
        found = _agreement(zip(parts, others, strict=True))
    elif steer or images:
        found = _of_class(parts[-1], steer, images, image_score)
    else:
        found = _table(parts, only, order)
    if found:
        show(found, json_)


def _agreement(pairs: "Iterable[tuple[ScoredSet, ScoredSet]]") -> list[Row]:
    from sing_core.leakage.agreement import agreement_rows

    return [row.as_row() for pair in pairs for row in agreement_rows(*pair)]


def _of_class(scored: "ScoredSet", steer: str, images: str, image_score: float) -> list[Row]:
    """Return the class ``steer`` towards all others, or the scores of the images of a class."""
    from sing_core.leakage.classes import class_images, find_class
    from sing_core.leakage.steered import target_rows

    if not steer:
        return [*class_images(scored, find_class(scored, images))]
    found = target_rows(scored, find_class(scored, steer), image_score)
    return [row.as_row() for row in found]


def _table(parts: "Sequence[ScoredSet]", only: "ClassFilter", order: Order) -> list[Row]:
    """Return the rows of the classes that the filter keeps; say so where it keeps none."""
    from sing_core.leakage.class_filter import NOTHING_LEFT, decided_first
    from sing_core.leakage.classes import class_table

    kept = only.kept([row for part in parts for row in class_table(part)])
    if not kept:
        typer.echo(NOTHING_LEFT, err=True)
    ordered = decided_first(kept) if order is Order.decided else kept
    return [row.as_row() for row in ordered]


@app.command()
def compare(
    model: Models = None,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    paired: Annotated[bool, typer.Option(help="Print differences on the same images.")] = False,
    prompt: Annotated[str, typer.Option(help="Steer the set towards this instead.")] = "",
    image_score: ImageScore = 40.0,
    classes: Deciding = "",
    centred: Centred = False,
    dimension: Dimension = None,
    stratum: Stratum = "all",
    json_: Json = False,
) -> None:
    """Print the models side by side, beside their null spaces' size and three controls.

    The verdict is `rank_among_draws`, the place among `control_draws` random subspaces that remove
    as much, and `above_energy`, whose interval holds the spread of these draws.
    `feasible_image_score_deg` is IS of the nearest features that the networks can produce. With
    --classes the same classes decide for every model, and only their images count. Rows of several
    kinds of images pooled say so, and a pair whose verdict differs between them has none.
    """
    from sing_core.leakage.comparison import model_row
    from sing_core.leakage.differences import pair_rows
    from sing_core.leakage.steered import steered_row
    from sing_core.leakage.strata import split
    from sing_core.models.prompts import clean_prompt

    bench = open_bench(Settings())
    names = model or _all_scored(bench, set_, reference)
    opened = [open_scored(bench, name, set_, reference) for name in names]
    whole = [deciding_under(scored, classes, centred, dimension) for scored in opened]
    kinds = list(zip(*(split(scored, stratum) for scored in whole), strict=True))
    sets = [scored for kind in kinds for scored in kind]
    if prompt:
        text = clean_prompt(prompt, max_chars=bench.settings.max_prompt_chars)
        show([steered_row(scored, text, image_score).as_row() for scored in sets], json_)
    elif paired:
        show([row.as_row() for kind in kinds for row in pair_rows(kind)], json_)
    else:
        show([model_row(scored).as_row() for scored in sets], json_)


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
    from sing_core.leakage.strata import split

    if (list_ is None) == (not concept):
        raise typer.TyperException("Give --list or --concept, one of the two.")
    settings = Settings()
    scored = open_scored(open_bench(settings), model, set_, reference)
    wanted = concepts_asked(settings, list_, concept, template)
    label = find_class(scored, class_) if class_ else None
    rows = (
        row
        for part in split(scored, stratum)
        for row in concept_table(part, wanted, label=label, bound_deg=bound)
    )
    show([row.as_row() for row in rows], json_)


def concepts_asked(
    settings: Settings, file: Path | None, typed: "Sequence[str] | None", template: str
) -> "ConceptList":
    """Return the concepts of a file, or those that were typed; say on stderr how it was read."""
    from rich.console import Console

    from sing_core.files.text_lists import text_of
    from sing_core.leakage.concept_lists import parse_concepts
    from sing_core.models.prompts import CLASS_TEMPLATE

    text, notes = ("\n".join(typed or []), ()) if file is None else text_of(file)
    wanted = parse_concepts(
        text, template=template or CLASS_TEMPLATE, max_chars=settings.max_prompt_chars, notes=notes
    )
    for note in wanted.notes:
        Console(stderr=True).print(note, markup=False, highlight=False)
    return wanted


def _all_scored(bench: "Workbench", set_: str, reference: str) -> list[str]:
    """Return every model that the set has scores of."""
    from sing_core.leakage.scored_sets import scored_models
    from sing_core.sets.catalogue import image_sets as prepared_sets

    found = [f for f in prepared_sets(bench.settings) if set_ in ("", f.facts.name)]
    models = list(scored_models(bench, found[0], reference)) if found else []
    if not models:
        raise SingError("No set of images is prepared yet: run `python -m sing_core prepare`.")
    return models


def deciding_under(
    scored: "ScoredSet", classes: str, centred: bool, dimension: int | None
) -> "ScoredSet":
    """Return the scores where the named classes decide; computed on the first call."""
    from sing_core.leakage.variant_scores import deciding_classes, under
    from sing_core.maths.head_variants import HeadVariant

    chosen = deciding_classes(scored, classes) if classes else ()

    def report(done: int, total: int) -> None:
        if done == 0:
            tell(f"{scored.model}: scoring {total:,} images where these classes decide …")

    return under(scored, HeadVariant(chosen, centred), report, dimension=dimension)


def open_scored(bench: "Workbench", model: str, set_: str, reference: str) -> "ScoredSet":
    """Return the scores of a set, of the first there is without a name."""
    from sing_core.leakage.scored_sets import open_set

    return open_set(bench, model, images=set_ or None, reference=reference)
