"""A talk to take along: scenes as files without network, and a folder that runs without it.

The HTML export is one file: the player, the numbers at every step and the pictures. The pack is a
folder with that file for every scene, the program, its weights, and the list of wheels to install.
"""

import importlib.metadata
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import sing_core
from sing_core.errors import SceneError
from sing_core.files.atomic import write_atomically
from sing_core.files.joined_script import joined_script
from sing_core.talk.recording import Recording
from sing_core.talk.script import FOLDER, readiness, save_recording, save_talk

if TYPE_CHECKING:
    from sing_core.settings import Settings

_PLAYER = Path(__file__).parent / "player"
_ROOT = Path(sing_core.__file__).parent.parent
# What a dashboard needs of the checkout; tests and benchmarks stay at home.
_PROGRAM = ("app.py", "serve.py", "pages", "sing_core", "assets", ".streamlit", "requirements.txt")
_KEPT = ("mini", "head", "vocabulary", "texts", "features", "translators")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>html, body {{ margin: 0; background: #0b0e12; }}
{css}</style></head>
<body><main id="player">
{html}</main>
<script type="application/json" id="talk">{data}</script>
<script type="module">
{script}
player({{
  parentElement: document.getElementById("player"),
  data: JSON.parse(document.getElementById("talk").textContent),
}});
</script></body></html>
"""
_README = """A talk of SING Explorer: {count} scenes.

talk.html                 the whole talk in one file: open it in a browser, nothing else is needed
html/                     one file a scene, for a slide or a web page
scenes (assets/scenes)    the scenes, their order, their recordings with every picture
cache/                    weights and what every start needs
wheels.txt                the packages to install

To run the dashboard, with live questions, on a machine without network:

  with network:     pip download -r wheels.txt -d wheels
  without network:  python -m venv .venv
                    .venv/bin/pip install --no-index --find-links wheels -r wheels.txt
                    SING_OFFLINE=1 .venv/bin/python serve.py
                    then open http://127.0.0.1:8501/?stage=1
"""


def player_parts() -> tuple[str, str, str]:
    """Return the player's HTML, CSS and JavaScript, the last as one module."""
    html = (_PLAYER / "player.html").read_text("utf-8")
    css = (_PLAYER / "player.css").read_text("utf-8")
    return html, css, joined_script(_PLAYER / "player.mjs")


def scene_page(recordings: Sequence[Recording], title: str) -> str:
    """Return a page that plays ``recordings`` from a file, without a reference to the network.

    Raises:
        SceneError: there is nothing to play, or one has no pictures yet.
    """
    if not recordings or not all(found.has_pictures for found in recordings):
        raise SceneError("Only scenes that are recorded, pictures included, can be exported.")
    html, css, script = player_parts()
    data = {"view": "stage", "live": False, "scenes": [found.payload for found in recordings]}
    # As data inside a script element: no “<” can end it, and none is markup.
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return _PAGE.format(title=escape(title), css=css, html=html, data=text, script=script)


def export_scene(recording: Recording, out: Path) -> None:
    """Write one scene as one file.

    Raises:
        SceneError: it has no pictures yet.
    """
    title = recording.scene.caption or recording.scene.name
    write_atomically(out, scene_page([recording], title).encode())


def pack(settings: "Settings", out: Path) -> dict[str, object]:
    """Write the talk into the folder ``out``; return what went into it.

    Raises:
        SceneError: a scene of the talk is not recorded, or ``out`` holds something else.
    """
    found = readiness(settings)
    if found.problems or not found.recordings:
        why = " ".join(found.problems) or "The talk has no scenes."
        raise SceneError(f"The talk is not ready to be packed. {why}")
    if out.exists() and any(out.iterdir()) and not (out / "talk.html").is_file():
        raise SceneError(f"The folder {out} holds something else: give a new one.")
    out.mkdir(parents=True, exist_ok=True)
    _copy_program(out)
    _copy_weights(settings, out / "cache")
    shutil.rmtree(out / "assets" / FOLDER, ignore_errors=True)
    _write_scenes(found.recordings, out)
    wheels = sorted(wheel_names())
    write_atomically(out / "wheels.txt", ("\n".join(wheels) + "\n").encode())
    write_atomically(out / "README.txt", _README.format(count=len(found.recordings)).encode())
    files = [path for path in out.rglob("*") if path.is_file()]
    return {
        "out": str(out),
        "scenes": [recording.scene.name for recording in found.recordings],
        "files": len(files),
        "megabytes": round(sum(path.stat().st_size for path in files) / 2**20, 1),
        "wheels": len(wheels),
    }


def _write_scenes(recordings: Sequence[Recording], out: Path) -> None:
    save_talk([recording.scene for recording in recordings], out / "assets" / FOLDER)
    for recording in recordings:
        save_recording(recording, out / "assets" / FOLDER)
        export_scene(recording, out / "html" / f"{recording.scene.name}.html")
    write_atomically(out / "talk.html", scene_page(recordings, "A talk").encode())


def _copy_program(out: Path) -> None:
    for name in _PROGRAM:
        source = _ROOT / name
        if source.is_dir():
            skip = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, out / name, ignore=skip, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy2(source, out / name)


def _copy_weights(settings: "Settings", cache: Path) -> None:
    """Copy weights with their receipts, times kept: a receipt holds for an unchanged file alone."""
    for kind in _KEPT:
        source = settings.cache_dir / kind
        if source.is_dir():
            skip = shutil.ignore_patterns("*.lock", ".*.tmp")
            shutil.copytree(source, cache / kind, ignore=skip, dirs_exist_ok=True)


def wheel_names() -> set[str]:
    """Return ``name==version`` of every installed package that the dashboard needs."""
    lines = (_ROOT / "requirements.txt").read_text("utf-8").splitlines()
    found: dict[str, str] = {}
    waiting = [match[0] for line in lines if (match := _NAME.match(line))]
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        found[key] = f"{package.metadata['Name']}=={package.version}"
        waiting += _needed(package)
    return set(found.values())


def _needed(package: importlib.metadata.Distribution) -> Iterator[str]:
    """Yield what ``package`` needs here, without extras."""
    from packaging.requirements import Requirement

    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name
