"""The command line: ``python -m sing_core …``, the same verbs as the pages.

A table for people by default; ``--json`` prints one JSON object per line. Errors go to stderr (with
``--json`` as ``{"error": kind, "message": text}``) and end with exit code 2.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sing_core.errors import UnsupportedImageError
from sing_core.models.device import prepare_torch
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.files.images import Photo
    from sing_core.models.workbench import Workbench
    from sing_core.sets.chunks import Problem


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What can this classifier not see? Null space, translators and scores.",
)


def called_so(model: str) -> str:
    """Refuse a name that no classifier has before anything heavy is imported."""
    from sing_core.models.names import refuse_unknown

    refuse_unknown(model, Settings())
    return model


def there(files: list[Path] | Path | None) -> list[Path] | Path | None:
    """Refuse a file that cannot be opened before anything is computed."""
    from sing_core.files.regular import open_regular

    for path in [files] if isinstance(files, Path) else files or []:
        open_regular(path).close()
    return files


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
Images = Annotated[list[Path], typer.Argument(help="JPEG, PNG or WebP files.", callback=there)]
Image = Annotated[Path, typer.Argument(help="A JPEG, PNG or WebP file.", callback=there)]
Model = Annotated[str, typer.Option(help="Classifier, see `models`.", callback=called_so)]
Prompt = Annotated[str, typer.Option(help="Text target, e.g. “an image of a jellyfish”.")]
Ref = Annotated[
    str,
    typer.Option(
        "--reference",
        help="Image-text space, see `references`; centred:NAME takes its mean embedding away.",
    ),
]
MOST_STEP = 1e9  # as in a link to Explore
Out = Annotated[Path, typer.Option(help="Safetensors file to write.")]
Row = Mapping[str, Any]
NOTHING = "–"  # in a cell that has no value
_NAMED = 20
_WRAPPED = 24  # longer cells may be broken into lines


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
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return " ".join(map(_cell, value.values())) if isinstance(value, dict) else str(value)


def lead(answer: str) -> None:
    """Print what an answer says first and how much that is, made for Markdown, above its table."""
    from sing_core.leakage.phrases import unmarked

    for paragraph in answer.split("\n\n")[:2]:
        typer.echo(f"{unmarked(paragraph)}\n")


def open_bench(settings: Settings) -> "Workbench":
    """Return a workbench of this process; nothing is loaded yet."""
    from sing_core.files.store import Store
    from sing_core.models.pool import ModelPool
    from sing_core.models.workbench import Workbench

    prepare_torch(settings)
    return Workbench(settings, ModelPool(settings, tell=tell), Store(settings.cache_dir))


def tell(note: str) -> None:
    """Print a sentence that belongs to no row on stderr."""
    typer.echo(note, err=True)


def name_problems(problems: "Sequence[Problem]") -> None:
    """Name the images that could not be used on stderr, the first ones one by one."""
    for problem in problems[:_NAMED]:
        tell(f"{problem.name}: {problem.reason}")
    if len(problems) > _NAMED:
        tell(f"… and {len(problems) - _NAMED:,} more.")


def open_photo(path: Path, settings: Settings) -> "Photo":
    """Decode an image file within the limits of ``settings``."""
    from sing_core.files.images import decode_image
    from sing_core.files.regular import MOST_IMAGE_BYTES, read_regular

    try:
        return decode_image(read_regular(path, MOST_IMAGE_BYTES), max_pixels=settings.max_pixels)
    except UnsupportedImageError as error:
        raise UnsupportedImageError(f"{path.name}: {error}") from error


ModelName = Annotated[str, typer.Option("--model", help="Classifier, see `models`, or timm name.")]
AtMost = Annotated[int, typer.Option(min=2, help="Most images to look at, evenly spread.")]
Set = Annotated[str, typer.Option("--set", help="Prepared set, see `image-sets`.")]


def _once(models: list[str] | None) -> list[str] | None:
    """Drop what was named twice, and say so: nothing differs from itself."""
    named = list(dict.fromkeys(models or []))
    for name in named:
        if models and models.count(name) > 1:
            tell(f"{name} was named more than once; it counts once.")
    return named or models


Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="Classifier; repeatable.", callback=_once),
]
SeveralModels = Annotated[
    list[str], typer.Option("--model", help="Classifier; repeatable.", callback=_once)
]
