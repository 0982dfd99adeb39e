"""The command ``head-texts``: which texts of a head a photo shows most and least, and where."""

from typing import Annotated

import typer

from sing_core.cli.app import Image, Json, Ref, app, open_photo, show, tell
from sing_core.cli.unit_words import Texts, pool_of
from sing_core.cli.units import REFERENCE, Own, opened
from sing_core.settings import Settings


@app.command()
def head_texts(
    image: Image,
    layer: Annotated[int, typer.Option(min=0, help="Layer, from 0.")],
    head: Annotated[int, typer.Option(min=0, help="Head of that layer, from 0.")],
    reference: Ref = REFERENCE,
    model: Own = "",
    texts: Texts = "general",
    size: Annotated[int, typer.Option(min=1, max=60, help="Out of how many of its texts.")] = 60,
    json_: Json = False,
) -> None:
    """Say which of a head's texts a photo shows most and least, and which tokens wrote them.

    `coefficient` is how far the head's output lies from its usual one along the text; with --json
    there is a row a patch, whose `score` is its share of the cosine through this head alone, less
    that of the average class.
    """
    from sing_core.units.heads import photo_texts
    from sing_core.units.inside import check_head
    from sing_core.units.moments import shipped_moments
    from sing_core.units.tokens import look_inside

    settings = Settings()
    bench, inside = opened(settings, reference, model)
    check_head(inside, layer, head)
    moments = shipped_moments(inside, settings)
    photo = look_inside(inside, open_photo(image, settings).image)
    pool, embeddings = pool_of(bench, reference, texts, quiet=json_)
    found = photo_texts(photo, moments, pool, embeddings, layer, head, size=size)
    short = [{"end": one.end, "text": one.text, "coefficient": one.coefficient} for one in found]
    show([row for one in found for row in one.as_rows()] if json_ else short, json_)
    for one in found:
        told = f"the photo shows “{one.text}” {one.end} ({one.coefficient:+.3g})"
        tell(f"Of the texts of L{layer}.H{head} {told}.")
