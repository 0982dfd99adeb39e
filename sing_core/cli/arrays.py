"""Commands that write arrays: features, embeddings, a head with its null basis and translator."""

from pathlib import Path
from typing import Annotated

import typer

from sing_core.cli.app import Images, Json, Model, Out, Ref, app, open_bench, show, there
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings


@app.command()
def features(images: Images, model: Model, out: Out, json_: Json = False) -> None:
    """Write `features` (n, m) and `logits` (n, c) of the images."""
    from sing_core.studies.export import write_features

    settings = Settings()
    show([write_features(open_bench(settings), images, model, out)], json_)


@app.command()
def embed(
    out: Out,
    image: Annotated[
        list[Path] | None, typer.Option(help="Image file; repeatable.", callback=there)
    ] = None,
    text: Annotated[list[str] | None, typer.Option(help="Prompt; repeatable.")] = None,
    reference: Ref = DEFAULT_REFERENCE,
    json_: Json = False,
) -> None:
    """Write raw `embeddings` (n, d) of images or of texts."""
    from sing_core.studies.export import write_embeddings

    if bool(image) == bool(text):
        raise typer.TyperException("Give --image or --text, one of the two, as often as needed.")
    bench = open_bench(Settings())
    show([write_embeddings(bench, image or [], text or [], reference, out)], json_)


@app.command()
def export(model: Model, out: Out, reference: Ref = DEFAULT_REFERENCE, json_: Json = False) -> None:
    """Write head, null basis and translator of a model as one safetensors file."""
    from sing_core.studies.export import write_export

    show([write_export(open_bench(Settings()), model, reference, out)], json_)
