"""Pictures that a recorded scene has of a question asked elsewhere: there before any is drawn.

A picture is recalled for its own question only: the same photo, prompt, head, weights and settings,
and at steps whose scores are today's. It is a recording all the same, and whoever shows it says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sing_core.errors import SceneError, StaleArtefactError
from sing_core.studies.question import Question
from sing_core.talk.camera import SEED
from sing_core.talk.recording import Recording
from sing_core.talk.scene import Drawn, Scene
from sing_core.talk.script import load_recording, load_scene, scene_names
from sing_core.talk.verification import is_current

if TYPE_CHECKING:
    from sing_core.pictures.studio import Studio
    from sing_core.studies.reports import ImageReport, Sweep

_SAME_STEP = 1e-5  # of its length: two machines round a sweep differently
_SAME_DEG = 0.05
# What of a question decides neither the line nor a picture on it, but where one looks.
_OF_THE_LOOK = {"epsilon", "target_deg", "steps", "marks_deg"}


@dataclass(frozen=True, slots=True)
class RecalledPicture:
    """A recorded picture of one step of a report's sweep.

    Attributes:
        index: position in that sweep; 0 is the photo's own feature.
        src: the picture as a data URL.
        image_score_deg: IS of the asked step; ``drawn_deg`` IS of the feature that was drawn.
        angle_deg: between the picture's own feature and the one that was drawn.
        label: what the classifier reads in the picture; ``agrees``: whether it is the photo's.
    """

    index: int
    src: str
    image_score_deg: float
    drawn_deg: float
    angle_deg: float
    label: str
    agrees: bool


def recalled(
    studio: "Studio", report: "ImageReport", renderer: str, drawn: Drawn, seed: int
) -> tuple[RecalledPicture, ...]:
    """Return the recorded pictures of the report's question, the feature's own first.

    () where nothing is recorded of exactly this: one picture alone says nothing, so there are the
    feature's and at least one equivalent's, or none. A damaged recording is none.

    Raises:
        SingError: the renderer's weights or those of the report's networks are not here.
    """
    if report.sweep is None or seed != SEED:
        return ()
    for scene in _scenes_of(studio, report.question, renderer, drawn):
        found = _recording(studio, scene)
        if found is not None and _is_of(studio, report, found):
            pictures = tuple(_pictures(report.sweep, found.payload))
            if len(pictures) > 1 and pictures[0].index == 0:
                return pictures
    return ()


def _scenes_of(
    studio: "Studio", question: Question, renderer: str, drawn: Drawn
) -> Iterator[Scene]:
    settings = studio.bench.settings
    for name in scene_names(settings):
        try:
            scene = load_scene(settings, name)
        except SceneError:
            continue  # the page of the talk says what is wrong with it
        if (scene.renderer, scene.drawn) == (renderer, drawn) and _asks(scene, question):
            yield scene


def _asks(scene: Scene, question: Question) -> bool:
    names = {field.name for field in fields(Question)} - _OF_THE_LOOK
    return all(getattr(scene.question, name) == getattr(question, name) for name in names)


def _recording(studio: "Studio", scene: Scene) -> Recording | None:
    try:
        found = load_recording(studio.bench.settings, scene)
    except StaleArtefactError:
        return None
    return found if found is not None and found.has_pictures else None


def _is_of(studio: "Studio", report: "ImageReport", found: Recording) -> bool:
    """Whether photo and weights, the renderer's too, are those of the recording."""
    facts, scene = found.payload["facts"], found.scene
    if facts.get("image") != report.digest or not is_current(studio.bench, found):
        return False
    today = studio.identity(scene.renderer, scene.model, scene.reference)
    return bool(facts.get("renderer_identity") == today)


def _pictures(sweep: "Sweep", payload: dict[str, Any]) -> Iterator[RecalledPicture]:
    """Yield the pictures of steps that ``sweep`` has, too, with the scores that it has there."""
    for frame in payload["frames"]:
        at, epsilon = frame["index"], frame["epsilon"]
        index = sweep.index_of(epsilon)
        apart = (
            sweep.image_score_deg[index] - payload["image_score_deg"][at],
            sweep.attribute_score_deg[index] - payload["attribute_score_deg"][at],
        )
        same = abs(sweep.epsilon[index] - epsilon) <= _SAME_STEP * epsilon
        if same and max(map(abs, apart)) <= _SAME_DEG:
            yield RecalledPicture(
                index=index,
                src=frame["src"],
                image_score_deg=sweep.image_score_deg[index],
                drawn_deg=frame["image_score_deg"],
                angle_deg=frame["angle_deg"],
                label=frame["label"],
                agrees=frame["label"] == payload["before"]["label"],
            )
