"""Claims under other choices (``multiverse``), and translators beside each other."""

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from sing_core.cli.app import Json, Models, Ref, Set, app, open_bench, show, tell
from sing_core.cli.scored import (
    ConceptFile,
    Concepts,
    Deciding,
    Dimension,
    OfSet,
    Template,
    concepts_asked,
    deciding_under,
    open_scored,
)
from sing_core.cli.variants import Centred
from sing_core.errors import SingError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import TaskID

    from sing_core.leakage.claims import Claim
    from sing_core.leakage.concept_lists import ConceptList
    from sing_core.leakage.scored_sets import ScoredSet

OfClass = Annotated[
    str, typer.Option("--class", help="A class: whether what is said of it survives instead.")
]
UsualKind = Annotated[
    str, typer.Option(help="With --class or a concept: kind of images of the claim.")
]
Networks = Annotated[
    bool,
    typer.Option(
        "--networks", help="Also through non-linear translators, trained on the set at first use."
    ),
]
_NO_KIND = "--stratum goes with --class or --concept; of models, kinds of images are choices."


@app.command("multiverse")
def survives(
    model: Models = None,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    classes: Deciding = "",
    centred: Centred = False,
    dimension: Dimension = None,
    class_: OfClass = "",
    list_: ConceptFile = None,
    concept: Concepts = None,
    template: Template = "",
    stratum: UsualKind = "all",
    networks: Networks = False,
    json_: Json = False,
) -> None:
    """Print which claims about models, and about every two, survive other defensible choices.

    Varied together: kind of images, reading, reference, the translator's penalty, and its fits;
    with --networks its architecture, too, which takes minutes at first.
    With --class the claim is the verdict of `classes` on this class; intervals cover the spread of
    other names. With --concept or --list it is that of `concepts` on each, over the images of
    --class or all. Both are as wide as the correction over all classes, or concepts, asks: `level`.
    """
    from sing_core.leakage.classes import find_class
    from sing_core.leakage.strata import ALL, within

    if list_ is not None and concept:
        raise typer.TyperException("Give --list or --concept, one of the two.")
    if stratum != ALL and not (class_ or concept or list_):
        raise SingError(_NO_KIND)
    bench = open_bench(Settings())
    asked = concepts_asked(bench.settings, list_, concept, template) if concept or list_ else None
    opened = [open_scored(bench, name, set_, reference) for name in model or ["lite0", "lite1"]]
    for scored in opened:  # a wrong name is refused before anything is computed
        _ = within(scored, stratum), find_class(scored, class_) if class_ else None
    under = deciding_under(opened, classes, centred, dimension)
    if networks:
        train(opened, quiet=json_)
    found = _claims([within(scored, stratum) for scored in under], class_, asked, networks)
    _print(found, () if class_ or asked else under, json_)


def _print(found: "Sequence[Claim]", pairs_of: "Sequence[ScoredSet]", json_: bool) -> None:
    """Print the claims, what they say, and which two of some sets must not be compared."""
    from sing_core.leakage.differences import barrier

    rows = [claim.as_row() for claim in found]
    show(rows if json_ else [_short(row) for row in rows], json_)
    for claim in found:
        tell(claim.sentence)
    for one, two in combinations(pairs_of, 2):
        if why := barrier(one, two):
            tell(f"{one.model} and {two.model} are not compared: {why}.")


def _claims(
    sets: "Sequence[ScoredSet]", class_: str, concepts: "ConceptList | None", networks: bool
) -> "list[Claim]":
    """Return the claims about models, about a class, or about concepts."""
    from sing_core.leakage import class_choices, concept_choices, multiverse
    from sing_core.leakage.classes import find_class

    if concepts is not None:
        return [
            claim
            for one in sets
            for claim in concept_choices.concept_claims(
                one, concepts, find_class(one, class_) if class_ else None, networks=networks
            )
        ]
    if class_:
        return [
            class_choices.class_claim(one, find_class(one, class_), networks=networks)
            for one in sets
        ]
    return [*multiverse.multiverse(sets, networks=networks)]


@app.command("translations")
def compare_translations(
    model: OfSet,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    json_: Json = False,
) -> None:
    """Print what translators of other architectures make of a set's images, beside the linear one.

    Non-linear ones are trained on the set at first use, in five parts: that takes minutes.
    """
    from sing_core.leakage.translations import translations

    scored = open_scored(open_bench(Settings()), model, set_, reference)
    train([scored], quiet=json_)
    found = translations(scored)
    show([row.as_row() for row in found.rows], json_)
    tell(found.sentence)


def train(sets: "Sequence[ScoredSet]", *, quiet: bool) -> None:
    """Train the networks that are missing, with a progress bar unless a program reads along."""
    from rich.progress import Progress

    from sing_core.leakage.set_networks import train_networks

    with Progress(console=Console(stderr=True), disable=quiet) as bar:
        for scored in sets:
            words = f"Training translators of {scored.model}"
            task = bar.add_task(words, total=None)

            def progress(
                name: str, done: int, whole: int, task: "TaskID" = task, words: str = words
            ) -> None:
                bar.update(task, completed=done, total=whole, description=f"{words}: {name}")

            train_networks(scored, progress)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without the names of all choices: what is counted is enough to read."""
    return {**row, "never": ", ".join(row["never"]), "fails": len(row["fails"])}
