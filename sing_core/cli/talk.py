"""Commands on talks: the scenes and what holds of them, one as a file, all of them as a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sing_core.cli.app import Json, app, open_bench, show, tell
from sing_core.errors import SceneError
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.talk.recording import Recording
    from sing_core.talk.scene import Scene

Name = Annotated[str, typer.Argument(help="A scene, see `scenes`.")]


@app.command()
def scenes(json_: Json = False) -> None:
    """List the scenes with what holds of each: its pictures are read anew by every network."""
    from sing_core.talk.script import load_scene, scene_names

    settings = Settings()
    bench, rows = open_bench(settings), []
    found = [load_scene(settings, name) for name in scene_names(settings)]
    for number, scene in enumerate(found, 1):
        if not json_:
            tell(f"Reading the pictures of {scene.name}, scene {number} of {len(found)} …")
        rows.append(_row(bench, scene))
        if json_:  # whoever reads lines need not wait for the last one
            show(rows[-1:], json_)
    if not json_:
        show(rows, json_)


def _row(bench: "Workbench", scene: "Scene") -> dict[str, Any]:
    from sing_core.talk.rows import scene_row
    from sing_core.talk.script import load_recording

    return scene_row(bench, scene, load_recording(bench.settings, scene))


@app.command()
def export_scene(
    name: Name,
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    json_: Json = False,
) -> None:
    """Write a scene as one HTML file that plays without server and network."""
    from sing_core.talk import bundle
    from sing_core.talk.script import load_scene

    settings = Settings()
    recording = _recorded(settings, load_scene(settings, name))
    bundle.export_scene(recording, out)
    size = out.stat().st_size
    show([{"out": str(out), "scene": name, "kilobytes": round(size / 1024, 1)}], json_)


@app.command()
def pack(
    out: Annotated[Path, typer.Option(help="Folder to write; new, or an older pack.")],
    json_: Json = False,
) -> None:
    """Write the talk as a folder that runs on a machine without network."""
    from sing_core.models.embedded import assemble
    from sing_core.talk import bundle
    from sing_core.talk.script import load_scene, talk

    settings = Settings()
    assemble(settings)
    for name in talk(settings):
        _recorded(settings, load_scene(settings, name))
    show([bundle.pack(settings, out)], json_)


def _recorded(settings: Settings, scene: "Scene") -> "Recording":
    """Return the scene's recording, made now where there is none that fits."""
    from sing_core.pictures.studio import Studio
    from sing_core.talk.camera import record
    from sing_core.talk.scene import photo_of
    from sing_core.talk.script import folders, load_recording, save_recording

    found = load_recording(settings, scene)
    if found is not None and found.has_pictures:
        return found
    tell(f"Recording {scene.name}: its pictures are drawn, which takes a minute or two.")
    bench = open_bench(settings)
    made = record(Studio(bench), scene, photo_of(bench, scene))
    save_recording(made, folders(settings)[0])
    if not made.has_pictures:
        raise SceneError(f"The scene {scene.name} has no pictures.")
    return made
