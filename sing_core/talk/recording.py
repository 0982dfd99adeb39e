"""A recorded scene: every number of its sweep and its pictures, all that a player needs.

A recording is one JSON object, so that a page, a file for a slide and a machine without network
play the same thing. It is made once; whoever plays it computes nothing.
"""

import base64
import io
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from sing_core.errors import SceneError, StaleArtefactError
from sing_core.files.seals import SEAL, sealed, unsealed
from sing_core.pictures.protocol import Frames
from sing_core.talk.scene import Scene, scene_from_fields

VERSION = 1
_WEBP = {"quality": 92, "method": 6}
_URL = "data:image/webp;base64,"


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A scene as it is played.

    Attributes:
        scene: what was recorded.
        payload: numbers, words and pictures, as ``player/player.mjs`` takes them.
    """

    scene: Scene
    payload: dict[str, Any]

    @property
    def has_pictures(self) -> bool:
        """Whether pictures were drawn; numbers alone are played while they are being drawn."""
        return bool(self.payload["frames"])

    def fits(self, scene: Scene) -> bool:
        """Whether numbers and pictures are still those of ``scene``."""
        return bool(self.payload["key"] == scene.key)

    def frames(self) -> Frames:
        """Return the pictures ``(k, h, w, 3)`` as they are shown, the step's own at the end.

        Raises:
            SceneError: there are none.
        """
        if not self.has_pictures:
            raise SceneError(f"The scene {self.scene.name} has no pictures yet.")
        return np.stack([from_url(frame["src"]) for frame in self.payload["frames"]])

    @property
    def pair(self) -> tuple[int, int]:
        """The rows of ``frames`` that show the feature and the scene's own step."""
        places = [frame["index"] for frame in self.payload["frames"]]
        return 0, places.index(self.payload["start"])

    def worded(self, scene: Scene) -> "Recording":
        """Return the same numbers and pictures with the words of ``scene``."""
        return Recording(scene, self.payload | words_of(scene))

    def to_json(self) -> str:
        """Return the recording as the text of its file."""
        return json.dumps(sealed(self.payload), ensure_ascii=False, allow_nan=False) + "\n"


def recording_from_json(text: str | bytes, name: str) -> Recording:
    """Return the recording in a file's text.

    Raises:
        StaleArtefactError: it is damaged, or of another version.
    """
    try:
        payload = json.loads(text)
        if SEAL in payload:  # earlier versions wrote none
            payload = unsealed(payload)
        scene = scene_from_fields(payload["scene"])
        if payload["version"] != VERSION:
            raise StaleArtefactError(f"The recording of {name} is of another version: record it.")
    except (ValueError, KeyError, TypeError, SceneError) as error:
        raise StaleArtefactError(f"The recording of {name} is damaged: record it again.") from error
    return Recording(scene, payload)


def words_of(scene: Scene) -> dict[str, Any]:
    """Return what of a payload is the scene's own: its fields and its name."""
    return {"scene": asdict(scene), "name": scene.name}


def to_url(frame: Frames) -> str:
    """Return ``frame (h, w, 3)`` as a data URL, small enough to ship."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "WEBP", **_WEBP)
    return _URL + base64.b64encode(buffer.getvalue()).decode()


def from_url(url: str) -> Frames:
    """Return the picture ``(h, w, 3)`` of such a data URL."""
    payload = base64.b64decode(url.removeprefix(_URL), validate=True)
    with Image.open(io.BytesIO(payload), formats=["WEBP"]) as picture:
        return np.asarray(picture.convert("RGB"))
