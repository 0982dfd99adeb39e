"""What the commands about prepared sets share: their options, and how scores are opened."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import tell
from sing_core.errors import ImageSetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sing_core.leakage.concept_lists import ConceptList
    from sing_core.leakage.scored_sets import ScoredSet
    from sing_core.models.workbench import Workbench
    from sing_core.settings import Settings

Stratum = Annotated[
    str,
    typer.Option(help="Kind of images: its name, `all` (pooled), or `each` and pooled."),
]
ImageScore = Annotated[float, typer.Option(min=0, max=179, help="IS, degrees.")]
Deciding = Annotated[
    str,
    typer.Option(help="Classes that decide: “0-199, fig”, or “several”: with several images."),
]
Dimension = Annotated[
    int | None, typer.Option(min=1, help="Cut larger null spaces to as many dimensions.")
]
ConceptFile = Annotated[Path | None, typer.Option("--list", help="Text file of concepts.")]
Concepts = Annotated[list[str] | None, typer.Option("--concept", help="Concept; repeatable.")]
Template = Annotated[str, typer.Option(help="Sentence with {} for the concept.")]
# A set may hold a classifier that nothing else here knows: the set says which it has.
OfSet = Annotated[str, typer.Option(help="Classifier, see `models`.")]


def _all_scored(bench: "Workbench", set_: str, reference: str) -> list[str]:
    """Return every model that the set has scores of.

    Raises:
        ImageSetError: there is no set, or it has no scores in this reference.
    """
    from sing_core.leakage.scored_sets import scored_models
    from sing_core.sets.catalogue import image_sets as prepared_sets

    every = prepared_sets(bench.settings)
    found = [folder for folder in every if set_ in ("", folder.facts.name)]
    if not every:
        raise ImageSetError("No set of images is prepared yet: run `python -m sing_core prepare`.")
    if not found:
        there = ", ".join(sorted(folder.facts.name for folder in every))
        raise ImageSetError(f"No prepared set is called “{set_[:80]}”. There are: {there}.")
    models = list(scored_models(bench, found[0], reference))
    if not models:
        raise ImageSetError(f"The set {found[0].facts.name} has no scores in {reference} yet.")
    return models


def opened_all(
    bench: "Workbench", model: list[str] | None, set_: str, reference: str
) -> "list[ScoredSet]":
    """Return the scores of a set under the named models, or under all that it has scores of."""
    names = model or _all_scored(bench, set_, reference)
    return [open_scored(bench, name, set_, reference) for name in names]


def deciding_under(
    sets: "Sequence[ScoredSet]", classes: str, centred: bool, dimension: int | None
) -> "list[ScoredSet]":
    """Return the scores where the named classes decide; computed on the first call."""
    from sing_core.leakage.variant_scores import check_dimension, deciding_classes, under
    from sing_core.maths.head_variants import HeadVariant

    variants = [
        HeadVariant(deciding_classes(scored, classes) if classes else (), centred)
        for scored in sets
    ]
    if dimension is not None:
        check_dimension(sets, variants, dimension)

    def one(scored: "ScoredSet", variant: HeadVariant) -> "ScoredSet":
        def report(done: int, total: int) -> None:
            if done == 0:
                tell(f"{scored.model}: scoring {total:,} images where these classes decide …")

        return under(scored, variant, report, dimension=dimension)

    return [one(scored, variant) for scored, variant in zip(sets, variants, strict=True)]


def open_scored(bench: "Workbench", model: str, set_: str, reference: str) -> "ScoredSet":
    """Return the scores of a set, of the first there is without a name."""
    from sing_core.leakage.scored_sets import open_set

    return open_set(bench, model, images=set_ or None, reference=reference)


def concepts_asked(
    settings: "Settings", file: Path | None, typed: "Sequence[str] | None", template: str
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
