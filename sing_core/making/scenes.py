"""Choose the scenes that ship: photos x prompts x heads are tried, and networks decide.

Every try is drawn as a pair and read by networks that took no part in the drawing. Eight are kept:
those that hold best, one of them with the whole head, and one honest failure. Pictures that were
drawn before lie in the frame cache, so a second run goes on where the first was stopped.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sing_core.errors import SingError
from sing_core.files.atomic import write_atomically
from sing_core.pictures.catalogue import INVERSION
from sing_core.studies.strips import at_steps
from sing_core.studies.subject import Subject
from sing_core.talk.camera import record
from sing_core.talk.readings import rank_of
from sing_core.talk.recording import Recording
from sing_core.talk.rows import scene_row
from sing_core.talk.scene import Scene, photo_of
from sing_core.talk.script import (
    FOLDER,
    load_recording,
    load_scene,
    save_recording,
    save_talk,
    talk,
)
from sing_core.talk.verification import Verification, is_current, verify

if TYPE_CHECKING:
    from sing_core.pictures.studio import Studio

MODEL = "lite0"
# Sixteen things that one meets in a town, and sixteen animals: none of them looks like a subject.
THINGS = (402, 404, 409, 453, 579, 620, 657, 665, 698, 770, 817, 837, 872, 879, 967, 920)
ANIMALS = (22, 23, 102, 105, 153, 235, 254, 282, 292, 294, 340, 349, 355, 366, 386, 388)
HEADS = {
    "chelsea": ANIMALS,
    "coffee": THINGS,
    "motorcycle": THINGS,
    "rocket": THINGS,
    "camera": THINGS,
}
SUBJECTS = (
    "jellyfish",
    "red fox",
    "volcano",
    "peacock",
    "strawberry",
    "coral reef",
    "pizza",
    "hummingbird",
    "castle",
    "sea snake",
)
OF_A_WHOLE_HEAD = ("jellyfish", "red fox", "volcano", "coral reef")
_WANTED_DEG = 40.0
_PAIRS_A_PHOTO = 4
COUNT = 8
_FAILURE = "An honest failure"


@dataclass(frozen=True, slots=True, eq=False)
class Try:
    """One scene that was tried.

    Attributes:
        scene: what was asked.
        feasible_rank: place of the prompt among all concepts, for the feature that can be drawn.
        feasible_score_deg: its attribute score.
        found: what networks saw in the pictures; None before they were drawn.
    """

    scene: Scene
    feasible_rank: int
    feasible_score_deg: float
    found: Verification | None = None

    @property
    def whole(self) -> bool:
        """Whether all classes decide."""
        return not self.scene.classes

    @property
    def worth(self) -> tuple[int, int, float]:
        """What orders tries, best first: who agrees, then how near the prompt is seen."""
        found = self.found
        if found is None:
            return (0, -self.feasible_rank, self.feasible_score_deg)
        readers = (found.own, *found.witnesses)
        agreed = sum(one.reads_the_class for one in readers)
        agreed += len(readers) * found.verified
        return (agreed, -found.seen_rank[1], self.feasible_score_deg)


def candidates(renderer: str = INVERSION.name) -> list[Scene]:
    """Return every scene that is tried: photos x prompts x heads."""
    found = []
    for photo, sixteen in HEADS.items():
        for subject in SUBJECTS:
            for classes in (tuple(sorted(sixteen)), ()):
                if not classes and subject not in OF_A_WHOLE_HEAD:
                    continue
                head = "sixteen" if classes else "whole"
                name = f"{photo}-{subject.replace(' ', '-')}-{head}"
                prompt = f"an image of a {subject}"
                scene = Scene(name, photo, MODEL, prompt, classes=classes, renderer=renderer)
                found.append(scene)
    return found


def measure(studio: "Studio", scene: Scene) -> Try | None:
    """Return the scene with its feasible step measured; None where 40° cannot be reached."""
    subject = Subject.of(studio.bench, photo_of(studio.bench, scene), scene.question)
    step = subject.line.reach(_WANTED_DEG).epsilon
    if step is None:
        return None
    strip = at_steps(subject, [0.0, step], feasible=True)
    translated = subject.translator.apply(strip.features)
    ranks = rank_of(translated, subject.text, subject.vocabulary.embeddings).tolist()
    return Try(replace(scene, epsilon=step), ranks[1], strip.attribute_score_deg[1])


def worth_drawing(tries: Sequence[Try]) -> list[Try]:
    """Return the best of each photo and head: those whose prompt rises most, by numbers alone."""
    chosen: list[Try] = []
    for photo in HEADS:
        for whole, most in ((False, _PAIRS_A_PHOTO), (True, 1)):
            of_it = [one for one in tries if one.scene.photo == photo and one.whole == whole]
            chosen += sorted(of_it, key=lambda one: one.worth, reverse=True)[:most]
    return chosen


def choose(tries: Sequence[Try]) -> list[Try]:
    """Return eight of the drawn ``tries``: one a photo first, a whole head, and one failure.

    The failure is the try whose picture follows its numbers least.
    """
    ordered = sorted(tries, key=lambda one: one.worth, reverse=True)
    whole = next(one for one in ordered if one.whole)
    failed = next(one for one in reversed(ordered) if one is not whole)
    rest = [one for one in ordered if not one.whole and one is not failed]
    chosen: list[Try] = []
    for once in (True, False):
        for one in rest:
            known = {other.scene.photo for other in chosen}
            fresh = one not in chosen and not (once and one.scene.photo in known)
            if fresh and len(chosen) < COUNT - 2:
                chosen.append(one)
    chosen.sort(key=lambda one: one.worth, reverse=True)
    return [*chosen, whole, failed]


def worded(one: Try, *, failure: bool) -> Scene:
    """Return the scene with a line for the room, and notes that say what was measured."""
    found = one.found
    if found is None:
        raise SingError(f"{one.scene.name} was not drawn.")
    subject = one.scene.prompt.removeprefix("an image of a ")
    named = found.own.before.label
    if failure:
        caption = f"{_FAILURE}: the numbers reach {subject}, the picture does not follow."
    elif one.whole:
        caption = "All 1,000 classes decide, and 280 of 1,280 directions are still free."
    else:
        caption = f"To sixteen classes, this {named} is the same all the way to a {subject}."
    seen = "; ".join(
        f"{witness.model} reads {witness.before.label} before and {witness.after.label} after, "
        f"prompt {witness.before.prompt_rank} → {witness.after.prompt_rank}"
        for witness in found.witnesses
    )
    notes = (
        f"The right picture is drawn from a feature with the same deciding logits. The prompt "
        f"“{one.scene.prompt}” comes from place {found.prompt_rank[0]} to {found.prompt_rank[1]} "
        f"among all words.\n"
        f"Networks that took no part in the drawing: {seen}. The reference itself sees the prompt "
        f"at place {found.seen_rank[0]} before and {found.seen_rank[1]} after.\n"
        f"The picture’s own deciding logits move by {found.logit_share:.0%} of the gap to the "
        "runner-up: the exact statement is about features, the pictures illustrate it.\n"
        "Press C for steps of the same length in other directions, B to wipe."
    )
    return replace(one.scene, caption=caption, notes=notes)


def make_scenes(studio: "Studio", renderer: str = INVERSION.name) -> Iterator[str]:
    """Try, draw, read, choose, record; overwrites ``assets/scenes``. Yields lines of progress.

    Raises:
        SingError: a network or a photo is missing.
    """
    tries = []
    for scene in candidates(renderer):
        one = measure(studio, scene)
        if one is not None:
            tries.append(one)
            yield f"{scene.name}: rank {one.feasible_rank}, AS {one.feasible_score_deg:+.1f}°"
    drawn = []
    for one in worth_drawing(tries):
        found = verify(studio.bench, _drawn(studio, one.scene, pair_alone=True))
        drawn.append(replace(one, found=found))
        agree = [witness.agrees for witness in found.witnesses]
        yield (
            f"{one.scene.name}: verified {found.verified}, seen at {found.seen_rank}, class "
            f"{found.own.before.label} / {found.own.after.label}, witnesses {agree}, "
            f"logits {found.logit_share:.0%}"
        )
    yield from _ship(studio, drawn)


def record_scenes(studio: "Studio") -> Iterator[str]:
    """Record the scenes that ship anew where a recording is not current, and word them anew.

    It is where classifier, reference and renderer are those of today.

    Raises:
        SingError: a network or a photo is missing.
    """
    settings = studio.bench.settings
    folder = settings.assets_dir / FOLDER
    for name in talk(settings):
        scene = load_scene(settings, name)
        found = load_recording(settings, scene)
        drawer = studio.renderer(scene.renderer, scene.model, scene.reference)
        if (
            found is not None
            and found.payload["facts"].get("renderer_identity") == drawer.identity
            and is_current(studio.bench, found)
        ):
            yield f"{name}: current"
            continue
        recording = _drawn(studio, scene, pair_alone=False)
        one = Try(scene, 0, 0.0, verify(studio.bench, recording))
        scene = worded(one, failure=scene.caption.startswith(_FAILURE))
        write_atomically(folder / f"{name}.scene.json", scene.to_json().encode())
        save_recording(recording.worded(scene), folder)
        yield f"{name}: recorded, verified {one.found is not None and one.found.verified}"


def _drawn(studio: "Studio", scene: Scene, *, pair_alone: bool) -> Recording:
    return record(studio, scene, photo_of(studio.bench, scene), pair_alone=pair_alone)


def _ship(studio: "Studio", drawn: Sequence[Try]) -> Iterator[str]:
    folder = studio.bench.settings.assets_dir / FOLDER
    chosen = choose(drawn)
    scenes = [worded(one, failure=one is chosen[-1]) for one in chosen]
    for old in (*folder.glob("*.scene.json"), *folder.glob("*.recording.json")):
        old.unlink()
    rows: list[dict[str, Any]] = []
    for scene in scenes:
        recording = _drawn(studio, scene, pair_alone=False)
        save_recording(recording, folder)
        rows.append(scene_row(studio.bench, scene, recording))
        yield f"{scene.name}: recorded, verified {rows[-1]['verified']}"
    save_talk(scenes, folder)
    kept = {scene.name for scene in scenes}
    report = [_report(one) | {"chosen": one.scene.name in kept} for one in drawn]
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    write_atomically(folder / "tried.json", text.encode())


def _report(one: Try) -> dict[str, Any]:
    found = one.found
    if found is None:
        return {"name": one.scene.name}
    return {
        "name": one.scene.name,
        "feasible_rank": one.feasible_rank,
        "feasible_attribute_score_deg": round(one.feasible_score_deg, 2),
        "verified": found.verified,
        "class_holds": found.class_holds,
        "picture_top1": [found.own.before.label, found.own.after.label],
        "picture_logit_share": round(found.logit_share, 3),
        "picture_prompt_rank": list(found.seen_rank),
        "witnesses_agree": [witness.agrees for witness in found.witnesses],
    }
