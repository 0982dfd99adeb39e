"""The verbs: from an image, a classifier and a prompt to a report (paper, section 3.5)."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from sing_core.errors import RoundingDriftError, SingError, ZeroVectorError
from sing_core.files.images import Photo
from sing_core.maths.equivalents import Equivalents
from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.scores import attribute_score_deg, image_score_deg
from sing_core.maths.steering import EpsilonForImageScore, angles_along
from sing_core.models.bench import Bench, Classifier
from sing_core.models.prompts import Vocabulary, spoken_prompt
from sing_core.sets.stored import StoredImage
from sing_core.studies.question import Question
from sing_core.studies.reports import (
    ClassScore,
    ConceptTrack,
    ImageReport,
    SteerReport,
    Sweep,
)
from sing_core.studies.subject import Subject, null_energy
from sing_core.studies.targets import chosen, target

_NEAREST = 10
_MOVED = 5


def analyse_image(bench: Bench, photo: Photo | StoredImage, question: Question) -> ImageReport:
    """Return the sweep of one image: scores, concepts and classes along a null step.

    A steering sweep ends where float32 rounding would move a logit by 1e-5 of the largest. With a
    threshold on singular values the logits may move, and the drift is measured all the same.

    Raises:
        SingError: something named does not exist, cannot be loaded or does not fit; the prompt
            is not usable; or the logits drift by more than 1e-5 of the largest on a line that
            leaves the null space or in null removal.
    """
    subject = Subject.of(bench, photo, question)
    classifier, features, vocabulary = subject.classifier, subject.features, subject.vocabulary
    sweep, reason, index = None, "", 0
    after = before = classifier.linear.logits(features)
    found = _swept_or_why(subject)
    if isinstance(found, str):
        reason = found
    else:
        sweep, walk = found
        index = chosen(sweep, question.epsilon, question.mode)
        before, after = walk.original_logits, walk.logits[index]
    return ImageReport(
        digest=photo.digest,
        question=subject.question,
        space_id=subject.translator.space_id,
        shares_tower=classifier.entry.shares_tower(question.reference),
        feature_dim=classifier.entry.feature_dim,
        rank=classifier.linear.head.rank,
        nullity=classifier.linear.head.nullity,
        null_energy=null_energy(classifier, features),
        feature_norm=float(torch.linalg.vector_norm(features.double())),
        max_abs_logit=float(before.abs().max()),
        sweep=sweep,
        no_sweep_reason=reason,
        index=index,
        prompt_note=subject.prompt_note,
        top5_before=_top(classifier, before, vocabulary),
        top5_after=_top(classifier, after, vocabulary),
    )


def steer_image(bench: Bench, photo: Photo, question: Question) -> SteerReport:
    """Return one steered pair (eq. 13), at ``epsilon`` or where IS is ``target_deg`` degrees.

    A target that no finite step reaches is a result (``reachable`` False), not an error.

    Raises:
        SingError: as for ``analyse_image``; neither or both of the two are given; the step is not
            finite, or so long that float32 rounding moves the logits; or the null space has no
            direction towards the prompt.
    """
    epsilon, target_deg = question.epsilon, question.target_deg
    if (epsilon is None) == (target_deg is None):
        raise SingError("Give either a step or a wanted image score.")
    if epsilon is not None and not math.isfinite(epsilon):
        raise SingError(f"A step is a finite number, got {epsilon}.")
    subject = Subject.of(bench, photo, question)
    top1 = _top1(subject, subject.classifier.linear.logits(subject.features))
    if target_deg is None:
        return _steered(subject, epsilon or 0.0, top1)
    found = subject.line.reach(target_deg)
    if found.epsilon is None:
        return SteerReport(
            None, False, None, None, None, top1, None, found.supremum_deg, subject.prompt_note
        )
    try:
        return _steered(subject, found.epsilon, top1)
    except RoundingDriftError as error:
        raise RoundingDriftError(f"IS = {target_deg:g}° needs too long a step. {error}") from error


def _steered(subject: Subject, epsilon: float, top1: ClassScore) -> SteerReport:
    """Return the pair at ``epsilon``; ``top1`` is the decision for the feature itself."""
    line, step = subject.line, torch.tensor([epsilon], dtype=torch.float64)
    walk = line.walk(subject.classifier.linear, step)
    z = line.z0 + step * line.w
    return SteerReport(
        epsilon=epsilon,
        reachable=True,
        image_score_deg=float(image_score_deg(line.z0, z)),
        attribute_score_deg=float(attribute_score_deg(line.z0, z, subject.text)),
        max_logit_drift=float(walk.max_logit_drift[0]),
        top1_before=top1,
        top1_after=_top1(subject, walk.logits[0]),
        supremum_deg=line.reach(0.0).supremum_deg,
        prompt_note=subject.prompt_note,
        feasible_image_score_deg=feasible_image_score(subject, walk.features),
    )


def feasible_image_score(subject: Subject, equivalent: Tensor | None = None) -> float | None:
    """Return IS, degrees, of the nearest feature to the equivalent that the network can produce.

    ``equivalent`` ``(1, m)``; None takes null removal.

    Its logits may move by 3 % of the largest (``FeasibleRemoval``). None where the feature has
    negative entries: what such a network can produce is not known.

    Raises:
        ZeroVectorError: a translated feature is zero.
    """
    nearest = FeasibleRemoval(subject.classifier.linear).nearest
    (produced,) = nearest(subject.features[None], equivalent)
    if not bool(produced.isfinite().all()):
        return None
    translator = subject.translator
    return float(image_score_deg(translator.apply(subject.features), translator.apply(produced)))


def top_classes(
    logits: Tensor, vocabulary: Vocabulary, count: int = 5, *, labels: tuple[str, ...] = ()
) -> tuple[ClassScore, ...]:
    """Return the ``count`` largest of ``logits`` ``(c,)`` with labels and probabilities.

    ``labels`` are the ``c`` class names; without them those of the vocabulary, if it has c.
    """
    probability = logits.double().softmax(dim=-1)
    names = labels or (vocabulary.labels if len(logits) == vocabulary.n_classes else None)
    return tuple(
        ClassScore(i, names[i] if names else f"class {i}", float(logits[i]), float(probability[i]))
        for i in logits.topk(min(count, len(logits))).indices.tolist()
    )


def _top(
    classifier: Classifier, logits: Tensor, vocabulary: Vocabulary, count: int = 5
) -> tuple[ClassScore, ...]:
    """Return the ``count`` largest of ``logits`` ``(k,)``, by the class's index in the whole head.

    Probabilities are those among the deciding classes.
    """
    chosen, labels = classifier.classes, classifier.labels
    if chosen and not labels and classifier.entry.classes == vocabulary.n_classes:
        labels = vocabulary.labels[: vocabulary.n_classes]
    names = tuple(labels[i] if labels else f"class {i}" for i in chosen) if chosen else labels
    found = top_classes(logits, vocabulary, count, labels=names)
    return tuple(replace(entry, index=chosen[entry.index]) for entry in found) if chosen else found


def _top1(subject: Subject, logits: Tensor) -> ClassScore:
    return _top(subject.classifier, logits, subject.vocabulary, 1)[0]


def _swept_or_why(subject: Subject) -> tuple[Sweep, Equivalents] | str:
    """Return the sweep with its equivalents, or the sentence that says why there is none.

    Raises:
        LogitDriftError: as ``_swept``; of rounding in null removal alone.
    """
    try:
        return _swept(subject)
    except ZeroVectorError as error:
        return str(error)
    except RoundingDriftError as error:
        if subject.question.mode == "remove":
            raise
        return str(error)


def _swept(subject: Subject) -> tuple[Sweep, Equivalents]:
    """Return the sweep of the question, and the equivalents it was measured on.

    Raises:
        ZeroVectorError: there is no direction to step along.
        LogitDriftError: the logits drift, by rounding (``RoundingDriftError``) or otherwise.
    """
    question, line = subject.question, subject.line
    wanted = None if question.target_deg is None else line.reach(question.target_deg)
    walk = line.sweep(subject.classifier.linear, question.steps, wanted, question.marks_deg)
    angles = angles_along(line.z0, line.w, walk.epsilon, subject.vocabulary.embeddings)
    tracks = _tracks(subject, walk, angles)
    return _sweep(subject, walk, angles, tracks, wanted), walk


def _tracks(subject: Subject, walk: Equivalents, angles: Tensor) -> tuple[ConceptTrack, ...]:
    """Return the angles to the prompt, then to every concept that is shown at any step.

    ``angles`` ``(k, concepts)`` in degrees, to the whole vocabulary. No word comes twice.
    """
    line, vocabulary, prompt = subject.line, subject.vocabulary, subject.question.prompt
    toward = angles_along(line.z0, line.w, walk.epsilon, subject.text[None])[:, 0]
    other = _other_concepts(vocabulary, prompt)
    kept = angles[:, other]
    nearest = kept.topk(min(_NEAREST, len(other)), dim=-1, largest=False).indices
    moved = kept - kept[0]
    count = min(_MOVED, len(other))
    ends = [moved.topk(count, dim=-1, largest=largest).indices for largest in (False, True)]
    shown = sorted({other[i] for found in (nearest, *ends) for i in found.flatten().tolist()})
    own = ConceptTrack(prompt, prompt, "prompt", tuple(toward.tolist()))
    return (
        own,
        *(
            ConceptTrack(
                vocabulary.labels[i],
                vocabulary.prompts[i],
                vocabulary.kind(i),
                tuple(angles[:, i].tolist()),
            )
            for i in shown
        ),
    )


def _other_concepts(vocabulary: Vocabulary, prompt: str) -> list[int]:
    """Return the positions of the concepts that are not the prompt itself in other words."""
    return [
        i
        for i, label in enumerate(vocabulary.labels)
        if not prompt.endswith(label)
        or prompt not in (label, vocabulary.prompts[i], spoken_prompt(label))
    ]


def _sweep(
    subject: Subject,
    walk: Equivalents,
    angles: Tensor,
    tracks: tuple[ConceptTrack, ...],
    wanted: EpsilonForImageScore | None,
) -> Sweep:
    line, toward = subject.line, tracks[0].angle_deg
    image = angles_along(line.z0, line.w, walk.epsilon, line.z0[None])[:, 0]
    others = angles[:, _other_concepts(subject.vocabulary, subject.question.prompt)]
    nearer = (others < torch.tensor(toward, dtype=others.dtype)[:, None]).sum(dim=-1)
    return Sweep(
        epsilon=tuple(walk.epsilon.tolist()),
        image_score_deg=tuple(image.tolist()),
        attribute_score_deg=tuple(toward[0] - angle for angle in toward),
        average_score_deg=tuple((angles[0] - angles).mean(dim=-1).tolist()),
        max_logit_drift=tuple(walk.max_logit_drift.tolist()),
        concepts=tracks,
        target=target(line, walk, image, wanted),
        prompt_rank=tuple((nearer + 1).tolist()),
        concept_count=others.shape[1] + 1,
    )
