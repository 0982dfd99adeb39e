"""The commands ``units``, ``ledger``, ``token-map``, ``segment``: one photo, taken apart."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Images, Json, Ref, app, open_bench, open_photo, show, tell
from sing_core.cli.variants import Centred, Classes, Threshold
from sing_core.errors import SingError
from sing_core.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.maths.linear_head import LinearHead
    from sing_core.models.workbench import Workbench
    from sing_core.units.inside import Inside
    from sing_core.units.ledger import Ledger
    from sing_core.units.tokens import PhotoUnits, TokenMap

REFERENCE = "mini-vit"
Photo = Annotated[Path, typer.Argument(help="A JPEG, PNG or WebP file.")]
Own = Annotated[
    str, typer.Option("--model", help="A transformer among the classifiers; else the reference's.")
]
Wish = Annotated[str, typer.Option(help="Text target; without one, the class that is read.")]
Unit = Annotated[str, typer.Option(help="One head, such as L11.H3; else all.")]
Folder = Annotated[Path, typer.Option(help="Folder for the pictures; made where it is missing.")]


class Asked(StrEnum):
    """Which part of a feature a map is of."""

    full = "full"
    null = "null"
    principal = "principal"


@app.command()
def units(
    image: Photo,
    reference: Ref = REFERENCE,
    model: Own = "",
    prompt: Wish = "",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Take a photo's feature apart: what embedding, heads and MLPs write, seen and unseen.

    `null_share` is each unit's share of what is hidden, summing to 1; `score` its share of the
    cosine to the prompt; the row `residual` the largest relative error of the sum of all units.
    Where the whole head hides nothing, or is the reference's own words, the sixteen classes that
    it ranks first decide.
    """
    found = _ledger(image, reference, model, prompt, (classes, centred, threshold))
    names = ("unit", "norm", "null_share", "score")
    show([{name: row[name] for name in names} for row in found.as_rows()], json_)
    tell(found.sentence)


@app.command()
def ledger(
    image: Photo,
    reference: Ref = REFERENCE,
    model: Own = "",
    prompt: Wish = "",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    top: Annotated[int, typer.Option(min=1, help="How many units are printed.")] = 12,
    json_: Json = False,
) -> None:
    """Print who wrote what is hidden, the largest share first, and what leaving it out would do.

    `null_fraction` is how much of a unit is hidden; AS and IS are those of the feature without the
    unit's hidden part, at the same logits.
    """
    found = _ledger(image, reference, model, prompt, (classes, centred, threshold))
    rows = [row for row in found.as_rows() if row["null_share"] is not None]
    rows.sort(key=lambda row: -row["null_share"])
    show(rows[:top], json_)
    tell(found.sentence)


@app.command()
def token_map(
    image: Photo,
    prompt: Wish = "",
    against: Annotated[str, typer.Option(help="A second text: the map is of the difference.")] = "",
    part: Annotated[Asked, typer.Option(help="All, what is hidden, or what decides.")] = Asked.full,
    unit: Unit = "",
    reference: Ref = REFERENCE,
    model: Own = "",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    out: Annotated[Path | None, typer.Option(help="Grey PNG to write, dark to light.")] = None,
    json_: Json = False,
) -> None:
    """Print what each token of a photo adds along a text: where on the photo it is.

    Rows are shares of the cosine to the prompt, with the class token and what has no place; they
    sum to what the part has to do with the text.
    """
    from sing_core.units.tokens import picture_of, pulled_back, stretched
    from sing_core.units.tokens import token_map as map_of

    settings = Settings()
    bench, photo = _look(settings, image, reference, model)
    linear = _deciding(photo, (classes, centred, threshold))
    text, said = _text(bench, photo.inside, photo, prompt)
    direction = pulled_back(photo.inside, text, part.value, linear)
    if against:
        other, _ = _text(bench, photo.inside, photo, against)
        direction = direction - pulled_back(photo.inside, other, part.value, linear)
    found = map_of(photo, direction, _head(photo.inside, unit) if unit else None)
    if out is not None:
        size = open_photo(image, settings).image.size
        picture_of(stretched(found.heat), (min(size), min(size))).save(out, "PNG")
    show(_map_rows(found), json_)
    tell(
        f"“{said}”: {found.total:+.3f} of the cosine, {float(found.heat.sum()):+.3f} of it on the "
        "photo."
    )


@app.command()
def segment(
    images: Images,
    out: Folder,
    model: Annotated[str, typer.Option(help="A transformer; “” for the reference's own.")] = "vits",
    reference: Ref = REFERENCE,
    json_: Json = False,
) -> None:
    """Cut the foreground out of photos by token maps alone: a grey PNG of each photo's size.

    The map of the classes that are read, less that of the average class; what exceeds `threshold`,
    the map's mean, is foreground. No mask was ever trained on.
    """
    from sing_core.units.segmentation import Segmenter
    from sing_core.units.tokens import as_picture

    settings = Settings()
    segmenter = Segmenter.open(open_bench(settings), reference, model)
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for path in images:
        photo = open_photo(path, settings).image
        found = segmenter.foreground(photo)
        smooth, threshold = found.picture(photo.size)
        as_picture(smooth).save(out / f"{path.stem}.png", "PNG")
        rows.append({"image": path.name, "label": found.label, "threshold": threshold})
    show(rows, json_)


Variant = tuple[str, bool, float]


def _map_rows(found: "TokenMap") -> list[dict[str, object]]:
    """Return a row a patch, then one of what has no place."""
    rows: list[dict[str, object]] = [
        {"row": y, "column": x, "score": float(value)}
        for y, line in enumerate(found.heat)
        for x, value in enumerate(line)
    ]
    return [*rows, {"row": None, "column": None, "score": found.prefix + found.others}]


def _head(inside: "Inside", unit: str) -> tuple[int, int]:
    """Return layer and head of a unit's name."""
    from sing_core.units.inside import unit_index

    place = unit_index(inside, unit) - 1
    if not 0 <= place < len(inside.tower.layers) * inside.tower.heads:
        raise SingError(f"{unit} has no tokens of its own: heads do, such as L0.H0.")
    layer, head = divmod(place, inside.tower.heads)
    return layer, head


def _look(
    settings: Settings, image: Path, reference: str, model: str
) -> "tuple[Workbench, PhotoUnits]":
    from sing_core.units.inside import open_inside
    from sing_core.units.tokens import look_inside

    bench = open_bench(settings)
    inside = open_inside(bench, reference, model)
    return bench, look_inside(inside, open_photo(image, settings).image)


def _ledger(image: Path, reference: str, model: str, prompt: str, variant: Variant) -> "Ledger":
    from sing_core.units.ledger import ledger as ask

    bench, photo = _look(Settings(), image, reference, model)
    text, said = _text(bench, photo.inside, photo, prompt)
    return ask(photo, _deciding(photo, variant), text, said)


def _deciding(photo: "PhotoUnits", asked: Variant) -> "LinearHead":
    from sing_core.maths.head_variants import HeadVariant, parse_classes

    classes, centred, threshold = asked
    chosen = parse_classes(classes, photo.inside.labels) if classes else ()
    variant = photo.inside.variant_for(photo.output, HeadVariant(chosen, centred, threshold))
    if variant.sentence:
        names = ", ".join(photo.inside.labels[place] for place in variant.classes)
        tell(variant.sentence + (f" They are {names}." if names else ""))
    return photo.inside.deciding(variant)


def _text(
    bench: "Workbench", inside: "Inside", photo: "PhotoUnits", prompt: str
) -> "tuple[Tensor, str]":
    """Return the embedding of a prompt, and what was asked: the class that is read without one."""
    from sing_core.models.prompts import class_prompt, clean_prompt

    if prompt:
        asked = clean_prompt(prompt, max_chars=bench.settings.max_prompt_chars)
    else:
        asked = class_prompt(inside.labels[int(inside.logits(photo.output).argmax())])
    return bench.text_embedding(inside.reference, asked, inside.vocabulary), asked
