"""The commands ``render`` and ``renderers``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sing_core.cli.app import MOST_STEP, Json, Ref, app, open_bench, open_photo, show, there
from sing_core.cli.variants import Centred, Classes, Threshold, chosen_variant
from sing_core.errors import RenderError
from sing_core.files.atomic import write_atomically
from sing_core.files.regular import open_regular
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.pictures.catalogue import INVERSION, KARLO, RENDERERS, find_renderer
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sing_core.pictures.audit import PictureAudit
    from sing_core.pictures.protocol import Frames, Renderer
    from sing_core.pictures.studio import Studio
    from sing_core.studies.question import Question
    from sing_core.studies.strips import Strip

OutDir = Annotated[Path, typer.Option(help="Folder for the PNG files and manifest.json.")]
MaybeImages = Annotated[
    list[Path] | None, typer.Argument(help="JPEG, PNG or WebP files.", callback=there)
]
Embeddings = Annotated[
    Path | None, typer.Option(help="Safetensors with `embeddings`.", callback=there)
]
Steps = Annotated[
    list[float] | None, typer.Option(min=-MOST_STEP, max=MOST_STEP, help="Step; repeatable.")
]
_ROWS = 72  # pictures that are drawn together: eight batches of the network
Name = Annotated[str, typer.Option("--renderer", help="See `renderers`.")]
Beside = Annotated[
    bool, typer.Option("--controls", help="Beside equally long controls, with four seeds.")
]


@app.command()
def renderers(json_: Json = False) -> None:
    """List what can draw features or embeddings."""
    settings = Settings()
    reasons = [(entry, entry.why_missing(settings)) for entry in RENDERERS]
    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "source": entry.source,
            "available": reason is None,
            "licence": entry.licence,
            "reason": reason or "",
        }
        for entry, reason in reasons
    ]
    show(rows, json_)


@app.command()
def render(
    out: OutDir,
    images: MaybeImages = None,
    model: Annotated[str, typer.Option(help="Classifier, see `models`.")] = "lite0",
    prompt: Annotated[str, typer.Option(help="Text target.")] = "",
    epsilon: Steps = None,
    embeddings: Embeddings = None,
    renderer: Name = INVERSION.name,
    feasible: Annotated[bool, typer.Option(help="Steer inside what the network can make.")] = False,
    controls: Beside = False,
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the random draws.")] = 0,
    size: Annotated[int, typer.Option(min=0, help="Side in pixels; 0 takes the largest.")] = 0,
    reference: Ref = DEFAULT_REFERENCE,
    json_: Json = False,
) -> None:
    """Draw features along a null step, or rows of embeddings, as PNG files with a manifest.

    Many images are drawn in shared batches.
    """
    from sing_core.pictures.studio import Studio
    from sing_core.studies.question import Question

    _check_names(images or [], epsilon or [])
    studio = Studio(open_bench(Settings()))
    if embeddings is not None:
        rows = _render_embeddings(studio, embeddings, renderer, seed, size, out)
    elif images and prompt and epsilon:
        variant = chosen_variant(studio.bench, model, classes, centred, threshold)
        question = Question(model, prompt, reference=reference, variant=variant)
        drawer = studio.renderer(renderer, model, reference)
        work = _render_beside if controls else _render_images
        rows = work(studio, drawer, images, question, epsilon, feasible, seed, size, out)
    else:
        raise typer.TyperException("Give images with --prompt and --epsilon, or --embeddings.")
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(out / "manifest.json", text.encode())
    show(rows, json_)


def _check_names(images: list[Path], steps: list[float]) -> None:
    names = [_file_name(path, step) for path in images for step in steps]
    if twice := {name for name in names if names.count(name) > 1}:
        raise RenderError(
            f"Two pictures would be called {sorted(twice)[0]}: give images of different names and "
            "steps that differ in six digits, or another folder."
        )


def _file_name(path: Path, step: float, rest: str = "") -> str:
    return f"{path.stem}_{step:g}{rest}.png"


def _render_images(
    studio: "Studio", drawer: "Renderer", images: list[Path], question: "Question",
    epsilon: list[float], feasible: bool, seed: int, size: int, out: Path,
) -> list[dict[str, Any]]:  # fmt: skip
    """Draw every image at every step; return the manifest's rows."""
    from sing_core.studies.strips import at_steps
    from sing_core.studies.subject import Subject

    side, strips, requests = size or drawer.sizes[-1], [], []
    for path in images:
        photo = open_photo(path, studio.bench.settings)
        subject = Subject.of(studio.bench, photo, question)
        strip = at_steps(subject, epsilon, feasible=feasible)
        strips.append((path, subject, strip))
        requests.append(studio.request(drawer, subject, strip.features, seed=seed, size=side))
    together = max(1, _ROWS // len(epsilon))
    rows: list[dict[str, Any]] = []
    for first in range(0, len(images), together):
        chosen = slice(first, first + together)
        drawn = studio.draw_all(drawer, requests[chosen])
        for (path, subject, strip), frames in zip(strips[chosen], drawn, strict=True):
            audits = studio.audit(subject, frames, strip.features)
            names = [_file_name(path, step) for step in strip.epsilon]
            found = _manifest(names, path, strip, frames, audits, out)
            rows += [row | {"seed": seed, "renderer": drawer.name} for row in found]
    return rows


def _render_beside(
    studio: "Studio", drawer: "Renderer", images: list[Path], question: "Question",
    epsilon: list[float], feasible: bool, seed: int, size: int, out: Path,
) -> list[dict[str, Any]]:  # fmt: skip
    """Draw every image at every step beside its controls, seed by seed; return the rows."""
    from sing_core.pictures.work import seeds_beside
    from sing_core.studies.strips import CONTROLS, beside_controls
    from sing_core.studies.subject import Subject

    rows: list[dict[str, Any]] = []
    side = size or drawer.sizes[-1]
    for path in images:
        subject = Subject.of(studio.bench, open_photo(path, studio.bench.settings), question)
        for step in epsilon:
            strip = beside_controls(subject, step, feasible=feasible)
            for own in seeds_beside(drawer.name, seed):
                request = studio.request(drawer, subject, strip.features, seed=own, size=side)
                frames = studio.draw(drawer, request).frames
                audits = studio.audit(subject, frames, strip.features)
                names = [_file_name(path, step, f"_{kind}_{own}") for kind in CONTROLS]
                found = _manifest(names, path, strip, frames, audits, out)
                rows += [
                    {"control": kind} | row | {"seed": own, "renderer": drawer.name}
                    for kind, row in zip(CONTROLS, found, strict=True)
                ]
    return rows


def _manifest(
    names: list[str], path: Path, strip: "Strip", frames: "Frames",
    audits: "Sequence[PictureAudit]", out: Path,
) -> list[dict[str, Any]]:  # fmt: skip
    """Write the pictures of one image; return what is known of each."""
    rows = []
    for row, (name, step) in enumerate(zip(names, strip.epsilon, strict=True)):
        _write_png(out / name, frames[row])
        rows.append(
            {
                "file": name,
                "image": path.name,
                "epsilon": step,
                "cosine": audits[row].cosine,
                "picture_max_logit_drift": audits[row].max_logit_drift,
                "picture_top1": audits[row].top1,
                "picture_top1_agrees": audits[row].agrees,
                "feature_max_logit_drift": strip.max_logit_drift[row],
                "infeasible_share": strip.infeasible_share[row] if strip.infeasible_share else None,
                "image_score_deg": strip.image_score_deg[row],
                "attribute_score_deg": strip.attribute_score_deg[row],
                "prompt_cosine": audits[row].prompt_cosine,
            }
        )
    return rows


def _render_embeddings(
    studio: "Studio", path: Path, renderer: str, seed: int, size: int, out: Path
) -> list[dict[str, Any]]:
    """Draw every row of ``embeddings``; return the manifest's rows."""
    from safetensors import SafetensorError, safe_open

    from sing_core.pictures.protocol import RenderRequest

    if find_renderer(renderer) is not KARLO:
        raise RenderError(
            "Inversion draws features over a photo, and neighbours are looked for by a "
            "classifier's features; give images, not embeddings."
        )
    drawer = studio.renderer(renderer, "")
    open_regular(path).close()
    try:
        with safe_open(path, framework="pt") as file:
            vectors = file.get_tensor("embeddings")
            space = (file.metadata() or {}).get("space_id", "")
    except SafetensorError as error:
        raise RenderError(f"{path.name} is no safetensors file with `embeddings`.") from error
    request = RenderRequest(vectors, space, seed, size or drawer.sizes[-1])
    frames = studio.draw(drawer, request).frames
    rows = []
    for row, frame in enumerate(frames):
        _write_png(out / f"{row:06d}.png", frame)
        rows.append({"file": f"{row:06d}.png", "row": row, "seed": seed, "renderer": drawer.name})
    return rows


def _write_png(path: Path, frame: "Frames") -> None:
    import io

    from PIL import Image

    payload = io.BytesIO()
    Image.fromarray(frame).save(payload, "PNG")
    write_atomically(path, payload.getvalue())
