"""Commands on photos: scores, a steered pair, a sweep, zero-shot classes."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sing_core.cli.app import (
    MOST_STEP,
    Image,
    Images,
    Json,
    Model,
    Prompt,
    Ref,
    app,
    open_bench,
    open_photo,
    show,
    tell,
)
from sing_core.cli.variants import Centred, Classes, Threshold, chosen_variant
from sing_core.errors import SingError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

Step = Annotated[
    float | None,
    typer.Option(min=-MOST_STEP, max=MOST_STEP, help="Step, feature-norm units; back where < 0."),
]
Wanted = Annotated[float | None, typer.Option(min=0, max=180, help="Wanted IS, degrees.")]


@app.command()
def score(
    images: Images,
    model: Model,
    prompt: Prompt,
    reference: Ref = DEFAULT_REFERENCE,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Remove the null part of each image's feature (eq. 9) and score the pair.

    `feasible_image_score_deg` is IS of the nearest feature that the network can produce, its logits
    moving by at most 3 % of the largest; none where its features may be negative.
    """
    from sing_core.cli.rows import score_row
    from sing_core.models.known_words import unknown_note
    from sing_core.studies.photo import analyse_image, feasible_image_score
    from sing_core.studies.question import Question
    from sing_core.studies.subject import Subject

    settings = Settings()
    bench = open_bench(settings)
    variant = chosen_variant(bench, model, classes, centred, threshold)
    rows = []
    question = Question(model, prompt, "remove", reference, steps=2, variant=variant)
    for path in images:
        photo = open_photo(path, settings)
        row = score_row(analyse_image(bench, photo, question), path.name)
        feasible = feasible_image_score(Subject.of(bench, photo, question))
        rows.append(row | {"feasible_image_score_deg": feasible, "head": variant.sentence})
    show(rows, json_)
    if note := unknown_note(prompt, settings):
        tell(note)


@app.command()
def steer(
    image: Image,
    model: Model,
    prompt: Prompt,
    epsilon: Step = None,
    image_score: Wanted = None,
    reference: Ref = DEFAULT_REFERENCE,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Step along the concept gradient inside the null space (eq. 13).

    `feasible_image_score_deg` is IS of the nearest feature that the network can produce, its logits
    moving by up to 3 % of the largest.
    """
    from sing_core.cli.rows import noted
    from sing_core.studies.photo import steer_image
    from sing_core.studies.question import Question

    if (epsilon is None) == (image_score is None):
        raise typer.TyperException("Give either --epsilon or --image-score.")
    settings = Settings()
    bench = open_bench(settings)
    question = Question(
        model,
        prompt,
        reference=reference,
        epsilon=epsilon,
        target_deg=image_score,
        variant=chosen_variant(bench, model, classes, centred, threshold),
    )
    found = asdict(steer_image(bench, open_photo(image, settings), question))
    note = found.pop("prompt_note")
    show([found | noted(note)], json_)


@app.command()
def sweep(
    image: Image,
    model: Model,
    prompt: Prompt,
    steps: Annotated[int, typer.Option(min=2, max=10_001, help="Number of steps.")] = 41,
    reference: Ref = DEFAULT_REFERENCE,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Print AS(ε) and IS(ε) along the concept gradient."""
    from sing_core.cli.rows import noted
    from sing_core.studies.photo import analyse_image
    from sing_core.studies.question import Question

    settings = Settings()
    bench = open_bench(settings)
    question = Question(
        model,
        prompt,
        reference=reference,
        target_deg=None,
        steps=steps,
        marks_deg=(),
        variant=chosen_variant(bench, model, classes, centred, threshold),
    )
    report = analyse_image(bench, open_photo(image, settings), question)
    if report.sweep is None:
        raise SingError(report.no_sweep_reason)
    columns = ("epsilon", "image_score_deg", "attribute_score_deg", "max_logit_drift")
    values = {name: list(getattr(report.sweep, name)) for name in columns}
    if json_:
        show([values | noted(report.prompt_note)], json_)
        return
    if report.prompt_note:
        typer.echo(report.prompt_note, err=True)
    rows = zip(*values.values(), strict=True)
    show([dict(zip(columns, row, strict=True)) for row in rows], json_)


@app.command()
def zero_shot(
    images: Images,
    prompt: Prompt,
    classes: Annotated[Path, typer.Option(help="Text file, one class a line.")],
    reference: Ref = DEFAULT_REFERENCE,
    json_: Json = False,
) -> None:
    """Score images with a reference as its own classifier: its text embeddings as head."""
    from sing_core.cli.rows import score_row
    from sing_core.files.text_lists import read_list
    from sing_core.models.zero_shot import NAME, ZeroShotBench
    from sing_core.studies.photo import analyse_image
    from sing_core.studies.question import Question

    settings = Settings()
    names = read_list(classes)
    for note in names.notes:
        tell(note)
    bench = ZeroShotBench(open_bench(settings), reference, names.lines)
    rows = []
    for path in images:
        question = Question(NAME, prompt, "remove", reference, steps=2)
        report = analyse_image(bench, open_photo(path, settings), question)
        rows.append(score_row(report, path.name))
    show(rows, json_)
