"""The verbs: from an image, a classifier and a prompt to a report (paper, section 3.5)."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from sing_core.equivalents import Equivalents, NullLine
from sing_core.errors import RoundingDriftError, SingError, WeightsUnavailableError, ZeroVectorError
from sing_core.head_variants import WHOLE_HEAD, HeadVariant, nothing_hidden
from sing_core.images import Photo
from sing_core.prompts import Vocabulary, clean_prompt
from sing_core.reports import (
    MODES,
    ClassScore,
    ConceptTrack,
    ImageReport,
    Mode,
    SteerReport,
    Sweep,
    Target,
)
from sing_core.scores import attribute_score_deg, image_score_deg
from sing_core.steering import EpsilonForImageScore, angles_along
from sing_core.translator import Translator
from sing_core.workbench import Classifier, Workbench

DEFAULT_STEPS = 81
DEFAULT_TARGET_DEG = 40.0
_NEAREST = 10


def analyse_image(
    bench: Workbench,
    photo: Photo,
    *,
    model: str,
    prompt: str,
    mode: Mode = "steer",
    reference: str = "mini",
    epsilon: float | None = None,
    target_deg: float | None = DEFAULT_TARGET_DEG,
    steps: int = DEFAULT_STEPS,
    variant: HeadVariant = WHOLE_HEAD,
) -> ImageReport:
    """Return the sweep of one image: scores, concepts and classes along a null step.

    ``mode`` ``steer`` follows the concept gradient (eq. 13), ``remove`` walks to null removal
    (eq. 9). ``epsilon`` None chooses the target image score, or the end where it is not reachable.
    A steering sweep ends where float32 rounding would move a logit by 1e-5 of the largest.
    ``variant`` asks for another null space of the same head; with a threshold the logits may move,
    and the drift is measured all the same.

    Raises:
        SingError: something named does not exist, cannot be loaded or does not fit; the prompt
            is not usable; or the logits drift by more than 1e-5 of the largest on a line that
            leaves the null space or in null removal.
    """
    if mode not in MODES or steps < 2:
        raise SingError(f"A sweep has a mode out of {', '.join(MODES)} and at least two steps.")
    prompt = clean_prompt(prompt, max_chars=bench.settings.max_prompt_chars)
    classifier = bench.deciding(model, variant)
    features = bench.features(model, photo)
    vocabulary = bench.vocabulary(reference)
    translator = _translator(bench, classifier, reference)
    text = bench.text_embedding(reference, prompt, vocabulary)
    sweep, reason, index = None, "", 0
    after = before = classifier.logits(features)
    try:
        line = (
            NullLine.removing(features, classifier, translator)
            if mode == "remove"
            else NullLine.towards(text, features, classifier, translator)
        )
        wanted = None if target_deg is None else line.reach(target_deg)
        walk = line.sweep(classifier, steps, wanted)
    except ZeroVectorError as error:
        reason = _no_direction(classifier, str(error))
    except RoundingDriftError as error:
        if mode == "remove":
            raise
        reason = str(error)
    else:
        angles = angles_along(line.z0, line.w, walk.epsilon, vocabulary.embeddings)
        tracks = _tracks(line, walk, angles, text, prompt, vocabulary)
        sweep = _sweep(line, walk, angles, tracks, wanted)
        index = _chosen(sweep, epsilon, mode)
        before, after = walk.original_logits, walk.logits[index]
    return ImageReport(
        digest=photo.digest,
        model=model,
        reference=reference,
        space_id=translator.space_id,
        shares_tower=classifier.entry.shares_tower_with == reference,
        feature_dim=classifier.entry.feature_dim,
        rank=classifier.head.rank,
        nullity=classifier.head.nullity,
        null_energy=null_energy(classifier, features),
        feature_norm=float(torch.linalg.vector_norm(features.double())),
        max_abs_logit=float(before.abs().max()),
        prompt=prompt,
        mode=mode,
        sweep=sweep,
        no_sweep_reason=reason,
        index=index,
        top5_before=_top(classifier, before, vocabulary),
        top5_after=_top(classifier, after, vocabulary),
        variant=variant,
    )


def null_energy(classifier: Classifier, features: Tensor) -> float:
    """Return ``|Pi_n f| / |f|`` of a feature ``(m,)``, between 0 and 1."""
    inside = torch.linalg.vector_norm(classifier.head.null_part(features))
    return float(inside / torch.linalg.vector_norm(features.double()).clamp_min(1e-300))


def steer_image(
    bench: Workbench,
    photo: Photo,
    *,
    model: str,
    prompt: str,
    reference: str = "mini",
    epsilon: float | None = None,
    target_deg: float | None = None,
    variant: HeadVariant = WHOLE_HEAD,
) -> SteerReport:
    """Return one steered pair (eq. 13), at ``epsilon`` or where IS is ``target_deg`` degrees.

    A target that no finite step reaches is a result (``reachable`` False), not an error.

    Raises:
        SingError: as for ``analyse_image``; neither or both of the two are given; the step is not
            finite, or so long that float32 rounding moves the logits; or the null space has no
            direction towards the prompt.
    """
    if (epsilon is None) == (target_deg is None):
        raise SingError("Give either a step or a wanted image score.")
    if epsilon is not None and not math.isfinite(epsilon):
        raise SingError(f"A step is a finite number, got {epsilon}.")
    prompt = clean_prompt(prompt, max_chars=bench.settings.max_prompt_chars)
    classifier, features = bench.deciding(model, variant), bench.features(model, photo)
    vocabulary = bench.vocabulary(reference)
    text = bench.text_embedding(reference, prompt, vocabulary)
    line = NullLine.towards(text, features, classifier, bench.translator(model, reference))
    top1 = _top(classifier, classifier.logits(features), vocabulary, 1)[0]
    if target_deg is not None:
        found = line.reach(target_deg)
        if found.epsilon is None:
            return SteerReport(None, False, None, None, None, top1, None, found.supremum_deg)
        epsilon = found.epsilon
    step = torch.tensor([epsilon], dtype=torch.float64)
    try:
        walk = line.walk(classifier, step)
    except RoundingDriftError as error:
        if target_deg is None:
            raise
        raise RoundingDriftError(f"IS = {target_deg:g}° needs too long a step. {error}") from error
    z = line.z0 + step * line.w
    return SteerReport(
        epsilon=epsilon,
        reachable=True,
        image_score_deg=float(image_score_deg(line.z0, z)),
        attribute_score_deg=float(attribute_score_deg(line.z0, z, text)),
        max_logit_drift=float(walk.max_logit_drift[0]),
        top1_before=top1,
        top1_after=_top(classifier, walk.logits[0], vocabulary, 1)[0],
        supremum_deg=line.reach(0.0).supremum_deg,
    )


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


def _tracks(
    line: NullLine,
    walk: Equivalents,
    angles: Tensor,
    text: Tensor,
    prompt: str,
    vocabulary: Vocabulary,
) -> tuple[ConceptTrack, ...]:
    """Return the angles to the prompt, then to every concept that is among the nearest anywhere.

    ``angles`` ``(k, concepts)`` in degrees, to the whole vocabulary.
    """
    toward = angles_along(line.z0, line.w, walk.epsilon, text[None])[:, 0]
    near = sorted(set(angles.topk(_NEAREST, dim=-1, largest=False).indices.flatten().tolist()))
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
            for i in near
            if vocabulary.prompts[i] != prompt
        ),
    )


def _sweep(
    line: NullLine,
    walk: Equivalents,
    angles: Tensor,
    tracks: tuple[ConceptTrack, ...],
    wanted: EpsilonForImageScore | None,
) -> Sweep:
    image = angles_along(line.z0, line.w, walk.epsilon, line.z0[None])[:, 0]
    toward = tracks[0].angle_deg
    return Sweep(
        epsilon=tuple(walk.epsilon.tolist()),
        image_score_deg=tuple(image.tolist()),
        attribute_score_deg=tuple(toward[0] - angle for angle in toward),
        average_score_deg=tuple((angles[0] - angles).mean(dim=-1).tolist()),
        max_logit_drift=tuple(walk.max_logit_drift.tolist()),
        concepts=tracks,
        target=_target(line, walk, image, wanted),
    )


def _target(
    line: NullLine, walk: Equivalents, image: Tensor, wanted: EpsilonForImageScore | None
) -> Target | None:
    """Return where the wanted score lies among the walk's image scores ``(k,)``, degrees."""
    if wanted is None:
        return None
    name, end = f"IS = {wanted.wanted_deg:g}°", float(walk.epsilon[-1])
    if wanted.epsilon is not None and wanted.epsilon <= end * (1 + 1e-12):
        index = int((walk.epsilon - wanted.epsilon).abs().argmin())
        sentence = f"{name} is reached at ε = {wanted.epsilon:.3g}."
        return Target(wanted.wanted_deg, True, index, sentence)
    if wanted.epsilon is None:
        sentence = (
            f"{name} is not reachable: however far the step goes, "
            f"IS stays below {wanted.supremum_deg:.1f}°."
        )
    elif line.removal is not None:
        sentence = f"{name} lies beyond null removal, which ends at ε = {end:.3g}."
    else:
        sentence = (
            f"{name} would need a step of ε = {wanted.epsilon:.3g}, at which float32 rounding "
            "moves the logits by more than a hundred-thousandth of the largest; the largest step "
            f"shown is ε = {end:.3g} (IS = {float(image[-1]):.1f}°)."
        )
    return Target(wanted.wanted_deg, False, None, sentence)


def _chosen(sweep: Sweep, epsilon: float | None, mode: Mode) -> int:
    if epsilon is not None:
        return sweep.index_of(epsilon)
    if mode == "remove" or sweep.target is None or sweep.target.index is None:
        return len(sweep.epsilon) - 1
    return sweep.target.index


def _no_direction(classifier: Classifier, message: str) -> str:
    if classifier.head.nullity == 0:
        return nothing_hidden(classifier.entry.title, classifier.entry.feature_dim)
    return message


def _translator(bench: Workbench, classifier: Classifier, reference: str) -> Translator:
    try:
        return bench.translator(classifier.entry.name, reference)
    except WeightsUnavailableError as error:  # where nothing is hidden, none would help
        raise WeightsUnavailableError(_no_direction(classifier, str(error))) from error
