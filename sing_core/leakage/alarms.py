"""Does it matter? What a null part says of an image without a label: errors, and other images.

Each score is held against the logits' own (the largest probability and the largest logit), which
cost nothing: one that does no better is not needed. NuSA's score, the share of the feature that the
head reads, falls as the null energy rises: it has the same ranks, and the same AUROC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from sing_core.errors import ImageSetError
from sing_core.leakage.classes import known
from sing_core.leakage.scored_sets import ScoredSet, offered_sets, open_set
from sing_core.leakage.scoring import Pairs, attribute_scores
from sing_core.maths.detection import Sample, auroc, false_alarms, within_auroc
from sing_core.maths.scores import angle_deg
from sing_core.maths.statistics import Floats, Interval
from sing_core.models.head_classes import mapping_of

# What each is called, and whether a larger value or a smaller one is the alarm.
SCORES = {
    "null_energy": 1.0,
    "image_score_deg": 1.0,
    "directed_score_deg": -1.0,
    "probability": -1.0,
    "max_logit": -1.0,
}
NAMES = {
    "null_energy": "share of the feature in the null space",
    "image_score_deg": "IS of null removal",
    "directed_score_deg": "AS towards the class decided for",
    "probability": "largest probability",
    "max_logit": "largest logit",
}
OWN = ("null_energy", "image_score_deg", "directed_score_deg")


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """How well one score tells what is looked for from what is usual.

    Attributes:
        score: of ``SCORES``; ``directed_score_deg`` is AS towards the class decided for.
        auroc: 0.5 is chance, below it the score says the opposite of what was expected of it.
        fpr95: share of false alarms where 95 % of what is looked for is found, on the side that
            ``told_apart`` names; None within classes.
        n: images that are usual; ``looked_for`` images that are not.
    """

    score: str
    auroc: Interval
    fpr95: float | None
    n: int
    looked_for: int

    @property
    def told_apart(self) -> Interval:
        """The share of pairs that the score tells apart on its ``side``; the interval turns too.

        The side is read off the data, so the share is never below 0.5. The lower end may be: where
        it is, chance is not excluded.
        """
        found = self.auroc
        if not found.estimate < 0.5:
            return found
        low, high = (None if end is None else 1 - end for end in (found.high, found.low))
        return replace(found, estimate=1 - found.estimate, low=low, high=high)

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval of what is told apart lies above chance."""
        low = self.told_apart.low
        return low is not None and low > 0.5

    @property
    def side(self) -> str:
        """Whether the score itself is ``higher`` or ``lower`` for what is looked for."""
        alarm = self.auroc.estimate >= 0.5
        return "higher" if alarm == (SCORES[self.score] > 0) else "lower"

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        return {
            "score": self.score, "side": self.side, "auroc": known(self.told_apart.estimate),
            "low": self.told_apart.low, "high": self.told_apart.high, "fpr95": self.fpr95,
            "n": self.n, "looked_for": self.looked_for,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """Of every image of a set: its class, what the head decided, and its scores as alarms."""

    label: Floats
    wrong: "np.ndarray[Any, np.dtype[np.bool_]] | None"
    scores: dict[str, Floats]
    stratum: "np.ndarray[Any, Any]"

    def sample(self, name: str, kept: Any = slice(None)) -> Sample:  # noqa: ANN401 - an index
        return Sample.of(SCORES[name] * self.scores[name][kept], self.label[kept])


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
    rows = []
    for name in SCORES:
        found = within_auroc(told.sample(name), told.wrong)
        if not found.clusters:
            raise ImageSetError(
                f"No class of {scored.folder.facts.name} has right and wrong decisions."
            )
        right, wrong = int((~told.wrong).sum()), int(told.wrong.sum())
        rows.append(AlarmRow(name, found, None, right, wrong))
    return tuple(rows)


def other_alarms(scored: ScoredSet, other: ScoredSet) -> tuple[AlarmRow, ...]:
    """Return how well each score tells the images of another set from those of ``scored``.

    Raises:
        SingError: scores, features or translator cannot be read.
    """
    usual, strange = _told(scored), _told(other)
    return tuple(_row(name, usual.sample(name), strange.sample(name)) for name in SCORES)


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
        raise ImageSetError(
            f"No prepared set and no kind of image is called “{strange[:80]}”; the set "
            f"{scored.folder.facts.name} holds {kinds}."
        )
    return tuple(_row(name, *(told.sample(name, part) for part in (~there, there)))
                 for name in SCORES)  # fmt: skip


def sentence(rows: Sequence[AlarmRow], what: str) -> str:
    """Say how well the null part tells ``what`` apart, beside what can be read off the logits."""
    own, free = (
        max(
            (row for row in rows if (row.score in OWN) is ours),
            key=lambda row: row.told_apart.estimate,
        )
        for ours in (True, False)
    )
    ours, theirs = (f"{100 * row.told_apart.estimate:.0f} %" for row in (own, free))
    if not own.beyond_chance:
        return (
            f"No score of the null part tells {what} from the others beyond chance; the logits’ "
            f"own {NAMES[free.score]} is {free.side} for them in {theirs} of pairs."
        )
    return (
        f"The null part’s best score, the {NAMES[own.score]}, is {own.side} for {what} in "
        f"{ours} of pairs (chance 50 %); the logits’ own {NAMES[free.score]}, which costs nothing "
        f"to read, is {free.side} in {theirs}."
    )


def _row(name: str, usual: Sample, strange: Sample) -> AlarmRow:
    found = auroc(usual, strange)
    sign = -1.0 if found.estimate < 0.5 else 1.0  # of the side that warns
    turned = [Sample.of(sign * one.scores, one.classes) for one in (usual, strange)]
    rate = false_alarms(turned[0], turned[1])
    return AlarmRow(name, found, rate, len(usual.scores), len(strange.scores))


def _told(scored: ScoredSet) -> _Told:
    found = scored.ask("SELECT row, label, top1, stratum FROM images ORDER BY row")
    columns = {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}
    pieces: dict[str, list[torch.Tensor]] = {name: [] for name in SCORES}
    texts = scored.bench.vocabulary(scored.reference).embeddings
    meant = mapping_of(scored.bench.settings, scored.bench.classifier(scored.model))
    class_of = {own: index for index, own in meant.items()} if meant else {}
    nowhere = -1  # decided for a class that no prompt names: no direction to move in
    for images, features in scored.features(found["row"].to_pylist()):
        pairs = Pairs.of(features, scored.linear, scored.unseen(images))
        decided = torch.tensor([class_of.get(top, nowhere) for top in pairs.top1.tolist()])
        logits = scored.linear.logits(features)
        _, directed = attribute_scores(pairs, texts[decided.clamp_min(0)])
        pieces["null_energy"].append(pairs.null_energy)
        pieces["image_score_deg"].append(angle_deg(pairs.z, pairs.z_equivalent))
        pieces["directed_score_deg"].append(directed.where(decided >= 0, 0.0))
        pieces["probability"].append(logits.softmax(dim=1).amax(dim=1))
        pieces["max_logit"].append(logits.amax(dim=1))
    scores = {name: torch.cat(parts).double().numpy() for name, parts in pieces.items()}
    wrong = None
    if meant:
        expected = np.array([meant.get(int(label), -1) for label in columns["label"]])
        wrong = columns["top1"] != expected
    return _Told(columns["label"], wrong, scores, columns["stratum"])
