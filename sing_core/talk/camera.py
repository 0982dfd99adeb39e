"""Recording a scene: the numbers of its sweep, which steps get a picture, what each picture shows.

The pictures come from any renderer of features; what they show is read by the scene's classifier.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import sing_core
from sing_core.errors import SingError
from sing_core.files.images import Photo, picture_url, thumbnail
from sing_core.maths.linear_head import DRIFT_BUDGET
from sing_core.maths.steering import angles_along
from sing_core.pictures.protocol import Frames, ProgressCallback, StopQuestion, never_stop
from sing_core.studies import strips
from sing_core.studies.photo import analyse_image
from sing_core.studies.subject import Subject
from sing_core.talk.readings import Asked, rank_of, read_features, read_pictures
from sing_core.talk.recording import VERSION, Recording, from_url, to_url, words_of
from sing_core.talk.scene import Scene

if TYPE_CHECKING:
    from sing_core.pictures.studio import Studio
    from sing_core.studies.reports import ClassScore, ImageReport, Sweep

SEED = 0
_PHOTO_SIDE = 640
_CONTROL_NAMES = ("null", "random", "principal")  # the rows of CONTROLS after the feature itself
# Between pictures a player fades: one about every ten degrees of image score.
_KEY_DEG = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0)
_APART_DEG = 4.0


def numbers(studio: "Studio", scene: Scene, photo: Photo) -> Recording:
    """Return the scene's numbers, without pictures.

    Raises:
        SingError: something that the scene names cannot be had, or there is no step to take.
    """
    report = _report(studio, scene, photo)
    return Recording(scene, _numbers(studio, scene, photo, report))


def record(
    studio: "Studio",
    scene: Scene,
    photo: Photo,
    *,
    pair_alone: bool = False,
    on_progress: ProgressCallback | None = None,
    should_stop: StopQuestion = never_stop,
) -> Recording:
    """Return the scene with its pictures drawn: the feature, steps along the line, the controls.

    ``pair_alone`` draws the feature and the scene's own step, and nothing else.

    Raises:
        SingError: as ``numbers``; or the pictures cannot be drawn, or were stopped.
    """
    report = _report(studio, scene, photo)
    payload = _numbers(studio, scene, photo, report)
    subject = Subject.of(studio.bench, photo, report.question)
    feasible = scene.drawn == "feasible"
    start = payload["start"]
    indices = (0, start) if pair_alone else key_indices(payload["image_score_deg"], start)
    steps = strips.at_steps(subject, [payload["epsilon"][i] for i in indices], feasible=feasible)
    strip = replace(steps, indices=indices)
    easel = _Easel(studio, subject, scene.renderer, on_progress, should_stop)
    pictures, facts = easel.draw(strip)
    payload["frames"] = easel.rows(strip, pictures)
    payload["facts"] |= facts
    if pair_alone:
        return Recording(scene, payload)
    beside = strips.beside_controls(subject, strips.step_of(report), feasible=feasible)
    controls, _ = easel.draw(beside)
    payload["controls"] = [
        {"name": name, **row}
        for name, row in zip(_CONTROL_NAMES, easel.rows(beside, controls)[1:], strict=True)
    ]
    return Recording(scene, payload)


def key_indices(image_score_deg: Sequence[float], start: int) -> tuple[int, ...]:
    """Return the steps that get a picture: the first, about every ten degrees, and ``start``."""
    chosen = {0, start}
    for wanted in _KEY_DEG:
        near = min(range(len(image_score_deg)), key=lambda i: abs(image_score_deg[i] - wanted))
        found = image_score_deg[near]
        if all(abs(found - image_score_deg[i]) > _APART_DEG for i in chosen):
            chosen.add(near)
    return tuple(sorted(chosen))


class _Easel:
    """Draws strips of one subject and reads them, as the classifier itself does."""

    def __init__(
        self,
        studio: "Studio",
        subject: Subject,
        renderer: str,
        on_progress: ProgressCallback | None,
        should_stop: StopQuestion,
    ) -> None:
        question = subject.question
        self.studio, self.subject = studio, subject
        self.on_progress, self.should_stop = on_progress, should_stop
        self.asked = Asked(question.variant, question.reference, question.prompt)
        self.drawer = studio.renderer(renderer, question.model, question.reference)

    def draw(self, strip: strips.Strip) -> tuple[Frames, dict[str, str | int | float]]:
        """Return the strip's pictures as they will be shown, and what made them."""
        request = self.studio.request(
            self.drawer, self.subject, strip.features, seed=SEED, size=self.drawer.strip_size
        )
        drawn = self.studio.draw(
            self.drawer, request, on_progress=self.on_progress, should_stop=self.should_stop
        )
        shown = np.stack([from_url(to_url(frame)) for frame in drawn.frames])
        return shown, dict(drawn.facts) | {"renderer_identity": self.drawer.identity}

    def rows(self, strip: strips.Strip, pictures: Frames) -> list[dict[str, Any]]:
        """Return what is known of each picture: of the feature exactly, and as it is read."""
        subject, model = self.subject, self.subject.question.model
        readings = read_pictures(self.studio.bench, model, pictures, self.asked)
        audits = self.studio.audit(subject, pictures, strip.features)
        vocabulary = subject.vocabulary.embeddings
        ranks = rank_of(subject.translator.apply(strip.features), subject.text, vocabulary)
        exact = read_features(self.studio.bench, model, self.asked, strip.features, ranks.tolist())
        return [
            {
                "index": index,
                "src": to_url(picture),
                "epsilon": strip.epsilon[row],
                "image_score_deg": strip.image_score_deg[row],
                "attribute_score_deg": strip.attribute_score_deg[row],
                "max_logit_drift": strip.max_logit_drift[row],
                "rank": int(ranks[row]),
                "feature_label": exact[row].label,
                "feature_probability": exact[row].probability,
                "angle_deg": audits[row].angle_deg,
                "label": readings[row].label,
                "probability": readings[row].probability,
                "picture_rank": readings[row].prompt_rank,
            }
            for row, (index, picture) in enumerate(zip(strip.indices, pictures, strict=True))
        ]


def _report(studio: "Studio", scene: Scene, photo: Photo) -> "ImageReport":
    report = analyse_image(studio.bench, photo, scene.question)
    if report.sweep is None:
        raise SingError(report.no_sweep_reason)
    return report


def _numbers(studio: "Studio", scene: Scene, photo: Photo, report: "ImageReport") -> dict[str, Any]:
    sweep = report.sweep
    if sweep is None:
        raise SingError(report.no_sweep_reason)
    bench = studio.bench
    subject = Subject.of(bench, photo, report.question)
    entry = subject.classifier.entry
    return {
        "version": VERSION,
        "key": scene.key,
        **words_of(scene),
        "photo": picture_url(thumbnail(photo.image, _PHOTO_SIDE)),
        "model_title": entry.title,
        "deciding": len(subject.classifier.linear.weight),
        "nullity": report.nullity,
        "feature_dim": report.feature_dim,
        "shares_tower": report.shares_tower,
        "prompt_note": report.prompt_note,
        "before": _class(report.top5_before[0]),
        "after": _class(report.top5_after[0]),
        "max_abs_logit": report.max_abs_logit,
        "drift_budget": DRIFT_BUDGET,
        "start": report.index,
        **_steps(subject, sweep, _end(sweep, report.index)),
        "concepts": len(subject.vocabulary.labels),
        "frames": [],
        "controls": [],
        "facts": {
            "sing_explorer": sing_core.__version__,
            "image": photo.digest,
            "model_digest": entry.weights_digest,
            "reference": report.space_id,
        },
    }


def _steps(subject: Subject, sweep: "Sweep", end: int) -> dict[str, Any]:
    """Return what is known of each of the first ``end`` steps."""
    return {
        "epsilon": list(sweep.epsilon[:end]),
        "image_score_deg": _rounded(sweep.image_score_deg[:end]),
        "attribute_score_deg": _rounded(sweep.attribute_score_deg[:end]),
        "average_score_deg": _rounded(sweep.average_score_deg[:end]),
        "max_logit_drift": list(sweep.max_logit_drift[:end]),
        "rank": _ranks(subject, sweep.epsilon[:end]),
    }


def _class(found: "ClassScore") -> dict[str, Any]:
    return {"label": found.label, "probability": found.probability}


def _end(sweep: "Sweep", start: int) -> int:
    """Return how many steps are played: to the wanted score or the scene's step, and no further.

    Beyond them a sweep goes far from anything that a network produces.
    """
    goal = sweep.target.index if sweep.target and sweep.target.index is not None else None
    return len(sweep.epsilon) if goal is None else max(goal, start) + 1


def _rounded(values: tuple[float, ...]) -> list[float]:
    return [round(value, 4) for value in values]


def _ranks(subject: Subject, epsilon: Sequence[float]) -> list[int]:
    """Return the prompt's place among all concepts at every step, 1 being the nearest."""
    steps = torch.tensor(list(epsilon), dtype=torch.float64)
    line, concepts = subject.line, subject.vocabulary.embeddings
    own = angles_along(line.z0, line.w, steps, subject.text[None])
    others = angles_along(line.z0, line.w, steps, concepts)
    ranks: list[int] = (1 + (others < own - 1e-6).sum(dim=1)).tolist()
    return ranks
