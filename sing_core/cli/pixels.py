"""The command ``pixels``."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import (
    MOST_STEP,
    Image,
    Json,
    Model,
    Prompt,
    Ref,
    app,
    called_so,
    open_bench,
    open_photo,
    show,
    tell,
)
from sing_core.cli.variants import Centred, Classes, Threshold, chosen_variant
from sing_core.errors import SingError
from sing_core.files.atomic import write_atomically
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.studies.pixels import PixelReport

Radius = Annotated[
    list[int] | None, typer.Option(min=1, max=255, help="Levels of 255; repeatable.")
]
ImageScore = Annotated[float, typer.Option(min=0, max=179, help="IS of the step asked, degrees.")]
Onlooker = Annotated[
    str,
    typer.Option(
        help="Classifier that looks on; else another one.",
        callback=lambda name: called_so(name) if name else name,
    ),
]
Epsilon = Annotated[
    float | None,
    typer.Option(min=0, max=MOST_STEP, help="The step asked; else that of the image score."),
]


@app.command()
def pixels(
    image: Image,
    prompt: Prompt,
    model: Model = "lite0",
    other: Onlooker = "",
    image_score: ImageScore = 40.0,
    epsilon: Epsilon = None,
    radius: Radius = None,
    steps: Annotated[int, typer.Option(min=1, help="Of each search.")] = 30,
    starts: Annotated[int, typer.Option(min=1, help="Of each search.")] = 2,
    controls: Annotated[int, typer.Option(min=0, help="Random directions.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the random draws.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures as PNG.")] = None,
    reference: Ref = DEFAULT_REFERENCE,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Search pictures near a photo whose feature follows a null step while the logits stand.

    Beside it the same along random null directions, and noise; another classifier looks on.
    """
    from sing_core.studies.pixels import RADII, Effort, meaning, search_pixels, sentence
    from sing_core.studies.question import Question

    if other == model:
        raise SingError(f"--other names another classifier: {other} would look on at itself.")
    settings = Settings()
    bench = open_bench(settings)
    variant = chosen_variant(bench, model, classes, centred, threshold)
    question = Question(model, prompt, "steer", reference, epsilon, image_score, variant=variant)
    effort = Effort(tuple(sorted(set(radius or RADII))), steps, starts, controls, seed)
    photo = open_photo(image, settings)
    found = search_pixels(bench, photo, question, other=other, effort=effort)
    show([row.as_row() for row in found.rows], json_)
    tell(f"{sentence(found)} {meaning(found)}")
    if out is not None:
        _write(found, out)


def _write(found: "PixelReport", out: Path) -> None:
    """Write the photo as it is shown, each picture found, and how the two differ."""
    from sing_core.studies.pixels import difference

    out.mkdir(parents=True, exist_ok=True)
    pictures = {"before": found.before}
    for radius, after in found.after.items():
        pictures[f"after-{radius}"] = after
        pictures[f"difference-{radius}"] = difference(found.before, after, radius)
    for name, picture in pictures.items():
        payload = io.BytesIO()
        picture.save(payload, "PNG")
        write_atomically(out / f"{name}.png", payload.getvalue())
