"""A talk: which scenes there are, in which order, and whether each of them can be played.

Scenes that ship lie in ``assets/scenes``; a person's own, and their order, in the cache folder,
where they win over shipped ones of the same name.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import SceneError, StaleArtefactError
from sing_core.files.atomic import write_atomically
from sing_core.models import registry
from sing_core.models.library import is_here, reference_is_here
from sing_core.talk.recording import Recording, recording_from_json
from sing_core.talk.scene import Scene, check_name, scene_from_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sing_core.settings import Settings

FOLDER = "scenes"
_SCENE, _RECORDING, _ORDER = ".scene.json", ".recording.json", "talk.json"
_MAX_BYTES = 32 * 2**20


def folders(settings: "Settings") -> tuple[Path, Path]:
    """Return where the person's own scenes lie, and those that ship: the first one wins."""
    return settings.cache_dir / FOLDER, settings.assets_dir / FOLDER


def scene_names(settings: "Settings") -> tuple[str, ...]:
    """Return the names of all scenes: first those of the talk, in its order."""
    ordered = talk(settings)
    found = {
        path.name.removesuffix(_SCENE)
        for folder in folders(settings)
        for path in folder.glob(f"*{_SCENE}")
    }
    return (*ordered, *sorted(found - set(ordered)))


def talk(settings: "Settings") -> tuple[str, ...]:
    """Return the names of the talk's scenes, in order; those that are gone are left out."""
    for folder in folders(settings):
        path = folder / _ORDER
        if path.is_file():
            return tuple(name for name in _order_in(path) if _find(settings, name, _SCENE))
    return ()


def _order_in(path: Path) -> list[str]:
    try:
        names = json.loads(path.read_bytes())["scenes"]
        return [check_name(name) for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise SceneError(f"{path.name}, the order of the talk, is damaged.") from error


def save_order(settings: "Settings", names: "Sequence[str]") -> None:
    """Keep the talk's scenes and their order.

    Raises:
        SceneError: a scene is not there, or stands twice.
    """
    for name in names:
        load_scene(settings, name)
    if len(set(names)) < len(names):
        raise SceneError("A scene stands twice in the talk.")
    text = json.dumps({"scenes": list(names)}, indent=1) + "\n"
    write_atomically(folders(settings)[0] / _ORDER, text.encode())


def load_scene(settings: "Settings", name: str) -> Scene:
    """Return the scene called ``name``.

    Raises:
        SceneError: there is none, or its file is no scene.
    """
    path = _find(settings, check_name(name), _SCENE)
    if path is None:
        known = ", ".join(scene_names(settings)) or "none"
        raise SceneError(f"No scene is called {name}. There are: {known}.")
    return scene_from_json(path.read_bytes())


def save_scene(settings: "Settings", scene: Scene) -> None:
    """Keep ``scene`` as the person's own and put it at the end of the talk, if it is new there."""
    path = folders(settings)[0] / f"{scene.name}{_SCENE}"
    write_atomically(path, scene.to_json().encode())
    names = talk(settings)
    if scene.name not in names:
        save_order(settings, (*names, scene.name))


def remove_scene(settings: "Settings", name: str) -> None:
    """Take a scene out of the talk; the person's own file of it goes, one that ships stays."""
    save_order(settings, [other for other in talk(settings) if other != name])
    for kind in (_SCENE, _RECORDING):
        (folders(settings)[0] / f"{check_name(name)}{kind}").unlink(missing_ok=True)


def load_recording(settings: "Settings", scene: Scene) -> Recording | None:
    """Return the recording of ``scene``, with its words; None while there is none that fits.

    Raises:
        StaleArtefactError: its file is damaged.
    """
    for folder in folders(settings):
        path = folder / f"{scene.name}{_RECORDING}"
        if path.is_file() and path.stat().st_size <= _MAX_BYTES:
            found = recording_from_json(path.read_bytes(), scene.name)
            if found.fits(scene):
                return found.worded(scene)
    return None


def save_recording(recording: Recording, folder: Path) -> None:
    """Write a recording beside its scene in ``folder``."""
    path = folder / f"{recording.scene.name}{_RECORDING}"
    write_atomically(path, recording.to_json().encode())


def save_talk(scenes: "Sequence[Scene]", folder: Path) -> None:
    """Write ``scenes`` and their order into ``folder``."""
    for scene in scenes:
        write_atomically(folder / f"{scene.name}{_SCENE}", scene.to_json().encode())
    order = json.dumps({"scenes": [scene.name for scene in scenes]}, indent=1) + "\n"
    write_atomically(folder / _ORDER, order.encode())


def _find(settings: "Settings", name: str, kind: str) -> Path | None:
    paths = (folder / f"{name}{kind}" for folder in folders(settings))
    return next((path for path in paths if path.is_file()), None)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a talk can begin.

    Attributes:
        recordings: of the scenes that can be played, in order.
        problems: one sentence for each scene that cannot.
        offline: whether everything that the scenes name is on this machine, so that questions of
            the audience need no network either.
    """

    recordings: tuple[Recording, ...]
    problems: tuple[str, ...]
    offline: bool

    @property
    def sentence(self) -> str:
        """“8 of 8 scenes ready, offline”."""
        total = len(self.recordings) + len(self.problems)
        where = "offline" if self.offline else "some weights are not on this machine"
        return f"{len(self.recordings)} of {total} scenes ready, {where}"


def readiness(settings: "Settings") -> Readiness:
    """Look at every scene of the talk: its recording, its pictures, its weights."""
    recordings, problems, needed = [], [], set()
    for name in talk(settings):
        try:
            scene = load_scene(settings, name)
            found = load_recording(settings, scene)
        except (SceneError, StaleArtefactError) as error:
            problems.append(str(error))
            continue
        needed.add((scene.model, scene.reference))
        if found is None or not found.has_pictures:
            problems.append(f"{name}: not recorded yet.")
        else:
            recordings.append(found)
    offline = all(_is_here(model, reference, settings) for model, reference in needed)
    return Readiness(tuple(recordings), tuple(problems), offline)


def _is_here(model: str, reference: str, settings: "Settings") -> bool:
    entry, space = (
        registry.find_model(model, settings),
        registry.find_reference(reference, settings),
    )
    if entry is None or space is None:
        return False
    return is_here(entry, settings) and reference_is_here(space, settings)
