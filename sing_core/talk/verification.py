"""What holds of a recorded scene: computed from its pictures by networks, never declared.

The networks that check took no part in the drawing. A scene is verified when all of it holds:

* its numbers are those of today's classifier and reference;
* the deciding class of the feature is the same before and after, within the drift budget;
* the prompt comes to the top of its group, classes or attributes, for the feature that is drawn;
* the scene's classifier and two networks that took no part read the feature's own class from both
  pictures, and those two find the prompt nearer in the second picture than in the first; so does
  the reference.

What every network read is told, whether it agrees or not. Where the reference's tower guides the
drawing, the classifier that shares it is no witness.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sing_core.models import registry
from sing_core.models.references import space_id
from sing_core.pictures.catalogue import INVERSION
from sing_core.pictures.protocol import Frames
from sing_core.talk.readings import Asked, Reading, read_by_reference, read_pictures
from sing_core.talk.recording import Recording

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench

WITNESSES = 2
TOP = 20  # places that count as the top, of more than a thousand


@dataclass(frozen=True, slots=True)
class Witness:
    """Two pictures read by one network: drawn from the feature, and from its equivalent."""

    model: str
    before: Reading
    after: Reading
    decided: str

    @property
    def reads_the_class(self) -> bool:
        """Whether it reads the feature's own class, ``decided``, from both."""
        return self.before.label == self.after.label == self.decided

    @property
    def agrees(self) -> bool:
        """Whether it does, and finds the prompt nearer in the second."""
        return self.reads_the_class and self.after.prompt_rank < self.before.prompt_rank


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of one recorded scene.

    Attributes:
        current: whether it was recorded with the classifier and the reference as they are now.
        class_holds: whether the feature's deciding class stays, within the drift budget.
        prompt_rank: place of the prompt among all concepts, before and after, for the features
            that are drawn; ``prompt_rises`` whether it comes to the top.
        own: the pictures as the scene's own classifier reads them.
        logit_share: how far the picture's deciding logits move, over the gap to the runner-up.
        witnesses: networks that took no part in the drawing.
        seen_rank: the prompt's place as the reference's own tower sees the two pictures.
    """

    current: bool
    class_holds: bool
    prompt_rank: tuple[int, int]
    own: Witness
    logit_share: float
    witnesses: tuple[Witness, ...]
    seen_rank: tuple[int, int]

    @property
    def prompt_rises(self) -> bool:
        """Whether the prompt comes to the top of all concepts."""
        return self.prompt_rank[1] <= TOP and self.prompt_rank[1] < self.prompt_rank[0]

    @property
    def verified(self) -> bool:
        """Whether all of it holds."""
        agreed = sum(witness.agrees for witness in self.witnesses) >= WITNESSES
        nearer = self.seen_rank[1] < self.seen_rank[0]
        pictures = self.own.reads_the_class and agreed and nearer
        return self.current and self.class_holds and self.prompt_rises and pictures


def verify(bench: "Workbench", recording: Recording) -> Verification:
    """Read the recording's pictures again and compare.

    Raises:
        SingError: it has no pictures, or a network cannot be loaded.
    """
    scene, payload = recording.scene, recording.payload
    before, after = recording.pair
    frames = recording.frames()[[before, after]]
    asked = Asked(scene.variant, scene.reference, scene.prompt)
    start = payload["start"]
    drift = payload["max_logit_drift"][start]
    decided = payload["before"]["label"]
    same = decided == payload["after"]["label"]
    own = _witness(bench, scene.model, frames, asked, decided)
    moved = zip(own.before.logits, own.after.logits, strict=True)
    drawn = payload["frames"]
    first, second = read_by_reference(bench, frames, asked)
    return Verification(
        current=is_current(bench, recording),
        class_holds=same and drift <= payload["drift_budget"] * abs(payload["max_abs_logit"]),
        prompt_rank=(drawn[before]["rank"], drawn[after]["rank"]),
        own=own,
        logit_share=max(abs(a - b) for a, b in moved) / max(own.before.gap, 1e-12),
        witnesses=tuple(
            _witness(bench, model, frames, asked, decided)
            for model in witnesses_of(bench, recording)
        ),
        seen_rank=(first, second),
    )


def is_current(bench: "Workbench", recording: Recording) -> bool:
    """Return whether the recording's numbers are those of today's classifier and reference.

    Raises:
        SingError: one of them cannot be loaded.
    """
    facts, scene = recording.payload["facts"], recording.scene
    known = facts.get("model_digest"), facts.get("reference")
    today = bench.entry(scene.model).weights_digest, space_id(scene.reference, bench.settings)
    return bool(known == today)


def witnesses_of(bench: "Workbench", recording: Recording) -> tuple[str, ...]:
    """Return the shipped classifiers that took no part in drawing the recording's pictures."""
    scene = recording.scene
    guided = scene.renderer != INVERSION.name  # by the reference's own tower, too
    return tuple(
        entry.name
        for entry in registry.models(bench.settings)
        if entry.name != scene.model and not (guided and entry.shares_tower(scene.reference))
    )


def _witness(bench: "Workbench", model: str, frames: Frames, asked: Asked, decided: str) -> Witness:
    before, after = read_pictures(bench, model, frames, asked)
    return Witness(model, before, after, decided)
