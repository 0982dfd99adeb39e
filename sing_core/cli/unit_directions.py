"""The command ``direction-words``: one direction that a head cannot see, in words."""

from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Json, Model, Ref, app, open_bench, show, tell
from sing_core.cli.unit_words import OneClass, Prepared, Texts, pool_of
from sing_core.cli.variants import Centred, Classes, Threshold, chosen_variant
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sing_core.units.set_directions import EndImage, SetDirection

_NAMED = 3


@app.command()
def direction_words(
    model: Model = "lite0",
    class_: OneClass = "",
    component: Annotated[
        int, typer.Option(min=1, help="Which principal component of the hidden part.")
    ] = 1,
    against: Annotated[
        str, typer.Option(help="A second class: the difference of the two, no component.")
    ] = "",
    set_: Prepared = "embedded",
    reference: Ref = DEFAULT_REFERENCE,
    texts: Texts = "general",
    size: Annotated[int, typer.Option(min=1, max=128, help="How many texts.")] = 8,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Say in words what one direction means that a head cannot see: a signed sum of texts.

    `unexplained` is the share of its length that the texts so far leave, `random_low` to
    `random_high` what they leave of random directions of the same null space (5th to 95th
    percentile). Where all texts together leave as much, text and coefficient are empty.
    """
    from sing_core.units.set_directions import (
        AskedDirection,
        band_of,
        check_asked,
        direction_of_set,
    )

    bench = open_bench(Settings())
    variant = chosen_variant(bench, model, classes, centred, threshold)
    asked = AskedDirection(set_, model, reference, variant, class_, against, component)
    check_asked(bench, asked)
    pool, embeddings = pool_of(bench, reference, texts, quiet=json_)
    band = band_of(bench, asked, embeddings)
    found = direction_of_set(bench, asked, pool, embeddings, band, size=size)
    show(found.card.as_rows(size), json_)
    _say(found, len(pool))


def _say(found: "SetDirection", pool: int) -> None:
    tell(found.sentence)
    if found.card.words:
        tell(found.agreement(pool))
    tell(f"At its upper end: {_named(found.top)}. At its lower end: {_named(found.bottom)}.")


def _named(ends: "Sequence[EndImage]") -> str:
    return ", ".join(f"{end.image.name} ({end.label}, {end.score:+.2f})" for end in ends[:_NAMED])
