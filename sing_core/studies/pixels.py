"""From feature to pixels: how much of a null step can a picture that looks the same produce?

A step inside the null space is a step of the feature, which no picture need have. Here pictures are
searched whose every value differs by at most so many levels of 255 and whose logits stand, while
their feature follows the direction of the step. Beside it: the same search along random directions
of the null space, and noise of the same radius.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from sing_core.errors import SingError, UnknownNameError
from sing_core.maths.pixel_search import PixelBall, Reached, reach
from sing_core.maths.scores import attribute_score_deg, image_score_deg
from sing_core.models.registry import models
from sing_core.studies.heads import class_names
from sing_core.studies.pixel_rows import NOISE, PROMPT, RANDOM, Onlooker, PixelRow, Scene, image_of
from sing_core.studies.question import DEFAULT_TARGET_DEG
from sing_core.studies.subject import Subject

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.files.images import Photo
    from sing_core.models.workbench import Workbench
    from sing_core.studies.question import Question

RADII = (1, 2, 4, 8)
_LONGER = "What was not reached need not be out of reach: a longer search may get further."
# Of the largest image score on the line, where the wanted one is not reachable: as a sweep's end.
_SHARE_OF_REACHABLE = 0.8


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard is searched.

    Attributes:
        radii: levels of 255 by which a value may differ, ascending.
        steps: of each search; ``starts`` how many a direction has.
        controls: random null directions, and as many pictures of noise.
        seed: of everything that is drawn.
    """

    radii: tuple[int, ...] = RADII
    steps: int = 30
    starts: int = 2
    controls: int = 2
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PixelReport:
    """What a search in pixels found for one photo and one prompt.

    Attributes:
        model: classifier; ``other`` the one that looks on; ``prompt`` as embedded.
        epsilon: the step ε that is asked, with its ``asked_image_score_deg`` and
            ``asked_attribute_score_deg``.
        budget: by what share of the largest a logit may move.
        top1: likeliest class of the photo; ``other_top1`` that of the other classifier.
        rows: of each radius the prompt, the random directions and noise.
        before: the photo as the classifier is shown it; ``after`` by radius what was found.
    """

    model: str
    other: str
    prompt: str
    epsilon: float
    asked_image_score_deg: float
    asked_attribute_score_deg: float
    budget: float
    top1: str
    other_top1: str
    rows: tuple[PixelRow, ...]
    before: Image.Image
    after: dict[int, Image.Image]

    def of(self, toward: str) -> tuple[PixelRow, ...]:
        """Return the rows of the prompt, the random directions, or noise, by radius."""
        return tuple(row for row in self.rows if row.toward == toward)


def other_classifier(bench: "Workbench", model: str) -> str:
    """Return the first classifier that ships and is another one than ``model``.

    Raises:
        UnknownNameError: there is none, or no such ``model``.
    """
    own = bench.entry(model).weights_digest
    for entry in models(bench.settings):
        if entry.ships and entry.weights_digest != own:
            return entry.name
    raise UnknownNameError("No other classifier is here to look on.")


def search_pixels(
    bench: "Workbench",
    photo: "Photo",
    question: "Question",
    *,
    other: str = "",
    effort: Effort = Effort(),
    report: Callable[[int, int], object] = lambda done, whole: None,
) -> PixelReport:
    """Search pictures near ``photo`` for the null step that ``question`` asks for.

    ``other`` is the classifier that looks on, by default the first other one that ships;
    ``report`` hears how many of the radii are done, and of how many.

    Raises:
        ZeroVectorError: there is no null direction towards the prompt.
        SingError: something named cannot be had.
    """
    subject = Subject.of(bench, photo, question)
    onlooker = Onlooker.of(bench, other or other_classifier(bench, question.model), subject)
    epsilon, asked = _step(subject)
    backbone = bench.pool.backbone(question.model)
    levels = backbone.levels(photo.image).to(backbone.device)
    ball = PixelBall.around(levels, backbone.sees, subject.classifier.linear)
    scene = Scene(bench, subject, ball, onlooker, epsilon)
    rows, after = _searched(scene, effort, report)
    return PixelReport(
        model=question.model,
        other=onlooker.name,
        prompt=subject.question.prompt,
        epsilon=epsilon,
        asked_image_score_deg=asked[0],
        asked_attribute_score_deg=asked[1],
        budget=ball.budget,
        top1=_top1(bench, subject),
        other_top1=onlooker.top1(image_of(ball.picture)),
        rows=rows,
        before=image_of(ball.picture),
        after=after,
    )


def _searched(
    scene: Scene, effort: Effort, report: Callable[[int, int], object]
) -> tuple[tuple[PixelRow, ...], dict[int, Image.Image]]:
    """Return the rows of all radii, and by radius the picture found for the prompt."""
    subject, whole = scene.subject, len(effort.radii)
    generator = torch.Generator().manual_seed(effort.seed)
    random = _random(subject, effort.controls, generator)
    directions = torch.cat([subject.line.direction[None], random])
    rows: list[PixelRow] = []
    after: dict[int, Image.Image] = {}
    report(0, whole)
    drawn = {"steps": effort.steps, "starts": effort.starts, "seed": effort.seed}
    for reached in reach(scene.ball, directions, effort.radii, **drawn):
        rows += _rows(scene, reached, directions, generator)
        after[reached[0].radius] = image_of(reached[0].picture)
        report(len(after), whole)
    return tuple(rows), after


def _random(subject: Subject, count: int, generator: torch.Generator) -> "Tensor":
    """Return ``(count, m)`` random directions of the null space."""
    drawn = torch.randn(count, len(subject.features), generator=generator)
    return subject.classifier.linear.head.null_part(drawn)


def _top1(bench: "Workbench", subject: Subject) -> str:
    """Return the likeliest of the deciding classes of the photo."""
    first = int(subject.classifier.linear.logits(subject.features).argmax())
    chosen = subject.classifier.classes
    return class_names(bench, subject.question.model)[chosen[first] if chosen else first]


def _rows(
    scene: Scene, reached: tuple[Reached, ...], directions: "Tensor", generator: torch.Generator
) -> list[PixelRow]:
    """Return the rows of one radius: the prompt, then its controls where there are any."""
    radius, pictures = reached[0].radius, torch.stack([one.picture for one in reached])
    rows = [scene.row(PROMPT, radius, pictures[:1], directions[:1])]
    if len(pictures) > 1:
        noise = scene.ball.noise(radius, len(pictures) - 1, generator)
        rows += [
            scene.row(RANDOM, radius, pictures[1:], directions[1:]),
            scene.row(NOISE, radius, noise, directions[:1]),
        ]
    return rows


def _step(subject: Subject) -> tuple[float, tuple[float, float]]:
    """Return the step ε that is asked, and its IS and AS in degrees.

    Raises:
        SingError: it has no length.
    """
    line, epsilon = subject.line, subject.question.epsilon
    if epsilon is None:
        wanted = subject.question.target_deg
        found = line.reach(DEFAULT_TARGET_DEG if wanted is None else wanted)
        if found.epsilon is None:
            found = line.reach(_SHARE_OF_REACHABLE * found.supremum_deg)
        epsilon = found.epsilon
    if not epsilon or epsilon < 0:
        raise SingError("A step of no length is reached by the photo itself: ask for one above 0.")
    moved = line.z0 + epsilon * line.w
    score = attribute_score_deg(line.z0, moved, subject.text)
    return epsilon, (float(image_score_deg(line.z0, moved)), float(score))


def difference(before: Image.Image, after: Image.Image, radius: int) -> Image.Image:
    """Return how two pictures differ: grey where they do not, black or white at ``radius``."""
    change = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    scaled = 127.5 + change * (127.5 / radius)
    return Image.fromarray(scaled.clip(0, 255).round().astype(np.uint8))


def sentence(found: PixelReport) -> str:
    """Say how far pictures get, with magnitudes, at the largest radius."""
    row = found.of(PROMPT)[-1]
    if row.along <= 0:
        return (
            f"Nothing was found: within {row.radius} of 255 levels no picture was seen whose "
            f"feature follows the direction while {found.model}’s logits stand."
        )
    return (
        f"Within {row.radius} of 255 levels a picture reaches {_percent(row.share_of_step)} of the "
        f"step towards “{found.prompt}” (ε = {found.epsilon:.3g}) while no logit of {found.model} "
        f"moves by more than {_percent(found.budget)} of the largest and its class stands: "
        f"IS {row.image_score_deg:.2f}° and AS {_signed(row.attribute_score_deg)}° of the "
        f"{found.asked_image_score_deg:.1f}° and {_signed(found.asked_attribute_score_deg)}° of "
        f"the whole step."
    )


def meaning(found: PixelReport) -> str:
    """Say what that means and what it does not: is this an attack, and who notices?"""
    row, beside = found.of(PROMPT)[-1], ""
    if row.along <= 0:
        return _LONGER
    controls = {kind: found.of(kind)[-1] for kind in (RANDOM, NOISE) if found.of(kind)}
    if controls:
        beside = (
            f" Along random directions of the null space the same search reaches "
            f"{_percent(controls[RANDOM].share_of_step)} of such a step, noise of this radius "
            f"{_percent(controls[NOISE].share_of_step)}."
        )
    inside = "" if row.null_share is None else (
        f" {_percent(row.null_share)} of what moves lies in the null space (the squared length)."
    )  # fmt: skip
    return f"{inside.strip()}{beside} {_notice(found)} {_attack(found)}".strip()


def _notice(found: PixelReport) -> str:
    """Say whether the other classifier and the reference itself notice."""
    row, noise = found.of(PROMPT)[-1], found.of(NOISE)
    beside = f", by {_percent(noise[-1].other_logit_change)} for noise" if noise else ""
    if row.other_top1_changed:
        noticed = f"{found.other} notices: its class is no longer {found.other_top1}; its logits"
    elif noise and row.other_logit_change > noise[-1].other_logit_change:
        noticed = f"{found.other} keeps its class, but sees more than noise: its logits"
    else:
        noticed = f"{found.other} does not notice: it keeps its class, and its logits"
    return (
        f"{noticed} move by up to {_percent(row.other_logit_change)} of the largest{beside}. The "
        f"reference’s own image tower sees AS {_signed(row.reference_attribute_score_deg)}°."
    )


def _attack(found: PixelReport) -> str:
    return (
        f"Is this an attack? Not on {found.model}’s decision, which stands by construction; it is "
        f"one on whatever else reads this feature, as far as AS moves. {_LONGER}"
    )


def _percent(share: float) -> str:
    """Return a share in per cent, with a digit more below a tenth."""
    return f"{100 * share:.1f} %" if abs(share) < 0.1 else f"{100 * share:.0f} %"


def _signed(degrees: float) -> str:
    text = f"{degrees:+.2f}".replace("-", "−")
    return "0.00" if text in ("+0.00", "−0.00") else text
