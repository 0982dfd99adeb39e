"""A scene of a talk: one question about one photo, with the words that are said beside it.

A scene is a small JSON file that people write, send and edit; whatever is in it is data, checked
here and never trusted.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from sing_core.errors import SceneError
from sing_core.files.digests import content_key
from sing_core.files.images import Photo, decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.maths.head_variants import HeadVariant
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.pictures.catalogue import INVERSION
from sing_core.studies.question import MODES, Mode, Question

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench

Drawn = Literal["asked", "feasible"]
DRAWN: tuple[Drawn, ...] = get_args(Drawn)
STEPS = 161  # of a sweep: a player stops at 40°, about a third of the way
UPLOADS = "uploads"  # the kind of store entry under which uploaded photos lie by their digest
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_LONGEST = {
    "photo": 64,
    "model": 300,
    "prompt": 300,
    "reference": 300,
    "renderer": 40,
    "caption": 300,
}
_NOTES_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene.

    Attributes:
        name: what the file is called: small letters, digits, hyphens.
        photo: name of a sample photo, or SHA-256 of an uploaded one.
        model: classifier; ``reference``: image-text space, both by name.
        prompt: the text target; ``mode``: ``steer`` or ``remove``.
        epsilon: the step to begin with, feature-norm units; None: that of an image score of 40°.
        classes: indices of the classes that decide; () for all. ``centred`` and ``threshold``: as
            in ``HeadVariant``.
        renderer: who draws the pictures, see ``renderers``.
        drawn: whether pictures show the asked step or the part of it that a network can produce.
        caption: the line for the room; ``notes``: what only the speaker sees.
    """

    name: str
    photo: str
    model: str
    prompt: str
    mode: Mode = "steer"
    epsilon: float | None = None
    classes: tuple[int, ...] = ()
    centred: bool = False
    threshold: float = 0.0
    reference: str = DEFAULT_REFERENCE
    renderer: str = INVERSION.name
    drawn: Drawn = "feasible"
    caption: str = ""
    notes: str = ""

    def __post_init__(self) -> None:
        """Check what can be checked without a network.

        Raises:
            SceneError: a value that no scene can have.
        """
        check_name(self.name)
        for field, most in _LONGEST.items():
            if len(getattr(self, field)) > most:
                raise SceneError(f"The {field} of a scene has at most {most} characters.")
        if len(self.notes) > _NOTES_CHARS:
            raise SceneError(f"The notes of a scene have at most {_NOTES_CHARS} characters.")
        if not (self.photo and self.model and self.prompt):
            raise SceneError("A scene names a photo, a classifier and a prompt.")
        if self.mode not in MODES or self.drawn not in DRAWN:
            raise SceneError(
                f"A scene's mode is one of {', '.join(MODES)}, and what is drawn one of "
                f"{', '.join(DRAWN)}."
            )

    @property
    def variant(self) -> HeadVariant:
        """Which null space of the head."""
        return HeadVariant(self.classes, self.centred, self.threshold)

    @property
    def question(self) -> Question:
        """What the scene asks about its photo, looked at its own step."""
        return Question(
            self.model,
            self.prompt,
            self.mode,
            self.reference,
            epsilon=self.epsilon,
            steps=STEPS,
            variant=self.variant,
        )

    @property
    def key(self) -> str:
        """Digest of all that decides numbers and pictures; words may change without it."""
        return content_key(self.photo, self.question.key, self.renderer, self.drawn)

    def to_json(self) -> str:
        """Return the scene as the text of its file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def check_name(name: str) -> str:
    """Return ``name`` where a scene can be called so: it becomes part of file names.

    Raises:
        SceneError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise SceneError(
            "A scene’s name has small letters, digits and hyphens, at most 60 of them, and begins "
            f"with a letter or digit: “{name[:80]}” does not."
        )
    return name


def scene_from_json(text: str | bytes) -> Scene:
    """Return the scene in the text of a file.

    Raises:
        SceneError: it is no JSON, or not that of a scene.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SceneError("This file is no scene: it is not JSON.") from error
    if not isinstance(found, dict):
        raise SceneError("This file is no scene: a scene is a JSON object.")
    return scene_from_fields(found)


def scene_from_fields(fields: dict[str, Any]) -> Scene:
    """Return the scene with these ``fields``; what a scene has no place for is refused.

    Raises:
        SceneError: a field is unknown, missing or of another type.
    """
    unknown = sorted(set(fields) - set(Scene.__dataclass_fields__))
    if unknown:
        raise SceneError(f"A scene has no field “{str(unknown[0])[:80]}”.")
    checked = {name: _checked(name, value) for name, value in fields.items()}
    missing = [name for name in ("name", "photo", "model", "prompt") if name not in checked]
    if missing:
        raise SceneError(f"This scene lacks its {missing[0]}.")
    return Scene(**checked)


def _checked(name: str, value: object) -> Any:  # noqa: ANN401 - as many types as fields
    if name == "classes":
        if isinstance(value, list) and all(type(index) is int for index in value):
            return tuple(sorted(set(value)))
        raise SceneError("The classes of a scene are a list of class numbers.")
    if name == "centred":
        if isinstance(value, bool):
            return value
        raise SceneError("“centred” is true or false.")
    if name in ("epsilon", "threshold"):
        if name == "epsilon" and value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and 0 <= float(value) < 1e9:  # type: ignore[arg-type]
            return float(value)  # type: ignore[arg-type]
        raise SceneError(f"The {name} of a scene is a number from 0 up.")
    if isinstance(value, str):
        return value
    raise SceneError(f"The {name} of a scene is a text.")


def photo_of(bench: "Workbench", scene: Scene) -> Photo:
    """Return the scene's photo: a sample, or an upload that is kept on this machine.

    Raises:
        SceneError: it is not on this machine.
        SingError: its file cannot be read.
    """
    if scene.photo in {sample.name for sample in SAMPLES}:
        payload: bytes | None = sample_bytes(scene.photo)
    else:
        payload = bench.store.load_blob(UPLOADS, scene.photo)
    if payload is None:
        raise SceneError(
            f"The photo of the scene {scene.name} is not on this computer: upload it in Explore."
        )
    return decode_image(payload, max_pixels=bench.settings.max_pixels)


def renamed(scene: Scene, name: str) -> Scene:
    """Return the scene under another name."""
    return replace(scene, name=name)
