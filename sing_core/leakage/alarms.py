"""Does it matter? What a null part says of an image without a label: errors, and other images.

NuSA's score, the share of the feature that the head reads, falls as the null energy rises: it has
the same ranks, and the same AUROC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sing_core.errors import ImageSetError
from sing_core.leakage.alarm_rows import OWN, SCORES, AlarmRow, between_rows, within_rows
from sing_core.leakage.alarm_scores import Alarmed
from sing_core.leakage.scored_sets import ScoredSet, offered_sets, open_set
from sing_core.leakage.strata import POOLED, kind_among
from sing_core.maths.detection import Sample, compared
from sing_core.maths.statistics import Floats
from sing_core.models.head_classes import mapping_of


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """Of every image of a set: its class, what the head decided, and its scores as alarms."""

    label: Floats
    wrong: NDArray[np.bool_] | None
    scores: dict[str, Floats]
    stratum: NDArray[Any]

    def samples(self, kept: Any = slice(None)) -> dict[str, Sample]:  # noqa: ANN401 - an index
        return {
            name: Sample.of(sign * self.scores[name][kept], self.label[kept])
            for name, sign in SCORES.items()
        }


def alarms(scored: ScoredSet, against: str = "") -> tuple[AlarmRow, ...]:
    """Return the rows for wrong decisions, or ``against`` a prepared set or a kind of image.

    Raises:
        ImageSetError: there is nothing of that name, or nothing to tell apart.
        SingError: scores, features or translator cannot be read.
    """
    if not against:
        return error_alarms(scored)
    if against not in [folder.facts.name for folder in offered_sets(scored.bench)]:
        return kind_alarms(scored, against)
    other = open_set(scored.bench, scored.model, images=against, reference=scored.reference)
    return other_alarms(scored, other)


def error_alarms(scored: ScoredSet) -> tuple[AlarmRow, ...]:
    """Return how well each score tells wrong decisions from right ones of the same class.

    Raises:
        ImageSetError: nobody said which classes the head's are, or no class has both.
        SingError: scores, features or translator cannot be read.
    """
    told = _told(scored)
    if told.wrong is None:
        title = scored.bench.entry(scored.model).title
        raise ImageSetError(
            f"Nobody said which classes those of {title} are, so no decision is wrong."
        )
    samples = told.samples()
    kept = compared(samples[OWN[0]], told.wrong)
    if not kept.any():
        raise ImageSetError(
            f"No class of {scored.folder.facts.name} has right and wrong decisions."
        )
    return _of_kinds(within_rows(samples, told.wrong), told.stratum[kept])


def other_alarms(scored: ScoredSet, other: ScoredSet) -> tuple[AlarmRow, ...]:
    """Return how well each score tells the images of another set from those of ``scored``.

    Raises:
        SingError: scores, features or translator cannot be read.
    """
    usual, strange = _told(scored), _told(other)
    rows = between_rows(usual.samples(), strange.samples())
    return _of_kinds(rows, usual.stratum, strange.stratum)


def kind_alarms(scored: ScoredSet, strange: str) -> tuple[AlarmRow, ...]:
    """Return how well each score tells one kind of image of a set (its stratum) from the others.

    Raises:
        ImageSetError: the set has no images of that kind, or no others.
        SingError: scores, features or translator cannot be read.
    """
    told = _told(scored)
    there = told.stratum == strange
    if there.all() or not there.any():
        kinds = ", ".join(sorted(set(told.stratum.tolist()) - {""})) or "one kind of image only"
        held = f"only {kinds} is looked at" if scored.stratum else f"holds {kinds}"
        raise ImageSetError(
            f"No prepared set and no kind of image is called “{strange[:80]}”; the set "
            f"{scored.folder.facts.name} {held}."
        )
    rows = between_rows(told.samples(~there), told.samples(there))
    return _of_kinds(rows, told.stratum[~there], told.stratum[there])


def _of_kinds(rows: Sequence[AlarmRow], *images: Iterable[str]) -> tuple[AlarmRow, ...]:
    """Return the rows with the kind of the images that take part; "" where one is held to another.

    ``images``: the kinds of the usual ones, and of those looked for where these are others.
    """
    kinds = {kind_among(part) for part in images}
    stratum = POOLED if POOLED in kinds else kinds.pop() if len(kinds) == 1 else ""
    return tuple(replace(row, stratum=stratum) for row in rows)


def _told(scored: ScoredSet) -> _Told:
    found = scored.ask("SELECT row, label, top1, stratum FROM images ORDER BY row")
    columns = {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}
    alarmed = Alarmed.of(scored.bench, scored.model, scored.reference, scored.linear)
    pieces: dict[str, list[torch.Tensor]] = {name: [] for name in SCORES}
    for images, features in scored.features(found["row"].to_pylist()):
        for name, values in alarmed.scores(features, scored.unseen(images)).items():
            pieces[name].append(values)
    scores = {name: torch.cat(parts).double().numpy() for name, parts in pieces.items()}
    meant, wrong = mapping_of(scored.bench.settings, scored.bench.classifier(scored.model)), None
    if meant:
        expected = np.array([meant.get(int(label), -1) for label in columns["label"]])
        wrong = columns["top1"] != expected
    return _Told(columns["label"], wrong, scores, columns["stratum"])
