"""The commands ``units``, ``token-map``, ``segment``: one photo, taken apart."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import (
    Image,
    Images,
    Json,
    Ref,
    app,
    open_bench,
    open_photo,
    show,
    tell,
)
from sing_core.cli.variants import Centred, Classes, Threshold
from sing_core.errors import SingError
from sing_core.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.maths.head_variants import HeadVariant
    from sing_core.maths.linear_head import LinearHead
    from sing_core.models.workbench import Workbench
    from sing_core.units.inside import Inside
    from sing_core.units.ledger import Ledger
    from sing_core.units.tokens import PhotoUnits, TokenMap

REFERENCE = "mini-vit"
Own = Annotated[
    str, typer.Option("--model", help="A transformer among the classifiers; else the reference's.")
]
Wish = Annotated[str, typer.Option(help="Text target; without one, the class that is read.")]
Unit = Annotated[str, typer.Option(help="One head, such as L11.H3; else all.")]
Grey = Annotated[Path | None, typer.Option(help="Grey PNG to write, dark to light.")]
Folder = Annotated[Path, typer.Option(help="Folder for the pictures; made where it is missing.")]


class Asked(StrEnum):
    """Which part of a feature a map is of."""

    full = "full"
    null = "null"
    principal = "principal"


class Way(StrEnum):
    """Which text stands for the class that is read."""

    likely = "likely"
    class_ = "class"


Part = Annotated[Asked, typer.Option(help="All, what is hidden, or what decides.")]
Route = Annotated[
    Way, typer.Option(help="All classes, as likely as they are held to be, or the first alone.")
]
Against = Annotated[str, typer.Option(help="A second text: the map is of the difference.")]


@app.command()
def units(
    image: Image,
    reference: Ref = REFERENCE,
    model: Own = "",
    prompt: Wish = "",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    tokens: Annotated[bool, typer.Option(help="Share the heads out over the tokens.")] = False,
    json_: Json = False,
) -> None:
    """Take a photo's feature apart: what embedding, heads and MLPs write, seen and unseen.

    `null_share` is each unit's share of what is hidden, summing to 1; `score` its share of the
    cosine to the prompt; the row `residual` the largest relative error of the sum of all units.
    With --tokens, `token 0,3` stands for what all heads take from the patch in row 0, column 3.
    Where the whole head hides nothing, or is the reference's own words, the sixteen classes that
    it ranks first decide.
    """
    found = photo_ledger(
        image, reference, model, prompt, (classes, centred, threshold), by_token=tokens
    )
    names = ("unit", "norm", "null_share", "score")
    show([{name: row[name] for name in names} for row in found.as_rows()], json_)
    tell(found.sentence)


@app.command()
def token_map(
    image: Image,
    prompt: Wish = "",
    against: Against = "",
    part: Part = Asked.full,
    unit: Unit = "",
    reference: Ref = REFERENCE,
    model: Own = "",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    out: Grey = None,
    json_: Json = False,
) -> None:
    """Print what each token of a photo adds along a text: where on the photo it is.

    Rows are shares of the cosine to the prompt, with the class token and what has no place; they
    sum to what the part has to do with the text.
    """
    from sing_core.units.tokens import look_inside, picture_of, pulled_back, stretched
    from sing_core.units.tokens import token_map as map_of

    bench, inside = opened(Settings(), reference, model)
    place = _head(inside, unit) if unit else None
    variant = asked_variant(inside, (classes, centred, threshold))
    prompt, against = (_cleaned(bench, text) for text in (prompt, against))
    picture = open_photo(image, bench.settings).image
    photo = look_inside(inside, picture)
    linear = _deciding(photo, variant)
    text, said = _text(bench, photo, prompt)
    direction = pulled_back(inside, text, part.value, linear)
    if against:
        other, _ = _text(bench, photo, against)
        direction = direction - pulled_back(inside, other, part.value, linear)
    found = map_of(photo, direction, place)
    if out is not None:
        picture_of(stretched(found.heat), (min(picture.size),) * 2).save(out, "PNG")
    show(_map_rows(found), json_)
    on_photo = float(found.heat.sum())
    tell(f"“{said}”: {found.total:+.3f} of the cosine, {on_photo:+.3f} of it on the photo.")


@app.command()
def segment(
    images: Images,
    out: Folder,
    model: Annotated[str, typer.Option(help="A transformer; “” for the reference's own.")] = "vits",
    reference: Ref = REFERENCE,
    route: Route = Way.likely,
    json_: Json = False,
) -> None:
    """Cut the foreground out of photos by token maps alone: a grey PNG of each photo's size.

    The map of the classes that are read, less that of the average class; what exceeds `threshold`,
    the map's mean, is foreground. No mask was ever trained on. Photos of one name have numbers
    after it in `file`; none is written over.
    """
    from sing_core.units.segmentation import Segmenter
    from sing_core.units.tokens import as_picture

    settings = Settings()
    segmenter = Segmenter.open(open_bench(settings), reference, model)
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    taken = {path.resolve() for path in images}
    for path in images:
        photo = open_photo(path, settings).image
        found = segmenter.foreground(photo, "class" if route is Way.class_ else "likely")
        smooth, threshold = found.picture(photo.size)
        target = _free(out, path.stem, taken)
        as_picture(smooth).save(target, "PNG")
        facts = {"label": found.label, "threshold": threshold, "file": target.name}
        rows.append({"image": path.name} | facts)
    show(rows, json_)


def _free(folder: Path, stem: str, taken: set[Path]) -> Path:
    """Return a PNG in ``folder`` that is none of ``taken``, and take it."""
    names = (stem, *(f"{stem}-{number}" for number in range(2, 2 + len(taken))))
    places = (folder / f"{name}.png" for name in names)
    free = next(place for place in places if place.resolve() not in taken)
    taken.add(free.resolve())
    return free


Asking = tuple[str, bool, float]  # --classes, --centred, --threshold


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


def opened(settings: Settings, reference: str, model: str) -> "tuple[Workbench, Inside]":
    """Return the bench, and the network whose units are asked about."""
    from sing_core.units.inside import open_inside

    bench = open_bench(settings)
    return bench, open_inside(bench, reference, model)


def photo_ledger(
    image: Path, reference: str, model: str, prompt: str, asked: Asking, *, by_token: bool = False
) -> "Ledger":
    """Return the ledger of a photo by heads, or by tokens."""
    from sing_core.units.ledger import ledger as ask
    from sing_core.units.tokens import look_inside

    settings = Settings()
    bench, inside = opened(settings, reference, model)
    variant, prompt = asked_variant(inside, asked), _cleaned(bench, prompt)
    photo = look_inside(inside, open_photo(image, settings).image)
    text, said = _text(bench, photo, prompt)
    return ask(photo, _deciding(photo, variant), text, said, by_token=by_token)


def asked_variant(inside: "Inside", asked: Asking) -> "HeadVariant":
    """Return which null space the options ask for; checked before a photo is looked at."""
    from sing_core.maths.head_variants import HeadVariant, check_variant, parse_classes

    classes, centred, threshold = asked
    chosen = parse_classes(classes, inside.labels) if classes else ()
    variant = HeadVariant(chosen, centred, threshold)
    check_variant(variant, len(inside.labels))
    return variant


def _cleaned(bench: "Workbench", prompt: str) -> str:
    from sing_core.models.prompts import clean_prompt

    return clean_prompt(prompt, max_chars=bench.settings.max_prompt_chars) if prompt else ""


def _deciding(photo: "PhotoUnits", asked: "HeadVariant") -> "LinearHead":
    """Return the part of the head that decides, and say so where it is not the whole."""
    return told(photo.inside, photo.inside.variant_for(photo.output, asked))


def told(inside: "Inside", variant: "HeadVariant") -> "LinearHead":
    """Say what of the head decides where it is not the whole, and return it."""
    if variant.sentence:
        names = ", ".join(inside.labels[place] for place in variant.classes)
        tell(variant.sentence + (f" They are {names}." if names else ""))
    return inside.deciding(variant)


def _text(bench: "Workbench", photo: "PhotoUnits", prompt: str) -> "tuple[Tensor, str]":
    """Return the embedding of a prompt, and what was asked: the class that is read without one."""
    from sing_core.models.prompts import class_prompt

    inside = photo.inside
    asked = prompt or class_prompt(inside.labels[int(inside.logits(photo.output).argmax())])
    return bench.text_embedding(inside.reference, asked, inside.vocabulary), asked
