"""The command ``direction-words``: one direction that a head cannot see, in words."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Json, Model, Ref, app, open_bench, show, tell
from sing_core.cli.unit_words import OneClass, Prepared, Texts, pool_of
from sing_core.cli.variants import Centred, Classes, Threshold, chosen_variant
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sing_core.units.component_table import ComponentTable
    from sing_core.units.ends import EndImage
    from sing_core.units.set_directions import AskedDirection, SetDirection

_NAMED = 3
Component = Annotated[
    int,
    typer.Option(
        min=0,
        help="Which principal component of the hidden part; 0: the first with words of those "
        "looked at.",
    ),
]
Look = Annotated[int, typer.Option(min=1, max=200, help="How many components are looked at.")]
Listed = Annotated[
    bool, typer.Option("--list", help="Print which of these have words, and no texts.")
]
Against = Annotated[
    str, typer.Option(help="A second class: the difference of the two, no component.")
]
Size = Annotated[int, typer.Option(min=1, max=128, help="How many texts.")]


@app.command()
def direction_words(
    model: Model = "lite0",
    class_: OneClass = "",
    component: Component = 0,
    look: Look = 20,
    list_: Listed = False,
    against: Against = "",
    set_: Prepared = "embedded",
    reference: Ref = DEFAULT_REFERENCE,
    texts: Texts = "general",
    size: Size = 8,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Say in words what one direction means that a head cannot see: a signed sum of texts.

    `unexplained` is the share of its length that the texts so far leave, `random_low` to
    `random_high` what they leave of random directions of the same null space (5th to 95th
    percentile). Where all texts together leave as much, text and coefficient are empty. Half of
    the images make it, the others show its ends: `elsewhere` is its share of variance in those.
    """
    from sing_core.units import set_directions

    bench = open_bench(Settings())
    variant = chosen_variant(bench, model, classes, centred, threshold)
    asked = set_directions.AskedDirection(
        set_, model, reference, variant, class_, against, component
    )
    set_directions.check_asked(bench, asked)
    pool, embeddings = pool_of(bench, reference, texts, quiet=json_)
    band = set_directions.band_of(bench, asked, embeddings)
    if list_ or not (component or against):
        table = set_directions.components_of_set(bench, asked, embeddings, band, count=look)
        asked = _picked(asked, table)
    if list_:
        return show(table.as_rows(), json_)
    found = set_directions.direction_of_set(bench, asked, pool, embeddings, band, size=size)
    return _show(found, size, len(pool), json_)


def _picked(asked: "AskedDirection", table: "ComponentTable") -> "AskedDirection":
    """Say which components have words, and return the question about the first of them."""
    tell(f"{table.sentence} {table.picked(table.first)}")
    return replace(asked, component=table.first)


def _show(found: "SetDirection", size: int, pool: int, json_: bool) -> None:
    show(found.card.as_rows(size), json_)
    tell(found.sentence)
    if found.card.words:
        tell(found.agreement(pool))
    tell(f"Most along it: {_named(found.top)}. Least along it: {_named(found.bottom)}.")


def _named(ends: "Sequence[EndImage]") -> str:
    return ", ".join(f"{end.image.name} ({end.label}, {end.score:+.2f})" for end in ends[:_NAMED])
