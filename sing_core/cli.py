"""The command line: ``python -m sing_core …``, the same verbs as the pages.

A table for people by default; ``--json`` prints one JSON object per line. Errors go to stderr (with
``--json`` as ``{"error": kind, "message": text}``) and end with exit code 2.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sing_core import registry
from sing_core.cli_variants import Centred, Classes, Threshold, chosen_variant
from sing_core.errors import SingError, UnsupportedImageError
from sing_core.images import Photo, decode_image
from sing_core.settings import Settings
from sing_core.store import Store

if TYPE_CHECKING:
    from sing_core.workbench import Workbench

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What can this classifier not see? Null space, translators and scores.",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
Images = Annotated[list[Path], typer.Argument(help="JPEG, PNG or WebP files.")]
Model = Annotated[str, typer.Option(help="Classifier, see `models`.")]
Prompt = Annotated[str, typer.Option(help="Text target, e.g. “an image of a jellyfish”.")]
Ref = Annotated[str, typer.Option("--reference", help="Image-text space, see `references`.")]
Out = Annotated[Path, typer.Option(help="Safetensors file to write.")]
Row = Mapping[str, Any]
_WRAPPED = 24  # longer cells may be broken into lines


def main() -> None:
    """Run the command line; errors meant for people become one line and exit code 2."""
    # Their commands join the others.
    from sing_core import cli_heads, cli_leakage, cli_models, cli_render, cli_translators  # noqa: F401

    as_json = "--json" in sys.argv
    try:
        code = app(standalone_mode=False)
    except SingError as error:
        _fail(type(error).__name__, str(error), as_json)
    except typer.TyperException as error:  # what typer says about wrong arguments
        _fail("UsageError", error.format_message(), as_json)
    except ValidationError as error:  # of the settings: nothing else is validated this way
        wrong = error.errors()[0]
        name = f"SING_{wrong['loc'][0]}".upper()
        _fail("SettingsError", f"{name} cannot be used: {wrong['msg']}.", as_json)
    except OSError as error:
        _fail("FileError", f"{error.filename or 'A file'}: {error.strerror or error}.", as_json)
    if isinstance(code, int) and code:  # `typer.Exit`, as after Ctrl-C, is returned, not raised
        raise SystemExit(code)


def _fail(kind: str, message: str, as_json: bool) -> None:
    text = json.dumps({"error": kind, "message": message}) if as_json else message
    typer.echo(text, err=True)
    raise SystemExit(2)


def show(rows: Sequence[Row], as_json: bool) -> None:
    """Print ``rows``: one JSON object per line, or a table for people."""
    if as_json:
        for row in rows:
            typer.echo(json.dumps(_finite(row), allow_nan=False))
        return
    console = Console(emoji=False)  # “:cat:” in a prompt is text
    names = tuple(rows[0]) if rows else ()
    table = Table(*names)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    needed = sum(
        max(len(name), *(min(len(_cell(row[name])), _WRAPPED) for row in rows)) + 3
        for name in names
    )
    if not console.is_terminal:  # a file is as wide as its lines
        console = Console(emoji=False, width=max(console.width, needed + 1))
    if not rows or (len(rows) > 1 and needed < console.width):
        console.print(table)
        return
    for row in rows:  # a table of so many columns would show a letter of each
        for name, value in row.items():
            console.print(f"[bold]{name}[/bold]  ", end="")
            console.print(_cell(value), markup=False)
        if len(rows) > 1:
            console.print()


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return ``value`` with None in place of numbers that JSON does not know."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return " ".join(map(_cell, value.values())) if isinstance(value, dict) else str(value)


def open_bench(settings: Settings) -> "Workbench":
    """Return a workbench of this process; nothing is loaded yet."""
    from sing_core.pool import ModelPool
    from sing_core.workbench import Workbench

    settings.prepare_threads()
    return Workbench(settings, ModelPool(settings), Store(settings.cache_dir))


def open_photo(path: Path, settings: Settings) -> Photo:
    """Decode an image file within the limits of ``settings``."""
    try:
        return decode_image(path.read_bytes(), max_pixels=settings.max_pixels)
    except UnsupportedImageError as error:
        raise UnsupportedImageError(f"{path.name}: {error}") from error


@app.command()
def references(json_: Json = False) -> None:
    """List the image-text references: what ships first, then what can be fetched."""
    from sing_core.library import reference_is_here

    settings = Settings()
    rows: list[Row] = [
        {
            "name": entry.name,
            "source": entry.source,
            "available": reference_is_here(entry, settings),
            "licence": entry.licence,
            "dim": entry.dim,
        }
        for entry in registry.all_references(settings)
    ]
    show(rows, json_)


@app.command()
def score(
    images: Images,
    model: Model,
    prompt: Prompt,
    reference: Ref = "mini",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Remove the null part of each image's feature (eq. 9) and score the pair."""
    from sing_core.analysis import analyse_image
    from sing_core.cli_rows import score_row

    settings = Settings()
    bench = open_bench(settings)
    variant = chosen_variant(bench, model, classes, centred, threshold)
    rows = []
    for path in images:
        report = analyse_image(
            bench, open_photo(path, settings), model=model, prompt=prompt, mode="remove",
            reference=reference, steps=2, variant=variant,
        )  # fmt: skip
        rows.append(score_row(report, path.name) | {"head": variant.sentence})
    show(rows, json_)


@app.command()
def steer(
    image: Annotated[Path, typer.Argument(help="A JPEG, PNG or WebP file.")],
    model: Model,
    prompt: Prompt,
    epsilon: Annotated[float | None, typer.Option(help="Step, feature-norm units.")] = None,
    image_score: Annotated[float | None, typer.Option(help="Wanted IS, degrees.")] = None,
    reference: Ref = "mini",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Step along the concept gradient inside the null space (eq. 13)."""
    from sing_core.analysis import steer_image

    if (epsilon is None) == (image_score is None):
        raise typer.TyperException("Give either --epsilon or --image-score.")
    settings = Settings()
    bench = open_bench(settings)
    result = steer_image(
        bench, open_photo(image, settings), model=model, prompt=prompt,
        reference=reference, epsilon=epsilon, target_deg=image_score,
        variant=chosen_variant(bench, model, classes, centred, threshold),
    )  # fmt: skip
    show([asdict(result)], json_)


@app.command()
def sweep(
    image: Annotated[Path, typer.Argument(help="A JPEG, PNG or WebP file.")],
    model: Model,
    prompt: Prompt,
    steps: Annotated[int, typer.Option(min=2, max=10_001, help="Number of steps.")] = 41,
    reference: Ref = "mini",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    json_: Json = False,
) -> None:
    """Print AS(ε) and IS(ε) along the concept gradient."""
    from sing_core.analysis import analyse_image

    settings = Settings()
    bench = open_bench(settings)
    report = analyse_image(
        bench, open_photo(image, settings), model=model, prompt=prompt,
        reference=reference, target_deg=None, steps=steps,
        variant=chosen_variant(bench, model, classes, centred, threshold),
    )  # fmt: skip
    if report.sweep is None:
        raise SingError(report.no_sweep_reason)
    columns = ("epsilon", "image_score_deg", "attribute_score_deg", "max_logit_drift")
    values = {name: list(getattr(report.sweep, name)) for name in columns}
    if json_:
        show([values], json_)
    else:
        show(
            [dict(zip(columns, row, strict=True)) for row in zip(*values.values(), strict=True)],
            json_,
        )


@app.command()
def features(images: Images, model: Model, out: Out, json_: Json = False) -> None:
    """Write `features` (n, m) and `logits` (n, c) of the images."""
    from sing_core.export import write_features

    settings = Settings()
    show([write_features(open_bench(settings), images, model, out)], json_)


@app.command()
def embed(
    out: Out,
    image: Annotated[list[Path] | None, typer.Option(help="Image file; repeatable.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Prompt; repeatable.")] = None,
    reference: Ref = "mini",
    json_: Json = False,
) -> None:
    """Write raw `embeddings` (n, d) of images or of texts."""
    from sing_core.export import write_embeddings

    if bool(image) == bool(text):
        raise typer.TyperException("Give --image or --text, one of the two, as often as needed.")
    bench = open_bench(Settings())
    show([write_embeddings(bench, image or [], text or [], reference, out)], json_)


@app.command()
def export(model: Model, out: Out, reference: Ref = "mini", json_: Json = False) -> None:
    """Write head, null basis and translator of a model as one safetensors file."""
    from sing_core.export import write_export

    show([write_export(open_bench(Settings()), model, reference, out)], json_)


@app.command()
def warm(json_: Json = False) -> None:
    """Compute once what every start needs: head splits, the vocabulary, the samples' features."""
    from sing_core.export import warm_up

    show(list(warm_up(open_bench(Settings()), Console(stderr=True))), json_)


@app.command()
def doctor(json_: Json = False) -> None:
    """Say what works here and why something does not."""
    from sing_core.doctor import examine

    rows = examine(Settings())
    show(rows, json_)
    if not all(row["ok"] for row in rows):
        raise SystemExit(1)
